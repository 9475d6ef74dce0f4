// SPDX-License-Identifier: Apache-2.0
// page_run: the report of one run (page.h).
//
// Whether targets are met, in a sentence; key numbers; latency by percentile with intervals, its
// histogram, latency, traffic, utilisation and waiting over time, where a query's time goes, how
// busy each server was; and the tables of report.h. Of many services the first PAGE_RUN_SERVICES
// have pictures.
#ifndef RESULTS_REPORT_PAGE_RUN_H
#define RESULTS_REPORT_PAGE_RUN_H

#include "results/file/run_result.h"
#include "results/report/report_out.h"

#define PAGE_RUN_SERVICES 6

// `run` was read whole.
void page_run_print(struct report_out *out, const struct run_result *run);

#endif
