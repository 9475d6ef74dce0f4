// SPDX-License-Identifier: Apache-2.0
// page_measured: the report of a run compared with what was measured (page.h).
//
// The nearest percentile to the 99th in a sentence and in numbers; latency by percentile, simulated
// and measured in one picture; the ratio of the two by percentile; and the table of
// percentile_table.h.
#ifndef RESULTS_REPORT_PAGE_MEASURED_H
#define RESULTS_REPORT_PAGE_MEASURED_H

#include <stdint.h>

#include "results/file/run_result.h"
#include "results/report/percentile_table.h"
#include "results/report/report_out.h"

// `service`: as in percentile_table.h. The run was read whole.
void page_measured_print(struct report_out *out, const struct run_result *run, uint32_t service,
                         const struct percentile_table_measured *measured);

#endif
