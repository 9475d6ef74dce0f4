# SPDX-License-Identifier: Apache-2.0
"""check_docs.py RECFLEET ROOT: no page names a command, option, key or file that does not exist.

Looked at are the pages of the tree (README.md of every folder, docs, and what else ends in .md at the
top). In code, inline or fenced:
  recfleet COMMAND --option    must be a command of the program, and an option of that command
  a path that begins with a folder of the tree, or a page's own neighbour with a suffix of ours
  a key with a dot or an index (traffic[].rate), as `recfleet schema` lists them
A link to a section must be to a title of that page.
"""
import os
import re
import subprocess
import sys

PROGRAM, ROOT = sys.argv[1:3]
FOLDERS = ("src", "cluster", "models", "traces", "results", "slurm", "tests", "docs", "scripts")
# What a page shows as the user's own file, or of another program.
OWN = re.compile(r"^(cluster/policy_by_size\.c|slurm/site/(mine|\w+)\.env|results/\w+\.h5|.*[_/]x\.[ch]|slurm/studies/\d+|models/run\.sh)$")
HISTORY = {"CHANGES.md"}  # speaks of what is gone, too


def output(*words):
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, check=True).stdout


def commands():
    """Command -> its options, as --help has them."""
    found = {}
    for line in output("--help").split("commands:")[1].splitlines():
        name = re.match(r"  (\S+)\s", line)
        if name:
            text = output(name[1], "--help")
            found[name[1]] = set(re.findall(r"(?<![\w-])(--?[a-z][\w-]*)", text.split("options:")[1]))
    return found


def keys():
    """Every key of a study with its section in front: traffic[].sla.p95."""
    found, section = set(), ""
    for line in output("schema").splitlines():
        head = re.match(r"(\S[^:]*):$", line)
        key = re.match(r"  (\S+)  ", line)
        if head:
            section = "" if head[1].startswith("(") else head[1].split(",")[0]
            found.add(section)
        elif key and key[1] != "key":
            found.add(f"{section}.{key[1]}" if section else key[1])
    return found


def pages():
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "*.md"], capture_output=True, text=True).stdout.split()
    if not names:  # not a clone
        for folder, _, files in os.walk(ROOT):
            if not re.search(r"/(build|\.git)(/|$)", folder):
                names += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files if f.endswith(".md")]
    return [n for n in names if n not in HISTORY]


def code_of(text):
    """(line number, code) of fenced blocks, line by line, and of inline code."""
    fenced = None
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = None if fenced is not None else line.strip()[3:]
        elif fenced is not None:
            yield number, line, fenced
        else:
            for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", line):
                yield number, code, None


def check(name, text, known, schema):
    faults = []
    folder = os.path.dirname(name)
    for number, code, fenced in code_of(text):
        where = f"{name}:{number}"
        target = "--target" in code  # of a build
        for command, rest in [] if target else re.findall(r"(?:^|[\s/(])recfleet ([a-z][\w-]*)\b([^#|]*)", code):
            if fenced and not re.search(r"(^|&& |\| |\$ |^mpirun [^#]*|^srun [^#]*)\S*recfleet ", code.lstrip()):
                continue  # output of a program
            if command not in known:
                faults.append(f"{where}: no command `recfleet {command}`")
                continue
            for option in re.findall(r"(?<!\S)(--[a-z][\w-]*)", rest):
                if option not in known[command]:
                    faults.append(f"{where}: recfleet {command} has no option {option}")
            for key in re.findall(r"--set ([\w.\[\]]+)=", rest):
                faults += wrong_key(where, key, schema)
        for path in re.findall(r"(?<![\w./-])((?:%s)/[\w./-]*\w)" % "|".join(FOLDERS), code):
            there = [os.path.join(ROOT, path), os.path.join(ROOT, folder, path)]
            stem = any(os.path.exists(t) or os.path.exists(t + ".h") or os.path.exists(t + ".c") for t in there)
            if not stem and not OWN.match(path) and not path.startswith("build/"):
                faults.append(f"{where}: no file {path}")
        if fenced is None and not re.search(r"\.(h|c|sbatch)$", code) and re.fullmatch(r"[a-z_]+(\[\d*\])?(\.[a-z_0-9]+(\[\d*\])?)+", code):
            if code.split(".")[0].split("[")[0] in {k.split(".")[0].split("[")[0] for k in schema if "[" in k}:
                faults += wrong_key(where, code, schema)
    return faults


def wrong_key(where, key, schema):
    plain = re.sub(r"\[\d*\]", "[]", key)
    variants = {plain, plain.replace("[]", ""), re.sub(r"\[\]$", "", plain)}
    if variants & schema or any(k.startswith(plain) or k.endswith("." + plain) for k in schema):
        return []
    parent = plain.rsplit(".", 1)[0]
    # A percentile, a policy's setting and what a word stands for have no line of their own.
    if parent.endswith(".sla") or any(k.startswith(parent + ".") for k in schema) and re.search(r"\.p[\d.]+$", plain):
        return []
    return [f"{where}: no key {key} in a study"]


def anchor(title):
    """What a title is linked by, as the usual hosts make it."""
    return re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", title.strip().lower())).replace(" ", "-")


def wrong_links(texts):
    """Links of the pages (name -> text) to sections that are not there."""
    titles = {name: {anchor(t) for t in re.findall(r"^#+ (.*)$", text, re.M)} for name, text in texts.items()}
    for name, text in texts.items():
        for page, section in re.findall(r"\]\(([^)\s#]*)#([^)\s]+)\)", text):
            to = os.path.normpath(os.path.join(os.path.dirname(name), page)) if page else name
            if to in titles and section not in titles[to]:
                yield f"{name}: no section #{section} in {to}"


def main():
    known, schema = commands(), keys()
    assert "run" in known and "--output" in known["run"] and len(schema) > 100
    wrong = "`recfleet rn`, `recfleet run --outputt x`, `src/none.c`, `traffic[].speed`, `recfleet run --set a.b=1`"
    found = check("docs/x.md", wrong, known, schema)
    assert len(found) == 5, found  # it does find them
    linked = {"docs/x.md": "# A `b`, c\n[a](#a-b-c) [b](../y.md#here) [c](#a)", "y.md": "## There\n"}
    assert len(list(wrong_links(linked))) == 2
    texts = {}
    for name in pages():
        with open(os.path.join(ROOT, name), encoding="utf-8") as page:
            texts[name] = page.read()
    faults = list(wrong_links(texts))
    for name, text in texts.items():
        faults += check(name, text, known, schema)
    print("\n".join(faults) if faults else "every command, option, key, file and section in the pages is there")
    return 1 if faults else 0


sys.exit(main())
