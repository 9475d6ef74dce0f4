// SPDX-License-Identifier: Apache-2.0
#include "cluster/uptime.h"

#include "base/mem.h"
#include "base/simtime.h"

// Over before anything can come.
#define DOWN_NS (-1)

struct uptime *uptime_create(const struct fleet_config *fleet, const struct layout *layout,
                             uint32_t part)
{
    struct uptime *uptime = mem_calloc(1, sizeof *uptime);
    uptime->outage = outage_create(&(struct outage_setup){.fleet = fleet,
                                                          .layout = layout,
                                                          .first_part = part,
                                                          .n_parts = 1,
                                                          .side = OUTAGE_SERVERS});
    uptime->first_in_cell = layout->parts[part].first_in_cell;
    uptime->n_servers = layout->parts[part].n_servers;
    uptime->until_ns = mem_calloc(uptime->n_servers, sizeof *uptime->until_ns);
    uptime->unpowered_ns = mem_calloc(uptime->n_servers, sizeof *uptime->unpowered_ns);
    uptime->powered = mem_calloc(uptime->n_servers, sizeof *uptime->powered);
    for (uint32_t s = 0; s < uptime->n_servers; s++) {
        uptime->until_ns[s] = outage_down_ns(uptime->outage, uptime->first_in_cell + s);
        uptime->powered[s] = true;
    }
    return uptime;
}

void uptime_destroy(struct uptime *uptime)
{
    if (!uptime)
        return;
    outage_destroy(uptime->outage);
    mem_free(uptime->until_ns);
    mem_free(uptime->unpowered_ns);
    mem_free(uptime->powered);
    mem_free(uptime);
}

void uptime_next(struct uptime *uptime, int64_t bin_begin_ns, struct outage_change *change)
{
    outage_next(uptime->outage, change);
    uint32_t s = change->server - uptime->first_in_cell;
    int64_t at_ns = change->at_ns > bin_begin_ns ? change->at_ns : bin_begin_ns;
    if (change->powered != uptime->powered[s])
        uptime->unpowered_ns[s] += change->powered ? at_ns : -at_ns;
    uptime->powered[s] = change->powered;
    uptime->until_ns[s] = change->up ? outage_down_ns(uptime->outage, change->server) : DOWN_NS;
}

int64_t uptime_powered_ns(struct uptime *uptime, uint32_t server, int64_t begin_ns, int64_t end_ns)
{
    bool powered = uptime->powered[server];
    int64_t unpowered_ns = uptime->unpowered_ns[server] + (powered ? 0 : end_ns);
    uptime->unpowered_ns[server] = powered ? 0 : -end_ns;
    return end_ns - begin_ns - unpowered_ns;
}
