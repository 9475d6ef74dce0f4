// SPDX-License-Identifier: Apache-2.0
// reference: the controller of the authors' public code (harvard-acc/DeepRecSys, scheduler.py and
// loadGenerator.py), defects included, on a server as simple as it assumes.
//
// It steps the mean gap between queries along a grid of 50 values from 1 to 20 ms: after every 64
// answers one step up when their p95 is above the target, one down when it is a tenth below. After
// 128 steps and one more, the median of the last 50 gaps is what the configuration is said to
// reach. Configurations are tried in a fixed order until the gap grows.
//
// Kept as they are, since they are what this policy is here to show: gaps are whole milliseconds
// from a Poisson distribution, not exponential; 32 sizes over and over; 64 answers decide a step
// and one comparison ends the climb; the median counts the approach, and no server can be said to
// reach more than 1000 or less than 50 queries per second; the first threshold of the list is never
// applied, the run with 1024 stands in its place; the thresholds start again from a gap of 10 ms;
// the generator waits while a queue is full, so that an overloaded server is offered less.
//
// What it believes is claimed_qps; `capacity` is what its choice serves by our own search, which
// measures the claimed rate first.
#include "search/tuner.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "search/rounds.h"

enum { N_GAPS = 50, WINDOW = 64, N_STEPS = 129, N_MEDIAN = 50, N_SIZES = 32, MOST_CONFIGS = 9 };
static const double LONGEST_GAP_MS = 20; // the shortest is 1
static const double START_GAP_MS = 10;   // of every configuration
static const double STABLE_FRAC = 0.1;   // no step while the p95 is this near below the target
static const uint32_t NO_OFFLOAD = 1024; // its threshold while batch sizes are tried

static const uint32_t batch_list[] = {512, 384, 256, 192, 128, 96, 64, 48, 32};
static const uint32_t offload_list[] = {96, 128, 192, 256, 384, 512};

// A queue that makes the generator wait while n_places requests in it have not begun.
enum { CPU_PLACES = 1024, ACCEL_PLACES = 32 };
struct line {
    double begin_s[CPU_PLACES]; // of the latest requests, by number modulo n_places
    uint64_t n_places, n;
};

// An answer on its way.
struct answer {
    double end_s, latency_s;
};

struct controller {
    const struct tuner_config *config;
    const struct tuner_backend *backend;
    uint32_t batch_items, offload_items; // in force: the first axis and, if there is one, the next
    bool has_accelerator;
    double gaps_ms[N_GAPS];
    int gap_id;
    double gap_ms;
    double tried_ms[N_STEPS];
    int n_tried;
    double now_s, accel_free_s, *core_free_s;
    struct line cpu_line, accel_line;
    struct answer *heap; // by end_s, soonest first
    size_t n_heap, cap_heap;
    double window_s[WINDOW];
    int n_window;
    uint64_t n_draws, n_queries;
    uint64_t n_configs;
};

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void push(struct controller *c, struct answer answer)
{
    if (c->n_heap == c->cap_heap) {
        c->cap_heap = c->cap_heap ? 2 * c->cap_heap : 1024;
        c->heap = mem_realloc(c->heap, c->cap_heap, sizeof *c->heap);
    }
    size_t i = c->n_heap++;
    for (; i > 0 && c->heap[(i - 1) / 2].end_s > answer.end_s; i = (i - 1) / 2)
        c->heap[i] = c->heap[(i - 1) / 2];
    c->heap[i] = answer;
}

static struct answer pop(struct controller *c)
{
    struct answer first = c->heap[0], last = c->heap[--c->n_heap];
    size_t i = 0;
    for (size_t child = 1; child < c->n_heap; child = 2 * i + 1) {
        if (child + 1 < c->n_heap && c->heap[child + 1].end_s < c->heap[child].end_s)
            child++;
        if (c->heap[child].end_s >= last.end_s)
            break;
        c->heap[i] = c->heap[child];
        i = child;
    }
    if (c->n_heap > 0)
        c->heap[i] = last;
    return first;
}

// Poisson with mean gap_ms, by inversion.
static double draw_gap_s(struct controller *c)
{
    double u = c->backend->uniform(c->backend->server, c->n_draws++);
    double p = rng_exp(-c->gap_ms), sum = p;
    int k = 0;
    while (u > sum && k < 1000) {
        k++;
        p *= c->gap_ms / k;
        sum += p;
    }
    return 1e-3 * k;
}

// Puts a request into a queue, when there is room, for a server that is free at *free_s. Returns
// when it ends.
static double enter(struct controller *c, struct line *line, double *free_s, double service_s)
{
    double *begin_s = &line->begin_s[line->n % line->n_places];
    if (line->n >= line->n_places && *begin_s > c->now_s)
        c->now_s = *begin_s;
    *begin_s = *free_s > c->now_s ? *free_s : c->now_s;
    line->n++;
    return *free_s = *begin_s + service_s;
}

// When a query that arrives now ends: first come, first served, each request on the core that is
// free first; large queries one by one on the accelerator.
static double serve(struct controller *c, uint32_t size_items)
{
    const void *server = c->backend->server;
    double end_s = c->now_s;
    if (c->has_accelerator && size_items >= c->offload_items)
        return enter(c, &c->accel_line, &c->accel_free_s, c->backend->accel_s(server, size_items));
    for (uint32_t left = size_items; left > 0;) {
        uint32_t items = left < c->batch_items ? left : c->batch_items, core = 0;
        for (uint32_t i = 1; i < c->config->n_cores; i++)
            if (c->core_free_s[i] < c->core_free_s[core])
                core = i;
        double request_end_s =
            enter(c, &c->cpu_line, &c->core_free_s[core], c->backend->cpu_s(server, items));
        end_s = request_end_s > end_s ? request_end_s : end_s;
        left -= items;
    }
    return end_s;
}

static void step(struct controller *c)
{
    qsort(c->window_s, WINDOW, sizeof *c->window_s, ascending);
    double at = 0.95 * (WINDOW - 1);
    int below = (int)at;
    double p95_s =
        c->window_s[below] + (at - below) * (c->window_s[below + 1] - c->window_s[below]);
    if (p95_s > c->config->target_s)
        c->gap_id += c->gap_id < N_GAPS - 1;
    else if (p95_s < c->config->target_s / (1 + STABLE_FRAC))
        c->gap_id -= c->gap_id > 0;
    c->gap_ms = c->tried_ms[c->n_tried++] = c->gaps_ms[c->gap_id];
    c->n_window = 0;
}

static int nearest_gap(const struct controller *c, double gap_ms)
{
    int best = 0;
    for (int i = 1; i < N_GAPS; i++)
        if (fabs(c->gaps_ms[i] - gap_ms) < fabs(c->gaps_ms[best] - gap_ms))
            best = i;
    return best;
}

// Runs the configuration in force until its gap is known. The queues are emptied before; a window
// that had begun is not.
static int reach(struct controller *c, double *median_ms, struct err *err)
{
    c->n_heap = 0;
    c->n_tried = 0;
    c->gap_id = nearest_gap(c, START_GAP_MS);
    c->accel_free_s = c->now_s;
    c->cpu_line.n = c->accel_line.n = 0;
    for (uint32_t i = 0; i < c->config->n_cores; i++)
        c->core_free_s[i] = c->now_s;
    for (uint64_t i = 0; c->n_tried < N_STEPS; i++) {
        while (c->n_heap > 0 && c->heap[0].end_s <= c->now_s && c->n_tried < N_STEPS) {
            c->window_s[c->n_window++] = pop(c).latency_s;
            if (c->n_window == WINDOW)
                step(c);
        }
        double arrive_s = c->now_s;
        double end_s = serve(c, c->backend->size_items(c->backend->server, i % N_SIZES));
        if (!isfinite(end_s))
            return err_set(err, ERR_STUDY, "reference: a request of B = %u, T = %u has no cost",
                           c->batch_items, c->offload_items);
        push(c, (struct answer){end_s, end_s - arrive_s});
        c->n_queries++;
        c->now_s += draw_gap_s(c);
    }
    qsort(c->tried_ms + N_STEPS - N_MEDIAN, N_MEDIAN, sizeof *c->tried_ms, ascending);
    *median_ms =
        0.5 * (c->tried_ms[N_STEPS - N_MEDIAN / 2 - 1] + c->tried_ms[N_STEPS - N_MEDIAN / 2]);
    c->n_configs++;
    return 0;
}

// Goes through a list until the gap grows, then back one; else the smallest gap. *value is in force
// for the first entry already, whatever the list says of it.
static int climb_list(struct controller *c, const uint32_t *list, size_t n, uint32_t *value,
                      struct err *err)
{
    double reached_ms[MOST_CONFIGS];
    size_t best = 0;
    for (size_t i = 0; i < n; i++) {
        if (i > 0) {
            *value = list[i];
            c->gap_ms = START_GAP_MS;
        }
        if (reach(c, &reached_ms[i], err) != 0)
            return -1;
        if (i > 0 && reached_ms[i] > reached_ms[i - 1]) {
            best = i - 1;
            break;
        }
        best = reached_ms[i] < reached_ms[best] ? i : best;
    }
    *value = list[best];
    c->gap_ms = reached_ms[best];
    return 0;
}

static int control(struct controller *c, struct err *err)
{
    for (int i = 0; i < N_GAPS; i++)
        c->gaps_ms[i] = rng_exp(rng_log(LONGEST_GAP_MS) * i / (N_GAPS - 1));
    c->gap_ms = START_GAP_MS;
    c->batch_items = batch_list[0];
    c->offload_items = NO_OFFLOAD;
    c->core_free_s = mem_calloc(c->config->n_cores, sizeof *c->core_free_s);
    int rc =
        climb_list(c, batch_list, sizeof batch_list / sizeof *batch_list, &c->batch_items, err);
    if (rc == 0 && c->has_accelerator)
        rc = climb_list(c, offload_list, sizeof offload_list / sizeof *offload_list,
                        &c->offload_items, err);
    mem_free(c->core_free_s);
    mem_free(c->heap);
    return rc;
}

// What the choice serves; the claimed rate is looked at first.
static int check_claim(const struct tuner_config *config, const struct tuner_backend *backend,
                       const struct controller *c, struct tuner_outcome *outcome, struct err *err)
{
    struct rounds *rounds = rounds_create(config, backend, outcome);
    struct settings choice = tuner_with(tuner_start(config), &config->axes[0], c->batch_items);
    if (c->has_accelerator)
        choice = tuner_with(choice, &config->axes[1], c->offload_items);
    outcome->choice = choice;
    outcome->claimed_qps = 1000 / c->gap_ms * config->n_servers;
    int rc = rounds_measure(rounds, choice, outcome->claimed_qps, 0, &outcome->capacity, err);
    if (rc == 0 && outcome->capacity.state == MAX_LOAD_BELOW)
        rc = rounds_measure(rounds, choice, 0, 0, &outcome->capacity, err);
    outcome->n_choices = c->n_configs;
    outcome->n_runs += c->n_configs;
    outcome->n_queries += c->n_queries;
    rounds_destroy(rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

static int tune(const struct tuner_config *config, const struct tuner_backend *backend,
                struct tuner_outcome *outcome, struct err *err)
{
    struct controller controller = {.config = config,
                                    .backend = backend,
                                    .has_accelerator = config->n_axes == 2,
                                    .cpu_line = {.n_places = CPU_PLACES},
                                    .accel_line = {.n_places = ACCEL_PLACES}};
    bool known = config->n_axes == 1 || config->n_axes == 2;
    for (size_t a = 0; known && a < config->n_axes; a++)
        known = config->axes[a].walk == (a == 0 ? SETTINGS_FACTORS : SETTINGS_STEPS);
    if (!known)
        return err_set(err, ERR_STUDY, "reference: only for a batch size and a threshold");
    if (control(&controller, err) != 0)
        return -1;
    return check_claim(config, backend, &controller, outcome, err);
}

const struct tuner_policy tuner_reference = {
    "reference", "the random-walk controller of harvard-acc/DeepRecSys, with its defects", tune};
