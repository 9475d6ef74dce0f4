// SPDX-License-Identifier: Apache-2.0
#include "results/summary.h"

#include <math.h>
#include <string.h>

#include "base/simtime.h"
#include "results/fixture.h"
#include "support/suite.h"

// One M/M/k queue with mean service 1 ms over `bins` bins of `bin_s` seconds.
static struct record *queue(const struct meta *meta, double rho, uint32_t bins, double bin_s,
                            uint64_t seed)
{
    struct record_shape shape = fixture_shape(meta, bins, simtime_from_s(bins * bin_s));
    struct record *r = record_create(&shape);
    struct fixture_queue q = {seed, 0, 0, 0, 0, meta->groups[0].cores, rho, 1e6};
    fixture_run_queue(r, &q);
    return r;
}

// Counts the late queries of every bin anew, for a target of sla_ns; 0: none.
static void aim_at(struct record *r, struct meta *meta, int64_t sla_ns)
{
    meta->services[0].sla_ns = sla_ns;
    for (uint32_t bin = 0; bin < r->shape.n_bins; bin++) {
        struct tally *t = record_tally(r, bin, 0, PATH_CPU);
        t->n_late = 0;
        for (uint32_t i = hist_index(sla_ns) + 1; sla_ns > 0 && i < HIST_N_BUCKETS; i++)
            t->n_late += t->hist[i];
    }
}

// M/M/1 at 0.5: latency is exponential with mean 2 ms, so every quantile is known; half the queries
// wait; every interval holds the truth (each misses once in twenty; the seed is fixed).
START_TEST(mm1_in_closed_form)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.5, 40, 5, 1);
    struct summary *s = summary_create(r, meta);
    const struct summary_service *x = &s->services[0];
    ck_assert_double_le(fabs(x->latency_mean_s.value - 2e-3), x->latency_mean_s.half_95);
    ck_assert_double_lt(x->latency_mean_s.half_95, 0.05 * 2e-3);
    for (int i = 0; i < SUMMARY_N_QUANTILES - 1; i++) {
        double truth = -2e-3 * log(1 - summary_quantiles[i]);
        ck_assert_double_le(fabs(x->latency_s[i].value - truth), x->latency_s[i].half_95);
    }
    ck_assert_double_gt(x->latency_s[4].half_95, 0.02 * x->latency_s[4].value); // 100 beyond p99.9
    ck_assert_double_le(fabs(x->waited_frac.value - 0.5), x->waited_frac.half_95);
    ck_assert_double_le(fabs(x->wait_mean_s.value - 1e-3), x->wait_mean_s.half_95);
    ck_assert_double_le(fabs(x->offered_qps.value - 500), x->offered_qps.half_95);
    ck_assert_double_le(fabs(s->groups[0].parts[PART_CPU].util_frac.value - 0.5),
                        s->groups[0].parts[PART_CPU].util_frac.half_95);
    ck_assert_int_eq(s->fleet.verdict, OVERLOAD_NO);
    ck_assert_int_eq(x->sla, VERDICT_MET); // p95 is 6 ms, the target 25 ms
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Over 200 seeds of M/M/2 at 0.7 the 95 % intervals of the mean and of p95 hold the truth (from a
// closed form) 92 to 98 % of the time.
START_TEST(intervals_are_honest)
{
    struct meta *meta = fixture_meta_one(1, 2);
    // Erlang C for k = 2: C = 2 rho^2 / (1 + rho); wait beyond t: C exp(-2 (1 - rho) t / S).
    const double rho = 0.7, c = 2 * rho * rho / (1 + rho),
                 mean_s = 1e-3 * (1 + c / (2 * (1 - rho)));
    // P(latency > t) for k = 2, rates in 1/ms: service 1, drain d = 2 (1 - rho) = 0.6.
    const double d = 2 * (1 - rho);
    double low = 0, high = 100;
    for (int i = 0; i < 60; i++) {
        double t = 0.5 * (low + high);
        double tail = (1 - c) * exp(-t) + c * (d * exp(-t) - exp(-d * t)) / (d - 1);
        *(tail > 0.05 ? &low : &high) = t;
    }
    int mean_held = 0, p95_held = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct record *r = queue(meta, rho, 41, 2, 1000 + seed);
        r->shape.warmup_ns = record_bin_start_ns(&r->shape, 1); // the same bins, the first given
        struct summary *s = summary_create(r, meta);
        mean_held += !ci_excludes(s->services[0].latency_mean_s, mean_s);
        p95_held += !ci_excludes(s->services[0].latency_s[2], low * 1e-3);
        summary_destroy(s);
        record_destroy(r);
    }
    ck_assert_msg(mean_held >= 184 && mean_held <= 196, "mean: %d of 200", mean_held);
    ck_assert_msg(p95_held >= 184 && p95_held <= 196, "p95: %d of 200", p95_held);
    meta_destroy(meta);
}
END_TEST

// An overloaded run has no latency, misses its target, and still has throughput and utilisation.
START_TEST(overloaded_has_no_percentile)
{
    struct meta *meta = fixture_meta_one(1, 4);
    struct record *r = queue(meta, 1.05, 40, 1, 1);
    struct summary *s = summary_create(r, meta);
    const struct summary_service *x = &s->services[0];
    ck_assert_int_eq(s->fleet.verdict, OVERLOAD_YES);
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        ck_assert(isnan(x->latency_s[i].value) && isnan(x->latency_s[i].half_95));
    ck_assert(isnan(x->latency_mean_s.value) && isnan(x->latency_max_s));
    ck_assert(isnan(x->sla_latency_s.value));
    ck_assert_int_eq(x->sla, VERDICT_MISSED);
    ck_assert_double_gt(x->served_qps.value, 3500);
    ck_assert_double_lt(x->served_qps.value, x->offered_qps.value);
    double growth_qps = x->offered_qps.value - x->served_qps.value;
    ck_assert_double_eq_tol(x->queue_growth_qps.value, growth_qps, 1e-6);
    ck_assert_double_gt(s->groups[0].parts[PART_CPU].util_frac.value, 0.95);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// However far beyond capacity, what is served is what the cores do, and so are the queries per
// joule; what the queue grows by is the rest of what is offered. Behind a warm-up at three times
// capacity, no query that arrives is answered before the end.
START_TEST(throughput_beyond_capacity)
{
    const double loads[] = {1.1, 2, 3};
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        struct meta *meta = fixture_meta_one(1, 4); // of 1 ms, so 4000 queries per second
        struct record *r = queue(meta, loads[i], 40, 1, 7);
        r->shape.warmup_ns = record_bin_start_ns(&r->shape, 1);
        struct summary *s = summary_create(r, meta);
        const struct summary_service *x = &s->services[0];
        ck_assert_double_eq_tol(x->served_qps.value, 4000, 40);
        ck_assert_double_le(fabs(x->served_qps.value - 4000), 2 * x->served_qps.half_95);
        ck_assert_double_lt(x->served_qps.half_95, 60);
        ck_assert_double_eq_tol(x->items_per_s.value, 10 * x->served_qps.value, 1e-6);
        ck_assert_double_lt(x->goodput_qps.value, 0.1 * x->served_qps.value);
        ck_assert_double_eq_tol(x->queue_growth_qps.value, 4000 * (loads[i] - 1), 100);
        // A busy core draws a watt.
        ck_assert_double_eq_tol(s->fleet.queries_per_j.value, 1000, 10);
        ck_assert_double_eq_tol(s->groups[0].queries_per_j, s->fleet.queries_per_j.value, 1e-9);
        summary_destroy(s);
        record_destroy(r);
        meta_destroy(meta);
    }
}
END_TEST

// A quantile needs a query beyond it, and its interval needs twenty.
START_TEST(too_few_queries)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.2, 40, 0.1, 1); // about 800 queries
    struct summary *s = summary_create(r, meta);
    const struct summary_service *x = &s->services[0];
    ck_assert_uint_lt(x->n_queries, 1000);
    ck_assert(isnan(x->latency_s[4].value));    // p99.9
    ck_assert(!isnan(x->latency_s[3].value));   // p99
    ck_assert(isnan(x->latency_s[3].half_95));  // 8 queries beyond it
    ck_assert(!isnan(x->latency_s[0].half_95)); // p50
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Nothing arrived: all is n/a, nothing is garbage, and the target is not decided.
START_TEST(no_queries)
{
    struct meta *meta = fixture_meta();
    struct record_shape shape = fixture_shape(meta, 4, SIMTIME_S);
    struct record *r = record_create(&shape);
    struct summary *s = summary_create(r, meta);
    for (uint32_t i = 0; i <= 2; i++) {
        ck_assert(isnan(s->services[i].latency_mean_s.value));
        ck_assert(isnan(s->services[i].latency_s[0].value));
        ck_assert(isnan(s->services[i].latency_max_s));
        ck_assert_double_eq(s->services[i].offered_qps.value, 0);
    }
    ck_assert_int_eq(s->services[0].sla, VERDICT_UNSURE);
    ck_assert_int_eq(s->fleet.verdict, OVERLOAD_NO);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// A p99 of which no query is near: nothing is late, and with 500 queries or more that is enough. It
// decides although the quantile itself has no interval.
START_TEST(nothing_late_is_met)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.2, 40, 0.1, 1); // about 800 queries
    meta->services[0].sla_quantile = 0.99;
    aim_at(r, meta, 60 * SIMTIME_MS);
    struct summary *s = summary_create(r, meta);
    ck_assert_double_eq(s->services[0].late_frac.value, 0);
    ck_assert(isnan(s->services[0].sla_latency_s.half_95));
    ck_assert_int_eq(s->services[0].sla, VERDICT_MET);
    meta->services[0].sla_quantile = 0.999; // one of 1000 may be late: 800 cannot tell
    struct summary *strict = summary_create(r, meta);
    ck_assert_int_eq(strict->services[0].sla, VERDICT_UNSURE);
    summary_destroy(strict);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// M/M/1 at 95 %: 15 000 queries are 10 relaxation times. The numbers are there, their intervals are
// not, and a target is decided only when it is far off. A search sees the intervals. 900 000
// queries are 600 relaxation times: all intervals are given.
START_TEST(short_runs_give_no_interval)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.95, 60, 0.25, 1), *longer = queue(meta, 0.95, 60, 16, 3);
    struct summary *s = summary_create(r, meta), *search = summary_create_for_search(r, meta),
                   *all = summary_create(longer, meta);
    ck_assert_double_gt(s->fleet.relaxations, 3);
    ck_assert_double_lt(s->fleet.relaxations, 30);
    ck_assert_double_eq(s->fleet.relaxations, s->fleet.queue_relaxations);
    ck_assert(!summary_gives(&s->fleet, 0.5));
    const struct summary_service *x = &s->services[0], *y = &search->services[0];
    for (int i = 0; i <= SUMMARY_P99; i++) {
        ck_assert(isnan(x->latency_s[i].half_95) && x->latency_s[i].value > 0);
        ck_assert(y->latency_s[i].half_95 > 0 && y->latency_s[i].value == x->latency_s[i].value);
        ck_assert(all->services[0].latency_s[i].half_95 > 0);
    }
    ck_assert(isnan(x->latency_mean_s.half_95) && isnan(x->late_frac.half_95));
    ck_assert(!isnan(x->offered_qps.half_95)); // that needs no steady state of the queue
    summary_destroy(all);
    summary_destroy(search);
    summary_destroy(s);
    record_destroy(longer);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Four servers of their own, as behind a policy that does not look at them, are four queues.
START_TEST(queues_of_their_own)
{
    struct meta *meta = fixture_meta_one(4, 1);
    struct record *r = queue(meta, 0.5, 40, 5, 1);
    struct summary *s = summary_create(r, meta);
    meta->shares_load = true;
    struct summary *shared = summary_create(r, meta);
    ck_assert_double_eq_tol(s->fleet.queue_relaxations, s->fleet.relaxations / 4, 1e-9);
    ck_assert_double_eq(shared->fleet.queue_relaxations, shared->fleet.relaxations);
    summary_destroy(shared);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Services and paths are told apart; the total is their sum.
START_TEST(services_and_paths)
{
    struct meta *meta = fixture_meta();
    struct record *r = fixture_part(meta, 0, 1);
    struct summary *s = summary_create(r, meta);
    ck_assert_uint_eq(s->services[0].n_queries, 10000);
    ck_assert_uint_eq(s->services[1].n_queries, 10000);
    ck_assert_uint_eq(summary_total(s)->n_queries, 20000);
    ck_assert_double_eq_tol(summary_total(s)->offered_qps.value, 20000, 1e-6);
    ck_assert_double_eq_tol(summary_total(s)->accel_query_frac.value, 0.2, 1e-12);
    ck_assert_double_eq_tol(summary_total(s)->accel_item_frac.value, 0.2, 1e-12);
    // 10 bins of 7 J in each of two groups, and a microjoule per bin from the second's accelerator.
    ck_assert_double_eq_tol(s->fleet.energy_j, 140 + 10e-6, 1e-9);
    ck_assert_double_eq_tol(s->fleet.power_w.value, 140, 1e-4);
    ck_assert_double_eq_tol(s->groups[0].queries_per_j, 10000 / 70.0, 1e-4);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// The target is met, missed or undecided by the interval, not by the point.
START_TEST(target_by_interval)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.5, 40, 5, 1);
    const int64_t p95_ns = 5991465; // 2 ms * ln 20
    const struct {
        int64_t sla_ns;
        int32_t verdict;
    } cases[] = {{2 * p95_ns, VERDICT_MET},
                 {p95_ns, VERDICT_UNSURE},
                 {p95_ns / 2, VERDICT_MISSED},
                 {0, VERDICT_NOT_ASKED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        aim_at(r, meta, cases[i].sla_ns);
        struct summary *s = summary_create(r, meta);
        ck_assert_int_eq(s->services[0].sla, cases[i].verdict);
        summary_destroy(s);
    }
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Of every 100 queries of a bin, `n_late` are late and n_lost lost, and one of the last bin has no
// end yet. Latency is 10 ms, late ones take 30 ms. A warm-up bin has the same.
static struct record *losing(struct meta *meta, uint64_t n_late, uint64_t n_lost)
{
    struct record_shape shape = fixture_shape(meta, 21, 21 * SIMTIME_S);
    shape.warmup_ns = SIMTIME_S;
    meta->warmup_ns = SIMTIME_S;
    struct record *r = record_create(&shape);
    for (uint32_t bin = 0; bin < 21; bin++) {
        struct tally *t = record_tally(r, bin, 0, PATH_CPU);
        uint64_t each = 100, n = each * (100 - n_lost), late = each * n_late;
        t->n_queries = n;
        t->n_late = late;
        t->n_lost = each * n_lost;
        t->n_retries = 3;
        t->n_pending = bin == 20;
        t->n_in_flight = bin == 20 ? 2 : 0;
        t->n_completed = n - t->n_in_flight;
        t->n_completed_late = late;
        t->hist[hist_index(10 * SIMTIME_MS)] = (uint32_t)(n - late);
        t->hist[hist_index(30 * SIMTIME_MS)] = (uint32_t)late;
        t->latency_sum_ns = (n - late) * 10 * SIMTIME_MS + late * 30 * SIMTIME_MS;
        t->latency_max_ns = (late ? 30 : 10) * SIMTIME_MS;
        r->n_generated[0] += t->n_queries + t->n_lost + t->n_pending;
    }
    return r;
}

// Lost queries are counted, offered and late, but have no latency; the fates of the whole run add
// up, warm-up included.
START_TEST(losses_are_counted)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = losing(meta, 1, 2);
    struct summary *s = summary_create(r, meta);
    const struct summary_service *v = &s->services[0];
    ck_assert(summary_has_losses(s));
    ck_assert_uint_eq(v->n_queries, 20 * 9800);
    ck_assert_uint_eq(v->n_lost, 20 * 200);
    ck_assert_uint_eq(v->n_pending, 1);
    ck_assert_uint_eq(v->n_retries, 60);
    ck_assert_double_eq_tol(v->offered_qps.value, (20 * 10000 + 1) / 20.0, 1e-9);
    ck_assert_double_eq_tol(v->served_qps.value, (20 * 9800 - 2) / 20.0, 1e-9);
    ck_assert_double_eq_tol(v->goodput_qps.value, (20 * 9700 - 2) / 20.0, 1e-9);
    ck_assert_double_eq_tol(v->queue_growth_qps.value, 3 / 20.0, 1e-9);
    ck_assert_double_eq_tol(v->lost_frac.value, 4000.0 / 200001, 1e-12);
    ck_assert_double_eq_tol(v->late_frac.value, 0.03, 1e-12); // 1 late and 2 lost of 100
    ck_assert_double_lt(v->latency_s[2].value, 10.1e-3);      // p95 of those with an end
    ck_assert_uint_eq(v->n_run_generated, 21 * 10000 + 1);
    ck_assert_uint_eq(v->n_run_answered, 21 * 9800 - 2);
    ck_assert_uint_eq(v->n_run_lost, 21 * 200);
    ck_assert_uint_eq(v->n_run_in_flight, 3);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// A target of p95 at 25 ms: what is lost takes from the 5 % that may be late, and more lost than
// that misses it although none of the others is late.
START_TEST(losses_decide_the_target)
{
    const struct {
        uint64_t n_late, n_lost;
        int32_t verdict;
    } cases[] = {
        {4, 0, VERDICT_MET}, {2, 2, VERDICT_MET}, {4, 2, VERDICT_MISSED}, {0, 6, VERDICT_MISSED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct meta *meta = fixture_meta_one(1, 1);
        meta->services[0].sla_ns = 25 * SIMTIME_MS;
        struct record *r = losing(meta, cases[i].n_late, cases[i].n_lost);
        struct summary *s = summary_create(r, meta);
        ck_assert_int_eq(s->services[0].sla, cases[i].verdict);
        ck_assert_int_eq(summary_lost_target(&s->services[0]), cases[i].n_lost == 6);
        summary_destroy(s);
        record_destroy(r);
        meta_destroy(meta);
    }
}
END_TEST

// Equal latencies: no quantile is beyond the longest, though their bucket is wider than that, and a
// target of just that latency is met.
START_TEST(quantiles_end_at_the_maximum)
{
    const int64_t latency_ns = 1050001;
    struct meta *meta = fixture_meta_one(1, 1);
    meta->services[0].sla_ns = latency_ns;
    struct record_shape shape = fixture_shape(meta, 20, SIMTIME_S);
    struct record *r = record_create(&shape);
    for (uint32_t bin = 0; bin < 20; bin++) {
        struct tally *tally = record_tally(r, bin, 0, PATH_CPU);
        tally->n_queries = tally->hist[hist_index(latency_ns)] = 2000;
        tally->latency_sum_ns = 2000 * (uint64_t)latency_ns;
        tally->latency_sq_sum_ns2 = 2000 * (unsigned __int128)(latency_ns * latency_ns);
        tally->latency_max_ns = latency_ns;
    }
    ck_assert_int_gt(hist_upper_ns(hist_index(latency_ns)), latency_ns + 2);
    struct summary *s = summary_create(r, meta);
    for (int i = 0; i < SUMMARY_N_QUANTILES; i++)
        ck_assert_double_le(s->services[0].latency_s[i].value, s->services[0].latency_max_s);
    ck_assert_int_eq(s->services[0].sla, VERDICT_MET);
    summary_destroy(s);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// A slow start is detected and dropped when asked for; a given warm-up bin always is.
START_TEST(warmup_is_dropped)
{
    struct meta *meta = fixture_meta_one(1, 1);
    struct record *r = queue(meta, 0.5, 40, 1, 1);
    for (uint32_t bin = 0; bin < 5; bin++)
        record_tally(r, bin, 0, PATH_CPU)->latency_sum_ns /= 50;
    struct summary *kept = summary_create(r, meta);
    meta->warmup_auto = true;
    struct summary *dropped = summary_create(r, meta);
    ck_assert_uint_eq(kept->fleet.first_bin, 0);
    ck_assert_uint_ge(dropped->fleet.first_bin, 5);
    ck_assert_uint_lt(dropped->fleet.first_bin, 20);
    ck_assert_uint_eq(dropped->fleet.n_bins, 40 - dropped->fleet.first_bin);
    ck_assert_int_eq(dropped->fleet.from_ns, dropped->fleet.first_bin * SIMTIME_S);
    ck_assert_int_eq(dropped->fleet.settled, 1);
    summary_destroy(kept);
    summary_destroy(dropped);
    record_destroy(r);
    meta_destroy(meta);
}
END_TEST

// Every row of every table names a number with its unit, and no two share a name.
START_TEST(tables_are_complete)
{
    const struct data_field *const tables[] = {summary_service_fields, summary_component_fields,
                                               summary_group_fields, summary_fleet_fields};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (const struct data_field *f = tables[t]; f->name; f++) {
            ck_assert(f->units[0] && f->long_name[0]);
            for (const struct data_field *g = tables[t]; g != f; g++)
                ck_assert_str_ne(f->name, g->name);
        }
    }
}
END_TEST

int main(void)
{
    const struct suite_test tests[] = {
        {"core", mm1_in_closed_form},
        {"core", intervals_are_honest},
        {"core", services_and_paths},
        {"core", target_by_interval},
        {"core", warmup_is_dropped},
        {"core", losses_are_counted},
        {"core", losses_decide_the_target},
        {"core", tables_are_complete},
        {"core", nothing_late_is_met},
        {"core", short_runs_give_no_interval},
        {"core", queues_of_their_own},
        {"limits", quantiles_end_at_the_maximum},
        {"limits", too_few_queries},
        {"limits", overloaded_has_no_percentile},
        {"limits", throughput_beyond_capacity},
        {"errors", no_queries},
    };
    return suite_run("summary", tests, sizeof tests / sizeof *tests);
}
