# SPDX-License-Identifier: Apache-2.0
"""The files of a source tree, and C text with its comments and strings told apart."""

import functools
import pathlib
import re
import subprocess

import rules

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


class Tree:
    """The files under `root`: those git knows or could add, or all of them without git."""

    def __init__(self, root, build=None):
        self.root = pathlib.Path(root).resolve()
        self.build = pathlib.Path(build).resolve() if build else None

    @functools.cached_property
    def files(self):
        git = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "-z"],
                             capture_output=True, check=False)
        if git.returncode == 0:
            names = git.stdout.decode().split("\0")
        else:
            names = [str(p.relative_to(self.root)) for p in self.root.rglob("*")
                     if p.is_file() and p.relative_to(self.root).parts[0] not in (".git", "build")]
        return sorted(n for n in set(names) if n and (self.root / n).is_file())

    @functools.cache
    def text(self, name):
        return (self.root / name).read_text(encoding="utf-8", errors="replace")

    @functools.cache
    def split(self, name):
        return split_c(self.text(name))

    def c_files(self, suffixes=(".c", ".h")):
        return [f for f in self.files if f.endswith(suffixes)]

    def code_files(self, suffixes=(".c", ".h")):
        """C files of the program, without the tests."""
        return [f for f in self.c_files(suffixes) if folder_of(f) in rules.LAYERS]

    def includes(self, name):
        """(line number, '<' or '"', header) of every include."""
        keep = self.split(name).code_and_strings
        return [(keep.count("\n", 0, m.start()) + 1, m.group(1), m.group(2))
                for m in INCLUDE.finditer(keep)]

    def resolve(self, header):
        """The file that a root-relative include names, or None."""
        for name in ("src/" + header, header, "tests/" + header):
            if (self.root / name).is_file():
                return name
        return None


def folder_of(name):
    """The folder of code or tests that a file belongs to (the longest known one), or ''."""
    known = list(rules.LAYERS) + list(rules.TEST_FOLDERS)
    fits = [k for k in known if name.startswith(k + "/")]
    if fits:
        return max(fits, key=len)
    parts = name.split("/")
    return "/".join(parts[:2]) if parts[0] == "tests" and len(parts) > 2 else ""


class Split:
    """C text three ways, all of the same length and lines as the original."""

    def __init__(self, code, code_and_strings, comments):
        self.code, self.code_and_strings, self.comments = code, code_and_strings, comments


TOKEN = re.compile(r'//(?:[^\n\\]|\\.|\\\n)*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'',
                   re.S)


def split_c(text):
    def blank(s):
        return re.sub(r"[^\n]", " ", s)

    code, both, comments, at = [], [], [], 0
    for m in TOKEN.finditer(text):
        plain, tok = text[at:m.start()], m.group()
        is_comment = tok.startswith("/")
        code += [plain, blank(tok) if is_comment else tok[0] + blank(tok[1:-1]) + tok[-1]]
        both += [plain, blank(tok) if is_comment else tok]
        comments += [blank(plain), tok if is_comment else blank(tok)]
        at = m.end()
    rest = text[at:]
    return Split("".join(code) + rest, "".join(both) + rest, "".join(comments) + blank(rest))


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
