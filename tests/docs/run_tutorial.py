# SPDX-License-Identifier: Apache-2.0
"""run_tutorial.py RECFLEET ROOT [--update]: docs/own-measurements.md does what it says, from top to bottom.

Every block of `sh` runs in one shell that begins in an empty folder, with nothing but the program and
the usual tools. A block of `text` right behind one is what that prints on stdout, to the letter but for
the program's version and wall times; a line `...` in it stands for lines that are left out. A number in
bold is one of those printed, and the load that the page works out by hand is worked out here. --update writes what is printed into the blocks without such a line.
"""
import os
import re
import subprocess
import sys
import tempfile

PROGRAM, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
PAGE = os.path.join(ROOT, "docs", "own-measurements.md")
BLOCK = re.compile(r"^```sh\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.M | re.S)
MARK = "--- end of block ---"


def run(blocks):
    """What each of `blocks` prints, and what is said on stderr where one fails."""
    script = "".join(f"{block}echo '{MARK}'\n" for block in blocks)
    env = {k: v for k, v in os.environ.items() if not k.startswith("RECFLEET_")}
    env["PATH"] = os.path.dirname(PROGRAM) + os.pathsep + env["PATH"]
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    printed = done.stdout.split(MARK + "\n")
    return printed[:-1], f"{done.stderr}{printed[-1]}exit status {done.returncode}"


def plain(text):
    """Without what differs from one run or release to the next."""
    text = re.sub(r"\d+\.\d+\.\d+\S*(?=   study)", "VERSION", text)
    text = re.sub(r"\S+ s of wall time", "T s of wall time", text)
    return re.sub(r"\S+ million queries per wall second", "N million queries per wall second", text)


def shows(shown, printed):
    """Whether `shown` is what was printed, with lines left out at each `...`."""
    pattern = "".join("(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in plain(shown).splitlines())
    return re.fullmatch(pattern, plain(printed)) is not None


def by_hand(text, printed):
    """The load of the answer, from the page's own table of the accelerator and the sizes of `mlperf`."""
    rows = re.search(r"^cat > l4.csv.*?^Batch.*?\n(.*?)^END", text, re.M | re.S)[1].splitlines()
    points = [(float(c[0]), sum(map(float, c[6:9])) * 1e-6) for c in (row.split(",") for row in rows)]
    sizes = [100] * 2 + [200] * 12 + [300] * 2 + [400, 500, 600, 700]
    total_s = 0
    for n in sizes:
        (a, at_a), (b, at_b) = next(pair for pair in zip(points, points[1:]) if n <= pair[1][0])
        total_s += at_a + (at_b - at_a) * (n - a) / (b - a)
    mean_s, servers, load_qps = total_s / len(sizes), 8, 5040
    said = [f"take {mean_s * 1e3:.3f} ms on average", f"are {load_qps * mean_s:.2f} seconds of work"]
    faults = [f"{PAGE}: by hand it is: {words}" for words in said if words not in text]
    row = f" {servers} +{load_qps} +{load_qps * mean_s / servers * 100:.1f} "
    return faults if re.search(row, printed) else faults + [f"{PAGE}: by hand the answer has the row {row}"]


def main():
    assert shows("a\n...\nc\n", "a\nb\nc\n") and not shows("a\nc\n", "a\nb\nc\n") and not shows("...\nb\n", "a\nc\n")
    with open(PAGE, encoding="utf-8") as page:
        text = page.read()
    blocks = list(BLOCK.finditer(text))
    assert sum(b[2] is not None for b in blocks) >= 6, "the page shows what is printed"
    printed, end = run([b[1] for b in blocks])
    if len(printed) < len(blocks):
        b = blocks[len(printed)]
        print(f"{PAGE}:{text[:b.start()].count(chr(10)) + 1}: this block fails: {end}")
        return 1
    if "--update" in sys.argv:
        for b, out in reversed(list(zip(blocks, printed))):
            if b[2] is not None and "\n...\n" not in "\n" + b[2]:
                text = text[:b.start(2)] + out + text[b.end(2):]
        with open(PAGE, "w", encoding="utf-8") as page:
            page.write(text)
        blocks = list(BLOCK.finditer(text))
    faults = []
    for b, out in zip(blocks, printed):
        if b[2] is not None and not shows(b[2], out):
            faults.append(f"{PAGE}:{text[:b.start(2)].count(chr(10)) + 1}: this prints\n{out}")
    faults += by_hand(text, "".join(printed))
    known = set(re.findall(r"[\d.]*\d", "".join(printed)))
    for number in re.findall(r"\*\*([\d.]*\d)\b[^*]*\*\*", text):
        if number not in known:
            faults.append(f"{PAGE}: nothing prints the {number} in bold")
    print("\n".join(faults) if faults else f"{len(blocks)} blocks do what the page says")
    return 1 if faults else 0


sys.exit(main())
