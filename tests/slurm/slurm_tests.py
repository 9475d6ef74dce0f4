#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""recfleet under a real Slurm: nothing is lost, and nothing changes.

usage: slurm_tests.py RECFLEET GROUP

GROUP is one of the functions `group_*` below; each starts one cluster of its own and stops it. With
RECFLEET_SLURM=required a cluster that cannot be started is a failure, else the test is skipped.
"""

import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

import h5py

from cluster import ENDED, SLURM, Cluster

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "mpi"))
from compare_results import differences  # noqa: E402

# Ranks on one balancer's servers talk all the time, so that windows are cut and messages are under
# way wherever a run is stopped; on two "nodes" they talk through TCP.
STUDY = HERE.parent / "mpi" / "power-of-d.yaml"
SHORT_S = 0.6  # simulated
# Wall time of a run that is to be disturbed, about.
LONG_WALL_S = 6
TWO_NODES = ["--nodes=2", "--ntasks-per-node=1"]
TICK_S = 30


def run_facts(path):
    with h5py.File(path, "r") as file:
        return {k: v.decode() if isinstance(v, bytes) else v for k, v in file["run"].attrs.items()}


def expect(good, what, *seen):
    if not good:
        raise AssertionError(" ".join(str(w) for w in (what, *seen)))


def expect_same(cluster, name, reference):
    wrong = list(differences(reference, cluster.folder / name))
    expect(not wrong, f"{name} differs:", wrong[:5])


def reference(cluster, name, study, *options):
    """The results of one process, without Slurm."""
    cluster.run(cluster.recfleet, "run", study, "-q", "-o", name, *options)
    return cluster.folder / name


# --- one run


def two_nodes(cluster):
    """run.sbatch on two nodes x two ranks gives what one rank gives, in a place with a bad name;
    the results say where and how they were made."""
    place = cluster.folder / "it's \"a\"\n$HOME"
    place.mkdir()
    name = "o\\ut %j.h5"
    # Found from there, too: the jobs begin in another folder than the one it is named in.
    shelf = cluster.folder / "my shelf"
    shelf.mkdir()
    (shelf / "box.yaml").write_text("platforms: [{name: box, like: skylake}]\n")
    options = ["--set", f"duration={SHORT_S}s", "--set", "name=two  words",
               "--set", "fleet.groups[0].platform=box", "--catalog", "my shelf"]
    [id] = cluster.submit(STUDY, "-o", place / name, "--nodes", 2, "--ranks-per-node", 2,
                          "--site", cluster.folder / "site.env", *options)
    wanted = reference(cluster, "short.h5", STUDY, *options)
    expect(cluster.wait(id) == ("COMPLETED", 0), "two nodes", cluster.job(id))
    expect_same(cluster, place / name, wanted)
    facts = run_facts(place / name)
    expect((facts["job_id"], facts["n_ranks"], facts["n_nodes"], facts["n_restarts"]) ==
           (id, 4, 2, 0) and facts["nodes"] == "n[1-2]" and facts["bytes_sent"] > 0,
           "/run says", facts)
    [log] = place.glob("o_ut__j.h5-????????.log")
    log = log.read_text()
    expect(re.search(rf"job {id}\b.*2 nodes, 4 ranks", log), "the log does not say where", log)
    cluster.say("two nodes: the same as one rank")
    # A second time there is nothing to do, and another study's results are not overwritten.
    said = cluster.run(cluster.recfleet, "submit", STUDY, "-o", place / name, *options).stdout
    expect(said.startswith("nothing to submit"), "submitted again", said)
    again = cluster.run(cluster.recfleet, "submit", STUDY, "-o", place / name, check=False)
    expect(again.returncode == 2 and "is not of this study" in again.stderr, again)


class Long:
    """A run that takes a while on two nodes, and its undisturbed results. How long it takes depends
    on what else the machine does, so it may have to be made longer."""

    def __init__(self, cluster, wall_s):
        self.cluster = cluster
        cluster.run("srun", *TWO_NODES, cluster.recfleet, "run", STUDY, "-q", "-o", "probe.h5",
                    "--set", f"duration={10 * SHORT_S}s")
        facts = run_facts(cluster.folder / "probe.h5")
        self.duration_s = 0
        self.make(10 * SHORT_S / facts["wall_s"] * wall_s)

    def make(self, duration_s):
        self.duration_s = duration_s
        # It saves itself often, so that one can see when it is under way.
        self.options = ["--set", f"duration={duration_s:.3f}s", "--set", "checkpoint.every=1s"]
        self.results = reference(self.cluster, f"long-{duration_s:.0f}.h5", STUDY, *self.options)
        self.cluster.say(f"a long run simulates {duration_s:.1f} s")


def under_way(cluster, id, name):
    """Waits until the job has saved itself once; False when it was done before."""
    checkpoint = cluster.folder / f"{name}.checkpoint"
    cluster.until(f"{name} is under way", lambda: checkpoint.exists() or
                  cluster.state(id) in ENDED)
    expect(cluster.state(id) in ("RUNNING", "COMPLETED"), f"{name} ended", cluster.job(id))
    return cluster.state(id) == "RUNNING"


def disturb(cluster, long, name, start, strike):
    """Starts a job and strikes it when it is under way; a longer one when it was done before that.
    Returns what verifies that it ended well, was restarted and went on from a checkpoint, and that
    its results are those of a run that was left alone."""
    for _ in range(4):
        id = start(long.options)
        if under_way(cluster, id, name):
            strike(id)
            cluster.until(f"{name} is disturbed", lambda: cluster.state(id) != "RUNNING" or
                          int(cluster.job(id)["Restarts"]) > 0)
        if cluster.state(id) != "COMPLETED":
            wanted = long.results
            return lambda: expect_resumed(cluster, id, name, wanted)
        (cluster.folder / name).unlink()
        long.make(3 * long.duration_s)
    raise AssertionError(f"{name} is always done before it can be disturbed")


def expect_resumed(cluster, id, name, wanted):
    ended = cluster.wait(id)
    expect(ended == ("COMPLETED", 0), f"job {id} ended as", ended)
    facts = run_facts(cluster.folder / name)
    restarts = int(cluster.job(id)["Restarts"])
    expect(restarts >= 1 and facts["n_restarts"] == restarts, "restarts:", restarts,
           facts["n_restarts"])
    expect(not list(cluster.folder.glob(f"{name}.checkpoint*")), "checkpoints are left")
    expect_same(cluster, name, wanted)
    cluster.say(f"{name}: the same after {restarts} restart{'s' if restarts > 1 else ''}")


def requeued(cluster, long):
    """`scontrol requeue` in the middle of a run: it is saved within KillWait and goes on."""
    return disturb(cluster, long, "requeued.h5",
                   lambda options: cluster.submit(STUDY, "-o", "requeued.h5", "--nodes", 2,
                                                  "--ranks-per-node", 1, *options)[0],
                   lambda id: cluster.run("scontrol", "requeue", id))


def out_of_time(cluster, long):
    """The wall-time signal: the run is saved, and the job requeues itself."""
    def start(options):
        # Slurm may warn a minute early, and looks who is to be warned once in TICK_S.
        age_s = time.monotonic() - cluster.begin
        cluster.sleep_until((age_s + 5) // TICK_S * TICK_S + TICK_S - 5)
        return cluster.sbatch("--time=1", "--signal=B:USR2@60", *TWO_NODES, "--output=wall.log",
                              SLURM / "run.sbatch", STUDY, "-o", "wall.h5", *options)
    verify = disturb(cluster, long, "wall.h5", start, lambda id: None)

    def verify_both():
        verify()
        log = (cluster.folder / "wall.log").read_text()
        expect("goes back into the queue" in log, "it was not the job that requeued itself", log)
    return verify_both


def with_mpirun(cluster, long):
    """Where Slurm knows no PMIx: mpirun hands the signals on, too."""
    (cluster.folder / "mpirun.env").write_text("RECFLEET_LAUNCHER='mpirun --mca btl self,tcp'\n")

    def strike(id):
        cluster.scancel("--batch", "--signal=USR1", id)
        cluster.scancel("--batch", "--signal=USR2", id)
    return disturb(cluster, long, "mpirun.h5",
                   lambda options: cluster.submit(STUDY, "-o", "mpirun.h5", "--nodes", 1,
                                                  "--ranks-per-node", 2, "--site", "mpirun.env",
                                                  *options)[0], strike)


def node_down(cluster, long):
    """A node is lost: the job is requeued by Slurm and goes on when there are two again."""
    def strike(id):
        cluster.run("scontrol", "update", "nodename=n2", "state=down", "reason=test")
        cluster.until("the job is out", lambda: cluster.state(id) != "RUNNING")
        # It may have come back by itself, which is no mistake.
        cluster.run("scontrol", "update", "nodename=n2", "state=resume", check=False)
        cluster.until("n2 is back", lambda: cluster.nodes_idle(2))
    return disturb(cluster, long, "node.h5",
                   lambda options: cluster.sbatch(*TWO_NODES, "--output=node.log",
                                                  SLURM / "run.sbatch", STUDY, "-o", "node.h5",
                                                  *options), strike)


def chained(cluster, long):
    """A chain: the first link is stopped, the second goes on and finishes, the third is not
    needed; no link requeues itself."""
    links = cluster.submit(STUDY, "-o", "chain.h5", "--chain", 3, "--nodes", 2, "--ranks-per-node",
                           1, *long.options)
    expect(len(links) == 3, "links", links)
    if under_way(cluster, links[0], "chain.h5"):
        # What Slurm sends before the end of the wall time.
        cluster.scancel("--batch", "--signal=USR2", links[0])
    ends = [cluster.wait(id) for id in links]
    if ends[0] == ("COMPLETED", 0):
        (cluster.folder / "chain.h5").unlink()
        long.make(3 * long.duration_s)
        return chained(cluster, long)
    expect(ends == [("FAILED", 4), ("COMPLETED", 0), ("CANCELLED", 0)], "links ended as", ends)
    expect(run_facts(cluster.folder / "chain.h5")["n_restarts"] == 1, "restarts of the chain")
    expect_same(cluster, "chain.h5", long.results)
    cluster.say("chain: the same over two links, the third is gone")


def chained_by_hand(cluster, wanted):
    """chain.sh: a study that is done in the first link ends the chain."""
    links = cluster.run(SLURM / "chain.sh", 2, STUDY, "-o", "hand.h5", "--set",
                        f"duration={SHORT_S}s", "--set", "name=two  words", "--set",
                        "fleet.groups[0].platform=box", "--catalog", cluster.folder / "my shelf",
                        CHAIN_SBATCH="--ntasks=1 --output=hand.log").stdout.split()
    ends = [cluster.wait(id) for id in links]
    expect(ends == [("COMPLETED", 0), ("CANCELLED", 0)], "links ended as", ends)
    expect_same(cluster, "hand.h5", wanted)
    cluster.say("chain.sh: ended when done")


def failing(cluster):
    """What is wrong with a run is the job's exit code, and it does not go round in the queue."""
    id = cluster.sbatch("--ntasks=1", "--output=%j.log", SLURM / "run.sbatch", "no-such.yaml")
    expect(cluster.wait(id) == ("FAILED", 2), "a bad study ended as", cluster.job(id))


def group_run(recfleet):
    """One study as one job: on two nodes, and interrupted in every way that Slurm has."""
    with Cluster(recfleet) as cluster:
        (cluster.folder / "site.env").write_text(
            "SBATCH_PARTITION=main\nRECFLEET_LAUNCHER='srun --mpi=pmix -K1'\n")
        two_nodes(cluster)
        long = Long(cluster, LONG_WALL_S)
        # More ranks than cores crawl, so jobs are not to run at the same time; but while one waits
        # for its turn after a requeue, which Slurm delays, others can.
        verify = requeued(cluster, long)
        failing(cluster)
        chained_by_hand(cluster, cluster.folder / "short.h5")
        verify()
        verify = out_of_time(cluster, long)
        verify_mpirun = with_mpirun(cluster, long)
        verify()
        verify_mpirun()
        verify = node_down(cluster, long)
        chained(cluster, long)
        verify()


def ranks_of(cluster, id):
    """Processes of recfleet in a job of this cluster."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "environ").read_text(errors="replace").split("\0")
            if (path / "comm").read_text().strip() == "recfleet" and f"SLURM_JOB_ID={id}" in words \
               and f"SLURM_CONF={cluster.base}/slurm.conf" in words:
                found.append(int(path.name))
        except OSError:
            pass
    return found


def group_shapes(recfleet):
    """A study over many jobs, each with other nodes and ranks than the one before and each ended in
    another way; the results are those of one undisturbed rank."""
    ways = {"cancelled": lambda cluster, id: cluster.scancel(id),
            "stopped": lambda cluster, id: cluster.scancel("--batch", "--signal=USR2", id),
            "a rank killed": lambda cluster, id: os.kill(random.choice(ranks_of(cluster, id)),
                                                         signal.SIGKILL)}
    # One node would be done before it could be disturbed.
    shapes = [(2, 2), (4, 1), (2, 1), (3, 2), (4, 2), (2, 3), (3, 1), (1, 1)]
    with Cluster(recfleet, nodes=4, cpus=3) as cluster:
        long = Long(cluster, 30)
        checkpoint = cluster.folder / "out.h5.checkpoint"
        for i, (nodes, ranks) in enumerate(shapes):
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            # As a link of a chain, so that a job that is stopped does not requeue itself.
            id = cluster.sbatch(f"--nodes={nodes}", f"--ntasks-per-node={ranks}", "--output=%j.log",
                                SLURM / "run.sbatch", STUDY, "-o", "out.h5", *long.options,
                                RECFLEET_CHAIN="shapes")
            if i == len(shapes) - 1:
                break
            cluster.until("it is saved once more", lambda: checkpoint.exists() and
                          checkpoint.stat().st_mtime_ns > before and cluster.state(id) == "RUNNING")
            way = list(ways)[i % len(ways)]
            ways[way](cluster, id)
            cluster.say(f"{nodes} x {ranks} ranks: {way}, {cluster.wait(id)}")
        expect(cluster.wait(id, 300) == ("COMPLETED", 0), "the last job", cluster.job(id))
        expect(run_facts(cluster.folder / "out.h5")["n_restarts"] == len(shapes) - 1, "restarts")
        expect_same(cluster, "out.h5", long.results)


# --- sweeps

POINTS = 12
BAD_POINT = 7
SWEEP = """\
name: twelve
duration: 1s
bins: 10
traffic:
  - service: feed
    model: wnd
    rate: 2000qps
    sla: {p95: 25ms}
fleet:
  groups:
    - {platform: skylake, servers: 4}
sweep:
  - axis: case
    points:
"""


def write_sweep(cluster):
    """Twelve points, one of which replays a trace."""
    text = SWEEP
    for i in range(POINTS):
        setting = (f"traffic[0].rate: {i + 1}00qps" if i != BAD_POINT else
                   "traffic[0].arrivals: {process: replay, file: trace.csv}")
        key, value = setting.split(": ", 1)
        text += f'      - {{label: c{i}, set: {{"{key}": {value}}}}}\n'
    (cluster.folder / "sweep.yaml").write_text(text)
    cluster.run(cluster.recfleet, "trace", "make", "sweep.yaml", "-o", "trace.csv")


def stamps(cluster):
    return {p.name: p.stat().st_mtime_ns for p in (cluster.folder / "twelve.points").glob("*.h5")}


def eleven_of_twelve(cluster):
    """A point's trace goes missing between submission and start: the other eleven are merged, the
    one is named, and the same command again does that one only."""
    cluster.run("scontrol", "update", "partitionname=main", "state=down")
    array, merge = cluster.submit("sweep.yaml", "--array", "--throttle", 3)
    (cluster.folder / "trace.csv").rename(cluster.folder / "hidden")
    cluster.run("scontrol", "update", "partitionname=main", "state=up")
    ended = cluster.wait(merge)
    expect(ended == ("FAILED", 5), "the merge ended as", ended)
    log = (cluster.folder / "twelve.h5.log").read_text()
    expect(re.search(rf"point {BAD_POINT} \(case=c{BAD_POINT}\): failed: .*trace.csv", log),
           "the failed point is not named", log)
    with h5py.File(cluster.folder / "twelve.h5", "r") as file:
        expect(file.attrs["kind"] == b"sweep", "kind of the merged file")
    listed = cluster.run(cluster.recfleet, "sweep", "sweep.yaml", "--missing", check=False).stdout
    expect(listed.strip() == str(BAD_POINT), "missing", listed)
    before = stamps(cluster)
    expect(len(before) == POINTS - 1, "points", sorted(before))
    # As long as the trace is missing the mistake is found before anything is submitted.
    refused = cluster.run(cluster.recfleet, "submit", "sweep.yaml", "--array", check=False)
    expect(refused.returncode == 2 and "trace.csv" in refused.stderr, refused)
    cluster.say("eleven points are merged, the twelfth is named")
    (cluster.folder / "hidden").rename(cluster.folder / "trace.csv")
    shown = cluster.run(cluster.recfleet, "submit", "sweep.yaml", "--array", "--dry-run").stdout
    expect(f"--array={BAD_POINT} " in shown, "dry run", shown)
    array, merge = cluster.submit("sweep.yaml", "--array")
    expect(cluster.wait(merge) == ("COMPLETED", 0), "the second merge", cluster.job(merge))
    after = stamps(cluster)
    expect({k: after[k] for k in before} == before, "a point was done again")
    expect(len(after) == POINTS, "points", sorted(after))


def expect_whole(cluster):
    expect_same(cluster, "twelve.h5", cluster.folder / "direct.h5")


def in_shares(cluster):
    """More points than an array may have tasks: each task does a share of them."""
    config = cluster.base / "slurm.conf"
    config.write_text(config.read_text().replace("MaxArraySize=1001", "MaxArraySize=5"))
    cluster.run("scontrol", "reconfigure")
    for path in [cluster.folder / "twelve.h5", *(cluster.folder / "twelve.points").glob("*.h5")]:
        path.unlink()
    array, merge = cluster.submit("sweep.yaml", "--array")
    expect(cluster.wait(merge) == ("COMPLETED", 0), "the merge of shares", cluster.job(merge))
    logs = list((cluster.folder / "twelve.points").glob("share-*.log"))
    expect(len(logs) == 5, "shares", logs)
    expect_whole(cluster)
    cluster.say("five shares: the same")


def by_hand(cluster):
    """sweep.sbatch and merge.sbatch as their heads say: three points, on two nodes each."""
    options = ["sweep.yaml", "-o", "hand.h5", "--set", "duration=100ms"]
    id = cluster.sbatch("--array=0,2-3%2", *TWO_NODES, "--output=hand-%a.log",
                        SLURM / "sweep.sbatch", *options)
    merge = cluster.sbatch(f"--dependency=afterany:{id}", "--output=hand.log",
                           SLURM / "merge.sbatch", *options)
    expect(cluster.wait(merge) == ("FAILED", 5), "the merge by hand", cluster.job(merge))
    there = sorted(p.stem for p in (cluster.folder / "hand.points").glob("*.h5"))
    expect(there == ["000000", "000002", "000003"], "points by hand", there)
    cluster.say("by hand: the points that were asked for")


def task_out_of_time(cluster, duration_s=4000):
    """The task of an array that is told to stop goes back into the queue, that one only, and the
    merge waits for it."""
    # A try of its own name: what an earlier one left would be taken for this one's.
    name = f"stopped-{duration_s}"
    options = ["sweep.yaml", "-o", f"{name}.h5", "--set", f"duration={duration_s}s",
               "--set", "checkpoint.every=500ms"]
    id = cluster.sbatch("--array=10-11", f"--output={name}-%a.log", SLURM / "sweep.sbatch",
                        *options)
    merge = cluster.sbatch(f"--dependency=afterany:{id}", f"--output={name}.log",
                           SLURM / "merge.sbatch", *options)
    # The last task has the id of the array, too: requeueing that would requeue all of it.
    last = f"{id}_11"
    if under_way(cluster, last, f"{name}.points/000011.h5"):
        cluster.scancel("--batch", "--signal=USR2", last)
    cluster.wait(merge)
    facts = [run_facts(cluster.folder / f"{name}.points/0000{p}.h5") for p in (10, 11)]
    if facts[1]["n_restarts"] == 0 and duration_s < 200000:
        return task_out_of_time(cluster, 3 * duration_s)
    expect([f["n_restarts"] for f in facts] == [0, 1], "restarts", [f["n_restarts"] for f in facts])
    expect([cluster.job(f"{id}_{p}")["Restarts"] for p in (10, 11)] == ["0", "1"],
           "more was requeued than the task", cluster.job(f"{id}_10"))
    log = (cluster.folder / f"{name}.log").read_text()
    expect(log.count("recfleet: job") == 1 and "2 done" in log, "the merge came too early", log)
    cluster.say("a task went back into the queue, and the merge waited for it")


def dry_run(cluster):
    """A dry run leaves no trace."""
    def everything():
        return sorted((p, p.stat().st_mtime_ns) for p in cluster.folder.rglob("*"))
    before, jobs = everything(), cluster.run("squeue", "--states=all", "-h").stdout
    for how in (["--array"], [], ["--chain", 3]):
        said = cluster.run(cluster.recfleet, "submit", "sweep.yaml", "-o", "dry.h5", "--dry-run",
                           *how).stdout
        expect("sbatch --parsable" in said, "dry run", said)
    expect(everything() == before, "a dry run changed files")
    expect(cluster.run("squeue", "--states=all", "-h").stdout == jobs, "a dry run made jobs")


def scaling(cluster):
    """scaling.sbatch: 1, 2 and 3 ranks, the same results, a line of the table for each."""
    id = cluster.sbatch("--nodes=2", "--ntasks=3", "--output=%j.log", SLURM / "scaling.sbatch",
                        STUDY, "--set", "duration=300ms")
    expect(cluster.wait(id) == ("COMPLETED", 0), "scaling", cluster.job(id))
    lines = (cluster.folder / f"scaling-{id}.csv").read_text().splitlines()
    expect(lines[0] == "ranks,wall_s,speed_up,efficiency", lines)
    rows = [line.split(",") for line in lines[1:]]
    expect([r[0] for r in rows] == ["1", "2", "3"] and rows[0][2:] == ["1.000", "1.000"], rows)
    for row in rows:
        expect(abs(float(rows[0][1]) / float(row[1]) - float(row[2])) < 0.01, "speed-up", row)
        expect_same(cluster, f"scaling-{id}/{row[0]}.h5", cluster.folder / f"scaling-{id}/1.h5")
    cluster.say("scaling: " + "; ".join(lines[1:]))


def group_sweep(recfleet):
    """Many points as an array, and the other scripts."""
    with Cluster(recfleet) as cluster:
        write_sweep(cluster)
        cluster.run(cluster.recfleet, "sweep", "sweep.yaml", "-q", "-o", "direct.h5")
        dry_run(cluster)
        eleven_of_twelve(cluster)
        expect_whole(cluster)
        by_hand(cluster)
        task_out_of_time(cluster)
        in_shares(cluster)
        scaling(cluster)


# --- the tests' own cluster


def group_left_alone(recfleet):
    """Part of group_guard: a cluster with a job, whose test is killed."""
    cluster = Cluster(recfleet, nodes=1, cpus=1)
    id = cluster.sbatch("--wrap=srun --mpi=none sleep 600")
    cluster.until("the job runs", lambda: cluster.state(id) == "RUNNING")
    print(cluster.base, flush=True)
    time.sleep(600)


def processes_of(base):
    """Those of that cluster: its daemons by their words, its jobs by their environment."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str(base) in (path / "cmdline").read_text() or \
               f"SLURM_CONF={base}/" in (path / "environ").read_text():
                found.append(path.name)
        except (OSError, UnicodeDecodeError):
            pass
    return found


def group_guard(recfleet):
    """A test that is killed leaves neither daemons nor jobs nor files; a second cluster on the same
    host does not notice."""
    with Cluster(recfleet, nodes=1, cpus=1) as cluster:
        child = subprocess.Popen([sys.executable, "-B", __file__, recfleet, "left_alone"],
                                 stdout=subprocess.PIPE, text=True)
        lines = iter(child.stdout.readline, "")
        base = next(pathlib.Path(line.strip()) for line in lines if line.startswith("/"))
        expect(len(processes_of(base)) > 4, "two clusters side by side", processes_of(base))
        child.kill()
        child.wait()
        cluster.until("nothing is left", lambda: not base.exists() and not processes_of(base), 30)
        cluster.run("srun", "--mpi=none", "true")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    globals()["group_" + sys.argv[2]](sys.argv[1])


if __name__ == "__main__":
    main()
