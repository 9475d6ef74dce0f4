#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A sweep gives one file, however it comes about: on any number of ranks, point by point in any
order, in shares, stopped and gone on with, after a point that failed.

usage: same_sweep.py RECFLEET MPIEXEC STUDY [SEED]    SEED of the order and the moments, else 1
"""

import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import compare_results
from interrupt import Job

N_POINTS = 8
INCOMPLETE, STOPPED = 5, 4
failures = []


def expect(condition, what, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAIL {what}: {detail}")


class Place:
    """A folder with the study and its traces."""

    def __init__(self, recfleet, mpiexec, study, folder):
        self.recfleet, self.mpiexec, self.folder = recfleet, mpiexec, pathlib.Path(folder)
        shutil.copy(study, self.folder / "s.yaml")
        for trace in range(2):
            self.make_trace(trace)

    def trace(self, trace):
        return self.folder / f"{trace}.csv"

    def make_trace(self, trace):
        self.trace(trace).write_text("".join(f"{0.004 * i},{1 + 7 * i % 50}\n"
                                             for i in range(90 + 200 * trace)))

    def call(self, command, name, *words, ranks=0, status=0, settings=()):
        start = [self.mpiexec, "-n", str(ranks)] if ranks else []
        done = subprocess.run([*start, self.recfleet, command, "s.yaml", "-q", "-o", name + ".h5",
                               *words, *settings], cwd=self.folder, capture_output=True, text=True,
                              timeout=200)
        expect(done.returncode == status, f"{command} {name} {' '.join(words)} on {ranks} ranks",
               f"exit status {done.returncode}, wanted {status}\n{done.stdout}{done.stderr}")
        return done

    def file(self, name):
        return self.folder / (name + ".h5")

    def point(self, name, point):
        return self.folder / (name + ".points") / f"{point:06}.h5"

    def same(self, a, b, what):
        found = list(compare_results.differences(str(a), str(b)))
        expect(not found, what, found[:5])


def on_any_ranks(place):
    """Fewer and more ranks than points; 0 is without mpirun. The points are the same, too."""
    place.call("sweep", "plain")
    for ranks in (1, 2, 3, 5):
        name = f"ranks{ranks}"
        place.call("sweep", name, ranks=ranks)
        place.same(place.file("plain"), place.file(name), f"{ranks} ranks")
    # Several ranks on each of two points.
    place.call("sweep", "pair", "--point", "2,7", ranks=5)
    for point in (2, 7):
        place.same(place.point("plain", point), place.point("pair", point), f"shared point {point}")


def in_parts(place, rng):
    """One at a time in random order, merged now and then; and in shares side by side."""
    order = list(range(N_POINTS))
    rng.shuffle(order)
    for i, point in enumerate(order):
        place.call("sweep", "single", "--point", str(point))
        if i % 4 == 1:
            place.call("merge", "single", status=INCOMPLETE)
    place.call("merge", "single")
    place.same(place.file("plain"), place.file("single"), f"points in the order {order}")
    shares = [subprocess.Popen([place.recfleet, "sweep", "s.yaml", "-q", "-o", "share.h5", "--share",
                                f"{i}/3"], cwd=place.folder) for i in range(3)]
    expect([s.wait(timeout=200) for s in shares] == [0, 0, 0], "shares side by side")
    place.call("merge", "share")
    place.same(place.file("plain"), place.file("share"), "shares")


def same_bytes(place, rng):
    """The same point files are the same bytes, whatever was merged on the way and on which ranks."""
    shutil.copytree(place.folder / "plain.points", place.folder / "bytes.points")
    away = place.folder / "away"
    away.mkdir()
    for point in rng.sample(range(N_POINTS), 3):
        shutil.move(place.point("bytes", point), away)
        place.call("merge", "bytes", "--force", status=INCOMPLETE)
    for file in list(away.iterdir()):
        shutil.move(file, place.folder / "bytes.points")
    place.call("merge", "bytes", ranks=2)
    expect(place.file("bytes").read_bytes() == place.file("plain").read_bytes(), "merged bytes")


def stats(place, name):
    return {f.name: (f.stat().st_ino, f.stat().st_mtime_ns)
            for f in (place.folder / (name + ".points")).iterdir()}


def one_fails(place):
    """A trace that is not there when its points are done: they are named, the others merged; then
    these are done and nothing else."""
    place.trace(1).rename(place.folder / "gone.csv")
    done = place.call("sweep", "fails", "--point", "0-7", status=INCOMPLETE, ranks=3)
    bad = [p for p in range(N_POINTS) if p % 2 == 1]
    for point in bad:
        expect(f"recfleet: point {point} (" in done.stderr and "1.csv: No such file" in done.stderr,
               "a failed point is named", done.stderr)
    files = stats(place, "fails")
    expect(sorted(files) == sorted(f"{p:06}." + ("failed" if p in bad else "h5")
                                   for p in range(N_POINTS)), "files beside failed points", files)
    done = place.call("merge", "fails", status=INCOMPLETE)
    expect(done.stderr.count("recfleet: point ") == len(bad), "merge names them", done.stderr)
    # All points: the mistake is found before anything is simulated.
    done = place.call("sweep", "fails", status=2, ranks=2)
    expect(stats(place, "fails") == files, "nothing was done")
    (place.folder / "gone.csv").rename(place.trace(1))
    place.call("sweep", "fails", ranks=2)
    after = stats(place, "fails")
    expect(sorted(after) == [f"{p:06}.h5" for p in range(N_POINTS)], "no reason is left", after)
    expect(all(after[f] == files[f] for f in files if f.endswith(".h5")), "the others are untouched")
    place.same(place.file("plain"), place.file("fails"), "after the failure")


def stopped(place, rng):
    """One rank is told to stop at a random moment, again and again on other numbers of ranks."""
    longer = ("--set", "duration=3s", "--set", "sweep[1].points[1].set.duration=5s")
    place.call("sweep", "whole", settings=longer, ranks=2)
    n_stops = 0
    for ranks in (3, 1, 2):
        job = Job([place.recfleet, "sweep", "s.yaml", "-q", "-o", "stop.h5", *longer], place.mpiexec,
                  ranks, place.folder)
        job.wait_until(job.listening)
        job.wait_until(lambda: rng.random() < 0.005)
        job.send(rng.choice([signal.SIGUSR2, signal.SIGTERM]), rng.randrange(ranks))
        status, text = job.end()
        expect(status in (0, STOPPED), f"stopped on {ranks} ranks", f"{status} {text}")
        n_stops += status == STOPPED
        expect(place.file("stop").exists() == (status == 0), "no merge when stopped")
    expect(n_stops > 0, "no run was stopped in time; this test has seen nothing")
    place.call("sweep", "stop", settings=longer, ranks=3)
    left = os.listdir(place.folder / "stop.points")
    expect(len(left) == N_POINTS, "checkpoints are removed", left)
    place.same(place.file("whole"), place.file("stop"), f"stopped {n_stops} times")


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) == 5 else 1)
    with tempfile.TemporaryDirectory(prefix="recfleet-sweep-") as folder:
        place = Place(*sys.argv[1:4], folder)
        on_any_ranks(place)
        in_parts(place, rng)
        same_bytes(place, rng)
        one_fails(place)
        stopped(place, rng)
        # Another seed is another file: the comparison can tell.
        place.call("sweep", "other", settings=("--set", "seed=12"))
        expect(list(compare_results.differences(str(place.file("plain")), str(place.file("other")))),
               "another seed gave the same file")
    print(f"same_sweep: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
