// SPDX-License-Identifier: Apache-2.0
// formula: what queueing theory says, to compare runs with.
//
// Queues with Poisson arrivals and first come, first served. Times are in units of the mean
// service time; `rho` is the utilisation per core, below 1. The formulas are in any textbook (for
// instance Kleinrock, Queueing Systems I, 1975, chapters 3 and 5; Mitzenmacher, The Power of Two
// Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001).
#ifndef THEORY_FORMULA_H
#define THEORY_FORMULA_H

#include <stdbool.h>
#include <stdint.h>

// M/M/k: probability that a query waits (Erlang C), mean wait, and quantile q of the response.
double formula_mmk_waits(uint32_t k, double rho);
double formula_mmk_wait(uint32_t k, double rho);
double formula_mmk_response(uint32_t k, double rho, double q);
// M/M/k: mean number of queries waiting or in service.
double formula_mmk_inside(uint32_t k, double rho);

// M/M/1 queues that a query picks from at random, a part `slow_frac` of which serve `factor` times
// as slowly: quantile q of the response; rho is that of the others.
double formula_mixed_response(double rho, double slow_frac, double factor, double q);

// M/G/1: mean wait (Pollaczek and Khinchine) for a service time of coefficient of variation cv.
double formula_mg1_wait(double rho, double cv);

// M/G/1 whose service time is proportional to the items of a query, lognormal(mu, sigma) to the
// nearest from 1 to max_items, which takes the query of the fewest items first and interrupts none:
// mean items, and mean wait in mean services. Every size is a class of its own (Cobham, Priority
// Assignment in Waiting Line Problems, Operations Research 2(1), 1954).
struct formula_shortest {
    double mean_items, wait;
};
struct formula_shortest formula_shortest(double rho, double mu, double sigma, uint32_t max_items);

// A server that takes up to `most` waiting queries at once, Poisson arrivals, of which `load` come
// per mean service; the service time of a batch does not depend on what is in it. Greedy: an idle
// server takes what is there. Full: it waits until there are `most`.
struct formula_bulk {
    double wait;       // mean
    double busy_frac;  // of a server
    double waits_frac; // of the queries
};
// One server, service of coefficient of variation cv (0: constant; 1: exponential; else gamma), by
// the roots of z^most = E z^(arrivals in a service): Bailey, On Queueing Processes with Bulk
// Service, J. R. Stat. Soc. B 16(1), 1954; Neuts, A General Class of Bulk Queues with Poisson
// Input, Ann. Math. Stat. 38(3), 1967. load < most.
struct formula_bulk formula_bulk(uint32_t most, bool full, double load, double cv);
// k greedy servers, exponential service: beyond k batches in service the number that waits is
// geometric (for instance Chaudhry and Templeton, A First Course in Bulk Queues, 1983).
struct formula_bulk formula_bulk_mmk(uint32_t k, uint32_t most, double load);

// One server that takes all that waits, as soon as it is idle and the oldest has waited for `hold`:
// a batch of n takes exactly fixed + per_item n. Batches begin with nobody left behind, so the size
// of one depends on that of the one before alone: a Markov chain, whose transitions are those of a
// Poisson process over what is left of a service. Small loads: 40 is far above what a batch holds.
struct formula_hold {
    double load, fixed, per_item, hold;
};
struct formula_hold_means {
    double response, busy_frac, batch;
};
struct formula_hold_means formula_hold(const struct formula_hold *queue);
double formula_hold_response(const struct formula_hold *queue, double q);

// Poisson traffic to infinitely many M/M/1 servers, each query to the shorter of two random queues:
// probability that a query meets at least n queries at its server, the mean response, and quantile
// q of the response.
double formula_two_meets(double rho, uint32_t n);
double formula_two_mean(double rho);
double formula_two_response(double rho, double q);

#endif
