// SPDX-License-Identifier: Apache-2.0
#include "results/file/load_capacity.h"

#include <string.h>

#include "base/mem.h"
#include "results/file/h5_read.h"

// More than any study has; a forged file must not make us multiply beyond what fits, nor ask for
// all memory: schedulers x allocations x provisionings x intervals x types x services.
#define MOST_ROWS (UINT64_C(1) << 24)

// 0 when the file has no such dimension.
static uint32_t read_length(struct h5_reader *r, enum capacity_dim dim)
{
    char *path = mem_printf("/%s", capacity_result_dim_names[dim]);
    uint64_t n = h5_read_has(r, path, "units") ? h5_read_extent(r, path) : 0;
    if (n > MOST_ROWS) {
        h5_read_fail(r, "is too long", path);
        n = 0;
    }
    mem_free(path);
    return (uint32_t)n;
}

static struct capacity_shape read_shape(struct h5_reader *r)
{
    uint32_t n[N_CAPACITY_DIMS];
    uint64_t rows = 1;
    for (int d = 0; d < N_CAPACITY_DIMS; d++) {
        n[d] = read_length(r, (enum capacity_dim)d);
        if (d < CAPACITY_SIZE && n[d] > 0 && rows <= MOST_ROWS)
            rows *= n[d];
    }
    if (rows > MOST_ROWS)
        h5_read_fail(r, "has impossible dimensions", "the file");
    return (struct capacity_shape){n[CAPACITY_SCHEDULER],    n[CAPACITY_ALLOCATION],
                                   n[CAPACITY_PROVISIONING], n[CAPACITY_INTERVAL],
                                   n[CAPACITY_TYPE],         n[CAPACITY_SERVICE],
                                   n[CAPACITY_SIZE],         n[CAPACITY_LOAD]};
}

static void read_names(struct h5_reader *r, struct capacity_result *s, enum capacity_dim dim)
{
    char **names = capacity_result_names(s, dim);
    struct h5_rows rows = {names, sizeof *names, capacity_result_n(s, dim)};
    char *path = mem_printf("/%s", capacity_result_dim_names[dim]);
    if (names && rows.n > 0)
        h5_read_names(r, path, "names", &rows, 0);
    mem_free(path);
}

static void read_root(struct h5_reader *r, struct capacity_result *s)
{
    const struct {
        const char *key;
        double *value;
    } reals[] = {{"headroom_frac", &s->headroom_frac},
                 {"sla_quantile", &s->sla_quantile},
                 {"day_s", &s->day_s},
                 {"interval_s", &s->interval_s},
                 {"startup_s", &s->startup_s},
                 {"min_on_s", &s->min_on_s}};
    s->name = h5_read_text(r, "/", "study_name");
    s->program_version = h5_read_text(r, "/", "program_version");
    s->find = h5_read_text(r, "/", "find");
    s->objective = h5_read_text(r, "/", "objective");
    s->objective_unit = h5_read_text(r, "/", "objective_unit");
    s->study = h5_read_bytes(r, "/study/text");
    h5_read_attribute(r, "/", "seed", 8, false, &s->seed);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        h5_read_attribute(r, "/", reals[i].key, 8, true, reals[i].value);
    for (int d = 0; d < N_CAPACITY_DIMS; d++)
        read_names(r, s, (enum capacity_dim)d);
}

// Which scheduler, which type: numbers of names that there are.
static void read_labels(struct h5_reader *r, struct capacity_result *s,
                        const struct capacity_array *a, const struct h5_rows *rows)
{
    for (const struct capacity_label *l = capacity_result_labels; l->array; l++) {
        if (strcmp(l->array, a->name) != 0)
            continue;
        char *path = mem_printf("%s/%s", a->group, l->name);
        h5_read_column(r, path, rows, l->offset, sizeof(uint32_t), false);
        for (size_t i = 0; i < rows->n && !h5_read_failed(r); i++) {
            uint32_t code;
            memcpy(&code, (char *)rows->base + i * rows->stride + l->offset, sizeof code);
            if (code >= capacity_result_n(s, (enum capacity_dim)l->dim))
                h5_read_fail(r, "holds an unknown code", path);
        }
        mem_free(path);
    }
}

static void read_array(struct h5_reader *r, struct capacity_result *s,
                       const struct capacity_array *a)
{
    struct h5_rows rows = {capacity_result_rows(s, a), a->stride, capacity_result_n_rows(s, a)};
    read_labels(r, s, a, &rows);
    for (const struct field_group *v = a->views; v->fields; v++) {
        char *prefix = mem_printf("%s/%s", a->group, v->prefix);
        struct h5_rows part = rows;
        part.base = (char *)rows.base + v->offset;
        h5_read_fields(r, prefix, &part, v->fields);
        mem_free(prefix);
    }
}

// Those that the file says it holds.
static void read_arrays(struct h5_reader *r, struct capacity_result *s)
{
    char *list = h5_read_text(r, "/", "holds"), *rest = NULL;
    for (char *name = strtok_r(list, " ", &rest); name && !h5_read_failed(r);
         name = strtok_r(NULL, " ", &rest)) {
        const struct capacity_array *a = capacity_result_find(name);
        if (a)
            read_array(r, s, a);
        else
            h5_read_fail(r, "lists a part that is unknown", "/");
    }
    mem_free(list);
}

static struct capacity_result *read_file(const char *path, struct err *err)
{
    struct h5_reader *r = h5_read_open(path, "capacity", err);
    if (!r)
        return NULL;
    struct capacity_shape shape = read_shape(r);
    if (h5_read_failed(r))
        shape = (struct capacity_shape){0};
    struct capacity_result *s = capacity_result_create(&shape);
    read_root(r, s);
    read_arrays(r, s);
    if (h5_read_close(r) == 0)
        return s;
    capacity_result_destroy(s);
    return NULL;
}

static void try_file(void *path)
{
    capacity_result_destroy(read_file(path, NULL));
}

struct capacity_result *load_capacity_open(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = h5_read_survives(path, try_file, copy, err);
    mem_free(copy);
    return rc == 0 ? read_file(path, err) : NULL;
}
