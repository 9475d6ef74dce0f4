// SPDX-License-Identifier: Apache-2.0
#include "live/live_find.h"

#include <math.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_results.h"
#include "live/live_simulate.h"
#include "traces/arrival.h"

#define SIMULATED_RUNS 16
#define START_LOAD 0.7      // of the first simulation
#define LEAST_QUERIES 100.0 // of the stream that says how much work a query is
#define APART 1.15          // between rates while only one end is known

struct search {
    MPI_Comm comm;
    struct study *study;
    const struct serve_config *config;
    struct live_find *find;
    double *rates_qps; // [n_services] at the factor 1
    double rate_qps;   // of all of them
};

// What is tried next between what held and what did not; 0, INFINITY: not known.
static double between(double held, double missed, double start)
{
    if (held == 0 && isinf(missed))
        return start;
    if (isinf(missed))
        return held * APART;
    return held == 0 ? missed / APART : (held + missed) / 2;
}

static void scale(struct search *search, double factor)
{
    for (size_t i = 0; i < search->study->n_services; i++)
        search->study->services[i].traffic.rate_qps = search->rates_qps[i] * factor;
}

static double ratio_of(const struct summary *summary)
{
    double worst = 0;
    if (summary->fleet.verdict == OVERLOAD_YES)
        return INFINITY;
    for (uint32_t i = 0; i < summary->n_services; i++) {
        const struct summary_service *service = &summary->services[i];
        if (service->sla_s > 0 && summary_lost_target(service))
            return INFINITY;
        if (service->sla_s > 0 && service->sla_latency_s.value > worst * service->sla_s)
            worst = service->sla_latency_s.value / service->sla_s;
    }
    return worst;
}

// The study as it is now, simulated on the arrivals of its plan.
static int simulate(struct search *search, const struct live_plan *plan, double *ratio,
                    struct err *err)
{
    struct live_results results;
    struct live_log *log = live_log_create(plan);
    for (size_t i = 0; i < plan->n_queries; i++) {
        log->queries[i].fate = LIVE_WAITING;
        log->queries[i].arrive_ns = plan->queries[i].arrive_ns;
    }
    int rc = live_results_simulate(search->comm, search->study, log, &results, err);
    if (rc == 0) {
        *ratio = ratio_of(results.summary);
        live_results_release(&results);
    }
    live_log_destroy(log);
    return rc;
}

static int run(struct search *search, const struct live_plan *plan, double *ratio, struct err *err)
{
    struct live_results results;
    struct serve_result result;
    if (serve_run(plan, search->config, &result, err) < 0)
        return -1;
    int rc = 0;
    search->find->stopped = result.stopped;
    if (!result.stopped)
        rc = live_results_make(search->study, result.log, result.end_ns, &results, err);
    if (!result.stopped && rc == 0) {
        *ratio = ratio_of(results.summary);
        live_results_release(&results);
    }
    serve_release(&result);
    return rc;
}

// One factor: simulated, and for real where `measured` is not NULL.
static int probe(struct search *search, double factor, double *measured, double *simulated,
                 struct err *err)
{
    scale(search, factor);
    struct live_plan *plan = live_plan_create(search->study, err);
    int rc = plan ? simulate(search, plan, simulated, err) : -1;
    if (rc == 0 && measured)
        rc = run(search, plan, measured, err);
    live_plan_destroy(plan);
    scale(search, 1);
    return rc;
}

static int find_simulated(struct search *search, double start, struct err *err)
{
    struct live_find *find = search->find;
    double held = 0, missed = INFINITY, ratio = 0;
    for (int i = 0; i < SIMULATED_RUNS; i++) {
        double factor = between(held, missed, start);
        if (probe(search, factor, NULL, &ratio, err) < 0)
            return -1;
        *(ratio <= 1 ? &held : &missed) = factor;
    }
    find->simulated_held_qps = held * search->rate_qps;
    find->simulated_missed_qps = missed * search->rate_qps;
    return 0;
}

static int find_real(struct search *search, uint32_t n_runs, double start, struct err *err)
{
    struct live_find *find = search->find;
    double held = 0, missed = INFINITY;
    while (find->n_steps < n_runs) {
        double factor = between(held, missed, start), measured = 0, simulated = 0;
        if (probe(search, factor, &measured, &simulated, err) < 0)
            return -1;
        if (find->stopped)
            break;
        find->steps[find->n_steps++] =
            (struct live_find_step){factor * search->rate_qps, measured, simulated};
        *(measured <= 1 ? &held : &missed) = factor;
    }
    find->held_qps = held * search->rate_qps;
    find->missed_qps = missed * search->rate_qps;
    return 0;
}

static int check(const struct study *study, double *rate_qps, struct err *err)
{
    bool any = false;
    *rate_qps = 0;
    for (size_t i = 0; i < study->n_services; i++) {
        const struct service_config *service = &study->services[i];
        any = any || service->sla_ns > 0;
        *rate_qps += service->traffic.rate_qps;
        if (arrival_types[service->traffic.arrivals.process]->carries_rate)
            return err_set(err, ERR_STUDY,
                           "%s: service %s: its arrivals come from a trace, and rates are what is "
                           "looked for",
                           study->path, service->name);
    }
    return any ? 0
               : err_set(err, ERR_STUDY,
                         "%s: traffic: no service has a target; expected sla such as {p95: 25ms}",
                         study->path);
}

// A factor that is some way below what the server can do. The work of a query is that of the
// study's queries at a rate at which there are some: its own may bring none.
static int start_factor(struct search *search, double *start, struct err *err)
{
    double duration_ns = (double)search->study->settings.duration_ns, work_ns = 0;
    double n_expected = search->rate_qps * duration_ns / SIMTIME_S;
    double factor = n_expected < LEAST_QUERIES ? LEAST_QUERIES / n_expected : 1;
    scale(search, factor);
    struct live_plan *plan = live_plan_create(search->study, err);
    scale(search, 1);
    if (!plan)
        return -1;
    for (size_t i = 0; i < plan->n_queries; i++) {
        const struct query *query = &plan->queries[i];
        work_ns += (double)plan->tabs[query->service]->work_ns[query->size_items];
    }
    double load = work_ns / (duration_ns * plan->n_workers);
    *start = load > 0 ? factor * START_LOAD / load : factor;
    live_plan_destroy(plan);
    return 0;
}

int live_find(MPI_Comm comm, struct study *study, const struct serve_config *config,
              uint32_t n_runs, struct live_find *find, struct err *err)
{
    struct search search = {.comm = comm, .study = study, .config = config, .find = find};
    double start = 1;
    *find = (struct live_find){.n_steps = 0};
    if (check(study, &search.rate_qps, err) < 0)
        return -1;
    search.rates_qps = mem_calloc(study->n_services, sizeof *search.rates_qps);
    for (size_t i = 0; i < study->n_services; i++)
        search.rates_qps[i] = study->services[i].traffic.rate_qps;
    int rc = start_factor(&search, &start, err);
    if (rc == 0)
        rc = find_simulated(&search, start, err);
    if (rc == 0) // where the simulation held nothing, below all that it missed
        start = (find->simulated_held_qps > 0 ? find->simulated_held_qps
                                              : find->simulated_missed_qps / APART) /
                search.rate_qps;
    if (rc == 0)
        rc = find_real(&search, n_runs, start, err);
    mem_free(search.rates_qps);
    return rc;
}
