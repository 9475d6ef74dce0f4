// SPDX-License-Identifier: Apache-2.0
#include "traces/arrival.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "traces/ticks.h"

const struct arrival_type *const arrival_types[] = {
    &arrival_poisson,          &arrival_deterministic, &arrival_gamma,
    &arrival_hyperexponential, &arrival_mmpp,          &arrival_diurnal,
    &arrival_replay,           &arrival_poisson_ms,    NULL};

struct arrival {
    const struct arrival_type *type;
    _Alignas(max_align_t) unsigned char state[];
};

int64_t arrival_find(const char *name)
{
    for (int64_t i = 0; arrival_types[i]; i++)
        if (strcmp(arrival_types[i]->name, name) == 0)
            return i;
    return -1;
}

static bool needs_rate(const struct arrival_config *config)
{
    return !arrival_types[config->process]->carries_rate || config->rescale;
}

int arrival_check(const struct arrival_config *config, double rate_qps, struct err *err)
{
    const struct arrival_type *type = arrival_types[config->process];
    if (needs_rate(config) && (!(rate_qps > 0) || !isfinite(rate_qps)))
        return err_set(err, ERR_STUDY, "rate: expected more than 0 queries per second, got %g",
                       rate_qps);
    if (needs_rate(config) && rate_qps > ARRIVAL_MAX_QPS)
        return err_set(err, ERR_STUDY, "rate: expected at most %g queries per second, got %g",
                       ARRIVAL_MAX_QPS, rate_qps);
    return type->check ? type->check(config, err) : 0;
}

int arrival_load(struct arrival_config *config, struct err *err)
{
    const struct arrival_type *type = arrival_types[config->process];
    return type->load ? type->load(config, err) : 0;
}

void arrival_unload(struct arrival_config *config)
{
    if (config->owned_trace) {
        trace_destroy(config->owned_trace);
        config->trace = config->owned_trace = NULL;
    }
    mem_free(config->file_frac.v);
    config->file_frac = (struct reals){0, NULL};
}

void arrival_steady(struct arrival_config *config)
{
    const struct arrival_type *type = arrival_types[config->process];
    if (type == &arrival_replay)
        type = &arrival_poisson;
    else if (type == &arrival_diurnal)
        type = config->state_rate_frac.n > 0        ? &arrival_mmpp
               : config->cv != 0 && config->cv != 1 ? &arrival_gamma
                                                    : &arrival_poisson;
    config->process = arrival_find(type->name);
}

bool arrival_carries_sizes(const struct arrival_config *config)
{
    return arrival_types[config->process]->carries_rate &&
           config->sizes_from == ARRIVAL_SIZES_TRACE && config->trace && config->trace->size_items;
}

bool arrival_carries_histories(const struct arrival_config *config)
{
    return arrival_types[config->process]->carries_rate && config->trace &&
           config->trace->history_items;
}

double arrival_mean_qps(const struct arrival_config *config, double rate_qps)
{
    return needs_rate(config) || !config->trace ? rate_qps : trace_rate_qps(config->trace);
}

struct arrival *arrival_create(const struct arrival_setup *setup, struct err *err)
{
    assert(setup->share_num >= 1 && setup->share_first + setup->share_num <= setup->share_den);
    if (arrival_check(setup->config, setup->rate_qps, err))
        return NULL;
    const struct arrival_type *type = arrival_types[setup->config->process];
    assert(type->place_bytes <= ARRIVAL_PLACE_MAX && type->place_bytes <= type->state_bytes);
    struct arrival *arrival = mem_calloc(1, sizeof *arrival + type->state_bytes);
    arrival->type = type;
    if (type->start(arrival->state, setup, err)) {
        mem_free(arrival);
        return NULL;
    }
    return arrival;
}

void arrival_destroy(struct arrival *arrival)
{
    if (arrival && arrival->type->stop)
        arrival->type->stop(arrival->state);
    mem_free(arrival);
}

void arrival_fill(struct arrival *arrival, size_t n, int64_t *arrive_ns, uint32_t *records)
{
    for (size_t done = 0; done < n;) {
        size_t part = n - done < ARRIVAL_BLOCK ? n - done : ARRIVAL_BLOCK;
        arrival->type->fill(arrival->state, part, arrive_ns + done,
                            records ? records + done : NULL);
        done += part;
    }
}

size_t arrival_place_bytes(const struct arrival *arrival)
{
    return arrival->type->place_bytes;
}

void arrival_get_place(const struct arrival *arrival, void *place)
{
    memcpy(place, arrival->state, arrival->type->place_bytes);
}

bool arrival_set_place(struct arrival *arrival, const void *place)
{
    const struct arrival_type *type = arrival->type;
    memcpy(arrival->state, place, type->place_bytes);
    return !type->place_fits || type->place_fits(arrival->state);
}

double arrival_share_qps(const struct arrival_setup *setup)
{
    return setup->rate_qps * ((double)setup->share_num / (double)setup->share_den);
}

double arrival_gap_ticks(const struct arrival_setup *setup)
{
    return TICKS_PER_S / arrival_share_qps(setup);
}

bool arrival_place_fits(const void *state)
{
    const struct arrival_place *place = state;
    return ticks_in_range(place->now_ticks);
}

void arrival_accumulate(struct arrival_place *place, const int64_t *gaps_ticks, size_t n,
                        int64_t *arrive_ns)
{
    int64_t now = place->now_ticks, all_bits = 0;
    for (size_t i = 0; i < n; i++)
        all_bits |= gaps_ticks[i];
    // Sums that cannot come to TICKS_TOP, as nearly all: nothing to look at on the way.
    if (n <= ARRIVAL_BLOCK && all_bits < TICKS_TOP / 2 / ARRIVAL_BLOCK && now < TICKS_TOP / 2) {
        for (size_t i = 0; i < n; i++) {
            now += gaps_ticks[i];
            arrive_ns[i] = (int64_t)((uint64_t)now / TICKS_PER_NS);
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            now = ticks_add(now, gaps_ticks[i]);
            arrive_ns[i] = ticks_to_ns(now);
        }
    }
    place->now_ticks = now;
    place->index += n;
}
