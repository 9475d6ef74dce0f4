// SPDX-License-Identifier: Apache-2.0
// rf_kernels: a tool for developers, started by scripts/kernels.sh; how fast the engine `own` is.
//
//     rf_kernels --times MODEL[:FORMAT] BYTES SECONDS BATCH...   CSV of one request's time, by
//                                                       batch; FORMAT: fp32, bf16 or int8; BATCH:
//                                                       64, or 64x1024 with a history of 1024
//     rf_kernels --reads ROW_BYTES BYTES SECONDS        random reads of rows: a bare loop, and the
//                                                       engine's sums of 80 rows
//     rf_kernels --dump MODEL BYTES BATCH FOLDER        what is computed with, and the results, as
//                                                       files of plain numbers
//
// BYTES limits the tables. Times are of one thread, by its own processor time: on a machine that
// does nothing else that is the time on the clock.
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wallclock.h"
#include "native/engine.h"
#include "native/inputs.h"
#include "native/network.h"
#include "native/pooling.h"
#include "native/tables.h"
#include "study/library.h"

enum { SEED = 1, MOST_RUNS = 100000, LEAST_RUNS = 5 };

struct tool {
    struct library library;
    char **args; // behind the mode
    int n_args;
};

static int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double thread_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

// Cuts the format from the end of MODEL:FORMAT.
static int read_format(char *name, struct engine_setup *setup, struct err *err)
{
    char *colon = strchr(name, ':');
    if (!colon)
        return 0;
    *colon = 0;
    for (int i = 0; i < N_FORMATS; i++)
        if (strcmp(model_format_names[i], colon + 1) == 0) {
            setup->format = (enum model_format)i;
            return 0;
        }
    return err_set(err, ERR_STUDY, "there is no number format called %s", colon + 1);
}

static int open_engine(const struct tool *tool, struct engine_setup *setup, struct engine **engine,
                       struct err *err)
{
    char name[128];
    snprintf(name, sizeof name, "%s", tool->args[0]);
    if (read_format(name, setup, err) != 0)
        return -1;
    setup->model = library_model(&tool->library, name);
    if (!setup->model)
        return err_set(err, ERR_STUDY, "there is no model called %s", name);
    setup->most_table_bytes = atof(tool->args[1]);
    setup->seed = SEED;
    *engine = engine_open(&engine_own, setup, err);
    return *engine ? 0 : -1;
}

// ---- --times ------------------------------------------------------------------------------------

// "64", or "64x1024": with a history.
static struct engine_limits read_batch(const char *text)
{
    const char *times = strchr(text, 'x');
    return (struct engine_limits){(uint32_t)atof(text), times ? (uint32_t)atof(times + 1) : 0};
}

// Runs requests of a size for so long, and prints quantiles of their times.
static void time_batch(struct engine_worker *worker, const char *model, const char *batch,
                       double seconds)
{
    const struct engine_limits size = read_batch(batch);
    struct engine_request request = {.items = size.items, .history_items = size.history_items};
    double *times_s = mem_calloc(MOST_RUNS, sizeof *times_s), begin_s = wallclock_s();
    request.number = size.items;
    uint32_t n = 0, n_outputs;
    for (uint32_t i = 0; i < LEAST_RUNS; i++, request.number++)
        engine_worker_run(worker, &request, &n_outputs);
    while (n < MOST_RUNS && (n < LEAST_RUNS || wallclock_s() - begin_s < seconds)) {
        double before_s = thread_s();
        engine_worker_run(worker, &request, &n_outputs);
        request.number++;
        times_s[n++] = thread_s() - before_s;
    }
    qsort(times_s, n, sizeof *times_s, compare_times);
    printf("%s,%s,%.0f,%.0f,%.0f,%u\n", model, batch, 1e9 * times_s[n / 2], 1e9 * times_s[n / 4],
           1e9 * times_s[0], n);
    fflush(stdout);
    mem_free(times_s);
}

static void grow(struct engine_limits *most, struct engine_limits size)
{
    if (size.items > most->items)
        most->items = size.items;
    if (size.history_items > most->history_items)
        most->history_items = size.history_items;
}

static int times(struct tool *tool, struct err *err)
{
    struct engine_setup setup = {0};
    struct engine *engine = NULL;
    struct engine_limits most = {1, 0};
    double seconds = atof(tool->args[2]);
    if (open_engine(tool, &setup, &engine, err) != 0)
        return -1;
    for (int i = 3; i < tool->n_args; i++)
        grow(&most, read_batch(tool->args[i]));
    struct engine_worker *worker = engine_worker_open(engine, &most, err);
    const struct engine_facts *facts = engine_facts_of(engine);
    printf("# %s; tables %.3g GB (%.3g of all rows), in huge pages: %s\n", facts->kernels,
           facts->table_bytes / 1e9, facts->table_frac, facts->huge_pages ? "yes" : "no");
    printf("model,batch,median_ns,quarter_ns,least_ns,runs\n");
    for (int i = 3; worker && i < tool->n_args; i++)
        time_batch(worker, setup.model->name, tool->args[i], seconds);
    engine_worker_close(worker);
    engine_close(engine);
    return worker ? 0 : -1;
}

// ---- --reads ------------------------------------------------------------------------------------

struct plain {
    const float *values;
    const uint32_t *rows;
    uint32_t dim, n_rows, ahead;
};

// The least that reading rows at random can be: of every line of every row one number is read, and
// lines are asked for `ahead` rows before.
static float read_rows(const struct plain *plain)
{
    float sums[2] = {0};
    for (uint32_t k = 0; k < plain->n_rows; k++) {
        const float *row = plain->values + (uint64_t)plain->rows[k] * plain->dim;
        const float *next = plain->values + (uint64_t)plain->rows[k + plain->ahead] * plain->dim;
        for (uint32_t i = 0; i < plain->dim; i += 16) {
            __builtin_prefetch(next + i, 0, 3);
            sums[i / 16 % 2] += row[i];
        }
    }
    return sums[0] + sums[1];
}

struct reads {
    struct plain plain;
    struct pooling_job job;
    double seconds;
};

// The shortest of several passes over all rows, in bytes a second.
static double rate_of(const struct reads *reads, bool pooled, float *sink)
{
    double best_s = INFINITY, begin_s = wallclock_s();
    while (wallclock_s() - begin_s < reads->seconds) {
        double before_s = thread_s();
        if (pooled)
            pooling_best()->run(&reads->job);
        else
            *sink += read_rows(&reads->plain);
        best_s = fmin(best_s, thread_s() - before_s);
    }
    return (double)reads->plain.n_rows * reads->plain.dim * sizeof(float) / best_s;
}

enum { POOLED = 80, N_READS = 1 << 20, MOST_AHEAD = 128 };

static int reads(struct tool *tool, struct err *err)
{
    uint32_t dim = (uint32_t)(atof(tool->args[0]) / sizeof(float));
    struct network_table table = {
        .rows = floor(atof(tool->args[1]) / (dim * sizeof(float))), .lookups = 1, .pooled = 1};
    struct network network = {.n_tables = 1, .tables = &table, .dim = dim};
    struct tables tables;
    float sink = 0, *out = mem_aligned(64, dim * sizeof(float));
    uint32_t *rows = mem_calloc(N_READS + MOST_AHEAD, sizeof *rows);
    struct rng_stream stream = rng_stream(SEED, RNG_INPUTS, 1);
    if (tables_create(&tables, &network, FORMAT_FP32, 0, SEED, err) != 0)
        return -1;
    for (uint32_t k = 0; k < N_READS + MOST_AHEAD; k++) {
        uint64_t words[2];
        rng_block(&stream, k, words);
        rows[k] = rng_below((uint32_t)words[0], tables_n_rows(&tables, 0));
    }
    struct pooling_bag bag = {POOLED, false, out, 0};
    uint32_t n_items = N_READS / POOLED;
    struct reads it = {{tables.values, rows, dim, N_READS, 0},
                       {.values = tables.values,
                        .dim = dim,
                        .n_bags = 1,
                        .n_items = n_items,
                        .bags = &bag,
                        .rows = rows,
                        .rows_per_item = POOLED},
                       atof(tool->args[2])};
    printf("kind,ahead_rows,bytes_per_s,huge_pages\n");
    for (it.plain.ahead = 0; it.plain.ahead <= MOST_AHEAD;
         it.plain.ahead = it.plain.ahead ? 2 * it.plain.ahead : 4)
        printf("loop,%u,%.0f,%d\n", it.plain.ahead, rate_of(&it, false, &sink), tables.huge_pages);
    it.plain.n_rows = n_items * POOLED;
    printf("%s,,%.0f,%d\n", pooling_best()->name, rate_of(&it, true, &sink), tables.huge_pages);
    mem_free(rows);
    mem_free(out);
    tables_release(&tables);
    return isfinite(sink) ? 0 : err_set(err, ERR_FAIL, "rows are not finite");
}

// ---- --dump -------------------------------------------------------------------------------------

static int write_file(const char *folder, const char *name, const void *data, size_t bytes,
                      struct err *err)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, bytes, file) != bytes || fclose(file) != 0)
        return err_set(err, ERR_FAIL, "%s: cannot be written", path);
    return 0;
}

struct dump {
    struct network network;
    struct tables tables;
    struct inputs inputs;
    const char *folder;
    uint32_t items;
};

// Row numbers within their tables, by table, item and lookup, as 32-bit integers.
static int write_indices(const struct dump *dump, struct err *err)
{
    uint32_t n = dump->network.lookups_per_item, at = 0;
    uint32_t *table = mem_calloc(n, sizeof *table), *lookup = mem_calloc(n, sizeof *lookup);
    uint32_t *indices = mem_calloc((size_t)n * dump->items, sizeof *indices);
    network_lookups(&dump->network, NETWORK_ITEMS, table, lookup);
    for (uint32_t t = 0; t < dump->network.n_tables; t++) {
        uint32_t lookups = dump->network.tables[t].lookups;
        for (uint32_t k = 0; k < n; k++)
            for (uint32_t i = 0; table[k] == t && i < dump->items; i++)
                indices[at + i * lookups + lookup[k]] =
                    dump->inputs.rows[(size_t)i * n + k] - dump->tables.first_row[t];
        at += lookups * dump->items;
    }
    int rc = write_file(dump->folder, "indices", indices, at * sizeof *indices, err);
    mem_free(table);
    mem_free(lookup);
    mem_free(indices);
    return rc;
}

static int write_inputs(const struct dump *dump, struct err *err)
{
    float *parameters = mem_calloc(dump->network.n_parameters, sizeof *parameters);
    network_parameters(&dump->network, SEED, parameters);
    int rc = write_file(dump->folder, "parameters", parameters,
                        dump->network.n_parameters * sizeof *parameters, err);
    if (rc == 0)
        rc = write_file(dump->folder, "tables", dump->tables.values, (size_t)dump->tables.bytes,
                        err);
    if (rc == 0)
        rc = write_file(dump->folder, "first_rows", dump->tables.first_row,
                        (dump->tables.n_tables + 1) * sizeof *dump->tables.first_row, err);
    if (rc == 0)
        rc = write_file(dump->folder, "features", dump->inputs.features,
                        (size_t)dump->items * dump->network.features * sizeof(float), err);
    if (rc == 0)
        rc = write_indices(dump, err);
    mem_free(parameters);
    return rc;
}

static int dump(struct tool *tool, struct err *err)
{
    struct dump dump = {.items = (uint32_t)atof(tool->args[2]), .folder = tool->args[3]};
    struct engine_setup setup = {0};
    struct engine *engine = NULL;
    uint32_t n_outputs;
    if (open_engine(tool, &setup, &engine, err) != 0)
        return -1;
    struct engine_worker *worker =
        engine_worker_open(engine, &(struct engine_limits){dump.items, 0}, err);
    const float *outputs =
        engine_worker_run(worker, &(struct engine_request){.items = dump.items}, &n_outputs);
    int rc = network_build(&dump.network, setup.model, err);
    if (rc == 0)
        rc = tables_create(&dump.tables, &dump.network, FORMAT_FP32, setup.most_table_bytes, SEED,
                           err);
    if (rc == 0) {
        inputs_create(&dump.inputs, &dump.network, &dump.tables, dump.items, SEED);
        rc = write_inputs(&dump, err);
    }
    if (rc == 0)
        rc = write_file(dump.folder, "outputs", outputs,
                        (size_t)dump.items * n_outputs * sizeof *outputs, err);
    engine_worker_close(worker);
    engine_close(engine);
    return rc;
}

#define USAGE                                                                                      \
    "--times MODEL[:FORMAT] BYTES SECONDS BATCH[xHISTORY]..., --reads ROW_BYTES BYTES SECONDS or " \
    "--dump MODEL BYTES BATCH FOLDER"

static int help(struct tool *tool, struct err *err)
{
    (void)tool;
    (void)err;
    printf("rf_kernels: how fast the engine own is\n\nusage: rf_kernels with %s\n", USAGE);
    return 0;
}

static int work(const char *mode, struct tool *tool, struct err *err)
{
    static const struct {
        const char *mode;
        int n_args; // at least
        int (*run)(struct tool *tool, struct err *err);
    } modes[] = {
        {"--times", 4, times}, {"--reads", 3, reads}, {"--dump", 4, dump}, {"--help", 0, help}};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(mode, modes[i].mode) == 0 && tool->n_args >= modes[i].n_args)
            return modes[i].run(tool, err);
    return err_set(err, ERR_STUDY, "expected " USAGE);
}

int main(int argc, char **argv)
{
    struct err err = {0};
    struct tool tool = {.args = argv + 2, .n_args = argc - 2};
    int rc = -1;
    if (library_load(&tool.library, &err) == 0)
        rc = work(argc > 1 ? argv[1] : "nothing", &tool, &err);
    if (rc != 0)
        fprintf(stderr, "rf_kernels: %s\n", err.text);
    library_release(&tool.library);
    return rc == 0 ? 0 : 1;
}
