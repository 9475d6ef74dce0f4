// SPDX-License-Identifier: Apache-2.0
#include "capacity/capacity_context.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "traces/forecast.h"

// A part of the stage is done, at least: what was told is never taken back.
static void reach(struct capacity_context *context, double stage_frac)
{
    double done_frac =
        context->from_frac + (context->to_frac - context->from_frac) * fmin(stage_frac, 1);
    context->at.done_frac = fmax(context->at.done_frac, done_frac);
}

void capacity_context_tell(struct capacity_context *context, uint64_t n_queries)
{
    uint64_t n = context->n_queries + n_queries;
    context->n_told = n > context->n_told ? n : context->n_told;
    context->at.n_queries = context->n_told;
    if (context->progress && context->eval->rank == 0)
        context->progress(context->user, &context->at);
}

// Says how far it is, and looks whether to go on.
static int tell(struct capacity_context *context, uint64_t n_queries, struct err *err)
{
    capacity_context_tell(context, n_queries);
    if (!context->memo || !memo_stop(context->memo))
        return 0;
    context->stopped = true;
    return err_set(err, ERR_FAIL, "interrupted; partial results saved, resume with --resume");
}

// Most of a row that a guess takes to be done: the row may take more than those before it.
#define MOST_GUESSED 0.95

static void guess(struct capacity_context *context, const struct sample_reached *reached)
{
    double n = (double)(context->n_queries + reached->n_queries - context->row_queries);
    double part = context->part_to - context->part_from;
    if (part > 0)
        reach(context, context->part_from + part * reached->done_frac);
    else if (context->n_costly > 0)
        reach(context, fmin(n * context->n_costly / context->costly_queries, MOST_GUESSED));
}

static void inside_slice(void *user, const struct sample_reached *reached)
{
    guess(user, reached);
    capacity_context_tell(user, reached->n_queries);
}

static int on_slices(void *user, const struct sample_reached *reached, struct err *err)
{
    guess(user, reached);
    return tell(user, reached->n_queries, err);
}

void capacity_context_open(struct capacity_context *context)
{
    const struct study *study = context->study;
    size_t n = (size_t)context->answer->n_schedulers * study->n_groups * study->n_services;
    context->choices = mem_calloc(n, sizeof *context->choices);
    context->bench = sample_bench_create(context->eval->comm, context->memo);
    sample_watch(context->bench, on_slices, inside_slice, context);
}

void capacity_context_close(struct capacity_context *context)
{
    sample_bench_destroy(context->bench);
    mem_free(context->choices);
}

void capacity_context_stage(struct capacity_context *context, const char *stage, double to_frac)
{
    double done_frac = context->at.done_frac;
    context->from_frac = context->to_frac;
    context->to_frac = to_frac;
    context->at = progress_at_none();
    context->at.done_frac = fmax(done_frac, context->from_frac);
    context->at.from_frac = context->from_frac;
    snprintf(context->at.stage, sizeof context->at.stage, "%s", stage);
    capacity_context_part(context, 0, 1);
}

// The pace is that of all rows; of those alone that were not taken from the memo, at the beginning
// of a search that resumes.
void capacity_context_row(struct capacity_context *context, const char *name, uint32_t row,
                          uint32_t n)
{
    char stage[PROGRESS_STAGE];
    double queries = (double)(context->n_queries - context->row_queries),
           from_frac = context->at.from_frac;
    size_t n_memo = context->memo ? memo_n(context->memo) : 0;
    if (row == 0)
        context->n_memo = n_memo;
    bool begins = row == 0 || (n_memo > 0 && n_memo == context->n_memo);
    if (row > 0 && queries > 0) {
        context->costly_queries += queries;
        context->n_costly++;
    }
    context->n_rows = row;
    context->row_queries = context->n_queries;
    snprintf(stage, sizeof stage, "%s %u of %u", name, row + 1, n);
    capacity_context_stage(context, stage, context->to_frac + (1 - context->to_frac) / (n - row));
    context->at.from_frac = begins ? context->from_frac : from_frac;
    capacity_context_part(context, 0, 0);
}

void capacity_context_label(struct capacity_context *context, const char *fmt, ...)
{
    char label[PROGRESS_STAGE / 2];
    size_t n = strlen(context->at.stage);
    va_list args;
    va_start(args, fmt);
    vsnprintf(label, sizeof label, fmt, args);
    va_end(args);
    snprintf(context->at.stage + n, sizeof context->at.stage - n, " (%s)", label);
}

void capacity_context_tries(struct capacity_context *context, double trying, const char *unit)
{
    context->at.trying = trying;
    context->at.unit = unit;
}

void capacity_context_bracket(struct capacity_context *context, double held, double missed)
{
    context->at.held = held;
    context->at.missed = missed;
}

void capacity_context_part(struct capacity_context *context, double from_frac, double to_frac)
{
    context->part_from = from_frac;
    context->part_to = to_frac;
    if (context->bench)
        sample_share(context->bench, 0, 1);
}

int capacity_context_done(struct capacity_context *context, double stage_frac, struct err *err)
{
    reach(context, stage_frac);
    return tell(context, 0, err);
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
