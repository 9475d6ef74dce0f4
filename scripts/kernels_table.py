#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of kernels.sh, of what it keeps in a folder: kernels_table.py FOLDER MODEL...

A time is the median over rounds of a round's median. PyTorch's is that of the faster of its two ways,
for each batch size by itself. What an attention unit run as one batch would bring, which the
reference does not do, is a row of its own.
"""

import csv
import pathlib
import statistics
import sys

MEDIAN_BAR, LEAST_BAR, READS_BAR = 1.3, 0.95, 0.8


def rows_of(path):
    with open(path, encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def times(folder, side, model):
    """{(way, batch): time in ns}"""
    found = {}
    for path in sorted(folder.glob(f"{side}-{model}-*.csv")):
        for row in rows_of(path):
            key = row.get("way", "own"), int(row["batch"])
            found.setdefault(key, []).append(float(row["median_ns"]))
    return {key: statistics.median(values) for key, values in found.items()}


def line(*cells):
    return "| " + " | ".join(cells) + " |"


def model_lines(folder, model):
    own, torch = times(folder, "own", model), times(folder, "torch", model)
    batches = sorted(batch for _, batch in own)
    out = []
    for ways, name in ((("eager", "traced"), model), (("batched",), model + ", units batched")):
        if (ways[0], batches[0]) not in torch:
            continue
        ratios = [min(torch[way, b] for way in ways) / own["own", b] for b in batches]
        median, least = statistics.median(ratios), min(ratios)
        met = "" if len(ways) == 1 else "yes" if median >= MEDIAN_BAR and least >= LEAST_BAR else "no"
        out.append(line(name, *(f"{r:.2f}" for r in ratios), f"{median:.2f}", f"{least:.2f}", met))
    us = line(model, *(f"{own['own', b] / 1e3:.4g} / {min(torch[w, b] for w in ('eager', 'traced')) / 1e3:.4g}"
                       for b in batches))
    return batches, out, us


def main():
    folder, models = pathlib.Path(sys.argv[1]), sys.argv[2:]
    ratios, absolute = [], []
    for model in models:
        batches, lines, us = model_lines(folder, model)
        ratios += lines
        absolute.append(us)
    heads = [str(b) for b in batches]
    print("How many times as fast as PyTorch, by batch; met: a median of "
          f"{MEDIAN_BAR} and nothing below {LEAST_BAR}.\n")
    print(line("model", *heads, "median", "least", "met"))
    print(line(*["---"] * (len(heads) + 4)))
    print("\n".join(ratios))
    print("\nTime of a request, us, ours / PyTorch's.\n")
    print(line("model", *heads))
    print(line(*["---"] * (len(heads) + 1)))
    print("\n".join(absolute))
    print("\nRandom reads of rows, GB/s.\n")
    print(line("bytes of a row", "bare loop", "sums of 80 rows", f"ratio (bar {READS_BAR})", "huge pages"))
    print(line(*["---"] * 5))
    for path in sorted(folder.glob("reads-*.csv")):
        rows = rows_of(path)
        loop = max(float(r["bytes_per_s"]) for r in rows if r["kind"] == "loop")
        ours = float(rows[-1]["bytes_per_s"])
        print(line(path.stem[6:], f"{loop / 1e9:.2f}", f"{ours / 1e9:.2f}", f"{ours / loop:.2f}",
                   "yes" if rows[0]["huge_pages"] == "1" else "no"))
    print("\nResults of both on the same numbers: largest difference.\n")
    with open(folder / "check.csv", encoding="utf-8") as file:
        for name, n, off, least, most in csv.reader(file):
            print(f"- {name}: {off} ({n} per item, from {least} to {most})")


if __name__ == "__main__":
    main()
