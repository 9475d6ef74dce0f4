# SPDX-License-Identifier: Apache-2.0
"""The file of `recfleet tune`, read with h5py: points by their labels, policies by name.

    main = Tuning("paper.h5")
    main.get("deeprecsched", model="wnd", target="low", platform="skylake").qps

An outcome has one attribute per dataset of the file (qps, batch_items, ...), and wall_s; some by
the names that the page's tables have (NAMES). Where a
search found no rate that holds the target, `found` is False and its rates are NaN.
"""

import math
import sys
import types

import h5py

VERDICTS = ("met", "unsure", "missed", "not_asked")


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


# In the file -> in the tables of the page.
NAMES = {"sla_s": "target_s", "queries_per_j": "qps_per_w", "sla_latency_s": "latency_s",
         "p95_s_half_95": "p95_half_s", "p99_s_half_95": "p99_half_s"}


def texts(dataset):
    return [text(v) for v in dataset[...].tolist()]


def variable_of(file, axis):
    """The axis's variable; a name that the file has already is another there."""
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in axis)
    return f"axis_{name}" if f"axis_{name}" in file else name


class Tuning:
    """One file. axes: {name: labels}; points: one {axis: label} each; outcomes: [point][policy]."""

    def __init__(self, path):
        with h5py.File(path, "r") as file:
            kind = text(file.attrs.get("kind", ""))
            if kind != "tuning":
                raise ValueError(f"{path}: expected a file of `recfleet tune`, got kind '{kind}'")
            axes = [a for a in text(file.attrs["axes"]).split("\n") if a]
            labels = {a: texts(file[variable_of(file, a)]) for a in axes}
            self.axes = {a: list(dict.fromkeys(labels[a])) for a in axes}
            self.policies = texts(file["policy"])
            self.points = [{a: labels[a][c] for a in axes} for c in range(len(file["point"]))]
            self.run = {k: v for k, v in file["run"].attrs.items()}
            self.seed = int(file.attrs["seed"])
            self.outcomes = self._read_outcomes(file)
            self.path = {NAMES.get(k, k): d[...].tolist() for k, d in file["path"].items()}

    def _read_outcomes(self, file):
        shape = (len(self.points), len(self.policies))
        columns = {NAMES.get(k, k): d[...].tolist() for k, d in file.items()
                   if isinstance(d, h5py.Dataset) and d.shape == shape}
        columns["wall_s"] = file["run/wall_s"][...].tolist()
        out = []
        for c in range(shape[0]):
            out.append([types.SimpleNamespace(**{k: v[c][p] for k, v in columns.items()})
                        for p in range(shape[1])])
            for outcome in out[-1]:
                outcome.found = math.isfinite(outcome.qps)
        return out

    def get(self, policy, **labels):
        """The outcome of a policy at the point that has all these labels; None: there is none."""
        if policy not in self.policies:
            return None
        for point, row in zip(self.points, self.outcomes):
            if all(point.get(a) == v for a, v in labels.items()):
                return row[self.policies.index(policy)]
        return None

    def all(self, policy):
        """(point, outcome) of every point; empty where the policy was not asked for."""
        if policy not in self.policies:
            return []
        index = self.policies.index(policy)
        return [(point, row[index]) for point, row in zip(self.points, self.outcomes)]

    def labels(self, axis):
        return self.axes.get(axis, [])

    def steps(self, policy, labels, stream=0):
        """What was simulated on the way at that point, as dicts in order."""
        point = next(i for i, c in enumerate(self.points)
                     if all(c.get(a) == v for a, v in labels.items()))
        index = self.policies.index(policy)
        return [{k: v[i] for k, v in self.path.items()} for i in range(len(self.path["point"]))
                if self.path["point"][i] == point and self.path["policy"][i] == index
                and self.path["stream"][i] == stream]

    def bracket_frac(self):
        """Median width of the brackets round the found rates, over their lower ends."""
        widths = [o.missed_qps / o.qps - 1 for row in self.outcomes for o in row
                  if o.found and math.isfinite(o.missed_qps)]
        return median(widths)

    def spent(self, policy):
        """Sums over all points, and the wall seconds of all its searches."""
        keys = ("n_choices", "n_bounded", "n_runs", "n_queries", "wall_s")
        return {k: sum(getattr(o, k) for _, o in self.all(policy)) for k in keys}


# ---- numbers ------------------------------------------------------------------------------------

def median(values):
    values = sorted(values)
    if not values:
        return math.nan
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def arithmetic(values):
    return sum(values) / len(values) if values else math.nan


def geometric(values):
    return math.exp(arithmetic([math.log(v) for v in values])) if values else math.nan


# A bracket this wide, over its lower end, says little of the rate.
WIDEST_FRAC = 0.5


def narrow(outcome):
    """Is the rate known well enough to be part of a mean?"""
    return outcome is not None and outcome.found and \
        outcome.missed_qps <= (1 + WIDEST_FRAC) * outcome.qps


def ratio(over, under, key="qps"):
    """over's number by under's; NaN unless both were found."""
    if over is None or under is None or not (over.found and under.found):
        return math.nan
    return getattr(over, key) / getattr(under, key)


def crossings(xs, ys, goal):
    """Where the curve through (xs, ys), straight between points in log x and log y, meets the goal;
    xs ascending and above 0."""
    out = []
    for x0, x1, y0, y1 in zip(xs, xs[1:], ys, ys[1:]):
        if y0 == y1 or (y0 - goal) * (y1 - goal) > 0:
            continue
        share = math.log(goal / y0) / math.log(y1 / y0)
        x = math.exp(math.log(x0) + share * math.log(x1 / x0))
        if not out or abs(x / out[-1] - 1) > 1e-9:
            out.append(x)
    return out


def read_tunings(folder, names, needed, script):
    """Those of the tuning files NAME.h5 that are in the folder, by name; ends the script where the
    `needed` one is not."""
    studies = {}
    for name in names:
        path = folder / f"{name}.h5"
        try:
            if path.exists():
                studies[name] = Tuning(path)
        except (OSError, KeyError, ValueError) as error:
            sys.exit(f"{script}.py: {error}")
    if needed not in studies:
        sys.exit(f"{script}.py: {folder / (needed + '.h5')} is not there; scripts/{script}.sh makes it")
    return studies
