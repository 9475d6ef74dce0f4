// SPDX-License-Identifier: Apache-2.0
#include "capacity/capacity_context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static void tell(struct capacity_context *context, uint64_t n_queries)
{
    context->n_told = n_queries > context->n_told ? n_queries : context->n_told;
    if (context->progress && context->eval->rank == 0)
        context->progress(context->user, context->done_frac, context->stage, context->n_told);
}

// Inside a piece of work: how far it is nobody knows, but it goes on.
static void on_slices(void *user, uint64_t n_queries)
{
    struct capacity_context *context = user;
    tell(context, context->n_queries + n_queries);
}

void capacity_context_stage(struct capacity_context *context, const char *stage, double to_frac)
{
    context->stage = stage;
    context->from_frac = context->to_frac;
    context->to_frac = to_frac;
    if (context->bench)
        sample_watch(context->bench, on_slices, context);
}

void capacity_context_stage_of(struct capacity_context *context, const char *stage, uint32_t n_left)
{
    capacity_context_stage(context, stage, context->to_frac + (1 - context->to_frac) / n_left);
}

int capacity_context_done(struct capacity_context *context, double stage_frac, struct err *err)
{
    context->done_frac = context->from_frac + (context->to_frac - context->from_frac) * stage_frac;
    tell(context, context->n_queries);
    if (!context->memo || !memo_stop(context->memo))
        return 0;
    context->stopped = true;
    return err_set(err, ERR_FAIL, "stopped by a signal");
}

const struct settings *capacity_context_choices(const struct capacity_context *context,
                                                uint32_t scheduler)
{
    return context->choices +
           (size_t)scheduler * context->study->n_groups * context->study->n_services;
}

int capacity_context_forecast(const struct study *study, uint32_t service, struct forecast *day,
                              struct err *err)
{
    const struct study_capacity *capacity = &study->capacity;
    uint32_t n = study_capacity_intervals(capacity);
    if (forecast_fill(&study->services[service].traffic, capacity->day_s, n, day, err) < 0)
        return err_prefix(err, "%s: traffic[%u]", study->path, service);
    return 0;
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

uint64_t capacity_context_key(const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return memo_key(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}
