# SPDX-License-Identifier: Apache-2.0
"""Only the drawn edges between folders, no include cycle, includes written one way."""

import re

import rules
from tree import folder_of


def allowed(folder):
    """Folders that files of `folder` may include, or None for all."""
    if folder in rules.LAYERS:
        return [folder] + rules.LAYERS[folder]
    if folder in rules.TEST_FOLDERS:
        mirror = rules.TEST_FOLDERS[folder]
        code = [mirror] + rules.LAYERS[mirror]
        fixtures = [t for t, m in rules.TEST_FOLDERS.items() if m in code]
        return fixtures + ["tests/support"] + code + rules.TEST_REACHES.get(folder, [])
    return None


def check(tree):
    out, graph = [], {}
    for name in tree.c_files():
        for line, kind, header in tree.includes(name):
            target = tree.resolve(header)
            where = f"{name}:{line}"
            if kind == "<":
                if target and target.endswith(".h") and folder_of(target):
                    out.append(f'{where}: <{header}> is ours: write "{header}"')
                continue
            if "/" not in header or target is None:
                out.append(f'{where}: "{header}": write our includes from the root, as "base/err.h"')
                continue
            graph.setdefault(name, []).append(target)
            may, folder = allowed(folder_of(name)), folder_of(target)
            if may is not None and folder not in may:
                out.append(f"{where}: {folder_of(name)} must not include {folder} ({header})")
        out += own_header_first(tree, name)
    return out + cycles(graph)


def own_header_first(tree, name):
    own = re.sub(r"\.c$", ".h", name)
    if own == name or own not in tree.files:
        return []
    first = tree.includes(name)[:1]
    if first and tree.resolve(first[0][2]) == own:
        return []
    return [f"{name}:1: the first include must be its own header"]


def cycles(graph):
    out, state = [], {}

    def visit(node, path):
        state[node] = "open"
        for nxt in graph.get(node, []):
            if state.get(nxt) == "open":
                out.append("include cycle: " + " -> ".join(path[path.index(nxt):] + [nxt]))
            elif nxt not in state:
                visit(nxt, path + [nxt])
        state[node] = "done"

    for node in sorted(graph):
        if node not in state:
            visit(node, [node])
    return out


GOOD = {"src/base/a.h": "", "src/base/a.c": '#include "base/a.h"\n',
        "models/m.h": '#include "base/a.h"\n', "tests/models/test_m.c": '#include "models/m.h"\n'}
BAD = [
    ({"models/m.h": "", "src/base/a.c": '#include "models/m.h"\n'},
     "src/base/a.c:1: src/base must not include models"),
    ({"models/m.h": "", "traces/t.c": '// x\n#include "models/m.h"\n'},
     "traces/t.c:2: traces must not include models"),
    ({"cluster/c.h": "", "tests/models/test_m.c": '#include "cluster/c.h"\n'},
     "tests/models must not include cluster"),
    ({"src/base/a.h": "", "src/base/b.c": '#include "a.h"\n'}, "from the root"),
    ({"src/base/a.h": "", "models/b.c": "#include <base/a.h>\n"}, "is ours"),
    ({"src/base/a.h": "", "src/base/b.h": "", "src/base/b.c": '#include "base/a.h"\n'},
     "its own header"),
    ({"src/base/a.h": '#include "base/b.h"\n', "src/base/b.h": '#include "base/a.h"\n'},
     "include cycle: src/base/a.h -> src/base/b.h -> src/base/a.h"),
]
