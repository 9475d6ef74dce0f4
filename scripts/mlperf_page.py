# SPDX-License-Identifier: Apache-2.0
"""docs/mlperf.md and its rows.csv. Rows are those of the record (dicts) with what was predicted:
`classes`, `constants`, `found` (quantile -> ms) and perhaps `max_qps`."""

import csv
import statistics

import mlperf_model as model
import mlperf_steps as steps
from paper_tables import NONE, num, percent, table

QUANTILES = ("p50", "p90", "p95", "p97", "p99")
TRUSTED = ("A", "B")

INTRO = """# MLPerf Inference: predicted next to published

<!-- Written by scripts/mlperf.sh: edit scripts/mlperf_page.py. -->

MLPerf Inference publishes, for some 150 systems that serve DLRM, the throughput of the Offline scenario, the latencies of the Server scenario and the configuration of batches, buffers and threads. Servers that batch are simulated rightly if the second follow from the first and the third. Here they are predicted so, row by row.

**Unofficial.** The published numbers are from MLPerf Inference rounds v0.7, v1.1, v2.1, v3.0, v4.1 and v5.1, retrieved from the repositories `mlcommons/inference_results_*`; each row of [70-mlperf.csv](../slurm/studies/70-mlperf.csv) names its file. The predictions are ours and not verified by MLCommons Association. The MLPerf name and logo are registered and unregistered trademarks of MLCommons Association in the United States and other countries.

`scripts/mlperf.sh` makes this page in minutes. A system of your own is a line of a CSV file with the same columns: `scripts/mlperf.sh --rows FILE` predicts it with the constants below, and fits nothing.

## What is simulated

[70-mlperf.yaml](../slurm/studies/70-mlperf.yaml) is the first such study. Queries arrive as LoadGen sends them: Poisson, sizes from MLPerf's list of 100 to 700 pairs, latency counted from the scheduled time. An item is a hundred pairs. What a row becomes is in `scripts/mlperf_model.py`, which reads neither a latency nor a name of a system:

- **A GPU's batch** of *n* items takes S(*n*) = *fixed* + sqrt(*small*² + (*n* *t*)²), with *t* such that a batch of the Offline size gives the Offline rate. Copies from the host overlap computations, at the link's speed of the GPU's family (12 GB/s: T4 and RTX; 50: Hopper; 250: NVLink-C2C; else 24).
- **Inputs in GPU memory**: one queue for all GPUs (`policy: batch`, greedy, `accel_items` the published batch size), `in_flight` the bundles of all of them, one stream per GPU.
- **Inputs in host memory**: a queue and its GPUs per batch maker of the harness (one per issuing thread or GPU from v4.1 on, before that one per NUMA node of the configuration), round robin. A buffer that is closed before it is full has its last copies still to come. Until they are there the GPU's thread waits, and while it waits every query closes a buffer of its own, up to the number of staging buffers: batches of a query or two, each of which costs a whole S. The time of a batch that was not full has theirs on top: the rate times *lag*, and the copy of a query at 8 GB/s, of them.
- **CPU, Intel's Python harness**: an instance is a core of the simulated server and takes one query at a time from one queue (`policy: pull`). A query's time is affine in its size and gives the Offline rate with all instances busy. It is in the queue three arrivals after it came, when its slot is sent.
- **CPU, batches that are filled** (v2.1; v3.0 in C++): `policy: batch`, which waits for a full batch however long, one queue per socket or one.
- **MIG** and **Triton** rows run by the rules of host rows, Triton with its published `max_queue_delay`.

Assumed where a row publishes nothing: 2 bundles, 4 staging buffers, the Offline batch as large as the Server's. What was known of each row (`config_trust`) is in the table of all rows: A and B are trusted, C and D are not scored.
"""

TRIED = """Other forms that were tried, on all trusted rows with one set of constants: a batch time that is affine, p50 of v2 rows with inputs in the GPU 16 % off at best (fixed 0.2 ms; 47 % at 0.25, 51 % at 0.1); v2 rows from host memory without tiny batches, 50 % at p50 and 53 % at p99 (a fixed time per copy of 0.1 to 0.8 ms changes nothing), with them 10.7 to 15.4 % for a lag of 25 to 100 us, copies included; v1 rows with the tiny batches of a maker all on one GPU, 165 % at p50 from host memory, Triton 46 %. CPU with 0 to 30 % of a mean query fixed and capacity 1: 12.8, 12.3, 11.7, 10.5, 8.7, 10.5 % at p50 (0, 2, 5, 10, 20, 30 %). The values round which the table's are taken, 0.2 and 0.35 ms for v2 and 0.1 and 0.1 ms for v1, come from an earlier small model that was fitted to the same rows."""

MISSING = """## What is not modelled, and why

- **The staging stage as queries see it.** Tiny batches are a fixed time on top of their predecessor, not batches with queries of their own, and copies into buffers take no time of the queries'. This is why host rows at half load (ESC8000A, L40S at 73 %) come out slow: where a GPU is often idle its thread waits without anything being queued.
- **DLRM v1 from host memory**: one LoadGen thread sends up to 2.7 million queries per second through one or two batch makers that feed up to 21 GPUs. What that thread, its sleep (55 µs too long by Linux' default) and the copies through shared host memory cost is not published.
- **Triton**: front-end threads that gather queries with timed tries, then Triton's own queue; its stack sets the latency, not its batching.
- **A rate at or beyond the Offline rate.** Some Server results exceed what their own Offline run allows. Then Offline is no calibration, and the prediction is a queue that grows.
- **Near saturation** 1 % of capacity is 10 to 30 % of latency; Offline runs repeat no better than that.
- **p99.9, and p99 of v1 and CPU rows**: start-up and stragglers of 50 to 160 ms, in no published setting.
- Neither power caps that change over a run, nor what other sockets' memory costs.
- p97 is not recorded by a simulation; it is taken from p95 and p99 on an exponential tail.
"""


def bundles_part(rows):
    """Rows with inputs in the GPU, once more with bundles of each GPU's own."""
    of = [row for row in rows if row["classes"] == "device-v2"]
    if not of:
        return []
    own = [{**row, "found": steps.quantiles(row, row["constants"], QUANTILES)} for row in of]
    cells = [[title_of(row), row["benchmark"].replace("dlrm-", ""),
              *(f"{num(row['found'][q], 3)} / {num(mine['found'][q], 3)} / "
                f"{num(float(row[f'{q}_ms']), 3)}" for q in QUANTILES)]
             for row, mine in zip(of, own)]
    medians = [["median error %", "", *(f"{one_error(of, q)} / {one_error(own, q)} / -"
                                        for q in QUANTILES)]]
    return ["## What the scheduler lacks: bundles of each GPU's own", "",
            "In the harness a GPU takes what waits as soon as one of *its* bundles is free. "
            "`in_flight` of the simulated server counts batches of all GPUs together, and a batch "
            "goes to the GPU that is free first. `scripts/mlperf_steps.py` has the harness's loop in "
            "plain Python, with the same batch times and constants. Simulated by recfleet / step by "
            "step / published, in ms:", "",
            *table(["system", "benchmark", *QUANTILES], cells + medians), ""]


def off(row, quantile):
    return abs(row["found"][quantile] / float(row[f"{quantile}_ms"]) - 1)


def title_of(row):
    return f"{row['submitter']} {row['system']}"


def one_error(rows, quantile):
    return percent(statistics.median(off(row, quantile) for row in rows)) if rows else NONE


def rates(rows):
    """Predicted largest valid rate over the submitted one: |median error|, median, 10th and 90th."""
    ratios = sorted(row["max_qps"] / float(row["server_scheduled_qps"])
                    for row in rows if "max_qps" in row)
    if not ratios:
        return [NONE, NONE]
    at = [ratios[min(len(ratios) - 1, int(len(ratios) * part))] for part in (0.1, 0.9)]
    return [f"{statistics.median(ratios):.3f}", f"{at[0]:.2f} .. {at[1]:.2f}"]


def by_class(rows):
    lines = []
    for name, title in model.CLASSES.items():
        of = [row for row in rows if row["classes"] == name and row["config_trust"] in TRUSTED]
        if of:
            lines.append([title, len(of), *(one_error(of, q) for q in QUANTILES), *rates(of)])
    head = ["class", "rows", *(f"{q} %" for q in QUANTILES), "largest rate / submitted",
            "10 .. 90 %"]
    return ["## By class", "",
            "Medians of |predicted / published - 1| over trusted rows; a -99.9 row that is the very "
            "run of the -99 row counts once. The largest valid rate is the predicted one whose p99 "
            "is the target; submitters choose theirs somewhat below what they could.", "",
            *table(head, lines), ""]


def floor(everything):
    lines = []
    for kind in ("gpu", "cpu"):
        for run in ("TEST05", "TEST01"):
            cells = []
            for q in ("p50", "p90", "p99"):
                both = [(row[f"rep_{run}_{q}_ms"], row[f"{q}_ms"]) for row in everything
                        if row["kind"] == kind and row.get(f"rep_{run}_{q}_ms")]
                cells.append(percent(statistics.median(abs(float(a) / float(b) - 1)
                                                       for a, b in both)) if both else NONE)
            lines.append([kind.upper(), run, *cells])
    return ["## How well the systems repeat themselves", "",
            "The compliance runs are the same system at the same rate once more. Median difference "
            "of them to the run that counts, in %: no prediction can be held to less.", "",
            *table(["systems", "run", "p50", "p90", "p99"], lines), ""]


def constants_part(constants, tries):
    lines = ["## Constants", "",
             "Shared by all systems of a family. The prediction of a row uses those that fit the "
             "other systems best, this one left out under all its results; the values below are "
             "those of all together, which `--rows` uses.", ""]
    lines += table(["family", "classes", "constants"],
                   [[family, ", ".join(model.FAMILIES[family][0]), words(of)]
                    for family, of in constants.items()])
    if not tries:
        return lines + [""]
    lines += ["", "Every fit that was tried, by the median over scored rows (MIG and Triton are "
              "not) of the mean |ln(predicted / published)| at p50, p90 and p95:", ""]
    cells = [[family, words(of), f"{100 * value:.1f} %"]
             for family, tried in tries.items() for of, value in tried]
    return lines + table(["family", "constants", "error"], cells) + ["", TRIED, ""]


def words(constants):
    return " ".join(f"{name}={value:g}" for name, value in constants.items())


def pair(row, quantile):
    return f"{num(row['found'][quantile], 3)} / {num(float(row[f'{quantile}_ms']), 3)}"


def all_rows(everything, rows):
    lines = ["## Every row", "",
             "Predicted / published, in ms. Load: Server rate over Offline rate. Rate: the largest "
             "valid one, predicted over submitted.", ""]
    for name, title in model.CLASSES.items():
        of = [row for row in rows if row["classes"] == name]
        if not of:
            continue
        cells = [[row["round"], title_of(row), row["benchmark"].replace("dlrm-", ""),
                  row["config_trust"],
                  f"{float(row['server_scheduled_qps']) / float(row['offline_qps']):.2f}",
                  *(pair(row, q) for q in QUANTILES),
                  f"{row['max_qps'] / float(row['server_scheduled_qps']):.2f}"
                  if "max_qps" in row else NONE, words(row["constants"])] for row in of]
        lines += [f"### {title}", "",
                  *table(["round", "system", "benchmark", "trust", "load", *QUANTILES, "rate",
                          "constants"], cells), ""]
    left_out = sorted({title_of(row) for row in everything if row["classes"] is None})
    if left_out:
        lines += ["Without a prediction, as the configuration is not published or there is no model "
                  "of such hardware: " + ", ".join(left_out) + ".", ""]
    return lines


def document(everything, rows, constants, tries):
    lines = [*by_class(rows), *floor(everything), *bundles_part(rows), MISSING, *constants_part(constants, tries),
             *all_rows(everything, rows)]
    return INTRO + "\n" + "\n".join(lines).rstrip("\n") + "\n"


def write_rows(path, rows):
    keys = ["round", "submitter", "system", "benchmark", "config_trust", "class", "constants",
            "server_scheduled_qps", "offline_qps", "largest_qps"]
    keys += [f"{what}_{q}_ms" for q in QUANTILES for what in ("predicted", "published")]
    with open(path, "w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, [*keys, "server_log"], lineterminator="\n",
                             extrasaction="ignore")
        out.writeheader()
        for row in rows:
            line = {**row, "class": row["classes"], "constants": words(row["constants"])}
            if "max_qps" in row:
                line["largest_qps"] = f"{row['max_qps']:.6g}"
            for q in QUANTILES:
                line[f"predicted_{q}_ms"] = f"{row['found'][q]:.4g}"
                line[f"published_{q}_ms"] = row[f"{q}_ms"]
            out.writerow(line)
