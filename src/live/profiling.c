// SPDX-License-Identifier: Apache-2.0
#include "live/profiling.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/wallclock.h"
#include "live/profile_crew.h"
#include "live/rapl.h"

#define LEAST_CORRELATION_S 1e-6 // shorter ones a study does not take
#define AIM_FRAC 0.02
#define LEAST_VISITS 5 // before an interval is believed
#define LEAST_ROUNDS 2
#define DISTURBED_FRAC 0.03 // taken, of a visit that is made again
#define MOST_AGAIN 2
#define ROUNDS 6         // that the time is cut for; most questions need no more
#define MIX_TIMES 3      // as long a visit of a mix is
#define TYPICAL_TIMES 10 // and of the typical one, whose noise is taken
#define LEAST_VISIT_S 1e-3
#define MOST_VISIT_S 0.05
#define MOST_WARM_S 3e-3
#define LEAST_MIX 2000      // requests of a mix
#define LEAST_TYPICAL 10000 // of the typical one
#define LEAST_NEAR 50       // requests near a size, to take its time from the mix
#define NEAR_FRAC 0.05      // and how well they have to tell it, unless it differs from that alone
#define LEAST_CYCLES 60
#define CYCLE_WORK_S 8e-3 // after a rest, within what a warm core takes
#define LEAST_AFTER 4
#define MOST_AFTER 32
#define TYPICAL_ITEMS 64 // the mix of this cut, or the next below, stands for all
#define IDLE_POWER_S 0.5
#define LEAST_BARE_FRAC 1e-3 // of a row's time, whatever its history's part is said to be
enum { HISTORY_LENGTHS = 5, HISTORY_SIZES = 3 }; // of lengths, the first is 0

static const double rests_s[PROFILING_RESTS] = {0.5e-3, 2e-3, 8e-3, 32e-3};

// Means of visits.
struct series {
    size_t n;
    double *v; // owned
};

// One question.
struct question {
    struct profile_visit visit;
    size_t busy, item; // indices; item of ALONE, and rest of COLD
    bool answered;
    struct series means;              // of visits, of all requests
    struct series places[MOST_AFTER]; // COLD: of the requests at that place
    uint64_t n;                       // requests
    struct series rests;              // COLD: how long they were, by visit and core
    double sum_s, sum_s2;             // of requests
    struct profile_time time;
    struct interference interference;
};

struct job {
    const struct profiling_config *config;
    struct profile *to;
    struct engine *engine;
    struct profile_crew *crew;
    struct rapl *rapl;
    struct profile_mix *mix;
    uint32_t *sizes, *busy; // of the table
    double *alone_s;        // [n_busy][n_sizes]
    size_t n_sizes, n_busy, n_questions;
    uint32_t lengths[HISTORY_LENGTHS], points[HISTORY_SIZES]; // of histories; sizes with each
    size_t n_lengths, n_points;
    struct history_fit *fits; // [n_busy]
    struct question *questions;
    uint64_t n_visits;
    double begin_s, end_s;
    double busy_j, busy_s; // of visits with all cores at work
    bool stopped;
};

static void append(struct series *to, double value)
{
    if ((to->n & (to->n - 1)) == 0) // at powers of two
        to->v = mem_realloc(to->v, to->n > 0 ? 2 * to->n : 1, sizeof *to->v);
    to->v[to->n++] = value;
}

// ---- what is asked ------------------------------------------------------------------------------

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// Sorts them. One delay of a second would be most of a mean.
static double median(struct series *of)
{
    qsort(of->v, of->n, sizeof *of->v, by_value);
    return of->n > 0 ? (of->v[(of->n - 1) / 2] + of->v[of->n / 2]) / 2 : (double)NAN;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

// 1 2 3 4 6 8 12 16 .. most, and where mixes are cut.
static uint32_t *make_sizes(const struct profiling_config *config, size_t *n)
{
    uint32_t *sizes = mem_calloc(64 + config->n_cuts, sizeof *sizes), most = config->most_items;
    size_t n_all = 0;
    for (uint32_t p = 1; p != 0 && p < most; p *= 2) {
        sizes[n_all++] = p;
        if (p > 1 && p + p / 2 < most)
            sizes[n_all++] = p + p / 2;
    }
    sizes[n_all++] = most;
    for (size_t i = 0; i < config->n_cuts; i++)
        sizes[n_all++] = config->cuts_items[i];
    qsort(sizes, n_all, sizeof *sizes, by_size);
    *n = 1;
    for (size_t i = 1; i < n_all; i++)
        if (sizes[i] != sizes[*n - 1])
            sizes[(*n)++] = sizes[i];
    return sizes;
}

// 1 2 4 .. all.
static uint32_t *make_busy(uint32_t most, size_t *n)
{
    uint32_t *busy = mem_calloc(34, sizeof *busy);
    *n = 0;
    for (uint32_t p = 1; p != 0 && p < most; p *= 2)
        busy[(*n)++] = p;
    busy[(*n)++] = most;
    return busy;
}

static uint32_t typical_cut(const struct profiling_config *config)
{
    uint32_t cut = config->cuts_items[0];
    for (size_t i = 0; i < config->n_cuts; i++)
        if (config->cuts_items[i] <= TYPICAL_ITEMS)
            cut = config->cuts_items[i];
    return cut;
}

static struct question *add_question(struct job *job, enum profile_kind kind, size_t busy,
                                     uint32_t items)
{
    struct question *question = &job->questions[job->n_questions++];
    question->visit = (struct profile_visit){.kind = kind,
                                             .n_busy = job->busy[busy],
                                             .items = items,
                                             .history_items = job->to->base_history};
    question->busy = busy;
    return question;
}

static void ask_cold(struct job *job)
{
    for (size_t i = 0; i < PROFILING_RESTS; i++) {
        struct question *cold =
            add_question(job, PROFILE_COLD, job->n_busy - 1, job->to->cold_items);
        cold->item = i;
        cold->visit.idle_s = rests_s[i];
        cold->visit.sleeps = job->config->idle == LIVE_CLOCK_SLEEP;
    }
}

static void put_once(uint32_t *list, size_t *n, uint32_t value)
{
    for (size_t i = 0; i < *n; i++)
        if (list[i] == value)
            return;
    list[(*n)++] = value;
}

// None, and evenly from the shortest history that matters, or a quarter of the longest, to the
// longest.
static void choose_histories(struct job *job)
{
    const struct qsize *histories = job->config->histories;
    if (!histories)
        return;
    double most = qsize_quantile_items(histories, 0.99);
    double least = fmin(qsize_quantile_items(histories, 0.01), most / 4);
    put_once(job->lengths, &job->n_lengths, 0);
    for (int i = 0; i + 1 < HISTORY_LENGTHS; i++)
        put_once(job->lengths, &job->n_lengths,
                 (uint32_t)fmax(1, least + (most - least) * i / (HISTORY_LENGTHS - 2)));
    put_once(job->points, &job->n_points, 1);
    put_once(job->points, &job->n_points, job->to->cold_items);
    put_once(job->points, &job->n_points, job->config->most_items);
    job->to->base_history = (uint32_t)fmax(1, round(qsize_mean_items(histories)));
}

static void ask_histories(struct job *job)
{
    for (size_t b = 0; b < job->n_busy; b++)
        for (size_t i = 0; i < job->n_lengths * job->n_points; i++)
            add_question(job, PROFILE_ALONE, b, job->points[i % job->n_points])
                ->visit.history_items = job->lengths[i / job->n_points];
}

static void make_questions(struct job *job)
{
    const struct profiling_config *config = job->config;
    job->sizes = make_sizes(config, &job->n_sizes);
    job->busy = make_busy(config->n_workers, &job->n_busy);
    job->to->cold_items = typical_cut(config);
    choose_histories(job);
    size_t n_histories = job->n_lengths * job->n_points;
    size_t n = job->n_busy * (job->n_sizes + config->n_cuts + n_histories) + PROFILING_RESTS;
    job->questions = mem_calloc(n, sizeof *job->questions);
    for (size_t b = 0; b < job->n_busy; b++) {
        for (size_t i = 0; i < job->n_sizes; i++)
            add_question(job, PROFILE_ALONE, b, job->sizes[i])->item = i;
        for (size_t i = 0; i < config->n_cuts; i++)
            add_question(job, PROFILE_MIX, b, config->cuts_items[i]);
    }
    ask_histories(job);
    ask_cold(job);
}

// How many times as long as one of a size alone a visit is.
static double length_of(const struct job *job, const struct profile_visit *visit)
{
    bool typical = visit->kind == PROFILE_MIX && visit->items == job->to->cold_items;
    return visit->kind == PROFILE_ALONE ? 1 : typical ? TYPICAL_TIMES : MIX_TIMES;
}

// How long visits are, from the time that there is.
static void set_lengths(struct job *job, double left_s)
{
    double parts = 0, request_s;
    for (size_t i = 0; i < job->n_questions; i++)
        parts += length_of(job, &job->questions[i].visit);
    double visit_s = fmin(fmax(left_s / (ROUNDS * parts), LEAST_VISIT_S), MOST_VISIT_S);
    struct profile_visit probe = {.kind = PROFILE_ALONE,
                                  .n_busy = job->busy[job->n_busy - 1],
                                  .items = job->to->cold_items,
                                  .history_items = job->to->base_history,
                                  .measure_s = visit_s};
    size_t n;
    profile_crew_visit(job->crew, &probe);
    const struct profile_sample *samples = profile_crew_samples(job->crew, 0, &n);
    request_s = samples[n - 1].time_s;
    double after = fmin(fmax(ceil(CYCLE_WORK_S / request_s), LEAST_AFTER), MOST_AFTER);
    for (size_t i = 0; i < job->n_questions; i++) {
        struct profile_visit *visit = &job->questions[i].visit;
        visit->warm_s = fmin(visit_s, MOST_WARM_S);
        visit->measure_s = visit_s * length_of(job, visit);
        visit->n_after = (uint32_t)after;
    }
}

// ---- answers ------------------------------------------------------------------------------------

static void take_places(struct job *job, struct question *question)
{
    double sum_s[MOST_AFTER] = {0}, n_at[MOST_AFTER] = {0};
    for (uint32_t t = 0; t < question->visit.n_busy; t++) {
        size_t n;
        const struct profile_sample *samples = profile_crew_samples(job->crew, t, &n);
        for (size_t i = 0; i < n; i++) {
            sum_s[samples[i].place] += samples[i].time_s;
            n_at[samples[i].place]++;
        }
        append(&question->rests, profile_crew_idle_s(job->crew, t));
    }
    for (uint32_t p = 0; p < question->visit.n_after; p++)
        if (n_at[p] > 0)
            append(&question->places[p], sum_s[p] / n_at[p]);
}

static void take(struct job *job, struct question *question)
{
    double sum_s = 0, n_all = 0;
    for (uint32_t t = 0; t < question->visit.n_busy; t++) {
        size_t n;
        const struct profile_sample *samples = profile_crew_samples(job->crew, t, &n);
        interference_merge(&question->interference, profile_crew_interference(job->crew, t));
        struct profile_time time = profile_crew_time(job->crew, t);
        question->time.measured_s += time.measured_s;
        question->time.untimed_s += time.untimed_s;
        job->to->n_left_out += profile_crew_left_out(job->crew, t);
        for (size_t i = 0; i < n; i++) {
            double s = samples[i].time_s;
            sum_s += s;
            question->sum_s2 += s * s;
        }
        n_all += (double)n;
        if (question->visit.kind == PROFILE_MIX &&
            !profile_mix_add(job->mix, job->n_visits, question->visit.items, question->busy,
                             samples, n))
            question->answered = true;
    }
    question->n += (uint64_t)n_all;
    question->sum_s += sum_s;
    append(&question->means, sum_s / n_all);
    if (question->visit.kind == PROFILE_COLD)
        take_places(job, question);
}

static bool narrow(const struct series *means)
{
    struct ci ci = ci_means(means->v, means->n);
    return means->n >= LEAST_VISITS && ci.half_95 < AIM_FRAC * ci.value;
}

static void judge(const struct job *job, struct question *question)
{
    const struct profile_visit *visit = &question->visit;
    bool answered = narrow(visit->kind == PROFILE_COLD ? &question->places[0] : &question->means);
    if (visit->kind == PROFILE_MIX)
        answered = answered &&
                   question->n >= (visit->items == job->to->cold_items ? LEAST_TYPICAL : LEAST_MIX);
    if (visit->kind == PROFILE_COLD)
        answered = answered && question->n >= (uint64_t)LEAST_CYCLES * visit->n_after;
    question->answered = question->answered || answered;
}

// Was so much of the visit taken that what is left of it is about that as well?
static bool is_disturbed(const struct job *job, const struct question *question)
{
    struct interference all = {0};
    for (uint32_t i = 0; i < question->visit.n_busy; i++)
        interference_merge(&all, profile_crew_interference(job->crew, i));
    return interference_frac(&all) > DISTURBED_FRAC;
}

static void ask(struct job *job, struct question *question)
{
    bool all = question->visit.kind == PROFILE_MIX && question->busy == job->n_busy - 1;
    double begin_j = job->rapl && all ? rapl_read_j(job->rapl) : 0, begin_s = wallclock_s();
    job->n_visits++;
    question->visit.first = (uint32_t)question->means.n % job->config->n_workers;
    profile_crew_visit(job->crew, &question->visit);
    for (int i = 0; i < MOST_AGAIN && is_disturbed(job, question); i++) {
        job->to->n_visits_left_out++;
        profile_crew_visit(job->crew, &question->visit);
    }
    if (job->rapl && all) {
        job->busy_j += rapl_read_j(job->rapl) - begin_j;
        job->busy_s += wallclock_s() - begin_s;
    }
    take(job, question);
    judge(job, question);
}

// ---- rounds -------------------------------------------------------------------------------------

static uint64_t count_requests(const struct job *job)
{
    uint64_t n = 0;
    for (size_t i = 0; i < job->n_questions; i++)
        n += job->questions[i].n;
    return n;
}

// What is done when so many questions have had their turn, 0..1: what is answered, or what the time
// and the least rounds, which it takes however long they last, say; whichever is more.
static double done_frac(const struct job *job, uint64_t n_turns)
{
    double n = (double)job->n_questions, n_answered = 0, all_s = job->end_s - job->begin_s;
    double time_frac = all_s > 0 ? (wallclock_s() - job->begin_s) / all_s : 1;
    double rounds_frac = (double)n_turns / (LEAST_ROUNDS * n);
    for (size_t i = 0; i < job->n_questions; i++)
        n_answered += job->questions[i].answered;
    return fmin(fmax(fmin(time_frac, rounds_frac), n_answered / n), 0.999);
}

// Is it to stop?
static bool watched(struct job *job, uint64_t n_turns)
{
    const struct profiling_config *config = job->config;
    job->stopped =
        job->stopped || (config->watch &&
                         config->watch(config->user, done_frac(job, n_turns), count_requests(job)));
    return job->stopped;
}

// An order of the questions for a round (Fisher and Yates).
static void shuffle(const struct job *job, uint64_t round, size_t *order)
{
    struct rng_stream stream =
        rng_stream(job->config->seed, RNG_PROFILE, (uint64_t)1 << 32 | round);
    for (size_t i = 0; i < job->n_questions; i++)
        order[i] = i;
    for (size_t i = job->n_questions; i > 1; i--) {
        uint64_t words[2];
        rng_block(&stream, i, words);
        size_t k = rng_below((uint32_t)words[0], (uint32_t)i), last = order[i - 1];
        order[i - 1] = order[k];
        order[k] = last;
    }
}

static bool is_typical(const struct job *job, const struct question *question)
{
    return question->visit.kind == PROFILE_MIX && question->visit.items == job->to->cold_items;
}

// One round; false: nothing is left to ask, or no time.
static bool go_round(struct job *job, uint64_t round, size_t *order)
{
    bool asked = false;
    shuffle(job, round, order);
    for (size_t i = 0; i < job->n_questions; i++) {
        struct question *question = &job->questions[order[i]];
        if (question->answered && !is_typical(job, question))
            continue;
        if (round >= LEAST_ROUNDS && wallclock_s() > job->end_s)
            return false;
        if (watched(job, round * job->n_questions + i))
            return false;
        asked = asked || !question->answered;
        ask(job, question);
    }
    return asked;
}

static void go_rounds(struct job *job)
{
    size_t *order = mem_calloc(job->n_questions, sizeof *order);
    for (uint64_t round = 0; go_round(job, round, order); round++)
        ;
    mem_free(order);
}

// ---- what follows from it -----------------------------------------------------------------------

static struct question *alone_question(const struct job *job, size_t busy, size_t item)
{
    return &job->questions[busy * (job->n_sizes + job->config->n_cuts) + item];
}

static struct profile_grid grid_of(const struct job *job, const double *time_s)
{
    return (struct profile_grid){job->n_sizes, job->n_busy, job->sizes, job->busy, time_s};
}

// Of requests of one size: the spread of all, whatever the visit.
static double cv_of(const struct question *question)
{
    double n = (double)question->n, mean_s = question->sum_s / n;
    return sqrt(fmax(question->sum_s2 / n - mean_s * mean_s, 0)) / mean_s;
}

static void fill_alone(struct job *job)
{
    struct profile *to = job->to;
    job->alone_s = mem_calloc(job->n_busy * job->n_sizes, sizeof *job->alone_s);
    to->n_busy = job->n_busy;
    to->n_sizes = job->n_sizes;
    to->n_rows = job->n_busy * job->n_sizes;
    to->rows = mem_calloc(to->n_rows, sizeof *to->rows);
    for (size_t r = 0; r < to->n_rows; r++) {
        size_t b = r / job->n_sizes, i = r % job->n_sizes;
        const struct question *question = alone_question(job, b, i);
        struct ci mean = ci_means(question->means.v, question->means.n);
        to->rows[r] = (struct profile_row){
            .items = job->sizes[i],
            .busy = job->busy[b],
            .time_s = mean,
            .alone_s = mean,
            .cv = cv_of(question),
            .n = question->n,
            .taken_frac = interference_frac(&question->interference),
        };
        job->alone_s[r] = mean.value;
    }
}

// Half-widths of a product, as of independent numbers.
static struct ci times(struct ci a, struct ci b)
{
    struct ci to = a;
    to.value = a.value * b.value;
    to.half_95 = hypot(a.half_95 * b.value, b.half_95 * a.value);
    to.n_batches = a.n_batches < b.n_batches ? a.n_batches : b.n_batches;
    return to;
}

// Times of sizes from a mix, 0: from all, where it has them; rows[n_sizes] have those alone.
static void take_near(const struct job *job, uint32_t cut_items, size_t busy,
                      struct profile_row *rows)
{
    struct profile_grid grid = grid_of(job, job->alone_s);
    struct profile_mix_near *near = mem_calloc(job->n_sizes, sizeof *near);
    profile_mix_near(job->mix, &grid, cut_items, busy, near);
    for (size_t i = 0; i < job->n_sizes; i++) {
        // Of one mix, what the machine's drift does to the ratios is common to all of them.
        bool tells = cut_items != 0 || near[i].ratio.half_95 <= NEAR_FRAC * near[i].ratio.value ||
                     ci_excludes(near[i].ratio, 1);
        if (!(near[i].weight >= LEAST_NEAR) || !tells)
            continue;
        rows[i].from_mix = true;
        rows[i].time_s = times(rows[i].alone_s, near[i].ratio);
        rows[i].cv = near[i].cv;
        rows[i].n = (uint64_t)near[i].weight;
    }
    mem_free(near);
}

// A mix round a table of its own, rows[n_sizes], which gets its mean as a whole. The job's own rows
// still have the sizes alone.
static struct profile_mix_sum fit_rows(const struct job *job, uint32_t cut_items, size_t busy,
                                       struct profile_row *rows)
{
    double *time_s = mem_calloc(job->to->n_rows, sizeof *time_s);
    memcpy(rows, job->to->rows + busy * job->n_sizes, job->n_sizes * sizeof *rows);
    take_near(job, cut_items, busy, rows);
    for (size_t i = 0; i < job->n_sizes; i++)
        time_s[busy * job->n_sizes + i] = rows[i].time_s.value;
    struct profile_grid grid = grid_of(job, time_s);
    struct profile_mix_sum sum = profile_mix_sum(job->mix, &grid, cut_items, busy);
    for (size_t i = 0; i < job->n_sizes; i++) {
        rows[i].time_s.value *= sum.ratio.value;
        rows[i].time_s.half_95 *= sum.ratio.value;
    }
    mem_free(time_s);
    return sum;
}

// The rows of the typical mix, one count of busy cores after the other.
static void keep_rows(struct job *job, size_t busy, const struct profile_row *rows)
{
    struct profile *to = job->to;
    while (to->n_cut_sizes < job->n_sizes && job->sizes[to->n_cut_sizes] <= to->cold_items)
        to->n_cut_sizes++;
    to->n_cut_rows = job->n_busy * to->n_cut_sizes;
    if (!to->cut_rows)
        to->cut_rows = mem_calloc(to->n_cut_rows, sizeof *to->cut_rows);
    memcpy(to->cut_rows + busy * to->n_cut_sizes, rows, to->n_cut_sizes * sizeof *rows);
}

static void fill_mixed(struct job *job)
{
    const struct profiling_config *config = job->config;
    struct profile *to = job->to;
    struct profile_grid alone = grid_of(job, job->alone_s);
    struct profile_row *rows = mem_calloc(job->n_sizes, sizeof *rows);
    to->n_mixed = job->n_busy * config->n_cuts;
    to->mixed = mem_calloc(to->n_mixed, sizeof *to->mixed);
    for (size_t m = 0; m < to->n_mixed; m++) {
        size_t b = m / config->n_cuts, c = m % config->n_cuts;
        struct profile_mixed *mixed = &to->mixed[m];
        const struct question *question = alone_question(job, b, job->n_sizes + c);
        mixed->cut_items = config->cuts_items[c];
        mixed->busy = job->busy[b];
        mixed->sum = profile_mix_sum(job->mix, &alone, mixed->cut_items, b);
        struct profile_mix_sum fitted = fit_rows(job, mixed->cut_items, b, rows);
        mixed->cv = fitted.cv;
        mixed->factor = fitted.ratio.value;
        memcpy(mixed->lag, fitted.lag, sizeof mixed->lag);
        mixed->query_work_s = mixed->sum.work_item_s * qsize_mean_items(config->sizes);
        mixed->taken_frac = interference_frac(&question->interference);
        mixed->untimed_frac = question->time.untimed_s / question->time.measured_s;
        if (mixed->cut_items != to->cold_items)
            continue;
        keep_rows(job, b, rows);
        if (b + 1 == job->n_busy)
            to->typical = mixed;
    }
    mem_free(rows);
}

static void fill_noise(struct profile *to)
{
    struct profile_mix_sum round_table = {.n = to->typical->sum.n};
    memcpy(round_table.lag, to->typical->lag, sizeof round_table.lag);
    to->noise_cv = to->typical->cv;
    to->drift_cv = to->typical->sum.drift_cv;
    to->level_half_frac = to->typical->sum.ratio.half_95 / to->typical->sum.ratio.value;
    to->correlated = profile_mix_correlation(&round_table, to->typical->sum.mean_s.value,
                                             &to->correlation_s, &to->correlated_frac);
    if (to->correlated && to->correlation_s < LEAST_CORRELATION_S)
        to->correlated = false;
}

// The requests of a rest, as points of a fit. A standard error of one visit alone is not known.
static void add_points(const struct question *question, double warm_s, double idle_s,
                       struct cold_fit_point *points, size_t *n)
{
    for (uint32_t p = 0; p < question->visit.n_after; p++) {
        struct ci mean = ci_means(question->places[p].v, question->places[p].n);
        double freedom = (double)question->places[p].n - 1;
        double error = isfinite(mean.half_95) ? mean.half_95 / ci_t(0.975, freedom) / warm_s : 1;
        points[(*n)++] = (struct cold_fit_point){
            .idle_s = idle_s,
            .work_s = p * warm_s,
            .cycle_work_s = question->visit.n_after * warm_s,
            .ratio = mean.value / warm_s,
            .error = error,
        };
    }
}

// A warm core's time is that of the size alone, on as many cores.
static void fill_cold(struct job *job)
{
    struct profile *to = job->to;
    struct profile_grid grid = grid_of(job, job->alone_s);
    double warm_s = profile_grid_s(&grid, job->n_busy - 1, to->cold_items);
    struct cold_fit_point points[PROFILING_RESTS * MOST_AFTER];
    size_t n = 0;
    for (size_t i = 0; i < PROFILING_RESTS; i++) {
        struct question *question = &job->questions[job->n_questions - PROFILING_RESTS + i];
        const struct series *places = question->places;
        uint32_t last = question->visit.n_after - 1;
        struct profile_rest *rest = &to->rests[question->item];
        rest->asked_s = question->visit.idle_s;
        rest->idle_s = median(&question->rests);
        rest->first_s = ci_means(places[0].v, places[0].n);
        rest->last_s = ci_means(places[last].v, places[last].n);
        rest->first_ratio = rest->first_s.value / warm_s;
        rest->n = question->n / question->visit.n_after;
        add_points(question, warm_s, rest->idle_s, points, &n);
    }
    to->cold = cold_fit(points, n);
}

static struct history_fit_point point_of(const struct question *question)
{
    const struct series *means = &question->means;
    struct ci mean = ci_means(means->v, means->n);
    double t = means->n > 1 ? ci_t(0.975, (double)means->n - 1) : 1;
    return (struct history_fit_point){
        .items = question->visit.items,
        .history_items = question->visit.history_items,
        .time_s = mean.value,
        .error = isfinite(mean.half_95) ? mean.half_95 / t / mean.value : 0,
    };
}

// What histories add, from the questions about them and from the same sizes with the base's.
static struct history_fit fit_history(const struct job *job, size_t busy)
{
    struct history_fit_point points[(HISTORY_LENGTHS + 1) * HISTORY_SIZES];
    size_t n_histories = job->n_lengths * job->n_points, n = 0;
    const struct question *first =
        &job->questions[job->n_busy * (job->n_sizes + job->config->n_cuts) + busy * n_histories];
    for (size_t i = 0; i < n_histories; i++)
        points[n++] = point_of(&first[i]);
    for (size_t i = 0; i < job->n_sizes; i++)
        for (size_t k = 0; k < job->n_points; k++)
            if (job->sizes[i] == job->points[k])
                points[n++] = point_of(alone_question(job, busy, i));
    return history_fit(points, n);
}

static void fill_histories(struct job *job)
{
    struct profile *to = job->to;
    struct profile_grid grid = grid_of(job, job->alone_s);
    if (to->base_history == 0)
        return;
    job->fits = mem_calloc(job->n_busy, sizeof *job->fits);
    to->histories = mem_calloc(job->n_busy, sizeof *to->histories);
    for (size_t b = 0; b < job->n_busy; b++) {
        job->fits[b] = fit_history(job, b);
        to->histories[b] = (struct profile_history){job->busy[b], job->fits[b]};
    }
    profile_mix_rebase(job->mix, &grid, job->fits, to->base_history);
}

static void fill(struct job *job)
{
    struct profile *to = job->to;
    const char *why = "";
    to->n_requests = count_requests(job);
    for (size_t i = 0; i < job->n_questions; i++)
        interference_merge(&to->interference, &job->questions[i].interference);
    if (!profile_crew_pinned(job->crew, &why))
        snprintf(to->pinning, sizeof to->pinning, "%.255s", why);
    if (job->busy_s > 0)
        to->busy_w = job->busy_j / job->busy_s;
    fill_alone(job);
    fill_histories(job);
    fill_mixed(job);
    for (size_t b = 0; b < job->n_busy; b++)
        take_near(job, 0, b, to->rows + b * job->n_sizes);
    fill_noise(to);
    fill_cold(job);
}

// ---- the whole ----------------------------------------------------------------------------------

// Memory of the process that is in use.
static double resident_bytes(void)
{
    long pages = 0, page_bytes = sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)page_bytes;
}

static void measure_idle(struct job *job)
{
    struct err err = {0};
    double begin_s = wallclock_s();
    const struct timespec time = {0, (long)(1e9 * IDLE_POWER_S)};
    job->to->idle_w = job->to->busy_w = (double)NAN;
    job->rapl = rapl_open(RAPL_FOLDER, &err);
    if (!job->rapl) {
        snprintf(job->to->power, sizeof job->to->power, "%.255s", err.text);
        return;
    }
    double begin_j = rapl_read_j(job->rapl);
    nanosleep(&time, NULL);
    job->to->idle_w = (rapl_read_j(job->rapl) - begin_j) / (wallclock_s() - begin_s);
}

static int package_of(const struct topology *topology, int cpu)
{
    size_t i = 0;
    while (topology->cores[i].cpu != cpu)
        i++;
    return topology->cores[i].package;
}

// Workers one socket after the other would fill one of them first; the simulator fills them evenly.
static int *make_cpus(const struct profiling_config *config)
{
    const struct topology *topology = config->topology;
    size_t each = config->cores_per_worker;
    int *teams = mem_calloc(topology->n_cores, sizeof *teams);
    int *cpus = mem_calloc(topology->n_cores, sizeof *cpus);
    size_t n_teams = topology_teams(topology, each, teams);
    bool *used = mem_calloc(n_teams, sizeof *used);
    int last = -1;
    for (size_t n = 0; n < n_teams; n++) {
        size_t pick = n_teams;
        int picked = 0;
        for (size_t i = 0; i < n_teams; i++) { // the next that is free on another socket
            int package = package_of(topology, teams[i * each]);
            if (used[i] || (pick < n_teams && (picked > last || package <= last)))
                continue;
            pick = i;
            picked = package;
        }
        used[pick] = true;
        last = picked;
        memcpy(cpus + n * each, teams + pick * each, each * sizeof *cpus);
    }
    mem_free(used);
    mem_free(teams);
    return cpus;
}

static int open_all(struct job *job, struct err *err)
{
    const struct profiling_config *config = job->config;
    int *cpus = make_cpus(config);
    struct profile_crew_config crew = {
        .cpus = cpus,
        .n_threads = config->n_workers,
        .cores_per_worker = config->cores_per_worker,
        .most = {config->most_items, config->histories ? qsize_max_items(config->histories) : 0},
        .sizes = config->sizes,
        .histories = config->histories,
        .seed = config->seed};
    crew.engine = job->engine = engine_open(config->type, &config->setup, err);
    job->crew = job->engine ? profile_crew_create(&crew, err) : NULL;
    mem_free(cpus);
    if (job->engine)
        job->to->facts = *engine_facts_of(job->engine);
    return job->crew ? 0 : -1;
}

static void close_all(struct job *job)
{
    profile_crew_destroy(job->crew);
    engine_close(job->engine);
    rapl_close(job->rapl);
    profile_mix_destroy(job->mix);
    for (size_t i = 0; i < job->n_questions; i++) {
        mem_free(job->questions[i].means.v);
        mem_free(job->questions[i].rests.v);
        for (size_t p = 0; p < MOST_AFTER; p++)
            mem_free(job->questions[i].places[p].v);
    }
    mem_free(job->questions);
    mem_free(job->sizes);
    mem_free(job->busy);
    mem_free(job->alone_s);
    mem_free(job->fits);
}

int profiling_run(struct profile *to, const struct profiling_config *config, struct err *err)
{
    struct job job = {.config = config, .to = to, .begin_s = wallclock_s()};
    double before_bytes = resident_bytes();
    *to = (struct profile){.n_workers = config->n_workers,
                           .cores_per_worker = config->cores_per_worker};
    job.end_s = job.begin_s + config->time_s;
    job.mix = profile_mix_create();
    measure_idle(&job);
    int rc = open_all(&job, err);
    if (rc == 0) {
        make_questions(&job);
        set_lengths(&job, job.end_s - wallclock_s());
        go_rounds(&job);
        uint64_t n_failed = profile_crew_failed(job.crew);
        if (n_failed > 0)
            rc = err_set(err, ERR_FAIL, "engine %s: %llu requests failed while they were measured",
                         config->type->name, (unsigned long long)n_failed);
        to->rss_bytes = fmax(resident_bytes() - before_bytes, 0);
        to->stopped = job.stopped;
        if (rc == 0 && !job.stopped)
            fill(&job);
    }
    to->spent_s = wallclock_s() - job.begin_s;
    close_all(&job);
    return rc;
}

void profiling_release(struct profile *profile)
{
    if (!profile)
        return;
    mem_free(profile->rows);
    mem_free(profile->cut_rows);
    mem_free(profile->mixed);
    mem_free(profile->histories);
    *profile = (struct profile){.n_rows = 0};
}

struct cost_history profiling_history_of(const struct profile *profile, bool of_cut, size_t busy)
{
    size_t n = of_cut ? profile->n_cut_sizes : profile->n_sizes, i = 0;
    const struct profile_row *rows = (of_cut ? profile->cut_rows : profile->rows) + busy * n;
    if (!profile->histories)
        return (struct cost_history){0};
    while (i + 1 < n && rows[i].items != profile->cold_items)
        i++;
    double ratio = rows[i].time_s.value / rows[i].alone_s.value;
    struct cost_history of = profile->histories[busy].fit.of;
    return (struct cost_history){of.item_s * ratio, of.square_s * ratio, of.item_history_s * ratio};
}

double profiling_bare_s(const struct profile *profile, bool of_cut, size_t row)
{
    const struct profile_row *it = (of_cut ? profile->cut_rows : profile->rows) + row;
    size_t busy = row / (of_cut ? profile->n_cut_sizes : profile->n_sizes);
    const struct history_fit fit = {.of = profiling_history_of(profile, of_cut, busy)};
    double part_s = history_fit_part_s(&fit, it->items, profile->base_history);
    return fmax(it->time_s.value - part_s, LEAST_BARE_FRAC * it->time_s.value);
}
