#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies_large.py RECFLEET STUDY FOLDER [QUERIES]: who waits at the rate that is held?

Runs STUDY (71-pull.yaml) for each model and each scheduler that the page compares, with the settings
that FOLDER/pull.h5 has for the medium target, at the rate that they hold; and the best of the other
orders once more at the rate that its policy holds first come first served. Every query is kept;
FOLDER/large.csv has latencies by the size of the queries, a row for each class. The classes are the
parts of the distribution `production`. Needs h5py.
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy

from paper_tables import num, percent, table
from paper_tuning import median, read_tunings
from policies_gains import (MAIN_TARGET, SPLIT, STUDIES, best, best_order, compared, found,
                            policy_of, settings_of)

# Class -> fewest and most items.
ALL, LARGE = "all", "600 and more"
CLASSES = {ALL: (0, sys.maxsize), "below 200": (0, 199), "200 to 599": (200, 599),
           LARGE: (600, sys.maxsize)}
QUERIES = 400000
TAIL_FRAC = 0.05  # may be late
QUANTILES = {"p50_s": 0.5, "p95_s": 0.95, "p99_s": 0.99, "p999_s": 0.999}


# ---- runs ---------------------------------------------------------------------------------------

def simulate(recfleet, study, model, scheduler, rate_qps, n_queries):
    """Items and latency of every measured query, and the target."""
    settings = {"sweep": "null", "traffic[0].model": model, "traffic[0].sla": MAIN_TARGET,
                "traffic[0].rate": f"{rate_qps:.6f}qps", "output.queries": "all",
                "duration": f"{n_queries / rate_qps:.3f}s",
                "fleet.groups[0].scheduler":
                    "{" + ", ".join(f"{k}: {v}" for k, v in scheduler.items()) + "}"}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "run.h5"
        command = [recfleet, "run", study, "-q", "-o", path]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"policies_large.py: {done.stderr.strip()}")
        with h5py.File(path, "r") as file:
            return (file["sample/size_items"][...], file["sample/latency_s"][...],
                    float(file["summary/sla_s"][0]))


def class_rows(items, latency_s, target_s):
    for name, (least, most) in CLASSES.items():
        part = latency_s[(items >= least) & (items <= most)]
        yield {"class": name, "n_queries": len(part),
               "late_frac": float((part > target_s).mean()),
               **{k: float(numpy.quantile(part, q)) for k, q in QUANTILES.items()},
               "max_s": float(part.max())}


def cases(study, model):
    """(scheduler, rate of whom, outcome, rate) of what is run."""
    order = best_order(study)
    held = {s: best(study, model=model, target=MAIN_TARGET, scheduler=s) for s in compared(study)}
    held = {s: o for s, o in held.items() if found(o)}
    out = [(s, s, o, o.qps) for s, o in held.items()]
    if order in held and policy_of(order) in held:
        out.append((order, policy_of(order), held[order], held[policy_of(order)].qps))
    return out


def run_all(recfleet, path, folder, n_queries):
    study, rows = read_tunings(folder, STUDIES, "pull", "policies")["pull"], []
    for model in study.labels("model"):
        for scheduler, rate_of, outcome, rate_qps in cases(study, model):
            settings = settings_of(scheduler, **vars(outcome))
            items, latency_s, target_s = simulate(recfleet, path, model, settings, rate_qps,
                                                  n_queries)
            rows += [{"model": model, "scheduler": scheduler, "rate_of": rate_of,
                      "qps": rate_qps, "target_s": target_s, **row}
                     for row in class_rows(items, latency_s, target_s)]
    with open(folder / "large.csv", "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()}
                      for row in rows)


# ---- the page -----------------------------------------------------------------------------------

def read_large(folder):
    """{(scheduler, rate of whom): {model: {class: row}}}"""
    path = folder / "large.csv"
    out = {}
    if not path.exists():
        return out
    words = ("model", "scheduler", "rate_of", "class")
    with open(path, encoding="utf-8") as file:
        for row in csv.DictReader(file):
            row = {k: v if k in words else float(v) for k, v in row.items()}
            models = out.setdefault((row["scheduler"], row["rate_of"]), {})
            models.setdefault(row["model"], {})[row["class"]] = row
    return out


def middle(models, name, key):
    """Median over the models, of a latency in targets."""
    return median([row[name][key] / (row[name]["target_s"] if key.endswith("_s") else 1)
                   for row in models.values()])


def large_words(large):
    """One line for the summary: what the order costs."""
    other = next((key for key in large if key[0] != key[1]), None)
    if other is None:
        return []
    order, policy = other

    def said(key):
        return (f"{percent(middle(large[key], LARGE, 'late_frac'), 0)} % and "
                f"{num(middle(large[key], LARGE, 'p99_s'), 3)}")
    late, _, p99 = said((order, order)).partition(" and ")
    return [f"- **Large queries pay for `{order}`** ([who waits](#who-waits)): of the queries of "
            f"{LARGE} items, a twentieth of all, {late} are late, and their p99 is {p99} targets "
            f"(medians over the models). With `{policy}` these are {said((policy, policy))}, with "
            f"`{SPLIT}` {said((SPLIT, SPLIT))}, each at the rate that it holds; with `{order}` at "
            f"the rate of `{policy}` {said(other)}. {holding(large)}"]


def holding(large):
    """For how many models the large queries hold the target by themselves."""
    words = [f"`{s}`{'' if s == of else f' at the rate of `{of}`'} "
             f"{sum(row[LARGE]['late_frac'] <= TAIL_FRAC for row in models.values())}"
             for (s, of), models in large.items()]
    n = len(next(iter(large.values())))
    return f"Models, of {n}, whose large queries hold the p95 by themselves: {', '.join(words)}."


def large_section(large):
    out = ["## Who waits", ""]
    if not large:
        return out + ["Latencies by the size of a query: not run (policies_large.py)."]
    rows = []
    models = list(dict.fromkeys(m for by in large.values() for m in by))
    for model in models:
        for (scheduler, rate_of), by_model in large.items():
            of = by_model.get(model)
            if of is None:
                continue
            at = "" if scheduler == rate_of else f", at the rate of {rate_of}"
            rows.append([model, scheduler + at, num(of[ALL]["qps"]), num(1e3 * of[ALL]["target_s"]),
                         *(num(1e3 * of[ALL][k], 3) for k in ("p95_s", "p99_s", "p999_s")),
                         *(percent(of[c]["late_frac"]) for c in CLASSES),
                         *(num(1e3 * of[LARGE][k], 3) for k in ("p50_s", "p95_s", "p99_s",
                                                                "max_s"))])
    return out + [
        "A p95 target lets a twentieth of the queries be late, and says nothing of which. At the "
        "medium target, with the tuned settings, at the rate held, or where it is said at that of "
        f"another: about {num(large[next(iter(large))][models[0]][ALL]['n_queries'] / 1e3, 3)} "
        "thousand queries each, all kept. The classes are the parts of the distribution: 73 % of "
        f"the queries have less than 200 items, 22 % 200 to 599, 5 % {LARGE}.", "",
        *table(["model", "scheduler", "QPS", "target ms", "p95 ms", "p99 ms", "p99.9 ms",
                *(f"late %, {c}" for c in CLASSES),
                *(f"{LARGE}: {k} ms" for k in ("p50", "p95", "p99", "max"))], rows)]


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    recfleet, study = sys.argv[1:3]
    run_all(recfleet, study, pathlib.Path(sys.argv[3]),
            int(sys.argv[4]) if len(sys.argv) == 5 else QUERIES)


if __name__ == "__main__":
    main()
