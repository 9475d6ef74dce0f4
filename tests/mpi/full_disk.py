#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full and one that cannot be written to, for real: a small file system of its own
in a mount namespace that ends with the test. Checkpoints lie there, results beside it.

usage: full_disk.py RECFLEET MPIEXEC STUDY

What is held: no checkpoint is ever lost or damaged by one that does not fit; a run goes on without
the checkpoints that nobody waits for; one that was asked to stop and cannot be saved says so; and
after the disk has room again the end is that of a run that was never disturbed.
Exits with 77 where no file system can be mounted.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile

from compare_results import differences
from interrupt import Job

SIZE_KB = 1024  # of the file system; a checkpoint takes 13 kB and more
ROOM_KB = 4     # left beside the filler


def expect(what, condition, text=""):
    print(("ok: " if condition else "WRONG: ") + what, flush=True)
    if not condition:
        sys.exit(text)


def inside():
    """Runs this script again where mounts are its own, unless it is there already."""
    if os.environ.get("FULL_DISK_INSIDE"):
        return
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
        print("skipped: no mount namespace of its own to be had (needs root)")
        sys.exit(77)
    os.environ["FULL_DISK_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


def mount(disk):
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE_KB}k", "none", disk]).returncode:
        print("skipped: a file system cannot be mounted")
        sys.exit(77)


def remount(disk, how):
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def fill(disk):
    """Takes all room but ROOM_KB."""
    free = os.statvfs(disk)
    n = free.f_bavail * free.f_bsize - ROOM_KB * 1024
    (disk / "filler").write_bytes(b"x" * n)


class Runs:
    def __init__(self, recfleet, mpiexec, study, folder):
        self.mpiexec, self.folder = mpiexec, folder
        self.disk = folder / "disk"
        self.command = [os.path.abspath(recfleet), "run", os.path.abspath(study), "-o", "out.h5",
                        "--set", "duration=4s", "--set", f"checkpoint.file={self.disk}/run.checkpoint"]

    def run(self, n_ranks, *options):
        """To its end."""
        job = Job(self.command + list(options), self.mpiexec, n_ranks, self.folder)
        return job.end()

    def stop(self, n_ranks, *options):
        """Told to stop as soon as it listens."""
        job = Job(self.command + list(options), self.mpiexec, n_ranks, self.folder)
        job.wait_until(job.listening)
        job.send(signal.SIGUSR2)
        return job.end()

    def kept(self):
        """The files on the disk but the filler, with what is in them."""
        return {p.name: p.read_bytes() for p in self.disk.iterdir() if p.name != "filler"}


def check_periodic(runs):
    """Nobody waits for these: a warning each, and the run comes to its end."""
    fill(runs.disk)
    status, text = runs.run(2, "--set", "checkpoint.every=20ms")
    expect("a full disk does not end a run", status == 0, text)
    expect("it is told", "no checkpoint at" in text and "No space left" in text, text)
    expect("nothing is left on the disk", runs.kept() == {}, str(list(runs.kept())))
    wrong = list(differences(runs.folder / "whole.h5", runs.folder / "out.h5"))
    expect("the results are those of a run without checkpoints", not wrong, str(wrong[:5]))
    (runs.folder / "out.h5").unlink()
    (runs.disk / "filler").unlink()


def check_stop(runs):
    """A checkpoint that does not fit leaves the one before as it was."""
    status, text = runs.stop(2)
    expect("stopped at a checkpoint", status == 4, text)
    before = runs.kept()
    fill(runs.disk)
    status, text = runs.stop(3, "--resume")
    expect("asked to stop where it cannot be saved: failed", status == 1, text)
    expect("with the reason", "No space left" in text, text)
    expect("the checkpoint before is as it was", runs.kept() == before, str(list(runs.kept())))
    (runs.disk / "filler").unlink()


def check_read_only(runs):
    before = runs.kept()
    remount(runs.disk, "ro")
    status, text = runs.run(2, "--resume")
    expect("where nothing can be written a run does not begin", status == 2, text)
    expect("with the reason", "Read-only file system" in text, text)
    remount(runs.disk, "rw")
    expect("nothing has changed", runs.kept() == before)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    inside()
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(*sys.argv[1:], pathlib.Path(folder))
        mount(runs.disk)
        status, text = runs.run(0)
        expect("a run undisturbed", status == 0, text)
        (runs.folder / "out.h5").rename(runs.folder / "whole.h5")
        try:
            check_periodic(runs)
            check_stop(runs)
            check_read_only(runs)
            status, text = runs.run(3, "--resume")
            expect("with room again it goes on to its end", status == 0 and "resuming at" in text, text)
        finally:
            subprocess.run(["umount", runs.disk], check=True)
        wrong = list(differences(runs.folder / "whole.h5", runs.folder / "out.h5"))
        expect("the results are those of a run undisturbed", not wrong, str(wrong[:5]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
