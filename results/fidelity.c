// SPDX-License-Identifier: Apache-2.0
#include "results/fidelity.h"

#include "base/mem.h"

const char *const fidelity_numbers[] = {"mean", "p50", "p95", "p99", "busy", NULL};

#define ROW struct fidelity_row
#define LATENCY(name, at)                                                                          \
    DATA_NUMBER_AS(#name "_s", number[at].value, "s", #name " latency"),                           \
        DATA_ESTIMATE_AS(#name "_error_frac", number[at].error_frac, "1",                          \
                         "computed over measured " #name " latency, less 1")
const struct data_field fidelity_fields[] = {
    LATENCY(mean, FIDELITY_MEAN),
    LATENCY(p50, FIDELITY_P50),
    LATENCY(p95, FIDELITY_P95),
    LATENCY(p99, FIDELITY_P99),
    DATA_NUMBER_AS("busy_frac", number[FIDELITY_BUSY].value, "1",
                   "share of the cores' time that requests had"),
    DATA_ESTIMATE_AS("busy_error_frac", number[FIDELITY_BUSY].error_frac, "1",
                     "computed over measured share of the cores' time, less 1"),
    {0}};
#undef ROW

void fidelity_add(struct fidelity *fidelity, const char *name, const struct fidelity_row *row)
{
    uint32_t n = fidelity->n++;
    fidelity->names = mem_realloc(fidelity->names, fidelity->n, sizeof *fidelity->names);
    fidelity->rows = mem_realloc(fidelity->rows, fidelity->n, sizeof *fidelity->rows);
    fidelity->names[n] = mem_strdup(name);
    fidelity->rows[n] = *row;
}

void fidelity_release(struct fidelity *fidelity)
{
    for (uint32_t i = 0; fidelity && i < fidelity->n; i++)
        mem_free(fidelity->names[i]);
    if (!fidelity)
        return;
    mem_free(fidelity->names);
    mem_free(fidelity->rows);
    *fidelity = (struct fidelity){.n = 0};
}
