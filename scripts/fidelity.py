#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far simulations are off: measures it on this machine and writes a page of it.

usage: fidelity.py RECFLEET FOLDER PAGE [--quick] [--only-page] [--profile-s N] [--run-s N]
           [--runs AT_70 ELSEWHERE] [--find-s N] [--find-runs N] [--find-rounds N] [MODEL...]

What is measured goes to PAGE without .md as CSV files (theory, profiles, live, rates), the page is
written from them, so that --only-page needs nothing else.
"""

import argparse
import csv
import datetime
import json
import math
import os
import pathlib
import platform
import shlex
import statistics
import subprocess
import sys

MODELS = [f"{m}-repo" for m in ("ncf", "wnd", "mtwnd", "din", "dien", "rmc1", "rmc2", "rmc3")]
LOADS = (0.3, 0.5, 0.7, 0.85)
MOST_TARGETS = 10  # that are tried, each twice the one before
BATCHES = (16, 64, 256)  # that are tried for real next to those that tune and static have


class Effort:
    """How long everything is looked at."""

    def __init__(self, given):
        quick = given.quick
        self.profile_s = given.profile_s or (10 if quick else 60)
        self.most_queries = 1000 if quick else 20000
        self.most_s = given.run_s or (10 if quick else 600)
        at_70, elsewhere = given.runs or ((1, 1) if quick else (5, 2))
        self.runs = {load: at_70 if load == 0.7 else elsewhere for load in LOADS}
        self.find_s = given.find_s or (2 if quick else 30)
        self.find_runs = given.find_runs or (3 if quick else 6)
        self.find_rounds = given.find_rounds or (1 if quick else 3)
        self.tuned_queries = 30000 if quick else 480000
        self.theory_queries = 50000 if quick else 1000000

    def words(self):
        return (f"{self.profile_s:g} s of profile for each model; runs of {self.most_queries} queries or "
                f"{self.most_s:g} s, whichever is shorter, {self.runs[0.7]} at 70 % load and "
                f"{self.runs[0.5]} at the others; {self.find_rounds} rounds of {self.find_runs} "
                f"runs of {self.find_s:g} s for each highest rate")


def command(given):
    """The command that measures the same again."""
    words = ["scripts/fidelity.sh"] + (["--quick"] if given.quick else [])
    for name in ("profile_s", "run_s", "runs", "find_s", "find_runs", "find_rounds"):
        value = getattr(given, name)
        if value is not None:
            numbers = value if isinstance(value, list) else [value]
            words += ["--" + name.replace("_", "-"), *(f"{number:g}" for number in numbers)]
    return shlex.join(words + given.models)


def call(recfleet, *arguments, folder):
    """What the command prints as JSON: {name of a table: rows}."""
    done = subprocess.run([recfleet, *map(str, arguments), "--format", "json"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"recfleet {' '.join(map(str, arguments))}: {done.stderr.strip()[-2000:]}")
    return {t["table"]: t["rows"] for t in json.loads(done.stdout)["tables"]}


# ---- queues with known formulas -----------------------------------------------------------------

def erlang_c(cores, load):
    """Probability that a query of M/M/cores waits."""
    offered = cores * load
    terms = [offered ** k / math.factorial(k) for k in range(cores)]
    last = offered ** cores / math.factorial(cores) / (1 - load)
    return last / (sum(terms) + last)


def theory_cases():
    """(name, cores, load, noise, mean in service times, p95 likewise or None)."""
    for load in (0.5, 0.7, 0.9):
        yield ("M/M/1", 1, load, "exponential", 1 / (1 - load), math.log(20) / (1 - load))
        yield ("M/D/1", 1, load, None, 1 + load / (2 * (1 - load)), None)
        yield ("M/M/16", 16, load, "exponential",
               1 + erlang_c(16, load) / (16 * (1 - load)), None)


def measure_theory(recfleet, folder, effort):
    rows = []
    for name, cores, load, noise, mean, p95 in theory_cases():
        service_s = 1e-3
        rate = load * cores / service_s
        study = folder / "theory.yaml"
        spread = f", noise: {{distribution: {noise}}}" if noise else ""
        study.write_text(f"""name: theory
duration: {effort.theory_queries / rate}s
traffic:
  - {{service: q, rate: {rate}qps, sizes: {{distribution: fixed, items: 1}}}}
fleet:
  groups:
    - {{cores: {cores}, servers: 1, cost: {{kind: synthetic, fixed: 1ms}}{spread}}}
balancer: {{policy: random, dispatch_delay: 0, status_delay: 0}}
""")
        tables = call(recfleet, "run", study, "-f", "-o", "theory.h5", folder=folder)
        seen = tables["latency"][0]
        for what, value in (("mean", mean), ("p95", p95)):
            if value is None:
                continue
            half = seen[f"latency_{what}_s_half_95"]
            rows.append({"queue": name, "load_frac": load, "number": what,
                         "formula_ms": value * 1e3 * service_s,
                         "simulated_ms": seen[f"latency_{what}_s"] * 1e3,
                         "half_95_ms": None if half is None else half * 1e3})
    return rows


# ---- models, for real ---------------------------------------------------------------------------

def profile(recfleet, folder, model, effort):
    """The model's rows; its study is in FOLDER/profile."""
    tables = call(recfleet, "profile", model, "-f", "-o", "profile", "--time",
                  f"{effort.profile_s}s", folder=folder)
    return next(iter(tables.values()))


def study_rate(path):
    """Of the study that a profile wrote: the rate at 70 % load."""
    import yaml
    rate = yaml.safe_load(path.read_text())["traffic"][0]["rate"]
    units = {"kqps": 1e3, "Mqps": 1e6, "qps": 1.0}
    unit = next(u for u in units if rate.endswith(u))
    return float(rate[:-len(unit)]) * units[unit]


def serve(recfleet, folder, model, rate, seconds, seed, *more):
    return call(recfleet, "serve", f"profile/{model}.yaml", "-f", "-o", "served.h5",
                "--set", f"traffic[0].rate={rate:.6g}qps", "--set", f"duration={seconds:.6g}s",
                "--set", f"seed={seed}", *more, folder=folder)


def measure_live(recfleet, folder, model, effort):
    rows = []
    at_70 = study_rate(folder / "profile" / f"{model}.yaml")
    for load in LOADS:
        rate = at_70 * load / 0.7
        seconds = min(effort.most_queries / rate, effort.most_s)
        for run in range(effort.runs[load]):
            tables = serve(recfleet, folder, model, rate, seconds, run + 1)
            about = tables["served"][0] if "served" in tables else {}
            for row in tables["fidelity"]:
                rows.append({"model": model, "load_frac": load, "run": run + 1,
                             "queries": round(rate * seconds),
                             "taken_frac": about.get("taken_frac"), **row})
            print(f"{model} at {load:.0%}, run {run + 1}", file=sys.stderr)
    return rows


def tune(recfleet, folder, model, effort):
    """What DeepRecSched picks from the profile: batch sizes by policy, and the target. Where static scheduling
    holds nothing within the model's target on this machine, the target is twice as long, until it does."""
    target_ms, more = None, ()
    for _ in range(MOST_TARGETS):
        tables = call(recfleet, "tune", f"profile/{model}.yaml", "-f", "-o", "tuned.h5",
                      "--set", f"fleet.groups[0].cost.file=catalog/{model}.csv",
                      "--set", "fleet.groups[0].cost.cold_factor=1",
                      "--set", f"tune.max_queries={effort.tuned_queries}", *more, folder=folder)
        target_ms = target_ms or 1e3 * tables["evidence"][0]["sla_s"]
        picked = {row["policy"]: row["batch_items"] for row in tables["answer"]}
        if None not in picked.values():
            return {policy: int(items) for policy, items in picked.items()}, target_ms
        target_ms *= 2
        more = ("--set", f"traffic[0].sla={{p95: {target_ms:.6g}ms}}")
    sys.exit(f"{model}: no rate is held within {target_ms / 2:g} ms")


def find_rate(recfleet, folder, model, scheduler, target_ms, effort, seed):
    """The highest rate within the target, for real and simulated."""
    tables = call(recfleet, "serve", f"profile/{model}.yaml", "--find", effort.find_runs,
                  "--set", f"duration={effort.find_s:g}s", "--set", f"seed={seed}", "--set", "fleet.groups[0].cost.cold_factor=1",
                  "--set", f"fleet.groups[0].cost.file=catalog/{model}.csv",
                  "--set", f"fleet.groups[0].scheduler={scheduler}",
                  "--set", f"traffic[0].sla={{p95: {target_ms:.6g}ms}}", folder=folder)
    print(f"{model}, {scheduler}, round {seed}", file=sys.stderr)
    return tables["found"][0]


def measure_rates(recfleet, folder, model, effort):
    """What DeepRecSched picks from the profile, and what rates batch sizes hold for real: all of them in every
    round, as a machine's speed drifts."""
    picked, target_ms = tune(recfleet, folder, model, effort)
    batches = sorted({*picked.values(), *BATCHES})
    schedulers = [("fixed", b) for b in batches] + [("coalesce", picked["deeprecsched"])]
    return [{"model": model, "round": seed, "policy": policy, "batch_items": b,
             "target_ms": target_ms, "picked": int(b == picked["deeprecsched"]),
             "static": int(b == picked["static"]),
             **find_rate(recfleet, folder, model, f"{{policy: {policy}, batch_items: {b}}}", target_ms, effort, seed)}
            for seed in range(1, effort.find_rounds + 1) for policy, b in schedulers]


# ---- the page -----------------------------------------------------------------------------------

def save_csv(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = list(dict.fromkeys(k for row in rows for k in row))
    with open(path, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def load_csv(path):
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def number(text):
    return float(text) if text not in (None, "") else math.nan


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |",
            *("| " + " | ".join(row) + " |" for row in rows)]


def known(value, form):
    return "n/a" if math.isnan(value) else f"{value:{form}}"


def ratio(over, under):
    return over / under if under > 0 else math.nan


def signed(value):
    return "n/a" if math.isnan(value) else f"{100 * value:+.1f}"


def median(values):
    kept = [v for v in values if not math.isnan(v)]
    return statistics.median(kept) if kept else math.nan


def theory_section(rows):
    lines, n_in, n_known = [], 0, 0
    for row in rows:
        off, half = number(row["simulated_ms"]) - number(row["formula_ms"]), number(row["half_95_ms"])
        n_in += abs(off) <= half
        n_known += not math.isnan(half)
        lines.append([row["queue"], f"{100 * number(row['load_frac']):.0f}", row["number"],
                      f"{number(row['formula_ms']):.4g}", f"{number(row['simulated_ms']):.4g}",
                      "n/a" if math.isnan(half) else f"{half:.2g}",
                      signed(off / number(row["formula_ms"]))])
    return ["## Queues with known formulas", "",
            "Service times of 1 ms on average. Many more of them, with fifty seeds each, are tests "
            f"(`ctest -L theory`). The interval holds the formula in {n_in} of the "
            f"{n_known} that have one; one in twenty may miss it.", "",
            *table(["queue", "load %", "number", "formula ms", "simulated ms", "± ms", "error %"],
                   lines)]


def pick(rows, model, load, term):
    return [r for r in rows if r["model"] == model and number(r["load_frac"]) == load
            and r["row"].strip() == term.strip()]


def service_words(rows):
    """How much of the error is the machine's other speed."""
    runs = [r for r in rows if r["row"] == "simulated"]
    near = [r for r in runs if abs(number(r["busy_error_frac"])) <= 0.03]
    if not near:
        return ["", "In no run were service times within 3 % of the profile's."]
    errors = [median([abs(number(r["p95_error_frac"])) for r in some]) for some in (runs, near)]
    apart = [abs(number(r["busy_error_frac"])) for r in runs]
    return ["", f"Service times of a run were {100 * median(apart):.1f} % off the profile's in the "
            f"median, and an error of them is one of 1 / (1 - load) times as much of the latency. In "
            f"{len(near)} of {len(runs)} runs they were within 3 %: there |p95 error| is "
            f"{100 * errors[1]:.1f} % in the median, in all runs {100 * errors[0]:.1f} %. Runs of one "
            "model at one load that differ by more than their intervals say how steady the machine "
            "itself was."]


def bar_words(rows, models):
    """In how many pairs of model and load the p95 is near enough, by term."""
    counts = []
    for term in ("simulated", "at its own speed", "its own service times"):
        pairs = [(load, [number(r["p95_error_frac"]) for r in pick(rows, model, load, term)])
                 for model in models for load in LOADS]
        pairs = [(load, abs(median(errors))) for load, errors in pairs if errors]
        counts.append(sum(error <= (0.1 if load > 0.7 else 0.05) for load, error in pairs))
    return ["", f"Of the {len(pairs)} pairs of model and load, p95 is within 5 % (10 % at 85 % load) in "
            f"{counts[0]} as it was profiled, in {counts[1]} at the speed that the machine had in the "
            f"run, and in {counts[2]} with the run's own service times."]


def live_section(rows):
    models = list(dict.fromkeys(r["model"] for r in rows))
    terms = [t for t in dict.fromkeys(r["row"] for r in rows) if t != "measured"]
    out = ["## Served for real, and simulated", "",
           "Each model was profiled (`recfleet profile`) and then served (`recfleet serve`) at four "
           "loads; the very same arrivals were simulated with the profile. Error: simulated over "
           "measured, less 1, the median of the runs; in brackets the least and the largest.", ""]
    lines = []
    for model in models:
        for load in LOADS:
            mine = pick(rows, model, load, "simulated")
            seen = pick(rows, model, load, "measured")
            if not mine:
                continue
            cells = []
            for what in ("mean", "p50", "p95", "p99"):
                errors = [number(r[f"{what}_error_frac"]) for r in mine]
                kept = [e for e in errors if not math.isnan(e)]
                spread = f" ({signed(min(kept))} .. {signed(max(kept))})" if len(kept) > 1 else ""
                cells.append(signed(median(errors)) + spread)
            busy = [number(r["busy_error_frac"]) for r in mine]
            replayed = [number(r["p95_error_frac"]) for r in pick(rows, model, load, "and gaps")]
            lines.append([model, f"{100 * load:.0f}",
                          known(1e3 * median([number(r["p95_s"]) for r in seen]), ".3g"),
                          signed(median(busy)), *cells,
                          signed(median(replayed)),
                          known(100 * median([number(r["taken_frac"]) for r in mine]), ".1f")])
    out += table(["model", "load %", "p95 measured ms", "service time error %", "mean error %", "p50 error %", "p95 error %",
                  "p99 error %", "p95 error %, its own times and gaps", "taken by others %"], lines)
    out += service_words(rows)
    out += bar_words(rows, models)
    out += ["", "### Which term explains what", "",
            "|p95 error| in %, the median over models and runs, with a term of the simulation left "
            "out, and with the run's own service times in place of the profile's.", ""]
    lines = []
    for term in terms:
        errors = {load: [abs(number(r["p95_error_frac"])) for m in models for r in pick(rows, m, load, term)]
                  for load in LOADS}
        lines.append([term.strip(), *(known(100 * median(errors[load]), ".1f") for load in LOADS)])
    return out + table(["simulated with", *(f"{100 * load:.0f} % load" for load in LOADS)], lines)


def over_rounds(rows):
    """A row for every policy and size, with the medians of what its rounds held."""
    kinds = {}
    for row in rows:
        kinds.setdefault((row["policy"], row["batch_items"]), []).append(row)
    return [{**some[0], **{w: str(median([number(r[w]) for r in some])) for w in ("held_qps", "simulated_held_qps")}}
            for some in kinds.values()]


def rates_section(rows):
    if not rows:
        return []
    lines, n_near, n_gain, n = [], 0, 0, 0
    for model in dict.fromkeys(r["model"] for r in rows):
        mine = over_rounds([r for r in rows if r["model"] == model])
        fixed = [r for r in mine if r["policy"] == "fixed"]
        picked = next(r for r in fixed if number(r["picked"]))
        static = next(r for r in fixed if number(r["static"]))
        merged = next(r for r in mine if r["policy"] == "coalesce")
        best = max(fixed, key=lambda r: number(r["held_qps"]))
        held = {k: number(r["held_qps"]) for k, r in
                (("picked", picked), ("static", static), ("merged", merged), ("best", best))}
        gain = [ratio(number(picked[w]), number(static[w])) for w in ("held_qps", "simulated_held_qps")]
        of_best = ratio(held["picked"], held["best"])
        n += 1
        n_near += of_best >= 0.9
        n_gain += abs(ratio(gain[1], gain[0]) - 1) <= 0.1
        errors = [ratio(number(r["simulated_held_qps"]), number(r["held_qps"])) - 1 for r in mine]
        lines.append([model, f"{number(picked['target_ms']):.4g}", static["batch_items"], picked["batch_items"], best["batch_items"],
                      *(f"{held[k]:.4g}" for k in ("static", "picked", "best", "merged")),
                      known(100 * of_best, ".0f"), known(gain[0], ".2f"),
                      known(gain[1], ".2f"), signed(median(errors))])
    n_rounds = len({r.get("round") for r in rows})
    return ["## DeepRecSched, for real", "",
            "`recfleet tune` picks a batch size from the profile; then the real server is asked for "
            "the highest rate that it holds within the model's medium target (`recfleet serve --find`; twice "
            "that, or four times, where static scheduling holds nothing within it here) at "
            f"that size, at static scheduling's, and at {', '.join(map(str, BATCHES))}; and with "
            "`coalesce`, whose requests are filled from several queries. The best of several short "
            "searches is somewhat too good, as each is off by some percent."
            + (f" Rates are medians of {n_rounds} rounds, in each of which all of a model's are looked for." if n_rounds > 1
               else ""), "",
            *table(["model", "target ms", "static B", "tuned B", "best B", "static qps", "tuned qps", "best qps",
                    "coalesce qps", "tuned, % of best", "gain, for real", "gain, simulated",
                    "simulated rate error %"], lines), "",
            f"The tuned size holds 90 % of the best one's rate or more for {n_near} of {n} models; its "
            f"gain over static scheduling is predicted within 10 % for {n_gain}."]


def mlperf_section(folder):
    rows = load_csv(folder / "mlperf" / "rows.csv")
    if not rows:
        return []
    classes = list(dict.fromkeys(r["class"] for r in rows if r.get("class")))
    lines = []
    for name in classes:
        mine = [r for r in rows if r["class"] == name and r.get("config_trust") in ("A", "B")]
        cells = []
        for what in ("p50", "p95", "p99"):
            errors = [abs(ratio(number(r[f"predicted_{what}_ms"]), number(r.get(f"published_{what}_ms"))) - 1)
                      for r in mine]
            cells.append(known(100 * median(errors), ".1f"))
        lines.append([name, str(len(mine)), *cells])
    return ["## A public record", "",
            "Server latencies of MLPerf Inference, predicted from Offline rates and published "
            "configurations; |error| in %, the median over the rows whose configuration is known. "
            "Unofficial; [mlperf.md](mlperf.md) has every row.", "",
            *table(["class", "rows", "p50", "p95", "p99"], lines)]


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or "an unknown processor"


def document(data, about):
    page = data.with_suffix(".md")
    return "\n".join([
        "# How far simulations are off", "",
        "<!-- Written by scripts/fidelity.sh; other changes are lost. -->", "",
        "The command that wrote this page does so on any machine. What it says of live runs is of one "
        "machine on one day: where something else takes time, errors are of that.", "", "```",
        f"{about['command']}    # everything below, and this page",
        "scripts/fidelity.sh            # likewise, and longer: the usual times and numbers of runs",
        "scripts/fidelity.sh --quick    # two models, short: does every step work?", "```", "",
        f"Measured {about['date']} on {about['cores']} cores of {about['processor']}, load average "
        f"before it {about['load']}, recfleet {about['revision']}; {about['effort']}.", "",
        *theory_section(load_csv(data / "theory.csv")), "",
        *live_section(load_csv(data / "live.csv")), "",
        *rates_section(load_csv(data / "rates.csv")), "",
        *mlperf_section(pathlib.Path(__file__).resolve().parent.parent / "docs")]) + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("recfleet")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only-page", action="store_true")
    parser.add_argument("--profile-s", type=float)
    parser.add_argument("--run-s", type=float)
    parser.add_argument("--runs", type=int, nargs=2)
    parser.add_argument("--find-s", type=float)
    parser.add_argument("--find-runs", type=int)
    parser.add_argument("--find-rounds", type=int)
    parser.add_argument("models", nargs="*")
    given = parser.parse_args()
    models = given.models or (["ncf-repo", "wnd-repo"] if given.quick else MODELS)
    effort, data = Effort(given), given.page.with_suffix("")
    given.folder = given.folder.resolve()
    recfleet = os.path.abspath(given.recfleet)
    if not given.only_page:
        version = subprocess.run([recfleet, "--version"], capture_output=True, text=True).stdout
        about = {"date": datetime.date.today().isoformat(), "processor": processor(),
                 "cores": len(os.sched_getaffinity(0)), "load": f"{os.getloadavg()[0]:.2f}",
                 "revision": version.split("\n")[0].replace("recfleet ", ""), "effort": effort.words(),
                 "command": command(given)}
        save_csv(data / "about.csv", [about])
        save_csv(data / "theory.csv", measure_theory(recfleet, given.folder, effort))
        measured = {"profiles": [], "live": [], "rates": []}
        for model in models:  # one after the other, as a machine's speed drifts
            for what, measure in (("profiles", profile), ("live", measure_live), ("rates", measure_rates)):
                measured[what] += measure(recfleet, given.folder, model, effort)
                save_csv(data / f"{what}.csv", measured[what])
    about = load_csv(data / "about.csv")[0]
    written = given.page.with_suffix(".tmp")
    written.write_text(document(data, about), encoding="utf-8")
    os.replace(written, given.page)


if __name__ == "__main__":
    main()
