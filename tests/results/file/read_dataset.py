#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_dataset.py WRITER N: are the N files that WRITER writes what xarray (with both engines),
h5py, netCDF4 and ncdump expect of any results file?

Exit 77 (skipped) where a reader is not installed. What only one kind of file has is checked by the
script of that kind.
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

COMPRESSED = 4096  # bytes from which on a variable of numbers is


def groups_of(file):
    groups = []
    file.visititems(lambda name, item: groups.append(name) if isinstance(item, h5py.Group) else None)
    return groups


def check_h5py(path):
    """Every variable in every group: texts, scales on every axis in its own group, compression."""
    with h5py.File(path, "r") as file:
        assert len(file.attrs["content_digest"]) == 32 and file.attrs["schema_version"] == 2
        groups = groups_of(file)
        for group in [file, *(file[name] for name in groups)]:
            for name, data in group.items():
                if not isinstance(data, h5py.Dataset):
                    continue
                assert data.attrs["units"] and data.attrs["long_name"], data.name
                for axis, dim in enumerate(data.dims):
                    if data.attrs.get("CLASS") == b"DIMENSION_SCALE":
                        assert name == data.name.split("/")[-1]
                        continue
                    assert dim[0].parent == group, (data.name, axis)
                    assert dim[0].shape[0] == data.shape[axis], (data.name, axis)
                if data.dtype.kind in "iuf" and data.nbytes >= COMPRESSED:
                    assert data.fletcher32 and data.shuffle and data.compression == "gzip", data.name
                if data.dtype.kind == "f" and "CLASS" not in data.attrs:
                    assert numpy.isnan(data.attrs["_FillValue"]), data.name
                if "flag_values" in data.attrs:
                    meanings = data.attrs["flag_meanings"].decode().split(" ")
                    assert len(meanings) == len(data.attrs["flag_values"]), data.name
                data[...]
        return groups


def check_xarray(path, engine, groups):
    for group in [None, *groups]:
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            for name, variable in data.variables.items():
                assert "long_name" in variable.attrs, (engine, group, name)
                assert not any(dim.startswith("phony") for dim in variable.dims), (group, name)
                assert variable.dtype.kind in "iufOU", (engine, group, name, variable.dtype)
                for dim in variable.dims:
                    assert dim in data.coords, (engine, group, name, dim)


def check_netcdf(path):
    def check(group):
        for variable in group.variables.values():
            assert not any(dim.startswith("phony") for dim in variable.dimensions)
            variable[...]
        for inner in group.groups.values():
            check(inner)
    with netCDF4.Dataset(path) as file:
        check(file)
    try:
        dump = subprocess.run(["ncdump", path], check=True, capture_output=True).stdout
        assert dump.startswith(b"netcdf ") and dump.count(b"units =") > 5
    except FileNotFoundError:
        print("without ncdump, which is not installed")


def main():
    with tempfile.TemporaryDirectory() as folder:
        paths = [os.path.join(folder, f"{i}.h5") for i in range(int(sys.argv[2]))]
        subprocess.run([sys.argv[1], *paths], check=True)
        for path in paths:
            groups = check_h5py(path)
            check_netcdf(path)
            for engine in ("h5netcdf", "netcdf4"):
                check_xarray(path, engine, groups)
    print("read by h5py, netCDF4, ncdump and xarray with both engines")


main()
