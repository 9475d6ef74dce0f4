# SPDX-License-Identifier: Apache-2.0
"""How a system of the MLPerf record becomes a server of recfleet: from its Offline rate, its published
configuration and the constants of its class. No latency is read here, and no name of a system.

An item is a hundred user-item pairs: every query of the benchmark has a whole number of those.
"""

import csv
import math

PAIRS_PER_ITEM = 100
ITEMS_PER_QUERY = 2.7    # mean of 70-mlperf-sizes.csv
BYTES_PER_PAIR = {"v1": 117, "v2": 882}
# GB/s from host to one GPU, as its PCI Express or NVLink-C2C delivers; what is not named: 24.
LINK_GB_S = {"T4": 12, "RTX6000": 12, "RTX8000": 12, "H100": 50, "H200": 50, "GH200": 250}
HOST_COPY_B_S = 8e9      # one thread that copies inputs into a staging buffer
FULL_BATCH_PAIRS = 1000  # Intel's limits above it fill batches, those below hold one query
SLOT_ARRIVALS = 3        # with the latter a query is sent when three more have come

# Class -> what it is. By what a row says of its stack, in this order of the page.
CLASSES = {
    "device-v2": "GPU, inputs in its memory, DLRM-v2",
    "host-v2": "GPU, inputs in host memory, DLRM-v2",
    "cpu": "CPU, Intel's Python harness, one query a request",
    "cpu-full": "CPU, Intel's harnesses that fill batches",
    "device-v1": "GPU, inputs in its memory, DLRM v1",
    "host-v1": "GPU, inputs in host memory, DLRM v1",
    "mig": "slices of a GPU (MIG)",
    "triton": "GPU behind Triton",
}

# Classes that share constants, at least ten systems each, and what was tried for them: every
# combination. fixed_ms and small_ms: the batch time's (batch_time); lag_us: until a thread that
# waits has its batch, beyond the copy (tiny_batches); fixed_frac: part of a mean query's CPU time
# that does not depend on its size; capacity: Server over Offline rate of the same hardware.
FAMILIES = {
    "v2": (("device-v2", "host-v2"),
           {"fixed_ms": (0.15, 0.2, 0.25), "small_ms": (0.2, 0.35, 0.5), "lag_us": (10, 20, 30)}),
    "v1": (("device-v1", "host-v1", "mig", "triton"),
           {"fixed_ms": (0.1, 0.2), "small_ms": (0.1,), "lag_us": (0, 20)}),
    "cpu": (("cpu", "cpu-full"),
            {"fixed_frac": (0, 0.1, 0.2), "capacity": (1, 0.99, 0.98)}),
}


def family_of(row):
    return next((name for name, (classes, _) in FAMILIES.items() if class_of(row) in classes), None)


def system_of(row):
    return row["submitter"], row["system"]


def read_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def number(row, key, default=None):
    text = row.get(key, "")
    return float(text) if text not in ("", None) else default


def model_of(row):
    return "v2" if "v2" in row["benchmark"] else "v1"


def class_of(row):
    """None: there is no model of such a system, or its configuration is not published."""
    if row["kind"] == "cpu":
        if number(row, "cpu_instances") is None:
            return None
        return "cpu-full" if number(row, "cpu_batch") >= FULL_BATCH_PAIRS else "cpu"
    if row["kind"] != "gpu" or not number(row, "cfg_gpu_batch_size"):
        return None
    if "triton" in row["stack"].lower():
        return "triton"
    if number(row, "mig", 0) > 0:
        return "mig"
    start = "device" if row["cfg_start_from_device"] == "True" else "host"
    return f"{start}-{model_of(row)}"


def makers_of(row):
    """Queues of a GPU system. Inputs in the GPU: one. Else the harness's batch makers: from round
    4.1 on one per issuing thread, or per GPU; before, one per NUMA node of the configuration."""
    gpus = int(number(row, "accelerators"))
    if row["cfg_start_from_device"] == "True" or "triton" in row["stack"].lower():
        return 1
    if float(row["round"]) >= 4.1:
        makers = int(number(row, "loadgen_issue_threads", 0)) or gpus
    else:
        makers = int(number(row, "numa_nodes_in_config", 0)) or 1
    return max(1, min(makers, gpus))


def streams_of(row):
    """GPUs per queue."""
    return max(1, round(number(row, "accelerators") / makers_of(row)))


def time(seconds):
    return f"{seconds * 1e9:.0f}ns"


def batch_time(row, constants):
    """seconds(items) of a GPU: what launches, then gathers and layers that overlap at small sizes,
    S(n) = fixed + hypot(small, n * per_item), per_item such that S(Offline batch) gives the rate."""
    batch = number(row, "cfg_gpu_batch_size")
    items = (number(row, "cfg_offline_gpu_batch_size") or batch) / PAIRS_PER_ITEM
    items_per_s = number(row, "offline_qps") * ITEMS_PER_QUERY * constants.get("capacity", 1)
    whole_s = items * number(row, "accelerators") / items_per_s
    fixed_s = min(constants["fixed_ms"] * 1e-3, whole_s / 4)
    small_s = min(constants["small_ms"] * 1e-3, whole_s / 4)
    per_item_s = math.sqrt((whole_s - fixed_s) ** 2 - small_s ** 2) / items
    return lambda n: fixed_s + math.hypot(small_s, n * per_item_s)


def tiny_batches(row, constants, rate_qps):
    """Batches of a query or two that follow one which was closed before it was full. While a GPU's
    thread waits for the last copies into it, every query that arrives closes a batch of its own, as
    long as there are staging buffers."""
    if row["cfg_start_from_device"] == "True":
        return 0
    lag_s = constants["lag_us"] * 1e-6 + \
        BYTES_PER_PAIR[model_of(row)] * PAIRS_PER_ITEM * ITEMS_PER_QUERY / HOST_COPY_B_S
    return min(number(row, "cfg_num_staging_batches", 4) - 1, lag_s * rate_qps / makers_of(row)) / streams_of(row)


def times_table(row, constants, rate_qps, streams, largest_items):
    """Lines of a measured table: batch, seconds to load it and to compute it."""
    seconds = batch_time(row, constants)
    host = row["cfg_start_from_device"] != "True"
    link_b_s = LINK_GB_S.get(row["accelerator_family"], 24) * 1e9 * streams
    bytes_per_item = BYTES_PER_PAIR[model_of(row)] * PAIRS_PER_ITEM
    tiny_s = tiny_batches(row, constants, rate_qps) * seconds(ITEMS_PER_QUERY)
    last_open = max(1, largest_items - 7)  # above, the next query need not fit: it was full
    sizes, n = {1, last_open, last_open + 1, largest_items}, 1
    while n < last_open:
        sizes.add(n)
        n = max(n + 1, round(1.2 * n))
    lines = ["batch,load_ms,compute_ms"]
    for n in sorted(sizes):
        load_s = n * bytes_per_item / link_b_s if host else 0
        compute_s = seconds(n) + (tiny_s if n <= last_open else 0)
        lines.append(f"{n},{1e3 * load_s:.6f},{1e3 * compute_s:.6f}")
    return lines


def gpu_server(row, constants, rate_qps):
    makers, streams = makers_of(row), streams_of(row)
    batch_items = max(7, int(number(row, "cfg_gpu_batch_size") / PAIRS_PER_ITEM))
    bundles = number(row, "cfg_gpu_num_bundles", 2) * number(row, "cfg_gpu_inference_streams", 1)
    accelerator = {"name": "gpus", "streams": streams}
    if row["cfg_start_from_device"] != "True":
        accelerator["overlap"] = "true"
    scheduler = {"policy": "batch", "accel_items": batch_items,
                 "in_flight": max(1, min(64, round(bundles * streams)))}
    if "triton" in row["stack"].lower() and number(row, "cfg_max_queue_delay_usec", 0) > 0:
        scheduler["max_delay"] = f"{row['cfg_max_queue_delay_usec']}us"
    return {"servers": makers, "cores": 1, "accelerator": accelerator,
            "cost": {"kind": "table", "lines": times_table(row, constants, rate_qps, streams,
                                                             batch_items)},
            "scheduler": scheduler}, 0


def cpu_server(row, constants, rate_qps):
    """Instances that take one request at a time, whose time per item the Offline rate gives."""
    instances = int(number(row, "cpu_instances"))
    full = number(row, "cpu_batch") >= FULL_BATCH_PAIRS
    servers = 2 if "per socket" in row["cpu_policy"] else 1
    cores = round(instances / servers)
    items_per_s = number(row, "offline_qps") * ITEMS_PER_QUERY * constants.get("capacity", 1)
    per_item_s = cores * servers / items_per_s
    fixed_s = 0 if full else constants["fixed_frac"] * per_item_s * ITEMS_PER_QUERY
    cost = {"kind": "synthetic", "fixed": time(fixed_s),
            "per_item": time(per_item_s - fixed_s / ITEMS_PER_QUERY)}
    if full:
        # Sent when it is full or over, where ours is full or under: 2.6 items either way.
        limit = number(row, "cpu_batch") / PAIRS_PER_ITEM + (2.6 if servers == 2 else 0)
        scheduler = {"policy": "batch", "batch_items": round(limit), "max_delay": "1s"}
    else:
        scheduler = {"policy": "pull", "batch_items": 7}
    delay_s = 0 if full else SLOT_ARRIVALS / rate_qps
    return {"servers": servers, "cores": cores, "accelerator": "none", "cost": cost,
            "scheduler": scheduler}, delay_s


def server_of(row, constants, rate_qps):
    """(keys of the group, seconds until a query is in the queue)."""
    return (cpu_server if row["kind"] == "cpu" else gpu_server)(row, constants, rate_qps)


def settings(row, constants, rate_qps, n_queries=300000, least_s=1.0):
    """What the study 70-mlperf.yaml is given to be that system at that rate."""
    group, delay_s = server_of(row, constants, rate_qps)
    duration_s = max(n_queries / rate_qps, least_s)
    out = {f"fleet.groups[0].{key}": value for key, value in group.items()}
    return {**out, "traffic[0].rate": f"{rate_qps:.3f}qps", "duration": f"{duration_s:.6f}s",
            "warmup": f"{0.1 * duration_s:.6f}s", "traffic[0].sla": {"p99": f"{row['target_ms']}ms"},
            "balancer.dispatch_delay": time(delay_s)}
