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
    struct run_result_input in = {meta, s, r, &info, NULL};
    int rc = run_result_write(&in, path, true, &err);
    struct run_result *back = rc == 0 ? run_result_read(path, DATASET_WHOLE, &err) : NULL;
    ck_assert_msg(back != NULL, "%s", err.text);
    unlink(path);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
    return back;
}

// Two runs or more, compared with the first or what `baseline` says.
struct compared {
    struct compare_sides *sides;
    struct compare *c;
};

static struct compared compared(const struct run_result *const *runs, size_t n,
                                const char *baseline)
{
    struct compared x = {mem_calloc(1, sizeof *x.sides), NULL};
    struct err err = {0};
    for (size_t i = 0; i < n; i++)
        compare_side_add_run(x.sides, runs[i]);
    x.c = compare_create(x.sides, baseline, &err);
    ck_assert_msg(x.c != NULL, "%s", err.text);
    return x;
}

static struct compared compared_two(const struct run_result *a, const struct run_result *b)
{
    return compared((const struct run_result *const[]){a, b}, 2, NULL);
}

static void release(struct compared *x)
{
    compare_destroy(x->c);
    compare_side_release(x->sides);
    mem_free(x->sides);
}

// The row of a number, of the n-th side that is compared.
static const struct compare_row *row_of(const struct compare *c, const char *what, size_t n)
{
    for (size_t i = 0; i < c->n_rows; i++) {
        if (strcmp(c->rows[i].number->what, what) == 0 && n-- == 0)
            return &c->rows[i];
    }
    ck_abort_msg("no row %s", what);
    return NULL;
}

static const struct compare_row *row(const struct compare *c, const char *what)
{
    return row_of(c, what, 0);
}

static bool any_paired(const struct compare *c)
{
    bool any = false;
    for (size_t i = 0; i < c->n_rows; i++)
        any |= c->rows[i].paired;
    return any;
}

// A file against another of the same content: every difference is 0 and none is real, all are
// paired. An unknown fingerprint (0) is never taken for the same traffic.
START_TEST(with_itself)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1e6, 1, 5);
    struct compared x = compared_two(a, b);
    ck_assert_uint_ge(x.c->n_rows, 8);
    for (size_t i = 0; i < x.c->n_rows; i++) {
        const struct compare_row *r = &x.c->rows[i];
        ck_assert_double_eq(r->diff.value, 0);
        ck_assert_int_eq(compare_verdict_of(r), COMPARE_ALIKE);
        ck_assert_msg(r->paired, "%s", r->number->what);
    }
    release(&x);
    a->meta->traffic_fingerprint = b->meta->traffic_fingerprint = 0;
    x = compared_two(a, b);
    ck_assert(!any_paired(x.c));
    release(&x);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// 2 % less service time on the same traffic: seen in pairs, lost between independent runs. The mean
// latency of M/M/1 goes from 2.5 ms to 0.98 / (1 - 0.588) = 2.379 ms, which is better. What is
// served is the same to a few queries at the run's ends, and in pairs that is known well.
START_TEST(pairs_see_more)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.98e6, 1, 5);
    struct run_result *other = run("test_compare_b.h5", 0.98e6, 2, 5);
    struct compared same = compared_two(a, b), apart = compared_two(a, other);
    const struct compare_row *x = row(same.c, "feed mean"), *y = row(apart.c, "feed mean");
    ck_assert(x->paired && !any_paired(apart.c));
    ck_assert_double_lt(x->diff.half_95, 0.5 * y->diff.half_95);
    ck_assert_int_eq(compare_verdict_of(x), COMPARE_BETTER);
    ck_assert_double_le(fabs(x->diff.value - (2.3786e-3 - 2.5e-3)), 2.7 * x->diff.half_95);
    ck_assert_int_eq(compare_verdict_of(row(same.c, "feed p95")), COMPARE_BETTER);
    const char *const shared[] = {"feed served", "feed goodput", "fleet QPS/W", "fleet power"};
    for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
        ck_assert_msg(row(same.c, shared[i])->paired, "%s", shared[i]);
    x = row(same.c, "feed served"), y = row(apart.c, "feed served");
    ck_assert_double_lt(x->diff.half_95, 0.05 * y->diff.half_95);
    ck_assert_int_eq(compare_verdict_of(x), COMPARE_ALIKE);
    release(&same);
    release(&apart);
    run_result_destroy(a);
    run_result_destroy(b);
    run_result_destroy(other);
}
END_TEST

// Runs that measured other bins differ by what came in these, so they are not paired: what is
// served in the first half of the bins is none of a difference.
START_TEST(other_bins_measured)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1e6, 1, 5);
    b->bins.times[0].measured = !b->bins.times[0].measured;
    struct compared x = compared_two(a, b);
    ck_assert(!any_paired(x.c));
    release(&x);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// The paired interval of what is served, computed here: the spread of the batches' means of the
// bins' differences, of 40 bins in 20 batches of two (one bin at least is warm-up in no fixture).
START_TEST(pairs_by_hand)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.5e6, 1, 5);
    struct compared x = compared_two(a, b);
    const struct compare_row *r = row(x.c, "feed served");
    double d[40], mean = 0, squares = 0;
    uint32_t n = 0;
    for (uint32_t i = 0; i < a->bins.n; i++) {
        if (!a->bins.times[i].measured || !b->bins.times[i].measured)
            continue;
        double length_s = a->bins.times[i].end_s - a->bins.start_s[i];
        d[n++] =
            ((double)b->rest.bins[i].n_completed - (double)a->rest.bins[i].n_completed) / length_s;
    }
    uint32_t size = n / r->diff.n_batches;
    for (uint32_t k = 0; k < r->diff.n_batches; k++) {
        double batch = 0;
        uint32_t to = k + 1 < r->diff.n_batches ? (k + 1) * size : n;
        for (uint32_t i = k * size; i < to; i++)
            batch += d[i] / (to - k * size);
        d[k] = batch;
        mean += batch / r->diff.n_batches;
    }
    for (uint32_t k = 0; k < r->diff.n_batches; k++)
        squares += (d[k] - mean) * (d[k] - mean);
    double dof = r->diff.n_batches - 1;
    ck_assert_double_eq_tol(r->diff.half_95, ci_t(0.975, dof) * sqrt(squares / dof / (dof + 1)),
                            1e-6 * r->diff.half_95 + 1e-12);
    release(&x);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// More is better of what is served and of QPS/W, less of latency and power.
START_TEST(directions)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct compare_sides sides = {0};
    compare_side_add_run(&sides, a);
    const struct {
        const char *what;
        int better;
    } wanted[] = {{"feed served", 1}, {"feed goodput", 1}, {"feed p99", -1},
                  {"feed late", -1},  {"fleet power", -1}, {"fleet QPS/W", 1}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        ck_assert_msg(compare_side_find(&sides.list[0], wanted[i].what)->better == wanted[i].better,
                      "%s", wanted[i].what);
    compare_side_release(&sides);
    run_result_destroy(a);
}
END_TEST

// An overloaded side has no latency, so there is no difference to call real.
START_TEST(overloaded_side)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1.8e6, 1, 5); // rho 1.08
    struct compared x = compared_two(a, b);
    ck_assert_int_eq(b->summary->fleet.verdict, OVERLOAD_YES);
    ck_assert(isnan(row(x.c, "feed p95")->diff.value));
    ck_assert_int_eq(compare_verdict_of(row(x.c, "feed p95")), COMPARE_UNKNOWN);
    ck_assert_int_eq(compare_verdict_of(row(x.c, "feed served")), COMPARE_WORSE);
    release(&x);
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
        services[i]->sla_s = 0.01;
        services[i]->sla_quantile = 0.9;
        services[i]->sla_latency_s = services[i]->latency_s[SUMMARY_P90];
    }
    struct compared x = compared_two(a, b);
    const struct compare_row *p90 = row(x.c, "feed p90");
    ck_assert(p90->paired);
    ck_assert_double_eq(p90->base.value, a->summary->services[0].latency_s[SUMMARY_P90].value);
    release(&x);
    services[0]->sla_quantile = services[1]->sla_quantile = 0.97;
    x = compared_two(a, b);
    ck_assert(!row(x.c, "feed p97")->paired && !isnan(row(x.c, "feed p97")->diff.half_95));
    release(&x);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

// All files are in one table and judged together: with more files a difference that is just clear
// alone is so no more. Holm's level is computed here, by ci_t.
START_TEST(many_files)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1e6, 2, 6);
    struct run_result *runs[4] = {a, b, b, b};
    struct compared two = compared((const struct run_result *const *)runs, 2, NULL);
    const struct compare_row *r = row(two.c, "feed p50");
    size_t n_two = 0, n_four;
    for (size_t i = 0; i < two.c->n_rows; i++)
        n_two += two.c->rows[i].diff.half_95 > 0;
    n_four = 3 * n_two;
    // Half-widths that one row of n needs to be real where it is the clearest.
    double dof = r->diff.n_batches - 1, t1 = ci_t(0.975, dof),
           least_two = ci_t(1 - 0.025 / (double)n_two, dof) / t1,
           least_four = ci_t(1 - 0.025 / (double)n_four, dof) / t1;
    double shift = r->diff.half_95 * (least_two + least_four) / 2 - r->diff.value;
    release(&two);
    b->summary->services[0].latency_s[SUMMARY_P50].value += shift;
    two = compared((const struct run_result *const *)runs, 2, NULL);
    ck_assert_int_eq(compare_verdict_of(row(two.c, "feed p50")), COMPARE_WORSE);
    release(&two);
    for (int i = 2; i < 4; i++) { // of other names, else as b
        runs[i] = run("test_compare_b.h5", 1e6, 2, 6);
        mem_free(runs[i]->path);
        runs[i]->path = mem_printf("%d.h5", i);
    }
    two = compared((const struct run_result *const *)runs, 4, NULL);
    ck_assert_int_eq(compare_verdict_of(row(two.c, "feed p50")), COMPARE_ALIKE);
    ck_assert_str_eq(row_of(two.c, "feed p50", 2)->other_side->file, "3.h5");
    release(&two);
    for (int i = 0; i < 4; i++)
        run_result_destroy(runs[i]);
}
END_TEST

// The baseline may be any of the files, or what has a label; a label that nothing has is an error
// that says which there are.
START_TEST(baselines)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.9e6, 1, 5);
    const struct run_result *const runs[] = {a, b};
    mem_free(b->meta->policy);
    b->meta->policy = mem_strdup("jsq");
    struct compared x = compared(runs, 2, "test_compare_b.h5"), y = compared(runs, 2, "policy=jsq");
    ck_assert_str_eq(row(x.c, "feed p95")->base_side->file, "test_compare_b.h5");
    ck_assert_int_eq(compare_verdict_of(row(x.c, "feed p95")), COMPARE_WORSE);
    ck_assert_str_eq(row(y.c, "feed p95")->other_side->file, "test_compare_a.h5");
    struct err err = {0};
    ck_assert_ptr_null(compare_create(x.sides, "policy=joq", &err));
    ck_assert_ptr_nonnull(strstr(err.text, "policy=jsq"));
    release(&x);
    release(&y);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

static char *table_of(const struct run_result *const *files, size_t n)
{
    struct compared x = compared(files, n, NULL);
    struct shown shown;
    compare_print(shown_open(&shown), x.c);
    release(&x);
    return shown_text(&shown);
}

// The table names the files, the method and the verdict, without garbage. Where one side lost
// queries there is a row for it, in percent; else there is none.
START_TEST(prints)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 0.9e6, 1, 5);
    struct run_result *c = run("test_compare_c.h5", 0.9e6, 2, 6);
    const struct run_result *const files[] = {a, b, c};
    char *without = table_of(files, 3);
    ck_assert_ptr_null(strstr(without, "lost"));
    shown_is(without, 130,
             (const char *const[]){"B  test_compare_b.h5", "common random numbers",
                                   "B  feed p99 ms", "C  feed p99 ms", " better\n", "Welch", NULL});
    b->summary->services[0].n_lost = 10;
    b->summary->services[0].lost_frac = (struct ci){0.02, 0.001, 20};
    shown_is(table_of(files, 2), 130, (const char *const[]){"feed lost %", "2.00 ±0.10", NULL});
    run_result_destroy(a);
    run_result_destroy(b);
    run_result_destroy(c);
}
END_TEST

// No service in common is an error that names both files; so is a single file with one result.
START_TEST(nothing_in_common)
{
    struct run_result *a = run("test_compare_a.h5", 1e6, 1, 5);
    struct run_result *b = run("test_compare_b.h5", 1e6, 1, 5);
    struct compare_sides sides = {0};
    struct err err = {0};
    strcpy(b->meta->services[0].name, "food");
    compare_side_add_run(&sides, a);
    ck_assert_ptr_null(compare_create(&sides, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "name another file"));
    compare_side_add_run(&sides, b);
    ck_assert_ptr_null(compare_create(&sides, NULL, &err));
    ck_assert_ptr_nonnull(strstr(err.text, "test_compare_b.h5"));
    compare_side_release(&sides);
    run_result_destroy(a);
    run_result_destroy(b);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", with_itself},
                                       {"core", pairs_see_more},
                                       {"core", percentile_of_the_target},
                                       {"core", pairs_by_hand},
                                       {"core", directions},
                                       {"core", many_files},
                                       {"core", baselines},
                                       {"core", prints},
                                       {"limits", overloaded_side},
                                       {"limits", other_bins_measured},
                                       {"errors", nothing_in_common}};
    return suite_run("compare", tests, sizeof tests / sizeof *tests);
}
