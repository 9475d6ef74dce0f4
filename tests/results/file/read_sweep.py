#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""read_sweep.py WRITER: does a sweep's file say what docs/results.md promises?

WRITER is a program that writes a sample file. Exit 77 (skipped) where a reader is not installed.
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

ALL = {"point": 12, "case": 4, "service": 2, "group": 2, "quantile": 5, "component": 2}
GROUPS = {None: ALL, "total": {"point": 12, "quantile": 5},
          "summary": {"point": 12, "service": 2, "quantile": 5},
          "groups": {"point": 12, "group": 2, "component": 2}, "run": {"point": 12},
          "folded": {"case": 4}, "folded/total": {"case": 4, "quantile": 5},
          "folded/summary": {"case": 4, "service": 2, "quantile": 5},
          "folded/groups": {"case": 4, "group": 2, "component": 2}, "study": {}}
AXES = ["policy", "servers", "replication"]


def check_groups(path, engine):
    for group, sizes in GROUPS.items():
        with xarray.open_dataset(path, group=group, engine=engine) as data:
            data.load()
            assert dict(data.sizes) == sizes, (engine, group, dict(data.sizes))
            wanted = AXES if "point" in sizes else AXES[:2] if "case" in sizes else []
            assert all(axis in data.coords for axis in wanted), (engine, group, data.coords)
            for name, variable in data.variables.items():
                assert "units" in variable.attrs and "long_name" in variable.attrs, (group, name)
                assert variable.dtype.kind in "iufOU", (engine, group, name, variable.dtype)
                if "flag_meanings" in variable.attrs:
                    meanings = variable.attrs["flag_meanings"].split(" ")
                    assert "" not in meanings, (group, name)
                    assert len(meanings) == numpy.size(variable.attrs["flag_values"]), name


def check_points(path, engine):
    with xarray.open_dataset(path, engine=engine) as data:
        assert data.attrs["Conventions"] == "CF-1.8" and data.attrs["kind"] == "sweep"
        assert data.attrs["axes"].split("\n") == AXES
        assert data.attrs["axis_variables"].split(" ") == AXES
        assert data.attrs["replication_axis"] == 2
        assert list(data.policy.values) == ["random"] * 6 + ["power of 2"] * 6
        assert list(data.servers_value.values) == ([100] * 3 + [2500] * 3) * 2
        assert "policy_value" not in data.coords
        assert list(data.state.values) == [1, 1, 1, 1, 2, 1, 1, 1, 0, 1, 1, 3]
        assert int(data.random_seed[4]) == 0xfedcba9876543210 + 4 and int(data.random_seed[5]) == 15
        assert "wall_s" not in data and "host" not in data and "note" not in data
    with xarray.open_dataset(path, group="summary", engine=engine) as data:
        assert data.latency_s.dims == ("point", "service", "quantile")
        assert abs(float(data.latency_s.sel(quantile=0.95)[3, 1]) - 0.014) < 1e-15
        assert numpy.isnan(data.served_qps[6:, 1]).all() and numpy.isnan(data.served_qps[4]).all()
        assert list(data.service_name[5].values) == ["feed", "ads, banner"]
        assert list(data.service_name[6].values) == ["feed", ""]
    with xarray.open_dataset(path, group="run", engine=engine) as data:
        assert float(data.wall_s[10]) == 2.5 and int(data.n_restarts[10]) == 19
        assert list(data.n_nodes[:5].values) == [2, 2, 2, 2, 0]
        assert data.job_id.values[5] == "77_15"
        assert data.note.values[4] == "no space left on the disk"


def check_folded(path, engine):
    """Student's t by hand: 10, 11, 12 thousand qps; 13 and 15."""
    with xarray.open_dataset(path, group="folded/total", engine=engine) as data:
        assert abs(float(data.served_qps[0]) - 11000) < 1e-9
        assert abs(float(data.served_qps_half_95[0]) - 4302.65 / 3 ** 0.5) < 0.01
        assert abs(float(data.served_qps_half_95[1]) - 12706.2) < 0.1
        assert numpy.isnan(data.latency_s[2]).all()  # one of them was overloaded
    with xarray.open_dataset(path, group="folded", engine=engine) as data:
        assert list(data.n_overloaded.values) == [0, 0, 1, 0]
        assert list(data.n_missing.values) == [0, 1, 1, 1]
    with xarray.open_dataset(path, group="folded/summary", engine=engine) as data:
        assert data.sla.attrs["flag_meanings"] == "met unsure missed not_asked"
        assert list(data.sla[:, 0].values) == [0, 1, 2, 1]


def check_example(path, engine):
    """What docs/results.md shows."""
    total = xarray.open_dataset(path, group="total", engine=engine)
    p95 = total[["latency_s"]].sel(quantile=0.95).set_index(point=AXES).unstack().latency_s
    assert p95.shape == (2, 2, 3) and abs(float(p95.sel(policy="power of 2", servers="2.5e3", replication="1")) - 0.020) < 1e-15
    assert numpy.isnan(p95.sel(policy="random", servers="2.5e3", replication="1"))  # it has failed
    folded = xarray.open_dataset(path, group="folded/total", engine=engine)
    table = folded[["served_qps", "served_qps_half_95"]].set_index(case=["policy", "servers"])
    frame = table.to_dataframe()
    assert abs(frame.served_qps["random", "100"] - 11000) < 1e-9, frame


def main():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "sweep.h5")
        subprocess.run([sys.argv[1], path], check=True)
        for engine in ("h5netcdf", "netcdf4"):
            check_groups(path, engine)
            check_points(path, engine)
            check_folded(path, engine)
            check_example(path, engine)
    print("read by xarray with both engines")


main()
