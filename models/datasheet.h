// SPDX-License-Identifier: Apache-2.0
// datasheet: a platform of which nothing is known but its data sheet.
//
// Cores, sockets, clock or peak, memory bandwidth, memory and watts are what a data sheet says. The
// rest is what the only core of these years that was measured has (zen5-2core of the catalogue,
// which the platform starts as), and four rules that the catalogue's own platforms from data
// sheets follow:
//
//     fc_peak          peak / cores; without a peak, clock * 32: two 512-bit units at half rate
//     attention_peak,
//     recurrent_peak   0.29 of it, the ratio on zen5-2core
//     socket bandwidth of streams 0.8, of random rows 0.55 of the data sheet's
//
// Its class and its year are not known unless they are given. All of it is provisional: how far
// such a platform is off is not known until it is measured.
#ifndef MODELS_DATASHEET_H
#define MODELS_DATASHEET_H

#include "base/err.h"
#include "base/schema.h"
#include "models/platform.h"

#define DATASHEET_LIKE "zen5-2core" // what the platform starts as

// Keys of a platform beside its own; 0: not given.
struct datasheet {
    double peak_flops;       // of all cores, fp32
    double memory_bandwidth; // of all sockets, bytes/s
};

extern const struct field datasheet_fields[];

// Fills in what follows, in place of what the platform has. The text of an error names the key.
int datasheet_derive(const struct datasheet *sheet, struct platform *platform, struct err *err);

#endif
