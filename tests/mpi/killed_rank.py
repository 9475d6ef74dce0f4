#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A rank that is killed leaves no half-written file under the final name.

usage: killed_rank.py RECFLEET MPIEXEC STUDY

Runs the study again and again and kills one rank (SIGKILL), half of the times at a moment spread
over the run, half of the times as soon as the temporary file is there, that is while results are
written. Afterwards the final name must be absent, or, where the file was finished before, hold the
whole result. Every other try starts with an older file under that name, which must survive whole.
"""

import glob
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from compare_results import differences
from interrupt import Job

TRIES = 12
N_RANKS = 3


def kill_one(job, victim, moment):
    """Kills rank number `victim` when moment() is true; False when the job ended before."""
    if not job.wait_until(lambda: len(job.pids()) == N_RANKS and moment()):
        return False
    job.send(signal.SIGKILL, victim)
    return True


def attempt(command, mpiexec, folder, number, length_s, whole):
    """One try. Returns (killed while writing, killed before the file had its name); exits when the
    rule is broken."""
    target = folder / "out.h5"
    old = folder / "old.h5"
    target.unlink(missing_ok=True)
    if number % 2:
        os.link(old, target)
    before = target.read_bytes() if number % 2 else None
    start = time.monotonic()
    at = start + length_s * (0.1 + 0.9 * (number // 2) / (TRIES // 2))
    writing = number % 4 >= 2
    temporary = str(folder / ".out.h5.tmp-*")
    job = Job(command + ["-f", "-q", "-o", str(target)], mpiexec, N_RANKS, folder)
    moment = (lambda: glob.glob(temporary)) if writing else (lambda: time.monotonic() >= at)
    killed = kill_one(job, number % N_RANKS, moment)
    status, _ = job.end()
    left = glob.glob(temporary)
    for name in left:
        os.unlink(name)
    # A claim outlives who is killed; the next run takes it over (results/file/claim.h).
    others = {name for name in os.listdir(folder) if not name.endswith(".lock")}
    others -= {"out.h5", "old.h5", "whole.h5"}
    if others:
        sys.exit(f"try {number}: files left behind: {others}")
    if not target.exists():
        found = "absent"
        if before is not None:
            sys.exit(f"try {number}: the older file is gone")
    elif before is not None and target.read_bytes() == before:
        found = "the older file"
    else:
        found = "whole"
        wrong = list(differences(whole, target))
        if wrong:
            sys.exit(f"try {number}: the file is not whole: {wrong[:3]}")
    if status == 0 and found != "whole":  # a kill in the last instant does not count: it hit nothing
        sys.exit(f"try {number}: mpirun says that all is well, and the final name is {found}")
    print(f"try {number:2}: rank {number % N_RANKS} "
          f"{'killed' if killed else 'not killed in time'}"
          f"{' while writing' if writing else ''}, final name: {found}"
          f"{', temporary file left' if left else ''}", flush=True)
    unfinished = killed and found != "whole"
    return writing and unfinished, not writing and unfinished


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    recfleet, mpiexec, study = sys.argv[1:]
    study = os.path.abspath(study)
    # Long enough that many moments lie in the middle of the run.
    run = [recfleet, "run", study, "--set", "duration=15s"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        quiet = {"stdout": subprocess.DEVNULL, "check": True, "cwd": folder}
        subprocess.run(run + ["-o", str(folder / "old.h5"), "--set", "seed=4711"], **quiet)
        start = time.monotonic()
        subprocess.run([mpiexec, "-n", str(N_RANKS)] + run + ["-o", str(folder / "whole.h5")], **quiet)
        length_s = time.monotonic() - start
        done = [attempt(run, mpiexec, folder, i, length_s, folder / "whole.h5")
                for i in range(TRIES)]
    writing, running = (sum(d[i] for d in done) for i in (0, 1))
    print(f"a run takes {length_s:.2f} s; killed before the end: {running} while it ran, "
          f"{writing} while it wrote")
    return 0 if running >= 2 and writing >= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
