// SPDX-License-Identifier: Apache-2.0
// platform: a kind of server, its CPU and its optional accelerator.
//
// Values come from models/platforms/*.yaml or inline from a study. The roofline parameters below
// are per operator class; sources stand in the data files.
#ifndef MODELS_PLATFORM_H
#define MODELS_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/schema.h"
#include "models/power.h"

struct accelerator {
    char *name; // NULL or "": none
    // More members are added by this module: peak, bandwidth, launch overheads, link, streams.
    struct power_curve power;
};

struct platform {
    char *name;
    int64_t cores; // 1..1024
    struct power_curve power;
    bool has_accelerator;
    struct accelerator accelerator;
};

#endif
