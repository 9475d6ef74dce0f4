#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""policies_ceiling.py RECFLEET STUDY OUT.csv: what no scheduler of merged queries can exceed.

Per model and target of STUDY's sweep: the requests of the cores and the batches of the accelerator
that take the least time per item and yet no longer than the target, with every core and the
accelerator busy all the time and no query ever waiting. Times are those that `recfleet check` says
of queries of one fixed size, so they are the cost model's own. `rule_items` is the request that a
rule chooses without any search: the smallest within 3 % of the least time per item of those that
take no longer than 0.6 of the target on a busy core.
"""

import csv
import functools
import json
import subprocess
import sys

import yaml

RECFLEET, STUDY, OUT = sys.argv[1:4]
RULE_FRAC, NEAR_FRAC = 0.6, 0.03
RATE_QPS = 0.001   # little enough that no load is beyond 1
CORES = [2 ** (i / 2) for i in range(21)]          # items of a request: 1 .. 1000
BATCHES = [250 * 2 ** (i / 2) for i in range(17)]  # of a batch: 250 .. 64000


@functools.cache
def check(*settings):
    command = [RECFLEET, "check", STUDY, "--format", "json"]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    tables = json.loads(done.stdout)["tables"]
    return {t["table"]: t["rows"] for t in tables}


def point(model, target, *more):
    return (f"traffic[0].model={model}", f"traffic[0].sla={target}", "sweep=null",
            "traffic[0].rate=" + f"{RATE_QPS}qps", *more)


@functools.cache
def cost_s(model, items, on_accelerator):
    """Seconds of one request with all cores busy, or of one batch with its loading."""
    scheduler = f"{{policy: fixed, batch_items: {items}, offload_items: {int(on_accelerator)}}}"
    rows = check(*point(model, "medium", f"traffic[0].sizes={{distribution: fixed, items: {items}}}",
                        f"fleet.groups[0].scheduler={scheduler}"))
    group = rows["groups"][0]
    if on_accelerator:
        return group["accelerator_frac"] / RATE_QPS
    return group["cpu_busy_frac"] * cores() / RATE_QPS


@functools.cache
def cores():
    listed = subprocess.run([RECFLEET, "check", STUDY, "--resolved"], capture_output=True,
                            text=True, check=True).stdout
    return yaml.safe_load(listed)["fleet"]["groups"][0]["cores"]


def best(model, sizes, target_s, on_accelerator):
    """(items per second, items, seconds) of the size with the least time per item that fits."""
    fits = [(n / cost_s(model, n, on_accelerator), n, cost_s(model, n, on_accelerator))
            for n in map(round, sizes) if cost_s(model, n, on_accelerator) <= target_s]
    return max(fits, default=(0, 0, 0))


def rule(model, target_s):
    fits = [(n / cost_s(model, n, False), n) for n in map(round, CORES)
            if cost_s(model, n, False) <= RULE_FRAC * target_s]
    return min((n for rate, n in fits if rate >= (1 - NEAR_FRAC) * max(fits)[0]), default=1)


def main():
    with open(STUDY, encoding="utf-8") as file:
        sweep = yaml.safe_load(file)["sweep"]
    axes = {axis["axis"]: axis.get("values") for axis in sweep}
    rows = []
    for model in axes["model"]:
        for target in axes["target"]:
            service = check(*point(model, target))["services"][0]
            mean, sla_s = service["mean_items"], service["sla_s"]
            cpu_rate, cpu_items, cpu_s = best(model, CORES, sla_s, False)
            accel_rate, accel_items, accel_s = best(model, BATCHES, sla_s, True)
            rows.append({"model": model, "target": target, "target_s": sla_s,
                         "cpu_qps": cores() * cpu_rate / mean, "cpu_items": cpu_items,
                         "cpu_s": cpu_s, "accel_qps": accel_rate / mean,
                         "accel_items": accel_items, "accel_s": accel_s,
                         "rule_items": rule(model, sla_s)})
    with open(OUT, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


if __name__ == "__main__":
    main()
