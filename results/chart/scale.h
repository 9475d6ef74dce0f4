// SPDX-License-Identifier: Apache-2.0
// scale: from numbers to places on an axis, and the ticks that a reader finds his way by.
//
// A scale maps its domain [from, to] to 0..1. Ticks are at round numbers (1, 2 and 5 times a power
// of ten; of a clock at whole minutes and hours), never more than asked for, and their labels have
// as many decimals as their distance needs and no more.
//
//     struct scale s = scale_fit(SCALE_LINEAR, 0, 23.7, 6);       // 0 .. 25
//     struct scale_tick ticks[SCALE_MOST_TICKS];
//     int n = scale_ticks(&s, 6, ticks);                         // 0 5 10 15 20 25
//     double x = left + width * scale_at(&s, 7.5);
//
// SCALE_TAIL is the probability scale of a tail: a fraction q is at -log10(1 - q), so that 0, 0.9,
// 0.99, 0.999 are equally far apart, and a latency's last percent has as much room as its first
// nine tenths.
#ifndef RESULTS_CHART_SCALE_H
#define RESULTS_CHART_SCALE_H

enum scale_kind { SCALE_LINEAR, SCALE_LOG, SCALE_TAIL, SCALE_CLOCK, SCALE_NAMES, N_SCALES };
extern const char *const scale_names[]; // "linear" "log" "tail" "clock" "names" NULL

struct scale {
    int kind;        // enum scale_kind
    double from, to; // in the axis's own numbers; of names -0.5 .. n - 0.5
};

#define SCALE_MOST_TICKS 16
struct scale_tick {
    double value;
    char label[32];
};

// The scale of that kind that holds all numbers from `least` to `most`, its ends on ticks: of
// about n_ticks. Nothing known (NaN), or a logarithm of what has none: 0 .. 1, 1 .. 10. A single
// number is put into the middle of something.
struct scale scale_fit(int kind, double least, double most, int n_ticks);

// Where the value is: 0 at `from`, 1 at `to`, beyond these outside; NaN: nowhere.
double scale_at(const struct scale *scale, double value);

// At most `most` ticks, from left to right; how many there are. Names have none.
int scale_ticks(const struct scale *scale, int most, struct scale_tick *ticks);

#endif
