// SPDX-License-Identifier: Apache-2.0
// efficiency: what one server of every type holds of every service, under every scheduler. [M]
//
// The efficiency tuples of Hercules (Ke et al., HPCA 2022): the largest rate that one server, alone
// with one service, holds within its target, and the watts that it draws meanwhile. A scheduler is
// a tuning policy (search/tuner.h): `fixed` and `static` bring their settings, the others search
// them, as `recfleet tune` does and as hard as the study's `tune` section says. The rate is then
// searched on one server (single_server.h) and Poisson arrivals.
//
// Pairs are dealt out over crews of ranks in rounds, the long ones first; after a round its tuples
// are on all ranks and in the memo. The result depends neither on the ranks nor on the memo.
#ifndef CAPACITY_EFFICIENCY_H
#define CAPACITY_EFFICIENCY_H

#include "capacity/capacity_context.h"

// Collective (context->eval->comm). Fills context->answer->tuples and context->choices. rates:
// also search how much is held where a scheduler's settings are given; else their tuples say
// the settings and idle power alone.
int efficiency_find(struct capacity_context *context, bool rates, struct err *err);

// Not collective. Are a scheduler's settings the study's, so that nothing has to be searched for?
bool efficiency_is_given(const char *scheduler);
// Not collective. Those into context->choices, which efficiency_find() does as well.
void efficiency_give(struct capacity_context *context);

// Not collective. Watts of a server with nothing to do.
double efficiency_idle_w(const struct platform *platform);

#endif
