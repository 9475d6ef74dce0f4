// SPDX-License-Identifier: Apache-2.0
#include "models/cost.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "models/cost_roofline.h"
#include "models/cost_synthetic.h"
#include "models/cost_table.h"

struct cost {
    const struct cost_type *type;
    const struct cost_type *cpu, *accel; // whose times: the type's, or those of `rest`
    const struct cost_config *config;
    const struct model *model;
    const struct platform *platform;
    struct model_work work;
    double cpu_scale, accel_scale;
    double history_mean, history_square; // of the queries' histories
    void *state;                         // of the kind that prepares, NULL when none does
};

const char *const cost_spread_names[] = {"none", "exponential", "gamma", "lognormal", NULL};

const struct cost_type *const cost_types[] = {&cost_roofline, &cost_table, &cost_synthetic, NULL};

int cost_type_find(const char *name)
{
    for (int i = 0; cost_types[i]; i++)
        if (strcmp(cost_types[i]->name, name) == 0)
            return i;
    return -1;
}

static int check_cold(const struct cost_config *config, struct err *err)
{
    if (!(config->cold_factor > 1) || (config->cooling_s > 0 && config->warming_s > 0))
        return 0;
    return err_set(err, ERR_STUDY, "%s: a cold_factor above 1 needs it above 0",
                   config->cooling_s > 0 ? "warming_time" : "cooling_time");
}

// A kind that knows of no histories would leave out what a model does with them.
static int check_history(const struct cost *cost, struct err *err)
{
    if (cost->type->history || !work_has_history(&cost->work))
        return 0;
    return err_set(err, ERR_STUDY,
                   "the model \"%s\" reads a history, of which the %s cost knows nothing",
                   cost->model->name ? cost->model->name : "", cost->type->name);
}

static double scale_of(double value)
{
    return value > 0 ? value : 1;
}

// What a table lacks is the roofline's, where the study asks for that. Scales are of what was
// measured. A table prepares nothing, so the state is the roofline's.
static int fill_in(struct cost *cost, struct err *err)
{
    bool lacks_cpu = cost->type->has_cpu && !cost->type->has_cpu(cost);
    bool lacks_accel = cost->platform->has_accelerator && !cost->type->has_accel(cost);
    cost->cpu = cost->accel = cost->type;
    cost->cpu_scale = scale_of(cost->config->cpu_scale);
    cost->accel_scale = scale_of(cost->config->accel_scale);
    if (cost->type != &cost_table || cost->config->rest != COST_REST_ROOFLINE ||
        (!lacks_cpu && !lacks_accel))
        return 0;
    if (lacks_cpu) {
        cost->cpu = &cost_roofline;
        cost->cpu_scale = 1;
    }
    if (lacks_accel) {
        cost->accel = &cost_roofline;
        cost->accel_scale = 1;
    }
    return cost_roofline.check(cost, err);
}

static void prepare(struct cost *cost)
{
    const struct cost_type *const types[] = {cost->cpu, cost->accel};
    for (size_t i = 0; i < 2 && !cost->state; i++)
        if (types[i]->prepare) {
            cost->state = mem_calloc(1, types[i]->state_size);
            types[i]->prepare(cost, cost->state);
        }
}

struct cost *cost_create(const struct cost_config *config, const struct model *model,
                         const struct platform *platform, struct err *err)
{
    assert(config && platform && config->kind >= 0);
    if (platform_check(platform, err) != 0 || (model && model_check(model, err) != 0))
        return NULL;
    struct cost *cost = mem_calloc(1, sizeof *cost);
    cost->type = cost_types[config->kind];
    cost->config = config;
    cost->model = model;
    cost->platform = platform;
    if (model)
        model_derive(model, &cost->work);
    if (check_cold(config, err) != 0 || check_history(cost, err) != 0 ||
        cost->type->check(cost, err) != 0 || fill_in(cost, err) != 0) {
        cost_destroy(cost);
        return NULL;
    }
    prepare(cost);
    return cost;
}

void cost_destroy(struct cost *cost)
{
    if (cost)
        mem_free(cost->state);
    mem_free(cost);
}

static const struct cost_type *type_at(const struct cost *cost, enum cost_place place)
{
    return place == COST_CPU ? cost->cpu : cost->accel;
}

static double scale_at(const struct cost *cost, enum cost_place place)
{
    return place == COST_CPU ? cost->cpu_scale : cost->accel_scale;
}

double cost_bare_s(const struct cost *cost, enum cost_place place, uint32_t items,
                   uint32_t busy_cores)
{
    assert(items >= 1 && busy_cores >= 1 && busy_cores <= cost->platform->cores);
    const struct cost_type *type = type_at(cost, place);
    double s = place == COST_CPU    ? type->cpu_s(cost, items, busy_cores)
               : place == COST_LOAD ? type->accel_load_s(cost, items)
                                    : type->accel_compute_s(cost, items);
    return scale_at(cost, place) * s;
}

bool cost_has_history(const struct cost *cost)
{
    static const enum cost_place places[] = {COST_CPU, COST_LOAD, COST_ACCEL};
    bool has = work_has_history(&cost->work);
    for (size_t i = 0; !has && i < (cost_has_accel(cost) ? 3 : 1); i++) {
        const struct cost_history history = cost_history(cost, places[i], 1);
        has = history.item_s > 0 || history.square_s > 0 || history.item_history_s > 0;
    }
    return has;
}

void cost_set_history(struct cost *cost, double mean_items, double mean_square)
{
    cost->history_mean = mean_items;
    cost->history_square = mean_square;
}

struct cost_history cost_history(const struct cost *cost, enum cost_place place,
                                 uint32_t busy_cores)
{
    struct cost_history history = {0};
    double scale = scale_at(cost, place);
    if (type_at(cost, place)->history)
        type_at(cost, place)->history(cost, place, busy_cores, &history);
    history.item_s *= scale;
    history.square_s *= scale;
    history.item_history_s *= scale;
    return history;
}

static double mean_s(const struct cost *cost, enum cost_place place, uint32_t items,
                     uint32_t busy_cores)
{
    double s = cost_bare_s(cost, place, items, busy_cores);
    if (!(cost->history_mean > 0))
        return s;
    const struct cost_history history = cost_history(cost, place, busy_cores);
    return s + history.item_s * cost->history_mean + history.square_s * cost->history_square +
           history.item_history_s * cost->history_mean * items;
}

double cost_cpu_s(const struct cost *cost, uint32_t items, uint32_t busy_cores)
{
    return mean_s(cost, COST_CPU, items, busy_cores);
}

bool cost_has_cold(const struct cost *cost)
{
    return cost->config->cold_factor > 1;
}

double cost_memory_bytes(const struct cost *cost)
{
    return cost->work.table_bytes + work_weight_bytes(&cost->work);
}

static bool fits_accel(const struct cost *cost)
{
    double memory_bytes = cost->platform->accelerator.memory_bytes;
    return memory_bytes <= 0 || cost_memory_bytes(cost) <= memory_bytes;
}

bool cost_has_accel(const struct cost *cost)
{
    return cost->platform->has_accelerator && cost->accel->has_accel(cost) && fits_accel(cost);
}

int cost_check_accel(const struct cost *cost, struct err *err)
{
    const struct cost_table *table = cost->config->measured;
    const struct accelerator *accelerator = &cost->platform->accelerator;
    if (cost_has_accel(cost))
        return 0;
    if (!cost->platform->has_accelerator)
        return err_set(err, ERR_STUDY, "the group has no accelerator");
    if (!cost->accel->has_accel(cost))
        return table ? err_set(err, ERR_STUDY, "the measured table \"%s\" has no accelerator times",
                               table->name)
                     : err_set(err, ERR_STUDY, "the %s cost has no accelerator times",
                               cost->type->name);
    return err_set(err, ERR_STUDY,
                   "the accelerator \"%s\" has %.3g GB of memory, and %.3g GB of tables and "
                   "weights are needed",
                   accelerator->name, accelerator->memory_bytes * 1e-9,
                   cost_memory_bytes(cost) * 1e-9);
}

double cost_accel_load_s(const struct cost *cost, uint32_t items)
{
    assert(cost_has_accel(cost));
    return mean_s(cost, COST_LOAD, items, 1);
}

double cost_accel_compute_s(const struct cost *cost, uint32_t items)
{
    assert(cost_has_accel(cost));
    return mean_s(cost, COST_ACCEL, items, 1);
}

bool cost_depends_on_busy(const struct cost *cost)
{
    return cost->cpu->depends_on_busy(cost);
}

const struct cost_type *cost_type_of(const struct cost *cost)
{
    return cost->type;
}

const struct cost_config *cost_config_of(const struct cost *cost)
{
    return cost->config;
}

const struct model *cost_model_of(const struct cost *cost)
{
    return cost->model;
}

const struct platform *cost_platform_of(const struct cost *cost)
{
    return cost->platform;
}

const struct model_work *cost_work_of(const struct cost *cost)
{
    return &cost->work;
}

const void *cost_state_of(const struct cost *cost)
{
    return cost->state;
}
