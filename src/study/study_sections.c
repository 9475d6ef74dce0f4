// SPDX-License-Identifier: Apache-2.0
#include "study/study_sections.h"

#include <stdio.h>

#include "base/simtime.h"
#include "cluster/config.h"
#include "cluster/sched.h"
#include "models/catalogue.h"
#include "models/cost_table.h"
#include "models/datasheet.h"
#include "models/platform.h"
#include "study/grid.h"
#include "study/study.h"
#include "study/study_fleet.h"
#include "study/study_traffic.h"
#include "study/study_tune.h"
#include "study/study_variants.h"

// A table row for keys that have no struct member of their own, for the listing only.
static const struct field sla_rows[] = {{"p95", FIELD_TIME, UNIT_TIME, 0, 1,
                                         (double)SIMTIME_LONGEST, "none", NULL,
                                         "latency target; p50, p99, p99.9 likewise, one of them"},
                                        FIELD_END};
static const struct field process_rows[] = {
    {"process", FIELD_STRING, UNIT_NONE, 0, 0, 0, "poisson", NULL, "arrival process"}, FIELD_END};
static const struct field distribution_rows[] = {
    {"distribution", FIELD_STRING, UNIT_NONE, 0, 0, 0, "production", NULL, "size distribution"},
    FIELD_END};
static const struct field kind_rows[] = {
    {"kind", FIELD_STRING, UNIT_NONE, 0, 0, 0, "roofline", NULL, "cost model"}, FIELD_END};
static const struct field policy_rows[] = {
    {"policy", FIELD_STRING, UNIT_NONE, 0, 0, 0, "random", NULL, "balancer policy"}, FIELD_END};

struct sections {
    struct study_section *v;
    size_t n, max;
};

static void add_section(struct sections *s, const char *path, const char *when, const char *help,
                        const struct field *fields)
{
    if (s->n < s->max) {
        struct study_section *section = &s->v[s->n];
        snprintf(section->path, sizeof section->path, "%s", path);
        snprintf(section->when, sizeof section->when, "%s", when);
        section->help = help;
        section->fields = fields;
    }
    s->n++;
}

static void add_variants(struct sections *s, const char *path, const char *key,
                         const struct study_variants *variants)
{
    char when[64];
    for (size_t i = 0; i < variants->n; i++) {
        snprintf(when, sizeof when, "%s: %s", key, variants->names[i]);
        add_section(s, path, when, variants->helps[i], variants->fields[i]);
    }
}

size_t study_sections(struct study_section *out, size_t max)
{
    struct sections s = {out, 0, max};
    const struct study_variants arrivals = study_variants_arrivals(),
                                sizes = study_variants_sizes(), costs = study_variants_costs();
    const struct study_variants policies = study_variants_policies();
    add_section(&s, "", "", "the study", study_fields);
    add_section(&s, "traffic[]", "", "one service", study_service_fields);
    add_section(&s, "traffic[].sla", "",
                "latency target; or a word: none, low, medium, high (of the model)", sla_rows);
    add_section(&s, "traffic[].arrivals", "", "when its queries arrive", process_rows);
    add_variants(&s, "traffic[].arrivals", "process", &arrivals);
    add_section(&s, "traffic[].sizes", "", "how many items its queries carry", distribution_rows);
    add_variants(&s, "traffic[].sizes", "distribution", &sizes);
    add_section(&s, "traffic[].history", "",
                "how long the history is that its queries bring; keys of traffic[].sizes",
                distribution_rows);
    add_section(&s, "fleet", "", "the servers", study_fleet_fields);
    add_section(&s, "fleet.groups[]", "", "one group of equal servers", study_group_fields);
    add_section(&s, "fleet.groups[]", "", "any key of its platform, in place of the catalogue's",
                platform_fields);
    add_section(&s, "fleet.groups[].accelerator", "",
                "its accelerator: a name, none, or keys in place of the catalogue's",
                accelerator_fields);
    for (int i = 0; sched_types[i]; i++) // the first holds where none is named
        add_section(&s, "fleet.groups[].scheduler", i == 0 ? "" : sched_types[i]->name,
                    i == 0 ? "how queries become requests; services: a list of {service, ...} for "
                             "exceptions"
                           : sched_types[i]->help,
                    sched_types[i]->fields);
    add_section(&s, "fleet.groups[].cost", "",
                "seconds per request; services: a list of {service, ...} for exceptions",
                kind_rows);
    add_variants(&s, "fleet.groups[].cost", "kind", &costs);
    add_section(&s, "fleet.groups[].noise", "", "spread of service times", study_noise_fields);
    add_section(&s, "fleet.groups[].on", "",
                "following the load: how many of its servers are on; left out: all, always",
                study_on_fields);
    add_section(&s, "balancer", "", "which server a query goes to", policy_rows);
    add_section(&s, "balancer", "",
                "what all policies share; keys of a policy that is not chosen have no effect",
                balancer_fields);
    add_variants(&s, "balancer", "policy", &policies);
    add_section(&s, "models[]", "",
                "a model of your own, or keys over a known one (name it, or say like: NAME)",
                model_fields);
    add_section(&s, "platforms[]", "",
                "a platform of your own, or keys over a known one (name it, or say like: NAME)",
                platform_fields);
    add_section(&s, "platforms[]", "",
                "of a platform that is like no known one: what its data sheet says",
                datasheet_fields);
    add_section(&s, "accelerators[]", "", "the same for an accelerator", accelerator_fields);
    add_section(&s, "tables[]", "",
                "the same for a measured table, whose times may be in a file: perf.csv",
                cost_table_fields);
    add_section(&s, "failures", "", "what goes out of service, and what becomes of its queries",
                study_failures_fields);
    add_section(&s, "failures.events[]", "", "one server or a whole cell, out for a time",
                study_event_fields);
    add_section(&s, "", "", "with sweep", grid_fields);
    add_section(&s, "sweep[]", "", "one axis of the grid: every point takes one value of each axis",
                grid_axis_fields);
    add_section(&s, "sweep[].points[]", "", "one point of an axis", grid_point_fields);
    add_section(&s, "tune", "", "what `recfleet tune` searches, and how closely",
                study_tune_fields);
    add_section(&s, "tune.sizes", "",
                "tune on these sizes, then measure on the services' own; keys of traffic[].sizes",
                distribution_rows);
    add_section(&s, "capacity", "", "what `recfleet capacity` looks for, and how closely",
                study_capacity_fields);
    add_section(&s, "output", "", "what is kept", study_output_fields);
    add_section(&s, "checkpoint", "", "how often a run is saved, so that it can resume",
                study_checkpoint_fields);
    return s.n;
}
