# SPDX-License-Identifier: Apache-2.0
"""Headers: they compile alone, are guarded by their path, explain themselves, and say of every
function over MPI whether it is collective."""

import concurrent.futures
import json
import os
import re
import shlex
import subprocess

import rules
from tree import folder_of, line_of

FRAME = re.compile(r"#\s*(ifndef|endif|include)|#define \w+_H$")
PROTOTYPE = re.compile(r"^(?!typedef|static|extern|#|struct\s+\w+\s*\{|enum)[a-z][\w \*]*?\b(\w+)\(",
                       re.M)


def check(tree):
    names = [f for f in tree.c_files((".h",)) if f not in rules.TEMPLATES
             and (folder_of(f) in rules.LAYERS or f.startswith("tests/support/"))]
    out = []
    for name in names:
        out += guard(tree, name) + collective(tree, name)
        share = prose_percent(tree, name)
        if share < rules.PROSE_FLOOR:
            out.append(f"{name}: {share:.0f} % prose, the floor is {rules.PROSE_FLOOR} %")
    flags = compile_flags(tree)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for complaint in pool.map(lambda n: alone(tree, n, flags), names):
            out += complaint
    return out


def report(tree):
    low = sorted((prose_percent(tree, n), n) for n in tree.code_files((".h",)))
    lines = [f"  {share:3.0f} %  {name}" for share, name in low if share < rules.PROSE_AIM]
    head = f"headers under the aim of {rules.PROSE_AIM} % prose: {len(lines)} of {len(low)}"
    return [head] + lines


def prose_percent(tree, name):
    """Comment lines and trailing comments, out of them and the lines of code. The licence line,
    the include guard, the includes and the bodies of inline functions are neither."""
    split = tree.split(name)
    prose = code = 0
    inside = False
    for c, text in zip(split.code.split("\n"), split.comments.split("\n")):
        inside = inside or c.startswith("{")
        was_inside, inside = inside, inside and not c.startswith("}")
        c, text = c.strip(), text.strip(" /*")
        if was_inside or "SPDX-License" in text or FRAME.match(c):
            continue
        prose += bool(text)
        code += bool(c)
    return 100.0 * prose / max(prose + code, 1)


def guard(tree, name):
    path = name.removeprefix("src/").removeprefix("tests/")
    want = re.sub(r"\W", "_", path).upper()
    code = tree.split(name).code
    return [] if re.match(rf"\s*#ifndef {want}\s*\n\s*#define {want}\b", code) else [
        f"{name}: include guard must be {want}"]


def collective(tree, name):
    """Every prototype of a header that includes <mpi.h> opens its comment with one of MPI_WORDS;
    prototypes that stand together share the comment above the first."""
    if not any(h == "mpi.h" for _, _, h in tree.includes(name)):
        return []
    out, split = [], tree.split(name)
    lines = split.code.split("\n")
    said = [s.strip() for s in split.comments.split("\n")]
    for m in PROTOTYPE.finditer(split.code):
        n = line_of(split.code, m.start()) - 1
        top = n
        while top > 0 and lines[top - 1].strip() and not said[top - 1].startswith("//"):
            top -= 1  # the prototypes above, as far as the comment
        first = top
        while first > 0 and said[first - 1].startswith("//") and not lines[first - 1].strip():
            first -= 1
        comment = said[first].lstrip("/ ") if first < top else ""
        if not comment.startswith(rules.MPI_WORDS):
            out.append(f"{name}:{n + 1}: {m.group(1)}: its comment must begin with one of "
                       + ", ".join(f"`{w.strip()}`" for w in rules.MPI_WORDS))
    return out


def compile_flags(tree):
    """-I, -isystem and -D of the build, joined over all its commands."""
    flags = [f"-I{tree.root}", f"-I{tree.root}/src", f"-I{tree.root}/tests", "-D_GNU_SOURCE"]
    if tree.build and (tree.build / "compile_commands.json").is_file():
        for entry in json.loads((tree.build / "compile_commands.json").read_text()):
            words = shlex.split(entry["command"])
            for i, word in enumerate(words):
                if word == "-isystem" and words[i + 1] not in flags:
                    flags += [word, words[i + 1]]
                elif word.startswith(("-I", "-D")) and word not in flags:
                    flags.append(word)
    return flags


def alone(tree, name, flags):
    cc = os.environ.get("CC", "gcc")
    source = f'#include "{name.removeprefix("src/").removeprefix("tests/")}"\n'
    said = subprocess.run([cc, "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", *flags,
                           "-x", "c", "-"],
                          input=source, capture_output=True, text=True, check=False)
    if said.returncode == 0:
        return []
    errors = [e for e in said.stderr.split("\n") if "error:" in e] or [said.stderr]
    return [f"{name}: does not compile alone: {errors[0]}"]


def header(body, guard_name="BASE_A_H"):
    return f"// a: x.\n// y.\n#ifndef {guard_name}\n#define {guard_name}\n{body}#endif\n"


# A stand-in, so that the self-test needs no MPI.
MPI = {"mpi.h": "typedef int MPI_Comm;\n"}
GOOD = {**MPI, "src/base/a.h": header("#include <stdint.h>\nint64_t a_x(void); // x\n"),
        "src/par/b.h": header("#include <mpi.h>\n// Collective (comm). x\nint b_x(int c);\n"
                              "int b_y(int c);\n// Not collective.\nint b_z(void);\n", "PAR_B_H")}
BAD = [
    ({"src/base/a.h": header("int64_t a_x(void); // x\n")}, "src/base/a.h: does not compile alone"),
    ({"src/base/a.h": header("int x;\n", "A_H")}, "include guard must be BASE_A_H"),
    ({"src/base/a.h": "#ifndef BASE_A_H\n#define BASE_A_H\nint a;\nint b;\nint c;\n#endif\n"},
     "0 % prose"),
    ({**MPI, "src/par/b.h": header("#include <mpi.h>\n// Does x.\nint b_x(int comm);\n", "PAR_B_H")},
     "b_x: its comment must begin with"),
    ({**MPI, "src/par/b.h": header("#include <mpi.h>\n// Collective (comm).\nint b_x(int c);\n\n"
                            "int b_y(int c);\n", "PAR_B_H")}, "b_y: its comment must begin with"),
]
