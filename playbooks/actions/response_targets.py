"""What people can act on by hand (spec 17b): the objects of alerts, incidents, observables and assets.

They are the objects that playbooks work on, rated by the lists in the database; nobody outside is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from cases.asset_facts import known_of
from cases.choices import Criticality
from cases.errors import Refused
from cases.models import Alert, AlertAsset, AlertObservable, Asset, Incident, Observable
from playbooks.response.objects import RATED, Target, kind_of, objects_from, objects_of
from playbooks.response.rating import rate
from soar.accounts.models import User
from soar.connectors.capabilities import ENDPOINT, KINDS_OF_TARGET, SENDER
from soar.connectors.intelligence.values import normalise

ALERTS_AT_MOST = 100  # of an incident, the newest
OBJECTS_AT_MOST = 600
VALUE_AT_MOST = 2048
_TYPES = {"account": "user", "process": "process", "endpoint": "hostname", "file": "file_path", "sender": "email"}
_FACTS = ("name", "type", "system", "addresses", "groups", "tags")


def of_alert(alert: Alert) -> list[Target]:
    """The objects of an alert, rated."""
    return rated(objects_of(alert))


def of_incident(incident: Incident) -> list[Target]:
    """The objects of an incident's newest alerts, and what was put on it itself; each (kind, value) once."""
    alerts = list(Alert.objects.filter(incident=incident).order_by("-pk")[:ALERTS_AT_MOST])
    observables = _observables([alert.pk for alert in alerts])
    known = known_of([alert.pk for alert in alerts])
    found = [one for alert in alerts for one in objects_from(alert, observables.get(alert.pk, []), known[alert.pk])]
    own = Observable.objects.filter(incident_links__incident=incident).values_list("type", "value")
    found += [bare(kind_of(type), type, value) for type, value in own]
    assets = Asset.objects.filter(incident_links__incident=incident)
    return rated(_once([*found, *(_of_asset_row(asset) for asset in assets)]))


def of_alerts(alerts: Sequence[Alert]) -> list[tuple[Target, Alert]]:
    """The objects of several alerts, rated; each (kind, value) once, with the first alert that names it."""
    observables = _observables([alert.pk for alert in alerts])
    known = known_of([alert.pk for alert in alerts])
    owner: dict[tuple[str, str], Alert] = {}
    found = []
    for alert in alerts:
        for one in objects_from(alert, observables.get(alert.pk, []), known[alert.pk]):
            owner.setdefault(_same(one), alert)
            found.append(one)
    return [(one, owner[_same(one)]) for one in rated(_once(found))]


def of_observable(observable: Observable) -> list[Target]:
    """The observable as an object; [] for a type that nothing can be done to."""
    kind = kind_of(observable.type)
    return rated([bare(kind, observable.type, observable.value)]) if kind else []


def of_asset(user: User, asset: Asset) -> list[Target]:
    """The endpoint, with what the newest alert on it tells (its agent's id, its addresses)."""
    one = _of_asset_row(asset)
    link = (
        AlertAsset.objects.filter(asset=asset, alert__in=Alert.objects.visible_to(user))
        .select_related("alert__source")
        .order_by("-alert")
        .first()
    )
    told = objects_of(link.alert) if link else []
    same = next((each for each in told if each["kind"] == ENDPOINT and each["value"].lower() == asset.key), None)
    if same is not None:
        one["facts"] = {**same["facts"], **one["facts"]}
    return rated([one])


def given(kind: str, value: str, type: str = "", facts: Mapping[str, Any] | None = None) -> Target:
    """An object that was named, not chosen: its kind, and its value in its normal form where it has one.

    Raises Refused beside targets."""
    if kind not in KINDS_OF_TARGET:
        raise Refused(
            _("A target's kind is one of: %(kinds_of_target)s.") % {"kinds_of_target": ", ".join(KINDS_OF_TARGET)},
            field="targets",
        )
    type = type or _TYPES.get(kind, kind)
    if kind == "hash":
        type = {32: "md5", 40: "sha1", 64: "sha256"}.get(len(value.strip()), "sha256")
    return bare(kind, type, _normal(kind, type, value), facts)


def rated(objects: list[Target]) -> list[Target]:
    """Rate them in place, add what is known of the assets that they are or are on, and number them."""
    rate(objects, Alert(tlp="red"), False)
    _add_assets(objects)
    for number, one in enumerate(objects, 1):
        one["key"] = f"o{number}"
    return objects


def bare(kind: str, type: str, value: str, facts: Mapping[str, Any] | None = None) -> Target:
    """An object of which nothing else is known."""
    own = {"type": type} if kind == "hash" else {}
    return {
        "key": "", "kind": kind or "other", "type": type, "value": value, "risk": "unrated", "rule": "",
        "evidence": [], "scores": {}, "rated_at": None, "benign": "", "related": [],
        "facts": {**own, **(facts or {})}, "asset": None, "highlighted": False,
    }  # fmt: skip


def _add_assets(objects: Sequence[Target]) -> None:
    """The never-touch list is about assets: what is on a host is as protected as the host, however it was named."""
    names = {_host(one).lower() for one in objects if not one["asset"]} - {""}
    rows = {asset.key: asset for asset in Asset.objects.filter(key__in=names)} if names else {}
    for one in objects:
        if not one["asset"] and (asset := rows.get(_host(one).lower())) is not None:
            one["asset"] = _asset(asset)


def _host(one: Target) -> str:
    return str(one["value"] if one["kind"] == ENDPOINT else one["facts"].get("endpoint") or "")


def _of_asset_row(asset: Asset) -> Target:
    facts = {"addresses": list(asset.addresses)} if asset.addresses else {}
    one = bare(ENDPOINT, "hostname", asset.name, facts)
    one["asset"] = _asset(asset)
    return one


def _asset(asset: Asset) -> dict[str, Any]:
    return {**{name: getattr(asset, name) for name in _FACTS}, "criticality": Criticality(asset.criticality).word}


def _observables(alerts: Sequence[int]) -> dict[int, list[tuple[str, str, str, bool]]]:
    links = AlertObservable.objects.filter(alert__in=alerts).order_by("pk")
    found: dict[int, list[tuple[str, str, str, bool]]] = {}
    rows = links.values_list("alert_id", "observable__type", "observable__value", "role", "highlighted")
    for alert, type, value, role, highlighted in rows:
        found.setdefault(alert, []).append((type, value, role, highlighted))
    return found


def _once(objects: Iterable[Target]) -> list[Target]:
    """Each (kind, value) once, with what all of them know; keys are given anew, so relations are left out."""
    found: dict[tuple[str, str], Target] = {}
    for one in objects:
        if one["kind"] not in KINDS_OF_TARGET:
            continue
        have = found.setdefault(_same(one), {**one, "related": []})
        have["facts"] = {**one["facts"], **have["facts"]}
        have["asset"] = have["asset"] or one["asset"]
    return list(found.values())[:OBJECTS_AT_MOST]


def _same(one: Target) -> tuple[str, str]:
    """What two mentions of the same object have in common."""
    return (one["kind"], one["value"].casefold())


def _normal(kind: str, type: str, value: str) -> str:
    """Raises Refused for an address, name or hash that is none; what products name in their own way stays."""
    text = value.strip()
    if not text or len(text) > VALUE_AT_MOST or "\x00" in text:
        raise Refused(
            _("A target's value has 1 to %(value_at_most)s characters.") % {"value_at_most": VALUE_AT_MOST},
            field="targets",
        )
    if kind not in (*RATED, SENDER):
        return text
    try:
        return normalise(type, text)
    except ValueError as error:
        raise Refused(str(error), field="targets") from None
