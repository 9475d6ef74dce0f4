// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_fidelity.h"

#include "base/mem.h"
#include "results/report/table.h"

static void put_head(struct table *table, struct table_unit unit)
{
    table_head(table, mem_strdup("times"), "row");
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        const char *name = fidelity_numbers[i];
        const char *in = i == FIDELITY_BUSY ? "%" : unit.name;
        char *key = mem_printf(i == FIDELITY_BUSY ? "%s_frac" : "%s_s", name);
        char *error = mem_printf("%s_error_frac", name);
        table_head(table, mem_printf("%s %s", name, in), key);
        table_head(table, mem_strdup("error %"), error);
        mem_free(key);
        mem_free(error);
    }
}

static void put_row(struct table *table, struct table_unit unit, const struct fidelity *fidelity,
                    uint32_t r)
{
    table_cell(table, mem_strdup(fidelity->names[r]));
    for (int i = 0; i < N_FIDELITY_NUMBERS; i++) {
        double value = fidelity->rows[r].number[i].value;
        struct ci error = fidelity->rows[r].number[i].error_frac;
        table_value(table,
                    i == FIDELITY_BUSY ? table_fixed(100 * value, 2)
                                       : table_number(value * unit.scale),
                    value);
        table_estimate(table, r == 0 ? NULL : table_interval(error.value, error.half_95, 100),
                       error.value, error.half_95);
    }
}

void report_fidelity_print(struct report_out *out, const struct fidelity *fidelity)
{
    if (fidelity->n == 0)
        return;
    struct table_unit unit = table_time_unit(fidelity->rows[0].number[FIDELITY_P50].value);
    struct table *table = table_create(0);
    put_head(table, unit);
    table_line(table);
    for (uint32_t r = 0; r < fidelity->n; r++)
        put_row(table, unit, fidelity, r);
    table_print(table, out, "fidelity");
    table_destroy(table);
    report_text(out,
                "\nerror: computed over measured, less 1, of the same arrivals; its interval is "
                "of the same time bins\n");
}
