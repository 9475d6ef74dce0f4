# SPDX-License-Identifier: Apache-2.0
"""run_snippets.py RECFLEET ROOT: every block of Python in our pages runs and prints numbers.

The files that it makes for them have what docs/file-format.md says, with these dimensions and units.

The blocks of a page run one after the other in one process, on files that short versions of the page's
studies have made. Skipped (77) where xarray, h5netcdf or matplotlib is not installed.
"""
import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5netcdf  # noqa: F401, which xarray reads with
    import matplotlib
    import xarray  # noqa: F401
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

PROGRAM, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
STUDIES = os.path.join(ROOT, "slurm", "studies")
FEW = ["tune.queries=2000", "tune.max_queries=28000", "tune.accuracy=20%"]
# File -> the command that makes a short version of it.
FILES = {
    "quickstart.h5": ("run", "00-quickstart.yaml", ["duration=2s"]),
    "out.h5": ("run", "00-quickstart.yaml", ["duration=1s"]),
    "slowest.h5": ("run", "00-quickstart.yaml", ["duration=1s", "output.queries=slowest 100"]),
    "policies.h5": ("sweep", "02-policies.yaml", ["duration=500ms"]),
    "sweep.h5": ("sweep", "20-sweep.yaml", ["duration=500ms"]),
    "servers.h5": ("sweep", "21-servers.yaml", ["duration=200ms"]),
    "tune.h5": ("tune", "51-tune.yaml", FEW),
    "paper.h5": ("tune", "50-paper.yaml", FEW + ["sweep[0].values=[ncf]", "sweep[1].values=[medium]",
                                                 "tune.policies=[static, deeprecsched]"]),
    "capacity.h5": ("capacity", "../../tests/mpi/capacity.yaml", ["capacity.find=plan"]),
    "plan.h5": ("capacity", "../../tests/mpi/capacity.yaml", ["capacity.find=plan"]),
}
# Variables whose names are the study's or the scheduler's.
AXES = {"policy", "rate", "rate_value", "replication", "replication_value", "servers", "servers_value", "model", "platform", "target",
        "target_value"}
OWN_UNITS = {"objective", "bound"}  # the study's
SETTINGS = {"batch_items", "offload_items"}
PAGES = ["README.md", "docs/python.md", "docs/results.md"]


def make(name):
    command, study, settings = FILES[name]
    words = [PROGRAM, command, os.path.join(STUDIES, study), "-q", "-o", name]
    for setting in settings:
        words += ["--set", setting]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


def documented():
    """(kind, group) -> what docs/file-format.md says is in it: variable -> (dimensions, unit)."""
    groups, at, kind = {}, {}, None
    with open(os.path.join(ROOT, "docs", "file-format.md"), encoding="utf-8") as f:
        for line in f:
            head = re.match(r"### (\w+): `(.*)`", line)
            if head:
                kind, at = head[1], groups.setdefault((head[1], head[2]), {})
            cells = [c.strip() for c in line.split(" | ")]
            if len(cells) != 5 or not kind:
                continue
            for name in re.findall(r"as in `(.*)`", cells[0]):
                for twin, (dims, unit) in groups[kind, name].items():
                    inner = [d for d in dims.split(", ") if d in ("quantile", "component")]
                    at.setdefault(twin, (", ".join([d for d in cells[2].split(", ") if d != "-"] + inner) or "-", unit))
            if "as in" not in cells[0]:
                at.update({name: (cells[2], cells[3]) for name in re.findall(r"`(\w+)`", cells[0])})
    return groups


def text_of(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def wrong_format(name, groups):
    """What a file has that the page does not say, or says otherwise."""
    import h5py
    faults = []
    with h5py.File(name) as file:
        kind = text_of(file.attrs["kind"])

        def look(path, item):
            if not isinstance(item, h5py.Dataset) or h5py.h5ds.is_scale(item.id):
                return
            group, _, variable = ("/" + path).rpartition("/")
            dims = ", ".join(d[0].name.rpartition("/")[2] for d in item.dims) or "-"
            said = groups.get((kind, group or "/"), {}).get(re.sub("_half_95$", "", variable))
            if not said and variable in AXES | SETTINGS:
                return
            found = (dims, re.sub("^1$", "-", text_of(item.attrs["units"])))
            if not said or found != said and variable not in OWN_UNITS:
                faults.append(f"docs/file-format.md: /{path} of a {kind} has (dimensions, unit) {found}, not {said}")
        file.visititems(look)
    return faults


def run_page(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        text = f.read()
    names, faults = {"__name__": page}, []
    for match in re.finditer(r"```python\n(.*?)```", text, re.S):
        where = f"{page}:{text[:match.start()].count(chr(10)) + 2}"
        for name in re.findall(r'"(\w+\.h5)"', match[1]):
            if not os.path.exists(name):
                make(name)
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                exec(compile("\n" * (text[:match.start()].count("\n") + 1) + match[1], page, "exec"), names)
        except Exception as error:  # whatever a reader would see
            faults.append(f"{where}: {type(error).__name__}: {error}")
            continue
        shown = said.getvalue()
        if "print(" in match[1] and (not re.search(r"\d", shown) or "dtype=" in shown):
            faults.append(f"{where}: prints no plain numbers: {shown!r}")
        for picture in re.findall(r'savefig\("(.*?)"', match[1]):
            if os.path.getsize(picture) < 5000:
                faults.append(f"{where}: {picture} is empty")
    return faults


def main():
    matplotlib.use("Agg")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        faults = [fault for page in PAGES for fault in run_page(page)]
        groups = documented()
        assert len(groups) > 30 and groups["run", "/total"]["latency_s"][1] == "s", len(groups)
        made = [name for name in FILES if os.path.exists(name)]
        assert {"quickstart.h5", "sweep.h5", "tune.h5", "capacity.h5"} <= set(made)
        faults += [fault for name in made for fault in wrong_format(name, groups)]
        if len(sys.argv) > 3:  # keeps the pictures
            subprocess.run(["cp", *[n for n in os.listdir(".") if n.endswith(".png")], sys.argv[3]], check=True)
        os.chdir("/")
    print("\n".join(faults) if faults else "every block runs and prints numbers")
    return 1 if faults else 0


sys.exit(main())
