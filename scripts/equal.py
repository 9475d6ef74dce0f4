#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""equal.py OLD NEW [-k PATTERN] [-d FOLDER]: do two builds of recfleet give the same numbers?

Runs every study of slurm/studies, shortened, and small ones of tests, with the programs OLD and NEW,
and compares what the files hold to the last bit. Names that changed with schema_version 2 go through
the table RENAMED. A variable of the old file that the new one lacks counts as a difference, unless
GONE names it. -k runs only the cases whose name matches. Files are kept in FOLDER (equal), and those
that are there are not made again. The last line is "N equal, N differ"; the exit status is 0 when
nothing differs. Some ten minutes.
"""
import argparse
import os
import re
import subprocess
import sys

import h5py
import numpy

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHORT_TUNE = ["tune.queries=2000", "tune.max_queries=28000"]
SHORT_CAPACITY = SHORT_TUNE + ["capacity.queries=2000", "capacity.max_queries=8000",
                               "capacity.accuracy=20%", "tune.accuracy=10%"]
ONE = "sweep[%d].values=[%s]"
ONE_GROUP = ["capacity.cells_down=[0]", "fleet.cells=1", "fleet.groups=[{name: x, cores: 4, servers: 8, "
             "cost: {kind: synthetic, fixed: 500us, per_item: 20us}}]", "capacity.objective=servers"]

# name: (command, study, ranks, settings)
CASES = {
    "quickstart": ("run", "00-quickstart", 1, ["duration=3s", "warmup=500ms"]),
    "quickstart3": ("run", "00-quickstart", 3, ["duration=2s", "warmup=500ms"]),
    "two-services": ("run", "01-two-services", 2, ["duration=2s", "warmup=500ms"]),
    "day": ("run", "03-day", 1, ["duration=4s", "warmup=500ms"]),
    "theory": ("run", "04-queue-theory", 1, ["duration=20s"]),
    "light": ("run", "10-light", 2, ["duration=500ms", "warmup=100ms"]),
    "heavy": ("run", "11-heavy", 1, ["duration=500ms", "warmup=100ms"]),
    "failures": ("run", "63-failures", 3, ["duration=25s", "warmup=2s"]),
    "production": ("run", "60-production", 1, ["duration=1s", "warmup=200ms"]),
    "sweep": ("sweep", "20-sweep", 2, ["duration=1s"]),
    "servers": ("sweep", "21-servers", 1, ["duration=1s"]),
    "paper": ("tune", "50-paper", 2, SHORT_TUNE + [ONE % (0, "ncf, rmc2, dien"),
                                                  ONE % (1, "low, medium"), "tune.accuracy=10%"]),
    "tune": ("tune", "51-tune", 1, SHORT_TUNE + ["tune.accuracy=10%"]),
    "tune-all": ("tune", "51-tune", 3, SHORT_TUNE + ["tune.policies=[static, deeprecsched, exhaustive, "
                                                     "reference, fixed]", "tune.accuracy=10%"]),
    "lognormal": ("tune", "52-paper-lognormal", 1, SHORT_TUNE + [ONE % (0, "wnd, rmc1")]),
    "batch": ("tune", "53-paper-batch", 1, SHORT_TUNE + [ONE % (0, "ncf"), ONE % (1, "medium")]),
    "cores": ("tune", "54-paper-cores", 1, SHORT_TUNE + [ONE % (0, "rmc1")]),
    "accelerator": ("tune", "55-paper-accelerator", 1, SHORT_TUNE + [ONE % (0, "dien")]),
    "fixed": ("tune", "56-paper-fixed", 1, SHORT_TUNE + [ONE % (0, "wnd")]),
    "conversion": ("tune", "57-paper-conversion", 1, SHORT_TUNE + [ONE % (0, "wnd")]),
    "reference": ("tune", "58-paper-reference", 1, SHORT_TUNE + [ONE % (0, "wnd")]),
    "sizing": ("capacity", "61-sizing", 2, SHORT_CAPACITY),
    "sizing-load": ("capacity", "61-sizing", 1, SHORT_CAPACITY + ["capacity.find=load"]),
    "plan": ("capacity", "62-plan", 2, SHORT_CAPACITY + ["capacity.windows=1", "capacity.window=20ms",
                                                         "capacity.interval=6h"]),
    "production-day": ("capacity", "60-production", 1, SHORT_CAPACITY),
    "million": ("capacity", "64-million", 1, SHORT_CAPACITY),
}
for policy in ("random", "round-robin", "weighted", "power-of-d", "power-of-two", "join-shortest-queue",
               "least-work", "size-aware"):
    CASES["policy-" + policy] = ("run", "02-policies", 2, ["duration=1s", "warmup=200ms",
                                                           "balancer.policy=" + policy])
for small in ("power-of-d", "random", "cells", "restart-mixed", "restart-reports"):
    CASES["small-" + small] = ("run", "tests/mpi/%s.yaml" % small, 3, [])
for find in ("servers", "cores", "load", "day", "plan"):
    few = ONE_GROUP if find == "cores" else []
    CASES["find-" + find] = ("capacity", "tests/mpi/capacity.yaml", 1, few + ["capacity.find=" + find])

# Parts of a path: schema 1 -> schema 2, tried where the old path is not there.
RENAMED = [(r"\bqps_per_w\b", "queries_per_j"), (r"_half_(s|frac|qps)$", r"_\1_half_95"),
           (r"\bsla_s\b", "target_s"), (r"\btarget_s\b", "sla_s"), (r"^cell/", "point/"),
           (r"\bheld_half_95\b", "held_qps_half_95"), (r"\btail_s\b", "tail_bound_s"),
           (r"^sample/sample$", "sample/query"), (r"(^|/)cell$", r"\1point"),
           (r"(^|/)latency_s$", r"\1sla_latency_s"),
           (r"(^|/)latency_half_s$", r"\1sla_latency_s_half_95"),
           (r"util_frac$", "cpu_util_frac"), (r"^tuples/qps$", "tuples/held_qps")]
# What schema 2 left out: half-widths at 99 %, and the batches that no comparison needs. A study's
# digest is another one since a resolved study names only the settings of the policy that it has.
GONE = re.compile(r"_half_99$|_n_batches$|^run/|^study/byte$|study_digest$")
WORDS = {"sla": {"none": "not_asked"}}  # of codes, that changed
OTHER_POLICIES = re.compile(r"\n +(d|large_items|large_frac): [^\n]*")


def execute(program, case, out):
    command, study, ranks, settings = CASES[case]
    path = study if study.endswith(".yaml") else "slurm/studies/%s.yaml" % study
    words = ["mpirun", "--oversubscribe", "-n", str(ranks)] if ranks > 1 else []
    words += [program, command, os.path.join(ROOT, path), "-q", "-o", out]
    for setting in settings:
        words += ["--set", setting]
    if os.path.exists(out + ".memo"):
        os.remove(out + ".memo")  # of a run that was stopped
    done = subprocess.run(words, capture_output=True, text=True, cwd=os.path.dirname(out))
    if done.returncode != 0:
        return "%s: exit status %d: %s" % (program, done.returncode, done.stderr[-800:])
    return None


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def meanings(variable):
    """The words behind the codes of a variable of schema 1, or of 2 with CF's flags; else None."""
    attributes = variable.attrs
    if "names" in attributes:
        return dict(enumerate(text(attributes["names"]).split("\n")))
    if "flag_meanings" in attributes:
        values = numpy.atleast_1d(attributes["flag_values"]).tolist()
        return dict(zip(values, text(attributes["flag_meanings"]).split(" ")))
    return None


def words_of(variable):
    values = numpy.asarray(variable[()])
    if values.dtype.kind in "OS":
        return [text(v) for v in values.ravel().tolist()]
    names = meanings(variable)
    return [names.get(int(v), str(v)) for v in values.ravel()] if names else None


def same(old, new):
    a, b = numpy.asarray(old[()]), numpy.asarray(new[()])
    if b.dtype.kind in "OS" or a.dtype.kind in "OS":
        if a.dtype.kind == "u" and a.dtype.itemsize == 1:
            return (OTHER_POLICIES.sub("", bytes(a).decode()) ==
                    OTHER_POLICIES.sub("", bytes(b.item()).decode()))
        said, says = words_of(old), words_of(new)
        return said == says
    if a.shape != b.shape:
        return False
    said, says = words_of(old), words_of(new)
    if said and says:
        renamed = WORDS.get(os.path.basename(old.name), {})
        return [renamed.get(word, word) for word in said] == says
    if a.dtype.kind == "f" and b.dtype.kind == "f":
        return bool(((a == b) | (numpy.isnan(a) & numpy.isnan(b))).all())
    return bool((a == b).all())


def find(name, new):
    if name in new:
        return name
    for pattern, replacement in RENAMED:
        other = re.sub(pattern, replacement, name)
        if other in new:
            return other
    # A dimension that nothing in its group uses is in the root alone.
    return os.path.basename(name) if os.path.basename(name) in new else None


def compare(old_path, new_path):
    """The variables that are equal, and the names of the others."""
    equal, differ, lacking = 0, [], []
    with h5py.File(old_path) as old, h5py.File(new_path) as new:
        variables = []
        old.visititems(lambda name, item: variables.append(name)
                       if isinstance(item, h5py.Dataset) else None)
        for name in variables:
            if GONE.search(name):
                continue
            other = find(name, new)
            if other is None:
                lacking.append(name)
            elif same(old[name], new[other]):
                equal += 1
            else:
                differ.append(name)
    return equal, differ, lacking


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("-k", default="")
    parser.add_argument("-d", default="equal")
    options = parser.parse_args()
    folder = os.path.abspath(options.d)
    os.makedirs(folder, exist_ok=True)
    n_equal = n_differ = 0
    for case in CASES:
        if not re.search(options.k, case):
            continue
        paths = [os.path.join(folder, "%s-%s.h5" % (which, case)) for which in ("old", "new")]
        failures = [execute(os.path.abspath(program), case, path)
                    for program, path in zip((options.old, options.new), paths)
                    if not os.path.exists(path)]
        if any(failures):
            print(case, "FAILED", *failures, flush=True)
            n_differ += 1
            continue
        equal, differ, lacking = compare(*paths)
        print("%-24s %4d variables equal%s%s" % (
            case, equal, "; DIFFER: " + " ".join(differ) if differ else "",
            "; not there: " + " ".join(lacking) if lacking else ""), flush=True)
        n_equal += not differ and not lacking
        n_differ += bool(differ or lacking)
    print("%d equal, %d differ" % (n_equal, n_differ))
    return n_differ > 0


if __name__ == "__main__":
    sys.exit(main())
