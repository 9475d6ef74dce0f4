# SPDX-License-Identifier: Apache-2.0
"""docs/mlperf.md and its rows.csv. Rows are those of the record (dicts) with what was predicted:
`classes`, `constants`, `found` (quantile -> ms) and perhaps `max_qps`."""

import csv
import math
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

- **A GPU's batch** of *n* items takes S(*n*) = *fixed* + sqrt(*small*² + (*n* *t*)²), with *t* such that a batch of the Offline size gives the Offline rate. Copies from the host overlap computations, at the link's speed of the GPU's family (12 GB/s: T4, V100 and RTX; 50: Hopper and B200; 250: NVLink-C2C; else 24).
- **Inputs in GPU memory**: one queue for all GPUs (`policy: batch`, greedy, `accel_items` the published batch size), a stream for each of them, `in_flight` the published bundles and `in_flight_per: stream`: a GPU takes what waits as soon as one of its bundles is free, the one that has waited longest first.
- **Inputs in host memory**: a queue and its GPUs per batch maker of the harness (one per issuing thread or GPU from v4.1 on, before that one per NUMA node of the configuration), round robin. A buffer that is closed before it is full may have copies under way. Until the last is there and has woken it, the GPU's thread waits, and while it waits every query closes a buffer of its own, up to the number of staging buffers: batches of a query or two, each of which costs a whole S. Queries come at random at the rate of a maker, each is copied by a thread of its own, 4 µs and then 8 GB/s; that gives the time until no copy is under way, and *wake* comes after it. The time of a batch that was not full has that of its tiny batches on top.
- **CPU, Intel's Python harness**: an instance is a core of the simulated server and takes one query at a time from one queue (`policy: pull`). A query's time is affine in its size, grows with the instances that are busy (they share memory: *contention*), and gives the Offline rate with all of them busy. It is in the queue three arrivals after it came, when its slot is sent; where the limit is 200 pairs most queries fill their slot to the pair and are sent at once. The answer is with LoadGen *reply* later, through a queue and threads of Python.
- **CPU, batches that are filled** (v2.1; v3.0 in C++): `policy: batch`, which waits for a full batch however long, one queue per socket or one.
- **Triton**: as its front end's source says, two threads gather requests of at most 93 % of a batch, each for 4 ms at most; Triton merges them until the next does not fit or for `max_queue_delay` (published, else 1 s). `policy: batch` with that many items and that delay; what two threads in place of one, Triton's wait for the next request and a copy over one GPU's link take beyond that is a constant. Nothing in it is fitted but the batch time.
- **MIG** rows run by the rules of host rows.

Assumed where a row publishes nothing: 2 bundles, 4 staging buffers, the Offline batch as large as the Server's. What was known of each row (`config_trust`) is in the table of all rows: A and B are trusted, C and D are not scored.
"""

TRIED = """Other forms that were tried, on trusted rows with one set of constants (median error of p50, p90, p95, p97, p99 in %):

- v2 rows with inputs in the GPU, bundles that belong to no GPU (a batch goes to the GPU that is free first): 8.5, 10.0, 10.2, 10.0, 9.8.
- v2 rows from host memory with tiny batches as if a copy were always under way, for a wake of 0, 10, 20, 30, 50 µs: 10.1, 10.4, 11.6, 11.6, 16.0 at p50 and 12.5, 6.7, 8.8, 13.1, 8.4 at p99; without tiny batches 50 and 53. With LoadGen's sleep 55 µs too long, so that queries come in bursts: 13.8, 12.7, 10.4, 5.8 at p50 and 23, 23, 20, 14 at p99 (10, 20, 30, 50 µs). v1 rows likewise: 55 to 60 at p50, where the rows of A100 come out at a third and those of L40 at twice what was published.
- v1 rows from host memory with the tiny batches of a maker all on one GPU: 129 to 177 at p50.
- Triton by the rules of host rows, as if it had no front end: 63, 68, 70, 74, 78.
- CPU with 2 % less capacity than Offline, a fixed part of 0 to 20 % and neither contention nor reply: 6.7, 8.8, 13.8, 11.6, 6.4. That is refuted by the record: two systems hold 98.4 and 98.8 % of their Offline rates. A spread of service times (cv 0.05): p97 and p99 a little better, p50 no better.

The values round which the table's of v2 are taken, 0.2 and 0.35 ms, come from an earlier small model that was fitted to the same rows."""

MISSING = """## What is not modelled, and why

- **The staging stage as queries see it.** Tiny batches are a fixed time on top of their predecessor, not batches with queries of their own, and copies into buffers take no time of the queries'.
- **DLRM v1 from host memory**: one LoadGen thread sends up to 2.7 million queries per second through one or two batch makers that feed up to 21 GPUs. What that thread, its sleep (55 µs too long by Linux' default) and the copies through shared host memory cost is not published.
- **A rate at or beyond the Offline rate.** Some Server results exceed what their own Offline run allows. Then Offline is no calibration, and the prediction is a queue that grows, which counts as wrong without bound. Below 98 % of Offline the medians at p50, p90 and p95 of v1 rows are 34, 30 and 16 % (inputs in the GPU, 8 of 17 rows) and 46, 29 and 20 % (host memory, 42 of 46).
- **Why a submitter stops where it does.** The p99 target is far above the latency of a system that keeps up, so the largest rate is close to what batches of the largest size allow: 99.6 to 100.4 % of Offline on CPU, 93 to 103 % on GPUs with DLRM-v2 inputs in host memory. Submitted were 87 to 99 % and 46 to 98 %.
- **Near saturation** 1 % of capacity is 10 to 30 % of latency; Offline runs repeat no better than that.
- **p99.9, and p99 of v1 and CPU rows**: start-up and stragglers of 50 to 160 ms, in no published setting.
- **Intel's 6980P** (GNR_128C, v4.1 GNR): up to 18 700 queries per second pass one Python process, whose threads share one lock. What that costs is not published.
- Neither power caps that change over a run, nor what other sockets' memory costs.
- p97 is not recorded by a simulation; it is taken from p95 and p99 on an exponential tail.
"""


def steps_part(rows):
    """Rows with inputs in the GPU, once more batch by batch."""
    of = [row for row in rows if row["classes"] == "device-v2" and is_trusted(row)]
    if not of:
        return []
    own = [{**row, "found": steps.quantiles(row, row["constants"], QUANTILES)} for row in of]
    apart = [percent(statistics.median(abs(row["found"][q] / mine["found"][q] - 1)
                                       for row, mine in zip(of, own))) for q in QUANTILES]
    cells = [["recfleet to step by step", *apart],
             ["recfleet to published", *(one_error(of, q) for q in QUANTILES)],
             ["step by step to published", *(one_error(own, q) for q in QUANTILES)]]
    return ["## Is it simulated as it is meant?", "",
            "`scripts/mlperf_steps.py` has the loop of NVIDIA's harness, inputs in GPU memory, in "
            "plain Python, written from its description, with the same batch times and constants and "
            "random queries of its own. Median differences, DLRM-v2 "
            f"rows with inputs in the GPU ({len(of)}), in %:", "",
            *table(["", *QUANTILES], cells), ""]


def is_trusted(row):
    """Is it scored? A file without the column says nothing against its rows."""
    trust = row.get("config_trust")
    return (trust is None or trust in TRUSTED) and \
        all((published(row, q) or 0) > 0 for q in QUANTILES)


def published(row, quantile):
    return model.number(row, f"{quantile}_ms")


def off(row, quantile):
    return abs(row["found"][quantile] / published(row, quantile) - 1)


def title_of(row):
    return " ".join(model.system_of(row)).strip() or NONE


def one_error(rows, quantile):
    return percent(statistics.median(off(row, quantile) for row in rows)) if rows else NONE


def rates(rows):
    """Predicted largest valid rate over the submitted one: median |error|, median, 10th and 90th."""
    ratios = sorted(row["max_qps"] / model.rate_qps(row) for row in rows if "max_qps" in row)
    if not ratios:
        return [NONE, NONE, NONE]
    at = [ratios[min(len(ratios) - 1, int(len(ratios) * part))] for part in (0.1, 0.9)]
    return [percent(statistics.median(abs(ratio - 1) for ratio in ratios)),
            f"{statistics.median(ratios):.3f}", f"{at[0]:.2f} .. {at[1]:.2f}"]


def by_class(rows):
    lines = []
    for name, title in model.CLASSES.items():
        of = [row for row in rows if row["classes"] == name and is_trusted(row)]
        if of:
            lines.append([title, len(of), *(one_error(of, q) for q in QUANTILES), *rates(of)])
    if not lines:
        return []
    head = ["class", "rows", *(f"{q} %" for q in QUANTILES), "largest rate, off by %",
            "over submitted", "10 .. 90 %"]
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
                both = [(model.number(row, f"rep_{run}_{q}_ms"), published(row, q))
                        for row in everything if model.word(row, "kind").lower() == kind]
                both = [abs(a / b - 1) for a, b in both if a and b]
                cells.append(percent(statistics.median(both)) if both else NONE)
            lines.append([kind.upper(), run, *cells])
    if all(cell == NONE for line in lines for cell in line[2:]):
        return []
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
    predicted = row["found"][quantile]
    said = "grows" if math.isinf(predicted) else num(predicted, 3)
    return f"{said} / {num(published(row, quantile), 3)}"


def all_rows(everything, rows):
    lines = ["## Every row", "",
             "Predicted / published, in ms; grows: the queue does, over the whole run. Load: Server "
             "rate over Offline rate. Rate: the largest valid one, predicted over submitted.", ""]
    for name, title in model.CLASSES.items():
        of = [row for row in rows if row["classes"] == name]
        if not of:
            continue
        cells = [[row["round"], title_of(row), model.word(row, "benchmark").replace("dlrm-", ""),
                  row.get("config_trust") or NONE,
                  f"{model.rate_qps(row) / model.number(row, 'offline_qps'):.2f}",
                  *(pair(row, q) for q in QUANTILES),
                  f"{row['max_qps'] / model.rate_qps(row):.2f}" if "max_qps" in row else NONE,
                  words(row["constants"])] for row in of]
        lines += [f"### {title}", "",
                  *table(["round", "system", "benchmark", "trust", "load", *QUANTILES, "rate",
                          "constants"], cells), ""]
    left_out = sorted({title_of(row) for row in everything if row["classes"] is None})
    if left_out:
        lines += ["Without a prediction, as the configuration is not published or there is no model "
                  "of such hardware: " + ", ".join(left_out) + ".", ""]
    return lines


def document(everything, rows, constants, tries):
    lines = [*by_class(rows), *floor(everything), *steps_part(rows), MISSING, *constants_part(constants, tries),
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
                line[f"published_{q}_ms"] = row.get(f"{q}_ms", "")
            out.writerow(line)
