// SPDX-License-Identifier: Apache-2.0
// queue: a fleet of equal synthetic servers, or a study, simulated in this process. [M]
//
//     struct queue q = queue_of(4, 0.7); // M/M/4 at 70 %
//     q.seed = 7;
//     struct summary *s = queue_run(&q);
//     ... summary_total(s)->wait_mean_s ...
//     summary_destroy(s);
//
// Times in struct queue are in mean service times, and a service takes QUEUE_SERVICE_S. Every run
// measures all of itself but the warm-up. An error ends the program: there is no test without it.
#ifndef THEORY_QUEUE_H
#define THEORY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "results/summary.h"

// Long against the nanosecond that times are rounded to, and against the delays of 1 us.
#define QUEUE_SERVICE_S 10e-3
#define QUEUE_DELAY_S 1e-6

struct queue {
    uint32_t n_servers, n_cores;
    double rho;                // utilisation
    struct noise_config noise; // of the service time
    struct slow_config slow;   // rho is then that of the servers that are not
    double fixed, per_item;    // a batch of n queries takes fixed + per_item n
    const char *scheduler;     // settings of the scheduler "queue"; NULL: that is "split"
    // Items of a query: 1, or, with max_items, lognormal(mu, sigma) to the nearest from 1 to that.
    double mu, sigma;
    uint32_t max_items;
    // An accelerator of so many streams, which takes the same after a copy; 0: there is none.
    uint32_t n_streams;
    double copy;
    bool overlap;
    const char *policy; // "random" has no delays, others have QUEUE_DELAY_S each way
    uint64_t seed;
    double warmup, duration; // in service times; the duration is without the warm-up
    uint32_t n_bins;
};

// One M/M/k server with exponential service, seed 1, for n_queries after a warm-up.
struct queue queue_of(uint32_t n_cores, double rho, double n_queries);

// Collective (MPI_COMM_WORLD), which must be one rank. Caller summary_destroy()s.
struct summary *queue_run(const struct queue *queue);

// Collective (MPI_COMM_WORLD), which must be one rank. The same for a study file with settings
// ("key=value") changed. Caller summary_destroy()s.
struct summary *queue_run_study(const char *path, const char *const *settings, size_t n_settings);

// Checks that `truth` lies in the interval at 99 % (Check assertion) and that the interval's
// half-width is below `narrow_frac` of it; prints both, named `what`. `scale` divides the estimate:
// QUEUE_SERVICE_S for times, 1 for fractions. `offset` is taken off before: a delay.
void queue_check(const char *what, const struct ci *ci, double offset, double scale, double truth,
                 double narrow_frac);

#endif
