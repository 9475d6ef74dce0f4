// SPDX-License-Identifier: Apache-2.0
#include "cluster/svctab.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "cluster/fixture.h"
#include "models/cost_table.h"
#include "support/suite.h"

// One service on one group: 5 us + 1 us per item, batches of 32, sizes up to 400.
static struct svctab *make(struct fixture *fixture)
{
    fixture_ready(fixture);
    return fixture->tabs[0];
}

// A query of n items is ceil(n / 32) requests, all full but the last.
START_TEST(split)
{
    static const uint32_t cases[][3] = {{1, 1, 1},   {31, 1, 31},   {32, 1, 32},
                                        {33, 2, 1},  {64, 2, 32},   {65, 3, 1},
                                        {96, 3, 32}, {399, 13, 15}, {400, 13, 16}};
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    const struct svctab *tab = make(&fixture);
    ck_assert_uint_eq(tab->max_items, 400);
    ck_assert_uint_eq(tab->batch_items, 32);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct svctab_split *split = &tab->split[cases[i][0]];
        ck_assert_uint_eq(split->n_requests, cases[i][1]);
        ck_assert_uint_eq(split->last_items, cases[i][2]);
        ck_assert_int_eq(split->last_ns, 5000 + 1000 * cases[i][2]);
    }
    fixture_release(&fixture);
}
END_TEST

// Times are the cost's, to the nanosecond, and the work of a query is the sum over its requests.
START_TEST(times)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture.cost_configs[0].per_item_s = 1.2346e-6;
    const struct svctab *tab = make(&fixture);
    ck_assert_int_eq(tab->full_ns, 5000 + 39507);            // 39507.2
    ck_assert_int_eq(svctab_cpu_ns(tab, 3, 4), 5000 + 3704); // 3703.8
    ck_assert_int_eq(tab->least_ns, 5000 + 1235);
    ck_assert_int_eq(tab->work_ns[67], 2 * tab->full_ns + 5000 + 3704);
    ck_assert_uint_eq(tab->n_levels, 1);
    fixture_release(&fixture);
}
END_TEST

// A history adds its own time to every request of a query, and one for each pair with an item, to
// the nearest nanosecond; the view counts it as work.
START_TEST(histories)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    struct service_traffic *traffic = &fixture.services[0].traffic;
    traffic->has_history = true;
    traffic->history.max_items = 65535;
    fixture.cost_configs[0].history_item_s = 3.3e-9;
    fixture.cost_configs[0].item_history_s = 0.0125e-9;
    const struct svctab *tab = make(&fixture);
    ck_assert_int_eq(svctab_history_cpu_ns(tab, 32, 1000, 1), 3300 + 400);
    ck_assert_int_eq(svctab_history_cpu_ns(tab, 3, 1001, 4), 3341);     // 3303.3 + 37.54
    ck_assert_int_eq(svctab_history_cpu_ns(tab, 32, 65534, 1), 242476); // 216262.2 + 26213.6
    ck_assert_int_eq(svctab_history_cpu_ns(tab, 32, 0, 1), 0);
    const struct query query = {.size_items = 67, .history_items = 1001};
    ck_assert_int_eq(svctab_load(tab, LOAD_WORK, &query),
                     tab->work_ns[67] + 2 * 3704 + 3341); // 3703.7 and 3340.84
    ck_assert_int_eq(svctab_load(tab, LOAD_REQUESTS, &query), 3);
    ck_assert_int_eq(tab->least_ns, 5000 + 1000); // of a query without
    fixture_release(&fixture);
}
END_TEST

// Where the cost depends on busy cores there is one row for each number of them.
START_TEST(levels)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture.cost_configs[0].contention_frac = 0.6;
    const struct svctab *tab = make(&fixture);
    ck_assert_uint_eq(tab->n_levels, 4);
    for (uint32_t busy = 1; busy <= 4; busy++)
        for (uint32_t items = 1; items <= 32; items++) {
            double us = (5 + items) * (1 + 0.6 * (busy - 1) / 3);
            ck_assert_int_eq(svctab_cpu_ns(tab, items, busy), (int64_t)(us * 1e3 + 0.5));
        }
    ck_assert_int_eq(tab->split[40].last_ns, 13000); // with one core busy
    // The same by size, and the sums of a full request's.
    for (uint32_t items = 1; items <= 32; items++)
        for (uint32_t busy = 1; busy <= 4; busy++)
            ck_assert_int_eq(svctab_near(tab, items)[busy - 1], svctab_cpu_ns(tab, items, busy));
    ck_assert_int_eq(tab->near_sums[0], 0);
    ck_assert_int_eq(tab->near_sums[2], 37000 + 44400); // 37 (1 + 0.6 / 3) us
    fixture_release(&fixture);
}
END_TEST

// Near times are of tables with levels, none of whose times is 0 or too long for 32 bits.
START_TEST(near_times)
{
    static const struct {
        double fixed_s, contention_frac;
        bool has_near, fits;
    } cases[] = {{5e-6, 0, false, true}, // one level
                 {5e-6, 1, true, true},
                 {1.0737, 1, true, true},   // with all cores busy 2.147464 s
                 {1.0738, 1, false, false}, // 2.147664: beyond 2^31 - 2 ns
                 {3, 0, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fixture fixture;
        fixture_init(&fixture, 1, 1);
        fixture.cost_configs[0].fixed_s = cases[i].fixed_s;
        fixture.cost_configs[0].contention_frac = cases[i].contention_frac;
        const struct svctab *tab = make(&fixture);
        ck_assert(cases[i].has_near == (tab->near_ns != NULL));
        ck_assert(cases[i].fits == tab->fits_near);
        fixture_release(&fixture);
    }
}
END_TEST

// A slow server's table is that of a cost so many times higher, rounded once more.
START_TEST(scaled)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture.cost_configs[0].contention_frac = 0.6;
    fixture_attach(&fixture, 0, 2, false, 100);
    const struct svctab *tab = make(&fixture);
    struct svctab *slow = svctab_scaled(tab, 1.7);
    for (uint32_t busy = 1; busy <= 4; busy++)
        for (uint32_t items = 1; items <= 32; items++)
            ck_assert_int_eq(svctab_cpu_ns(slow, items, busy),
                             llround(1.7 * (double)svctab_cpu_ns(tab, items, busy)));
    for (uint32_t items = 1; items <= 400; items++) {
        ck_assert_uint_eq(slow->split[items].n_requests, tab->split[items].n_requests);
        ck_assert_uint_eq(slow->split[items].last_items, tab->split[items].last_items);
        if (items >= 100) {
            ck_assert_int_eq(slow->load_ns[items], llround(1.7 * (double)tab->load_ns[items]));
            ck_assert_int_eq(slow->compute_ns[items],
                             llround(1.7 * (double)tab->compute_ns[items]));
        }
    }
    ck_assert_int_eq(slow->full_ns, svctab_cpu_ns(slow, 32, 1));
    ck_assert_int_eq(slow->split[40].last_ns, svctab_cpu_ns(slow, 8, 1));
    ck_assert_int_eq(slow->work_ns[40], slow->full_ns + svctab_cpu_ns(slow, 8, 1));
    ck_assert_int_eq(slow->least_ns, llround(1.7 * (double)tab->least_ns));
    svctab_destroy(slow);
    fixture_release(&fixture);
}
END_TEST

// From the threshold on a query goes whole to the accelerator.
START_TEST(offload)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture_attach(&fixture, 0, 1, false, 100);
    const struct svctab *tab = make(&fixture);
    ck_assert(!svctab_offloads(tab, 99));
    ck_assert(svctab_offloads(tab, 100));
    ck_assert_int_eq(tab->load_ns[100], 10000 + 10000);
    ck_assert_int_eq(tab->compute_ns[100], 20000 + 20000);
    ck_assert_int_eq(tab->work_ns[100], 60000);
    ck_assert_int_eq(tab->work_ns[99], 3 * 37000 + 8000);
    fixture_release(&fixture);
}
END_TEST

static int64_t load_of(const struct svctab *tab, enum load_unit unit, uint16_t items)
{
    const struct query query = {.size_items = items};
    return svctab_load(tab, unit, &query);
}

// What a query counts for: one, its requests (one on the accelerator), its items or its work.
START_TEST(loads)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture_attach(&fixture, 0, 1, false, 100);
    const struct svctab *tab = make(&fixture);
    ck_assert_int_eq(load_of(tab, LOAD_QUERIES, 70), 1);
    ck_assert_int_eq(load_of(tab, LOAD_REQUESTS, 70), 3);
    ck_assert_int_eq(load_of(tab, LOAD_ITEMS, 70), 70);
    ck_assert_int_eq(load_of(tab, LOAD_WORK, 70), 2 * 37000 + 11000);
    ck_assert_int_eq(load_of(tab, LOAD_REQUESTS, 100), 1);
    ck_assert_int_eq(load_of(tab, LOAD_WORK, 100), 60000);
    fixture_release(&fixture);
}
END_TEST

// The shortest request counts wherever it can run: the accelerator may beat the cores.
START_TEST(least_on_accelerator)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture_attach(&fixture, 0, 1, false, 10);
    fixture.cost_configs[0].accel_fixed_s = 1e-6;
    fixture.cost_configs[0].accel_load_fixed_s = 0;
    const struct svctab *tab = make(&fixture);
    ck_assert_int_eq(tab->least_ns, 1000 + 10 * 300);
    fixture_release(&fixture);
}
END_TEST

// A measured table may dip, in the batch and in the busy cores: the shortest request is looked for
// everywhere, and the most work of a query need not be that of the largest one.
START_TEST(dips)
{
    double batches[] = {1, 4, 16}, busy[] = {1, 4},
           seconds[] = {9e-3, 3e-3, 5e-3, 8e-3, 2e-3, 4e-3};
    const struct cost_table table = {
        .batches_items = {3, batches}, .busy_cores = {2, busy}, .seconds_s = {6, seconds}};
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture.cost_configs[0] =
        (struct cost_config){.kind = cost_type_find("table"), .measured = &table};
    fixture_set_batch(&fixture, 0, 16);
    const struct svctab *tab = make(&fixture);
    ck_assert_uint_eq(tab->n_levels, 4);
    ck_assert_int_eq(tab->least_ns, 2000000); // 4 items, all busy
    ck_assert_int_eq(tab->full_ns, 5000000);
    ck_assert_int_eq(svctab_cpu_ns(tab, 1, 1), 9000000);
    ck_assert_int_eq(tab->work_ns[17], 5000000 + 9000000);
    ck_assert_int_eq(tab->work_ns[20], 5000000 + 3000000);
    fixture_release(&fixture);
}
END_TEST

static void same_tables(const struct svctab *a, const struct svctab *b)
{
    size_t n_cpu = (size_t)b->n_levels * (b->batch_items + 1);
    ck_assert_uint_eq(a->batch_items, b->batch_items);
    ck_assert_uint_eq(a->n_levels, b->n_levels);
    ck_assert_int_eq(a->full_ns, b->full_ns);
    ck_assert_int_eq(a->least_ns, b->least_ns);
    ck_assert_mem_eq(a->cpu_ns, b->cpu_ns, n_cpu * sizeof *a->cpu_ns);
    ck_assert_mem_eq(a->work_ns, b->work_ns, (b->max_items + 1) * sizeof *a->work_ns);
    ck_assert_int_eq(a->load_ns != NULL, b->load_ns != NULL);
    for (uint32_t items = b->offload_items; items <= b->max_items; items++) {
        ck_assert_int_eq(a->load_ns[items], b->load_ns[items]);
        ck_assert_int_eq(a->compute_ns[items], b->compute_ns[items]);
    }
    ck_assert_mem_eq(a->split, b->split, (b->max_items + 1) * sizeof *a->split);
}

// Tables from a cache are those made afresh, whatever was asked of it before: a larger batch or
// threshold, a smaller one, none, another largest size, another cost.
START_TEST(cached_is_fresh)
{
    static const int64_t batches[] = {32, 1, 400, 7, 64}, thresholds[] = {100, 300, 0, 20, 1};
    struct fixture fixture;
    struct svctab_cache *cache = svctab_cache_create();
    fixture_init(&fixture, 2, 1);
    fixture.cost_configs[0].contention_frac = 0.6;
    fixture_attach(&fixture, 0, 1, false, 100);
    fixture_ready(&fixture);
    for (int i = 0; i < 20; i++) {
        struct dispatch_config dispatch = {.batch_items = batches[i / 2 % 5],
                                           .offload_items = thresholds[i / 2 % 5]};
        fixture.services[0].traffic.sizes.max_items = i < 10 ? 400 : 700;
        const struct cost *cost = fixture.costs[i % 2];
        struct svctab *fresh = svctab_create(&fixture.services[0], &dispatch, cost, 4, NULL);
        struct svctab *cached =
            svctab_create_cached(cache, &fixture.services[0], &dispatch, cost, 4, NULL);
        same_tables(cached, fresh);
        svctab_destroy(fresh);
        svctab_destroy(cached);
    }
    svctab_cache_destroy(cache);
    svctab_cache_destroy(NULL);
    fixture_release(&fixture);
}
END_TEST

// A batch beyond the largest size never fills: it is the largest size.
START_TEST(batch_beyond_sizes)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture_set_batch(&fixture, 0, 65535);
    const struct svctab *tab = make(&fixture);
    ck_assert_uint_eq(tab->batch_items, 400);
    ck_assert_uint_eq(tab->split[400].n_requests, 1);
    ck_assert_uint_eq(tab->split[400].last_items, 400);
    fixture_release(&fixture);
}
END_TEST

// A threshold of 0, or one that no query reaches, is none; then there is nothing to ask about.
START_TEST(threshold_out_of_reach)
{
    static const int64_t thresholds[] = {0, 401, 65536};
    for (int i = 0; i < 3; i++) {
        struct fixture fixture;
        fixture_init(&fixture, 1, 1);
        ck_assert(
            settings_set_number(&fixture.settings[0], "offload_items", (double)thresholds[i]));
        const struct svctab *tab = make(&fixture);
        ck_assert_uint_eq(tab->offload_items, SVCTAB_NO_OFFLOAD);
        ck_assert(!svctab_offloads(tab, 400));
        ck_assert_ptr_null(tab->load_ns);
        fixture_release(&fixture);
    }
}
END_TEST

// The largest size of a query can be one item, and the batch too.
START_TEST(smallest)
{
    struct fixture fixture;
    fixture_init(&fixture, 1, 1);
    fixture.services[0].traffic.sizes.max_items = 1;
    fixture_set_batch(&fixture, 0, 1);
    const struct svctab *tab = make(&fixture);
    ck_assert_uint_eq(tab->split[1].n_requests, 1);
    ck_assert_int_eq(tab->work_ns[1], 6000);
    fixture_release(&fixture);
}
END_TEST

// A cost that is no time a request could take is refused, and the text names the size.
START_TEST(impossible_cost)
{
    static const double bad_per_item_s[] = {-1e-6, 20000, INFINITY};
    for (int i = 0; i < 3; i++) {
        struct fixture fixture;
        struct err err = {0};
        fixture_init(&fixture, 1, 1);
        fixture.cost_configs[0].per_item_s = bad_per_item_s[i];
        struct cost *cost =
            cost_create(&fixture.cost_configs[0], NULL, &fixture.platforms[0], NULL);
        ck_assert_ptr_nonnull(cost);
        struct dispatch_config dispatch = fixture_dispatch(&fixture, 0);
        ck_assert_ptr_null(svctab_create(&fixture.services[0], &dispatch, cost, 4, &err));
        ck_assert_int_eq(err.code, ERR_STUDY);
        ck_assert_ptr_nonnull(strstr(err.text, "items on the CPU"));
        cost_destroy(cost);
    }
}
END_TEST

// The same for the accelerator, and freeing nothing is no mistake.
START_TEST(impossible_accelerator)
{
    struct fixture fixture;
    struct err err = {0};
    fixture_init(&fixture, 1, 1);
    fixture_attach(&fixture, 0, 1, false, 100);
    fixture.cost_configs[0].accel_load_per_item_s = 1000;
    struct cost *cost = cost_create(&fixture.cost_configs[0], NULL, &fixture.platforms[0], NULL);
    ck_assert_ptr_nonnull(cost);
    struct dispatch_config dispatch = fixture_dispatch(&fixture, 0);
    ck_assert_ptr_null(svctab_create(&fixture.services[0], &dispatch, cost, 4, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "100 items on the accelerator's link"));
    cost_destroy(cost);
    svctab_destroy(NULL);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", split},
                                       {"core", times},
                                       {"core", histories},
                                       {"core", levels},
                                       {"core", near_times},
                                       {"core", scaled},
                                       {"core", offload},
                                       {"core", loads},
                                       {"core", least_on_accelerator},
                                       {"core", cached_is_fresh},
                                       {"core", dips},
                                       {"limits", batch_beyond_sizes},
                                       {"limits", threshold_out_of_reach},
                                       {"limits", smallest},
                                       {"errors", impossible_cost},
                                       {"errors", impossible_accelerator}};
    return suite_run("svctab", tests, sizeof tests / sizeof *tests);
}
