// SPDX-License-Identifier: Apache-2.0
#include "capacity/find_servers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "runs/demand.h"
#include "capacity/peak_load.h"
#include "base/mem.h"
#include "cluster/policy.h"
#include "search/sizing.h"

// A size that was measured: what its longest run said.
struct size_seen {
    uint32_t n;
    uint64_t n_queries;
    struct peak_load_trial trial; // owned
    enum measurement_verdict verdict;
};

// One row's search.
struct size_search {
    struct capacity_context *context;
    struct peak_load *peak;
    uint32_t scheduler, type, cells_down;
    double margin_frac;                     // on top of the traffic at its peak
    bool cores;                             // counts cores; else servers
    const struct balancer_config *balancer; // NULL: the study's
    uint32_t *n_servers;                    // [n_groups], of the fleet that is measured
    struct size_seen *seen;
    size_t n_seen;
};

// ---- lost cells ---------------------------------------------------------------------------------

uint32_t find_servers_left(uint32_t n, uint32_t n_cells, uint32_t n_down)
{
    uint32_t odd = n % n_cells;
    return n - n_down * (n / n_cells) - (n_down < odd ? n_down : odd);
}

// left(n) grows by 0 or 1 with n: cells left share `left` evenly, and a lost one has as many as the
// fullest of them, but for what the deal gives the last ones.
uint32_t find_servers_whole(uint32_t left, uint32_t n_cells, uint32_t n_down)
{
    uint32_t alive = n_cells - n_down, n = left + n_down * (left / alive);
    while (find_servers_left(n, n_cells, n_down) < left)
        n++;
    return n;
}

// ---- one measurement ----------------------------------------------------------------------------

// NULL: not yet.
static struct size_seen *seen_of(const struct size_search *search, uint32_t n)
{
    for (size_t i = 0; i < search->n_seen; i++)
        if (search->seen[i].n == n)
            return &search->seen[i];
    return NULL;
}

// Takes the trial.
static void remember(struct size_search *search, uint32_t n, uint64_t n_queries,
                     struct peak_load_trial *trial, enum measurement_verdict verdict)
{
    struct size_seen *seen = seen_of(search, n);
    if (!seen) {
        search->seen = mem_realloc(search->seen, search->n_seen + 1, sizeof *search->seen);
        seen = &search->seen[search->n_seen++];
        *seen = (struct size_seen){.n = n};
    }
    bool longer = n_queries > seen->n_queries;
    mem_free(longer ? seen->trial.services : trial->services);
    if (longer)
        *seen = (struct size_seen){n, n_queries, *trial, verdict};
}

static void forget(struct size_search *search)
{
    for (size_t i = 0; i < search->n_seen; i++)
        mem_free(search->seen[i].trial.services);
    mem_free(search->seen);
    search->seen = NULL;
    search->n_seen = 0;
}

static struct measurement recall(const struct size_search *search, uint32_t n)
{
    const struct size_seen *seen = seen_of(search, n);
    return seen ? seen->trial.all : measurement_none(VERDICT_NOT_ASKED);
}

// Shows the fewest that were held so far, and the most below them that were missed.
static void show_bracket(struct size_search *search)
{
    double held = NAN, missed = NAN;
    for (const struct size_seen *seen = search->seen; seen < search->seen + search->n_seen; seen++)
        held = seen->verdict == VERDICT_MET ? fmin(held, seen->n) : held;
    for (const struct size_seen *seen = search->seen; seen < search->seen + search->n_seen; seen++)
        if (seen->verdict == VERDICT_MISSED && !(seen->n >= held))
            missed = fmax(missed, seen->n);
    capacity_context_bracket(search->context, held, missed);
}

// Late queries that the strictest target allows.
static double least_allowed_frac(const struct study *study)
{
    double allowed = 1;
    for (size_t s = 0; s < study->n_services; s++)
        allowed = fmin(allowed, 1 - study->services[s].sla_quantile);
    return allowed;
}

static int measure(void *user, const struct sizing_point *point, struct measurement *result,
                   struct err *err)
{
    struct size_search *search = user;
    const struct study *study = search->context->study;
    uint32_t n_cells = (uint32_t)study->cells;
    struct fleet_variant fleet = {.n_servers = search->n_servers,
                                  .choices =
                                      capacity_context_choices(search->context, search->scheduler),
                                  .n_cells = n_cells - search->cells_down,
                                  .balancer = search->balancer};
    const struct peak_load_point at = {&fleet, 1 + search->margin_frac, point->n_queries,
                                       point->stream};
    struct peak_load_trial trial;
    if (search->cores)
        fleet.n_cores = point->n;
    else
        search->n_servers[search->type] = find_servers_left(point->n, n_cells, search->cells_down);
    capacity_context_tries(search->context, point->n, search->cores ? "cores" : "servers");
    if (peak_load_measure(search->peak, &at, result, &trial, err) < 0)
        return -1;
    // The search knows one allowance, the strictest. Where the service that is nearest to missing
    // has another, its late queries count by their part of what its own target allows.
    double part = least_allowed_frac(study) / result->allowed_frac;
    if (part < 1) {
        result->late_frac.value *= part;
        result->late_frac.half_95 *= part;
    }
    remember(search, point->n, point->n_queries, &trial,
             sizing_verdict(result, least_allowed_frac(study)));
    show_bracket(search);
    return capacity_context_done(search->context, 0, err);
}

// ---- one row ------------------------------------------------------------------------------------

// What one of them can do at the very most, in queries per second. A core has its part of every
// query to do, whatever the others do.
static double saturation_qps(const struct size_search *search)
{
    const struct study *study = search->context->study;
    const struct settings *choices = capacity_context_choices(search->context, search->scheduler);
    double core_s = 0;
    if (!search->cores)
        return peak_load_saturation_qps(search->peak, search->type,
                                        choices + (size_t)search->type * study->n_services,
                                        (uint32_t)study->n_services);
    for (uint32_t s = 0; s < study->n_services; s++)
        core_s += peak_load_service_qps(search->peak, s) *
                  demand_by_choice(study, &study->groups[0], s, &choices[s], 1).cpu_s;
    return peak_load_qps(search->peak) * (double)study->groups[0].servers / core_s;
}

static double load_qps(const struct size_search *search)
{
    return (1 + search->margin_frac) * peak_load_qps(search->peak);
}

// Servers that the tuples promise to suffice, where all serve all or each a service of its own; 0:
// they promise nothing.
static double promised(const struct size_search *search, bool pools)
{
    const struct capacity_result *answer = search->context->answer;
    const struct capacity_tuple *tuples =
        answer->tuples +
        ((size_t)search->scheduler * answer->n_types + search->type) * answer->n_services;
    double sum = 0;
    for (uint32_t s = 0; s < answer->n_services; s++) {
        if (tuples[s].state != CAPACITY_FOUND || !(tuples[s].qps > 0))
            return 0;
        double n =
            (1 + search->margin_frac) * peak_load_service_qps(search->peak, s) / tuples[s].qps;
        sum += pools ? ceil(n) : n;
    }
    return ceil(sum);
}

static uint32_t clamp(double n, uint32_t least, uint32_t most)
{
    return n <= least ? least : n >= most ? most : (uint32_t)n;
}

// From servers that must be left to servers of the fleet.
static uint32_t whole_of(const struct size_search *search, uint32_t left)
{
    uint32_t n_cells = (uint32_t)search->context->study->cells,
             alive = n_cells - search->cells_down;
    if (search->cores)
        return left;
    return find_servers_whole(left > alive ? left : alive, n_cells, search->cells_down);
}

// So many times the least, they idle: a target that is missed there is out of reach.
#define IDLE_TIMES 1000

static struct sizing_task make_task(const struct size_search *search, double saturation)
{
    const struct study *study = search->context->study;
    const struct study_capacity *capacity = &study->capacity;
    const struct study_group *group = &study->groups[0];
    uint32_t most = (uint32_t)capacity->max_servers, cores = (uint32_t)group->platform.cores;
    // Times that depend on how many cores are busy are known up to the cores that the platform has,
    // and no further.
    for (size_t s = 0; search->cores && s < study->n_services; s++)
        most = cost_depends_on_busy(group->costs[s]) && most > cores ? cores : most;
    double least = floor(load_qps(search) / saturation) + 1;
    double guess = search->cores ? least : fmax(promised(search, false), least);
    struct sizing_task task = {.most = most,
                               .first_queries = (uint64_t)capacity->queries,
                               .most_queries = (uint64_t)capacity->max_queries,
                               .stream = STREAM_TUNE,
                               .allowed_frac = least_allowed_frac(study)};
    task.least = whole_of(search, clamp(least, 1, most));
    if (isfinite(saturation))
        task.most = clamp((double)task.least * IDLE_TIMES, 1, most);
    task.guess = whole_of(search, clamp(guess, 1, most));
    return task;
}

// What the search found into the row that says what it is of; below: how few cannot be it.
static int search_row(struct size_search *search, struct sizing_task *task, struct sizing *found,
                      uint32_t below, struct err *err)
{
    *found = (struct sizing){
        .state = SIZING_BEYOND, .n = task->most, .n_least = task->most, .n_most = task->most};
    if (below > task->most)
        return 0;
    task->least = below > task->least ? below : task->least;
    task->guess = task->guess > task->least ? task->guess : task->least;
    return sizing_search(task, measure, search, found, err);
}

static const enum capacity_state states[N_SIZING_STATES] = {
    [SIZING_FOUND] = CAPACITY_FOUND,
    [SIZING_RANGE] = CAPACITY_RANGE,
    [SIZING_BEYOND] = CAPACITY_BEYOND,
};

static void put_trials(struct size_search *search, const struct sizing *found, uint32_t index)
{
    struct capacity_result *answer = search->context->answer;
    struct capacity_size *row = &answer->sizes[index];
    const struct size_seen *seen = seen_of(search, found->n);
    row->at_n = recall(search, found->n);
    row->below = recall(search, found->n - 1);
    if (!seen)
        return;
    row->binding = peak_load_binding(search->peak, &seen->trial);
    memcpy(answer->size_services + (size_t)index * answer->n_services, seen->trial.services,
           answer->n_services * sizeof *answer->size_services);
}

// A mixed fleet that takes many times what pools would: how many would do if a balancer knew what
// its servers have left to do?
static int try_least_work(struct size_search *search, const struct sizing_task *task,
                          struct capacity_size *row, struct err *err)
{
    struct balancer_config balancer = search->context->study->balancer;
    balancer.policy = policy_find("least-work");
    balancer.settings = (struct settings){0};
    bool many = row->n_pools > 0 && row->n >= CAPACITY_MANY_TIMES * row->n_pools;
    if (!many || row->cells_down > 0 ||
        balancer.policy == search->context->study->balancer.policy ||
        balancer.dispatch_delay_ns + balancer.status_delay_ns <= 0)
        return 0;
    struct sizing_task other = *task;
    struct sizing found;
    capacity_context_label(search->context, "by least-work");
    other.guess = 0;
    other.most = row->n;
    search->balancer = &balancer;
    int rc = search_row(search, &other, &found, row->n_pools, err);
    search->balancer = NULL;
    row->n_least_work = rc == 0 && found.state != SIZING_BEYOND ? found.n : 0;
    row->n_runs += found.n_runs;
    row->n_queries += found.n_queries;
    return rc;
}

// index: of the row, which is the first for its type or the one for a margin behind it.
static int fill_row(struct size_search *search, uint32_t index, struct err *err)
{
    struct capacity_size *row = &search->context->answer->sizes[index];
    const struct study *study = search->context->study;
    const struct study_group *group = &study->groups[search->type];
    double saturation = saturation_qps(search);
    struct sizing_task task = make_task(search, saturation);
    struct sizing found;
    uint32_t below = task.least, service; // that cannot be it
    row->scheduler = search->scheduler;
    row->type = search->type;
    row->cells_down = search->cells_down;
    row->margin_frac = search->margin_frac;
    row->rate_qps = load_qps(search);
    row->n_pools = search->cores || study->n_services == 1 ? 0 : (uint32_t)promised(search, true);
    bool unreachable = capacity_result_unreachable(search->context->answer, search->scheduler,
                                                   search->type, &service);
    row->binding = unreachable ? service : 0;
    // More are needed to have the time at all than may be tried; or than do without the margin.
    if (row->rate_qps >= saturation * task.most || unreachable ||
        (row->margin_frac > 0 && row[-1].state == CAPACITY_BEYOND))
        below = UINT32_MAX;
    else if (row->margin_frac > 0)
        below = row[-1].n;
    if (search_row(search, &task, &found, below, err) < 0)
        return -1;
    row->state = states[found.state];
    row->n = found.n;
    row->n_least = found.n_least;
    row->n_most = found.n_most;
    row->n_runs = found.n_runs;
    row->n_queries = found.n_queries;
    put_trials(search, &found, index);
    forget(search);
    row->bound_qps = saturation * (search->cores ? row->n
                                                 : find_servers_left(row->n, (uint32_t)study->cells,
                                                                     search->cells_down));
    row->cost_usd_per_h = capacity_context_type_usd_per_h(study, search->type) *
                          (search->cores ? (double)group->servers : row->n);
    return row->state == CAPACITY_BEYOND || row->margin_frac > 0
               ? 0
               : try_least_work(search, &task, row, err);
}

// ---- all rows -----------------------------------------------------------------------------------

uint32_t find_servers_n_rows(const struct study *study, uint32_t n_schedulers)
{
    uint32_t n = n_schedulers * (study->capacity.margin_frac > 0 ? 2 : 1);
    if (study->capacity.find == FIND_CORES)
        return n;
    return (uint32_t)(n * study->n_groups * study->capacity.cells_down.n);
}

// "xeon", "xeon, static, 1 cell down, +10 %".
static void name_row(const struct size_search *search)
{
    const struct capacity_result *answer = search->context->answer;
    char down[32] = "", margin[32] = "";
    bool many = answer->n_schedulers > 1;
    if (search->cells_down > 0)
        snprintf(down, sizeof down, ", %u cell%s down", search->cells_down,
                 search->cells_down == 1 ? "" : "s");
    if (search->margin_frac > 0)
        snprintf(margin, sizeof margin, ", +%g %%", 100 * search->margin_frac);
    const char *type = answer->types[search->type];
    capacity_context_label(search->context, "%.*s%s%s%s%s", progress_cut(type, 24), type,
                           many ? ", " : "", many ? answer->schedulers[search->scheduler] : "",
                           down, margin);
}

// A row for the traffic, and behind it, where there is a margin, one for so much more.
static int find_row(struct peak_load *peak, uint32_t index, struct err *err)
{
    struct capacity_context *context = peak_load_context(peak);
    const struct study *study = context->study;
    const struct reals *down = &study->capacity.cells_down;
    bool cores = study->capacity.find == FIND_CORES;
    uint32_t n_types = cores ? 1 : (uint32_t)study->n_groups,
             n_down = cores ? 1 : (uint32_t)down->n,
             n_margins = study->capacity.margin_frac > 0 ? 2 : 1, row = index / n_margins;
    struct size_search search = {.context = context,
                                 .peak = peak,
                                 .scheduler = row / n_down / n_types,
                                 .type = row / n_down % n_types,
                                 .cells_down = cores ? 0 : (uint32_t)down->v[row % n_down],
                                 .margin_frac = index % n_margins * study->capacity.margin_frac,
                                 .cores = cores};
    search.n_servers = mem_calloc(study->n_groups, sizeof *search.n_servers);
    if (cores)
        search.n_servers[0] = context->answer->available[0];
    name_row(&search);
    int rc = fill_row(&search, index, err);
    mem_free(search.n_servers);
    forget(&search);
    return rc;
}

int find_servers_run(struct capacity_context *context, struct err *err)
{
    return peak_load_rows(context, "size", context->answer->n_sizes, find_row, err);
}
