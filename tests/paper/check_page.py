#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""check_page.py RECFLEET TREE: does scripts/paper.py write what the tuning files hold?

Tunes two models coarsely, writes the page, and computes its numbers anew from the HDF5 files with
h5py alone. Then the same with studies missing and with files that are no tunings.
"""

import csv
import itertools
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import h5py

RECFLEET, TREE = sys.argv[1], pathlib.Path(sys.argv[2])
sys.path.insert(0, str(TREE / "scripts"))
import paper_experiments  # noqa: E402
import paper_tuning  # noqa: E402
import policies_fleets  # noqa: E402
import policies_gains  # noqa: E402

COARSE = ["sweep[0].values=[wnd, rmc1]", "tune.accuracy=10%", "tune.queries=2000",
          "tune.max_queries=16000"]
CONFIRMED = [*COARSE, "tune.confirm=true"]
RUNS = {"paper": ("50-paper", CONFIRMED), "lognormal": ("52-paper-lognormal", COARSE),
        "batch": ("53-paper-batch", [*COARSE, "sweep[3].values=[10, 25, 100]"]),
        "cores": ("54-paper-cores", [*COARSE, "sweep[3].values=[2]"]),
        "reference": ("58-paper-reference", COARSE),
        "tables": ("59-paper-tables", ["sweep[0].values=[wnd-repo, rmc1-repo]", *COARSE[1:]])}


def tune(folder, name):
    study, settings = RUNS[name]
    command = [RECFLEET, "tune", TREE / f"slurm/studies/{study}.yaml", "-q", "-o",
               folder / f"{name}.h5"]
    for setting in settings:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write(folder, page):
    return subprocess.run([sys.executable, "-B", TREE / "scripts/paper.py", folder, page],
                          capture_output=True, text=True, check=False)


def rows_of(page, heading):
    """Cells of the first table below a heading, without its head."""
    text = page.split(f"\n{heading}\n", 1)[1]
    table = re.search(r"(^\|.*\n)+", text, re.MULTILINE).group()
    return [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


class File:
    """What this test needs of a tuning's file, read on its own."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.data = {k: file[k][...]
                         for k in ("qps", "missed_qps", "queries_per_j", "batch_items")}
            axes = text(file.attrs["axes"]).split("\n")
            self.points = [tuple(text(file[a][c]) for a in axes) for c in range(len(file["point"]))]
            self.policies = [text(p) for p in file["policy"][...]]

    def at(self, key, policy, *point):
        return float(self.data[key][self.points.index(point), self.policies.index(policy)])

    def known(self, policy, *point):
        return self.at("missed_qps", policy, *point) <= 1.5 * self.at("qps", policy, *point)

    def gains(self, key, target, platform, *more):
        """Of DeepRecSched over static on Skylake, by model, where both are known to 50 %."""
        out = []
        for model in ("wnd", "rmc1"):
            base = ("static", model, target, "skylake", *more)
            ours = ("deeprecsched", model, target, platform, *more)
            if self.known(*base) and self.known(*ours):
                out.append(self.at(key, *ours) / self.at(key, *base))
        return out


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keep = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.keep.name)
        for name in RUNS:
            tune(cls.folder, name)
        cls.path = cls.folder / "page.md"
        done = write(cls.folder, cls.path)
        assert done.returncode == 0, done.stderr
        cls.page = cls.path.read_text()
        cls.main = File(cls.folder / "paper.h5")

    @classmethod
    def tearDownClass(cls):
        cls.keep.cleanup()

    def gains(self, key, target, platform):
        """Of the models that have a baseline and an answer, both known to 50 %."""
        return self.main.gains(key, target, platform)

    def test_means_are_those_of_the_file(self):
        """Both kinds of mean, of all three metrics, at all targets; two decimals are shown."""
        rows = rows_of(self.page, "## Mean gains")
        metrics = [("qps", "skylake"), ("qps", "skylake+gtx1080ti"),
                   ("queries_per_j", "skylake+gtx1080ti")]
        wanted = list(itertools.product(metrics, ("low", "medium", "high")))
        self.assertEqual(len(rows), len(wanted))
        for row, ((key, platform), target) in zip(rows, wanted):
            gains = self.gains(key, target, platform)
            self.assertEqual(row[1], target)
            self.assertAlmostEqual(float(row[2]), sum(gains) / len(gains), delta=0.0051)
            self.assertAlmostEqual(float(row[3]), math.prod(gains) ** (1 / len(gains)),
                                   delta=0.0051)
            self.assertEqual(row[8], str(len(gains)))
            deviation = 100 * (sum(gains) / len(gains) / float(row[5]) - 1)
            self.assertAlmostEqual(float(row[6].split()[0]), deviation, delta=0.51)

    def test_the_report_has_the_same_means(self):
        """`recfleet report --published` shows the paper's figures next to the same means of ours."""
        done = subprocess.run([RECFLEET, "report", self.folder / "paper.h5", "--format", "json",
                               "--published", TREE / "slurm/studies/50-paper.csv"],
                              capture_output=True, text=True, check=True)
        tables = {t["table"]: t["rows"] for t in json.loads(done.stdout)["tables"]}
        shown = rows_of(self.page, "## Mean gains")
        self.assertEqual(len(tables["published"]), len(shown))
        for row, line in zip(tables["published"], shown):
            self.assertEqual([row["figure"], row["at"], row["source"]], [*line[:2], line[7]])
            self.assertEqual(row["published"], float(line[5]))
            self.assertAlmostEqual(row["arithmetic"], float(line[2]), delta=0.0051)
            self.assertAlmostEqual(row["geometric"], float(line[3]), delta=0.0051)
            self.assertEqual(str(row["n_used"]), line[8])
        self.assertEqual(len(tables["published-0"]), 9)  # three bars at three targets

    def test_points_are_those_of_the_file(self):
        """Every point of every server: batch and bracket of DeepRecSched, to the digits shown."""
        for heading, platform in (("### Skylake", "skylake"),
                                  ("### Broadwell (not calibrated)", "broadwell"),
                                  ("### Skylake + GTX 1080 Ti", "skylake+gtx1080ti")):
            rows = rows_of(self.page, heading)
            self.assertEqual(len(rows), 6)
            for row in rows:
                point = (row[0], row[1], platform)
                qps = self.main.at("qps", "deeprecsched", *point)
                if not math.isfinite(qps):
                    self.assertEqual(row[6], "unreachable")
                    continue
                low, high = map(float, row[6].split(" .. "))
                self.assertAlmostEqual(low / qps, 1, delta=1e-3)
                missed = self.main.at("missed_qps", "deeprecsched", *point)
                self.assertAlmostEqual(high / missed, 1, delta=1e-3)
                self.assertEqual(int(row[5].split("/")[0]),
                                 self.main.at("batch_items", "deeprecsched", *point))

    def test_an_experiment_is_that_of_its_file(self):
        """Cores twice as slow: the mean over both models."""
        cores = File(self.folder / "cores.h5")
        row = next(r for r in rows_of(self.page, "## What the paper's figures would need")
                   if r[:2] == ["every time on a core x", "2"])
        gains = cores.gains("qps", "medium", "skylake", "2")
        self.assertGreater(len(gains), 0)
        self.assertAlmostEqual(float(row[3].split()[0]), sum(gains) / len(gains), delta=0.0051)

    def test_both_costs_are_those_of_their_file(self):
        """Roofline and measured tables side by side, and the mean as a range over them."""
        file = File(self.folder / "tables.h5")
        rows = rows_of(self.page, "## Roofline and measured tables")
        self.assertEqual([r[0] for r in rows], ["wnd", "rmc1", "arithmetic mean", "geometric mean"])
        means = {}
        for row in rows[:2]:
            cells = zip(itertools.product(("low", "medium", "high"), ("roofline", "tables")), row[1:])
            for (target, cost), cell in cells:
                point = (f"{row[0]}-repo", target, cost)
                gain = file.at("qps", "deeprecsched", *point) / file.at("qps", "static", *point)
                self.assertAlmostEqual(float(cell), gain, delta=0.0051)
                means.setdefault((target, cost), []).append(gain)
        main = self.main.gains("qps", "medium", "skylake")
        all_means = [sum(g) / len(g) for g in (main, means["medium", "roofline"],
                                               means["medium", "tables"])]
        found = re.search(r"as a range .* ([0-9.]+) \.\. ([0-9.]+)x \(medium", self.page)
        self.assertAlmostEqual(float(found.group(1)), min(all_means), delta=0.0051)
        self.assertAlmostEqual(float(found.group(2)), max(all_means), delta=0.0051)

    def test_broadwell_decides_nothing(self):
        """No time of it was measured, so no direction about it is confirmed or refuted."""
        rows = [r for r in rows_of(self.page, "## The paper's directions, tested")
                if "Broadwell" in r[0]]
        self.assertEqual({r[6] for r in rows}, {"not decided: nothing measured"})

    def test_what_was_not_run_is_said(self):
        """A short run is called one, and its left-out experiments have no rows."""
        self.assertIn("This is a short run, over 2 of the eight models (wnd, rmc1).", self.page)
        self.assertNotIn("56-paper-fixed.yaml](", self.page)
        with tempfile.TemporaryDirectory() as other:
            other = pathlib.Path(other)
            (other / "paper.h5").write_bytes((self.folder / "paper.h5").read_bytes())
            self.assertEqual(write(other, other / "page.md").returncode, 0)
            page = (other / "page.md").read_text()
        self.assertIn("not run (58-paper-reference.yaml)", page)
        self.assertIn("not run (52-paper-lognormal.yaml)", page)

    def test_again_is_the_same(self):
        """The page depends on the files alone."""
        self.assertEqual(write(self.folder, self.folder / "again.md").returncode, 0)
        again = (self.folder / "again.md").read_text()
        self.assertEqual(again.replace("(again/", "(page/"), self.page)

    def test_numbers_and_pictures_are_there(self):
        """Every link into the page's folder leads to a file; pictures are XML, tables are CSV."""
        links = set(re.findall(r"\(page/([^)]+)\)", self.page))
        self.assertLessEqual({"means.csv", "outcomes.csv", "experiments.csv", "batch.csv",
                              "share.svg", "gain-cpu.svg", "batch-low.svg"}, links)
        for link in links:
            path = self.folder / "page" / link
            if path.suffix == ".svg":
                xml.etree.ElementTree.parse(path)
        with open(self.folder / "page/outcomes.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 18 * 3)
        for row in rows:
            qps = self.main.at("qps", row["policy"], row["model"], row["target"], row["platform"])
            if math.isfinite(qps):
                self.assertAlmostEqual(float(row["qps"]) / qps, 1, delta=1e-5)

    def test_bad_folders_are_refused(self):
        """No main file, and a file that is no tuning: one line, no page."""
        with tempfile.TemporaryDirectory() as other:
            other = pathlib.Path(other)
            done = write(other, other / "page.md")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("paper.h5 is not there", done.stderr)
            with h5py.File(other / "paper.h5", "w") as file:
                file.attrs["kind"] = "run"
            done = write(other, other / "page.md")
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("expected a file of `recfleet tune`", done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertFalse((other / "page.md").exists())


class Policies(unittest.TestCase):
    LABELS = ("split", "coalesce", "batch", "coalesce-shortest")

    def write(self, folder, *more):
        return subprocess.run([sys.executable, "-B", TREE / "scripts/policies.py", *more, folder,
                               *([] if more else [folder / "page.md"])],
                              capture_output=True, text=True, check=False)

    @staticmethod
    def scheduler(label):
        return policies_gains.settings_of(label, batch_items=128, offload_items=600,
                                          accel_items=8000)

    def test_gains_and_ceiling(self):
        """docs/policies.md of one model: gains by the held rates, the ceiling by what is given."""
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            self.assertIn("pull.h5 is not there", self.write(folder).stderr)
            points = [{"label": s, "set": {"fleet.groups[0].scheduler": self.scheduler(s)}}
                      for s in self.LABELS]
            settings = ["sweep[0].values=[rmc1]", "sweep[1].values=[medium]", *COARSE[1:],
                        f"sweep[2].points={json.dumps(points)}",
                        "tune.p99_bound=0", "tune.confirm=false",
                        "tune.policies=[fixed, deeprecsched]"]
            subprocess.run([RECFLEET, "tune", TREE / "slurm/studies/71-pull.yaml", "-q", "-o",
                            folder / "pull.h5", *itertools.chain(*(["--set", s]
                                                                   for s in settings))],
                           check=True, stdout=subprocess.DEVNULL)
            (folder / "ceiling.csv").write_text(
                "model,target,target_s,cpu_qps,cpu_items,cpu_s,accel_qps,accel_items,accel_s,"
                "rule_items\nrmc1,medium,0.1,5000,724,0.02,2500,64000,0.09,256\n")
            done = self.write(folder)
            self.assertEqual(done.returncode, 0, done.stderr)
            page, file = (folder / "page.md").read_text(), File(folder / "pull.h5")
            row = rows_of(page, "### Target medium")[0]
            held = {s: file.at("qps", "deeprecsched", "rmc1", "medium", s) for s in self.LABELS}
            for cell, scheduler in enumerate(self.LABELS[1:], 2):
                self.assertAlmostEqual(float(row[cell]), held[scheduler] / held["split"],
                                       delta=0.006)
            self.assertAlmostEqual(float(row[5]), 7500 / held["split"], delta=0.006)
            untuned = file.at("qps", "fixed", "rmc1", "medium", "coalesce")
            cell = rows_of(page, "### Without tuning, target medium")[0][1]
            self.assertAlmostEqual(float(cell.split(" / ")[0]), untuned / held["split"],
                                   delta=0.006)
            self.assertEqual(page.count(": not run ("), 6)
            rule = json.loads(self.write(folder, "--rule").stdout)
            self.assertEqual([point["set"]["fleet.groups[0].scheduler"] for point in rule],
                             [{"policy": "coalesce", "batch_items": 256, "accel_items": 8000},
                              {"policy": "coalesce", "batch_items": 256, "accel_items": 8000,
                               "order": "shortest"}])
            servers = json.loads(self.write(folder, "--servers").stdout)
            self.assertEqual([s["label"] for s in servers],
                             ["rmc1/split", "rmc1/coalesce", "rmc1/coalesce-shortest"])
            self.check_large(folder, held)

    def check_large(self, folder, held):
        """The largest queries at the rates held, and the order's once more at the rate without."""
        subprocess.run([sys.executable, "-B", TREE / "scripts/policies_large.py", RECFLEET,
                        TREE / "slurm/studies/71-pull.yaml", folder, "4000"], check=True)
        with open(folder / "large.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        runs = list(dict.fromkeys((r["scheduler"], r["rate_of"]) for r in rows))
        self.assertEqual(runs, [*((s, s) for s in self.LABELS if s != "batch"),
                                ("coalesce-shortest", "coalesce")])
        for run in runs:
            whole, *parts = [r for r in rows if (r["scheduler"], r["rate_of"]) == run]
            self.assertAlmostEqual(float(whole["qps"]) / held[run[1]], 1, delta=1e-5)
            self.assertEqual(int(whole["n_queries"]), sum(int(p["n_queries"]) for p in parts))
            self.assertEqual(float(whole["max_s"]), max(float(p["max_s"]) for p in parts))
        self.assertEqual(self.write(folder).returncode, 0)
        page = (folder / "page.md").read_text()
        self.assertEqual(len(rows_of(page, "## Who waits")), len(runs))
        self.assertIn("Large queries pay", page)

    def test_servers_saved(self):
        """A day's types in two files; names with an order; what cannot be held at all."""
        def sizes(name, most, least=None):
            return {"type": name, "n_least": least or most, "n_most": most,
                    "state": "range" if least else "found" if most else "none"}

        def tables(rows, held):
            return json.dumps({"tables": [
                {"table": "sizes", "rows": rows},
                {"table": "services", "rows": [{"service": "a *", "served_qps": 100}]},
                {"table": "tuples, deeprecsched",
                 "rows": [{"type": r["type"], "a": h} for r, h in zip(rows, held)]}]})
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "plan-random.json").write_text(tables(
                [sizes("big-split", 20, 19), sizes("big-split", 22), sizes("big-batch", None)],
                [5, 5, None]))
            (folder / "plan-random-more.json").write_text(
                tables([sizes("big-coalesce-shortest", 15)], [8]))
            days = policies_fleets.read_days(folder)
        rows, words = list(policies_fleets.day_rows(days)), policies_fleets.day_words(days)
        cells = {row[3]: row[4:] for row in rows}
        self.assertEqual(cells, {"split": ["19 .. 20", "-", "20.0", "-"], "batch": ["none", "-", "-", "-"],
                                 "coalesce-shortest": ["15", "25", "12.5", "38"]})
        self.assertIn("`big`: `coalesce-shortest` 25 under random, in pools `coalesce-shortest` 38.",
                      words[0])


class Numbers(unittest.TestCase):
    def test_crossings_on_power_laws(self):
        """y = x^2 meets 10 at the root of 10; a curve that turns meets it twice; none beyond."""
        self.assertAlmostEqual(paper_tuning.crossings([1, 10], [1, 100], 10)[0], math.sqrt(10))
        self.assertEqual(len(paper_tuning.crossings([1, 2, 4], [1, 3, 1], 2)), 2)
        self.assertEqual(paper_tuning.crossings([1, 2], [1, 3], 4), [])
        self.assertEqual(paper_tuning.crossings([1, 2, 4], [1, 3, 9], 3), [2])

    def test_verdicts(self):
        """The rule that the page states."""
        for counts, wanted in (((10, 0, 0), "confirmed"), ((6, 3, 1), "confirmed"),
                               ((6, 2, 2), "mixed"), ((4, 6, 0), "mixed"), ((0, 3, 0), "refuted"),
                               ((3, 0, 4), "refuted"), ((0, 0, 0), "not run")):
            self.assertEqual(paper_experiments.verdict(*counts), wanted, counts)

    def test_means(self):
        """An empty mean is no number."""
        self.assertTrue(math.isnan(paper_tuning.arithmetic([])))
        self.assertTrue(math.isnan(paper_tuning.geometric([])))
        self.assertAlmostEqual(paper_tuning.geometric([1, 4]), 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
