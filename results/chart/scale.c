// SPDX-License-Identifier: Apache-2.0
#include "results/chart/scale.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const scale_names[] = {"linear", "log", "tail", "clock", "names", NULL};

#define TAIL_MOST 0.9999999 // a fraction of 1 has no place on a logarithmic axis
#define MINUTE_S 60.0
#define HOUR_S 3600.0

static double tail_of(double q)
{
    return -log10(1 - fmin(fmax(q, 0), TAIL_MOST));
}

// In what the axis is linear in.
static double place_of(const struct scale *scale, double value)
{
    switch (scale->kind) {
    case SCALE_LOG:
        return value > 0 ? log10(value) : (double)NAN;
    case SCALE_TAIL:
        return tail_of(value);
    default:
        return value;
    }
}

double scale_at(const struct scale *scale, double value)
{
    double from = place_of(scale, scale->from), to = place_of(scale, scale->to);
    return (place_of(scale, value) - from) / (to - from);
}

// ---- steps

// The least of 1, 2, 5 times a power of ten that cuts `length` into at most n parts.
static double round_step(double length, int n)
{
    double raw = length / n, power = pow(10, floor(log10(raw)));
    const double times[] = {1, 2, 5, 10};
    for (int i = 0; i < 4; i++)
        if (times[i] * power >= raw * (1 - 1e-9))
            return times[i] * power;
    return 10 * power;
}

static double clock_step(double length_s, int n)
{
    const double steps[] = {1,
                            2,
                            5,
                            10,
                            15,
                            30,
                            MINUTE_S,
                            2 * MINUTE_S,
                            5 * MINUTE_S,
                            10 * MINUTE_S,
                            15 * MINUTE_S,
                            30 * MINUTE_S,
                            HOUR_S,
                            2 * HOUR_S,
                            3 * HOUR_S,
                            4 * HOUR_S,
                            6 * HOUR_S,
                            12 * HOUR_S,
                            24 * HOUR_S};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * n >= length_s * (1 - 1e-9))
            return steps[i];
    return round_step(length_s / (24 * HOUR_S), n) * 24 * HOUR_S;
}

static double step_of(int kind, double length, int n)
{
    return kind == SCALE_CLOCK ? clock_step(length, n) : round_step(length, n);
}

// ---- domains

static struct scale fit_linear(int kind, double least, double most, int n_ticks)
{
    if (!(most > least)) { // one number, or none
        double room = fabs(least) > 0 ? 0.5 * fabs(least) : 1;
        most = least + room;
        least = least >= 0 && least < room ? 0 : least - room;
    }
    double step = step_of(kind, most - least, n_ticks);
    double first = floor(least / step + 1e-9), last = ceil(most / step - 1e-9);
    return (struct scale){kind, first * step, fmax(last, first + 1) * step};
}

// Whole decades where there are several, else 1, 2, 5 times one.
static struct scale fit_log(double least, double most)
{
    struct scale s = {SCALE_LOG, 1, 10};
    if (!(least > 0) || !(most >= least))
        return s;
    const double times[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(least)));
    for (int i = 0; i < 3; i++)
        if (times[i] * power <= least * (1 + 1e-9))
            s.from = times[i] * power;
    power = pow(10, floor(log10(most)));
    for (int i = 3; i >= 0; i--)
        if (times[i] * power >= most * (1 - 1e-9))
            s.to = times[i] * power;
    if (s.to <= s.from)
        s.to = 10 * s.from;
    return s;
}

struct scale scale_fit(int kind, double least, double most, int n_ticks)
{
    if (kind == SCALE_LOG)
        return fit_log(least, most);
    if (kind == SCALE_NAMES)
        return (struct scale){kind, -0.5, most - 0.5};
    if (!isfinite(least) || !isfinite(most))
        least = 0, most = 1;
    if (kind == SCALE_TAIL) // to the next power of ten
        return (struct scale){kind, 0, 1 - pow(10, -fmax(1, ceil(tail_of(most) - 1e-9)))};
    return fit_linear(kind, least, most, n_ticks);
}

// ---- ticks

// Decimals that tell numbers apart which are `step` apart.
static int decimals_of(double step)
{
    int decimals = 0;
    for (double s = step; decimals < 9 && fabs(s - round(s)) > 1e-6 * s; s *= 10)
        decimals++;
    return decimals;
}

// "12 k" "3.5 M": all labels of an axis in the same thousand.
static void label_number(char *text, size_t n, double value, double step, double most)
{
    const struct {
        double from, scale;
        const char *letter;
    } units[] = {{1e10, 1e-9, " G"}, {1e7, 1e-6, " M"}, {1e4, 1e-3, " k"}, {0, 1, ""}};
    int i = 0;
    while (most < units[i].from)
        i++;
    double scale = units[i].scale;
    if (fabs(value) < 1e-9 * step)
        snprintf(text, n, "0");
    else if (most < 1e-4)
        snprintf(text, n, "%g", value);
    else
        snprintf(text, n, "%.*f%s", decimals_of(step * scale), value * scale, units[i].letter);
}

static void label_clock(char *text, size_t n, double value_s, double step_s)
{
    long s = lround(value_s);
    if (step_s < MINUTE_S)
        snprintf(text, n, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, n, "%02ld:%02ld", s / 3600, s / 60 % 60);
}

static int linear_ticks(const struct scale *s, int most, struct scale_tick *ticks)
{
    double step = step_of(s->kind, s->to - s->from, most > 1 ? most - 1 : 1);
    double largest = fmax(fabs(s->from), fabs(s->to));
    int n = 0;
    for (double i = ceil(s->from / step - 1e-9); i * step <= s->to + 1e-9 * step && n < most; i++) {
        struct scale_tick *tick = &ticks[n++];
        tick->value = i * step;
        if (s->kind == SCALE_CLOCK)
            label_clock(tick->label, sizeof tick->label, tick->value, step);
        else
            label_number(tick->label, sizeof tick->label, tick->value, step, largest);
    }
    return n;
}

// A tick for every decade, or every so manieth; with 2 and 5 between where there is room.
static int log_ticks(const struct scale *s, int most, struct scale_tick *ticks)
{
    double first = floor(log10(s->from) + 1e-9), last = ceil(log10(s->to) - 1e-9);
    int decades = (int)(last - first), n = 0, stride = (decades + most - 1) / most;
    bool between = 3 * decades + 1 <= most;
    stride = stride < 1 ? 1 : stride;
    for (int d = 0; d <= decades && n < most; d += stride) {
        const double times[] = {1, 2, 5};
        for (int i = 0; i < (between ? 3 : 1) && n < most; i++) {
            double value = times[i] * pow(10, first + d);
            if (value < s->from * (1 - 1e-9) || value > s->to * (1 + 1e-9))
                continue;
            ticks[n].value = value;
            if (value >= 1e-4 && value < 1e15)
                label_number(ticks[n].label, sizeof ticks[n].label, value, value, value);
            else
                snprintf(ticks[n].label, sizeof ticks[n].label, "%g", value);
            n++;
        }
    }
    return n;
}

// 0, 90, 99, 99.9 ... in percent.
static int tail_ticks(const struct scale *s, int most, struct scale_tick *ticks)
{
    int decades = (int)floor(tail_of(s->to) + 1e-6), stride = (decades + most - 1) / most, n = 0;
    for (int d = 0; d <= decades && n<most; d += stride> 0 ? stride : 1) {
        ticks[n].value = 1 - pow(10, -d);
        snprintf(ticks[n].label, sizeof ticks[n].label, "%.7g %%", ticks[n].value * 100);
        n++;
    }
    return n;
}

int scale_ticks(const struct scale *scale, int most, struct scale_tick *ticks)
{
    most = most > SCALE_MOST_TICKS ? SCALE_MOST_TICKS : most;
    switch (scale->kind) {
    case SCALE_NAMES:
        return 0;
    case SCALE_LOG:
        return log_ticks(scale, most, ticks);
    case SCALE_TAIL:
        return tail_ticks(scale, most, ticks);
    default:
        return linear_ticks(scale, most, ticks);
    }
}
