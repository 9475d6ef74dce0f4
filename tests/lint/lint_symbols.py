# SPDX-License-Identifier: Apache-2.0
"""What the object files say: external symbols begin with the name of their module, and nothing
that can change outlives a call (no mutable globals, no function-local statics)."""

import re
import shutil
import subprocess

import rules
from lint_format import Skip
from lint_modules import family_of

OBJECT_LINE = re.compile(r"^[0-9a-f]+ (.{7}) (\S+)\t[0-9a-f]+ +(?:\.\w+ )?(\S+)$", re.M)
MUTABLE = re.compile(r"\.(data|bss|tdata|tbss|sdata|sbss)(\.|$)|\*COM\*")


def objects(tree):
    """(object file, its source) of the program's sources in the build folder."""
    if tree.build is None:
        raise Skip("no build folder given")
    for name in tree.code_files((".c",)):
        folder, base = name.rsplit("/", 1)
        for path in sorted((tree.build / folder).glob(f"CMakeFiles/*.dir/{base}.o")):
            yield path, name
            break


def check(tree):
    if not shutil.which("objdump"):
        raise Skip("objdump not found")
    out, n_objects = [], 0
    for path, name in objects(tree):
        n_objects += 1
        table = subprocess.run(["objdump", "-t", path], capture_output=True, text=True, check=True)
        if "__asan_" in table.stdout or "__ubsan_" in table.stdout:
            raise Skip("a sanitizer's own symbols are in the way: run it on another build")
        for flags, section, symbol in OBJECT_LINE.findall(table.stdout):
            out += complaints(name, family_of(tree, name), flags, section, symbol)
    if n_objects == 0:
        raise Skip("nothing is built yet")
    return out


def complaints(name, family, flags, section, symbol):
    out = []
    is_function = flags[6] == "F"
    is_object = flags[6] == "O" or (section.startswith(".t") and flags[5] != "d" and not is_function
                                    and not section.startswith(".text"))  # thread-local
    if section == "*UND*" or not (is_object or is_function):
        return out
    if flags[0] in "gu!" or "w" in flags:
        module = name.rsplit("/", 1)[1][:-2]
        prefixes = [module + "_"] + rules.SYMBOL_PREFIXES.get(module, [])
        if family and is_object:  # one file may hold several closely related variants
            prefixes.append(family + "_")
        if symbol != module and not symbol.startswith(tuple(prefixes)):
            out.append(f"{name}: `{symbol}` must begin with `{prefixes[0]}` (or be static)")
    if is_object and MUTABLE.match(section) and not section.startswith(".data.rel.ro"):
        if name not in rules.MUTABLE_GLOBALS:
            plain = re.sub(r"\.\d+$", "", symbol)
            out.append(f"{name}: `{plain}` is mutable and outlives every call (section {section})")
    return out


def prepare(root):
    """Self-test: compiles the snippets as a build would."""
    build = root / "build"
    for source in root.rglob("*.c"):
        to = build / source.parent.relative_to(root) / "CMakeFiles" / "x.dir"
        to.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-fPIE", "-w", "-c", source, "-o", to / (source.name + ".o")],
                       check=True)
    return build


GOOD = {"src/base/a.c": "int a_x(void) { return 1; }\nstatic int h(void) { return 2; }\n"
                        "int a_y(void) { return h(); }\n"
                        'const char *const a_names[] = {"x", 0};\n'
                        "static const int table[2] = {1, 2};\nint a_z(int i) { return table[i]; }\n",
        "cluster/policy.h": "", "cluster/policy_power.c": "const int policy_two = 2;\n",
        "src/base/log.c": "static int level;\nint log_level(void) { return level++; }\n"}
BAD = [
    ({"src/base/a.c": "int helper(void) { return 1; }\n"}, "`helper` must begin with `a_`"),
    ({"cluster/policy.h": "", "cluster/policy_power.c": "int policy_two(void) { return 2; }\n"},
     "`policy_two` must begin with `policy_power_`"),
    ({"src/base/a.c": "int a_count = 3;\n"}, "`a_count` is mutable"),
    ({"src/base/a.c": "static int count;\nint a_x(void) { return ++count; }\n"},
     "`count` is mutable"),
    ({"src/base/a.c": "int a_x(void) { static int calls; return ++calls; }\n"},
     "`calls` is mutable"),
    ({"src/base/a.c": "static __thread int t;\nint a_x(void) { return ++t; }\n"}, "`t` is mutable"),
    ({"src/base/a.c": 'const char *a_names[] = {"x", 0};\n'}, "`a_names` is mutable"),
]
