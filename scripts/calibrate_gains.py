#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""calibrate_gains.py RECFLEET RF_CALIBRATE: what every fit of the calibration that was tried leads
to. Fits each again (rf_calibrate --fits, --fit NAME), tunes the eight models of the repository on
the 40-core Skylake at the medium target with its values, and writes models/calibration/fits.csv,
which docs/calibration.md shows. The measured tables (59-paper-tables.yaml) are a row, too, and so
is the calibration until 0.2.0, whose program is gone: its row is kept. Needs h5py. Minutes.
"""

import csv
import math
import pathlib
import subprocess
import sys
import tempfile

import h5py

ROOT = pathlib.Path(__file__).resolve().parent.parent
OUT = ROOT / "models/calibration/fits.csv"
MODELS = ["ncf", "wnd", "mtwnd", "din", "dien", "rmc1", "rmc2", "rmc3"]
HEAD = """# SPDX-License-Identifier: Apache-2.0
# Every fit of the calibration that was tried: its errors in sample, %, and the gain that it leads
# to, by model, with both means. Written by scripts/calibrate_gains.py; no fit was chosen by it.
"""
STUDY = """name: gains
seed: 1
duration: 60s
traffic:
  - {service: feed, model: wnd-repo, rate: 100qps, sizes: production, sla: medium}
fleet:
  groups:
    - {name: server, platform: skylake, servers: 1, cost: {kind: roofline}}
balancer: {policy: random, dispatch_delay: 1us, status_delay: 1us}
sweep:
  - axis: fit
    points:
%s
  - axis: model
    key: "traffic[0].model"
    values: [%s]
tune:
  policies: [static, deeprecsched]
  accuracy: 3%%
  confirm: false
"""
# Tuned with the program of that time, by the same study; its errors are those of its page.
BEFORE = ["before", "the calibration until 0.2.0", "34", "9.1", "22.3", "6.8", "41.4", "18.9", "6.6",
          "27.9", "4.22", *"1.62 2.18 2.24 1.06 1.59 1.15 1.04 2.33".split(), "1.65", "1.57"]


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True, cwd=ROOT).stdout


UNITS = {"_peak": "GFLOP/s", "_bandwidth": "GB/s", "_fixed": "us"}


def with_unit(key, value):
    """What a study writes for a value in SI."""
    unit = next((u for end, u in UNITS.items() if key.endswith(end)), "")
    scale = {"GFLOP/s": 1e-9, "GB/s": 1e-9, "us": 1e6, "": 1}[unit]
    return f"{float(value) * scale:.6g}{unit}"


def skylake(tool, name):
    """{key: value} that a fit gives the Skylake."""
    values = (line.split() for line in run(tool, "--fit", name).splitlines())
    return {key.removeprefix("skylake."): with_unit(key, value) for key, value in values
            if key.startswith("skylake.")}


def tune(program, study, folder, *settings):
    path = pathlib.Path(folder) / "gains.h5"
    run(program, "tune", study, "-q", "-f", "-o", path, *settings)
    with h5py.File(path) as file:
        policies = [p.decode() for p in file["policy"][...]]
        qps = file["qps"][...]
        axes = file.attrs["axes"]
        axes = (axes.decode() if isinstance(axes, bytes) else str(axes)).split("\n")
        labels = [tuple(file[a][i].decode() for a in axes) for i in range(len(qps))]
    static, ours = policies.index("static"), policies.index("deeprecsched")
    return {label: row[ours] / row[static] for label, row in zip(labels, qps)}


def cells(gains):
    """Gains in the order of MODELS, and both means."""
    logs = [math.log(g) for g in gains]
    return [f"{g:.2f}" for g in (*gains, sum(gains) / len(gains),
                                 math.exp(sum(logs) / len(logs)))]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    program, tool = (str(pathlib.Path(p).resolve()) for p in sys.argv[1:])
    fits = list(csv.reader(run(tool, "--fits").splitlines()))
    models = [f"{m}-repo" for m in MODELS]
    with tempfile.TemporaryDirectory() as folder:
        points = "\n".join(
            "      - {label: %s, set: {%s}}" % (fit[0], ", ".join(
                f'"fleet.groups[0].{k}": {v}' for k, v in skylake(tool, fit[0]).items()))
            for fit in fits[1:])
        study = pathlib.Path(folder) / "gains.yaml"
        study.write_text(STUDY % (points, ", ".join(models)), encoding="utf-8")
        gains = tune(program, study, folder)
        rows = [fit + cells([gains[fit[0], m] for m in models]) for fit in fits[1:]]
        gains = tune(program, ROOT / "slurm/studies/59-paper-tables.yaml", folder,
                     "--set", "sweep[1].values=[medium]")
        tables = cells([gains[m, "medium", "tables"] for m in models])
    rows += [BEFORE, ["tables", "measured times and no fit", *[""] * 9, *tables]]
    with open(OUT, "w", newline="", encoding="utf-8") as file:
        file.write(HEAD)
        csv.writer(file, lineterminator="\n").writerows(
            [fits[0] + MODELS + ["mean gain", "geometric"], *rows])


if __name__ == "__main__":
    main()
