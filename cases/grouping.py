"""Open alerts in no incident, by the value that they share (casework.md 8).

Bounded: the newest ``CANDIDATES`` open alerts of the window are read, whatever the table's size."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from cases.ingest.assets import asset_name
from cases.models import Alert, AlertObservable
from cases.relations import SHARED_TYPES, Reason, asset_reason, reason
from cases.shared_hosts import Host, hosts_of, shared_addresses
from soar.accounts.models import User

WINDOW = timedelta(hours=72)
CANDIDATES = 500
ADDRESSES = ("source_ip", "ip")
Value = tuple[str, str]


@dataclass
class Grouped:
    """``ids``: of the alerts that share a value, oldest first. ``hosts``: those that each alert names. ``assets``: by
    key, what an ``("asset", key)`` stands for. ``spelled``: hosts and users as alerts write them."""

    ids: dict[Value, list[int]] = field(default_factory=lambda: defaultdict(list))
    hosts: dict[int, list[Host]] = field(default_factory=dict)
    assets: dict[str, Host] = field(default_factory=dict)
    spelled: dict[Value, set[str]] = field(default_factory=lambda: defaultdict(set))

    def add(self, name: str, value: str, pk: int) -> None:
        """Note that an alert has a value."""
        self.ids[(name, value)].append(pk)

    def why(self, value: Value) -> Reason:
        """The reason for a shared value. In how many alerts of the window it stands: common values weigh less."""
        name, text = value
        if name == "asset":
            return asset_reason(self.assets[text].name, self.assets[text].criticality, len(self.ids[value]))
        return reason(name, text, len(self.ids[value]))


def grouped(user: User) -> Grouped:
    """What at least two of the candidates share, of all that this person may see."""
    since = timezone.now() - WINDOW
    rows = Alert.objects.visible_to(user).queued().filter(incident=None, received_at__gte=since).order_by("-pk")
    facts = {row[0]: row[1:] for row in rows.values_list("pk", "source_ip", "hostname", "username")[:CANDIDATES]}
    found = Grouped(hosts=hosts_of(list(facts)))
    found.assets = {host.key: host for hosts in found.hosts.values() for host in hosts}
    for pk, (source_ip, host, person) in facts.items():
        _add_names(found, pk, host, person)
        if source_ip:
            found.add("source_ip", source_ip.lower(), pk)
    _add_observables(found, list(facts))
    found.ids = {value: sorted(set(ids)) for value, ids in found.ids.items() if len(set(ids)) > 1}
    _drop_addresses(found, list(facts))
    return found


def _add_names(found: Grouped, pk: int, host: str, person: str) -> None:
    """The assets of an alert and its user. A host name is one of the assets, or a name of its own where none of the
    candidates has told of such an asset."""
    keys = {one.key for one in found.hosts.get(pk, ())}
    own = asset_name(host)[0] if host else ""
    if own in found.assets:
        keys.add(own)
    elif host:
        found.add("host", host.lower(), pk)
        found.spelled[("host", host.lower())].add(host)
    for key in keys:
        found.add("asset", key, pk)
    if person:
        found.add("user", person.lower(), pk)
        found.spelled[("user", person.lower())].add(person)


def _add_observables(found: Grouped, ids: list[int]) -> None:
    links = AlertObservable.objects.filter(alert__in=ids, observable__type__in=SHARED_TYPES)
    for pk, type_, value in links.exclude(observable__rating__contains={"benign": True}).values_list(
        "alert_id", "observable__type", "observable__value"
    ):
        found.add(type_, value, pk)


def _drop_addresses(found: Grouped, alerts: list[int]) -> None:
    """Take out addresses that several assets have, and those that are told already, as source address."""
    addresses = {value for name, value in found.ids if name in ADDRESSES}
    shared = shared_addresses(addresses, alerts)
    told = {value for name, value in found.ids if name == "source_ip"}
    for value in [one for one in found.ids if one[0] in ADDRESSES]:
        if value[1] in shared or (value[0] == "ip" and value[1] in told):
            del found.ids[value]
