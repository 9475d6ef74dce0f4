// SPDX-License-Identifier: Apache-2.0
// page: a report as a whole: its answer, key numbers, pictures and tables, in this order.
//
// A page is written once, for all formats: as HTML it is one file with style and script inside that
// looks for nothing elsewhere and is complete without the script; as Markdown it has the same
// parts; as text its tables, and its pictures in characters; as SVG its pictures, one below the
// other; as JSON and CSV its tables (report_out.h).
//
//     struct report_out out = {stdout, REPORT_HTML};
//     struct page *page = page_open(&out, "quickstart", "a run of recfleet 0.2.0");
//     page_answer(&out, "feed holds its p95 of 25 ms on 32 servers.");
//     page_keys(&out, keys, n_keys);
//     page_heading(&out, "latency", "Latency");
//     report_chart(&out, chart);
//     page_close(page);
#ifndef RESULTS_REPORT_PAGE_H
#define RESULTS_REPORT_PAGE_H

#include <stddef.h>

#include "results/report/report_out.h"

struct page;

// Begins it; `out` is borrowed until page_close(), which ends it and frees the page.
struct page *page_open(struct report_out *out, const char *title, const char *subtitle);
void page_close(struct page *page);

// What somebody wants to know who reads one sentence.
void page_answer(struct report_out *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// Numbers that are seen first. Texts are borrowed.
struct page_key {
    const char *label, *value, *note; // "p95", "7.13 ±0.02 ms", "target 25 ms: met"
};
void page_keys(struct report_out *out, const struct page_key *keys, size_t n);

// A section begins; id is of [a-z0-9-].
void page_heading(struct report_out *out, const char *id, const char *title);
// What follows, to page_unfold(), is folded away behind that summary in HTML.
void page_fold(struct report_out *out, const char *summary);
void page_unfold(struct report_out *out);
// A text as it is, folded away; in HTML only.
void page_source(struct report_out *out, const char *summary, const char *text);

// The files of style and script, made by the build from page.css and page.js.
struct page_file {
    const char *name;
    const unsigned char *bytes;
    size_t n_bytes;
};
extern const struct page_file page_files[]; // ends with name NULL

#endif
