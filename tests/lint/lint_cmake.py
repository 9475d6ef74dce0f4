# SPDX-License-Identifier: Apache-2.0
"""No CMake file demands what the packages for building do not bring.

A machine on which the tests were ever run has more than that, so nobody would see it there.
"""

import re

import rules
from tree import line_of

SETUP = "scripts/setup.sh"
DEMAND = re.compile(r"\b(find_(?:package|program|library|path|file)|pkg_(?:check|search)_modules?)"
                    r"\s*\(\s*([^\s)]+)([^)]*)\)", re.I)
# The other way to demand: if(NOT X) message(FATAL_ERROR ...).
REFUSAL = re.compile(r"\bif\s*\(([^()]*)\)\s*message\s*\(\s*FATAL_ERROR", re.I)


def build_packages(tree):
    found = re.search(r"^build_packages=\(([^)]*)\)", tree.text(SETUP), re.M)
    return found.group(1).split() if found else []


def check(tree):
    out, packages = [], build_packages(tree)
    for name in tree.files:
        if not name.endswith(("CMakeLists.txt", ".cmake")):
            continue
        text = re.sub(r"#.*", "", tree.text(name))
        refused = {v for m in REFUSAL.finditer(text)
                   for v in re.findall(r"\bNOT\s+(\w+)", m.group(1))}
        for m in DEMAND.finditer(text):
            if not re.search(r"\bREQUIRED\b", m.group(3)) and m.group(2) not in refused:
                continue
            where, what = f"{name}:{line_of(text, m.start())}", m.group(2)
            package = rules.CMAKE_DEMANDS.get(what)
            if package is None:
                out.append(f"{where}: {m.group(1)} demands {what}: rules.CMAKE_DEMANDS does not say "
                           "which package for building brings it")
            elif package not in packages:
                out.append(f"{where}: {m.group(1)} demands {what}, but {SETUP} does not install "
                           f"{package} for building")
    return out


GOOD = {SETUP: "build_packages=(gcc libopenmpi-dev)\n",
        "CMakeLists.txt": "find_package(MPI REQUIRED COMPONENTS C)\nfind_program(RF_PYTHON python3)\n"}
BAD = [({**GOOD, "tests/CMakeLists.txt": "find_program(RF_PYTHON\n             python3 REQUIRED)\n"},
        "tests/CMakeLists.txt:1: find_program demands RF_PYTHON: "),
       ({**GOOD, SETUP: "build_packages=(gcc)\n"}, "does not install libopenmpi-dev"),
       ({**GOOD, "a.cmake": "pkg_check_modules(X REQUIRED x)\n"}, "a.cmake:1: pkg_check_modules"),
       ({**GOOD, "a.cmake": "find_program(X x)\nif(NOT X)\n  message(FATAL_ERROR \"no x\")\nendif()\n"},
        "a.cmake:1: find_program demands X: ")]
