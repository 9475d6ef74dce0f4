// SPDX-License-Identifier: Apache-2.0
#include "study/study_notes.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"
#include "cluster/config.h"
#include "study/study_idle.h"
#include "study/study_memory.h"
#include "traces/daycurve.h"

#define CUT_FRAC 0.01    // of the sizes: above it, a warning
#define RATE_FRAC 0.02   // of a rate that is not the mean of its curve
#define PERIOD_FRAC 0.01 // of a period that is not the length of its curve

// Where notes go.
struct notes {
    const char *who;
    study_note_fn note;
    void *user;
};

__attribute__((format(printf, 3, 4))) static void say(const struct notes *notes, bool is_warning,
                                                      const char *fmt, ...)
{
    char text[512];
    int at = snprintf(text, sizeof text, "%.60s: ", notes->who);
    va_list args;
    va_start(args, fmt);
    vsnprintf(text + at, sizeof text - (size_t)at, fmt, args);
    va_end(args);
    notes->note(notes->user, is_warning, text);
}

void study_notes_trace(const char *who, const struct trace *trace, int64_t max_items,
                       study_note_fn note, void *user)
{
    const struct notes notes = {who, note, user};
    double cut_frac = (double)trace->n_cut / (double)trace->n;
    char tick[40];
    if (trace->n_cut > 0)
        say(&notes, cut_frac > CUT_FRAC,
            "%llu of %zu sizes (%.3g %%) are above max_items and count as %lld items; the largest "
            "is %.0f",
            (unsigned long long)trace->n_cut, trace->n, 100 * cut_frac, (long long)max_items,
            trace->largest_items);
    if (trace->tick_ns > 0 && !trace->is_spread)
        say(&notes, true,
            "most records arrive together with the one before, by a clock of %s; resolution: %s "
            "spreads them",
            units_format_ns(trace->tick_ns, tick, sizeof tick), tick);
}

static void note_curve(const struct notes *notes, const struct service_traffic *traffic)
{
    const struct arrival_config *config = &traffic->arrivals;
    const struct reals *curve = config->curve_frac.n > 0 ? &config->curve_frac : &config->file_frac;
    if (arrival_types[config->process] != &arrival_diurnal || config->shape != DAYCURVE_NONE ||
        curve->n == 0)
        return;
    double mean_qps = daycurve_rate_qps(curve), off_frac = traffic->rate_qps / mean_qps - 1;
    double length_s = config->file_step_s * (double)curve->n;
    char length[40], period[40];
    if (daycurve_is_absolute(curve, traffic->rate_qps) && fabs(off_frac) > RATE_FRAC)
        say(notes, true,
            "its rate of %.6g qps is %.3g %% %s the mean of its curve, %.6g qps; rate: from_curve "
            "takes that",
            traffic->rate_qps, 100 * fabs(off_frac), off_frac < 0 ? "below" : "above", mean_qps);
    if (length_s > 0 && fabs(config->period_s / length_s - 1) > PERIOD_FRAC)
        say(notes, true, "its curve of %s is played in a period of %s",
            units_format(UNIT_TIME, length_s, length, sizeof length),
            units_format(UNIT_TIME, config->period_s, period, sizeof period));
}

// An accelerator that is too small for a service serves none of it, and nobody should wonder why.
static void note_accelerator(const struct study *study, size_t g, study_note_fn note, void *user)
{
    const struct study_group *group = &study->groups[g];
    const struct accelerator *accelerator = &group->platform.accelerator;
    struct err misfit = {0};
    if (study_memory_misfit(study, g, &misfit) < 0)
        note(user, true, misfit.text);
    for (size_t s = 0; s < study->n_services && group->platform.has_accelerator; s++) {
        double bytes = cost_memory_bytes(group->costs[s]);
        if (accelerator->memory_bytes <= 0 || bytes <= accelerator->memory_bytes)
            continue;
        err_set(&misfit, ERR_STUDY,
                "group %s: service %s takes %.3g GB, more than the %.3g GB of %s, which serves "
                "none of it",
                group->name, study->services[s].name, bytes * 1e-9,
                accelerator->memory_bytes * 1e-9, accelerator->name);
        note(user, true, misfit.text);
    }
}

void study_notes(const struct study *study, study_note_fn note, void *user)
{
    struct err idle = {0};
    for (size_t g = 0; g < study->n_groups; g++)
        note_accelerator(study, g, note, user);
    for (size_t i = 0; study_idle_next(study, &i, &idle);)
        note(user, true, idle.text);
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_traffic *traffic = &study->services[s].traffic;
        const struct notes notes = {study->services[s].name, note, user};
        if (traffic->arrivals.trace)
            study_notes_trace(notes.who, traffic->arrivals.trace, traffic->arrivals.csv.max_items,
                              note, user);
        note_curve(&notes, traffic);
    }
}
