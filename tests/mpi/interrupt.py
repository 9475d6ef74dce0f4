# SPDX-License-Identifier: Apache-2.0
"""Starting a run, waiting until it is at some point, and interrupting it there. For same_restart.py,
kill_anywhere.py and killed_rank.py."""

import os
import pathlib
import signal
import subprocess
import threading
import time

DEADLINE_S = 120  # of one run, on a machine that does other things as well
ALONE_S = 5  # after which an mpirun whose ranks have all ended is taken to hang


def ranks_of(mpiexec):
    """The processes that mpirun has started."""
    try:
        return [int(p) for p in
                pathlib.Path(f"/proc/{mpiexec}/task/{mpiexec}/children").read_text().split()]
    except OSError:
        return []


def has_ended(pid):
    """Is the process gone, or a zombie that waits for its parent?"""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return stat[stat.rindex(")") + 2] == "Z"
    except OSError:
        return True


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

    def wait(self):
        """The exit status. Open MPI 4.1's mpirun now and then locks itself up (in PMIx_server_finalize)
        when a rank is killed while it connects, long after all ranks have ended: such an mpirun is
        killed as well. A rank that does not end is an error of ours."""
        end = time.monotonic() + DEADLINE_S
        alone_since = None
        while time.monotonic() < end:
            try:
                return self.process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                pass
            if self.n_ranks and all(map(has_ended, self.pids())):
                alone_since = alone_since or time.monotonic()
                if time.monotonic() - alone_since > ALONE_S:
                    print("mpirun hangs after all its ranks have ended: killed", flush=True)
                    self.process.kill()
                    return self.process.wait()
            else:
                alone_since = None
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        raise SystemExit("the run hangs: " + "".join(self.lines[-20:]))

    def end(self):
        """The exit status and all of stderr."""
        status = self.wait()
        self.reader.join()
        return status, "".join(self.lines)
