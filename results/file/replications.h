// SPDX-License-Identifier: Apache-2.0
// replications: the replications of a sweep made into intervals.
//
// Points that differ in nothing but their value on the axis of replications are one case. Every
// real number of the summary gets, for each case, the mean over its replications and the
// half-widths of Student's t intervals (ci_means): independent runs, so these need no batches.
// `n_batches` of such a struct ci is the number of replications behind it.
//
// Nothing is averaged away silently. A number that is NaN in one of the replications that are done
// is NaN for the case: so an overloaded replication leaves the case without latency, as it is
// without one itself, while its utilisation and power count. How many were overloaded, and how many
// are not done, stands beside it. A target is judged as that of a run (summary.h): met when the
// whole 95 % interval of the late queries' fraction, over the replications, is at or below what the
// target allows, missed when it is above or when one was overloaded, else unsure; while there is
// but one replication it is unsure, unless none of its queries was late.
//
//     struct replications *f = replications_create(points);
//     for (uint32_t c = 0; c < f->n_cases; c++)
//         use(replications_at(f, REPLICATED_TOTALS, c, 0, offsetof(struct summary_service,
//         served_qps)));
//     replications_destroy(f);
#ifndef RESULTS_FILE_REPLICATIONS_H
#define RESULTS_FILE_REPLICATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "results/file/sweep_result.h"

// What there is a number of; rows per case as in struct sweep_result.
enum replications_part {
    REPLICATED_SERVICES,
    REPLICATED_TOTALS,
    REPLICATED_GROUPS,
    REPLICATED_FLEETS,
    REPLICATED_CPUS, // these two are in the groups' rows
    REPLICATED_ACCELS
};
#define N_REPLICATED_TABLES REPLICATED_CPUS

struct replications_case {
    uint32_t point;                // one of them: the first that is done, else the first
    uint32_t n_replications;       // points of the case
    uint32_t n_done, n_missing;    // n_missing: all that are not done
    uint32_t n_overloaded;         // of those done
    uint32_t n_services, n_groups; // the most of any that is done
    int32_t verdict;               // enum overload_verdict: the worst of those done
};

// The folded rows of one part. Every real number of a summary's struct begins at a multiple of
// eight bytes: that one gives its place among the numbers of the row, which is as long as the
// struct and says nothing where the struct has something else.
struct replications_table {
    uint32_t n_rows, n_places; // per case, per row
    struct ci *values;         // [n_cases][n_rows][n_places]
};
#define REPLICATIONS_PLACE(offset) ((offset) / sizeof(double))

struct replications {
    const struct sweep_result *points; // borrowed
    uint32_t n_cases;
    struct replications_case *cases; // in the order of the axes, the last turning fastest
    struct point_axes grid;          // where the cases are on the other axes
    // Names of the case's `point`: [n_cases][n_services], [n_cases][n_groups]; the texts are its.
    struct sweep_service *service_names;
    struct sweep_group *group_names;
    struct replications_table tables[N_REPLICATED_TABLES];
    int32_t *sla; // [n_cases][n_services]: enum measurement_verdict from the folded interval
};

// `points` is borrowed until replications_destroy(). Without an axis of replications every point is
// a case of its own, with one replication.
struct replications *replications_create(const struct sweep_result *points);
void replications_destroy(struct replications *fold); // NULL: no effect

// The number at `offset` of the part's struct; {NaN, NaN, NaN, 0} when there is none.
struct ci replications_at(const struct replications *fold, enum replications_part part,
                          uint32_t at_case, uint32_t row, size_t offset);
int32_t replications_sla(const struct replications *fold, uint32_t at_case, uint32_t service);

// One count of struct replications_case by name; ends with name NULL.
extern const struct data_field replications_case_fields[];

#endif
