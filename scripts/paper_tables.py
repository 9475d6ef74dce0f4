# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/paper.md that come from the main grid and from the three smaller questions
(sizes, B curve, reference controller). Each function returns lines of Markdown.

`studies` is {name: Tuning}; names are those of scripts/paper.py.
"""

import math

import paper_facts as facts
from paper_tuning import WIDEST_FRAC, arithmetic, geometric, narrow, ratio

NONE = "-"


def table(head, rows):
    out = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return out + ["| " + " | ".join(str(c) for c in row) + " |" for row in rows]


def num(value, digits=4):
    """Digits that count, without an exponent for what people read."""
    if value is None or not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}"


def times(value):
    """A ratio; a hundred and more without decimals."""
    if not math.isfinite(value):
        return NONE
    return f"{value:.2f}" if value < 99.995 else f"{value:.0f}"


def percent(value, places=1):
    return f"{100 * value:.{places}f}" if math.isfinite(value) else NONE


def choice(outcome, accel):
    if outcome is None or not outcome.found:
        return NONE
    return f"{outcome.batch_items}/{outcome.offload_items or NONE}" if accel \
        else f"{outcome.batch_items}"


def rate(outcome):
    """Held .. missed."""
    if outcome is None:
        return NONE
    if not outcome.found:
        return "unreachable"
    return f"{num(outcome.qps)} .. {num(outcome.missed_qps)}"


# ---- gains --------------------------------------------------------------------------------------

def baseline(main, model, target, platform, **extra):
    """Static on the CPU alone: for Broadwell its own, else Skylake's."""
    alone = facts.BROADWELL if platform == facts.BROADWELL else facts.SKYLAKE
    return main.get("static", model=model, target=target, platform=alone, **extra)


def gains(tuning, metric, target, policy="deeprecsched", base=None, **extra):
    """{model: gain} of one metric at one target, where there is a baseline and an answer.
    `base`: the file with the baseline, where it is another."""
    _, platform, key, _, _ = facts.METRICS[metric]
    out = {}
    for model in tuning.labels("model"):
        under = baseline(base, model, target, platform) if base else \
            baseline(tuning, model, target, platform, **extra)
        over = tuning.get(policy, model=model, target=target, platform=platform, **extra)
        if narrow(over) and narrow(under):
            out[model] = ratio(over, under, key)
    return out


def mean_rows(main):
    """One dict per metric and target: both means, the paper's, and who carries ours."""
    rows = []
    for metric in facts.METRICS:
        for target in main.labels("target"):
            found = gains(main, metric, target)
            mean = arithmetic(list(found.values()))
            paper = facts.paper_mean(metric, target)
            top = max(found, key=found.get, default=None)
            rows.append({"metric": metric, "target": target, "n_models": len(found),
                         "arithmetic": mean, "geometric": geometric(list(found.values())),
                         "exhaustive": arithmetic(list(
                             gains(main, metric, target, "exhaustive").values())),
                         "paper": paper, "deviation_frac": mean / paper - 1, "top": top,
                         "top_gain": found.get(top, math.nan),
                         "without_top": arithmetic([g for m, g in found.items() if m != top])})
    return rows


def means(main):
    rows = []
    for r in mean_rows(main):
        title, _, _, _, tag = facts.METRICS[r["metric"]]
        rows.append([title, r["target"], times(r["arithmetic"]), times(r["geometric"]),
                     times(r["exhaustive"]), f"{r['paper']}", f"{100 * r['deviation_frac']:+.0f} %",
                     tag, r["n_models"],
                     f"{r['top']} {times(r['top_gain'])}; without it {times(r['without_top'])}"
                     if r["top"] else NONE])
    head = ["gain over static", "target", "ours, arithmetic x", "ours, geometric x",
            "exhaustive, arithmetic x", "paper x", "ours against paper", "trust in the paper's",
            "models", "largest gain x"]
    return table(head, rows)


def main_table(main, platform):
    accel = platform == facts.GPU
    head = ["model", "target", "ms", "static B", "static QPS", "B/T" if accel else "B",
            "DeepRecSched QPS", "gain x", "QPS/W gain x"] + (["share %"] if accel else []) + \
        ["best B/T" if accel else "best B", "exhaustive QPS", "gain x", "gap %", "choices"]
    rows = []
    for model in main.labels("model"):
        for target in main.labels("target"):
            at = {"model": model, "target": target, "platform": platform}
            under = baseline(main, model, target, platform)
            ours, best = main.get("deeprecsched", **at), main.get("exhaustive", **at)
            if ours is None:
                continue
            row = [model, target, num(1e3 * ours.target_s, 3), choice(under, False), rate(under),
                   choice(ours, accel), rate(ours), times(ratio(ours, under)),
                   times(ratio(ours, under, "qps_per_w"))]
            if accel:
                row.append(percent(ours.accel_item_frac))
            rows.append(row + [choice(best, accel), rate(best), times(ratio(best, under)),
                               percent(1 - ratio(ours, best)),
                               f"{ours.n_choices} of {best.n_choices if best else NONE}"])
    return table(head, rows)


def unreachable(main):
    """Cells where a policy found no rate that holds the target, or one known too coarsely."""
    out = []
    for policy in main.policies:
        for point, outcome in main.all(policy):
            if not narrow(outcome):
                out.append([policy, point["model"], point["target"], point["platform"],
                            num(1e3 * outcome.target_s), rate(outcome),
                            num(1e3 * outcome.floor_s)])
    if not out:
        return ["Every policy holds every target at some rate: each mean is over all models."]
    return ["At these points the target is missed at any rate, or the bracket is wider than "
            f"{100 * WIDEST_FRAC:.0f} %. A mean leaves a model out where its baseline or its "
            "answer is one of them; the column `models` counts the others.", ""] + \
        table(["policy", "model", "target", "platform", "target ms", "QPS", "latency floor ms"],
              out)


# ---- what was chosen ----------------------------------------------------------------------------

def batches(main, batch):
    head = ["model", "bound by"]
    platforms = main.labels("platform")
    targets = main.labels("target")
    head += [f"{facts.PLATFORM_TITLES.get(p, p)}, {t}" for p in platforms for t in targets]
    rows = []
    for model in main.labels("model"):
        row = [model, main.bounds[model]]
        for platform in platforms:
            for target in targets:
                at = {"model": model, "target": target, "platform": platform}
                row.append(f"{choice(main.get('deeprecsched', **at), False)} "
                           f"({choice(main.get('exhaustive', **at), False)})")
        rows.append(row)
    return table(head, rows) + flat_batches(batch)


def near_best(batch, model, target, within=0.02):
    """The values of B whose rate is within 2 % of the best, on the curve of that model."""
    held = {int(b): batch.get("fixed", model=model, target=target, platform=facts.SKYLAKE, batch=b)
            for b in batch.labels("batch")}
    held = {b: o.qps for b, o in held.items() if o is not None and o.found}
    best = max(held.values(), default=math.nan)
    return [b for b in sorted(held) if held[b] >= (1 - within) * best]


def flat_batches(batch):
    if batch is None:
        return []
    rows = []
    for model in batch.labels("model"):
        row = [model]
        for target in batch.labels("target"):
            near = near_best(batch, model, target)
            row.append(f"{near[0]} .. {near[-1]}" if len(near) > 1 else
                       f"{near[0]}" if near else NONE)
        rows.append(row)
    tried = ", ".join(batch.labels("batch"))
    return ["", "Many curves are flat near their top, so the best B says little where it is large. "
            f"These values of B (of {tried}) serve within 2 % of the best of them, on Skylake "
            "(53-paper-batch.yaml):", ""] + table(["model", *batch.labels("target")], rows)


def shares(main):
    targets = main.labels("target")
    rows, sums = [], {t: [] for t in targets}
    for model in main.labels("model"):
        row = [model]
        for target in targets:
            ours = main.get("deeprecsched", model=model, target=target, platform=facts.GPU)
            row.append(percent(ours.accel_item_frac) if ours else NONE)
            row.append(ours.offload_items if ours and ours.found else NONE)
            if ours and ours.found:
                sums[target].append(ours.accel_item_frac)
        rows.append(row)
    last = ["mean"]
    for target in targets:
        last += [percent(arithmetic(sums[target])), ""]
    head = ["model"]
    for target in targets:
        head += [f"{target}: share %", "T"]
    return table(head, rows + [last])


def two_servers(main):
    rows = []
    for model in main.labels("model"):
        row = [model]
        for target in main.labels("target"):
            sky = main.get("deeprecsched", model=model, target=target, platform=facts.SKYLAKE)
            bdw = main.get("deeprecsched", model=model, target=target, platform=facts.BROADWELL)
            row += [f"{choice(sky, False)} -> {choice(bdw, False)}", times(ratio(bdw, sky))]
        rows.append(row)
    head = ["model"]
    for target in main.labels("target"):
        head += [f"{target}: B Skylake -> Broadwell", "QPS, Broadwell / Skylake"]
    return table(head, rows)


# ---- roofline and measured tables

def cost_gains(study, cost, target):
    """{model: gain of DeepRecSched over static} with one kind of cost."""
    at = {"target": target, "cost": cost}
    pairs = {m: (study.get("deeprecsched", model=m, **at), study.get("static", model=m, **at))
             for m in study.labels("model")}
    return {m: ratio(over, under) for m, (over, under) in pairs.items()
            if narrow(over) and narrow(under)}


def two_costs(study):
    targets, costs = study.labels("target"), study.labels("cost")
    found = {(t, c): cost_gains(study, c, t) for t in targets for c in costs}
    rows = [[m.removesuffix("-repo"), *(times(found[t, c].get(m, math.nan))
                                        for t in targets for c in costs)]
            for m in study.labels("model")]
    for words, mean in (("arithmetic mean", arithmetic), ("geometric mean", geometric)):
        rows.append([words, *(times(mean(list(found[t, c].values())))
                              for t in targets for c in costs)])
    return table(["model (repo)"] + [f"{t}: {c} x" for t in targets for c in costs], rows)


# ---- sizes, reference, quality ------------------------------------------------------------------

def size_loss(sizes, model, platform):
    """(outcome tuned on production, tuned on lognormal, QPS lost as a factor; inf: all of it)."""
    at = {"model": model, "platform": platform}
    right = sizes.get("deeprecsched", tuned_on="production", **at)
    wrong = sizes.get("deeprecsched", tuned_on="lognormal", **at)
    if right is not None and wrong is not None and right.found and not wrong.found:
        return right, wrong, math.inf
    return right, wrong, ratio(right, wrong)


def tuned_on_lognormal(sizes):
    rows = []
    for platform in sizes.labels("platform"):
        for model in sizes.labels("model"):
            right, wrong, loss = size_loss(sizes, model, platform)
            accel = platform == facts.GPU
            paper = facts.LOGNORMAL.get(model) if not accel else None
            rows.append([facts.PLATFORM_TITLES.get(platform, platform), model,
                         choice(right, accel), num(right.qps) if right else NONE,
                         f"{wrong.batch_items}/{wrong.offload_items or NONE}" if accel
                         else wrong.batch_items, num(wrong.qps) if wrong.found else "unreachable",
                         "all" if loss == math.inf else times(loss), paper or NONE,
                         facts.LOGNORMAL_TAG if paper else NONE])
    return table(["platform", "model", "tuned on production", "QPS", "tuned on lognormal",
                  "QPS on production sizes", "QPS lost x", "paper x", "trust"], rows)


def claimed_step(reference, point, outcome):
    """What was measured at the rate that the controller claims; None: not measured."""
    steps = [s for s in reference.steps("reference", point)
             if abs(s["rate_qps"] / outcome.claimed_qps - 1) < 1e-6
             and s["batch_items"] == outcome.batch_items]
    return steps[-1] if steps else None


def reference_table(reference):
    rows = []
    for point, outcome in reference.all("reference"):
        ours = reference.get("deeprecsched", **point)
        step = claimed_step(reference, point, outcome)
        if step is None:
            there = "grows for ever: more than its cores or accelerator can do" \
                if outcome.claimed_qps > outcome.missed_qps else NONE
        else:
            over = step["latency_s"] / outcome.target_s - 1
            there = f"{num(1e3 * step['latency_s'], 3)} ms, " + \
                (f"{100 * over:.0f} % over" if over > 0 else f"{-100 * over:.0f} % within")
        platform = point["platform"]
        rows.append([point["model"], facts.PLATFORM_TITLES.get(platform, platform),
                     num(1e3 * outcome.target_s, 3), choice(outcome, True),
                     num(outcome.claimed_qps), there,
                     num(outcome.qps) if outcome.found else "none",
                     f"{100 * (outcome.claimed_qps / outcome.qps - 1):+.0f}" if outcome.found
                     else NONE, choice(ours, True),
                     num(ours.qps), times(ratio(ours, outcome))])
    return table(["model", "platform", "target ms", "its B/T", "it claims QPS",
                  "p95 at that rate", "its choice holds QPS", "claim over that %",
                  "DeepRecSched B/T", "holds QPS",
                  "over its choice x"], rows)


def gaps(main):
    """[(how far DeepRecSched is below exhaustive, point)] where both have an answer."""
    found = [(1 - ratio(ours, main.get("exhaustive", **point)), point)
             for point, ours in main.all("deeprecsched")]
    return [(gap, point) for gap, point in found if math.isfinite(gap)]


NEAR_FRAC = 0.03


def near_words(main):
    found = gaps(main)
    near = sum(gap <= NEAR_FRAC for gap, _ in found)
    return f"{near} of {len(found)} points ({100 * near / len(found):.0f} %; bar: 90 %)" if found \
        else "no point has both answers"


def quality(main):
    """DeepRecSched against the whole grid."""
    worst = max(gaps(main), key=lambda w: w[0], default=None)
    if worst is None:
        return ["No point has both answers."]
    spent, all_spent = main.spent("deeprecsched"), main.spent("exhaustive")
    rows = [[words, f"{spent[k]:.0f}", f"{all_spent[k]:.0f}",
             percent(spent[k] / all_spent[k]) if all_spent[k] else NONE]
            for words, k in (("choices of B and T looked at", "n_choices"),
                             ("of these, settled by a bound, without a run", "n_bounded"),
                             ("runs", "n_runs"), ("queries simulated", "n_queries"),
                             ("seconds of search, all ranks", "wall_s"))]
    where = ", ".join(worst[1].values())
    out = [f"- Within 3 % of exhaustive: {near_words(main)}.",
           f"- Worst gap: {percent(worst[0])} % ({where})."]
    for policy in main.policies:
        found = [o for _, o in main.all(policy) if o.found]
        held = sum(o.confirmed == 0 for o in found)
        over = sum(o.confirmed_over == 2 for o in found)
        out.append(f"- {policy}: on fresh draws, {held} of {len(found)} answers hold their target, "
                   f"and {over} miss it at 1.05 times the rate.")
    return out + ["", *table(["spent", "DeepRecSched", "exhaustive", "%"], rows)]
