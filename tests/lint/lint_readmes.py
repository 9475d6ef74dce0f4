# SPDX-License-Identifier: Apache-2.0
"""Every top folder opens with a README, and the links in our pages lead somewhere."""

import re

import rules


def check(tree):
    out = []
    for folder in rules.README_FOLDERS:
        inside = [f for f in tree.files if f.startswith(folder + "/")]
        if inside and f"{folder}/README.md" not in tree.files:
            out.append(f"{folder}: no README.md")
    for name in tree.files:
        if name.endswith(".md"):
            out += dead_links(tree, name)
    return out


def dead_links(tree, name):
    out = []
    for m in re.finditer(r"\]\(([^)#\s]+)(#[^)]*)?\)", tree.text(name)):
        target = m.group(1)
        if "://" not in target and not (tree.root / name).parent.joinpath(target).exists():
            out.append(f"{name}: link to {target}, which is not there")
    return out


GOOD = {"src/README.md": "[a](base/a.c)\n", "src/base/a.c": ""}
BAD = [
    ({"models/cost.c": ""}, "models: no README.md"),
    ({"README.md": "[x](docs/none.md)\n"}, "link to docs/none.md"),
]
