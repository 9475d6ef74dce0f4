// SPDX-License-Identifier: Apache-2.0
#include "results/report/report_columns.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

double report_columns_value(const struct data_field *fields, const struct report_column *column,
                            const void *row)
{
    return data_field_number(data_field_find(fields, column->field), row).value;
}

static char *text_of(const struct report_columns *c, const struct report_column *column,
                     struct ci ci)
{
    double scale = column->scale > 0 ? column->scale : c->unit.scale, value = ci.value * scale;
    switch (column->form) {
    case REPORT_KNOWN_INTERVAL:
        if (c->without_intervals || !isfinite(value))
            return table_known(value);
        return table_interval(ci.value, ci.half_95, scale);
    case REPORT_INTERVAL:
        return table_interval(ci.value, ci.half_95, scale);
    case REPORT_NUMBER:
        return table_number(value);
    case REPORT_KNOWN:
        return table_known(value);
    case REPORT_WHOLE:
    case REPORT_TENTHS:
    case REPORT_HUNDREDTHS:
        break;
    }
    return table_fixed(value, (int)(column->form - REPORT_WHOLE));
}

static void add_cell(const struct report_columns *c, const struct report_column *column,
                     struct table *table, const void *row)
{
    const struct data_field *f = data_field_find(c->fields, column->field);
    bool shown = !column->shown || column->shown(row);
    if (!f && c->more)
        f = data_field_find(c->more, column->field);
    if (shown && column->words) {
        int32_t code;
        memcpy(&code, (const char *)row + f->offset, sizeof code);
        table_cell(table, mem_strdup(column->words[code]));
        return;
    }
    struct ci ci = shown ? data_field_number(f, row) : ci_none();
    char *text = shown ? text_of(c, column, ci) : mem_strdup(column->hidden ? column->hidden : "-");
    if (f->kind == DATA_KIND_ESTIMATE)
        table_estimate(table, text, ci.value, ci.half_95);
    else
        table_value(table, text, ci.value);
}

// The unit of time is chosen for the whole table, so that its rows can be compared by eye.
void report_columns_heads(const struct report_columns *c, struct table *table)
{
    for (const struct report_column *column = c->list; column->head; column++) {
        const char *hole = strchr(column->head, '@');
        if (column->wanted && !column->wanted(c->context, column))
            continue;
        table_head(table,
                   hole ? mem_printf("%.*s%s%s", (int)(hole - column->head), column->head,
                                     c->unit.name, hole + 1)
                        : mem_strdup(column->head),
                   column->field);
    }
}

void report_columns_row(const struct report_columns *c, struct table *table, const void *row)
{
    for (const struct report_column *column = c->list; column->head; column++) {
        if (!column->wanted || column->wanted(c->context, column))
            add_cell(c, column, table, row);
    }
}
