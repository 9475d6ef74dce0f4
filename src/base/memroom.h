// SPDX-License-Identifier: Apache-2.0
// memroom: how much more memory this process can have.
//
// mem.h ends the program when there is none, so whoever is about to ask for much looks here first
// and refuses by name. Both are bytes, INFINITY where nothing is known of a limit; other processes
// take and give back, so they are a snapshot.
#ifndef BASE_MEMROOM_H
#define BASE_MEMROOM_H

// Of addresses: what the limit of this process (ulimit -v) leaves, and what was freed and is kept
// for use again.
double memroom_address_bytes(void);
// Of the machine's memory, without swap, or what is left of the process's control group where that
// is less; all processes there share it.
double memroom_machine_bytes(void);

#endif
