// SPDX-License-Identifier: Apache-2.0
#include "app/inquiry.h"

#include <math.h>
#include <string.h>

#include "app/fleetday.h"
#include "app/loads.h"
#include "app/plan.h"
#include "app/rehearse.h"
#include "app/sizes.h"
#include "app/survey.h"
#include "app/tuples.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "study/grid.h"

// Parts of the work at which the tuples are done, where they are all or nearly nothing of it.
#define TUPLES_FRAC 0.4

// ---- reading ------------------------------------------------------------------------------------

static int refuse_points(const struct inquiry_source *source, const char *text, size_t size,
                         struct err *err)
{
    struct grid *grid =
        grid_parse(source->path, text, size, source->settings, source->n_settings, err);
    int rc = grid ? 0 : -1;
    if (grid && grid_n_points(grid) > 1)
        rc = err_set(err, ERR_STUDY,
                     "%s: %s: not for capacity, which answers for one study; leave it out, or set "
                     "the keys of one point with --set",
                     source->path, grid_n_replications(grid) > 1 ? "replications" : "sweep");
    grid_destroy(grid);
    return rc;
}

static int read_study(const struct inquiry_source *source, struct inquiry *inquiry,
                      const char *text, size_t size, struct err *err)
{
    if (refuse_points(source, text, size, err) < 0)
        return -1;
    inquiry->study = study_parse(source->path, text, size, source->settings, source->n_settings,
                                 source->library, true, err);
    if (!inquiry->study)
        return -1;
    return study_capacity_check(inquiry->study, err);
}

int inquiry_read(const struct eval *eval, const struct inquiry_source *source,
                 struct inquiry *inquiry, struct err *err)
{
    size_t size = 0;
    *inquiry = (struct inquiry){0};
    char *text = eval_read_text(eval, source->path, &size, err);
    if (!text)
        return -1;
    inquiry->written = survey_written(text, source->settings, source->n_settings);
    int rc = eval_agree(eval, read_study(source, inquiry, text, size, err), err);
    mem_free(text);
    if (rc < 0)
        inquiry_release(inquiry);
    return rc;
}

void inquiry_release(struct inquiry *inquiry)
{
    study_destroy(inquiry->study);
    mem_free(inquiry->written);
    *inquiry = (struct inquiry){0};
}

// ---- the answer's frame -------------------------------------------------------------------------

static uint32_t count_names(const char *names)
{
    char name[64];
    uint32_t n = 0;
    while (study_capacity_name(names, n, name, sizeof name))
        n++;
    return n;
}

static void put_names(char **to, uint32_t n, const char *names)
{
    char name[64] = "";
    for (uint32_t i = 0; i < n; i++) {
        study_capacity_name(names, i, name, sizeof name);
        to[i] = mem_strdup(name);
    }
}

static struct staffing_shape shape_of(const struct study *study)
{
    const struct study_capacity *capacity = &study->capacity;
    bool plan = capacity->find == FIND_PLAN, day = capacity->find == FIND_DAY;
    bool sizes = capacity->find == FIND_SERVERS || capacity->find == FIND_CORES;
    struct staffing_shape shape = {.n_schedulers = count_names(capacity->schedulers),
                                   .n_types = (uint32_t)study->n_groups,
                                   .n_services = (uint32_t)study->n_services};
    shape.n_allocations = plan ? count_names(capacity->allocations) : day;
    shape.n_provisionings = plan ? count_names(capacity->provisioning) : day;
    shape.n_intervals = plan || day ? study_capacity_intervals(capacity) : 0;
    shape.n_sizes = sizes ? sizes_n_rows(study, shape.n_schedulers) : 0;
    shape.n_loads = capacity->find == FIND_LOAD ? shape.n_schedulers : 0;
    return shape;
}

// Of all targets; NaN where they differ.
static double common_quantile(const struct study *study)
{
    double quantile = NAN;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        if (service->sla_ns <= 0)
            continue;
        if (isfinite(quantile) && fabs(quantile - service->sla_quantile) > 1e-12)
            return NAN;
        quantile = service->sla_quantile;
    }
    return quantile;
}

static void put_fleet(struct staffing *staffing, const struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct study_group *group = &study->groups[g];
        staffing->types[g] = mem_strdup(group->name);
        staffing->available[g] = (uint32_t)group->servers;
        staffing->price_usd_per_h[g] = ask_type_usd_per_h(study, (uint32_t)g);
    }
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        staffing->services[s] = mem_strdup(service->name);
        staffing->target_s[s] = service->sla_ns > 0 ? simtime_to_s(service->sla_ns) : (double)NAN;
    }
    staffing->sla_quantile = common_quantile(study);
}

static void put_settings(struct staffing *staffing, const struct inquiry *inquiry)
{
    const struct study *study = inquiry->study;
    const struct study_capacity *capacity = &study->capacity;
    bool days = staffing->n_intervals > 0;
    staffing->name = mem_strdup(study->settings.name);
    staffing->program_version = mem_strdup(RECFLEET_VERSION);
    staffing->study = mem_strdup(inquiry->written);
    staffing->seed = study->settings.seed;
    staffing->find = mem_strdup(study_find_names[capacity->find]);
    staffing->objective = mem_strdup(study_objective_names[capacity->objective]);
    staffing->objective_unit = mem_strdup(plan_objective_unit(capacity->objective));
    staffing->headroom_frac = capacity->headroom_frac;
    staffing->day_s = days ? capacity->day_s : (double)NAN;
    staffing->interval_s = days ? capacity->interval_s : (double)NAN;
    staffing->startup_s = capacity->find == FIND_PLAN ? capacity->startup_s : (double)NAN;
    staffing->min_on_s = capacity->find == FIND_PLAN ? capacity->min_on_s : (double)NAN;
}

struct staffing *inquiry_frame(const struct inquiry *inquiry)
{
    const struct study *study = inquiry->study;
    const struct study_capacity *capacity = &study->capacity;
    const struct staffing_shape shape = shape_of(study);
    struct staffing *staffing = staffing_create(&shape);
    put_settings(staffing, inquiry);
    put_fleet(staffing, study);
    put_names(staffing->schedulers, shape.n_schedulers, capacity->schedulers);
    bool plan = capacity->find == FIND_PLAN;
    put_names(staffing->allocations, shape.n_allocations, plan ? capacity->allocations : "given");
    put_names(staffing->provisionings, shape.n_provisionings,
              plan ? capacity->provisioning : "given");
    return staffing;
}

// ---- the answer ---------------------------------------------------------------------------------

static int forecast_demand(const struct study *study, struct staffing *staffing, struct err *err)
{
    uint32_t n = staffing->n_intervals, n_services = staffing->n_services;
    struct forecast *day = mem_calloc(n, sizeof *day);
    int rc = 0;
    for (uint32_t s = 0; rc == 0 && s < n_services; s++) {
        rc = ask_forecast(study, s, day, err);
        for (uint32_t i = 0; rc == 0 && i < n; i++)
            staffing->demand[(size_t)i * n_services + s] =
                (struct staffing_demand){day[i].mean_qps, day[i].peak_qps};
    }
    mem_free(day);
    return rc;
}

// One scheduler that cannot is said; if none can, that is the answer.
static int make_plans(struct ask *ask, struct err *err)
{
    const struct study *study = ask->study;
    struct staffing *staffing = ask->staffing;
    struct plan_outcome outcome;
    uint32_t n_possible = 0;
    for (uint32_t d = 0; d < staffing->n_schedulers; d++) {
        if (plan_fill(study, staffing, d, &outcome, err) < 0)
            return -1;
        n_possible += outcome.possible;
        if (outcome.possible && outcome.borrowed)
            log_info("%s: optimal: a day of another allocation is cheaper once servers that are "
                     "switched and idle count, and was taken",
                     staffing->schedulers[d]);
        if (!outcome.possible && n_possible + staffing->n_schedulers - 1 - d > 0)
            log_warn("%s: %s", staffing->schedulers[d], outcome.text);
    }
    if (n_possible == 0)
        return err_set(err, ERR_STUDY, "%s: capacity: %s", study->path, outcome.text);
    return rehearse_plans(ask, err);
}

static int answer(struct ask *ask, struct err *err)
{
    int find = ask->study->capacity.find;
    bool days = find == FIND_DAY || find == FIND_PLAN;
    if (days && slice_check(ask->study, true, err) < 0)
        return err_prefix(err, "%s", ask->study->path);
    if (days && forecast_demand(ask->study, ask->staffing, err) < 0)
        return -1;
    // With cores counted, a tuple would be of another server.
    ask_stage(ask, "tuples", find == FIND_CORES ? 0 : TUPLES_FRAC);
    if (tuples_find(ask, find != FIND_CORES, err) < 0)
        return -1;
    switch (find) {
    case FIND_LOAD:
        return loads_find(ask, err);
    case FIND_DAY:
        return fleetday_find(ask, err);
    case FIND_PLAN:
        return make_plans(ask, err);
    default:
        return sizes_find(ask, err);
    }
}

int inquiry_run(const struct eval *eval, const struct inquiry *inquiry,
                const struct inquiry_options *options, struct inquiry_result *result,
                struct err *err)
{
    const struct study *study = inquiry->study;
    struct ask ask = {.eval = eval,
                      .study = study,
                      .memo = options->memo,
                      .progress = options->progress,
                      .user = options->user};
    ask.staffing = inquiry_frame(inquiry);
    ask.bench = slice_bench_create(eval->comm, options->memo);
    ask.choices =
        mem_calloc((size_t)ask.staffing->n_schedulers * study->n_groups * study->n_services,
                   sizeof *ask.choices);
    int rc = answer(&ask, err);
    bool stopped = rc < 0 && (ask.stopped || slice_stopped(ask.bench));
    *result = (struct inquiry_result){
        .staffing = ask.staffing, .n_queries = ask.n_queries, .stopped = stopped};
    slice_bench_destroy(ask.bench);
    mem_free(ask.choices);
    if (rc < 0) {
        staffing_destroy(ask.staffing);
        result->staffing = NULL;
    }
    if (stopped)
        err_clear(err);
    return stopped ? 0 : rc;
}
