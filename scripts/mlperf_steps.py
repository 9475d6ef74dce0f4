# SPDX-License-Identifier: Apache-2.0
"""NVIDIA's harness with inputs in GPU memory, batch by batch, written down a second time from its
description: one queue; every GPU has bundles of its own and takes what waits when one of them is
free. Plain Python, for the page alone."""

import heapq
import random

import mlperf_model as model

SIZES = [1] * 2 + [2] * 12 + [3] * 2 + [4, 5, 6, 7]  # as 70-mlperf-sizes.csv
SIMULATED_S = 0.6


def arrivals(qps):
    rng, now, out = random.Random(1), 0.0, []
    while now < SIMULATED_S:
        now += rng.expovariate(qps)
        out.append((now, rng.choice(SIZES)))
    return out


def latencies(row, constants):
    """Sorted, in ms, without the first tenth of the queries."""
    seconds = model.batch_time(row, constants)
    batch_items = int(model.number(row, "cfg_gpu_batch_size") / model.PAIRS_PER_ITEM)
    bundles = int(model.number(row, "cfg_gpu_num_bundles", 2))
    queries = arrivals(model.rate_qps(row))
    gpus = range(int(model.number(row, "accelerators")))
    ends = [[0.0] * bundles for _ in gpus]  # of the batches in a GPU's bundles, in order
    idle = [(0.0, gpu) for gpu in gpus]     # when the bundle next in turn is free
    out, first = [], 0
    while first < len(queries):
        free, gpu = heapq.heappop(idle)
        begin = max(free, queries[first][0])
        items, after = 0, first
        while after < len(queries) and queries[after][0] <= begin and \
                items + queries[after][1] <= batch_items:
            items += queries[after][1]
            after += 1
        end = max(begin, ends[gpu][-1]) + seconds(items)
        out += [1e3 * (end - arrive) for arrive, _ in queries[first:after]]
        ends[gpu] = ends[gpu][1:] + [end]
        heapq.heappush(idle, (max(begin, ends[gpu][0]), gpu))
        first = after
    return sorted(out[len(out) // 10:])


def quantiles(row, constants, names):
    found = latencies(row, constants)
    return {name: found[int(float(name[1:]) / 100 * len(found))] for name in names}
