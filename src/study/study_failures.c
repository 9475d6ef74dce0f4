// SPDX-License-Identifier: Apache-2.0
#include "study/study_failures.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "study/mistakes.h"
#include "study/reader.h"
#include "cluster/sched.h"
#include "study/study.h"
#include "traces/query.h"

#define LONGEST_NS ((double)SIMTIME_LONGEST)
#define LONGEST_MEAN_S 1e10
#define LONGEST_DELAY_NS (3600.0 * SIMTIME_S)
#define MOST_CELLS 1e6
#define MOST_SERVERS 1e8

const struct field study_failures_fields[] = {
    FIELD(outage_config, "mtbf", FIELD_REAL, UNIT_TIME, mtbf_s, 0, LONGEST_MEAN_S, "0",
          "mean time that a server is up between crashes; 0: no crashes"),
    FIELD(outage_config, "mttr", FIELD_REAL, UNIT_TIME, mttr_s, 0, LONGEST_MEAN_S, "0",
          "mean time that it is down then"),
    FIELD(outage_config, "detect_delay", FIELD_TIME, UNIT_TIME, detect_delay_ns, 0,
          LONGEST_DELAY_NS, "1s", "from a crash or recovery until the balancer acts on it"),
    FIELD(outage_config, "retries", FIELD_INT, UNIT_NONE, retries, 0, QUERY_MAX_RETRIES, "0",
          "further attempts of a lost query"),
    FIELD(outage_config, "retry_delay", FIELD_TIME, UNIT_TIME, retry_delay_ns, 0, LONGEST_DELAY_NS,
          "0", "from the report that a query is lost to its next attempt"),
    FIELD(outage_config, "failover", FIELD_BOOL, UNIT_NONE, failover, 0, 1, "true",
          "a cell's traffic goes to the others while the whole cell is out"),
    FIELD_END};

const struct field study_event_fields[] = {
    FIELD(study_event, "at", FIELD_TIME, UNIT_TIME, at_ns, 0, LONGEST_NS, NULL, "when it begins"),
    FIELD(study_event, "for", FIELD_TIME, UNIT_TIME, for_ns, 0, LONGEST_NS, NULL,
          "how long it lasts, above 0"),
    FIELD_CHOICES(study_event, "kind", kind, outage_kind_names, "crash",
                  "crash: what is there is lost; drain: it is finished, and nothing new comes"),
    FIELD(study_event, "cell", FIELD_INT, UNIT_NONE, cell, 0, MOST_CELLS, "none",
          "all servers of this cell, from 0"),
    FIELD(study_event, "group", FIELD_STRING, UNIT_NONE, group, 0, 0, "",
          "group of the server; may be left out when there is one"),
    FIELD(study_event, "server", FIELD_INT, UNIT_NONE, server, 0, MOST_SERVERS, "none",
          "one server: its number in the group, from 0"),
    FIELD_END};

static int read_cell(const struct study *study, const struct node *map,
                     const struct study_event *entry, struct outage_event *event, struct err *err)
{
    if (entry->cell >= study->cells)
        return node_fail_key(map, "cell", err, "expected 0 to %lld (fleet.cells: %lld), got %lld",
                             (long long)study->cells - 1, (long long)study->cells,
                             (long long)entry->cell);
    if (node_get(map, "group"))
        return node_fail_key(map, "group", err, "only with a server; a cell has all groups");
    event->whole_cell = true;
    event->cell = (uint32_t)entry->cell;
    return 0;
}

static int find_group(const struct study *study, const struct node *map,
                      const struct study_event *entry, struct err *err)
{
    if (!*entry->group) {
        if (study->n_groups == 1)
            return 0;
        return node_fail_key(map, "group", err, "missing; expected the name of the server's group");
    }
    const char **names = mem_calloc(study->n_groups, sizeof *names);
    for (size_t g = 0; g < study->n_groups; g++)
        names[g] = study->groups[g].name;
    int g = reader_choose(node_get(map, "group"), "group", names, study->n_groups, err);
    mem_free(names);
    return g;
}

static int read_server(const struct study *study, const struct node *map,
                       const struct study_event *entry, struct outage_event *event, struct err *err)
{
    int g = find_group(study, map, entry, err);
    if (g < 0)
        return -1;
    if (entry->server >= study->groups[g].servers)
        return node_fail_key(map, "server", err,
                             "expected 0 to %lld (group \"%.60s\" has %lld servers), got %lld",
                             (long long)study->groups[g].servers - 1, study->groups[g].name,
                             (long long)study->groups[g].servers, (long long)entry->server);
    event->group = (uint32_t)g;
    event->server = (uint32_t)entry->server;
    return 0;
}

static int check_event(const struct study *study, const struct node *map,
                       const struct study_event *entry, struct outage_event *event, struct err *err)
{
    if (entry->for_ns <= 0)
        return node_fail_key(map, "for", err, "expected a time above 0");
    if (entry->cell >= 0 && entry->server >= 0)
        return node_fail_key(map, "server", err, "expected a cell or a server, got both");
    if (entry->cell < 0 && entry->server < 0)
        return node_fail_key(map, "server", err, "missing; expected a server or a cell");
    *event =
        (struct outage_event){.at_ns = entry->at_ns, .for_ns = entry->for_ns, .kind = entry->kind};
    if (entry->cell >= 0)
        return read_cell(study, map, entry, event, err);
    return read_server(study, map, entry, event, err);
}

static int read_event(const struct study *study, const struct node *map, struct outage_event *event,
                      struct err *err)
{
    struct study_event entry = {.kind = OUTAGE_CRASH, .cell = -1, .server = -1};
    const struct reader_part part = {study_event_fields, &entry};
    const struct reader_options plain = {NULL, false};
    char found[64];
    if (map->kind != NODE_MAP)
        return node_fail(map, err, "expected a map such as {at: 10s, for: 5s, cell: 0}, got %s",
                         node_found(map, found, sizeof found));
    entry.group = mem_strdup("");
    int rc = reader_fill(map, NULL, &part, 1, &plain, err);
    if (rc == 0 && !mistakes_in_key(node_root(map), "fleet") && study->n_groups > 0)
        rc = check_event(study, map, &entry, event, err);
    schema_release(study_event_fields, &entry);
    return rc;
}

// A cell whose traffic can go elsewhere is told from the others by a few bits of its queries.
static int check_failover(const struct study *study, const struct node *list, struct err *err)
{
    const struct outage_config *outages = &study->outages;
    for (size_t i = 0; i < outages->n_events && outages->failover; i++)
        if (outages->events[i].whole_cell && outages->events[i].cell >= QUERY_MAX_ORIGINS)
            return node_fail_key(list->items[i], "cell", err,
                                 "failover is for the first %d cells only; expected less, or "
                                 "failover: false",
                                 QUERY_MAX_ORIGINS);
    return 0;
}

static int read_events(struct study *study, const struct node *map, struct err *err)
{
    const struct node *list;
    if (reader_list(map, "events", &list, err) < 0)
        return -1;
    if (!list || list->n == 0)
        return 0;
    struct outage_event *events = mem_calloc(list->n, sizeof *events);
    study->outages.events = events;
    study->outages.n_events = list->n;
    for (size_t i = 0; i < list->n; i++)
        if (mistakes_keep(list->items[i], read_event(study, list->items[i], &events[i], err), err) <
            0)
            return -1;
    return mistakes_in(list) ? -1 : check_failover(study, list, err);
}

static bool any_outage(const struct study *study)
{
    bool scheduled = false;
    for (size_t g = 0; g < study->n_groups; g++)
        scheduled |= study->groups[g].on.n_steps > 0;
    return scheduled || study->outages.mtbf_s > 0 || study->outages.n_events > 0;
}

static bool any_waits(const struct study *study)
{
    for (size_t g = 0; g < study->n_groups; g++)
        if (sched_types[study->groups[g].scheduler]->advance)
            return true;
    return false;
}

static int check_values(const struct study *study, const struct node *map, struct err *err)
{
    const struct outage_config *outages = &study->outages;
    const struct balancer_config *balancer = &study->balancer;
    if (outages->mtbf_s > 0 && !(outages->mttr_s > 0))
        return node_fail_key(map, "mttr", err,
                             "missing; expected a time above 0, because there is an mtbf");
    if (outages->mttr_s > 0 && !(outages->mtbf_s > 0))
        return node_fail_key(map, "mttr", err, "only with an mtbf above 0");
    if (outages->retries > 0 && any_outage(study) &&
        balancer->dispatch_delay_ns + balancer->status_delay_ns <= 0)
        return node_fail_key(map, "retries", err,
                             "a balancer that tries again must learn of the loss, so "
                             "balancer.dispatch_delay + status_delay must be above 0");
    if (outages->retries > 0 && any_outage(study) && any_waits(study))
        return node_fail_key(map, "retries", err,
                             "only with the schedulers static and fixed: what waits in a queue is "
                             "not tried again");
    return 0;
}

int study_failures_read(struct study *study, const struct node *root, struct err *err)
{
    static const char *const others[] = {"events", NULL};
    const struct reader_part part = {study_failures_fields, &study->outages};
    const struct reader_options options = {others, false};
    const struct node *map;
    schema_defaults(study_failures_fields, &study->outages);
    if (reader_map(root, "failures", &map, err) < 0)
        return -1;
    if (!map)
        return 0;
    if (mistakes_keep(map, reader_fill(map, root, &part, 1, &options, err), err) < 0 ||
        mistakes_keep(map, read_events(study, map, err), err) < 0)
        return -1;
    if (mistakes_in(map) || mistakes_in_key(root, "balancer"))
        return -1;
    return check_values(study, map, err);
}

void study_failures_release(struct study *study)
{
    mem_free((struct outage_event *)study->outages.events);
    study->outages.events = NULL;
    study->outages.n_events = 0;
}

struct study_event study_failures_event(const struct study *study, const struct outage_event *event)
{
    struct study_event entry = {.at_ns = event->at_ns,
                                .for_ns = event->for_ns,
                                .kind = event->kind,
                                .cell = -1,
                                .server = -1,
                                .group = NULL};
    if (event->whole_cell) {
        entry.cell = event->cell;
    } else {
        entry.server = event->server;
        entry.group = study->groups[event->group].name;
    }
    return entry;
}
