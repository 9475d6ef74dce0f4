// SPDX-License-Identifier: Apache-2.0
// wallclock: how much time goes by outside the simulation.
//
// For progress, costs and the period of checkpoints. It never goes back, says nothing about
// the date, and its times mean nothing on another machine. No result may depend on it; simulated
// time is simtime.h.
//
//     double begin_s = wallclock_s();
//     ...
//     double spent_s = wallclock_s() - begin_s;
#ifndef BASE_WALLCLOCK_H
#define BASE_WALLCLOCK_H

// Seconds since some moment before the program began, > 0.
double wallclock_s(void);

#endif
