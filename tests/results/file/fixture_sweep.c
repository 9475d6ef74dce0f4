// SPDX-License-Identifier: Apache-2.0
#include "results/file/fixture_sweep.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "results/file/same_artefact.h"
#include "results/file/sweep_file.h"

static struct ci estimate(double value)
{
    return (struct ci){value, value * FIXTURE_HALF_95, 20};
}

// Every number of a struct by its table of fields.
static void fill(const struct data_field *fields, void *row, double level)
{
    double k = 1;
    for (const struct data_field *f = fields; f->name; f++, k++) {
        char *at = (char *)row + f->offset;
        struct ci ci = estimate(level * k);
        uint64_t count = (uint64_t)(1000 * level * k);
        uint32_t count32 = (uint32_t)(level * k);
        int32_t code = 0;
        switch (f->kind) {
        case DATA_KIND_ESTIMATE:
            memcpy(at, &ci, sizeof ci);
            break;
        case DATA_KIND_NUMBER:
            memcpy(at, &ci.value, sizeof ci.value);
            break;
        case DATA_KIND_COUNT:
            memcpy(at, &count, sizeof count);
            break;
        case DATA_KIND_COUNT32:
            memcpy(at, &count32, sizeof count32);
            break;
        default: // codes
            memcpy(at, &code, sizeof code);
        }
    }
}

static void fill_service(struct summary_service *s, double level)
{
    fill(summary_service_fields, s, level);
    for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
        s->latency_s[q] = estimate(level * 1e-3 * summary_quantiles[q] / 0.95);
    s->served_qps = s->goodput_qps = estimate(level * 1000);
    s->items_per_s = estimate(level * 1e5);
    s->sla_quantile = 0.95;
    s->sla_s = 0.025;
    s->sla_latency_s = estimate(level * 1e-3);
    s->sla = VERDICT_MET;
    s->late_frac = estimate(level * 2e-3); // 5 % where the latency is the target
    s->n_queries = 100000;
    s->lost_frac = estimate(0); // nothing fails
    s->n_lost = s->n_pending = s->n_retries = s->n_run_lost = 0;
}

static void fill_group(struct summary_group *g, double level, uint32_t number)
{
    fill(summary_group_fields, g, level);
    for (int part = 0; part < N_PARTS; part++)
        fill(summary_component_fields, &g->parts[part], level);
    g->parts[PART_CPU].util_frac = estimate(level * 0.05 - 0.01 * number);
    g->parts[PART_ACCEL].n_units = 0;
    g->parts[PART_ACCEL].util_frac = g->parts[PART_ACCEL].load_frac = ci_none();
}

static struct meta *meta_of(uint32_t n_services, uint32_t n_groups)
{
    const char *const services[] = {"feed", "ads, banner"}, *const models[] = {"wnd", "dlrm-rmc1"};
    const char *const groups[] = {"old", "new"}, *const platforms[] = {"skylake", "broadwell"};
    struct meta *m = meta_create(n_services, n_groups, 4);
    m->study_name = mem_strdup("grid");
    m->policy = mem_strdup("jsq");
    m->program_version = mem_strdup("0.0.test");
    m->study_text = mem_strdup("name: point\n");
    m->study_digest = mem_strdup("00112233445566778899aabbccddeeff");
    m->traffic_fingerprint = UINT64_C(0xfedcba9876543210);
    m->duration_ns = 10 * SIMTIME_S;
    m->warmup_auto = true;
    m->n_cells = 2;
    for (uint32_t i = 0; i < n_services; i++) {
        m->services[i].name = mem_strdup(services[i]);
        m->services[i].model = mem_strdup(models[i]);
    }
    for (uint32_t i = 0; i < n_groups; i++) {
        m->groups[i].name = mem_strdup(groups[i]);
        m->groups[i].platform = mem_strdup(platforms[i]);
        m->groups[i].n_servers = 4 / n_groups;
    }
    return m;
}

struct run_result *fixture_load(double level, uint32_t n_services, uint32_t n_groups)
{
    struct run_result *run = mem_calloc(1, sizeof *run);
    struct summary *s = summary_create_empty(n_services, n_groups);
    run->path = mem_printf("%g.h5", level);
    run->meta = meta_of(n_services, n_groups);
    run->meta->seed = (uint64_t)level;
    run->summary = s;
    for (uint32_t i = 0; i <= n_services; i++)
        fill_service(&s->services[i], level + (i < n_services ? i : 0));
    s->services[n_services].sla_s = s->services[n_services].sla_quantile = 0;
    s->services[n_services].sla = VERDICT_NOT_ASKED;
    for (uint32_t g = 0; g < n_groups; g++)
        fill_group(&s->groups[g], level, g);
    fill(summary_fleet_fields, &s->fleet, level);
    s->fleet.settled = 1;
    s->fleet.power_w = estimate(300);
    s->fleet.from_ns = SIMTIME_S / 3;
    s->fleet.to_ns = 10 * SIMTIME_S;
    run->info.date = mem_printf("2020-01-02T03:04:%02dZ", (int)level);
    run->info.host = mem_strdup("here");
    run->info.git_revision = mem_strdup("0123abc");
    run->info.job_id = mem_printf("77_%d", (int)level);
    run->info.nodes = mem_strdup("node[01-02]");
    run->info.n_ranks = 4;
    run->info.n_nodes = 2;
    run->info.n_restarts = (uint64_t)level - 1;
    run->info.wall_s = level / 8;
    run->info.n_queries = (uint64_t)(level * 20000);
    return run;
}

struct run_result *fixture_load_overloaded(double level, uint32_t n_services, uint32_t n_groups)
{
    struct run_result *run = fixture_load(level, n_services, n_groups);
    run->summary->fleet.verdict = OVERLOAD_YES;
    run->summary->groups[0].parts[PART_CPU].verdict = OVERLOAD_YES;
    for (uint32_t i = 0; i <= n_services; i++) {
        struct summary_service *s = &run->summary->services[i];
        for (int q = 0; q < SUMMARY_N_QUANTILES; q++)
            s->latency_s[q] = ci_none();
        s->latency_mean_s = s->wait_mean_s = s->sla_latency_s = ci_none();
        s->latency_sd_s = s->latency_max_s = NAN;
        s->sla = s->sla_s > 0 ? VERDICT_MISSED : VERDICT_NOT_ASKED;
    }
    return run;
}

static void describe(struct sweep_result *p, const char *name)
{
    p->study_name = mem_strdup(name);
    p->program_version = mem_strdup("0.0.test");
    p->study_text = mem_strdup("name: grid\nsweep:\n# ±\n");
}

static void set_axes(struct sweep_result *p)
{
    const char *const policies[] = {"random", "power of 2"}, *const servers[] = {"100", "2.5e3"};
    const char *const replications[] = {"0", "1", "2"};
    point_axes_set(&p->grid, 0, "policy", policies, 2);
    point_axes_set(&p->grid, 1, "servers", servers, 2);
    point_axes_set(&p->grid, 2, "replication", replications, 3);
    p->replication = 2;
}

struct sweep_result *fixture_sweep(void)
{
    struct sweep_result *p = sweep_result_create(3, 12);
    describe(p, "grid");
    set_axes(p);
    for (uint32_t i = 0; i < p->n_points; i++) {
        uint32_t n_services = i < 6 ? 2 : 1, n_groups = i / 3 % 2 + 1;
        p->values[i * p->n_axes + 0] = i / 6;
        p->values[i * p->n_axes + 1] = i / 3 % 2;
        p->values[i * p->n_axes + 2] = i % 3;
        sweep_result_set_seed(p, i, UINT64_C(0xfedcba9876543210) + i);
        if (i == 4 || i == 8 || i == 11)
            continue;
        struct run_result *run = i == 6 ? fixture_load_overloaded(10 + i, n_services, n_groups)
                                        : fixture_load(10 + i, n_services, n_groups);
        sweep_result_take(p, i, run);
        run_result_destroy(run);
    }
    sweep_result_set_state(p, 4, SWEEP_FAILED, "no space left\non the disk");
    sweep_result_set_state(p, 11, SWEEP_FOREIGN, "a file of another study");
    return p;
}

struct sweep_result *fixture_points_least(void)
{
    struct sweep_result *p = sweep_result_create(0, 1);
    describe(p, "least");
    return p;
}

void fixture_sweep_same(const struct sweep_result *a, const struct sweep_result *b)
{
    const struct sweep_frame x = {.result = *a}, y = {.result = *b};
    same_artefact(&sweep_file_layout, &x, &y);
}
