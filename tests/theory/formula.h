// SPDX-License-Identifier: Apache-2.0
// formula: what queueing theory says, to compare runs with.
//
// Queues with Poisson arrivals and first come, first served. Times are in units of the mean
// service time; `rho` is the utilisation per core, below 1. The formulas are in any textbook (for
// instance Kleinrock, Queueing Systems I, 1975, chapters 3 and 5; Mitzenmacher, The Power of Two
// Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001).
#ifndef THEORY_FORMULA_H
#define THEORY_FORMULA_H

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

// Poisson traffic to infinitely many M/M/1 servers, each query to the shorter of two random queues:
// probability that a query meets at least n queries at its server, the mean response, and quantile
// q of the response.
double formula_two_meets(double rho, uint32_t n);
double formula_two_mean(double rho);
double formula_two_response(double rho, double q);

#endif
