"""Alerts of one asset belong together, addresses that several have tie nothing, and nothing is told of what a reader
may not see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from cases.choices import Criticality
from cases.models import Alert, AlertAsset, Asset, DismissedSuggestion, IncidentAsset
from cases.similar import similar
from cases.suggestions import likely_incident, suggestions
from soar.accounts.models import Team, User
from tests.api import Api
from tests.factories import make_alert, make_asset, make_incident, make_source

pytestmark = pytest.mark.django_db


def on(asset: Asset, title: str = "", **fields: Any) -> Alert:
    """An alert that names the asset and nothing else."""
    alert = make_alert(title, **fields)
    AlertAsset.objects.create(alert=alert, asset=asset)
    return alert


def told(user: User) -> list[tuple[str, list[tuple[str, str, str]], set[int]]]:
    """Titles, reasons and alerts of the suggestions."""
    return [
        (one.title, [(r.type, r.value, r.text) for r in one.reasons], {alert.pk for alert in one.alerts})
        for one in suggestions(user)
    ]


def test_alerts_of_one_asset_belong_together_whatever_else_they_tell(analyst: User) -> None:
    laptop = make_asset("FIN-LT-07")
    one = on(laptop, observables=(("domain", "one-host.com"),), source_ip="198.51.100.1")
    other = on(laptop, observables=(("sha256", "a" * 64),), source_ip="198.51.100.2")
    on(make_asset("FIN-LT-08"))
    assert told(analyst) == [
        ("2 alerts share the asset FIN-LT-07", [("asset", "FIN-LT-07", "same asset")], {one.pk, other.pk})
    ]
    assert [(found.pk, why[0].type, why[0].value) for found, why in similar(analyst, one)] == [
        (other.pk, "asset", "FIN-LT-07")
    ]


def test_an_alert_that_only_bears_the_hosts_name_is_of_the_asset_too(analyst: User) -> None:
    named, plain = on(make_asset("FIN-LT-07"), hostname="FIN-LT-07"), make_alert(hostname="fin-lt-07.")
    assert told(analyst)[0][1:] == ([("asset", "FIN-LT-07", "same asset")], {named.pk, plain.pk})


def test_out_of_the_window_they_do_not(analyst: User) -> None:
    laptop = make_asset("FIN-LT-07")
    now, before = on(laptop), on(laptop, age=timedelta(hours=80))
    assert suggestions(analyst) == []
    assert similar(analyst, now) == []
    within = on(laptop, age=timedelta(hours=70))
    assert [found.pk for found, _why in similar(analyst, within)] == [before.pk, now.pk], "both are near this one"


def test_the_criticality_counts_and_is_said(analyst: User) -> None:
    levels = {level: make_asset(f"host-{level.word}", criticality=level) for level in Criticality}
    for asset in levels.values():
        on(asset), on(asset)
    found = suggestions(analyst)
    assert [one.value[1] for one in found[:3]] == ["host-critical", "host-high", "host-medium"]
    assert found[0].score > found[1].score > found[2].score > found[3].score == found[4].score
    assert found[0].title == "2 alerts share the critical asset host-critical"
    assert [one.reasons[0].text for one in found[:4]] == [
        "same critical asset", "same high-criticality asset", "same medium-criticality asset", "same asset",
    ]  # fmt: skip


def test_a_critical_asset_among_them_raises_the_score(analyst: User) -> None:
    values = {"a": (("domain", "one-host.com"),), "b": (("domain", "two-host.com"),)}
    for asset in (make_asset("ws-1"), make_asset("dc-1", criticality=Criticality.CRITICAL)):
        on(asset, observables=values["a"])
    for name in ("ws-2", "ws-3"):
        on(make_asset(name), observables=values["b"])
    first, second = suggestions(analyst)
    assert first.score == second.score + 1
    assert [(one.type, one.value, one.text) for one in first.reasons[1:]] == [
        ("asset", "dc-1", "on the critical asset")
    ]


@pytest.mark.parametrize("role", ["source_ip", "ip"])
def test_an_address_of_several_assets_ties_nothing(analyst: User, role: str) -> None:
    """Two machines behind one gateway, or one after the other with one lease."""
    hosts = [make_asset(name, addresses=["10.20.0.1"], listed=False) for name in ("ws-1", "ws-2")]
    fields: dict[str, Any] = {"source_ip": "10.20.0.1"} if role == "source_ip" else {}
    seen = (("ip", "10.20.0.1"),) if role == "ip" else ()
    one, _other = (on(host, observables=seen, **fields) for host in hosts)
    assert suggestions(analyst) == []
    assert similar(analyst, one) == []


def test_an_address_of_the_inventory_ties_nothing_either(analyst: User) -> None:
    make_asset("proxy-1", addresses=["10.20.0.1"]), make_asset("proxy-2", addresses=["10.20.0.1"])
    one = make_alert(source_ip="10.20.0.1", observables=(("ip", "10.20.0.1"),))
    make_alert(source_ip="10.20.0.1", observables=(("ip", "10.20.0.1"),))
    assert suggestions(analyst) == [] == similar(analyst, one)


def test_the_address_of_one_asset_still_does(analyst: User) -> None:
    """What one machine did to two others."""
    make_asset("ws-1", addresses=["10.20.0.7"])
    on(make_asset("srv-1", addresses=["10.20.1.1"]), source_ip="10.20.0.7")
    on(make_asset("srv-2", addresses=["10.20.1.2"]), source_ip="10.20.0.7")
    assert [one.title for one in suggestions(analyst)] == ["2 alerts share the source address 10.20.0.7"]


def test_hidden_alerts_and_assets_change_nothing(analyst: User, red: Team) -> None:
    theirs = make_source(team=red)
    hidden = make_asset("secret-1", addresses=["10.9.9.9"], listed=False, criticality=Criticality.CRITICAL)
    make_asset("secret-2", addresses=["10.9.9.9"], listed=False)
    laptop = make_asset("FIN-LT-07", listed=False)
    on(hidden, source=theirs), on(hidden, source=theirs), on(laptop, source=theirs)
    one = on(laptop)
    assert suggestions(analyst) == []
    assert similar(analyst, one) == []
    two = on(laptop)
    before, score = similar(analyst, Alert.objects.get(pk=one.pk)), suggestions(analyst)[0].score
    assert [found.pk for found, _why in before] == [two.pk]
    for _ in range(30):
        on(laptop, source=theirs)
    assert similar(analyst, Alert.objects.get(pk=one.pk)) == before, "order and weight are those of what is seen"
    assert suggestions(analyst)[0].score == score


def test_an_incident_of_the_asset_is_the_one_to_add_to(analyst: User) -> None:
    laptop = make_asset("FIN-LT-07")
    incident = make_incident("Case", on(laptop))
    fresh = on(laptop)
    likely = likely_incident(analyst, fresh)
    assert likely is not None and likely.incident == incident
    on(laptop)
    assert suggestions(analyst)[0].incident == incident


def test_so_is_one_that_the_asset_was_put_on(analyst: User, stranger: User, red: Team) -> None:
    laptop = make_asset("FIN-LT-07")
    IncidentAsset.objects.create(incident=make_incident("Theirs", team=red), asset=laptop, added_by="Sam")
    on(laptop), on(laptop)
    assert suggestions(analyst)[0].incident is None
    ours = make_incident("Ours")
    IncidentAsset.objects.create(incident=ours, asset=laptop, added_by="Mara")
    assert suggestions(analyst)[0].incident == ours


def test_the_incident_with_the_host_is_found_however_it_is_spelled(analyst: User) -> None:
    incident = make_incident("Case", make_alert(hostname="SRV-DB-1"))
    make_alert(hostname="SRV-DB-1"), make_alert(hostname="SRV-DB-1")
    assert suggestions(analyst)[0].incident == incident


def test_not_related_holds_when_the_host_becomes_an_asset(analyst: User, as_analyst: Client) -> None:
    alerts = [make_alert(hostname="FIN-LT-07") for _ in range(2)]
    as_analyst.post(f"/incidents/suggestions/{suggestions(analyst)[0].key}/dismiss/")
    assert DismissedSuggestion.objects.count() == 1
    laptop = make_asset("FIN-LT-07")
    AlertAsset.objects.bulk_create([AlertAsset(alert=alert, asset=laptop) for alert in alerts])
    assert suggestions(analyst) == []


def test_pages_and_api_say_it(analyst: User, as_analyst: Client) -> None:
    controller = make_asset("DC-01", criticality=Criticality.CRITICAL)
    one, _other = on(controller, "Replication", hostname="DC-01"), on(controller, "New service", hostname="DC-01")
    page = as_analyst.get("/incidents/suggestions/").content.decode()
    assert "2 alerts share the critical asset DC-01" in page
    assert "seen on" not in page, "the title says it"
    assert "same critical asset" in as_analyst.get(f"/alerts/{one.number}/").content.decode()
    found = Api(analyst).get("/incidents/suggestions/").json()["results"][0]
    assert found["reasons"] == [{"type": "asset", "value": "DC-01", "text": "same critical asset"}]


def test_a_machine_named_by_everything_weighs_little(analyst: User) -> None:
    gateway = make_asset("mail-gw")
    for _ in range(40):
        on(gateway)
    pair = [make_alert(observables=(("domain", "rare-host.com"),)) for _ in range(2)]
    found = suggestions(analyst)
    assert {alert.pk for alert in found[0].alerts} == {alert.pk for alert in pair}
    assert found[1].score < 1
