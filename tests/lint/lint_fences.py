# SPDX-License-Identifier: Apache-2.0
"""Every library stays in the few files that are there to hide it."""

import fnmatch
import re

import rules
from tree import folder_of


def fenced_in(library, name):
    stem = name.rsplit(".", 1)[0]
    patterns = rules.FENCES[library][1]
    if name.startswith("tests/"):
        mirror = rules.TEST_FOLDERS.get(folder_of(name))
        return library == "Check" or mirror is None or folder_of(name) == "tests/support" or any(
            p.startswith(code + "/") for code in [mirror] + rules.LAYERS[mirror] for p in patterns)
    return any(fnmatch.fnmatchcase(stem, p) for p in patterns)


def check(tree):
    out, direct, graph = [], {}, {}
    for name in tree.c_files():
        for line, kind, header in tree.includes(name):
            if kind == '"' and tree.resolve(header):
                graph.setdefault(name, []).append(tree.resolve(header))
            for library, (pattern, _) in rules.FENCES.items():
                if re.fullmatch(pattern, header):
                    direct.setdefault(library, set()).add(name)
                    if not fenced_in(library, name):
                        out.append(f"{name}:{line}: <{header}>: {library} must stay in "
                                   + (" ".join(rules.FENCES[library][1]) or "the tests"))
    return out + reached(graph, direct)


def reached(graph, direct):
    out = []
    for library, folders in rules.NO_REACH.items():
        for name in sorted(graph):
            if folder_of(name) not in folders or name in direct.get(library, ()):
                continue
            path = find(graph, name, direct.get(library, set()))
            if path and not fenced_in(library, name):
                out.append(f"{name}: reaches {library} through " + " -> ".join(path[1:]))
    return out


def find(graph, start, goals):
    todo, seen = [[start]], {start}
    while todo:
        path = todo.pop(0)
        if path[-1] in goals and len(path) > 1:
            return path
        for nxt in graph.get(path[-1], []):
            if nxt not in seen:
                seen.add(nxt)
                todo.append(path + [nxt])
    return None


GOOD = {"src/par/agree.h": "#include <mpi.h>\n", "results/file/dataset_file.c": "#include <hdf5.h>\n",
        "traces/qsize_normal.c": "#include <gsl/gsl_cdf.h>\n",
        "tests/base/test_a.c": "#include <check.h>\n",
        "src/base/x.c": "// #include <mpi.h>\n", "cluster/run.h": "#include <mpi.h>\n"}
BAD = [
    ({"models/cost.c": "#include <stdio.h>\n#include <mpi.h>\n"}, "models/cost.c:2: <mpi.h>"),
    ({"cluster/cell.c": "#include <hdf5.h>\n"}, "HDF5 must stay in"),
    ({"cluster/cell.c": "#include <H5public.h>\n"}, "HDF5 must stay in"),
    ({"src/study/study.c": "#include <yaml.h>\n"}, "libyaml must stay in src/study/doc"),
    ({"models/power.c": "#include <gsl/gsl_math.h>\n"}, "GSL must stay in"),
    ({"cluster/policy_random.c": "#include <Random123/philox.h>\n"}, "Random123 must stay in"),
    ({"results/ci.c": "#include <check.h>\n"}, "Check must stay in the tests"),
    ({"tests/models/test_cost.c": "#include <mpi.h>\n"}, "MPI must stay in"),
    ({"cluster/run.h": "#include <mpi.h>\n", "src/study/study.c": '#include "cluster/run.h"\n'},
     "src/study/study.c: reaches MPI through cluster/run.h"),
]
