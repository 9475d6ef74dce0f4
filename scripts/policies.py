#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies.py FOLDER DOCUMENT: writes DOCUMENT (docs/policies.md) from the tuning files in FOLDER,
and beside it a folder of the same name without .md with the numbers (csv).
policies.py --servers FOLDER: the tuned servers of the medium target as the points of a sweep's axis;
--rule FOLDER: those of all targets with the B that a rule gives (policies_ceiling.py).

FOLDER holds pull.h5 and ceiling.csv, which must be there, and rule.h5, tables.h5, accelerator.h5,
sizes.h5, stress.h5, large.csv and production-*.json, plan-*.json; what is missing is said to be
missing. scripts/policies.sh makes them. No number of the document is written by hand. Needs h5py.
"""

import json
import math
import os
import pathlib
import shutil
import sys

from paper import save_csv
from paper_tables import NONE, num, percent, table, times
from paper_tuning import read_tunings, text
from policies_fleets import day_section, day_words, read_day_runs, read_days, revisions, run_row
from policies_gains import (ACCEL_ITEMS, BATCH, MAIN_TARGET, SEARCHES, SPLIT, STUDIES, best,
                            ceiling_gain, compared, found, gain, in_turn, largest, mean,
                            mean_cell, most, pulling, queues, read_ceiling, rule_gain,
                            setting, settings_of)
from policies_large import large_section, large_words, read_large

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEXT = ROOT / "scripts/policies_text.txt"

BAR, UNTUNED_BAR = 1.3, 1.2
DEAR_FRAC = 0.02  # a loss or a gain below this is none


# ---- gains --------------------------------------------------------------------------------------

# How a queue's settings come about.
WAYS = {"tuned": "tuned", "untuned": "untuned", "rule": "by rule"}


def gain_list(studies, way, queue, target):
    """Of each model."""
    study = studies["pull"]
    if way == "rule":
        return [rule_gain(studies, queue, m, target) for m in study.labels("model")]
    policies = ("fixed",) if way == "untuned" else SEARCHES
    return [gain(study, queue, policies, model=m, target=target) for m in study.labels("model")]


def most_list(study, names, target):
    return [most(study, names, model=m, target=target) for m in study.labels("model")]


def ceiling_list(study, ceiling, target):
    return [ceiling_gain(study, ceiling, m, target) for m in study.labels("model")]


def mean_rows(studies, ceiling):
    """Of means.csv."""
    study = studies["pull"]
    rows = []
    for target in study.labels("target"):
        rows += [{"target": target, "scheduler": q,
                  **{w: mean(gain_list(studies, w, q, target)) for w in WAYS}}
                 for q in queues(study)]
        rows.append({"target": target, "scheduler": "ceiling", "untuned": math.nan,
                     "rule": math.nan, "tuned": mean(ceiling_list(study, ceiling, target))})
    return rows


def ranked(means):
    """"`a` 1.300x, `b` 1.200x", the largest first."""
    known = [q for q in means if not math.isnan(means[q])]
    return ", ".join(f"`{q}` {means[q]:.3f}x" for q in sorted(known, key=means.get, reverse=True))


def names(labels):
    labels = [f"`{label}`" for label in labels]
    return ", ".join(labels[:-1]) + " and " + labels[-1] if len(labels) > 1 else labels[0]


def verdict(means, bar, in_order):
    """Which of them reach the bar; in_order: those first come first served."""
    over = [q for q in means if means[q] >= bar]
    if not over:
        return f"**No setting reaches the bar of {bar}x.**"
    short = [q for q in means if q not in over and not math.isnan(means[q])]
    words = f"**{names(over)} reach{'es' if len(over) == 1 else ''} the bar of {bar}x"
    words += f"; {names(short)} {'does' if len(short) == 1 else 'do'} not.**" if short else ".**"
    if not set(over) & set(in_order):
        words += (" First come first served it is missed: "
                  f"{largest([means[q] for q in in_order]):.3f}x at most.")
    return words


def bounds_words(study, means):
    """How sure the largest mean is: each rate is between the one that is held and the least that is
    missed."""
    queue, low, high = max(means, key=means.get), [], []
    for model in study.labels("model"):
        at = {"model": model, "target": MAIN_TARGET}
        over, under = best(study, scheduler=queue, **at), best(study, scheduler=SPLIT, **at)
        if found(over) and found(under):
            low.append(over.qps / under.missed_qps)
            high.append(over.missed_qps / under.qps)
    return (f" Rates are known to a bracket: with each at its worst, or best, end `{queue}` is "
            f"{mean(low):.2f}x to {mean(high):.2f}x.")


# ---- sections -----------------------------------------------------------------------------------

def summary(studies, ceiling, large, days):
    study = studies["pull"]
    if MAIN_TARGET not in study.labels("target"):
        return []
    models, turn = study.labels("model"), in_turn(study)
    means = {w: {q: mean(gain_list(studies, w, q, MAIN_TARGET)) for q in queues(study)}
             for w in WAYS}
    takers = {w: {q: means[w][q] for q in pulling(study)} for w in WAYS}
    out = [f"- Tuned, at the medium target, geometric mean over {len(models)} models, over the best "
           f"(B, T) there is: {ranked(takers['tuned'])}. "
           f"{verdict(takers['tuned'], BAR, turn)}{bounds_words(study, takers['tuned'])}",
           *large_words(large),
           f"- One setting for all models (B 128, A {ACCEL_ITEMS}), against (B, T) tuned for each: "
           f"{ranked(takers['untuned'])}. {verdict(takers['untuned'], UNTUNED_BAR, turn)}",
           "- One rule for all models in place of one number (the smallest B within 3 % of the "
           "cheapest per item of those that take at most 0.6 of the target on a busy core), "
           f"untuned as well: {ranked(takers['rule'])}. "
           f"{verdict(takers['rule'], UNTUNED_BAR, turn)}"]
    if BATCH in means["tuned"]:
        out.append(f"- `batch` on one place only: {times(means['tuned'][BATCH])}x. Batches that "
                   "the accelerator alone takes leave 40 cores idle, and batches on cores leave "
                   "the accelerator idle.")
    return out + ceiling_words(study, ceiling) + map_words(studies) + day_words(days)


def ceiling_words(study, ceiling):
    models = study.labels("model")
    top = ceiling_list(study, ceiling, MAIN_TARGET)
    low = [m for m, c in zip(models, top) if c < BAR]
    part = mean([g / c for g, c in zip(most_list(study, pulling(study), MAIN_TARGET), top)])
    return [f"- How far it could get: the ceiling is {times(mean(top))}x, that is every core and "
            "the accelerator busy all the time with the cheapest batches that fit the target, and "
            f"no query waiting. It is below {BAR}x for {', '.join(low) if low else 'no model'}. "
            f"The best queue of each model reaches {percent(part)} % of it."]


def map_words(studies):
    if "accelerator" not in studies:
        return []
    card = studies["accelerator"]
    words = []
    for s in card.labels("scale"):
        top = {q: mean([gain(card, q, model=m, scale=s) for m in card.labels("model")])
               for q in pulling(card)}
        words.append(f"{'no card' if s == 'none' else f'{speed_words(s)} the speed'} "
                     f"{ranked({q: top[q] for q in sorted(top, key=top.get)[-1:]})}")
    return ["- The card decides ([map](#for-which-accelerators)); the best queue without a card, "
            f"and with a card of so many times the speed: {'; '.join(words)}."]


def means_section(studies, ceiling):
    study = studies["pull"]
    targets = study.labels("target")
    rows = [[q, *(mean_cell(gain_list(studies, w, q, t)) for w in WAYS for t in targets)]
            for q in queues(study)]
    blank = [NONE] * (2 * len(targets))
    rows += [["best first come first served",
              *(mean_cell(most_list(study, in_turn(study), t)) for t in targets), *blank],
             ["best of all", *(mean_cell(most_list(study, queues(study), t)) for t in targets),
              *blank],
             ["ceiling", *(mean_cell(ceiling_list(study, ceiling, t)) for t in targets), *blank]]
    return ["## Gains by target", "",
            "Geometric means over the models, of the largest rate that is held with p95 within the "
            "target, p99 within twice the target, and every queue stable, over that of the best "
            "(B, T): the better of hill climbing and the whole grid. The queues have the same two "
            f"searches, the grid a coarse one. Untuned: B 128 and A {ACCEL_ITEMS} for every model "
            "and target. By rule: the B of the summary's rule. In brackets the number of models "
            "behind a mean where it is not all: the others hold nothing at all with that setting.",
            "",
            *table(["scheduler", *(f"{words}, {t} x" for words in WAYS.values() for t in targets)],
                   rows)]


def gain_rows(study, ceiling, target):
    rows = []
    for model in study.labels("model"):
        at = {"model": model, "target": target}
        split, top = best(study, scheduler=SPLIT, **at), ceiling_gain(study, ceiling, model, target)
        rows.append([model, num(split.qps) if found(split) else NONE,
                     *(times(gain(study, q, **at)) for q in queues(study)), times(top),
                     percent(most(study, pulling(study), **at) / top, 0)])
    return rows


def setting_rows(study, ceiling, target):
    rows = []
    for model in study.labels("model"):
        top = ceiling.get((model, target))
        rows.append([model, *(setting(best(study, scheduler=s, model=model, target=target))
                              for s in study.labels("scheduler")),
                     f"B {top['cpu_items']:.0f}, A {top['accel_items']:.0f}" if top else NONE])
    return rows


def models_section(studies, ceiling):
    study = studies["pull"]
    out = ["## Model by model", "",
           "B, T: (B, T) of `split`. A: items that the accelerator takes at once at most. D: the "
           "longest delay. Ceiling: see above; of it: what the best queue reaches. A model's low "
           "ceiling is the cost model's word that merging saves it little: its batches are about "
           "as cheap per item small as large, or its target forbids large ones."]
    for target in study.labels("target"):
        out += ["", f"### Target {target}", "",
                *table(["model", "split QPS", *(f"{q} x" for q in queues(study)), "ceiling x",
                        "of it %"], gain_rows(study, ceiling, target)), "",
                *table(["settings of", *study.labels("scheduler"), "ceiling"],
                       setting_rows(study, ceiling, target))]
    rows = [[m, *(f"{times(gain(study, q, ('fixed',), model=m, target=MAIN_TARGET))} / "
                  f"{times(rule_gain(studies, q, m, MAIN_TARGET))}" for q in pulling(study))]
            for m in study.labels("model")]
    return out + ["", "### Without tuning, target medium", "",
                  "One setting for all / by the rule, over the best (B, T) of the model.", "",
                  *table(["model", *(f"{q} x" for q in pulling(study))], rows)] + astray(study)


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
    columns = [(t, q) for t in study.labels("target") for q in queues(study)]
    rows = [[m.removesuffix("-repo"), *(times(gain(study, q, model=m, target=t))
                                        for t, q in columns)] for m in study.labels("model")]
    rows.append(["geometric mean", *(mean_cell([gain(study, q, model=m, target=t)
                                                for m in study.labels("model")])
                                     for t, q in columns)])
    return out + ["The same with the CPU times of another machine that was measured, kept as they "
                  "are, on 40 cores without contention; the card by the roofline; models as the "
                  "public repository configures them. Both sides by hill climbing.", "",
                  *table(["model (repo)", *(f"{t}: {q} x" for t, q in columns)], rows)]


def speed_words(label):
    return "no card" if label == "none" else f"{1 / float(label):g}x"


def map_section(studies):
    out = ["## For which accelerators", ""]
    if "accelerator" not in studies:
        return out + missing("accelerator", "The gain against the accelerator's speed")
    study = studies["accelerator"]
    scales, models = study.labels("scale"), study.labels("model")
    rows = []
    for queue in queues(study):
        rows += [[queue, m, *(times(gain(study, queue, model=m, scale=s)) for s in scales)]
                 for m in models]
        rows.append([queue, "geometric mean",
                     *(mean_cell([gain(study, queue, model=m, scale=s) for m in models])
                       for s in scales)])
    alone = {m: most(study, queues(study), model=m, scale="none") for m in models}
    no_use = [m for m in models if not alone[m] > 1 + DEAR_FRAC]
    weak = [s for s in scales if s != "none" and
            mean([most(study, queues(study), model=m, scale=s) for m in models]) < 1 + 5 * DEAR_FRAC]
    words = [f"- Without a card no queue gains more than {100 * DEAR_FRAC:.0f} % for "
             f"{', '.join(no_use)}; the most there is "
             f"{times(max(alone.values()))}x ({max(alone, key=alone.get)})." if no_use else
             "- Without a card the best queue of each model gains "
             f"{times(min(alone.values()))}x ({min(alone, key=alone.get)}) to "
             f"{times(max(alone.values()))}x ({max(alone, key=alone.get)})."]
    if weak:
        words.append("- Cards for which the gain of the best queue is below 10 % in the mean: "
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
        for scheduler in study.labels("scheduler"):
            at = {"model": model, "scheduler": scheduler}
            wrong = best(study, tuned_on="lognormal", **at)
            row += [loss_word(loss(wrong, best(study, tuned_on="production", **at))),
                    setting(study.get("deeprecsched", tuned_on="lognormal", **at))]
        rows.append(row)
    return out + ["Settings chosen on lognormal(5.1, 0.2), then measured on the production sizes, "
                  "against those chosen on the production sizes: rate lost, %.", "",
                  *table(["model", *(word for s in study.labels("scheduler")
                                     for word in (f"{s} %", "chosen"))], rows)]


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
    rows.append(["left of the gain x", *(NONE if q == SPLIT else times(mean([
        at(m, q, s).qps / at(m, SPLIT, s).qps for m in models
        if at(m, q, s) is not None and at(m, q, s).found and at(m, SPLIT, s).found]))
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


# ---- the page -----------------------------------------------------------------------------------

def run_rows(studies, day_runs):
    rows = [[f"[{STUDIES[n]}](../slurm/studies/{STUDIES[n]})", len(s.points),
             ", ".join(s.policies), percent(s.bracket_frac()), f"{s.run['n_queries'] / 1e6:.0f}",
             int(s.run["n_ranks"]), f"{s.run['wall_s']:.0f}"] for n, s in studies.items()]
    return rows + [run_row(day, runs) for day, runs in day_runs.items() if runs]


def how_long(studies, day_runs):
    seen = {text(s.run["git_revision"]) or "unknown" for s in studies.values()}
    for runs in day_runs.values():
        seen |= revisions(runs)
    confirmed = [o for p in SEARCHES for _, o in studies["pull"].all(p) if o.found]
    anew = sum(o.confirmed == 0 for o in confirmed)
    asked = sum(o.confirmed != 3 for o in confirmed)
    out = ["## What was run", "",
           *table(["study", "points", "policies", "bracket %", "million queries", "ranks",
                   "wall s"], run_rows(studies, day_runs)), "",
           f"recfleet at revision {' and '.join(sorted(seen))}, seed {studies['pull'].seed}. All "
           "but the wall times is the same on every machine and on any number of ranks."]
    if asked:
        out.append(f"On fresh draws {anew} of {asked} answers of 71-pull.yaml hold their target.")
    lacking = [STUDIES[n] for n in STUDIES if n not in studies]
    if lacking:
        out.append(f"Not run: {', '.join(lacking)}.")
    return out


def document(folder, studies, ceiling, where):
    words = TEXT.read_text(encoding="utf-8").split("\n%%\n")
    opening, building, rest = (w.strip("\n").split("\n") for w in words)
    study, days, large = studies["pull"], read_days(folder), read_large(folder)
    short = [] if len(study.labels("model")) == 8 and len(study.labels("target")) == 3 else [
        "", f"**This is a short run**: {', '.join(study.labels('model'))}; targets "
        f"{', '.join(study.labels('target'))}."]
    files = [f"- [outcomes.csv]({where}/outcomes.csv): every point and policy of 71-pull.yaml",
             f"- [means.csv]({where}/means.csv): the means by target"]
    if large:
        files.append(f"- [large.csv]({where}/large.csv): latencies by the size of the queries")
    parts = [opening + short, ["## Summary", "", *summary(studies, ceiling, large, days)], building,
             means_section(studies, ceiling), large_section(large),
             models_section(studies, ceiling), costs_section(studies), map_section(studies),
             ["## Robustness", "", "Who loses how much when the day is not the one that the "
              "settings were tuned for."], sizes_section(studies), stress_section(studies),
             day_section(days), rest,
             how_long(studies, {day: read_day_runs(folder, day) for day in days}),
             ["## Files with all numbers", "", *files]]
    return "\n".join(line.rstrip() for part in parts for line in [*part, ""]).rstrip("\n") + "\n"


def outcome_rows(study):
    keys = ("batch_items", "offload_items", "accel_items", "max_delay", "qps", "missed_qps",
            "target_s", "p95_s", "p99_s", "qps_per_w", "cpu_util_frac", "accel_util_frac",
            "accel_item_frac", "confirmed")
    return [{**point, "policy": p, **{k: getattr(o, k) for k in keys}}
            for p in study.policies for point, o in study.all(p)]


# ---- files --------------------------------------------------------------------------------------

def by_rule(folder):
    study = read_tunings(folder, STUDIES, "pull", "policies")["pull"]
    points = [{"label": f"{model}/{target}/{queue}", "set": {
        "traffic[0].model": model, "traffic[0].sla": target,
        "fleet.groups[0].scheduler": settings_of(queue, batch_items=int(row["rule_items"]),
                                                 accel_items=ACCEL_ITEMS)}}
              for (model, target), row in read_ceiling(folder).items() for queue in pulling(study)]
    print(json.dumps(points))


def servers(folder):
    """The value of an axis's `points`, in the JSON that YAML takes as it is."""
    study, points = read_tunings(folder, STUDIES, "pull", "policies")["pull"], []
    for model in study.labels("model"):
        for name in compared(study):
            outcome = best(study, model=model, target=MAIN_TARGET, scheduler=name)
            if outcome is not None:
                points.append({"label": f"{model}/{name}", "set": {
                    "traffic[0].model": model,
                    "fleet.groups[0].scheduler": settings_of(name, **vars(outcome))}})
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
    if (folder / "large.csv").exists():
        shutil.copyfile(folder / "large.csv", data / "large.csv")
    written = path.with_suffix(".tmp")
    written.write_text(document(folder, studies, ceiling, path.stem), encoding="utf-8")
    os.replace(written, path)


if __name__ == "__main__":
    main()
