// SPDX-License-Identifier: Apache-2.0
#include "study/study_notes.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/units.h"
#include "cluster/config.h"
#include "cluster/slow.h"
#include "study/study_idle.h"
#include "study/study_memory.h"
#include "study/study_tables.h"
#include "study/table_file.h"
#include "traces/daycurve.h"

#define CUT_FRAC 0.01    // of the sizes: above it, a warning
#define RATE_FRAC 0.02   // of a rate that is not the mean of its curve
#define PERIOD_FRAC 0.01 // of a period that is not the length of its curve

enum { LEAST_STATES = 100 }; // of a server in a run, one after the other: a few in a batch

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
    uint64_t n_low = trace->n_clamped - trace->n_cut;
    double low_frac = (double)n_low / (double)trace->n;
    if (n_low > 0)
        say(&notes, low_frac > CUT_FRAC,
            "%llu of %zu sizes (%.3g %%) are below 1 and count as 1 item",
            (unsigned long long)n_low, trace->n, 100 * low_frac);
    units_format_ns(trace->clock_ns, tick, sizeof tick);
    if (trace->clock_ns > 0 && trace->is_spread)
        say(&notes, true,
            "its resolution is shorter than %s, the clock that most records arrive by: they still "
            "arrive in bursts; resolution: %s spreads them",
            tick, tick);
    else if (trace->clock_ns > 0)
        say(&notes, true,
            "most records arrive together with the one before, by a clock of %s; resolution: %s "
            "spreads them",
            tick, tick);
    else if (trace->n == 1 && trace->tick_ns == 0)
        say(&notes, true, "its trace has one record, and so no rate");
    else if (trace_rate_qps(trace) == 0)
        say(&notes, true,
            "all %zu records arrive at once, and so have no rate; resolution: 1s, say, spreads "
            "them, if that is the tick of their clock",
            trace->n);
}

// Of a distribution, or of a file of sizes, which can say how many.
static void note_sizes(const struct notes *notes, const struct qsize *sizes, int64_t max_items)
{
    const struct size_cut *cut = qsize_cut(sizes);
    if (cut->n > 0)
        say(notes, cut->frac > CUT_FRAC,
            "%llu of %llu sizes (%.3g %% of the queries) are above max_items and count as %lld "
            "items; the largest is %.0f",
            (unsigned long long)cut->n, (unsigned long long)cut->n_lines, 100 * cut->frac,
            (long long)max_items, cut->largest_items);
    else if (cut->frac > CUT_FRAC)
        say(notes, true, "%.3g %% of the sizes are above max_items and count as %lld items",
            100 * cut->frac, (long long)max_items);
}

// A rate beside a trace that is played as it was recorded.
static void note_rate(const struct notes *notes, const struct service_traffic *traffic)
{
    const struct arrival_config *config = &traffic->arrivals;
    double trace_qps = config->trace && !config->rescale ? trace_rate_qps(config->trace) : 0;
    if (trace_qps > 0 && traffic->rate_qps > 0 &&
        fabs(traffic->rate_qps / trace_qps - 1) > RATE_FRAC)
        say(notes, true,
            "its rate of %.6g qps has no effect: its trace has %.6g qps; rescale: true stretches "
            "it to that rate",
            traffic->rate_qps, trace_qps);
}

// A file whose last point was left out, and a list without times whose last point might have to be.
static void note_end(const struct notes *notes, const struct arrival_config *config,
                     const struct reals *curve)
{
    double period_s = config->period_s, first = curve->v[0], n = (double)curve->n;
    char period[40];
    units_format(UNIT_TIME, period_s, period, sizeof period);
    if (config->file_closes && curve == &config->file_frac)
        say(notes, fabs(config->file_next - first) > RATE_FRAC * daycurve_rate_qps(curve),
            "the last point of its curve, %.6g, is %s behind the first, %.6g: it starts the next "
            "period, and is left out",
            config->file_next, period, first);
    else if (n > 12 && !(config->file_step_s > 0) && curve->v[curve->n - 1] == first &&
             fmod(period_s, n - 1) == 0 && fmod(period_s, n) != 0)
        say(notes, true,
            "its curve has %zu points, and so steps of %.6gs; leave the last out if it is the "
            "first "
            "of the next period of %s",
            curve->n, period_s / n, period);
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
    note_end(notes, config, curve);
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

// Slow servers of which there are none; and states that last as long as the batches of time bins
// that intervals are made from, which are then not independent.
static void note_servers(const struct study *study, size_t g, study_note_fn note, void *user)
{
    const struct study_group *group = &study->groups[g];
    const struct study_noise *noise = &group->noise;
    const struct notes notes = {group->name, note, user};
    bool has_states = noise->distribution != SPREAD_NONE && noise->correlated_frac > 0;
    char tau[40];
    if (slow_worst(&group->slow) > 1 && slow_count(&group->slow, 0, (uint32_t)group->servers) == 0)
        say(&notes, true, "a slow_frac of %.4g makes none of its %lld servers slow",
            group->slow.frac, (long long)group->servers);
    if (has_states && noise->correlation_ns > study->settings.duration_ns / LEAST_STATES)
        say(&notes, true,
            "a correlation_time of %s is more than a %dth of the run, whose intervals will be too "
            "narrow: a longer run or replications make them right",
            units_format_ns(noise->correlation_ns, tau, sizeof tau), LEAST_STATES);
}

// Batches beyond the last of an axis that a search would try: of a whole query.
static void note_searched(const struct notes *notes, const struct study *study, size_t g, size_t s,
                          const struct reals *axis, const char *beyond)
{
    const struct study_group *group = &study->groups[g];
    const struct qsize *sizes = study->tune.has_sizes ? study->tune.sizes_table : study->sizes[s];
    double most = sizes ? qsize_max_items(sizes) : 0, last = axis->v[axis->n - 1];
    const char *table = group->cost_configs[s].measured->name;
    if (most > last && study_tables_strict(study, group, s))
        say(notes, false, "requests of more than %.6g items, the last batch of %s, are not tried",
            last, table);
    else if (most > last)
        say(notes, true,
            "requests of up to %.6g items may be tried in %s, outside %s, which ends at %.6g: %s",
            most, group->name, table, last, beyond);
}

// Sizes and cores that a measured table does not know, where that is no error.
static void note_outside(const struct notes *notes, const struct study *study, size_t g, size_t s,
                         bool searched)
{
    const struct study_group *group = &study->groups[g];
    const struct cost_table *table = group->cost_configs[s].measured;
    const char *beyond = group->cost_configs[s].outside == COST_OUTSIDE_CLAMP
                             ? "they take the time of its last batch"
                             : "its last slope continues";
    double least, most, cores = (double)group->platform.cores;
    double busy = table->busy_cores.n > 0 ? table->busy_cores.v[table->busy_cores.n - 1] : cores;
    for (int accel = 0; accel < 2; accel++) {
        const struct reals *axis = accel ? cost_table_accel_batches(table) : &table->batches_items;
        bool has = accel ? table->accel_compute_s.n > 0 : table->seconds_s.n > 0;
        if (!has || group->tables[s].any_size)
            continue;
        if (searched)
            note_searched(notes, study, g, s, axis, beyond);
        if (!study_tables_requests(study->sizes[s], &group->settings[s], accel, &least, &most))
            continue;
        if (most > axis->v[axis->n - 1] && !searched)
            say(notes, true, "requests of up to %.6g items are outside %s, which ends at %.6g: %s",
                most, table->name, axis->v[axis->n - 1], beyond);
        if (least < axis->v[0])
            say(notes, false,
                "requests of %.6g items and more take the time of %.6g, the first "
                "batch of %s",
                least, axis->v[0], table->name);
    }
    bool own = group->tables[s].sources[TABLE_FILE_ALL].path ||
               (table != &group->tables[s].table && !library_is_built_in(&study->own, table));
    if (busy < cores && own)
        say(notes, false,
            "%s was measured with at most %.6g at a time, which holds for all %.6g "
            "cores of %s",
            table->name, busy, cores, group->name);
}

// What a measured table of the user's was taken for.
static void note_table(const struct study *study, size_t g, size_t s, bool searched,
                       study_note_fn note, void *user)
{
    const struct study_group *group = &study->groups[g];
    const struct cost_config *config = &group->cost_configs[s];
    const struct notes notes = {study->services[s].name, note, user};
    if (!config->measured)
        return;
    for (size_t i = 0; i < TABLE_FILE_SOURCES; i++) {
        const struct table_source *source = &group->tables[s].sources[i];
        if (source->path && source->note)
            say(&notes, false, "%.200s is %s", source->path, source->note);
    }
    if (config->transfer)
        say(&notes, true,
            "times of %s in group %s were measured elsewhere: the CPU's are multiplied by %.4g, "
            "the accelerator's by %.4g",
            config->measured->name, group->name, config->cpu_scale, config->accel_scale);
    if (config->measured->cv > 0 && !group->noise.given)
        say(&notes, false,
            "times of %s spread by a cv of %.3g, lognormal, in group %s; a key noise of the group "
            "takes its place",
            config->measured->name, group->noise.cv, group->name);
    note_outside(&notes, study, g, s, searched);
}

void study_notes(const struct study *study, bool searched, study_note_fn note, void *user)
{
    struct err idle = {0};
    for (size_t g = 0; g < study->n_groups; g++)
        note_accelerator(study, g, note, user);
    for (size_t g = 0; g < study->n_groups; g++)
        note_servers(study, g, note, user);
    for (size_t g = 0; g < study->n_groups; g++)
        for (size_t s = 0; s < study->n_services; s++)
            note_table(study, g, s, searched, note, user);
    for (size_t i = 0; study_idle_next(study, &i, &idle);)
        note(user, true, idle.text);
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_traffic *traffic = &study->services[s].traffic;
        const struct notes notes = {study->services[s].name, note, user};
        if (traffic->arrivals.trace)
            study_notes_trace(notes.who, traffic->arrivals.trace, traffic->arrivals.csv.max_items,
                              note, user);
        if (study->sizes[s])
            note_sizes(&notes, study->sizes[s], traffic->sizes.max_items);
        note_rate(&notes, traffic);
        note_curve(&notes, traffic);
    }
    if (study->tune.sizes_table)
        note_sizes(&(struct notes){"tune", note, user}, study->tune.sizes_table,
                   study->tune.sizes.max_items);
}
