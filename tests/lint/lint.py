#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one lint over the tree, or that lint's self-test.

    lint.py NAME [--root DIR] [--build DIR]    complaints, one a line; exit 1 when there are any
    lint.py NAME --selftest                    feeds it bad trees and sees it complain

Exit 77 says that the lint could not run here (CTest shows it as skipped). A lint is a module
lint_NAME.py with check(tree) -> complaints, GOOD (a tree without any) and BAD (trees with the
complaint that each must give).
"""

import argparse
import importlib
import pathlib
import sys
import tempfile

from lint_format import Skip
from tree import Tree


def run(lint, root, build):
    tree = Tree(root, build)
    complaints = lint.check(tree)
    if hasattr(lint, "report"):
        print("\n".join(lint.report(tree)))
    for line in complaints:
        print(line)
    print(f"{len(complaints)} complaint(s), {len(tree.files)} files")
    return 1 if complaints else 0


def complaints_of(lint, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        build = lint.prepare(root) if hasattr(lint, "prepare") else None
        return lint.check(Tree(root, build))


def selftest(lint):
    failed = 0
    found = complaints_of(lint, lint.GOOD)
    if found:
        failed += 1
        print("the good tree: expected no complaint, got\n  " + "\n  ".join(found))
    for files, expected in lint.BAD:
        found = complaints_of(lint, files)
        if not any(expected in line for line in found):
            failed += 1
            print(f"{sorted(files)}: expected `{expected}`, got {found}")
    print(f"{len(lint.BAD) + 1} cases, {failed} wrong")
    return 1 if failed or not lint.BAD else 0


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=sorted(p.stem[5:] for p in here.glob("lint_*.py")))
    parser.add_argument("--root", default=here.parent.parent)
    parser.add_argument("--build")
    parser.add_argument("--selftest", action="store_true")
    args = parser.parse_args()
    lint = importlib.import_module("lint_" + args.name)
    try:
        return selftest(lint) if args.selftest else run(lint, args.root, args.build)
    except Skip as why:
        print(f"skipped: {why}")
        return 77


if __name__ == "__main__":
    sys.exit(main())
