// SPDX-License-Identifier: Apache-2.0
#include "results/fixture.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"

#define MOST_CORES 64

static void describe(struct meta *m, const char *study)
{
    m->study_name = mem_strdup(study);
    m->policy = mem_strdup("random");
    m->program_version = mem_strdup("0.0.test");
    m->study_text = mem_strdup("name: test\nseed: 7\n# ±\n");
    m->study_digest = mem_strdup("00112233445566778899aabbccddeeff");
    m->seed = 7;
    m->traffic_fingerprint = UINT64_C(0xfedcba9876543210);
    m->n_cells = 1;
}

struct meta *fixture_meta(void)
{
    struct meta *m = meta_create(2, 2, 4);
    const char *const services[] = {"feed", "ads, banner"}, *const groups[] = {"old", "new"};
    describe(m, "pair");
    for (int i = 0; i < 2; i++) {
        m->services[i] = (struct meta_service){
            mem_strdup(services[i]), mem_strdup("wnd"), 0.95, 25 * SIMTIME_MS, 1000, 0, 0, 0};
        m->groups[i] =
            (struct meta_group){mem_strdup(groups[i]), mem_strdup("skylake"), 2, 1, i == 1, i == 1};
    }
    for (uint32_t s = 0; s < 4; s++)
        m->server_group[s] = s / 2;
    return m;
}

struct meta *fixture_meta_one(uint32_t servers, uint32_t cores)
{
    struct meta *m = meta_create(1, 1, servers);
    describe(m, "one");
    m->services[0] = (struct meta_service){
        mem_strdup("feed"), mem_strdup(""), 0.95, 25 * SIMTIME_MS, 1000, 0, 0, 0};
    m->groups[0] =
        (struct meta_group){mem_strdup("all"), mem_strdup("plain"), servers, cores, 0, false};
    return m;
}

struct record_shape fixture_shape(const struct meta *meta, uint32_t n_bins, int64_t duration_ns)
{
    return (struct record_shape){
        meta->n_services, meta->n_groups, n_bins, meta->n_servers, 0, duration_ns, 0, 0};
}

static void add_query(struct record *r, uint32_t bin, uint32_t service, enum record_path path,
                      int64_t wait_ns, int64_t service_ns, int64_t finish_ns)
{
    struct tally *t = record_tally(r, bin, service, path);
    uint64_t latency = (uint64_t)(wait_ns + service_ns);
    t->n_queries++;
    t->n_requests++;
    t->n_items += 10;
    t->n_late += latency > 25 * SIMTIME_MS;
    t->n_waited += wait_ns > 0;
    t->n_in_flight += finish_ns >= r->shape.end_ns;
    if (finish_ns < r->shape.end_ns) {
        struct tally *done = record_tally(r, record_bin_of(&r->shape, finish_ns), service, path);
        done->n_completed++;
        done->n_completed_items += 10;
        done->n_completed_late += latency > 25 * SIMTIME_MS;
    }
    t->latency_sum_ns += latency;
    t->wait_sum_ns += (uint64_t)wait_ns;
    t->service_sum_ns += (uint64_t)service_ns;
    t->latency_sq_sum_ns2 += (unsigned __int128)latency * latency;
    if ((int64_t)latency > t->latency_max_ns)
        t->latency_max_ns = (int64_t)latency;
    t->hist[hist_index((int64_t)latency)]++;
}

// A queue on its way through the bins.
struct run {
    struct record *record;
    const struct fixture_queue *queue;
    int64_t free_ns[MOST_CORES];
    int64_t work_ns, carry_ns; // started in this bin; left from the one before
    uint32_t bin;
};

static void close_bin(struct run *run)
{
    struct record *r = run->record;
    struct group_tally *g = record_group(r, run->bin, run->queue->group);
    struct server_total *s = &r->servers[run->queue->server];
    int64_t edge_ns = record_bin_start_ns(&r->shape, run->bin + 1), backlog_ns = 0;
    int64_t drain_ns = SIMTIME_NEVER;
    for (uint32_t c = 0; c < run->queue->cores; c++) {
        int64_t left_ns = run->free_ns[c] > edge_ns ? run->free_ns[c] - edge_ns : 0;
        backlog_ns += left_ns;
        if (left_ns < drain_ns)
            drain_ns = left_ns;
    }
    int64_t busy_ns = run->carry_ns + run->work_ns - backlog_ns;
    g->busy_ns[PART_CPU] += busy_ns;
    g->backlog_ns[PART_CPU] += backlog_ns;
    if (drain_ns > g->drain_max_ns[PART_CPU])
        g->drain_max_ns[PART_CPU] = drain_ns;
    g->energy_uj[PART_CPU] += busy_ns / 1000;
    s->cpu_busy_ns += busy_ns;
    s->energy_uj += busy_ns / 1000;
    run->carry_ns = backlog_ns;
    run->work_ns = 0;
    run->bin++;
}

static void serve(struct run *run, int64_t arrive_ns, int64_t service_ns)
{
    uint32_t core = 0;
    for (uint32_t c = 1; c < run->queue->cores; c++) {
        if (run->free_ns[c] < run->free_ns[core])
            core = c;
    }
    int64_t begin_ns = run->free_ns[core] > arrive_ns ? run->free_ns[core] : arrive_ns;
    run->free_ns[core] = begin_ns + service_ns;
    run->work_ns += service_ns;
    run->record->servers[run->queue->server].n_queries++;
    add_query(run->record, run->bin, run->queue->service, PATH_CPU, begin_ns - arrive_ns,
              service_ns, begin_ns + service_ns);
    if (begin_ns + service_ns < run->record->shape.end_ns)
        record_group(run->record, record_bin_of(&run->record->shape, begin_ns + service_ns),
                     run->queue->group)
            ->n_completed++;
}

void fixture_run_queue(struct record *record, const struct fixture_queue *q)
{
    struct run run = {.record = record, .queue = q};
    struct rng_stream stream = rng_stream(q->seed, RNG_TEST, q->entity);
    double gap_ns = q->service_ns / (q->rho * q->cores), at_ns = 0;
    for (uint64_t i = 0;; i++) {
        uint64_t words[2];
        double draws[2];
        rng_block(&stream, i, words);
        rng_exponential(words, 2, draws);
        at_ns += gap_ns * draws[0];
        while (run.bin < record->shape.n_bins &&
               at_ns >= (double)record_bin_start_ns(&record->shape, run.bin + 1))
            close_bin(&run);
        if (run.bin == record->shape.n_bins)
            return;
        serve(&run, (int64_t)at_ns, 1 + (int64_t)(q->service_ns * draws[1]));
    }
}

struct record *fixture_part(const struct meta *meta, uint32_t part, uint32_t n_parts)
{
    struct record_shape shape = fixture_shape(meta, 10, SIMTIME_S);
    struct record *r = record_create(&shape);
    struct rng_stream stream = rng_stream(meta->seed, RNG_TEST, 0);
    for (uint32_t i = part; i < 20000; i += n_parts) {
        uint64_t words[2];
        double draws[2];
        rng_block(&stream, i, words);
        rng_exponential(words, 2, draws);
        int64_t arrive_ns = (int64_t)i * 50000;
        int64_t wait_ns = draws[0] > 1 ? (int64_t)(draws[0] * 2e6) : 0;
        int64_t service_ns = 1000 + (int64_t)(draws[1] * 3e6);
        uint16_t service = (uint16_t)(i % 2), path = (uint16_t)(i % 5 == 0);
        add_query(r, record_bin_of(&shape, arrive_ns), service, (enum record_path)path, wait_ns,
                  service_ns, arrive_ns + wait_ns + service_ns);
        r->servers[i % 4].n_queries++;
        if (i % 50 == 0)
            record_add_sample(r, &(struct query_sample){.arrive_ns = arrive_ns,
                                                        .latency_ns = wait_ns + service_ns,
                                                        .wait_ns = wait_ns,
                                                        .service_ns = service_ns,
                                                        .seq = i,
                                                        .server = i % 4,
                                                        .size_items = 10,
                                                        .service = service,
                                                        .path = path,
                                                        .begin_ns = arrive_ns + wait_ns,
                                                        .end_ns = arrive_ns + wait_ns + service_ns,
                                                        .n_requests = 1 + i % 3,
                                                        .first_unit = i % 5,
                                                        .last_unit = i % 7,
                                                        .n_attempts = 1 + i % 2,
                                                        .n_batch = 1});
    }
    for (uint32_t bin = 0; bin < shape.n_bins; bin++) {
        for (uint32_t g = part; g < meta->n_groups; g += n_parts) {
            *record_group(r, bin, g) = (struct group_tally){{100000000 + bin, 20000000 * g},
                                                            {1000 + bin, 500 * g},
                                                            {90000000 + bin, 40000000 * g},
                                                            {7000000, g},
                                                            g < 1 ? 1000 : 900,
                                                            {900 + bin, 400 * g}};
        }
    }
    for (uint32_t s = part; s < meta->n_servers; s += n_parts) {
        r->servers[s].cpu_busy_ns = 500000000 + s;
        r->servers[s].energy_uj = 30000000 + s;
    }
    return r;
}

void fixture_same_records(const struct record *a, const struct record *b)
{
    for (size_t i = 0; i < record_n_tallies(&a->shape); i++) {
        const struct tally *x = &a->tallies[i], *y = &b->tallies[i];
        ck_assert_mem_eq(x, y, offsetof(struct tally, hist));
        ck_assert_mem_eq(x->hist, y->hist, HIST_N_BUCKETS * sizeof *x->hist);
    }
    ck_assert_mem_eq(a->groups, b->groups, record_n_group_tallies(&a->shape) * sizeof *a->groups);
    if (a->shape.n_servers > 0)
        ck_assert_mem_eq(a->servers, b->servers, a->shape.n_servers * sizeof *a->servers);
    ck_assert_mem_eq(a->n_generated, b->n_generated, a->shape.n_services * sizeof *a->n_generated);
    ck_assert_uint_eq(a->n_samples, b->n_samples);
    if (a->n_samples > 0)
        ck_assert_mem_eq(a->samples, b->samples, a->n_samples * sizeof *a->samples);
}

struct run_info fixture_run(void)
{
    return (struct run_info){.date = "2020-01-02T03:04:05Z",
                             .host = "here",
                             .command = "recfleet run test.yaml",
                             .git_revision = "0123abc",
                             .job_id = "4711",
                             .nodes = "n[1-2]",
                             .n_nodes = 2,
                             .n_restarts = 3,
                             .layout = "auto",
                             .window_ns = 50000,
                             .n_ranks = 1,
                             .n_queries = 20000,
                             .n_windows = 12,
                             .bytes_sent = 34,
                             .wall_s = 0.25,
                             .n_checkpoints = 2,
                             .checkpoint_s = 0.125};
}
