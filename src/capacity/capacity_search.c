// SPDX-License-Identifier: Apache-2.0
#include "capacity/capacity_search.h"

#include <math.h>
#include <string.h>

#include "capacity/find_day.h"
#include "capacity/find_load.h"
#include "capacity/plan.h"
#include "capacity/find_servers.h"
#include "runs/survey.h"
#include "capacity/efficiency.h"
#include "capacity/unloaded.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/simtime.h"
#include "study/grid.h"

// Parts of the work at which the tuples are done, where they are all or nearly nothing of it.
#define TUPLES_FRAC 0.4

// ---- reading ------------------------------------------------------------------------------------

static int read_study(const struct capacity_search_source *source, struct capacity_search *search,
                      const char *text, size_t size, struct err *err)
{
    struct grid *grid =
        grid_parse(source->path, text, size, source->settings, source->n_settings, err);
    int rc = grid ? 0 : -1;
    if (grid && grid_n_points(grid) > 1)
        rc = err_set(err, ERR_STUDY,
                     "%s: %s: not for capacity, which answers for one study; leave it out, or set "
                     "the keys of one point with --set",
                     source->path, grid_n_replications(grid) > 1 ? "replications" : "sweep");
    grid_destroy(grid);
    if (rc == 0)
        search->study = study_parse(source->path, text, size, source->settings, source->n_settings,
                                    source->library, STUDY_OPEN_AND_PLAN, err);
    return search->study ? study_capacity_check(search->study, err) : -1;
}

int capacity_search_read(const struct eval *eval, const struct capacity_search_source *source,
                         struct capacity_search *search, struct err *err)
{
    size_t size = 0;
    *search = (struct capacity_search){0};
    char *text = eval_read_text(eval, source->path, &size, err);
    if (!text)
        return -1;
    search->written = survey_written(text, source->settings, source->n_settings);
    int rc = eval_agree(eval, read_study(source, search, text, size, err), err);
    mem_free(text);
    if (rc < 0)
        capacity_search_release(search);
    return rc;
}

void capacity_search_release(struct capacity_search *search)
{
    study_destroy(search->study);
    mem_free(search->written);
    *search = (struct capacity_search){0};
}

// ---- the answer's frame -------------------------------------------------------------------------

// How many names the list has; to[] gets them, unless it is NULL.
static uint32_t take_names(const char *names, char **to)
{
    char name[64];
    uint32_t n = 0;
    for (; study_capacity_name(names, n, name, sizeof name); n++)
        if (to)
            to[n] = mem_strdup(name);
    return n;
}

static void put_fleet(struct capacity_result *answer, const struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++) {
        const struct study_group *group = &study->groups[g];
        answer->types[g] = mem_strdup(group->label);
        answer->available[g] = (uint32_t)group->servers;
        answer->price_usd_per_h[g] = capacity_context_type_usd_per_h(study, (uint32_t)g);
    }
    double least = INFINITY, most = -INFINITY;
    for (size_t s = 0; s < study->n_services; s++) {
        const struct service_config *service = &study->services[s];
        answer->services[s] = mem_strdup(service->name);
        if (service->sla_ns <= 0)
            continue; // NaN, as it is
        answer->sla_s[s] = simtime_to_s(service->sla_ns);
        answer->sla_quantile = service->sla_quantile;
        least = fmin(least, service->sla_quantile);
        most = fmax(most, service->sla_quantile);
    }
    if (most - least > 1e-12) // there is one only where it is that of all targets
        answer->sla_quantile = NAN;
}

static void put_settings(struct capacity_result *answer, const struct capacity_search *search)
{
    const struct study *study = search->study;
    const struct study_capacity *capacity = &study->capacity;
    bool days = answer->n_intervals > 0;
    answer->name = mem_strdup(study->settings.name);
    answer->program_version = mem_strdup(RECFLEET_VERSION);
    answer->study = mem_strdup(search->written);
    answer->seed = study->settings.seed;
    answer->find = mem_strdup(study_find_names[capacity->find]);
    answer->objective = mem_strdup(study_objective_names[capacity->objective]);
    answer->objective_unit = mem_strdup(plan_objective_unit(capacity->objective));
    answer->headroom_frac = capacity->headroom_frac;
    answer->margin_frac = capacity->find == FIND_DAY ? (double)NAN : capacity->margin_frac;
    answer->day_s = days ? capacity->day_s : (double)NAN;
    answer->interval_s = days ? capacity->interval_s : (double)NAN;
    answer->startup_s = capacity->find == FIND_PLAN ? capacity->startup_s : (double)NAN;
    answer->min_on_s = capacity->find == FIND_PLAN ? capacity->min_on_s : (double)NAN;
}

struct capacity_result *capacity_search_frame(const struct capacity_search *search)
{
    const struct study *study = search->study;
    const struct study_capacity *capacity = &study->capacity;
    bool plan = capacity->find == FIND_PLAN, days = plan || capacity->find == FIND_DAY;
    bool sizes = capacity->find == FIND_SERVERS || capacity->find == FIND_CORES;
    const char *given = days ? "given" : "";
    const char *allocations = plan ? capacity->allocations : given;
    const char *provisionings = plan ? capacity->provisioning : given;
    uint32_t n_schedulers = take_names(capacity->schedulers, NULL);
    const struct capacity_shape shape = {
        .n_schedulers = n_schedulers,
        .n_allocations = take_names(allocations, NULL),
        .n_provisionings = take_names(provisionings, NULL),
        .n_intervals = days ? study_capacity_intervals(capacity) : 0,
        .n_types = (uint32_t)study->n_groups,
        .n_services = (uint32_t)study->n_services,
        .n_sizes = sizes ? find_servers_n_rows(study, n_schedulers) : 0,
        .n_loads = capacity->find == FIND_LOAD ? n_schedulers : 0};
    struct capacity_result *answer = capacity_result_create(&shape);
    put_settings(answer, search);
    put_fleet(answer, study);
    take_names(capacity->schedulers, answer->schedulers);
    take_names(allocations, answer->allocations);
    take_names(provisionings, answer->provisionings);
    return answer;
}

// ---- the answer ---------------------------------------------------------------------------------

// One scheduler that cannot is said; if none can, that is the answer.
static int make_plans(struct capacity_context *context, struct err *err)
{
    const struct study *study = context->study;
    struct capacity_result *answer = context->answer;
    struct plan_outcome outcome;
    uint32_t n_possible = 0;
    for (uint32_t d = 0; d < answer->n_schedulers; d++) {
        if (plan_fill(study, answer, d, &outcome, err) < 0)
            return -1;
        n_possible += outcome.possible;
        if (outcome.possible && outcome.borrowed)
            log_info("%s: optimal: a day of another allocation is cheaper once servers that are "
                     "switched and idle count, and was taken",
                     answer->schedulers[d]);
        if (!outcome.possible && n_possible + answer->n_schedulers - 1 - d > 0)
            log_warn("%s: %s", answer->schedulers[d], outcome.text);
    }
    if (n_possible == 0)
        return err_set(err, ERR_STUDY, "%s: capacity: %s", study->path, outcome.text);
    return find_day_run(context, err);
}

static int can_be_met(struct capacity_context *context, bool given, struct err *err)
{
    capacity_context_stage(context, "idle servers", context->to_frac);
    if (unloaded_find(context, given, err) < 0)
        return -1;
    context->out_of_reach = capacity_result_out_of_reach(context->answer);
    return 0;
}

static int answer_parts(struct capacity_context *context, struct err *err)
{
    int find = context->study->capacity.find;
    bool days = find == FIND_DAY || find == FIND_PLAN;
    if (days && sample_check(context->study, err) < 0)
        return err_prefix(err, "%s", context->study->path);
    if (days && capacity_context_forecast(context->study, context->answer->demand, err) < 0)
        return -1;
    // Of settings that are still to be found nothing can be said before.
    efficiency_give(context);
    if (can_be_met(context, true, err) < 0 || context->out_of_reach)
        return context->out_of_reach ? 0 : -1;
    // With cores counted, a tuple would be of another server.
    capacity_context_stage(context, "tuples", find == FIND_CORES ? 0 : TUPLES_FRAC);
    if (efficiency_find(context, find != FIND_CORES, err) < 0 ||
        can_be_met(context, false, err) < 0)
        return -1;
    if (context->out_of_reach)
        return 0;
    switch (find) {
    case FIND_LOAD:
        return find_load_run(context, err);
    case FIND_DAY:
        return find_day_run(context, err);
    case FIND_PLAN:
        return make_plans(context, err);
    default:
        return find_servers_run(context, err);
    }
}

int capacity_search_run(struct capacity_context *context, const struct capacity_search *search,
                        struct err *err)
{
    context->study = search->study;
    context->answer = capacity_search_frame(search);
    capacity_context_open(context);
    int rc = answer_parts(context, err);
    // A signal ends a simulation in its middle, too.
    if (rc < 0 && context->memo && memo_stop(context->memo))
        context->stopped = true;
    capacity_context_close(context);
    if (rc < 0 && context->stopped)
        err_clear(err);
    if (rc == 0 || context->stopped)
        return 0;
    capacity_result_destroy(context->answer);
    context->answer = NULL;
    return -1;
}
