// SPDX-License-Identifier: Apache-2.0
#include "capacity/efficiency.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runs/crew.h"
#include "capacity/single_server.h"
#include "runs/tunable.h"
#include "base/mem.h"
#include "cluster/sched.h"
#include "par/mpi_err.h"
#include "search/tuner.h"
#include "study/study_memory.h"
#include "study/study_traffic.h"

// One tuple to find, and what came of it; travels and is kept as bytes. So of the choice it has the
// values alone: where the table of fields is, each process knows for itself.
struct tuple_unit {
    uint32_t scheduler, type, service, reserved;
    uint64_t n_queries; // simulated for it
    struct capacity_tuple tuple;
    int64_t choice[SETTINGS_BYTES / sizeof(int64_t)];
};

struct tuple_work {
    struct capacity_context *context;
    const struct tuner_policy **policies; // [n_schedulers]
    struct tuple_unit *units;             // still to do
    uint32_t n_units, n_done, n_all;      // n_all: with those that were kept
    double *weights;                      // [n_units]
};

// ---- one tuple ----------------------------------------------------------------------------------

double efficiency_idle_w(const struct platform *platform)
{
    double idle_w = power_w(&platform->power, 0);
    return platform->has_accelerator ? idle_w + power_w(&platform->accelerator.power, 0) : idle_w;
}

// Of a server that nothing is known of but its idle power. Kept as bytes: none may be undefined.
static struct capacity_tuple new_tuple(const struct platform *platform)
{
    struct capacity_tuple tuple;
    memset(&tuple, 0, sizeof tuple);
    tuple.state = CAPACITY_FOUND;
    tuple.qps = tuple.missed_qps = NAN;
    tuple.idle_w = efficiency_idle_w(platform);
    tuple.at_qps = measurement_none(VERDICT_NOT_ASKED);
    return tuple;
}

static struct capacity_tuple tuple_of(const struct max_load *found, const struct platform *platform)
{
    struct capacity_tuple tuple = new_tuple(platform);
    if (isfinite(found->missed_qps)) // else none was shown to be missed
        tuple.missed_qps = found->missed_qps;
    if (found->state == MAX_LOAD_FOUND) {
        tuple.qps = found->held_qps;
        tuple.at_qps = found->at_held;
    } else { // out of reach: latency at vanishing load, so that one sees by how much
        tuple.state = CAPACITY_BEYOND;
        tuple.at_qps.sla_latency_s = found->at_held.sla_latency_s;
        tuple.at_qps.p95_s = found->at_held.p95_s;
    }
    return tuple;
}

static void on_point(void *user, const struct crew_work *at)
{
    struct capacity_context *context = user;
    capacity_context_tries(context, at->rate_qps, "qps");
    capacity_context_bracket(context, at->held_qps, at->missed_qps);
    capacity_context_tell(context, at->n_queries);
}

// "tuple 2 of 6 (xeon, feed)".
static void name_tuple(const struct tuple_work *work, const struct tuple_unit *unit)
{
    struct capacity_context *context = work->context;
    const char *type = context->answer->types[unit->type],
               *service = context->answer->services[unit->service];
    snprintf(context->at.stage, sizeof context->at.stage, "tuple %u of %u", work->n_done + 1,
             work->n_all);
    capacity_context_label(context, "%.*s, %.*s", progress_cut(type, 24), type,
                           progress_cut(service, 24), service);
}

// Collective (the crew).
static int search(const struct tuple_work *work, struct crew *crew, struct tuple_unit *unit,
                  struct err *err)
{
    const struct study *study = work->context->study;
    const struct platform *platform = &study->groups[unit->type].platform;
    struct single_server single;
    single_server_cut(&single, study, unit->type, unit->service);
    struct probe *probe = probe_create(&single.study, true);
    struct tuner_config config = tunable_config(&single.study, probe);
    struct crew_bench bench = {crew, probe, &config.capacity};
    const struct tuner_backend backend = tunable_backend(&bench);
    struct tuner_outcome found;
    crew_begin(crew);
    crew_watch(crew, on_point, work->context);
    name_tuple(work, unit);
    int rc = work->policies[unit->scheduler]->tune(&config, &backend, &found, err);
    if (rc == 0) {
        unit->tuple = tuple_of(&found.capacity, platform);
        memcpy(unit->choice, found.choice.values, sizeof unit->choice);
        for (size_t i = 0; i < found.path.n; i++)
            unit->n_queries += found.path.v[i].result.n_queries;
        tuner_release(&found);
    } else if (err->code == ERR_STUDY) {
        err_prefix(err, "%s: group \"%.60s\", service \"%.60s\"", study->path,
                   study->groups[unit->type].name, study->services[unit->service].name);
    }
    tunable_release(&config);
    probe_destroy(probe);
    return rc;
}

static bool is_given(const struct tuner_policy *policy)
{
    return policy == &tuner_fixed || policy == &tuner_static;
}

static struct settings given_choice(const struct study *study, uint32_t g, uint32_t s,
                                    const struct tuner_policy *policy)
{
    const struct study_group *group = &study->groups[g];
    return policy == &tuner_static
               ? sched_plain(sched_types[group->scheduler], study_traffic_largest_items(study, s),
                             group->platform.cores)
               : group->settings[s];
}

// Settings that are given, and nothing simulated.
static void give(const struct study *study, struct tuple_unit *unit,
                 const struct tuner_policy *policy)
{
    const struct settings choice = given_choice(study, unit->type, unit->service, policy);
    memcpy(unit->choice, choice.values, sizeof unit->choice);
    unit->tuple = new_tuple(&study->groups[unit->type].platform);
}

bool efficiency_is_given(const char *scheduler)
{
    int index = tuner_find(scheduler);
    return index >= 0 && is_given(tuner_policies[index]);
}

void efficiency_give(struct capacity_context *context)
{
    const struct study *study = context->study;
    struct settings *choice = context->choices;
    for (uint32_t d = 0; d < context->answer->n_schedulers; d++) {
        const char *name = context->answer->schedulers[d];
        for (uint32_t i = 0; i < study->n_groups * study->n_services; i++, choice++)
            if (efficiency_is_given(name))
                *choice =
                    given_choice(study, i / (uint32_t)study->n_services,
                                 i % (uint32_t)study->n_services, tuner_policies[tuner_find(name)]);
    }
}

// ---- all of them --------------------------------------------------------------------------------

static void put(struct capacity_context *context, const struct tuple_unit *unit)
{
    const struct study *study = context->study;
    size_t at = ((size_t)unit->scheduler * study->n_groups + unit->type) * study->n_services +
                unit->service;
    struct settings *choice = &context->choices[at];
    *choice = settings_of(study->groups[unit->type].settings[unit->service].fields, unit->choice);
    context->answer->tuples[at] = unit->tuple;
    chosen_values(&context->answer->chosen, choice, context->answer->tuples[at].settings);
    context->n_queries += unit->n_queries;
}

static uint64_t key_of(const struct tuple_work *work, const struct tuple_unit *unit)
{
    char *text = mem_printf("tuple %s %u %u", work->policies[unit->scheduler]->name, unit->type,
                            unit->service);
    uint64_t key = memo_key(text, strlen(text));
    mem_free(text);
    return key;
}

// Taken from the memo?
static bool take(const struct tuple_work *work, struct tuple_unit *unit)
{
    const struct memo *memo = work->context->memo;
    size_t n = 0;
    const void *kept = memo ? memo_find(memo, key_of(work, unit), &n) : NULL;
    if (!kept || n != sizeof *unit)
        return false;
    memcpy(unit, kept, n);
    return true;
}

static void add_unit(struct tuple_work *work, uint32_t scheduler, uint32_t type, uint32_t service,
                     bool rates)
{
    const struct study *study = work->context->study;
    const struct tuner_policy *policy = work->policies[scheduler];
    bool given = is_given(policy);
    struct tuple_unit unit;
    memset(&unit, 0, sizeof unit); // the gaps too: all of it is sent and kept
    unit.scheduler = scheduler;
    unit.type = type;
    unit.service = service;
    work->n_all++;
    bool held = study_memory_holds(study, type, service), known = !held || (given && !rates);
    if (known)
        give(study, &unit, policy);
    if (!held) // a server without room for the model serves none of its queries
        unit.tuple.state = CAPACITY_BEYOND;
    if (known || take(work, &unit)) {
        put(work->context, &unit);
        work->n_done++;
        return;
    }
    work->weights[work->n_units] = tunable_weight(&study->groups[type], policy);
    work->units[work->n_units++] = unit;
}

static int make_units(struct tuple_work *work, bool rates, struct err *err)
{
    const struct study *study = work->context->study;
    struct capacity_result *answer = work->context->answer;
    size_t n = (size_t)answer->n_schedulers * study->n_groups * study->n_services;
    work->policies = mem_calloc(answer->n_schedulers, sizeof *work->policies);
    work->units = mem_calloc(n, sizeof *work->units);
    work->weights = mem_calloc(n, sizeof *work->weights);
    for (uint32_t g = 0; g < study->n_groups; g++) {
        const struct sched_type *type = sched_types[study->groups[g].scheduler];
        if (chosen_add(&answer->chosen, type->axes, type->fields, err) < 0)
            return -1;
    }
    for (uint32_t d = 0; d < answer->n_schedulers; d++) {
        int index = tuner_find(answer->schedulers[d]);
        assert(index >= 0); // the study's reader knows their names
        work->policies[d] = tuner_policies[index];
        for (uint32_t g = 0; g < study->n_groups; g++)
            for (uint32_t s = 0; s < study->n_services; s++)
                add_unit(work, d, g, s, rates);
    }
    return 0;
}

// Crews go side by side, but what they found is taken in the order of the units, so that counts and
// the memo are the same on any number of ranks. A round is a tuple per crew, which its speaker
// gives to all ranks and the memo.
static int do_round(struct tuple_work *work, struct crew *crew, const uint32_t *order,
                    uint32_t first, struct err *err)
{
    struct memo *memo = work->context->memo;
    uint32_t mine = first + crew_index(crew);
    int rc = mine < work->n_units ? search(work, crew, &work->units[order[mine]], err) : 0;
    if (eval_agree(work->context->eval, rc, err) < 0)
        return -1;
    for (uint32_t c = 0; c < crew_n(crew) && first + c < work->n_units; c++) {
        struct tuple_unit *unit = &work->units[order[first + c]];
        rc = MPI_Bcast(unit, sizeof *unit, MPI_BYTE, crew_speaker(crew, c),
                       work->context->eval->comm);
        if (mpi_err_check(rc, "share what a search found", err) < 0 ||
            (memo && memo_add(memo, key_of(work, unit), unit, sizeof *unit, err) < 0))
            return -1;
        put(work->context, unit);
        work->n_done++;
    }
    return capacity_context_done(work->context, (double)work->n_done / work->n_all, err);
}

int efficiency_find(struct capacity_context *context, bool rates, struct err *err)
{
    struct tuple_work work = {.context = context};
    int rc = make_units(&work, rates, err); // alike on every rank
    if (rc == 0 && work.n_units > 0) {
        struct crew *crew = crew_create(context->eval->comm, work.n_units, err);
        uint32_t *order = mem_calloc(work.n_units, sizeof *order);
        crew_order(work.weights, work.n_units, order);
        rc = eval_agree(context->eval, crew ? 0 : -1, err);
        for (uint32_t first = 0; rc == 0 && first < work.n_units; first += crew_n(crew))
            rc = do_round(&work, crew, order, first, err);
        mem_free(order);
        crew_destroy(crew);
    }
    mem_free(work.policies);
    mem_free(work.units);
    mem_free(work.weights);
    return rc;
}
