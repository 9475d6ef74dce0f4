#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""paper.py FOLDER DOCUMENT: writes DOCUMENT (docs/paper.md) from the tuning files in FOLDER, and
beside it a folder of the same name without .md with the numbers (csv) and the pictures (svg).

FOLDER holds paper.h5, which must be there, and lognormal.h5, batch.h5, cores.h5, accelerator.h5,
fixed.h5, conversion.h5, tables.h5, reference.h5; what is missing is said to be missing. scripts/paper.sh makes
them. No number of the document is written by hand. Needs h5py.
"""

import csv
import math
import os
import pathlib
import sys

import paper_experiments as experiments
import paper_facts as facts
import paper_svg as svg
import paper_tables as tables
from paper_tuning import VERDICTS, WIDEST_FRAC, read_tunings, text

ROOT = pathlib.Path(__file__).resolve().parent.parent

# File -> study.
STUDIES = {
    "paper": "50-paper.yaml", "lognormal": "52-paper-lognormal.yaml",
    "batch": "53-paper-batch.yaml",
    "cores": "54-paper-cores.yaml", "accelerator": "55-paper-accelerator.yaml",
    "fixed": "56-paper-fixed.yaml", "conversion": "57-paper-conversion.yaml",
    "reference": "58-paper-reference.yaml", "tables": "59-paper-tables.yaml",
}


# ---- numbers and pictures -----------------------------------------------------------------------

def save_csv(path, rows):
    """rows: dicts with the same keys."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        for row in rows:
            out.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


OUTCOME_KEYS = ("batch_items", "offload_items", "qps", "missed_qps", "target_s", "p95_s",
                "p95_half_s", "p99_s", "power_w", "qps_per_w", "cpu_util_frac", "accel_util_frac",
                "accel_item_frac", "floor_s", "n_choices", "n_bounded", "n_runs", "n_queries",
                "confirmed", "confirmed_over")


def outcome_rows(study, keys=OUTCOME_KEYS):
    """Everything that was found, by point and policy."""
    rows = []
    for policy in study.policies:
        for point, outcome in study.all(policy):
            row = {**point, "policy": policy, **{k: getattr(outcome, k) for k in keys}}
            if "confirmed" in keys:
                row["confirmed"] = VERDICTS[outcome.confirmed]
                row["confirmed_over"] = VERDICTS[outcome.confirmed_over]
            rows.append(row)
    return rows


def gain_picture(rows, metric):
    rows = [r for r in rows if r["metric"] == metric]
    return svg.bars(f"Gain over static: {facts.METRICS[metric][0]}", "p95 target",
                    "times static", [r["target"] for r in rows],
                    ["arithmetic", "geometric", "paper"],
                    [[r["arithmetic"], r["geometric"], r["paper"]] for r in rows])


def share_picture(main):
    targets = main.labels("target")
    places = [(i + 0.5) / len(targets) for i in range(len(targets))]
    series = []
    for model in main.labels("model"):
        found = [main.get("deeprecsched", model=model, target=t, platform=facts.GPU)
                 for t in targets]
        series.append((model, [(x, 100 * o.accel_item_frac if o else math.nan)
                               for x, o in zip(places, found)]))
    return svg.lines("Share of the items on the accelerator", "p95 target", "%",
                     list(zip(places, targets)), series)


def batch_picture(batch, target):
    values = batch.labels("batch")
    largest = math.log(float(values[-1]))
    ticks = [(math.log(float(v)) / largest, v) for v in values]
    series = []
    for model in batch.labels("model"):
        held = [batch.get("fixed", model=model, target=target, platform=facts.SKYLAKE, batch=v)
                for v in values]
        best = max((o.qps for o in held if o and o.found), default=math.nan)
        series.append((model, [(x, 100 * o.qps / best if o and o.found else math.nan)
                               for (x, _), o in zip(ticks, held)]))
    return svg.lines(f"QPS against B on Skylake, {target} target", "B, items per request",
                     "% of the model's best", ticks, series)


def save_data(studies, folder):
    folder.mkdir(parents=True, exist_ok=True)
    means = tables.mean_rows(studies["paper"])
    save_csv(folder / "outcomes.csv", outcome_rows(studies["paper"]))
    if "batch" in studies:
        save_csv(folder / "batch.csv",
                 outcome_rows(studies["batch"], ("qps", "missed_qps", "p95_s", "floor_s")))
    save_csv(folder / "means.csv", means)
    save_csv(folder / "experiments.csv", experiments.experiment_rows(studies))
    pictures = {f"gain-{m}.svg": gain_picture(means, m) for m in facts.METRICS}
    pictures["share.svg"] = share_picture(studies["paper"])
    if "batch" in studies:
        for target in studies["batch"].labels("target"):
            pictures[f"batch-{target}.svg"] = batch_picture(studies["batch"], target)
    for name, picture in pictures.items():
        (folder / name).write_text(picture, encoding="utf-8")
    return pictures


# ---- the document -------------------------------------------------------------------------------

def calibration_link():
    page = "calibration" if (ROOT / "docs/calibration.md").exists() else "models"
    return f"[docs/{page}.md]({page}.md)"


def opening(studies):
    main = studies["paper"]
    models, n_points = main.labels("model"), len(main.points)
    out = ["# The paper's results compared with ours", "",
           "<!-- Written by scripts/paper.sh; other changes are lost. -->", "",
           "How many queries per second does one server hold within its p95 target, when queries "
           "are split the usual way, as DeepRecSched chooses, and in the best way there is? The "
           "paper is Gupta et al., \"DeepRecSys: A System for Optimizing End-To-End At-Scale "
           "Neural Recommendation Inference\", ISCA 2020. Everything below is simulated; the costs "
           "of the models are fitted to single requests only, never to a result on this page "
           f"({calibration_link()}).", "",
           "```", "scripts/paper.sh            # runs every study below and writes this page",
           "scripts/paper.sh --quick    # two models, coarser: does every step work?", "```", "",
           f"{len(models)} models, {len(main.labels('target'))} targets, "
           f"{len(main.labels('platform'))} servers: {n_points} points, each searched by "
           f"{', '.join(main.policies)}. Sizes are `production`, arrivals Poisson, every queue "
           "must be stable. A rate is a bracket: the largest that was shown to be held and the "
           f"smallest that was shown to be missed, {tables.percent(main.bracket_frac())} % apart "
           "in the median."]
    if len(models) < 8:
        out += ["", f"**This is a short run, over {len(models)} of the eight models "
                f"({', '.join(models)}).** Its means cannot be compared with the paper's."]
    return out + ["", "## Summary of the comparison", "", *in_short(studies), "", "## What was run", "",
                  *how_long(studies)]


def in_short(studies):
    main, out = studies["paper"], []
    means = tables.mean_rows(main)
    for metric, (title, *_) in facts.METRICS.items():
        mine = [r for r in means if r["metric"] == metric]
        if metric == "cpu" and "tables" in studies:
            out.append("- " + experiments.range_words(studies))
        out.append(f"- {title}: mean gain over static " + ", ".join(
            f"{tables.times(r['arithmetic'])}x ({r['target']}; paper {r['paper']}x, "
            f"{100 * r['deviation_frac']:+.0f} %)" for r in mine) + ".")
    near = sum(abs(r["deviation_frac"]) <= facts.FAR_FRAC for r in means)
    out.append(f"- {near} of {len(means)} means are within {100 * facts.FAR_FRAC:.0f} % of the "
               "paper's; for the others, [what the paper's "
               "figures would need](#what-the-papers-figures-would-need).")
    out.append(f"- DeepRecSched is within 3 % of exhaustive in {tables.near_words(main)}.")
    verdicts = list(experiments.together(studies).values())
    out.append(f"- Of the paper's {len(verdicts)} directions, " + ", ".join(
        f"{verdicts.count(v)} {v}" for v in ("confirmed", "mixed", "refuted",
                                             experiments.UNDECIDED)) +
        " ([which](#the-papers-directions-tested)).")
    return out


def how_long(studies):
    rows = []
    for name, study in studies.items():
        rows.append([f"[{STUDIES[name]}](../slurm/studies/{STUDIES[name]})", len(study.points),
                     ", ".join(study.policies), tables.percent(study.bracket_frac()),
                     f"{study.run['n_queries'] / 1e6:.0f}", int(study.run["n_ranks"]),
                     f"{study.run['wall_s']:.0f}"])
    total = sum(s.run["wall_s"] for s in studies.values())
    rows.append(["together", "", "", "", "", "", f"{total:.0f}"])
    main = studies["paper"]
    revision = text(main.run["git_revision"]) or "unknown"
    return tables.table(["study", "points", "policies", "bracket %", "million queries", "ranks",
                         "wall s"], rows) + \
        ["", f"recfleet at revision {revision}, seed {main.seed}. "
         "All but the wall times is the same on every machine and on any number of ranks."]


def trust():
    return ["## Where the paper's figures are from", "",
            "The paper's text could not be had. Each of its figures carries a tag that says where "
            "it is from; a figure that is only recalled is something to compare with, not a "
            "truth.", "",
            *tables.table(["tag", "means"], [[k, v] for k, v in facts.TAGS.items()])]


def static_batches(main):
    """ "B = 25 on skylake, ..." """
    found = {}
    for point, outcome in main.all("static"):
        found[point["platform"]] = outcome.batch_items
    return ", ".join(f"B = {b} on {facts.PLATFORM_TITLES.get(p, p)}" for p, b in found.items()
                     if p != facts.GPU)


def mean_section(studies, pictures, where):
    main = studies["paper"]
    out = ["## Mean gains", "",
           "Gains are those of DeepRecSched over `static`, which splits the largest query over all "
           f"cores ({static_batches(main)}) and uses no accelerator. With the accelerator, too, "
           "the baseline is the CPU alone, for QPS/W with the power of the CPU alone. One model "
           "can carry an arithmetic mean, so the largest gain is given with it.", "",
           *tables.means(main), "", *tables.unreachable(main), ""]
    return out + [f"![{name}]({where}/{name})" for name in pictures if name.startswith("gain-")]


def points_section(studies):
    main = studies["paper"]
    out = ["## Every point", "",
           "`held .. missed` QPS. Gains are over the static column. Gap: how far DeepRecSched is "
           "below exhaustive; below zero, its finer steps found more. Share: items that go to the "
           "accelerator. Choices: how many (B, T) DeepRecSched looked at, of those that exhaustive "
           "did."]
    for platform in main.labels("platform"):
        title = facts.PLATFORM_TITLES.get(platform, platform)
        title += " (not calibrated)" if platform == facts.BROADWELL else ""
        out += ["", f"### {title}", "", *tables.main_table(main, platform)]
    return out


def choices_section(studies, pictures, where):
    main = studies["paper"]
    out = ["## The best batch", "",
           "B of DeepRecSched (of exhaustive), in items per request.", "",
           *tables.batches(main, studies.get("batch")), ""]
    out += [f"![{name}]({where}/{name})" for name in pictures if name.startswith("batch-")]
    return out + ["", "### Broadwell against Skylake", "",
                  "The optimum of DeepRecSched on both, and what it serves. Broadwell is not "
                  "calibrated: no time of it was measured, all of its values are rules and "
                  "guesses, and the differences below are theirs.", "",
                  *tables.two_servers(main), "",
                  "## The accelerator's share", "",
                  "Items that DeepRecSched sends to the GTX 1080 Ti, and its threshold T. The "
                  "paper: near 100 % at the strictest targets, about 20 % at relaxed ones "
                  "(recalled, medium).", "",
                  *tables.shares(main), "", f"![share.svg]({where}/share.svg)"]


def costs_section(studies):
    out = ["## Roofline and measured tables", ""]
    if "tables" not in studies:
        return out + missing("tables", "The roofline and the measured tables side by side")
    return out + [
        "The same tuner over the eight models as the public repository configures them, on 40 "
        "cores: by the roofline of the Skylake, and by the measured times of `zen5-2core`, "
        "another CPU, kept as they are (59-paper-tables.yaml; no accelerator was measured there). "
        "Neither was fitted to a gain. They are two readings of what the paper's machine did, and "
        "no measurement of that machine says which is nearer, so its gain is a range.", "",
        *tables.two_costs(studies["tables"])]


def missing(name, words):
    return [f"{words}: not run ({STUDIES[name]})."]


def sizes_section(studies):
    out = ["## Tuned on the wrong sizes", ""]
    if "lognormal" not in studies:
        return out + missing("lognormal", "QPS lost when tuned on lognormal sizes")
    return out + [
        "B and T chosen on lognormal(5.1, 0.2), then measured on production sizes, against B and T "
        "chosen on production sizes (52-paper-lognormal.yaml). `unreachable`: what was chosen "
        "misses the target on production sizes at any rate, so all is lost.", "",
        *tables.tuned_on_lognormal(studies["lognormal"])]


def quality_section(studies):
    main = studies["paper"]
    wall = main.run["wall_s"]
    return ["## DeepRecSched against exhaustive", "",
            f"- The grid took {wall:.0f} s of wall time on {int(main.run['n_ranks'])} ranks "
            "(bar: 600 s on two cores).", *tables.quality(main), "",
            "A bound is the rate at which some queue is busy all the time; no run is needed to "
            "know that a choice with a low bound cannot win. It saves exhaustive most of its runs, "
            "so the share of choices looked at and the share of queries simulated differ."]


def direction_section(studies):
    return ["## The paper's directions, tested", "",
            "Each claim is counted over pairs of points. Confirmed: more than half of the pairs go "
            "the paper's way and at most a tenth against it. Refuted: more go against it than its "
            "way, or at most a tenth its way. Mixed: neither. A loss of QPS counts from 2 %. Not "
            "decided: what is said of Broadwell, of which nothing was measured; its points count "
            "in no other direction.", "", *experiments.directions(studies)]


def experiment_section(studies):
    far = experiments.far_rows(studies)
    out = ["## What the paper's figures would need", "",
           f"{len(far)} of {len(tables.mean_rows(studies['paper']))} means differ from the paper's "
           f"by more than {100 * facts.FAR_FRAC:.0f} %. Each experiment changes one thing for all "
           "models at once and tunes anew. None of them is our result; they say what the paper's "
           "figure would need.", "",
           "- Cores, accelerator, fixed times: scaled (54-paper-cores.yaml, "
           "55-paper-accelerator.yaml, 56-paper-fixed.yaml).",
           "- Static baseline: another B in place of 25 (53-paper-batch.yaml). The tuned server "
           "stays as it is.",
           "- Conversion: two defects of the public code (57-paper-conversion.yaml). D4: Python "
           "lists become arrays inside the timed part, about 59 ns an index (Kairos, HPDC 2023, "
           "public measurements). D3: every CPU request converts the whole stored input of 1024 "
           "items.", "",
           "Arithmetic means; in brackets the number of models where it is not all, because the "
           "others have no baseline there, no answer, or a bracket wider than "
           f"{100 * WIDEST_FRAC:.0f} %. Such a mean is over other models, so it is not "
           "interpolated.", ""]
    rows = experiments.experiment_rows(studies)
    out += experiments.experiment_table(studies, rows)
    if far:
        out += ["", "The value that would give the paper's mean, by interpolation (straight in the "
                "logarithms of both); `none in a .. b: x .. y`: between those values the mean "
                "stays within x .. y.", "", *experiments.needed_table(studies, rows)]
    return out + experiments.card(studies, ROOT) + experiments.nameplate(studies, ROOT)


def reference_section(studies):
    out = ["## The public code's controller", ""]
    if "reference" not in studies:
        return out + missing("reference", "The reference's controller compared with ours")
    return out + [
        "The policy `reference` is the random walk of the public DeepRecSys code (scheduler.py), "
        "on the server that it assumes. It steps over gaps of 1 to 20 ms, so it cannot claim more "
        "than 1000 or less than 50 queries per second; 64 answers decide a step, one comparison "
        "ends its climb; and its first threshold is never applied (58-paper-reference.yaml). Its "
        "choice is then measured by our search.", "", *tables.reference_table(studies["reference"])]


def data_section(pictures, where):
    return ["## Files with all numbers", "",
            f"- [outcomes.csv]({where}/outcomes.csv): every point and policy of the main grid",
            f"- [batch.csv]({where}/batch.csv): QPS against B",
            f"- [means.csv]({where}/means.csv): the mean gains",
            f"- [experiments.csv]({where}/experiments.csv): the means of every experiment",
            "- the tuning files hold every point that was simulated on the way "
            "([docs/results.md](results.md))"]


def document(studies, pictures, where):
    parts = [opening(studies), mean_section(studies, pictures, where), costs_section(studies),
             experiment_section(studies),
             direction_section(studies), choices_section(studies, pictures, where),
             sizes_section(studies), quality_section(studies), reference_section(studies),
             points_section(studies), trust(), data_section(pictures, where)]
    lines = [line.rstrip() for part in parts for line in [*part, ""]]
    return "\n".join(lines[:-1]) + "\n"


def read_studies(folder):
    studies = read_tunings(folder, STUDIES, "paper", "paper")
    main = studies["paper"]
    lacking = {"model", "target", "platform"} - set(main.axes)
    if lacking:
        sys.exit(f"paper.py: {folder / 'paper.h5'} has no axis {', '.join(sorted(lacking))}; "
                 "expected a tuning of 50-paper.yaml")
    main.bounds = {m: facts.bound_of(ROOT, m) for m in main.labels("model")}
    return studies


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, path = map(pathlib.Path, sys.argv[1:])
    studies = read_studies(folder)
    pictures = save_data(studies, path.with_suffix(""))
    written = path.with_suffix(".tmp")
    written.write_text(document(studies, pictures, path.stem), encoding="utf-8")
    os.replace(written, path)


if __name__ == "__main__":
    main()
