#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_run.py WRITER: are our files what xarray, h5py, netCDF4 and ncdump expect?

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

GROUPS = {"summary": ["service", "quantile"], "total": ["quantile"], "groups": ["group", "component"],
          "bins": ["time", "service", "quantile", "group", "component"],
          "histogram": ["bucket", "service", "path"], "servers": ["server"], "sample": ["sample"],
          "study": ["byte"]}


def check_xarray(path, engine):
    for group, dims in GROUPS.items():
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            assert set(data.dims) == set(dims), (engine, group, dict(data.dims))
            for dim in dims:
                assert dim in data.coords, (engine, group, dim)
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)
                assert variable.dtype.kind in "iuf", (engine, group, name, variable.dtype)
    with xarray.open_dataset(path, engine=engine) as root:
        assert root.attrs["Conventions"] == "CF-1.8"
        assert int(root.attrs["seed"]) == 7
        assert int(root.attrs["traffic_fingerprint"]) == 0xfedcba9876543210
    with xarray.open_dataset(path, group="summary", engine=engine) as data:
        assert int(data.n_queries.sum()) == 20000
        assert float(data.latency_s.sel(quantile=0.95, service=0)) > 0
        assert data.service.attrs["flag_meanings"] == "feed ads__banner"
        assert data.service.attrs["names"] == "feed\nads, banner"
    with xarray.open_dataset(path, group="histogram", engine=engine) as data:
        assert int(data.n_queries.sum()) == 20000
        assert bool((data.upper_s > data.bucket).all())
    with xarray.open_dataset(path, group="study", engine=engine) as data:
        text = data.text.values.astype(numpy.uint8).tobytes().decode()
        assert text == data.attrs["study"] == "name: test\nseed: 7\n# ±\n", text


def check_h5py(path):
    with h5py.File(path, "r") as file:
        assert file["run"].attrs["n_ranks"] == 1
        assert file["sample/latency_s"].shape == (400,)
        assert file["bins/latency_s"].fletcher32 and file["bins/latency_s"].shuffle
        assert file["bins/latency_s"].compression == "gzip"
        assert file["bins/latency_s"].dims[0][0].name == "/bins/time"


def check_netcdf4(path):
    with netCDF4.Dataset(path) as file:
        assert set(file.groups) >= set(GROUPS) | {"run"}
        for group in GROUPS:
            for variable in file[group].variables.values():
                assert not any(dim.startswith("phony") for dim in variable.dimensions)
                variable[...]


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sample.h5")
        subprocess.run([sys.argv[1], path], check=True)
        check_h5py(path)
        check_netcdf4(path)
        for engine in ("h5netcdf", "netcdf4"):
            check_xarray(path, engine)
        try:
            header = subprocess.run(["ncdump", "-h", path], check=True, capture_output=True, text=True)
            assert "group: summary" in header.stdout and header.stderr == ""
        except FileNotFoundError:
            print("ncdump is not installed: not tried")
    print("read by h5py, netCDF4 and xarray with both engines")


main()
