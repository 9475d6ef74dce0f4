# SPDX-License-Identifier: Apache-2.0
"""Licence line, white space, machine paths, words of CONTRIBUTING's list, and the constructs that the
style rules out."""

import re

import rules
from tree import folder_of, line_of

SPDX = "SPDX-License-Identifier: Apache-2.0"
CODE = (".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".sbatch")
# Inputs that are kept byte for byte as somebody or something wrote them.
RAW = ("tests/fuzz/corpus/", "tests/golden/", "traces/data/", "LICENSE")
BINARY = (".h5", ".png", ".gz", ".bin", ".onnx")


def check(tree):
    out = []
    for name in tree.files:
        if name.endswith(BINARY) or name.startswith(RAW):
            continue
        out += licence(tree, name) + white_space(tree, name) + places(tree, name) + words(tree, name)
    for name in tree.c_files():
        out += typedefs(tree, name)
        if folder_of(name) in rules.LAYERS:
            out += clocks(tree, name)
        if folder_of(name) in rules.LAYERS and folder_of(name) != "src/app":
            out += calls(tree, name)
    return out


def licence(tree, name):
    text = tree.text(name)
    if not (name.endswith(CODE) or text.startswith("#!")):
        return []
    lines = text.split("\n")
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    want = ("// " if name.endswith((".c", ".h")) else "# ") + SPDX
    return [] if first == want else [f"{name}:1: the first line must be `{want}`"]


def white_space(tree, name):
    out, text = [], tree.text(name)
    for n, line in enumerate(text.split("\n"), 1):
        if "\t" in line:
            out.append(f"{name}:{n}: a tab")
        if line != line.rstrip():
            out.append(f"{name}:{n}: trailing space")
        if re.match(r"(<{7}|>{7}) ", line):
            out.append(f"{name}:{n}: what a merge could not decide")
    if text and not text.endswith("\n"):
        out.append(f"{name}: no newline at the end")
    return out


def places(tree, name):
    if name.startswith("tests/lint/"):
        return []
    pages = [p for p in rules.FOREIGN_PAGES if f"docs/{p}.md" not in tree.files]
    patterns = rules.MACHINE_PATHS + [rf"(?<![\w/-])({'|'.join(pages)})\.md\b"]
    text = tree.text(name)
    return [f"{name}:{line_of(text, m.start())}: `{m.group().strip()}` is not in the tree"
            for p in patterns for m in re.finditer(p, text)]


STRING = re.compile(r'"((?:[^"\\\n]|\\.)*)"|[^"\n]+')


def shown(tree, name):
    """What a user reads in the file, in its place: a page as a whole, the string literals of C."""
    if name.endswith(".md"):
        return tree.text(name)
    if name.endswith((".c", ".h")):
        return STRING.sub(lambda m: " " * len(m[0]) if m[1] is None else f" {m[1]} ", tree.split(name).code_and_strings)
    return ""


def words(tree, name):
    if name.startswith("tests/") or name in rules.WORDS_ALLOWED:
        return []
    text = shown(tree, name)
    return [f"{name}:{line_of(text, m.start())}: `{m.group()}`: {instead} (CONTRIBUTING.md, Words)"
            for pattern, instead in rules.WORDS.items() for m in re.finditer(pattern, text, re.I)]


def typedefs(tree, name):
    out, code = [], tree.split(name).code
    for m in re.finditer(r"\btypedef\b[^;{]*(\{[^}]*\})?[^;]*;", code):
        text, where = m.group(), f"{name}:{line_of(code, m.start())}"
        function = re.search(r"\(\s*\*\s*(\w+)\s*\)\s*\(", text)
        last = function or re.search(r"(\w+)\s*(\[[^\]]*\])?\s*;$", text)
        if function and not function.group(1).endswith("_fn"):
            out.append(f"{where}: function pointer type `{function.group(1)}` must end in _fn")
        if not function and re.search(r"\*\s*(const\s+)?\w+\s*;$", text):
            out.append(f"{where}: typedef of a pointer")
        if last and last.group(1).endswith("_t"):
            out.append(f"{where}: `{last.group(1)}`: names in _t belong to the C library")
    return out


def calls(tree, name):
    code = tree.split(name).code
    return [f"{name}:{line_of(code, m.start())}: `{m.group().strip()}` belongs in src/app"
            for pattern, may in rules.FORBIDDEN_CALLS.items() if name not in may
            for m in re.finditer(pattern, code)]


def clocks(tree, name):
    code = tree.split(name).code
    return [f"{name}:{line_of(code, m.start())}: `{m.group().strip()}`: clocks are read in "
            + (" ".join(may) or "other ways (rules.py, CLOCKS)")
            for pattern, may in rules.CLOCKS.items() if name not in may
            for m in re.finditer(pattern, code)]


HEAD = "// " + SPDX + "\n"
GOOD = {"src/base/a.c": HEAD + "// printf( in a comment, exit( too; it goes on beside it\n"
                               'const char *a_x(void) { return "exit(1)"; }\n'
                               "int a_n(char *b) { return snprintf(b, 1, \"x\"); }\n"
                               "typedef void (*a_fn)(int *x);\ntypedef struct a_s a_s;\n",
        "docs/x.md": "It stands for more; told apart by `x`.\n",
        "scripts/x.sh": "#!/bin/sh\n# " + SPDX + "\n", "src/app/main.c": HEAD + "printf(1);\n",
        "src/base/mem.c": HEAD + "exit(1);\n",
        "src/live/live_clock.c": HEAD + "void f(void) { clock_gettime(CLOCK_MONOTONIC, 0); }\n",
        "src/live/b.c": HEAD + "void f(void) { put_time(1); wait_clock(2); a->time(3); }\n"}
BAD = [
    ({"docs/x.md": "It goes\non.\n"}, "docs/x.md:1: `goes\non`"),
    ({"docs/x.md": "a\nA file beside it.\n"}, "docs/x.md:2: `beside`"),
    ({"src/base/a.c": HEAD + "f(\"the run is \"\n  \"told\");\n"}, "src/base/a.c:2: `is"),
    ({"src/base/a.c": "int x;\n"}, "src/base/a.c:1: the first line must be"),
    ({"scripts/x.sh": "#!/bin/sh\necho\n"}, "the first line must be `# SPDX"),
    ({"models/x.yaml": "a:\n\tb\n"}, "models/x.yaml:2: a tab"),
    ({"README.md": "a \n"}, "README.md:1: trailing space"),
    ({"README.md": "a\n" + "<" * 7 + " HEAD\n"}, "README.md:2: what a merge could not decide"),
    ({"README.md": "a"}, "no newline at the end"),
    ({"README.md": "see /" + "work/x\n"}, "README.md:1: `/wo"),
    ({"README.md": "see /" + "root/x\n"}, "is not in the tree"),
    ({"src/base/a.c": HEAD + "// see paper." + "md\n"}, "src/base/a.c:2: `paper"),
    ({"models/x.yaml": "# ../" + "shared/x\n"}, "is not in the tree"),
    ({"src/base/a.h": HEAD + "typedef struct a *a_ref;\n"}, "src/base/a.h:2: typedef of a pointer"),
    ({"src/base/a.h": HEAD + "typedef struct { int x; } a_t;\n"}, "`a_t`"),
    ({"src/base/a.h": HEAD + "typedef int (*a_cb)(void);\n"}, "must end in _fn"),
    ({"models/m.c": HEAD + "void f(void) { exit(1); }\n"}, "models/m.c:2: `exit(`"),
    ({"models/m.c": HEAD + "void f(void) { abort(); }\n"}, "`abort(`"),
    ({"models/m.c": HEAD + "void f(void) { printf(x); }\n"}, "`printf(`"),
    ({"models/m.c": HEAD + "void f(void) { fprintf(stderr, x); }\n"}, "`fprintf(stderr`"),
    ({"cluster/m.c": HEAD + "int c = MPI_COMM_WORLD;\n"}, "`MPI_COMM_WORLD`"),
    ({"src/live/m.c": HEAD + "void f(void) { clock_gettime(CLOCK_MONOTONIC, 0); }\n"}, "`clock_gettime(`"),
    ({"src/live/live_clock.c": HEAD + "void f(void) { clock_gettime(CLOCK_REALTIME, 0); }\n"},
     "`CLOCK_REALTIME`"),
    ({"src/native/m.c": HEAD + "void f(void) { gettimeofday(0, 0); }\n"}, "`gettimeofday(`"),
    ({"src/native/m.c": HEAD + "double f(void) { return MPI_Wtime(); }\n"}, "`MPI_Wtime(`"),
    ({"src/live/m.c": HEAD + "long f(void) { return time(0); }\n"}, "`time(`"),
    ({"src/live/m.c": HEAD + "long f(void) { return __rdtsc(); }\n"}, "`__rdtsc(`"),
    ({"src/live/m.c": HEAD + "void f(void) { pthread_cond_timedwait(0, 0, 0); }\n"},
     "`pthread_cond_timedwait(`"),
]
