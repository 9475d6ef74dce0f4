#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_capacity.py WRITER: is a capacity search's file what xarray, h5py, netCDF4 expect?

WRITER is a program that writes two sample files. Exit 77 (skipped) where a reader is not installed.
"""
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import netCDF4
    import numpy
    import xarray
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PLANS = ["scheduler", "allocation", "provisioning"]
GROUPS = {None: [*PLANS, "interval", "type", "service"], "tuples": ["scheduler", "type", "service"],
          "demand": ["interval", "service"], "plan": [*PLANS, "interval", "type", "service"],
          "steps": [*PLANS, "interval"], "trials": [*PLANS, "interval", "service"],
          "days": [*PLANS, "service"], "totals": PLANS, "sample": [], "study": ["byte"]}
SIZES = {None: ["scheduler", "type", "service", "size"], "sizes": ["size"], "study": ["byte"]}


def check_groups(path, engine, groups):
    for group, dims in groups.items():
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            assert set(data.dims) == set(dims), (engine, group, dict(data.dims))
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)
                assert variable.dtype.kind in "iuf", (engine, group, name, variable.dtype)


def check_plan(path, engine):
    with xarray.open_dataset(path, engine=engine) as data:
        assert data.attrs["kind"] == "capacity" and data.attrs["find"] == "plan"
        assert data.allocation.attrs["names"] == "blind\ngreedy\noptimal"
        assert list(data.interval.values) == [0, 21600, 43200, 64800], data.interval
        assert data.interval.attrs["units"] == "s"
    with xarray.open_dataset(path, group="plan", engine=engine) as data:
        assert data.n_assigned.dims == (*PLANS, "interval", "type", "service")
        assert int(data.n_assigned[1, 2, 1, 2].sum()) == 80
        assert int(data.n_on[1, 2, 1, 2].sum()) == 80
    with xarray.open_dataset(path, group="trials", engine=engine) as data:
        ratio = data.p95_s.sel(scheduler=0) / data.p95_s.sel(scheduler=1)
        assert bool((abs(ratio - 1.32) < 1e-12).all())
    with xarray.open_dataset(path, group="totals", engine=engine) as data:
        assert data.objective.attrs["units"] == "W h"
        assert numpy.isnan(data.cost_usd.values).all()


def check_example(path, engine):
    """What docs/results.md shows."""
    total = xarray.open_dataset(path, group="totals", engine=engine)
    for name in ["scheduler", "allocation", "provisioning"]:
        total[name] = name, numpy.array(total[name].names.split("\n"))
    saved = 1 - total.planned_kwh.sel(allocation="optimal") / total.planned_kwh.sel(allocation="greedy")
    assert abs(float(saved.sel(scheduler="fixed", provisioning="peak")) - 1 / 3) < 1e-12, saved


def check_sizes(path, engine):
    with xarray.open_dataset(path, group="sizes", engine=engine) as data:
        names = numpy.array(data.type.attrs["names"].split("\n"))[data.type.values]
        assert list(names[[0, 5]]) == ["skylake", "cpu + gpu, ti"]
        assert list(data.n.values) == [40, 43, 46, 20, 23, 26]
        assert data.below_sla.attrs["flag_meanings"] == "met unsure missed not_asked"
        assert abs(float(data.at_n_p95_s[0]) - 0.097) < 1e-15


def check_others(path):
    with h5py.File(path, "r") as file:
        data = file["plan/n_assigned"]
        assert data.fletcher32 and data.shuffle and data.compression == "gzip"
        assert data.dims[4][0].name == "/plan/type"
        assert numpy.isnan(file["totals/cost_usd"].attrs["_FillValue"])
    with netCDF4.Dataset(path) as file:
        for group in [file, *file.groups.values()]:
            for variable in group.variables.values():
                assert not any(dim.startswith("phony") for dim in variable.dimensions)
                variable[...]


def main():
    with tempfile.TemporaryDirectory() as folder:
        plan, sizes = os.path.join(folder, "plan.h5"), os.path.join(folder, "sizes.h5")
        subprocess.run([sys.argv[1], plan, sizes], check=True)
        check_others(plan)
        for engine in ("h5netcdf", "netcdf4"):
            check_groups(plan, engine, GROUPS)
            check_groups(sizes, engine, SIZES)
            check_plan(plan, engine)
            check_example(plan, engine)
            check_sizes(sizes, engine)
    print("read by h5py, netCDF4 and xarray with both engines")


main()
