#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies.py FOLDER DOCUMENT: writes DOCUMENT (docs/policies.md) from the tuning files in FOLDER,
and beside it a folder of the same name without .md with the numbers (csv).
policies.py --servers FOLDER: the tuned servers of the medium target as the points of a sweep's axis;
--rule FOLDER: those of all targets with the B that a rule gives (policies_ceiling.py).

FOLDER holds pull.h5 and ceiling.csv, which must be there, and rule.h5, tables.h5, accelerator.h5,
sizes.h5, stress.h5 and day-*.json; what is missing is said to be missing. scripts/policies.sh makes them. No number of the
document is written by hand. Needs h5py.
"""

import csv
import json
import math
import os
import pathlib
import sys

from paper import save_csv
from paper_tables import NONE, num, percent, table, times
from paper_tuning import geometric, narrow, read_tunings, text

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXT = ROOT / "scripts/policies_text.txt"

STUDIES = {"pull": "71-pull.yaml", "rule": "75-pull-stress.yaml", "tables": "72-pull-tables.yaml",
           "accelerator": "73-pull-accelerator.yaml", "sizes": "74-pull-sizes.yaml",
           "stress": "75-pull-stress.yaml"}
# Capacity searches: file -> study.
DAYS = {"production": "76-pull-day.yaml", "plan": "77-pull-plan.yaml"}
BALANCERS = ("random", "power-of-two")
SEARCHES = ("deeprecsched", "exhaustive")
QUEUES = ("pull", "coalesce", "batch")
BAR, UNTUNED_BAR = 1.3, 1.2
DEAR_FRAC = 0.02  # a loss or a gain below this is none


def found(outcome):
    return outcome is not None and narrow(outcome)


def best(tuning, policies=SEARCHES, **at):
    """The answer of the searches that holds most; None where none holds anything."""
    answers = [tuning.get(p, **at) for p in policies]
    return max((a for a in answers if a is not None and a.found), key=lambda a: a.qps, default=None)


def gain(tuning, scheduler, policies=SEARCHES, **at):
    """Over the best (B, T), with the same labels; NaN where either holds nothing."""
    over = best(tuning, policies, scheduler=scheduler, **at)
    under = best(tuning, SEARCHES, scheduler="split", **at)
    return over.qps / under.qps if found(over) and found(under) else math.nan


def mean(values):
    """Geometric, of what is known."""
    return geometric([v for v in values if not math.isnan(v)])


def mean_cell(values):
    """With the number of models behind it, where some have no answer."""
    n = sum(not math.isnan(v) for v in values)
    return times(mean(values)) + (f" ({n})" if 0 < n < len(values) else "")


def either(tuning, **at):
    """With or without coalesce, whichever is better."""
    return max((gain(tuning, s, **at) for s in ("pull", "coalesce")),
               key=lambda g: -1 if math.isnan(g) else g)


def setting(outcome):
    """ "B 256, A 8000, D 3 ms" as far as they are used."""
    if outcome is None:
        return NONE
    words = [f"B {outcome.batch_items}"] if outcome.batch_items else []
    if getattr(outcome, "offload_items", 0):
        words.append(f"T {outcome.offload_items}")
    if getattr(outcome, "accel_items", 0):
        words.append(f"A {outcome.accel_items}")
    if getattr(outcome, "max_delay", 0):
        words.append(f"D {num(1e3 * outcome.max_delay, 3)} ms")
    return ", ".join(words)


# ---- sections -----------------------------------------------------------------------------------

def read_ceiling(folder):
    path = folder / "ceiling.csv"
    if not path.exists():
        return {}
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(r["model"], r["target"]): {k: v if k in ("model", "target") else float(v)
                                        for k, v in r.items()} for r in rows}


def ceiling_gain(study, ceiling, model, target):
    under = best(study, scheduler="split", model=model, target=target)
    most = ceiling.get((model, target))
    return (most["cpu_qps"] + most["accel_qps"]) / under.qps if found(under) and most else math.nan


def rule_gain(studies, scheduler, model, target):
    """Of the queue with the B of the rule, over the best (B, T)."""
    over = studies["rule"].get("fixed", server=f"{model}/{target}/{scheduler}") \
        if "rule" in studies else None
    under = best(studies["pull"], scheduler="split", model=model, target=target)
    return over.qps / under.qps if found(over) and found(under) else math.nan


def gain_lists(studies, ceiling, target):
    """{what: gain of each model}."""
    study = studies["pull"]
    models = study.labels("model")
    lists = {q: [gain(study, q, model=m, target=target) for m in models] for q in QUEUES}
    lists["either"] = [either(study, model=m, target=target) for m in models]
    for q in QUEUES[:2]:
        lists[f"untuned_{q}"] = [gain(study, q, ("fixed",), model=m, target=target)
                                 for m in models]
        lists[f"rule_{q}"] = [rule_gain(studies, q, m, target) for m in models]
    lists["ceiling"] = [ceiling_gain(study, ceiling, m, target) for m in models]
    return lists


def mean_rows(studies, ceiling):
    return [{"target": t, **{k: mean(v) for k, v in gain_lists(studies, ceiling, t).items()}}
            for t in studies["pull"].labels("target")]


def reached(row, kind, bar):
    most = max(row[f"{kind}_pull"], row[f"{kind}_coalesce"])
    return "reached" if most >= bar else "missed"


def summary(studies, ceiling):
    study = studies["pull"]
    row = next((r for r in mean_rows(studies, ceiling) if r["target"] == "medium"), None)
    if row is None:
        return []
    word = "reached" if row["either"] >= BAR else "missed"
    models = study.labels("model")
    low = [m for m in models if ceiling_gain(study, ceiling, m, "medium") < BAR]
    part = mean([either(study, model=m, target="medium") / ceiling_gain(study, ceiling, m, "medium")
                 for m in models])
    out = [f"- Tuned, at the medium target, geometric mean over {len(models)} models: `pull` "
           f"{times(row['pull'])}x the best (B, T) there is, `coalesce` {times(row['coalesce'])}x, "
           f"the better of both {times(row['either'])}x. The bar was {BAR}x: **{word}**.",
           f"- One setting for all models (B 128, A 8000), against (B, T) tuned for each: `pull` "
           f"{times(row['untuned_pull'])}x, `coalesce` {times(row['untuned_coalesce'])}x. The bar "
           f"was {UNTUNED_BAR}x: **{reached(row, 'untuned', UNTUNED_BAR)}**. One rule for all "
           "models in place of one number (the smallest B within 3 % of the cheapest per item of "
           "those that take at most 0.6 of the target on a busy core), untuned as well: `pull` "
           f"{times(row['rule_pull'])}x, `coalesce` {times(row['rule_coalesce'])}x, which "
           f"{'is above' if reached(row, 'rule', UNTUNED_BAR) == 'reached' else 'is not above'} "
           "that bar.",
           f"- `batch` on one place only: {times(row['batch'])}x. Batches that the accelerator "
           "alone takes leave 40 cores idle, and batches on cores leave the accelerator idle.",
           f"- Why not more: the ceiling itself is {times(row['ceiling'])}x, that is every core "
           "and the accelerator busy all the time with the cheapest batches that fit the target, "
           f"and no query waiting. The ceiling is below {BAR}x for "
           f"{', '.join(low) if low else 'no model'}. The better queue reaches "
           f"{percent(part)} % of the ceiling."]
    if "accelerator" in studies:
        card = studies["accelerator"]
        gains = {s: mean([max(gain(card, q, model=m, scale=s) for q in QUEUES[:2])
                          for m in card.labels("model")]) for s in card.labels("scale")}
        out.append("- The card decides ([map](#for-which-accelerators)): " + ", ".join(
            f"{speed_words(s)} {times(g)}x" if s == "none" else
            f"a card of {speed_words(s)} the speed {times(g)}x" for s, g in gains.items()) + ".")
    return out


def means_section(studies, ceiling):
    columns = ("pull", "coalesce", "either", "batch", "untuned_pull", "untuned_coalesce",
               "rule_pull", "rule_coalesce", "ceiling")
    rows = []
    for target in studies["pull"].labels("target"):
        lists = gain_lists(studies, ceiling, target)
        rows.append([target, *(mean_cell(lists[k]) for k in columns)])
    return ["## Gains by target", "",
            "Geometric means over the models, of the largest rate that is held with p95 within the "
            "target, p99 within twice the target, and every queue stable, over that of the best "
            "(B, T): the better of hill climbing and the whole grid. The queues have the same two "
            "searches, the grid a coarse one. Untuned: B 128 and A 8000 for every model and "
            "target. By rule: the B of the summary's rule. In brackets the number of models behind "
            "a mean where it is not all: the others hold nothing at all with that setting.", "",
            *table(["target", "pull x", "coalesce x", "better of both x", "batch x",
                    "untuned pull x", "untuned coalesce x", "pull by rule x", "coalesce by rule x",
                    "ceiling x"], rows)]


def model_rows(study, ceiling, target):
    rows = []
    for model in study.labels("model"):
        at = {"model": model, "target": target}
        split = best(study, scheduler="split", **at)
        most = ceiling.get((model, target))
        top = ceiling_gain(study, ceiling, model, target)
        row = [model, num(split.qps) if found(split) else NONE, setting(split)]
        for scheduler in QUEUES:
            over = best(study, scheduler=scheduler, **at)
            row += [times(gain(study, scheduler, **at)), setting(over)]
        row += [times(gain(study, "coalesce", ("fixed",), **at)), times(top),
                percent(either(study, **at) / top, 0),
                f"B {most['cpu_items']:.0f}, A {most['accel_items']:.0f}" if most else NONE]
        rows.append(row)
    return rows


def models_section(studies, ceiling):
    out = ["## Model by model", "",
           "B, T: (B, T) of `split`. A: items that the accelerator takes at once at most. D: the "
           "longest delay. Ceiling: see above; of it: what the better of `pull` and `coalesce` "
           "reaches. A model's low ceiling is the cost model's word that merging saves it little: "
           "its batches are about as cheap per item small as large, or its target forbids large "
           "ones."]
    for target in studies["pull"].labels("target"):
        out += ["", f"### Target {target}", "",
                *table(["model", "split QPS", "best (B, T)", "pull x", "set", "coalesce x", "set",
                        "batch x", "set", "untuned coalesce x", "ceiling x", "of it %",
                        "ceiling's batches"], model_rows(studies["pull"], ceiling, target))]
    return out + astray(studies["pull"])


def astray(study):
    """Where a laxer target is said to hold clearly less than a stricter one: what holds the
    stricter holds the laxer as well, so a search has missed it."""
    targets, words = study.labels("target"), []
    for model in study.labels("model"):
        for scheduler in study.labels("scheduler"):
            held = [best(study, model=model, scheduler=scheduler, target=t) for t in targets]
            words += [f"{model}, {scheduler}, {targets[i + 1]} ({num(held[i + 1].qps)} QPS, though "
                      f"{setting(held[i])} holds {num(held[i].qps)} at {targets[i]})"
                      for i in range(len(targets) - 1) if found(held[i]) and found(held[i + 1])
                      and held[i + 1].qps < (1 - DEAR_FRAC) * held[i].qps]
    return ["", "A search drops a choice that its short runs cannot tell from the leader, so it "
            f"can miss the best. It did here: {'; '.join(words)}."] if words else []


def missing(name, words):
    return [f"{words}: not run ({STUDIES[name]})."]


def costs_section(studies):
    out = ["## Under measured times", ""]
    if "tables" not in studies:
        return out + missing("tables", "The gain with measured CPU times")
    study = studies["tables"]
    rows = [[m.removesuffix("-repo"), *(times(gain(study, s, model=m, target=t))
                                        for t in study.labels("target") for s in QUEUES[:2])]
            for m in study.labels("model")]
    rows.append(["geometric mean", *(mean_cell([gain(study, s, model=m, target=t)
                                                for m in study.labels("model")])
                                     for t in study.labels("target") for s in QUEUES[:2])])
    return out + ["The same with the CPU times of another machine that was measured, kept as they "
                  "are, on 40 cores without contention; the card by the roofline; models as the "
                  "public repository configures them. Both sides by hill climbing.", "",
                  *table(["model (repo)", *(f"{t}: {s} x" for t in study.labels("target")
                                            for s in QUEUES[:2])], rows)]


def speed_words(label):
    return "no card" if label == "none" else f"{1 / float(label):g}x"


def map_section(studies):
    out = ["## For which accelerators", ""]
    if "accelerator" not in studies:
        return out + missing("accelerator", "The gain against the accelerator's speed")
    study = studies["accelerator"]
    scales, models = study.labels("scale"), study.labels("model")
    rows = []
    for scheduler in QUEUES[:2]:
        for model in models:
            rows.append([scheduler, model, *(times(gain(study, scheduler, model=model, scale=s))
                                             for s in scales)])
        rows.append([scheduler, "geometric mean",
                     *(mean_cell([gain(study, scheduler, model=m, scale=s) for m in models])
                       for s in scales)])
    alone = {m: max(gain(study, s, model=m, scale="none") for s in QUEUES[:2]) for m in models}
    no_use = [m for m in models if not alone[m] > 1 + DEAR_FRAC]
    weak = [s for s in scales if s != "none" and
            mean([max(gain(study, q, model=m, scale=s) for q in QUEUES[:2]) for m in models]) <
            1 + 5 * DEAR_FRAC]
    words = [f"- Without a card neither queue gains more than {100 * DEAR_FRAC:.0f} % for "
             f"{', '.join(no_use) if no_use else 'no model'}; the most there is "
             f"{times(max(alone.values()))}x ({max(alone, key=alone.get)})."]
    if weak:
        words.append("- Cards for which the gain is below 10 % in the mean: "
                     f"{', '.join(speed_words(s) for s in weak)}.")
    return out + ["The medium target; every time on the GTX 1080 Ti, loading included, divided by "
                  "the speed. Both sides by hill climbing.", "",
                  *table(["queue", "model", *(speed_words(s) for s in scales)], rows), "", *words]


def loss(now, calm):
    """Part of the rate that is lost; 1: all of it."""
    if calm is None or not calm.found:
        return math.nan
    return 1 - (now.qps / calm.qps if now is not None and now.found else 0)


def loss_word(value):
    return NONE if math.isnan(value) else "all" if value == 1 else f"{100 * value:.0f}" \
        if round(100 * value) else "0"


def sizes_section(studies):
    out = ["### Tuned on the wrong sizes", ""]
    if "sizes" not in studies:
        return out + missing("sizes", "QPS lost when tuned on other sizes")
    study, rows = studies["sizes"], []
    for model in study.labels("model"):
        row = [model]
        for scheduler in ("split", *QUEUES[:2]):
            at = {"model": model, "scheduler": scheduler}
            wrong = best(study, tuned_on="lognormal", **at)
            row += [loss_word(loss(wrong, best(study, tuned_on="production", **at))),
                    setting(study.get("deeprecsched", tuned_on="lognormal", **at))]
        rows.append(row)
    return out + ["Settings chosen on lognormal(5.1, 0.2), then measured on the production sizes, "
                  "against those chosen on the production sizes: rate lost, %.", "",
                  *table(["model", "split %", "chosen", "pull %", "chosen", "coalesce %",
                          "chosen"], rows)]


STRESSES = {"stalls": ("calm", "requests that vary"), "bursts": ("calm", "bursts"),
            "slow": ("twelve", "slow servers")}


def stress_section(studies):
    out = ["### Weather that changes", ""]
    if "stress" not in studies:
        return out + missing("stress", "QPS lost under stress")
    study = studies["stress"]
    servers = [s.split("/") for s in study.labels("server")]
    models = list(dict.fromkeys(m for m, _ in servers))
    schedulers = list(dict.fromkeys(s for _, s in servers))
    stresses = [s for s in STRESSES if s in study.labels("stress")]

    def at(model, scheduler, stress):
        return study.get("fixed", server=f"{model}/{scheduler}", stress=stress)

    def lost(model, scheduler, stress):
        return loss(at(model, scheduler, stress), at(model, scheduler, STRESSES[stress][0]))
    rows = [[m, *(loss_word(lost(m, q, s)) for s in stresses for q in schedulers)]
            for m in models]
    rows.append(["left of the gain x", *(NONE if q == "split" else times(mean([
        at(m, q, s).qps / at(m, "split", s).qps for m in models
        if at(m, q, s) is not None and at(m, q, s).found and at(m, "split", s).found]))
        for s in stresses for q in schedulers)])
    return out + [
        "Settings tuned in calm weather for the medium target, and kept; rate lost, %, against the "
        "same server in calm weather.", "",
        "- **Requests that vary**: what is wanted is 1 % of the requests stalled ten times as "
        "long. The noise of a study has no such two points, so this is a lognormal factor of mean "
        "1 with the same variation (0.82); its far tail is thinner.",
        "- **Bursts**: arrivals jump between the rate and three times the rate, which lasts "
        "100 ms every second on average.",
        "- **Slow servers**: what is wanted is a third of a server's cores slow. A study knows "
        "slow servers, not slow cores, so these are twelve servers under power-of-two, four of "
        "which take 1.5 times as long for everything, against twelve of which none does.", "",
        *table(["model", *(f"{STRESSES[s][1]}: {q} %" for s in stresses for q in schedulers)],
               rows), "",
        "The last row is the geometric mean of what the queue still holds over what (B, T) holds, "
        "in that weather, over the models where both hold anything. `all`: no rate is held, not "
        "even by an idle server: tuned requests take up to four fifths of the target, so that the "
        "slowest twentieth of requests that vary misses it by itself, however they are scheduled."]


# ---- fleets

def read_days(folder):
    """{(name, balancer): {type: {"servers", "state", ..., "pools"}}}; the rows of the answer, not
    those with a margin. pools: servers of each service's own, by what one server holds of it."""
    days = {}
    for name, balancer in ((n, b) for n in DAYS for b in BALANCERS):
        path = folder / f"{name}-{balancer}.json"
        if not path.exists() or path.stat().st_size == 0:
            continue
        tables = {t["table"]: t["rows"]
                  for t in json.loads(path.read_text(encoding="utf-8"))["tables"]}
        types = {}
        for row in tables["sizes"]:
            types.setdefault(row["type"], dict(row))
        loads = {}
        for row in tables["services"]:
            # The service that decides is marked by a star.
            loads.setdefault(row["service"].removesuffix(" *"), row["served_qps"])
        for row in tables["tuples, deeprecsched"]:
            held = [row.get(service) for service in loads]
            types[row["type"]]["pools"] = sum(
                load / qps for load, qps in zip(loads.values(), held)) if all(held) else None
        days[name, balancer] = types
    return days


def servers_word(row):
    if row is None:
        return NONE
    return {"found": str(row["servers"]), "none": "none"}.get(
        row["state"], f"{row['n_least']} .. {row['n_most']}")


def saved(types, kind, scheduler, key):
    """Part of the servers that are saved, of `split`'s of the same kind, in words."""
    few, many = types.get(f"{kind}-{scheduler}"), types.get(f"{kind}-split")
    if not few or not many or not few.get(key) or not many.get(key):
        return NONE
    return f"{100 * (1 - few[key] / many[key]):.0f}"


def day_section(days):
    out = ["## Fleets", ""]
    if not days:
        return out + [f"Servers saved on a day: not run ({', '.join(DAYS.values())})."]
    rows = []
    for (name, balancer), types in days.items():
        for kind in dict.fromkeys(t.rsplit("-", 1)[0] for t in types):
            split = types.get(f"{kind}-split")
            row = [f"[{DAYS[name]}](../slurm/studies/{DAYS[name]})", balancer, kind,
                   servers_word(split), num(split["pools"], 3) if split["pools"] else NONE]
            for scheduler in QUEUES:
                row += [servers_word(types.get(f"{kind}-{scheduler}")),
                        saved(types, kind, scheduler, "servers"),
                        saved(types, kind, scheduler, "pools")]
            rows.append(row)
    out += ["The fewest servers that hold the peak of the days of 60-production.yaml and "
            "62-plan.yaml, a quarter and a fifth of their traffic, with every service's p95 "
            "within its medium target. Each type of server is a fleet of its own; settings are "
            "tuned by hill climbing for each service alone on a server, as `recfleet capacity` "
            "does.", "",
            "- **shared**: all services on every server, simulated under that balancer, by the "
            "queues that each service has of its own. `none`: not even an idle server holds it.",
            "- **pools**: every service on servers of its own, by what one server was shown to "
            "hold of it; not simulated as a fleet, whole servers not counted, and the same under "
            "every balancer.",
            "- **saved**: of the servers that `split` needs, %; below 0 the queue needs more.", "",
            *table(["study", "balancer", "servers", "split, shared", "split, pools",
                    *(f"{q}{words}" for q in QUEUES
                      for words in (", shared", " saved", " saved in pools"))], rows), "",
            "Settings tuned for each service alone know nothing of the others. A likely cause of "
            "what is lost by sharing, not tested: a core or a card that has begun a large batch "
            "of a patient service cannot leave it for the small query of a strict one."]
    lacking = [f"{DAYS[n]} under {b}" for n in DAYS for b in BALANCERS if (n, b) not in days]
    return out + (["", f"Not run: {', '.join(lacking)}."] if lacking else [])


def how_long(studies):
    rows = [[f"[{STUDIES[n]}](../slurm/studies/{STUDIES[n]})", len(s.points),
             ", ".join(s.policies), percent(s.bracket_frac()), f"{s.run['n_queries'] / 1e6:.0f}",
             int(s.run["n_ranks"]), f"{s.run['wall_s']:.0f}"] for n, s in studies.items()]
    revision = text(studies["pull"].run["git_revision"]) or "unknown"
    confirmed = [o for p in SEARCHES for _, o in studies["pull"].all(p) if o.found]
    anew = sum(o.confirmed == 0 for o in confirmed)
    asked = sum(o.confirmed != 3 for o in confirmed)
    out = ["## What was run", "",
           *table(["study", "points", "policies", "bracket %", "million queries", "ranks",
                   "wall s"], rows), "",
           f"recfleet at revision {revision}, seed {studies['pull'].seed}. All but the wall times "
           "is the same on every machine and on any number of ranks."]
    if asked:
        out.append(f"On fresh draws {anew} of {asked} answers of 71-pull.yaml hold their target.")
    lacking = [STUDIES[n] for n in STUDIES if n not in studies]
    if lacking:
        out.append(f"Not run: {', '.join(lacking)}.")
    return out


def document(studies, ceiling, days, where):
    words = TEXT.read_text(encoding="utf-8").split("\n%%\n")
    opening, building, rest = (w.strip("\n").split("\n") for w in words)
    study = studies["pull"]
    short = [] if len(study.labels("model")) == 8 and len(study.labels("target")) == 3 else [
        "", f"**This is a short run**: {', '.join(study.labels('model'))}; targets "
        f"{', '.join(study.labels('target'))}."]
    parts = [opening + short, ["## Summary", "", *summary(studies, ceiling)], building,
             means_section(studies, ceiling), models_section(studies, ceiling),
             costs_section(studies), map_section(studies),
             ["## Robustness", "", "Who loses how much when the day is not the one that the "
              "settings were tuned for."], sizes_section(studies), stress_section(studies),
             day_section(days), rest,
             how_long(studies),
             ["## Files with all numbers", "",
              f"- [outcomes.csv]({where}/outcomes.csv): every point and policy of 71-pull.yaml",
              f"- [means.csv]({where}/means.csv): the means by target"]]
    return "\n".join(line.rstrip() for part in parts for line in [*part, ""]).rstrip("\n") + "\n"


def outcome_rows(study):
    keys = ("batch_items", "offload_items", "accel_items", "max_delay", "qps", "missed_qps",
            "target_s", "p95_s", "p99_s", "qps_per_w", "cpu_util_frac", "accel_util_frac",
            "accel_item_frac", "confirmed")
    return [{**point, "policy": p, **{k: getattr(o, k) for k in keys}}
            for p in study.policies for point, o in study.all(p)]


# ---- files --------------------------------------------------------------------------------------

def scheduler_of(name, outcome):
    if name == "split":
        return {"policy": "fixed", "batch_items": outcome.batch_items,
                "offload_items": outcome.offload_items}
    return {"policy": name, "batch_items": outcome.batch_items, "accel_items": outcome.accel_items}


def by_rule(folder):
    points = [{"label": f"{model}/{target}/{name}", "set": {
        "traffic[0].model": model, "traffic[0].sla": target,
        "fleet.groups[0].scheduler": {"policy": name, "batch_items": int(row["rule_items"]),
                                      "accel_items": 8000}}}
              for (model, target), row in read_ceiling(folder).items() for name in QUEUES[:2]]
    print(json.dumps(points))


def servers(folder):
    """The value of an axis's `points`, in the JSON that YAML takes as it is."""
    study, points = read_tunings(folder, STUDIES, "pull", "policies")["pull"], []
    for model in study.labels("model"):
        for name in ("split", *QUEUES[:2]):
            outcome = best(study, model=model, target="medium", scheduler=name)
            if outcome is not None:
                points.append({"label": f"{model}/{name}", "set": {
                    "traffic[0].model": model,
                    "fleet.groups[0].scheduler": scheduler_of(name, outcome)}})
    print(json.dumps(points))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    if sys.argv[1] in ("--servers", "--rule"):
        (servers if sys.argv[1] == "--servers" else by_rule)(pathlib.Path(sys.argv[2]))
        return
    folder, path = map(pathlib.Path, sys.argv[1:])
    studies, ceiling = read_tunings(folder, STUDIES, "pull", "policies"), read_ceiling(folder)
    data = path.with_suffix("")
    data.mkdir(parents=True, exist_ok=True)
    save_csv(data / "outcomes.csv", outcome_rows(studies["pull"]))
    save_csv(data / "means.csv", mean_rows(studies, ceiling))
    written = path.with_suffix(".tmp")
    written.write_text(document(studies, ceiling, read_days(folder), path.stem), encoding="utf-8")
    os.replace(written, path)


if __name__ == "__main__":
    main()
