// SPDX-License-Identifier: Apache-2.0
#include "results/load.h"

#include <hdf5.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "results/seal.h"

// Bounds far above any real file, so that a forged size cannot ask for all memory.
#define MOST_ELEMENTS (UINT64_C(1) << 31)
#define MOST_TEXT (UINT64_C(1) << 28)
#define SCHEMA_VERSION 1

// Reading one file; the first failure is kept and later calls do nothing.
struct reader {
    hid_t file;
    const char *path;
    struct err *err;
    bool failed;
};

static void fail(struct reader *r, const char *what, const char *object)
{
    if (r->failed)
        return;
    r->failed = true;
    err_set(r->err, ERR_FAIL, "%s: not a readable recfleet result: %s %s", r->path, object, what);
}

// ---- datasets and attributes

static hid_t memory_type(size_t bytes, bool real)
{
    if (real)
        return H5T_NATIVE_DOUBLE;
    return bytes == 8 ? H5T_NATIVE_UINT64 : H5T_NATIVE_UINT32;
}

static uint64_t extent(struct reader *r, const char *name)
{
    if (r->failed)
        return 0;
    hid_t id = H5Dopen2(r->file, name, H5P_DEFAULT);
    hid_t space = id < 0 ? -1 : H5Dget_space(id);
    hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
    if (n < 0 || (uint64_t)n > MOST_ELEMENTS)
        fail(r, n < 0 ? "is missing" : "is too long", name);
    if (space >= 0)
        H5Sclose(space);
    if (id >= 0)
        H5Dclose(id);
    return r->failed ? 0 : (uint64_t)n;
}

// The stored numbers must be of the class that is wanted and no wider.
static bool type_fits(hid_t id, size_t bytes, bool real)
{
    hid_t type = H5Dget_type(id);
    if (type < 0)
        return false;
    H5T_class_t class = H5Tget_class(type);
    bool fits = class == (real ? H5T_FLOAT : H5T_INTEGER) && H5Tget_size(type) <= bytes;
    H5Tclose(type);
    return fits;
}

// Exactly n numbers of `bytes` each into data.
static void read_numbers(struct reader *r, const char *name, uint64_t n, size_t bytes, bool real,
                         void *data)
{
    if (extent(r, name) != n)
        fail(r, "has another length than the rest implies", name);
    if (r->failed)
        return;
    hid_t id = H5Dopen2(r->file, name, H5P_DEFAULT);
    if (id < 0 || !type_fits(id, bytes, real))
        fail(r, "is not of the expected type", name);
    else if (n > 0 &&
             H5Dread(id, memory_type(bytes, real), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
        fail(r, "cannot be read (damaged?)", name);
    if (id >= 0)
        H5Dclose(id);
}

static double *new_reals(struct reader *r, const char *name, uint64_t n)
{
    double *data = mem_calloc(r->failed ? 0 : n, sizeof *data);
    read_numbers(r, name, n, sizeof *data, true, data);
    return data;
}

static void close_attribute(hid_t id, hid_t type, hid_t space)
{
    if (space >= 0)
        H5Sclose(space);
    if (type >= 0)
        H5Tclose(type);
    if (id >= 0)
        H5Aclose(id);
}

// A fixed-length string attribute; caller frees. Never NULL.
static char *read_text(struct reader *r, const char *object, const char *key)
{
    if (r->failed)
        return mem_strdup("");
    hid_t id = H5Aopen_by_name(r->file, object, key, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = type >= 0 && space >= 0 && H5Tget_class(type) == H5T_STRING &&
              H5Tis_variable_str(type) == 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Tget_size(type) <= MOST_TEXT;
    size_t bytes = ok ? H5Tget_size(type) : 0;
    char *text = mem_calloc(bytes + 1, 1);
    if (!ok || H5Aread(id, type, text) < 0)
        fail(r, "lacks an attribute of text, or it cannot be read", object);
    close_attribute(id, type, space);
    return text;
}

static void read_attribute(struct reader *r, const char *object, const char *key, size_t bytes,
                           bool real, void *value)
{
    if (r->failed)
        return;
    hid_t id = H5Aopen_by_name(r->file, object, key, H5P_DEFAULT, H5P_DEFAULT);
    hid_t type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
    bool ok = type >= 0 && space >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Tget_class(type) == (real ? H5T_FLOAT : H5T_INTEGER) && H5Tget_size(type) <= bytes;
    if (!ok || H5Aread(id, memory_type(bytes, real), value) < 0)
        fail(r, "lacks a number among its attributes, or it cannot be read", object);
    close_attribute(id, type, space);
}

// Names of the codes 0 .. n - 1, one a line in the attribute, into the members at `offset`.
static void read_names(struct reader *r, const char *object, uint32_t n, void *base, size_t stride,
                       size_t offset)
{
    char *lines = read_text(r, object, "names"), *at = lines;
    uint32_t i = 0;
    for (; i < n && at && !r->failed; i++) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        char *name = mem_strdup(at);
        memcpy((char *)base + i * stride + offset, &name, sizeof name);
        at = end ? end + 1 : NULL;
    }
    if (i < n || (at && n > 0))
        fail(r, "has another number of names", object);
    mem_free(lines);
}

// ---- the tables of the summary

struct rows {
    void *base;
    size_t stride, n;
};

static void read_column(struct reader *r, const char *name, const struct rows *rows, size_t offset,
                        size_t bytes, bool real)
{
    char *column = mem_calloc(rows->n, bytes);
    read_numbers(r, name, rows->n, bytes, real, column);
    for (size_t i = 0; i < rows->n && !r->failed; i++)
        memcpy((char *)rows->base + i * rows->stride + offset, column + i * bytes, bytes);
    mem_free(column);
}

static void read_ci(struct reader *r, const char *name, const struct rows *rows, size_t offset)
{
    char *half_95 = mem_printf("%s_half_95", name), *half_99 = mem_printf("%s_half_99", name);
    char *batches = mem_printf("%s_n_batches", name);
    read_column(r, name, rows, offset + offsetof(struct ci, value), sizeof(double), true);
    read_column(r, half_95, rows, offset + offsetof(struct ci, half_95), sizeof(double), true);
    read_column(r, half_99, rows, offset + offsetof(struct ci, half_99), sizeof(double), true);
    read_column(r, batches, rows, offset + offsetof(struct ci, n_batches), sizeof(uint32_t), false);
    mem_free(half_95);
    mem_free(half_99);
    mem_free(batches);
}

// Codes index tables of names: each must be one of them.
static void check_codes(struct reader *r, const char *name, const struct rows *rows,
                        const struct summary_field *f)
{
    int32_t n = 0;
    while (f->codes && f->codes[n])
        n++;
    for (size_t i = 0; i < rows->n && f->codes; i++) {
        int32_t code;
        memcpy(&code, (const char *)rows->base + i * rows->stride + f->offset, sizeof code);
        if (code < 0 || code >= n)
            fail(r, "holds an unknown code", name);
    }
}

static void read_fields(struct reader *r, const char *prefix, const struct rows *rows,
                        const struct summary_field *fields)
{
    for (const struct summary_field *f = fields; f->name; f++) {
        char *name = mem_printf("%s%s", prefix, f->name);
        if (f->kind == SUMMARY_CI)
            read_ci(r, name, rows, f->offset);
        else
            read_column(r, name, rows, f->offset,
                        f->kind == SUMMARY_REAL || f->kind == SUMMARY_COUNT ? 8 : 4,
                        f->kind == SUMMARY_REAL);
        check_codes(r, name, rows, f);
        mem_free(name);
    }
}

// latency_s of n services in a row.
static void read_latency(struct reader *r, const char *name, struct summary_service *services,
                         uint32_t n)
{
    struct ci *flat = mem_calloc((size_t)n * SUMMARY_N_QUANTILES, sizeof *flat);
    struct rows rows = {flat, sizeof *flat, (size_t)n * SUMMARY_N_QUANTILES};
    read_ci(r, name, &rows, 0);
    for (uint32_t i = 0; i < n; i++)
        memcpy(services[i].latency_s, flat + (size_t)i * SUMMARY_N_QUANTILES,
               sizeof services[i].latency_s);
    mem_free(flat);
}

static void read_summary(struct reader *r, struct summary *s)
{
    struct rows services = {s->services, sizeof *s->services, s->n_services};
    struct rows total = {&s->services[s->n_services], sizeof *s->services, 1};
    struct rows fleet = {&s->fleet, sizeof s->fleet, 1};
    struct rows groups = {s->groups, sizeof *s->groups, s->n_groups};
    read_fields(r, "/summary/", &services, summary_service_fields);
    read_latency(r, "/summary/latency_s", s->services, s->n_services);
    read_fields(r, "/total/", &total, summary_service_fields);
    read_latency(r, "/total/latency_s", &s->services[s->n_services], 1);
    read_fields(r, "/total/", &fleet, summary_fleet_fields);
    read_fields(r, "/groups/", &groups, summary_group_fields);
    struct summary_component *parts = mem_calloc((size_t)s->n_groups * N_PARTS, sizeof *parts);
    struct rows by_part = {parts, sizeof *parts, (size_t)s->n_groups * N_PARTS};
    read_fields(r, "/groups/component_", &by_part, summary_component_fields);
    for (uint32_t g = 0; g < s->n_groups; g++)
        memcpy(s->groups[g].parts, parts + (size_t)g * N_PARTS, sizeof s->groups[g].parts);
    mem_free(parts);
}

// ---- the rest

static void read_study(struct reader *r, struct meta *meta)
{
    uint64_t n = extent(r, "/study/text");
    char *text = mem_calloc(n + 1, 1);
    hid_t id = r->failed ? -1 : H5Dopen2(r->file, "/study/text", H5P_DEFAULT);
    if (!r->failed && (id < 0 || !type_fits(id, 1, false)))
        fail(r, "is not text", "/study/text");
    else if (!r->failed && n > 0 &&
             H5Dread(id, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) < 0)
        fail(r, "cannot be read (damaged?)", "/study/text");
    if (id >= 0)
        H5Dclose(id);
    meta->study_text = text;
}

static void read_root(struct reader *r, struct meta *m, struct summary *s)
{
    int32_t automatic = 0;
    double from_s = 0, to_s = 0;
    m->program_version = read_text(r, "/", "program_version");
    m->study_name = read_text(r, "/", "study_name");
    m->policy = read_text(r, "/", "policy");
    read_attribute(r, "/", "seed", 8, false, &m->seed);
    read_attribute(r, "/", "traffic_fingerprint", 8, false, &m->traffic_fingerprint);
    read_attribute(r, "/", "duration_ns", 8, false, &m->duration_ns);
    read_attribute(r, "/", "warmup_ns", 8, false, &m->warmup_ns);
    read_attribute(r, "/", "warmup_auto", 4, false, &automatic);
    read_attribute(r, "/", "measured_from_s", 8, true, &from_s);
    read_attribute(r, "/", "measured_to_s", 8, true, &to_s);
    read_attribute(r, "/", "n_cells", 4, false, &m->n_cells);
    if (!(from_s >= 0 && to_s >= from_s && to_s < 9e9))
        fail(r, "says it was measured at an impossible time", "/");
    if (r->failed)
        return;
    m->warmup_auto = automatic != 0;
    s->fleet.from_ns = llrint(from_s * 1e9);
    s->fleet.to_ns = llrint(to_s * 1e9);
}

static void read_meta(struct reader *r, struct meta *m, const struct summary *s)
{
    struct rows groups = {m->groups, sizeof *m->groups, m->n_groups};
    read_names(r, "/summary/service", m->n_services, m->services, sizeof *m->services,
               offsetof(struct meta_service, name));
    read_names(r, "/summary/model", m->n_services, m->services, sizeof *m->services,
               offsetof(struct meta_service, model));
    read_names(r, "/groups/group", m->n_groups, m->groups, sizeof *m->groups,
               offsetof(struct meta_group, name));
    read_names(r, "/groups/platform", m->n_groups, m->groups, sizeof *m->groups,
               offsetof(struct meta_group, platform));
    read_column(r, "/groups/n_servers", &groups, offsetof(struct meta_group, n_servers), 4, false);
    read_numbers(r, "/servers/group", m->n_servers, 4, false, m->server_group);
    read_numbers(r, "/servers/cell", m->n_servers, 4, false, m->server_cell);
    for (uint32_t i = 0; i < m->n_servers && !r->failed; i++) {
        if (m->server_group[i] >= m->n_groups)
            fail(r, "holds an unknown group", "/servers/group");
    }
    for (uint32_t i = 0; i < m->n_services && !r->failed; i++) {
        m->services[i].sla_quantile = s->services[i].sla_quantile;
        m->services[i].sla_ns = s->services[i].sla_s < 9e9 ? llrint(s->services[i].sla_s * 1e9) : 0;
    }
    for (uint32_t g = 0; g < m->n_groups && !r->failed; g++) {
        struct meta_group *group = &m->groups[g];
        uint32_t servers = group->n_servers ? group->n_servers : 1;
        group->cores = s->groups[g].parts[PART_CPU].n_units / servers;
        group->streams = s->groups[g].parts[PART_ACCEL].n_units / servers;
        group->has_accel = group->streams > 0;
    }
}

static void read_bins(struct reader *r, const struct summary *s, struct load_bins *b)
{
    uint64_t n = b->n, services = n * s->n_services, parts = n * s->n_groups * N_PARTS;
    b->start_s = new_reals(r, "/bins/time", n);
    b->end_s = new_reals(r, "/bins/end_s", n);
    b->measured = mem_calloc(n, sizeof *b->measured);
    read_numbers(r, "/bins/measured", n, 4, false, b->measured);
    b->n_queries = mem_calloc(services, sizeof *b->n_queries);
    read_numbers(r, "/bins/n_queries", services, 8, false, b->n_queries);
    b->latency_mean_s = new_reals(r, "/bins/latency_mean_s", services);
    b->latency_s = new_reals(r, "/bins/latency_s", services * SUMMARY_N_QUANTILES);
    b->all_latency_mean_s = new_reals(r, "/bins/all_latency_mean_s", n);
    b->all_latency_s = new_reals(r, "/bins/all_latency_s", n * SUMMARY_N_QUANTILES);
    b->util_frac = new_reals(r, "/bins/util_frac", parts);
    b->power_w = new_reals(r, "/bins/power_w", parts);
}

static void read_run(struct reader *r, struct load *load)
{
    load->date = read_text(r, "/run", "date");
    load->host = read_text(r, "/run", "host");
    load->git_revision = read_text(r, "/run", "git_revision");
    read_attribute(r, "/run", "n_ranks", 4, false, &load->n_ranks);
    read_attribute(r, "/run", "wall_s", 8, true, &load->wall_s);
    read_attribute(r, "/run", "queries_per_wall_s", 8, true, &load->queries_per_wall_s);
    read_attribute(r, "/run", "n_queries", 8, false, &load->n_queries_simulated);
}

// Is this ours at all, and of a layout we know?
static void check_kind(struct reader *r)
{
    int32_t version = 0;
    char *program = read_text(r, "/", "program");
    if (r->failed || strcmp(program, "recfleet") != 0) {
        r->failed = true;
        err_set(r->err, ERR_FAIL, "%s: an HDF5 file, but not a recfleet result", r->path);
    }
    mem_free(program);
    read_attribute(r, "/", "schema_version", 4, false, &version);
    if (!r->failed && version != SCHEMA_VERSION) {
        r->failed = true;
        err_set(r->err, ERR_FAIL, "%s: results of schema version %d, this program reads %d",
                r->path, version, SCHEMA_VERSION);
    }
}

static void read_all(struct reader *r, struct load *load)
{
    check_kind(r);
    uint64_t n_services = extent(r, "/summary/service"), n_groups = extent(r, "/groups/group");
    uint64_t n_servers = extent(r, "/servers/server"), n_bins = extent(r, "/bins/time");
    uint64_t cells = n_bins * (n_services * SUMMARY_N_QUANTILES + n_groups * N_PARTS);
    if (n_services == 0 || n_groups == 0 || n_services > UINT16_MAX || n_groups > INT_MAX / 2 ||
        n_bins > INT_MAX / 2 || cells > MOST_ELEMENTS)
        fail(r, "has an impossible number of services, groups or bins", "the file");
    if (r->failed)
        return;
    load->meta = meta_create((uint32_t)n_services, (uint32_t)n_groups, (uint32_t)n_servers);
    load->summary = summary_create_empty((uint32_t)n_services, (uint32_t)n_groups);
    load->bins.n = (uint32_t)n_bins;
    read_summary(r, load->summary);
    read_root(r, load->meta, load->summary);
    read_meta(r, load->meta, load->summary);
    read_study(r, load->meta);
    read_bins(r, load->summary, &load->bins);
    read_run(r, load);
}

struct load *load_open(const char *path, struct err *err)
{
    enum seal_state seal;
    if (seal_check(path, &seal, err) != 0)
        return NULL;
    if (seal == SEAL_BROKEN) {
        err_set(err, ERR_FAIL, "%s: the file is damaged (its checksum does not match)", path);
        return NULL;
    }
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    struct reader r = {H5Fopen(path, H5F_ACC_RDONLY, access), path, err, false};
    H5Pclose(access);
    if (r.file < 0) {
        err_set(err, ERR_FAIL, "%s: not an HDF5 file, or a truncated one", path);
        return NULL;
    }
    struct load *load = mem_calloc(1, sizeof *load);
    load->path = mem_strdup(path);
    read_all(&r, load);
    H5Fclose(r.file);
    if (!r.failed)
        return load;
    load_close(load);
    return NULL;
}

void load_close(struct load *load)
{
    if (!load)
        return;
    struct load_bins *b = &load->bins;
    void *owned[] = {load->path,
                     load->date,
                     load->host,
                     load->git_revision,
                     b->start_s,
                     b->end_s,
                     b->measured,
                     b->n_queries,
                     b->latency_mean_s,
                     b->latency_s,
                     b->all_latency_mean_s,
                     b->all_latency_s,
                     b->util_frac,
                     b->power_w};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        mem_free(owned[i]);
    meta_destroy(load->meta);
    summary_destroy(load->summary);
    mem_free(load);
}
