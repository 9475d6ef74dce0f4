#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How often does `recfleet compare` call a difference that is none, and find one that is there?

usage: differences.py RECFLEET [--tables N] [--pairs N] [--rate RATE] [--duration TIME]

WnD on two Skylakes, 40 000 queries a run. First N (1000) tables compare two runs of the same study
with seeds of their own: how many of them call any difference real. Then N (200) pairs of runs of the
same seed, of which one has service times longer by a factor that makes p95 2 % longer: in how many
the difference of p95 is called real, and how long it is on average. With the defaults five minutes
of one core; both end with the bar that the program is held to, and exit status 1 when one is missed.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

FALSE_MOST, FOUND_LEAST = 0.064, 0.95
LONGER = 1.0063  # service times, for 2 % of p95 at the default load


def sweep(recfleet, folder, name, args, n, *settings):
    """The results files of n replications."""
    study, out = folder / "study.yaml", folder / f"{name}.h5"
    study.write_text(f"""name: wnd
duration: {args.duration}
traffic: [{{service: feed, model: wnd, rate: {args.rate}}}]
fleet: {{groups: [{{platform: skylake, servers: 2}}]}}
replications: {n}
""")
    command = [recfleet, "sweep", study, "-q", "--no-merge", "-o", out]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return sorted(pathlib.Path(folder, f"{name}.points").glob("*.h5"))


def table(recfleet, a, b):
    done = subprocess.run([recfleet, "compare", a, b, "--format", "json"], check=True,
                          capture_output=True)
    return {row["quantity"]: row for row in json.loads(done.stdout)["tables"][0]["rows"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recfleet")
    parser.add_argument("--tables", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--rate", default="2000qps")
    parser.add_argument("--duration", default="20s")
    args = parser.parse_args()
    false, found, longer = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        runs = sweep(args.recfleet, folder, "alone", args, 2 * args.tables)
        for a, b in zip(runs[::2], runs[1::2]):
            false += any(row["verdict"] in ("better", "worse") for row in table(args.recfleet, a, b).values())
        base = sweep(args.recfleet, folder, "base", args, args.pairs)
        slow = sweep(args.recfleet, folder, "slow", args, args.pairs,
                     f"fleet.groups[0].cost={{kind: roofline, cpu_scale: {LONGER}}}")
        for a, b in zip(base, slow):
            row = table(args.recfleet, a, b)["feed p95 ms"]
            found += row["verdict"] == "worse"
            longer += row["difference"] / row["baseline"] / args.pairs
    most, least = int(FALSE_MOST * args.tables), FOUND_LEAST * args.pairs
    print(f"a difference that is none: {false} of {args.tables} tables, at most {most}")
    print(f"p95 longer by {100 * longer:.2f} %: found in {found} of {args.pairs} pairs, "
          f"at least {least:.0f}")
    return 0 if false <= most and found >= least else 1


if __name__ == "__main__":
    sys.exit(main())
