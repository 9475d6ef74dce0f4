// SPDX-License-Identifier: Apache-2.0
// How many queries are lost to crashes, against the two-state Markov chain of a server.
//
// A server is up for exponential times of mean MTBF and down for such of mean MTTR, so it is down
// for u = MTTR / (MTBF + MTTR) of the time, and one that was up is down after a time d with
// probability (see for instance Ross, Introduction to Probability Models, section 6.4)
//
//     late = u (1 - exp(-d (1 / MTBF + 1 / MTTR)))
//
// A balancer that hears of crashes and recoveries after d and picks any server that it holds to be
// up loses that fraction at the door. Of what gets in, a service time s is interrupted with
// probability 1 - exp(-s / MTBF). Servers have cores enough that nothing waits.
#include <math.h>
#include <stdio.h>

#include "base/simtime.h"
#include "cluster/fixture.h"
#include "cluster/run.h"
#include "support/suite_mpi.h"

enum { N_SERVERS = 1000, N_CORES = 16 };
#define MTBF_S 1.0
#define MTTR_S 0.25
#define DOWN_FRAC (MTTR_S / (MTBF_S + MTTR_S))
#define N_CRASHES (N_SERVERS * DURATION_S / (MTBF_S + MTTR_S))
#define DURATION_S 50
#define RATE_QPS 20000.0 // at most 20 queries/s and server: 16 cores are never all busy

static struct record *run(double service_s, int64_t detect_ns, int64_t retries)
{
    struct fixture fixture;
    struct run_options options = {.layout = LAYOUT_AUTO};
    struct run_cost cost;
    struct err err = {0};
    fixture_init(&fixture, 1, 1);
    fixture.config.duration_ns = DURATION_S * SIMTIME_S;
    fixture.config.sample_frac = 0;
    fixture.config.balancer.status_delay_ns = SIMTIME_MS; // windows of some 20 queries
    fixture.config.outages = (struct outage_config){
        .mtbf_s = MTBF_S, .mttr_s = MTTR_S, .detect_delay_ns = detect_ns, .retries = retries};
    fixture.services[0].traffic.rate_qps = RATE_QPS;
    fixture.services[0].traffic.sizes =
        (struct size_config){.distribution = qsize_find("fixed"), .items = 1, .max_items = 1};
    fixture.groups[0].n_servers = N_SERVERS;
    fixture.platforms[0].cores = N_CORES;
    fixture.cost_configs[0].fixed_s = service_s;
    fixture.cost_configs[0].per_item_s = 0;
    fixture_ready(&fixture);
    struct record *record = fixture_record(&fixture, 1, 0);
    int rc = run_fleet(MPI_COMM_WORLD, &fixture.config, &options, record, &cost, &err);
    fixture_release(&fixture);
    ck_assert_msg(rc == 0, "%s", err.text);
    return record;
}

static double late_frac(double detect_s)
{
    return DOWN_FRAC * (1 - exp(-detect_s * (1 / MTBF_S + 1 / MTTR_S)));
}

// The count must be within four standard deviations. Queries are lost crash by crash: what a crash
// loses has a coefficient of variation below 1, and how many there are is at most Poisson, so the
// relative variance is below 2 / crashes + 1 / lost.
static void check(const char *what, uint64_t n_seen, double n_expected)
{
    double sd_frac = sqrt(2 / N_CRASHES + 1 / n_expected);
    printf("%s: theory %.0f, run %llu: off by %+.2f %%, allowed %.2f %%\n", what, n_expected,
           (unsigned long long)n_seen, 100 * ((double)n_seen / n_expected - 1), 400 * sd_frac);
    ck_assert_double_lt(fabs((double)n_seen / n_expected - 1), 4 * sd_frac);
}

// ---- core ---------------------------------------------------------------------------------------

// Short services: queries are lost between a crash and its detection.
START_TEST(undetected)
{
    static const double detect_s[] = {0.01, 0.1, 1};
    for (int i = 0; i < 3; i++) {
        struct record *record = run(10e-6, (int64_t)(detect_s[i] * SIMTIME_S), 0);
        struct record_fates fates = record_fates(record, 0);
        char what[80];
        snprintf(what, sizeof what, "lost, crashes detected after %g s", detect_s[i]);
        check(what, fates.n_lost, (double)fates.n_generated * late_frac(detect_s[i]));
        record_destroy(record);
    }
}
END_TEST

// Instant detection: what is lost is what was being served.
START_TEST(interrupted)
{
    double service_s = 0.05;
    struct record *record = run(service_s, 0, 0);
    struct record_fates fates = record_fates(record, 0);
    check("lost in service", fates.n_lost,
          (double)fates.n_generated * (1 - exp(-service_s / MTBF_S)));
    record_destroy(record);
}
END_TEST

// A query is tried again at once on any server held to be up: on the same with probability 1 / (all
// held to be up), where it is lost again, or on another, whose state is its own.
START_TEST(tried_again)
{
    double lost_frac = late_frac(0.1), same_frac = 1 / (N_SERVERS * (1 - DOWN_FRAC));
    struct record *record = run(10e-6, SIMTIME_S / 10, 1);
    struct record_fates fates = record_fates(record, 0);
    uint64_t n_retries = 0;
    for (int path = 0; path < N_PATHS; path++)
        n_retries += record_tally(record, 0, 0, (enum record_path)path)->n_retries;
    double n = (double)fates.n_generated;
    check("tried again", n_retries, n * lost_frac);
    check("lost at the second attempt", fates.n_lost,
          n * lost_frac * (same_frac + (1 - same_frac) * lost_frac));
    record_destroy(record);
}
END_TEST

int main(int argc, char **argv)
{
    const struct suite_test tests[] = {
        {"core", undetected}, {"core", interrupted}, {"core", tried_again}};
    return suite_mpi_run(&argc, &argv, "losses", tests, sizeof tests / sizeof *tests);
}
