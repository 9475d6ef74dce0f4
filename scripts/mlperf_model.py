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
LINK_GB_S = {"T4": 12, "RTX6000": 12, "RTX8000": 12, "V100": 12, "H100": 50, "H200": 50, "B200": 50,
             "GH200": 250, "GB200": 250}
HOST_COPY_B_S, HOST_COPY_S = 8e9, 4e-6  # a thread that copies a query into a staging buffer
FULL_BATCH_PAIRS = 1000  # Intel's limits above it fill batches, those below hold one query
SLOT_ARRIVALS = 3        # with the latter a query is sent when three more have come ...
USUAL_PAIRS = 200        # ... unless it fills its slot to the pair, as most do whose limit this is
TARGET_MS = {"v1": 30, "v2": 60}

# What gathers queries into requests before Triton, by its source in the round's repositories: two
# threads; a request takes what it asks for or what came in 1 ms, four times, and asks for as many
# queries as fit if each had 560 pairs, so that four times fill 93 % of a batch.
TRITON_THREADS, TRITON_TRIES, TRITON_TRY_S = 2, 4, 1e-3
TRITON_FILL = 1 - (1 - 100 * ITEMS_PER_QUERY / 560) ** TRITON_TRIES
TRITON_DELAY_US = 1e6    # max_queue_delay, where none is published

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
# combination. fixed_ms and small_ms: the batch time's (batch_time); wake_us: until a thread that
# waits for the last copy runs (tiny_batches); fixed_frac: part of a mean query's CPU time that does
# not depend on its size; contention_frac: time that all instances busy cost over one alone;
# reply_ms: from the end of a query's computation until LoadGen is told.
FAMILIES = {
    "v2": (("device-v2", "host-v2"),
           {"fixed_ms": (0.15, 0.2, 0.25), "small_ms": (0.2, 0.35, 0.5), "wake_us": (20, 30, 50)}),
    "v1": (("device-v1", "host-v1", "mig", "triton"),
           {"fixed_ms": (0.03, 0.05, 0.1), "small_ms": (0.1, 0.2, 0.3), "wake_us": (20,)}),
    "cpu": (("cpu", "cpu-full"),
            {"fixed_frac": (0, 0.1, 0.2), "contention_frac": (0, 0.2, 0.4),
             "reply_ms": (0, 0.3, 0.6, 1)}),
}


def family_of(row):
    return next((name for name, (classes, _) in FAMILIES.items() if class_of(row) in classes), None)


def system_of(row):
    return word(row, "submitter"), word(row, "system")


def read_rows(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def word(row, key):
    return (row.get(key) or "").strip()


def number(row, key, default=None):
    """What is no finite number is as good as missing."""
    try:
        value = float(word(row, key))
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def model_of(row):
    return "v2" if "v2" in word(row, "benchmark") else "v1"


def round_of(row):
    try:
        return float(word(row, "round").lstrip("vV"))
    except ValueError:
        return None


def rate_qps(row):
    """Of the Server run; None: the row does not say."""
    asked = ("server_scheduled_qps", "server_target_qps", "server_completed_qps")
    return next((number(row, key) for key in asked if has(row, key)), None)


def target_ms(row):
    return number(row, "target_ms", TARGET_MS[model_of(row)])


def on_device(row):
    return word(row, "cfg_start_from_device").lower() in ("true", "1")


def behind_triton(row):
    return "triton" in word(row, "stack").lower()


def has(row, *keys):
    return all((number(row, key) or 0) > 0 for key in keys)


# What class_of() asks for.
EXPECTED = "kind (gpu or cpu), round, offline_qps, server_scheduled_qps; of GPUs accelerators and " \
           "cfg_gpu_batch_size; of CPUs cpu_instances and cpu_batch"


def class_of(row):
    """None: there is no model of such a system, or its configuration is not published."""
    kind = word(row, "kind").lower()
    if not has(row, "offline_qps") or not rate_qps(row) or not round_of(row):
        return None
    if kind == "cpu":
        if not has(row, "cpu_instances", "cpu_batch"):
            return None
        return "cpu-full" if number(row, "cpu_batch") >= FULL_BATCH_PAIRS else "cpu"
    if kind != "gpu" or not has(row, "cfg_gpu_batch_size", "accelerators"):
        return None
    if behind_triton(row):
        return "triton"
    if has(row, "mig"):
        return "mig"
    return f"{'device' if on_device(row) else 'host'}-{model_of(row)}"


def makers_of(row):
    """Queues of a GPU system. Inputs in the GPU: one. Else the harness's batch makers: from round
    4.1 on one per issuing thread, or per GPU; before, one per NUMA node of the configuration."""
    gpus = int(number(row, "accelerators"))
    if on_device(row) or behind_triton(row):
        return 1
    if round_of(row) >= 4.1:
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
    items_per_s = number(row, "offline_qps") * ITEMS_PER_QUERY
    whole_s = items * number(row, "accelerators") / items_per_s
    fixed_s = min(constants["fixed_ms"] * 1e-3, whole_s / 4)
    small_s = min(constants["small_ms"] * 1e-3, whole_s / 4)
    per_item_s = math.sqrt((whole_s - fixed_s) ** 2 - small_s ** 2) / items
    return lambda n: fixed_s + math.hypot(small_s, n * per_item_s)


def tiny_batches(row, constants, rate_qps):
    """Batches of a query or two that follow one which was closed before it was full. If a copy into
    it was under way, a GPU's thread waits for the last of them and then wakes; meanwhile every query
    closes a batch of its own, as long as there are staging buffers. Queries come at random, each is
    copied by a thread of its own."""
    if on_device(row) or behind_triton(row):
        return 0
    per_s = rate_qps / makers_of(row)
    copy_s = HOST_COPY_S + query_bytes(row) / HOST_COPY_B_S
    waits = 1 - math.exp(-per_s * copy_s)
    tiny = per_s * copy_s - waits + waits * per_s * constants["wake_us"] * 1e-6
    return min(number(row, "cfg_num_staging_batches", 4) - 1, tiny) / streams_of(row)


def query_bytes(row):
    return BYTES_PER_PAIR[model_of(row)] * PAIRS_PER_ITEM * ITEMS_PER_QUERY


def link_b_s(row):
    return LINK_GB_S.get(word(row, "accelerator_family"), 24) * 1e9


def times_table(row, constants, rate_qps, streams, largest_items):
    """Lines of a measured table: batch, seconds to load it and to compute it."""
    seconds = batch_time(row, constants)
    bytes_per_item = query_bytes(row) / ITEMS_PER_QUERY
    load_item_s = 0 if on_device(row) else bytes_per_item / (link_b_s(row) * streams)
    tiny_s = tiny_batches(row, constants, rate_qps) * seconds(ITEMS_PER_QUERY)
    last_open = max(1, largest_items - 7)  # above, the next query need not fit: it was full
    sizes, n = {1, last_open, last_open + 1, largest_items}, 1
    while n < last_open:
        sizes.add(n)
        n = max(n + 1, round(1.2 * n))
    lines = ["batch,load_ms,compute_ms"]
    for n in sorted(sizes):
        compute_s = seconds(n) + (tiny_s if n <= last_open else 0)
        lines.append(f"{n},{1e3 * n * load_item_s:.6f},{1e3 * compute_s:.6f}")
    return lines


def triton_requests(row, rate_qps):
    """(items that Triton runs at once, the longest wait until it has them in seconds, seconds that
    queries take beyond that): requests that are filled or for which time is up, merged by Triton until
    the next does not fit or max_queue_delay is over."""
    batch = number(row, "cfg_gpu_batch_size") / PAIRS_PER_ITEM / ITEMS_PER_QUERY
    delay_s = number(row, "cfg_max_queue_delay_usec", TRITON_DELAY_US) * 1e-6
    request = min(TRITON_FILL * batch, rate_qps / TRITON_THREADS * TRITON_TRIES * TRITON_TRY_S)
    request = max(1.0, request)
    merged = max(1, math.floor(batch / request))
    wait_s = TRITON_TRIES * TRITON_TRY_S + (delay_s if merged > 1 else 0)
    # Simulated is one thread that gathers, and a copy over the links of all GPUs.
    beyond_s = (TRITON_THREADS - 1) * request / (2 * rate_qps)
    beyond_s += min(delay_s, request / rate_qps) if merged == 1 else 0
    copied = query_bytes(row) * request * merged / link_b_s(row)
    return merged * request * ITEMS_PER_QUERY, wait_s, beyond_s + copied * (1 - 1 / streams_of(row))


def gpu_server(row, constants, rate_qps):
    makers, streams = makers_of(row), streams_of(row)
    batch_items = max(7, int(number(row, "cfg_gpu_batch_size") / PAIRS_PER_ITEM))
    bundles = number(row, "cfg_gpu_num_bundles", 2) * number(row, "cfg_gpu_inference_streams", 1)
    delays = {}
    scheduler = {"policy": "batch", "accel_items": batch_items,
                 "in_flight": max(1, min(64, round(bundles))), "in_flight_per": "stream"}
    if behind_triton(row):
        items, wait_s, beyond_s = triton_requests(row, rate_qps)
        scheduler |= {"accel_items": max(7, round(items)), "max_delay": time(wait_s)}
        delays = {"return_delay": time(beyond_s)}
    accelerator = {"name": "gpus", "streams": streams}
    if not on_device(row):
        accelerator["overlap"] = "true"
    return {"servers": makers, "cores": 1, "accelerator": accelerator,
            "cost": {"kind": "table", "lines": times_table(row, constants, rate_qps, streams,
                                                             batch_items)},
            "scheduler": scheduler}, delays


def cpu_server(row, constants, rate_qps):
    """Instances that take one request at a time, whose time per item the Offline rate gives: then
    all of them are busy."""
    instances = int(number(row, "cpu_instances"))
    full = class_of(row) == "cpu-full"
    servers = 2 if "per socket" in word(row, "cpu_policy") else 1
    cores = max(1, round(instances / servers))
    contention = constants["contention_frac"] if cores > 1 else 0
    mean_s = cores * servers / number(row, "offline_qps") / (1 + contention)
    fixed_s = 0 if full else constants["fixed_frac"] * mean_s
    cost = {"kind": "synthetic", "fixed": time(fixed_s), "contention_frac": contention,
            "per_item": time((mean_s - fixed_s) / ITEMS_PER_QUERY)}
    delays = {}
    if full:
        # Sent when it is full or over, where ours is full or under: 2.6 items either way.
        limit = number(row, "cpu_batch") / PAIRS_PER_ITEM + (2.6 if servers == 2 else 0)
        scheduler = {"policy": "batch", "batch_items": round(limit), "max_delay": "1s"}
    else:
        scheduler = {"policy": "pull", "batch_items": 7}
        if number(row, "cpu_batch") != USUAL_PAIRS:
            delays["dispatch_delay"] = time(SLOT_ARRIVALS / rate_qps)
    if "c++" not in word(row, "cpu_policy").lower() and servers == 1:
        delays["return_delay"] = time(constants["reply_ms"] * 1e-3)
    return {"servers": servers, "cores": cores, "accelerator": "none", "cost": cost,
            "scheduler": scheduler}, delays


def server_of(row, constants, rate_qps):
    """(keys of the group, delays of the balancer, which stands for the way there and back)."""
    return (cpu_server if word(row, "kind").lower() == "cpu" else gpu_server)(row, constants, rate_qps)


def settings(row, constants, rate_qps, least):
    """What the study 70-mlperf.yaml is given to be that system at that rate."""
    group, delays = server_of(row, constants, rate_qps)
    duration_s = max(least[0] / rate_qps, least[1])
    out = {f"fleet.groups[0].{key}": value for key, value in group.items()}
    return {**out, "traffic[0].rate": f"{rate_qps:.3f}qps", "duration": f"{duration_s:.6f}s",
            "warmup": f"{0.1 * duration_s:.6f}s", "traffic[0].sla": {"p99": f"{target_ms(row):g}ms"},
            **{f"balancer.{key}": value for key, value in
               {"dispatch_delay": "0ns", "return_delay": "0ns", **delays}.items()}}
