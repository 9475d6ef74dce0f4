#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mlperf.py RECFLEET FOLDER DOCUMENT [--rows FILE] [--no-rates]: predicts the Server latencies of the
systems in slurm/studies/70-mlperf.csv and writes DOCUMENT (docs/mlperf.md) with, beside it, a folder
of the same name without .md: rows.csv (every row) and constants.csv (of the classes).

--rows FILE   systems of another file with the same columns (more do no harm): nothing is fitted,
              the constants are those of docs/mlperf/constants.csv
--no-rates    without the largest valid rates

FOLDER is for studies and results files. Needs h5py.
"""

import argparse
import csv
import itertools
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

import h5py

import mlperf_model as model
import mlperf_page as page

ROOT = pathlib.Path(__file__).resolve().parent.parent
STUDIES = ROOT / "slurm" / "studies"
RECORD = ROOT / "docs" / "mlperf"
PREDICT = (300000, 0.5)  # queries and seconds that a run has at least ...
FIND_RATE = (600000, 1)  # ... and one that looks for the largest rate
RATE_STEP, RATE_WITHIN = 1.15, 0.01  # the bounds go out by the one, then in to the other
RATE_FAR = 20     # times what was asked first, either way, there is none


# ---- simulating ---------------------------------------------------------------------------------

def flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {flow(v)}" for k, v in value.items()) + "}"
    return str(value)


def point(folder, name, settings):
    """One line of a sweep's axis; a table of times goes into a file of its own."""
    settings = dict(settings)
    cost = settings["fleet.groups[0].cost"]
    if cost["kind"] == "table":
        (folder / f"{name}.csv").write_text("\n".join(cost["lines"]) + "\n", encoding="utf-8")
        settings["fleet.groups[0].cost"] = {"kind": "table", "file": "cpu.csv", "outside": "extend",
                                            "accelerator_file": f"{name}.csv"}
    keys = ", ".join(f'"{key}": {flow(value)}' for key, value in settings.items())
    return f"      - {{label: {name}, set: {{{keys}}}}}"


def simulate(recfleet, folder, name, cases):
    """cases: (row, constants, queries/s, (queries, s) at least) -> quantiles of latency in ms, by
    name."""
    folder = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(STUDIES / "70-mlperf-sizes.csv", folder)
    # A table must have times of the CPU, which GPU systems do not use.
    (folder / "cpu.csv").write_text("batch,time_ms\n1,1000\n7,1000\n", encoding="utf-8")
    lines = ["sweep:", "  - axis: case", "    points:"]
    lines += [point(folder, f"c{i}", model.settings(row, constants, qps, least))
              for i, (row, constants, qps, least) in enumerate(cases)]
    study = folder / "study.yaml"
    study.write_text((STUDIES / "70-mlperf.yaml").read_text(encoding="utf-8") + "\n".join(lines) +
                     "\n", encoding="utf-8")
    ranks = ["mpirun", "-n", os.environ.get("JOBS", "1")] if "JOBS" in os.environ else []
    done = subprocess.run([*ranks, recfleet, "sweep", study, "-f", "-q", "-o", folder / "out.h5"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"mlperf.py: recfleet sweep {study} failed:\n{done.stderr[-2000:]}")
    with h5py.File(folder / "out.h5") as file:
        names = [f"p{100 * q:g}" for q in file["quantile"][:]]
        return [quantiles(dict(zip(names, (1e3 * s for s in one[0]))))
                for one in file["summary/latency_s"][:]]


def quantiles(found):
    """What is not kept is between two that are, on the straight line of an exponential tail. Of a
    queue that grows over the whole run there are none: infinite."""
    part = math.log(5 / 3) / math.log(5)
    found["p97"] = found["p95"] + part * (found["p99"] - found["p95"])
    return {name: math.inf if math.isnan(ms) else ms for name, ms in found.items()}


# ---- constants ----------------------------------------------------------------------------------

def error(found, row):
    """Mean of |log(predicted / observed)| at p50, p90, p95; what diverges counts as four times."""
    return statistics.fmean(min(abs(math.log(found[q] / model.number(row, f"{q}_ms"))), math.log(4))
                            for q in ("p50", "p90", "p95"))


def combinations(family):
    grid = model.FAMILIES[family][1]
    return [dict(zip(grid, values)) for values in itertools.product(*grid.values())]


def best(errors, rows, without=None):
    """Number of the combination with the least median error over systems other than one."""
    def score(of):
        return statistics.median(e for e, row in zip(of, rows)
                                 if is_scored(row) and model.system_of(row) != without)
    return min(range(len(errors)), key=lambda i: score(errors[i]))


def is_scored(row):
    return page.is_trusted(row) and row["classes"] not in ("mig", "triton")


def fit(recfleet, folder, family, rows):
    """Predicts each row with the constants that fit the other systems best. Returns the constants
    of all together and the tries as (constants, error)."""
    tries = combinations(family)
    cases = [(row, constants, model.rate_qps(row), PREDICT)
             for constants in tries for row in rows]
    found = simulate(recfleet, folder, f"fit-{family}", cases)
    by_try = [found[i * len(rows):(i + 1) * len(rows)] for i in range(len(tries))]
    errors = [[error(one, row) for one, row in zip(of, rows)] for of in by_try]
    for j, row in enumerate(rows):
        chosen = best(errors, rows, model.system_of(row))
        row["constants"], row["found"] = tries[chosen], by_try[chosen][j]
    medians = [statistics.median(e for e, row in zip(of, rows) if is_scored(row)) for of in errors]
    return tries[best(errors, rows)], list(zip(tries, medians))


def predict(recfleet, folder, rows, constants):
    for row in rows:
        row["constants"] = constants[model.family_of(row)]
    cases = [(row, row["constants"], model.rate_qps(row), PREDICT) for row in rows]
    for row, found in zip(rows, simulate(recfleet, folder, "predict", cases)):
        row["found"] = found


def find_rates(recfleet, folder, rows):
    """Largest rate at which p99 is within the target: from the Offline rate outwards until one rate
    is valid and one is not, then by halving."""
    spans = [[None, None] for _ in rows]
    first = [model.number(row, "offline_qps") for row in rows]
    asked, todo = list(first), list(range(len(rows)))
    while todo:
        cases = [(rows[i], rows[i]["constants"], asked[i], FIND_RATE) for i in todo]
        for i, found in zip(todo, simulate(recfleet, folder, "rates", cases)):
            spans[i][0 if found["p99"] <= model.target_ms(rows[i]) else 1] = asked[i]
            asked[i] = next_rate(spans[i], first[i])
        todo = [i for i in todo if asked[i]]
    for span, row in zip(spans, rows):
        if all(span):
            row["max_qps"] = math.sqrt(span[0] * span[1])


def next_rate(span, first):
    """To be asked next; None: known well enough, or there is none."""
    valid, invalid = span
    if valid and invalid:
        return math.sqrt(valid * invalid) if invalid > (1 + RATE_WITHIN) * valid else None
    rate = valid * RATE_STEP if valid else invalid / RATE_STEP
    return rate if first / RATE_FAR < rate < first * RATE_FAR else None


# ---- rows and files -----------------------------------------------------------------------------

def distinct(rows):
    """Rows of which there is a model; in many, -99.9 is the very run of -99: once."""
    seen, out = set(), []
    for row in rows:
        run = [model.word(row, key) for key in ("server_scheduled_qps", "p50_ms", "p99_ms")]
        key = (*model.system_of(row), *(run if all(run) else [id(row)]))
        row["classes"] = model.class_of(row)
        if row["classes"] and key not in seen:
            seen.add(key)
            out.append(row)
    return out


def read(path):
    """(rows, those of which there is a model)."""
    try:
        everything = model.read_rows(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        sys.exit(f"mlperf.py: {path}: {error}")
    rows = distinct(everything)
    if not rows:
        sys.exit(f"mlperf.py: {path}: no row can be predicted: expected {model.EXPECTED}; the columns "
                 "are those of slurm/studies/70-mlperf.csv")
    return everything, rows


def read_constants(path):
    with open(path, encoding="utf-8", newline="") as file:
        out = {}
        for line in csv.DictReader(file):
            out.setdefault(line["family"], {})[line["constant"]] = float(line["value"])
        return out


def write_constants(path, constants):
    lines = [f"{family},{name},{value:g}" for family, of in constants.items()
             for name, value in of.items()]
    path.write_text("\n".join(["family,constant,value", *lines]) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split(":", 1)[0])
    parser.add_argument("recfleet")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("document", type=pathlib.Path)
    parser.add_argument("--rows", type=pathlib.Path)
    parser.add_argument("--no-rates", action="store_true")
    args = parser.parse_args()
    everything, rows = read(args.rows or STUDIES / "70-mlperf.csv")
    constants, tries = {}, {}
    if args.rows:
        constants = read_constants(RECORD / "constants.csv")
        predict(args.recfleet, args.folder, rows, constants)
    else:
        for family in model.FAMILIES:
            of = [row for row in rows if model.family_of(row) == family]
            constants[family], tries[family] = fit(args.recfleet, args.folder, family, of)
    if not args.no_rates:
        find_rates(args.recfleet, args.folder, rows)
    beside = args.document.with_suffix("")
    beside.mkdir(parents=True, exist_ok=True)
    write_constants(beside / "constants.csv", constants)
    page.write_rows(beside / "rows.csv", rows)
    args.document.write_text(page.document(everything, rows, constants, tries), encoding="utf-8")


if __name__ == "__main__":
    main()
