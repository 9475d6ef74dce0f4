// SPDX-License-Identifier: Apache-2.0
// static, fixed: a choice that is given, and how much it serves.
#include "search/tuner.h"

#include "search/rounds.h"

static int measure_one(const struct tuner_config *config, const struct tuner_backend *backend,
                       struct settings choice, struct tuner_outcome *outcome, struct err *err)
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
    return measure_one(config, backend, config->plain, outcome, err);
}

static int tune_fixed(const struct tuner_config *config, const struct tuner_backend *backend,
                      struct tuner_outcome *outcome, struct err *err)
{
    return measure_one(config, backend, config->fixed, outcome, err);
}

const struct tuner_policy tuner_static = {
    "static", "the largest query over all cores, nothing to the accelerator", tune_static};
const struct tuner_policy tuner_fixed = {"fixed", "batch size and threshold as the study has them",
                                         tune_fixed};
