# SPDX-License-Identifier: Apache-2.0
"""check_picture.py RECFLEET ROOT [--update]: the README's picture and table are what the quickstart's
second study gives, byte for byte: results do not depend on the machine."""
import os
import subprocess
import sys
import tempfile

PROGRAM, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
PICTURE = os.path.join(ROOT, "docs", "pictures", "policies.svg")


def call(*words, cwd):
    return subprocess.run([PROGRAM, *words], cwd=cwd, capture_output=True, text=True, check=True).stdout


def main():
    with tempfile.TemporaryDirectory() as folder:
        study = os.path.join(ROOT, "slurm", "studies", "02-policies.yaml")
        table = call("sweep", study, "-o", "policies.h5", cwd=folder).splitlines()
        call("report", "policies.h5", "--format", "svg", "--picture", "knee", "-o", "p.svg", cwd=folder)
        with open(os.path.join(folder, "p.svg"), encoding="utf-8") as made:
            picture = made.read()
    if "--update" in sys.argv:
        with open(PICTURE, "w", encoding="utf-8") as there:
            there.write(picture)
    with open(PICTURE, encoding="utf-8") as there:
        same = there.read() == picture
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as page:
        readme = page.read()
    head = [line for line in table if line.startswith("point ")]
    rows = [line for line in table if " 12000qps " in line]
    shown = len(head) == 1 and len(rows) == 4 and "\n".join(head + rows) in readme
    if not same:
        print("docs/pictures/policies.svg is another picture; if it should be, run this with --update")
    if not shown:
        print("README.md does not show these lines:", *head, *rows, sep="\n")
    return 0 if same and shown else 1


sys.exit(main())
