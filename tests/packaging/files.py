#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The files at the door: recipes, the workflow, templates, the citation.

usage: files.py TREE VERSION

All name one version. YAML is parsed; the workflow calls our scripts with arguments that they take,
and actions at a major version. Recipes have what CMake demands, copy what is there, and the shell
in them is parsed (and read by shellcheck where that is installed).
"""

import pathlib
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import types

ROOT, VERSION = pathlib.Path(sys.argv[1]), sys.argv[2]
RECIPES = ROOT / "scripts/packaging"
# What a CMake file demands (tests/lint/rules.py) -> Spack's name for it.
SPACK = {"MPI": "mpi", "Threads": "c", "HDF5": "hdf5", "GSL": "gsl", "PkgConfig": "pkgconfig", "YAML": "libyaml",
         "XXHASH": "xxhash", "ZLIB": "zlib-api", "CHECK": "check", "GLPK_LIBRARY": "glpk",
         "GLPK_INCLUDE_DIR": "glpk", "RANDOM123_INCLUDE_DIR": "random123"}
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print(f"FAIL {what}")


def parsed(name):
    with open(ROOT / name, encoding="utf-8") as file:
        return yaml.safe_load(file)


def shell(what, script):
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True)
    expect(done.returncode == 0, f"{what}: {done.stderr}")
    if shutil.which("shellcheck"):
        done = subprocess.run(["shellcheck", "-s", "bash", "-e", "SC2250", "-"], input=script, text=True,
                              capture_output=True)
        expect(done.returncode == 0, f"{what}: {done.stdout}")


def versions():
    """The version of CMakeLists.txt, everywhere it is written."""
    changes = re.findall(r"^## (\S+)", (ROOT / "CHANGES.md").read_text(), re.M)
    expect(VERSION in changes[:2] and changes[0] in (VERSION, "Unreleased"), f"CHANGES.md begins with {changes[0]}")
    citation = parsed("CITATION.cff")
    expect(citation["version"] == VERSION, f"CITATION.cff has {citation['version']}")
    for key in ("cff-version", "title", "message", "authors", "license"):
        expect(citation.get(key), f"CITATION.cff without {key}")
    expect(all(a.get("name") or a.get("family-names") for a in citation["authors"]), "authors without a name")
    shown = re.search(r"^recfleet (\d\S*)   study", (ROOT / "README.md").read_text(), re.M)
    expect(not shown or shown.group(1) == VERSION, "README.md shows another version")


def workflow():
    """Jobs side by side, that call scripts/test.sh as it wants to be called."""
    ci = parsed(".github/workflows/ci.yml")
    job = ci["jobs"]["test"]
    calls = {row["name"]: row["run"] for row in job["strategy"]["matrix"]["include"]}
    expect({"quick", "ranks", "sanitizers", "fuzz"} <= set(calls), f"jobs {sorted(calls)}")
    usage = (ROOT / "scripts/test.sh").read_text()
    for name, call in calls.items():
        shell(f"job {name}", call + "\n")
        words = [word for word in call.split() if word.startswith("-")]
        expect("scripts/test.sh" in call and words, f"job {name} calls {call}")
        expect(all(f"    {word})" in usage for word in words), f"test.sh does not take {words}")
    uses = [step["uses"] for step in job["steps"] if "uses" in step]
    expect(uses and all(re.fullmatch(r"actions/[a-z-]+@v\d+", use) for use in uses), f"actions {uses}")
    labels = set(re.findall(r"\w+", re.search(r"-L '(.*)'", calls["ranks"]).group(1)))
    known = set(re.findall(r"^\| `(\w+)`", (ROOT / "tests/README.md").read_text(), re.M))
    expect(labels <= known, f"labels that are none: {sorted(labels - known)}")


def templates():
    for path in sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")):
        form = parsed(path.relative_to(ROOT))
        if path.name == "config.yml":
            continue
        expect(form["name"] and form["description"], f"{path.name} without a name")
        ids = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        expect(ids and len(ids) == len(set(ids)), f"{path.name}: fields {ids}")
        expect(all(field["attributes"].get("label") or field["attributes"].get("value") for field in form["body"]),
               f"{path.name}: a field without a label")


def spack():
    """Carried out with a stand-in for Spack that only takes notes."""
    recipe = RECIPES / "spack/package.py"
    with tempfile.TemporaryDirectory() as folder:
        py_compile.compile(recipe, cfile=folder + "/package.pyc", doraise=True)
    named, noted = [], []
    stand_in = types.ModuleType("spack.package")
    stand_in.CMakePackage = type("CMakePackage", (), {})
    stand_in.depends_on = lambda spec, **rest: named.append(re.split(r"[@+~ ]", spec)[0])
    stand_in.version = lambda number, **rest: noted.append(number)
    stand_in.license = lambda name: None
    sys.modules["spack"], sys.modules["spack.package"] = types.ModuleType("spack"), stand_in
    exec(recipe.read_text(), {})
    expect(noted == [VERSION], f"Spack's recipe has {noted}")
    sys.path.insert(0, str(ROOT / "tests/lint"))
    import rules
    for demand in rules.CMAKE_DEMANDS:
        expect(SPACK.get(demand) in named, f"Spack's recipe lacks {demand}")
    cmake = re.search(r"VERSION (\d+\.\d+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    expect(f'"cmake@{cmake}:"' in recipe.read_text(), f"Spack's recipe wants another CMake than {cmake}")


def exists(pattern):
    return pattern == "." or list(ROOT.glob(pattern))


def containerfile():
    text = (RECIPES / "Containerfile").read_text().replace("\\\n", " ")
    known = {"FROM", "COPY", "WORKDIR", "RUN", "ENV", "ENTRYPOINT", "CMD"}
    rows = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    expect(rows[0][0] == "FROM" and {row[0] for row in rows} <= known, f"instructions {rows}")
    stages = [row[1].split(" AS ")[1] for row in rows if row[0] == "FROM" and " AS " in row[1]]
    for word, rest in rows:
        if word == "RUN":
            shell("Containerfile", rest + "\n")
        if word == "COPY" and rest.startswith("--from="):
            expect(rest[len("--from="):].split()[0] in stages, f"no stage for COPY {rest}")
        elif word == "COPY":
            expect(all(exists(source) for source in rest.split()[:-1]), f"nothing there for COPY {rest}")
    for script in re.findall(r"\bscripts/[\w./-]+", text):
        expect(exists(script), f"Containerfile names {script}")


def apptainer():
    text = (RECIPES / "recfleet.def").read_text()
    text = "\n".join(line for line in text.splitlines() if not line.startswith("#")) + "\n"
    parts = re.split(r"^%(\w+)(.*)$", text, flags=re.M)
    expect(re.match(r"\s*Bootstrap: \w+\nFrom: \S+\n", parts[0]), "recfleet.def begins with what it is from")
    known = {"files", "post", "runscript", "test", "help", "environment", "labels"}
    for name, _, body in zip(parts[1::3], parts[2::3], parts[3::3]):
        expect(name in known, f"recfleet.def: section {name}")
        if name in ("post", "runscript", "test"):
            # Apptainer runs it by sh -e.
            shell(f"recfleet.def: {name}", "set -e" + re.sub(r"^(Bootstrap|From|Stage):.*$", "", body, flags=re.M))
    for script in re.findall(r"^    (scripts/[\w./-]+)", text, re.M):
        expect(exists(script), f"recfleet.def names {script}")


def walks():
    """The policy that CONTRIBUTING.md adds compiles as it is written there, and what it names is there."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    blocks = [textwrap.dedent(b) for b in re.findall(r"^ *```c\n(.*?)^ *```", text, re.M | re.S)]
    expect(blocks and "struct policy_type policy_by_size" in blocks[0], "CONTRIBUTING.md has no policy")
    if shutil.which("cc"):
        done = subprocess.run(["cc", "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror", "-fsyntax-only",
                               f"-I{ROOT}", f"-I{ROOT}/src", "-x", "c", "-"], input=blocks[0], text=True,
                              capture_output=True)
        expect(done.returncode == 0, f"the policy of CONTRIBUTING.md: {done.stderr}")
    sources = "".join(path.read_text() for path in sorted((ROOT / "cluster").glob("*.h")))
    for name in re.findall(r"`(\w+)\(\)`", text):
        expect(name == "main" or f"{name}(" in sources, f"CONTRIBUTING.md names {name}()")
    for name in re.findall(r"`((?:cluster|tests|docs|scripts)/[\w./-]+)`", text):
        example = re.search(r"policy_by_size|sched_x", name)
        expect(example or exists(name), f"CONTRIBUTING.md names {name}")
    for hook in ("fields", "axes", "run", "fold", "cut", "bytes", "save", "load", "needs", "advance",
                 "resolve", "simplify", "check", "is_implied"):
        expect(re.search(rf"\b{hook}\b", (ROOT / "cluster/sched.h").read_text()), f"sched.h without {hook}")


def honest():
    """A recipe that nobody has run says so in its head."""
    for name in ("spack/package.py", "Containerfile", "recfleet.def"):
        head = "".join((RECIPES / name).read_text().splitlines(keepends=True)[:3])
        expect(re.search(r"Linted, not (run|built)", head), f"{name} does not say that it was not run")


try:
    import yaml
except ImportError:
    print("skipped: python3-yaml is not installed")
    sys.exit(77)
for check in (versions, workflow, templates, spack, containerfile, apptainer, walks, honest):
    check()
sys.exit(1 if failures else 0)
