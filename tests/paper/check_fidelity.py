#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/fidelity.py from end to end, in seconds: one model profiled, served at four loads and simulated, and the
page of it. Machinery, not speed: nothing is asked of the errors.

usage: check_fidelity.py RECFLEET; exit status 77: no model runs here, as the program has no oneDNN
"""

import csv
import pathlib
import subprocess
import sys
import tempfile

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/fidelity.py"
failures = []


def expect(condition, what, seen=""):
    if not condition:
        failures.append(what)
        print(f"FAIL {what} {seen}")


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page = folder / "fidelity.md"

        def fidelity(*more):
            return subprocess.run([sys.executable, "-B", SCRIPT, sys.argv[1], folder, page, "ncf-repo", "--quick", *more],
                                  capture_output=True, text=True)

        done = fidelity("--profile-s", "2", "--run-s", "1", "--runs", "1", "1", "--find-s", "0.3", "--find-runs", "2")
        if "oneDNN" in done.stderr:
            print("left out:", done.stderr.strip())
            sys.exit(77)
        expect(done.returncode == 0, "fidelity.py", done.stderr[-2000:])
        if done.returncode != 0:
            sys.exit(1)
        live = rows_of(folder / "fidelity/live.csv")
        for row in ("measured", "simulated", "its own service times"):
            mine = [r for r in live if r["row"].strip() == row]
            expect([float(r["load_frac"]) for r in mine] == [0.3, 0.5, 0.7, 0.85], f"loads of {row}", mine)
            expect(all(float(r["mean_s"]) > 0 and 0 < float(r["busy_frac"]) <= 1 for r in mine), f"numbers of {row}", mine)
        expect(all(0 <= float(r["taken_frac"]) <= 1 for r in live), "what others took")
        theory = rows_of(folder / "fidelity/theory.csv")
        expect(len(theory) == 12, "queues with formulas", theory)
        # 50 000 queries at 90 % load know a mean to some percent; the formulas are not 15 % off.
        expect(all(abs(float(r["simulated_ms"]) / float(r["formula_ms"]) - 1) < 0.15 for r in theory), "formulas", theory)
        text = page.read_text(encoding="utf-8")
        rates = rows_of(folder / "fidelity/rates.csv")
        expect({r["policy"] for r in rates} == {"fixed", "coalesce"}, "policies for real", rates)
        for what in ("picked", "static"):
            expect([r[what] for r in rates if r["policy"] == "fixed"].count("1") == 1, f"the {what} size", rates)
        expect({"16", "64", "256"} <= {r["batch_items"] for r in rates}, "sizes that are tried", rates)
        expect(any(float(r["simulated_held_qps"]) > 0 for r in rates), "rates that are held", rates)
        for head in ("Queues with known formulas", "Served for real, and simulated", "DeepRecSched, for real",
                     "A public record"):
            expect(f"## {head}" in text, f"section {head}")
        expect(" nan" not in text, "a number that is none")
        expect("\nscripts/fidelity.sh --quick --profile-s 2 --run-s 1 --runs 1 1 --find-s 0.3 --find-runs 2 ncf-repo    #" in text,
               "the command that wrote the page", text[:1000])

        def page_of(some):
            with open(folder / "fidelity/rates.csv", "w", newline="", encoding="utf-8") as file:
                writer = csv.DictWriter(file, rates[0])
                writer.writeheader()
                writer.writerows(some)
            done = fidelity("--only-page")
            expect(done.returncode == 0, "a page of other rates", done.stderr[-2000:])
            return page.read_text(encoding="utf-8")

        # A machine that others use may hold no rate at a size, or at any.
        for held_none in (lambda r: r["static"] == "1", lambda r: r["picked"] == "1", lambda r: True):
            text = page_of({**r, "held_qps": "0" if held_none(r) else "100"} for r in rates)
            picked_holds = not any(held_none(r) for r in rates if r["picked"] == "1")
            expect(f"or more for {int(picked_holds)} of 1 models" in text, "the tuned size's count", text)
            expect(" nan" not in text, "a number that is none, with a rate that is not held")
        # Of several rounds, the median: static, tuned, best, coalesce, and tuned in parts of the best.
        text = page_of({**r, "round": n, "held_qps": held} for n, held in ((1, "90"), (2, "400"), (3, "100"))
                       for r in rates)
        expect("| 100 | 100 | 100 | 100 | 100 | 1.00 |" in text, "the median of rounds", text)
    print(f"{len(failures)} failures")
    sys.exit(1 if failures else 0)


main()
