// SPDX-License-Identifier: Apache-2.0
#include "live/profile_file.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/units.h"
#include "study/flow.h"

#define LOAD 0.7 // of the study

// ---- what was measured, as comments -------------------------------------------------------------

static void put_power(FILE *out, const struct profile *profile)
{
    if (isfinite(profile->idle_w))
        fprintf(out,
                "# energy: %.1f W idle, %.1f W with all cores at work (processor and memory "
                "alone)\n",
                profile->idle_w, profile->busy_w);
    else
        fprintf(out, "# energy: not known; %s\n", profile->power);
}

static void put_facts(FILE *out, const struct profile *profile)
{
    const struct engine_facts *facts = &profile->facts;
    if (*facts->kernels)
        fprintf(out, "# kernels: %s\n", facts->kernels);
    if (facts->table_bytes > 0)
        fprintf(out, "# tables: %.4g MB of %s, %.4g %% of the rows, %s pages; weights: %.4g MB\n",
                1e-6 * facts->table_bytes, model_format_names[facts->format],
                100 * facts->table_frac, facts->huge_pages ? "huge" : "ordinary",
                1e-6 * facts->weight_bytes);
    fprintf(out, "# memory: %.4g MB more in use with the model open\n", 1e-6 * profile->rss_bytes);
}

static void put_about(FILE *out, const struct profile_entry *entry,
                      const struct profile_about *about)
{
    const struct profile *profile = entry->profile;
    char *processor = topology_text(about->topology);
    fprintf(out, "# measured %s by %s, engine %s\n", about->date, about->program, about->engine);
    fprintf(out, "# processor: %s\n", processor);
    put_facts(out, profile);
    put_power(out, profile);
    uint32_t n_cores = profile->n_workers * profile->cores_per_worker;
    if (profile->cores_per_worker > 1)
        fprintf(out,
                "# workers of %u cores each: each request was computed by as many, and busy_cores "
                "counts workers\n",
                profile->cores_per_worker);
    fprintf(out,
            "# measured: %llu requests in %.0f s on %u core%s; something else took %.1f %% of the "
            "time (%llu more requests and %llu visits were left out for it)\n",
            (unsigned long long)profile->n_requests, profile->spent_s, n_cores,
            n_cores == 1 ? "" : "s", 100 * interference_frac(&profile->interference),
            (unsigned long long)profile->n_left_out,
            (unsigned long long)profile->n_visits_left_out);
    if (isfinite(profile->drift_cv))
        fprintf(
            out,
            "# drift: visits of the typical mix differ by cv %.3g; their level is known to %.2g "
            "%%\n",
            profile->drift_cv, 100 * profile->level_half_frac);
    if (*profile->pinning)
        fprintf(out, "# threads moved between cores: %s\n", profile->pinning);
    mem_free(processor);
}

// ---- the table ----------------------------------------------------------------------------------

static void put_number(FILE *out, const char *format, double value)
{
    if (isfinite(value))
        fprintf(out, format, value);
}

static void put_row(FILE *out, const struct profile_row *row, double time_s)
{
    fprintf(out, "%u,%u,%.6g,", row->items, row->busy, 1e3 * time_s);
    put_number(out, "%.3g", 1e3 * row->time_s.half_95);
    fprintf(out, ",%.4f,%s,%.6g,", row->cv, row->from_mix ? "mix" : "alone",
            1e3 * row->alone_s.value);
    put_number(out, "%.3g", 1e3 * row->alone_s.half_95);
    fprintf(out, ",%llu,%.4f\n", (unsigned long long)row->n, row->taken_frac);
}

static void put_coefficients(FILE *out, const char *key, const double *value_s, size_t n)
{
    fprintf(out, "# %s:", key);
    for (size_t b = 0; b < n; b++)
        fprintf(out, " %.6gns", 1e9 * value_s[b]);
    fprintf(out, "\n");
}

// What the reader of the table takes for the history's part, and how well it is known.
static void put_histories(FILE *out, const struct profile *profile, bool of_cut)
{
    size_t n = profile->n_busy;
    if (!profile->histories)
        return;
    double *item_s = mem_calloc(n, sizeof *item_s), *square_s = mem_calloc(n, sizeof *square_s);
    double *pair_s = mem_calloc(n, sizeof *pair_s);
    for (size_t b = 0; b < n; b++) {
        struct cost_history of = profiling_history_of(profile, of_cut, b);
        item_s[b] = of.item_s;
        square_s[b] = of.square_s;
        pair_s[b] = of.item_history_s;
    }
    put_coefficients(out, "per_history", item_s, n);
    put_coefficients(out, "per_history_square", square_s, n);
    put_coefficients(out, "per_item_history", pair_s, n);
    for (size_t b = 0; b < n; b++)
        fprintf(out,
                "# history: on %u busy, the fit of %zu lengths and sizes misses their times by "
                "%.2g %% (root mean square), by %.2g %% at worst\n",
                profile->histories[b].busy, profile->histories[b].fit.n_points,
                100 * profile->histories[b].fit.residual_frac,
                100 * profile->histories[b].fit.worst_frac);
    fprintf(out,
            "# time_ms is without a history, by this fit; half_95_ms, alone_ms, cv are of requests "
            "with one of %u items\n",
            profile->base_history);
    mem_free(pair_s);
    mem_free(square_s);
    mem_free(item_s);
}

static void put_factors(FILE *out, const struct profile *profile)
{
    fprintf(out,
            "# factor: of all time_ms, also of those from sizes alone, so that the mix has its "
            "mean:");
    for (size_t i = 0, n = 0; i < profile->n_mixed; i++)
        if (profile->mixed[i].cut_items == profile->cold_items)
            fprintf(out, "%s %.4f on %u busy", n++ > 0 ? "," : "", profile->mixed[i].factor,
                    profile->mixed[i].busy);
    fprintf(out, "\n");
}

// `what` says which requests its times are of.
static char *format_table(const struct profile_entry *entry, const struct profile_about *about,
                          bool of_cut, const char *what)
{
    const struct profile *profile = entry->profile;
    const struct profile_row *rows = of_cut ? profile->cut_rows : profile->rows;
    size_t n_rows = of_cut ? profile->n_cut_rows : profile->n_rows;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (entry->model && entry->in_catalogue)
        fprintf(out, "# model: %s\n", entry->model->name);
    fprintf(out, "# platform: %s\n", about->platform);
    put_about(out, entry, about);
    put_histories(out, profile, of_cut);
    if (of_cut)
        put_factors(out, profile);
    fprintf(out,
            "# time_ms: of a request, on average; from: in %s where it had enough of about this "
            "size,\n"
            "#   else of this size alone (alone_ms); half_95: half-width of the 95 %% confidence "
            "interval, over visits;\n"
            "#   taken_frac: of the time alone, what something else had (it is not in the times)\n"
            "batch,busy_cores,time_ms,half_95_ms,cv,from,alone_ms,alone_half_95_ms,requests,"
            "taken_frac\n",
            what);
    for (size_t i = 0; i < n_rows; i++)
        put_row(out, &rows[i], profiling_bare_s(profile, of_cut, i));
    fclose(out);
    return text;
}

char *profile_file_table(const struct profile_entry *entry, const struct profile_about *about)
{
    return format_table(entry, about, false, "mixes of sizes");
}

char *profile_file_cut(const struct profile_entry *entry, const struct profile_about *about)
{
    const struct profile *profile = entry->profile;
    char *what = mem_printf("the mix of queries cut at %u items", profile->cold_items);
    char *text = format_table(entry, about, true, what);
    mem_free(what);
    return text;
}

// ---- the machine --------------------------------------------------------------------------------

static void put_key(FILE *out, const char *key, enum unit unit, double value)
{
    char text[32];
    if (value > 0)
        fprintf(out, "    %s: %s\n", key, units_format(unit, value, text, sizeof text));
}

// To a tenth of a watt: no counter is better.
static void put_watts(FILE *out, const char *key, double value_w)
{
    if (isfinite(value_w))
        put_key(out, key, UNIT_POWER, round(10 * value_w) / 10);
}

// memory_bytes 0: it is not said, and any model fits.
static void put_platform(FILE *out, const struct profile_about *about,
                         const struct profile *profile, double memory_bytes)
{
    uint32_t n_workers = profile->n_workers;
    const struct topology *topology = about->topology;
    char *name = flow_quote(about->platform), *processor = topology_text(topology);
    char *title = flow_quote(processor);
    bool watts = isfinite(about->idle_w) && about->busy_w >= about->idle_w;
    size_t sockets = topology->n_packages;
    fprintf(out, "platforms:\n  - name: %s\n    title: %s\n    cores: %u\n    sockets: %zu\n", name,
            title, n_workers, sockets <= n_workers && n_workers % sockets == 0 ? sockets : 1);
    if (profile->cores_per_worker > 1)
        fprintf(out, "    cores_per_worker: %u\n", profile->cores_per_worker);
    put_key(out, "clock", UNIT_HZ, round(topology->clock_hz * 1e-6) * 1e6);
    put_key(out, "memory_size", UNIT_BYTES, round(memory_bytes * 1e-6) * 1e6);
    put_key(out, "l2_size", UNIT_BYTES, topology->l2_bytes);
    put_key(out, "l3_size", UNIT_BYTES, topology->l3_bytes);
    if (watts) {
        put_watts(out, "idle_power", about->idle_w);
        put_watts(out, "busy_power", about->busy_w);
    }
    fprintf(
        out,
        "    provisional: true\n    sources: {cores: \"the processor, at %s\", power: \"%s\"}\n",
        about->date,
        watts ? "the processor's counters: the rest of the server is not in it" : "not known");
    mem_free(title);
    mem_free(processor);
    mem_free(name);
}

char *profile_file_machine(const struct profile_entry *entries, size_t n,
                           const struct profile_about *about)
{
    char *text = NULL, *platform = flow_quote(about->platform);
    size_t size = 0, n_tables = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "# measured %s by %s\n", about->date, about->program);
    put_platform(out, about, entries[0].profile, about->topology->memory_bytes);
    for (size_t i = 0; i < n; i++) {
        if (!entries[i].model || !entries[i].in_catalogue)
            continue;
        char *name = mem_printf("%s-on-%s", entries[i].name, about->platform);
        char *quoted = flow_quote(name), *model = flow_quote(entries[i].model->name);
        char *stem = flow_quote(entries[i].stem);
        fprintf(out, "%s  - {name: %s, model: %s, platform: %s, file: %s.csv}\n",
                n_tables++ ? "" : "tables:\n", quoted, model, platform, entries[i].stem);
        mem_free(stem);
        mem_free(model);
        mem_free(quoted);
        mem_free(name);
    }
    fclose(out);
    mem_free(platform);
    return text;
}

// ---- the study ----------------------------------------------------------------------------------

// Three digits: more is not known, and nobody wants to read it.
static double rounded(double value)
{
    double scale = pow(10, floor(log10(value)) - 2);
    return round(value / scale) * scale;
}

static void put_time(FILE *out, const char *before, double value_s)
{
    char text[32];
    units_format_ns((int64_t)rounded(1e9 * value_s), text, sizeof text);
    fprintf(out, "%s%s", before, text);
}

static void put_sizes(FILE *out, const char *key, const struct size_config *sizes)
{
    const struct size_type *type = size_types[sizes->distribution];
    fprintf(out, ", %s: {distribution: %s", key, type->name);
    for (const struct field *f = type->fields; f->key; f++) {
        char *value = schema_format(f, sizes);
        fprintf(out, ", %s: %s", f->key, value);
        mem_free(value);
    }
    fprintf(out, "}");
}

// Times of the study over those of its table: what else took the cores from the typical mix is not
// in the table, but a server has it, too.
static double disturbed(const struct profile *profile)
{
    double scale = 1 / (1 - profile->typical->untimed_frac);
    return isfinite(scale) && scale >= 1 ? round(scale * 1e4) * 1e-4 : 1;
}

static void put_traffic(FILE *out, const struct profile_entry *entry)
{
    const struct profile *profile = entry->profile;
    char *name = flow_quote(entry->name);
    double work_s = disturbed(profile) * profile->typical->query_work_s;
    double qps = LOAD * profile->n_workers / work_s;
    char rate[32];
    fprintf(out, "traffic:\n  - {service: %s", name);
    if (entry->model && entry->in_catalogue) {
        char *model = flow_quote(entry->model->name);
        fprintf(out, ", model: %s", model);
        mem_free(model);
    }
    fprintf(out, ", rate: %s", units_format(UNIT_RATE, rounded(qps), rate, sizeof rate));
    put_sizes(out, "sizes", entry->sizes);
    if (entry->histories)
        put_sizes(out, "history", entry->histories);
    if (entry->model && entry->in_catalogue && entry->model->sla_medium_ns > 0)
        fprintf(out, ", sla: medium");
    fprintf(out, "}\n");
    mem_free(name);
}

static void put_noise(FILE *out, const struct profile *profile)
{
    if (!(profile->noise_cv >= 0.001)) {
        fprintf(out, "      noise: none\n");
        return;
    }
    fprintf(out, "      noise: {distribution: lognormal, cv: %.3g", profile->noise_cv);
    if (profile->correlated) {
        put_time(out, ", correlation_time: ", profile->correlation_s);
        fprintf(out, ", correlated_frac: %.3g", profile->correlated_frac);
    }
    fprintf(out, "}\n");
}

static void put_cost(FILE *out, const struct profile_entry *entry, const char *folder)
{
    const struct profile *profile = entry->profile;
    char *path = mem_printf("%s/%s-cut.csv", folder, entry->stem), *file = flow_quote(path);
    fprintf(
        out,
        "      # For other batch sizes, as of recfleet tune, the table of all: file: %s/%s.csv\n",
        folder, entry->stem);
    if (disturbed(profile) > 1)
        fprintf(out, "      # cpu_scale: something else took %.2f %% more, now and then.\n",
                100 * profile->typical->untimed_frac);
    fprintf(out, "      cost: {kind: table, file: %s", file);
    if (disturbed(profile) > 1)
        fprintf(out, ", cpu_scale: %.4f", disturbed(profile));
    if (profile->cold.found) {
        fprintf(out, ", cold_factor: %.4g", profile->cold.factor);
        put_time(out, ", cooling_time: ", profile->cold.cooling_s);
        put_time(out, ", warming_time: ", profile->cold.warming_s);
    }
    fprintf(out, "}\n");
    mem_free(file);
    mem_free(path);
}

char *profile_file_study(const struct profile_entry *entry, const struct profile_about *about,
                         const char *folder)
{
    const struct profile *profile = entry->profile;
    char *text = NULL, *platform = flow_quote(about->platform);
    char *name = mem_printf("%s-%s", entry->stem, about->platform), *quoted = flow_quote(name);
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    fprintf(out, "# One such server at %.0f %% load.\n", 100 * LOAD);
    put_about(out, entry, about);
    fprintf(out, "name: %s\nduration: 60s\n", quoted);
    bool holds_all = profile->facts.table_frac >= 1 || profile->facts.table_bytes == 0;
    if (!holds_all)
        fprintf(out, "# The machine's memory is left out: it held a part of the tables' rows.\n");
    put_platform(out, about, profile, holds_all ? about->topology->memory_bytes : 0);
    put_traffic(out, entry);
    fprintf(out,
            "fleet:\n  groups:\n    - name: server\n      platform: %s\n      servers: 1\n"
            "      scheduler: {policy: fixed, batch_items: %u}\n",
            platform, profile->typical->cut_items);
    put_noise(out, profile);
    put_cost(out, entry, folder);
    fprintf(out, "balancer: {policy: random}\n");
    fclose(out);
    mem_free(quoted);
    mem_free(name);
    mem_free(platform);
    return text;
}

// ---- files --------------------------------------------------------------------------------------

char *profile_file_stem(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    char *stem = mem_strdup(name);
    for (char *c = stem; *c; c++)
        if (!strchr(plain, *c) || (c == stem && (*c == '.' || *c == '-')))
            *c = '_';
    return stem;
}

int profile_file_folder(const char *path, struct err *err)
{
    char *part = mem_strdup(path);
    int rc = 0;
    for (char *slash = part + 1; rc == 0; slash++) {
        char *end = strchr(slash, '/');
        if (end)
            *end = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            rc = err_set(err, ERR_STUDY, "output %s: %s", part, strerror(errno));
        if (!end)
            break;
        *end = '/';
        slash = end;
    }
    struct stat info;
    if (rc == 0 && (stat(path, &info) < 0 || !S_ISDIR(info.st_mode)))
        rc = err_set(err, ERR_STUDY, "output %s: expected a folder", path);
    mem_free(part);
    return rc;
}

int profile_file_write(const char *path, const char *text, enum durable_mode mode, struct err *err)
{
    struct durable_file file;
    if (durable_open(&file, "output", path, mode, err) != 0)
        return -1;
    int reason = durable_write(file.fd, text, strlen(text));
    if (reason == 0)
        return durable_publish(&file, err);
    durable_discard(&file);
    return err_set(err, ERR_FAIL, "output %s: %s", path, strerror(reason));
}
