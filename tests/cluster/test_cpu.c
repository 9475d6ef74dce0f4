// SPDX-License-Identifier: Apache-2.0
// The core pools, with every kernel that this machine has: portable, avx2, avx512.
#include "cluster/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/mem.h"
#include "cluster/fixture.h"
#include "support/suite.h"

enum { N_SERVERS = 5, N_JOBS = 900, BATCH_ITEMS = 16, MOST_REQUESTS = 40 };
#define MAX_ITEMS (BATCH_ITEMS * MOST_REQUESTS)

static const uint32_t core_counts[] = {1, 2, 7, 8, 9, 28, 40, 63, 64, 65, 100, 128};
enum { N_CORE_COUNTS = sizeof core_counts / sizeof *core_counts };

// How busy a stream of jobs keeps its servers: mean gap between jobs over the work of one job.
enum stream_kind { MOSTLY_IDLE, MIXED, SATURATED, N_STREAM_KINDS };

// Which function of a kernel runs a stream.
enum way { FIXED, BUSY, GENERAL, COLD };

// A stream of jobs, and what the pool is fed with.
struct stream {
    struct svctab *tab;
    struct query queries[N_JOBS];
    struct cpu_job jobs[N_JOBS];
    uint32_t n_cores;
    enum way way;
    uint64_t seed;
};

// The rows of near times, by what svctab.h says of them.
static void make_near(struct svctab *tab)
{
    tab->near_row = tab->n_levels + SVCTAB_NEAR_ROOM;
    tab->near_ns = mem_calloc((size_t)tab->near_row * (tab->cpu_items + 1), sizeof *tab->near_ns);
    tab->near_sums = mem_calloc(tab->n_levels + 1, sizeof *tab->near_sums);
    for (uint32_t items = 1; items <= tab->cpu_items; items++)
        for (uint32_t level = 0; level < tab->near_row; level++) // never used after the last
            tab->near_ns[items * tab->near_row + level] =
                level < tab->n_levels ? (uint32_t)svctab_cpu_ns(tab, items, level + 1) : 77777;
    for (uint32_t level = 0; level < tab->n_levels; level++)
        tab->near_sums[level + 1] =
            tab->near_sums[level] + svctab_cpu_ns(tab, tab->batch_items, level + 1);
}

// Service times of any shape: not growing with the items, some of them 0 (1 for kernels that take
// none), and longer or shorter with every further busy core where there are levels. All times are
// `scale` times as long.
static struct svctab *make_tab(uint64_t seed, uint32_t n_levels, enum way way, int64_t scale)
{
    struct svctab *tab = mem_calloc(1, sizeof *tab);
    tab->max_items = MAX_ITEMS;
    tab->batch_items = tab->cpu_items = BATCH_ITEMS;
    tab->offload_items = SVCTAB_NO_OFFLOAD;
    tab->n_levels = n_levels;
    tab->split = mem_calloc(MAX_ITEMS + 1, sizeof *tab->split);
    tab->cpu_ns = mem_calloc((size_t)n_levels * (BATCH_ITEMS + 1), sizeof *tab->cpu_ns);
    for (uint32_t i = 0; i < n_levels * (BATCH_ITEMS + 1); i++) {
        uint32_t ns = fixture_draw(seed, 1000000 + i, 1200);
        tab->cpu_ns[i] = ns >= 150 ? ns * scale : way == BUSY ? 1 : 0;
    }
    tab->full_ns = tab->cpu_ns[BATCH_ITEMS];
    for (uint32_t items = 1; items <= MAX_ITEMS; items++) {
        uint32_t n = (items + BATCH_ITEMS - 1) / BATCH_ITEMS, last = items - (n - 1) * BATCH_ITEMS;
        tab->split[items] = (struct svctab_split){tab->cpu_ns[last], n, last};
    }
    if (way == BUSY)
        make_near(tab);
    return tab;
}

// Many queries are of a few requests, some of more than small servers have cores.
static uint32_t draw_items(uint64_t seed, uint32_t i)
{
    uint32_t most = fixture_draw(seed, 4 * i + 1, 8) == 0 ? MAX_ITEMS : 4 * BATCH_ITEMS;
    return 1 + fixture_draw(seed, 4 * i + 2, most);
}

static struct stream *make_scaled(uint32_t n_cores, enum stream_kind kind, enum way way,
                                  int64_t scale)
{
    static const uint32_t gaps_ns[N_STREAM_KINDS] = {16000, 2000, 300};
    struct stream *stream = mem_calloc(1, sizeof *stream);
    uint32_t n_levels = way == FIXED ? 1 : n_cores;
    stream->way = way;
    stream->seed = n_cores * 10 + (uint64_t)kind + (n_levels > 1 ? 1000 : 0);
    stream->n_cores = n_cores;
    stream->tab = make_tab(stream->seed, n_levels, way, scale);
    int64_t t_ns = 0;
    for (uint32_t i = 0; i < N_JOBS; i++) {
        uint32_t items = draw_items(stream->seed, i);
        t_ns += scale * fixture_draw(stream->seed, 4 * i, 2 * gaps_ns[kind] / n_cores + 1);
        stream->queries[i] =
            (struct query){.arrive_ns = t_ns, .seq = i, .size_items = (uint16_t)items};
        stream->jobs[i] =
            (struct cpu_job){.start_ns = t_ns,
                             .full_ns = stream->tab->full_ns,
                             .last_ns = stream->tab->split[items].last_ns,
                             .tab = stream->tab,
                             .server = fixture_draw(stream->seed, 4 * i + 3, N_SERVERS),
                             .n_requests = stream->tab->split[items].n_requests,
                             .size_items = (uint16_t)items};
    }
    return stream;
}

static struct stream *make_stream(uint32_t n_cores, enum stream_kind kind, enum way way)
{
    return make_scaled(n_cores, kind, way, 1);
}

static void destroy_stream(struct stream *stream)
{
    svctab_destroy(stream->tab);
    mem_free(stream);
}

// ---- what came of a stream ----------------------------------------------------------------------

struct outcome {
    struct cpu_job jobs[N_JOBS];
    struct cpu_pool pool;
    struct cpu_ends ends;
};

static void run_batch(const struct cpu_kernel *kernel, enum way way, struct outcome *outcome,
                      size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++)
        outcome->jobs[i].query = (uint32_t)(i - first);
    switch (way) {
    case FIXED:
        kernel->assign_fixed(&outcome->pool, outcome->jobs + first, n);
        break;
    case BUSY:
        kernel->assign_busy(&outcome->pool, outcome->jobs + first, n);
        break;
    case GENERAL:
        kernel->assign_general(&outcome->pool, outcome->jobs + first, n);
        break;
    case COLD:
        kernel->assign_cold(&outcome->pool, outcome->jobs + first, n);
        break;
    }
}

static enum cpu_lanes lanes_of(enum way way)
{
    return way == COLD ? CPU_LANES_WARM : way == GENERAL ? CPU_LANES_FAR : CPU_LANES_NEAR;
}

static bool can_run(enum way way, uint32_t n_cores)
{
    return lanes_of(way) != CPU_LANES_NEAR || n_cores <= CPU_NARROW_CORES;
}

// Runs the stream in batches of 1 to most_batch jobs.
static struct outcome *run(const struct cpu_kernel *kernel, enum way way,
                           const struct stream *stream, const struct noise *noise, bool with_ends,
                           uint32_t most_batch)
{
    struct outcome *outcome = mem_calloc(1, sizeof *outcome);
    memcpy(outcome->jobs, stream->jobs, sizeof outcome->jobs);
    cpu_pool_init(&outcome->pool, lanes_of(way), N_SERVERS, stream->n_cores);
    outcome->pool.noise = noise;
    outcome->pool.first_server = 17;
    outcome->ends.completions =
        mem_calloc((size_t)N_JOBS * MOST_REQUESTS, sizeof(struct completion));
    outcome->pool.ends = with_ends ? &outcome->ends : NULL;
    for (size_t i = 0; i < N_JOBS;) {
        size_t n = 1 + fixture_draw(99 + most_batch, i, most_batch);
        n = n < N_JOBS - i ? n : N_JOBS - i;
        outcome->pool.queries = stream->queries + i;
        run_batch(kernel, way, outcome, i, n);
        i += n;
    }
    return outcome;
}

static void destroy_outcome(struct outcome *outcome)
{
    cpu_pool_release(&outcome->pool);
    mem_free(outcome->ends.completions);
    mem_free(outcome);
}

static void assert_same_jobs(const struct outcome *a, const struct outcome *b, const char *what,
                             const struct stream *stream)
{
    for (uint32_t i = 0; i < N_JOBS; i++)
        if (a->jobs[i].finish_ns != b->jobs[i].finish_ns ||
            a->jobs[i].wait_ns != b->jobs[i].wait_ns)
            ck_abort_msg("%s, %u cores, job %u: %lld after %lld, then %lld after %lld", what,
                         stream->n_cores, i, (long long)a->jobs[i].finish_ns,
                         (long long)a->jobs[i].wait_ns, (long long)b->jobs[i].finish_ns,
                         (long long)b->jobs[i].wait_ns);
}

// The counters, the free time of every core and every report, bit by bit.
static void assert_same_bits(const struct outcome *a, const struct outcome *b, const char *what,
                             const struct stream *stream)
{
    assert_same_jobs(a, b, what, stream);
    ck_assert_msg(memcmp(a->pool.servers, b->pool.servers, N_SERVERS * a->pool.stride) == 0,
                  "%s, %u cores: another state", what, stream->n_cores);
    ck_assert_uint_eq(a->ends.n, b->ends.n);
    ck_assert_mem_eq(a->ends.completions, b->ends.completions,
                     a->ends.n * sizeof *a->ends.completions);
}

// Every other kernel of this machine leaves the bits that the one in plain C left.
static void assert_kernels_agree(const struct outcome *plain, enum way way,
                                 const struct stream *stream, const struct noise *noise)
{
    for (int k = 0; cpu_kernels[k] != &cpu_portable; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct outcome *other = run(cpu_kernels[k], way, stream, noise, true, 300);
        assert_same_bits(plain, other, cpu_kernels[k]->name, stream);
        destroy_outcome(other);
    }
}

// ---- what should have come of it ----------------------------------------------------------------

// The requests of one server, in order.
struct expected {
    const struct stream *stream;
    const struct noise *noise;
    struct fixture_request *requests;
    uint32_t *job, *number; // of each request
    size_t n;
};

static int64_t service_ns(void *user, size_t i, uint32_t busy)
{
    const struct expected *expected = user;
    const struct cpu_job *job = &expected->stream->jobs[expected->job[i]];
    const struct svctab *tab = expected->stream->tab;
    bool last = expected->number[i] + 1 == job->n_requests;
    uint32_t items = last ? job->size_items - (job->n_requests - 1) * BATCH_ITEMS : BATCH_ITEMS;
    size_t level = tab->n_levels == 1 ? 0 : busy - 1;
    int64_t ns = tab->cpu_ns[level * (BATCH_ITEMS + 1) + items];
    if (expected->noise)
        ns = noise_apply(expected->noise, ns,
                         noise_state(expected->noise, job->server, job->start_ns),
                         expected->stream->queries[expected->job[i]].seq, expected->number[i]);
    return ns;
}

static void simulate(struct expected *expected, const struct stream *stream,
                     const struct noise *noise, uint32_t server)
{
    size_t most = (size_t)N_JOBS * MOST_REQUESTS;
    *expected = (struct expected){.stream = stream,
                                  .noise = noise,
                                  .requests = mem_calloc(most, sizeof *expected->requests),
                                  .job = mem_calloc(most, sizeof *expected->job),
                                  .number = mem_calloc(most, sizeof *expected->number)};
    for (uint32_t i = 0; i < N_JOBS; i++)
        for (uint32_t r = 0; stream->jobs[i].server == server && r < stream->jobs[i].n_requests;
             r++) {
            expected->requests[expected->n].ready_ns = stream->jobs[i].start_ns;
            expected->job[expected->n] = i;
            expected->number[expected->n++] = r;
        }
    fixture_fcfs(expected->requests, expected->n, stream->n_cores, service_ns, expected);
}

static void release_expected(struct expected *expected)
{
    mem_free(expected->requests);
    mem_free(expected->job);
    mem_free(expected->number);
}

static void assert_job(const struct expected *expected, const struct outcome *outcome, size_t first,
                       uint32_t n)
{
    uint32_t job = expected->job[first];
    size_t last = first;
    for (size_t i = first; i < first + n; i++)
        if (expected->requests[i].end_ns > expected->requests[last].end_ns)
            last = i;
    int64_t finish_ns = expected->requests[last].end_ns;
    int64_t wait_ns = expected->requests[last].begin_ns - expected->requests[last].ready_ns;
    if (outcome->jobs[job].finish_ns != finish_ns || outcome->jobs[job].wait_ns != wait_ns)
        ck_abort_msg("%u cores, job %u: expected %lld after %lld, got %lld after %lld",
                     expected->stream->n_cores, job, (long long)finish_ns, (long long)wait_ns,
                     (long long)outcome->jobs[job].finish_ns,
                     (long long)outcome->jobs[job].wait_ns);
}

// What is still to run after t_ns, and when the first core is free: by the requests themselves.
static void assert_backlog(const struct expected *expected, const struct outcome *outcome,
                           uint32_t server, int64_t t_ns)
{
    int64_t backlog_ns = 0, drain_ns;
    for (size_t i = 0; i < expected->n; i++)
        backlog_ns += fixture_overlap_ns(expected->requests[i].begin_ns,
                                         expected->requests[i].end_ns, t_ns, INT64_MAX);
    ck_assert_int_eq(cpu_pool_backlog_ns(&outcome->pool, server, t_ns, &drain_ns), backlog_ns);
    uint32_t n_open = 0;
    for (size_t i = 0; i < expected->n; i++)
        n_open += expected->requests[i].end_ns > t_ns + drain_ns;
    ck_assert_uint_lt(n_open, expected->stream->n_cores);
    n_open = 0;
    for (size_t i = 0; i < expected->n; i++)
        n_open += expected->requests[i].end_ns > t_ns + drain_ns - 1;
    ck_assert(drain_ns == 0 || n_open >= expected->stream->n_cores);
}

// Of what the pool said of its requests: their number, who ran them, and the sum of their ends.
static void assert_ends(const struct expected *expected, const struct outcome *outcome,
                        uint32_t server)
{
    uint64_t n = 0, sum = 0, n_expected = expected->n, sum_expected = 0;
    for (size_t i = 0; i < outcome->ends.n; i++)
        if (outcome->ends.completions[i].server == 17 + server) {
            n += (uint64_t)outcome->ends.completions[i].weight;
            sum += (uint64_t)(outcome->ends.completions[i].weight *
                              outcome->ends.completions[i].end_ns);
        }
    for (size_t i = 0; i < expected->n; i++)
        sum_expected += (uint64_t)expected->requests[i].end_ns;
    ck_assert_uint_eq(n, n_expected);
    ck_assert_uint_eq(sum, sum_expected);
}

static void assert_server(const struct stream *stream, const struct noise *noise,
                          const struct outcome *outcome, uint32_t server)
{
    struct expected expected;
    simulate(&expected, stream, noise, server);
    const struct cpu_server *counters = cpu_pool_server(&outcome->pool, server);
    uint64_t n_jobs = 0, n_items = 0;
    int64_t busy_ns = 0;
    for (size_t i = 0; i < expected.n; i += stream->jobs[expected.job[i]].n_requests, n_jobs++) {
        assert_job(&expected, outcome, i, stream->jobs[expected.job[i]].n_requests);
        n_items += stream->jobs[expected.job[i]].size_items;
    }
    for (size_t i = 0; i < expected.n; i++)
        busy_ns += expected.requests[i].end_ns - expected.requests[i].begin_ns;
    ck_assert_uint_eq(counters->n_queries, n_jobs);
    ck_assert_uint_eq(counters->n_requests, expected.n);
    ck_assert_uint_eq(counters->n_items, n_items);
    ck_assert_int_eq(counters->cpu_busy_ns, busy_ns);
    int64_t end_ns = stream->jobs[N_JOBS - 1].start_ns;
    assert_backlog(&expected, outcome, server, end_ns);
    assert_backlog(&expected, outcome, server, end_ns + 500);
    if (outcome->pool.ends)
        assert_ends(&expected, outcome, server);
    release_expected(&expected);
}

static void assert_stream(const struct stream *stream, const struct noise *noise,
                          const struct outcome *outcome)
{
    for (uint32_t server = 0; server < N_SERVERS; server++)
        assert_server(stream, noise, outcome, server);
}

// ---- cold cores ---------------------------------------------------------------------------------

static void make_cold(struct svctab *tab)
{
    tab->cold_extra = 0.83;
    tab->cooling_per_ns = 1 / 3000.0;
    tab->warming_per_ns = 1 / 800.0;
}

// A pool's cores one request at a time, by the equations of models/cost.h as they stand there.
struct cold_core {
    int64_t free_ns;
    double coldness;
};

static struct cold_core *next_core(struct cold_core *cores, uint32_t n_cores, int64_t t_ns)
{
    struct cold_core *first = cores;
    for (struct cold_core *core = cores; core < cores + n_cores; core++) {
        if (core->free_ns <= t_ns)
            return core;
        first = core->free_ns < first->free_ns ? core : first;
    }
    return first;
}

static uint32_t count_running(const struct cold_core *cores, uint32_t n_cores, int64_t t_ns)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_cores; i++)
        n += cores[i].free_ns > t_ns;
    return n;
}

static void assert_cold_job(const struct stream *stream, struct cold_core *cores,
                            const struct cpu_job *job)
{
    const struct svctab *tab = stream->tab;
    int64_t finish_ns = 0, wait_ns = 0;
    for (uint32_t r = 0; r < job->n_requests; r++) {
        struct cold_core *core = next_core(cores, stream->n_cores, job->start_ns);
        int64_t begin_ns = core->free_ns > job->start_ns ? core->free_ns : job->start_ns;
        uint32_t busy = count_running(cores, stream->n_cores, begin_ns) + 1;
        uint32_t items =
            r + 1 < job->n_requests ? BATCH_ITEMS : tab->split[job->size_items].last_items;
        double warm_ns = (double)svctab_cpu_ns(tab, items, busy);
        double idle_ns = (double)(begin_ns - core->free_ns);
        double c = 1 - (1 - core->coldness) * rng_exp(-idle_ns * tab->cooling_per_ns);
        core->free_ns = begin_ns + (int64_t)(warm_ns * (1 + tab->cold_extra * c) + 0.5);
        core->coldness = c * rng_exp(-warm_ns * tab->warming_per_ns);
        if (core->free_ns > finish_ns) {
            finish_ns = core->free_ns;
            wait_ns = begin_ns - job->start_ns;
        }
    }
    ck_assert_int_le(llabs(job->finish_ns - finish_ns), 1);
    ck_assert_int_le(llabs(job->wait_ns - wait_ns), 1);
}

// ---- core ---------------------------------------------------------------------------------------

// Known service times, times by busy cores, and these where some are 0: the kernel in plain C does
// what a queue simulated step by step does.
START_TEST(is_fcfs)
{
    for (int c = 0; c < N_CORE_COUNTS; c++)
        for (int variant = 0; variant < COLD * N_STREAM_KINDS; variant++) {
            enum way way = (enum way)(variant / N_STREAM_KINDS);
            if (!can_run(way, core_counts[c]))
                continue;
            struct stream *stream =
                make_stream(core_counts[c], (enum stream_kind)(variant % N_STREAM_KINDS), way);
            struct outcome *outcome = run(&cpu_portable, way, stream, NULL, true, 64);
            assert_stream(stream, NULL, outcome);
            destroy_outcome(outcome);
            destroy_stream(stream);
        }
}
END_TEST

// Service times of up to 2.04 s, near the longest of near lanes: servers that rest for longer than
// a lane can hold, and backlogs of many minutes.
START_TEST(base_moves)
{
    static const uint32_t some_counts[] = {1, 2, 9, 40, 64};
    for (int c = 0; c < 5; c++)
        for (int variant = 0; variant < 2 * N_STREAM_KINDS; variant++) {
            enum way way = variant % 2 ? BUSY : FIXED;
            struct stream *stream =
                make_scaled(some_counts[c], (enum stream_kind)(variant / 2), way, 1700000);
            struct outcome *plain = run(&cpu_portable, way, stream, NULL, true, 64);
            int64_t base_ns = cpu_pool_server(&plain->pool, 0)->base_ns;
            ck_assert_int_gt(base_ns, 2 * CPU_NEAR_NS);
            assert_stream(stream, NULL, plain);
            assert_kernels_agree(plain, way, stream, NULL);
            destroy_outcome(plain);
            destroy_stream(stream);
        }
}
END_TEST

// What is saved in the middle of a stream and loaded goes on as if it had not been.
START_TEST(saved_and_loaded)
{
    for (int variant = 0; variant < (COLD + 1) * 2; variant++) {
        enum way way = (enum way)(variant / 2);
        struct stream *stream = make_scaled(9, SATURATED, way, variant % 2 ? 1700000 : 1);
        if (way == COLD)
            make_cold(stream->tab);
        struct outcome *whole = run(&cpu_portable, way, stream, NULL, false, 300);
        struct blob blob = {0};
        for (uint32_t s = 0; s < N_SERVERS; s++)
            cpu_pool_save(&whole->pool, s, &blob);
        ck_assert_uint_eq(blob.n, N_SERVERS * cpu_pool_bytes(&whole->pool));
        struct cpu_pool pool;
        cpu_pool_init(&pool, lanes_of(way), N_SERVERS, 9);
        struct blob_reader reader = blob_read(blob.bytes, blob.n);
        for (uint32_t s = 0; s < N_SERVERS; s++)
            cpu_pool_load(&pool, s, &reader);
        ck_assert_int_eq(blob_end(&reader, NULL), 0);
        ck_assert_mem_eq(pool.servers, whole->pool.servers, N_SERVERS * pool.stride);
        cpu_pool_release(&pool);
        blob_release(&blob);
        destroy_outcome(whole);
        destroy_stream(stream);
    }
}
END_TEST

// A free time before the base, or out of a lane's reach, was never saved.
START_TEST(impossible_lanes_are_refused)
{
    for (int i = 0; i < 3; i++) {
        struct cpu_pool pool;
        struct blob blob = {0};
        cpu_pool_init(&pool, CPU_LANES_NEAR, 1, 1);
        cpu_pool_server(&pool, 0)->base_ns = 1000;
        cpu_pool_save(&pool, 0, &blob);
        int64_t free_ns = (const int64_t[]){999, 1000 + (int64_t)UINT32_MAX, INT64_MIN}[i];
        memcpy(blob.bytes + sizeof(struct cpu_server), &free_ns, sizeof free_ns);
        struct blob_reader reader = blob_read(blob.bytes, blob.n);
        cpu_pool_load(&pool, 0, &reader);
        ck_assert_int_eq(blob_end(&reader, NULL), -1);
        blob_release(&blob);
        cpu_pool_release(&pool);
    }
}
END_TEST

// Exponential; with states, for some of the requests.
static struct noise make_noise(bool with_states)
{
    const struct noise_config config = {.spread = SPREAD_EXPONENTIAL,
                                        .correlation_ns = with_states ? 20000 : 0,
                                        .correlated_frac = 0.6};
    struct noise noise;
    noise_init(&noise, &config, 3, 0);
    noise.first_server = 11;
    return noise;
}

// With noise on top, whatever the batch a query is in.
START_TEST(noise_is_fcfs)
{
    static const uint32_t some_counts[] = {1, 9, 64, 65};
    for (int c = 0; c < 8; c++) {
        struct noise noise = make_noise(c >= 4);
        struct stream *stream = make_stream(some_counts[c % 4], MIXED, GENERAL);
        struct outcome *outcome = run(&cpu_portable, GENERAL, stream, &noise, true, 100);
        assert_stream(stream, &noise, outcome);
        destroy_outcome(outcome);
        destroy_stream(stream);
    }
}
END_TEST

// All kernels of this machine leave the same bits, for any load, number of cores and batches.
START_TEST(kernels_agree)
{
    for (int c = 0; c < N_CORE_COUNTS; c++)
        for (int variant = 0; variant < COLD * N_STREAM_KINDS; variant++) {
            enum way way = (enum way)(variant / N_STREAM_KINDS);
            if (!can_run(way, core_counts[c]))
                continue;
            struct stream *stream =
                make_stream(core_counts[c], (enum stream_kind)(variant % N_STREAM_KINDS), way);
            struct outcome *plain = run(&cpu_portable, way, stream, NULL, true, 64);
            assert_kernels_agree(plain, way, stream, NULL);
            destroy_outcome(plain);
            destroy_stream(stream);
        }
}
END_TEST

// All kernels leave the same bits where cores cool, with the noise on top too.
START_TEST(kernels_agree_in_the_cold)
{
    struct noise noise = make_noise(true);
    for (int c = 0; c < N_CORE_COUNTS; c++)
        for (int variant = 0; variant < 2 * N_STREAM_KINDS; variant++) {
            const struct noise *some = variant % 2 ? &noise : NULL;
            struct stream *stream =
                make_stream(core_counts[c], (enum stream_kind)(variant / 2), COLD);
            make_cold(stream->tab);
            struct outcome *plain = run(&cpu_portable, COLD, stream, some, true, 64);
            assert_kernels_agree(plain, COLD, stream, some);
            destroy_outcome(plain);
            destroy_stream(stream);
        }
}
END_TEST

// A service that is not slowed by the cold takes what it takes, in a pool with warmth too.
START_TEST(cold_off_is_general)
{
    struct stream *stream = make_stream(9, MIXED, GENERAL);
    struct outcome *general = run(&cpu_portable, GENERAL, stream, NULL, false, 64);
    struct outcome *cold = run(&cpu_portable, COLD, stream, NULL, false, 64);
    assert_same_jobs(general, cold, "cold", stream);
    destroy_outcome(general);
    destroy_outcome(cold);
    destroy_stream(stream);
}
END_TEST

// By hand, one core, 1000 ns warm, half as much again cold: the first request finds it cold; a
// hundred of them in a row bring it to the warm time, to the nanosecond (e^-100 of the cold is
// left); after one cooling time of rest 1 - 1/e of it is back, and after a thousand all.
START_TEST(cold_by_hand)
{
    int64_t cpu_ns[] = {0, 1000};
    struct svctab_split split[] = {{0, 0, 0}, {1000, 1, 1}};
    struct svctab tab = {.max_items = 1,
                         .batch_items = 1,
                         .cpu_items = 1,
                         .n_levels = 1,
                         .split = split,
                         .cpu_ns = cpu_ns,
                         .cold_extra = 0.5,
                         .cooling_per_ns = 1 / 5000.0,
                         .warming_per_ns = 1 / 1000.0};
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct cpu_pool pool;
        cpu_pool_init(&pool, CPU_LANES_WARM, 1, 1);
        struct cpu_job job = {.tab = &tab, .n_requests = 1, .size_items = 1};
        cpu_kernels[k]->assign_cold(&pool, &job, 1);
        ck_assert_int_eq(job.finish_ns, 1500);
        cpu_kernels[k]->assign_cold(&pool, &job, 1); // queued: 1000 (1 + e^-1 / 2)
        ck_assert_int_eq(job.finish_ns, 1500 + 1184);
        for (int i = 0; i < 100; i++)
            cpu_kernels[k]->assign_cold(&pool, &job, 1);
        int64_t free_ns = job.finish_ns;
        cpu_kernels[k]->assign_cold(&pool, &job, 1);
        ck_assert_int_eq(job.finish_ns, free_ns + 1000);
        job.start_ns = job.finish_ns + 5000;
        cpu_kernels[k]->assign_cold(&pool, &job, 1); // 1000 (1 + (1 - e^-1) / 2)
        ck_assert_int_eq(job.finish_ns, job.start_ns + 1316);
        job.start_ns = job.finish_ns + 5000000;
        cpu_kernels[k]->assign_cold(&pool, &job, 1);
        ck_assert_int_eq(job.finish_ns, job.start_ns + 1500);
        ck_assert_int_eq(cpu_pool_server(&pool, 0)->cpu_busy_ns,
                         free_ns + 1000 + 1316 + 1500); // it never rested before free_ns
        cpu_pool_release(&pool);
    }
}
END_TEST

// The cold kernel against the equations, request by request. Its warmth and their coldness round
// apart at the 16th digit, so a nanosecond is allowed; it does not add up, since every request
// starts anew from whole nanoseconds.
START_TEST(cold_is_the_equations)
{
    for (int c = 0; c < N_CORE_COUNTS; c++)
        for (enum stream_kind kind = 0; kind < N_STREAM_KINDS; kind++) {
            struct stream *stream = make_stream(core_counts[c], kind, COLD);
            make_cold(stream->tab);
            struct outcome *outcome = run(&cpu_portable, COLD, stream, NULL, true, 64);
            struct cold_core *cores = mem_calloc((size_t)N_SERVERS * core_counts[c], sizeof *cores);
            for (size_t i = 0; i < (size_t)N_SERVERS * core_counts[c]; i++)
                cores[i].coldness = 1;
            for (uint32_t i = 0; i < N_JOBS; i++)
                assert_cold_job(stream, cores + outcome->jobs[i].server * core_counts[c],
                                &outcome->jobs[i]);
            mem_free(cores);
            destroy_outcome(outcome);
            destroy_stream(stream);
        }
}
END_TEST

// Kernels of near lanes do what the general ones do, the counters included.
START_TEST(near_is_general)
{
    for (int variant = 0; variant < 2 * N_CORE_COUNTS; variant++) {
        uint32_t n_cores = core_counts[variant / 2];
        enum way way = variant % 2 ? BUSY : FIXED;
        if (!can_run(way, n_cores))
            continue;
        for (int k = 0; cpu_kernels[k]; k++) {
            if (!cpu_kernels[k]->supported())
                continue;
            struct stream *stream = make_stream(n_cores, MIXED, way);
            struct outcome *near = run(cpu_kernels[k], way, stream, NULL, false, 64);
            struct outcome *general = run(cpu_kernels[k], GENERAL, stream, NULL, false, 64);
            assert_same_jobs(near, general, cpu_kernels[k]->name, stream);
            for (uint32_t s = 0; s < N_SERVERS; s++)
                ck_assert_mem_eq(cpu_pool_server(&near->pool, s),
                                 cpu_pool_server(&general->pool, s), sizeof(struct cpu_server));
            destroy_outcome(near);
            destroy_outcome(general);
            destroy_stream(stream);
        }
    }
}
END_TEST

// Jobs one by one, those that find idle cores enough apart: the same lanes and ends.
START_TEST(idle_or_not)
{
    for (int variant = 0; variant < 2 * N_CORE_COUNTS * N_STREAM_KINDS; variant++) {
        uint32_t n_cores = core_counts[variant / 2 % N_CORE_COUNTS];
        enum way way = variant % 2 ? BUSY : FIXED;
        if (!can_run(way, n_cores))
            continue;
        struct stream *stream =
            make_stream(n_cores, (enum stream_kind)(variant / 2 / N_CORE_COUNTS), way);
        struct outcome *whole = run(&cpu_portable, way, stream, NULL, false, 64);
        for (int k = 0; cpu_kernels[k]; k++) {
            if (!cpu_kernels[k]->supported())
                continue;
            struct outcome *apart = mem_calloc(1, sizeof *apart);
            memcpy(apart->jobs, stream->jobs, sizeof apart->jobs);
            cpu_pool_init(&apart->pool, CPU_LANES_NEAR, N_SERVERS, n_cores);
            for (size_t i = 0; i < N_JOBS; i++)
                if (!cpu_kernels[k]->assign_idle(&apart->pool, &apart->jobs[i])) {
                    run_batch(cpu_kernels[k], way, apart, i, 1);
                    ck_assert_int_ge(apart->jobs[i].wait_ns, 0);
                }
            assert_same_jobs(whole, apart, cpu_kernels[k]->name, stream);
            for (uint32_t s = 0; s < N_SERVERS; s++) {
                const struct cpu_server *a = cpu_pool_server(&whole->pool, s);
                const struct cpu_server *b = cpu_pool_server(&apart->pool, s);
                ck_assert_uint_eq(a->n_requests, b->n_requests);
                ck_assert_int_eq(a->cpu_busy_ns, b->cpu_busy_ns);
                ck_assert_mem_eq(cpu_pool_near(&whole->pool, s), cpu_pool_near(&apart->pool, s),
                                 whole->pool.n_lanes * sizeof(uint32_t));
            }
            destroy_outcome(apart);
        }
        destroy_outcome(whole);
        destroy_stream(stream);
    }
}
END_TEST

static struct cpu_pick pick_by_hand(const struct cpu_pool *pool, uint32_t s, int64_t t_ns)
{
    struct cpu_pick pick = {INT64_MAX, 0, 1};
    for (uint32_t i = 0; i < pool->n_cores; i++) {
        int64_t free_ns = cpu_pool_free_ns(pool, s, i);
        int64_t begin_ns = free_ns > t_ns ? free_ns : t_ns;
        if (begin_ns < pick.begin_ns) {
            pick.begin_ns = begin_ns;
            pick.core = i;
        }
    }
    for (uint32_t i = 0; i < pool->n_cores; i++)
        pick.busy += cpu_pool_free_ns(pool, s, i) > pick.begin_ns;
    return pick;
}

// Requests one by one, each on the core that is picked: the lowest that is idle, else the first to
// be free. In seconds of up to 4 hours, so that near lanes move their base; and asked long before
// and after, too.
START_TEST(picks)
{
    for (int variant = 0; variant < 2 * N_CORE_COUNTS; variant++) {
        uint32_t n_cores = core_counts[variant / 2];
        enum way way = variant % 2 ? GENERAL : FIXED;
        if (!can_run(way, n_cores))
            continue;
        for (int k = 0; cpu_kernels[k]; k++) {
            if (!cpu_kernels[k]->supported())
                continue;
            struct cpu_pool pool;
            int64_t t_ns = 0;
            cpu_pool_init(&pool, lanes_of(way), 1, n_cores);
            for (uint32_t i = 0; i < 600; i++) {
                const int64_t asked_ns[] = {t_ns, t_ns - 500000000, t_ns + 9000000000};
                for (int j = 2; j >= 0; j--) {
                    struct cpu_pick pick = cpu_kernels[k]->pick(&pool, 0, asked_ns[j]);
                    struct cpu_pick expected = pick_by_hand(&pool, 0, asked_ns[j]);
                    ck_assert_int_eq(pick.begin_ns, expected.begin_ns);
                    ck_assert_uint_eq(pick.core, expected.core);
                    ck_assert_uint_eq(pick.busy, expected.busy);
                    if (j == 0)
                        cpu_pool_take(&pool, 0, &pick,
                                      pick.begin_ns + fixture_draw(3, 2 * i, 2000000000));
                }
                uint32_t gap_ns = fixture_draw(3, 2 * i + 1, i / 150 % 2 ? 100000 : 2000000000);
                t_ns = cpu_kernels[k]->pick(&pool, 0, t_ns).begin_ns + gap_ns / n_cores;
            }
            if (way == FIXED)
                ck_assert_int_gt(cpu_pool_server(&pool, 0)->base_ns, 2 * CPU_NEAR_NS);
            cpu_pool_release(&pool);
        }
    }
}
END_TEST

// Nobody asks for reports: the rest is the same.
START_TEST(reports_change_nothing)
{
    struct stream *stream = make_stream(28, SATURATED, FIXED);
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct outcome *with = run(cpu_kernels[k], FIXED, stream, NULL, true, 64);
        struct outcome *without = run(cpu_kernels[k], FIXED, stream, NULL, false, 64);
        assert_same_jobs(with, without, cpu_kernels[k]->name, stream);
        ck_assert_mem_eq(with->pool.servers, without->pool.servers, N_SERVERS * with->pool.stride);
        destroy_outcome(with);
        destroy_outcome(without);
    }
    destroy_stream(stream);
}
END_TEST

// By hand, 4 cores: three requests at 0 take cores 0, 1 and 2, the last with its shorter time; at
// 100 a query of three takes core 3 at once and then waits for core 2 (free at 150) and core 3
// (free at 200; cores 0 and 1 are free then too, and the lowest number goes first).
START_TEST(cores_by_hand)
{
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct cpu_pool pool;
        cpu_pool_init(&pool, CPU_LANES_NEAR, 1, 4);
        struct cpu_job jobs[] = {{.start_ns = 0, .full_ns = 200, .last_ns = 150, .n_requests = 3},
                                 {.start_ns = 100, .full_ns = 100, .last_ns = 30, .n_requests = 3}};
        cpu_kernels[k]->assign_fixed(&pool, jobs, 2);
        ck_assert_int_eq(jobs[0].finish_ns, 200);
        ck_assert_int_eq(jobs[0].wait_ns, 0);
        ck_assert_int_eq(jobs[1].finish_ns, 250);
        ck_assert_int_eq(jobs[1].wait_ns, 50);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 0), 230);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 1), 200);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 2), 250);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 3), 200);
        cpu_pool_release(&pool);
    }
}
END_TEST

// The level of contention is the number of busy cores when a request starts, its own included. By
// hand, 3 cores, 100 ns with one busy, 200 with two, 400 with three: a query of four requests at 0
// ends at 100, 200 and 400; the fourth starts at 100 as core 0 becomes free, with three busy.
START_TEST(contention_by_hand)
{
    int64_t cpu_ns[] = {0, 100, 0, 200, 0, 400};
    struct svctab_split split[] = {{0, 0, 0}, {0, 1, 1}, {0, 2, 1}, {0, 3, 1}, {0, 4, 1}};
    struct svctab tab = {.max_items = 4,
                         .batch_items = 1,
                         .cpu_items = 1,
                         .n_levels = 3,
                         .split = split,
                         .cpu_ns = cpu_ns};
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct completion reports[4];
        struct cpu_ends ends = {reports, 0};
        struct cpu_pool pool;
        cpu_pool_init(&pool, CPU_LANES_FAR, 1, 3);
        pool.ends = &ends;
        struct cpu_job job = {.tab = &tab, .n_requests = 4, .size_items = 4};
        cpu_kernels[k]->assign_general(&pool, &job, 1);
        const int64_t expected_ns[] = {100, 200, 400, 500};
        ck_assert_uint_eq(ends.n, 4);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(reports[i].end_ns, expected_ns[i]);
        ck_assert_int_eq(job.finish_ns, 500);
        ck_assert_int_eq(job.wait_ns, 100);
        cpu_pool_release(&pool);
    }
}
END_TEST

// ---- limits -------------------------------------------------------------------------------------

// A request that takes no time leaves its core free, and a query may have more of them than there
// are cores.
START_TEST(no_time_at_all)
{
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct cpu_pool pool;
        cpu_pool_init(&pool, CPU_LANES_NEAR, 1, 2);
        struct cpu_job jobs[] = {{.start_ns = 0, .full_ns = 0, .last_ns = 0, .n_requests = 5},
                                 {.start_ns = 10, .full_ns = 0, .last_ns = 70, .n_requests = 40},
                                 {.start_ns = 20, .full_ns = 50, .last_ns = 0, .n_requests = 2}};
        cpu_kernels[k]->assign_fixed(&pool, jobs, 3);
        ck_assert_int_eq(jobs[0].finish_ns, 0);
        ck_assert_int_eq(jobs[0].wait_ns, 0);
        ck_assert_int_eq(jobs[1].finish_ns, 80);
        ck_assert_int_eq(jobs[1].wait_ns, 0);
        ck_assert_int_eq(jobs[2].finish_ns, 70);
        ck_assert_int_eq(jobs[2].wait_ns, 0);
        cpu_pool_release(&pool);
    }
}
END_TEST

// The last request may take longer than a full one; the finish is that of whichever ends last.
START_TEST(last_longer_than_full)
{
    for (int k = 0; cpu_kernels[k]; k++) {
        if (!cpu_kernels[k]->supported())
            continue;
        struct cpu_pool pool;
        cpu_pool_init(&pool, CPU_LANES_NEAR, 1, 8);
        struct cpu_job jobs[] = {{.start_ns = 0, .full_ns = 10, .last_ns = 90, .n_requests = 3},
                                 {.start_ns = 0, .full_ns = 10, .last_ns = 90, .n_requests = 7}};
        cpu_kernels[k]->assign_fixed(&pool, jobs, 2);
        ck_assert_int_eq(jobs[0].finish_ns, 90);
        ck_assert_int_eq(jobs[1].finish_ns, 100);
        ck_assert_int_eq(jobs[1].wait_ns, 10);
        cpu_pool_release(&pool);
    }
}
END_TEST

// Sets when a core becomes free, for a server whose base is below.
static void set_free(const struct cpu_pool *pool, uint32_t s, uint32_t core, int64_t free_ns)
{
    if (pool->lanes == CPU_LANES_NEAR)
        cpu_pool_near(pool, s)[core] = (uint32_t)(free_ns - cpu_pool_server(pool, s)->base_ns);
    else
        cpu_pool_far(pool, s)[core] = free_ns;
}

// A server that goes down drops what its cores would do after that, once, and they are cold and
// free when it comes back. Cores that were free before stay so; those beyond the pool's, and other
// servers, are not touched. Near lanes once from 0, once from a base that is later than the cut.
START_TEST(cut)
{
    for (int variant = 0; variant < 4; variant++) {
        enum cpu_lanes lanes = variant == 3 ? CPU_LANES_NEAR : (enum cpu_lanes)variant;
        int64_t base_ns = variant == 3 ? 95 : 0, drain_ns;
        struct cpu_pool pool;
        cpu_pool_init(&pool, lanes, 2, 3);
        for (uint32_t s = 0; s < 2; s++)
            for (uint32_t i = 0; i < 3; i++) {
                cpu_pool_server(&pool, s)->base_ns = base_ns;
                set_free(&pool, s, i, 100 + 40 * i);
                if (lanes == CPU_LANES_WARM)
                    cpu_pool_warmth(&pool, s)[i] = 0.5;
            }
        ck_assert_int_eq(cpu_pool_backlog_ns(&pool, 1, 90, &drain_ns), 10 + 50 + 90);
        ck_assert_int_eq(drain_ns, 10);
        ck_assert_int_eq(cpu_pool_cut(&pool, 0, 130), 10 + 50);
        ck_assert_int_eq(cpu_pool_cut(&pool, 0, 130), 0);
        ck_assert_int_eq(cpu_pool_backlog_ns(&pool, 0, 130, &drain_ns), 0);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 0), 100);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 2), 130);
        if (lanes == CPU_LANES_NEAR)
            ck_assert_uint_eq(cpu_pool_near(&pool, 0)[3], CPU_NEAR_NO_CORE);
        else
            ck_assert_int_eq(cpu_pool_far(&pool, 0)[3], CPU_NO_CORE);
        ck_assert_int_eq(cpu_pool_cut(&pool, 0, 80), 20 + 50 + 50); // before the base
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 0), 80);
        ck_assert_int_eq(cpu_pool_free_ns(&pool, 0, 2), 80);
        ck_assert_int_eq(cpu_pool_backlog_ns(&pool, 1, 130, &drain_ns), 60);
        if (lanes == CPU_LANES_WARM) {
            ck_assert_double_eq(cpu_pool_warmth(&pool, 0)[2], 0);
            ck_assert_double_eq(cpu_pool_warmth(&pool, 1)[0], 0.5);
        }
        cpu_pool_release(&pool);
    }
}
END_TEST

// Cores beyond the pool's are never free and never counted as backlog, and servers share no line.
START_TEST(padding)
{
    for (int variant = 0; variant < 3 * N_CORE_COUNTS; variant++) {
        enum cpu_lanes lanes = (enum cpu_lanes)(variant % 3);
        uint32_t n_cores = core_counts[variant / 3];
        struct cpu_pool pool;
        int64_t drain_ns;
        if (lanes == CPU_LANES_NEAR && n_cores > CPU_NARROW_CORES)
            continue;
        cpu_pool_init(&pool, lanes, 3, n_cores);
        ck_assert_uint_eq(pool.stride % 64, 0);
        ck_assert_uint_eq((uintptr_t)pool.servers % 64, 0);
        for (uint32_t lane = 0; lane < pool.n_lanes; lane++)
            if (lanes == CPU_LANES_NEAR)
                ck_assert_uint_eq(cpu_pool_near(&pool, 2)[lane],
                                  lane < n_cores ? 0 : CPU_NEAR_NO_CORE);
            else
                ck_assert_int_eq(cpu_pool_far(&pool, 2)[lane], lane < n_cores ? 0 : CPU_NO_CORE);
        ck_assert_int_eq(cpu_pool_backlog_ns(&pool, 2, 0, &drain_ns), 0);
        ck_assert_int_eq(drain_ns, 0);
        cpu_pool_release(&pool);
    }
}
END_TEST

// The list ends with the kernel in plain C, and the best is the first that this machine supports.
START_TEST(best_is_first)
{
    int n = 0, first = -1;
    for (; cpu_kernels[n]; n++)
        if (first < 0 && cpu_kernels[n]->supported())
            first = n;
    ck_assert_ptr_eq(cpu_kernels[n - 1], &cpu_portable);
    ck_assert(cpu_portable.supported());
    ck_assert_ptr_eq(cpu_kernel_best(), cpu_kernels[first]);
    ck_assert_str_eq(cpu_portable.name, "portable");
    ck_assert_str_eq(cpu_avx2.name, "avx2");
    ck_assert_str_eq(cpu_avx512.name, "avx512");
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", is_fcfs},
                                       {"core", base_moves},
                                       {"core", saved_and_loaded},
                                       {"core", noise_is_fcfs},
                                       {"core", kernels_agree},
                                       {"core", kernels_agree_in_the_cold},
                                       {"core", cold_off_is_general},
                                       {"core", cold_by_hand},
                                       {"core", cold_is_the_equations},
                                       {"core", near_is_general},
                                       {"core", idle_or_not},
                                       {"core", picks},
                                       {"core", reports_change_nothing},
                                       {"core", cores_by_hand},
                                       {"core", contention_by_hand},
                                       {"core", cut},
                                       {"limits", no_time_at_all},
                                       {"limits", last_longer_than_full},
                                       {"limits", impossible_lanes_are_refused},
                                       {"limits", padding},
                                       {"limits", best_is_first}};
    return suite_run("cpu", tests, sizeof tests / sizeof *tests);
}
