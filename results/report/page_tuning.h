// SPDX-License-Identifier: Apache-2.0
// page_tuning: the report of a tuning (page.h).
//
// What the best policy gains over the first, with which settings and where, in a sentence; key
// numbers; the rate that each policy holds at each point, and its queries per joule, as bars; gains
// over the first policy; published figures next to ours, where there are any (published.h); for
// every setting that was searched the climb: rates held and missed, and latencies, against its
// values, with the optimum marked; what the search took; and the tables of report_tuning.h, which
// name what is unreachable. Gains are those of tuning_rows.h.
//
// The first PAGE_TUNING_POINTS points have bars. The climb is shown at the point where the best
// policy gains most; those at the other points are folded away, the first of them that fit into
// about PAGE_TUNING_CLIMB_BYTES.
#ifndef RESULTS_REPORT_PAGE_TUNING_H
#define RESULTS_REPORT_PAGE_TUNING_H

#include "results/file/tuning_result.h"
#include "results/report/published.h"
#include "results/report/report_out.h"

#define PAGE_TUNING_POINTS 24
#define PAGE_TUNING_CLIMB_BYTES 1000000

// `published` NULL: none.
void page_tuning_print(struct report_out *out, const struct tuning_result *tuning,
                       const struct published *published);

#endif
