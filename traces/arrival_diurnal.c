// SPDX-License-Identifier: Apache-2.0
// diurnal: Poisson process whose rate follows a periodic, piecewise linear curve.
//
// Exact, by inversion: each gap uses up a unit exponential under the curve. Within a piece the
// integral is a parabola, solved in the form that does not cancel, d = 2 u / (r + sqrt(r^2 + 2 s
// u)) for rate r and slope s. The position is kept as (piece, offset), so nothing is lost over
// days.
//
// Bursts on top of the day, either of:
//   cv      the gaps that are used up are gamma-distributed instead (gamma_gap.h): a renewal
//           process whose clock runs with the curve. Over spans of many gaps in which the
//           curve does not change, counts have a variance of cv^2 times their mean.
//   states  the curve's rate is multiplied by that of a hidden state (modulate.h), and a gap
//           is used up visit by visit.
#include "traces/arrival.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "traces/daycurve.h"
#include "traces/draw.h"
#include "traces/gamma_gap.h"
#include "traces/modulate.h"
#include "traces/ticks.h"

struct diurnal {
    struct diurnal_place {
        uint64_t index;      // of the next gap
        uint64_t piece;      // since the period that the simulation starts in
        double offset_ticks; // into the piece
        int64_t now_ticks;
        struct modulate_place visit; // of states
    } place;
    struct rng_stream stream;
    bool has_gamma, has_states;
    struct gamma_gap gamma;
    struct modulate modulate;
    double end_ticks; // of the states: nobody asks for what comes after it
    double piece_ticks, start_ticks;
    size_t n_points;
    double *per_tick;  // owned: arrivals per tick at the start of each piece
    double per_period; // arrivals per period, mean
};

#define SHORTEST_PIECE_S 1e-6
#define LEAST_CV 0.01
#define TROUGH_FRAC 0.5 // the default

static bool has_file(const struct arrival_config *config)
{
    return config->curve_file && *config->curve_file;
}

static int check_curve(const struct reals *curve, const char *key, struct err *err)
{
    double top = 0;
    for (size_t i = 0; i < curve->n; i++) {
        if (!(curve->v[i] >= 0) || curve->v[i] > 1e9)
            return err_set(err, ERR_STUDY, "%s: expected relative rates of 0 to 1e9, got %g", key,
                           curve->v[i]);
        top = curve->v[i] > top ? curve->v[i] : top;
    }
    if (!(top > 0))
        return err_set(err, ERR_STUDY, "%s: expected a relative rate above 0, all are 0", key);
    return 0;
}

static bool is_given(const char *text)
{
    return text && *text;
}

// Keys that are about a file, or a shape, where there is none.
static int check_idle(const struct arrival_config *config, struct err *err)
{
    const struct trace_csv_config *csv = &config->csv;
    const struct {
        const char *key;
        bool given;
    } keys[] = {{"series", is_given(config->series)},
                {"gaps", config->gaps != DAYCURVE_GAPS_ERROR},
                {"time_column", is_given(csv->time_column)},
                {"time_unit", csv->time_unit != TIMETABLE_AUTO},
                {"separator", csv->separator != CSV_AUTO},
                {"header", csv->header != TIMETABLE_HEADER_AUTO}};
    if (config->shape == DAYCURVE_NONE && config->trough_frac > 0 &&
        config->trough_frac != TROUGH_FRAC)
        return err_set(err, ERR_STUDY, "trough: has no effect without a shape");
    for (size_t i = 0; !has_file(config) && i < sizeof keys / sizeof *keys; i++)
        if (keys[i].given)
            return err_set(err, ERR_STUDY, "%s: has no effect without a curve_file", keys[i].key);
    return 0;
}

// Exactly one way to give the curve, and rates in it that make one. The number of points, 0 where
// a file has not been read; -1 on error.
static int check_given(const struct arrival_config *config, size_t *n_points, struct err *err)
{
    bool listed = config->curve_frac.n > 0, shaped = config->shape != DAYCURVE_NONE;
    if (shaped && (listed || has_file(config)))
        return err_set(err, ERR_STUDY, "shape: expected one of curve, shape and curve_file");
    if (listed && has_file(config))
        return err_set(err, ERR_STUDY, "curve_file: expected one of curve, shape and curve_file");
    *n_points = listed ? config->curve_frac.n : config->file_frac.n;
    if (listed)
        return check_curve(&config->curve_frac, "curve", err);
    if (shaped) {
        *n_points = DAYCURVE_SHAPE_POINTS;
        if (!(config->trough_frac >= 0 && config->trough_frac <= 1))
            return err_set(err, ERR_STUDY, "trough: expected 0 to 1, got %g", config->trough_frac);
        return 0;
    }
    if (!has_file(config))
        return err_set(err, ERR_STUDY,
                       "curve: expected at least one relative rate, or a shape, or a curve_file, "
                       "got none");
    return config->file_frac.n > 0 ? check_curve(&config->file_frac, "curve_file", err) : 0;
}

static bool has_states(const struct arrival_config *config)
{
    return config->state_rate_frac.n > 0 || config->state_hold_s.n > 0;
}

// Exponential gaps are what there is without it; 0: nobody filled it.
static bool has_cv(const struct arrival_config *config)
{
    return config->cv != 0 && config->cv != 1;
}

static int check_bursts(const struct arrival_config *config, struct err *err)
{
    if (!(config->cv >= 0))
        return err_set(err, ERR_STUDY, "cv: expected more than 0, got %g", config->cv);
    if (!has_states(config))
        return 0;
    if (has_cv(config))
        return err_set(err, ERR_STUDY, "cv: expected one of cv and states");
    return modulate_check(config, err);
}

static int diurnal_check(const struct arrival_config *config, struct err *err)
{
    size_t n_points = 0;
    if (check_given(config, &n_points, err) || check_idle(config, err) || check_bursts(config, err))
        return -1;
    if (!(config->period_s >= SHORTEST_PIECE_S * (double)n_points) || !(config->period_s > 0) ||
        config->period_s > 1e9)
        return err_set(err, ERR_STUDY,
                       "period: expected 1us per point of the curve to 1e9s, got %gs",
                       config->period_s);
    if (!(config->start_s >= 0) || config->start_s > config->period_s)
        return err_set(err, ERR_STUDY, "start: expected 0 to the period of %gs, got %gs",
                       config->period_s, config->start_s);
    return 0;
}

// A last point one period behind the first, as a day from 00:00 to 24:00 has it, is where the next
// period starts: of two rates at one place of the period, the first counts.
static void leave_next_out(struct arrival_config *config)
{
    struct reals *file = &config->file_frac;
    double step_s = config->file_step_s, length_s = step_s * ((double)file->n - 1);
    config->file_closes = file->n >= 3 && fabs(length_s - config->period_s) <= 0.01 * step_s;
    if (config->file_closes)
        config->file_next = file->v[--file->n];
}

static int diurnal_load(struct arrival_config *config, struct err *err)
{
    if (!has_file(config) || config->file_frac.n > 0)
        return 0;
    const struct daycurve_config how = {.time_column = config->csv.time_column,
                                        .series = config->series,
                                        .service = config->service,
                                        .time_unit = config->csv.time_unit,
                                        .separator = config->csv.separator,
                                        .header = config->csv.header,
                                        .gaps = config->gaps};
    struct daycurve curve;
    if (daycurve_read(config->curve_file, &how, &curve, err) < 0)
        return err_prefix(err, "curve_file");
    config->file_frac = curve.rates;
    config->file_step_s = curve.step_s;
    leave_next_out(config);
    return 0;
}

int arrival_diurnal_curve(const struct arrival_config *config, struct reals *out, struct err *err)
{
    const struct reals *given = config->curve_frac.n > 0 ? &config->curve_frac : &config->file_frac;
    if (config->shape != DAYCURVE_NONE) {
        daycurve_shape((enum daycurve_shape)config->shape, config->trough_frac, out);
        return 0;
    }
    if (given->n == 0) { // a file that nobody has loaded
        struct arrival_config own = *config;
        if (diurnal_load(&own, err) < 0)
            return -1;
        *out = own.file_frac;
        if (check_curve(out, "curve_file", err) == 0)
            return 0;
        mem_free(out->v);
        return -1;
    }
    *out = (struct reals){given->n, mem_alloc(given->n * sizeof *given->v)};
    memcpy(out->v, given->v, given->n * sizeof *given->v);
    return 0;
}

static void start_bursts(struct diurnal *d, const struct arrival_setup *setup)
{
    bool endless = setup->end_ns == 0 || setup->end_ns >= SIMTIME_LONGEST;
    d->has_states = has_states(setup->config);
    d->has_gamma = !d->has_states && has_cv(setup->config);
    d->end_ticks = endless ? (double)TICKS_TOP : (double)setup->end_ns * TICKS_PER_NS;
    if (d->has_states)
        modulate_start(&d->modulate, &d->place.visit, setup);
    if (d->has_gamma)
        d->gamma = gamma_gap_of(&d->stream, setup->config->cv);
}

static int diurnal_start(void *state, const struct arrival_setup *setup, struct err *err)
{
    struct diurnal *d = state;
    struct reals curve;
    if (arrival_diurnal_curve(setup->config, &curve, err) < 0)
        return -1;
    double total = 0, period_ticks = setup->config->period_s * TICKS_PER_S;
    for (size_t i = 0; i < curve.n; i++)
        total += curve.v[i];
    double mean_frac = total / (double)curve.n;
    d->stream = rng_stream(setup->seed, RNG_ARRIVAL, RNG_ENTITY(setup->cell, setup->service));
    start_bursts(d, setup);
    d->n_points = curve.n;
    d->per_tick = curve.v;
    for (size_t i = 0; i < curve.n; i++)
        d->per_tick[i] = curve.v[i] / mean_frac / arrival_gap_ticks(setup);
    d->per_period = period_ticks / arrival_gap_ticks(setup);
    d->piece_ticks = period_ticks / (double)curve.n;
    d->start_ticks = setup->config->start_s * TICKS_PER_S;
    d->place.piece = (uint64_t)(d->start_ticks / d->piece_ticks);
    d->place.offset_ticks = fmax(d->start_ticks - (double)d->place.piece * d->piece_ticks, 0);
    return 0;
}

static void diurnal_stop(void *state)
{
    struct diurnal *d = state;
    mem_free(d->per_tick);
    modulate_stop(&d->modulate);
}

// Time since the start of the simulation at the position.
static double position_ticks(const struct diurnal *d)
{
    return (double)d->place.piece * d->piece_ticks + d->place.offset_ticks - d->start_ticks;
}

// From the position to the end of its piece, or of its visit where that comes first.
struct stretch {
    double rate, last, slope; // at both ends, and per tick
    double end_ticks;         // into the piece
    double factor;            // on the rate
    bool leaves;              // a visit ends there
};

static struct stretch next_stretch(const struct diurnal *d)
{
    double first = d->per_tick[d->place.piece % d->n_points];
    struct stretch s = {.last = d->per_tick[(d->place.piece + 1) % d->n_points],
                        .end_ticks = d->piece_ticks,
                        .factor = 1};
    s.slope = (s.last - first) / d->piece_ticks;
    s.rate = first + s.slope * d->place.offset_ticks;
    if (!d->has_states)
        return s;
    double left_ticks = (double)d->place.visit.leave_ticks - position_ticks(d);
    double leave_ticks = d->place.offset_ticks + fmax(left_ticks, 0);
    s.factor = d->modulate.rate_frac[d->place.visit.state];
    s.leaves = leave_ticks < s.end_ticks;
    if (s.leaves) {
        s.end_ticks = leave_ticks;
        s.last = first + s.slope * leave_ticks;
    }
    return s;
}

// Past the end of a stretch, with `unit` still to be used up; returns what is left of that.
static double step_over(struct diurnal *d, const struct stretch *s, double unit)
{
    if (s->leaves) {
        d->place.offset_ticks = s->end_ticks;
        modulate_leave(&d->modulate, &d->place.visit);
        return unit;
    }
    d->place.piece++;
    d->place.offset_ticks = 0;
    // A gap longer than a period: whole periods at once, so that a tiny rate costs no time.
    double periods = d->has_states ? 0 : fmin(floor(unit / d->per_period), 0x1p40);
    if (periods < 1)
        return unit;
    d->place.piece += (uint64_t)periods * d->n_points;
    return unit - periods * d->per_period;
}

// Moves the position on until the integral of the rate has grown by `unit`.
static void use_up(struct diurnal *d, double unit)
{
    while (d->place.now_ticks < TICKS_TOP) {
        struct stretch s = next_stretch(d);
        double left = 0.5 * (s.rate + s.last) * (s.end_ticks - d->place.offset_ticks) * s.factor;
        if (unit < left) {
            double plain = unit / s.factor;
            double root = sqrt(fmax(s.rate * s.rate + 2 * s.slope * plain, 0));
            d->place.offset_ticks =
                fmin(d->place.offset_ticks + 2 * plain / (s.rate + root), s.end_ticks);
            break;
        }
        unit = step_over(d, &s, unit - left);
        if (position_ticks(d) >= 0x1p61)
            break;
        if (d->has_states && position_ticks(d) >= d->end_ticks)
            d->place.now_ticks = TICKS_TOP;
    }
    // Products of different pieces round differently: never step back by that last bit.
    int64_t ticks = ticks_round(fmax(position_ticks(d), 0));
    d->place.now_ticks = ticks > d->place.now_ticks ? ticks : d->place.now_ticks;
}

static void diurnal_fill(void *state, size_t n, int64_t *arrive_ns, uint32_t *size_items)
{
    (void)size_items;
    struct diurnal *d = state;
    uint64_t words[DRAW_BUFFER];
    double unit_gaps[ARRIVAL_BLOCK];
    if (!d->has_gamma)
        rng_exponential(draw_words(&d->stream, d->place.index, n, words), n, unit_gaps);
    for (size_t i = 0; d->has_gamma && i < n; i++)
        unit_gaps[i] = gamma_gap_draw(&d->gamma, d->place.index + i);
    for (size_t i = 0; i < n; i++) {
        use_up(d, unit_gaps[i]);
        arrive_ns[i] = ticks_to_ns(d->place.now_ticks);
    }
    d->place.index += n;
}

static bool diurnal_place_fits(const void *state)
{
    const struct diurnal *d = state;
    const struct diurnal_place *place = &d->place;
    return ticks_in_range(place->now_ticks) && place->offset_ticks >= 0 &&
           isfinite(place->offset_ticks) &&
           (!d->has_states || modulate_place_fits(&d->modulate, &place->visit));
}

static const struct field diurnal_fields[] = {
    FIELD(arrival_config, "curve", FIELD_REALS, UNIT_NONE, curve_frac, 0, 1e9, "",
          "relative rate at equal steps over the period, linear between: [0.5, 0.4, 0.7, 1]"),
    FIELD_CHOICES(arrival_config, "shape", shape, daycurve_shape_names, "none",
                  "a built-in curve, hour by hour if the period is a day"),
    FIELD(arrival_config, "trough", FIELD_REAL, UNIT_FRAC, trough_frac, 0, 1, "0.5",
          "of a shape: its lowest rate over its highest"),
    FIELD(arrival_config, "curve_file", FIELD_STRING, UNIT_NONE, curve_file, 0, 0, "",
          "a CSV file with the curve, as monitoring systems export it: rates at equal steps"),
    FIELD(arrival_config, "series", FIELD_STRING, UNIT_NONE, series, 0, 0, "",
          "of a curve_file of several: name, or number of the column; empty: the one named as the "
          "service"),
    FIELD_CHOICES(
        arrival_config, "gaps", gaps, daycurve_gaps_names, "error",
        "what a missing point of a curve_file is: an error, or on a straight line between "
        "its neighbours"),
    FIELD(arrival_config, "time_column", FIELD_STRING, UNIT_NONE, csv.time_column, 0, 0, "",
          "of a curve_file: name in the header, or number from 1; empty: the one called time, or "
          "the first"),
    FIELD_CHOICES(arrival_config, "time_unit", csv.time_unit, timetable_unit_names, "auto",
                  "of a curve_file; auto: timestamps if they look so, else as the column's name "
                  "says, else by "
                  "the size of the first"),
    FIELD_CHOICES(arrival_config, "separator", csv.separator, csv_separator_names, "auto",
                  "of a curve_file, between columns; auto: from the first line"),
    FIELD_CHOICES(arrival_config, "header", csv.header, timetable_header_names, "auto",
                  "whether the first line of a curve_file names the columns"),
    FIELD(arrival_config, "period", FIELD_REAL, UNIT_TIME, period_s, SHORTEST_PIECE_S, 1e9, "24h",
          "length of the curve; the service's rate is the mean over it"),
    FIELD(arrival_config, "start", FIELD_REAL, UNIT_TIME, start_s, 0, 1e9, "0",
          "where in the period the simulation starts"),
    FIELD(arrival_config, "cv", FIELD_REAL, UNIT_NONE, cv, LEAST_CV, 100, "1",
          "bursts: coefficient of variation of gamma-distributed gaps at a steady rate; 1: none"),
    MODULATE_FIELDS(""),
    FIELD_END,
};

const struct arrival_type arrival_diurnal = {
    .name = "diurnal",
    .help = "a rate that follows a periodic curve, such as a day: Poisson, or with bursts",
    .fields = diurnal_fields,
    .state_bytes = sizeof(struct diurnal),
    .place_bytes = sizeof(struct diurnal_place),
    .check = diurnal_check,
    .load = diurnal_load,
    .start = diurnal_start,
    .fill = diurnal_fill,
    .stop = diurnal_stop,
    .place_fits = diurnal_place_fits,
};
