// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_sweep.h"

#include <string.h>

#include "base/mem.h"
#include "results/file/fixture_sweep.h"
#include "results/report/shown.h"
#include "support/suite.h"

static char *report_of(const struct sweep_result *p)
{
    struct shown shown;
    report_sweep_print(shown_open(&shown), p);
    return shown_text(&shown);
}

// The report of the text is what is wanted, and tidy.
#define SHOWS(points, ...)                                                                         \
    shown_is(report_of(points), 160, (const char *const[]){__VA_ARGS__, NULL})

// A line per case, with the intervals that the replications give (13, 15 ms: 14 +- 12.7; the
// second service is 1 ms slower), and why it is not the whole.
START_TEST(cases)
{
    struct sweep_result *p = fixture_sweep();
    SHOWS(
        p, "12 points in 4 cases   9 done, 1 missing, 1 failed, 1 foreign\n",
        "case  policy      servers  done      service     p95 ms    served qps   goodput qps  "
        "busiest %         W    QPS/W  queue +qps          target\n",
        "0     random      100       3/3  ads, banner  12.0 ±2.5   11000 ±2484   11000 ±2484     "
        "55 ±12  300.0 ±0   77 ±17           -             met\n",
        "1     random      2.5e3     2/3  ads, banner     15 ±13  14000 ±12706", "unsure\n",
        "2     power of 2  100       2/3         feed          -   16500 ±6353",
        "214 ±83  OVERLOADED 1/2\n", "from the replications", "\n3 points are not done:\n",
        "    4 policy=random,servers=2.5e3,replication=1: failed: no space left on the disk\n",
        "    8 policy=power of 2,servers=100,replication=2: missing\n",
        "    11 policy=power of 2,servers=2.5e3,replication=2: foreign: a file of another study\n");
    sweep_result_destroy(p);
}
END_TEST

// A line per point, with the interval of its run's own batches (1 %).
START_TEST(without_replications)
{
    struct sweep_result *p = fixture_sweep();
    p->replication = -1;
    SHOWS(p, "   12 points   9 done",
          "point  policy      servers  replication      service       p95 ms",
          "3      random      2.5e3    0            ads, banner  14.00 ±0.14       13000        "
          "13000  "
          "1300000      65.00  300.0  91.00           -         met\n",
          "4      random      2.5e3    1                      -            -           -           "
          " -  "
          "      -          -      -      -           -      failed\n",
          "16000  1600000      80.00  300.0  112.0       208.0  OVERLOADED\n", // point 6, without
                                                                               // latency
          "from each run's batches");
    sweep_result_destroy(p);
}
END_TEST

// Where a point lost queries there is a column for it; else there is none.
START_TEST(losses)
{
    struct sweep_result *p = fixture_sweep();
    p->replication = -1;
    char *without = report_of(p);
    p->totals[3].n_lost = 5;
    p->totals[3].lost_frac = (struct ci){0.0125, 0.001, 20};
    SHOWS(p, "QPS/W  lost %  queue +qps      target\n",
          "3      random      2.5e3    0            ads, banner  14.00 ±0.14       13000        "
          "13000  "
          "1300000      65.00  300.0  91.00   1.250           -         met\n");
    ck_assert_ptr_null(strstr(without, "lost"));
    mem_free(without);
    sweep_result_destroy(p);
}
END_TEST

// `n` points of one axis, done ones of level 20; labels are numbers behind `label`.
static struct sweep_result *many(uint32_t n, uint32_t n_done, const char *label)
{
    char **labels = mem_calloc(n, sizeof *labels);
    struct sweep_result *p = sweep_result_create(1, n);
    struct run_result *run = fixture_load(20, 1, 1);
    for (uint32_t i = 0; i < n; i++) {
        labels[i] = mem_printf("%s%u", label, i);
        p->values[i * p->n_axes + 0] = i;
        if (i < n_done)
            sweep_result_take(p, i, run);
    }
    point_axes_set(&p->grid, 0, "rate", (const char *const *)labels, n);
    for (uint32_t i = 0; i < n; i++)
        mem_free(labels[i]);
    mem_free(labels);
    run_result_destroy(run);
    return p;
}

// Of a wide sweep the first lines are shown, and the first of what is not done.
START_TEST(wide)
{
    struct sweep_result *p = many(1000, 900, "");
    char *text = report_of(p);
    ck_assert_ptr_null(strstr(text, "\n40 "));
    ck_assert_int_le(shown_lines(text), 62);
    mem_free(text);
    SHOWS(p, "\n39     39    20.00 ±0.20", "... and 960 more points", "100 points are not done",
          "    911 rate=911: missing\n", "    and 88 more\n");
    sweep_result_destroy(p);
}
END_TEST

// Labels too long for a column are listed above, and points go by number; still not too many lines.
START_TEST(long_labels)
{
    struct sweep_result *p = many(1000, 1000, "a rate with quite a long name, that is number ");
    char *text = report_of(p);
    ck_assert_int_le(shown_lines(text), 62);
    mem_free(text);
    SHOWS(p, "point 19: rate=a rate with quite a long name, that is number 19\n",
          "\n19     20.00 ±0.20", "... and 980 more points");
    sweep_result_destroy(p);
}
END_TEST

// The verdict is the worst service's, the latency that of the one closest to its own target.
START_TEST(worst_service)
{
    struct sweep_result *p = many(1, 0, "");
    struct run_result *run = fixture_load(20, 2, 1);
    run->summary->services[0].sla_s = 0.020; // 20 ms of 20 against 21 of 25
    run->summary->services[0].sla = VERDICT_UNSURE;
    sweep_result_take(p, 0, run);
    SHOWS(p, "feed  20.00 ±0.20", "unsure\n");
    run->summary->services[1].sla = VERDICT_MISSED;
    sweep_result_take(p, 0, run);
    SHOWS(p, "feed  20.00 ±0.20", "MISSED\n");
    run_result_destroy(run);
    sweep_result_destroy(p);
}
END_TEST

// Without a target the p95 of all queries is shown; with other percentiles beside it, which is
// which.
START_TEST(percentiles)
{
    struct sweep_result *p = many(2, 0, "");
    struct run_result *run = fixture_load(20, 1, 1);
    run->summary->services[0].sla_s = 0;
    run->summary->services[0].sla = VERDICT_NOT_ASKED;
    sweep_result_take(p, 0, run);
    SHOWS(p, "p95 ms", "\n0      0     20.00 ±0.20", "      -\n");
    run->summary->services[0].sla_s = 0.025;
    run->summary->services[0].sla_quantile = 0.99;
    run->summary->services[0].sla = VERDICT_MET;
    sweep_result_take(p, 1, run);
    SHOWS(p, "latency ms", "p95  20.00 ±0.20", "p99  20.00 ±0.20");
    run_result_destroy(run);
    sweep_result_destroy(p);
}
END_TEST

// Near saturation there is a latency and a warning.
START_TEST(unsure_overload)
{
    struct sweep_result *p = many(1, 0, "");
    struct run_result *run = fixture_load(20, 1, 1);
    run->summary->fleet.verdict = OVERLOAD_UNSURE;
    sweep_result_take(p, 0, run);
    SHOWS(p, "20.00 ±0.20", "met !\n", "! too short to tell whether the backlog is bounded\n");
    run_result_destroy(run);
    sweep_result_destroy(p);
}
END_TEST

// One point that is not done, of which nothing is known.
START_TEST(least)
{
    struct sweep_result *p = fixture_points_least();
    SHOWS(p, "study least   sweep   1 point   0 done, 1 missing\n", "point  p95 ms  served qps",
          "1 point is not done:\n", "    0: missing\n");
    sweep_result_destroy(p);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", cases},         {"core", without_replications}, {"core", losses},
        {"core", worst_service}, {"core", percentiles},          {"core", unsure_overload},
        {"limits", wide},        {"limits", long_labels},        {"limits", least}};
    return suite_run("report_sweep", tests, sizeof tests / sizeof *tests);
}
