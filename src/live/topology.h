// SPDX-License-Identifier: Apache-2.0
// topology: the processor at hand, and threads that stay on one core of it.
//
// A worker that the system moves about loses its caches, so each has a core of its own. A core may
// run several threads (SMT); the list has one thread of each core, the first that this process may
// use, so that two workers never share a core. What the process may use is what it was started with
// (taskset, a container's cpuset, mpirun's binding).
//
// It is read with hwloc where the program was built with it, else from /proc and /sys: less is
// known then of unusual machines, and nothing is refused. What nobody tells is 0 or "".
//
//     struct topology topology;
//     topology_read(&topology);
//     if (topology_pin(topology.cores[i].cpu, &err) < 0)   // on the worker's own thread
//         ...                                              // say so, and continue
//     topology_release(&topology);
#ifndef LIVE_TOPOLOGY_H
#define LIVE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct topology_core {
    int cpu;     // the system's number of the thread that is used
    int package; // socket, 0 ..
    int l3;      // cores of the same number share a last-level cache
};

struct topology {
    char processor[128];         // "AMD EPYC 9B45"
    bool by_hwloc;               // else from /proc and /sys
    double clock_hz;             // at the moment of reading: processors change it
    double memory_bytes;         // of the machine
    double l1_bytes;             // data, of the first core
    double l2_bytes;             // of the first core
    double l3_bytes;             // that the first core uses, with others
    size_t n_threads;            // that this process may use
    size_t n_all_threads;        // of the machine
    size_t n_packages;           // sockets that the cores below are on
    size_t n_cores;              // one thread of each; at least 1
    struct topology_core *cores; // owned
};

// Fills *to, whatever it had before. Never fails: of a machine that tells nothing it has one core.
void topology_read(struct topology *to);
// The same without hwloc, wherever the program was built.
void topology_read_plain(struct topology *to);
void topology_release(struct topology *topology); // NULL: no effect

// Keeps the calling thread on that thread of the processor. Where the system refuses, -1, and the
// thread runs where it did.
int topology_pin(int cpu, struct err *err);

// Cores for teams of n_members, 1 .. n_cores, which compute together (live/team.h): fills
// cpus[n_cores] with the cores' threads, those of a team behind each other, and then those that are
// in none. A team's cores share a last-level cache where they can, else a socket. Returns how many
// teams there are.
size_t topology_teams(const struct topology *topology, size_t n_members, int *cpus);

// "2 cores of AMD EPYC 9B45, 48 KiB L1, 1 MiB L2, 32 MiB L3"; caller mem_free()s.
char *topology_text(const struct topology *topology);

#endif
