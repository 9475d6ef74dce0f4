#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often do the 95 % intervals of latency hold the truth?

usage: coverage.py RECFLEET QUEUE:LOAD:QUERIES ... [--seeds N] [--bins N]

QUEUE is mm1 mm4 mm40 h2m1 md1 mg1 (H2 and the lognormal G with cv 2), LOAD such as 0.9. Of each, N
(200) seeds are simulated, empty at the start, with the automatic warm-up and N (60) time bins. A
line a statistic says in which part of the runs an interval is given, in which part of those it
holds the truth, the median half-width over 1.96 standard deviations between seeds, and how far the
mean of the seeds lies from the truth. The truth is a closed form, and for md1 and mg1 Lindley's
recursion over many queries. Seconds to minutes for each; numpy and h5py.
"""

import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

QUANTILES = (0.95, 0.99)
SERVICE_S = 0.01
QUEUES = {  # cores, noise of the service times, arrivals
    "mm1": (1, "exponential", "poisson"),
    "mm4": (4, "exponential", "poisson"),
    "mm40": (40, "exponential", "poisson"),
    "h2m1": (1, "exponential", "{process: hyperexponential, cv: 2}"),
    "md1": (1, "none", "poisson"),
    "mg1": (1, "{distribution: lognormal, cv: 2}", "poisson"),
}


def solve(tail, q):
    """Where the falling tail is 1 - q."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > 1 - q else (low, middle)
    return low


def mmk(cores, rho):
    """Erlang C, in service times."""
    loss = 1.0
    for i in range(1, cores + 1):
        loss = cores * rho * loss / (i + cores * rho * loss)
    waits, drain = loss / (1 - rho * (1 - loss)), cores * (1 - rho)

    def tail(t):
        if drain == 1:
            return (1 + waits * t) * math.exp(-t)
        return (1 - waits) * math.exp(-t) + \
            waits * (drain * math.exp(-t) - math.exp(-drain * t)) / (drain - 1)
    if cores == 1:
        return [1 / (1 - rho)] + [-math.log(1 - q) / (1 - rho) for q in QUANTILES]
    return [1 + waits / drain] + [solve(tail, q) for q in QUANTILES]


def h2m1(rho):
    """GI/M/1: latency is exponential; two balanced phases with a squared cv of 4."""
    p = (1 + math.sqrt(3 / 5)) / 2
    rates, sigma = (2 * p * rho, 2 * (1 - p) * rho), rho
    for _ in range(100000):
        s = 1 - sigma
        sigma = p * rates[0] / (rates[0] + s) + (1 - p) * rates[1] / (rates[1] + s)
    return [1 / (1 - sigma)] + [-math.log(1 - q) / (1 - sigma) for q in QUANTILES]


def mg1(rho, deterministic, n=20_000_000):
    rng = np.random.default_rng(1)
    work = np.ones(n) if deterministic else \
        rng.lognormal(-math.log(5) / 2, math.sqrt(math.log(5)), n)
    steps = np.cumsum(work[:-1] - rng.exponential(1 / rho, n - 1))
    wait = np.concatenate(([0.0], steps - np.minimum(0, np.minimum.accumulate(steps))))
    latency = (wait + work)[n // 100:]
    return [latency.mean(), *np.quantile(latency, QUANTILES)]


def truth_s(queue, rho):
    truth = h2m1(rho) if queue == "h2m1" else mmk(QUEUES[queue][0], rho) if queue[1] == "m" \
        else mg1(rho, queue == "md1")
    return [SERVICE_S * t for t in truth]


def simulate(recfleet, queue, rho, n_queries, seeds, bins):
    """Values and half-widths of mean, p95 and p99: [statistic][seed]."""
    cores, noise, arrivals = QUEUES[queue]
    qps = rho * cores / SERVICE_S
    with tempfile.TemporaryDirectory() as folder:
        study, out = pathlib.Path(folder, "s.yaml"), pathlib.Path(folder, "o.h5")
        study.write_text(f"""name: {queue}
duration: {n_queries / qps:.3f}s
warmup: auto
traffic:
  - service: probe
    rate: {qps}qps
    arrivals: {arrivals}
    sizes: {{distribution: fixed, items: 1}}
fleet:
  groups:
    - {{name: one, cores: {cores}, servers: 1, cost: {{kind: synthetic, fixed: {SERVICE_S}s}},
       noise: {noise}}}
balancer: {{policy: random, dispatch_delay: 0, status_delay: 0}}
replications: {seeds}
bins: {bins}
""")
        subprocess.run([recfleet, "sweep", study, "-q", "-o", out], check=True,
                       stdout=subprocess.DEVNULL)
        with h5py.File(out) as f:
            at = [int(np.argmin(abs(f["quantile"][...] - q))) for q in QUANTILES]
            total = f["total"]
            return [np.vstack([total["latency_mean_s" + end][...][None],
                               total["latency_s" + end][...][:, at].T])
                    for end in ("", "_half_95")]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recfleet")
    parser.add_argument("cells", nargs="+", metavar="QUEUE:LOAD:QUERIES")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--bins", type=int, default=60)
    args = parser.parse_args()
    for cell in args.cells:
        queue, rho, n_queries = cell.split(":")
        values, halves = simulate(args.recfleet, queue, float(rho), int(n_queries), args.seeds,
                                  args.bins)
        for name, truth, value, half in zip(("mean", "p95", "p99"), truth_s(queue, float(rho)),
                                            values, halves):
            given = ~np.isnan(half)
            line = f"{cell:20} {name:5} given {given.mean():.3f}"
            if given.any():
                held = (abs(value - truth) <= half)[given].mean()
                width = np.median(half[given]) / (1.96 * value.std())
                line += f"  holds {held:.3f}  width {width:.2f}"
            print(f"{line}  off {100 * (value.mean() / truth - 1):+.2f} %", flush=True)


if __name__ == "__main__":
    sys.exit(main())
