// SPDX-License-Identifier: Apache-2.0
#include "study/study_traffic.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/layout.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "study/study.h"
#include "study/study_models.h"
#include "study/study_print.h"
#include "study/study_variants.h"
#include "study/trace_file.h"
#include "traces/arrival.h"
#include "traces/daycurve.h"

const struct field study_service_fields[] = {
    FIELD(service_config, "service", FIELD_STRING, UNIT_NONE, name, 0, 0, NULL,
          "name of the service"),
    FIELD(service_config, "model", FIELD_STRING, UNIT_NONE, model, 0, 0, "",
          "model that serves it; may be left out when every cost is synthetic"),
    FIELD(service_config, "rate", FIELD_REAL, UNIT_RATE, traffic.rate_qps, 0, ARRIVAL_MAX_QPS, NULL,
          "mean queries per second over the whole fleet; from_curve: that of the diurnal curve"),
    FIELD_END};

// Keys whose value is a file.
const char *const study_traffic_file_keys[] = {"file", "curve_file", "accelerator_file", NULL};

// The member that a key fills, owned, where the key names a file; else NULL.
static char **file_member(const struct field *fields, const char *key, const void *config)
{
    const struct field *field = schema_find(fields, key);
    if (!field || field->type != FIELD_STRING)
        return NULL;
    char **file = (char **)((const char *)config + field->offset);
    return *file && **file ? file : NULL;
}

char *study_traffic_path(const struct study *study, const char *file)
{
    const char *slash = strrchr(study->path, '/');
    return slash && *file != '/'
               ? mem_printf("%.*s/%s", (int)(slash - study->path), study->path, file)
               : mem_strdup(file);
}

void study_traffic_resolve_files(const struct study *study, const struct field *fields,
                                 void *config)
{
    for (const char *const *key = study_traffic_file_keys; *key; key++) {
        char **file = file_member(fields, *key, config);
        if (!file)
            continue;
        char *path = study_traffic_path(study, *file);
        mem_free(*file);
        *file = path;
    }
}

static bool names_file(const struct field *fields, const void *config)
{
    return file_member(fields, "file", config) != NULL;
}

static int read_sla_word(const struct study *study, const struct node *node,
                         struct service_config *service, struct err *err)
{
    static const char *const words[] = {"none", "low", "medium", "high"};
    int word = reader_choose(node, "latency target", words, 4, err);
    if (word <= 0)
        return word;
    const struct model *model = study_models_find(study, service->model);
    if (model)
        service->sla_ns = word == 1   ? model->sla_low_ns
                          : word == 2 ? model->sla_medium_ns
                                      : model->sla_high_ns;
    if (service->sla_ns <= 0)
        return node_fail(node, err,
                         "the model has no such target; expected one such as {p95: 25ms}");
    return 0;
}

// "p99.9": digits, and behind a point more of them; no other way to write a number.
static int read_percentile(const char *key, double *quantile)
{
    static const char digits[] = "0123456789";
    size_t whole = key[0] == 'p' ? strspn(key + 1, digits) : 0;
    const char *point = key + 1 + whole;
    size_t more = whole && *point == '.' ? strspn(point + 1, digits) : 0;
    if (whole < 1 || whole > 2 || (whole == 2 && key[1] == '0') || point[more ? more + 1 : 0])
        return -1;
    char *percent = mem_printf("%s%%", key + 1);
    int rc = units_parse(UNIT_FRAC, percent, quantile, NULL);
    mem_free(percent);
    return rc == 0 && *quantile > 0 && *quantile < 1 ? 0 : -1;
}

// sla: {p95: 25ms}, or the model's own target by name.
static int read_sla(const struct study *study, const struct node *map,
                    struct service_config *service, struct err *err)
{
    const struct node *sla = node_get(map, "sla");
    service->sla_quantile = 0.95;
    if (!sla || node_is_null(sla))
        return 0;
    if (sla->kind == NODE_SCALAR)
        return read_sla_word(study, sla, service, err);
    if (sla->kind != NODE_MAP || sla->n != 1)
        return node_fail(sla, err, "expected one target such as {p95: 25ms}");
    const struct node *target = sla->items[0];
    if (read_percentile(target->key, &service->sla_quantile) < 0) {
        err_set(err, ERR_STUDY, "expected a percentile such as p95");
        return node_prefix_at_key(target, err);
    }
    const char *text = reader_text(target, "a time such as \"25ms\"", err);
    if (!text)
        return -1;
    if (units_parse_ns(text, &service->sla_ns, err) < 0)
        return node_prefix(target, err);
    if (service->sla_ns <= 0 || service->sla_ns > SIMTIME_LONGEST)
        return node_fail(target, err, "expected a time above 0, got \"%.80s\"", text);
    return 0;
}

// "rate: from_curve"
static bool rate_is_from_curve(const struct node *map)
{
    const struct node *rate = node_get(map, "rate");
    return rate && rate->kind == NODE_SCALAR && strcmp(rate->text, "from_curve") == 0;
}

// The rate is the mean of a curve of queries per second. Of a file that is not opened it is not
// known: any rate will do.
static int read_curve_rate(const struct node *map, struct service_config *service, struct err *err)
{
    const struct arrival_config *config = &service->traffic.arrivals;
    const struct reals *curve = config->curve_frac.n > 0 ? &config->curve_frac : &config->file_frac;
    if (arrival_types[config->process] != &arrival_diurnal || config->shape != DAYCURVE_NONE)
        return node_fail(node_get(map, "rate"), err,
                         "from_curve needs arrivals: {process: diurnal} with a curve or curve_file "
                         "of queries per second");
    double mean = curve->n > 0 ? daycurve_rate_qps(curve) : 1;
    service->traffic.rate_qps = mean;
    if (curve->n > 0 && (daycurve_max(curve, 0, 1) <= 1 || fabs(mean - 1) < 1e-6))
        return node_fail(
            node_get(map, "rate"), err,
            "from_curve needs a curve of queries per second; the rates of this one are "
            "relative, with a mean of %.6g and a peak of %.6g",
            mean, daycurve_max(curve, 0, 1));
    return 0;
}

// Sizes that come with a trace are limited by its max_items alone, not by that of a distribution
// which they take the place of.
static void cover_sizes(struct service_traffic *traffic)
{
    const struct trace *trace = traffic->arrivals.trace;
    for (size_t i = 0; arrival_carries_sizes(&traffic->arrivals) && i < trace->n; i++)
        if (trace->size_items[i] > traffic->sizes.max_items)
            traffic->sizes.max_items = trace->size_items[i];
}

static int read_arrivals(struct study *study, const struct node *map,
                         struct service_config *service, bool open_files, struct err *err)
{
    static const char *const others[] = {"process", NULL};
    struct arrival_config *config = &service->traffic.arrivals;
    const struct study_variants variants = study_variants_arrivals();
    config->process = study_variants_index(&variants, "poisson");
    if (study_variants_read(map, "arrivals", "process", &variants, others, config, &config->process,
                            err) < 0)
        return -1;
    const struct field *fields = variants.fields[config->process];
    config->service = service->name;
    config->csv.service_name = service->name;
    config->csv.seed = study->settings.seed;
    config->csv.service = (uint32_t)(service - study->services);
    study_traffic_resolve_files(study, fields, config);
    const struct node *at = node_get(map, "arrivals");
    if (!at || at->kind != NODE_MAP)
        at = map;
    if (arrival_types[config->process]->carries_rate && trace_csv_check(&config->csv, err) < 0)
        return reader_prefix(at, err);
    if (open_files && arrival_types[config->process]->carries_rate) {
        struct trace *trace = NULL;
        if (trace_file_load(&config->csv, &trace, err) < 0) {
            err_prefix(err, "file");
            return reader_prefix(at, err);
        }
        config->trace = config->owned_trace = trace;
    } else if (open_files && arrival_load(config, err) < 0) {
        return reader_prefix(at, err);
    }
    if (rate_is_from_curve(map) && read_curve_rate(map, service, err) < 0)
        return -1;
    return 0;
}

// Whether the arrivals fit the rate; both have been read.
static int check_rate(const struct node *map, const struct service_config *service, struct err *err)
{
    const struct arrival_config *config = &service->traffic.arrivals;
    const struct node *at = node_get(map, "arrivals");
    if (!node_get(map, "rate") && !node_get(map, "rate_qps") &&
        !arrival_types[config->process]->carries_rate)
        return node_fail_key(map, "rate", err, "missing; expected a rate such as \"12000qps\"");
    if (arrival_check(config, service->traffic.rate_qps, err) == 0)
        return 0;
    if (!at || at->kind != NODE_MAP || (err && strncmp(err->text, "rate: ", 6) == 0))
        at = map;
    return reader_prefix(at, err);
}

static int read_distribution(const struct study *study, const struct node *map, const char *key,
                             struct size_config *config, struct qsize **sizes, bool open_files,
                             struct err *err)
{
    static const char *const others[] = {"distribution", NULL};
    const struct study_variants variants = study_variants_sizes();
    config->distribution = study_variants_index(&variants, "production");
    if (study_variants_read(map, key, "distribution", &variants, others, config,
                            &config->distribution, err) < 0)
        return -1;
    const struct field *fields = variants.fields[config->distribution];
    study_traffic_resolve_files(study, fields, config);
    if (!open_files && names_file(fields, config))
        return 0;
    *sizes = qsize_create(config, err);
    if (*sizes)
        return 0;
    const struct node *at = node_get(map, key);
    return reader_prefix(at && at->kind == NODE_MAP ? at : map, err);
}

int study_traffic_read_sizes(const struct study *study, const struct node *map,
                             struct size_config *config, struct qsize **sizes, bool open_files,
                             struct err *err)
{
    return read_distribution(study, map, "sizes", config, sizes, open_files, err);
}

// The histories of a trace's records, for traffic that is made of it at another rate: 0 counts
// as 1.
static struct qsize *histories_of(const struct trace *trace, int64_t *max_items)
{
    uint32_t *items = mem_calloc(trace->n, sizeof *items);
    for (size_t i = 0; i < trace->n; i++)
        items[i] = trace->history_items[i] > 0 ? trace->history_items[i] : 1;
    struct qsize *histories = qsize_of_records(items, trace->n);
    *max_items = qsize_max_items(histories);
    mem_free(items);
    return histories;
}

// From a section of its own, or with the trace; a service without either has none.
static int read_history(const struct study *study, const struct node *map,
                        struct service_traffic *traffic, bool open_files, struct err *err)
{
    const struct node *history = node_get(map, "history");
    bool carried = arrival_carries_histories(&traffic->arrivals);
    struct qsize *histories = NULL;
    int rc = 0;
    if (history && carried)
        return node_fail(
            history, err,
            "the trace has histories, by arrivals.history_column; expected one of them");
    traffic->has_history = history || carried;
    if (carried)
        histories = histories_of(traffic->arrivals.trace, &traffic->history.max_items);
    else if (history)
        rc = read_distribution(study, map, "history", &traffic->history, &histories, open_files,
                               err);
    traffic->histories = histories;
    return rc;
}

void study_traffic_history(const struct service_traffic *traffic, double *mean, double *square)
{
    const struct trace *trace = traffic->arrivals.trace;
    bool carried = arrival_carries_histories(&traffic->arrivals);
    *mean = *square = 0;
    for (size_t i = 0; carried && i < trace->n; i++) {
        double items = trace->history_items[i];
        *mean += items / (double)trace->n;
        *square += items * items / (double)trace->n;
    }
    if (!carried && traffic->histories) {
        double sd = qsize_sd_items(traffic->histories);
        *mean = qsize_mean_items(traffic->histories);
        *square = *mean * *mean + sd * sd;
    }
}

static int read_name(const struct study *study, const struct node *map, size_t s, struct err *err)
{
    const char *name = study->services[s].name;
    for (size_t i = 0; i < s && *name; i++)
        if (strcmp(study->services[i].name, name) == 0)
            return node_fail(node_get(map, "service"), err, "service \"%.60s\" is there already",
                             name);
    return 0;
}

static int read_service(struct study *study, const struct library *library, const struct node *map,
                        size_t s, bool open_files, struct err *err)
{
    static const char *const others[] = {"rate", "arrivals", "sizes", "history", "sla", NULL};
    struct service_config *service = &study->services[s];
    struct service_traffic *traffic = &service->traffic;
    struct reader_part part = {study_service_fields, service};
    struct reader_options options = {others, true};
    char found[64];
    schema_defaults(study_service_fields, service);
    service->name = mem_strdup(""); // until it is read
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map, got %s", node_found(map, found, sizeof found));
    if (!rate_is_from_curve(map)) // else read later
        options.others++;
    const struct node *model = node_get(map, "model");
    int keys = reader_fill(map, NULL, &part, 1, &options, err);
    bool named = keys == 0 || node_get(map, "service"); // a misspelt key may be the name's
    if (mistakes_keep(map, keys, err) < 0 ||
        (named && mistakes_keep(map, read_name(study, map, s, err), err) < 0) ||
        mistakes_keep(map, study_models_need(study, library, service->model, model, err), err) <
            0 ||
        (!mistakes_in(model) && mistakes_keep(map, read_sla(study, map, service, err), err) < 0) ||
        mistakes_keep(map,
                      study_traffic_read_sizes(study, map, &traffic->sizes, &study->sizes[s],
                                               open_files, err),
                      err) < 0)
        return -1;
    int rc = read_arrivals(study, map, service, open_files, err);
    if (keys < 0 || rc < 0 || check_rate(map, service, err) < 0 ||
        read_history(study, map, traffic, open_files, err) < 0)
        return -1;
    cover_sizes(traffic);
    if (arrival_carries_sizes(&traffic->arrivals)) {
        const struct trace *trace = traffic->arrivals.trace;
        qsize_destroy(study->sizes[s]);
        study->sizes[s] = qsize_of_records(trace->size_items, trace->n);
    }
    return 0;
}

int study_traffic_read(struct study *study, const struct library *library, const struct node *root,
                       bool open_files, struct err *err)
{
    const struct node *list;
    if (reader_list(root, "traffic", &list, err) < 0)
        return -1;
    if (!list && mistakes_misspelt(root, "traffic"))
        return -1;
    if (!list)
        return node_fail_key(root, "traffic", err, "missing; expected at least one service");
    if (list->n == 0)
        return node_fail(list, err, "empty; expected at least one service");
    if (list->n > STUDY_MAX_SERVICES)
        return node_fail(list, err, "expected at most %d services", STUDY_MAX_SERVICES);
    study->n_services = list->n;
    study->services = mem_calloc(list->n, sizeof *study->services);
    study->sizes = mem_calloc(list->n, sizeof *study->sizes);
    for (size_t s = 0; s < list->n; s++)
        if (mistakes_keep(list->items[s],
                          read_service(study, library, list->items[s], s, open_files, err),
                          err) < 0)
            return -1;
    return 0;
}

static void release_service(struct service_config *service)
{
    arrival_unload(&service->traffic.arrivals);
    for (size_t i = 0; arrival_types[i]; i++)
        schema_release(arrival_types[i]->fields, &service->traffic.arrivals);
    for (size_t i = 0; size_types[i]; i++) {
        schema_release(size_types[i]->fields, &service->traffic.sizes);
        schema_release(size_types[i]->fields, &service->traffic.history);
    }
    qsize_destroy((struct qsize *)(uintptr_t)service->traffic.histories); // made here
    schema_release(study_service_fields, service);
}

void study_traffic_release(struct study *study)
{
    for (size_t s = 0; s < study->n_services; s++) {
        release_service(&study->services[s]);
        qsize_destroy(study->sizes[s]);
    }
    mem_free(study->services);
    mem_free(study->sizes);
}

// FNV-1a, 64 bits.
static uint64_t hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
    unsigned char bytes[8]; // little-endian on every machine
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return hash_bytes(hash, bytes, sizeof bytes);
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint32_t cell_servers(const struct study *study, uint32_t cell)
{
    uint32_t n = 0;
    for (uint32_t g = 0; g < study->fleet.n_groups; g++)
        n += layout_servers(&study->fleet, g, cell);
    return n;
}

double study_traffic_rate_qps(const struct study *study)
{
    double rate_qps = 0;
    for (size_t s = 0; s < study->n_services; s++)
        rate_qps += arrival_mean_qps(&study->services[s].traffic.arrivals,
                                     study->services[s].traffic.rate_qps);
    return rate_qps;
}

int64_t study_traffic_largest_items(const struct study *study, size_t s)
{
    const struct service_traffic *traffic = &study->services[s].traffic;
    return study->sizes[s] ? (int64_t)qsize_max_items(study->sizes[s]) : traffic->sizes.max_items;
}

uint64_t study_traffic_fingerprint(const struct study *study)
{
    char *traffic = study_print_traffic(study);
    uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), traffic, strlen(traffic)), total = 0;
    mem_free(traffic);
    for (size_t i = 0; i < study->n_services; i++) { // what is in a file of a curve
        const struct reals *curve = &study->services[i].traffic.arrivals.file_frac;
        if (curve->n > 0)
            hash = hash_bytes(hash, curve->v, curve->n * sizeof *curve->v);
    }
    hash = hash_number(hash, study->settings.seed);
    hash = hash_number(hash, (uint64_t)study->settings.duration_ns);
    hash = hash_number(hash, study->fleet.n_cells);
    for (size_t g = 0; g < study->n_groups; g++)
        total += (uint64_t)study->groups[g].servers;
    for (uint32_t c = 0; c < study->fleet.n_cells; c++) {
        uint64_t n = cell_servers(study, c), common = gcd(total, n);
        hash = hash_number(hash, n / common);
        hash = hash_number(hash, total / common);
    }
    return hash ? hash : 1; // 0 says that it is not known
}
