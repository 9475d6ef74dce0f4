// SPDX-License-Identifier: Apache-2.0
// empirical: sizes from a file, each line "items" or "items,weight".
//
// A first line may be a header. Lines with the same size add up.
// Without weights every line counts once, so a plain list of observed sizes works as it is.
#include "traces/qsize.h"

#include "base/mem.h"
#include "traces/csv.h"
#include "traces/query.h"

// Weights are read as whole billionths.
#define WEIGHT_POWER 9

static int add_line(const struct csv *csv, int64_t cap, double *weights, struct err *err)
{
    const struct csv_field *size = &csv->fields[0], *weight = &csv->fields[1];
    char shown[CSV_SHOW_MAX];
    int64_t items, billionths = 1;
    if (csv->n_fields > 2)
        return csv_fail(csv, csv->fields[2].column, err, "expected \"items\" or \"items,weight\"");
    if (csv_decimal(size->text, size->n, 0, &items) || items < 1)
        return csv_fail(csv, size->column, err, "expected a size of at least 1, got %s",
                        csv_show(size, shown));
    if (csv->n_fields == 2 && csv_decimal(weight->text, weight->n, WEIGHT_POWER, &billionths))
        return csv_fail(csv, weight->column, err, "expected a weight >= 0, got %s",
                        csv_show(weight, shown));
    weights[items < cap ? items : cap] += (double)billionths;
    return 0;
}

static int read_lines(struct csv *csv, int64_t cap, double *weights, struct err *err)
{
    static const size_t both[] = {0, 1};
    size_t n_fields = 0;
    int rc;
    for (bool first = true; (rc = csv_next(csv, err)) > 0; first = false) {
        if (first && csv_is_header(csv, both, 2))
            continue;
        if (n_fields != 0 && csv->n_fields != n_fields)
            return csv_fail(csv, csv->fields[csv->n_fields - 1].column, err,
                            "expected %zu fields as in the lines before, got %zu", n_fields,
                            csv->n_fields);
        n_fields = csv->n_fields;
        if (add_line(csv, cap, weights, err))
            return -1;
    }
    if (rc == 0 && n_fields == 0)
        return csv_fail(csv, 1, err, "no sizes in the file");
    return rc;
}

static bool any_above_zero(const double *weights, int64_t cap)
{
    for (int64_t s = 1; s <= cap; s++)
        if (weights[s] > 0)
            return true;
    return false;
}

static int empirical_weigh(const struct size_config *config, double *weights, struct err *err)
{
    char *data;
    size_t n;
    if (!config->file || !config->file[0])
        return err_set(err, ERR_STUDY, "file: expected the name of a file of sizes");
    if (csv_read_file(config->file, &data, &n, err))
        return err_prefix(err, "file");
    struct csv *csv = mem_alloc(sizeof *csv);
    int rc = csv_open(csv, config->file, data, n, CSV_AUTO, err);
    if (rc == 0)
        rc = read_lines(csv, config->max_items, weights, err);
    if (rc == 0 && !any_above_zero(weights, config->max_items))
        rc = err_set(err, ERR_STUDY, "%s: expected a weight above 0, all are 0", config->file);
    mem_free(csv);
    mem_free(data);
    return rc ? err_prefix(err, "file") : 0;
}

static const struct field empirical_fields[] = {
    FIELD(size_config, "file", FIELD_STRING, UNIT_NONE, file, 0, 0, NULL,
          "sizes, a line each: items, or items,weight"),
    FIELD(size_config, "max_items", FIELD_INT, UNIT_ITEMS, max_items, 1, QUERY_MAX_ITEMS, "1024",
          "larger sizes count as this one"),
    FIELD_END,
};

const struct size_type qsize_empirical = {
    .name = "empirical",
    .help = "sizes and weights from a file",
    .fields = empirical_fields,
    .weigh = empirical_weigh,
};
