// SPDX-License-Identifier: Apache-2.0
#include "results/file/sweep_file.h"

#include <math.h>

#include "base/mem.h"
#include "results/file/dataset_read.h"
#include "results/file/dataset_write.h"

// ---- rows

#define ROW struct sweep_point
static const struct data_field note_fields[] = {DATA_TEXT(note, "why the point is not done"), {0}};
#undef ROW

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
static const struct data_field sla_fields[] = {{"sla", "1", "latency target met", DATA_KIND_CODE, 0,
                                                measurement_verdict_names, VERDICT_NOT_ASKED, NULL},
                                               {0}};

// ---- the file

#define ROW struct sweep_frame
static const struct data_field head_fields[] = {
    DATA_TEXT_AS("study_name", result.study_name, "name of the study"),
    DATA_TEXT_AS("program_version", result.program_version, "version of recfleet"),
    DATA_INT_AS("replication_axis", result.replication, "1",
                "which axis is that of replications, from 0; -1: none"),
    {0}};

static const struct data_field study_fields[] = {
    DATA_TEXT_AS("text", result.study_text, "the study with its sweep"), {0}};

static const struct dataset_dim dims[] = {
    DATASET_GRID("point", result.grid, "point of the sweep"),
    DATASET_GRID("case", fold.grid, "case: points that differ in their replication alone"),
    DATASET_NUMBERED("service", result.n_services, "service, by its place in the study"),
    DATASET_NUMBERED("group", result.n_groups, "group of servers, by its place in the study"),
    DATASET_NUMBERS("quantile", SUMMARY_N_QUANTILES, summary_quantiles, "1", "quantile of latency"),
    DATASET_NAMES("component", N_PARTS, summary_part_names, "component of a server"),
    {0}};

// Views of what a summary says: over points, and once more over cases.
#define SERVICE                                                                                    \
    {.fields = summary_service_fields},                                                            \
    {                                                                                              \
        DATASET_INNER(struct summary_service, latency_s, struct ci, latency_fields, "quantile")    \
    }
#define GROUP                                                                                      \
    {.fields = summary_group_fields},                                                              \
    {                                                                                              \
        .prefix = "component_",                                                                    \
        DATASET_INNER(struct summary_group, parts, struct summary_component,                       \
                      summary_component_fields, "component")                                       \
    }
#define TABLE(member, type, group_, ...)                                                           \
    .name = #member, .group = (group_), DATASET_ROWS(member, type), .dims = {__VA_ARGS__}
// Over cases: only written, and only where there are some.
#define CASES .flags = DATASET_UNREAD | DATASET_NO_EMPTY
// A summary's rows made into estimates over the replications.
#define FOLDED(part, type, group_, ...)                                                            \
    .name = #part, .group = (group_),                                                              \
    .offset = DATA_OFFSET(fold.tables[part].values, struct ci *), .stride = sizeof(type),          \
    .dims = {__VA_ARGS__}, .flags = DATASET_UNREAD | DATASET_NO_EMPTY | DATASET_SPREAD

static const struct dataset_array arrays[] = {
    {TABLE(result.points, struct sweep_point, "/", "point"),
     .views = {{.fields = sweep_result_fields}}},
    {TABLE(result.totals, struct summary_service, "/total", "point"), .views = {SERVICE}},
    {TABLE(result.fleets, struct summary_fleet, "/total", "point"),
     .views = {{.fields = summary_fleet_fields}}},
    {TABLE(result.service_names, struct sweep_service, "/summary", "point", "service"),
     .views = {{.fields = service_name_fields}}},
    {TABLE(result.services, struct summary_service, "/summary", "point", "service"),
     .views = {SERVICE}},
    {TABLE(result.group_names, struct sweep_group, "/groups", "point", "group"),
     .views = {{.fields = group_name_fields}, {.fields = group_size_fields}}},
    {TABLE(result.groups, struct summary_group, "/groups", "point", "group"), .views = {GROUP}},
    {.name = "study", .group = "/study", .views = {{.fields = study_fields}}},
    {TABLE(result.points, struct sweep_point, "/run", "point"),
     .views = {{.fields = note_fields},
               {DATASET_PART(struct sweep_point, info, struct run_info, run_info_fields)}},
     .flags = DATASET_SHARED},
    {TABLE(fold.cases, struct replications_case, "/folded", "case"),
     .views = {{.fields = replications_case_fields}}, CASES},
    {TABLE(fold.service_names, struct sweep_service, "/folded/summary", "case", "service"),
     .views = {{.fields = service_name_fields}}, CASES},
    {TABLE(fold.sla, int32_t, "/folded/summary", "case", "service"),
     .views = {{.fields = sla_fields}}, CASES},
    {TABLE(fold.group_names, struct sweep_group, "/folded/groups", "case", "group"),
     .views = {{.fields = group_name_fields}}, CASES},
    {FOLDED(REPLICATED_TOTALS, struct summary_service, "/folded/total", "case"),
     .views = {SERVICE}},
    {FOLDED(REPLICATED_FLEETS, struct summary_fleet, "/folded/total", "case"),
     .views = {{.fields = summary_fleet_fields}}},
    {FOLDED(REPLICATED_SERVICES, struct summary_service, "/folded/summary", "case", "service"),
     .views = {SERVICE}},
    {FOLDED(REPLICATED_GROUPS, struct summary_group, "/folded/groups", "case", "group"),
     .views = {GROUP}},
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

// What those who show or fold a sweep rely on: they index rows by these counts and axes by this
// number, and a run without a service or a group cannot have been.
static int check(const void *artefact, struct err *err)
{
    const struct sweep_result *p = &((const struct sweep_frame *)artefact)->result;
    if (p->n_points == 0 || p->n_services == 0 || p->n_groups == 0)
        return err_set(err, ERR_STUDY, "has an impossible number of points, services or groups");
    if (p->replication < -1 || p->replication >= (int64_t)p->n_axes)
        return err_set(err, ERR_STUDY, "has no axis of the number of that of replications");
    for (uint32_t i = 0; i < p->n_points; i++) {
        if (is_impossible(p, &p->points[i]))
            return err_set(err, ERR_STUDY, "holds a point with impossible counts or times");
    }
    return 0;
}

static const struct dataset_group groups[] = {
    {"/", "What each point of the sweep is and whether it was simulated"},
    {"/total", "As `/total` of a run, by point"},
    {"/summary",
     "As `/summary` of a run, by point; a point may have fewer services than there are positions"},
    {"/groups",
     "As `/groups` of a run, by point; a point may have fewer groups than there are positions"},
    {"/study", "The study with its sweep"},
    {"/run", "How the run of each point went; not part of the digest"},
    {"/folded", "The replications of a case"},
    {"/folded/total",
     "As `/total`: the mean over the replications that are done, with its interval"},
    {"/folded/summary",
     "As `/summary`: the mean over the replications that are done, with its interval"},
    {"/folded/groups",
     "As `/groups`: the mean over the replications that are done, with its interval"},
    {0}};

const struct dataset_layout sweep_file_layout = {.kind = "sweep",
                                                 .title = "sweep",
                                                 .size = sizeof(struct sweep_frame),
                                                 .head = head_fields,
                                                 .dims = dims,
                                                 .arrays = arrays,
                                                 .groups = groups,
                                                 .check = check};

// ---- both ways

int sweep_file_write(const char *path, bool force, const struct sweep_result *points,
                     struct err *err)
{
    struct replications *fold = points->replication >= 0 ? replications_create(points) : NULL;
    struct sweep_frame frame = {.result = *points};
    if (fold)
        frame.fold = *fold;
    int rc = dataset_write(&sweep_file_layout, &frame, NULL, path, force, err);
    replications_destroy(fold);
    return rc;
}

// All that a reader fills is the result's. The measured time in whole nanoseconds, which a summary
// has beside the seconds, stands in the file once.
struct sweep_result *sweep_file_read(const char *path, struct err *err)
{
    struct sweep_frame frame;
    if (dataset_read(&sweep_file_layout, path, DATASET_ALL, &frame, NULL, err) != 0)
        return NULL;
    struct sweep_result *p = mem_alloc(sizeof *p);
    *p = frame.result;
    for (uint32_t i = 0; i < p->n_points; i++) {
        if (p->points[i].state != SWEEP_DONE)
            continue;
        p->fleets[i].from_ns = llrint(p->points[i].measured_from_s * 1e9);
        p->fleets[i].to_ns = llrint(p->points[i].measured_to_s * 1e9);
    }
    return p;
}
