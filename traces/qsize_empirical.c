// SPDX-License-Identifier: Apache-2.0
// empirical: sizes from a file, each line "items" or "items,weight", or in the order that a header
// says.
//
// A first line may be a header. Lines with the same size add up.
// Without weights every line counts once, so a plain list of observed sizes works as it is.
#include "traces/qsize.h"

#include "base/mem.h"
#include "traces/query.h"
#include "traces/timetable.h"

// Weights are read as whole billionths.
#define WEIGHT_POWER 9

enum { COLUMN_ITEMS, COLUMN_WEIGHT };

// Reading one file.
struct reader {
    struct timetable table;
    struct timetable_column columns[2];
    int64_t max_items;
    double *weights; // [1 .. max_items + 1]
    struct size_cut *cut;
};

static int add_line(struct reader *r, struct err *err)
{
    const struct csv *csv = &r->table.csv;
    const struct csv_field *size = &csv->fields[r->columns[COLUMN_ITEMS].at];
    const struct csv_field *weight = &csv->fields[r->columns[COLUMN_WEIGHT].at];
    char shown[CSV_SHOW_MAX];
    int64_t items, billionths = 1;
    if (csv_decimal(size->text, size->n, 0, &items) || items < 1)
        return csv_fail(csv, size->column, err, "expected a size of at least 1, got %s",
                        csv_show(size, shown));
    if (csv->n_fields == 2 && csv_decimal(weight->text, weight->n, WEIGHT_POWER, &billionths))
        return csv_fail(csv, weight->column, err, "expected a weight >= 0, got %s",
                        csv_show(weight, shown));
    bool above = items > r->max_items;
    r->weights[above ? r->max_items + 1 : items] += (double)billionths;
    r->cut->n += above;
    r->cut->n_lines++;
    if ((double)items > r->cut->largest_items)
        r->cut->largest_items = (double)items;
    return 0;
}

static int read_lines(struct reader *r, struct err *err)
{
    const struct csv *csv = &r->table.csv;
    int rc;
    if (csv->n_fields > 2)
        return csv_fail(csv, csv->fields[2].column, err, "expected \"items\" or \"items,weight\"");
    if (timetable_columns(&r->table, TIMETABLE_HEADER_AUTO, r->columns, csv->n_fields, err) < 0)
        return -1;
    while ((rc = timetable_next(&r->table, err)) > 0)
        if (add_line(r, err))
            return -1;
    if (rc == 0 && r->cut->n_lines == 0)
        return csv_fail(csv, 1, err, "no sizes in the file");
    for (int64_t s = 1; rc == 0 && s <= r->max_items + 1; s++)
        if (r->weights[s] > 0)
            return 0;
    return rc < 0
               ? -1
               : err_set(err, ERR_STUDY, "%s:1:1: expected a weight above 0, all are 0", csv->name);
}

static int empirical_weigh(const struct size_config *config, double *weights, struct size_cut *cut,
                           struct err *err)
{
    char *data;
    size_t n;
    if (!config->file || !config->file[0])
        return err_set(err, ERR_STUDY, "file: expected the name of a file of sizes");
    if (csv_read_file(config->file, &data, &n, err))
        return err_prefix(err, "file");
    struct reader *r = mem_alloc(sizeof *r);
    *r = (struct reader){.columns = {{"items", "auto", 1, TIMETABLE_ITEMS, 0, 0},
                                     {"weight", "auto", 2, TIMETABLE_WEIGHT, 0, 0}},
                         .max_items = config->max_items,
                         .weights = weights,
                         .cut = cut};
    int rc = timetable_open(&r->table, config->file, data, n, CSV_AUTO, err);
    if (rc == 0)
        rc = read_lines(r, err);
    mem_free(r);
    mem_free(data);
    return rc ? err_prefix(err, "file") : 0;
}

static const struct field empirical_fields[] = {
    FIELD(size_config, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, NULL,
          "sizes, a line each: items, or items,weight, or as a header says"),
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one, and are reported"),
    FIELD_END,
};

const struct size_type qsize_empirical = {
    .name = "empirical",
    .help = "sizes and weights from a file",
    .fields = empirical_fields,
    .weigh = empirical_weigh,
};
