// SPDX-License-Identifier: Apache-2.0
// static, fixed: a choice that is given, and how much it serves.
#include "search/tuner.h"

#include "search/rounds.h"

static int measure_one(const struct tuner_config *config, const struct tuner_backend *backend,
                       struct choice choice, struct tuner_outcome *outcome, struct err *err)
{
    struct rounds *rounds = rounds_create(config, backend, outcome);
    outcome->choice = choice;
    int rc = rounds_measure(rounds, choice, 0, 0, &outcome->capacity, err);
    outcome->claimed_qps = outcome->capacity.held_qps;
    rounds_destroy(rounds);
    if (rc != 0)
        tuner_release(outcome);
    return rc;
}

static int tune_static(const struct tuner_config *config, const struct tuner_backend *backend,
                       struct tuner_outcome *outcome, struct err *err)
{
    struct choice choice = {(config->max_items + config->n_cores - 1) / config->n_cores, 0};
    return measure_one(config, backend, choice, outcome, err);
}

static int tune_fixed(const struct tuner_config *config, const struct tuner_backend *backend,
                      struct tuner_outcome *outcome, struct err *err)
{
    if (config->fixed.batch_items < 1)
        return err_set(err, ERR_STUDY, "batch_items: expected at least 1, got 0");
    if (config->fixed.offload_items > 0 && !config->has_accelerator)
        return err_set(err, ERR_STUDY,
                       "offload_items: %u was asked for and the platform has no accelerator",
                       config->fixed.offload_items);
    return measure_one(config, backend, config->fixed, outcome, err);
}

const struct tuner_policy tuner_static = {
    "static", "the largest query over all cores, nothing to the accelerator", tune_static};
const struct tuner_policy tuner_fixed = {"fixed", "batch size and threshold as the study has them",
                                         tune_fixed};
