// SPDX-License-Identifier: Apache-2.0
#include "capacity/day.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "cluster/slow.h"
#include "study/study_traffic.h"

// Numbers of slices: bits 0..47 the piece, bit 48 set, then the plan's number.
#define NUMBER_BIT 48
#define NUMBER_SHIFT 49
// The entity of RNG_SLICE that draws a piece's place, by the slice's number.
#define ENTITY_PLACE 2
#define MAX_PIECES 4096 // of a stratum
enum { PILOT, ANSWER };

enum {
    LEAST_PIECES = 4,   // of a stratum: three degrees of freedom each
    MOST_PARTS = 8,     // that a given number of cells is cut into
    PIECE_SERVERS = 64, // so many servers, or more, are worth a simulation of their own
    PIECE_BINS = 10,
    PILOT_QUERIES = 4000 // of the rarest service in an interval, if that takes no more than
};
// Windows of the pilot over its warm-up: at least, and at most where queries are rare.
#define PILOT_LEAST 0.25
#define PILOT_MOST 10
#define TARGETS 20       // warm-up over the longest target
#define SERVICE_TIMES 10 // over the longest service time
#define MEMORIES 10      // over the time in which a queue forgets
#define MOST_WARMUP 20   // times what targets and service times ask for
// The sample is larger than the pilot says, because the pilot is a guess of few degrees of freedom.
#define SAFETY 2.0
#define LONGEST_STRETCH 64 // window over the pilot's
#define PILOT_FRAC 0.1     // of the work, told before it is known

static const struct study_capacity *settings_of_day(const struct day_plan *plan)
{
    return &plan->fleets[0].study->capacity;
}

// ---- how long it takes to forget an empty beginning ---------------------------------------------

// Seconds that the largest query takes on an idle server of the group.
static double longest_s(const struct fleet_variant *fleet, uint32_t g, uint32_t s)
{
    const struct study *study = fleet->study;
    const struct cost *cost = study->groups[g].costs[s];
    struct dispatch_config split =
        sched_needs(fleet->choices ? &fleet->choices[(size_t)g * study->n_services + s]
                                   : &study->group_configs[g].settings[s]);
    int64_t most = study_traffic_largest_items(study, s), cores = study->groups[g].platform.cores;
    if (split.offload_items > 0 && most >= split.offload_items && cost_has_accel(cost))
        return slow_worst(&study->groups[g].slow) * (cost_accel_load_s(cost, (uint32_t)most) +
                                                     cost_accel_compute_s(cost, (uint32_t)most));
    int64_t batch = split.batch_items < most ? split.batch_items : most;
    cores = fleet->n_cores > 0 ? fleet->n_cores : cores;
    int64_t rounds = ((most + batch - 1) / batch + cores - 1) / cores;
    return slow_worst(&study->groups[g].slow) * (double)rounds *
           cost_cpu_s(cost, (uint32_t)batch, (uint32_t)cores);
}

// A piece begins empty, the day does not: what it must forget is a queue, which a target bounds
// where it is met; a query that takes long; and news that is still on its way.
static double least_warmup_s(const struct day_plan *plan, uint32_t n_intervals)
{
    const struct study *study = plan->fleets[0].study;
    double warmup_s = 0;
    for (uint32_t h = 0; h < n_intervals; h++)
        for (uint32_t i = 0; i < plan->fleets[h].n_services; i++) {
            uint32_t s = sample_fleet_service_at(&plan->fleets[h], i);
            warmup_s = fmax(warmup_s, TARGETS * simtime_to_s(study->services[s].sla_ns));
            for (uint32_t g = 0; g < study->n_groups; g++)
                if (plan->fleets[h].n_servers[g] > 0)
                    warmup_s = fmax(warmup_s, SERVICE_TIMES * longest_s(&plan->fleets[h], g, s));
        }
    const struct balancer_config *balancer = &study->balancer;
    return warmup_s + simtime_to_s(balancer->dispatch_delay_ns + balancer->return_delay_ns +
                                   balancer->status_delay_ns + balancer->report_period_ns);
}

// The relaxation time of an M/M/k queue is about that of an M/M/1 queue k times as fast,
// (s / k) / (1 - sqrt(rho))^2 (Cohen, The Single Server Queue, 1982, section III.7.3): s the work
// of a query, k the units of a server, rho their utilisation.
static double memory_s(double busy_s, double unit_s, double n_units, double n_queries)
{
    if (!(n_queries > 0) || !(unit_s > 0) || !(busy_s > 0))
        return 0;
    double rho = fmin(busy_s / unit_s, 0.995), idle = 1 - sqrt(rho);
    return busy_s / n_queries / n_units / (idle * idle);
}

// Units of the smallest server of the fleet that has any.
static double units_of(const struct fleet_variant *fleet, bool accel)
{
    double least = INFINITY;
    for (uint32_t g = 0; g < fleet->study->n_groups; g++) {
        const struct platform *platform = &fleet->study->groups[g].platform;
        if (fleet->n_servers[g] == 0 || (accel && !platform->has_accelerator))
            continue;
        double cores = fleet->n_cores > 0 ? fleet->n_cores : (double)platform->cores;
        least = fmin(least, accel ? (double)platform->accelerator.streams : cores);
    }
    return least;
}

// Of the slowest interval to forget, by the pilot. A server is a queue of its own, so the smallest
// of them, whose few units drain most slowly, counts for all.
static double longest_memory_s(const struct day_plan *plan,
                               const struct day_estimate_design *design,
                               const struct slice_result *results)
{
    double longest = 0;
    for (uint32_t h = 0; h < design->n_intervals; h++) {
        double cpu_s = 0, core_s = 0, accel_s = 0, stream_s = 0, n_queries = 0;
        for (uint32_t i = 0; i < design->n_strata * design->n_pieces[h]; i++, results++) {
            cpu_s += (double)results->cpu_busy_ns * 1e-9;
            core_s += results->core_s;
            accel_s += (double)results->accel_busy_ns * 1e-9;
            stream_s += results->stream_s;
            for (uint32_t s = 0; s < results->n_services; s++)
                n_queries += (double)results->services[s].n_queries;
        }
        const struct fleet_variant *fleet = &plan->fleets[h];
        longest = fmax(longest, memory_s(cpu_s, core_s, units_of(fleet, false), n_queries));
        longest = fmax(longest, memory_s(accel_s, stream_s, units_of(fleet, true), n_queries));
    }
    return longest;
}

// ---- the pilot's design -------------------------------------------------------------------------

// Cells of a piece and pieces of a stratum, given or for a pilot. Many small pieces say more of how
// cells and moments differ than few large ones, but each pays for a warm-up.
static void cut_cells(const struct day_plan *plan, uint32_t h, struct day_estimate_design *design)
{
    const struct fleet_variant *fleet = &plan->fleets[h];
    uint64_t n_servers = 0;
    for (uint32_t g = 0; g < fleet->study->n_groups; g++)
        n_servers += fleet->n_servers[g];
    uint64_t of = n_servers < fleet->n_cells ? n_servers : fleet->n_cells;
    uint64_t cells = of > 0 ? (PIECE_SERVERS * of + n_servers - 1) / n_servers : 1;
    uint64_t parts = LEAST_PIECES, asked = (uint64_t)settings_of_day(plan)->cells;
    if (asked > 0) {
        parts = asked < MOST_PARTS ? asked : MOST_PARTS;
        cells = asked / parts;
    }
    cells = cells > of ? of : cells;
    design->n_pieces[h] = of > 0 ? (uint32_t)parts : 1;
    design->cells[h] = cells > 0 ? (uint32_t)cells : 1;
    design->cells_frac[h] = of > 0 ? (double)design->cells[h] / (double)of : 1;
}

static double stratum_s(const struct day_estimate_design *design)
{
    return design->interval_s / design->n_strata;
}

// Mean rate of a service over the whole fleet and day.
static double rate_qps(const struct day_plan *plan, uint32_t h, uint32_t i)
{
    const struct fleet_variant *fleet = &plan->fleets[h];
    if (plan->rates_qps)
        return plan->rates_qps[(size_t)h * fleet->n_services + i];
    return fleet->study->services[sample_fleet_service_at(fleet, i)].traffic.rate_qps;
}

// A window in which the rarest service of an interval has queries enough for a guess.
static double pilot_window_s(const struct day_plan *plan, const struct day_estimate_design *design)
{
    double window_s = PILOT_LEAST * design->warmup_s;
    for (uint32_t h = 0; h < design->n_intervals; h++)
        for (uint32_t i = 0; i < plan->fleets[h].n_services; i++) {
            double qps = rate_qps(plan, h, i) * design->cells_frac[h] * design->n_strata *
                         design->n_pieces[h];
            if (qps > 0)
                window_s = fmax(window_s, PILOT_QUERIES / qps);
        }
    return fmin(window_s, PILOT_MOST * design->warmup_s);
}

static struct day_estimate_design first_design(const struct day_plan *plan)
{
    const struct study_capacity *capacity = settings_of_day(plan);
    uint32_t n = study_capacity_intervals(capacity);
    struct day_estimate_design design = {.n_intervals = n,
                                         .n_strata = (uint32_t)capacity->windows,
                                         .interval_s = capacity->day_s / n,
                                         .n_pieces = mem_calloc(n, sizeof(uint32_t)),
                                         .cells = mem_calloc(n, sizeof(uint32_t)),
                                         .cells_frac = mem_calloc(n, sizeof(double))};
    for (uint32_t h = 0; h < n; h++)
        cut_cells(plan, h, &design);
    design.warmup_s = capacity->warmup_s > 0 ? capacity->warmup_s : least_warmup_s(plan, n);
    design.window_s = capacity->window_s > 0 ? capacity->window_s : pilot_window_s(plan, &design);
    design.window_s = fmin(design.window_s, stratum_s(&design));
    return design;
}

// ---- simulating a design ------------------------------------------------------------------------

static struct slice piece_of(const struct day_plan *plan, const struct day_estimate_design *design,
                             uint32_t h, uint32_t stratum, uint64_t number)
{
    const struct fleet_variant *fleet = &plan->fleets[h];
    const struct rng_stream stream =
        rng_stream(fleet->study->settings.seed, RNG_SLICE, ENTITY_PLACE);
    uint64_t words[2];
    rng_block(&stream, number, words);
    double from_s = ((double)h * design->n_strata + stratum) * stratum_s(design);
    double at_s = from_s + rng_u01(words[0]) * (stratum_s(design) - design->window_s);
    int64_t length_ns = simtime_from_s(design->window_s);
    return (struct slice){
        .fleet = fleet,
        .number = number,
        .n_cells = design->cells[h],
        .rates_qps = plan->rates_qps ? plan->rates_qps + (size_t)h * fleet->n_services : NULL,
        .start_s = at_s - design->warmup_s,
        .warmup_ns = simtime_from_s(design->warmup_s),
        .length_ns = length_ns > PIECE_BINS ? length_ns : PIECE_BINS,
        .n_bins = PIECE_BINS};
}

// The results of all pieces in their order; NULL on error. Caller releases and frees.
static struct slice_result *simulate(struct sample_bench *bench, const struct day_plan *plan,
                                     const struct day_estimate_design *design, int phase,
                                     struct err *err)
{
    size_t n = day_estimate_n_pieces(design), i = 0;
    struct slice *slices = mem_calloc(n, sizeof *slices);
    struct slice_result *results = mem_calloc(n, sizeof *results);
    // Numbers do not depend on how many pieces there are, so that days of one number share what
    // they can.
    uint64_t day = plan->number << NUMBER_SHIFT | UINT64_C(1) << NUMBER_BIT;
    uint64_t place = (uint64_t)phase * design->n_intervals * design->n_strata;
    for (uint32_t h = 0; h < design->n_intervals; h++)
        for (uint32_t s = 0; s < design->n_strata; s++, place++)
            for (uint32_t p = 0; p < design->n_pieces[h]; p++)
                slices[i++] = piece_of(plan, design, h, s, day | (place * MAX_PIECES + p));
    int rc = sample_run(bench, slices, n, results, err);
    mem_free(slices);
    if (rc == 0)
        return results;
    mem_free(results);
    return NULL;
}

static struct capacity_sample sample_of(const struct day_estimate_design *design,
                                        const struct day_estimate_rows *rows)
{
    double cells = 0, of_cells = 0;
    for (uint32_t h = 0; h < design->n_intervals; h++) {
        cells += (double)design->cells[h] * design->n_pieces[h] / design->n_intervals;
        of_cells += design->cells[h] / design->cells_frac[h] / design->n_intervals;
    }
    return (struct capacity_sample){.n_cells = (uint32_t)lround(cells),
                                    .of_cells = (uint32_t)lround(of_cells),
                                    .n_windows = design->n_strata,
                                    .window_s = design->window_s,
                                    .window_most_s = design->window_s,
                                    .warmup_s = design->warmup_s,
                                    .warmup_most_s = design->warmup_s,
                                    .interval_s = design->interval_s,
                                    .n_queries = rows->n_queries,
                                    .of_queries = rows->of_queries};
}

// ---- what the pilot asks for --------------------------------------------------------------------

// How many times the pilot's pieces an interval needs for its service, by that service's row.
static double need_of(const struct measurement *trial, double accuracy_frac)
{
    double above = 0.05 * (double)trial->n_queries;
    if (isnan(trial->p95_s.value) && (trial->stable == VERDICT_MISSED || trial->n_queries == 0))
        return 0; // nothing that more of it would tell
    if (isnan(trial->p95_s.half_95))
        return fmax(4, 200 / above);
    double ratio = trial->p95_s.half_95 / trial->p95_s.value / accuracy_frac;
    return ratio * ratio;
}

// Pieces of interval h for that many seconds of windows per stratum.
static uint32_t pieces_for(const struct day_plan *plan, const struct day_estimate_design *design,
                           uint32_t h, double seconds, double window_s)
{
    if (settings_of_day(plan)->cells > 0)
        return design->n_pieces[h];
    double n = fmin(fmax(ceil(seconds / window_s), LEAST_PIECES), MAX_PIECES);
    return (uint32_t)n;
}

// Pieces are whole, so a longer window may ask for more than it needs: the cost is counted, not
// derived. What windows of that length would cost to simulate, in seconds of pieces.
static double cost_of(const struct day_plan *plan, const struct day_estimate_design *design,
                      const double *seconds, double window_s)
{
    double cost = 0;
    for (uint32_t h = 0; h < design->n_intervals; h++)
        cost += pieces_for(plan, design, h, seconds[h], window_s) * (window_s + design->warmup_s);
    return cost;
}

// Longer windows waste less on warm-ups, shorter ones make more pieces.
static double choose_window_s(const struct day_plan *plan, const struct day_estimate_design *design,
                              const double *seconds)
{
    double best_s = design->window_s, most = 0;
    if (settings_of_day(plan)->window_s > 0)
        return design->window_s;
    for (uint32_t h = 0; h < design->n_intervals; h++)
        most = fmax(most, seconds[h] / design->n_pieces[h]);
    if (settings_of_day(plan)->cells > 0) // nothing but the window is free
        return fmin(fmax(most, design->window_s), stratum_s(design));
    for (double stretch = 1; stretch <= LONGEST_STRETCH; stretch *= 2) {
        double window_s = fmin(stretch * design->window_s, stratum_s(design));
        if (cost_of(plan, design, seconds, window_s) < cost_of(plan, design, seconds, best_s))
            best_s = window_s;
    }
    return best_s;
}

static void revise(const struct day_plan *plan, struct day_estimate_design *design,
                   const struct slice_result *results, const struct day_estimate_rows *pilot)
{
    uint32_t n = design->n_intervals;
    double *needs = mem_calloc(n, sizeof *needs), *seconds = mem_calloc(n, sizeof *seconds);
    for (uint32_t h = 0; h < n; h++)
        for (uint32_t s = 0; s < plan->fleets[h].n_services; s++)
            needs[h] = fmax(needs[h], need_of(&pilot->trials[(size_t)h * pilot->stride + s],
                                              plan->accuracy_frac));
    // No less than the neighbours' mean, since a single guess may be too good.
    for (uint32_t h = 0; h < n; h++) {
        double mean = (needs[(h + n - 1) % n] + needs[h] + needs[(h + 1) % n]) / 3;
        seconds[h] = SAFETY * fmax(needs[h], mean);
        seconds[h] *= design->n_pieces[h] * design->window_s;
    }
    if (!(settings_of_day(plan)->warmup_s > 0))
        design->warmup_s =
            fmin(fmax(design->warmup_s, MEMORIES * longest_memory_s(plan, design, results)),
                 MOST_WARMUP * design->warmup_s);
    design->window_s = choose_window_s(plan, design, seconds);
    for (uint32_t h = 0; h < n; h++)
        design->n_pieces[h] = pieces_for(plan, design, h, seconds[h], design->window_s);
    mem_free(needs);
    mem_free(seconds);
}

// ---- the day ------------------------------------------------------------------------------------

static int run_design(struct sample_bench *bench, const struct day_plan *plan,
                      struct day_estimate_design *design, int phase, struct day_result *result,
                      struct err *err)
{
    size_t n = day_estimate_n_pieces(design);
    struct slice_result *results = simulate(bench, plan, design, phase, err);
    if (!results)
        return -1;
    day_estimate_fill(design, &plan->fleets[0], results, &result->rows);
    result->sample = sample_of(design, &result->rows);
    for (size_t i = 0; i < n; i++)
        result->n_simulated += results[i].overall.n_queries;
    if (phase == PILOT)
        revise(plan, design, results, &result->rows);
    sample_release(results, n);
    mem_free(results);
    return 0;
}

int day_run(struct sample_bench *bench, const struct day_plan *plan, struct day_result *result,
            struct err *err)
{
    const struct study_capacity *capacity = settings_of_day(plan);
    struct day_estimate_design design = first_design(plan);
    bool fixed = capacity->cells > 0 && capacity->window_s > 0 && capacity->warmup_s > 0;
    int rc = 0;
    assert(design.n_intervals > 0 && design.n_strata > 0 && design.interval_s > 0);
    result->n_simulated = 0;
    bool pilot = plan->accuracy_frac > 0 && !fixed;
    sample_share(bench, 0, PILOT_FRAC);
    if (pilot)
        rc = run_design(bench, plan, &design, PILOT, result, err);
    sample_share(bench, pilot ? PILOT_FRAC : 0, 1);
    if (rc == 0)
        rc = run_design(bench, plan, &design, ANSWER, result, err);
    mem_free(design.n_pieces);
    mem_free(design.cells);
    mem_free(design.cells_frac);
    return rc;
}
