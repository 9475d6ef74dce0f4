// SPDX-License-Identifier: Apache-2.0
#include "live/profile_crew.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/simtime.h"
#include "base/wallclock.h"
#include "live/live_clock.h"
#include "live/team.h"

#define MOST_SAMPLES 65536 // of a visit and a thread
#define TAKEN_FRAC 0.02
#define TAKEN_LEAST_S 2e-6 // two clocks are not read at the same moment

struct member {
    struct profile_crew *crew;
    uint32_t number;
    const int *cpus;
    pthread_t thread;
    bool started, failed;
    struct err err;
    struct team *team;
    struct rng_stream stream;
    uint64_t n_queries, n_requests; // drawn and run so far
    uint64_t n_failed;              // of the requests
    uint32_t left_items;            // of the query that is being cut
    uint32_t history_items;         // that it has
    size_t n, n_left_out;
    struct profile_sample *samples; // [MOST_SAMPLES]
    struct interference interference;
    double idle_s;
    struct profile_time time;
    uint64_t n_idles;
};

struct profile_crew {
    struct profile_crew_config config;
    pthread_mutex_t mutex;
    pthread_cond_t begin, end;
    uint64_t n_visits; // begun
    uint32_t n_working;
    bool ending;
    struct profile_visit visit;
    atomic_uint n_measuring; // threads that have not measured all of it
    struct member *members;
};

// ---- one request --------------------------------------------------------------------------------

// The next request of the stream.
static struct engine_request next(struct member *member, const struct profile_visit *visit)
{
    const struct profile_crew_config *config = &member->crew->config;
    if (visit->kind != PROFILE_MIX)
        return (struct engine_request){.number = member->n_requests++,
                                       .items = visit->items,
                                       .history_items = visit->history_items};
    if (member->left_items == 0) {
        uint64_t words[2];
        rng_block(&member->stream, member->n_queries++, words);
        member->left_items = qsize_draw(config->sizes, words[0]);
        member->history_items = config->histories ? qsize_draw(config->histories, words[1]) : 0;
    }
    uint32_t items = member->left_items < visit->items ? member->left_items : visit->items;
    member->left_items -= items;
    return (struct engine_request){
        .number = member->n_requests++, .items = items, .history_items = member->history_items};
}

static double run_one(struct member *member, const struct engine_request *request)
{
    uint32_t n_outputs;
    double begin_s = wallclock_s();
    if (!team_run(member->team, 0, request, &n_outputs))
        member->n_failed++;
    return wallclock_s() - begin_s;
}

static void run_next(struct member *member, const struct profile_visit *visit)
{
    const struct engine_request request = next(member, visit);
    run_one(member, &request);
}

// Runs one and keeps it. *lost_s is what was lost since `mark` before it, and then after it.
static void measure_one(struct member *member, const struct profile_visit *visit, uint8_t place,
                        const struct interference_mark *mark, double *lost_s)
{
    const struct engine_request request = next(member, visit);
    double time_s = run_one(member, &request), now_s = interference_lost_s(mark);
    double most_s = fmax(now_s - *lost_s, team_lost_s(member->team));
    double taken_s = fmin(fmax(most_s, 0), time_s);
    bool taken = taken_s > TAKEN_LEAST_S && taken_s > TAKEN_FRAC * time_s;
    member->time.untimed_s += taken ? most_s : 0;
    *lost_s = now_s;
    if (member->n == MOST_SAMPLES)
        return;
    member->samples[member->n++] = (struct profile_sample){
        .time_s = (float)(taken ? time_s - taken_s : time_s),
        .items = request.items,
        .history_items = (uint16_t)request.history_items,
        .place = place,
        .taken = taken,
    };
}

// ---- a visit ------------------------------------------------------------------------------------

static void warm_up(struct member *member, const struct profile_visit *visit)
{
    double begin_s = wallclock_s();
    do
        run_next(member, visit);
    while (wallclock_s() - begin_s < visit->warm_s);
}

static void measure_busy(struct member *member, const struct profile_visit *visit)
{
    struct interference_mark mark;
    double lost_s = 0;
    interference_mark(&mark);
    do
        measure_one(member, visit, 0, &mark, &lost_s);
    while (wallclock_s() - mark.wall_s - lost_s < visit->measure_s && member->n < MOST_SAMPLES);
    member->time.measured_s = wallclock_s() - mark.wall_s;
    interference_add(&member->interference, &mark);
}

static double rest(const struct profile_visit *visit)
{
    int64_t begin_ns = live_clock_ns(), idle_ns = simtime_from_s(visit->idle_s);
    live_clock_wait(begin_ns + idle_ns, visit->sleeps ? 0 : idle_ns);
    return simtime_to_s(live_clock_ns() - begin_ns);
}

static void measure_cold(struct member *member, const struct profile_visit *visit)
{
    double begin_s = wallclock_s();
    do {
        struct interference_mark mark;
        double lost_s = 0;
        member->idle_s += rest(visit);
        member->n_idles++;
        interference_mark(&mark);
        for (uint32_t i = 0; i < visit->n_after; i++)
            measure_one(member, visit, (uint8_t)i, &mark, &lost_s);
        interference_add(&member->interference, &mark);
    } while (wallclock_s() - begin_s < visit->measure_s &&
             member->n + visit->n_after <= MOST_SAMPLES);
}

static void leave_out(struct member *member)
{
    size_t n_taken = 0, n_kept = 0;
    for (size_t i = 0; i < member->n; i++)
        n_taken += member->samples[i].taken;
    member->n_left_out = 0;
    if (2 * n_taken >= member->n)
        return;
    for (size_t i = 0; i < member->n; i++)
        if (!member->samples[i].taken)
            member->samples[n_kept++] = member->samples[i];
    member->n = n_kept;
    member->n_left_out = n_taken;
}

static void carry_out(struct member *member)
{
    struct profile_crew *crew = member->crew;
    const struct profile_visit *visit = &crew->visit;
    double steal_s = team_steal_s(member->team);
    member->n = 0;
    member->idle_s = 0;
    member->time = (struct profile_time){0};
    member->n_idles = 0;
    member->left_items = 0;
    memset(&member->interference, 0, sizeof member->interference);
    team_idle(member->team, visit->sleeps ? LIVE_CLOCK_SLEEP : LIVE_CLOCK_SPIN);
    warm_up(member, visit);
    team_take_interference(member->team, NULL);
    if (visit->kind == PROFILE_COLD)
        measure_cold(member, visit);
    else
        measure_busy(member, visit);
    team_take_interference(member->team, &member->interference);
    atomic_fetch_sub(&crew->n_measuring, 1);
    while (visit->kind != PROFILE_COLD && atomic_load(&crew->n_measuring) > 0)
        run_next(member, visit);
    if (visit->kind != PROFILE_COLD) // of a rest, nobody wanted the core
        member->interference.steal_s = team_steal_s(member->team) - steal_s;
    team_idle(member->team, LIVE_CLOCK_SLEEP); // until the next visit
    leave_out(member);
}

// ---- threads ------------------------------------------------------------------------------------

static void set_up(struct member *member)
{
    const struct profile_crew_config *config = &member->crew->config;
    member->samples = mem_calloc(MOST_SAMPLES, sizeof *member->samples);
    member->stream = rng_stream(config->seed, RNG_PROFILE, member->number);
    member->n_requests = (uint64_t)member->number << 48; // no two threads run the same
    const struct team_config team = {.cpus = member->cpus,
                                     .n_members = config->cores_per_worker,
                                     .most = config->most,
                                     .idle = LIVE_CLOCK_SLEEP};
    member->team = team_open(&team, &member->err);
    member->failed = !member->team || team_add(member->team, config->engine, &member->err) < 0;
}

static void leave(struct profile_crew *crew)
{
    if (--crew->n_working == 0)
        pthread_cond_signal(&crew->end);
}

static bool is_at_work(const struct profile_crew *crew, uint32_t number)
{
    uint32_t n = crew->config.n_threads;
    return (number + n - crew->visit.first) % n < crew->visit.n_busy;
}

static void *member_main(void *user)
{
    struct member *member = user;
    struct profile_crew *crew = member->crew;
    uint64_t n_seen = 0;
    set_up(member);
    pthread_mutex_lock(&crew->mutex);
    leave(crew);
    for (;;) {
        while (!crew->ending && crew->n_visits == n_seen)
            pthread_cond_wait(&crew->begin, &crew->mutex);
        if (crew->ending)
            break;
        n_seen = crew->n_visits;
        if (!is_at_work(crew, member->number))
            continue;
        pthread_mutex_unlock(&crew->mutex);
        carry_out(member);
        pthread_mutex_lock(&crew->mutex);
        leave(crew);
    }
    pthread_mutex_unlock(&crew->mutex);
    team_close(member->team);
    return NULL;
}

// Until the threads at work have all left.
static void await(struct profile_crew *crew)
{
    pthread_mutex_lock(&crew->mutex);
    while (crew->n_working > 0)
        pthread_cond_wait(&crew->end, &crew->mutex);
    pthread_mutex_unlock(&crew->mutex);
}

static int start(struct profile_crew *crew, struct err *err)
{
    uint32_t n = crew->config.n_threads;
    for (uint32_t i = 0; i < n; i++) {
        struct member *member = &crew->members[i];
        member->crew = crew;
        member->number = i;
        member->cpus = crew->config.cpus + (size_t)i * crew->config.cores_per_worker;
        pthread_mutex_lock(&crew->mutex);
        crew->n_working++;
        pthread_mutex_unlock(&crew->mutex);
        int reason = pthread_create(&member->thread, NULL, member_main, member);
        member->started = reason == 0;
        if (reason == 0)
            continue;
        pthread_mutex_lock(&crew->mutex);
        crew->n_working--;
        pthread_mutex_unlock(&crew->mutex);
        return err_set(err, ERR_FAIL, "a thread cannot be had: %s", strerror(reason));
    }
    await(crew);
    for (uint32_t i = 0; i < n; i++)
        if (crew->members[i].failed) {
            if (err)
                *err = crew->members[i].err;
            return -1;
        }
    return 0;
}

struct profile_crew *profile_crew_create(const struct profile_crew_config *config, struct err *err)
{
    struct profile_crew *crew = mem_calloc(1, sizeof *crew);
    crew->config = *config;
    pthread_mutex_init(&crew->mutex, NULL);
    pthread_cond_init(&crew->begin, NULL);
    pthread_cond_init(&crew->end, NULL);
    crew->members = mem_calloc(config->n_threads, sizeof *crew->members);
    int rc = start(crew, err);
    crew->config.cpus = NULL; // the caller's until now
    if (rc == 0)
        return crew;
    profile_crew_destroy(crew);
    return NULL;
}

void profile_crew_destroy(struct profile_crew *crew)
{
    if (!crew)
        return;
    await(crew);
    pthread_mutex_lock(&crew->mutex);
    crew->ending = true;
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->mutex);
    for (uint32_t i = 0; i < crew->config.n_threads; i++) {
        if (crew->members[i].started)
            pthread_join(crew->members[i].thread, NULL);
        mem_free(crew->members[i].samples);
    }
    pthread_cond_destroy(&crew->end);
    pthread_cond_destroy(&crew->begin);
    pthread_mutex_destroy(&crew->mutex);
    mem_free(crew->members);
    mem_free(crew);
}

void profile_crew_visit(struct profile_crew *crew, const struct profile_visit *visit)
{
    assert(visit->n_busy >= 1 && visit->n_busy <= crew->config.n_threads);
    assert(visit->first < crew->config.n_threads);
    assert(visit->items >= 1 && visit->items <= crew->config.most.items);
    pthread_mutex_lock(&crew->mutex);
    crew->visit = *visit;
    crew->n_visits++;
    crew->n_working = visit->n_busy;
    atomic_store(&crew->n_measuring, visit->n_busy);
    pthread_cond_broadcast(&crew->begin);
    pthread_mutex_unlock(&crew->mutex);
    await(crew);
}

// The i-th of the last visit's.
static const struct member *at_work(const struct profile_crew *crew, uint32_t i)
{
    return &crew->members[(crew->visit.first + i) % crew->config.n_threads];
}

const struct profile_sample *profile_crew_samples(const struct profile_crew *crew, uint32_t i,
                                                  size_t *n)
{
    const struct member *member = at_work(crew, i);
    *n = member->n;
    return member->samples;
}

uint64_t profile_crew_failed(const struct profile_crew *crew)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < crew->config.n_threads; i++)
        n += crew->members[i].n_failed;
    return n;
}

size_t profile_crew_left_out(const struct profile_crew *crew, uint32_t i)
{
    return at_work(crew, i)->n_left_out;
}

struct profile_time profile_crew_time(const struct profile_crew *crew, uint32_t i)
{
    return at_work(crew, i)->time;
}

const struct interference *profile_crew_interference(const struct profile_crew *crew, uint32_t i)
{
    return &at_work(crew, i)->interference;
}

double profile_crew_idle_s(const struct profile_crew *crew, uint32_t i)
{
    const struct member *member = at_work(crew, i);
    return member->n_idles > 0 ? member->idle_s / (double)member->n_idles : 0;
}

bool profile_crew_pinned(const struct profile_crew *crew, const char **why)
{
    for (uint32_t i = 0; i < crew->config.n_threads; i++)
        if (!team_pinned(crew->members[i].team, why))
            return false;
    return true;
}
