// SPDX-License-Identifier: Apache-2.0
#include "live/team.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/topology.h"
#include "models/cost.h"
#include "models/platform.h"
#include "native/product.h"
#include "study/library.h"
#include "support/suite.h"

enum { MOST_MEMBERS = 4, MOST_ITEMS = 300, SEED = 17, FAILS = 1000, N_TIMED = 2000 };

// ---- an engine that says who ran what -----------------------------------------------------------

// What a slice is answered with for each item: its place in the request, the slice it was in, and a
// number of the thread.
struct said {
    float place, first, thread;
};

struct saying {
    struct said *said; // [most_items]
    float thread;
};

static int nothing_open(void *state, const struct engine_setup *setup, struct engine_facts *facts,
                        struct err *err)
{
    (void)state, (void)setup, (void)facts, (void)err;
    return 0;
}

static void nothing_close(void *state)
{
    (void)state;
}

// There is no room for more than MOST_ITEMS items.
static int saying_open(const void *state, void *worker, const struct engine_limits *most,
                       struct err *err)
{
    struct saying *saying = worker;
    (void)state;
    if (most->items > MOST_ITEMS)
        return err_set(err, ERR_FAIL, "no room for %u items", most->items);
    saying->said = mem_calloc(most->items, sizeof *saying->said);
    saying->thread = (float)((size_t)pthread_self() / 4096 % 1000003);
    return 0;
}

static void saying_close(const void *state, void *worker)
{
    (void)state;
    mem_free(((struct saying *)worker)->said);
}

// Of request FAILS + n, the slice fails that item n is in.
static const float *saying_run(const void *state, void *worker,
                               const struct engine_request *request, uint32_t *n_outputs)
{
    struct saying *saying = worker;
    (void)state;
    *n_outputs = 3;
    if (request->number >= FAILS && request->number - FAILS >= request->first &&
        request->number - FAILS < request->first + request->items)
        return NULL;
    for (uint32_t i = 0; i < request->items; i++)
        saying->said[i] =
            (struct said){(float)(request->first + i), (float)request->first, saying->thread};
    return &saying->said[0].place;
}

static const struct engine_type engine_saying = {
    .name = "saying",
    .help = "says who ran what",
    .state_size = 8,
    .worker_size = sizeof(struct saying),
    .open = nothing_open,
    .close = nothing_close,
    .worker_open = saying_open,
    .worker_close = saying_close,
    .run = saying_run,
};

static struct engine *open_saying(void)
{
    const struct engine_setup setup = {.seed = SEED};
    return engine_open(&engine_saying, &setup, NULL);
}

// ---- teams --------------------------------------------------------------------------------------

static struct team *open_team(uint32_t n_members, enum live_clock_idle idle)
{
    const int cpus[MOST_MEMBERS] = {-1, -1, -1, -1};
    const struct team_config config = {
        .cpus = cpus, .n_members = n_members, .most = {MOST_ITEMS, 0}, .idle = idle};
    struct err err = {0};
    struct team *team = team_open(&config, &err);
    ck_assert_msg(team != NULL, "%s", err.text);
    return team;
}

static struct team *open_with(uint32_t n_members, enum live_clock_idle idle, struct engine *engine)
{
    struct team *team = open_team(n_members, idle);
    struct err err = {0};
    ck_assert_msg(team_add(team, engine, &err) == 0, "%s", err.text);
    return team;
}

static const float *run(struct team *team, uint64_t number, uint32_t items)
{
    uint32_t n_outputs;
    return team_run(team, 0, &(struct engine_request){.number = number, .items = items},
                    &n_outputs);
}

// Every item is answered once, in its place, in slices that differ by one item at most; by as many
// threads as there are members, or items where these are fewer; and again after members have slept.
START_TEST(slices_are_shared_out)
{
    struct engine *engine = open_saying();
    for (uint32_t n = 1; n <= MOST_MEMBERS; n++) {
        struct team *team = open_with(n, LIVE_CLOCK_SLEEP, engine);
        const uint32_t sizes[] = {1, 2, 3, 4, 7, MOST_ITEMS};
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            const struct said *said = (const struct said *)run(team, s, sizes[s]);
            uint32_t n_slices = 0, begin = 0;
            for (uint32_t i = 0; i < sizes[s]; i++) {
                ck_assert_float_eq(said[i].place, (float)i);
                if ((uint32_t)said[i].first == i) {
                    ck_assert(i == 0 || said[i].thread != said[begin].thread);
                    ck_assert(i == 0 || i - begin >= sizes[s] / n);
                    begin = i;
                    n_slices++;
                }
                ck_assert_uint_le(i - begin, (sizes[s] - 1) / n);
                ck_assert_float_eq(said[i].thread, said[begin].thread);
            }
            ck_assert_uint_eq(n_slices, sizes[s] < n ? sizes[s] : n);
            if (s % 2 == 0)
                live_clock_wait(live_clock_ns() + SIMTIME_MS, 0); // longer than their patience
        }
        team_close(team);
    }
    engine_close(engine);
}
END_TEST

// A member's slice that fails, whichever, fails the request and nothing else.
START_TEST(one_failure_fails_the_request)
{
    struct engine *engine = open_saying();
    struct team *team = open_with(3, LIVE_CLOCK_SPIN, engine);
    for (uint32_t i = 0; i < 9; i++) {
        ck_assert_ptr_null(run(team, FAILS + i, 9));
        ck_assert_ptr_nonnull(run(team, i, 9));
    }
    team_close(team);
    engine_close(engine);
}
END_TEST

// A worker that cannot be opened says why, and those that could are closed.
START_TEST(a_worker_that_is_missing_is_said)
{
    struct engine *engine = open_saying();
    const int cpus[] = {-1, -1};
    const struct team_config config = {.cpus = cpus, .n_members = 2, .most = {MOST_ITEMS + 1, 0}};
    struct err err = {0};
    struct team *team = team_open(&config, &err);
    ck_assert_ptr_nonnull(team);
    ck_assert_int_eq(team_add(team, engine, &err), -1);
    ck_assert_str_eq(err.text, "no room for 301 items");
    team_close(team);
    team_close(NULL);
    engine_close(engine);
}
END_TEST

// Engines are known by the order in which they were added.
START_TEST(has_several_engines)
{
    static const struct platform platform = {.cores = 2, .sockets = 1, .power = {.gamma = 1}};
    struct cost_config config = {.fixed_s = 1e-4, .per_item_s = 1e-5};
    config.kind = cost_type_find("synthetic");
    struct cost *cost = cost_create(&config, NULL, &platform, NULL);
    const struct engine_setup setup = {.cost = cost};
    struct engine *saying = open_saying(), *spin = engine_open(&engine_spin, &setup, NULL);
    struct team *team = open_with(2, LIVE_CLOCK_SPIN, saying);
    struct interference had = {0}, more = {0};
    uint32_t n_outputs;
    ck_assert_int_eq(team_add(team, spin, NULL), 0);
    team_take_interference(team, NULL);
    int64_t begin_ns = live_clock_ns();
    // `spin` takes as long as the whole request, whoever shares it.
    const struct engine_request request = {.number = 1, .items = 90};
    ck_assert_ptr_nonnull(team_run(team, 1, &request, &n_outputs));
    ck_assert_uint_eq(n_outputs, 1);
    ck_assert_int_ge(live_clock_ns() - begin_ns, SIMTIME_MS);
    // The other member's millisecond is counted, once; what it lost is known as well.
    ck_assert_double_ge(team_lost_s(team), 0);
    team_take_interference(team, &had);
    ck_assert_double_ge(had.wall_s, 0.999e-3);
    team_take_interference(team, &more);
    ck_assert_double_eq(more.wall_s, 0);
    ck_assert_ptr_nonnull(run(team, 1, 90));
    team_close(team);
    engine_close(saying);
    engine_close(spin);
    cost_destroy(cost);
}
END_TEST

// Members stay where they are put, or it is said; anywhere is no place.
START_TEST(says_where_members_are)
{
    struct topology topology;
    struct engine *engine = open_saying();
    const char *why = NULL;
    struct team *team = open_with(2, LIVE_CLOCK_SPIN, engine);
    ck_assert(!team_pinned(team, &why));
    ck_assert_str_eq(why, "");
    ck_assert_double_eq(team_steal_s(team), 0);
    team_close(team);
    topology_read(&topology);
    const int cpus[] = {topology.cores[0].cpu, 1 << 20};
    const struct team_config config = {.cpus = cpus, .n_members = 2, .most = {1, 0}};
    team = team_open(&config, NULL);
    ck_assert_int_eq(team_add(team, engine, NULL), 0);
    ck_assert(!team_pinned(team, &why));
    ck_assert_msg(strstr(why, "processor 1048576"), "%s", why);
    team_close(team);
    topology_release(&topology);
    engine_close(engine);
}
END_TEST

// ---- the engine `own` ---------------------------------------------------------------------------

static bool have_format(enum model_format format)
{
    struct product_maker *maker = product_maker_open(NULL);
    bool has = maker && product_can(maker, format, NULL) == 0;
    product_maker_close(maker);
    return has;
}

// To the last bit; but where a slice is a lone item, oneDNN has other kernels that may add up in
// another order: off by a few roundings of fp32, and in bf16, where that makes a number round to
// the other side, by one of bf16, in parts of results of 0 to 1.
static void compare_results(const float *results, const float *kept, size_t n, bool is_alone,
                            enum model_format format)
{
    double allowed = format == FORMAT_BF16 ? 0x1p-8 : 1e-5;
    if (!is_alone)
        ck_assert_mem_eq(results, kept, n * sizeof *results);
    for (size_t i = 0; i < n; i++)
        ck_assert_double_le(fabs((double)results[i] - (double)kept[i]), allowed);
}

// One thread's results of some requests, and then those of teams of 1 + step, 1 + 2 step ..
// members.
static void compare_teams(const struct model *model, enum model_format format, uint32_t step)
{
    const uint32_t sizes[] = {1, 3, 50, 129, MOST_ITEMS};
    enum { N_SIZES = sizeof sizes / sizeof *sizes };
    const struct engine_setup setup = {
        .model = model, .most_table_bytes = 2e6, .format = format, .seed = SEED};
    struct err err = {0};
    struct engine *engine = engine_open(&engine_own, &setup, &err);
    ck_assert_msg(engine, "%s", err.text);
    float *kept[N_SIZES];
    uint32_t n_outputs = 0;
    for (uint32_t n = 1; n <= MOST_MEMBERS; n += step) {
        struct team *team = open_with(n, LIVE_CLOCK_SLEEP, engine);
        for (size_t s = 0; s < N_SIZES; s++) {
            const struct engine_request request = {.number = 1000003 * s + 7, .items = sizes[s]};
            const float *results = team_run(team, 0, &request, &n_outputs);
            size_t n_results = (size_t)sizes[s] * n_outputs, bytes = n_results * sizeof *results;
            if (n == 1)
                kept[s] = memcpy(mem_alloc(bytes), results, bytes);
            compare_results(results, kept[s], n_results, sizes[s] < 2 * n, format);
        }
        team_close(team);
    }
    for (size_t s = 0; s < N_SIZES; s++)
        mem_free(kept[s]);
    engine_close(engine);
}

static void compare_named(const char *const *names, enum model_format format, uint32_t step)
{
    struct library library = {0};
    ck_assert_int_eq(library_load(&library, NULL), 0);
    for (size_t i = 0; names[i] && have_format(format); i++)
        compare_teams(library_model(&library, names[i]), format, step);
    library_release(&library);
}

// Of models of several kinds, a team of three computes what one thread does: a row of a product is
// added up in one order, however many rows there are.
START_TEST(computes_what_one_thread_does)
{
    static const char *const names[] = {"wnd-repo", "rmc1", "din-repo", "dien", NULL};
    compare_named(names, FORMAT_FP32, 2);
}
END_TEST

// So do teams of two and four, and in narrow formats.
START_TEST(computes_in_other_formats)
{
    static const char *const names[] = {"rmc1", NULL};
    compare_named(names, FORMAT_FP32, 1);
    compare_named(names, FORMAT_BF16, 2);
    compare_named(names, FORMAT_INT8, 2);
}
END_TEST

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// What it takes to give out slices of nothing and to know that they have ended, on the cores that
// there are: printed, as it is the machine's affair.
START_TEST(giving_out_slices_costs_little)
{
    struct topology topology;
    struct engine *engine = open_saying();
    topology_read(&topology);
    for (uint32_t n = 1; n <= MOST_MEMBERS && n <= topology.n_cores; n++) {
        int cpus[MOST_MEMBERS];
        for (uint32_t i = 0; i < n; i++)
            cpus[i] = topology.cores[i].cpu;
        const struct team_config config = {.cpus = cpus, .n_members = n, .most = {16, 0}};
        struct team *team = team_open(&config, NULL);
        int64_t took_ns[N_TIMED];
        uint64_t n_took = 0;
        ck_assert_int_eq(team_add(team, engine, NULL), 0);
        int64_t until_ns = live_clock_ns() + SIMTIME_S / 2;
        for (; n_took < N_TIMED && live_clock_ns() < until_ns; n_took++) {
            live_clock_wait(live_clock_ns() + 5 * SIMTIME_US, 5 * SIMTIME_US); // others are ready
            int64_t begin_ns = live_clock_ns();
            ck_assert_ptr_nonnull(run(team, n_took % FAILS, n));
            took_ns[n_took] = live_clock_ns() - begin_ns;
        }
        ck_assert_uint_ge(n_took, 1);
        qsort(took_ns, n_took, sizeof *took_ns, by_size);
        printf("%u members: a request of nothing takes %lld ns at least, %lld at the median\n", n,
               (long long)took_ns[0], (long long)took_ns[n_took / 2]);
        team_close(team);
    }
    topology_release(&topology);
    engine_close(engine);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", slices_are_shared_out},           {"core", has_several_engines},
        {"core", computes_what_one_thread_does},   {"core", computes_in_other_formats},
        {"limits", says_where_members_are},        {"limits", giving_out_slices_costs_little},
        {"errors", one_failure_fails_the_request}, {"errors", a_worker_that_is_missing_is_said},
    };
    return suite_run("team", tests, sizeof tests / sizeof *tests);
}
