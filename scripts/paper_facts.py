# SPDX-License-Identifier: Apache-2.0
"""What the paper says, as far as it is known, how far to trust it, and what is compared with it.

The paper: Gupta et al., "DeepRecSys: A System for Optimizing End-To-End At-Scale Neural
Recommendation Inference", ISCA 2020. Its figures and where each is from are in
slurm/studies/50-paper.csv and 52-paper-lognormal.csv, which `recfleet report --published` reads,
too; here they get the names that the page's tables have.
"""

import csv
import pathlib
import re

STUDIES = pathlib.Path(__file__).resolve().parent.parent / "slurm" / "studies"


def published(name):
    """(comments, rows as dicts) of a file of published figures."""
    lines = (STUDIES / name).read_text(encoding="utf-8").splitlines()
    return ([line for line in lines if line.startswith("#")],
            list(csv.DictReader(line for line in lines if not line.startswith("#"))))


COMMENTS, FIGURES = published("50-paper.csv")

# Tag -> what it means.
TAGS = dict(re.match(r"#   (.+?) = (.+)", line).groups() for line in COMMENTS if " = " in line)

TARGETS = tuple(dict.fromkeys(row["target"] for row in FIGURES))
SKYLAKE, BROADWELL, GPU = "skylake", "broadwell", "skylake+gtx1080ti"
PLATFORM_TITLES = {SKYLAKE: "Skylake", BROADWELL: "Broadwell", GPU: "Skylake + GTX 1080 Ti"}


def metric_of(title):
    """Title, platform of the tuned server, number compared, the paper's means, their tags."""
    rows = [row for row in FIGURES if row["figure"] == title]
    key = {"qps": "qps", "queries_per_j": "qps_per_w"}[rows[0]["quantity"]]
    return (title, rows[0]["platform"], key, tuple(float(row["value"]) for row in rows),
            rows[0]["source"])


METRICS = dict(zip(("cpu", "gpu", "watt"),
                   map(metric_of, dict.fromkeys(row["figure"] for row in FIGURES))))

# QPS lost when the batch was tuned on lognormal sizes.
LOSSES = published("52-paper-lognormal.csv")[1]
LOGNORMAL = {row["model"]: float(row["value"]) for row in LOSSES}
LOGNORMAL_TAG = LOSSES[0]["source"]

# A mean further off than this gets its experiments.
FAR_FRAC = 0.15


def paper_mean(metric, target):
    return METRICS[metric][3][TARGETS.index(target)]


def yaml_value(path, key):
    """A top-level scalar of one of the flat data files; None: no such file or key."""
    if not path.exists():
        return None
    found = re.search(rf"^{key}: *(\S+)", path.read_text(), re.MULTILINE)
    return found.group(1) if found else None


def bound_of(root, model):
    """What bounds the model by the catalogue: mlp, embedding, attention, recurrent."""
    return yaml_value(root / "models" / "catalog" / f"{model}.yaml", "bound") or "unknown"


def nameplate_w(root):
    """(server, accelerator): watts with everything busy."""
    def watts(folder, name):
        value = yaml_value(root / "models" / folder / f"{name}.yaml", "busy_power")
        return float(value.removesuffix("W")) if value else float("nan")

    return watts("platforms", "skylake"), watts("accelerators", "gtx1080ti")


def speedups(root, items):
    """{model: published time on one Skylake core over time on the card}; empty: no such file."""
    path = root / "models" / "calibration" / "speedup.csv"
    out = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        parts = line.split(",")
        if len(parts) == 3 and parts[1] == str(items):
            out[parts[0]] = float(parts[2])
    return out
