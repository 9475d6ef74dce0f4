// SPDX-License-Identifier: Apache-2.0
// rapl: what the processor says of its own energy, where it may be read.
//
// The kernel shows the counters of processors (RAPL) as files, a folder for each zone with its name
// and its energy in microjoules, which begins at 0 again now and then. Packages and their memory
// (zones "package-0" and "dram") are added up; the rest of a server, its power supply and its fans,
// is not in there. Since 2020 the files are root's alone on most systems, and virtual machines have
// none: then this says so, and nothing is known.
//
//     struct rapl *rapl = rapl_open(RAPL_FOLDER, &err);   // NULL: err says why
//     double begin_j = rapl_read_j(rapl);
//     ...
//     double used_j = rapl_read_j(rapl) - begin_j;
#ifndef LIVE_RAPL_H
#define LIVE_RAPL_H

#include "base/err.h"

#define RAPL_FOLDER "/sys/class/powercap"

struct rapl;

// NULL where no counter can be read.
struct rapl *rapl_open(const char *folder, struct err *err);
void rapl_close(struct rapl *rapl); // NULL: no effect

// Joules since it was opened, of all zones. To be called every few minutes at least, so that no
// counter begins anew twice in between. A counter that cannot be read any more stays as it was.
double rapl_read_j(struct rapl *rapl);

#endif
