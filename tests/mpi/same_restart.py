#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exact restart: a run that is interrupted again and again, each time on another number of ranks,
with another layout and another window, ends with the results of one that was never interrupted.

usage: same_restart.py RECFLEET MPIEXEC SEED STUDY SECONDS [KEY=VALUE ...]

A run is interrupted at a moment drawn at random (SEED), after the first checkpoints that the clock
asked for: all ranks are told to stop (SIGUSR2), or a single one is (SIGTERM), or a single one is
killed; and once before its event loop begins. With --resume it goes on from the last checkpoint.
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import h5py

from compare_results import differences
from interrupt import Job

# Ranks (0: without mpirun) with their options; every restart takes the next.
PLACES = [(0, []), (3, []), (2, ["--layout", "apart"]), (1, ["--window", "20us"]),
          (4, ["--layout", "spread"]), (3, ["--layout", "apart", "--window", "30us"])]
# How a run is interrupted, and whether it then says that it stopped.
WAYS = [("before it begins", True), ("all are told", True), ("a rank is killed", False),
        ("one is told", True), ("all are told", True)]
EVERY = "10ms"


def make_trace(recfleet, study, folder):
    """restart-replay.yaml wants a trace beside it."""
    subprocess.run([recfleet, "trace", "make", pathlib.Path(study).parent / "random.yaml", "-o",
                    folder / "trace.csv", "--set", "duration=1s", "--set", "traffic[0].rate=2000qps"],
                   check=True, stdout=subprocess.DEVNULL)


def interrupt(job, way, rng):
    """Does what `way` says at a random moment; False when the run ended before."""
    if way == "before it begins":
        reached = job.wait_until(job.listening)
    else:
        n = rng.randint(1, 3)
        reached = job.wait_until(lambda: job.n_checkpoints() >= n)
        time.sleep(rng.uniform(0, 0.015))
    if not reached:
        return False
    one = rng.randrange(8)
    if way == "a rank is killed":
        job.send(signal.SIGKILL, one)
    elif way == "one is told":
        job.send(signal.SIGTERM, one)
    else:
        job.send(signal.SIGUSR2)
    return True


def slowest_differences(command, folder, settings):
    """The slowest queries of a run that keeps some, and what they are among all of them."""
    n = [int(s.split()[1]) for s in settings if s.startswith("output.queries=slowest ")]
    if not n:
        return
    subprocess.run(command + ["-q", "-o", "all.h5", "--set", "checkpoint.every=0", "--set", "output.queries=all"], cwd=folder,
                   check=True)
    with h5py.File(folder / "all.h5", "r") as every, h5py.File(folder / "out.h5", "r") as out:
        columns = {k: v[()] for k, v in every["sample"].items() if k != "query"}
        latency_ns = [round(s * 1e9) for s in columns["latency_s"]]
        # Slowest first; of equal ones the first to arrive, the lower cell, the lower number.
        order = sorted(range(len(latency_ns)), key=lambda i: (-latency_ns[i], columns["arrive_s"][i], columns["cell"][i],
                                                              columns["seq"][i]))[:n[0]]
        measured = int(every["total/n_queries"][()])
        print(f"{len(latency_ns)} queries, the slowest {latency_ns[order[0]] * 1e-6} ms")
        if measured != len(latency_ns) or len(order) != n[0]:
            yield f"{len(latency_ns)} records of {measured} measured queries"
        for key, values in columns.items():
            if list(values[order]) != list(out["slowest"][key][()]):
                yield f"/slowest/{key}"


def attempt(recfleet, mpiexec, rng, study, settings):
    """One run with all its interruptions. The number of restarts; exits when the rule is broken."""
    places, ways = PLACES[:], WAYS[:]
    rng.shuffle(places)
    rng.shuffle(ways)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        make_trace(recfleet, study, folder)
        shutil.copy(study, folder / "study.yaml")
        command = [recfleet, "run", "study.yaml"] + [w for s in settings for w in ("--set", s)]
        # Neither interrupted nor saved.
        subprocess.run(command + ["-q", "-o", "whole.h5", "--set", "checkpoint.every=0"], cwd=folder,
                       check=True)
        status, n = 4, 0
        while status != 0:
            n_ranks, options = places[n % len(places)]
            way, says = ways[n] if n < len(ways) else ("not at all", False)
            job = Job(command + ["-o", "out.h5", "--resume", *options], mpiexec, n_ranks, folder)
            done = interrupt(job, way, rng) if n < len(ways) else False
            status, text = job.end()
            stop = [line for line in text.splitlines() if "recfleet: stopped at" in line]
            print(f"{n_ranks or 'no'} ranks {' '.join(options)}: {way}"
                  f"{'' if done or n >= len(ways) else ' (too late)'}, status {status}"
                  f"{': ' + stop[0].split(',')[0] if stop else ''}", flush=True)
            if status not in (0, 4) and (says or not done) or (status == 4) != bool(stop):
                sys.exit(f"status {status}: {text}")
            n += 1
        with h5py.File(folder / "out.h5", "r") as out:
            restarts = int(out["run"].attrs["n_restarts"])
        wrong = list(differences(folder / "whole.h5", folder / "out.h5"))
        wrong += slowest_differences(command, folder, settings)
        left = [p.name for p in folder.iterdir() if p.name.startswith("out.h5.")]
    print(f"{restarts} restarts, {len(wrong)} differences outside /run")
    if wrong or left:
        sys.exit("\n".join(wrong[:10]) + f" left behind: {left}")
    return restarts


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    recfleet, mpiexec, seed, study, seconds = sys.argv[1:6]
    rng = random.Random(int(seed))
    # With fewer restarts the moments came too late and nothing was shown: a longer run, then.
    for longer in (1, 3, 9):
        settings = [f"duration={float(seconds) * longer}s", f"checkpoint.every={EVERY}", *sys.argv[6:]]
        if attempt(os.path.abspath(recfleet), mpiexec, rng, study, settings) >= 2:
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
