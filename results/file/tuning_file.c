// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_file.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "results/file/dataset_read.h"
#include "results/file/dataset_write.h"

// More than any study has; a forged file must not make us build a layout of any size.
#define MOST_AXES 1000

struct slot {
    char **labels;   // [n_points]
    double *numbers; // [n_points]; NULL: they are none. Only written.
};

// The artefact of the file: its rows are borrowed when it is written, owned when it was read.
struct frame {
    char *name, *program_version, *study, *axes;
    uint64_t seed;
    double sla_quantile, p99_bound;
    uint32_t n_points, n_policies, n_steps;
    char **policies;
    struct tuning_outcome *outcomes; // [n_points][n_policies]
    double *wall_s;                  // likewise
    struct tuning_step *steps;       // [n_steps]
    struct slot slots[];             // by axis
};

// ---- what every tuning has

#define ROW struct tuning_outcome
static const struct data_field outcome_fields[] = {
    DATA_CODE(state, "was a rate found that holds the targets?", tuning_result_state_names, 0),
    DATA_COUNT32(batch_items, "items", "chosen batch size B: most items of a CPU request"),
    DATA_COUNT32(offload_items, "items",
                 "chosen threshold T: queries of at least this many go to the accelerator; 0: "
                 "none do"),
    DATA_NUMBER(qps, "s-1", "largest rate shown to be held, over all servers"),
    DATA_NUMBER(missed_qps, "s-1", "smallest rate shown to be missed"),
    DATA_NUMBER(claimed_qps, "s-1", "rate that the policy itself believes it holds"),
    DATA_NUMBER(floor_s, "s", "latency at the target's percentile at vanishing load"),
    DATA_CODE(confirmed, "are the targets held at qps by fresh random draws?",
              measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_CODE(confirmed_over, "and at 1.05 qps? missed: the answer is tight",
              measurement_verdict_names, VERDICT_NOT_ASKED),
    DATA_NUMBER(tuned_qps, "s-1", "rate held on the sizes that were tuned on"),
    DATA_COUNT(n_choices, "1", "choices of B and T looked at"),
    DATA_COUNT(n_bounded, "1", "of these, settled by their bound alone, without a run"),
    DATA_COUNT(n_runs, "1", "simulations run, confirmation left out"),
    DATA_COUNT(n_queries, "1", "queries simulated, confirmation left out"),
    {0}};
#undef ROW

#define ROW struct tuning_step
static const struct data_field step_fields[] = {
    DATA_COUNT32_AS("point", cell, "1", "its point"),
    DATA_INDEX(policy, "policy", "its policy"),
    DATA_COUNT32(batch_items, "items", "batch size B"),
    DATA_COUNT32(offload_items, "items", "threshold T; 0: nothing goes to the accelerator"),
    DATA_COUNT32(stream, "1",
                 "stream of random draws, modulo 3: 0 tuning, 1 confirmation, 2 latency floor"),
    DATA_NUMBER(rate_qps, "s-1", "arrival rate over all servers"),
    {0}};
#undef ROW

#define ROW struct frame
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", name, "name of the study"),
    DATA_TEXT(program_version, "version of recfleet"),
    DATA_COUNT(seed, "1", "seed of the random draws"),
    DATA_NUMBER(sla_quantile, "1", "quantile of the latency target"),
    DATA_NUMBER(p99_bound, "1", "bound of p99, times the target; 0: none was asked for"),
    DATA_TEXT(axes, "axes of the grid as in the study, one a line"),
    {0}};

static const struct data_field study_fields[] = {
    DATA_TEXT_AS("text", study, "the study with its grid"), {0}};

static const struct dataset_dim dims[] = {
    DATASET_NUMBERED("point", n_points, "point of the study's grid"),
    DATASET_NAMED("policy", n_policies, policies, "policy that chose B and T"),
    DATASET_NUMBERED("step", n_steps, "simulated point, in order"),
    {0}};

static const struct dataset_array arrays[] = {
    {.name = "outcomes",
     .group = "/",
     DATASET_ROWS(outcomes, struct tuning_outcome),
     .dims = {"point", "policy"},
     .views = {{.fields = outcome_fields},
               {DATASET_PART(struct tuning_outcome, at_qps, struct measurement,
                             measurement_fields)}}},
    {.name = "steps",
     .group = "/path",
     DATASET_ROWS(steps, struct tuning_step),
     .dims = {"step"},
     .views = {{.fields = step_fields},
               {DATASET_PART(struct tuning_step, result, struct measurement, measurement_fields)},
               {DATASET_PART(struct tuning_step, result, struct measurement,
                             measurement_count_fields)}}},
    {.name = "wall_s",
     .group = "/run",
     DATASET_ROWS(wall_s, double),
     .dims = {"point", "policy"},
     .views = {{DATASET_ALONE("wall_s", DATA_KIND_NUMBER, "s", "wall time of the search")}}},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {0}};
#undef ROW

enum { N_FIXED = sizeof arrays / sizeof *arrays - 1 };

static int check(const void *artefact, struct err *err)
{
    const struct frame *f = artefact;
    if (f->n_points == 0 || f->n_policies == 0)
        return err_set(err, ERR_FAIL, "there is no point or no policy");
    if (!(f->sla_quantile > 0 && f->sla_quantile < 1))
        return err_set(err, ERR_FAIL, "the quantile of the target is not in (0, 1)");
    for (uint32_t i = 0; i < f->n_steps; i++)
        if (f->steps[i].cell >= f->n_points)
            return err_set(err, ERR_FAIL, "/path/point is no point of the grid");
    return 0;
}

const struct dataset_layout tuning_file_layout = {.kind = "tuning",
                                                  .title = "tuning",
                                                  .size = sizeof(struct frame),
                                                  .head = head_fields,
                                                  .dims = dims,
                                                  .arrays = arrays,
                                                  .check = check};

// ---- a layout with the axes of one study

struct axis {
    char *variable, *value_variable; // the second NULL: its labels are no numbers
    const char *units;               // of these
    struct data_field fields[4];     // of the labels and of the numbers, each ended
};

struct made {
    struct dataset_layout layout;
    struct dataset_array *arrays;
    struct axis *axes;
    uint32_t n_axes;
};

// Are the name, or the name with "_value" behind it, those of something else?
static bool is_taken(const struct made *made, const char *name)
{
    char *value = mem_printf("%s_value", name);
    bool taken = dataset_uses_name(&tuning_file_layout, name) ||
                 dataset_uses_name(&tuning_file_layout, value);
    for (uint32_t a = 0; a < made->n_axes && !taken; a++) {
        const struct axis *other = &made->axes[a];
        taken = strcmp(name, other->variable) == 0 || strcmp(value, other->variable) == 0 ||
                (other->value_variable && strcmp(name, other->value_variable) == 0);
    }
    mem_free(value);
    return taken;
}

static char *variable_of(const struct made *made, const char *axis)
{
    char *name = mem_strdup(axis[0] ? axis : "axis");
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '_')
            *c = '_';
    while (is_taken(made, name) || !isalpha((unsigned char)name[0])) {
        char *longer = mem_printf("axis_%s", name);
        mem_free(name);
        name = longer;
    }
    return name;
}

static void add_array(struct made *made, const struct axis *axis, const struct data_field *field,
                      size_t offset, size_t stride, unsigned flags)
{
    size_t n = 0;
    while (made->arrays[n].name)
        n++;
    size_t slot = (size_t)(axis - made->axes) * sizeof(struct slot);
    made->arrays[n] =
        (struct dataset_array){.name = field->name,
                               .group = "/",
                               .offset = offsetof(struct frame, slots) + slot + offset,
                               .stride = stride,
                               .dims = {"point"},
                               .views = {{.fields = field}},
                               .flags = DATASET_COORDINATE | flags};
}

// `units`: of the axis's numbers; NULL: it has none.
static void add_axis(struct made *made, const char *name, const char *units)
{
    struct axis *axis = &made->axes[made->n_axes];
    axis->variable = variable_of(made, name);
    axis->units = units;
    axis->fields[0] = (struct data_field){
        axis->variable, "1", "label of the point", DATA_KIND_TEXT, 0, NULL, 0, NULL};
    made->n_axes++;
    add_array(made, axis, &axis->fields[0], offsetof(struct slot, labels), sizeof(char *), 0);
    if (!units)
        return;
    axis->value_variable = mem_printf("%s_value", axis->variable);
    axis->fields[2] = (struct data_field){
        axis->value_variable, units, "number of the label", DATA_KIND_NUMBER, 0, NULL, 0, NULL};
    add_array(made, axis, &axis->fields[2], offsetof(struct slot, numbers), sizeof(double),
              DATASET_UNREAD);
}

// Room for so many axes, of which there is none yet.
static struct made make(uint32_t n_axes)
{
    struct made made = {.layout = tuning_file_layout};
    made.axes = mem_calloc(n_axes, sizeof *made.axes);
    made.arrays = mem_calloc(N_FIXED + 2 * (size_t)n_axes + 1, sizeof *made.arrays);
    memcpy(made.arrays, arrays, sizeof arrays);
    made.layout.size = sizeof(struct frame) + n_axes * sizeof(struct slot);
    made.layout.arrays = made.arrays;
    return made;
}

static void unmake(struct made *made)
{
    for (uint32_t a = 0; a < made->n_axes; a++) {
        mem_free(made->axes[a].variable);
        mem_free(made->axes[a].value_variable);
    }
    mem_free(made->axes);
    mem_free(made->arrays);
}

// ---- writing

// The numbers of all labels in SI units, when all are quantities of one; else NULL. No text is a
// quantity of two units but "0", so the first that fits all is the one.
static double *numbers_of(const struct tuning_axis *axis, const char **units)
{
    static const char *const names[N_UNITS] = {
        [UNIT_NONE] = "1",        [UNIT_TIME] = "s",           [UNIT_RATE] = "s-1",
        [UNIT_ITEMS] = "items",   [UNIT_FRAC] = "1",           [UNIT_POWER] = "W",
        [UNIT_ENERGY] = "J",      [UNIT_BYTES] = "byte",       [UNIT_BW] = "byte s-1",
        [UNIT_FLOPS] = "s-1",     [UNIT_FLOP] = "1",           [UNIT_HZ] = "Hz",
        [UNIT_PRICE] = "USD h-1", [UNIT_CARBON] = "g kW-1 h-1"};
    double *numbers = mem_calloc(axis->n_labels, sizeof *numbers);
    for (int unit = 0; unit < N_UNITS; unit++) {
        uint32_t n = 0;
        while (n < axis->n_labels &&
               units_parse((enum unit)unit, axis->labels[n], &numbers[n], NULL) == 0)
            n++;
        *units = names[unit];
        if (n == axis->n_labels)
            return numbers;
    }
    *units = NULL;
    mem_free(numbers);
    return NULL;
}

static void fill_slot(const struct tuning_result *t, uint32_t axis, const double *numbers,
                      struct slot *slot)
{
    slot->labels = mem_calloc(t->n_cells, sizeof *slot->labels);
    slot->numbers = mem_calloc(t->n_cells, sizeof *slot->numbers);
    for (uint32_t p = 0; p < t->n_cells; p++) {
        uint32_t label = t->labels[(size_t)p * t->n_axes + axis];
        slot->labels[p] = t->axes[axis].labels[label];
        slot->numbers[p] = numbers ? numbers[label] : (double)NAN;
    }
}

static char *lines_of(const struct tuning_result *t)
{
    char *all = mem_strdup("");
    for (uint32_t a = 0; a < t->n_axes; a++) {
        char *longer = mem_printf("%s%s%s", all, a > 0 ? "\n" : "", t->axes[a].name);
        mem_free(all);
        all = longer;
    }
    return all;
}

// Borrows from the tuning all but what release_frame() releases.
static struct frame *frame_of(const struct tuning_result *t, struct made *made)
{
    size_t n = (size_t)t->n_cells * t->n_policies;
    struct frame *f = mem_calloc(1, made->layout.size);
    *f = (struct frame){t->name,
                        t->program_version,
                        t->study,
                        lines_of(t),
                        t->seed,
                        t->sla_quantile,
                        t->p99_bound,
                        t->n_cells,
                        t->n_policies,
                        (uint32_t)t->n_steps,
                        t->policies,
                        t->outcomes,
                        mem_calloc(n, sizeof *f->wall_s),
                        t->steps};
    for (size_t i = 0; i < n; i++)
        f->wall_s[i] = t->outcomes[i].wall_s;
    for (uint32_t a = 0; a < t->n_axes; a++) {
        const char *units;
        double *numbers = numbers_of(&t->axes[a], &units);
        add_axis(made, t->axes[a].name, units);
        fill_slot(t, a, numbers, &f->slots[a]);
        mem_free(numbers);
    }
    return f;
}

static void release_frame(struct frame *f, uint32_t n_axes)
{
    for (uint32_t a = 0; a < n_axes; a++) {
        mem_free(f->slots[a].labels);
        mem_free(f->slots[a].numbers);
    }
    mem_free(f->axes);
    mem_free(f->wall_s);
    mem_free(f);
}

int tuning_file_write(const struct tuning_result *tuning, const struct run_info *run,
                      const char *path, bool force, struct err *err)
{
    struct made made = make(tuning->n_axes);
    struct frame *frame = frame_of(tuning, &made);
    int rc = dataset_write(&made.layout, frame, run, path, force, err);
    release_frame(frame, tuning->n_axes);
    unmake(&made);
    return rc;
}

// ---- reading

// The labels of an axis in the order of the points, each once.
static void take_axis(const struct frame *f, uint32_t axis, struct tuning_result *t)
{
    struct tuning_axis *to = &t->axes[axis];
    for (uint32_t p = 0; p < f->n_points; p++) {
        const char *label = f->slots[axis].labels[p] ? f->slots[axis].labels[p] : "";
        uint32_t i = 0;
        while (i < to->n_labels && strcmp(to->labels[i], label) != 0)
            i++;
        if (i == to->n_labels) {
            to->labels = mem_realloc(to->labels, ++to->n_labels, sizeof *to->labels);
            to->labels[i] = mem_strdup(label);
        }
        t->labels[(size_t)p * t->n_axes + axis] = i;
    }
}

// Moves what the frame owns; what is left in it is fit for dataset_destroy().
static struct tuning_result *take(struct frame *f, char *const *axes, uint32_t n_axes)
{
    struct tuning_result *t = tuning_result_create(n_axes, f->n_points, f->n_policies);
    size_t n = (size_t)f->n_points * f->n_policies;
    t->name = mem_strdup(f->name ? f->name : "");
    t->program_version = mem_strdup(f->program_version ? f->program_version : "");
    t->study = mem_strdup(f->study ? f->study : "");
    t->seed = f->seed;
    t->sla_quantile = f->sla_quantile;
    t->p99_bound = f->p99_bound;
    for (uint32_t a = 0; a < n_axes; a++) {
        t->axes[a].name = mem_strdup(axes[a]);
        take_axis(f, a, t);
    }
    for (uint32_t p = 0; p < f->n_policies; p++)
        t->policies[p] = mem_strdup(f->policies[p]);
    memcpy(t->outcomes, f->outcomes, n * sizeof *t->outcomes);
    for (size_t i = 0; i < n; i++)
        t->outcomes[i].wall_s = f->wall_s[i];
    t->steps = f->steps;
    t->n_steps = t->steps_cap = f->n_steps;
    f->steps = NULL;
    f->n_steps = 0;
    return t;
}

static struct tuning_result *read_with(const char *path, char *const *axes, uint32_t n_axes,
                                       struct err *err)
{
    struct made made = make(n_axes);
    struct frame *frame = mem_calloc(1, made.layout.size);
    struct tuning_result *t = NULL;
    for (uint32_t a = 0; a < n_axes; a++)
        add_axis(&made, axes[a], NULL);
    if (dataset_read(&made.layout, path, DATASET_ALL, frame, NULL, err) == 0) {
        t = take(frame, axes, n_axes);
        dataset_destroy(&made.layout, frame);
    }
    mem_free(frame);
    unmake(&made);
    return t;
}

struct tuning_result *tuning_file_read(const char *path, struct err *err)
{
    struct frame head;
    if (dataset_read(&tuning_file_layout, path, DATASET_HEAD, &head, NULL, err) != 0)
        return NULL;
    char *axes[MOST_AXES], *rest = head.axes ? head.axes : NULL;
    uint32_t n = 0;
    for (char *at; rest && rest[0] && n < MOST_AXES; n++) {
        at = strchr(rest, '\n');
        axes[n] = rest;
        rest = at ? at + 1 : NULL;
        if (at)
            *at = '\0';
    }
    struct tuning_result *t = read_with(path, axes, n, err);
    dataset_destroy(&tuning_file_layout, &head);
    return t;
}
