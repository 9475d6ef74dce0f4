#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scaling.py [-n RUNS] [-q QUERIES] RECFLEET: what a simulated query costs against servers, cells
and ranks, as the tables of docs/scaling.md. Runs one after another; wants a quiet machine.

The workload is `light` of docs/performance.md: servers of 40 cores at 70 % utilisation, 7054
queries per second each; `r` sends a query to a random server of its cell, `p` to the less loaded of
two. A figure is the median of RUNS runs (5) with the least and the most; a run has QUERIES queries
(5 million). Seconds are those of the event loop unless a column says otherwise; memory is the
largest of any rank, times the ranks.
"""

import argparse
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
STUDIES = {"r": ROOT / "tests/bench/light-random.yaml", "p": ROOT / "tests/bench/light-power.yaml"}
QPS_PER_SERVER = 7053.89547
SHORTEST_S = 0.002  # simulated, beyond the warm-up
WARMUP_S = 0.01     # a fleet that starts empty takes some 5 ms to fill


class Run:
    """One run of the program: seconds of its loop, of all of it, queries and MiB."""

    def __init__(self, program, policy, servers, cells, ranks, queries, options=()):
        duration_s = WARMUP_S + max(queries / (servers * QPS_PER_SERVER), SHORTEST_S)
        with tempfile.TemporaryDirectory() as folder:
            command = [program, "run", str(STUDIES[policy]), "-o", os.path.join(folder, "out.h5"),
                       "--set", f"fleet.groups[0].servers={servers}",
                       "--set", f"fleet.cells={cells}",
                       "--set", f"traffic[0].rate={servers * QPS_PER_SERVER!r}qps",
                       "--set", f"duration={duration_s!r}s", "--set", "bins=20",
                       "--set", "output.sample=0", "--set", "checkpoint.every=0", *options]
            if ranks > 1:
                command = ["mpirun", "-n", str(ranks), *command]
            start = time.monotonic()
            # A child of its own for each run, so that the largest memory is that of its ranks.
            child = subprocess.run([sys.executable, __file__, "--child", *command], text=True,
                                   capture_output=True, check=False)
            self.all_s = time.monotonic() - start
        if child.returncode:
            sys.exit(f"scaling.py: {' '.join(command)}: {child.stderr}")
        found = re.search(r" queries simulated in ([0-9.]+) s of wall time", child.stdout)
        if not found:
            sys.exit(f"scaling.py: what is this?\n{child.stdout}")
        self.loop_s = float(found.group(1))
        self.n_queries = servers * QPS_PER_SERVER * duration_s
        self.mib = int(child.stdout.rsplit("maxrss ", 1)[1]) / 1024


def child(command):
    """Runs the command and says, behind what it printed, the KiB of the largest process under it."""
    done = subprocess.run(command, check=False)
    print("maxrss", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    return done.returncode


def spread(values, digits=3):
    def short(value):
        return f"{value:.{digits}g}"
    return f"{short(statistics.median(values))} ({short(min(values))} .. {short(max(values))})"


def measure(args, *what, options=()):
    return [Run(args.program, *what, args.queries, options) for _ in range(args.runs)]


def ns_per_query(runs, ranks=1):
    return [run.loop_s * ranks * 1e9 / run.n_queries for run in runs]


def table(title, head, rows):
    print(f"\n{title}\n\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |", flush=True)


def by_servers(args):
    for policy in "rp":
        for servers in (16, 100, 1000, 10000, 100000):
            runs = measure(args, policy, servers, 1, 1)
            yield [policy, str(servers), spread(ns_per_query(runs)),
                   spread([run.mib for run in runs])]


def by_cells(args):
    for policy in "rp":
        for cells in (1, 10, 100, 1000, 10000):
            runs = measure(args, policy, 10000, cells, 1)
            yield [policy, str(cells), str(10000 // cells), spread(ns_per_query(runs)),
                   spread([run.mib for run in runs])]


def by_ranks(args):
    cores = len(os.sched_getaffinity(0))
    for policy in "rp":
        for cells in (1, 2, 16, 1000):
            single = None
            for ranks in sorted({1, 2, cores} | {n for n in (4, 8, 16) if n <= cores}):
                runs = measure(args, policy, 2000, cells, ranks)
                loop_s = [run.loop_s for run in runs]
                single = single or statistics.median(loop_s)
                yield [policy, str(cells), str(ranks), spread(loop_s),
                       f"{single / statistics.median(loop_s):.2f}",
                       spread([run.all_s - run.loop_s for run in runs])]


def big(args):
    """100 000 servers for one simulated second: 705 million queries."""
    for cells in (1, 100):
        for ranks in (1, 2):
            run = Run(args.program, "p", 100000, cells, ranks, 100000 * QPS_PER_SERVER)
            yield [str(cells), str(ranks), f"{run.n_queries / 1e6:.0f}", f"{run.loop_s:.1f}",
                   f"{run.loop_s * 1e9 / run.n_queries:.0f}", f"{run.mib * ranks / 1024:.2f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-n", dest="runs", type=int, default=5)
    parser.add_argument("-q", dest="queries", type=float, default=5e6)
    parser.add_argument("--only", choices=("servers", "cells", "ranks", "big"))
    parser.add_argument("program")
    args = parser.parse_args()
    if os.geteuid() == 0:  # as in a container
        os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
        os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
    parts = {
        "servers": ("Servers in one cell, one rank", ["", "servers", "ns per query", "MiB"],
                    by_servers),
        "cells": ("10 000 servers in more and more cells, one rank",
                  ["", "cells", "servers per cell", "ns per query", "MiB"], by_cells),
        "ranks": ("2000 servers, more ranks",
                  ["", "cells", "ranks", "s of the loop", "speed-up", "s besides"], by_ranks),
        "big": ("100 000 servers, `p`, one simulated second",
                ["cells", "ranks", "M queries", "s of the loop", "ns per query", "GiB"], big),
    }
    for name, (title, head, rows) in parts.items():
        if args.only in (None, name):
            table(title, head, rows(args))


if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] == "--child":
        sys.exit(child(sys.argv[2:]))
    main()
