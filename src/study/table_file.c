// SPDX-License-Identifier: Apache-2.0
#include "study/table_file.h"

#include <string.h>

#include "base/mem.h"
#include "study/doc.h"
#include "study/reader.h"
#include "traces/csv.h"
#include "traces/percentiles.h"

#define HEAD_BYTES 4096 // within which a log says that it is one

static bool ends_in(const char *name, const char *suffix)
{
    size_t n = strlen(name), m = strlen(suffix);
    return n >= m && strcmp(name + n - m, suffix) == 0;
}

static bool is_yaml(const char *name)
{
    return ends_in(name, ".yaml") || ends_in(name, ".yml");
}

static bool is_loadgen(const char *data, size_t n)
{
    char head[HEAD_BYTES + 1];
    size_t length = n < HEAD_BYTES ? n : HEAD_BYTES;
    memcpy(head, data, length);
    head[length] = '\0';
    return strncmp(head, ":::MLLOG", 8) == 0 || strstr(head, "MLPerf Results Summary") ||
           strstr(head, "\n:::MLLOG");
}

static struct table_place place_of(const struct node *map, const char *key)
{
    const struct node *node = node_get(map, key);
    return node ? (struct table_place){(uint64_t)node->line, (size_t)node->column}
                : (struct table_place){0};
}

static int parse_yaml(struct table_csv *to, const char *name, const char *data, size_t n,
                      struct err *err)
{
    char found[64];
    struct doc *doc = doc_parse(name, data, n, err);
    *to = (struct table_csv){.note = NULL};
    if (!doc)
        return -1;
    const struct node *root = doc_root(doc);
    const struct reader_part part = {cost_table_fields, &to->table};
    const struct reader_options options = {NULL, false};
    int rc = root->kind == NODE_MAP ? 0
                                    : node_fail(root, err, "expected a map, got %s",
                                                node_found(root, found, sizeof found));
    schema_defaults(cost_table_fields, &to->table);
    if (rc == 0)
        rc = reader_fill(root, NULL, &part, 1, &options, err);
    if (rc == 0 && cost_table_check(&to->table, err) < 0)
        rc = reader_prefix(root, err);
    to->model_at = place_of(root, "model");
    to->platform_at = place_of(root, "platform");
    doc_destroy(doc);
    if (rc < 0)
        table_csv_release(to);
    return rc;
}

static void one_time(struct reals *to, double value)
{
    *to = (struct reals){1, mem_calloc(1, sizeof *to->v)};
    to->v[0] = value;
}

// The time that stands for all of a log, and what it is.
static double time_of_log(const struct percentiles *p, double *median_s, const char **note)
{
    size_t i = 0;
    while (i + 1 < p->n && p->quantile[i] < 0.5)
        i++;
    *median_s = p->quantile[i] == 0.5 ? p->latency_s[i] : 0;
    *note = p->mean_s > 0   ? "a LoadGen log: its mean latency is the time of a query of any size"
            : *median_s > 0 ? "a LoadGen log: its median latency is the time of a query of any size"
                            : "a LoadGen log with neither mean nor median: its lowest percentile "
                              "is the time of every query, which is too long";
    return p->mean_s > 0 ? p->mean_s : p->latency_s[i];
}

static int parse_loadgen(struct table_csv *to, const char *name, const char *data, size_t n,
                         bool for_accelerator, struct err *err)
{
    struct percentiles p;
    double median_s;
    *to = (struct table_csv){.note = NULL};
    if (percentiles_parse(&p, name, data, n, PERCENTILES_UNIT_S, err) < 0)
        return -1;
    double time_s = time_of_log(&p, &median_s, &to->note);
    bool centred = median_s > 0 || p.mean_s > 0;
    struct cost_table *table = &to->table;
    const char *slash = strrchr(name, '/');
    table->name = mem_strdup(slash ? slash + 1 : name);
    if (centred)
        table->cv = table_csv_cv(time_s, median_s, p.quantile, p.latency_s, p.n);
    percentiles_release(&p);
    if (!(time_s > 0)) {
        table_csv_release(to);
        return err_set(err, ERR_STUDY, "%s:1:1: expected latencies above 0", name);
    }
    one_time(for_accelerator ? &table->accel_batches_items : &table->batches_items, 1);
    one_time(for_accelerator ? &table->accel_compute_s : &table->seconds_s, time_s);
    if (for_accelerator)
        one_time(&table->accel_load_s, 0);
    else
        one_time(&table->busy_cores, 1);
    return 0;
}

static int parse(struct table_csv *to, const char *name, const char *data, size_t n,
                 bool for_accelerator, bool *any_size, struct err *err)
{
    *any_size = !is_yaml(name) && is_loadgen(data, n);
    if (is_yaml(name))
        return parse_yaml(to, name, data, n, err);
    return *any_size ? parse_loadgen(to, name, data, n, for_accelerator, err)
                     : table_csv_parse(to, name, data, n, for_accelerator, err);
}

static void set_source(struct table_source *source, const char *path, const struct table_csv *csv)
{
    *source = (struct table_source){.path = mem_strdup(path),
                                    .model = mem_strdup(csv->table.model),
                                    .platform = mem_strdup(csv->table.platform),
                                    .model_at = csv->model_at,
                                    .platform_at = csv->platform_at,
                                    .note = csv->note};
}

static void move(struct reals *to, struct reals *from)
{
    *to = *from;
    *from = (struct reals){0};
}

// The accelerator's times from a file of their own.
static int add_accelerator(struct table_file *to, const char *path, struct table_csv *csv,
                           struct err *err)
{
    struct cost_table *from = &csv->table, *table = &to->table;
    if (table->accel_compute_s.n > 0)
        return err_set(err, ERR_STUDY, "%s:1:1: %s has accelerator times already", path,
                       to->sources[TABLE_FILE_ALL].path);
    if (from->accel_compute_s.n == 0)
        return err_set(err, ERR_STUDY, "%s:1:1: expected times of the accelerator, got the CPU's",
                       path);
    if (!table->name)
        table->name = mem_strdup(from->name);
    if (table->seconds_s.n == 0)
        table->cv = from->cv;
    move(&table->accel_batches_items,
         from->accel_batches_items.n > 0 ? &from->accel_batches_items : &from->batches_items);
    move(&table->accel_load_s, &from->accel_load_s);
    move(&table->accel_compute_s, &from->accel_compute_s);
    return 0;
}

static int read_one(struct table_csv *to, const char *path, bool for_accelerator, bool *any_size,
                    struct err *err)
{
    char *data;
    size_t n;
    if (csv_read_file(path, &data, &n, err) < 0)
        return -1;
    int rc = parse(to, path, data, n, for_accelerator, any_size, err);
    mem_free(data);
    return rc;
}

int table_file_read(struct table_file *to, const char *path, const char *accelerator_path,
                    struct err *err)
{
    struct table_csv csv = {.note = NULL};
    bool any[TABLE_FILE_SOURCES] = {true, true};
    int rc = 0;
    *to = (struct table_file){.any_size = false};
    if (path && *path) {
        rc = read_one(&csv, path, false, &any[TABLE_FILE_ALL], err);
        if (rc == 0) {
            to->table = csv.table;
            set_source(&to->sources[TABLE_FILE_ALL], path, &csv);
        }
    }
    if (rc == 0 && accelerator_path && *accelerator_path) {
        rc = read_one(&csv, accelerator_path, true, &any[TABLE_FILE_ACCELERATOR], err);
        if (rc == 0) {
            set_source(&to->sources[TABLE_FILE_ACCELERATOR], accelerator_path, &csv);
            rc = add_accelerator(to, accelerator_path, &csv, err);
            table_csv_release(&csv);
        }
    }
    to->any_size = any[TABLE_FILE_ALL] && any[TABLE_FILE_ACCELERATOR];
    if (rc < 0)
        table_file_release(to);
    return rc;
}

int table_file_parse(struct table_file *to, const char *name, const char *data, size_t n,
                     struct err *err)
{
    struct table_csv csv;
    *to = (struct table_file){.any_size = false};
    if (parse(&csv, name, data, n, false, &to->any_size, err) < 0)
        return -1;
    to->table = csv.table;
    set_source(&to->sources[TABLE_FILE_ALL], name, &csv);
    return 0;
}

void table_file_release(struct table_file *file)
{
    if (!file)
        return;
    cost_table_release(&file->table);
    for (size_t i = 0; i < TABLE_FILE_SOURCES; i++) {
        mem_free(file->sources[i].path);
        mem_free(file->sources[i].model);
        mem_free(file->sources[i].platform);
    }
    *file = (struct table_file){.any_size = false};
}
