// SPDX-License-Identifier: Apache-2.0
#include "native/engine.h"

#include <string.h>

#include "base/wallclock.h"
#include "support/suite.h"

// What a cost borrows.
struct setting {
    struct platform platform;
    struct cost_config config;
};

static struct cost *cost_of(struct setting *setting, double fixed_s, double per_item_s)
{
    *setting = (struct setting){.platform = {.cores = 1, .sockets = 1, .power = {.gamma = 1}},
                                .config = {.kind = cost_type_find("synthetic"),
                                           .fixed_s = fixed_s,
                                           .per_item_s = per_item_s}};
    struct cost *cost = cost_create(&setting->config, NULL, &setting->platform, NULL);
    ck_assert_ptr_nonnull(cost);
    return cost;
}

// A request of `spin` takes no less than its cost says, and so does a slice of it.
START_TEST(spin_takes_its_time)
{
    struct setting setting;
    struct cost *cost = cost_of(&setting, 2e-3, 1e-4);
    struct engine_setup setup = {.cost = cost};
    struct engine *engine = engine_open(engine_find("spin"), &setup, NULL);
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){100, 0}, NULL);
    uint32_t n_outputs = 0;
    for (uint32_t items = 1; items <= 100; items += 33) {
        double begin_s = wallclock_s();
        const struct engine_request request = {
            .number = items, .items = items > 1 ? items / 2 : 1, .whole_items = items};
        ck_assert_ptr_nonnull(engine_worker_run(worker, &request, &n_outputs));
        ck_assert_double_ge(wallclock_s() - begin_s, 2e-3 + 1e-4 * items);
        ck_assert_uint_eq(n_outputs, 1);
    }
    engine_worker_close(worker);
    engine_close(engine);
    cost_destroy(cost);
}
END_TEST

// Nothing to close is no mistake.
START_TEST(null_has_no_effect)
{
    engine_worker_close(NULL);
    engine_close(NULL);
}
END_TEST

// An engine that lacks what it needs says so, and one that nobody knows is not found.
START_TEST(says_what_is_missing)
{
    struct engine_setup setup = {0};
    struct err err = {0};
    ck_assert_ptr_null(engine_open(&engine_spin, &setup, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "expected a study"));
    ck_assert_ptr_null(engine_find("nothing"));
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", spin_takes_its_time},
        {"limits", null_has_no_effect},
        {"errors", says_what_is_missing},
    };
    return suite_run("engine", tests, sizeof tests / sizeof *tests);
}
