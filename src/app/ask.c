// SPDX-License-Identifier: Apache-2.0
#include "app/ask.h"

#include <stdarg.h>
#include <stdio.h>

void ask_stage(struct ask *ask, const char *stage, double to_frac)
{
    ask->stage = stage;
    ask->from_frac = ask->to_frac;
    ask->to_frac = to_frac;
}

int ask_done(struct ask *ask, double stage_frac, struct err *err)
{
    double done = ask->from_frac + (ask->to_frac - ask->from_frac) * stage_frac;
    if (ask->progress && ask->eval->rank == 0)
        ask->progress(ask->user, done, ask->stage, ask->n_queries);
    if (!ask->memo || !memo_stop(ask->memo))
        return 0;
    ask->stopped = true;
    return err_set(err, ERR_FAIL, "stopped by a signal");
}

const struct choice *ask_choices(const struct ask *ask, uint32_t scheduler)
{
    return ask->choices + (size_t)scheduler * ask->study->n_groups * ask->study->n_services;
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
