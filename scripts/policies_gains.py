# SPDX-License-Identifier: Apache-2.0
"""Gains of queues over the best (B, T), from the tuning files of scripts/policies.sh.

The axis `scheduler` of those studies has the labels `split`, POLICY (first come first served) and
POLICY-ORDER. What is compared is read off the file, so a scheduler that a study gains gets its rows
and columns without a word here.

    queues(study)              all but `split`
    pulling(study)             those of them that cores and accelerator take from: all but `batch`
    gain(study, "pull", model="wnd", target="medium")
"""

import csv
import math

from paper_tables import NONE, num, times
from paper_tuning import geometric, narrow

STUDIES = {"pull": "71-pull.yaml", "rule": "75-pull-stress.yaml", "tables": "72-pull-tables.yaml",
           "accelerator": "73-pull-accelerator.yaml", "sizes": "74-pull-sizes.yaml",
           "stress": "75-pull-stress.yaml"}
SEARCHES = ("deeprecsched", "exhaustive")
SPLIT, BATCH, FCFS = "split", "batch", "fcfs"
MAIN_TARGET = "medium"
ACCEL_ITEMS = 8000  # A where it is not tuned


# ---- which schedulers ---------------------------------------------------------------------------

def policy_of(label):
    return label.partition("-")[0]


def order_of(label):
    return label.partition("-")[2] or FCFS


def queues(study):
    return [s for s in study.labels("scheduler") if s != SPLIT]


def pulling(study):
    return [q for q in queues(study) if policy_of(q) != BATCH]


def in_turn(study):
    """First come first served."""
    return [q for q in pulling(study) if order_of(q) == FCFS]


def best_order(study):
    """Of the queues with another order, the one that gains most at the main target; None: there is
    none."""
    others = [q for q in pulling(study) if order_of(q) != FCFS]
    at = {"target": MAIN_TARGET} if study.labels("target") else {}
    gains = {q: mean([gain(study, q, model=m, **at) for m in study.labels("model")])
             for q in others}
    known = [q for q in others if not math.isnan(gains[q])]
    return max(known, key=gains.get, default=None)


def compared(study):
    """`split`, the queues first come first served, and the best of the other orders."""
    order = best_order(study)
    return [SPLIT, *in_turn(study), *([order] if order else [])]


def settings_of(label, **values):
    """A group's `scheduler` in a study."""
    if label == SPLIT:
        return {"policy": "fixed", "batch_items": values["batch_items"],
                "offload_items": values["offload_items"]}
    out = {"policy": policy_of(label), "batch_items": values["batch_items"],
           "accel_items": values["accel_items"]}
    if order_of(label) != FCFS:
        out["order"] = order_of(label)
    return out


# ---- what they gain -----------------------------------------------------------------------------

def found(outcome):
    return outcome is not None and narrow(outcome)


def best(tuning, policies=SEARCHES, **at):
    """The answer of the searches that holds most; None where none holds anything."""
    answers = [tuning.get(p, **at) for p in policies]
    return max((a for a in answers if a is not None and a.found), key=lambda a: a.qps, default=None)


def gain(tuning, scheduler, policies=SEARCHES, **at):
    """Over the best (B, T), with the same labels; NaN where either holds nothing."""
    over = best(tuning, policies, scheduler=scheduler, **at)
    under = best(tuning, SEARCHES, scheduler=SPLIT, **at)
    return over.qps / under.qps if found(over) and found(under) else math.nan


def most(tuning, schedulers, **at):
    """The gain of whichever of them is best."""
    return largest([gain(tuning, s, **at) for s in schedulers])


def largest(values):
    return max((v for v in values if not math.isnan(v)), default=math.nan)


def mean(values):
    """Geometric, of what is known."""
    return geometric([v for v in values if not math.isnan(v)])


def mean_cell(values):
    """With the number of models behind it, where some have no answer."""
    n = sum(not math.isnan(v) for v in values)
    return times(mean(values)) + (f" ({n})" if 0 < n < len(values) else "")


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


# ---- ceilings -----------------------------------------------------------------------------------

def read_ceiling(folder):
    """{(model, target): row} of what policies_ceiling.py wrote."""
    path = folder / "ceiling.csv"
    if not path.exists():
        return {}
    with open(path, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {(r["model"], r["target"]): {k: v if k in ("model", "target") else float(v)
                                        for k, v in r.items()} for r in rows}


def ceiling_gain(study, ceiling, model, target):
    under = best(study, scheduler=SPLIT, model=model, target=target)
    top = ceiling.get((model, target))
    return (top["cpu_qps"] + top["accel_qps"]) / under.qps if found(under) and top else math.nan


def rule_gain(studies, scheduler, model, target):
    """Of the queue with the B of the rule, over the best (B, T)."""
    over = studies["rule"].get("fixed", server=f"{model}/{target}/{scheduler}") \
        if "rule" in studies else None
    under = best(studies["pull"], scheduler=SPLIT, model=model, target=target)
    return over.qps / under.qps if found(over) and found(under) else math.nan
