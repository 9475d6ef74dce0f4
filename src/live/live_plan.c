// SPDX-License-Identifier: Apache-2.0
#include "live/live_plan.h"

#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "cluster/sched.h"
#include "traces/source.h"

#define MOST_QUERIES 100000000 // 3.2 GB of them

// n_servers: that there are processes for; 0: there is no balancer, and one server.
static int check_servers(const struct study *study, uint32_t n_servers, struct err *err)
{
    const struct fleet_config *fleet = &study->fleet;
    uint32_t n_asked = fleet->groups[0].n_servers;
    bool one_group = fleet->n_groups == 1 && fleet->n_cells == 1;
    if (one_group && n_asked == (n_servers ? n_servers : 1))
        return 0;
    if (!one_group)
        return err_set(err, ERR_STUDY, "%s: fleet: expected cells: 1 and one group, to be served",
                       study->path);
    if (n_servers == 0)
        return err_set(err, ERR_STUDY,
                       "%s: fleet: %u servers are %u processes, one to balance: expected mpirun "
                       "-n %u, or servers: 1",
                       study->path, n_asked, n_asked + 1, n_asked + 1);
    return err_set(err, ERR_STUDY,
                   "%s: fleet: %u ranks are a balancer and %u server%s: expected servers: %u, or "
                   "mpirun -n %u",
                   study->path, n_servers + 1, n_servers, n_servers == 1 ? "" : "s", n_servers,
                   n_asked + 1);
}

static int check(const struct study *study, uint32_t n_servers, struct err *err)
{
    const struct fleet_config *fleet = &study->fleet;
    const struct group_config *group = &fleet->groups[0];
    const struct sched_type *sched = sched_types[group->scheduler];
    if (check_servers(study, n_servers, err) < 0)
        return -1;
    if (fleet_has_outages(fleet))
        return err_set(err, ERR_STUDY,
                       "%s: failures: expected none: a server that runs for real goes down by "
                       "itself",
                       study->path);
    if (group->on.n_steps > 0)
        return err_set(err, ERR_STUDY, "%s: fleet.groups[0].on: expected none: this machine is on",
                       study->path);
    if (group->slow.frac > 0 && group->slow.factor > 1)
        return err_set(
            err, ERR_STUDY,
            "%s: fleet.groups[0].slow_frac: expected none: this machine is as fast as it "
            "is",
            study->path);
    for (uint32_t i = 0; i < fleet->n_services; i++) {
        struct batcher_rule rule;
        enum order order;
        if (!sched->takes || !sched->takes(settings_values(&group->settings[i]), &rule, &order))
            return err_set(err, ERR_STUDY,
                           "%s: service %s: its scheduler gives queries to an accelerator, and "
                           "only cores are served for real; expected no offload_items and no "
                           "accel_items",
                           study->path, fleet->services[i].name);
        if (fleet->services[i].traffic.has_history && rule.merges)
            return err_set(err, ERR_STUDY,
                           "%s: service %s: its scheduler merges queries, and no engine runs "
                           "several histories at once; expected one that does not, such as fixed "
                           "or pull",
                           study->path, fleet->services[i].name);
    }
    if (study_expected_queries(study) > MOST_QUERIES)
        return err_set(err, ERR_STUDY, "%s: expected at most %d queries, got about %.3g",
                       study->path, MOST_QUERIES, study_expected_queries(study));
    return 0;
}

static void put_query(struct live_plan *plan, size_t *cap, const struct query *query)
{
    if (plan->n_queries == *cap) {
        *cap = *cap ? 2 * *cap : 1024;
        plan->queries = mem_realloc(plan->queries, *cap, sizeof *plan->queries);
    }
    struct query *to = &plan->queries[plan->n_queries];
    *to = *query;
    to->seq = plan->n_queries++;
    to->server = 0;
}

static int draw(struct live_plan *plan, struct err *err)
{
    const struct fleet_config *fleet = plan->fleet;
    struct service_traffic *traffic = mem_calloc(plan->n_services, sizeof *traffic);
    for (uint32_t i = 0; i < plan->n_services; i++)
        traffic[i] = fleet->services[i].traffic;
    const struct source_config config = {.services = traffic,
                                         .n_services = plan->n_services,
                                         .seed = fleet->seed,
                                         .n_cells = 1,
                                         .share_num = 1,
                                         .share_den = 1,
                                         .end_ns = fleet->duration_ns,
                                         .sample_frac = fleet->sample_frac,
                                         .sizes = fleet->sizes};
    struct source *source = source_create(&config, err);
    size_t cap = 0, n = 0;
    do {
        const struct query *some = source ? source_next(source, SIMTIME_NEVER, 512, &n) : NULL;
        for (size_t i = 0; i < n; i++)
            put_query(plan, &cap, &some[i]);
    } while (n > 0);
    source_destroy(source);
    mem_free(traffic);
    return source ? 0 : -1;
}

// What a request can hold, and how many there can be: every request takes all of some query that
// waits, or as much as it may.
static void find_most(struct live_plan *plan)
{
    uint32_t largest = 1;
    uint64_t n_items = 0;
    uint32_t least = UINT32_MAX;
    for (size_t i = 0; i < plan->n_queries; i++) {
        largest = plan->queries[i].size_items > largest ? plan->queries[i].size_items : largest;
        n_items += plan->queries[i].size_items;
        if (plan->queries[i].history_items > plan->most_history_items)
            plan->most_history_items = plan->queries[i].history_items;
    }
    for (uint32_t i = 0; i < plan->n_services; i++) {
        const struct batcher_rule *rule = &plan->rules[i][PLACE_CORES];
        uint32_t most = rule->merges || rule->most_items < largest ? rule->most_items : largest;
        most = !rule->splits && largest > most ? largest : most;
        plan->most_items = most > plan->most_items ? most : plan->most_items;
        least = rule->most_items < least ? rule->most_items : least;
    }
    plan->most_requests = plan->n_queries + (size_t)(n_items / least) + 1;
}

static int make_rules(struct live_plan *plan, struct err *err)
{
    const struct group_config *group = &plan->fleet->groups[0];
    const struct sched_type *sched = sched_types[group->scheduler];
    plan->rules = mem_calloc(plan->n_services, sizeof *plan->rules);
    plan->orders = mem_calloc(plan->n_services, sizeof *plan->orders);
    plan->tabs = mem_calloc(plan->n_services, sizeof *plan->tabs);
    for (uint32_t i = 0; i < plan->n_services; i++) {
        const struct dispatch_config dispatch = sched_dispatch(group, i);
        sched->takes(settings_values(&group->settings[i]), &plan->rules[i][PLACE_CORES],
                     &plan->orders[i]);
        plan->tabs[i] = svctab_create(&plan->fleet->services[i], &dispatch, group->costs[i],
                                      plan->n_workers, err);
        if (!plan->tabs[i])
            return -1;
    }
    return 0;
}

static struct live_plan *create(const struct study *study, uint32_t n_servers, struct err *err)
{
    if (check(study, n_servers, err) < 0)
        return NULL;
    struct live_plan *plan = mem_calloc(1, sizeof *plan);
    plan->fleet = &study->fleet;
    plan->n_servers = study->fleet.groups[0].n_servers;
    plan->n_services = study->fleet.n_services;
    plan->n_workers = (uint32_t)study->fleet.groups[0].platform->cores;
    plan->cores_per_worker = (uint32_t)study->fleet.groups[0].platform->cores_per_worker;
    int rc = draw(plan, err);
    if (rc == 0)
        rc = make_rules(plan, err);
    if (rc == 0)
        find_most(plan);
    if (rc == 0 && plan->n_queries > 0)
        return plan;
    if (rc == 0)
        err_set(err, ERR_STUDY, "%s: no query arrives within the duration", study->path);
    live_plan_destroy(plan);
    return NULL;
}

struct live_plan *live_plan_create(const struct study *study, struct err *err)
{
    return create(study, 0, err);
}

struct live_plan *live_plan_create_fleet(const struct study *study, uint32_t n_servers,
                                         struct err *err)
{
    return create(study, n_servers, err);
}

void live_plan_destroy(struct live_plan *plan)
{
    if (!plan)
        return;
    for (uint32_t i = 0; plan->tabs && i < plan->n_services; i++)
        svctab_destroy(plan->tabs[i]);
    mem_free(plan->tabs);
    mem_free(plan->rules);
    mem_free(plan->orders);
    mem_free(plan->queries);
    mem_free(plan);
}
