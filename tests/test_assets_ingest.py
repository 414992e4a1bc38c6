"""Assets come with alerts (ingest-and-api.md 7): shared rows, in the same transaction, whoever sends at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection

from cases.actions import manual
from cases.actors import Actor
from cases.ingest.assets import asset_name, named
from cases.ingest.pipeline import Outcome, receive, rules_of
from cases.models import Alert, AlertAsset, AlertSource, Asset
from soar.accounts.models import User
from tests.factories import make_source


def send(source: AlertSource, *items: dict[str, Any]) -> list[Outcome]:
    """What became of a delivery of these items."""
    body = json.dumps(items[0] if len(items) == 1 else list(items))
    return receive(rules_of(source), body.encode(), "application/json")[0]


def item(number: int, host: str = "", **more: Any) -> dict[str, Any]:
    return {"id": f"a-{number}", "title": f"Finding {number}", **({"hostname": host} if host else {}), **more}


def assets_of(alert: int | None) -> list[str]:
    return sorted(AlertAsset.objects.filter(alert=alert).values_list("asset__name", flat=True))


@pytest.mark.parametrize(
    ("given", "key", "name"),
    [
        ("FIN-LT-0114", "fin-lt-0114", "FIN-LT-0114"),
        ("  Web 01\n", "web 01", "Web 01"),
        ("db.example.com.", "db.example.com", "db.example.com"),
        ("10.20.4.14", "10.20.4.14", "10.20.4.14"),
        ("LOCALHOST", "", ""),
        ("127.0.0.1", "", ""),
        ("unknown", "", ""),
        ("8.8.8.8", "", ""),
        ("2606:4700::1111", "", ""),
        ("", "", ""),
        ("...", "", ""),
        ("bad\x07name", "", ""),
        ("zürich-ws", "zürich-ws", "zürich-ws"),
    ],
)
def test_what_names_a_machine(given: str, key: str, name: str) -> None:
    assert asset_name(given) == (key, name)


def test_strange_facts_are_read_without_harm() -> None:
    notes: list[str] = []
    facts: list[dict[str, Any]] = [
        {"name": None}, {"name": ["x"]}, {"name": "b" * 900, "addresses": ["10.0.0.1", "no", 7, None]},
        {"name": "A", "type": 3, "system": {"os": 1}, "addresses": None}, {"name": "a", "system": "Linux"},
    ]  # fmt: skip
    found = named(facts, notes)
    assert [(one.name[:3], one.system, one.addresses) for one in found] == [
        ("A", "Linux", ()),
        ("bbb", "", ("10.0.0.1",)),
    ]
    assert len(found[1].name) == 255
    assert notes == []


def test_more_than_fifty_are_noted() -> None:
    notes: list[str] = []
    assert len(named([{"name": f"h{n}"} for n in range(60)], notes)) == 50
    assert notes == ["60 assets are named, the first 50 are linked"]


@pytest.mark.django_db
def test_an_alert_makes_its_asset_and_the_next_shares_it() -> None:
    source = make_source()
    first = send(source, item(1, "FIN-LT-0114", os="Windows 11", **{"host.ip": "10.20.4.14"}))[0]
    second = send(source, item(2, "fin-lt-0114", os="Windows 10", **{"host.ip": "10.20.4.99"}))[0]
    one = Asset.objects.get()
    assert (one.name, one.system, one.addresses) == ("FIN-LT-0114", "Windows 11", ["10.20.4.14", "10.20.4.99"])
    assert (one.listed, one.criticality, one.groups, one.tags) == (False, 0, [], [])
    assert assets_of(first.id) == assets_of(second.id) == ["FIN-LT-0114"]


@pytest.mark.django_db
def test_an_alert_without_a_host_makes_none() -> None:
    send(make_source(), item(1))
    send(make_source(), item(2, "localhost"))
    assert not Asset.objects.exists()


@pytest.mark.django_db
def test_what_people_set_stays() -> None:
    Asset.objects.create(
        name="Fin-LT-0114", key="fin-lt-0114", type="laptop", system="Windows 11 24H2", criticality=4,
        groups=["Finance"], tags=["vip"], listed=True,
    )  # fmt: skip
    outcome = send(make_source(), item(1, "FIN-LT-0114", os="Windows 7", **{"host.ip": "10.20.4.14"}))[0]
    one = Asset.objects.get()
    assert (one.name, one.type, one.system) == ("Fin-LT-0114", "laptop", "Windows 11 24H2")
    assert (one.criticality, one.groups, one.tags, one.listed) == (4, ["Finance"], ["vip"], True)
    assert (one.addresses, one.version) == (["10.20.4.14"], 2)
    assert assets_of(outcome.id) == ["Fin-LT-0114"]
    send(make_source(), item(2, "FIN-LT-0114", os="Windows 7", **{"host.ip": "10.20.4.14"}))
    assert Asset.objects.get().version == 2, "nothing new was told"


@pytest.mark.django_db
def test_addresses_end_at_twenty() -> None:
    source = make_source()
    for n in range(25):
        send(source, item(n, "ws-1", **{"host.ip": f"10.0.0.{n}"}))
    assert Asset.objects.get().addresses == [f"10.0.0.{n}" for n in range(20)]


@pytest.mark.django_db
def test_a_list_of_alerts() -> None:
    outcomes = send(make_source(), item(1, "ws-2"), item(2), item(3, "ws-1"), item(4, "WS-2"), item(1, "ws-2"))
    assert [one.status for one in outcomes] == [201, 201, 201, 201, 200]
    assert [[name.lower() for name in assets_of(one.id)] for one in outcomes[:4]] == [["ws-2"], [], ["ws-1"], ["ws-2"]]


@pytest.mark.django_db
def test_a_repeat_names_another_host() -> None:
    source = make_source()
    first = send(source, item(1, "ws-1", os="Linux"))[0]
    again = send(source, item(1, "ws-2", os="Windows 11"))[0]
    send(source, item(1, "ws-2", os="Windows 11"))
    assert (again.status, again.id) == (200, first.id)
    assert assets_of(first.id) == ["ws-1", "ws-2"]
    told = [(one["name"], one["system"]) for one in Alert.objects.get().entities]
    assert told == [("ws-2", "Windows 11"), ("ws-1", "Linux")]


@pytest.mark.django_db
def test_an_alert_by_hand_has_its_asset(analyst: User) -> None:
    alert = manual.create_by_hand(Actor.of(analyst), fields={"title": "Seen by eye", "hostname": "WS-9"})
    assert assets_of(alert.pk) == ["WS-9"]


@pytest.mark.django_db
def test_a_refused_delivery_leaves_no_asset() -> None:
    outcomes = send(make_source(), item(1, "ws-1"), {"title": "x" * 1_100_000, "hostname": "ws-2"})
    assert [one.status for one in outcomes] == [201, 413]
    assert list(Asset.objects.values_list("name", flat=True)) == ["ws-1"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("many", [False, True])
def test_sixteen_deliveries_of_a_new_host_make_one_asset(many: bool) -> None:
    source = make_source()
    barrier = threading.Barrier(16)
    outcomes: list[Outcome] = []
    errors: list[BaseException] = []

    def deliver(number: int) -> None:
        try:
            items = [item(100 * number + n, host) for n, host in enumerate(("new-b", "New-A") if many else ("NEW-A",))]
            connection.ensure_connection()
            barrier.wait(20)
            outcomes.extend(send(source, *(reversed(items) if number % 2 else items)))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors
    assert {one.status for one in outcomes} == {201}
    assert sorted(Asset.objects.values_list("key", flat=True)) == (["new-a", "new-b"] if many else ["new-a"])
    assert AlertAsset.objects.count() == Alert.objects.count() == (32 if many else 16)


@pytest.mark.django_db
def test_an_asset_that_was_removed_comes_again_with_its_facts() -> None:
    source = make_source()
    facts = {"os": "Debian 12", "host.ip": "10.0.0.7"}
    send(source, item(1, "gone-1", **facts))
    AlertAsset.objects.all().delete()
    Asset.objects.all().delete()
    outcome = send(source, item(2, "gone-1", **facts))[0]
    assert outcome.status == 201
    assert assets_of(outcome.id) == ["gone-1"]
    assert Asset.objects.get().system == "Debian 12"


@pytest.mark.django_db
def test_known_assets_cost_one_trip(django_assert_num_queries: Any) -> None:
    source = make_source()
    send(source, item(1, "ws-1", os="Linux"))
    for number, host in ((2, "ws-1"), (3, "ws-2"), (4, "")):
        with django_assert_num_queries(2):  # which suppression rules there are is asked here, not with the token
            send(source, item(number, host, os="Linux"))
