#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_run.py WRITER: does a run's file say what docs/results.md promises?

WRITER is a program that writes a sample file. Exit 77 (skipped) where a reader is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import xarray
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

GROUPS = {"summary": ["service", "quantile"], "total": ["quantile"], "groups": ["group", "component"],
          "bins": ["time", "service", "quantile", "group", "component"],
          "histogram": ["bucket", "service", "path"], "servers": ["server"], "sample": ["query"],
          "study": []}


def check(path, engine):
    def opened(group=None):
        return xarray.open_dataset(path, group=group, engine=engine)
    for group, dims in GROUPS.items():
        with opened(group) as data:
            data.load()
            assert set(data.dims) == set(dims), (engine, group, dict(data.dims))
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)
    with opened() as root:
        assert root.attrs["Conventions"] == "CF-1.8" and root.attrs["kind"] == "run"
        assert int(root.attrs["seed"]) == 7
        assert int(root.attrs["traffic_fingerprint"]) == 0xfedcba9876543210
    with opened("summary") as data:
        assert int(data.n_queries.sum()) == 20000
        assert list(data.service.values) == ["feed", "ads, banner"]
        assert float(data.latency_s.sel(quantile=0.95, service="feed")) > 0
        assert data.sla.attrs["flag_meanings"] == "met unsure missed not_asked"
    with opened("groups") as data:
        assert list(data.platform.values) == ["skylake", "skylake"], data.platform
    with opened("bins") as data:
        assert data.time.attrs["units"] == "s" and data.measured.attrs["flag_meanings"] == "no yes"
        assert data.all_latency_s.dims == ("time", "quantile") and bool(data.measured.all())
    with opened("histogram") as data:
        assert int(data.n_queries.sum()) == 20000 and list(data.path.values) == ["cpu", "accel"]
        assert bool((data.upper_s > data.bucket).all())
    with opened("servers") as data:
        assert list(data.group.values) == [0, 0, 1, 1] and float(data.from_s) == 0
        assert len(data.group.attrs["flag_meanings"].split(" ")) == 2, data.group
    with opened("sample") as data:
        assert data.latency_s.shape == (400,) and data.service.dtype.kind == "i"
        assert data.service.attrs["flag_meanings"] == "feed ads__banner"
        assert data.path.attrs["flag_meanings"] == "cpu accel"
    with opened("study") as data:
        assert str(data.text.values) == "name: test\nseed: 7\n# ±\n", data.text


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.h5")
        subprocess.run([sys.argv[1], path], check=True)
        for engine in ("h5netcdf", "netcdf4"):
            check(path, engine)
    print("read by xarray with both engines")


main()
