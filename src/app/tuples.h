// SPDX-License-Identifier: Apache-2.0
// tuples: what one server of every type holds of every service, under every scheduler. [M]
//
// The efficiency tuples of Hercules (Ke et al., HPCA 2022): the largest rate that one server, alone
// with one service, holds within its target, and the watts that it draws meanwhile. A scheduler is
// a tuning policy (search/tuner.h): `fixed` and `static` bring their B and T, the others search
// them, as `recfleet tune` does and as hard as the study's `tune` section says. The rate is then
// searched on one server (excerpt.h) and Poisson arrivals.
//
// Pairs are dealt out over crews of ranks in rounds, the long ones first; after a round its tuples
// are on all ranks and in the memo. The result depends neither on the ranks nor on the memo.
#ifndef APP_TUPLES_H
#define APP_TUPLES_H

#include "app/ask.h"

// Collective (ask->eval->comm). Fills ask->staffing->tuples and ask->choices. rates: also search
// how much is held where a scheduler's B and T are given; else their tuples say B, T and idle power
// alone.
int tuples_find(struct ask *ask, bool rates, struct err *err);

// Not collective. Watts of a server with nothing to do.
double tuples_idle_w(const struct platform *platform);

#endif
