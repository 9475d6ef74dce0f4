// SPDX-License-Identifier: Apache-2.0
#include "results/file/store_piece.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

void store_piece_put(const struct store_writer *w, const char *group, struct h5_var var,
                     uint64_t rows, const void *data)
{
    struct h5_slab slab = {0, w->root ? rows : 0, data};
    h5_put(w->file, group, &var, &slab);
}

void store_piece_codes(const struct store_writer *w, const char *group, const char *name,
                       const char *long_name, const char *const *names, uint32_t n)
{
    int32_t *codes = mem_calloc(n, sizeof *codes);
    char *path = mem_printf("%s/%s", group, name);
    for (uint32_t i = 0; i < n; i++)
        codes[i] = (int32_t)i;
    h5_coord(w->file, group, name, "1", long_name, H5_I32, n, codes);
    h5_codes(w->file, path, names, n);
    mem_free(path);
    mem_free(codes);
}

void store_piece_services(const struct store_writer *w, const char *group)
{
    const struct meta *m = w->meta;
    const char **names = mem_calloc(m->n_services, sizeof *names);
    for (uint32_t i = 0; i < m->n_services; i++)
        names[i] = m->services[i].name;
    store_piece_codes(w, group, "service", "service, by number", names, m->n_services);
    mem_free(names);
}

void store_piece_groups(const struct store_writer *w, const char *group)
{
    const struct meta *m = w->meta;
    const char **names = mem_calloc(m->n_groups, sizeof *names);
    for (uint32_t i = 0; i < m->n_groups; i++)
        names[i] = m->groups[i].name;
    store_piece_codes(w, group, "group", "group of servers, by number", names, m->n_groups);
    mem_free(names);
}

void store_piece_components(const struct store_writer *w, const char *group)
{
    store_piece_codes(w, group, "component", "component of a server", summary_part_names, N_PARTS);
}

void store_piece_quantiles(const struct store_writer *w, const char *group)
{
    h5_coord(w->file, group, "quantile", "1", "quantile of latency", H5_F64, SUMMARY_N_QUANTILES,
             summary_quantiles);
}

static size_t bytes_of(enum h5_type type)
{
    return type == H5_U8 ? 1 : type == H5_I32 || type == H5_U32 ? 4 : 8;
}

void store_piece_column(const struct store_writer *w, const char *group,
                        const struct store_rows *rows, const struct store_column *column)
{
    size_t bytes = bytes_of(column->type);
    char *data = mem_calloc(rows->n, bytes);
    for (size_t i = 0; i < rows->n; i++)
        memcpy(data + i * bytes, (const char *)rows->base + i * rows->stride + column->offset,
               bytes);
    struct h5_var var = {column->name, column->units, column->long_name,
                         column->type, rows->n_dims,  {0}};
    memcpy(var.dims, rows->dims, sizeof var.dims);
    store_piece_put(w, group, var, rows->n_first, data);
    mem_free(data);
}

void store_piece_ci(const struct store_writer *w, const char *group, const struct store_rows *rows,
                    const struct store_column *column)
{
    const struct {
        const char *suffix, *what, *units;
        enum h5_type type;
        size_t offset;
    } parts[] = {{"", "", column->units, H5_F64, offsetof(struct ci, value)},
                 {"_half_95", "half-width at 95 % of: ", column->units, H5_F64,
                  offsetof(struct ci, half_95)},
                 {"_half_99", "half-width at 99 % of: ", column->units, H5_F64,
                  offsetof(struct ci, half_99)},
                 {"_n_batches", "batches behind the intervals of: ", "1", H5_U32,
                  offsetof(struct ci, n_batches)}};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char *name = mem_printf("%s%s", column->name, parts[i].suffix);
        char *text = mem_printf("%s%s", parts[i].what, column->long_name);
        const struct store_column part = {name, parts[i].units, text, parts[i].type,
                                          column->offset + parts[i].offset};
        store_piece_column(w, group, rows, &part);
        mem_free(name);
        mem_free(text);
    }
}

static size_t n_names(const char *const *names)
{
    size_t n = 0;
    while (names && names[n])
        n++;
    return n;
}

void store_piece_field(const struct store_writer *w, const char *group,
                       const struct store_rows *rows, const struct summary_field *f)
{
    const enum h5_type stored[] = {
        [SUMMARY_CI] = H5_F64,      [SUMMARY_REAL] = H5_F64,  [SUMMARY_COUNT] = H5_U64,
        [SUMMARY_COUNT32] = H5_U32, [DATA_KIND_INT] = H5_I32, [SUMMARY_CODE] = H5_I32};
    const struct store_column column = {f->name, f->units, f->long_name, stored[f->kind],
                                        f->offset};
    if (f->kind == SUMMARY_CI) {
        store_piece_ci(w, group, rows, &column);
        return;
    }
    store_piece_column(w, group, rows, &column);
    if (f->codes) {
        char *path = mem_printf("%s/%s", group, f->name);
        h5_codes(w->file, path, f->codes, n_names(f->codes));
        mem_free(path);
    }
}

void store_piece_fields(const struct store_writer *w, const char *group,
                        const struct store_rows *rows, const struct summary_field *fields)
{
    for (const struct summary_field *f = fields; f->name; f++)
        store_piece_field(w, group, rows, f);
}

void store_piece_missing(const struct store_writer *w, const char *group,
                         const struct summary_field *f)
{
    const double missing = NAN;
    if (f->kind != SUMMARY_REAL)
        return;
    char *path = mem_printf("%s/%s", group, f->name);
    h5_number(w->file, path, "_FillValue", H5_F64, &missing);
    mem_free(path);
}

// Rows of the elements of an array member, which get a dimension of their own.
static struct store_rows element_rows(const struct store_rows *rows, const void *flat,
                                      size_t stride, uint32_t n_each, const char *dim)
{
    struct store_rows all = *rows;
    all.base = flat;
    all.stride = stride;
    all.n *= n_each;
    all.n_first = rows->n_dims ? rows->n_first : n_each;
    all.dims[all.n_dims++] = dim;
    return all;
}

// The member of `bytes` of each row, one behind the other; caller mem_free()s.
static void *gather_member(const struct store_rows *rows, size_t offset, size_t bytes)
{
    unsigned char *flat = mem_calloc(rows->n, bytes);
    for (size_t i = 0; i < rows->n; i++)
        memcpy(flat + i * bytes, (const unsigned char *)rows->base + i * rows->stride + offset,
               bytes);
    return flat;
}

void store_piece_latency(const struct store_writer *w, const char *group,
                         const struct store_rows *rows, size_t offset)
{
    const struct store_column column = {"latency_s", "s", "latency", H5_F64, 0};
    struct ci *flat = gather_member(rows, offset, SUMMARY_N_QUANTILES * sizeof *flat);
    const struct store_rows all =
        element_rows(rows, flat, sizeof *flat, SUMMARY_N_QUANTILES, "quantile");
    store_piece_ci(w, group, &all, &column);
    mem_free(flat);
}

void store_piece_parts(const struct store_writer *w, const char *group,
                       const struct store_rows *rows)
{
    struct summary_component *flat =
        gather_member(rows, offsetof(struct summary_group, parts), N_PARTS * sizeof *flat);
    const struct store_rows all = element_rows(rows, flat, sizeof *flat, N_PARTS, "component");
    for (const struct summary_field *f = summary_component_fields; f->name; f++) {
        struct summary_field renamed = *f;
        char *name = mem_printf("component_%s", f->name);
        renamed.name = name;
        store_piece_field(w, group, &all, &renamed);
        mem_free(name);
    }
    mem_free(flat);
}
