#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The reports of example studies are what they were.

usage: golden.py RECFLEET STUDIES EXPECTED [--update]

Runs the studies listed below, shortened, and compares what `recfleet run` prints with
EXPECTED/NAME.txt, but for the line that tells how long it took and the path of the results.
--update writes the files anew: look at `git diff` before you commit that.
"""

import difflib
import pathlib
import subprocess
import sys
import tempfile

# name -> study and settings
CASES = {
    "quickstart": ("00-quickstart.yaml", ["duration=10s"]),
    "two-services": ("01-two-services.yaml", ["duration=5s"]),
    "light": ("10-light.yaml", ["duration=2s"]),
    "heavy-two-choices": ("11-heavy.yaml", ["duration=1s", "balancer.policy=power-of-two"]),
}
CHANGES = ("queries simulated in", "results: ")


def report(recfleet, study, settings):
    with tempfile.TemporaryDirectory() as folder:
        command = [recfleet, "run", str(study), "-o", folder + "/out.h5"]
        for setting in settings:
            command += ["--set", setting]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr}")
    return [line for line in done.stdout.splitlines(keepends=True)
            if not any(word in line for word in CHANGES)]


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[4:] not in ([], ["--update"]):
        sys.exit(__doc__)
    recfleet, studies, expected = sys.argv[1], *map(pathlib.Path, sys.argv[2:4])
    differ = 0
    for name, (study, settings) in CASES.items():
        lines = report(recfleet, (studies / study).resolve(), settings)
        path = expected / f"{name}.txt"
        if sys.argv[4:]:
            path.write_text("".join(lines))
            continue
        before = path.read_text().splitlines(keepends=True)
        sys.stdout.writelines(difflib.unified_diff(before, lines, str(path), "now"))
        differ += before != lines
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
