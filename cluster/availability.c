// SPDX-License-Identifier: Apache-2.0
#include "cluster/availability.h"

#include "base/mem.h"
#include "base/simtime.h"

// Over before anything can come.
#define DOWN_NS (-1)

struct availability *availability_create(const struct fleet_config *fleet,
                                         const struct layout *layout, uint32_t part)
{
    struct availability *availability = mem_calloc(1, sizeof *availability);
    availability->outage = outage_create(&(struct outage_setup){.fleet = fleet,
                                                                .layout = layout,
                                                                .first_part = part,
                                                                .n_parts = 1,
                                                                .side = OUTAGE_SERVERS});
    availability->first_in_cell = layout->parts[part].first_in_cell;
    availability->n_servers = layout->parts[part].n_servers;
    availability->until_ns = mem_calloc(availability->n_servers, sizeof *availability->until_ns);
    availability->unpowered_ns =
        mem_calloc(availability->n_servers, sizeof *availability->unpowered_ns);
    availability->powered = mem_calloc(availability->n_servers, sizeof *availability->powered);
    for (uint32_t s = 0; s < availability->n_servers; s++) {
        availability->until_ns[s] =
            outage_down_ns(availability->outage, availability->first_in_cell + s);
        availability->powered[s] = true;
    }
    return availability;
}

void availability_destroy(struct availability *availability)
{
    if (!availability)
        return;
    outage_destroy(availability->outage);
    mem_free(availability->until_ns);
    mem_free(availability->unpowered_ns);
    mem_free(availability->powered);
    mem_free(availability);
}

bool availability_next(struct availability *availability, int64_t bin_begin_ns,
                       struct outage_change *change)
{
    if (!outage_next(availability->outage, change))
        return false;
    uint32_t s = change->server - availability->first_in_cell;
    int64_t at_ns = change->at_ns > bin_begin_ns ? change->at_ns : bin_begin_ns;
    if (change->powered != availability->powered[s])
        availability->unpowered_ns[s] += change->powered ? at_ns : -at_ns;
    availability->powered[s] = change->powered;
    availability->until_ns[s] =
        change->up ? outage_down_ns(availability->outage, change->server) : DOWN_NS;
    return true;
}

int64_t availability_powered_ns(struct availability *availability, uint32_t server,
                                int64_t begin_ns, int64_t end_ns)
{
    bool powered = availability->powered[server];
    int64_t unpowered_ns = availability->unpowered_ns[server] + (powered ? 0 : end_ns);
    availability->unpowered_ns[server] = powered ? 0 : -end_ns;
    return end_ns - begin_ns - unpowered_ns;
}
