// SPDX-License-Identifier: Apache-2.0
// rasterise: an SVG picture as PNG, by rsvg-convert (Debian: librsvg2-bin) where it is installed.
#ifndef APP_RASTERISE_H
#define APP_RASTERISE_H

#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

// Writes the picture to the file, at twice its size in pixels. -1 with a line that says what to
// install where there is no rsvg-convert.
int rasterise_svg(const char *svg, size_t n_bytes, FILE *png, struct err *err);

#endif
