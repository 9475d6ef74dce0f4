// SPDX-License-Identifier: Apache-2.0
#include "cluster/retry.h"

// False: the next attempt would be so late that a query cannot say it.
static bool next_attempt(const struct fleet_config *fleet, const struct loss *loss,
                         struct query *next)
{
    const struct query *query = &loss->query;
    int64_t ready_ns =
        loss->at_ns + fleet->balancer.status_delay_ns + fleet->outages.retry_delay_ns;
    int64_t first_ns = query_first_ns(query);
    // Later than this attempt even where news takes no time, or one moment would never end.
    ready_ns = ready_ns > query->arrive_ns ? ready_ns : query->arrive_ns + 1;
    int64_t delay_us = (ready_ns - first_ns + 999) / 1000;
    *next = *query;
    next->arrive_ns = first_ns + delay_us * 1000;
    next->delay_us = (uint32_t)delay_us;
    next->seq += UINT64_C(1) << QUERY_ATTEMPT_SHIFT;
    return delay_us <= UINT32_MAX;
}

bool retry_next(const struct fleet_config *fleet, const struct loss *loss, enum record_path path,
                struct record *record, struct query *next)
{
    const struct query *query = &loss->query;
    uint32_t bin = record_bin_of(&record->shape, query_first_ns(query));
    struct tally *tally = record_tally(record, bin, query->service, path);
    if (loss->at_ns >= fleet->duration_ns) { // when the run ends it is still in flight
        tally->n_pending++;
    } else if (query_attempt(query) >= fleet->outages.retries || !next_attempt(fleet, loss, next)) {
        tally->n_lost++;
    } else if (next->arrive_ns >= fleet->duration_ns) {
        tally->n_pending++;
    } else {
        return true;
    }
    return false;
}
