# SPDX-License-Identifier: Apache-2.0
"""The part of docs/policies.md about fleets: servers that queues save on a day, from the tables that
`recfleet capacity` prints (JSON).

A type of server is called KIND-SCHEDULER (`card-coalesce-shortest`). Each is searched on its own, so
a day's types may be in several files: NAME-BALANCER*.json.
"""

import json

import h5py

from paper_tables import NONE, num, table
from paper_tuning import text
from policies_gains import SPLIT

# Name -> study.
DAYS = {"production": "76-pull-day.yaml", "plan": "77-pull-plan.yaml"}
BALANCERS = ("random", "power-of-two")


def read_types(path):
    """{type: {"n_least", "n_most", "state", ..., "pools"}} of one file; the rows of the answer, not those with
    a margin. pools: servers of each service's own, by what one server holds of it."""
    tables = {t["table"]: t["rows"]
              for t in json.loads(path.read_text(encoding="utf-8"))["tables"]}
    types, loads = {}, {}
    for row in tables["sizes"]:
        types.setdefault(row["type"], dict(row))
    for row in tables["services"]:
        # The service that decides is marked by a star.
        loads.setdefault(row["service"].removesuffix(" *"), row["served_qps"])
    for row in tables["tuples, deeprecsched"]:
        held = [row.get(service) for service in loads]
        types[row["type"]]["pools"] = sum(
            load / qps for load, qps in zip(loads.values(), held)) if all(held) else None
    return types


def files_of(folder, name, balancer, suffix):
    paths = sorted(folder.glob(f"{name}-{balancer}*.{suffix}"))
    return [p for p in paths if p.stat().st_size > 0]


def read_days(folder):
    """{(name, balancer): {type: ...}}"""
    days = {}
    for name, balancer in ((n, b) for n in DAYS for b in BALANCERS):
        for path in files_of(folder, name, balancer, "json"):
            days.setdefault((name, balancer), {}).update(read_types(path))
    return days


def read_day_runs(folder, day):
    """The attributes of /run of each of a day's files."""
    runs = []
    for path in files_of(folder, *day, "h5"):
        with h5py.File(path, "r") as file:
            runs.append(dict(file["run"].attrs.items()))
    return runs


def kind_of(name):
    return name.partition("-")[0]


def scheduler_of(name):
    return name.partition("-")[2]


def servers_word(row):
    if row["state"] == "none":
        return "none"
    least, most = row["n_least"], row["n_most"]
    return str(most) if least == most else f"{least} .. {most}"


def saved(few, many, key):
    """Part of the servers that are saved, in words."""
    if not few.get(key) or not many or not many.get(key):
        return NONE
    return f"{100 * (1 - few[key] / many[key]):.0f}"


def day_rows(days):
    for (name, balancer), types in days.items():
        for kind in dict.fromkeys(map(kind_of, types)):
            split = types.get(f"{kind}-{SPLIT}")
            for label, row in types.items():
                if kind_of(label) != kind:
                    continue
                is_split = scheduler_of(label) == SPLIT
                yield [f"[{DAYS[name]}](../slurm/studies/{DAYS[name]})", balancer, kind,
                       scheduler_of(label), servers_word(row),
                       NONE if is_split else saved(row, split, "n_most"),
                       num(row["pools"], 3) if row.get("pools") else NONE,
                       NONE if is_split else saved(row, split, "pools")]


def best_saved(types, kind, key):
    """"`coalesce` 16" of the queue that saves most servers."""
    split = types.get(f"{kind}-{SPLIT}")
    words = {scheduler_of(t): saved(row, split, key) for t, row in types.items()
             if kind_of(t) == kind and scheduler_of(t) != SPLIT}
    words = {s: w for s, w in words.items() if w != NONE}
    if not words:
        return NONE
    best = max(words, key=lambda s: int(words[s]))
    return f"`{best}` {words[best]}"


def day_words(days):
    """One line for the summary."""
    words = []
    for name in dict.fromkeys(n for n, _ in days):
        under = {b: days[name, b] for b in BALANCERS if (name, b) in days}
        for kind in dict.fromkeys(map(kind_of, next(iter(under.values())))):
            shared = " and ".join(f"{best_saved(types, kind, 'n_most')} under {b}"
                                  for b, types in under.items())
            pools = best_saved(next(iter(under.values())), kind, "pools")
            words.append(f"{DAYS[name]}, `{kind}`: {shared}, in pools {pools}")
    return [f"- Servers saved at the peak of a day ([fleets](#fleets)), %, by the queue that saves "
            f"most: {'; '.join(words)}."] if words else []


def day_section(days):
    out = ["## Fleets", ""]
    if not days:
        return out + [f"Servers saved on a day: not run ({', '.join(DAYS.values())})."]
    out += ["The fewest servers that hold the peak of the days of "
            "[60-production.yaml](../slurm/studies/60-production.yaml) (76) and "
            "[62-plan.yaml](../slurm/studies/62-plan.yaml) (77), a quarter and a fifth of their "
            "traffic, with every service's p95 within its medium target. Each type of server is a "
            "fleet of its own: `cpu` and `big` have no card, `card` and `gtx` have one. Settings "
            "are tuned by hill climbing for each service alone on a server, as `recfleet capacity` "
            "does.", "",
            "- **shared**: all services on every server, simulated under that balancer, by the "
            "queues that each service has of its own. `a .. b`: too close to tell, and what is "
            "saved is counted at b. `none`: not even an idle server holds it.",
            "- **pools**: every service on servers of its own, by what one server was shown to "
            "hold of it; not simulated as a fleet, whole servers not counted, and the same under "
            "every balancer.",
            "- **saved**: of the servers that `split` needs, %; below 0 the queue needs more.", "",
            *table(["study", "balancer", "servers", "scheduler", "shared", "saved %", "pools",
                    "saved in pools %"], list(day_rows(days))), "",
            "Settings tuned for each service alone know nothing of the others. A likely cause of "
            "what is lost by sharing, not tested: a core or a card that has begun a large batch "
            "of a patient service cannot leave it for the small query of a strict one. An order "
            "is one of the queries of a service; between services the one whose first query has "
            "waited longest is next."]
    lacking = [f"{DAYS[n]} under {b}" for n in DAYS for b in BALANCERS if (n, b) not in days]
    return out + (["", f"Not run: {', '.join(lacking)}."] if lacking else [])


def run_row(day, runs):
    """Of the table of what was run."""
    name, balancer = day
    return [f"[{DAYS[name]}](../slurm/studies/{DAYS[name]}), {balancer}", NONE, "deeprecsched",
            NONE, f"{sum(int(r['n_queries']) for r in runs) / 1e6:.0f}",
            int(runs[0]["n_ranks"]), f"{sum(r['wall_s'] for r in runs):.0f}"]


def revisions(runs):
    return {text(r["git_revision"]) for r in runs}
