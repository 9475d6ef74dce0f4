// SPDX-License-Identifier: Apache-2.0
#include "app/ask.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

static void tell(struct ask *ask, uint64_t n_queries)
{
    ask->n_told = n_queries > ask->n_told ? n_queries : ask->n_told;
    if (ask->progress && ask->eval->rank == 0)
        ask->progress(ask->user, ask->done_frac, ask->stage, ask->n_told);
}

// Inside a piece of work: how far it is nobody knows, but it goes on.
static void on_slices(void *user, uint64_t n_queries)
{
    struct ask *ask = user;
    tell(ask, ask->n_queries + n_queries);
}

void ask_stage(struct ask *ask, const char *stage, double to_frac)
{
    ask->stage = stage;
    ask->from_frac = ask->to_frac;
    ask->to_frac = to_frac;
    if (ask->bench)
        slice_watch(ask->bench, on_slices, ask);
}

void ask_stage_of(struct ask *ask, const char *stage, uint32_t n_left)
{
    ask_stage(ask, stage, ask->to_frac + (1 - ask->to_frac) / n_left);
}

int ask_done(struct ask *ask, double stage_frac, struct err *err)
{
    ask->done_frac = ask->from_frac + (ask->to_frac - ask->from_frac) * stage_frac;
    tell(ask, ask->n_queries);
    if (!ask->memo || !memo_stop(ask->memo))
        return 0;
    ask->stopped = true;
    return err_set(err, ERR_FAIL, "stopped by a signal");
}

const struct choice *ask_choices(const struct ask *ask, uint32_t scheduler)
{
    return ask->choices + (size_t)scheduler * ask->study->n_groups * ask->study->n_services;
}

int ask_forecast(const struct study *study, uint32_t service, struct forecast *day, struct err *err)
{
    const struct study_capacity *capacity = &study->capacity;
    uint32_t n = study_capacity_intervals(capacity);
    if (forecast_fill(&study->services[service].traffic, capacity->day_s, n, day, err) < 0)
        return err_prefix(err, "%s: traffic[%u]", study->path, service);
    return 0;
}

double ask_type_usd_per_h(const struct study *study, uint32_t type)
{
    double price = study->groups[type].price_usd_per_h;
    return price > 0 ? price : (double)NAN;
}

double ask_fleet_usd_per_h(const struct study *study)
{
    double sum = 0;
    for (uint32_t g = 0; g < study->n_groups; g++)
        sum += ask_type_usd_per_h(study, g) * (double)study->groups[g].servers;
    return sum;
}

uint64_t ask_key(const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return memo_key(text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}
