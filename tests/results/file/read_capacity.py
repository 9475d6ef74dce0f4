#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_capacity.py WRITER: does a capacity search's file say what docs/results.md promises?

WRITER is a program that writes two sample files. Exit 77 (skipped) where a reader is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import xarray
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PLANS = ["scheduler", "allocation", "provisioning"]
GROUPS = {None: [*PLANS, "interval", "type", "service"], "tuples": ["scheduler", "type", "service"],
          "demand": ["interval", "service"], "plan": [*PLANS, "interval", "type", "service"],
          "steps": [*PLANS, "interval"], "trials": [*PLANS, "interval", "service"],
          "days": [*PLANS, "service"], "totals": PLANS, "sample": [], "study": []}
SIZES = {None: ["scheduler", "type", "service", "size"], "sizes": ["size"], "study": []}


def check_groups(path, engine, groups):
    for group, dims in groups.items():
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            assert set(data.dims) == set(dims), (engine, group, dict(data.dims))
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)


def check_plan(path, engine):
    with xarray.open_dataset(path, engine=engine) as data:
        assert data.attrs["kind"] == "capacity" and data.attrs["find"] == "plan"
        assert list(data.allocation.values) == ["blind", "greedy", "optimal"]
        assert list(data.interval.values) == [0, 21600, 43200, 64800], data.interval
        assert data.interval.attrs["units"] == "s"
    with xarray.open_dataset(path, group="plan", engine=engine) as data:
        assert data.n_assigned.dims == (*PLANS, "interval", "type", "service")
        assert int(data.n_assigned[1, 2, 1, 2].sum()) == 80
        assert int(data.n_on[1, 2, 1, 2].sum()) == 80
    with xarray.open_dataset(path, group="trials", engine=engine) as data:
        ratio = data.p95_s.sel(scheduler="fixed") / data.p95_s.sel(scheduler="deeprecsched")
        assert bool((abs(ratio - 1.32) < 1e-12).all())
    with xarray.open_dataset(path, group="totals", engine=engine) as data:
        assert data.objective.attrs["units"] == "W h"
        assert numpy.isnan(data.cost_usd.values).all()


def check_example(path, engine):
    """What docs/results.md shows."""
    total = xarray.open_dataset(path, group="totals", engine=engine)
    saved = 1 - total.planned_kwh.sel(allocation="optimal") / total.planned_kwh.sel(allocation="greedy")
    assert abs(float(saved.sel(scheduler="fixed", provisioning="peak")) - 1 / 3) < 1e-12, saved


def check_sizes(path, engine):
    with xarray.open_dataset(path, group="sizes", engine=engine) as data:
        assert list(data.type.values[[0, 5]]) == ["skylake", "cpu + gpu, ti"]
        assert list(data.n.values) == [40, 43, 46, 20, 23, 26]
        assert data.below_sla.attrs["flag_meanings"] == "met unsure missed not_asked"
        assert abs(float(data.at_n_p95_s[0]) - 0.097) < 1e-15


def main():
    with tempfile.TemporaryDirectory() as folder:
        plan, sizes = os.path.join(folder, "plan.h5"), os.path.join(folder, "sizes.h5")
        subprocess.run([sys.argv[1], plan, sizes], check=True)
        for engine in ("h5netcdf", "netcdf4"):
            check_groups(plan, engine, GROUPS)
            check_groups(sizes, engine, SIZES)
            check_plan(plan, engine)
            check_example(plan, engine)
            check_sizes(sizes, engine)
    print("read by xarray with both engines")


main()
