#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lines.py [TREE ...]: how long the sources are, folder by folder: lines of code (no comment, no
blank) and all lines, and the share of lines in .c files that are comments. Several trees, or commits
checked out beside each other, are compared by their tables.
"""
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDERS = ("src", "results", "cluster", "models", "traces", "tests")
APP = ("src/app", "src/capacity", "src/jobs", "src/runs")


def code_lines(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return sum(bool(line.strip()) and not line.strip().startswith("//") for line in text.splitlines())


def place(name):
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] in ("src", "results") and len(parts) > 2 else parts[0]


def show(tree):
    names = subprocess.run(["git", "-C", tree, "ls-files", *FOLDERS], capture_output=True, text=True,
                           check=True).stdout.split("\n")
    code, raw = collections.Counter(), collections.Counter()
    comments = c_lines = 0
    for name in filter(None, names):
        with open(os.path.join(tree, name), errors="replace") as file:
            text = file.read()
        if not name.endswith((".c", ".h")):
            raw["tests, not C"] += len(text.splitlines()) if name.startswith("tests/") else 0
            continue
        code[place(name)] += code_lines(text)
        raw[place(name)] += len(text.splitlines())
        if name.endswith(".c") and not name.startswith("tests/"):
            comments += sum(line.strip().startswith("//") for line in text.splitlines())
            c_lines += len(text.splitlines())
    print("%-16s %7s %7s" % (os.path.relpath(tree), "code", "all"))
    for folder in sorted(raw):
        print("  %-14s %7d %7d" % (folder, code[folder], raw[folder]))
    print("  results, app, capacity, jobs, runs: %d lines of code" % sum(
        code[f] for f in code if f.startswith("results") or f in APP))
    print("  all but tests: %d lines; tests: %d; comments in .c files: %.1f %%" % (
        sum(raw[f] for f in raw if not f.startswith("tests")),
        sum(raw[f] for f in raw if f.startswith("tests")), 100 * comments / c_lines))


for argument in sys.argv[1:] or [ROOT]:
    show(argument)
