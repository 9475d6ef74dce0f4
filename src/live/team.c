// SPDX-License-Identifier: Apache-2.0
#include "live/team.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/simtime.h"
#include "live/topology.h"

#define PATIENCE_NS (50 * SIMTIME_US) // a sleeping thread takes some of that to wake
#define LOOKS 128                     // between two looks at the clock: a few microseconds
#define LINE_BYTES 64                 // of a cache

enum order_kind { ORDER_OPEN, ORDER_RUN, ORDER_END };

struct order {
    enum order_kind kind;
    uint32_t engine;
    struct engine_request slice;
};

// An order and its answer are written by one side while the other waits for a counter to change, so
// they need no lock. Each is in one cache line with its counter.
struct member {
    struct team *team;
    int cpu;
    pthread_t thread;
    bool started;

    alignas(LINE_BYTES) _Atomic uint32_t n_asked; // by the leader
    atomic_bool asleep;
    struct order order;
    pthread_mutex_t lock; // to sleep
    pthread_cond_t wake;

    alignas(LINE_BYTES) _Atomic uint32_t n_done; // by the member
    uint32_t n_outputs;
    const float *outputs; // NULL: it failed

    // The member's, for the leader once it has told: later than it was done, as nobody waits for
    // it.
    alignas(LINE_BYTES) _Atomic uint32_t n_told;
    bool pinned;
    struct err err, pin_err;
    struct engine_worker **workers; // [n_engines], opened on its thread
    struct interference interference;
    double lost_s; // in the last slice
};

struct team {
    uint32_t n_members;
    struct engine_limits most;
    _Atomic int idle; // enum live_clock_idle
    uint32_t n_engines;
    const struct engine **engines; // [n_engines]
    uint32_t n_used;               // members in the last request
    struct member *members;        // [n_members], the leader's first
    float *outputs;                // [n_room] of a request of several members
    size_t n_room;
};

// ---- waiting ------------------------------------------------------------------------------------

static void sleep_until_asked(struct member *member, uint32_t n_seen)
{
    pthread_mutex_lock(&member->lock);
    // Either the leader sees that it sleeps, or it sees that it was asked: both are sequentially
    // consistent.
    atomic_store(&member->asleep, true);
    while (atomic_load(&member->n_asked) == n_seen)
        pthread_cond_wait(&member->wake, &member->lock);
    atomic_store(&member->asleep, false);
    pthread_mutex_unlock(&member->lock);
}

static bool look(const _Atomic uint32_t *counter, uint32_t n_seen)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(counter, memory_order_acquire) != n_seen)
            return true;
        live_clock_pause();
    }
    return false;
}

// *mark: the last moment of which is known that there was nothing to do yet.
static void wait_for_order(struct member *member, uint32_t n_seen, struct interference_mark *mark)
{
    const _Atomic int *idle = &member->team->idle;
    int64_t patient_ns = 0;
    interference_mark(mark);
    while (!look(&member->n_asked, n_seen)) {
        int64_t now_ns = live_clock_ns();
        patient_ns = patient_ns > 0 ? patient_ns : now_ns + PATIENCE_NS;
        if (now_ns > patient_ns &&
            atomic_load_explicit(idle, memory_order_relaxed) == (int)LIVE_CLOCK_SLEEP) {
            sleep_until_asked(member, n_seen);
            interference_mark(mark);
            return;
        }
        if (now_ns > patient_ns)
            sched_yield();
        struct interference_mark now;
        interference_mark(&now);
        if (atomic_load_explicit(&member->n_asked, memory_order_acquire) == n_seen)
            *mark = now;
    }
}

// Until the member's counter is what the leader's is.
static void wait_for_member(const struct member *member, const _Atomic uint32_t *counter)
{
    uint32_t n_asked = atomic_load_explicit(&member->n_asked, memory_order_relaxed);
    for (int tries = 0; !look(counter, n_asked - 1); tries++)
        if (tries > 16)
            sched_yield();
}

// The order is in the member already.
static void ask(struct member *member)
{
    atomic_fetch_add(&member->n_asked, 1);
    if (!atomic_load(&member->asleep))
        return;
    pthread_mutex_lock(&member->lock);
    pthread_cond_signal(&member->wake);
    pthread_mutex_unlock(&member->lock);
}

// ---- what a member does -------------------------------------------------------------------------

static void open_worker(struct member *member, uint32_t engine)
{
    struct team *team = member->team;
    member->workers = mem_realloc(member->workers, engine + 1, sizeof(struct engine_worker *));
    member->workers[engine] = engine_worker_open(team->engines[engine], &team->most, &member->err);
}

static void carry_out(struct member *member, const struct order *order)
{
    if (order->kind == ORDER_OPEN)
        open_worker(member, order->engine);
    else if (order->kind == ORDER_RUN)
        member->outputs =
            engine_worker_run(member->workers[order->engine], &order->slice, &member->n_outputs);
}

static void close_workers(struct member *member)
{
    for (uint32_t i = 0; member->workers && i < member->team->n_engines; i++)
        engine_worker_close(member->workers[i]);
    mem_free(member->workers);
}

static void pin(struct member *member)
{
    member->pinned = member->cpu >= 0 && topology_pin(member->cpu, &member->pin_err) == 0;
}

static void *member_main(void *user)
{
    struct member *member = user;
    struct order order = {.kind = ORDER_OPEN};
    pin(member);
    live_clock_sharpen();
    for (uint32_t n_seen = 0; order.kind != ORDER_END; n_seen++) {
        struct interference_mark mark;
        wait_for_order(member, n_seen, &mark);
        order = member->order;
        carry_out(member, &order);
        atomic_store_explicit(&member->n_done, n_seen + 1, memory_order_release);
        if (order.kind == ORDER_RUN) {
            struct interference had = {0};
            interference_add(&had, &mark);
            member->lost_s = fmax(had.wall_s - had.cpu_s, 0);
            interference_merge(&member->interference, &had);
        }
        atomic_store_explicit(&member->n_told, n_seen + 1, memory_order_release);
    }
    close_workers(member);
    return NULL;
}

// ---- the team -----------------------------------------------------------------------------------

static int start(struct team *team, uint32_t number, struct err *err)
{
    struct member *member = &team->members[number];
    if (number == 0) {
        pin(member);
        return 0;
    }
    int why = pthread_create(&member->thread, NULL, member_main, member);
    member->started = why == 0;
    return why == 0 ? 0 : err_set(err, ERR_FAIL, "a thread cannot be had: %s", strerror(why));
}

struct team *team_open(const struct team_config *config, struct err *err)
{
    struct team *team = mem_calloc(1, sizeof *team);
    team->n_members = config->n_members;
    team->most = config->most;
    team->members = mem_aligned(LINE_BYTES, config->n_members * sizeof *team->members);
    atomic_init(&team->idle, (int)config->idle);
    for (uint32_t i = 0; i < config->n_members; i++) {
        team->members[i].team = team;
        team->members[i].cpu = config->cpus[i];
        pthread_mutex_init(&team->members[i].lock, NULL);
        pthread_cond_init(&team->members[i].wake, NULL);
    }
    for (uint32_t i = 0; i < config->n_members; i++)
        if (start(team, i, err) < 0) {
            team_close(team);
            return NULL;
        }
    return team;
}

void team_close(struct team *team)
{
    if (!team)
        return;
    for (uint32_t i = 0; i < team->n_members; i++) {
        struct member *member = &team->members[i];
        if (member->started) {
            member->order = (struct order){.kind = ORDER_END};
            ask(member);
            pthread_join(member->thread, NULL);
        }
        pthread_cond_destroy(&member->wake);
        pthread_mutex_destroy(&member->lock);
    }
    close_workers(&team->members[0]);
    mem_free(team->engines);
    mem_free(team->members);
    mem_free(team->outputs);
    mem_free(team);
}

// The first n members carry it out, the leader with them; each with its own slice where there is
// one.
static void carry_out_together(struct team *team, struct order order, uint32_t n)
{
    struct engine_request request = order.slice;
    uint32_t each = request.items / n, n_larger = request.items % n;
    order.slice.whole_items = engine_request_whole(&request);
    for (uint32_t i = n; i-- > 0;) { // the leader's own is the last to be begun
        order.slice.first = request.first + i * each + (i < n_larger ? i : n_larger);
        order.slice.items = each + (i < n_larger);
        team->members[i].order = order;
        if (i > 0)
            ask(&team->members[i]);
    }
    carry_out(&team->members[0], &order);
    for (uint32_t i = 1; i < n; i++)
        wait_for_member(&team->members[i], &team->members[i].n_done);
}

int team_add(struct team *team, const struct engine *engine, struct err *err)
{
    const struct order order = {.kind = ORDER_OPEN, .engine = team->n_engines};
    team->engines = mem_realloc(team->engines, team->n_engines + 1, sizeof *team->engines);
    team->engines[team->n_engines++] = engine;
    carry_out_together(team, order, team->n_members);
    for (uint32_t i = 0; i < team->n_members; i++)
        if (!team->members[i].workers[order.engine]) {
            if (err)
                *err = team->members[i].err;
            return -1;
        }
    return 0;
}

// The results of all slices side by side; NULL: one failed.
static const float *join(struct team *team, uint32_t n, uint32_t n_items, uint32_t n_outputs)
{
    size_t n_joined = 0, n_all = (size_t)n_items * n_outputs;
    for (uint32_t i = 0; i < n; i++)
        if (!team->members[i].outputs)
            return NULL;
    if (team->n_room < n_all || !team->outputs) {
        team->n_room = (size_t)team->most.items * (n_outputs > 0 ? n_outputs : 1);
        team->outputs = mem_realloc(team->outputs, team->n_room, sizeof *team->outputs);
    }
    for (uint32_t i = 0; i < n; i++) {
        const struct member *member = &team->members[i];
        assert(member->n_outputs == n_outputs);
        size_t n_some = (size_t)member->order.slice.items * n_outputs;
        memcpy(team->outputs + n_joined, member->outputs, n_some * sizeof *team->outputs);
        n_joined += n_some;
    }
    return team->outputs;
}

const float *team_run(struct team *team, uint32_t engine, const struct engine_request *request,
                      uint32_t *n_outputs)
{
    struct member *leader = &team->members[0];
    uint32_t n = request->items < team->n_members ? request->items : team->n_members;
    team->n_used = n;
    if (n == 1)
        return engine_worker_run(leader->workers[engine], request, n_outputs);
    carry_out_together(team, (struct order){ORDER_RUN, engine, *request}, n);
    *n_outputs = leader->n_outputs;
    return join(team, n, request->items, leader->n_outputs);
}

void team_idle(struct team *team, enum live_clock_idle idle)
{
    atomic_store_explicit(&team->idle, (int)idle, memory_order_relaxed);
}

// ---- what was in the way ------------------------------------------------------------------------

// Whether they are pinned members say with their first answer, which opens a worker.
bool team_pinned(const struct team *team, const char **why)
{
    for (uint32_t i = 0; i < team->n_members; i++)
        if (!team->members[i].pinned) {
            *why = team->members[i].pin_err.text;
            return false;
        }
    return true;
}

double team_lost_s(const struct team *team)
{
    double most_s = 0;
    for (uint32_t i = 1; i < team->n_used; i++) {
        wait_for_member(&team->members[i], &team->members[i].n_told);
        most_s = fmax(most_s, team->members[i].lost_s);
    }
    return most_s;
}

void team_take_interference(struct team *team, struct interference *to)
{
    for (uint32_t i = 1; i < team->n_members; i++) {
        struct member *member = &team->members[i];
        wait_for_member(member, &member->n_told);
        if (to)
            interference_merge(to, &member->interference);
        member->interference = (struct interference){0};
    }
}

double team_steal_s(const struct team *team)
{
    double sum_s = 0;
    for (uint32_t i = 0; i < team->n_members; i++)
        if (team->members[i].cpu >= 0)
            sum_s += interference_steal_s(team->members[i].cpu);
    return sum_s;
}
