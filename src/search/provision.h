// SPDX-License-Identifier: Apache-2.0
// provision: how many servers of which type serve which service.
//
// The problem of Hercules (Ke et al., HPCA 2022; arXiv 2203.07424): given what one server of type h
// serves of service m within its target, QPS[h,m], choose N[h,m] >= 0, whole, to
//
//     minimise   sum_hm  price[h,m] N[h,m]
//     subject to sum_h   QPS[h,m] N[h,m] >= load[m] (1 + headroom)     for every service m
//                sum_m   N[h,m] <= available[h]                        for every type h
//
// where price is what the objective counts: 1 (servers), watts, money or grams of CO2 per hour.
//
// Three methods, from knowing least to most:
//   blind    takes servers as they come: of every type in proportion to what is left of it,
//   whatever
//            it is good at, until the service is served; services in their order
//   greedy   service by service, the largest load in servers first, the type with the most QPS per
//            price first
//   optimal  the integer programme, solved by branch and cut with a limit on nodes; never worse
//   than
//            the other two, whose answers it starts from. `bound` is that of the relaxation, so the
//            gap to the best there can be is known.
//
// Deterministic: no limit is a time.
#ifndef SEARCH_PROVISION_H
#define SEARCH_PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum provision_method { PROVISION_BLIND, PROVISION_GREEDY, PROVISION_OPTIMAL, N_PROVISION_METHODS };
extern const char *const provision_method_names[]; // "blind" "greedy" "optimal" NULL

// All borrowed; [type][service] is type-major.
struct provision_problem {
    uint32_t n_types, n_services;
    const double *qps;         // [type][service] that one server holds; 0 (or NaN): none
    const double *price;       // [type][service] of one server, in units of the objective, > 0
    const double *load_qps;    // [service] >= 0
    const uint32_t *available; // [type]
    double headroom_frac;      // R
};

struct provision {
    uint32_t *n_servers; // [type][service]; owned, provision_release()
    double objective;    // sum of price times servers
    double bound;        // no plan is cheaper; NaN but for optimal
    bool proven;         // optimal: no better plan exists
};

// What is missing when no plan exists: the least shortage, spread over services as the programme
// with slack finds it.
struct provision_shortage {
    double *missing_qps; // [service]; owned, provision_release_shortage()
};

enum provision_state {
    PROVISION_FOUND,
    PROVISION_FAILED,     // the method finds none, though there may be one
    PROVISION_IMPOSSIBLE, // there is none: *shortage says what is missing
    N_PROVISION_STATES
};

// Fills *provision when found, *shortage when impossible; the other is zeroed. Fails (-1) only on a
// numerical failure of the solver.
int provision_solve(const struct provision_problem *problem, enum provision_method method,
                    enum provision_state *state, struct provision *provision,
                    struct provision_shortage *shortage, struct err *err);
void provision_release(struct provision *provision); // empties it
void provision_release_shortage(struct provision_shortage *shortage);

#endif
