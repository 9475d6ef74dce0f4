// SPDX-License-Identifier: Apache-2.0
#include "cluster/config.h"

#include "base/simtime.h"
#include "cluster/policy.h"

const char *const load_unit_names[] = {"queries", "requests", "items", "work", NULL};

const char *const outage_kind_names[] = {"crash", "drain", NULL};

bool fleet_has_outages(const struct fleet_config *config)
{
    bool scheduled = false;
    for (uint32_t g = 0; g < config->n_groups; g++)
        scheduled |= config->groups[g].on.n_steps > 0;
    return scheduled || config->outages.mtbf_s > 0 || config->outages.n_events > 0;
}

bool fleet_has_feedback(const struct fleet_config *config)
{
    return policy_types[config->balancer.policy]->needs_feedback;
}

bool fleet_wants_answers(const struct fleet_config *config)
{
    return fleet_has_feedback(config) || fleet_has_outages(config);
}

#define LONGEST_DELAY_NS (10.0 * SIMTIME_S)

// `policy` is read first: it selects the descriptor, and that has the fields of `settings`.
const struct field balancer_fields[] = {
    FIELD_CHOICES(balancer_config, "load", load, load_unit_names, "queries",
                  "what a less loaded server has less of"),
    FIELD(balancer_config, "dispatch_delay", FIELD_TIME, UNIT_TIME, dispatch_delay_ns, 0,
          LONGEST_DELAY_NS, "50us", "from balancer to server"),
    FIELD(balancer_config, "return_delay", FIELD_TIME, UNIT_TIME, return_delay_ns, 0,
          LONGEST_DELAY_NS, "0", "from server back to the client"),
    FIELD(balancer_config, "status_delay", FIELD_TIME, UNIT_TIME, status_delay_ns, 0,
          LONGEST_DELAY_NS, "50us", "from a completion to the balancer's view of it"),
    FIELD(balancer_config, "report_period", FIELD_TIME, UNIT_TIME, report_period_ns, 0,
          LONGEST_DELAY_NS, "0", "servers report at multiples of it; 0: at every completion"),
    FIELD_END,
};
