// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_layout.h"

#include <string.h>

#include "base/mem.h"

// ---- rows

#define ROW struct sweep_service
static const struct data_field service_name_fields[] = {
    DATA_TEXT_AS("service_name", name, "service"),
    DATA_TEXT_AS("model_name", model, "model of the service"),
    {0}};
#undef ROW

#define ROW struct sweep_group
static const struct data_field group_name_fields[] = {
    DATA_TEXT_AS("group_name", name, "group of servers"),
    DATA_TEXT_AS("platform_name", platform, "platform of the group"),
    {0}};
static const struct data_field group_size_fields[] = {
    DATA_COUNT32(n_servers, "1", "servers in the group"), {0}};
#undef ROW

static const struct data_field latency_fields[] = {
    DATA_ALONE("latency_s", DATA_KIND_ESTIMATE, "s", "latency"), {0}};
static const struct data_field sla_fields[] = {
    {"sla", "1", "latency target met", DATA_KIND_CODE, 0, summary_sla_names, SLA_NONE, NULL}, {0}};

// ---- the file

#define ROW struct sweep_frame
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", result.study_name, "name of the study"),
    DATA_TEXT_AS("program_version", result.program_version, "version of recfleet"),
    DATA_TEXT(axes, "names of the axes, one a line"),
    DATA_TEXT(axis_variables, "what they are called in the file"),
    DATA_TEXT(replication_variable, "which of them is that of replications"),
    {0}};

static const struct data_field study_fields[] = {
    DATA_TEXT_AS("text", result.study_text, "the study with its sweep"), {0}};

static const struct dataset_dim dims[] = {
    DATASET_NUMBERED("point", result.n_points, "point of the sweep"),
    DATASET_NUMBERED("case", n_cases, "case: points that differ in their replication alone"),
    DATASET_NUMBERED("service", result.n_services, "service, by its place in the study"),
    DATASET_NUMBERED("group", result.n_groups, "group of servers, by its place in the study"),
    DATASET_NUMBERS("quantile", SUMMARY_N_QUANTILES, summary_quantiles, "1", "quantile of latency"),
    DATASET_NAMES("component", N_PARTS, summary_part_names, "component of a server"),
    {0}};

#define TABLE(member, type, group_, ...)                                                           \
    .name = #member, .group = (group_), DATASET_ROWS(member, type), .dims = {__VA_ARGS__}
#define LATENCY                                                                                    \
    {                                                                                              \
        DATASET_INNER(struct summary_service, latency_s, struct ci, latency_fields, "quantile")    \
    }

// All but the axes and the folded numbers; those over `case` only where there are replications.
static const struct dataset_array fixed_arrays[] = {
    {TABLE(result.points, struct sweep_point, "/", "point"),
     .views = {{.fields = sweep_result_fields}}},
    {TABLE(result.totals, struct summary_service, "/total", "point"),
     .views = {{.fields = summary_service_fields}, LATENCY}},
    {TABLE(result.fleets, struct summary_fleet, "/total", "point"),
     .views = {{.fields = summary_fleet_fields}}},
    {TABLE(result.service_names, struct sweep_service, "/summary", "point", "service"),
     .views = {{.fields = service_name_fields}}},
    {TABLE(result.services, struct summary_service, "/summary", "point", "service"),
     .views = {{.fields = summary_service_fields}, LATENCY}},
    {TABLE(result.group_names, struct sweep_group, "/groups", "point", "group"),
     .views = {{.fields = group_name_fields}, {.fields = group_size_fields}}},
    {TABLE(result.groups, struct summary_group, "/groups", "point", "group"),
     .views = {{.fields = summary_group_fields},
               {.prefix = "component_",
                DATASET_INNER(struct summary_group, parts, struct summary_component,
                              summary_component_fields, "component")}}},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {TABLE(runs, struct sweep_point, "/run", "point"),
     .views = {{.fields = sweep_result_run_fields}}},
    {TABLE(cases, struct replications_case, "/folded", "case"),
     .views = {{.fields = replications_case_fields}}, .flags = DATASET_UNREAD},
    {TABLE(case_services, struct sweep_service, "/folded/summary", "case", "service"),
     .views = {{.fields = service_name_fields}}, .flags = DATASET_UNREAD},
    {TABLE(case_sla, int32_t, "/folded/summary", "case", "service"),
     .views = {{.fields = sla_fields}}, .flags = DATASET_UNREAD},
    {TABLE(case_groups, struct sweep_group, "/folded/groups", "case", "group"),
     .views = {{.fields = group_name_fields}}, .flags = DATASET_UNREAD},
    {0}};
#undef ROW

// Does the point say of itself what cannot be?
static bool is_impossible(const struct sweep_result *p, const struct sweep_point *point)
{
    bool done = point->state == SWEEP_DONE;
    return point->n_services > p->n_services || point->n_groups > p->n_groups ||
           (done && (point->n_services == 0 || point->n_groups == 0)) ||
           (done &&
            !(point->measured_from_s >= 0 && point->measured_to_s >= point->measured_from_s &&
              point->measured_to_s < 9e9));
}

static int check(const void *artefact, struct err *err)
{
    const struct sweep_result *p = &((const struct sweep_frame *)artefact)->result;
    if (p->n_points == 0 || p->n_services == 0 || p->n_groups == 0)
        return err_set(err, ERR_STUDY, "has an impossible number of points, services or groups");
    for (uint32_t i = 0; i < p->n_points; i++) {
        if (is_impossible(p, &p->points[i]))
            return err_set(err, ERR_STUDY, "holds a point with impossible counts or times");
    }
    return 0;
}

static const struct dataset_dim no_dims[] = {{0}};
static const struct dataset_array no_arrays[] = {{0}};
const struct dataset_layout sweep_layout_head = {.kind = "sweep",
                                                 .title = "sweep",
                                                 .size = sizeof(struct sweep_frame),
                                                 .head = head_fields,
                                                 .dims = no_dims,
                                                 .arrays = no_arrays};

const struct dataset_layout sweep_layout_names = {.kind = "sweep",
                                                  .title = "sweep",
                                                  .size = sizeof(struct sweep_frame),
                                                  .head = head_fields,
                                                  .dims = dims,
                                                  .arrays = fixed_arrays};

// ---- a layout for one file

struct sweep_layout {
    struct dataset_layout layout;
    uint32_t n_axes;
    size_t n_arrays, n_owned;
    struct dataset_array *arrays;
    struct data_field **owned; // tables made for this file
};

static void add_array(struct sweep_layout *l, const struct dataset_array *array)
{
    l->arrays = mem_realloc(l->arrays, l->n_arrays + 2, sizeof *l->arrays);
    l->arrays[l->n_arrays++] = *array;
    l->arrays[l->n_arrays] = (struct dataset_array){0};
    l->layout.arrays = l->arrays;
}

// A table with room for n fields and its end.
static struct data_field *new_fields(struct sweep_layout *l, size_t n)
{
    struct data_field *fields = mem_calloc(n + 1, sizeof *fields);
    l->owned = mem_realloc(l->owned, l->n_owned + 1, sizeof(struct data_field *));
    l->owned[l->n_owned++] = fields;
    return fields;
}

// The labels of an axis over points or cases, and its numbers, which only other programs read.
static void add_axis(struct sweep_layout *l, const struct point_axis *axis, uint32_t number,
                     bool folded)
{
    size_t slot = number + (folded ? l->n_axes : 0);
    struct dataset_array array = {.name = axis->variable,
                                  .group = folded ? "/folded" : "/",
                                  .offset = offsetof(struct sweep_frame, slots) +
                                            slot * sizeof(struct sweep_slot),
                                  .stride = sizeof(char *),
                                  .dims = {folded ? "case" : "point"},
                                  .flags = DATASET_COORDINATE | (folded ? DATASET_UNREAD : 0)};
    struct data_field *fields = new_fields(l, 1);
    fields[0] =
        (struct data_field){axis->variable, "1", axis->long_name, DATA_KIND_TEXT, 0, NULL, 0, NULL};
    array.views[0].fields = fields;
    add_array(l, &array);
    if (!axis->value_variable)
        return;
    fields = new_fields(l, 1);
    fields[0] = (struct data_field){
        axis->value_variable, axis->units, axis->long_name, DATA_KIND_NUMBER, 0, NULL, 0, NULL};
    array.name = axis->value_variable;
    array.offset += offsetof(struct sweep_slot, numbers);
    array.stride = sizeof(double);
    array.flags |= DATASET_UNREAD;
    array.views[0].fields = fields;
    add_array(l, &array);
}

// Bytes from the start of a row of numbers that replications.h made of a row: to the number that is
// made of the member at an offset.
static size_t folded_at(size_t offset)
{
    return REPLICATIONS_PLACE(offset) * sizeof(struct ci);
}

// The real numbers of a table of fields, which are estimates over the replications.
static struct data_field *folded_fields(struct sweep_layout *l, const struct data_field *fields)
{
    size_t n = 0;
    while (fields[n].name)
        n++;
    struct data_field *folded = new_fields(l, n);
    n = 0;
    for (const struct data_field *f = fields; f->name; f++) {
        if (f->kind != DATA_KIND_ESTIMATE && f->kind != DATA_KIND_NUMBER)
            continue;
        folded[n] = *f;
        folded[n].kind = DATA_KIND_ESTIMATE;
        folded[n++].offset = folded_at(f->offset);
    }
    return folded;
}

// The arrays over points that have a summary's numbers once more, over cases.
static void add_folded(struct sweep_layout *l)
{
    static const struct {
        const char *group;
        size_t offset;
        enum replications_part part;
    } parts[] = {
        {"/folded/total", offsetof(struct sweep_frame, result.totals), REPLICATED_TOTALS},
        {"/folded/total", offsetof(struct sweep_frame, result.fleets), REPLICATED_FLEETS},
        {"/folded/summary", offsetof(struct sweep_frame, result.services), REPLICATED_SERVICES},
        {"/folded/groups", offsetof(struct sweep_frame, result.groups), REPLICATED_GROUPS}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const struct dataset_array *points = fixed_arrays;
        while (points->offset != parts[i].offset || points->stride == 0)
            points++;
        struct dataset_array array = *points;
        array.group = parts[i].group;
        array.offset = offsetof(struct sweep_frame, folded) + parts[i].part * sizeof(struct ci *);
        array.stride = folded_at(points->stride);
        array.dims[0] = "case";
        array.flags = DATASET_UNREAD;
        for (struct dataset_view *v = array.views; v->fields; v++) {
            v->fields = folded_fields(l, v->fields);
            v->offset = folded_at(v->offset);
            v->inner_stride = folded_at(v->inner_stride);
        }
        add_array(l, &array);
    }
}

struct sweep_layout *sweep_layout_create(const struct point_axis *axes, uint32_t n_axes,
                                         const struct replications *fold)
{
    struct sweep_layout *l = mem_calloc(1, sizeof *l);
    l->n_axes = n_axes;
    l->layout = sweep_layout_names;
    l->layout.size += 2 * n_axes * sizeof(struct sweep_slot);
    l->layout.check = check;
    for (uint32_t a = 0; a < n_axes; a++)
        add_axis(l, &axes[a], a, false);
    for (const struct dataset_array *a = fixed_arrays; a->name; a++) {
        if (fold || !a->dims[0] || strcmp(a->dims[0], "case") != 0)
            add_array(l, a);
    }
    for (uint32_t a = 0; fold && a < n_axes; a++) {
        if ((int)a != fold->points->replication)
            add_axis(l, &axes[a], a, true);
    }
    if (fold)
        add_folded(l);
    return l;
}

void sweep_layout_destroy(struct sweep_layout *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n_owned; i++)
        mem_free(l->owned[i]);
    mem_free(l->owned);
    mem_free(l->arrays);
    mem_free(l);
}

const struct dataset_layout *sweep_layout_of(const struct sweep_layout *l)
{
    return &l->layout;
}
