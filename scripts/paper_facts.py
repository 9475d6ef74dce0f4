# SPDX-License-Identifier: Apache-2.0
"""What the paper says, as far as it is known, how far to trust it, and what is compared with it.

The paper: Gupta et al., "DeepRecSys: A System for Optimizing End-To-End At-Scale Neural
Recommendation Inference", ISCA 2020. Its text could not be had; TAGS says where each figure is
from.
"""

import re

TAGS = {
    "recalled, high": "remembered from the paper, not checked against its text; confidence high",
    "recalled, medium": "the same, confidence medium",
    "lead": "also met as a figure without a source",
    "abstract": "agrees with the published abstract (\"about 2x\" on CPUs)",
    "summary": "a published summary of the paper gives the figure or one near it "
               "(emergentmind.com on DeepRecInfra: up to 5.8x with an accelerator; public notes on "
               "recommendation serving: about 5x)",
    "notes": "public reading notes of the paper say so (BirenResearch/AIChip_Paper_List)",
}

TARGETS = ("low", "medium", "high")
SKYLAKE, BROADWELL, GPU = "skylake", "broadwell", "skylake+gtx1080ti"
PLATFORM_TITLES = {SKYLAKE: "Skylake", BROADWELL: "Broadwell", GPU: "Skylake + GTX 1080 Ti"}

# Metric -> title, platform of the tuned server, number compared, the paper's means, their tags.
METRICS = {
    "cpu": ("QPS, CPU", SKYLAKE, "qps", (1.7, 2.1, 2.7), "recalled, high; lead; abstract"),
    "gpu": ("QPS, CPU + GPU", GPU, "qps", (4.0, 5.1, 5.8), "recalled, high; summary"),
    "watt": ("QPS/W, CPU + GPU", GPU, "qps_per_w", (2.0, 2.6, 2.9), "recalled, medium"),
}

# QPS lost when the batch was tuned on lognormal sizes.
LOGNORMAL = {"rmc1": 1.2, "rmc2": 1.4, "rmc3": 1.7}
LOGNORMAL_TAG = "recalled, medium"

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
