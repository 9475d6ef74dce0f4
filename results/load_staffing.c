// SPDX-License-Identifier: Apache-2.0
#include "results/load_staffing.h"

#include <string.h>

#include "base/mem.h"
#include "results/h5_read.h"

// More than any study has; a forged file must not make us multiply beyond what fits, nor ask for
// all memory: schedulers x allocations x provisionings x intervals x types x services.
#define MOST_ROWS (UINT64_C(1) << 24)

// 0 when the file has no such dimension.
static uint32_t read_length(struct h5_reader *r, enum staffing_dim dim)
{
    char *path = mem_printf("/%s", staffing_dim_names[dim]);
    uint64_t n = h5_read_has(r, path, "units") ? h5_read_extent(r, path) : 0;
    if (n > MOST_ROWS) {
        h5_read_fail(r, "is too long", path);
        n = 0;
    }
    mem_free(path);
    return (uint32_t)n;
}

static struct staffing_shape read_shape(struct h5_reader *r)
{
    uint32_t n[N_STAFFING_DIMS];
    uint64_t rows = 1;
    for (int d = 0; d < N_STAFFING_DIMS; d++) {
        n[d] = read_length(r, (enum staffing_dim)d);
        if (d < STAFFING_SIZE && n[d] > 0 && rows <= MOST_ROWS)
            rows *= n[d];
    }
    if (rows > MOST_ROWS)
        h5_read_fail(r, "has impossible dimensions", "the file");
    return (struct staffing_shape){n[STAFFING_SCHEDULER],    n[STAFFING_ALLOCATION],
                                   n[STAFFING_PROVISIONING], n[STAFFING_INTERVAL],
                                   n[STAFFING_TYPE],         n[STAFFING_SERVICE],
                                   n[STAFFING_SIZE],         n[STAFFING_LOAD]};
}

static void read_names(struct h5_reader *r, struct staffing *s, enum staffing_dim dim)
{
    char **names = staffing_names(s, dim);
    struct h5_rows rows = {names, sizeof *names, staffing_n(s, dim)};
    char *path = mem_printf("/%s", staffing_dim_names[dim]);
    if (names && rows.n > 0)
        h5_read_names(r, path, "names", &rows, 0);
    mem_free(path);
}

static void read_root(struct h5_reader *r, struct staffing *s)
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
    for (int d = 0; d < N_STAFFING_DIMS; d++)
        read_names(r, s, (enum staffing_dim)d);
}

// Which scheduler, which type: numbers of names that there are.
static void read_labels(struct h5_reader *r, struct staffing *s, const struct staffing_array *a,
                        const struct h5_rows *rows)
{
    for (const struct staffing_label *l = staffing_labels; l->array; l++) {
        if (strcmp(l->array, a->name) != 0)
            continue;
        char *path = mem_printf("%s/%s", a->group, l->name);
        h5_read_column(r, path, rows, l->offset, sizeof(uint32_t), false);
        for (size_t i = 0; i < rows->n && !h5_read_failed(r); i++) {
            uint32_t code;
            memcpy(&code, (char *)rows->base + i * rows->stride + l->offset, sizeof code);
            if (code >= staffing_n(s, (enum staffing_dim)l->dim))
                h5_read_fail(r, "holds an unknown code", path);
        }
        mem_free(path);
    }
}

static void read_array(struct h5_reader *r, struct staffing *s, const struct staffing_array *a)
{
    struct h5_rows rows = {staffing_rows(s, a), a->stride, staffing_n_rows(s, a)};
    read_labels(r, s, a, &rows);
    for (const struct staffing_view *v = a->views; v->fields; v++) {
        char *prefix = mem_printf("%s/%s", a->group, v->prefix);
        struct h5_rows part = rows;
        part.base = (char *)rows.base + v->offset;
        h5_read_fields(r, prefix, &part, v->fields);
        mem_free(prefix);
    }
}

// Those that the file says it holds.
static void read_arrays(struct h5_reader *r, struct staffing *s)
{
    char *list = h5_read_text(r, "/", "holds"), *rest = NULL;
    for (char *name = strtok_r(list, " ", &rest); name && !h5_read_failed(r);
         name = strtok_r(NULL, " ", &rest)) {
        const struct staffing_array *a = staffing_find(name);
        if (a)
            read_array(r, s, a);
        else
            h5_read_fail(r, "lists a part that is unknown", "/");
    }
    mem_free(list);
}

static struct staffing *read_file(const char *path, struct err *err)
{
    struct h5_reader *r = h5_read_open(path, "capacity", err);
    if (!r)
        return NULL;
    struct staffing_shape shape = read_shape(r);
    if (h5_read_failed(r))
        shape = (struct staffing_shape){0};
    struct staffing *s = staffing_create(&shape);
    read_root(r, s);
    read_arrays(r, s);
    if (h5_read_close(r) == 0)
        return s;
    staffing_destroy(s);
    return NULL;
}

static void try_file(void *path)
{
    staffing_destroy(read_file(path, NULL));
}

struct staffing *load_staffing_open(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = h5_read_survives(path, try_file, copy, err);
    mem_free(copy);
    return rc == 0 ? read_file(path, err) : NULL;
}
