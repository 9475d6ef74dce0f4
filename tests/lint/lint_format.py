# SPDX-License-Identifier: Apache-2.0
"""clang-format 14 has nothing to change."""

import re
import shutil
import subprocess

VERSION = "14"


class Skip(Exception):
    pass


def formatter():
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path:
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            if re.search(rf"version {VERSION}\.", said.stdout):
                return path
    raise Skip(f"clang-format {VERSION} not found: other versions lay out differently")


def check(tree):
    names = tree.c_files()
    if not names:
        return []
    said = subprocess.run([formatter(), "--dry-run", "--style=file", *names], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    found = re.findall(r"^(\S+?:\d+):\d+: (?:warning|error):", said.stderr, re.M)
    per_file = {}
    for where in found:
        per_file.setdefault(where.split(":")[0], []).append(where)
    out = [f"{w[0]}: {len(w)} place(s) to format: clang-format-{VERSION} -i {f}"
           for f, w in sorted(per_file.items())]
    return out or ([said.stderr] if said.returncode else [])


STYLE = "BasedOnStyle: LLVM\nIndentWidth: 4\n"
GOOD = {".clang-format": STYLE, "src/base/a.c": "int a_x(void) { return 1; }\n"}
BAD = [({".clang-format": STYLE, "src/base/a.c": "int  a_x( void ){return 1;}\n"},
        "src/base/a.c:1: ")]
