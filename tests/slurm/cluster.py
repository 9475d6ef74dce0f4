# SPDX-License-Identifier: Apache-2.0
"""A private Slurm for a test, and what a test asks of it."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SLURM = HERE.parent.parent / "slurm"
SKIPPED = 77  # as CTest's SKIP_RETURN_CODE
ENDED = ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "DEADLINE")


def give_up(why):
    """Slurm cannot be had: that is a failure where the environment says that it must be there."""
    required = os.environ.get("RECFLEET_SLURM") == "required"
    print(f"{'FAILED' if required else 'skipped'}: {why.strip()}", flush=True)
    sys.exit(1 if required else SKIPPED)


class Cluster:
    """Virtual nodes on this host, a folder for files, and Slurm's commands. Use it with `with`; a
    guard ends it when this process is gone, however it went."""

    def __init__(self, recfleet, nodes=2, cpus=2):
        self.recfleet = os.path.abspath(recfleet)
        # munged trusts only folders whose parents are root's, which $TMPDIR need not be.
        self.base = pathlib.Path(tempfile.mkdtemp(prefix="recfleet-slurm-", dir="/tmp"))
        self.folder = self.base / "work"
        self.folder.mkdir()
        self.begin = time.monotonic()
        up = subprocess.run([HERE / "cluster_up.sh", self.base, str(nodes), str(cpus),
                             str(os.getpid())], stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)
        if up.returncode != 0:
            subprocess.run([HERE / "cluster_down.sh", self.base, "--remove"], check=False)
            shutil.rmtree(self.base, ignore_errors=True)
            give_up(up.stderr if up.returncode == SKIPPED else f"cluster_up.sh: {up.stderr}")
        # The other tests' MPI settings are for ranks of one machine; jobs choose for themselves.
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("SLURM", "SBATCH", "RECFLEET", "OMPI_MCA_btl",
                                         "OMPI_MCA_pml", "OMPI_MCA_ess"))}
        self.env.update(SLURM_CONF=str(self.base / "slurm.conf"), RECFLEET_PROGRAM=self.recfleet)
        self.say(f"{nodes} nodes are up")

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is not None:
            self.show()
        subprocess.run([HERE / "cluster_down.sh", self.base, "--remove"], check=True)
        self.say("the nodes are down")

    def say(self, text):
        print(f"{time.monotonic() - self.begin:6.1f} s  {text}", flush=True)

    def show(self):
        """What one wants to see of a test that failed."""
        for path in sorted(self.folder.rglob("*.log")):
            print(f"--- {path.relative_to(self.folder)}\n{path.read_text()[-2000:]}")
        print(self.run("squeue", "--states=all").stdout)

    def run(self, *words, check=True, **env):
        """A command in the folder, with the cluster's environment."""
        done = subprocess.run([str(w) for w in words], cwd=self.folder, env={**self.env, **env},
                              capture_output=True, text=True)
        if check and done.returncode != 0:
            raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def scancel(self, *words):
        """A job may end by itself before the signal is there, which scancel calls a failure: whoever
        sends one looks at how the job ended, and tries a longer one."""
        return self.run("scancel", *words, check=False)

    def sbatch(self, *words, **env):
        """Submits by hand; the job's id."""
        return self.run("sbatch", "--parsable", *words, **env).stdout.strip()

    def submit(self, *words, **env):
        """recfleet submit; the ids of the jobs it says it submitted."""
        return re.findall(r"^(\d+)  ", self.run(self.recfleet, "submit", *words, **env).stdout,
                          re.M)

    def job(self, id):
        """What Slurm says of a job, JobState and so on; of an array, of its first task."""
        text = self.run("scontrol", "show", "job", "-o", id).stdout.splitlines()[0]
        return dict(w.split("=", 1) for w in text.split() if "=" in w)

    def state(self, id):
        return self.job(id)["JobState"]

    def until(self, what, true, limit_s=120):
        end = time.monotonic() + limit_s
        while not true():
            if time.monotonic() > end:
                raise AssertionError(f"{limit_s} s have passed and not: {what}")
            time.sleep(0.1)

    def sleep_until(self, at_s):
        """Until the cluster is so old."""
        time.sleep(max(0, self.begin + at_s - time.monotonic()))

    def wait(self, id, limit_s=150):
        """Until the job has ended for good; its state and exit code."""
        self.until(f"job {id} ends", lambda: self.state(id) in ENDED, limit_s)
        job = self.job(id)
        return job["JobState"], int(job["ExitCode"].split(":")[0])

    def nodes_idle(self, n):
        said = self.run("sinfo", "-h", "-o", "%D", "-t", "idle").stdout.split()
        return sum(map(int, said)) == n
