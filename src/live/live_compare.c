// SPDX-License-Identifier: Apache-2.0
#include "live/live_compare.h"

#include <math.h>

#include "base/mem.h"
#include "results/batch.h"
#include "results/batch_hist.h"

// Of bins [first, end), counted from the record's first.
static double mean_s(const struct record *record, uint32_t first, uint32_t end)
{
    double sum_ns = 0, n = 0;
    for (uint32_t bin = first; bin < end; bin++)
        for (uint32_t s = 0; s < record->shape.n_services; s++) {
            const struct tally *tally = record_tally(record, bin, s, PATH_CPU);
            sum_ns += (double)tally->latency_sum_ns;
            n += (double)tally->n_queries;
        }
    return n > 0 ? sum_ns * 1e-9 / n : NAN;
}

static double busy_frac(const struct record *record, uint32_t n_workers, uint32_t first,
                        uint32_t end)
{
    double busy_ns = 0;
    int64_t from_ns = record_bin_start_ns(&record->shape, first);
    int64_t to_ns = record_bin_start_ns(&record->shape, end);
    for (uint32_t bin = first; bin < end; bin++)
        busy_ns += (double)record_group(record, bin, 0)->busy_ns[PART_CPU];
    return busy_ns / ((double)n_workers * (double)(to_ns - from_ns));
}

// One side of a comparison.
struct side {
    const struct live_window *window;
    const struct record *record;
    struct batch_plan plan;
    struct batch_hist *hist;
};

static struct side side_of(const struct live_window *window, const struct record *record,
                           const struct batch_plan *plan)
{
    const struct batch_hist_scope scope = {record, window->first_bin, *plan, 0,
                                           record->shape.n_services};
    return (struct side){window, record, *plan, batch_hist_create(&scope)};
}

// Of batches [begin, end).
static double number_of(const struct side *side, enum fidelity_number number, uint32_t begin,
                        uint32_t end)
{
    static const double quantiles[] = {
        [FIDELITY_P50] = 0.5, [FIDELITY_P95] = 0.95, [FIDELITY_P99] = 0.99};
    uint32_t first = side->window->first_bin + batch_first(&side->plan, begin);
    uint32_t last = side->window->first_bin + batch_first(&side->plan, end);
    switch (number) {
    case FIDELITY_MEAN:
        return mean_s(side->record, first, last);
    case FIDELITY_BUSY:
        return busy_frac(side->record, side->window->n_workers, first, last);
    default:
        return batch_hist_quantile_ns(side->hist, begin, end, quantiles[number]) * 1e-9;
    }
}

static struct ci error_of(const struct side *measured, const struct side *other,
                          enum fidelity_number number)
{
    uint32_t n = measured->plan.n_batches;
    double *errors = mem_calloc(n, sizeof *errors);
    for (uint32_t b = 0; b < n; b++)
        errors[b] = number_of(other, number, b, b + 1) / number_of(measured, number, b, b + 1) - 1;
    double whole = number_of(other, number, 0, n) / number_of(measured, number, 0, n) - 1;
    struct ci error = ci_sections(whole, errors, n);
    mem_free(errors);
    return error;
}

// Batches as long as the means' errors need to be to look independent.
static struct batch_plan plan_of(const struct live_window *window, const struct record *measured,
                                 const struct record *other)
{
    double *errors = mem_calloc(window->n_bins, sizeof *errors);
    for (uint32_t i = 0; i < window->n_bins; i++) {
        uint32_t bin = window->first_bin + i;
        errors[i] = mean_s(other, bin, bin + 1) / mean_s(measured, bin, bin + 1) - 1;
    }
    struct batch_plan plan = batch_plan_of(errors, window->n_bins, BATCH_AIM);
    mem_free(errors);
    return plan;
}

void live_compare_row(const struct live_window *window, const struct record *measured,
                      const struct record *other, struct fidelity_row *row)
{
    const struct record *shown = other ? other : measured;
    struct batch_plan plan = plan_of(window, measured, shown);
    struct side base = side_of(window, measured, &plan), side = side_of(window, shown, &plan);
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        row->number[i].value = number_of(&side, (enum fidelity_number)i, 0, plan.n_batches);
        row->number[i].error_frac =
            other ? error_of(&base, &side, (enum fidelity_number)i) : ci_none();
    }
    batch_hist_destroy(base.hist);
    batch_hist_destroy(side.hist);
}
