# SPDX-License-Identifier: Apache-2.0
"""Starting a run, waiting until it is at some point, and interrupting it there. For same_restart.py
and kill_anywhere.py."""

import os
import pathlib
import signal
import subprocess
import threading
import time

DEADLINE_S = 120  # of one run, on a machine that does other things as well


def ranks_of(mpiexec):
    """The processes that mpirun has started."""
    try:
        return [int(p) for p in
                pathlib.Path(f"/proc/{mpiexec}/task/{mpiexec}/children").read_text().split()]
    except OSError:
        return []


def holds_signals(pid):
    """Does the process hold SIGTERM back, so that it will look for it? A library that starts a thread
    holds every signal back for a moment; the program never does that to SIGWINCH."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("SigBlk:"):
                blocked = int(line.split()[1], 16)
                return bool(blocked & 1 << (signal.SIGTERM - 1)) and \
                    not blocked & 1 << (signal.SIGWINCH - 1)
    except OSError:
        pass
    return False


class Job:
    """One run of the program: on `n_ranks` ranks, or without mpirun when that is 0."""

    def __init__(self, command, mpiexec, n_ranks, folder):
        start = [mpiexec, "-n", str(n_ranks)] if n_ranks else []
        self.n_ranks = n_ranks
        self.process = subprocess.Popen(start + command, cwd=folder, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stderr.readline, "")))
        self.reader.start()

    def pids(self):
        return ranks_of(self.process.pid) if self.n_ranks else [self.process.pid]

    def listening(self):
        """All ranks have begun and hold signals back."""
        pids = self.pids()
        return len(pids) >= max(self.n_ranks, 1) and all(map(holds_signals, pids))

    def n_checkpoints(self):
        return sum("recfleet: checkpoint at" in line for line in list(self.lines))

    def wait_until(self, condition):
        """False when the run ends first."""
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None and time.monotonic() < end:
            if condition():
                return True
            time.sleep(0.0005)
        return False

    def send(self, number, rank=None):
        """To one rank, or to mpirun, which forwards it to all."""
        pids = self.pids()
        try:
            if rank is None:
                self.process.send_signal(number)
            elif pids:
                os.kill(pids[rank % len(pids)], number)
        except ProcessLookupError:
            pass

    def end(self):
        """The exit status and all of stderr; a run that hangs is an error."""
        try:
            status = self.process.wait(timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)
            self.process.kill()
            raise SystemExit("the run hangs: " + "".join(self.lines[-20:]))
        self.reader.join()
        return status, "".join(self.lines)
