"""The machines of the made-up company as its inventory has them: a file imported long ago, and what people said since.

Some of its machines are left out on purpose: they are known by alerts alone, as in any estate."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

from cases.actions import asset_import, assets
from cases.actors import Actor
from cases.demo.estate import SERVERS, WORKERS, Host, Worker
from cases.demo.stage import Stage
from cases.models import Asset
from soar.lib import clock

FILE = "nordhavn-inventory.csv"
IMPORTED = timedelta(days=180)
UNITS = {
    "Finance": ("Finance laptops", "high", ""),
    "People": ("Office laptops", "medium", "personal-data"),
    "Sales": ("Office laptops", "low", "travels"),
    "Operations": ("Dispatch workstations", "high", ""),
    "Engineering": ("Engineering laptops", "medium", "admin-rights"),
    "Management": ("Management laptops", "high", "vip"),
}
# Beginning of a server's name: groups, criticality, tags.
ROLES = {
    "edge": ("Internet facing|Linux servers", "high", ""),
    "web": ("Internet facing|Linux servers", "medium", ""),
    "db": ("Linux servers|Tier 1", "critical", "orders"),
    "SRV-FILE": ("Windows servers|Tier 1", "high", "backup-daily"),
    "SRV": ("Windows servers", "medium", ""),
    "DC": ("Windows servers|Tier 0", "critical", "never-touch"),
}
UNKNOWN = ("ci-runner-07", "SAL-LT-0117")  # nobody has entered these
# (who, days ago, name, changes)
SAID = (
    ("mara", 61, "HR-LT-0042", {"criticality": "high"}),
    ("hanna", 33, "edge-vpn-01", {"criticality": "critical", "tags": ["remote-access"]}),
    ("priya", 9, "FIN-LT-0114", {"tags": ["payments", "watched"]}),
)


def stock(stage: Stage) -> None:
    """Put the company's machines into the inventory, at the times at which it was done. A name that is somebody's own
    asset is left alone."""
    text = _file(set(Asset.objects.filter(listed=True).values_list("key", flat=True)))
    if text.count("\n") < 2:
        return
    with clock.at(stage.now - IMPORTED):
        done = asset_import.apply(Actor.system(), text, name=FILE)
    made = Asset.objects.filter(key__in=[step.row["key"] for step in done.created])
    made.update(demo=True)
    ids = {asset.name: asset.pk for asset in made}
    for who, days, name, changes in SAID:
        if name in ids:
            with clock.at(stage.now - timedelta(days=days)):
                assets.update(stage.writer(who), ids[name], changes=dict(changes))


def unstock() -> list[str]:
    """Take the demo's machines away; those that others' alerts or incidents name are named by them alone from then on.
    To be called when the demo's alerts and incidents are gone. Returns the names of what stays."""
    for asset in Asset.objects.filter(demo=True, listed=True):
        assets.remove(Actor.system(), asset.pk)
    kept = Asset.objects.filter(demo=True)
    names = sorted(kept.values_list("name", flat=True))
    kept.update(demo=False)
    return names


def _file(taken: set[str]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(["name", "type", "system", "addresses", "groups", "criticality", "tags"])
    rows = [*(_laptop(worker) for worker in WORKERS), *(_server(host) for host in SERVERS)]
    writer.writerows(row for row in rows if row[0] not in UNKNOWN and row[0].lower() not in taken)
    return out.getvalue()


def _laptop(worker: Worker) -> list[str]:
    group, criticality, tags = UNITS[worker.unit]
    kind = "workstation" if "-WS-" in worker.host.name else "laptop"
    return [worker.host.name, kind, worker.host.system, worker.host.address, group, criticality, tags]


def _server(host: Host) -> list[str]:
    groups, criticality, tags = next(
        (facts for begin, facts in ROLES.items() if host.name.startswith(begin)), ("Linux servers", "medium", "")
    )
    return [host.name, "server", host.system, host.address, groups, criticality, tags]
