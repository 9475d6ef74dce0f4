// SPDX-License-Identifier: Apache-2.0
// svg_text: text inside of a picture: escaped, measured, cut to fit.
//
// A picture is laid out before anybody has chosen a font, so a text's width is an upper estimate
// for the usual sans-serif fonts, character by character: text that is said to fit does. Whatever
// bytes come, what goes out is well-formed XML: control characters and broken UTF-8 become U+FFFD.
// Units: pixels of the picture.
#ifndef RESULTS_CHART_SVG_TEXT_H
#define RESULTS_CHART_SVG_TEXT_H

#include <stdio.h>

// Characters and quotes of XML as entities, also fit for HTML.
void svg_text_escape(FILE *out, const char *text);

// At most that wide at that font size.
double svg_text_width(const char *text, double font_size);

// The text, or its beginning with "…" behind it, not wider than `most`. Caller mem_free()s.
char *svg_text_cut(const char *text, double font_size, double most);

#endif
