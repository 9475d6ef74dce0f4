#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of a random rank at a random moment, many times over one study; after each the run goes on
with --resume, on another number of ranks. At the end the results are those of a run that nobody
killed, and at no time was there an unreadable file under a final name.

usage: kill_anywhere.py RECFLEET MPIEXEC STUDY KILLS [SEED]

Moments: while the run starts, at a random time after some checkpoints, as soon as the temporary file
of a checkpoint is there, as soon as that of the results is there (the last fifth of the kills). After
each kill:
  - the results are absent under their name, or (killed too late) whole;
  - once a checkpoint was reported there is one under its name or as .previous, the next run goes on
    from it, and a .previous, too, can be gone on from.
"""

import collections
import glob
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

from compare_results import differences
from interrupt import Job

RANKS = [2, 3, 4, 1]


class Chain:
    """A run in parts."""

    def __init__(self, recfleet, mpiexec, study, folder, kills, rng):
        # So long that about that many parts of some checkpoints each fit.
        self.command = [recfleet, "run", study, "--set", f"duration={4 + kills:g}s", "--set",
                        "checkpoint.every=10ms"]
        self.mpiexec, self.folder, self.rng = mpiexec, folder, rng
        self.saved = False  # some part has reported a checkpoint
        self.whole = folder / "whole.h5"
        self.count = collections.Counter()

    def fail(self, text):
        sys.exit(f"after {self.count.total()} kills: {text}")

    def start(self, n_ranks):
        return Job(self.command + ["-o", "out.h5", "--resume"], self.mpiexec, n_ranks, self.folder)

    def temporary(self, name):
        return glob.glob(str(self.folder / f".{name}.tmp-*"))

    def moment(self, job, way):
        """Waits for it; False when the run ended before."""
        if way == "starting":
            time.sleep(self.rng.uniform(0, 0.7))
            return job.wait_until(lambda: job.pids())
        if way == "running":
            n = self.rng.randint(1, 4)
            reached = job.wait_until(lambda: job.n_checkpoints() >= n)
            time.sleep(self.rng.uniform(0, 0.015))
            return reached and job.process.poll() is None
        name = "out.h5.checkpoint" if way == "saving" else "out.h5"
        skip = self.rng.randint(0, 2) if way == "saving" else 0
        job.wait_until(lambda: job.n_checkpoints() >= skip)
        return job.wait_until(lambda: self.temporary(name))

    def part(self, way):
        """One part with its kill, or without when that comes too late."""
        for name in self.temporary("out.h5") + self.temporary("out.h5.checkpoint"):
            os.unlink(name)
        n_ranks, victim = self.rng.choice(RANKS), self.rng.randrange(8)
        existed = self.checkpoints()
        job = self.start(n_ranks)
        killed = self.moment(job, way)
        if killed:
            job.send(signal.SIGKILL, victim)
        status, text = job.end()
        self.saved |= "recfleet: checkpoint at" in text
        went_on = "recfleet: resuming at" in text
        if "recfleet: checkpoint" in text.replace("recfleet: checkpoint at", ""):
            self.fail(f"a checkpoint was refused: {text}")
        print(f"{n_ranks} ranks, {way}: {'killed' if killed else 'too late'}, status {status}"
              f"{', had gone on' if went_on else ''}", flush=True)
        if status != 0 and not killed:
            self.fail(f"status {status}: {text}")
        if status == 0 and existed and not went_on:
            self.fail(f"the run began anew although there was {existed}")
        self.count[way] += status != 0
        self.look(text)

    def checkpoints(self):
        return [n for n in ("out.h5.checkpoint", "out.h5.checkpoint.previous")
                if (self.folder / n).exists()]

    def look(self, text):
        """After a kill: what is there under final names?"""
        if (self.folder / "out.h5").exists():
            wrong = list(differences(self.whole, self.folder / "out.h5"))
            if wrong:
                self.fail(f"the results are not whole: {wrong[:3]}")
            self.count["ends"] += 1
            self.begin_anew()
        elif self.saved and not self.checkpoints():
            self.fail(f"no checkpoint is left: {text}")
        for name in self.checkpoints():
            self.try_out(name)

    def begin_anew(self):
        """The kill came after the end of a run: there is another one to be killed."""
        for path in self.folder.glob("out.h5*"):
            path.unlink()
        self.saved = False

    def finish(self):
        """Nobody is killed."""
        status, text = self.start(2).end()
        if status != 0 or not (self.folder / "out.h5").exists():
            self.fail(f"the last part: status {status}: {text}")
        return list(differences(self.whole, self.folder / "out.h5"))

    def try_out(self, name):
        """Can a run go on from it? It is stopped at once and leaves its own files elsewhere."""
        job = Job(self.command + ["-o", "try.h5", "--resume-from", name], self.mpiexec, 0, self.folder)
        job.wait_until(job.listening)
        job.send(signal.SIGUSR2)
        status, text = job.end()
        if status not in (0, 4) or "recfleet: resuming at" not in text:
            self.fail(f"{name} is not whole: status {status}: {text}")
        for rest in self.folder.glob("try.h5*"):
            rest.unlink()


def ways(n, rng):
    at_end = max(n // 5, 1)
    first = [("running", "saving", "running", "starting")[i % 4] for i in range(n - at_end)]
    rng.shuffle(first)
    return first + ["writing results"] * at_end


def main():
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    recfleet, mpiexec, study, kills = sys.argv[1:5]
    rng = random.Random(int(sys.argv[5]) if len(sys.argv) == 6 else 1)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        chain = Chain(os.path.abspath(recfleet), mpiexec, os.path.abspath(study),
                      pathlib.Path(folder), int(kills), rng)
        subprocess.run(chain.command + ["-q", "-o", "whole.h5", "--set", "checkpoint.every=0"],
                       cwd=folder, check=True)
        for way in ways(int(kills), rng):
            chain.part(way)
        wrong = chain.finish()
        left = chain.checkpoints()
    ends = chain.count.pop("ends", 0)
    print(f"{chain.count.total()} kills in {time.monotonic() - begin:.0f} s: {dict(chain.count)}; "
          f"{ends} runs ended on the way, all whole; the last one has {len(wrong)} differences "
          f"outside /run, {len(left)} checkpoints left")
    for line in wrong[:10]:
        print("  " + line)
    enough = chain.count.total() >= int(kills) * 0.8
    if not enough:
        print("too many kills came too late")
    return 0 if enough and not wrong and not left else 1


if __name__ == "__main__":
    sys.exit(main())
