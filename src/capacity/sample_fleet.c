// SPDX-License-Identifier: Apache-2.0
#include "capacity/sample_fleet.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "cluster/layout.h"
#include "cluster/sched.h"
#include "traces/forecast.h"

// What is drawn for a slice by its number: entities of RNG_SLICE.
enum { ENTITY_SEED, ENTITY_CELL };

static uint64_t draw(const struct slice *slice, uint64_t entity)
{
    const struct rng_stream stream =
        rng_stream(slice->fleet->study->settings.seed, RNG_SLICE, entity);
    uint64_t words[2];
    rng_block(&stream, slice->number, words);
    return words[0];
}

// ---- servers ------------------------------------------------------------------------------------

// The layout of the whole fleet says how many servers a cell has, so that what is drawn is a cell
// of that fleet and not an average one. Servers of each of the study's groups in the simulated
// cells, and how many of it there are before them; their sum.
static uint64_t take_cells(const struct slice *slice, uint32_t *n_servers, uint32_t *first_servers,
                           uint64_t *of_servers, uint32_t *n_cells)
{
    const struct fleet_variant *fleet = slice->fleet;
    uint32_t n_groups = (uint32_t)fleet->study->n_groups;
    struct group_config *groups = mem_calloc(n_groups, sizeof *groups);
    struct fleet_config whole = {.groups = groups, .n_groups = n_groups};
    uint64_t taken = 0;
    *of_servers = 0;
    for (uint32_t g = 0; g < n_groups; g++) {
        groups[g].n_servers = fleet->n_servers[g];
        *of_servers += fleet->n_servers[g];
    }
    whole.n_cells = *of_servers < fleet->n_cells ? (uint32_t)*of_servers : fleet->n_cells;
    *n_cells = slice->n_cells < whole.n_cells ? slice->n_cells : whole.n_cells;
    uint32_t first =
        whole.n_cells ? rng_below((uint32_t)draw(slice, ENTITY_CELL), whole.n_cells) : 0;
    for (uint32_t g = 0; g < n_groups; g++) {
        n_servers[g] = 0;
        first_servers[g] = whole.n_cells ? layout_first(&whole, g, first) : 0;
        for (uint32_t c = 0; c < *n_cells; c++)
            n_servers[g] += layout_servers(&whole, g, (first + c) % whole.n_cells);
        taken += n_servers[g];
    }
    mem_free(groups);
    return taken;
}

static void add_group(struct sample_fleet *sampled, const struct fleet_variant *fleet, uint32_t g,
                      uint32_t n_servers, uint32_t first_server)
{
    const struct study *study = fleet->study;
    uint32_t at = sampled->fleet.n_groups++, n_services = sampled->fleet.n_services;
    struct group_config *group = &sampled->groups[at];
    *group = study->group_configs[g];
    sampled->platforms[at] = *group->platform;
    if (fleet->n_cores > 0)
        sampled->platforms[at].cores = fleet->n_cores;
    struct settings *settings = sampled->settings + (size_t)at * n_services;
    const struct cost **costs = sampled->costs + (size_t)at * n_services;
    for (uint32_t i = 0; i < fleet->n_services; i++) {
        uint32_t slot = sampled->slots[i], s = sample_fleet_service_at(fleet, i);
        if (slot == SAMPLE_FLEET_NO_SLOT)
            continue;
        costs[slot] = group->costs[s];
        settings[slot] = fleet->choices
                             ? sched_fit(&fleet->choices[(size_t)g * study->n_services + s],
                                         cost_has_accel(costs[slot]))
                             : group->settings[s];
    }
    group->platform = &sampled->platforms[at];
    group->n_servers = n_servers;
    group->weight = fleet->weights ? fleet->weights[g] : group->weight;
    group->costs = costs;
    group->settings = settings;
    group->on = (struct on_schedule){0};
    group->slow.first = first_server;
}

// ---- traffic ------------------------------------------------------------------------------------

static bool follows_curve(const struct arrival_config *arrivals)
{
    return arrival_types[arrivals->process] == &arrival_diurnal;
}

static void add_service(struct sample_fleet *sampled, const struct slice *slice, uint32_t i)
{
    const struct fleet_variant *fleet = slice->fleet;
    struct service_config service = fleet->study->services[sample_fleet_service_at(fleet, i)];
    struct service_traffic *traffic = &service.traffic;
    double rate_qps = slice->rates_qps ? slice->rates_qps[i] : traffic->rate_qps;
    sampled->slots[i] = SAMPLE_FLEET_NO_SLOT;
    if (!(rate_qps > 0))
        return;
    traffic->rate_qps = rate_qps * ((double)sampled->n_servers / (double)sampled->of_servers);
    if (slice->rates_qps) {
        arrival_steady(&traffic->arrivals);
    } else if (follows_curve(&traffic->arrivals)) {
        double period_s = traffic->arrivals.period_s;
        double at_s = fmod(traffic->arrivals.start_s + slice->start_s, period_s);
        traffic->arrivals.start_s = at_s < 0 ? fmax(at_s + period_s, 0) : at_s;
    }
    sampled->slots[i] = sampled->fleet.n_services;
    sampled->sizes[sampled->fleet.n_services] =
        fleet->study->sizes[sample_fleet_service_at(fleet, i)];
    sampled->services[sampled->fleet.n_services++] = service;
}

// ---- the whole ----------------------------------------------------------------------------------

struct sample_fleet *sample_fleet_create(const struct slice *slice)
{
    const struct fleet_variant *fleet = slice->fleet;
    const struct study *study = fleet->study;
    uint32_t n_groups = (uint32_t)study->n_groups, n_cells;
    uint32_t *n_servers = mem_calloc(n_groups, sizeof *n_servers);
    uint32_t *first_servers = mem_calloc(n_groups, sizeof *first_servers);
    size_t n_pairs = (size_t)n_groups * fleet->n_services;
    struct sample_fleet *sampled = mem_calloc(1, sizeof *sampled);
    sampled->services = mem_calloc(fleet->n_services, sizeof *sampled->services);
    sampled->sizes = mem_calloc(fleet->n_services, sizeof(const struct qsize *));
    sampled->slots = mem_calloc(fleet->n_services, sizeof *sampled->slots);
    sampled->groups = mem_calloc(n_groups, sizeof *sampled->groups);
    sampled->platforms = mem_calloc(n_groups, sizeof *sampled->platforms);
    sampled->settings = mem_calloc(n_pairs, sizeof *sampled->settings);
    sampled->costs = mem_calloc(n_pairs, sizeof *sampled->costs);
    assert(fleet->n_cells > 0 && slice->n_cells > 0 && slice->length_ns > 0 && slice->n_bins > 0);
    sampled->n_servers =
        take_cells(slice, n_servers, first_servers, &sampled->of_servers, &n_cells);
    for (uint32_t i = 0; sampled->n_servers > 0 && i < fleet->n_services; i++)
        add_service(sampled, slice, i);
    for (uint32_t g = 0; sampled->fleet.n_services > 0 && g < n_groups; g++)
        if (n_servers[g] > 0)
            add_group(sampled, fleet, g, n_servers[g], first_servers[g]);
    mem_free(n_servers);
    mem_free(first_servers);
    if (sampled->fleet.n_groups == 0) {
        sample_fleet_destroy(sampled);
        return NULL;
    }
    sampled->fleet.services = sampled->services;
    sampled->fleet.groups = sampled->groups;
    sampled->fleet.sizes = sampled->sizes;
    sampled->fleet.n_cells = n_cells;
    sampled->fleet.balancer = fleet->balancer ? *fleet->balancer : study->balancer;
    sampled->fleet.outages = study->outages;
    sampled->fleet.seed = draw(slice, ENTITY_SEED);
    sampled->fleet.duration_ns = slice->warmup_ns + slice->length_ns;
    return sampled;
}

void sample_fleet_destroy(struct sample_fleet *sampled)
{
    if (!sampled)
        return;
    mem_free(sampled->services);
    mem_free(sampled->sizes);
    mem_free(sampled->slots);
    mem_free(sampled->groups);
    mem_free(sampled->platforms);
    mem_free(sampled->settings);
    mem_free(sampled->costs);
    mem_free(sampled);
}

double sample_fleet_queries(const struct sample_fleet *sampled)
{
    double rate_qps = 0, length_s = simtime_to_s(sampled->fleet.duration_ns);
    for (uint32_t i = 0; i < sampled->fleet.n_services; i++) {
        const struct service_traffic *traffic = &sampled->fleet.services[i].traffic;
        struct forecast forecast = {traffic->rate_qps, traffic->rate_qps};
        if (follows_curve(&traffic->arrivals)) // else it may need a trace to look at
            forecast_fill(traffic, length_s, 1, &forecast, NULL);
        rate_qps += forecast.mean_qps;
    }
    return rate_qps * length_s;
}

void sample_fleet_describe(const struct slice *slice, struct blob *blob)
{
    const struct fleet_variant *fleet = slice->fleet;
    const struct study *study = fleet->study;
    // The settings of another balancer than the study's are its defaults.
    uint32_t balancer = fleet->balancer ? 1 + (uint32_t)fleet->balancer->policy : 0;
    const uint32_t counts[] = {slice->n_cells,          slice->n_bins,     fleet->n_cells,
                               fleet->n_cores,          balancer,          fleet->n_services,
                               fleet->weights != NULL,  slice->by_service, fleet->choices != NULL,
                               slice->rates_qps != NULL};
    blob_put_u64(blob, slice->number);
    blob_put(blob, &slice->start_s, sizeof slice->start_s);
    blob_put_i64(blob, slice->warmup_ns);
    blob_put_i64(blob, slice->length_ns);
    blob_put(blob, counts, sizeof counts);
    blob_put(blob, fleet->n_servers, study->n_groups * sizeof *fleet->n_servers);
    if (fleet->weights)
        blob_put(blob, fleet->weights, study->n_groups * sizeof *fleet->weights);
    for (uint32_t i = 0; i < fleet->n_services; i++) {
        uint32_t s = sample_fleet_service_at(fleet, i);
        // Who scales a study's rates does it in the study.
        const double *qps =
            slice->rates_qps ? &slice->rates_qps[i] : &study->services[s].traffic.rate_qps;
        blob_put_u32(blob, s);
        blob_put(blob, qps, sizeof *qps);
        for (size_t g = 0; fleet->choices && g < study->n_groups; g++)
            settings_save(&fleet->choices[g * study->n_services + s], blob);
    }
}
