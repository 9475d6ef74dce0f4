// SPDX-License-Identifier: Apache-2.0
// report_fidelity: what a real server has shown, next to what is computed of the same arrivals.
//
// A line for each row (results/fidelity.h), in a unit that fits the measured median, with the
// errors in percent and their 95 % confidence intervals.
#ifndef RESULTS_REPORT_REPORT_FIDELITY_H
#define RESULTS_REPORT_REPORT_FIDELITY_H

#include "results/fidelity.h"
#include "results/report/report_out.h"

// Nothing where the run was not measured.
void report_fidelity_print(struct report_out *out, const struct fidelity *fidelity);

#endif
