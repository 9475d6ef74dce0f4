// SPDX-License-Identifier: Apache-2.0
// tunable: a study's probe as what the tuning policies of src/search want. [M]
//
// `recfleet tune` and the efficiency tuples of `recfleet capacity` search alike: the settings of
// the section `tune`, a probe (probe.h) that measures, and a crew (crew.h) that measures side by
// side. Here these become a struct tuner_config and a struct tuner_backend.
//
//     struct tuner_config config = tunable_config(study, probe);
//     struct crew_bench bench = {crew, probe, &config.capacity};
//     const struct tuner_backend backend = tunable_backend(&bench);
//     rc = policy->tune(&config, &backend, &outcome, err);
//     tunable_release(&config);
#ifndef RUNS_TUNABLE_H
#define RUNS_TUNABLE_H

#include "runs/crew.h"
#include "search/tuner.h"
#include "study/study.h"

// Above a rate that was found by so much, the target must be missed: what a confirmation looks at.
#define TUNABLE_OVER_FRAC 0.05

// Not collective. What the searches of a study need to know. Its grids are owned:
// tunable_release().
struct tuner_config tunable_config(const struct study *study, const struct probe *probe);
// Not collective. Can the policies static, fixed and reference, where the study asks for them, be
// measured? Not where they need times that no table knows (probe_known()). The study has passed
// probe_check().
int tunable_check(const struct study *study, struct err *err);
// Not collective. Releases the grids.
void tunable_release(struct tuner_config *config);

// Not collective. `bench` is borrowed as long as the backend is used; its functions are collective
// over the bench's crew.
struct tuner_backend tunable_backend(struct crew_bench *bench);

// Not collective. How long a search by that policy takes for such a server, relative to others: a
// guess, to deal work out evenly.
double tunable_weight(const struct study_group *group, const struct tuner_policy *policy);

#endif
