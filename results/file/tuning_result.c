// SPDX-License-Identifier: Apache-2.0
#include "results/file/tuning_result.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"

const char *const tuning_result_state_names[] = {"found", "unreachable", NULL};
struct tuning_outcome tuning_result_outcome_none(void)
{
    struct tuning_outcome o = {.confirmed = VERDICT_NOT_ASKED,
                               .confirmed_over = VERDICT_NOT_ASKED,
                               .at_qps = measurement_none(VERDICT_NOT_ASKED)};
    const double none = NAN;
    for (const struct summary_field *f = tuning_result_outcome_fields; f->name; f++) {
        if (f->kind == SUMMARY_REAL)
            memcpy((char *)&o + f->offset, &none, sizeof none);
    }
    return o;
}

struct tuning_result *tuning_result_create(uint32_t n_axes, uint32_t n_cells, uint32_t n_policies)
{
    struct tuning_result *t = mem_calloc(1, sizeof *t);
    size_t n = (size_t)n_cells * n_policies;
    t->n_axes = n_axes;
    t->n_cells = n_cells;
    t->n_policies = n_policies;
    t->axes = mem_calloc(n_axes, sizeof *t->axes);
    t->labels = mem_calloc((size_t)n_cells * n_axes, sizeof *t->labels);
    t->policies = mem_calloc(n_policies, sizeof *t->policies);
    t->outcomes = mem_calloc(n, sizeof *t->outcomes);
    for (size_t i = 0; i < n; i++)
        t->outcomes[i] = tuning_result_outcome_none();
    return t;
}

void tuning_result_destroy(struct tuning_result *tuning)
{
    if (!tuning)
        return;
    for (uint32_t a = 0; a < tuning->n_axes; a++) {
        for (uint32_t i = 0; tuning->axes[a].labels && i < tuning->axes[a].n_labels; i++)
            mem_free(tuning->axes[a].labels[i]);
        mem_free(tuning->axes[a].labels);
        mem_free(tuning->axes[a].name);
    }
    for (uint32_t p = 0; p < tuning->n_policies; p++)
        mem_free(tuning->policies[p]);
    mem_free(tuning->axes);
    mem_free(tuning->labels);
    mem_free(tuning->policies);
    mem_free(tuning->outcomes);
    mem_free(tuning->steps);
    mem_free(tuning->name);
    mem_free(tuning->program_version);
    mem_free(tuning->study);
    mem_free(tuning);
}

struct tuning_outcome *tuning_result_outcome_at(const struct tuning_result *tuning, uint32_t cell,
                                                uint32_t policy)
{
    assert(cell < tuning->n_cells && policy < tuning->n_policies);
    return &tuning->outcomes[(size_t)cell * tuning->n_policies + policy];
}

void tuning_result_add_step(struct tuning_result *tuning, const struct tuning_step *step)
{
    if (tuning->n_steps == tuning->steps_cap) {
        tuning->steps_cap = tuning->steps_cap ? 2 * tuning->steps_cap : 256;
        tuning->steps = mem_realloc(tuning->steps, tuning->steps_cap, sizeof *tuning->steps);
    }
    tuning->steps[tuning->n_steps++] = *step;
}

const char *tuning_result_label(const struct tuning_result *tuning, uint32_t cell, uint32_t axis)
{
    assert(cell < tuning->n_cells && axis < tuning->n_axes);
    const struct tuning_axis *a = &tuning->axes[axis];
    uint32_t label = tuning->labels[(size_t)cell * tuning->n_axes + axis];
    assert(label < a->n_labels);
    return a->labels[label];
}

char *tuning_result_point_name(const struct tuning_result *tuning, uint32_t cell)
{
    char *name = mem_strdup("");
    for (uint32_t a = 0; a < tuning->n_axes; a++) {
        char *longer = mem_printf("%s%s%s=%s", name, a > 0 ? ", " : "", tuning->axes[a].name,
                                  tuning_result_label(tuning, cell, a));
        mem_free(name);
        name = longer;
    }
    return name;
}

int tuning_result_find_policy(const struct tuning_result *tuning, const char *name)
{
    for (uint32_t p = 0; p < tuning->n_policies; p++) {
        if (strcmp(tuning->policies[p], name) == 0)
            return (int)p;
    }
    return -1;
}

#define FIELD(name, member, units, text, kind, codes)                                              \
    {                                                                                              \
        name, units, text, kind, offsetof(ROW, member), codes, 0, NULL                             \
    }
#define REAL_AS(name, member, units, text) FIELD(name, member, units, text, SUMMARY_REAL, NULL)
#define COUNT_AS(name, member, text) FIELD(name, member, "1", text, SUMMARY_COUNT, NULL)
#define COUNT32_AS(name, member, units, text)                                                      \
    FIELD(name, member, units, text, SUMMARY_COUNT32, NULL)
#define CODE_AS(name, member, text, codes) FIELD(name, member, "1", text, SUMMARY_CODE, codes)

#define REAL(member, units, text) REAL_AS(#member, member, units, text)
#define COUNT(member, text) COUNT_AS(#member, member, text)
#define COUNT32(member, units, text) COUNT32_AS(#member, member, units, text)
#define CODE(member, text, codes) CODE_AS(#member, member, text, codes)

#define ROW struct tuning_outcome
const struct summary_field tuning_result_outcome_fields[] = {
    CODE(state, "was a rate found that holds the targets?", tuning_result_state_names),
    COUNT32(batch_items, "items", "chosen batch size B: most items of a CPU request"),
    COUNT32(offload_items, "items",
            "chosen threshold T: queries of at least this many go to the accelerator; 0: none do"),
    REAL(qps, "s-1", "largest rate shown to be held, over all servers"),
    REAL(missed_qps, "s-1", "smallest rate shown to be missed"),
    REAL(claimed_qps, "s-1", "rate that the policy itself believes it holds"),
    REAL_AS("target_s", at_qps.sla_s, "s", "latency target"),
    REAL_AS("latency_s", at_qps.sla_latency_s.value, "s",
            "latency at the target's percentile, at qps"),
    REAL_AS("latency_half_s", at_qps.sla_latency_s.half_95, "s",
            "half-width at 95 % of: latency at the target's percentile"),
    REAL_AS("p95_s", at_qps.p95_s.value, "s", "95th percentile of latency, at qps"),
    REAL_AS("p95_half_s", at_qps.p95_s.half_95, "s",
            "half-width at 95 % of: 95th percentile of latency"),
    REAL_AS("p99_s", at_qps.p99_s.value, "s", "99th percentile of latency, at qps"),
    REAL_AS("p99_half_s", at_qps.p99_s.half_95, "s",
            "half-width at 95 % of: 99th percentile of latency"),
    REAL_AS("power_w", at_qps.power_w, "W", "power, at qps"),
    REAL_AS("qps_per_w", at_qps.queries_per_j, "J-1", "queries per joule, at qps"),
    REAL_AS("cpu_util_frac", at_qps.cpu_util_frac, "1", "utilisation of the cores, at qps"),
    REAL_AS("accel_util_frac", at_qps.accel_util_frac, "1",
            "utilisation of the accelerators, at qps"),
    REAL_AS("accel_query_frac", at_qps.accel_query_frac, "1",
            "queries that went to the accelerator"),
    REAL_AS("accel_item_frac", at_qps.accel_item_frac, "1", "items that went to the accelerator"),
    CODE_AS("stable", at_qps.stable, "is every queue stable, at qps?", measurement_verdict_names),
    CODE_AS("sla", at_qps.sla, "is the latency within its target, at qps?",
            measurement_verdict_names),
    CODE_AS("tail", at_qps.tail, "is the p99 within its bound, at qps?", measurement_verdict_names),
    REAL(floor_s, "s", "latency at the target's percentile at vanishing load, if unreachable"),
    CODE(confirmed, "are the targets held at qps by fresh random draws?",
         measurement_verdict_names),
    CODE(confirmed_over, "and at 1.05 qps? missed: the answer is tight", measurement_verdict_names),
    REAL(tuned_qps, "s-1", "rate held on the sizes that were tuned on"),
    COUNT(n_choices, "choices of B and T looked at"),
    COUNT(n_bounded, "of these, settled by their bound alone, without a run"),
    COUNT(n_runs, "simulations run, confirmation left out"),
    COUNT(n_queries, "queries simulated, confirmation left out"),
    {0}};

const struct summary_field tuning_result_wall_fields[] = {
    REAL(wall_s, "s", "wall time of the search"), {0}};
#undef ROW

#define ROW struct tuning_step
const struct summary_field tuning_result_step_fields[] = {
    COUNT32(cell, "1", "its cell"),
    COUNT32(policy, "1", "its policy, by number"),
    COUNT32(batch_items, "items", "batch size B"),
    COUNT32(offload_items, "items", "threshold T; 0: nothing goes to the accelerator"),
    COUNT32(stream, "1",
            "stream of random draws, modulo 3: 0 tuning, 1 confirmation, 2 latency floor"),
    CODE_AS("stable", result.stable, "is every queue stable?", measurement_verdict_names),
    CODE_AS("sla", result.sla, "is the latency within its target?", measurement_verdict_names),
    CODE_AS("tail", result.tail, "is the p99 within its bound?", measurement_verdict_names),
    REAL(rate_qps, "s-1", "arrival rate over all servers"),
    REAL_AS("latency_s", result.sla_latency_s.value, "s", "latency at the target's percentile"),
    REAL_AS("latency_half_s", result.sla_latency_s.half_95, "s",
            "half-width at 95 % of: latency at the target's percentile"),
    REAL_AS("p95_s", result.p95_s.value, "s", "95th percentile of latency"),
    REAL_AS("p95_half_s", result.p95_s.half_95, "s",
            "half-width at 95 % of: 95th percentile of latency"),
    REAL_AS("p99_s", result.p99_s.value, "s", "99th percentile of latency"),
    REAL_AS("p99_half_s", result.p99_s.half_95, "s",
            "half-width at 95 % of: 99th percentile of latency"),
    REAL_AS("late_frac", result.late_frac.value, "1", "queries later than the target"),
    REAL_AS("late_half_frac", result.late_frac.half_95, "1",
            "half-width at 95 % of: queries later than the target"),
    COUNT_AS("n_queries", result.n_queries, "queries simulated"),
    {0}};
#undef ROW
