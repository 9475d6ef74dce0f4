#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program as its user meets it: exit statuses, error lines, files left behind.

usage: cli.py PROGRAM STUDIES GOLDEN GROUP [--update]
GROUP is one of the functions `group_*` below. --update rewrites the golden files.
"""
import csv
import fcntl
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM, STUDIES, GOLDEN = (os.path.abspath(p) for p in sys.argv[1:4])
QUICK = os.path.join(STUDIES, "00-quickstart.yaml")

STUDY = """\
name: small
duration: 200ms
traffic:
  - service: feed
    model: wnd
    rate: 2000qps
    sla: {p95: 25ms}
fleet:
  groups:
    - {platform: skylake, servers: 4}
"""

# What is wrong -> (the study with it, what the one line must match). Lines begin with
# study.yaml:LINE:COLUMN: and name the key.
BAD = {
    "a service that colours the terminal": (STUDY.replace("feed", '"\\e[31mred"'),
                                            r"study.yaml:4:14: traffic\[0\].service: expected a text on one line, "
                                            r"without control characters such as \\x1b"),
    "a name on two lines": (STUDY.replace("small", '"a\\nb"'), r"study.yaml:1:7: name: expected a text on one line"),
    "a key with a bell": (STUDY + '"a\\a": 1\n', r"study.yaml:11:1: expected a text on one line, .* \\x07"),
    "a group with a control of eight bits": (STUDY.replace("{platform", '{name: "\\x9b1m", platform'),
                                             r"study.yaml:10:14: fleet.groups\[0\].name: expected .* \\x9b"),
    "unknown key": (STUDY.replace("rate:", "rat:"),
                    r"study.yaml:6:5: traffic\[0\].rat: unknown key; did you mean \"rate\"\?"),
    "wrong type": (STUDY.replace("2000qps", "fast"),
                   r"study.yaml:6:11: traffic\[0\].rate: expected a rate such as \"12000qps\", got \"fast\""),
    "list for a number": (STUDY.replace("2000qps", "[1, 2]"),
                          r"study.yaml:6:11: traffic\[0\].rate: expected a rate .* got a list"),
    "wrong unit": (STUDY.replace("25ms", "25W"),
                   r"study.yaml:7:16: traffic\[0\].sla.p95: expected a time such as \"25ms\", got \"25W\""),
    "missing unit": (STUDY.replace("200ms", "200"), r"study.yaml:2:11: duration: expected a time"),
    "NaN": (STUDY.replace("2000qps", ".nan"), r"study.yaml:6:11: traffic\[0\].rate: expected"),
    "infinity": (STUDY.replace("200ms", ".inf"), r"study.yaml:2:11: duration: expected a time"),
    "negative": (STUDY.replace("servers: 4", "servers: -4"),
                 r"study.yaml:10:36: fleet.groups\[0\].servers: expected a whole number"),
    "zero rate": (STUDY.replace("2000qps", "0qps"), r"study.yaml:6:11: traffic\[0\].rate: "),
    "duplicate key": (STUDY + "name: again\n",
                      r"study.yaml:11:1: name: duplicate key, first given in line 1"),
    "missing trace": (STUDY.replace("sla: {p95: 25ms}",
                                    "arrivals: {process: replay, file: no.csv}"),
                      r"study.yaml:7:39: traffic\[0\].arrivals.file: .*no.csv: No such file"),
    "unknown model": (STUDY.replace("model: wnd", "model: wndd"),
                      r"study.yaml:5:12: traffic\[0\].model: unknown model \"wndd\"; did you mean"),
    "unknown platform": (STUDY.replace("skylake", "skylark"),
                         r"study.yaml:10:18: fleet.groups\[0\].platform: unknown platform .* \"skylake\""),
    "unknown policy": (STUDY + "balancer: {policy: randon}\n",
                       r"study.yaml:11:20: balancer.policy: unknown balancer policy .* \"random\""),
    "feedback without delay": (STUDY + "balancer: {policy: least-work, dispatch_delay: 0, status_delay: 0}\n",
                               r"study.yaml:11:48: balancer.dispatch_delay: policy least-work "),
    "empty traffic": (STUDY.split("traffic:")[0] + "traffic: []\nfleet: {groups: [{cores: 1, servers: 1}]}\n",
                      r"study.yaml:3:10: traffic: empty"),
    "no traffic": (STUDY.split("traffic:")[0] + "fleet: {groups: [{cores: 1, servers: 1}]}\n",
                   r"study.yaml:1:1: traffic: missing"),
    "bomb": ("a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a]\n",
             r"study.yaml:1:4: anchors and aliases are not supported"),
    "deep": ("a: " + "[" * 5000, r"study.yaml:1:\d+: nested too deeply"),
    "garbage": (b"%\x80", r"study.yaml:1:2: not a UTF-8 text"),
    "binary": (bytes(range(256)) * 8, r"study.yaml:1:\d+: "),
    "not YAML": ("traffic: [\n", r"study.yaml:\d+:\d+: not valid YAML"),
    "two documents": (STUDY + "---\nname: b\n", r"study.yaml:11:1: more than one document"),
    "empty file": ("", r"study.yaml:1:1: duration: missing"),
    "more cells than servers": (STUDY.replace("groups:", "cells: 5\n  groups:", 1),
                                r"study.yaml:9:10: fleet.cells: expected at most one per server"),
    "empty sweep": (STUDY + "sweep: []\n", r"study.yaml:11:8: sweep: empty; expected at least one"),
    "sweep over nothing": (STUDY + "sweep: [{axis: a, key: seed, values: []}]\n",
                           r"study.yaml:11:38: sweep\[0\].values: empty; expected at least one"),
    "sweep with an unknown key": (STUDY + "sweep: [{axes: a, key: seed, values: [1]}]\n",
                                  r"study.yaml:11:10: sweep\[0\].axes: unknown key; did you mean \"axis\""),
    "sweep with a label twice": (STUDY + "sweep: [{axis: a, key: seed, values: [1, 1]}]\n",
                                 r"study.yaml:11:42: sweep\[0\].values\[1\]: label \"1\" is there already"),
    "sweep with an axis twice": (STUDY + "sweep: [{axis: a, key: seed, values: [1]}, "
                                 "{axis: a, key: bins, values: [9]}]\n",
                                 r"study.yaml:11:51: sweep\[1\].axis: axis \"a\" is there already"),
    "sweep of lists": (STUDY + "sweep: [{axis: a, key: seed, values: [[1]]}]\n",
                       r"study.yaml:11:39: sweep\[0\].values\[0\]: expected a single value, got a list"),
    "sweep of a bad key": (STUDY + "sweep: [{axis: a, key: a..b, values: [1]}]\n",
                           r"study.yaml:11:24: sweep\[0\].key: expected a key such as traffic"),
    "huge sweep": (STUDY + "sweep:\n" + "".join(f"- {{axis: a{i}, key: seed, values: {list(range(101))}}}\n"
                                                for i in range(3)),
                   r"study.yaml:12:1: sweep: expected at most 1000000 points"),
    "bad point of a sweep": (STUDY + "sweep: [{axis: model, key: \"traffic[0].model\", values: [ncf, wndd]}]\n",
                             r"study.yaml:11:62: traffic\[0\].model: unknown model .*\(at model=wndd\)"),
    "an axis that replications make": (STUDY + "sweep: [{axis: replication, key: seed, values: [1]}]\n",
                                       r"study.yaml:11:16: sweep\[0\].axis: \"replication\" is the name"),
    "no replications": (STUDY + "replications: 0\n",
                        r"study.yaml:11:15: replications: expected a whole number from 1 to 10000"),
    "a sweep over replications": (STUDY + "sweep: [{axis: a, key: replications, values: [1]}]\n",
                                  r"study.yaml:11:24: sweep\[0\].key: a sweep cannot change itself"),
    "unknown tuning policy": (STUDY + "tune: {policies: [exhaustiv]}\n",
                              r"study.yaml:11:19: tune.policies\[0\]: unknown tuning policy .* \"exhaustive\""),
    "unknown tuning key": (STUDY + "tune: {polices: [static]}\n",
                           r"study.yaml:11:8: tune.polices: unknown key; did you mean \"policies\"\?"),
    "tuning an unknown service": (STUDY + "tune: {service: fed}\n",
                                  r"study.yaml:11:17: tune.service: unknown service \"fed\"; did you mean \"feed\""),
    "tuning an unknown group": (STUDY + "tune: {group: gpu}\n",
                                r"study.yaml:11:15: tune.group: unknown group \"gpu\"; expected one of skylake"),
    "empty grid": (STUDY + "tune: {batch_items: []}\n",
                   r"study.yaml:11:21: tune.batch_items: empty grid"),
    "B of nothing": (STUDY + "tune: {batch_items: [0, 4]}\n",
                     r"study.yaml:11:21: tune.batch_items: element 0: expected .* from 1 to 65535"),
    "B out of range": (STUDY + "tune: {batch_items: [4, 65536]}\n",
                       r"study.yaml:11:21: tune.batch_items: element 1: expected .* from 1 to 65535"),
    "T out of range": (STUDY + "tune: {offload_items: [4, 65537]}\n",
                       r"study.yaml:11:23: tune.offload_items: element 1: expected .* from 1 to 65536"),
    "descending grid": (STUDY + "tune: {batch_items: [4, 2]}\n",
                        r"study.yaml:11:21: tune.batch_items: expected ascending items, got 2 after 4"),
    "half an item": (STUDY + "tune: {batch_items: [4.5]}\n",
                     r"study.yaml:11:21: tune.batch_items: expected whole items, got 4.5"),
    "p99 bound below the target": (STUDY + "tune: {p99_bound: 0.5}\n",
                                   r"study.yaml:11:19: tune.p99_bound: expected 0 or more than 1"),
    "accuracy of nothing": (STUDY + "tune: {accuracy: 0}\n",
                            r"study.yaml:11:18: tune.accuracy: expected a fraction .* from 0.001 to 0.2"),
    "checkpoint too often": (STUDY + "checkpoint: {every: -1s}\n",
                             r"study.yaml:11:21: checkpoint.every: expected a time .* got \"-1s\""),
    "checkpoint by simulated events": (STUDY + "checkpoint: {every: 10}\n",
                                       r"study.yaml:11:21: checkpoint.every: expected a time such as"),
    "unknown checkpoint key": (STUDY + "checkpoint: {evry: 10min}\n",
                               r"study.yaml:11:14: checkpoint.evry: unknown key; did you mean \"every\"\?"),
    "checkpoint of no map": (STUDY + "checkpoint: 10min\n",
                             r"study.yaml:11:13: checkpoint: expected a map"),
    "empty pool": (STUDY.replace("servers: 4", "servers: 0"),
                   r"study.yaml:10:36: fleet.groups\[0\].servers: an empty server pool; expected at least 1"),
    "price without a unit": (STUDY.replace("servers: 4", "servers: 4, price: 0.43"),
                             r"study.yaml:10:46: fleet.groups\[0\].price: expected a price such as \"0.43usd/h\""),
    "more on than there are": (STUDY.replace("servers: 4", "servers: 4, on: {servers: [5]}"),
                               r"study.yaml:10:53: fleet.groups\[0\].on.servers: expected at most the group's 4"),
    "negative load": (STUDY.replace("sla: {p95: 25ms}", "arrivals: {process: diurnal, curve: [1, -1]}"),
                      r"study.yaml:7:41: traffic\[0\].arrivals.curve: element 1: expected .* got \"-1\""),
    "no load": (STUDY.replace("sla: {p95: 25ms}", "arrivals: {process: diurnal, curve: [0, 0]}"),
                r"study.yaml:7:41: traffic\[0\].arrivals.curve: expected a relative rate above 0"),
    "no curve": (STUDY.replace("sla: {p95: 25ms}", "arrivals: diurnal"),
                 r"study.yaml:\d+:\d+: traffic\[0\].(arrivals.)?curve: expected at least one relative rate, or a "
                 r"shape"),
    "two curves": (STUDY.replace("sla: {p95: 25ms}", "arrivals: {process: diurnal, curve: [1], shape: evening}"),
                   r"study.yaml:7:53: traffic\[0\].arrivals.shape: expected one of curve, shape and curve_file"),
    "unknown shape": (STUDY.replace("sla: {p95: 25ms}", "arrivals: {process: diurnal, shape: evenin}"),
                      r"study.yaml:7:41: traffic\[0\].arrivals.shape: expected one of .* \"evening\""),
    "missing curve": (STUDY.replace("sla: {p95: 25ms}", "arrivals: {process: diurnal, curve_file: no.csv}"),
                      r"study.yaml:7:46: traffic\[0\].arrivals.curve_file: .*no.csv: No such file"),
    "failures without repair": (STUDY + "failures: {mtbf: 30d}\n",
                                r"study.yaml:11:11: failures.mttr: missing; expected a time above 0"),
    "failures without a unit": (STUDY + "failures: {mtbf: 30, mttr: 1h}\n",
                                r"study.yaml:11:18: failures.mtbf: expected a time such as"),
    "an event of no server": (STUDY + "failures: {events: [{at: 0, for: 1s, server: 4}]}\n",
                              r"study.yaml:11:46: failures.events\[0\].server: expected 0 to 3 "),
    "an event of no cell": (STUDY + "failures: {events: [{at: 0, for: 1s, cell: 1}]}\n",
                            r"study.yaml:11:44: failures.events\[0\].cell: expected 0 to 0 "),
    "an event of no time": (STUDY + "failures: {events: [{at: 0, for: 0, cell: 0}]}\n",
                            r"study.yaml:11:34: failures.events\[0\].for: expected a time above 0"),
    "too many retries": (STUDY + "failures: {retries: 9}\n",
                         r"study.yaml:11:21: failures.retries: expected a whole number from 0 to 3"),
    "unknown failures key": (STUDY + "failures: {mtfb: 1d}\n",
                             r"study.yaml:11:12: failures.mtfb: unknown key; did you mean \"mtbf\"\?"),
    "unknown scheduler": (STUDY + "capacity: {schedulers: [deeprecshed]}\n",
                          r"study.yaml:11:25: capacity.schedulers\[0\]: unknown scheduler .* \"deeprecsched\""),
    "all cells down": (STUDY + "capacity: {cells_down: [1]}\n",
                       r"study.yaml:11:24: capacity.cells_down: expected less than the fleet's 1 cells"),
    "a day of broken hours": (STUDY + "capacity: {day: 90min}\n",
                              r"study.yaml:11:11: capacity.interval: expected a whole number of them in the day"),
    "on for longer than the day": (STUDY + "capacity: {find: plan, min_on: 25h}\n",
                                   r"study.yaml:11:32: capacity.min_on: expected at most the day"),
    "shrinking searches": (STUDY + "capacity: {queries: 5000, max_queries: 4000}\n",
                           r"study.yaml:11:40: capacity.max_queries: expected at least queries \(5000\), got 4000"),
    "carbon without a unit": (STUDY + "capacity: {carbon: [420]}\n",
                              r"study.yaml:11:20: capacity.carbon: element 0: expected a carbon intensity such as"),
    "shrinking runs": (STUDY + "tune: {queries: 5000, max_queries: 4000}\n",
                       r"study.yaml:11:36: tune.max_queries: expected at least queries \(5000\), got 4000"),
}

# Traces that a replay must refuse: the text of the trace and what the line says of it.
BAD_TRACES = {
    "empty": ("", r"t.csv"),
    "cut in a number": ("arrive_s,size_items\n0.1,10\n0.2,", r"t.csv:3:"),
    "garbage": ("\x00\x01\x02", r"t.csv"),
    "word": ("arrive_s,size_items\n0.1,10\nlater,5\n", r"t.csv:3:1: "),
    "backwards": ("arrive_s,size_items\n0.2,10\n0.1,5\n", r"t.csv:3:"),
    "negative": ("arrive_s,size_items\n0.1,-3\n", r"t.csv:2:"),
    "signed first time": ("-5,1\n3,2\n", r"t.csv:1:1: expected a time"),
}

# Curves of a day that are refused: the text of the file and what the line says of it.
BAD_CURVES = {
    "gap": ("time,rate\n0,1\n3600,2\n10800,1\n", r"c.csv:4:1: a gap: expected equal steps of 3600s, got 7200s"),
    "negative load": ("1\n-1\n", r"c.csv:2:1: expected a rate >= 0, got \"-1\": negative load"),
    "word": ("1\nmuch\n", r"c.csv:2:1: expected a rate such as .*, got \"much\""),
    "nothing": ("0\n0\n", r"expected a relative rate above 0, all are 0"),
}

failures = []


def expect(condition, what, detail=""):
    if not condition:
        failures.append(what)
        print(f"FAIL {what}: {detail}")


def call(*args, cwd=None, env=None):
    done = subprocess.run([PROGRAM, *args], cwd=cwd, env=env, capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def refused(what, pattern, folder, *args, status=2, lines=1):
    """The call ends with that status, one line on stderr (or so many) that matches, and no new file."""
    before = sorted(os.listdir(folder))
    rc, out, err = call(*args, cwd=folder)
    expect(rc == status, f"{what}: exit status", f"{rc}, wanted {status}; {err}")
    expect(err.count("\n") == lines and err.endswith("\n"), f"{what}: one line", repr(err))
    expect(re.match(pattern, err), f"{what}: text", f"{err!r} does not match {pattern!r}")
    expect(out == "", f"{what}: nothing on stdout", out[:200])
    expect(sorted(os.listdir(folder)) == before, f"{what}: files", os.listdir(folder))


def group_bad(folder):
    """Every bad study is one line with its place, by check and by run, and leaves no file."""
    for what, (text, pattern) in BAD.items():
        write(folder, "study.yaml", text)
        refused(what + " (check)", pattern, folder, "check", "study.yaml",
                lines=3 if what == "empty file" else 1)
    write(folder, "study.yaml", STUDY.replace("rate:", "rat:").replace("skylake", "skylark") + "bnis: 9\n")
    for command in ("check", "run", "sweep", "tune", "capacity", "submit"):
        refused(f"three mistakes ({command})",
                r"study.yaml:6:5: traffic\[0\].rat: .*\nstudy.yaml:10:18: fleet.groups\[0\].platform: .*\n"
                r"study.yaml:11:1: bnis: ", folder, command, "study.yaml", lines=3)
    write(folder, "study.yaml", STUDY.replace("sla: {p95: 25ms}",
                                              "arrivals: {process: diurnal, curve_file: c.csv}"))
    for what, (text, pattern) in BAD_CURVES.items():
        write(folder, "c.csv", text)
        refused("curve: " + what, r"study.yaml:7:46: traffic\[0\].arrivals.curve_file: .*" + pattern, folder,
                "check", "study.yaml")
    for what in ("unknown key", "garbage", "feedback without delay"):
        write(folder, "study.yaml", BAD[what][0])
        refused(what + " (run)", BAD[what][1], folder, "run", "study.yaml", "-o", "out.h5")
    if shutil.which("mpirun"):
        write(folder, "study.yaml", BAD["unknown key"][0])
        # Several times: which rank leaves first, and whether mpirun then kills the other before it
        # has printed, is chance.
        for _ in range(5):
            done = subprocess.run(["mpirun", "-n", "2", PROGRAM, "run", "study.yaml"], cwd=folder,
                                  capture_output=True, text=True, timeout=120)
            ours = [line for line in done.stderr.splitlines() if "study.yaml:" in line]
            expect(done.returncode == 2 and len(ours) == 1, "bad study on two ranks", done.stderr)
    refused("missing study", r"no.yaml: cannot open: ", folder, "run", "no.yaml")
    write(folder, "study.yaml", STUDY)
    refused("bad --set", r"--set traffic.0.rate=fast: traffic\[0\].rate: expected a rate", folder,
            "run", "study.yaml", "--set", "traffic.0.rate=fast")


def same_status(folder, status, *args):
    """On two ranks each of the processes ends with that status, whichever a launcher looks at."""
    if not shutil.which("mpirun"):
        return
    said = subprocess.run(["mpirun", "-n", "2", "sh", "-c", '"$@"; echo "ends with $?"', "sh", PROGRAM, *args],
                          cwd=folder, capture_output=True, text=True, timeout=120).stdout
    expect(said.splitlines().count(f"ends with {status}") == 2, f"{args[0]}: {status} on every rank", said)


# One server of two cores; queries of more than 40 items are split.
WATCHED = """\
name: watched
duration: 400ms
warmup: 0s
traffic:
  - {service: feed, rate: 1500qps, sizes: {distribution: lognormal, max_items: 200}, sla: {p95: 25ms}}
fleet:
  groups:
    - platform: skylake
      cores: 2
      servers: 1
      scheduler: {policy: fixed, batch_items: 40}
      cost: {kind: synthetic, fixed: 100us, per_item: 8us}
balancer: {dispatch_delay: 50us, return_delay: 20us}
"""
# Eight servers of two cells with accelerators, which go down now and then, in bursty traffic.
WATCHED_FAIL = """\
name: failing
duration: 400ms
warmup: 0s
output: {sample: 1000000}
traffic:
  - service: feed
    rate: 9000qps
    arrivals: {process: mmpp, states: [0.5, 1.5], hold: [20ms, 20ms]}
    sizes: {distribution: lognormal, max_items: 400}
    sla: {p95: 25ms}
fleet:
  cells: 2
  groups:
    - platform: skylake
      cores: 4
      servers: 8
      accelerator: gtx1080ti
      scheduler: {policy: fixed, batch_items: 40, offload_items: 150}
      cost: {kind: synthetic, fixed: 100us, per_item: 8us, accel_fixed: 300us, accel_load_per_item: 1us}
balancer: {policy: power-of-two}
failures: {mtbf: 40ms, mttr: 5ms, retries: 2, retry_delay: 1ms}
"""


def us_to_ns(text):
    """Microseconds with three decimals, exactly."""
    whole, _, part = text.partition(".")
    return int(whole) * 1000 + int(part.ljust(3, "0"))


def read_events(path):
    with open(path, encoding="utf-8") as f:
        text = f.read()
    faults = trace_faults(json.loads(text))
    expect(not faults, "the trace-event format", faults[:5])
    return json.loads(text, parse_float=us_to_ns)["traceEvents"]


# Of the Trace Event Format: phases with the members that they need, and metadata with their one
# argument. Durations are B and E in pairs or X, on a thread one inside the other or apart
# (perfetto.dev/docs/faq: "overlapping events").
TRACE_PHASES = {"B": {"ts"}, "E": {"ts"}, "X": {"ts", "dur"}, "C": {"ts", "args"}, "i": {"ts"}, "I": {"ts"},
                "b": {"ts", "id", "cat"}, "e": {"ts", "id", "cat"}, "n": {"ts", "id", "cat"}, "s": {"ts", "id"},
                "t": {"ts", "id"}, "f": {"ts", "id"}, "M": {"args"}}
TRACE_NAMES = {"process_name": ("name", str), "process_labels": ("labels", str), "process_sort_index": ("sort_index", int),
               "thread_name": ("name", str), "thread_sort_index": ("sort_index", int)}


def is_number(value, kind=(int, float)):
    return isinstance(value, kind) and not isinstance(value, bool)


def trace_faults(trace):
    """What is against the format in a trace of the kind "JSON Object Format"."""
    faults, threads, series = [], {}, {}
    if not isinstance(trace, dict) or not isinstance(trace.get("traceEvents"), list):
        return ["no object with a list of traceEvents"]
    if trace.get("displayTimeUnit", "ms") not in ("ms", "ns") or not isinstance(trace.get("otherData", {}), dict):
        faults.append("head")
    for e in trace["traceEvents"]:
        ph = e.get("ph") if isinstance(e, dict) else None
        if ph not in TRACE_PHASES:
            faults.append(("phase", e))
            continue
        args = e.get("args", {})
        if not TRACE_PHASES[ph] <= set(e) or not isinstance(args, dict):
            faults.append(("members", e))
        elif not (is_number(e.get("pid"), int) and is_number(e.get("tid"), int)) or ph != "E" and not isinstance(e.get("name"), str):
            faults.append(("whose", e))
        elif not isinstance(e.get("cat", ""), str) or any(k in e and not (is_number(e[k]) and e[k] >= 0) for k in ("ts", "dur")):
            faults.append(("times", e))
        elif ph == "M" and (e["name"] not in TRACE_NAMES or list(args) != [TRACE_NAMES[e["name"]][0]]
                            or not is_number(args[TRACE_NAMES[e["name"]][0]], TRACE_NAMES[e["name"]][1])):
            faults.append(("metadata", e))
        elif ph == "C" and (not args or not all(map(is_number, args.values()))
                            or series.setdefault((e["pid"], e["name"], e.get("id")), set(args)) != set(args)):
            faults.append(("counter", e))
        elif ph in "iI" and e.get("s", "t") not in ("g", "p", "t"):
            faults.append(("scope", e))
        elif ph in "BEX":
            threads.setdefault((e["pid"], e["tid"]), []).append(e)
    for events in threads.values():
        faults += nesting_faults(events)
    return faults


def nesting_faults(events):
    """Durations of one thread: in order of begin, the longer first, each ends before what it is in."""
    def begin(e):
        return (round(e["ts"] * 1000), -round(e.get("dur", 0) * 1000))
    faults, inside = [], []  # of ends; None: a B whose E is to come
    for e in sorted(events, key=begin):
        at = round(e["ts"] * 1000)
        while e["ph"] != "E" and inside and inside[-1] is not None and inside[-1] <= at:
            inside.pop()
        if e["ph"] == "E":
            while inside and inside[-1] is not None and inside[-1] <= at:
                inside.pop()
            if not inside or inside.pop() is not None:
                faults.append(("an end without a begin", e))
        elif e["ph"] == "B":
            inside.append(None)
        else:
            end = at + round(e["dur"] * 1000)
            if inside and inside[-1] is not None and end > inside[-1]:
                faults.append(("overlap", e))
            inside.append(end)
    return faults + [("no end", "")] * inside.count(None)


def check_rules():
    """The rules above find what is against them."""
    x = {"ph": "X", "pid": 1, "tid": 1, "name": "a", "ts": 1.5, "dur": 2}
    c = {"ph": "C", "pid": 1, "tid": 0, "name": "n", "ts": 1, "args": {"v": 1}}
    m = {"ph": "M", "pid": 1, "tid": 1, "name": "thread_name", "args": {"name": "core 0"}}
    b, e = {**x, "ph": "B", "ts": 4}, {"ph": "E", "pid": 1, "tid": 1, "ts": 9}
    good = [[x, c, m], [x, {**x, "ts": 2, "dur": 1.5}], [x, {**x, "ts": 3.5}], [x, {**x, "tid": 2, "ts": 2}], [b, {**b, "ts": 5}, {**e, "ts": 6}, e]]
    bad = [[{**x, "ph": "Q"}], [{**x, "ts": -1}], [{**x, "dur": "2"}], [{**x, "tid": "core"}], [{k: x[k] for k in x if k != "dur"}],
           [x, {**x, "ts": 2, "dur": 9}], [b], [e], [{**c, "args": {}}], [{**c, "args": {"v": "1"}}], [c, {**c, "args": {"w": 1}}],
           [{**m, "name": "threadname"}], [{**m, "args": {"sort_index": 1}}], [{**x, "ph": "i", "s": "x"}], [{**x, "name": None}]]
    for events in good:
        expect(not trace_faults({"traceEvents": events}), "a sound trace", trace_faults({"traceEvents": events}))
    for events in bad:
        expect(trace_faults({"traceEvents": events}), "a trace against the format", events)
    expect(trace_faults([x]) and trace_faults({"traceEvents": [x], "displayTimeUnit": "us"}), "a trace's head")


def check_events(what, events):
    """The rules of the trace-event format, and of a server: no thread does two things at once."""
    needs = {"M": {"args"}, "X": {"ts", "dur", "cat", "args"}, "C": {"ts", "args"}, "i": {"ts", "s", "args"}}
    free, last, named, levels = {}, 0, set(), {}
    for e in events:
        expect(e["ph"] in needs and {"pid", "tid", "name"} | needs[e["ph"]] <= set(e), f"{what}: members", e)
        if e["ph"] == "M":
            expect(last == 0, f"{what}: names first", e)
            if e["name"] == "thread_name":
                named.add(e["tid"])
            continue
        expect(e["ts"] >= last, f"{what}: events in order", e)
        last = e["ts"]
        if e["ph"] == "C":
            expect(list(map(type, e["args"].values())) == [int] and e["args"]["requests"] >= 0, f"{what}: counter", e)
            levels[e["name"]] = levels.get(e["name"], 0) + 1
        if e["ph"] == "X":
            expect(e["dur"] >= 0 and e["ts"] >= free.get(e["tid"], 0) and e["tid"] in named, f"{what}: slice", e)
            free[e["tid"]] = e["ts"] + e["dur"]
    expect(len({e["pid"] for e in events}) == 1, f"{what}: one process")
    return levels


def fcfs(queries, batch_items, n_cores, service_ns):
    """Slices of a first-come first-served server: time moves from event to event."""
    waiting, running, slices = [], [None] * n_cores, []
    coming = [(t, q, part, min(batch_items, items - part * batch_items))
              for q, (t, items) in enumerate(queries) for part in range(-(-items // batch_items))]
    levels, now = [(0, 0)], 0
    while coming or waiting or any(running):
        ends = [r for r in running if r]
        now = min(ends + [c[0] for c in coming[:1]]) if ends or coming else now
        running = [r if r and r > now else None for r in running]
        while coming and coming[0][0] == now:
            waiting.append(coming.pop(0))
        while waiting and None in running:
            core = running.index(None)
            ready, query, part, items = waiting.pop(0)
            running[core] = now + service_ns(items)
            slices.append((query, part, items, core, now, running[core] - now, now - ready))
        if levels[-1][1] != len(waiting):
            levels.append((now, len(waiting)))
    return slices, levels


def group_export(folder):
    """What one server did: an event file by the rules, the slices of a queue, the same on any ranks."""
    check_rules()
    write(folder, "one.yaml", WATCHED)
    rc, _, err = call("trace", "make", "one.yaml", "-o", "one.csv", cwd=folder)
    expect(rc == 0, "the queries of one server", err)
    rc, out, err = call("trace", "export", "one.yaml", "--server", "0", "-o", "one.json", cwd=folder)
    expect(rc == 0 and "perfetto" in out, "export", err)
    events = read_events(os.path.join(folder, "one.json"))
    check_events("one server", events)
    with open(os.path.join(folder, "one.csv"), encoding="utf-8") as f:
        rows = [line.split(",") for line in f if line[0].isdigit()]
    queries = [(round(float(t) * 1e9) + 50000, int(items)) for t, items in rows]
    slices, levels = fcfs(queries, 40, 2, lambda items: 100000 + 8000 * items)
    keys = ("query", "part", "part_items")
    seen = [(*(e["args"][k] for k in keys), e["tid"] - 1, e["ts"], e["dur"], e["args"]["waited_us"])
            for e in events if e["ph"] == "X"]
    wanted = [(q, p + 1, i, *rest) for q, p, i, *rest in slices if rest[1] < 400000000]
    expect(len(seen) > 500 and sorted(seen) == sorted(wanted), "slices of a queue",
           set(seen) ^ set(wanted))
    counted = [(e["ts"], e["args"]["requests"]) for e in events if e["ph"] == "C"]
    levels = [level for level in levels if level[0] < 400000000]
    expect(counted == levels and max(n for _, n in counted) > 5, "the queue's length",
           set(counted) ^ set(levels))
    last = {q: max(t + d for r, _, _, _, t, d, _ in slices if r == q) for q in range(len(queries))}
    expect(all(e["args"]["latency_us"] == last[e["args"]["query"]] + 20000 - e["args"]["arrival_us"]
               for e in events if e["ph"] == "X"), "latencies of a queue")
    expect(all(e["args"]["batch"] == 1 for e in events if e["ph"] == "X"), "a batch of one query")
    records_of_one(folder, events)
    export_of_many(folder)
    for what, pattern, words in (
            ("no server", "recfleet trace export: missing --server N", ()),
            ("a server that is not there", ".*server 1: expected 0 to 0", ("--server", "1")),
            ("a range of nothing", ".*expected a range of more than no time",
             ("--server", "0", "--from", "2ms", "--to", "2ms")),
            ("a range beyond the run", ".*expected at most 0.4 s", ("--server", "0", "--to", "1s"))):
        refused(what, pattern, folder, "trace", "export", "one.yaml", "-o", "no.json", *words)
    refused("an existing export", "output one.json: exists", folder, "trace", "export", "one.yaml", "-o", "one.json",
            "--server", "0")


def records_of_one(folder, events):
    """The records of all queries are what the events of the only server say."""
    try:
        import h5py
    except ImportError:
        return
    rc, _, err = call("run", "one.yaml", "-o", "one.h5", "--set", "output.queries=all", "--set", "warmup=0s", cwd=folder)
    expect(rc == 0, "a run with all queries", err)
    slices = {}
    for e in events:
        if e["ph"] == "X":
            slices.setdefault(e["args"]["query"], []).append((e["ts"], e["ts"] + e["dur"], e["tid"] - 1, e["args"]))
    keys = ("seq", "begin_s", "end_s", "first_unit", "last_unit", "n_requests", "n_attempts", "batch_queries", "arrive_s",
            "latency_s", "size_items")
    with h5py.File(os.path.join(folder, "one.h5"), "r") as f:
        rows = list(zip(*(f["sample"][k][()] for k in keys)))
        n_measured = int(f["total/n_queries"][()])
    expect(len(rows) == n_measured, "all queries are there", (len(rows), n_measured))
    seen = 0
    for seq, begin, end, first, last, *counts, arrive, latency, items in rows:
        parts = slices.get(int(seq), [])
        if len(parts) < counts[0]:  # the export ends with the range
            continue
        args = parts[0][3]
        longest = max(p[1] for p in parts)
        wanted = (min(p[0] for p in parts), longest, min(parts, key=lambda p: p[3]["part"])[2],
                  next(p[2] for p in parts if p[1] == longest), args["parts"], args["attempt"], args["batch"],
                  args["arrival_us"], args["latency_us"], args["items"])
        found = (round(begin * 1e9), round(end * 1e9), int(first), int(last), *map(int, counts), round(arrive * 1e9),
                 round(latency * 1e9), int(items))
        expect(found == wanted, "a query's record", (found, wanted))
        seen += 1
    expect(seen > 300, "records", seen)


def export_of_many(folder):
    """A range of a server that fails: as the run had it, whatever the ranks."""
    write(folder, "many.yaml", WATCHED_FAIL)
    words = ("trace", "export", "many.yaml", "--server", "5")
    rc, _, err = call(*words, "-o", "all.json", cwd=folder)
    expect(rc == 0, "export of a server that fails", err)
    events = read_events(os.path.join(folder, "all.json"))
    expect(len(check_events("failing", events)) == 2, "two counters")
    expect({e["ph"] for e in events} == set("MXCi") and any(e.get("args", {}).get("cut") for e in events),
           "losses are there")
    rc, _, err = call(*words, "-o", "part.json", "--from", "100ms", "--to", "150ms", cwd=folder)
    part = [e for e in read_events(os.path.join(folder, "part.json")) if e["ph"] == "X"]
    expect(rc == 0 and part == [e for e in events if e["ph"] == "X" and e["ts"] < 150000000
                                and e["ts"] + e["dur"] > 100000000], "a part of it is that part", err)
    if shutil.which("mpirun"):
        done = subprocess.run(["mpirun", "-n", "2", PROGRAM, *words, "-o", "two.json"], cwd=folder, capture_output=True,
                              timeout=120)
        with open(os.path.join(folder, "all.json"), "rb") as a, open(os.path.join(folder, "two.json"), "rb") as b:
            expect(done.returncode == 0 and a.read() == b.read(), "the same on two ranks", done.stderr)
    if has_h5py():
        rc, _, err = call("run", "many.yaml", "-q", "-o", "many.h5", cwd=folder)
        expect(rc == 0, "the run itself", err)
        done = subprocess.run([sys.executable, "-c", """
import h5py
with h5py.File("many.h5") as f:
    s = f["sample"]
    for row in zip(s["server"][:], s["seq"][:], s["latency_s"][:]):
        if row[0] == 5:
            print(row[1], round(row[2] * 1e9))
"""], cwd=folder, capture_output=True, text=True, check=True)
        sample = {tuple(map(int, line.split())) for line in done.stdout.splitlines()}
        seen = {(e["args"]["query"], e["args"]["latency_us"]) for e in events
                if e["ph"] == "X" and "latency_us" in e["args"]}
        expect(len(sample) > 100 and seen == sample, "the run's latencies", list(seen ^ sample)[:5])


# One core; the time of a query grows with its items, its history and each pair of them.
HISTORIES = """\
name: histories
duration: 400ms
warmup: 0s
traffic:
  - service: feed
    rate: 500qps
    sizes: {distribution: lognormal, max_items: 200}
    history: {distribution: lognormal, mu: 5, sigma: 1, max_items: 900}
fleet:
  groups:
    - platform: skylake
      cores: 1
      sockets: 1
      servers: 1
      scheduler: {policy: fixed, batch_items: 200}
      cost: {kind: synthetic, fixed: 100us, per_item: 2us, per_history: 500ns, per_item_history: 10ns}
balancer: {dispatch_delay: 50us, return_delay: 20us}
"""


def histories(folder):
    """A query's second size is drawn, written, replayed and paid for; a model that reads one must have it."""
    write(folder, "h.yaml", HISTORIES)
    rc, _, err = call("trace", "make", "h.yaml", "-o", "h.csv", cwd=folder)
    expect(rc == 0, "a trace with histories", err)
    with open(os.path.join(folder, "h.csv"), encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    wanted, free = [], 0
    for q, row in enumerate(rows):
        items, history = int(row["size_items"]), int(row["history_items"])
        begin = max(free, round(float(row["arrive_s"]) * 1e9) + 50000)
        free = begin + 100000 + 2000 * items + 500 * history + 10 * items * history
        wanted.append((q, begin, free - begin))
    expect(len({row["history_items"] for row in rows}) > 50, "histories differ", rows[:5])
    inspected_histories(folder)
    twice = HISTORIES.replace("rate: 500qps", "arrivals: {process: replay, file: h.csv, start: zero, "
                              "history_column: history_items}")
    write(folder, "twice.yaml", twice)
    write(folder, "again.yaml", "".join(line for line in twice.splitlines(True) if "  history:" not in line))
    write(folder, "pull.yaml", HISTORIES.replace("policy: fixed", "policy: pull"))
    for study in ("h.yaml", "again.yaml", "pull.yaml"):
        rc, _, err = call("trace", "export", study, "--server", "0", "-o", study + ".json", cwd=folder)
        expect(rc == 0, "export with histories", err)
        seen = [(e["args"]["query"], e["ts"], e["dur"]) for e in read_events(os.path.join(folder, study + ".json"))
                if e["ph"] == "X"]
        expect(len(seen) > 100 and sorted(seen) == [w for w in wanted if w[1] < 400000000],
               f"{study}: times by items and history", set(seen) ^ set(wanted))
    write(folder, "h.yaml", STUDY.replace("model: wnd", "model: sasrec").replace("sla: {p95: 25ms}", ""))
    refused("a model without the history that it reads", r".*its cost depends on a history; expected traffic\[\]",
            folder, "check", "h.yaml")
    refused("histories twice", r".*the trace has histories, by arrivals.history_column", folder, "check", "twice.yaml")


def inspected_histories(folder):
    """What trace inspect says of a second size: of the queries that have one, in text and in JSON."""
    write(folder, "second.csv", "time_s,n,h\n0,5,10\n1,7,0\n2,1,30\n3,9,40\n")
    words = ("trace", "inspect", "second.csv", "--set", "size_column=n", "--set", "history_column=h")
    rc, out, err = call(*words, cwd=folder)
    expect(rc == 0 and re.search(r"queries with a history +3\n +history +26.67 items, sd 12.47\n.* "
                                 r"10 10 30 40 40 40 40 items\n", out), "histories of a trace", out + err)
    rc, out, err = call(*words, "--format", "json", cwd=folder)
    sizes, histories = next(t["rows"] for t in json.loads(out)["tables"] if t["table"] == "items")
    expect((sizes["n"], sizes["mean_items"], sizes["max_items"]) == (4, 5.5, 9), "sizes as JSON", out)
    expect((histories["of"], histories["n"], histories["p50_items"], histories["p95_items"]) == ("history", 3, 30, 40) and
           abs(histories["mean_items"] - 80 / 3) < 1e-9, "histories as JSON", out)


def group_traces(folder):
    """Bad traces are refused where the study names them and by the trace command."""
    write(folder, "study.yaml", STUDY.replace("sla: {p95: 25ms}",
                                              "arrivals: {process: replay, file: t.csv}"))
    for what, (text, pattern) in BAD_TRACES.items():
        write(folder, "t.csv", text)
        refused(what, r"study.yaml:7:39: traffic\[0\].arrivals.file: .*" + pattern, folder, "run",
                "study.yaml")
        refused(what, ".*" + pattern, folder, "trace", "inspect", "t.csv")
    histories(folder)
    # A trace made from a study is one that a study replays, and its queries are all there.
    write(folder, "plain.yaml", STUDY)
    rc, out, err = call("trace", "make", "plain.yaml", "-o", "t.csv", "--force", cwd=folder)
    expect(rc == 0 and "mean rate" in out, "trace make", err)
    with open(os.path.join(folder, "t.csv")) as f:
        records = len(f.readlines()) - 1
    rc, out, err = call("run", "study.yaml", "-q", cwd=folder)
    expect(rc == 0, "replay", err)
    rc, out, err = call("trace", "inspect", "t.csv", cwd=folder)
    expect(re.search(rf"queries +{records}\n", out), "trace inspect counts", out)
    write(folder, "log.csv", "id;when_ms;n\na;1000;5\nb;1500;7\n")
    rc, out, err = call("trace", "convert", "log.csv", "-o", "c.csv", "--set", "time_column=when_ms",
                        "--set", "size_column=n", "--set", "time_unit=ms", cwd=folder)
    expect(rc == 0, "trace convert", err)
    with open(os.path.join(folder, "c.csv")) as f:
        rows = [line.strip().split(",") for line in f.readlines()[1:]]
    expect([(float(a), int(b)) for a, b in rows] == [(0.0, 5), (0.5, 7)], "converted rows", rows)
    refused("existing trace", r"output c.csv: exists", folder, "trace", "convert", "log.csv", "-o",
            "c.csv")
    # A rename would put a file in the place of a pipe or a device.
    os.mkfifo(os.path.join(folder, "pipe"))
    for verb, source in (("make", "plain.yaml"), ("convert", "t.csv")):
        refused(f"trace {verb} over a pipe", r"output pipe: exists and is not a regular file",
                folder, "trace", verb, source, "-o", "pipe", "--force")
    refused("trace into no folder", r"output no/t.csv: cannot write in no: ", folder, "trace",
            "convert", "t.csv", "-o", "no/t.csv")
    # Sizes above max_items are told of; that one key raises the limit.
    write(folder, "large.csv", "0,1\n0.5,2000\n1,3\n")
    for key, told in ((", max_items: 4000", False), ("", True)):
        write(folder, "large.yaml", STUDY.replace(
            "sla: {p95: 25ms}", f"arrivals: {{process: replay, file: large.csv{key}}}"))
        for command in ("check",), ("run", "-o", f"large{told}.h5"):
            rc, out, err = call(*command, "large.yaml", cwd=folder)
            expect(rc == 0 and told == ("1 of 3 sizes (33.3 %) are above max_items" in err),
                   f"sizes above max_items{key}", err)
        with open(os.path.join(folder, "large.yaml"), encoding="utf-8") as f:
            write(folder, "large-sweep.yaml", f.read() + "sweep: [{axis: seed, key: seed, values: [1, 2, 3]}]\n")
        rc, out, err = call("check", "large-sweep.yaml", cwd=folder)
        expect(rc == 0 and err.count("1 of 3 sizes (33.3 %) are above max_items") == told and "\n3 points:\n" in out,
               f"check of a sweep, sizes above max_items{key}", err)
    # A clock of whole seconds is told of, a resolution spreads the records, the rate is theirs.
    write(folder, "coarse.csv", "".join(f"{i // 20},1\n" for i in range(60)))
    for setting, told in (("resolution=0", True), ("resolution=1s", False)):
        rc, out, err = call("trace", "inspect", "coarse.csv", "--set", setting, cwd=folder)
        expect(rc == 0 and told == ("resolution: 1s spreads them" in err) and
               re.search("mean rate +20 qps", out), f"coarse trace, {setting}", out + err)
    recorded_sizes(folder)
    hdf5_traces(folder)


# Half a minute of 20 a second and as much of 80, of 100 items and of 900: each query has 0.1 s or 0.9 s
# of one of 64 cores, so 500 ms * 50 qps / 64 = 39 % on average, and 62.5 % in the second half.
RECORDED = """\
name: recorded
duration: 60s
traffic:
  - {service: a, arrivals: {process: replay, file: sized.csv}, sla: {p95: 2s}}
fleet:
  groups:
    - {name: g, cores: 8, servers: 8, cost: {kind: synthetic, per_item: 1ms},
       scheduler: {policy: fixed, batch_items: 1024}}
balancer: {policy: power-of-two}
capacity: {find: servers, day: 60s, interval: 30s, queries: 4000, max_queries: 20000}
"""


def recorded_sizes(folder):
    """What a trace recorded is what check and capacity count with, at its peak."""
    write(folder, "sized.csv", "".join(f"{i / 20 if i < 600 else 30 + (i - 600) / 80},{100 + 800 * (i % 2)}\n"
                                       for i in range(3000)))
    write(folder, "recorded.yaml", RECORDED)
    rc, out, err = call("check", "recorded.yaml", cwd=folder)
    expect(rc == 0 and "500.0 items on average, at most 900 (as recorded)" in out, "check of recorded sizes", out)
    loads = [float(x) for x in re.findall(r"to +([0-9.]+) % \(all busy\)", out)]
    expect(len(loads) == 2 and abs(loads[0] - 39.1) < 0.2 and 55 < loads[1] < 62.6, "loads of a trace", out)
    rc, out, err = call("check", "recorded.yaml", "--set", "fleet.groups[0].servers=4", cwd=folder)
    expect(rc == 0 and "overloaded" in err, "an overload at the peak of a trace", out + err)
    # 40 cores are busy at the peak, so five servers of eight are full, and one more has the time.
    rc, out, err = call("capacity", "recorded.yaml", "-o", "recorded.h5", cwd=folder)
    rows = re.findall(r"fixed +g +(\d+) ", out)
    expect(rc == 0 and rows and 6 <= int(rows[0]) <= 7, "capacity of recorded sizes", out + err)
    # A day whose peak is 1.5 times its mean: 70 % is good, but not at the peak.
    write(folder, "day.yaml", STUDY.replace("sla: {p95: 25ms}",
          "arrivals: {process: diurnal, period: 10s, curve: [1, 3]}"))
    rc, out, err = call("check", "day.yaml", "--set", "duration=10s", "--set", "traffic[0].rate=5kqps", cwd=folder)
    loads = [float(x) for x in re.findall(r"to +([0-9.]+) % \(all busy\)", out)]
    expect(len(loads) == 2 and loads[0] < 100 < loads[1] and abs(loads[1] / loads[0] - 1.5) < 0.01 and
           "overloaded" in err, "an overload at the peak of a day", out + err)
    rc, out, err = call("check", "day.yaml", "--set", "duration=1s", "--set", "traffic[0].rate=5kqps", cwd=folder)
    expect("this run ends before it" in err, "a peak that the run does not see", out + err)


def hdf5_traces(folder):
    """A results file is a trace of its sample; as CSV the same trace gives the same results."""
    write(folder, "all.yaml", STUDY + "output: {file: all.h5, sample: 10000000}\n")
    rc, _, err = call("run", "all.yaml", "-q", cwd=folder)
    expect(rc == 0, "run for a sample", err)
    rc, out, err = call("trace", "convert", "all.h5", "-o", "all.csv", cwd=folder)
    expect(rc == 0 and "mean rate" in out, "convert HDF5 to CSV", err)
    # The format is told by content, so one study, by the same name, reads both.
    write(folder, "either.yaml", STUDY.replace("sla: {p95: 25ms}",
                                               "arrivals: {process: replay, file: either}"))
    for kind in ("h5", "csv"):
        shutil.copy(os.path.join(folder, "all." + kind), os.path.join(folder, "either"))
        rc, _, err = call("run", "either.yaml", "-q", "-o", f"from_{kind}.h5", cwd=folder)
        expect(rc == 0, f"replay of {kind}", err)
    if shutil.which("h5diff"):
        done = subprocess.run(["h5diff", "--exclude-path", "/run", "from_h5.h5", "from_csv.h5"],
                              cwd=folder, capture_output=True)
        expect(done.returncode == 0, "HDF5 and CSV agree", done.stdout.decode()[:300])
    else:
        print("skipped: HDF5 and CSV agree (no h5diff)")
    refused("missing dataset", r"all.h5: /sample/arive_s: no such dataset; did you mean "
            r"\"/sample/arrive_s\"\?", folder, "trace", "inspect", "all.h5", "--set",
            "time_column=/sample/arive_s")
    with open(os.path.join(folder, "all.h5"), "rb") as f:
        whole = f.read()
    write(folder, "either", whole[:len(whole) // 2])
    refused("truncated HDF5", r"either.yaml:7:39: traffic\[0\].arrivals.file: .*either: the HDF5 "
            r"file is truncated or damaged", folder, "run", "either.yaml")


def events(err):
    """The JSON lines of progress: from a start to an end, never backwards."""
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    expect(len(lines) >= 2 and lines[0]["event"] == "start" and lines[-1]["event"] == "end", "JSON events", err)
    expect(all(e["event"] == "progress" for e in lines[1:-1]), "JSON events between", err)
    expect(all(a["t_s"] <= b["t_s"] and a["done_frac"] <= b["done_frac"] for a, b in zip(lines, lines[1:])),
           "JSON events in order", err)
    return lines


MEASURED = """\
name: measured
duration: 400s
warmup: 10s
traffic:
  - {service: rank, model: wnd, rate: 150qps, sla: {p95: 60ms}, sizes: {distribution: empirical, file: sizes.csv}}
fleet:
  groups:
    - {name: box, cores: 1, servers: 1, scheduler: {policy: fixed, batch_items: 1024}, cost: {kind: table, file: t.csv}}
balancer: {policy: random, dispatch_delay: 0, status_delay: 0}
"""
# Two columns of times, of which one is in use; a dip, as kernels have them; sizes between the batches.
MEASURED_TIMES = [(1, 1.0), (10, 4.0), (20, 3.5), (100, 12.0)]
MEASURED_SIZES = [(5, 30), (20, 40), (60, 20), (100, 10)]


def fifo(rate_qps, service_s, sizes, n):
    """Latencies of n queries at one first-come first-served server, one after the other, sorted."""
    draw = random.Random(7)
    free_s = now_s = 0.0
    latencies = []
    for items in draw.choices([size for size, _ in sizes], [weight for _, weight in sizes], k=n):
        now_s += draw.expovariate(rate_qps)
        free_s = max(free_s, now_s) + service_s(items)
        latencies.append(free_s - now_s)
    return sorted(latencies)


def interpolated(items):
    for (below, low), (above, high) in zip(MEASURED_TIMES, MEASURED_TIMES[1:]):
        if items <= above:
            return 1e-3 * (low + (high - low) * (items - below) / (above - below))
    raise ValueError(items)


def group_tables(folder):
    """A measured table is the service time of a queue that a few lines of Python work out, step by step."""
    write(folder, "sizes.csv", "items,weight\n" + "".join(f"{n},{w}\n" for n, w in MEASURED_SIZES))
    write(folder, "t.csv", "batch,ms\n" + "".join(f"{n},{t}\n" for n, t in MEASURED_TIMES))
    write(folder, "study.yaml", MEASURED)
    run = tables_of("run", "study.yaml", cwd=folder)
    ours, load = run["latency"][0], run["groups"][0]["cpu_util_frac"]
    total = sum(weight for _, weight in MEASURED_SIZES)
    first = sum(w * interpolated(n) for n, w in MEASURED_SIZES) / total
    second = sum(w * interpolated(n) ** 2 for n, w in MEASURED_SIZES) / total
    rho = 150 * first
    wanted = {"mean": first + 150 * second / (2 * (1 - rho))}  # Pollaczek and Khinchine
    latencies = fifo(150, interpolated, MEASURED_SIZES, 300000)
    for name, q in ("p50", 0.5), ("p95", 0.95), ("p99", 0.99):
        wanted[name] = latencies[int(q * len(latencies))]
    expect(abs(sum(latencies) / len(latencies) / wanted["mean"] - 1) < 0.03, "the two queues in Python agree")
    for name, value in wanted.items():
        got, half = ours[f"latency_{name}_s"], ours[f"latency_{name}_s_half_95"]
        expect(abs(got - value) <= half, f"FIFO {name}", f"{got} +- {half}, wanted {value}")
    half = run["groups"][0]["cpu_util_frac_half_95"]
    expect(abs(load - rho) <= half, "FIFO load", f"{load} +- {half}, wanted {rho}")
    measured_faults(folder)
    transferred(folder)
    catalogued(folder)


def measured_faults(folder):
    """A table that is wrong is one line with its place, as is one that does not know the sizes."""
    at = r"study.yaml:8:\d+: fleet.groups\[0\].cost.file: "
    for what, text, line in (
            ("a hole", "batch,busy,ms\n1,1,1\n100,1,2\n1,2,2\n", "t.csv:3:1: batch 100 was measured with 1 at a time"),
            ("a negative", "batch,ms\n1,1\n100,-2\n", "t.csv:3:5: expected a time above 0"),
            ("no unit", "batch,latency\n1,1\n100,2\n", "t.csv:2:3: expected a time with its unit"),
            ("a batch twice", "batch,ms\n1,1\n1,2\n", "t.csv:3:1: batch 1 with 1 at a time is in line 2 already"),
            ("no batch", "concurrency,ms\n1,1\n", "t.csv:1:1: concurrency without a batch"),
            ("too short", "batch,ms\n1,1\n64,2\n", '"t.csv" has batches of 1 to 64 items')):
        write(folder, "t.csv", text)
        refused(what, at + re.escape(line), folder, "run", "study.yaml", "--force")


def transferred(folder):
    """Times of another machine are an error, or are meant: then every table and file says so."""
    write(folder, "t.csv", "# platform: elsewhere\nbatch,ms\n1,1\n100,4\n")
    named = MEASURED.replace("{name: box,", "{name: box, platform: here,")
    write(folder, "study.yaml", named)
    refused("another machine", r'study.yaml:8:\d+: .*cost.file: t.csv:1:13: measured on "elsewhere", and the group',
            folder, "run", "study.yaml", "--force")
    meant = ["--set", "fleet.groups[0].cost.transfer=true", "--set", "fleet.groups[0].cost.cpu_scale=1.5"]
    rc, out, err = call("run", "study.yaml", "-o", "x.h5", *meant, cwd=folder)
    expect(rc == 0 and "box [transfer x1.5]" in out and "measured elsewhere" in err, "a transfer", out + err)
    for args in ("show", "x.h5"), ("check", "study.yaml", *meant):
        rc, out, err = call(*args, cwd=folder)
        expect(rc == 0 and "box [transfer x1.5]" in out, f"a transfer in {args[0]}", out + err)


def catalogued(folder):
    """A folder of one's own is known to every command, and what `fit` prints is ready for it."""
    shelf = os.path.join(folder, "shelf")
    os.mkdir(shelf)
    write(folder, "t.csv", "# model: mine\nbatch,ms\n" + "".join(f"{n},{1 + 0.02 * n}\n" for n in (1, 10, 100)))
    write(shelf, "models.yaml", "models: [{name: mine, like: wnd, dim: 64}]\n")
    there = ("--catalog", shelf)
    rc, out, err = call("fit", "t.csv", "--like", "skylake", "--name", "box", *there, cwd=folder)
    expect(rc == 0 and "platforms:\n  - name: box\n    like: skylake\n" in out, "fit", out + err)
    cost = out.split("# affine, as a cost: ")[1].split(",\n")[0]
    write(folder, "closed.yaml", MEASURED.replace("model: wnd", "model: mine").replace("{kind: table, file: t.csv}", cost))
    rc, _, err = call("check", "closed.yaml", *there, cwd=folder)
    expect(rc == 0, "a fitted cost is one", cost + err)
    write(shelf, "box.yaml", "platforms:\n" + out.split("\nplatforms:\n")[1])
    write(shelf, "table.yaml", out.split("catalogue:\n")[1].split("\n#")[0])
    fitted = tables_of("fit", "t.csv", "--like", "skylake", *there, cwd=folder)
    expect(abs(fitted["points"][2]["affine_s"] / 0.003 - 1) < 1e-6 and fitted["errors"][0]["left_out_worst_frac"] < 1e-6,
           "an affine table is fitted", str(fitted))
    named = MEASURED.replace("model: wnd", "model: mine").replace(
        "name: box, cores: 1", "platform: box").replace("{kind: table, file: t.csv}", "table")
    write(folder, "study.yaml", named)
    load = tables_of("check", "study.yaml", *there, cwd=folder)["groups"][0]
    mean_s = sum(w * (1 + 0.02 * n) for n, w in MEASURED_SIZES) / sum(w for _, w in MEASURED_SIZES) * 1e-3
    expect(abs(load["cpu_alone_frac"] / (150 * mean_s / 40) - 1) < 1e-6, "a table of the catalogue", str(load))
    rows = tables_of("list", "platforms", *there, cwd=folder)["platforms"]
    expect(rows[-1]["name"] == "box" and rows[-1]["origin"].endswith("box.yaml") and rows[0]["origin"] == "recfleet",
           "origins in the list", str(rows[-1]))
    env = dict(os.environ, RECFLEET_CATALOG=shelf)
    rc, out, err = call("check", "study.yaml", cwd=folder, env=env)
    expect(rc == 0, "the catalogue of the environment", err)
    write(shelf, "a.yaml", "platforms: [{name: second, like: box}]\n")
    refused("an entry like one that comes later",
            r'\S*shelf/a\.yaml:1:34: platforms\[0\]\.like: unknown platform "box".*like one before it', folder,
            "check", "study.yaml", *there)
    refused("no such catalogue", r"catalog nowhere: No such file", folder, "check", "study.yaml", "--catalog", "nowhere")


def group_output(folder):
    """The results file: never overwritten unasked, never half written."""
    write(folder, "study.yaml", STUDY)
    rc, out, err = call("run", "study.yaml", cwd=folder)
    path = os.path.join(folder, "small.h5")
    expect(rc == 0 and os.path.exists(path) and "small.h5" in out, "run", err)
    with open(path, "rb") as f:
        before = f.read()
    refused("existing output", r"output small.h5: exists", folder, "run", "study.yaml")
    with open(path, "rb") as f:
        expect(f.read() == before, "existing output is untouched")
    rc, out, err = call("run", "study.yaml", "--force", "-q", cwd=folder)
    expect(rc == 0 and out == "", "--force --quiet", err + out)
    rc, out, err = call("run", "study.yaml", "--force", "-q", "--json", cwd=folder)
    expect(rc == 0 and out == "" and events(err)[-1]["done_frac"] == 1, "run --json", err + out)
    refused("no such folder", r"output no/such/out.h5: cannot write", folder, "run", "study.yaml", "-o", "no/such/out.h5")
    refused("output is a folder", r"output .* not a regular file", folder, "run", "study.yaml", "-o", folder, "--force")
    refused("output is a device", r"output /dev/full: exists and is not", folder, "run", "study.yaml", "-o", "/dev/full",
            "--force")
    for words in (("run", "study.yaml", "-o", "-"), ("trace", "make", "study.yaml", "-o", "-"),
                  ("submit", "study.yaml", "--dry-run", "-o", "-"),
                  ("run", "study.yaml", "--set", "output.file='-'")):
        refused(f"{words[0]} to standard output", r"output -: expected the name of a file", folder, *words)
    limited(folder)
    claimed(folder)
    full_disk(folder)


def limited(folder):
    """A limit on the length of files is an error in one line, from whatever is written, and leaves
    no file behind; it was the end of the program by a signal."""
    write(folder, "long.yaml", STUDY.replace("200ms", "2s"))
    write(folder, "swept.yaml", STUDY + "sweep: [{axis: seed, key: seed, values: [1]}]\n")
    write(folder, "sized.yaml", CAPACITY + "capacity: {queries: 2000, max_queries: 10000}\n")
    before = sorted(os.listdir(folder))
    for words in (("run", "long.yaml", "-o", "l.h5"), ("trace", "make", "long.yaml", "-o", "l.csv"),
                  ("sweep", "swept.yaml", "-o", "l.h5"), ("capacity", "sized.yaml", "-o", "l.h5")):
        done = subprocess.run(["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", PROGRAM, *words], cwd=folder,
                              capture_output=True, text=True)
        expect(done.returncode == 1 and "File too large" in done.stderr, f"{words} with a limit",
               f"{done.returncode} {done.stderr}")
        shutil.rmtree(os.path.join(folder, "l.points"), ignore_errors=True)
        left = [n for n in sorted(os.listdir(folder)) if n not in before]
        expect(left in ([], ["l.h5.memo"]), f"{words} with a limit: files", left)  # answers are kept
        for name in left:
            os.unlink(os.path.join(folder, name))
    # Not a byte: nothing is left of a memo and of a script either.
    for words in (("capacity", "sized.yaml", "-o", "l.h5"), ("submit", "long.yaml", "-o", "l.h5")):
        done = subprocess.run(["bash", "-c", 'ulimit -f 0; exec "$@"', "bash", PROGRAM, *words], cwd=folder,
                              capture_output=True, text=True)
        expect(done.returncode == 1 and "File too large" in done.stderr, f"{words} without a byte",
               f"{done.returncode} {done.stderr}")
        expect(sorted(os.listdir(folder)) == before, f"{words} without a byte: files", os.listdir(folder))


def claimed(folder):
    """An output that another makes is told at the start, with who it is, by every command that
    makes one; tasks of an array share a sweep, not its points."""
    write(folder, "tuned.yaml", STUDY + "tune: {policies: [static], accuracy: 10%}\n")
    sweep = ("sweep", "swept.yaml", "-o", "c.h5")
    cases = ((("run", "long.yaml", "-o", "c.h5"), ".c.h5.lock", "output c.h5"), (sweep, ".c.h5.lock", "output c.h5"),
             (("capacity", "sized.yaml", "-o", "c.h5"), ".c.h5.lock", "output c.h5"),
             (("tune", "tuned.yaml", "-o", "c.h5"), ".c.h5.lock", "output c.h5"),
             (("trace", "make", "long.yaml", "-o", "c.h5", "--set", "duration=1s"), ".c.h5.lock", "output c.h5"),
             (("run", "long.yaml", "-o", "d.h5", "--set", "checkpoint.file=k"), ".k.lock", "checkpoint k"))
    for words, lock, what in cases:
        path = write(folder, lock, "far 17 5 0 -\n")
        with open(path) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            refused(f"{words[0]} of what another makes", rf"{what}: process 17 on far, job 5 is writing it; "
                    rf"if it no longer runs, remove {lock}\n", folder, *words)
            if words == sweep:
                rc, _, err = call(*words, "--point", "0", "-q", cwd=folder)
                expect(rc == 0, "a task of an array beside the sweep", err)
        expect(os.path.exists(path), "the other's lock stays")
        quiet = () if words[0] == "trace" else ("-q",)
        rc, _, err = call(*words, *quiet, cwd=folder)  # what a killed run left is taken over
        expect(rc == 0 and not os.path.exists(path), f"{words} after a crash", err)
        for name in ("c.h5", "d.h5"):
            if os.path.exists(os.path.join(folder, name)):
                os.unlink(os.path.join(folder, name))
    with open(write(os.path.join(folder, "c.points"), ".000000.h5.checkpoint.lock", "")) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        os.unlink(os.path.join(folder, "c.points", "000000.h5"))
        rc, _, err = call(*sweep, "-q", cwd=folder)
        expect(rc == 5 and "another process is writing it" in err, "a point that another makes", f"{rc} {err}")


def full_disk(folder):
    """A disk too small for the results: one line, status 1, no file. Needs root for a mount."""
    mount = os.path.join(folder, "disk")
    os.mkdir(mount)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", mount],
                                           capture_output=True).returncode != 0:
        print("skipped: full disk (cannot mount a small one)")
        return
    try:
        rc, _, err = call("run", "study.yaml", "-o", os.path.join(mount, "out.h5"), cwd=folder)
        expect(rc == 1, "full disk: exit status", f"{rc} {err}")
        expect(err.count("\n") == 1 and "out.h5" in err, "full disk: one line", repr(err))
        expect(os.listdir(mount) == [], "full disk: no file", os.listdir(mount))
    finally:
        subprocess.run(["umount", mount], check=True)


# Long enough (a second or so) to be stopped in; windows of 50 us.
LONG = STUDY.replace("200ms", "300s") + \
    "balancer: {policy: power-of-two, dispatch_delay: 50us, status_delay: 50us}\n"


def await_blocked(job, number):
    """Returns as soon as the program holds the signal back, that is before its loop begins."""
    blocked = 0
    # A library that starts a thread holds every signal back for a moment; the program never does that
    # to SIGWINCH.
    while job.poll() is None and not (blocked & 1 << (number - 1) and
                                      not blocked & 1 << (signal.SIGWINCH - 1)):
        with open(f"/proc/{job.pid}/status") as f:
            blocked = next((int(line.split()[1], 16) for line in f if line.startswith("SigBlk:")), 0)


def signalled(number, *args, cwd=None):
    """Runs the program and sends it the signal before its loop begins. Returns (exit status, stderr)."""
    job = subprocess.Popen([PROGRAM, *args], cwd=cwd, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    await_blocked(job, number)
    if job.poll() is None:
        job.send_signal(number)
    _, err = job.communicate(timeout=120)
    return job.returncode, err


def contents(folder):
    """Every file and what is in it."""
    out = {}
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                out[name] = f.read()
    return out


def group_checkpoint(folder):
    """A run is stopped and resumed; what cannot be resumed is one line, and no file is lost by it."""
    write(folder, "study.yaml", LONG)
    saved = "small.h5.checkpoint"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR2, signal.SIGHUP):
        if os.path.exists(os.path.join(folder, saved)):
            os.unlink(os.path.join(folder, saved))
        rc, err = signalled(number, "run", "study.yaml", "-q", cwd=folder)
        expect(rc == 4, f"signal {number}: exit status", f"{rc} {err}")
        expect(re.fullmatch(r"recfleet: stopped at \S+ s of 300 s, saved in small.h5.checkpoint; "
                            r"resume with --resume\n", err), "stopped", err)
        expect(sorted(os.listdir(folder)) == [saved, "study.yaml"], "files", os.listdir(folder))
    held_through_hangup(folder)
    refused_checkpoints(folder, saved)
    interrupted(folder)
    rc, out, err = call("run", "study.yaml", "--resume", cwd=folder)
    expect(rc == 0 and "resumed once" in out and f"from {saved}" in err, "--resume", out + err)
    expect(not os.path.exists(os.path.join(folder, saved)), "the checkpoint is gone")
    rc, out, err = call("run", "study.yaml", "--resume", cwd=folder)
    expect(rc == 0 and out == "results: small.h5 has the results of this study already\n",
           "--resume of what is done", out + err)
    # A run that was killed with its results there and its checkpoint not yet gone; one of another study stays.
    for settings, stays in ((("-o", "done.h5"), False), (("-o", "done.h5", "--set", "seed=2"), True)):
        rc, err = signalled(signal.SIGTERM, "run", "study.yaml", "-q", *settings, cwd=folder)
        expect(rc == 4, "a checkpoint of what is done", f"{rc} {err}")
        shutil.copy(os.path.join(folder, "small.h5"), os.path.join(folder, "done.h5"))
        rc, out, err = call("run", "study.yaml", "--resume", "-o", "done.h5", cwd=folder)
        expect(rc == 0 and "done.h5 has the results" in out and os.path.exists(os.path.join(folder, "done.h5.checkpoint")) == stays,
               f"a checkpoint that was left, {settings}", out + err)
        os.unlink(os.path.join(folder, "done.h5"))
    os.unlink(os.path.join(folder, "done.h5.checkpoint"))
    refused("--resume over the results of another study", r"output small.h5: exists", folder,
            "run", "study.yaml", "--resume", "--set", "seed=2")
    rc, out, err = call("run", "study.yaml", "--resume", "-o", "new.h5", "--set", "duration=1s",
                        cwd=folder)
    expect(rc == 0 and "resumed" not in out, "--resume without a checkpoint begins", out + err)
    rc, out, err = call("run", "study.yaml", "-q", "-o", "often.h5", "--set", "checkpoint.every=20ms",
                        cwd=folder)
    expect(rc == 0 and err == "", "--quiet says nothing of checkpoints", err)
    rc, out, err = call("run", "study.yaml", "-o", "loud.h5", "--set", "checkpoint.every=20ms",
                        cwd=folder)
    line = r"recfleet: checkpoint at \S+ s of 300 s: loud.h5.checkpoint, \S+ MB in \S+ s"
    expect(rc == 0 and re.search(line, err), "a line per checkpoint", err)
    checkpoint_places(folder)


def held_through_hangup(folder):
    """Under nohup a hang-up ends nothing: the run is whole."""
    job = subprocess.Popen([PROGRAM, "run", "study.yaml", "-q", "-o", "held.h5", "--set", "duration=30s"], cwd=folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    await_blocked(job, signal.SIGTERM)
    job.send_signal(signal.SIGHUP)
    _, err = job.communicate(timeout=120)
    expect(job.returncode == 0 and err == "", "a hang-up under nohup", f"{job.returncode} {err}")
    os.unlink(os.path.join(folder, "held.h5"))


def interrupted(folder):
    """Ctrl-C in mid-run: saved, and a table of what there is, which is what a run of that length
    would say of its servers. Who watches it sees p95 so far, and when it is resumed progress from there."""
    words = ("run", "study.yaml", "-o", "cut.h5", "--set", "duration=900s", "--json")
    job = subprocess.Popen([PROGRAM, *words, "--set", "checkpoint.every=10ms"], cwd=folder, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True)
    at = 0.0
    while at < 150:
        saved = re.search(r"checkpoint at (\S+) s of 900 s", job.stderr.readline())
        at = float(saved[1]) if saved else at
    job.send_signal(signal.SIGINT)
    out, err = job.communicate(timeout=120)
    at = float(re.search(r"stopped at (\S+) s of 900 s, saved in cut.h5.checkpoint", err)[1])
    bin_s = 900 / 60
    until = int(at / bin_s) * bin_s  # whole bins
    expect(job.returncode == 4, "Ctrl-C: exit status", job.returncode)
    expect(out.startswith("stopped; so far:\nrecfleet ") and f"simulated {until:g} s" in out, "Ctrl-C: a summary", out)
    served = re.search(r"^feed +(\S+)", out, re.M)
    expect(served and abs(float(served[1]) - 2000) < 40, "Ctrl-C: its numbers", out)
    # Saved so often that it takes seconds: the run itself is done before a line of progress is due.
    rc, out, err = call(*words, "--resume", "--set", "checkpoint.every=1ms", cwd=folder)
    lines = events(err)
    # Between start and end a line a second: none where the machine is done in less.
    expect(rc == 0 and len(lines) >= 2 + int(lines[-1]["t_s"] / 2), "progress of a resumed run", err)
    expect(all(line["done_frac"] >= at / 900 for line in lines[1:]), "it begins where the run resumed", err)
    known = [line for line in lines if "p95_s" in line]
    p95 = re.search(r"^feed +mean.*|^service +mean ms.*\n^feed +\S+ ±\S+ +\S+ ±\S+ +(\S+) ±(\S+)", out, re.M)
    expect((known or lines[-1]["t_s"] < 1.5) and p95 and all(abs(line["p95_s"] * 1e3 - float(p95[1])) <= line["p95_half_95_s"] * 1e3 + float(p95[2])
                                 for line in known[-1:]), "p95 so far is that of the run", err + out)


def refused_checkpoints(folder, saved):
    """Checkpoints that nobody asked for, foreign ones and damaged ones; all stay as they are."""
    path = os.path.join(folder, saved)
    before = contents(folder)
    good = before[saved]
    refused("a checkpoint is there", rf"checkpoint {saved}: exists; resume with --resume", folder,
            "run", "study.yaml")
    refused("of another study", rf"checkpoint {saved}: of another study", folder, "run",
            "study.yaml", "--resume", "--set", "seed=2")
    refused("missing", r"checkpoint no.checkpoint: No such file", folder, "run", "study.yaml",
            "--resume-from", "no.checkpoint")
    refused("no checkpoint", r"checkpoint study.yaml: not a checkpoint of recfleet", folder, "run",
            "study.yaml", "--resume-from", "study.yaml")
    expect(contents(folder) == before, "refused: files are intact")
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for what, data in (("flipped", bytes(flipped)), ("cut", good[:len(good) // 2]),
                       ("extended", good + b"x"), ("empty", b"")):
        write(folder, saved, data)
        refused(what, rf"checkpoint {saved}: ", folder, "run", "study.yaml", "--resume")
        expect(contents(folder)[saved] == data, f"{what}: the file is as it was")
    write(folder, saved + ".previous", good)
    write(folder, saved, bytes(flipped))
    refused("the one before is offered", rf"checkpoint {saved}: damaged.*: resume from it "
            rf"with --resume-from {saved}.previous\n", folder, "run", "study.yaml", "--resume")
    os.rename(path + ".previous", path)


def checkpoint_places(folder):
    """Where no checkpoint can be written: told before the run; in the run, by what was asked."""
    for what, place, reason in (("absent folder", "no/such/x", "cannot write"),
                                ("device", "/dev/full", "not a regular file"),
                                ("folder", folder, "not a regular file")):
        refused(f"checkpoint in {what}", rf"checkpoint {re.escape(place)}: .*{reason}", folder, "run",
                "study.yaml", "-o", "x.h5", "--set", f"checkpoint.file={place}")
    mount = os.path.join(folder, "disk")
    os.mkdir(mount)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20k", "tmpfs", mount],
                                           capture_output=True).returncode != 0:
        print("skipped: full and read-only disk (cannot mount a small one)")
        return
    try:
        full_checkpoint_disk(folder, mount)
    finally:
        subprocess.run(["umount", mount], check=True)


def full_checkpoint_disk(folder, mount):
    args = ["run", "study.yaml", "-o", "y.h5", "--set", f"checkpoint.file={mount}/c"]
    rc, err = signalled(signal.SIGTERM, *args, "-q", cwd=folder)
    expect(rc == 4, "a checkpoint fits once", f"{rc} {err}")
    before = contents(mount)
    # A second one does not fit beside it: the stop fails, the first is as it was.
    rc, err = signalled(signal.SIGTERM, *args, "-q", "--resume", cwd=folder)
    expect(rc == 1 and err.count("\n") == 1 and f"checkpoint {mount}/c: " in err,
           "stop on a full disk", f"{rc} {err}")
    expect(contents(mount) == before, "full disk: the checkpoint is intact", list(contents(mount)))
    rc, err = signalled(signal.SIGUSR1, *args, "-q", "--resume", cwd=folder)
    expect(rc == 0 and "warning: no checkpoint at" in err, "save on a full disk", f"{rc} {err}")
    subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
    refused("read-only folder", rf"checkpoint {mount}/c: cannot write.*: Read-only", folder, *args,
            "--force")


def group_exit(folder):
    """Exit statuses of usage, of missed targets, of overload."""
    write(folder, "study.yaml", STUDY)
    refused("unknown option", r"recfleet run: unknown option \"--outptu\"; did you mean \"--output\"\?",
            folder, "run", "study.yaml", "--outptu", "x")
    refused("unknown command", r"recfleet: unknown command \"runn\"; did you mean \"run\"\?", folder, "runn")
    refused("no argument", r"recfleet run: expected STUDY, got 0 arguments", folder, "run")
    for words in (("report", ""), ("compare", "a.h5", ""), ("fit", ""), ("run", ""), ("model", "import", "")):
        refused("an empty argument", rf"recfleet {words[0]}: expected .*, got an empty argument\n", folder, *words)
    refused("option without value", r"recfleet run: option --output needs a FILE", folder, "run",
            "study.yaml", "-o")
    refused("bad layout", r"recfleet run: --layout: expected one of auto, spread, apart", folder, "run",
            "study.yaml", "--layout", "sideways")
    refused("a backlog of centuries", r"group \S+, service \S+: the backlog could exceed", folder,
            "run", "study.yaml", "--set", "fleet.groups[0].cost={kind: synthetic, fixed: 86400s}",
            "--set", "traffic[0].rate=1000000000qps", "--set", "duration=100s", "-o", "absurd.h5")
    refused("bad window", r"recfleet run: --window: expected a time", folder, "run", "study.yaml",
            "--window", "wide")
    refused("compare nothing", r"recfleet compare: expected FILE", folder, "compare")
    for words in (("compare", "a.h5", "b.h5"), ("show", "a.h5", "--digest"), ("run", "a.h5"), ("check", "a.h5")):
        refused(f"{words[0]} of nothing", r"a.h5: .*No such file", folder, *words)
    for words in (("compare", "study.yaml", "b.h5"), ("show", "study.yaml", "--digest")):
        refused(f"{words[0]} of a text", r"study.yaml: ", folder, *words)
    for words in (("--help",), ("run", "--help"), ("--version",), ("help", "--man"), ("list", "models"),
                  ("check", "study.yaml")):
        with open("/dev/full", "w") as full:
            done = subprocess.run([PROGRAM, *words], cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True)
        expect(done.returncode == 1 and done.stderr == "recfleet: cannot write to standard output\n",
               f"{words} on a full disk", f"{done.returncode} {done.stderr}")
    rc, out, err = call("run", "study.yaml", "-q", "--require-sla", "--set", "duration=20s", cwd=folder)
    expect(rc == 0, "target met", f"{rc} {err}")
    rc, out, err = call("run", "study.yaml", "-q", "--require-sla", "--force", "--set", "duration=5s",
                        "--set", "traffic[0].sla={p95: 1us}", cwd=folder)
    expect(rc == 3, "target missed", f"{rc} {err}")
    same_status(folder, 3, "run", "study.yaml", "-q", "--require-sla", "--force", "--set",
                "traffic[0].sla={p95: 1us}")
    write(folder, "swept.yaml", STUDY + "sweep: [{axis: n, key: 'fleet.groups[0].servers', "
          "values: [2, 100000000]}]\n")
    same_status(folder, 5, "sweep", "swept.yaml", "-q", "-o", "swept.h5")
    rc, out, err = call("run", "study.yaml", "--force", "--set", "traffic[0].rate=1Mqps", cwd=folder)
    expect(rc == 0 and "overloaded" in out, "overload is said", f"{rc} {out[:300]} {err}")
    rc, out, err = call("check", "study.yaml", "--set", "traffic[0].rate=1Mqps", cwd=folder)
    expect(rc == 0 and "overloaded" in err, "check warns of overload", f"{rc} {err}")


def group_compare(folder):
    """Two policies on the same traffic are compared in pairs."""
    write(folder, "study.yaml", STUDY.replace("200ms", "5s"))
    for policy in ("random", "least-work"):
        rc, _, err = call("run", "study.yaml", "-q", "-o", f"{policy}.h5", "--set",
                          f"balancer.policy={policy}", cwd=folder)
        expect(rc == 0, f"run {policy}", err)
    rc, out, err = call("compare", "random.h5", "least-work.h5", cwd=folder)
    expect(rc == 0 and "p95" in out and "paired" in out, "compare", out + err)
    measured_percentiles(folder)
    # One page of several files, by default comparison.html; of one file with a baseline.
    rc, out, err = call("report", "random.h5", "least-work.h5", cwd=folder)
    page = open(os.path.join(folder, "comparison.html")).read() if rc == 0 else ""
    expect("B (policy=least-work) is" in page and page.count("<svg ") >= 4, "a page that compares", out + err)
    for_programs(folder)


def measured_percentiles(folder):
    """A run's percentiles as HdrHistogram's text are the run's own when they are read back."""
    rc, out, err = call("show", "random.h5", "--hgrm", cwd=folder)
    lines = out.splitlines()
    expect(rc == 0 and lines[0].split() == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"] and
           lines[-3].startswith("#[Mean    = "), "a run as .hgrm", out[:300] + err)
    # To the byte as HdrHistogram 2.1.11 writes it: widths, digits, the empty line, no fourth column at 100 %.
    row = r"(?=.{53}\n)[ \d]{8}\.\d{3} 0\.\d{12} [ \d]{10} [ \d]{11}\.\d\d\n"
    foot = r"#\[%s = [ \d]{8}\.\d{3}, %s = [ \d]%s\]\n"
    expect(re.fullmatch(r" {7}Value     Percentile TotalCount 1/\(1-Percentile\)\n\n(" + row + r")+[ \d]{8}\.\d{3} 1\.0{12} "
                        r"[ \d]{10}\n" + foot % ("Mean   ", "StdDeviation  ", r"{8}\.\d{3}") +
                        foot % ("Max    ", "Total count   ", "{12}") +
                        r"#\[Buckets = [ \d]{12}, SubBuckets     = [ \d]{12}\]\n", out), "the format of .hgrm", out[:300])
    write(folder, "random.hgrm", out)
    rows = tables_of("compare", "random.h5", "random.hgrm", cwd=folder)["percentiles"]
    expect(len(rows) > 40 and all(abs(row["ratio"] - 1) < 0.003 for row in rows if row["ratio"]),
           "a run compared with its own percentiles", str(rows[:3]))
    median = next(row["simulated_ms"] for row in rows if row["quantile"] == 0.5)
    write(folder, "m.csv", f"quantile,latency_us\n0.5,{2000 * median}\n")
    rows = tables_of("compare", "m.csv", "random.h5", cwd=folder)["percentiles"]
    expect(abs(rows[0]["ratio"] - 0.5) < 1e-6, "against a CSV of quantiles", str(rows))
    rc, out, err = call("report", "random.h5", "--baseline", "m.csv", "-f", cwd=folder)
    page = open(os.path.join(folder, "comparison.html")).read() if rc == 0 else ""
    expect("p50 is " in page and ": 0.5 times." in page and page.count("<svg ") >= 2, "a page against measured", out + err)
    os.unlink(os.path.join(folder, "comparison.html"))
    refused("a page of two and measured", r"m.csv: measured percentiles are compared with the results file of one run",
            folder, "report", "random.h5", "least-work.h5", "-b", "m.csv")
    write(folder, "bad.csv", "quantile,latency_ms\n0.5,1\n0.4,2\n")
    refused("percentiles that fall", r"bad.csv:3:1: the quantile is below", folder, "compare", "bad.csv", "random.h5")
    refused("percentiles alone", r"bad.csv: measured percentiles are compared with", folder, "compare", "bad.csv")


def tables_of(*args, cwd):
    """What the command says in JSON: rows by table, and nothing else on its standard output."""
    rc, out, err = call(*args, "--format", "json", cwd=cwd)
    expect(rc == 0, " ".join(args) + " in JSON", err)
    return {table["table"]: table["rows"] for table in json.loads(out)["tables"]}


def for_programs(folder):
    """Every command with tables has them in JSON and CSV, with the names and units of the file."""
    run = tables_of("run", "study.yaml", "--force", cwd=folder)
    expect(run["latency"][0]["latency_p95_s"] < 0.025 and run["rates"][0]["served_qps_half_95"] > 0 and
           run["groups"][-1]["group"] == "(fleet)", "a run in JSON", str(run))
    both = tables_of("compare", "random.h5", "least-work.h5", cwd=folder)
    expect(all(row["quantity"] == row["quantity"].strip() for row in both["comparison"]),
           "names without blanks at their ends", str(both["comparison"]))
    expect(any(row["quantity"] == "feed p95 ms" and row["baseline"] > 0 and row["file"] == "least-work.h5" and
               row["verdict"] in ("better", "worse", "not distinguishable") for row in both["comparison"]),
           "a comparison in JSON", str(both))
    refused("compare a file alone", r"random.h5: there is nothing to compare it with: name another file", folder,
            "compare", "random.h5")
    sweep = "sweep=[{axis: servers, key: \"fleet.groups[0].servers\", values: [3, 4]}]"
    points = tables_of("sweep", "study.yaml", "--set", sweep, "-o", "s.h5", cwd=folder)["points"]
    expect([row["servers"] for row in points] == [3, 4] and points[1]["goodput_qps"] > 0, "a sweep in JSON",
           str(points))
    # Points of a sweep, in pairs by their own files; without these as independent.
    rows = tables_of("compare", "s.h5", "--baseline", "servers=4", cwd=folder)["comparison"]
    expect(rows and all(row["name"] == "servers=3" and row["interval"] == "paired" for row in rows if row["difference"]),
           "a sweep compared", str(rows))
    os.rename(os.path.join(folder, "s.points"), os.path.join(folder, "away"))
    rows = tables_of("compare", "s.h5", cwd=folder)["comparison"]
    expect(rows and all(row["name"] == "servers=4" and row["interval"] == "Welch" for row in rows if row["difference"]),
           "a sweep without its points compared", str(rows))
    os.rename(os.path.join(folder, "away"), os.path.join(folder, "s.points"))
    refused("a baseline that is none", r"baseline servers=7: there is none; expected one of servers=3, servers=4",
            folder, "compare", "s.h5", "-b", "servers=7")
    rc, out, err = call("sweep", "study.yaml", "--set", sweep, "-o", "s.h5", "--list", "--format", "csv", cwd=folder)
    rows = list(csv.DictReader(out.splitlines()))
    expect(rc == 0 and [row["state"] for row in rows] == ["done", "done"], "a list of points in CSV", out + err)
    check = tables_of("check", "study.yaml", "--set", "traffic[0].rate=300qps", cwd=folder)
    load = check["groups"][0]
    expect(check["services"][0]["rate_qps"] == 300 and check["services"][0]["sla_s"] == 0.025 and
           load["at"] == "mean" and 0 < load["cpu_alone_frac"] < 1 and check["estimate"][0]["queries"] == 1500,
           "a check in JSON", str(check))
    slow = ("--set", "fleet.groups[0].slow_frac=50%", "--set", "fleet.groups[0].slow_factor=2")
    rows = tables_of("check", "study.yaml", *slow, cwd=folder)["groups"]
    expect([row["at"] for row in rows] == ["mean", "slow"] and rows[1]["servers"] == rows[0]["servers"] / 2
           and abs(rows[1]["cpu_busy_frac"] / rows[0]["cpu_busy_frac"] - 2) < 1e-6, "a check of slow servers", str(rows))
    # Queries of slow servers at 0.6 of what the others can do: too many, unless the balancer sees its queues.
    qps = 0.6 / rows[0]["cpu_busy_frac"] * tables_of("check", "study.yaml", cwd=folder)["services"][0]["rate_qps"]
    for policy, warned in ("random", True), ("least-work", False):
        rc, out, err = call("check", "study.yaml", *slow, "--set", f"traffic[0].rate={qps}qps", "--set",
                            f"balancer.policy={policy}", cwd=folder)
        expect(rc == 0 and ("overloaded" in err) == warned, f"a check of slow servers, {policy}", f"{rc} {err}")
    rows = tables_of("check", "study.yaml", "--set", sweep, cwd=folder)
    expect(rows["axes"] == [{"axis": "servers", "label": 3}, {"axis": "servers", "label": 4}] and
           rows["estimate"][0]["points"] == 2, "a check of a sweep in JSON", str(rows))
    expect(tables_of("list", "models", cwd=folder)["models"][0]["name"], "a list in JSON")
    refused("a format that is none", r'recfleet run: --format: expected text, json, csv or md, got "xml"', folder,
            "run", "study.yaml", "--format", "xml")


def golden(name, text):
    path = os.path.join(GOLDEN, name)
    if "--update" in sys.argv:
        os.makedirs(GOLDEN, exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        return
    with open(path) as f:
        expect(f.read() == text, f"golden {name}", "differs; if it should, run cli.py with --update")


def group_help(folder):
    """Help of every command as in the golden files; the manual page renders; versions agree."""
    rc, overview, _ = call("--help", cwd=folder)
    expect(rc == 0, "--help")
    rc, version, _ = call("--version", cwd=folder)
    expect(rc == 0 and re.fullmatch(r"recfleet \d+\.\d+\.\d+ [\w-]*[0-9a-f]{12}\ncompiler  .+\nMPI       .+, built with .+\n"
                                  r"HDF5      [\d.]+, built with [\d.]+\n", version), "--version", version)
    number = version.split()[1]
    golden("overview.txt", overview.replace(number, "VERSION"))
    commands = re.findall(r"^  (\w+) ", overview, re.M)
    expect(len(commands) >= 7, "commands", commands)
    for command in commands:
        rc, out, err = call(command, "--help", cwd=folder)
        expect(rc == 0 and err == "", f"{command} --help", err)
        golden(f"{command}.txt", out)
    expect(call(commands[0], "--version", cwd=folder)[1] == version, f"{commands[0]} --version")
    rc, man, _ = call("help", "--man", cwd=folder)
    expect(rc == 0 and all(f"recfleet {c}" in man for c in commands), "man page")
    manual_pages(commands)
    refused("help of nothing", r'recfleet help: unknown command "runn"', folder, "help", "runn", "--man")
    refused("an unknown shell", r'recfleet help: --completion: expected bash or zsh, got "fish"', folder,
            "help", "--completion", "fish")


def manual_pages(commands):
    """Those that the build made with the program: man shows one, and all are read without a warning by
    groff, and by mandoc where it is installed."""
    man1 = os.path.join(os.path.dirname(PROGRAM), "pages", "man1")
    paths = [os.path.join(man1, f"{name}.1") for name in ("recfleet", *(f"recfleet-{c}" for c in commands))]
    expect(sorted(os.listdir(man1)) == sorted(map(os.path.basename, paths)), "a page for each command")
    if shutil.which("man"):
        done = subprocess.run(["man", "--warnings", "-l", paths[1]], capture_output=True, text=True,
                              env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C"})
        expect(done.returncode == 0 and "EXIT STATUS" in done.stdout, "man -l", done.stderr)
        expect(done.stderr == "", "a manual page without warnings", done.stderr)
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8", *paths], capture_output=True, text=True)
        expect(done.returncode == 0 and done.stderr == "", "manual pages by groff", done.stderr)
    if shutil.which("mandoc"):
        # There is no date: the version dates a page.
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *paths], capture_output=True, text=True)
        said = [line for line in done.stdout.splitlines() if "missing date" not in line]
        expect(not said, "manual pages by mandoc", "\n".join(said))


def group_sweep(folder):
    """check reads every point of a sweep, and --set changes what is swept."""
    write(folder, "study.yaml", STUDY + """\
sweep:
  - {axis: model, key: "traffic[0].model", values: [ncf, wnd, din]}
  - axis: platform
    points:
      - {label: cpu, set: {"fleet.groups[0].platform": broadwell}}
      - {label: gpu, set: {"fleet.groups[0].accelerator": t4, "tune.offload_items": [100, 200]}}
""")
    rc, out, err = call("check", "study.yaml", cwd=folder)
    expect(rc == 0 and err == "", "check of a sweep", err)
    expect(out.startswith("study.yaml: good\n6 points:\n  model            ncf wnd din\n"
                          "  platform         cpu gpu\nabout 2400 queries, "),
           "points of a sweep", out)
    rc, out, err = call("check", "study.yaml", "--set", "replications=5", cwd=folder)
    expect(rc == 0 and "\n30 points:\n" in out and "  replication      0 1 2 3 4\n" in out,
           "check of replications", out + err)
    rc, out, err = call("check", "study.yaml", "--set", "sweep[0].values=[ncf]", cwd=folder)
    expect(rc == 0 and "\n2 points:\n" in out, "check of a changed sweep", out + err)
    # One point is more than any machine holds: it fails by its name, and the others are done.
    write(folder, "large.yaml", "name: large\nduration: 10ms\nwarmup: 0s\n"
          "traffic: [{service: a, rate: 1kqps}]\n"
          "fleet: {groups: [{cores: 1024, servers: 2, cost: {kind: synthetic, fixed: 1ms}}]}\n"
          "sweep: [{axis: n, key: 'fleet.groups[0].servers', values: [2, 100000000, 3]}]\n")
    rc, out, err = call("sweep", "large.yaml", cwd=folder)
    expect(rc == 5 and re.fullmatch(r"recfleet: point 1 \(n=100000000\) failed: about 8\d\d GB of "
                                    r"memory are needed, and \S+ GB can be had; .*\n", err),
           "a point out of memory", f"{rc} {err}")
    expect("2 of 3 points done" in out, "the other points", out)
    rc, out, err = call("check", "large.yaml", cwd=folder)
    expect(rc == 0 and re.search(r"queries, 8\d\d GB at most, ", out), "check of its memory", out)
    out_of_memory(folder)
    begun_before(folder)
    rc, out, err = call("check", "-r", "study.yaml", cwd=folder)
    expect(rc == 0 and "sweep" not in out and "\ntune:\n" in out, "resolved without the sweep", out)
    refused("a bad point", r"--set fleet.groups\[0\].accelerator=t5: .*\(at model=ncf,platform=gpu\)",
            folder, "check", "study.yaml", "--set",
            "sweep[1].points[1].set={'fleet.groups[0].accelerator': t5}")


# Its second point has a backlog that grows by 5 million queries a second.
BACKLOG = """\
name: backlog
duration: 3s
warmup: 0s
traffic: [{service: a, rate: 10kqps}]
fleet: {groups: [{cores: 4, servers: 20, cost: {kind: synthetic, fixed: 1ms}}]}
balancer: {policy: join-shortest-queue}
"""
BACKLOG_SWEEP = BACKLOG + "sweep: [{axis: rate, key: 'traffic[0].rate', values: [9kqps, 5Mqps, 8kqps]}]\n"


def out_of_memory(folder):
    """What passes the estimate and takes more on its way than there is ends by its name: a point of
    a sweep, whose others are done, and a run, which leaves no file."""
    def limited(*args):
        done = subprocess.run(["bash", "-c", 'ulimit -v 260000; exec "$@"', "bash", PROGRAM, *args],
                              cwd=folder, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stderr

    write(folder, "backlog.yaml", BACKLOG)
    write(folder, "rates.yaml", BACKLOG_SWEEP)
    if limited("--version")[0] != 0:
        return  # a sanitizer takes more addresses than that
    says = r"out of memory at (0|1)\.\d+ s of 3 s: expected a load that the fleet holds, .*\n"
    before = sorted(os.listdir(folder))
    rc, err = limited("run", "backlog.yaml", "-q", "--set", "traffic[0].rate=5Mqps")
    expect(rc == 1 and re.fullmatch("recfleet: " + says, err), "a run out of memory", f"{rc} {err}")
    expect(sorted(os.listdir(folder)) == before, "it leaves no file", os.listdir(folder))
    rc, err = limited("sweep", "rates.yaml", "-q", "-o", "rates.h5")
    expect(rc == 5 and re.fullmatch(r"recfleet: point 1 \(rate=5Mqps\) failed: " + says, err),
           "a point out of memory on its way", f"{rc} {err}")
    expect(sorted(os.listdir(os.path.join(folder, "rates.points"))) ==
           ["000000.h5", "000001.failed", "000002.h5"], "the others are done",
           os.listdir(os.path.join(folder, "rates.points")))


def begun_before(folder):
    """A point in which the process was killed, as the kernel does where memory is short, comes last
    when the sweep is repeated: it cannot keep the others from being done."""
    points = os.path.join(folder, "endless.points")
    write(folder, "endless.yaml", BACKLOG +
          "sweep: [{axis: length, key: duration, values: [10ms, 100000s, 20ms]}]\n")
    job = subprocess.Popen([PROGRAM, "sweep", "endless.yaml", "-q", "-o", "endless.h5"], cwd=folder)
    lock = os.path.join(points, ".000001.h5.checkpoint.lock")
    wait_for(lock)  # the longest is the first
    job.kill()
    job.wait()
    expect(sorted(os.listdir(points)) == [os.path.basename(lock)], "killed", os.listdir(points))
    job = subprocess.Popen([PROGRAM, "sweep", "endless.yaml", "-o", "endless.h5"], cwd=folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for point in (0, 2):
        wait_for(os.path.join(points, f"{point:06}.h5"))
    job.terminate()
    out, err = job.communicate(timeout=120)
    expect(job.returncode == 4 and "stopped, 2 of 3 points done" in err, "the others first", err)
    expect(out.startswith("stopped; 2 of 3 points are done; so far:\n") and
           re.search(r"^0 +10ms +1.*\n1 +100000s .*missing\n2 +20ms +1", out, re.M), "a table of them", out)


def wait_for(path):
    for _ in range(3000):
        if os.path.exists(path):
            return
        time.sleep(0.01)
    expect(False, f"{path} is made")


FAKE_SBATCH = """\
#!/bin/sh
# Takes jobs as Slurm does: notes its words and what it was told by the environment, answers an id.
echo "$SBATCH_PARTITION $*" >> given
echo "$RECFLEET_COMMAND" >> commands
echo "$RECFLEET_CATALOG" >> catalogs
n=$(($(wc -l < given) + 16))
echo "$n"
"""
# The queue is the file of that name.
FAKE_SQUEUE = "#!/bin/sh\n[ \"$4\" = '--format=%i|%j|%Z' ] && cat queue 2>/dev/null || :\n"
FAKE_SCONTROL = "#!/bin/sh\necho 'MaxArraySize            = 4'\n"


def group_submit(folder):
    """submit: mistakes are found before anything is in the queue, and what is handed to sbatch is
    what was asked for. On a Slurm of its own: tests/slurm."""
    # Slurm takes a script alone, so what several need is written out in each.
    scripts = {}
    for name in ("run.sbatch", "sweep.sbatch", "merge.sbatch", "scaling.sbatch"):
        with open(os.path.join(STUDIES, "..", name)) as f:
            scripts[name] = f.read()
    for begin, end, names in (("# launch ARGUMENTS", "\n}\n", ("run.sbatch", "sweep.sbatch")),
                              ("# back_into_queue", "\n}\n", ("run.sbatch", "sweep.sbatch")),
                              ("if [ -n \"$RECFLEET_MODULES\" ]", "\nfi\n", tuple(scripts)),
                              ("read -ra launcher", "\n", tuple(scripts))):
        copies = {scripts[n][(at := scripts[n].index(begin)):scripts[n].index(end, at)] for n in names}
        expect(len(copies) == 1, f"copies of {begin!r}", copies)
    write(folder, "study.yaml", STUDY)
    write(folder, "swept.yaml", STUDY + "sweep:\n  - {axis: rate, key: 'traffic[0].rate', values: "
          "[1kqps, 2kqps, 3kqps, 4kqps, 5kqps, 6kqps]}\n")
    write(folder, "site.env", "SBATCH_PARTITION=short\nSBATCH_SIGNAL=B:USR2@300\n")
    write(folder, "bad.env", "SBATCH_PARTITION=short\nSBATCH_QOS=a b\n")
    write(folder, "other.h5", "not ours")
    for what, pattern, *words in (
            ("a bad study", r"--set traffic\[0\].rate=fast: ", "study.yaml", "--set", "traffic[0].rate=fast"),
            ("a bad point", r"--set traffic\[0\].rate=fast: .*\(at rate=fast\)", "swept.yaml", "--array", "--set",
             "sweep[0].values=[1kqps, 2kqps, fast]"),
            ("a bad site", r"bad.env:2:13: not plain text", "study.yaml", "--site", "bad.env"),
            ("no site", r"no.env: cannot open", "study.yaml", "--site", "no.env"),
            ("an array of nothing", r"study.yaml: --array, but the study has no sweep", "study.yaml",
             "--array"),
            ("two ways", r"recfleet submit: --array and --chain exclude", "swept.yaml", "--array",
             "--chain", "2"),
            ("a throttle of nothing", r"recfleet submit: --throttle needs --array", "study.yaml",
             "--throttle", "2"),
            ("no nodes", r"recfleet submit: --nodes: expected a whole number from 1 to", "study.yaml",
             "--nodes", "0"),
            ("no time", r"recfleet submit: --time: expected a time such as", "study.yaml", "--time",
             "2h"),
            ("a short time", r"recfleet submit: --time: expected more than 180 s, got 120 s",
             "study.yaml", "--time", "2"),
            ("a short time of the site", r"recfleet submit: --time: expected more than 360 s",
             "study.yaml", "--time", "6", "--site", "site.env"),
            ("no folder", r"no/such: No such file", "study.yaml", "-o", "no/such/x.h5"),
            ("another's results", r"output .*/other.h5: exists and is not of this study",
             "study.yaml", "-o", "other.h5"),
            ("an array over another's results", r"output .*other.h5: exists and is not of this sweep",
             "swept.yaml", "--array", "-o", "other.h5")):
        refused("submit of " + what, pattern, folder, "submit", *words)
    done = call("submit", "study.yaml", cwd=folder, env={**os.environ, "PATH": "/nowhere"})
    expect(done[0] == 1 and "there is no sbatch here" in done[2], "submit without Slurm", done)
    os.unlink(os.path.join(folder, "small.h5.run.sbatch"))

    bin_folder = os.path.join(folder, "bin")
    os.mkdir(bin_folder)
    for name, text in (("sbatch", FAKE_SBATCH), ("scontrol", FAKE_SCONTROL), ("squeue", FAKE_SQUEUE)):
        os.chmod(write(bin_folder, name, text), 0o755)
    env = {**os.environ, "PATH": bin_folder + os.pathsep + os.environ["PATH"]}

    def given(*words):
        """What sbatch is told when submit is called so, and what submit says of it."""
        path = os.path.join(folder, "given")
        if os.path.exists(path):
            os.unlink(path)
        rc, out, err = call("submit", *words, cwd=folder, env=env)
        expect(rc == 0 and err == "", f"submit {words}", err)
        with open(path) as f:
            return f.read().splitlines(), out.splitlines()

    lines, said = given("study.yaml", "--nodes", "2", "--ranks-per-node", "8", "--time", "1:30:00",
                        "--site", "site.env")
    place = os.path.realpath(folder)
    expect(lines == ["short --parsable --export=ALL --job-name=small.h5 --output=small.h5.log --nodes=2 "
                     f"--ntasks-per-node=8 --time=1:30:00 small.h5.run.sbatch {place}/study.yaml -o "
                     f"{place}/small.h5"], "a job", lines)
    with open(os.path.join(folder, "small.h5.run.sbatch")) as f:
        expect(f.read() == scripts["run.sbatch"], "the script is the one by hand")
    expect(said == [f"17  run, into {place}/small.h5"], "what is said", said)
    lines, said = given("study.yaml", "--chain", "3")
    expect(["--dependency=" in line for line in lines] == [False, True, True] and
           "--dependency=afterany:18 " in lines[2], "a chain", lines)
    expect(len({line.split()[2] for line in lines}) == 1, "one name for a chain", lines)
    # Six points where an array has at most four tasks: shares of all of them.
    lines, said = given("swept.yaml", "--array", "--throttle", "2")
    expect("--array=0-3%2 " in lines[0] and "share-%6a.log" in lines[0], "shares", lines)
    expect("--dependency=afterany:17 small.h5.merge.sbatch" in lines[1], "the merge", lines)
    expect(said[0] == "17  6 of 6 points, 4 tasks" and said[1].startswith("18  merge"), "array", said)
    submitted_searches(folder, given)
    submitted_twice(folder, given, env)
    submitted_catalogue(folder, given, env)
    # Whatever the output is called, what a dry run prints does nothing else when it is pasted.
    odd = "a\ntouch hit #\x1b'\nb"
    os.mkdir(os.path.join(folder, odd))
    for words in (("study.yaml",), ("study.yaml", "--chain", "2"), ("swept.yaml", "--array")):
        rc, out, err = call("submit", *words, "--dry-run", "-o", odd + "/x.h5", cwd=folder, env=env)
        expect(rc == 0 and out.count("\n") == 1 + (len(words) > 1) and "\x1b" not in out,
               "a dry run into an odd folder", out + err)
        write(folder, "dry.sh", out)
        subprocess.run(["bash", "dry.sh"], cwd=folder, env=env, check=True)
        with open(os.path.join(folder, odd, "given")) as f:
            expect(f" -o {place}/{odd}/x.h5\n" in f.read(), "a pasted dry run")
        expect(not os.path.exists(os.path.join(folder, "hit")), "a name that is run")
    lines, said = given("swept.yaml", "--array", "--set", "sweep[0].values=[1kqps, 2kqps, 3kqps]")
    expect("--array=0-2 " in lines[0] and "/%6a.log" in lines[0], "a task for each point", lines)


def submitted_searches(folder, given):
    """A study with a search is submitted as that search, checked as that search would."""
    write(folder, "sized.yaml", CAPACITY + "capacity: {queries: 2000, max_queries: 10000}\n")
    write(folder, "tuned.yaml", CAPACITY)
    write(folder, "both.yaml", CAPACITY + "sweep: [{axis: seed, key: seed, values: [1, 2]}]\n")
    for study, command, *words in (("sized", "capacity"), ("tuned", "tune"), ("both", "tune"), ("study", "run"),
                                   ("tuned", "run", "--command", "run"),
                                   ("study", "tune", "--set", "tune={accuracy: 10%}")):
        os.unlink(os.path.join(folder, "commands"))
        _, said = given(f"{study}.yaml", "-o", "s.h5", *words)
        with open(os.path.join(folder, "commands")) as f:
            expect(f.read() == command + "\n" and re.match(rf"17  {command}, into /", said[0]),
                   f"{study}.yaml {words}: the command", said)
    refused("a sweep for capacity", r"both.yaml: a sweep is not for capacity", folder, "submit", "both.yaml",
            "--command", "capacity")
    refused("an array of a search", r"both.yaml: --array submits .* the study asks for tune", folder, "submit",
            "both.yaml", "--array")
    refused("an unknown command", r"recfleet submit: --command: expected run, tune or capacity", folder, "submit",
            "both.yaml", "--command", "sweep")
    refused("a search for nothing", r"tuned.yaml:\d+:\d+: tune: service \"a\" has no latency target", folder,
            "submit", "tuned.yaml", "--set",
            "traffic[0].sla=none")
    for study, command in (("sized", "capacity"), ("tuned", "tune")):
        rc, _, err = call(command, f"{study}.yaml", "-q", "-o", "s.h5", cwd=folder)
        expect(rc == 0, command, err)
        rc, out, err = call("submit", f"{study}.yaml", "-o", "s.h5", cwd=folder)
        expect(rc == 0 and re.match(r"nothing to submit: /.*/s.h5 has the results of this study", out),
               f"a {command} that is done", out + err)
        refused(f"another {command}", r"output .*/s.h5: exists and is not of this study", folder, "submit",
                f"{study}.yaml", "-o", "s.h5", "--set", "seed=2")
        os.unlink(os.path.join(folder, "s.h5"))


def submitted_catalogue(folder, given, env):
    """A job starts in another folder than submit: the catalogue goes with it by its whole path, from
    the option or the environment, to every job; one that is missing is told of at once."""
    os.makedirs(os.path.join(folder, "shelf"))
    write(os.path.join(folder, "shelf"), "boxes.yaml", "platforms: [{name: box, cores: 64, sockets: 2, clock: 2.2GHz, "
          "memory_bandwidth: 614GB/s, memory_size: 768GB, idle_power: 200W, busy_power: 700W}]\n")
    wanted = os.path.join(os.path.realpath(folder), "shelf")
    words = ("swept.yaml", "--array", "-o", "c.h5", "--set", "fleet.groups[0].platform=box")
    for catalog, expected in ((("--catalog", "shelf"), wanted), (("--catalog", ""), ""), ((), wanted)):
        path = os.path.join(folder, "catalogs")
        os.unlink(path)
        env["RECFLEET_CATALOG"] = "./shelf/"
        given(*(words if expected else ("swept.yaml", "--array", "-o", "c.h5")), *catalog)
        with open(path) as f:
            told = f.read().splitlines()
        expect(told == [expected] * 2, f"the catalogue of an array and its merge {catalog}", told)
    del env["RECFLEET_CATALOG"]
    n = len(os.listdir(folder))
    for what, path, why in (("a missing", "none", "No such file"), ("no", "study.yaml", "Not a directory")):
        refused(f"submit with {what} folder", f"catalog {path}: {why}", folder, "submit", *words, "--catalog", path)
    expect(len(os.listdir(folder)) == n, "nothing is written for a catalogue that is missing", os.listdir(folder))


def submitted_twice(folder, given, env):
    """What is in the queue already is not submitted again: a run, an array, a merge, a chain."""
    place = os.path.realpath(folder)
    for name, mine in (("small.h5", True), ("small.h5-merge", True), ("small.h5-chain-1764-12", True),
                       ("small.h5x", False), ("small.h", False)):
        write(folder, "queue", f"4|other|{place}\n5|small.h5|/elsewhere\n6_[1-3]|{name}|{place}\n")
        for words in (("study.yaml",), ("swept.yaml", "--array"), ("study.yaml", "--chain", "2")):
            if not mine:
                given(*words)
                continue
            rc, out, err = call("submit", *words, cwd=folder, env=env)
            expect(rc == 2 and out == "" and err == f"output {place}/small.h5: job 6_[1-3] is in the queue for it "
                   "already; wait for its end, or scancel it\n", f"{words} with {name} in the queue", out + err)
    os.unlink(os.path.join(folder, "queue"))
    scripts = {re.search(r"\S+\.run\.sbatch", given("study.yaml", "-o", name)[0][0])[0] for name in ("a b", "a;b", "a_b", "a  b", "a b ")}
    expect(len(scripts) == 5, "a script for each output", scripts)


POINTS = STUDY + """\
replications: 2
sweep:
  - {axis: policy, key: balancer.policy, values: [random, power-of-two]}
  - {axis: rate, key: "traffic[0].rate", labels: [low, high], values: [1000qps, 3000qps]}
"""


def state_lines(folder, *args):
    """The rows of `sweep --list`, split into words."""
    rc, out, err = call("sweep", "study.yaml", "--list", *args, cwd=folder)
    expect(rc == 0 and err == "", "sweep --list", f"{rc} {err}")
    return [line.split() for line in out.splitlines()[1:] if line[:1].isdigit() and " of " not in line]


def missing(folder, *args):
    rc, out, err = call("sweep", "study.yaml", "--missing", *args, cwd=folder)
    expect(rc == 0 and err == "", "sweep --missing", f"{rc} {err}")
    return out


def group_points(folder):
    """sweep and merge: what is done, what is missing, what is refused, and their exit statuses."""
    write(folder, "study.yaml", POINTS)
    rows = state_lines(folder)
    expect([r[0] for r in rows] == [str(p) for p in range(8)], "points listed", rows)
    expect(rows[5][1:4] == ["random", "high", "1"] and rows[5][-1] == "missing", "a listed point",
           rows)
    expect(len({r[4] for r in rows}) == 2 and rows[0][4] == "1", "seeds of replications", rows)
    expect(missing(folder) == "0-7\n", "all missing")
    expect(os.listdir(folder) == ["study.yaml"], "looking leaves nothing", os.listdir(folder))
    refused("merge of nothing", r"small.points: no point of this sweep is done", folder, "merge",
            "study.yaml")
    # Parts, as the tasks of an array.
    rc, out, err = call("sweep", "study.yaml", "--point", "1", "-q", cwd=folder)
    expect(rc == 0 and out == "" and err == "", "one point", f"{rc} {out} {err}")
    rc, out, err = call("sweep", "study.yaml", "--share", "2/4", "--json", cwd=folder)
    expect(rc == 0 and "2 of 2 points done" in out, "a share", f"{rc} {out} {err}")
    expect(events(err)[-1].get("of_points", 2) >= 2, "sweep --json", err)
    expect(missing(folder) == "0,3-5,7\n", "some missing")
    expect(sorted(os.listdir(os.path.join(folder, "small.points"))) ==
           ["000001.h5", "000002.h5", "000006.h5"], "files of points")
    expect(not os.path.exists(os.path.join(folder, "small.h5")), "parts are not merged")
    rc, out, err = call("merge", "study.yaml", cwd=folder)
    expect(rc == 5 and err.count("is missing") + err.count(": missing") == 5, "incomplete merge",
           f"{rc} {err}")
    # The rest, and the file in place of the incomplete one.
    rc, out, err = call("sweep", "study.yaml", cwd=folder)
    expect(rc == 0 and "8 of 8 points done, 3 of them before" in out and "results: small.h5" in out,
           "the rest", f"{rc} {out} {err}")
    expect(missing(folder) == "", "none missing")
    with open(os.path.join(folder, "small.h5"), "rb") as f:
        whole = f.read()
    rc, out, err = call("merge", "study.yaml", "-q", cwd=folder)
    expect(rc == 0 and out == "" and err == "", "merge again", f"{rc} {out} {err}")
    with open(os.path.join(folder, "small.h5"), "rb") as f:
        expect(f.read() == whole, "merged to the same bytes")
    points_refused(folder)
    points_edited(folder)
    points_repeated(folder)


def points_refused(folder):
    """Words that are no points, and files that are not the sweep's."""
    refused("a point too many", r"recfleet sweep: --point: expected points from 0 to 7, got \"8\"",
            folder, "sweep", "study.yaml", "--point", "8")
    refused("no share", r"recfleet sweep: --share: expected a share such as 0/4", folder, "sweep",
            "study.yaml", "--share", "4/4")
    refused("both", r"recfleet sweep: expected --point or --share, got both", folder, "sweep",
            "study.yaml", "--share", "0/4", "--point", "1")
    refused("a bad point", r"--set balancer.policy=worst: .*\(at policy=worst,rate=low,replication=0\)",
            folder, "sweep", "study.yaml", "--set", "sweep[0].values=[random, worst]")
    refused("tuning replications", r"study.yaml:\d+:\d+: replications: not for tune", folder, "tune",
            "study.yaml")
    point = os.path.join(folder, "small.points", "000004.h5")
    with open(point, "rb") as f:
        whole = f.read()
    write(folder, "small.points/000004.h5", whole[:-100])
    refused("a damaged point", r"small.points/000004.h5: not a readable recfleet result: .*--force",
            folder, "sweep", "study.yaml")
    refused("results would be lost", r"output small.h5: exists and has results of point 4 \(policy="
            r"random,rate=low,replication=1\) that would be lost; --force", folder,
            "merge", "study.yaml")
    rc, out, err = call("sweep", "study.yaml", "--force", cwd=folder)
    expect(rc == 0 and "8 of 8 points done, 7 of them before" in out, "a damaged point, --force",
           f"{rc} {out} {err}")
    write(folder, "text.h5", "my notes\n")
    refused("no sweep's file", r"output text.h5: exists and is not of this sweep", folder, "sweep",
            "study.yaml", "-o", "text.h5")
    write(folder, "text.points", "more notes\n")
    os.unlink(os.path.join(folder, "text.h5"))
    refused("a file for a folder", r"text.points: cannot make this folder: ", folder, "sweep",
            "study.yaml", "-o", "text.h5")


def points_edited(folder):
    """A study that was edited has its points done again, and says so; merged ones are not lost."""
    edit = ("--set", "traffic[0].sla={p95: 20ms}")
    refused("an edited study", r"output small.h5: exists and has results of point 0 ", folder,
            "sweep", "study.yaml", *edit)
    rc, out, err = call("sweep", "study.yaml", *edit, "--point", "0-1", cwd=folder)
    expect(rc == 0 and "changed, done again: points 0-1\n" in err, "edited points", f"{rc} {err}")
    expect([r[-1] for r in state_lines(folder, *edit)] == ["done"] * 2 + ["edited"] * 6,
           "states after an edit")
    rc, out, err = call("sweep", "study.yaml", *edit, "--force", "-q", cwd=folder)
    expect(rc == 0 and "changed, done again: points 2-7\n" in err, "the other edited points", err)
    refused("another study's points", r"small.points/000000.h5: of another study, \"small\"; --force",
            folder, "sweep", "study.yaml", "--set", "name=large", "-o", "small.h5")


def points_repeated(folder):
    """What --list says of a point is enough to repeat it with run."""
    if not shutil.which("h5diff"):
        print("skipped: a point repeated (no h5diff)")
        return
    row = state_lines(folder, "-o", "again.h5")[7]
    rc, out, err = call("sweep", "study.yaml", "-o", "again.h5", "--point", "7", "-q", cwd=folder)
    expect(rc == 0, "point 7", err)
    rc, out, err = call("run", "study.yaml", "-q", "-o", "run.h5", "--set", "balancer.policy=power-of-two",
                        "--set", "traffic[0].rate=3000qps", "--set", "seed=" + row[4], cwd=folder)
    expect(rc == 0, "run of point 7", err)
    done = subprocess.run(["h5diff", "--exclude-path", "/run", "run.h5", "again.points/000007.h5"],
                          cwd=folder, capture_output=True)
    expect(done.returncode == 0, "run and point agree", done.stdout.decode()[:300])


# Ask for what cannot be: what is added to this study -> what the one line must match.
CAPACITY = """\
name: small
duration: 1s
traffic:
  - {service: a, rate: 6000qps, sizes: {distribution: fixed, items: 1}, sla: {p95: 5ms}}
fleet:
  cells: 2
  groups:
    - {name: web, cores: 4, servers: 4, cost: {kind: synthetic, fixed: 1ms}}
balancer: {policy: random, dispatch_delay: 0, status_delay: 0}
tune: {accuracy: 10%, queries: 1000, max_queries: 6000}
"""
BAD_CAPACITY = {
    "demand that no fleet can meet": (
        "capacity: {find: plan, headroom: 300%}\n",
        r"study.yaml:\d+:\d+: capacity: no fleet of these servers can meet the demand: service \"a\" lacks "
        r"[0-9]+ qps of 24000 qps \(headroom included\) in the interval at 00:00"),
    "more cells down than there are": (
        "capacity: {cells_down: [2]}\n",
        r"study.yaml:11:\d+: capacity.cells_down: expected less than the fleet's 2 cells, got 2"),
    "broken intervals": ("capacity: {find: day, interval: 7h}\n",
                         r"study.yaml:11:\d+: capacity.interval: expected a whole number of them"),
    "cost without prices": ("capacity: {find: plan, objective: cost}\n",
                            r"study.yaml:\d+:\d+: capacity.objective: cost: group \"web\" has no price"),
    "carbon without a curve": ("capacity: {find: plan, objective: carbon}\n",
                               r"study.yaml:\d+:\d+: capacity.(carbon|objective): "),
    "a time without its unit": ("capacity: {startup: 300}\n",
                                r"study.yaml:11:\d+: capacity.startup: expected a time"),
    "a misspelt question": ("capacity: {find: server}\n",
                            r"study.yaml:11:\d+: capacity.find: .*\"servers\""),
    "a list of failures in a day": (
        "failures: {events: [{at: 1s, for: 1s, group: web, server: 0}]}\ncapacity: {find: day}\n",
        r"study.yaml:\d+:\d+: failures.events: a list belongs to a time"),
    "a sweep": ("sweep: [{axis: seed, key: seed, values: [1, 2]}]\n",
                r"study.yaml:\d+:\d+: sweep: not for capacity"),
}


def group_capacity(folder):
    """What cannot be answered is one line and leaves nothing behind; what can is a table and a file
    that is not overwritten; what was kept is not dropped."""
    for what, (text, pattern) in BAD_CAPACITY.items():
        write(folder, "study.yaml", CAPACITY + text)
        refused("capacity: " + what, pattern, folder, "capacity", "study.yaml", "-o", "out.h5")
    write(folder, "study.yaml", CAPACITY.replace("servers: 4", "servers: 0"))
    refused("an empty pool", r"study.yaml:8:\d+: fleet.groups\[0\].servers: an empty server pool", folder,
            "capacity", "study.yaml")
    write(folder, "study.yaml", CAPACITY + "capacity: {queries: 2000, max_queries: 10000}\n")
    rc, out, err = call("capacity", "study.yaml", "-o", "out.h5", cwd=folder)
    expect(rc == 0 and "web" in out and "results: out.h5" in out, "capacity prints a table", out + err)
    expect(re.match(r"\d+ servers of `web` hold it; .*\.\n", out), "capacity opens with its answer", out)
    expect(os.listdir(folder).count("out.h5") == 1 and "out.h5.memo" not in os.listdir(folder),
           "capacity leaves its results alone", os.listdir(folder))
    refused("capacity over results", r"output out.h5: exists", folder, "capacity", "study.yaml", "-o", "out.h5")
    rc, out, err = call("capacity", "study.yaml", "-o", "out.h5", "--resume", cwd=folder)
    expect(rc == 0 and "there already" in out, "capacity --resume when done", out + err)
    sentence = (r"No number of (servers|cores) can hold it: `a` at its p95 of 0.5 ms takes [\d.]+ (±[\d.]+ )?ms "
                r"on an idle server of `web`\.\n")
    write(folder, "study.yaml", CAPACITY.replace("p95: 5ms", "p95: 500us"))
    for find in ("servers", "day"):
        rc, out, err = call("capacity", "study.yaml", "-o", "none.h5", "--set", "capacity.find=" + find, cwd=folder)
        expect(rc == 3 and re.fullmatch(sentence, out), f"capacity: {find} out of reach", f"{rc} {out} {err}")
    rc, out, err = call("capacity", "study.yaml", "-q", "-o", "none.h5", cwd=folder)
    expect(rc == 3 and out == "" and re.fullmatch(sentence, err), "the same with --quiet", f"{rc} {out} {err}")
    expect(not [name for name in os.listdir(folder) if name.startswith("none")], "out of reach leaves nothing",
           os.listdir(folder))
    write(folder, "study.yaml", CAPACITY + "capacity: {find: load, queries: 2000, max_queries: 10000}\n")
    for args in ((), ("--resume",)):
        rc, out, err = call("capacity", "study.yaml", "-o", "few.h5", "--set", "capacity.find=servers",
                            "--set", "capacity.max_servers=4", "--set", "traffic[0].rate=20000qps", *args, cwd=folder)
        expect(rc == 3 and out.startswith("No answer: even 4 servers of `web` do not hold it"), "too few allowed",
               f"{rc} {out} {err}")
    stopped_search(folder)
    write(folder, "other.h5.memo", "not a memo")
    refused("capacity over what was kept", r"memo other.h5.memo: exists", folder, "capacity", "study.yaml", "-o",
            "other.h5")


def stopped_search(folder):
    """Ctrl-C of a search that would take minutes: a table of what there is, the bracket of the row in work,
    nothing that looks like results; and who watches it sees what it tries."""
    job = subprocess.Popen([PROGRAM, "capacity", "study.yaml", "-o", "cut.h5", "--json", "--set",
                            "capacity.max_queries=1e9", "--set", "capacity.accuracy=0.1%"], cwd=folder,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = [job.stderr.readline()]
    while "held" not in json.loads(lines[-1]) or "missed" not in json.loads(lines[-1]):
        lines.append(job.stderr.readline())
    job.send_signal(signal.SIGINT)
    out, err = job.communicate(timeout=120)
    at = events("".join(lines) + err)[-1]
    expect(job.returncode == 4 and at["unit"] == "qps" and at["held"] < at["missed"] and
           at["stage"] == "load 1 of 1 (fixed)", "a search that is stopped", f"{job.returncode} {err}")
    work = re.search(r"^in work: load 1 of 1 \(fixed\): trying \S+ qps \(held (\S+), missed (\S+)\)$", out, re.M)
    expect(out.startswith("stopped; 0 of 1 rows are done; so far:\n") and work and
           abs(float(work[1]) / at["held"] - 1) < 1e-5 and abs(float(work[2]) / at["missed"] - 1) < 1e-5, "what there is of it", out)
    expect("cut.h5.memo" in os.listdir(folder) and "cut.h5" not in os.listdir(folder), "files", os.listdir(folder))
    os.unlink(os.path.join(folder, "cut.h5.memo"))


def what_there_is(out):
    """Of a tuning of two policies that was stopped: the lines of those that are done, and of the other one
    what it was at."""
    done = re.match(r"stopped; ([01]) of 2 searches are done; so far:\n", out)
    return done and len(re.findall(r"^(static|deeprecsched) ", out, re.M)) == 3 * int(done[1]) and \
        re.search(r"^in work: (static|deeprecsched), B=\d+.*: trying [\d.]+ qps.*$", out, re.M)


def group_tune(folder):
    """A tuning that is stopped resumes to the very same results, as often as it takes; what it keeps
    is gone when these are there."""
    write(folder, "study.yaml", CAPACITY.replace("cores: 4", "cores: 8").replace(
        "tune: {accuracy: 10%, queries: 1000, max_queries: 6000}",
        "tune: {policies: [static, deeprecsched], accuracy: 3%, queries: 20000, max_queries: 80000}"))
    rc, _, err = call("tune", "study.yaml", "-q", "--json", "-o", "whole.h5", cwd=folder)
    expect(rc == 0 and events(err)[-1]["done_frac"] == 1, "a whole tuning", err)
    n_stops, n_kept = 0, 0
    for _ in range(12):
        job = subprocess.Popen([PROGRAM, "tune", "study.yaml", "-o", "cut.h5", "--resume"], cwd=folder,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        memo = os.path.join(folder, "cut.h5.memo")
        size = os.path.getsize(memo) if os.path.exists(memo) else 0
        while job.poll() is None and not (os.path.exists(memo) and os.path.getsize(memo) > size + 500):
            time.sleep(0.001)
        job.send_signal((signal.SIGINT, signal.SIGTERM, signal.SIGUSR2, signal.SIGKILL)[n_stops % 4])
        out, err = job.communicate(timeout=120)
        if job.returncode == 0:
            break
        n_stops += 1
        expect(job.returncode in (4, -signal.SIGKILL), "stopped", f"{job.returncode} {err}")
        if job.returncode == 4:
            n = int(re.fullmatch(r"recfleet: stopped, (\d+) answers saved in cut.h5.memo; resume with the same "
                                 r"command\n", err)[1])
            expect(n >= n_kept, "no answer is lost", f"{n} after {n_kept}")
            n_kept = n
            expect(what_there_is(out), "what there is of a tuning", out)
    rc, _, err = call("tune", "study.yaml", "-q", "-o", "cut.h5", "--resume", cwd=folder)
    expect(rc == 0 and n_stops >= 2, f"a tuning with {n_stops} stops", err)
    digests = {call("show", name, "--digest", cwd=folder)[1] for name in ("whole.h5", "cut.h5")}
    expect(len(digests) == 1, "the same answer", digests)
    expect(sorted(os.listdir(folder)) == ["cut.h5", "study.yaml", "whole.h5"], "files", os.listdir(folder))


def children_seen(env, *args, cwd=None):
    """Runs the program; (exit status, whether it ever had a child process, or a plugin of hwloc)."""
    job = subprocess.Popen([PROGRAM, *args], cwd=cwd, env=env, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    seen = plugged = False
    while job.poll() is None:
        try:
            with open(f"/proc/{job.pid}/task/{job.pid}/children") as f:
                seen = seen or f.read().strip() != ""
            with open(f"/proc/{job.pid}/maps") as f:
                plugged = plugged or "/hwloc/hwloc_" in f.read()
        except OSError:
            pass  # it has just ended
    return job.returncode, seen, plugged


def group_startup(folder):
    """Started by nobody, the program is alone: no daemon of Open MPI. Under a launcher, and where
    the user has said otherwise, MPI starts as the site has set it up."""
    write(folder, "study.yaml", LONG)
    bare = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_MCA_", "PMIX", "SLURM", "HWLOC_"))}
    args = ("run", "study.yaml", "-q", "--force")
    rc, seen, plugged = children_seen(bare, *args, cwd=folder)
    expect(rc == 0 and not seen, "alone: no child process", f"{rc} {seen}")
    expect(not plugged, "alone: nobody looks for displays and devices")
    # Where Open MPI's folder for all such processes cannot be.
    taken = f"ompi.{os.uname().nodename.split('.')[0]}.{os.geteuid()}"
    os.mkdir(os.path.join(folder, "tmp"))
    write(os.path.join(folder, "tmp"), taken, "")
    rc, _, _ = children_seen({**bare, "TMPDIR": os.path.join(folder, "tmp")}, *args, cwd=folder)
    expect(rc == 0, "alone: no folder that others make and take away", rc)
    said = subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout \
        if shutil.which("mpirun") else ""
    for what, more in (("a launcher's variable", {"SLURM_STEP_ID": "0"}),
                       ("what the user has set", {"OMPI_MCA_ess_singleton_isolated": "0"})):
        rc, seen, _ = children_seen({**bare, **more}, *args, cwd=folder)
        expect(rc == 0, what, rc)
        if "Open MPI) 4" in said:  # which forks a daemon for a process that is not under mpirun
            expect(seen, f"{what}: MPI is left alone")


def group_show(folder):
    """The tables of any results file, as they were printed when it was made. The digest of a file's
    content: the same for the same answer, and an error where the content is not what was written."""
    write(folder, "study.yaml", STUDY + "failures: {mtbf: 1s, mttr: 10ms, detect_delay: 1ms}\n"
          "balancer: {policy: random, dispatch_delay: 50us, status_delay: 50us}\n")
    write(folder, "swept.yaml", POINTS)
    write(folder, "tuned.yaml", CAPACITY.replace("tune: {", "tune: {policies: [static, deeprecsched], "))
    write(folder, "sized.yaml", CAPACITY + "capacity: {queries: 2000, max_queries: 10000}\n")
    for command, study in (("run", "study"), ("sweep", "swept"), ("tune", "tuned"), ("capacity", "sized")):
        rc, printed, err = call(command, f"{study}.yaml", "-o", f"{study}.h5", cwd=folder)
        expect(rc == 0, f"{command} for show", err)
        rc, shown, err = call("show", f"{study}.h5", cwd=folder)
        rest = printed.replace(shown, "")
        expect(rc == 0 and shown.count("\n") > 5 and shown in printed and
               re.fullmatch(r"(\S+ million queries simulated in .*\n|8 of 8 .*\n)?results: .*\n", rest),
               f"show of a {command}", shown + err)
    write(folder, "study.yaml", CAPACITY + "capacity: {queries: 2000, max_queries: 10000}\n")
    digests = []
    for name, more in (("a.h5", ()), ("b.h5", ()), ("c.h5", ("--set", "seed=2"))):
        rc, _, err = call("capacity", "study.yaml", "-q", "--json", "-o", name, *more, cwd=folder)
        expect(rc == 0 and events(err)[-1]["done_frac"] == 1, f"capacity for {name}", err)
        rc, out, err = call("show", name, "--digest", cwd=folder)
        rows = tables_of("show", name, "--digest", cwd=folder).get("digest")
        expect(rows == [{"file": name, "content_digest": out[:-1]}], "a digest in JSON", rows)
        expect(rc == 0 and err == "" and re.fullmatch(r"[0-9a-f]{32}\n", out), "show", out + err)
        digests.append(out)
    expect(digests[0] == digests[1] != digests[2], "digests tell answers apart", digests)
    with open(os.path.join(folder, "a.h5"), "rb") as f:
        whole = f.read()
    write(folder, "cut.h5", whole[:len(whole) // 2])
    write(folder, "text.h5", "my notes\n")
    for name in ("cut.h5", "text.h5"):
        for more in ((), ("--digest",)):
            refused(f"show {name}", rf"{name}: ", folder, "show", name, *more)
    if has_h5py():
        write(folder, "edited.h5", whole[:-24])  # without its checksum, or it is refused for that
        subprocess.run([sys.executable, "-c", EDIT, os.path.join(folder, "edited.h5")], check=True)
        refused("show an edited file", r"edited.h5: its content is not what was written: "
                r"digest [0-9a-f]{32}, but [0-9a-f]{32} in the file", folder, "show", "edited.h5",
                "--digest")


# Changes one number of a results file, outside /run.
EDIT = """
import sys, h5py, numpy
with h5py.File(sys.argv[1], "r+") as f:
    names = []
    f.visititems(lambda n, o: names.append(n) if isinstance(o, h5py.Dataset) and o.dtype.kind == "f"
                 and o.size and not n.startswith("run/") else None)
    values = f[names[0]][...]
    values.flat[0] = 1 + numpy.nan_to_num(values.flat[0])
    f[names[0]][...] = values
"""


def has_h5py():
    done = subprocess.run([sys.executable, "-c", "import h5py"], capture_output=True)
    return done.returncode == 0


SERVED = """\
name: served
duration: 400ms
warmup: 0s
bins: 10
traffic: [{service: feed, rate: 500qps, sizes: {distribution: fixed, items: 40}}]
fleet: {groups: [{servers: 1, cores: 1, scheduler: {policy: fixed, batch_items: 16},
                  cost: {kind: synthetic, fixed: 20us, per_item: 1us}}]}
"""


def served(folder, *args):
    """What `serve` has in its tables, and the fates of the queries that arrived."""
    rc, out, err = call("serve", "served.yaml", "-o", "m.h5", "-f", "--engine", "spin", "--idle", "sleep", "--trace",
                        "arrived.csv", "--format", "json", *args, cwd=folder)
    return rc, {t["table"]: t["rows"] for t in json.loads(out)["tables"]}, fates_of(folder, "arrived.csv"), err


def stopped(number, *args, cwd):
    """Sends the signal to a server that has served for a while; on a machine that is slow to start one, a longer
    while. Returns (exit status, stdout, stderr)."""
    for wait_s in (0.5, 1, 2, 4, 8):
        job = subprocess.Popen([PROGRAM, *args], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        await_blocked(job, number)
        time.sleep(wait_s)
        job.send_signal(number)
        out, err = job.communicate(timeout=60)
        if "nothing is measured" not in err:
            break
    return job.returncode, out, err


def fates_of(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return [row["fate"] for row in csv.DictReader(file)]


def group_serve(folder):
    """A server that runs for real: its files, its simulation, and what becomes of queries when something fails."""
    write(folder, "served.yaml", SERVED)
    rc, tables, fates, err = served(folder)
    rows = {row["row"]: row for row in tables["fidelity"]}
    told = tables["served"][0]
    expect(told["n_answered"] + told["n_refused"] + told["n_lost"] + told["n_left"] == told["n_queries"]
           and 0 <= told["taken_frac"] <= 1, "what became of queries, for programs", told)
    expect(rc == 0 and set(fates) == {"ended"}, "all are answered", f"{rc} {err} {fates[:3]}")
    expect(list(rows) == ["measured", "simulated", "at its own speed", "its own service times", "and gaps"], "its rows", str(list(rows)))
    expect(rows["measured"]["busy_frac"] >= 0.03, "cores are busy", str(rows["measured"]))
    # What is simulated is what a run makes of the trace that was written.
    again = tables_of("run", "served.yaml", "-o", "r.h5", "--set",
                      "traffic[0].arrivals={process: replay, file: arrived.csv, start: zero}", cwd=folder)["latency"][0]
    for name in ("mean", "p50", "p95", "p99"):
        expect(abs(rows["simulated"][name + "_s"] / again[f"latency_{name}_s"] - 1) < 1e-9, "the same simulation",
               f"{name}: {rows['simulated']} {again}")
    shown = call("show", "m.h5", cwd=folder)[1]
    expect("study served, measured" in shown and "measured: spin" in shown, "show", shown)
    # The file has the comparison as it was printed: a JSON number has all of its digits.
    expect(tables_of("show", "m.h5", cwd=folder)["fidelity"] == tables["fidelity"], "the comparison in the file")
    rc, out, err = call("report", "m.h5", cwd=folder)
    with open(os.path.join(folder, "m.html"), encoding="utf-8") as f:
        expect(rc == 0 and "at its own speed" in f.read(), "the comparison in the report", out + err)
    rc, out, err = call("compare", "r.h5", "m.h5", cwd=folder)
    expect(rc == 0 and "p95" in out, "compare", out + err)
    rc, _, err = call("run", "served.yaml", "-o", "m.h5", "--resume", cwd=folder)
    expect(rc != 0 and "m.h5" in err, "what was measured is no run that is done", f"{rc} {err}")

    rc, _, fates, err = served(folder, "--queue", "1", "--grace", "0s", "--set", "fleet.groups[0].cost.fixed=5ms")
    counts = {fate: fates.count(fate) for fate in set(fates)}
    expect(rc == 0 and counts["refused"] > 100 and sum(counts.values()) == len(fates), "a full queue", str(counts))
    rc, out, err = call("serve", "served.yaml", "-o", "m.h5", "-f", "--engine", "spin", "--idle", "sleep", "--grace",
                        "0s", "--set", "fleet.groups[0].cost.fixed=5ms", cwd=folder)
    expect(rc == 0 and "% of the time of requests (idle workers slept)" in out, "what something else took of", out)
    expect(rc == 0 and "\nand gaps" in out and "refused, lost or left, too" in out and "the same queries" not in out, "queries that are left", out)
    expect(not re.search(r"\de[+-]\d", out), "numbers as people write them", out)
    rc, tables, fates, err = served(folder, "--fail-after", "7", "--set", "fleet.groups[0].cores=2")
    expect(rc == 0 and fates.count("lost") == 1 and fates.count("ended") == len(fates) - 1, "a worker fails",
           f"{rc} {err} {fates.count('lost')}")
    rc, tables, fates, err = served(folder, "--fail-after", "7")
    expect(rc == 1 and fates.count("lost") >= 1 and "all workers failed at " in err, "the only worker fails", err)

    rc, _, err = stopped(signal.SIGINT, "serve", "served.yaml", "-o", "s.h5", "-f", "--engine", "spin", "--idle", "sleep",
                         "-q", "--set", "duration=60s", "--trace", "s.csv", cwd=folder)
    expect(rc == 4 and re.search(r"stopped at \S+ s; results so far in s.h5", err), "Ctrl-C", err)
    tables_of("show", "s.h5", cwd=folder)
    job = subprocess.Popen([PROGRAM, "serve", "served.yaml", "-o", "early.h5", "--engine", "spin", "--idle", "sleep", "-q",
                            "--set", "duration=60s", "--set", "warmup=50s"], cwd=folder, stderr=subprocess.PIPE, text=True)
    await_blocked(job, signal.SIGTERM)
    job.send_signal(signal.SIGTERM)
    err = job.communicate(timeout=60)[1]
    expect(job.returncode == 4 and "nothing is measured, and early.h5 is not written" in err and "at -" not in err and
           not os.path.exists(os.path.join(folder, "early.h5")), "stopped early", f"{job.returncode} {err}")

    fleet(folder)
    refused("two servers", r"served.yaml:6:8: fleet: 2 servers are 3 processes, one to balance: expected mpirun -n 3", folder, "serve", "served.yaml", "--set",
            "fleet.groups[0].servers=2")
    refused("an unknown engine", r"--engine: there is no \"steam\"", folder, "serve", "served.yaml", "--engine",
            "steam")
    for option, *value in (("--output", "n.h5"), ("--trace", "n.csv"), ("--force",)):
        refused(f"a search with {option}", f"{option}: expected none with --find", folder, "serve", "served.yaml",
                "--find", "2", "--engine", "spin", option, *value)
    rc, out, err = call("serve", "served.yaml", "--find", "1", "--engine", "spin", "--idle", "sleep", "--set",
                        "traffic[0].sla={p95: 100ns}", cwd=folder)
    expect(rc == 0 and "> 1000" in out, "far above a target", out + err)
    refused("a trace over the study", r"trace served.yaml: is the study itself", folder, "serve", "served.yaml", "-f",
            "--engine", "spin", "--trace", "served.yaml")
    refused("a trace over the output", r"trace n.h5: is the output, too", folder, "serve", "served.yaml", "-o", "n.h5",
            "--engine", "spin", "--trace", "n.h5")
    refused("a trace that is there", r"trace arrived.csv: exists; --force", folder, "serve", "served.yaml", "-o", "n.h5",
            "--engine", "spin", "--trace", "arrived.csv")
    refused("a trace without a folder", r"trace no/a.csv: cannot write in no: No such file", folder, "serve", "served.yaml", "-o",
            "n.h5", "--engine", "spin", "--trace", "no/a.csv")
    refused("results that are there", r"output m.h5: exists", folder, "serve", "served.yaml", "-o", "m.h5", "--engine", "spin")


def group_serve_faults(folder):
    """A server that runs for real while the date jumps, while it is stopped with more than it can do, and when it
    is killed: whole files or those from before, and no query is lost from the count."""
    write(folder, "served.yaml", SERVED)
    clock_steps(folder)
    stopped_with_a_full_queue(folder)
    killed(folder)


def clock_steps(folder):
    """The date jumps by hours, forth and back: what is measured is what it would be without."""
    stepped = dict(os.environ, LD_PRELOAD=os.environ["RF_CLOCK_STEP"])
    seen = "import time\nfor _ in range(40): print(time.time()); time.sleep(0.005)"
    dates = [float(t) for t in subprocess.run([sys.executable, "-c", seen], env=stepped, capture_output=True,
                                              text=True, check=True).stdout.split()]
    expect(max(dates) - min(dates) > 4 * 3600, "the date jumps", f"{min(dates)} {max(dates)}")
    runs = (("steady", None, "workers"), ("stepped", stepped, "workers"), ("sent", stepped, "thread"))
    begin_s = time.monotonic()
    jobs = [subprocess.Popen([PROGRAM, "serve", "served.yaml", "-o", f"{name}.h5", "--engine", "spin", "--idle", "sleep",
                              "--trace", f"{name}.csv", "--format", "json", "--set", "duration=1s", "--sender", sender],
                             cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for name, env, sender in runs]
    try:
        said = [job.communicate(timeout=60) for job in jobs]
    finally:
        for job in jobs:
            job.kill()  # one that waits for a date
    wall_s = time.monotonic() - begin_s
    n_queries = [served_whole(folder, name, job.returncode, *texts, wall_s)
                 for (name, _, _), job, texts in zip(runs, jobs, said)]
    # Workers let in all there are; a thread of its own may be late, and what is late at the end is not sent.
    expect(300 < n_queries[0] == n_queries[1] >= n_queries[2] > 0, "the same queries whatever the date", n_queries)


def served_whole(folder, name, rc, out, err, wall_s):
    """All that arrived was answered, at times that fit into wall_s. Returns how many queries these were."""
    if rc != 0:
        expect(False, f"{name}: it ends well", err)
        return 0
    tables = {t["table"]: t["rows"] for t in json.loads(out)["tables"]}
    told = tables["served"][0]
    with open(os.path.join(folder, f"{name}.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expect(told["n_answered"] == told["n_queries"] == len(rows) and {row["fate"] for row in rows} == {"ended"},
           f"{name}: all are answered", told)
    times = [[float(row[key]) for key in ("arrive_s", "begin_s", "end_s", "wait_s", "latency_s")] for row in rows]
    # 56 us of work each; nothing is before its cause, or longer than the program ran.
    odd = [t for t in times if not (0 <= t[0] <= t[1] and t[1] + 56e-6 <= t[2] <= wall_s and 0 <= t[3] <= t[4] <= wall_s)]
    expect(not odd, f"{name}: its times", odd[:3])
    expect(0 <= told["late_p99_s"] <= wall_s and 0 <= told["taken_frac"] <= 1 and 0 <= told["gap_mean_s"] <= wall_s,
           f"{name}: what was measured of the machine", told)
    expect(0.02 <= tables["fidelity"][0]["busy_frac"] <= 1, f"{name}: how busy it is", tables["fidelity"][0])
    return told["n_queries"]


def stopped_with_a_full_queue(folder):
    """SIGTERM to a server that refuses most of what comes: every query that arrived has a fate, in all it writes."""
    rc, out, err = stopped(signal.SIGTERM, "serve", "served.yaml", "-o", "t.h5", "-f", "--engine", "spin", "--idle",
                           "sleep", "--queue", "1", "--format", "json", "--trace", "t.csv", "--set", "duration=60s",
                           "--set", "fleet.groups[0].cost.fixed=5ms", cwd=folder)
    expect(rc == 4 and re.search(r"stopped at \S+ s; results so far in t.h5", err), "SIGTERM", err)
    if rc != 4:
        return
    told = next(t["rows"][0] for t in json.loads(out)["tables"] if t["table"] == "served")
    fates = fates_of(folder, "t.csv")
    expect(told["n_answered"] + told["n_refused"] + told["n_lost"] + told["n_left"] == told["n_queries"] == len(fates),
           "the count of a stopped server", f"{told} {len(fates)}")
    expect(fates.count("ended") == told["n_answered"] > 0 and fates.count("refused") == told["n_refused"] > 0 and
           told["n_lost"] == 0, "fates of a stopped server", told)


def killed(folder):
    """SIGKILL while it serves, and as soon as each of its files is begun: each is the one from before, or whole."""
    served(folder)
    names = ("m.h5", "arrived.csv")
    words = [PROGRAM, "serve", "served.yaml", "-o", "m.h5", "-f", "--engine", "spin", "--idle", "sleep", "-q", "--trace",
             "arrived.csv", "--set", "duration=200ms"]
    for begun in (None, ".arrived.csv.tmp-", ".m.h5.tmp-"):
        before = {name: contents(folder)[name] for name in names}
        job = subprocess.Popen(words + ([] if begun else ["--set", "duration=60s"]), cwd=folder,
                               stderr=subprocess.DEVNULL)
        if begun is None:
            await_blocked(job, signal.SIGTERM)
            time.sleep(0.3)
        own = f"{begun}{job.pid}"
        while begun and job.poll() is None and own not in os.listdir(folder):
            pass
        job.kill()
        job.wait()
        after = contents(folder)
        expect(after["m.h5"] == before["m.h5"] or call("show", "m.h5", "--digest", cwd=folder)[0] == 0,
               "results of a killed server", begun)
        expect(after["arrived.csv"] == before["arrived.csv"] or
               (after["arrived.csv"].endswith(b"\n") and after["arrived.csv"].count(b"\n") > 50),
               "the trace of a killed server", begun)
        expect(begun or all(after[name] == before[name] for name in names), "killed while it serves", begun)
    rc, _, _, err = served(folder)
    left = [name for name in os.listdir(folder) if name.startswith(".")]
    expect(rc == 0 and not left, "the next run clears up", f"{err} {left}")


def fleet(folder):
    """Two servers and a balancer: what one server has, of both; a server that fails; what is refused."""
    if not shutil.which("mpirun"):
        return
    words = ["mpirun", "-n", "3", PROGRAM, "serve", "served.yaml", "-f", "--engine", "spin", "--idle", "sleep",
             "--set", "fleet.groups[0].servers=2"]

    def run(*more):
        done = subprocess.run(words + list(more), cwd=folder, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    rc, out, err = run("-o", "f.h5", "--trace", "f.csv", "--set", "balancer={policy: power-of-two, dispatch_delay: 1ms}")
    with open(os.path.join(folder, "f.csv"), encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    expect(rc == 0 and "2 servers and a balancer; queries let in by the balancer" in out and "and gaps" in out,
           "a fleet", out + err)
    done = subprocess.run(["mpirun", "-n", "2", PROGRAM, "serve", "served.yaml", "-f", "--engine", "spin", "--idle",
                           "sleep", "-o", "b.h5", "--set", f"fleet.groups[0].cores={os.cpu_count()}"], cwd=folder,
                          capture_output=True, text=True, timeout=60, check=False)
    expect(done.returncode == 0 and "with --bind-to none all of them" in done.stdout, "workers without cores",
           done.stdout + done.stderr)
    expect({row["server"] for row in rows} == {"0", "1"} and {row["fate"] for row in rows} == {"ended"}
           and f"{len(rows)} of " in out, "both servers answer", str(rows[:3]))
    servers = tables_of("show", "f.h5", cwd=folder)["groups"][0]
    expect(servers["servers"] == 2, "a results file of two servers", str(servers))
    rc, out, err = run("-o", "f.h5", "--format", "json", "--fail-after", "5", "--set", "balancer.policy=round-robin")
    told = json.loads(out)["tables"]
    told = [t["rows"][0] for t in told if t["table"] == "served"][0]
    expect(rc == 0 and told["n_lost"] >= 1 and told["n_answered"] + told["n_lost"] == told["n_queries"]
           and told["n_answered"] > told["n_queries"] / 2, "a server fails", f"{told} {err}")
    for name, message, more in (
            ("servers and ranks", "3 ranks are a balancer and 2 servers: expected servers: 2, or mpirun -n 4",
             ("--set", "fleet.groups[0].servers=3")),
            ("a sender", "--sender: expected none with 3 ranks", ("--sender", "thread")),
            ("a search", "--find: expected one process, got 3 ranks", ("--find", "2"))):
        rc, out, err = run("-o", "g.h5", *more)
        expect(rc == 2 and message in err, f"refused: {name}", err)


def group_report(folder):
    """`recfleet report`: one page of a results file, which is only read; in every format; or one line."""
    write(folder, "study.yaml", STUDY.replace("200ms", "5s").replace("name: small", 'name: "<script>alert(1)</script>"'))
    rc, _, err = call("run", "study.yaml", "-q", "-o", "a.h5", cwd=folder)
    expect(rc == 0, "run for report", err)
    with open(os.path.join(folder, "a.h5"), "rb") as f:
        before = f.read()
    os.chmod(os.path.join(folder, "a.h5"), 0o400)
    rc, out, err = call("report", "a.h5", cwd=folder)
    expect(rc == 0 and out == "report: a.html\n" and err == "", "report", out + err)
    with open(os.path.join(folder, "a.html"), encoding="utf-8") as f:
        page = f.read()
    ids = re.findall(r'<figure id="([a-z0-9-]+)"', page)
    expect({"percentiles", "histogram", "tail", "time", "load"} <= set(ids) and len(ids) == len(set(ids)),
           "its pictures", ids)
    expect(len(page) < 300000 and page.startswith("<!doctype html>") and page.endswith("</html>\n") and
           page.count("<script>") == 1 and not re.search(r'(src|href)="(?!#)', page), "one page, whole", page[:500])
    rc, _, err = call("report", "a.h5", "-o", "b.html", cwd=folder)
    with open(os.path.join(folder, "b.html"), encoding="utf-8") as f:
        expect(rc == 0 and f.read() == page, "the same page again", err)
    rc, out, err = call("report", "a.h5", "--term", cwd=folder)
    _, shown, _ = call("show", "a.h5", cwd=folder)
    expect(rc == 0 and shown in out and "Latency by percentile" in out and max(map(len, out.splitlines())) < 160,
           "in characters", out + err)
    tables = tables_of("report", "a.h5", cwd=folder)
    alone = tables_of("show", "a.h5", cwd=folder)
    expect(all(tables[name] == rows for name, rows in alone.items()) and len(tables["tail"]) > 100,
           "its tables in JSON", sorted(tables))
    rc, out, err = call("report", "a.h5", "--format", "md", cwd=folder)
    expect(rc == 0 and out.startswith("# ") and "| service |" in out and "<script>" not in out, "in Markdown", out)
    rc, out, err = call("report", "a.h5", "--format", "svg", "--picture", "time", "-o", "t.svg", cwd=folder)
    with open(os.path.join(folder, "t.svg"), encoding="utf-8") as f:
        expect(rc == 0 and f.read().count('class="chart"') == 1, "one picture", out + err)
    refused("a page that is there", r"report a.html: .*--force", folder, "report", "a.h5")
    rc, _, err = call("report", "a.h5", "--force", cwd=folder)
    expect(rc == 0, "a page replaced", err)
    refused("the results as the page", r"recfleet report: -o ./a.h5: that is one of its inputs", folder, "report",
            "a.h5", "-o", "./a.h5", "--force")
    write(folder, "cut.h5", before[:len(before) // 2])
    write(folder, "text.h5", "my notes\n")
    for name in ("cut.h5", "text.h5", "none.h5"):
        refused(f"report {name}", rf"{name}: ", folder, "report", name)
    expect(not [n for n in os.listdir(folder) if n.startswith(("cut.ht", "text.ht", "none.", "."))],
           "nothing left behind", os.listdir(folder))
    write(folder, "p.csv", "figure,quantity,policy,value\n")
    refused("published figures of a run", r"recfleet report: --published: expected a tuning.*a.h5 is none", folder,
            "report", "a.h5", "-o", "p.html", "--published", "p.csv")
    refused("published figures of a comparison", r"recfleet report: --published: expected one tuning", folder,
            "report", "a.h5", "a.h5", "-o", "p.html", "--published", "p.csv")
    png_of(folder)
    with open(os.path.join(folder, "a.h5"), "rb") as f:
        expect(f.read() == before, "the results file is as it was")


def png_of(folder):
    """A PNG where rsvg-convert is installed, and a line that says how to get it where it is not."""
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    done = subprocess.run([PROGRAM, "report", "a.h5", "--format", "png"], cwd=folder, capture_output=True,
                          text=True, env=dict(os.environ, PATH=empty))
    expect(done.returncode == 2 and done.stderr.count("\n") == 1 and "librsvg2-bin" in done.stderr and
           not os.path.exists(os.path.join(folder, "a.png")), "no rsvg-convert", done.stderr)
    if shutil.which("rsvg-convert"):
        rc, _, err = call("report", "a.h5", "--format", "png", cwd=folder)
        with open(os.path.join(folder, "a.png"), "rb") as f:
            expect(rc == 0 and f.read(8) == b"\x89PNG\r\n\x1a\n", "a PNG", err)


SPIN = """\
name: spin
duration: 2s
traffic:
  - {service: ads, rate: 100qps, sizes: {distribution: fixed, items: 20}}
  - {service: feed/1, rate: 100qps, sizes: {distribution: fixed, items: 20}}
fleet:
  groups:
    - {cores: 2, servers: 1, scheduler: {policy: fixed, batch_items: 4},
       cost: {kind: synthetic, fixed: 60us, per_item: 10us}}
"""


def group_profile(folder):
    """Of an engine whose times are known: what it writes is read back, and says these times."""
    write(folder, "spin.yaml", SPIN)
    measure = ("profile", "ads", "feed/1", "--engine", "spin", "--study", "spin.yaml", "--cores", "1",
               "--most-items", "8", "--time", "800ms")
    rc, out, err = call(*measure, "-o", "out", cwd=folder)
    expect(rc == 0, "a profile", err)
    found = sorted(os.path.relpath(os.path.join(place, name), folder)
                   for place, _, names in os.walk(os.path.join(folder, "out")) for name in names)
    expect(found == [f"out/{name}" for name in ("ads.yaml", "catalog/ads-cut.csv", "catalog/ads.csv",
                                                "catalog/feed_1-cut.csv", "catalog/feed_1.csv",
                                                "catalog/machine.yaml", "feed_1.yaml")],
           "files of a profile", found)
    expect(re.search(r"rest ms +was ms", out) and re.search(r"ads +0\.5000 +[0-9.]+ .*\nads +2\.000 .*\nads +8\.000 .*\nads +32\.00 ", out),
           "rests as they were asked for", out)
    expect("ads, engine spin" in out and "on 1 core: cv" in out and "cold core: " in out and "this-machine: " in out, "tables of a profile", out)
    with open(os.path.join(folder, "out", "catalog", "ads.csv")) as f:
        rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
    expect([int(row["batch"]) for row in rows] == [1, 2, 3, 4, 6, 8], "sizes of a profile", rows)
    for row in rows:
        # No less than the clock was asked for, but for what is taken out of interrupted requests; and not
        # much more: a loop that reads a clock has nothing else to do.
        least_ms = 0.06 + 0.01 * int(row["batch"])
        own = 1 - float(row["taken_frac"])  # spinning takes wall time, of which taken time is no part
        expect(0.85 * own * least_ms <= float(row["time_ms"]) <= 3 * least_ms, "a time of spin", row)
    for stem in ("ads", "feed_1"):
        rc, out, err = call("run", f"out/{stem}.yaml", "--set", "duration=2s", "-o", f"{stem}.h5", cwd=folder)
        expect(rc == 0 and "stable" in out and "1 cell, 1 server   " in out, f"the study of {stem}", out + err)
    listed = call("list", "platforms", "--catalog", "out/catalog", cwd=folder)[1]
    expect("this-machine" in listed and "[out/catalog/machine.yaml]" in listed, "the machine's catalogue", listed)
    profile_refused(folder, measure)
    profile_of_file(folder)
    profile_of_teams(folder)
    profile_in_little_room(folder)
    profile_of_histories(folder)


def profile_of_file(folder):
    """An ONNX file by a library that stands in for ONNX Runtime: profile and serve."""
    library = os.environ["RECFLEET_STAND_IN"]
    write(folder, "served.yaml", SERVED)
    words = ("--engine", "ort", "--library", library, "--file", "m.onnx")
    rc, out, err = call("profile", "mine", *words, "--cores", "1", "--most-items", "4", "--time", "400ms", "-o", "mine",
                        cwd=folder)
    expect(rc == 0 and "mine, engine ort: ONNX Runtime 1.13.1, lookups in tables of 7 to 11 rows" in out,
           "a profile of a file", out + err)
    rc, out, err = call("run", "mine/mine.yaml", "--set", "duration=1s", "-o", "mine.h5", cwd=folder)
    expect(rc == 0, "the study of a file", out + err)
    rc, out, err = call("serve", "served.yaml", *words, "--idle", "sleep", "-o", "m.h5", cwd=folder)
    expect(rc == 0 and "served for real by engine ort, ONNX Runtime 1.13.1" in out, "a file that is served", out + err)
    refused("a library that is missing", r"mine: --library: expected ONNX Runtime: .*nowhere.so", folder, "profile", "mine",
            "--engine", "ort", "--library", "/nowhere.so", "--file", "m.onnx", "-o", "none")
    refused("a file that no engine reads", r"recfleet profile: --file: engine own reads none: expected --engine ort", folder, "profile",
            "ncf", "--file", "m.onnx", "-o", "none")
    refused("no file", r"mine: engine ort: expected --file", folder, "profile", "mine", *words[:4], "-o", "none")
    refused("two names", r"recfleet profile: engine ort runs --file, one model: expected one name for it, got 2", folder, "profile",
            "mine", "other", *words, "-o", "none")
    refused("no name", r'recfleet profile: expected MODEL..., got an empty argument', folder, "profile", "", *words, "-o", "none")
    refused("a name of two lines", r'recfleet profile: expected the name of a model, in one line, got "a b"', folder, "profile", "a\nb",
            *words, "-o", "none")


def profile_of_teams(folder):
    """Workers of two cores each: profile writes what serve and run take from it, or one line says that there are
    too few cores."""
    measure = ("profile", "ads", "--engine", "spin", "--study", "spin.yaml", "--cores-per-worker", "2", "--cores", "2",
               "--most-items", "4", "--time", "400ms", "-o", "teams")
    rc, out, err = call(*measure, cwd=folder)
    if rc != 0:
        expect(rc == 2 and "--cores: expected at most 1, the cores that" in err, "one core alone", err)
        return
    expect("workers of 2 cores each, which compute a request together; busy: of 1" in out and "of cores" in out,
           "a profile of teams", out)
    with open(os.path.join(folder, "teams", "catalog", "ads.csv")) as f:
        rows = list(csv.DictReader(line for line in f if not line.startswith("#")))
    expect([(row["batch"], row["busy_cores"]) for row in rows] == [("1", "1"), ("2", "1"), ("3", "1"), ("4", "1")]
           and all(float(row["time_ms"]) >= 0.85 * (0.06 + 0.01 * int(row["batch"])) for row in rows
                   if float(row["taken_frac"]) < 0.05),  # spinning takes wall time, of which taken time is no part
           "a table of teams", rows)
    rc, out, err = call("run", "teams/ads.yaml", "--set", "duration=1s", "-o", "teams.h5", cwd=folder)
    expect(rc == 0, "the study of teams", out + err)
    rc, out, err = call("serve", "teams/ads.yaml", "--engine", "spin", "--idle", "sleep", "--set", "duration=400ms",
                        "-o", "served.h5", cwd=folder)
    expect(rc == 0 and re.search(r"engine spin on 2 cores of .*, 2 to a worker", out), "teams that serve", out + err)
    refused("teams of more cores than there are", r"1 worker of 1024 cores each \(cores, cores_per_worker\): expected at most",
            folder, "serve", "teams/ads.yaml", "--engine", "spin", "-o", "none.h5", "--set",
            "fleet.groups[0].cores_per_worker=1024")
    rc, out, err = call("profile", "ncf", "--cores-per-worker", "2", "--cores", "2", "--most-items", "4", "--batch", "4",
                        "--table-bytes", "1MB", "--time", "400ms", "-o", "own", cwd=folder)
    expect("oneDNN is missing" in err if rc != 0 else "ncf, engine own" in out, "a profile of teams of own", out + err)
    if rc == 0:
        rc, out, err = call("serve", "own/ncf.yaml", "--table-bytes", "1MB", "--set", "duration=300ms", "--set",
                            "traffic[0].rate=200qps", "-o", "own.h5", cwd=folder)
        expect(rc == 0 and re.search(r"engine own, .* on 2 cores of .*, 2 to a worker", out), "teams of own", out + err)
        shown = call("show", "own.h5", cwd=folder)[1]
        expect(re.search(r"measured: own, \S+ % of the tables' rows", shown), "a results file with smaller tables", shown)


def profile_in_little_room(folder):
    """oneDNN without room for the code that it makes is one line, not a crash."""
    def limited(kilobytes, *args):
        return subprocess.run(["sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh", PROGRAM, *args], cwd=folder,
                              capture_output=True, text=True, timeout=120)

    for kilobytes in (150000, 180000):
        done = limited(kilobytes, "profile", "ncf", "--table-bytes", "1MB", "--time", "400ms", "-o", "room")
        if limited(kilobytes, "--version").returncode != 0 or "oneDNN is missing" in done.stderr:
            return  # a sanitizer takes more addresses than that
        expect(done.returncode == 1 and re.fullmatch(r"recfleet: ncf: engine own: libdnnl\S*: expected \d+ MB of addresses that are "
                                                     r"free, got \S+ MB \(ulimit -v\)\n", done.stderr),
               "a limit of addresses", f"{done.returncode} {done.stderr}")


def profile_of_histories(folder):
    """A model that reads a history: its table says what one adds, a simulated time is what these numbers make by
    hand, and the study is served."""
    rc, out, err = call("profile", "sasrec", "--cores", "1", "--most-items", "4", "--batch", "4", "--history", "20", "--time",
                        "300ms", "-o", "seq", cwd=folder)
    if "oneDNN is missing" in err:
        return
    expect(rc == 0 and "with a history of 20 items; what another adds, alone:" in out, "a profile with histories", out + err)
    with open(os.path.join(folder, "seq", "catalog", "sasrec-cut.csv")) as f:
        text = f.read()
    rows = list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))
    expect([int(row["batch"]) for row in rows] == [1, 2, 3, 4] and all(float(row["time_ms"]) > 0 for row in rows),
           "sizes with histories", rows)
    adds_s = [1e-9 * float(re.search(rf"# {key}: (\S+)ns\n", text)[1])
              for key in ("per_history", "per_history_square", "per_item_history")]
    expect(min(adds_s) >= 0 < max(adds_s), "what a history adds", adds_s)
    items, length = 3, 37
    by_hand_s = 1e-3 * float(rows[items - 1]["time_ms"]) + length * (adds_s[0] + adds_s[1] * length + adds_s[2] * items)
    words = ("seq/sasrec.yaml", "--set", f"traffic[0].history={{distribution: fixed, items: {length}}}")
    warm = ("--set", "fleet.groups[0].cost={kind: table, file: catalog/sasrec-cut.csv}")
    simulated = tables_of("run", *words, "-o", "one.h5", "--set", f"traffic[0].sizes={{distribution: fixed, items: {items}}}",
                          "--set", "traffic[0].rate=0.1qps", "--set", "duration=100s", "--set", "warmup=0s",
                          "--set", "balancer={policy: random, dispatch_delay: 0s, return_delay: 0s}",
                          "--set", "fleet.groups[0].noise=none", *warm, cwd=folder)["latency"][0]
    expect(abs(simulated["latency_mean_s"] - by_hand_s) < 1.5e-9, "a simulated time by hand", f"{simulated} {by_hand_s}")
    refused("a fit of a table with histories", r"seq/catalog/sasrec.csv: its per_history says what a history adds", folder, "fit",
            "seq/catalog/sasrec.csv")
    served_words = ("serve", *words, "-o", "seq.h5", "--trace", "seq.csv", "--idle", "sleep", "--set", "duration=300ms", "--set",
                    "traffic[0].rate=100qps")
    rc, out, err = call(*served_words, cwd=folder)
    expect(rc == 0 and "served for real by engine own" in out and "at its own speed" in out, "histories that are served", out + err)
    with open(os.path.join(folder, "seq.csv")) as f:
        expect({row["history_items"] for row in csv.DictReader(f)} == {str(length)}, "a trace with histories")
    refused("histories that are merged", r"seq/sasrec.yaml: service sasrec: its scheduler merges queries, and no engine runs several histories",
            folder, *served_words, *warm, "-f", "--set", "fleet.groups[0].scheduler={policy: coalesce, batch_items: 4}")


def one_process(folder, *words):
    """What one process does alone, two do not do twice: one line says so, and each ends with 2."""
    if not shutil.which("mpirun"):
        return
    done = subprocess.run(["mpirun", "-n", "2", "sh", "-c", '"$@"; echo "ends with $?"', "sh", PROGRAM, *words], cwd=folder,
                          capture_output=True, text=True, timeout=120)
    expect(sorted(done.stdout.splitlines()) == ["ends with 2"] * 2, f"{words[0]} on two ranks", done.stdout)
    lines = [line for line in done.stderr.splitlines() if "expected one process, got 2 ranks" in line]
    expect(len(lines) == 1 and lines[0].startswith(f"recfleet {words[0]}: "), f"{words[0]}: one line", done.stderr)


def profile_refused(folder, measure):
    """Mistakes are found before anything is measured; Ctrl-C leaves whole files or none."""
    one_process(folder, *measure, "-o", "ranks")
    one_process(folder, "list", "models")
    expect(not os.path.exists(os.path.join(folder, "ranks")), "nothing is written by two ranks")
    refused("files that are there", r"output out/catalog/machine.yaml: .*--force", folder, *measure, "-o", "out")
    refused("no folder", r"output '': expected the name of a folder", folder, *measure, "-o", "")
    expected = (("an engine", r'recfleet profile: --engine: expected .*spin.*, got "steam"', ("--engine", "steam")),
                ("a number of cores", r"recfleet profile: --cores: expected at most \d+, the cores that", ("--cores", "1000")),
                ("a team of too many cores", r"recfleet profile: --cores-per-worker: expected a divisor of --cores, 1, got 2",
                 ("--cores-per-worker", "2")),
                ("a batch beyond the table", r"recfleet profile: --batch: expected whole numbers that rise, of at most 8 items",
                 ("--batch", "4,16")),
                ("a time without a unit", r"recfleet profile: --time: expected a time", ("--time", "60")),
                ("no name", r'recfleet profile: --name: expected a name of the machine, in one line, got ""', ("--name", "")),
                ("a name of two lines", r"recfleet profile: --name: expected a name of the machine, in one line", ("--name", "a\nb")),
                ("the name of a known platform", r'recfleet profile: --name: there is a platform "skylake"', ("--name", "skylake")))
    for what, pattern, words in expected:
        refused(what, pattern, folder, *measure, *words, "-o", "none")
    refused("a service that is not there", r'recfleet profile: spin.yaml has no service, .* called "rank"', folder,
            "profile", "rank", "--engine", "spin", "--study", "spin.yaml")
    refused("a model that is not there", r'unknown model "wndd"; did you mean "wnd"', folder, "profile", "wndd", "--engine", "spin")
    refused("spin without a study", r"wnd: engine spin: expected a study", folder, "profile", "wnd", "--engine", "spin")
    refused("one name for two", r"recfleet profile: ads and ads: the same files", folder,
            "profile", "ads", "ads", "--engine", "spin", "--study", "spin.yaml")
    rc, err = signalled(signal.SIGINT, *measure[:-1], "60s", "-o", "stopped", cwd=folder)
    expect(rc == 4 and err == "recfleet: stopped; nothing was written\n", "Ctrl-C", f"{rc} {err!r}")
    expect(not os.path.exists(os.path.join(folder, "stopped")), "nothing is left of Ctrl-C")


def group_list(folder):
    """list and schema show what studies can name, and fast: without starting MPI."""
    for topic, word in (("models", "wnd"), ("platforms", "skylake"), ("policies", "least-work"),
                        ("distributions", "production"), ("arrivals", "mmpp"), ("costs", "roofline"),
                        ("schedulers", "split"), ("tuners", "deeprecsched"), ("accelerators", "t4"),
                        ("tables", "wnd-repo-zen5-2core")):
        rc, out, err = call("list", topic, cwd=folder)
        expect(rc == 0 and word in out, f"list {topic}", err)
        rc, out, err = call("list", topic, "--long", cwd=folder)
        expect(rc == 0 and len(out) > 100, f"list {topic} --long", err)
    lines = call("list", "tables", cwd=folder)[1].splitlines()[1:]
    columns = {re.match(r"  \S+ +", line).end() for line in lines}
    expect(len(columns) == 1 and all(line[columns.copy().pop() - 2] == " " for line in lines), "columns of list tables", columns)
    refused("unknown topic", r"recfleet list: unknown topic \"modles\"; did you mean \"models\"\?",
            folder, "list", "modles")
    rc, out, err = call("schema", cwd=folder)
    expect(rc == 0 and "dispatch_delay" in out and "duration" in out, "schema", err)
    # docs/study.md ends with the tables that the program prints.
    rc, out, err = call("schema", "--markdown", cwd=folder)
    with open(os.path.join(STUDIES, "../../docs/study.md")) as f:
        page = f.read()
    expect(page.endswith("<!-- schema -->\n" + out), "docs/study.md",
           "differs from `recfleet schema --markdown`; put its output behind <!-- schema -->")
    rc, out, err = call("schema", "--results", cwd=folder)
    with open(os.path.join(STUDIES, "../../docs/file-format.md")) as f:
        page = f.read()
    expect(page.endswith("<!-- layouts -->\n" + out), "docs/file-format.md",
           "differs from `recfleet schema --results`; put its output behind <!-- layouts -->")


def protobuf(*fields):
    """A message of (number, value): whole numbers, texts, and other messages as bytes."""
    def varint(n):
        return bytes([n & 0x7f | 0x80]) + varint(n >> 7) if n > 0x7f else bytes([n])
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            data = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(data)) + data
    return out


def onnx_graph(width, op="Relu"):
    """A layer of 10 to `width` numbers over dense features beside a row of a table, as an ONNX file."""
    def tensor(name, *dims):
        return 5, protobuf(*((1, d) for d in dims), (2, 1), (8, name), (14, 1))

    def node(op, outputs, *inputs, axis=None):
        return 1, protobuf(*((1, i) for i in inputs), (2, outputs), (4, op), *(
            [(5, protobuf((1, "axis"), (3, axis), (20, 2)))] if axis is not None else []))

    def value(name, kind, *dims):
        shape = protobuf(*((1, protobuf((2, d) if isinstance(d, str) else (1, d))) for d in dims))
        return 11, protobuf((1, name), (2, protobuf((1, protobuf((1, kind), (2, shape))))))
    graph = protobuf(value("x", 1, "n", 6), value("i", 7, "n"), tensor("t", 1000, 4), tensor("w", 10, width),
                     node("Gather", "row", "t", "i"), node("Concat", "c", "x", "row", axis=1),
                     node("MatMul", "y", "c", "w"), node(op, "z", "y"))
    return protobuf((1, 8), (2, "cli"), (7, graph), (8, protobuf((2, 13))))


def group_model(folder):
    """An ONNX graph becomes a model that studies name; what is wrong with one is one line."""
    def graph(name, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(data)
    graph("ranker.onnx", onnx_graph(7))
    rc, out, err = call("model", "import", "ranker.onnx", cwd=folder)
    if rc == 1 and "was built without ONNX" in err:
        expect(err.count("\n") == 1 and "libonnx-dev" in err, "what is missing to read ONNX", err)
        return
    expect(rc == 0 and "models:\n  - name: ranker\n" in out and "interaction: given\n" in out, "a model, printed",
           out + err)
    tables = tables_of("model", "import", "ranker.onnx", cwd=folder)
    expect([(r["operator"], r["flop_per_item"], r["lookups_per_item"], r["weight_bytes"])
            for r in tables["operators"]] == [("Gather", 0, 1, 0), ("Concat", 0, 0, 0), ("MatMul", 140, 0, 280),
                                              ("Relu", 7, 0, 0)], "operators in JSON", tables["operators"])
    expect(tables["classes"][-1]["flop_per_item"] == 147, "the sum of classes", tables["classes"])
    os.mkdir(os.path.join(folder, "mine"))
    to = ("-o", "mine/ranker.yaml", "--name", "our-ranker")
    rc, out, err = call("model", "import", "ranker.onnx", *to, cwd=folder)
    expect(rc == 0 and "model \"our-ranker\": mine/ranker.yaml" in out, "a model, written", out + err)
    write(folder, "study.yaml", STUDY.replace("model: wnd", "model: our-ranker"))
    rc, out, err = call("run", "study.yaml", "--catalog", "mine", "-o", "run.h5", cwd=folder)
    expect(rc == 0 and "our-ranker" not in err, "a run of it", err)
    rc, out, err = call("check", "-r", "study.yaml", "--catalog", "mine", cwd=folder)
    rc2, again, err2 = call("check", "-r", write(folder, "resolved.yaml", out), cwd=folder)
    expect(rc == rc2 == 0 and again == out, "a study with a given model reads back", err + err2)
    refused("an existing model", "output mine/ranker.yaml: exists", folder, "model", "import", "ranker.onnx", *to)
    graph("loop.onnx", onnx_graph(7, "Loop"))
    refused("an unknown operator", r"loop.onnx: operators that are not known: Loop \(1\)\n", folder, "model",
            "import", "loop.onnx")
    bags = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus", "onnx", "bags-dlrm.onnx")
    of_bags = (bags, *(w for k in range(3) for w in ("--set", f"ids{k}={3 + k}N")), "--set", "ends=N+1")
    tables = tables_of("model", "import", *of_bags, cwd=folder)
    expect([(r["name"], r["flop_per_item"], r["lookups_per_item"]) for r in tables["operators"]
            if r["operator"] == "EmbeddingBag"] == [("/e.0/Loop", 12, 3), ("/e.1/Loop", 16, 4), ("/e.2/Loop", 20, 5)],
           "bags of PyTorch", tables["operators"])
    rc, out, err = call("model", "import", *of_bags, "-o", "mine/bags.yaml", "--name", "bags", cwd=folder)
    expect(rc == 0, "a model of bags, written", out + err)
    write(folder, "bags.yaml", STUDY.replace("model: wnd", "model: bags"))
    rc, out, err = call("run", "bags.yaml", "--catalog", "mine", "-o", "bags.h5", cwd=folder)
    expect(rc == 0, "a run of it", err)
    refused("indices that are not counted", r".*bags-dlrm.onnx: input \"i0\" leaves its dimension \"ids0\" open: expected "
            "its size, such as --set ids0=30N", folder, "model", "import", bags, "--set", "ends=N+1")
    graph("short.onnx", onnx_graph(7)[:-40])
    refused("a graph that is cut off", "short.onnx: is not an ONNX model, or is cut off", folder, "model", "import",
            "short.onnx")
    refused("no graph", "no.onnx: cannot be read: No such file", folder, "model", "import", "no.onnx")
    refused("no such dimension", "ranker.onnx: --batch-dim \"b\": no input has such a dimension", folder, "model",
            "import", "ranker.onnx", "--batch-dim", "b")
    refused("no such size", "ranker.onnx: --set \"seq=4\": no input has a dimension", folder, "model", "import",
            "ranker.onnx", "--set", "seq=4")
    refused("a size of the items", "ranker.onnx: --set gives the dimension \"n\" a size, and no other one counts the items", folder,
            "model", "import", "ranker.onnx", "--set", "n=5")
    refused("a size of what --batch-dim names", "ranker.onnx: --set \"n=5\": that dimension counts the items", folder, "model",
            "import", "ranker.onnx", "--batch-dim", "n", "--set", "n=5")
    refused("no such verb", "recfleet model: expected import, got \"imprt\"; did you mean \"import\"", folder,
            "model", "imprt", "ranker.onnx")


def group_resolved(folder):
    """Every example study is good, and its resolved form reads back to itself."""
    for name in os.listdir(STUDIES):
        if name.endswith(".csv"):  # a study's own files, beside it
            shutil.copy(os.path.join(STUDIES, name), folder)
    for name in sorted(os.listdir(STUDIES)):
        if not name.endswith(".yaml"):
            continue
        rc, first, err = call("check", "--resolved", os.path.join(STUDIES, name), cwd=folder)
        expect(rc == 0, f"check {name}", err)
        rc, again, err = call("check", "-r", write(folder, "resolved.yaml", first), cwd=folder)
        expect(rc == 0 and again == first, f"resolved {name} reads back", err)


def main():
    name = sys.argv[4]
    # MPI keeps folders of its own in TMPDIR, and removes those that it finds empty: another test's, too.
    with tempfile.TemporaryDirectory(prefix="recfleet-cli-") as place:
        folder, os.environ["TMPDIR"] = (os.path.join(place, part) for part in ("work", "tmp"))
        for made in (folder, os.environ["TMPDIR"]):
            os.mkdir(made)
        globals()["group_" + name](folder)
    print(f"{name}: {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
