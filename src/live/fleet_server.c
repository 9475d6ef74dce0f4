// SPDX-License-Identifier: Apache-2.0
#include "live/fleet_server.h"

#include "base/simtime.h"
#include "live/live_clock.h"

#define LOOK_NS (20 * SIMTIME_MS)
#define LEAST_SLEEP_NS (50 * SIMTIME_US) // shorter ones cost a core more than they are worth
#define MOST_SLEEP_NS SIMTIME_MS

struct serving {
    const struct fleet_server *about;
    struct live_server *queues;
    const struct balancer_config *network;
    bool tells; // the policy looks at its servers
    size_t n_told;
    int64_t report_ns; // of the next report
    int64_t looked_ns, end_ns;
    bool told_down, told_stop, ended;
};

static int send(const struct serving *serving, int64_t at_ns, uint32_t query, uint32_t what,
                struct err *err)
{
    const struct fleet_note note = {at_ns, query, what};
    return fleet_mail_send(serving->about->mail, 0, &note, err);
}

static int take_all(struct serving *serving, struct err *err)
{
    struct fleet_note note;
    int from, rc;
    while ((rc = fleet_mail_receive(serving->about->mail, &from, &note, err)) > 0) {
        if (note.what == FLEET_QUERY)
            live_server_post(serving->queues, note.query, note.at_ns);
        serving->ended = serving->ended || note.what == FLEET_END;
        serving->end_ns = note.at_ns;
    }
    return rc;
}

// What is settled by now, as far as there is room; the rest the next time.
static int tell_settled(struct serving *serving, int64_t now_ns, struct err *err)
{
    const struct live_settled *list;
    int64_t period_ns = serving->network->report_period_ns;
    if (!serving->tells || now_ns < serving->report_ns)
        return 0;
    size_t n = live_server_settled(serving->queues, &list);
    while (serving->n_told < n && fleet_mail_has_room(serving->about->mail)) {
        const struct live_settled *one = &list[serving->n_told++];
        if (send(serving, one->at_ns, one->query, FLEET_SETTLED, err) < 0)
            return -1;
    }
    if (serving->n_told == n && period_ns > 0)
        serving->report_ns = (now_ns / period_ns + 1) * period_ns;
    return 0;
}

static int tell_troubles(struct serving *serving, int64_t now_ns, struct err *err)
{
    const struct fleet_server *about = serving->about;
    if (now_ns - serving->looked_ns < LOOK_NS || !fleet_mail_has_room(about->mail))
        return 0;
    serving->looked_ns = now_ns;
    if (!serving->told_down && live_server_n_alive(serving->queues) == 0) {
        serving->told_down = true;
        return send(serving, now_ns, 0, FLEET_DOWN, err);
    }
    if (!serving->told_stop && about->stops && about->stops(about->user)) {
        serving->told_stop = true;
        return send(serving, now_ns, 0, FLEET_STOP, err);
    }
    return 0;
}

// How long it may sleep without making anything later than the study's delays do.
static int64_t sleep_ns(const struct serving *serving)
{
    int64_t ns = serving->network->dispatch_delay_ns, news_ns = serving->network->status_delay_ns;
    ns = serving->tells && news_ns < ns ? news_ns : ns;
    ns /= 2;
    return ns < LEAST_SLEEP_NS ? LEAST_SLEEP_NS : ns > MOST_SLEEP_NS ? MOST_SLEEP_NS : ns;
}

static int attend(struct serving *serving, struct err *err)
{
    int64_t pause_ns = sleep_ns(serving);
    while (!serving->ended) {
        int64_t now_ns = live_server_now_ns(serving->queues);
        if (take_all(serving, err) < 0 || tell_settled(serving, now_ns, err) < 0 ||
            tell_troubles(serving, now_ns, err) < 0)
            return -1;
        if (serving->about->has_core)
            live_clock_pause();
        else
            live_clock_wait(live_clock_ns() + pause_ns, 0);
    }
    return 0;
}

int fleet_server_run(const struct fleet_server *server, struct err *err)
{
    const struct fleet_config *fleet = server->host->plan->fleet;
    struct serving serving = {.about = server,
                              .queues = server->host->server,
                              .network = &fleet->balancer,
                              .tells = fleet_has_feedback(fleet),
                              .looked_ns = -LOOK_NS};
    live_clock_sharpen();
    int rc = attend(&serving, err);
    live_host_end(server->host, serving.end_ns, server->grace_ns);
    while (rc == 0 && !fleet_mail_has_room(server->mail))
        ;
    return rc == 0 ? send(&serving, serving.end_ns, 0, FLEET_DONE, err) : -1;
}
