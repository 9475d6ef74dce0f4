// SPDX-License-Identifier: Apache-2.0
#include "app/offer.h"

#include <math.h>
#include <string.h>

#include "app/demand.h"
#include "base/mem.h"
#include "base/simtime.h"

// Twenty batches of two (results/batch.h).
enum { OFFER_BINS = 40 };
#define WARMUP_PART 10 // of a run

_Static_assert((int)VERDICT_MET == (int)STAFFING_MET &&
                   (int)VERDICT_UNSURE == (int)STAFFING_UNSURE &&
                   (int)VERDICT_MISSED == (int)STAFFING_MISSED,
               "one is told as the other");

struct offer {
    struct ask *ask;
    struct study study;              // with the rates of a point
    struct service_config *services; // [n_services]
    double *peak_qps, *rates_qps;    // [n_services] with headroom; of a point
    double sum_qps, least_s;         // of the peaks; of a run
    bool own;                        // every service keeps its own process
};

// ---- creation -----------------------------------------------------------------------------------

static bool changes_over_day(const struct service_traffic *traffic)
{
    const char *process = arrival_types[traffic->arrivals.process]->name;
    return strcmp(process, "diurnal") == 0 || strcmp(process, "replay") == 0;
}

static int find_peaks(struct offer *offer, struct err *err)
{
    const struct study *study = offer->ask->study;
    uint32_t n = study_capacity_intervals(&study->capacity);
    struct forecast *day = mem_calloc(n, sizeof *day);
    int rc = 0;
    offer->own = true;
    for (uint32_t s = 0; rc == 0 && s < study->n_services; s++) {
        rc = ask_forecast(study, s, day, err);
        for (uint32_t i = 0; rc == 0 && i < n; i++)
            offer->peak_qps[s] = fmax(offer->peak_qps[s], day[i].peak_qps);
        offer->peak_qps[s] *= 1 + study->capacity.headroom_frac;
        offer->sum_qps += offer->peak_qps[s];
        offer->own &= !changes_over_day(&study->services[s].traffic);
    }
    mem_free(day);
    return rc;
}

struct offer *offer_create(struct ask *ask, struct err *err)
{
    const struct study *study = ask->study;
    struct offer *offer = mem_calloc(1, sizeof *offer);
    offer->ask = ask;
    offer->study = *study;
    offer->services = mem_calloc(study->n_services, sizeof *offer->services);
    offer->peak_qps = mem_calloc(study->n_services, sizeof *offer->peak_qps);
    offer->rates_qps = mem_calloc(study->n_services, sizeof *offer->rates_qps);
    offer->study.services = offer->services;
    offer->study.fleet.services = offer->services;
    for (size_t s = 0; s < study->n_services; s++) {
        offer->services[s] = study->services[s];
        offer->least_s =
            fmax(offer->least_s, OFFER_LEAST_TARGETS * simtime_to_s(study->services[s].sla_ns));
    }
    if (find_peaks(offer, err) == 0) {
        if (slice_check(study, !offer->own, err) == 0)
            return offer;
        err_prefix(err, "%s", study->path);
    }
    offer_destroy(offer);
    return NULL;
}

void offer_destroy(struct offer *offer)
{
    if (!offer)
        return;
    mem_free(offer->services);
    mem_free(offer->peak_qps);
    mem_free(offer->rates_qps);
    mem_free(offer);
}

double offer_qps(const struct offer *offer)
{
    return offer->sum_qps;
}

double offer_service_qps(const struct offer *offer, uint32_t service)
{
    return offer->peak_qps[service];
}

// ---- a measurement ------------------------------------------------------------------------------

static uint32_t pick_cells(const struct offer *offer, const struct offer_point *point)
{
    uint32_t of = point->fleet->n_cells;
    int64_t asked = offer->ask->study->capacity.cells;
    if (asked > 0)
        return asked < of ? (uint32_t)asked : of;
    double least = offer->sum_qps * point->scale * offer->least_s; // queries of all cells
    double part = (double)point->n_queries / least;
    return part >= 1 ? of : (uint32_t)fmax(1, ceil(part * of));
}

static struct slice make_slice(struct offer *offer, const struct offer_point *point,
                               const struct slice_fleet *fleet)
{
    struct slice slice = {.fleet = fleet, .number = point->stream, .n_bins = OFFER_BINS};
    slice.n_cells = pick_cells(offer, point);
    double rate = offer->sum_qps * point->scale * slice.n_cells / fleet->n_cells;
    double run_s = fmax((double)point->n_queries / rate, offer->least_s);
    slice.warmup_ns = simtime_from_s(run_s / WARMUP_PART);
    slice.length_ns = simtime_from_s(run_s) - slice.warmup_ns;
    for (size_t s = 0; s < offer->study.n_services; s++) {
        offer->rates_qps[s] = offer->peak_qps[s] * point->scale;
        offer->services[s].traffic.rate_qps = offer->rates_qps[s];
    }
    slice.rates_qps = offer->own ? NULL : offer->rates_qps;
    return slice;
}

static struct staffing_trial trial_of(const struct slice *slice, const struct slice_result *found)
{
    const struct measure_result *worst = &found->overall;
    struct staffing_trial trial = staffing_trial_none();
    uint64_t n = 0, n_lost = 0;
    for (uint32_t s = 0; s < found->n_services; s++) {
        n += found->services[s].n_queries;
        n_lost += found->services[s].n_lost;
    }
    trial.stable = found->stable;
    trial.sla = worst->sla;
    trial.p95_s = worst->p95_s;
    trial.p95_half_s = worst->p95_half_s;
    trial.p99_s = worst->p99_s;
    trial.p99_half_s = worst->p99_half_s;
    trial.late_frac = worst->late_frac;
    trial.late_half_frac = worst->late_half_frac;
    trial.lost_frac = n + n_lost > 0 ? (double)n_lost / (double)(n + n_lost) : (double)NAN;
    trial.util_frac = (double)found->cpu_busy_ns * 1e-9 / found->core_s;
    trial.power_w =
        (double)found->energy_uj * 1e-6 / simtime_to_s(slice->length_ns) / found->share_frac;
    trial.n_queries = n;
    return trial;
}

int offer_measure(struct offer *offer, const struct offer_point *point,
                  struct measure_result *result, struct staffing_trial *trial, struct err *err)
{
    struct slice_fleet fleet = *point->fleet;
    struct slice_result found;
    fleet.study = &offer->study;
    fleet.n_services = (uint32_t)offer->study.n_services;
    const struct slice slice = make_slice(offer, point, &fleet);
    if (slice_run(offer->ask->bench, &slice, 1, &found, err) < 0)
        return -1;
    *result = found.overall;
    *trial = trial_of(&slice, &found);
    offer->ask->n_queries += found.overall.n_queries;
    slice_release(&found, 1);
    return 0;
}

// ---- what cannot be -----------------------------------------------------------------------------

double offer_saturation_qps(const struct offer *offer, uint32_t type, const struct choice *choices,
                            uint32_t service)
{
    const struct study *study = offer->ask->study;
    const struct study_group *group = &study->groups[type];
    struct demand sum = {0, 0, 0, 0};
    bool all = service == study->n_services;
    for (uint32_t s = all ? 0 : service; s < (all ? study->n_services : service + 1); s++) {
        struct demand work =
            demand_by_choice(study, group, s, &choices[s], (uint32_t)group->platform.cores);
        double share = all ? offer->peak_qps[s] / offer->sum_qps : 1;
        sum.cpu_s += share * work.cpu_s;
        sum.load_s += share * work.load_s;
        sum.compute_s += share * work.compute_s;
    }
    return demand_saturation_qps(&group->platform, &sum);
}
