// SPDX-License-Identifier: Apache-2.0
#include "capacity/capacity_context.h"

#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "traces/forecast.h"

// Says how far it is, and looks whether to go on.
static int tell(struct capacity_context *context, uint64_t n_queries, struct err *err)
{
    context->n_told = n_queries > context->n_told ? n_queries : context->n_told;
    context->at.n_queries = context->n_told;
    if (context->progress && context->eval->rank == 0)
        context->progress(context->user, &context->at);
    if (!context->memo || !memo_stop(context->memo))
        return 0;
    context->stopped = true;
    return err_set(err, ERR_FAIL, "interrupted; partial results saved, resume with --resume");
}

// Inside a piece of work: how much of it is done nobody knows, but queries are counted.
static int on_slices(void *user, uint64_t n_queries, struct err *err)
{
    struct capacity_context *context = user;
    return tell(context, context->n_queries + n_queries, err);
}

void capacity_context_open(struct capacity_context *context)
{
    const struct study *study = context->study;
    size_t n = (size_t)context->answer->n_schedulers * study->n_groups * study->n_services;
    context->choices = mem_calloc(n, sizeof *context->choices);
    context->bench = sample_bench_create(context->eval->comm, context->memo);
    sample_watch(context->bench, on_slices, context);
}

void capacity_context_close(struct capacity_context *context)
{
    sample_bench_destroy(context->bench);
    mem_free(context->choices);
}

void capacity_context_stage(struct capacity_context *context, const char *stage, double to_frac)
{
    double done_frac = context->at.done_frac;
    context->at = progress_at_none();
    context->at.done_frac = done_frac;
    snprintf(context->at.stage, sizeof context->at.stage, "%s", stage);
    context->from_frac = context->to_frac;
    context->to_frac = to_frac;
}

void capacity_context_stage_of(struct capacity_context *context, const char *stage, uint32_t n_left)
{
    capacity_context_stage(context, stage, context->to_frac + (1 - context->to_frac) / n_left);
}

int capacity_context_done(struct capacity_context *context, double stage_frac, struct err *err)
{
    context->at.done_frac =
        context->from_frac + (context->to_frac - context->from_frac) * stage_frac;
    return tell(context, context->n_queries, err);
}

const struct settings *capacity_context_choices(const struct capacity_context *context,
                                                uint32_t scheduler)
{
    return context->choices +
           (size_t)scheduler * context->study->n_groups * context->study->n_services;
}

int capacity_context_forecast(const struct study *study, struct capacity_demand *demand,
                              struct err *err)
{
    uint32_t n = study_capacity_intervals(&study->capacity);
    struct forecast *day = mem_calloc(n, sizeof *day);
    int rc = 0;
    for (uint32_t s = 0; rc == 0 && s < study->n_services; s++) {
        rc = forecast_fill(&study->services[s].traffic, study->capacity.day_s, n, day, err);
        if (rc < 0)
            err_prefix(err, "%s: traffic[%u]", study->path, s);
        for (uint32_t i = 0; rc == 0 && i < n; i++)
            demand[i * study->n_services + s] =
                (struct capacity_demand){day[i].mean_qps, day[i].peak_qps};
    }
    mem_free(day);
    return rc;
}

double capacity_context_type_usd_per_h(const struct study *study, uint32_t type)
{
    double price = study->groups[type].price_usd_per_h;
    return price > 0 ? price : (double)NAN;
}

double capacity_context_fleet_usd_per_h(const struct study *study)
{
    double sum = 0;
    for (uint32_t g = 0; g < study->n_groups; g++)
        sum += capacity_context_type_usd_per_h(study, g) * (double)study->groups[g].servers;
    return sum;
}
