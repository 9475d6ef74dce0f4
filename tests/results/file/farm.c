// SPDX-License-Identifier: Apache-2.0
#include "results/file/farm.h"

#include <math.h>

#include "base/mem.h"

const char *const farm_states[] = {"up", "down", "not_asked", NULL};
static const char *const components[] = {"motor", "head"};
static const double quantiles[] = {0.5, 0.99};

#define ROW struct farm_part
static const struct data_field part_fields[] = {
    DATA_ESTIMATE(power_w, "W", "mean power"), DATA_NUMBER(share_frac, "1", "share"), {0}};
#undef ROW

#define ROW struct farm_reading
static const struct data_field reading_fields[] = {
    DATA_COUNT(n_reads, "1", "reads"),
    DATA_COUNT32(n_errors, "1", "errors"),
    DATA_CODE(state, "is it up?", farm_states, FARM_NOT_ASKED),
    DATA_INT(shift, "1", "shift"),
    DATA_BOOL(spinning, "does it turn?"),
    DATA_TIME_AS("busy_s", busy_ns, "time it was busy"),
    DATA_TEXT(note, "what was seen"),
    {0}};
static const struct data_field heat_fields[] = {DATA_NUMBER(heat_k, "K", "temperature"), {0}};
#undef ROW

#define ROW struct farm_event
static const struct data_field event_fields[] = {
    DATA_LABEL(disk, "disk", "disk it happened to"),
    DATA_INDEX(model, "disk", "disk of the same model"),
    DATA_NUMBER(at_s, "s", "when it happened"),
    {0}};
#undef ROW

#define ROW struct farm_sample
static const struct data_field sample_fields[] = {
    DATA_NUMBER(window_s, "s", "length of a window"), DATA_COUNT32(n, "1", "windows"), {0}};
#undef ROW

static const struct data_field wait_fields[] = {
    DATA_ALONE("wait_s", DATA_KIND_ESTIMATE, "s", "wait"), {0}};

#define ROW struct farm
static const struct data_field head[] = {DATA_TEXT_AS("study_name", name, "study"),
                                         DATA_TEXT(program_version, "who wrote it"),
                                         DATA_COUNT(seed, "1", "seed"),
                                         DATA_BOOL(automatic, "is the warm-up found?"),
                                         DATA_TIME_AS("length_s", length_ns, "length"),
                                         DATA_NUMBER(day_s, "s", "length of a day"),
                                         {0}};

static const struct data_field study_fields[] = {DATA_TEXT_AS("text", study, "the study"), {0}};

static const struct dataset_dim dims[] = {
    DATASET_STEPS("day", n_days, day_s, "s", "start of the day"),
    DATASET_NAMED("disk", n_disks, disks, "disk"),
    DATASET_NUMBERED("event", n_events, "event, in order"),
    DATASET_VALUES("edge", n_edges, edges_s, "s", "lower edge"),
    DATASET_NAMES("component", 2, components, "component of a disk"),
    DATASET_NUMBERS("quantile", 2, quantiles, "1", "quantile"),
    DATASET_GRID("trial", trials, "trial"),
    DATASET_GRID("round", rounds, "round"),
    {0}};

static const struct dataset_array arrays[] = {
    {.name = "maker",
     .group = "/",
     DATASET_ROWS(makers, char *),
     .dims = {"disk"},
     .views = {{DATASET_ALONE("maker", DATA_KIND_TEXT, "1", "who made it")}}},
    {.name = "score",
     .group = "/",
     DATASET_ROWS(scores, double),
     .dims = {"trial"},
     .views = {{DATASET_ALONE("score", DATA_KIND_NUMBER, "1", "score")}}},
    {.name = "price",
     .group = "/",
     DATASET_ROWS(prices, double),
     .dims = {"disk"},
     .views = {{DATASET_ALONE("price_usd", DATA_KIND_NUMBER, "USD", "price")}}},
    {.name = "readings",
     .group = "/readings",
     DATASET_ROWS(readings, struct farm_reading),
     .dims = {"day", "disk"},
     .views = {{.fields = reading_fields},
               {DATASET_INNER(struct farm_reading, wait_s, struct ci, wait_fields, "quantile")},
               {.prefix = "component_",
                DATASET_INNER(struct farm_reading, parts, struct farm_part, part_fields,
                              "component")},
               {.offset = offsetof(struct farm_reading, extra),
                .own_fields = offsetof(struct farm, extras)}}},
    {.name = "heat",
     .group = "/run",
     DATASET_ROWS(readings, struct farm_reading),
     .dims = {"day", "disk"},
     .views = {{.fields = heat_fields}},
     .flags = DATASET_SHARED},
    {.name = "spread",
     .group = "/folded",
     .offset = DATA_OFFSET(spread, struct ci *),
     .stride = sizeof(struct farm_part),
     .dims = {"round"},
     .views = {{.fields = part_fields}},
     .flags = DATASET_UNREAD | DATASET_NO_EMPTY | DATASET_SPREAD},
    {.name = "events",
     .group = "/deep/events",
     DATASET_ROWS(events, struct farm_event),
     .dims = {"event"},
     .views = {{.fields = event_fields}},
     .flags = DATASET_OPTIONAL},
    {.name = "counts",
     .group = "/histogram",
     DATASET_ROWS(counts, uint64_t),
     .dims = {"edge"},
     .views = {{DATASET_ALONE("n_reads", DATA_KIND_COUNT, "1", "reads")}},
     .flags = DATASET_UNREAD},
    {.name = "sample",
     .group = "/sample",
     DATASET_ROW(sample, struct farm_sample),
     .views = {{.fields = sample_fields}},
     .flags = DATASET_OPTIONAL},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {.name = "wall",
     .group = "/run",
     DATASET_ROWS(wall_s, double),
     .dims = {"disk"},
     .views = {{DATASET_ALONE("wall_s", DATA_KIND_NUMBER, "s", "wall time")}}},
    {0}};
#undef ROW

static char *unit_of(const void *artefact, const struct dataset_array *array,
                     const struct data_field *field)
{
    (void)artefact;
    (void)field;
    return array == dataset_find(&farm_layout, "price") ? mem_strdup("EUR") : NULL;
}

static int check(const void *artefact, struct err *err)
{
    const struct farm *farm = artefact;
    return farm->day_s > 0 ? 0 : err_set(err, ERR_FAIL, "its days have no length");
}

const struct dataset_layout farm_layout = {.kind = "farm",
                                           .title = "disk farm",
                                           .size = sizeof(struct farm),
                                           .head = head,
                                           .dims = dims,
                                           .arrays = arrays,
                                           .units = unit_of,
                                           .check = check};

static void fill_readings(struct farm *farm)
{
    for (uint32_t i = 0; i < farm->n_days * farm->n_disks; i++) {
        struct farm_reading *r = &farm->readings[i];
        r->n_reads = UINT64_C(0x8000000000000000) + i;
        r->n_errors = UINT32_MAX - i;
        r->state = (int32_t)i % 3;
        r->shift = -(int32_t)i;
        r->spinning = i % 2;
        r->busy_ns = INT64_C(86400000000001) * i;
        r->extra[0] = 7 * i;
        r->heat_k = 300 + i;
        r->note = mem_strdup(i == 1 ? "" : i == 2 ? "µ, \"two\"\nlines" : "fine");
        for (int q = 0; q < 2; q++)
            r->wait_s[q] = (struct ci){.value = i + 0.5 * q, .half_95 = q ? NAN : 0.25};
        for (uint32_t p = 0; p < 2; p++)
            r->parts[p] = (struct farm_part){{.value = 10 * i + p, .half_95 = 1e-300}, 0.1 * p};
    }
}

struct farm farm_make(uint32_t n_events)
{
    struct farm farm = {.n_disks = 2, .n_days = 3, .n_events = n_events, .n_edges = 1000};
    farm.trials = point_axes_create(2, 3);
    dataset_create(&farm_layout, &farm);
    point_axes_set(&farm.trials, 0, "maker name", (const char *const[]){"x, µ", "y"}, 2);
    point_axes_set(&farm.trials, 1, "rate", (const char *const[]){"1kqps", "2500qps"}, 2);
    farm.trials.values[2] = farm.trials.values[3] = farm.trials.values[5] =
        1; // x 1k, y 2500, x 2500
    farm.scores[1] = 4.5;
    farm.extras[0] = (struct data_field){
        .name = "load", .units = "1", .long_name = "load", .kind = DATA_KIND_COUNT};
    farm.name = mem_strdup("farm");
    farm.program_version = mem_strdup("0.0.test");
    farm.study = mem_strdup("name: farm\n# ±\n");
    farm.seed = UINT64_C(0xfedcba9876543210);
    farm.automatic = true;
    farm.length_ns = INT64_C(123456789012345);
    farm.day_s = 86400;
    farm.disks[0] = mem_strdup("a + b, µ");
    farm.disks[1] = mem_strdup("");
    farm.makers[0] = mem_strdup("x");
    farm.makers[1] = mem_strdup("y");
    farm.counts = mem_calloc(farm.n_edges, sizeof *farm.counts);
    for (uint32_t i = 0; i < farm.n_edges; i++) {
        farm.edges_s[i] = i * 0.001;
        farm.counts[i] = i;
    }
    farm.prices[0] = 99.5;
    farm.wall_s[1] = 2.5;
    fill_readings(&farm);
    for (uint32_t i = 0; i < n_events; i++)
        farm.events[i] = (struct farm_event){i % 2, 1 - i % 2, 1.5 * i};
    return farm;
}
