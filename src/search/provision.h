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
// Three methods, from knowing least to most. All know which types hold nothing of a service.
//   blind    Services in their order. Each takes servers one by one as they come, of every type in
//            proportion to what is left of it, whatever it is good at: the next is of the type
//            whose share lags most (Webster's divisors; of equals the first), until it is served.
//   greedy   Services by the number of servers that the load asks of the service's best type, most
//            first. Each takes the type of most QPS per price first (of equals the one of most QPS,
//            then the first), as many as it needs or there are, then the next.
//   optimal  The integer programme, by branch and cut with a limit on nodes. Starts from the better
//            answer of the other two, so it is never worse. `bound` says how much better the best
//            there can be.
//
// A load is served when what its servers hold reaches it within one part in 10^12, so that decimal
// fractions, which no double holds exactly, do not cost a server. Deterministic: no limit is a
// time.
#ifndef SEARCH_PROVISION_H
#define SEARCH_PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "search/assignment.h" // struct provision_problem

enum provision_method { PROVISION_BLIND, PROVISION_GREEDY, PROVISION_OPTIMAL, N_PROVISION_METHODS };
extern const char *const provision_method_names[]; // "blind" "greedy" "optimal" NULL

struct provision {
    uint32_t *n_servers; // [type][service]; owned, provision_release()
    double objective;    // sum of price times servers
    double bound;        // no plan is cheaper; NaN but for optimal; the objective when proven
    bool proven;         // optimal: no better plan exists, by more than a part in 10^9
};

// What is missing when no plan exists, of load (1 + headroom). Every service lacks at least what
// the whole fleet could not serve of it, had it nothing else to do; of the rest, the same fraction
// at most, as small as can be; then as little as can be in the sum of fractions. Servers may be
// split for that. Where they would do if split, but not whole, it is the least sum of fractions
// that whole ones leave (as far as the limit on nodes lets see).
struct provision_shortage {
    double *missing_qps; // [service]; owned, provision_release_shortage()
};

enum provision_state {
    PROVISION_FOUND,
    PROVISION_FAILED,     // the method finds none, though there is one, or may be
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
