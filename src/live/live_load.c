// SPDX-License-Identifier: Apache-2.0
#include "live/live_load.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/live_clock.h"
#include "live/topology.h"

#define SPIN_NS (100 * SIMTIME_US) // sleeps end by then later than they should
#define LOOK_NS (10 * SIMTIME_MS)  // how often it is asked whether to stop

// Waits until then; false: it is to stop.
static bool wait_until(struct live_load *load, int64_t at_ns, int64_t *looked_ns)
{
    int64_t spin_ns = load->cpu >= 0 ? SPIN_NS : 0;
    for (int64_t now_ns = live_clock_ns();; now_ns = live_clock_ns()) {
        if (load->stops && now_ns - *looked_ns >= LOOK_NS) {
            *looked_ns = now_ns;
            if (load->stops(load->user))
                return false;
        }
        if (at_ns - now_ns <= LOOK_NS)
            break;
        live_clock_wait(now_ns + LOOK_NS, 0);
    }
    if (spin_ns > 0) {
        live_clock_wait(at_ns, spin_ns);
        return true;
    }
    while (live_clock_ns() < at_ns) // a sleep may end a little early where clocks are coarse
        live_clock_wait(at_ns, 0);
    return true;
}

void live_load_send(struct live_load *load)
{
    const struct live_plan *plan = load->plan;
    int64_t first_ns = live_server_start_ns(load->server) + plan->fleet->balancer.dispatch_delay_ns;
    int64_t looked_ns = live_clock_ns();
    if (load->cpu >= 0)
        topology_pin(load->cpu, NULL);
    live_clock_sharpen();
    for (size_t i = 0; i < plan->n_queries && !load->stopped; i++) {
        load->stopped = !wait_until(load, first_ns + plan->queries[i].arrive_ns, &looked_ns);
        if (!load->stopped)
            live_server_send(load->server, load->n_sent++);
    }
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int64_t live_load_lateness_ns(const struct live_log *log, double q)
{
    size_t n = 0, most = log->plan->n_queries;
    int64_t *late_ns = mem_calloc(most, sizeof *late_ns), at_ns = 0;
    for (size_t i = 0; i < most; i++)
        if (log->queries[i].fate != LIVE_UNSENT)
            late_ns[n++] = log->queries[i].arrive_ns - log->plan->queries[i].arrive_ns;
    qsort(late_ns, n, sizeof *late_ns, by_value);
    if (n > 0) {
        size_t rank = (size_t)(q * (double)n);
        at_ns = late_ns[rank < n ? rank : n - 1];
    }
    mem_free(late_ns);
    return at_ns;
}
