// SPDX-License-Identifier: Apache-2.0
// qsize: how many candidate items a query carries.
//
// Every distribution, given or read from a file, is turned into an exact probability mass function
// over 1 .. max items once, and drawn by Walker's alias method: one 64-bit word, one table look-up.
#ifndef TRACES_QSIZE_H
#define TRACES_QSIZE_H

#include <stdint.h>

#include "base/err.h"
#include "base/schema.h"

struct size_config {
    int64_t distribution; // index into size_types
    double mu, sigma;     // lognormal: of log items
    double mean_items, sd_items; // normal
    int64_t items;               // fixed
    int64_t max_items;           // cap, 1 .. QUERY_MAX_ITEMS
    char *file;                  // empirical
};

#endif
