# SPDX-License-Identifier: Apache-2.0
"""pages.py RECFLEET ROOT FOLDER [NAME...]: a page of every kind in a real browser.

Makes a results file of every kind from short versions of our studies, with names that nobody would
choose, and takes pictures of its page into FOLDER, to be looked at: NAME-wide.png at 1280 pixels,
NAME-narrow.png at 400, NAME-dark.png, and as on paper NAME-print.png (the width of A4) and NAME.pdf;
NAME-open.png has all that is folded away. And checks what a picture shows only to people: that nothing is
wider than the screen, that the page's own script runs without an error, and, where axe-core is
installed (AXE=path of axe.min.js, or node_modules/axe-core beside FOLDER), that it finds nothing
serious or critical. Skipped (77) without Chromium.
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM, ROOT, OUT = (os.path.abspath(p) for p in sys.argv[1:4])
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
if not BROWSER:
    print("skipped: no chromium")
    sys.exit(77)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]
STUDIES = os.path.join(ROOT, "slurm", "studies")
HOSTILE = '"<script>document.title=1</script> ' + "x" * 200 + ' \u05e9\u05dc\u05d5\u05dd \U0001f600"'
TUNE = ["tune.queries=2000", "tune.max_queries=28000", "tune.accuracy=20%"]
CAPACITY = "../../tests/mpi/capacity.yaml"
GROUP = "{name: x, cores: 4, servers: 8, idle_power: 40W, busy_power: 100W, " \
        "cost: {kind: synthetic, fixed: 500us, per_item: 20us}}"
# Page -> command, study, settings: what a results file is made from.
FILES = {
    "run": ("run", "00-quickstart.yaml", ["duration=2s"]),
    "two": ("run", "01-two-services.yaml", ["duration=2s", "name=" + HOSTILE, "traffic[0].service=" + HOSTILE]),
    "overload": ("run", "00-quickstart.yaml", ["duration=2s", "fleet.groups[0].servers=3"]),
    "sweep": ("sweep", "02-policies.yaml", ["duration=1s", "sweep[1].axis=" + HOSTILE]),
    "knee": ("sweep", "02-policies.yaml", ["duration=2s"]),
    "map": ("sweep", "02-policies.yaml", ["duration=1s", "sweep[0].axis=batch",
                                          "sweep[0].key=fleet.groups[0].scheduler.batch_items",
                                          "sweep[0].values=[1, 4, 16, 64, 256, 999]"]),
    "replications": ("sweep", "20-sweep.yaml", ["duration=1s"]),
    "tuning": ("tune", "51-tune.yaml", TUNE),
    "paper": ("tune", "50-paper.yaml", TUNE + ["sweep[0].values=[wnd, rmc1]"]),
    "plan": ("capacity", CAPACITY, ["capacity.find=plan"]),
    "day": ("capacity", CAPACITY, ["capacity.find=day"]),
    "servers": ("capacity", CAPACITY, ["capacity.find=servers"]),
    "cores": ("capacity", CAPACITY, ["capacity.find=cores", "fleet.groups=[" + GROUP + "]"]),
    "load": ("capacity", CAPACITY, ["capacity.find=load"]),
}
# Page -> results files and options, where it is not the file's alone.
REPORTS = {
    "paper": (["paper"], ["--published", os.path.join(STUDIES, "50-paper.csv")]),
    "comparison": (["run", "overload"], []),
    "between": (["knee"], ["--baseline", "policy=random"]),
}
PAGES = list(dict.fromkeys([*FILES, *REPORTS]))
# What the page says of itself when all of it has run.
PROBE = """<script>
window.addEventListener("load", function () {
  var out = {height: document.documentElement.scrollHeight, wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
             figures: document.querySelectorAll("figure").length,
             tips: document.querySelectorAll(".tip").length, errors: window.probeErrors || [], title: document.title};
  function say() { var p = document.createElement("pre"); p.id = "probe"; p.textContent = JSON.stringify(out); document.body.appendChild(p); }
  if (!window.axe) { say(); return; }
  axe.run().then(function (r) {
    out.axe = r.violations.filter(function (v) { return v.impact === "serious" || v.impact === "critical"; })
      .map(function (v) { return v.id + ": " + v.nodes[0].html.slice(0, 200); });
    say();
  });
});
</script>"""


def browse(*words):
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run([BROWSER, *FLAGS, "--user-data-dir=" + profile, *words], capture_output=True, text=True,
                              timeout=120)
    return done.stdout


def axe_source():
    for path in (os.environ.get("AXE", ""), os.path.join(OUT, "..", "node_modules", "axe-core", "axe.min.js")):
        if os.path.isfile(path):
            with open(path, encoding="utf-8") as f:
                return "<script>" + f.read() + "</script>"
    return ""


def probe(name, page, width):
    path = os.path.join(OUT, f"{name}-probe.html")
    errors = "<script>window.probeErrors=[];window.onerror=function(e){probeErrors.push(String(e))}</script>"
    with open(path, "w", encoding="utf-8") as f:
        f.write(page.replace("<head>", "<head>" + errors, 1).replace("</body>", axe_source() + PROBE + "</body>"))
    dom = browse(f"--window-size={width},2000", "--virtual-time-budget=20000", "--dump-dom", "file://" + path)
    os.remove(path)
    found = re.search(r'<pre id="probe">(.*?)</pre>', dom, re.S)
    return json.loads(html.unescape(found[1])) if found else {"errors": ["the page did not end"]}


def check(name, faults):
    with open(os.path.join(OUT, name + ".html"), encoding="utf-8") as f:
        page = f.read()
    for width in (1280, 400):
        said = probe(name, page, width)
        if said["errors"] or said.get("axe") or said["wide"] > 0 or said["title"] == "1":
            faults.append(f"{name} at {width}: {said}")
        if said.get("figures", 0) == 0 or said["figures"] != said["tips"]:
            faults.append(f"{name}: pictures without their script: {said}")
        height = min(16000, said.get("height", 4000))
        shoot(name, "wide" if width == 1280 else "narrow", page, width, height)
        if width == 1280:
            shoot(name, "dark", page, width, height, "--blink-settings=preferredColorScheme=0")
    shoot(name, "open", page.replace("<details", "<details open"), 1280, 6000)
    # Paper as a screen of its width: a PDF cannot be looked at everywhere.
    shoot(name, "print", page.replace("@media print", "@media screen"), 720, 6000)
    browse(f"--print-to-pdf={os.path.join(OUT, name)}.pdf", "--no-pdf-header-footer",
           "file://" + os.path.join(OUT, name + ".html"))


def shoot(name, suffix, page, width, height, *flags):
    path = os.path.join(OUT, f"{name}-{suffix}.html")
    picture = os.path.join(OUT, f"{name}-{suffix}.png")
    with open(path, "w", encoding="utf-8") as f:
        f.write(page)
    browse(f"--window-size={width},{height}", f"--screenshot={picture}", *flags, "file://" + path)
    os.remove(path)


def make(name, faults):
    """The results file of that name."""
    command, study, settings = FILES[name]
    words = [PROGRAM, command, os.path.join(STUDIES, study), "-q", "-o", os.path.join(OUT, name + ".h5"), "--force"]
    for setting in settings:
        words += ["--set", setting]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode not in (0, 3):  # 3: nothing holds
        faults.append(f"{name}: {done.stderr}")


def report(name, made, faults):
    files, options = REPORTS.get(name, ([name], []))
    for file in files:
        if file not in made:
            make(file, faults)
            made.add(file)
    done = subprocess.run([PROGRAM, "report", *(os.path.join(OUT, f + ".h5") for f in files), *options, "--force", "-o",
                           os.path.join(OUT, name + ".html")], capture_output=True, text=True)
    if done.returncode != 0:
        faults.append(f"{name}: {done.stderr}")
        return
    check(name, faults)


def main():
    faults = []
    chosen = sys.argv[4:] or PAGES
    os.makedirs(OUT, exist_ok=True)
    made = set()
    for name in chosen:
        report(name, made, faults)
    print("\n".join(faults) if faults else f"{len(chosen)} pages are fine; pictures are in the build folder"
          + ("" if axe_source() else "; axe-core is not installed"))
    return 1 if faults else 0


sys.exit(main())
