// SPDX-License-Identifier: Apache-2.0
// record: all that one rank measured.
//
// Shapes: time is cut into bins; everything in a bin belongs to the queries that ARRIVED at their
// balancer in it, but for what was COMPLETED, which belongs to the bin in which the response was
// back, (start, end]: behind a backlog the two differ by minutes, and a rate that is served is one
// of completions. Bin 0 is the given warm-up [0, warmup_ns) when one is given (warmup_ns > 0);
// the rest of the run is n_measure_bins equal bins. Later code decides which bins count.
// Every member is an integer and merges by + (or max, or append for samples), so the merged record
// does not depend on the number of ranks or on who simulated what.
//
// The cluster writes through the open structs below (hot path); everybody else uses the functions.
#ifndef RESULTS_RECORD_H
#define RESULTS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/err.h"
#include "results/hist.h"
#include "results/slowest.h"

enum record_path { PATH_CPU, PATH_ACCEL, N_PATHS };

struct record_shape {
    uint32_t n_services, n_groups;
    uint32_t n_bins;      // including the warm-up bin when there is one
    uint32_t n_servers;   // of the whole fleet
    int64_t warmup_ns;    // > 0: bin 0 is [0, warmup_ns)
    int64_t end_ns;       // simulated duration
    uint32_t n_slowest;   // queries kept as the slowest of what will be measured; 0: none
    uint32_t all_queries; // 1: the samples are every query; in a file, every one that was measured
};

// One (bin, service, path). Latency, wait, service and histogram are those of all n_queries: the
// simulation knows when a query will end as soon as its last request starts. Queries without an end
// are lost or pending; they are counted with the path of their last attempt. So of the queries that
// arrived in the bin
//
//     n_queries - n_in_flight were answered, n_lost were lost, n_in_flight + n_pending are in
//     flight
struct tally {
    unsigned __int128 latency_sq_sum_ns2;
    // Counts and sums of a word each: whoever adds, sends or keeps a tally takes all TALLY_SUMS of
    // them as one row, so a new one is a line here.
    uint64_t n_queries;  // arrived in this bin and have an end, be it after end_ns
    uint64_t n_requests; // CPU requests they were split into (1 per accelerator query)
    uint64_t n_items;
    uint64_t n_late;      // latency above the service's target
    uint64_t n_waited;    // queue wait above 0
    uint64_t n_in_flight; // of n_queries: not finished (response not back) at end_ns
    uint64_t n_lost;      // a server went down with them, and they were not tried again
    uint64_t n_pending;   // in flight at end_ns, and their end is not known
    uint64_t n_retries;   // attempts beyond the first that reached a server
    // Completed in this bin, whenever they arrived: over all bins n_queries - n_in_flight.
    uint64_t n_completed, n_completed_items;
    uint64_t n_completed_late; // of n_completed: latency above the service's target
    uint64_t latency_sum_ns;
    uint64_t wait_sum_ns;    // queue wait of the request that ended last
    uint64_t service_sum_ns; // service of that request: latency = network + wait + service
    int64_t latency_max_ns;
    uint32_t *hist; // HIST_N_BUCKETS counts of latency; owned by the record
};

// One (bin, group), component by component: summed over the group's servers on this rank; the
// maxima come last.
enum record_part { PART_CPU, PART_ACCEL, N_PARTS };
struct group_tally {
    int64_t busy_ns[N_PARTS];      // core-time or stream-time used inside the bin, exactly
    int64_t backlog_ns[N_PARTS];   // work queued beyond the bin's end
    int64_t work_ns[N_PARTS];      // came in the bin, in full batches; 0: where nothing is merged
    int64_t energy_uj[N_PARTS];    // microjoules
    uint64_t n_completed;          // queries completed in the bin by the group's servers
    int64_t drain_max_ns[N_PARTS]; // largest over servers: until one takes new work at once (max)
};

// One server, over the bins from server_from_ns (the given warm-up, or 0) to the end. Its counts
// are of attempts that found it up, ended or not; its times and energy are what they took.
struct server_total {
    uint64_t n_queries, n_requests, n_items;
    uint64_t n_accel_queries;
    int64_t cpu_busy_ns, accel_busy_ns;
    int64_t energy_uj;
};

struct record {
    struct record_shape shape;
    struct tally *tallies;        // [bin][service][path]
    struct group_tally *groups;   // [bin][group]
    struct server_total *servers; // [n_servers]; zero for servers of other ranks
    uint64_t *n_generated;        // [n_services] queries that balancers took in, over all bins
    struct query_sample *samples; // the uniform sample
    size_t n_samples, samples_cap;
    struct slowest *slowest; // NULL without n_slowest
};

// A record of zeros; caller frees with record_destroy. The histograms are one lazily zeroed block:
// pages that no latency falls into cost no memory.
struct record *record_create(const struct record_shape *shape);
// Back to zeros. Touches only what was counted, so a record that serves run after run of one shape
// costs neither its pages nor its zeros again. The shape's times may be changed in between: see
// record_reshape().
void record_clear(struct record *record);
// record_clear(), and from now on of that shape, when it has as many bins, services, groups and
// servers; false, and nothing done, when it has not.
bool record_reshape(struct record *record, const struct record_shape *shape);
void record_destroy(struct record *record); // NULL: no effect

// Start of bin i; record_bin_start_ns(shape, n_bins) == end_ns.
int64_t record_bin_start_ns(const struct record_shape *shape, uint32_t bin);
// The bin that time t (0 <= t < end_ns) lies in.
uint32_t record_bin_of(const struct record_shape *shape, int64_t t_ns);

static inline struct tally *record_tally(const struct record *record, uint32_t bin,
                                         uint32_t service, enum record_path path)
{
    return &record->tallies[((size_t)bin * record->shape.n_services + service) * N_PATHS +
                            (size_t)path];
}

static inline struct group_tally *record_group(const struct record *record, uint32_t bin,
                                               uint32_t group)
{
    return &record->groups[(size_t)bin * record->shape.n_groups + group];
}

// How many tallies there are, and how many of groups.
static inline size_t record_n_tallies(const struct record_shape *shape)
{
    return (size_t)shape->n_bins * shape->n_services * N_PATHS;
}
static inline size_t record_n_group_tallies(const struct record_shape *shape)
{
    return (size_t)shape->n_bins * shape->n_groups;
}

// How many words of each row are summed; behind those of a tally and of a group are its maxima.
enum {
    TALLY_SUMS = (offsetof(struct tally, latency_max_ns) - offsetof(struct tally, n_queries)) /
                 sizeof(uint64_t),
    GROUP_SUMS = offsetof(struct group_tally, drain_max_ns) / sizeof(int64_t),
    GROUP_WORDS = sizeof(struct group_tally) / sizeof(int64_t),
    SERVER_SUMS = sizeof(struct server_total) / sizeof(int64_t)
};

// The number of a tally's member among its sums.
#define TALLY_WORD(member)                                                                         \
    ((offsetof(struct tally, member) - offsetof(struct tally, n_queries)) / sizeof(uint64_t))

// First and last bucket of the tally's histogram that is not empty; false (nothing set) when it
// has no queries. Looks only between the two, since the record knows its longest latency and how
// many there are.
bool record_tally_range(const struct tally *tally, uint32_t *first, uint32_t *last);

// Answered, lost and in flight of a service, over all bins and paths. Of a whole run their sum is
// n_generated: no query is forgotten.
struct record_fates {
    uint64_t n_generated, n_answered, n_lost, n_in_flight;
};
struct record_fates record_fates(const struct record *record, uint32_t service);

void record_add_sample(struct record *record, const struct query_sample *sample);

// Could this query be one of the slowest? Sets its `bin`: its time bin, or 0 for all that follow a
// given warm-up, whose queries are not wanted.
bool record_wants_slow(const struct record *record, uint32_t bin, struct query_sample *query);
// The same for one that arrived in any bin; kept if it is wanted.
void record_add_slow(struct record *record, struct query_sample query);

// Adds counts, sums and the longest latency; not the histogram.
void record_add_tally(struct tally *into, const struct tally *from);

// Adds all of `from` to `into`, which has the same shape: sums, maxima, samples appended.
void record_merge(struct record *into, const struct record *from);

// All of it as bytes, only as long as what was counted. record_load() adds what was saved to
// `record`, which has the same shape, like record_merge().
void record_save(const struct record *record, struct blob *blob);
int record_load(struct record *record, struct blob_reader *reader, struct err *err);

// Puts the samples into their one order, (arrive_ns, cell, seq), and the slowest into theirs.
void record_sort_samples(struct record *record);

#endif
