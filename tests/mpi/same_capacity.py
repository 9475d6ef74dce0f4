#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A capacity search gives one file: on any number of ranks, and when it is stopped again and again
and gone on with on other numbers of ranks.

usage: same_capacity.py RECFLEET MPIEXEC STUDY [SEED]    SEED of the moments, else 1
"""

import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile

import compare_results
from interrupt import Job

STOPPED = 4
FINDS = ("servers", "load", "day", "plan")
failures = []


def expect(condition, what, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAIL {what}: {detail}")


class Place:
    """A folder with the study."""

    def __init__(self, recfleet, mpiexec, study, folder):
        self.recfleet, self.mpiexec, self.folder = recfleet, mpiexec, pathlib.Path(folder)
        shutil.copy(study, self.folder / "s.yaml")

    def words(self, find, name, *more):
        return [self.recfleet, "capacity", "s.yaml", "-q", "-o", name + ".h5", "--set",
                "capacity.find=" + find, *more]

    def call(self, find, name, *more, ranks=0, status=0):
        start = [self.mpiexec, "-n", str(ranks)] if ranks else []
        done = subprocess.run(start + self.words(find, name, *more), cwd=self.folder,
                              capture_output=True, text=True, timeout=200)
        expect(done.returncode == status, f"{find} {name} {' '.join(more)} on {ranks} ranks",
               f"exit status {done.returncode}, wanted {status}\n{done.stdout}{done.stderr}")
        return done

    def file(self, name):
        return self.folder / (name + ".h5")

    def same(self, a, b, what):
        found = list(compare_results.differences(str(self.file(a)), str(self.file(b))))
        expect(not found, what, found[:5])


def on_any_ranks(place):
    for find in FINDS:
        place.call(find, find)
        expect(not (place.folder / (find + ".h5.memo")).exists(), f"{find}: the memo is removed")
    for find, ranks in (("servers", 2), ("load", 3), ("day", 2), ("plan", 3)):
        place.call(find, f"{find}{ranks}", ranks=ranks)
        place.same(find, f"{find}{ranks}", f"{find} on {ranks} ranks")
    climb = ("--set", "capacity.schedulers=[deeprecsched]")
    place.call("load", "climb", *climb)
    place.call("load", "climb3", *climb, ranks=3)
    place.same("climb", "climb3", "tuned on 3 ranks")


def stopped(place, rng, find):
    """One rank is told to stop at a random moment, then another one, on other numbers of ranks."""
    n_stops = 0
    for ranks in (2, 3):
        job = Job(place.words(find, "stop-" + find, "--resume"), place.mpiexec, ranks, place.folder)
        job.wait_until(job.listening)
        job.wait_until(lambda: rng.random() < 0.01)
        job.send(signal.SIGUSR2, rng.randrange(max(ranks, 1)))
        status, text = job.end()
        expect(status in (0, STOPPED), f"{find} stopped on {ranks} ranks", f"{status} {text}")
        n_stops += status == STOPPED
        if status == 0:
            break
        expect(not place.file("stop-" + find).exists(), "no results when stopped")
        expect("answers saved in" in text, "says where answers are kept", text)
    place.call(find, "stop-" + find, "--resume", ranks=2)
    place.same(find, "stop-" + find, f"{find} stopped {n_stops} times")
    return n_stops


def idempotent(place):
    """Results that are there are the end of the work with --resume, and refused without."""
    before = place.file("load").stat().st_mtime_ns
    place.call("load", "load", "--resume")
    place.call("load", "load", status=2)
    expect(place.file("load").stat().st_mtime_ns == before, "results are left alone")
    done = place.call("servers", "load", "--resume", status=2)
    expect("exists" in done.stderr, "results of another question are not taken", done.stderr)


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    rng = random.Random(int(sys.argv[4]) if len(sys.argv) == 5 else 1)
    with tempfile.TemporaryDirectory(prefix="recfleet-capacity-") as folder:
        place = Place(*sys.argv[1:4], folder)
        on_any_ranks(place)
        idempotent(place)
        n_stops = sum(stopped(place, rng, find) for find in ("servers", "plan"))
        expect(n_stops > 0, "nothing was stopped in time; this test has seen nothing")
        # Another seed is another file: the comparison can tell.
        place.call("load", "other", "--set", "seed=12")
        expect(list(compare_results.differences(str(place.file("load")), str(place.file("other")))),
               "another seed gave the same file")
    print(f"same_capacity: {len(failures)} failures, {n_stops} stops")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
