# SPDX-License-Identifier: Apache-2.0
"""One module is one .h and one .c of the same, tree-unique name, with one test of its own."""

import re

import rules
from tree import folder_of

# A function or object that some .c must define. Headers of plain data and inline functions need none.
DECLARES = re.compile(r"^(?!typedef|static|struct\s+\w+\s*[;{]|union|enum)[a-z][\w \*]*?\b(\w+)"
                      r"(?:\([^{}]*?\)[^{};]*;|(?:\[\w*\])*;)", re.M)


def family_of(tree, name):
    """`policy` for cluster/policy_random.c when cluster/policy.h exists, else None."""
    folder, base = name.rsplit("/", 1)
    parts = base[:-2].split("_")
    for n in range(len(parts) - 1, 0, -1):
        if f"{folder}/{'_'.join(parts[:n])}.h" in tree.files:
            return "_".join(parts[:n])
    return None


def check(tree):
    out, stems = [], {}
    for name in tree.code_files():
        stems.setdefault(name.rsplit("/", 1)[1][:-2], set()).add(name[:-2])
    for stem, places in sorted(stems.items()):
        if len(places) > 1:
            out.append(f"module name `{stem}` is used twice: " + " ".join(sorted(places)))
    for name in tree.code_files((".h",)):
        declared = DECLARES.search(tree.split(name).code)
        if name[:-2] + ".c" not in tree.files and declared and name not in rules.MADE_BY_BUILD:
            out.append(f"{name}: declares `{declared.group(1)}` and there is no {name[:-2]}.c")
    for name in tree.code_files((".c",)):
        if (name[:-2] + ".h" not in tree.files and name not in rules.NO_HEADER
                and not family_of(tree, name)):
            out.append(f"{name}: no {name[:-2]}.h, and no family header that it could belong to")
        out += untested(tree, name)
    for name in tree.code_files((".h",)):
        if (name[:-2] + ".c" not in tree.files and name not in rules.TEMPLATES
                and "static inline" in tree.split(name).code):
            out += untested(tree, name)
    return out


def untested(tree, name):
    """A module has tests/<folder>/test_<module>.c; a variant may share its family's; a command
    may be tested as a user calls it, in tests/cli."""
    folder, stem = name.rsplit("/", 1)[0], name.rsplit("/", 1)[1][:-2]
    if name in rules.TESTED_ELSEWHERE:
        return []
    tests = "tests/" + folder_of(name).removeprefix("src/")
    if f"{tests}/test_{stem}.c" in tree.files:
        return []
    family = family_of(tree, name) if name.endswith(".c") else None
    if family:
        variant = stem[len(family) + 1:]
        word = re.compile(rf"\b{variant.replace('_', '[-_]')}\b|\b{stem}\b")
        shared = f"{tests}/test_{family}.c"
        if shared in tree.files and word.search(tree.text(shared)):
            return []
        if folder == "src/app" and any(word.search(tree.text(f)) for f in tree.files
                                       if f.startswith("tests/cli/")):
            return []
    return [f"{name}: no test: expected {tests}/test_{stem}.c"]


GOOD = {"src/base/a.h": "", "src/base/a.c": "", "tests/base/test_a.c": "",
        "traces/arrival.h": "", "traces/arrival.c": "", "traces/arrival_poisson.c": "",
        "tests/traces/test_arrival.c": '"poisson"', "src/base/b.h": "struct b;\nstruct b_s {\n    int x;\n};\n"
                        "typedef int (*b_fn)(int);\nenum b_e { B };\n"}
BAD = [
    ({"src/base/a.h": "int a_x(int,\n  int);\n"}, "declares `a_x` and there is no src/base/a.c"),
    ({"src/base/a.h": "extern const int a_x[];\n"}, "declares `a_x` and there is no src/base/a.c"),
    ({"src/base/a.c": "", "tests/base/test_a.c": ""}, "src/base/a.c: no src/base/a.h"),
    ({"src/base/a.h": "", "src/base/a.c": ""}, "expected tests/base/test_a.c"),
    ({"src/base/a.h": "", "models/a.h": ""}, "`a` is used twice: models/a src/base/a"),
    ({"traces/arrival.h": "", "traces/arrival.c": "", "traces/arrival_mmpp.c": "",
      "tests/traces/test_arrival.c": '"poisson"'}, "expected tests/traces/test_arrival_mmpp.c"),
    ({"src/base/simtime.h": "static inline int f(void) { return 1; }"},
     "expected tests/base/test_simtime.c"),
]
