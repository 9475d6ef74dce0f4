// SPDX-License-Identifier: Apache-2.0
#include "cluster/server_record.h"

enum record_path server_record_path(const struct server_record *rec, const struct query *query)
{
    return svctab_offloads(rec->tabs[query->service], query->size_items) ? PATH_ACCEL : PATH_CPU;
}

// A retry belongs to the bin of its first arrival, and so does what has waited.
static uint32_t bin_of(const struct server_record *rec, const struct query *query)
{
    return rec->waits || query->delay_us > 0
               ? record_bin_of(&rec->record->shape, query_first_ns(query))
               : rec->arrive_bin;
}

struct tally *server_record_tally(const struct server_record *rec, const struct query *query,
                                  enum record_path path)
{
    return record_tally(rec->record, bin_of(rec, query), query->service, path);
}

// ---- the rare part: single queries, and those whose response is not back when the run ends ------

static void fill_single(const struct server_record *rec, const struct finished *end,
                        enum record_path path)
{
    const struct query *query = end->query;
    *rec->single = (struct query_sample){
        .arrive_ns = query_first_ns(query),
        .latency_ns = end->finish_ns + rec->return_delay_ns - query_first_ns(query),
        .wait_ns = end->wait_ns,
        .service_ns = end->finish_ns - end->start_ns - end->wait_ns,
        .seq = query->seq & ((UINT64_C(1) << QUERY_ATTEMPT_SHIFT) - 1),
        .cell = rec->cell,
        .server = query->server - rec->first_in_cell + rec->first_in_fleet,
        .size_items = query->size_items,
        .service = query->service,
        .path = (uint16_t)path,
        .history_items = query->history_items,
        .end_ns = end->finish_ns,
        .n_requests = end->n_requests,
        .n_attempts = query_attempt(query) + 1,
        .n_batch = 1}; // where queries are merged, the scheduler fills it in
}

bool server_record_wants(const struct server_record *rec, const struct query *query,
                         struct query_sample *single)
{
    bool is_slow = record_wants_slow(rec->record, bin_of(rec, query), single);
    return is_slow || (query->flags & QUERY_SAMPLED);
}

void server_record_keep(const struct server_record *rec, const struct query *query,
                        const struct query_sample *single)
{
    struct query_sample kept = *single;
    kept.bin = 0;
    if (query->flags & QUERY_SAMPLED)
        record_add_sample(rec->record, &kept);
    if (record_wants_slow(rec->record, bin_of(rec, query), &kept))
        slowest_add(rec->record->slowest, &kept);
}

static void record_rare(const struct server_record *rec, struct tally *tally,
                        const struct finished *end, enum record_path path)
{
    tally->n_in_flight += end->finish_ns + rec->return_delay_ns > rec->fleet->duration_ns;
    if (rec->single)
        fill_single(rec, end, path);
}

static struct finished finished_job(const struct cpu_job *job, const struct query *queries)
{
    return (struct finished){&queries[job->query], job->start_ns, job->finish_ns, job->wait_ns,
                             job->n_requests};
}

// ---- counting -----------------------------------------------------------------------------------

// What queries of one tally add up to. Sums of a run of queries stay in registers; this is the one
// place that says what is counted of a query.
struct sums {
    uint64_t n, n_requests, n_items, n_late, n_waited, latency_ns, wait_ns;
    unsigned __int128 latency_sq_ns2;
    int64_t max_ns, back_max_ns; // longest latency, latest response
};

// One query more, whose latency counts from from_ns.
static inline __attribute__((always_inline)) void sums_add(struct sums *sums, uint32_t *hist,
                                                           const struct finished *end,
                                                           int64_t from_ns, int64_t return_ns,
                                                           int64_t sla_ns)
{
    int64_t back_ns = end->finish_ns + return_ns, latency_ns = back_ns - from_ns;
    hist[hist_index(latency_ns)]++;
    sums->latency_ns += (uint64_t)latency_ns;
    sums->latency_sq_ns2 += (unsigned __int128)(uint64_t)latency_ns * (uint64_t)latency_ns;
    sums->max_ns = latency_ns > sums->max_ns ? latency_ns : sums->max_ns;
    sums->back_max_ns = back_ns > sums->back_max_ns ? back_ns : sums->back_max_ns;
    sums->n_late += latency_ns > sla_ns;
    sums->n_waited += end->wait_ns > 0;
    sums->wait_ns += (uint64_t)end->wait_ns;
    sums->n_requests += end->n_requests;
    sums->n_items += end->query->size_items;
}

// `apart_ns`: what of the latencies is neither wait nor service, summed over the queries.
static inline void sums_put(const struct sums *sums, struct tally *tally, uint64_t apart_ns)
{
    tally->n_queries += sums->n;
    tally->n_requests += sums->n_requests;
    tally->n_items += sums->n_items;
    tally->n_late += sums->n_late;
    tally->n_waited += sums->n_waited;
    tally->latency_sum_ns += sums->latency_ns;
    tally->wait_sum_ns += sums->wait_ns;
    tally->service_sum_ns += sums->latency_ns - sums->wait_ns - apart_ns;
    tally->latency_sq_sum_ns2 += sums->latency_sq_ns2;
    tally->latency_max_ns =
        sums->max_ns > tally->latency_max_ns ? sums->max_ns : tally->latency_max_ns;
}

// Latency above it is late: without a target, none is.
static inline int64_t target_ns(const struct server_record *rec, uint32_t service)
{
    int64_t sla_ns = rec->fleet->services[service].sla_ns;
    return sla_ns > 0 ? sla_ns : INT64_MAX;
}

// ---- what was completed

// Of queries that share a bin, a service and a path.
struct completed {
    uint64_t n, n_items, n_late;
};

static inline void completed_put(const struct completed *done, struct tally *tally,
                                 struct group_tally *group)
{
    tally->n_completed += done->n;
    tally->n_completed_items += done->n_items;
    tally->n_completed_late += done->n_late;
    group->n_completed += done->n;
}

// One query, in the bin in which its response is back; one that is in flight at the end, nowhere.
static void completed_put_one(const struct server_record *rec, const struct finished *end,
                              enum record_path path, uint32_t n_late)
{
    int64_t back_ns = end->finish_ns + rec->return_delay_ns;
    uint32_t bin = rec->arrive_bin;
    if (back_ns > rec->fleet->duration_ns)
        return;
    if (rec->waits || back_ns > rec->arrive_edge_ns)
        bin = record_bin_of(&rec->record->shape, back_ns - 1);
    completed_put(&(struct completed){1, end->query->size_items, n_late},
                  record_tally(rec->record, bin, end->query->service, path),
                  record_group(rec->record, bin, rec->group));
}

// A run of jobs of which some are back after the bin they came in. They came in order, so those are
// among the last, no farther before the end of the bin than the longest latency: with short queues
// few are looked at.
static void completed_put_run(const struct server_record *rec, const struct query *queries,
                              const struct cpu_job *jobs, const struct sums *sums,
                              struct tally *tally, int64_t sla_ns)
{
    struct completed here = {sums->n, sums->n_items, sums->n_late};
    int64_t edge_ns = rec->arrive_edge_ns;
    for (size_t i = sums->n; i > 0; i--) {
        const struct finished end = finished_job(&jobs[i - 1], queries);
        int64_t back_ns = end.finish_ns + rec->return_delay_ns;
        if (end.query->arrive_ns + sums->max_ns <= edge_ns)
            break;
        if (back_ns <= edge_ns)
            continue;
        uint32_t n_late = back_ns - end.query->arrive_ns > sla_ns;
        completed_put_one(rec, &end, PATH_CPU, n_late);
        here.n--;
        here.n_items -= end.query->size_items;
        here.n_late -= n_late;
    }
    completed_put(&here, tally, rec->arrive_group);
}

// n >= 1 jobs of one service, all first attempts. What holds for few queries is looked for once for
// all of them.
static void record_run(const struct server_record *rec, const struct query *queries,
                       const struct cpu_job *jobs, size_t n)
{
    uint32_t service = queries[jobs[0].query].service;
    struct tally *tally = record_tally(rec->record, rec->arrive_bin, service, PATH_CPU);
    int64_t sla_ns = target_ns(rec, service), return_ns = rec->return_delay_ns;
    struct sums sums = {.n = n};
    uint32_t *hist = tally->hist;
    for (size_t i = 0; i < n; i++) {
        const struct finished end = finished_job(&jobs[i], queries);
        sums_add(&sums, hist, &end, end.query->arrive_ns, return_ns, sla_ns);
    }
    sums_put(&sums, tally, n * (uint64_t)(rec->dispatch_delay_ns + return_ns));
    bool is_later = sums.back_max_ns > rec->arrive_edge_ns;
    if (is_later)
        completed_put_run(rec, queries, jobs, &sums, tally, sla_ns);
    else
        completed_put(&(struct completed){n, sums.n_items, sums.n_late}, tally, rec->arrive_group);
    if (!rec->single && !(is_later && sums.back_max_ns > rec->fleet->duration_ns))
        return;
    for (size_t i = 0; i < n; i++) {
        struct finished end = finished_job(&jobs[i], queries);
        record_rare(rec, tally, &end, PATH_CPU);
    }
}

static void record_ended(const struct server_record *rec, const struct finished *end,
                         enum record_path path)
{
    const struct query *query = end->query;
    struct tally *tally = server_record_tally(rec, query, path);
    int64_t sla_ns = target_ns(rec, query->service);
    struct sums sums = {.n = 1};
    sums_add(&sums, tally->hist, end, query_first_ns(query), rec->return_delay_ns, sla_ns);
    sums_put(&sums, tally,
             (uint64_t)(end->start_ns - query_first_ns(query) + rec->return_delay_ns));
    completed_put_one(rec, end, path, (uint32_t)sums.n_late);
    record_rare(rec, tally, end, path);
}

void server_record_one(const struct server_record *rec, const struct finished *end,
                       enum record_path path, struct completions *out)
{
    const int64_t *until_ns = rec->until_ns;
    uint32_t s = end->query->server - rec->first_in_cell;
    if (until_ns && end->finish_ns > until_ns[s])
        completions_lose(out, end->query, until_ns[s]);
    else
        record_ended(rec, end, path);
}

// Those of the chunk's jobs that end on their first attempt, in order; returns how many. The others
// are lost, or recorded here.
static size_t find_ended(const struct server_record *rec, const struct query *queries,
                         struct cpu_job *jobs, size_t n_jobs, struct completions *out)
{
    size_t n_ended = 0;
    for (size_t i = 0; i < n_jobs; i++) {
        const struct cpu_job *job = &jobs[i];
        if (job->finish_ns > rec->until_ns[job->server] || queries[job->query].delay_us > 0) {
            struct finished end = finished_job(job, queries);
            server_record_one(rec, &end, PATH_CPU, out);
        } else {
            jobs[n_ended++] = *job;
        }
    }
    return n_ended;
}

// Jobs in order, in runs of the same service.
void server_record_jobs(const struct server_record *rec, const struct query *queries,
                        struct cpu_job *jobs, size_t n_jobs, struct completions *out)
{
    if (rec->until_ns)
        n_jobs = find_ended(rec, queries, jobs, n_jobs, out);
    size_t begin = 0;
    while (begin < n_jobs) {
        uint16_t service = queries[jobs[begin].query].service;
        size_t end = rec->fleet->n_services == 1 ? n_jobs : begin + 1;
        while (end < n_jobs && queries[jobs[end].query].service == service)
            end++;
        record_run(rec, queries, jobs + begin, end - begin);
        begin = end;
    }
}

// ---- telling ------------------------------------------------------------------------------------

void server_record_cut(const struct server_record *rec, struct completions *out, size_t first)
{
    for (size_t i = first; i < out->n; i++) {
        int64_t until_ns = rec->until_ns[out->v[i].server - rec->first_in_cell];
        out->v[i].end_ns = out->v[i].end_ns < until_ns ? out->v[i].end_ns : until_ns;
    }
}

// ---- one server, watched ------------------------------------------------------------------------

struct timeline_query server_record_seen(const struct server_record *rec, const struct query *query,
                                         int64_t end_ns, bool lost)
{
    const uint64_t seq_mask = (UINT64_C(1) << QUERY_ORIGIN_SHIFT) - 1;
    const struct svctab *tab = rec->tabs[query->service];
    uint32_t origin = (uint32_t)(query->seq >> QUERY_ORIGIN_SHIFT) &
                      ((1u << (QUERY_ATTEMPT_SHIFT - QUERY_ORIGIN_SHIFT)) - 1);
    bool offloaded = svctab_offloads(tab, query->size_items);
    return (struct timeline_query){.seq = query->seq & seq_mask,
                                   .first_ns = query_first_ns(query),
                                   .reach_ns = query->arrive_ns + rec->dispatch_delay_ns,
                                   .back_ns = lost ? end_ns : end_ns + rec->return_delay_ns,
                                   .cell = origin > 0 ? origin - 1 : rec->cell,
                                   .attempt = query_attempt(query),
                                   .n_parts =
                                       offloaded ? 1 : tab->split[query->size_items].n_requests,
                                   .n_batch = 1,
                                   .size_items = query->size_items,
                                   .service = query->service,
                                   .lost = lost,
                                   .offloaded = offloaded};
}
