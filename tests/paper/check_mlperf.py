#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What scripts/mlperf.sh writes.

usage: check_mlperf.py BUILD ROOT FOLDER [rates]

- The first row with inputs in GPU memory comes out as docs/mlperf/rows.csv has it.
- --rows predicts systems of a file of its own: rows of the record, one with other columns as well,
  one without published latencies and with nothing but what a prediction needs, one that has no model.
- What a user gets wrong is one line.
- With `rates`, which takes longer, only: the largest valid rate of a row that is alone in its file.
"""

import csv
import pathlib
import subprocess
import sys

build, root, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
only_rates = sys.argv[4:] == ["rates"]
sys.path.insert(0, str(root / "scripts"))
import mlperf as script
import mlperf_model as model

NEEDED = {
    "device-v2": ["kind", "round", "benchmark", "offline_qps", "server_scheduled_qps", "accelerators",
                  "cfg_gpu_batch_size", "cfg_start_from_device"],
    "cpu": ["kind", "round", "benchmark", "offline_qps", "server_scheduled_qps", "cpu_instances",
            "cpu_batch"],
}


def run(rows, *options):
    """scripts/mlperf.sh --rows with a file of these rows (dicts) or this text."""
    path = folder / "own.csv"
    if isinstance(rows, str):
        path.write_text(rows, encoding="utf-8")
    else:
        keys = list(dict.fromkeys(key for row in rows for key in row))
        with open(path, "w", newline="", encoding="utf-8") as file:
            out = csv.DictWriter(file, keys)
            out.writeheader()
            out.writerows(rows)
    return subprocess.run([root / "scripts" / "mlperf.sh", "--rows", path, "-o", folder / "own", "-B",
                           build, *options], capture_output=True, text=True, check=False)


def expect(condition, what):
    if not condition:
        sys.exit(f"check_mlperf.py: {what}")


def written():
    with open(folder / "own" / "mlperf" / "rows.csv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def check_recorded(rows):
    with open(script.RECORD / "rows.csv", encoding="utf-8", newline="") as file:
        recorded = next(line for line in csv.DictReader(file) if line["class"] == "device-v2")
    row = next(row for row in rows if row["server_log"] == recorded["server_log"])
    constants = {pair.split("=")[0]: float(pair.split("=")[1])
                 for pair in recorded["constants"].split()}
    recfleet = build / "src" / "app" / "recfleet"
    case = (row, constants, model.rate_qps(row), script.PREDICT)
    found = script.simulate(recfleet, folder, "check", [case])[0]
    for q in script.page.QUANTILES:
        expect(f"{found[q]:.4g}" == recorded[f"predicted_{q}_ms"],
               f"{row['system']}: {q} is {found[q]:.4g} ms, recorded {recorded[f'predicted_{q}_ms']}")


def quickest(rows, name):
    """The row of a class with the lowest rate: the fewest queries to simulate."""
    return min((row for row in rows if row["classes"] == name), key=model.rate_qps)


def check_own_rows(rows):
    """One row of each class, the others as they may come from elsewhere."""
    own = [quickest(rows, name) for name in model.CLASSES]
    own = [{key: value for key, value in row.items() if key != "classes"} for row in own]
    own[0] = {**own[0], "processor": "some, with \"quotes\"", "my_column": "1"}
    bare = [{key: quickest(rows, name)[key] for key in NEEDED[name]} for name in NEEDED]
    asic = {"kind": "asic", "round": "5.1", "system": "of another kind", "offline_qps": "1000",
            "server_scheduled_qps": "900"}
    done = run([*own, *bare, asic], "--no-rates")
    expect(done.returncode == 0, f"--rows ended with {done.returncode}: {done.stderr}")
    lines = written()
    expect([line["class"] for line in lines] == [*model.CLASSES, "device-v2", "cpu"],
           f"--rows predicted {[line['class'] for line in lines]}")
    for line, twin in ((lines[-2], lines[0]), (lines[-1], lines[list(model.CLASSES).index("cpu")])):
        expect(0 < float(line["predicted_p50_ms"]) < 60, f"p50 of a bare row: {line}")
        expect(line["published_p50_ms"] == "", f"a bare row has published latencies: {line}")
        expect(line["constants"] == twin["constants"], f"constants of a bare row: {line}")
    page = (folder / "own" / "mlperf.md").read_text(encoding="utf-8")
    for word in ("Unofficial", "## By class", "## Every row", "of another kind"):
        expect(word in page, f"no \"{word}\" in the page of --rows")


def check_rates(rows):
    row = quickest(rows, "triton")
    done = run([{key: value for key, value in row.items() if key != "classes"}])
    expect(done.returncode == 0, f"--rows ended with {done.returncode}: {done.stderr}")
    share = float(written()[0]["largest_qps"]) / float(row["offline_qps"])
    expect(0.5 < share < 1.2, f"largest rate {share:.2f} of the Offline rate")


def check_mistakes():
    for text, said in (("", "no row can be predicted"), ("a,b\n1,2\n", "no row can be predicted"),
                       ("kind,round,offline_qps,server_scheduled_qps\ngpu,5.1,x,3\n", "expected kind")):
        done = run(text, "--no-rates")
        expect(done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1,
               f"for {text!r}: {done.returncode}, {done.stderr!r}")
    done = subprocess.run([root / "scripts" / "mlperf.sh", "--rows", folder / "none.csv", "-o",
                           folder / "own", "-B", build], capture_output=True, text=True, check=False)
    expect(done.returncode == 1 and "No such file" in done.stderr, f"no file: {done.stderr!r}")


folder.mkdir(parents=True, exist_ok=True)
_, record = script.read(script.STUDIES / "70-mlperf.csv")
if only_rates:
    check_rates(record)
else:
    check_recorded(record)
    check_own_rows(record)
    check_mistakes()
