// SPDX-License-Identifier: Apache-2.0
// rng_purpose: the one list of what random draws are for.
//
// A draw is addressed by (seed, purpose, entity, index). Two purposes never share a number, so two
// parts of the program never share a draw, and adding a draw in one place never shifts another.
// Numbers are part of the results of old studies: append, never renumber.
#ifndef BASE_RNG_PURPOSE_H
#define BASE_RNG_PURPOSE_H

// The entity that each purpose is drawn for stands behind it.
enum rng_purpose {
    RNG_ARRIVAL = 1,      // (cell, service) stream: gaps between queries
    RNG_SIZE = 2,         // (cell, service) stream: items per query
    RNG_MODULATE = 3,     // (cell, service) stream: state changes of a modulated process
    RNG_BALANCE = 4,      // cell: candidates of the balancer, by query
    RNG_NOISE = 5,        // cell: service time factors, by query and request
    RNG_SAMPLE = 6,       // cell: which queries the uniform sample keeps
    RNG_REPLAY = 7,       // service: which cell a replayed query goes to
    RNG_TRACE = 8,        // recfleet trace make
    RNG_TEST = 9,         // tests only
    RNG_TUNE = 10,        // 0: sizes, 1: gaps of the reference controller's own little server
    RNG_REPLICATION = 11, // 0: seeds of a point's replications, by replication
    RNG_CRASH = 12,       // server of the fleet: up and down times, in turn
    RNG_FAILOVER = 13,    // cell: which cell its queries go to while it is out, by query
    RNG_SLICE = 14, // 0: seeds of a capacity study's simulations, 1: their cells, 2: places in time
    RNG_SPREAD = 15,  // service: where inside its tick a record of a coarse trace arrives
    RNG_STATE = 16,   // server of the fleet: when its service times change together, and to what
    RNG_SLOW = 17,    // (cell, group): which of its servers are slow, by server
    RNG_HISTORY = 18, // (cell, service) stream: history per query
    RNG_WEIGHTS = 19, // layer of a model that runs: 2 i its weights, 2 i + 1 its biases
    RNG_ROWS = 20,    // table of a model that runs: its rows
    RNG_INPUTS = 21,  // of a model that runs: 0: dense features, else RNG_INPUTS_ENTITY: lookups
    RNG_PROFILE = 22, // recfleet profile: thread: sizes of the mix; 2^32 + round: its order
    RNG_N_PURPOSES
};

// One number for a (cell, service) pair: cells and services stay apart up to 2^32 and 2^16.
#define RNG_ENTITY(cell, service) (((uint64_t)(cell) << 16) | (uint64_t)(service))

// One for the lookups in a table of candidates (who 0), of a history (1), of a request (2).
#define RNG_INPUTS_ENTITY(who, table) (((uint64_t)(who) << 32) + 1 + (uint64_t)(table))

#endif
