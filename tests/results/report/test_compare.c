// SPDX-License-Identifier: Apache-2.0
#include "results/report/compare.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/fixture.h"
#include "results/file/run_result.h"
#include "results/report/shown.h"
#include "support/suite.h"

// An M/M/1 run at 0.6 with mean service `service_ns`, through a file and back.
static struct run_result *run(const char *path, double service_ns, uint64_t seed,
                              uint64_t fingerprint)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record_shape shape = fixture_shape(meta, 40, 40 * SIMTIME_S);
    struct record *r = record_create(&shape);
    // The arrivals are the same for both service times: rho scales with the service time.
    struct fixture_queue q = {seed, 0, 0, 0, 0, 1, 0.6 * service_ns / 1e6, service_ns};
    struct err err = {0};
    fixture_run_queue(r, &q);
    meta->seed = seed;
    meta->traffic_fingerprint = fingerprint;
    struct summary *s = summary_create(r, meta);
    struct run_info info = fixture_run();
    struct run_result_input in = {meta, s, r, &info};
    int rc = run_result_write(&in, path, true, &err);
    struct run_result *back = rc == 0 ? run_result_read(path, DATASET_ALL, &err) : NULL;
    ck_assert_msg(back != NULL, "%s", err.text);
    unlink(path);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
    return back;
}

static const struct compare_row *row(const struct compare *c, const char *what)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        if (strcmp(c->rows[i].what, what) == 0)
            return &c->rows[i];
    }
    ck_abort_msg("no row %s", what);
    return NULL;
}

// A file against itself: every difference is 0 and none is real. An unknown fingerprint (0) is
// never taken for the same traffic.
START_TEST(with_itself)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct compare *c = compare_create(a, a, NULL);
    ck_assert(c->same_traffic);
    for (size_t i = 0; i < c->n_rows; i++) {
        ck_assert_double_eq(c->rows[i].diff.value, 0);
        ck_assert(!ci_excludes(c->rows[i].diff, 0));
    }
    compare_destroy(c);
    a->meta->traffic_fingerprint = 0;
    c = compare_create(a, a, NULL);
    ck_assert(!c->same_traffic);
    compare_destroy(c);
    run_result_destroy(a);
}
END_TEST

// 2 % less service time on the same traffic: seen in pairs, lost between independent runs. The mean
// latency of M/M/1 goes from 2.5 ms to 0.98 / (1 - 0.588) = 2.379 ms.
START_TEST(pairs_see_more)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.98e6, 1, 5);
    struct run_result *other = run("test_compare_b.h5", 0.98e6, 2, 5);
    struct compare *same = compare_create(a, b, NULL), *apart = compare_create(a, other, NULL);
    const struct compare_row *x = row(same, "feed mean"), *y = row(apart, "feed mean");
    ck_assert(same->same_traffic && x->paired);
    ck_assert(!apart->same_traffic && !y->paired);
    ck_assert_double_lt(x->diff.half_95, 0.5 * y->diff.half_95);
    ck_assert(ci_excludes(x->diff, 0));
    ck_assert_double_le(fabs(x->diff.value - (2.3786e-3 - 2.5e-3)), 2.7 * x->diff.half_95);
    ck_assert(ci_excludes(row(same, "feed p95")->diff, 0));
    compare_destroy(same);
    compare_destroy(apart);
    run_result_destroy(a);
    run_result_destroy(b);
    run_result_destroy(other);
}
END_TEST

// An overloaded side has no latency, so there is no difference to call real.
START_TEST(overloaded_side)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1.8e6, 1, 5); // rho 1.08
    struct compare *c = compare_create(a, b, NULL);
    ck_assert_int_eq(b->summary->fleet.verdict, OVERLOAD_YES);
    ck_assert(isnan(row(c, "feed p95")->diff.value));
    ck_assert(!ci_excludes(row(c, "feed p95")->diff, 0));
    compare_destroy(c);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// A target at another percentile than the usual has a row, in pairs where the bins have it.
START_TEST(percentile_of_the_target)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.9e6, 1, 5);
    struct summary_service *services[] = {&a->summary->services[0], &b->summary->services[0]};
    for (int i = 0; i < 2; i++) {
        services[i]->sla_quantile = 0.9;
        services[i]->sla_latency_s = services[i]->latency_s[SUMMARY_P90];
    }
    struct compare *c = compare_create(a, b, NULL);
    const struct compare_row *p90 = row(c, "feed p90");
    ck_assert(p90->paired);
    ck_assert_double_eq(p90->base.value, a->summary->services[0].latency_s[SUMMARY_P90].value);
    compare_destroy(c);
    services[0]->sla_quantile = services[1]->sla_quantile = 0.97;
    c = compare_create(a, b, NULL);
    ck_assert(!row(c, "feed p97")->paired && !isnan(row(c, "feed p97")->diff.half_95));
    compare_destroy(c);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

static char *table_of(const struct run_result *const *files, size_t n)
{
    struct shown shown;
    ck_assert_int_eq(compare_print(shown_open(&shown), files, n, NULL), 0);
    return shown_text(&shown);
}

// The table names the files, the method and the verdict, without garbage. Where one side lost
// queries there is a row for it, in percent; else there is none.
START_TEST(prints)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.9e6, 1, 5);
    const struct run_result *const files[] = {a, b, a};
    char *without = table_of(files, 3);
    ck_assert_ptr_null(strstr(without, "lost"));
    shown_is(without, 130,
             (const char *const[]){"test_compare_b.h5", "common random numbers", "feed p99 ms",
                                   " real\n", NULL});
    b->summary->services[0].n_lost = 10;
    b->summary->services[0].lost_frac = (struct ci){0.02, 0.001, 20};
    shown_is(table_of(files, 2), 130, (const char *const[]){"feed lost %", "2.00 ±0.10", NULL});
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// No service in common is an error that names both files.
START_TEST(nothing_in_common)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1e6, 1, 5);
    struct err err = {0};
    strcpy(b->meta->services[0].name, "food");
    ck_assert_ptr_null(compare_create(a, b, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "test_compare_b.h5"));
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", with_itself}, {"core", pairs_see_more},    {"core", percentile_of_the_target},
        {"core", prints},      {"limits", overloaded_side}, {"errors", nothing_in_common},
    };
    return suite_run("compare", tests, sizeof tests / sizeof *tests);
}
