#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_tuning.py WRITER: is a tuning's file what xarray, h5py, netCDF4 and ncdump expect?

WRITER is a program that writes a sample file. Exit 77 (skipped) where a reader is not installed.
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

GROUPS = {None: ["cell", "policy"], "path": ["step"], "study": ["byte"], "run": ["cell", "policy"]}


def check_groups(path, engine):
    for group, dims in GROUPS.items():
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            assert set(data.dims) == set(dims), (engine, group, dict(data.dims))
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)
                assert variable.dtype.kind in "iuf", (engine, group, name, variable.dtype)


def check_outcomes(path, engine):
    with xarray.open_dataset(path, engine=engine) as data:
        assert data.attrs["Conventions"] == "CF-1.8" and data.attrs["kind"] == "tuning"
        assert int(data.attrs["seed"]) == 0xfedcba9876543210
        assert set(data.coords) == {"cell", "policy", "model", "target", "platform"}, data.coords
        assert data.platform.attrs["flag_meanings"] == "skylake cpu_+_gpu__ti"
        assert data.platform.attrs["names"] == "skylake\ncpu + gpu, ti"
        assert data.qps.dims == ("cell", "policy") and data.qps.attrs["units"] == "s-1"
        assert float(data.qps[3, 1]) == 8000 and numpy.isnan(float(data.qps[7, 0]))
        assert "wall_s" not in data
    with xarray.open_dataset(path, group="path", engine=engine) as data:
        assert list(data.cell.values) == [0, 0, 1] and list(data.policy.values) == [0, 1, 2]
        assert int(data.n_queries[2]) == 5000000002
    with xarray.open_dataset(path, group="run", engine=engine) as data:
        assert float(data.wall_s[0, 2]) == 96


def check_example(path, engine):
    """What docs/results.md shows."""
    data = xarray.open_dataset(path, engine=engine)
    for name in ["policy", "model", "target", "platform"]:
        labels = numpy.array(data[name].attrs["names"].split("\n"))[data[name].values]
        data = data.assign_coords({name: (data[name].dims, labels)})
    gain = (data.qps / data.qps.sel(policy="static", drop=True)).rename("gain")
    means = gain.to_dataframe().groupby(["model", "target", "policy"]).gain.mean()
    assert abs(means["rmc1", "low", "deeprecsched"] - 2) < 1e-12, means
    assert abs(means["rmc2", "low", "exhaustive"] - 2.02) < 1e-12, means


def check_others(path):
    with h5py.File(path, "r") as file:
        assert file["qps"].fletcher32 and file["qps"].shuffle and file["qps"].compression == "gzip"
        assert file["qps"].dims[1][0].name == "/policy"
        assert numpy.isnan(file["qps"].attrs["_FillValue"])
    with netCDF4.Dataset(path) as file:
        assert set(file.groups) == {"path", "study", "run"}
        for group in [file, *file.groups.values()]:
            for variable in group.variables.values():
                assert not any(dim.startswith("phony") for dim in variable.dimensions)
                variable[...]
        assert file["qps"][7, 0] is numpy.ma.masked
    try:
        head = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True)
        assert "double qps(cell, policy)" in head.stdout and head.stderr == "", head
    except FileNotFoundError:
        print("ncdump is not installed: not tried")


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "tuning.h5")
        subprocess.run([sys.argv[1], path], check=True)
        check_others(path)
        for engine in ("h5netcdf", "netcdf4"):
            check_groups(path, engine)
            check_outcomes(path, engine)
            check_example(path, engine)
    print("read by h5py, netCDF4 and xarray with both engines")


main()
