// SPDX-License-Identifier: Apache-2.0
#include "cluster/fixture.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "cluster/policy.h"
#include "cluster/sched.h"
#include "traces/source.h"

static char *const service_names[FIXTURE_SERVICES] = {"feed", "ads"};
static char *const group_names[FIXTURE_GROUPS] = {"old", "new", "wide"};

static void init_service(struct service_config *service, uint32_t i)
{
    *service = (struct service_config){
        .name = service_names[i], .model = "", .sla_quantile = 0.95, .sla_ns = SIMTIME_MS / 4};
    service->traffic.arrivals.process = arrival_find("poisson");
    service->traffic.sizes = (struct size_config){
        .distribution = qsize_find("lognormal"), .mu = 3.5, .sigma = 1, .max_items = 400};
}

static void init_group(struct fixture *fixture, uint32_t g)
{
    uint32_t n_services = fixture->config.n_services;
    fixture->platforms[g] = (struct platform){.name = group_names[g],
                                              .cores = 4,
                                              .sockets = 1,
                                              .power = {.idle_w = 40, .busy_w = 120, .gamma = 1}};
    fixture->groups[g] = (struct group_config){
        .name = group_names[g],
        .platform = &fixture->platforms[g],
        .n_servers = 4,
        .weight = 1,
        .costs = (const struct cost *const *)fixture->costs + (size_t)g * n_services,
        .settings = fixture->settings + (size_t)g * n_services};
    for (uint32_t i = 0; i < n_services; i++) {
        double factor = 1 + 0.5 * g + 0.5 * i;
        fixture->settings[g * n_services + i] = sched_plain(&sched_split, 32, 1);
        fixture->cost_configs[g * n_services + i] =
            (struct cost_config){.kind = cost_type_find("synthetic"),
                                 .fixed_s = 5e-6 * factor,
                                 .per_item_s = 1e-6 * factor};
    }
}

void fixture_init(struct fixture *fixture, uint32_t n_services, uint32_t n_groups)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->config = (struct fleet_config){
        .services = fixture->services,
        .n_services = n_services,
        .groups = fixture->groups,
        .n_groups = n_groups,
        .n_cells = 1,
        .balancer = {.dispatch_delay_ns = 50 * SIMTIME_US, .status_delay_ns = 50 * SIMTIME_US},
        .seed = 7,
        .duration_ns = 50 * SIMTIME_MS,
        .sample_frac = 0.1};
    for (uint32_t i = 0; i < n_services; i++)
        init_service(&fixture->services[i], i);
    for (uint32_t g = 0; g < n_groups; g++)
        init_group(fixture, g);
    fixture_set_load(fixture, 0.7);
}

// Mean items are 55 (e^(3.5 + 1/2)), a little less for the cap; two requests of them on average.
void fixture_set_load(struct fixture *fixture, double load)
{
    const struct fleet_config *config = &fixture->config;
    double cores = 0, seconds = 0;
    for (uint32_t g = 0; g < config->n_groups; g++) {
        cores += (double)config->groups[g].n_servers * (double)fixture->platforms[g].cores;
        for (uint32_t i = 0; i < config->n_services; i++) {
            const struct cost_config *cost = &fixture->cost_configs[g * config->n_services + i];
            seconds += 2 * cost->fixed_s + 55 * cost->per_item_s;
        }
    }
    for (uint32_t i = 0; i < config->n_services; i++)
        fixture->services[i].traffic.rate_qps = load * cores * config->n_groups / seconds;
}

void fixture_set_policy(struct fixture *fixture, const char *name)
{
    struct balancer_config *config = &fixture->config.balancer;
    config->policy = policy_find(name);
    config->settings = settings_of(policy_types[config->policy]->fields, NULL);
    settings_set_number(&config->settings, "large_items", 64);
}

void fixture_set_batch(struct fixture *fixture, uint32_t at, int64_t batch_items)
{
    ck_assert(settings_set_number(&fixture->settings[at], "batch_items", (double)batch_items));
}

void fixture_set_scheduler(struct fixture *fixture, uint32_t group, const char *name,
                           const char *settings)
{
    struct group_config *config = &fixture->groups[group];
    uint32_t n_services = fixture->config.n_services;
    struct err err = {0};
    config->scheduler = sched_find(name);
    const struct sched_type *type = sched_types[config->scheduler];
    for (uint32_t i = 0; i < n_services; i++) {
        struct settings *own = &fixture->settings[group * n_services + i];
        *own = settings_of(type->fields, NULL);
        ck_assert_msg(settings_parse(own, settings, &err) == 0, "%s", err.text);
        type->resolve(own->values, 400, fixture->platforms[group].cores);
    }
}

struct dispatch_config fixture_dispatch(const struct fixture *fixture, uint32_t at)
{
    return sched_needs(&fixture->settings[at]);
}

void fixture_attach(struct fixture *fixture, uint32_t group, int64_t streams, bool overlap,
                    int64_t offload_items)
{
    struct accelerator accelerator = {.name = "card",
                                      .streams = streams,
                                      .overlap = overlap,
                                      .power = {.idle_w = 20, .busy_w = 200, .gamma = 1}};
    fixture->platforms[group].has_accelerator = true;
    fixture->platforms[group].accelerator = accelerator;
    for (uint32_t i = 0; i < fixture->config.n_services; i++) {
        uint32_t at = group * fixture->config.n_services + i;
        ck_assert(
            settings_set_number(&fixture->settings[at], "offload_items", (double)offload_items));
        fixture->cost_configs[at].accel_fixed_s = 20e-6;
        fixture->cost_configs[at].accel_per_item_s = 0.2e-6;
        fixture->cost_configs[at].accel_load_fixed_s = 10e-6;
        fixture->cost_configs[at].accel_load_per_item_s = 0.1e-6;
    }
}

void fixture_ready(struct fixture *fixture)
{
    const struct fleet_config *config = &fixture->config;
    for (uint32_t g = 0; g < config->n_groups; g++)
        for (uint32_t i = 0; i < config->n_services; i++) {
            uint32_t at = g * config->n_services + i;
            struct err err = {0};
            fixture->costs[at] =
                cost_create(&fixture->cost_configs[at], NULL, &fixture->platforms[g], &err);
            ck_assert_msg(fixture->costs[at] != NULL, "%s", err.text);
            struct dispatch_config dispatch = fixture_dispatch(fixture, at);
            fixture->tabs[at] = svctab_create(&fixture->services[i], &dispatch, fixture->costs[at],
                                              (uint32_t)fixture->platforms[g].cores, &err);
            ck_assert_msg(fixture->tabs[at] != NULL, "%s", err.text);
            if (fixture->groups[g].slow.frac > 0)
                fixture->slow_tabs[at] =
                    svctab_scaled(fixture->tabs[at], fixture->groups[g].slow.factor);
        }
}

const struct svctab *const *fixture_slow_tabs(const struct fixture *fixture, uint32_t group)
{
    if (fixture->groups[group].slow.frac == 0)
        return NULL;
    return (const struct svctab *const *)fixture->slow_tabs +
           (size_t)group * fixture->config.n_services;
}

void fixture_release(struct fixture *fixture)
{
    for (uint32_t i = 0; i < FIXTURE_COSTS; i++) {
        svctab_destroy(fixture->tabs[i]);
        svctab_destroy(fixture->slow_tabs[i]);
        cost_destroy(fixture->costs[i]);
    }
}

struct record *fixture_record(const struct fixture *fixture, uint32_t n_bins, int64_t warmup_ns)
{
    struct record_shape shape = {.n_services = fixture->config.n_services,
                                 .n_groups = fixture->config.n_groups,
                                 .n_bins = n_bins,
                                 .warmup_ns = warmup_ns,
                                 .end_ns = fixture->config.duration_ns,
                                 .n_slowest = fixture->config.n_slowest};
    for (uint32_t g = 0; g < fixture->config.n_groups; g++)
        shape.n_servers += fixture->groups[g].n_servers;
    return record_create(&shape);
}

struct query *fixture_queries(const struct fixture *fixture, uint32_t cell, size_t *n)
{
    struct layout *layout = layout_create(&fixture->config, 1, LAYOUT_AUTO);
    struct service_traffic traffic[FIXTURE_SERVICES];
    for (uint32_t i = 0; i < fixture->config.n_services; i++)
        traffic[i] = fixture->services[i].traffic;
    struct source_config config = {.services = traffic,
                                   .n_services = fixture->config.n_services,
                                   .seed = fixture->config.seed,
                                   .cell = cell,
                                   .n_cells = fixture->config.n_cells,
                                   .share_num = layout->n_servers[cell],
                                   .share_den = layout->n_fleet_servers,
                                   .share_first =
                                       layout->parts[layout->first_part[cell]].first_in_fleet,
                                   .end_ns = fixture->config.duration_ns,
                                   .sample_frac = fixture->config.sample_frac};
    struct err err = {0};
    struct source *source = source_create(&config, &err);
    ck_assert_msg(source != NULL, "%s", err.text);
    struct query *all = NULL, *some;
    size_t n_more;
    *n = 0;
    while (some = source_next(source, config.end_ns, 512, &n_more), n_more > 0) {
        all = mem_realloc(all, *n + n_more, sizeof *all);
        memcpy(all + *n, some, n_more * sizeof *all);
        *n += n_more;
    }
    source_destroy(source);
    layout_destroy(layout);
    return all;
}

struct server_block **fixture_blocks(const struct fixture *fixture, const struct layout *layout,
                                     int rank, struct record *record)
{
    const struct fleet_config *config = &fixture->config;
    struct server_block **blocks = mem_calloc(layout->n_parts, sizeof(struct server_block *));
    for (uint32_t p = 0; p < layout->n_parts; p++) {
        const struct layout_part *part = &layout->parts[p];
        struct server_block_config block = {.fleet = config,
                                            .group = part->group,
                                            .cell = part->cell,
                                            .first_in_cell = part->first_in_cell,
                                            .first_in_fleet = part->first_in_fleet,
                                            .n_servers = part->n_servers,
                                            .layout = layout,
                                            .part = p,
                                            .tabs = (const struct svctab *const *)fixture->tabs +
                                                    (size_t)part->group * config->n_services,
                                            .slow_tabs = fixture_slow_tabs(fixture, part->group),
                                            .wants_completions = fleet_has_feedback(config),
                                            .unit = policy_load_unit(&config->balancer),
                                            .kernel = cpu_kernel_best(),
                                            .record = record};
        if (rank < 0 || part->rank == rank)
            blocks[p] = server_block_create(&block);
    }
    return blocks;
}

void fixture_finish(struct server_block **blocks, const struct layout *layout)
{
    for (uint32_t p = 0; p < layout->n_parts; p++)
        if (blocks[p]) {
            server_block_finish(blocks[p]);
            server_block_destroy(blocks[p]);
        }
    mem_free(blocks);
}

// ---- comparing ----------------------------------------------------------------------------------

static bool same_tally(const struct tally *a, const struct tally *b)
{
    return memcmp(a, b, offsetof(struct tally, hist)) == 0 &&
           memcmp(a->hist, b->hist, HIST_N_BUCKETS * sizeof *a->hist) == 0;
}

bool fixture_same_record(struct record *a, struct record *b)
{
    const struct record_shape *shape = &a->shape;
    size_t n_tallies = (size_t)shape->n_bins * shape->n_services * N_PATHS;
    size_t n_groups = (size_t)shape->n_bins * shape->n_groups;
    if (memcmp(shape, &b->shape, sizeof *shape) != 0 || a->n_samples != b->n_samples)
        return false;
    record_sort_samples(a);
    record_sort_samples(b);
    size_t n_slow = a->slowest ? a->slowest->n : 0;
    if (n_slow != (b->slowest ? b->slowest->n : 0))
        return false;
    if (n_slow > 0 && memcmp(a->slowest->v, b->slowest->v, n_slow * sizeof *a->slowest->v) != 0)
        return false;
    bool same =
        memcmp(a->groups, b->groups, n_groups * sizeof *a->groups) == 0 &&
        memcmp(a->servers, b->servers, shape->n_servers * sizeof *a->servers) == 0 &&
        memcmp(a->n_generated, b->n_generated, shape->n_services * sizeof *a->n_generated) == 0;
    if (a->n_samples > 0)
        same = same && memcmp(a->samples, b->samples, a->n_samples * sizeof *a->samples) == 0;
    for (size_t i = 0; i < n_tallies; i++)
        same = same && same_tally(&a->tallies[i], &b->tallies[i]);
    return same;
}

uint32_t fixture_draw(uint64_t stream, uint64_t index, uint32_t n)
{
    uint64_t words[2];
    struct rng_stream draws = rng_stream(stream, RNG_TEST, 0);
    rng_block(&draws, index, words);
    return rng_below((uint32_t)(words[0] >> 32), n);
}

// ---- the queue, step by step --------------------------------------------------------------------

struct runner {
    bool busy;
    int64_t end_ns;
};

// Frees the units whose request has ended; returns how many are busy, and when the next one ends.
static uint32_t count_busy(struct runner *units, uint32_t n_units, int64_t now_ns, int64_t *next_ns)
{
    uint32_t n_busy = 0;
    *next_ns = INT64_MAX;
    for (uint32_t u = 0; u < n_units; u++) {
        units[u].busy = units[u].busy && units[u].end_ns > now_ns;
        n_busy += units[u].busy;
        if (units[u].busy && units[u].end_ns < *next_ns)
            *next_ns = units[u].end_ns;
    }
    return n_busy;
}

static struct runner *idle_unit(struct runner *units)
{
    while (units->busy)
        units++;
    return units;
}

void fixture_fcfs(struct fixture_request *requests, size_t n, uint32_t n_units,
                  fixture_service_fn service, void *user)
{
    struct runner *units = mem_calloc(n_units, sizeof *units);
    int64_t now_ns = 0;
    for (size_t head = 0; head < n;) {
        int64_t next_ns;
        uint32_t n_busy = count_busy(units, n_units, now_ns, &next_ns);
        struct fixture_request *request = &requests[head];
        if (request->ready_ns > now_ns) {
            now_ns = request->ready_ns;
        } else if (n_busy == n_units) {
            now_ns = next_ns;
        } else {
            request->busy = n_busy + 1;
            request->begin_ns = now_ns;
            request->end_ns = now_ns + service(user, head, request->busy);
            struct runner *unit = idle_unit(units);
            *unit = (struct runner){true, request->end_ns};
            request->unit = (uint32_t)(unit - units);
            head++;
        }
    }
    mem_free(units);
}

int64_t fixture_overlap_ns(int64_t begin_ns, int64_t end_ns, int64_t from_ns, int64_t to_ns)
{
    int64_t first_ns = begin_ns > from_ns ? begin_ns : from_ns;
    int64_t last_ns = end_ns < to_ns ? end_ns : to_ns;
    return last_ns > first_ns ? last_ns - first_ns : 0;
}
