// SPDX-License-Identifier: Apache-2.0
// noise: how one service time is spread round its mean.
//
// A factor with mean 1 multiplies the table's nanoseconds: exponential, gamma or lognormal with a
// given coefficient of variation. The factor of request r of query q depends on (seed, RNG_NOISE,
// cell, q, r) alone: it goes with the query, whichever server it lands on, so two policies that are
// compared see the same luck. Computed by IEEE basic operations only (see rng.h).
//
// With a correlation time tau every server is at a state, a factor from the same distribution,
// which it leaves for a fresh one at the moments of a Poisson process of rate 1 / tau. A request
// has its server's state as its factor with probability sqrt(f), f = correlated_frac, else one of
// its own. So whatever the distribution, it stays that of every factor, and the factors of two
// requests that come to a server t apart have the correlation f e^(-t / tau); those of one query,
// f. The state is that of the moment when the query comes to the server, so it has nothing to do
// with the queue that it finds: mean and cv of service times are the same at any load.
//
// A state is a function of (seed, RNG_STATE, server of the fleet, time), not of what was asked
// before, so there is nothing to keep: time is cut into slots of length tau, each with draws of its
// own for the moments in it, which is the same process, as it has no memory.
#ifndef CLUSTER_NOISE_H
#define CLUSTER_NOISE_H

#include <stdint.h>

#include "base/rng.h"
#include "cluster/config.h"

struct noise {
    int64_t spread; // enum cost_spread
    double shape;   // gamma: 1 / cv^2
    double sigma;   // lognormal: sqrt(log(1 + cv^2))
    struct rng_stream draws;
    int64_t tau_ns;        // 0: no states
    double state_prob;     // that a request has its server's state
    uint32_t first_server; // number in the fleet of server 0 here; 0 until set
};

void noise_init(struct noise *noise, const struct noise_config *config, uint64_t seed,
                uint32_t cell);

// Without states.
#define NOISE_NO_STATE (-1.0)

// State of a server at t_ns >= 0, NOISE_NO_STATE where there are none.
double noise_state(const struct noise *noise, uint32_t server, int64_t t_ns);

// `ns` times the factor of (query seq, request r < 65536) on a server at that state, to the nearest
// nanosecond, but no longer than SIMTIME_LONGEST.
int64_t noise_apply(const struct noise *noise, int64_t ns, double state, uint64_t seq,
                    uint32_t request);

// The factor itself, for tests.
double noise_factor(const struct noise *noise, double state, uint64_t seq, uint32_t request);

#endif
