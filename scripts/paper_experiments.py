# SPDX-License-Identifier: Apache-2.0
"""What the paper's means would need, and which of its directions hold here."""

import math

import paper_facts as facts
from paper_tables import NONE, cost_gains, gains, mean_rows, near_best, num, size_loss, table, times
from paper_tuning import arithmetic, crossings, geometric, narrow, ratio

# Name of a study's file -> (study, axis, what is changed, what a value means).
SCALES = {
    "cores": ("54-paper-cores.yaml", "scale", "every time on a core x", "cores slower by"),
    "accelerator": ("55-paper-accelerator.yaml", "scale", "every time on the accelerator x",
                    "accelerator times x"),
    "fixed": ("56-paper-fixed.yaml", "scale", "fixed times per request and operator x",
              "fixed times x"),
    "batch": ("53-paper-batch.yaml", "batch", "static baseline with B =", "static B"),
}
CONVERSION = "57-paper-conversion.yaml"
CONVERSION_WORDS = {"input": "lists converted in the timed part (D4)",
                    "whole input": "the same, the whole stored input per request (D3 and D4)"}


def batch_gains(studies, metric, target, value):
    """Over a baseline of another B, as far as it was measured: on Skylake."""
    _, platform, key, _, _ = facts.METRICS[metric]
    main, batch, out = studies["paper"], studies["batch"], {}
    for model in main.labels("model"):
        at = {"model": model, "target": target}
        over = main.get("deeprecsched", platform=platform, **at)
        under = batch.get("fixed", platform=facts.SKYLAKE, batch=value, **at)
        if narrow(over) and narrow(under):
            out[model] = ratio(over, under, key)
    return out


def experiment_gains(studies, name, metric, target, value):
    if name == "batch":
        return batch_gains(studies, metric, target, value)
    study = studies[name]
    axis = "conversion" if name == "conversion" else SCALES[name][1]
    # Without a CPU-only platform in the study, its baseline is the main grid's.
    base = None if facts.SKYLAKE in study.labels("platform") else studies["paper"]
    return gains(study, metric, target, base=base, **{axis: value})


def values_of(studies, name):
    if name not in studies:
        return []
    return studies[name].labels("conversion" if name == "conversion" else SCALES[name][1])


def experiment_rows(studies):
    """One dict per experiment, value, metric and target. As it is: experiment ''."""
    rows = []
    for name in ("", *SCALES, "conversion"):
        for value in values_of(studies, name) if name else ["1"]:
            for metric in facts.METRICS:
                for target in studies["paper"].labels("target"):
                    found = gains(studies["paper"], metric, target) if not name else \
                        experiment_gains(studies, name, metric, target, value)
                    rows.append({"experiment": name, "value": value, "metric": metric,
                                 "target": target, "n_models": len(found),
                                 "arithmetic": arithmetic(list(found.values())),
                                 "geometric": geometric(list(found.values()))})
    return rows


def cell_of(rows, name, value, metric, target):
    return next(r for r in rows if (r["experiment"], r["value"], r["metric"], r["target"]) ==
                (name, value, metric, target))


def experiment_table(studies, rows):
    main = studies["paper"]
    all_models = len(main.labels("model"))
    columns = [(m, t) for m in facts.METRICS for t in main.labels("target")]
    head = ["experiment", "value"] + [f"{facts.METRICS[m][0]}, {t}" for m, t in columns]
    out = [["the paper", ""] + [facts.paper_mean(m, t) for m, t in columns]]
    for name in ("", *SCALES, "conversion"):
        for value in values_of(studies, name) if name else ["1"]:
            found = [cell_of(rows, name, value, m, t) for m, t in columns]
            # The accelerator's speed is nothing to a server without one.
            found = [None if name == "accelerator" and r["metric"] == "cpu" else r for r in found]
            words = SCALES[name][2] if name in SCALES else CONVERSION_WORDS.get(value, "as it is")
            out.append([words, value if name in SCALES else ""] +
                       [NONE if r is None else times(r["arithmetic"]) +
                        (f" ({r['n_models']})" if r["n_models"] < all_models else "")
                        for r in found])
    return table(head, out)


def needed(rows, studies, name, metric, target, goal):
    """(values that give the goal, lowest and highest mean seen): means of equally many models only,
    since a mean of fewer is another mean."""
    as_is = cell_of(rows, "", "1", metric, target)
    points = [(float(v), cell_of(rows, name, v, metric, target)) for v in values_of(studies, name)]
    if name != "batch":
        points.append((1.0, as_is))
    points = sorted(((x, r["arithmetic"]) for x, r in points
                     if r["n_models"] == as_is["n_models"]), key=lambda p: p[0])
    if not points:
        return [], points
    return crossings([x for x, _ in points], [y for _, y in points], goal), points


def nearest_to_one(values):
    return min(values, key=lambda v: abs(math.log(v)))


def needed_words(name, values, points):
    if values:
        if name == "batch":
            return " or ".join(num(v, 2) for v in values)
        return num(nearest_to_one(values), 3)
    if not points:
        return "not run"
    least, most = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
    span = f"{num(points[0][0], 3)} .. {num(points[-1][0], 3)}"
    return f"none in {span}: {times(least[1])} .. {times(most[1])}"


def far_rows(studies):
    return [r for r in mean_rows(studies["paper"])
            if math.isfinite(r["deviation_frac"]) and
            abs(r["deviation_frac"]) > facts.FAR_FRAC]


def needed_table(studies, rows):
    out, found = [], {}
    for r in far_rows(studies):
        line = [facts.METRICS[r["metric"]][0], r["target"], times(r["arithmetic"]), r["paper"]]
        for name in SCALES:
            if name == "accelerator" and r["metric"] == "cpu" or name not in studies:
                line.append(NONE)
                continue
            values, points = needed(rows, studies, name, r["metric"], r["target"], r["paper"])
            if values:
                found.setdefault((r["metric"], name), []).append(nearest_to_one(values))
            line.append(needed_words(name, values, points))
        out.append(line)
    head = ["gain over static", "target", "ours x", "paper x"] + [s[3] for s in SCALES.values()]
    return table(head, out) + conclusions(studies, found)


def conclusions(studies, found):
    """For each metric: which single change reaches the paper at every target that is far off."""
    out = [""]
    for metric, (title, *_) in facts.METRICS.items():
        n_far = sum(r["metric"] == metric for r in far_rows(studies))
        if n_far == 0:
            out.append(f"- {title}: every mean is within {100 * facts.FAR_FRAC:.0f} % of the "
                       "paper's.")
            continue
        whole = [f"{SCALES[name][3]} {num(min(v), 3)} .. {num(max(v), 3)}"
                 for (m, name), v in found.items() if m == metric and len(v) == n_far]
        some = [SCALES[name][3].split()[0] for (m, name), v in found.items()
                if m == metric and len(v) < n_far]
        if whole:
            out.append(f"- {title}: each of these alone would give the paper's mean at all "
                       f"{n_far} targets that are off: {'; '.join(whole)}.")
        else:
            out.append(f"- {title}: no single change that was tried gives the paper's mean at all "
                       f"{n_far} targets that are off" +
                       (f"; some do at some: {', '.join(some)}." if some else "."))
    return out


def card(studies, root):
    """What the accelerator adds to a tuned CPU, here, in the paper, and by the public speed-ups."""
    main = studies["paper"]
    rows = []
    for target in main.labels("target"):
        cpu, gpu = (gains(main, m, target) for m in ("cpu", "gpu"))
        added = [gpu[m] / cpu[m] for m in gpu if m in cpu]
        paper = facts.paper_mean("gpu", target) / facts.paper_mean("cpu", target)
        rows.append([target, times(geometric(added)), times(min(added, default=math.nan)),
                     times(max(added, default=math.nan)), times(paper)])
    out = ["", "**The card.** What a tuned server gains by it, as a factor on the QPS of the "
           "tuned CPU "
           "alone (ours: geometric mean, least, most over the models; the paper's: its two means, "
           "one by the "
           "other):", "", *table(["target", "ours x", "least x", "most x", "paper x"], rows)]
    cores = facts.yaml_value(root / "models/platforms/skylake.yaml", "cores")
    speed = facts.speedups(root, 1024)
    if not speed or cores is None:
        return out
    best = max(speed, key=speed.get)
    whole = ", ".join(f"{m} {num(v, 3)}" for m, v in speed.items())
    most = 1 + speed[best] / float(cores)
    wanted = min(facts.paper_mean("gpu", t) / facts.paper_mean("cpu", t) for t in facts.TARGETS)
    words = ["", "The paper's repository plots how much faster the card is than one Skylake core, "
             f"at 1024 items (harvard-acc/DeepRecSys, experiments/speedup): {whole}. A card that "
             f"is worth {num(speed[best], 3)} cores ({best}, the most) added to {cores} cores is a "
             f"factor of {times(most)}. These times hold the conversion of Python lists on both "
             "sides, which hides part of what the card gains."]
    if most < wanted:
        words[-1] += (f" They are far from the factor of {times(wanted)} and more between the "
                      f"paper's means: it cannot be one such card added to {cores} busy cores.")
    return out + words


def nameplate(studies, root):
    """QPS/W if server and card always drew the power of full load."""
    server_w, card_w = facts.nameplate_w(root)
    if not math.isfinite(server_w + card_w):
        return []
    share = server_w / (server_w + card_w)
    rows = []
    for target in studies["paper"].labels("target"):
        ours = [r for r in mean_rows(studies["paper"]) if r["target"] == target]
        qps = next(r["arithmetic"] for r in ours if r["metric"] == "gpu")
        watt = next(r["arithmetic"] for r in ours if r["metric"] == "watt")
        paper_qps, paper = (facts.paper_mean(m, target) for m in ("gpu", "watt"))
        rows.append([target, times(watt), times(qps * share), paper, times(paper_qps * share),
                     f"{paper / (paper_qps * share):.2f}"])
    return ["", f"**Power.** The paper's QPS/W gains are its QPS gains times about a half. "
            "That is what "
            f"constant power gives: {server_w:.0f} W for the server, {card_w:.0f} W for the card, "
            "whatever they do. Ours follows utilisation, above an idle power. With constant "
            "power:", "",
            *table(["target", "ours, power by utilisation x", "ours, constant power x", "paper x",
                    "the paper's QPS gain at constant power x", "paper / that"], rows)]


def range_words(studies):
    """The mean gain on CPUs as a range: two readings of the costs, three sets of models."""
    out = []
    for target in studies["tables"].labels("target"):
        means = [arithmetic(list(gains(studies["paper"], "cpu", target).values()))] + \
            [arithmetic(list(cost_gains(studies["tables"], cost, target).values()))
             for cost in studies["tables"].labels("cost")]
        out.append(f"{times(min(means))} .. {times(max(means))}x ({target}; paper "
                   f"{facts.paper_mean('cpu', target)}x)")
    return ("QPS, CPU, as a range over roofline and measured tables ([both](#roofline-and-"
            "measured-tables)): mean gain over static " + ", ".join(out) + ".")


# ---- directions ---------------------------------------------------------------------------------

def count(pairs):
    """pairs: (what should be larger, what should be smaller)."""
    pairs = [(a, b) for a, b in pairs if a is not None and b is not None]
    return (sum(a > b for a, b in pairs), sum(a == b for a, b in pairs),
            sum(a < b for a, b in pairs))


UNDECIDED = "not decided: nothing measured"


def verdict(larger, equal, smaller, measured=True):
    """The rule that the document states. `measured`: the machines it is about were."""
    if not measured:
        return UNDECIDED
    total = larger + equal + smaller
    if total == 0:
        return "not run"
    if smaller > larger or 10 * larger <= total:
        return "refuted"
    if 2 * larger > total and 10 * smaller <= total:
        return "confirmed"
    return "mixed"


def measured(words):
    """No time of a Broadwell was: what is said of it rests on rules and guesses."""
    return facts.PLATFORM_TITLES[facts.BROADWELL] not in words


def batch_of(main, policy, model, target, platform):
    outcome = main.get(policy, model=model, target=target, platform=platform)
    return outcome.batch_items if outcome and outcome.found else None


def curve_batch(batch, model, target):
    near = near_best(batch, model, target)
    return near[0] if near else None


def embedding_pairs(main, pick, platforms):
    """Each embedding-bound model with each other one, on the same server at the same target."""
    models = main.labels("model")
    inside = [m for m in models if main.bounds[m] == "embedding"]
    others = [m for m in models if m not in inside]
    return [(pick(a, t, p), pick(b, t, p)) for p in platforms for t in main.labels("target")
            for a in inside for b in others]


def relaxed_pairs(main, pick, platforms):
    """Each target with the next stricter one."""
    targets = main.labels("target")
    return [(pick(m, more, p), pick(m, less, p)) for m in main.labels("model") for p in platforms
            for less, more in zip(targets, targets[1:])]


def share_pairs(main):
    targets = main.labels("target")
    out = []
    for model in main.labels("model"):
        found = [main.get("deeprecsched", model=model, target=t, platform=facts.GPU)
                 for t in targets]
        found = [round(o.accel_item_frac, 2) if o and o.found else None for o in found]
        out += list(zip(found, found[1:]))
    return out


def loss_pairs(sizes, models, platform):
    """(loss, 1) where it is more than the searches' accuracy away from 1, else a tie."""
    out = []
    for model in models:
        loss = size_loss(sizes, model, platform)[2]
        if not math.isnan(loss):
            out.append((1 if abs(loss - 1) < 0.02 else loss, 1))
    return out


def direction_rows(studies):
    """(direction, trust, experiment, counts)."""
    main, rows = studies["paper"], []
    cpus = [p for p in main.labels("platform") if p == facts.SKYLAKE]

    def by(policy):
        return lambda m, t, p: batch_of(main, policy, m, t, p)

    def both(words, tag, pairs_of, platforms):
        for policy in ("deeprecsched", "exhaustive"):
            rows.append((words, tag, f"50-paper.yaml, B of {policy}",
                         count(pairs_of(main, by(policy), platforms))))
        if "batch" in studies:
            pick = lambda m, t, p: curve_batch(studies["batch"], m, t)
            rows.append((words, tag, "53-paper-batch.yaml, least B within 2 % of the best",
                         count(pairs_of(main, pick, [facts.SKYLAKE]))))

    both("B is larger for embedding-bound models than for the others", "notes",
         embedding_pairs, cpus)
    words = "B is larger on Broadwell than on Skylake"
    for policy in ("deeprecsched", "exhaustive"):
        rows.append((words, "notes", f"50-paper.yaml, B of {policy}", count(
            [(by(policy)(m, t, facts.BROADWELL), by(policy)(m, t, facts.SKYLAKE))
             for m in main.labels("model") for t in main.labels("target")])))
    both("B is smaller at the stricter of two neighbouring targets", "recalled, high",
         relaxed_pairs, cpus)
    rows.append(("the accelerator's share of the work is smaller at the more relaxed of two "
                 "neighbouring targets", "recalled, medium", "50-paper.yaml, DeepRecSched",
                 count(share_pairs(main))))
    if "lognormal" in studies:
        sizes = studies["lognormal"]
        words = "tuning on lognormal sizes costs QPS"
        for platform in sizes.labels("platform"):
            for whose, models in (("RMC1-3", [m for m in sizes.labels("model")
                                              if m in facts.LOGNORMAL]),
                                  ("all models", sizes.labels("model"))):
                title = facts.PLATFORM_TITLES.get(platform, platform)
                rows.append((words, facts.LOGNORMAL_TAG,
                             f"52-paper-lognormal.yaml, {title}, {whose}",
                             count(loss_pairs(sizes, models, platform))))
    return rows


def together(studies):
    """{direction: verdict}: that of its experiments where they agree, else mixed."""
    out = {}
    for words, _, _, counts in direction_rows(studies):
        if sum(counts):
            out.setdefault(words, set()).add(verdict(*counts, measured(words)))
    return {words: found.pop() if len(found) == 1 else "mixed" for words, found in out.items()}


def directions(studies):
    out = table(["the paper says", "trust", "experiment", "pairs its way", "equal", "against it",
                 "verdict"],
                [[words, tag, name, *counts, verdict(*counts, measured(words))]
                 for words, tag, name, counts in direction_rows(studies)])
    return out + ["", "Together, mixed where the experiments disagree:", ""] + \
        [f"- {words}: **{found}**" for words, found in together(studies).items()]
