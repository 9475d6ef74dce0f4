// SPDX-License-Identifier: Apache-2.0
#include "capacity/peak_load.h"

#include <math.h>

#include "runs/demand.h"
#include "base/mem.h"
#include "base/simtime.h"

// Twenty batches of two (results/batch.h).
enum { PEAK_LOAD_BINS = 40 };
#define WARMUP_PART 10 // of a run

struct peak_load {
    struct capacity_context *context;
    struct study study;              // with the rates of a point
    struct service_config *services; // [n_services]
    double *peak_qps, *rates_qps;    // [n_services] with headroom; of a point
    double sum_qps, least_s;         // of the peaks; of a run
};

// ---- creation -----------------------------------------------------------------------------------

static int find_peaks(struct peak_load *peak, struct err *err)
{
    const struct study *study = peak->context->study;
    size_t n = study->n_services, n_rows = study_capacity_intervals(&study->capacity) * n;
    struct capacity_demand *demand = mem_calloc(n_rows, sizeof *demand);
    int rc = capacity_context_forecast(study, demand, err);
    for (size_t i = 0; i < n_rows; i++) // [interval][service]
        peak->peak_qps[i % n] = fmax(peak->peak_qps[i % n], demand[i].peak_qps);
    mem_free(demand);
    for (size_t s = 0; s < n; s++) {
        peak->peak_qps[s] *= 1 + study->capacity.headroom_frac;
        peak->sum_qps += peak->peak_qps[s];
    }
    return rc;
}

struct peak_load *peak_load_create(struct capacity_context *context, struct err *err)
{
    const struct study *study = context->study;
    struct peak_load *peak = mem_calloc(1, sizeof *peak);
    peak->context = context;
    peak->study = *study;
    peak->services = mem_calloc(study->n_services, sizeof *peak->services);
    peak->peak_qps = mem_calloc(study->n_services, sizeof *peak->peak_qps);
    peak->rates_qps = mem_calloc(study->n_services, sizeof *peak->rates_qps);
    peak->study.services = peak->services;
    peak->study.fleet.services = peak->services;
    for (size_t s = 0; s < study->n_services; s++) {
        peak->services[s] = study->services[s];
        peak->least_s =
            fmax(peak->least_s, PEAK_LOAD_LEAST_TARGETS * simtime_to_s(study->services[s].sla_ns));
    }
    if (find_peaks(peak, err) == 0) {
        if (sample_check(study, err) == 0)
            return peak;
        err_prefix(err, "%s", study->path);
    }
    peak_load_destroy(peak);
    return NULL;
}

void peak_load_destroy(struct peak_load *peak)
{
    if (!peak)
        return;
    mem_free(peak->services);
    mem_free(peak->peak_qps);
    mem_free(peak->rates_qps);
    mem_free(peak);
}

double peak_load_qps(const struct peak_load *peak)
{
    return peak->sum_qps;
}

double peak_load_service_qps(const struct peak_load *peak, uint32_t service)
{
    return peak->peak_qps[service];
}

// ---- a measurement ------------------------------------------------------------------------------

// Few queries over all cells would be a run too short for a queue to show what it does, so they are
// given to fewer cells for longer. Cells are alike and share nothing; which ones they are is drawn.
static uint32_t pick_cells(const struct peak_load *peak, const struct peak_load_point *point)
{
    uint32_t of = point->fleet->n_cells;
    int64_t asked = peak->context->study->capacity.cells;
    if (asked > 0)
        return asked < of ? (uint32_t)asked : of;
    double least = peak->sum_qps * point->scale * peak->least_s; // queries of all cells
    double part = (double)point->n_queries / least;
    return part >= 1 ? of : (uint32_t)fmax(1, ceil(part * of));
}

static struct slice make_slice(struct peak_load *peak, const struct peak_load_point *point,
                               const struct fleet_variant *fleet)
{
    struct slice slice = {
        .fleet = fleet, .number = point->stream, .n_bins = PEAK_LOAD_BINS, .by_service = true};
    slice.n_cells = pick_cells(peak, point);
    double rate = peak->sum_qps * point->scale * slice.n_cells / fleet->n_cells;
    double run_s = fmax((double)point->n_queries / rate, peak->least_s);
    slice.warmup_ns = simtime_from_s(run_s / WARMUP_PART);
    slice.length_ns = simtime_from_s(run_s) - slice.warmup_ns;
    for (size_t s = 0; s < peak->study.n_services; s++) {
        peak->rates_qps[s] = peak->peak_qps[s] * point->scale;
        peak->services[s].traffic.rate_qps = peak->rates_qps[s];
    }
    slice.rates_qps = peak->rates_qps;
    return slice;
}

int peak_load_measure(struct peak_load *peak, const struct peak_load_point *point,
                      struct measurement *result, struct peak_load_trial *trial, struct err *err)
{
    struct fleet_variant fleet = *point->fleet;
    struct slice_result found;
    fleet.study = &peak->study;
    fleet.n_services = (uint32_t)peak->study.n_services;
    const struct slice slice = make_slice(peak, point, &fleet);
    if (sample_run(peak->context->bench, &slice, 1, &found, err) < 0)
        return -1;
    uint64_t n = 0, n_lost = 0; // measured
    double power_w = (double)found.energy_uj * 1e-6 / simtime_to_s(slice.length_ns);
    for (uint32_t s = 0; s < found.n_services; s++) {
        n += found.services[s].n_queries;
        n_lost += found.services[s].n_lost;
        found.trials[s].served_qps /= found.share_frac;
        found.trials[s].power_w = power_w / found.share_frac;
    }
    *result = found.overall;
    *trial = (struct peak_load_trial){found.overall, found.trials};
    found.trials = NULL; // handed over
    trial->all.lost_frac = n + n_lost > 0 ? (double)n_lost / (double)(n + n_lost) : (double)NAN;
    trial->all.served_qps /= found.share_frac;
    trial->all.power_w = power_w / found.share_frac;
    trial->all.n_queries = n;
    peak->context->n_queries += result->n_queries;
    sample_release(&found, 1);
    return 0;
}

// By its late queries over what its target allows; of equals, as where none is late, by its
// latency.
uint32_t peak_load_binding(const struct peak_load *peak, const struct peak_load_trial *trial)
{
    uint32_t nearest = 0;
    double most = -1, latest = -1;
    for (uint32_t s = 0; s < peak->study.n_services; s++) {
        const struct measurement *m = &trial->services[s];
        double late = m->late_frac.value / m->allowed_frac,
               latency = m->sla_latency_s.value / m->sla_s;
        if (!(late > most || (late >= most && latency > latest)))
            continue;
        most = late;
        latest = latency;
        nearest = s;
    }
    return nearest;
}

// ---- what cannot be -----------------------------------------------------------------------------

double peak_load_saturation_qps(const struct peak_load *peak, uint32_t type,
                                const struct settings *choices, uint32_t service)
{
    const struct study *study = peak->context->study;
    const struct study_group *group = &study->groups[type];
    struct demand sum = {0, 0, 0, 0};
    bool all = service == study->n_services;
    for (uint32_t s = all ? 0 : service; s < (all ? study->n_services : service + 1); s++) {
        struct demand work =
            demand_by_choice(study, group, s, &choices[s], (uint32_t)group->platform.cores);
        double share = all ? peak->peak_qps[s] / peak->sum_qps : 1;
        sum.cpu_s += share * work.cpu_s;
        sum.load_s += share * work.load_s;
        sum.compute_s += share * work.compute_s;
    }
    return demand_saturation_qps(&group->platform, &sum);
}

// ---- row by row ---------------------------------------------------------------------------------

int peak_load_rows(struct capacity_context *context, const char *name, uint32_t n,
                   peak_load_row_fn fill, struct err *err)
{
    struct peak_load *peak = peak_load_create(context, err);
    int rc = peak ? 0 : -1;
    for (uint32_t row = 0; rc == 0 && row < n; row++) {
        capacity_context_row(context, name, row, n);
        rc = fill(peak, row, err);
        context->n_rows += rc == 0;
        if (rc == 0)
            rc = capacity_context_done(context, 1, err);
    }
    peak_load_destroy(peak);
    return rc;
}

struct capacity_context *peak_load_context(const struct peak_load *peak)
{
    return peak->context;
}
