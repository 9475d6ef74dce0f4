// SPDX-License-Identifier: Apache-2.0
#include "search/plant.h"

#include <math.h>

#include "base/mem.h"
#include "base/rng.h"

enum { MOST_GRID = 256 };

struct toy {
    int64_t batch_items, offload_items;
};

static const struct field fields[] = {
    FIELD(toy, "batch_items", FIELD_INT, UNIT_ITEMS, batch_items, 0, 1e6, "1", "B"),
    FIELD(toy, "offload_items", FIELD_INT, UNIT_ITEMS, offload_items, 0, 1e6, "0", "T"), FIELD_END};

struct settings plant_choice(int64_t batch_items, int64_t offload_items)
{
    return settings_of(fields, &(struct toy){batch_items, offload_items});
}

int64_t plant_batch(struct settings choice)
{
    return settings_whole(&choice, "batch_items");
}

int64_t plant_offload(struct settings choice)
{
    return settings_whole(&choice, "offload_items");
}

struct plant plant_default(void)
{
    return (struct plant){
        .n_cores = 40,
        .max_items = 1000,
        .overhead_s = 0.5e-3,
        .work_s = 40e-6,
        .target_s = 25e-3,
        .seed = 1,
        .capacity = {.accuracy_frac = 0.01,
                     .first_queries = 20000,
                     .most_queries = 320000,
                     .floor_queries = 20000},
    };
}

struct plant plant_with_accelerator(void)
{
    struct plant plant = plant_default();
    plant.accel_fixed_s = 0.4e-3;
    plant.accel_s = 1.2e-6;
    return plant;
}

// One side of the server: what it can do at most, and its tail latency without load.
struct side {
    double bound_qps, base_s;
};

static struct side cpu_side(const struct plant *plant, struct settings choice)
{
    uint32_t largest = plant->max_items, batch = (uint32_t)plant_batch(choice);
    uint32_t from = (uint32_t)plant_offload(choice);
    if (plant->accel_s > 0 && from > 0 && from <= largest)
        largest = from - 1;
    double work_s = 0;
    for (uint32_t n = 1; n <= largest; n++) {
        uint32_t n_requests = (n + batch - 1) / batch;
        work_s += (n_requests * plant->overhead_s + n * plant->work_s) / plant->max_items;
    }
    if (batch >= plant->dent_from && batch <= plant->dent_to)
        work_s *= 1.5;
    batch = batch < largest ? batch : largest;
    return (struct side){work_s > 0 ? plant->n_cores / work_s : INFINITY,
                         work_s > 0 ? 1.5 * (plant->overhead_s + batch * plant->work_s) : 0};
}

static struct side accel_side(const struct plant *plant, struct settings choice)
{
    double work_s = 0;
    uint32_t from = (uint32_t)plant_offload(choice);
    for (uint32_t n = from; plant->accel_s > 0 && from > 0 && n <= plant->max_items; n++)
        work_s += (plant->accel_fixed_s + n * plant->accel_s) / plant->max_items;
    return (struct side){work_s > 0 ? 1 / work_s : INFINITY,
                         work_s > 0 ? 3 * (plant->accel_fixed_s + plant->max_items * plant->accel_s)
                                    : 0};
}

// base x (1 + rho / (1 - rho)) = base / (1 - rho)
static double side_latency_s(struct side side, double rate_qps)
{
    double rho = rate_qps / side.bound_qps;
    return rho < 1 ? side.base_s / (1 - rho) : INFINITY;
}

static double side_capacity_qps(struct side side, double target_s)
{
    if (side.base_s >= target_s)
        return 0;
    return isinf(side.bound_qps) ? INFINITY : side.bound_qps * (1 - side.base_s / target_s);
}

double plant_capacity_qps(const struct plant *plant, struct settings choice)
{
    double cpu_qps = side_capacity_qps(cpu_side(plant, choice), plant->target_s);
    double accel_qps = side_capacity_qps(accel_side(plant, choice), plant->target_s);
    return cpu_qps < accel_qps ? cpu_qps : accel_qps;
}

double plant_bound_qps(const struct plant *plant, struct settings choice)
{
    double cpu_qps = cpu_side(plant, choice).bound_qps;
    double accel_qps = accel_side(plant, choice).bound_qps;
    return cpu_qps < accel_qps ? cpu_qps : accel_qps;
}

// Standard normal (Box and Muller), by address.
static double normal_at(const struct plant *plant, uint64_t entity, uint64_t index)
{
    struct rng_stream stream = rng_stream(plant->seed, RNG_TEST, entity);
    uint64_t words[2];
    rng_block(&stream, index, words);
    return sqrt(-2 * log(rng_u01(words[0]))) * cos(2 * M_PI * rng_u01(words[1]));
}

static uint64_t hash_of(const struct measure_point *point)
{
    return (uint64_t)(point->rate_qps * 1000) ^ (uint64_t)plant_batch(point->choice) << 40 ^
           (uint64_t)plant_offload(point->choice) << 52;
}

static double noise_of(const struct plant *plant, const struct measure_point *point)
{
    uint64_t common = point->n_queries * 64 + point->stream;
    return sqrt(0.5) * (normal_at(plant, 1, common) +
                        normal_at(plant, 2, common * 0x9e3779b97f4a7c15 ^ hash_of(point)));
}

int plant_measure(void *user, const struct measure_point *point, struct measurement *result,
                  struct err *err)
{
    struct plant *plant = user;
    if (plant->fail_after > 0 && plant->n_runs >= plant->fail_after)
        return err_set(err, ERR_FAIL, "the plant is down");
    plant->n_runs++;
    plant->n_queries += point->n_queries;
    *result = measurement_none(VERDICT_UNSURE);
    result->n_queries = point->n_queries;
    result->sla_s = plant->target_s;
    result->tail = VERDICT_MET;
    double rate_qps = point->rate_qps;
    double cpu_s = side_latency_s(cpu_side(plant, point->choice), rate_qps);
    double accel_s = side_latency_s(accel_side(plant, point->choice), rate_qps);
    double latency_s = cpu_s > accel_s ? cpu_s : accel_s;
    if (isinf(latency_s)) {
        result->stable = result->sla = VERDICT_MISSED;
        return 0;
    }
    double sd = plant->noise / sqrt((double)point->n_queries);
    if (rate_qps >= plant->hole_from_qps && rate_qps < plant->hole_to_qps)
        latency_s += 2 * plant->target_s;
    if (rate_qps >= plant->fog_from_qps && rate_qps < plant->fog_to_qps)
        latency_s = plant->target_s, sd = 0.1;
    result->stable = VERDICT_MET;
    result->sla_latency_s.value = latency_s * (1 + sd * noise_of(plant, point));
    result->sla_latency_s.half_95 = 1.96 * sd * latency_s;
    result->sla = measurement_judge(result->sla_latency_s, plant->target_s, 1);
    if (plant->tail_bound_s > 0) {
        result->tail_bound_s = plant->tail_bound_s;
        result->p99_s.value = plant->tail_times * result->sla_latency_s.value;
        result->p99_s.half_95 = plant->tail_times * result->sla_latency_s.half_95;
        result->tail = measurement_judge(result->p99_s, plant->tail_bound_s, 1);
    }
    result->served_qps = rate_qps;
    return 0;
}

static int do_round(void *user, struct tuner_job *jobs, size_t n, struct err *err)
{
    struct plant *plant = user;
    plant->n_choices += n;
    for (size_t i = 0; i < n; i++) {
        struct tuner_job *job = &jobs[plant->backwards ? n - 1 - i : i];
        if (max_load_search(&plant->capacity, &job->task, plant_measure, plant, &job->capacity,
                            &job->trials, err) != 0)
            return -1;
    }
    return 0;
}

static double backend_bound_qps(const void *user, const struct settings *choice)
{
    const struct plant *plant = user;
    return plant->no_bound ? INFINITY : plant_bound_qps(plant, *choice);
}

static int backend_known(const void *user, const struct settings *choice, struct err *err)
{
    const struct plant *plant = user;
    int64_t batch = plant_batch(*choice);
    if (plant->known_to == 0 || (batch >= plant->known_from && batch <= plant->known_to))
        return 0;
    return err_set(err, ERR_STUDY, "B = %lld is not known", (long long)batch);
}

// Queries of T and more are not on the CPU.
static void backend_simplify(const void *user, struct settings *choice)
{
    int64_t largest = ((const struct plant *)user)->max_items, from = plant_offload(*choice);
    from = from > largest ? 0 : from;
    if (from > 0)
        largest = from > 1 ? from - 1 : 1;
    int64_t batch = plant_batch(*choice);
    *choice = plant_choice(batch < largest ? batch : largest, from);
}

static double backend_cpu_s(const void *user, uint32_t items)
{
    const struct plant *plant = user;
    return plant->overhead_s + items * plant->work_s;
}

static double backend_accel_s(const void *user, uint32_t items)
{
    const struct plant *plant = user;
    return plant->accel_fixed_s + items * plant->accel_s;
}

static uint64_t word(const struct plant *plant, uint64_t entity, uint64_t i)
{
    struct rng_stream stream = rng_stream(plant->seed, RNG_TEST, entity);
    uint64_t words[2];
    rng_block(&stream, i, words);
    return words[0];
}

static uint32_t backend_size_items(const void *user, uint64_t i)
{
    const struct plant *plant = user;
    return 1 + rng_below((uint32_t)(word(plant, 3, i) >> 32), plant->max_items);
}

static double backend_uniform(const void *user, uint64_t i)
{
    return rng_u01(word(user, 4, i));
}

struct tuner_backend plant_backend(struct plant *plant)
{
    return (struct tuner_backend){.user = plant,
                                  .server = plant,
                                  .round = do_round,
                                  .bound_qps = backend_bound_qps,
                                  .known = backend_known,
                                  .simplify = backend_simplify,
                                  .cpu_s = backend_cpu_s,
                                  .accel_s = backend_accel_s,
                                  .size_items = backend_size_items,
                                  .uniform = backend_uniform};
}

struct tuner_config plant_config(const struct plant *plant)
{
    return (struct tuner_config){
        .capacity = plant->capacity,
        .n_cores = plant->n_cores,
        .n_servers = 1,
        .plain = plant_choice((plant->max_items + plant->n_cores - 1) / plant->n_cores, 0),
        .fixed = plant_choice(1, 0),
        .axes = {{"batch_items", SETTINGS_FACTORS, plant->max_items, NULL, 0},
                 {"offload_items", SETTINGS_STEPS, plant->max_items, NULL, 0}},
        .n_axes = plant->accel_s > 0 ? 2 : 1,
        .target_s = plant->target_s};
}

double plant_best_qps(const struct plant *plant)
{
    const struct tuner_config config = plant_config(plant);
    int64_t batches[MOST_GRID], offloads[MOST_GRID] = {0};
    size_t n_batches = tuner_default(&config.axes[0], batches, MOST_GRID), n_offloads = 1;
    if (plant->accel_s > 0)
        n_offloads += tuner_default(&config.axes[1], offloads + 1, MOST_GRID - 1);
    double best_qps = 0;
    for (size_t b = 0; b < n_batches; b++)
        for (size_t t = 0; t < n_offloads; t++) {
            double qps = plant_capacity_qps(plant, plant_choice(batches[b], offloads[t]));
            best_qps = qps > best_qps ? qps : best_qps;
        }
    return best_qps;
}
