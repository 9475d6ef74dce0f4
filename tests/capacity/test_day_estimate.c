// SPDX-License-Identifier: Apache-2.0
#include "capacity/day_estimate.h"

#include <math.h>

#include "base/mem.h"
#include "results/hist.h"
#include "capacity/sample_fixture.h"
#include "support/suite.h"

// Two intervals of two strata; the first has two pieces of each, the second four, each a tenth of
// a fleet of one second of ten.
enum { N_PIECES = 2 * 2 + 2 * 4 };

struct rows {
    struct study *study;
    struct slice_result results[N_PIECES];
    struct measurement trials[2], days[1];
    struct day_estimate_rows rows;
};

// Every piece has 100 queries, of 1 ms in the first interval and 2 ms in the second, a core second
// of ten used and 5 J.
static void open_rows(struct rows *rows)
{
    rows->study = sample_fixture_study();
    for (int i = 0; i < N_PIECES; i++) {
        struct slice_service *service = mem_calloc(1, sizeof *service);
        service->n_queries = 100;
        service->first = hist_index(i < 4 ? 1000000 : 2000000);
        service->n_counts = 1;
        service->counts = mem_calloc(1, sizeof *service->counts);
        service->counts[0] = 100;
        rows->results[i] = (struct slice_result){.n_services = 1,
                                                 .services = service,
                                                 .cpu_busy_ns = 1000000000,
                                                 .core_s = 10,
                                                 .energy_uj = 5000000,
                                                 .length_s = 1,
                                                 .share_frac = 0.1,
                                                 .overall.stable = VERDICT_MET};
    }
}

static void close_rows(struct rows *rows)
{
    sample_release(rows->results, N_PIECES);
    study_destroy(rows->study);
}

static void fill(struct rows *rows)
{
    static const uint32_t n_servers[2] = {12, 4}, services[1] = {0};
    const struct fleet_variant fleet = {.study = rows->study,
                                        .n_servers = n_servers,
                                        .services = services,
                                        .n_services = 1,
                                        .n_cells = 4};
    uint32_t n_pieces[2] = {2, 4}, cells[2] = {1, 1};
    double cells_frac[2] = {0.1, 0.1};
    const struct day_estimate_design design = {.n_intervals = 2,
                                               .n_strata = 2,
                                               .interval_s = 20,
                                               .window_s = 1,
                                               .n_pieces = n_pieces,
                                               .cells = cells,
                                               .cells_frac = cells_frac};
    rows->rows = (struct day_estimate_rows){.trials = rows->trials, 1, rows->days};
    day_estimate_fill(&design, &fleet, rows->results, &rows->rows);
}

// An interval with twice the pieces does not count twice over the day: half of its queries are at
// 1 ms, so the day's p95 is 2 ms, and with 21 times the queries at 1 ms it is 1 ms.
START_TEST(intervals_count_by_their_time)
{
    struct rows rows;
    open_rows(&rows);
    for (int i = 0; i < 4; i++) // 20 times, though pieces are 10 times
        rows.results[i].services[0].n_queries = rows.results[i].services[0].counts[0] = 2000;
    fill(&rows);
    ck_assert_double_eq_tol(rows.trials[0].p95_s.value, 1e-3, 1e-6);
    ck_assert_double_eq_tol(rows.trials[1].p95_s.value, 2e-3, 2e-6);
    ck_assert_double_eq_tol(rows.days[0].p95_s.value, 1e-3, 1e-6);
    // 1 in 21 is at 2 ms: 4.8 %. As pieces alone it would be 1 in 11.
    close_rows(&rows);
}
END_TEST

// By hand: a core second of ten is a tenth; 5 J a second of a tenth of the fleet are 50 W; 800
// queries stand for 100 times as many in the second interval (1 of 20 s in 8 pieces of a tenth: 25
// each) and 50 times in the first.
START_TEST(scales_to_the_fleet)
{
    struct rows rows;
    open_rows(&rows);
    fill(&rows);
    ck_assert_double_eq_tol(rows.trials[0].cpu_util_frac, 0.1, 1e-12);
    ck_assert_double_eq_tol(rows.trials[1].power_w, 50, 1e-9);
    ck_assert_double_eq_tol(rows.days[0].power_w, 50, 1e-9);
    ck_assert_double_eq_tol(rows.rows.n_queries, 1200, 1e-9);
    // Each interval: 100 queries a second of a tenth for 20 s.
    ck_assert_double_eq_tol(rows.rows.of_queries, 2 * 20000, 1e-6);
    ck_assert_uint_eq(rows.trials[1].n_queries, 800);
    close_rows(&rows);
}
END_TEST

// The target of 4 ms at p95 is met with none late, and missed with a tenth late or lost; the lost
// count as late.
START_TEST(judges_the_target)
{
    struct rows rows;
    open_rows(&rows);
    fill(&rows);
    ck_assert_int_eq(rows.trials[0].sla, VERDICT_MET);
    ck_assert(rows.trials[0].late_frac.half_95 > 0);
    for (int i = 4; i < N_PIECES; i++) {
        rows.results[i].services[0].n_late = 5 + (uint64_t)i % 2;
        rows.results[i].services[0].n_lost = 10;
    }
    fill(&rows);
    ck_assert_double_eq_tol(rows.trials[1].late_frac.value, 15.5 / 110, 1e-12);
    ck_assert_double_eq_tol(rows.trials[1].lost_frac, 10.0 / 110, 1e-12);
    ck_assert_int_eq(rows.trials[1].sla, VERDICT_MISSED);
    ck_assert_int_eq(rows.trials[0].sla, VERDICT_MET);
    rows.study->services[0].sla_ns = 0;
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].sla, VERDICT_NOT_ASKED);
    ck_assert(isnan(rows.trials[1].late_frac.value));
    close_rows(&rows);
}
END_TEST

// One alarm is none; two in one stratum are an overload, of the interval and of the day.
START_TEST(an_overload_takes_two)
{
    struct rows rows;
    open_rows(&rows);
    rows.results[4].overall.stable = rows.results[8].overall.stable = VERDICT_MISSED;
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_MET);
    rows.results[5].overall.stable = VERDICT_UNSURE;
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_MET);
    rows.results[5].overall.stable = VERDICT_MISSED;
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_MISSED);
    ck_assert_int_eq(rows.trials[1].sla, VERDICT_MISSED);
    ck_assert(isnan(rows.trials[1].p95_s.value) && isnan(rows.days[0].p95_s.value));
    ck_assert_int_eq(rows.trials[0].stable, VERDICT_MET);
    ck_assert(!isnan(rows.trials[0].p95_s.value));
    close_rows(&rows);
}
END_TEST

// An interval is doubtful when all pieces of a stratum are, or more than half of its own; then its
// target is not met, although its queries are in time.
START_TEST(doubt_takes_a_stratum_or_most)
{
    struct rows rows;
    open_rows(&rows);
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].sla, VERDICT_MET);
    rows.results[4].overall.stable = rows.results[5].overall.stable =
        rows.results[6].overall.stable = VERDICT_UNSURE;
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_MET);
    rows.results[7].overall.stable = VERDICT_UNSURE; // the whole of the first stratum
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_UNSURE);
    ck_assert_int_eq(rows.trials[1].sla, VERDICT_UNSURE);
    rows.results[7].overall.stable = VERDICT_MET;
    rows.results[8].overall.stable = rows.results[9].overall.stable =
        VERDICT_UNSURE; // five of eight
    fill(&rows);
    ck_assert_int_eq(rows.trials[1].stable, VERDICT_UNSURE);
    ck_assert_int_eq(rows.trials[0].sla, VERDICT_MET);
    close_rows(&rows);
}
END_TEST

// Nothing was simulated: no numbers, and no harm.
START_TEST(nothing_is_no_number)
{
    struct rows rows;
    open_rows(&rows);
    for (int i = 0; i < N_PIECES; i++) {
        rows.results[i].services[0].n_queries = rows.results[i].services[0].n_counts = 0;
        rows.results[i].share_frac = rows.results[i].core_s = 0;
        rows.results[i].energy_uj = rows.results[i].cpu_busy_ns = 0;
    }
    fill(&rows);
    ck_assert(isnan(rows.trials[0].p95_s.value) && isnan(rows.trials[0].late_frac.value));
    ck_assert_int_eq(rows.trials[0].stable, VERDICT_MET);
    ck_assert(rows.trials[0].power_w == 0);
    close_rows(&rows);
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {{"core", intervals_count_by_their_time},
                                       {"core", scales_to_the_fleet},
                                       {"core", judges_the_target},
                                       {"core", an_overload_takes_two},
                                       {"core", doubt_takes_a_stratum_or_most},
                                       {"limits", nothing_is_no_number}};
    return suite_run("day_estimate", tests, sizeof tests / sizeof *tests);
}
