"""Assets by hand and by program: create, edit, remove; who sees them; nothing hidden shows (access.md 4)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import assets
from cases.actors import Actor
from cases.choices import Criticality
from cases.errors import Forbidden, Missing, Refused, Stale
from cases.models import AlertAsset, Asset, AssetChange, AssetGroup
from soar.accounts.models import AuditEntry, Team, User
from tests.factories import make_alert, make_asset, make_source

pytestmark = pytest.mark.django_db


def changes_of(asset: Asset) -> list[tuple[str, dict[str, Any]]]:
    return [(one.verb, one.data) for one in AssetChange.objects.filter(asset=asset).order_by("pk")]


def test_create(analyst: User) -> None:
    one = assets.create(
        Actor.of(analyst),
        fields={
            "name": " FIN-LT-0114 ", "type": "Laptop", "system": "Windows 11", "addresses": ["10.20.4.14", "FE80::1"],
            "groups": ["Finance laptops", "finance LAPTOPS"], "criticality": "high", "tags": ["VIP"],
        },
    )  # fmt: skip
    one.refresh_from_db()
    assert (one.name, one.key, one.type, one.system) == ("FIN-LT-0114", "fin-lt-0114", "laptop", "Windows 11")
    assert one.addresses == ["10.20.4.14", "fe80::1"]
    assert (one.groups, one.tags, one.criticality) == (["Finance laptops"], ["vip"], Criticality.HIGH)
    assert (one.listed, one.version) == (True, 1)
    assert changes_of(one) == [("created", {})]
    entry = AuditEntry.objects.get(verb="asset.created")
    assert (entry.actor_id, entry.target) == (analyst.pk, "FIN-LT-0114")


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({}, "name", "has a name"),
        ({"name": "   "}, "name", "Write something"),
        ({"name": 7}, "name", "must be a text"),
        ({"name": "x" * 256}, "name", "At most 255"),
        ({"name": "localhost"}, "name", "not localhost"),
        ({"name": "8.8.8.8"}, "name", "public address"),
        ({"name": "TAKEN-1"}, "name", "There is an asset taken-1"),
        ({"name": "a", "addresses": ["10.0.0.300"]}, "addresses", "no IPv4"),
        ({"name": "a", "addresses": "10.0.0.3"}, "addresses", "list of texts"),
        ({"name": "a", "addresses": [f"10.0.0.{n}" for n in range(51)]}, "addresses", "At most 50"),
        ({"name": "a", "groups": ["g" * 101]}, "groups", "At most 100"),
        ({"name": "a", "groups": [3]}, "groups", "list of texts"),
        ({"name": "a", "criticality": "huge"}, "criticality", "not one of"),
        ({"name": "a", "tags": ["t"] * 51 + [str(n) for n in range(50)]}, "tags", "At most 50"),
        ({"name": "a", "system": "Win\ue000"}, "system", "cannot be shown"),
        ({"name": "a", "colour": "red"}, "colour", "not a field"),
    ],
)
def test_create_refused(analyst: User, fields: dict[str, Any], field: str, words: str) -> None:
    make_asset("taken-1")
    with pytest.raises(Refused) as refused:
        assets.create(Actor.of(analyst), fields=fields)
    assert refused.value.field == field
    assert words in refused.value.message
    assert Asset.objects.count() == 1


def test_a_viewer_changes_nothing(viewer: User) -> None:
    one = make_asset("ws-1")
    for call in (
        lambda: assets.create(Actor.of(viewer), fields={"name": "ws-2"}),
        lambda: assets.update(Actor.of(viewer), one.pk, changes={"tags": ["x"]}),
        lambda: assets.remove(Actor.of(viewer), one.pk),
    ):
        with pytest.raises(Forbidden):
            call()
    assert list(Asset.objects.values_list("name", "tags")) == [("ws-1", [])]


def test_update(analyst: User) -> None:
    one = make_asset("ws-1", criticality=Criticality.LOW, groups=["Old"])
    assets.update(Actor.of(analyst), one.pk, changes={"criticality": "critical", "groups": ["Till"], "name": "WS-1"})
    one.refresh_from_db()
    assert (one.name, one.criticality, one.groups, one.version) == ("WS-1", Criticality.CRITICAL, ["Till"], 2)
    told = {"criticality": ["low", "critical"], "groups": [["Old"], ["Till"]], "name": ["ws-1", "WS-1"]}
    assert changes_of(one) == [("changed", told)]
    assert list(AssetGroup.objects.values_list("name", flat=True)) == ["Till"], "a group without assets is none"


def test_the_same_again_changes_nothing(analyst: User) -> None:
    one = make_asset("ws-1", groups=["Till"], tags=["vip"])
    assets.update(Actor.of(analyst), one.pk, changes={"groups": ["TILL"], "tags": ["VIP"]})
    one.refresh_from_db()
    assert (one.version, one.groups, changes_of(one)) == (1, ["Till"], [])


def test_update_refused(analyst: User) -> None:
    one = make_asset("ws-1")
    with pytest.raises(Refused, match="enter another name"):
        assets.update(Actor.of(analyst), one.pk, changes={"name": "ws-2"})
    with pytest.raises(Stale):
        assets.update(Actor.of(analyst), one.pk, changes={"tags": ["x"]}, expected_version=7)
    for wrong in (10**6, "x", "٣", "9" * 40):
        with pytest.raises(Missing):
            assets.update(Actor.of(analyst), wrong, changes={"tags": ["x"]})
    one.refresh_from_db()
    assert (one.version, one.tags) == (1, [])


def test_groups_keep_the_first_spelling(analyst: User) -> None:
    for name, group in (("a", "Payment Tills"), ("b", "payment tills")):
        assets.create(Actor.of(analyst), fields={"name": name, "groups": [group]})
    assert [one.groups for one in Asset.objects.all()] == [["Payment Tills"]] * 2


class TestHidden:
    """What only an alert of another team names."""

    @pytest.fixture
    def hidden(self, red: Team) -> Asset:
        alert = make_alert("Secret", source=make_source(team=red))
        one = make_asset("red-1", listed=False, system="Solaris", addresses=["10.9.9.9"])
        AlertAsset.objects.create(alert=alert, asset=one)
        return one

    def test_is_not_there(self, hidden: Asset, analyst: User, stranger: User, admin: User) -> None:
        assert [list(Asset.objects.visible_to(user)) for user in (analyst, stranger, admin)] == [[], [hidden], [hidden]]
        with pytest.raises(Missing):
            assets.update(Actor.of(analyst), hidden.pk, changes={"tags": ["x"]})

    def test_can_be_entered_as_if_it_were_new(self, hidden: Asset, analyst: User) -> None:
        one = assets.create(Actor.of(analyst), fields={"name": "RED-1", "tags": ["mine"]})
        assert one.pk == hidden.pk
        assert (one.name, one.system, one.addresses, one.tags) == ("RED-1", "", [], ["mine"])

    def test_keeps_its_facts_for_who_sees_it(self, hidden: Asset, stranger: User) -> None:
        one = assets.create(Actor.of(stranger), fields={"name": "red-1", "tags": ["mine"]})
        assert (one.system, one.addresses, one.listed) == ("Solaris", ["10.9.9.9"], True)

    def test_an_edit_lists_it(self, hidden: Asset, stranger: User, analyst: User) -> None:
        assets.update(Actor.of(stranger), hidden.pk, changes={"criticality": "high"})
        assert list(Asset.objects.visible_to(analyst)) == [hidden]

    def test_removing_hides_it_again(self, hidden: Asset, stranger: User, analyst: User, admin: User) -> None:
        assets.update(Actor.of(stranger), hidden.pk, changes={"criticality": "high", "groups": ["G"]})
        with pytest.raises(Forbidden, match="settings"):
            assets.remove(Actor.of(stranger), hidden.pk)
        assets.remove(Actor.of(admin), hidden.pk)
        hidden.refresh_from_db()
        assert (hidden.listed, hidden.criticality, hidden.groups) == (False, 0, [])
        assert [list(Asset.objects.visible_to(user)) for user in (analyst, stranger)] == [[], [hidden]]
        with pytest.raises(Refused, match="not in the inventory"):
            assets.remove(Actor.of(admin), hidden.pk)

    def test_nobody_without_a_role_sees_any(self, nobody: User) -> None:
        make_asset("ws-1")
        assert not Asset.objects.visible_to(nobody).exists()


def test_removing_one_that_nothing_names_deletes_it(admin: User) -> None:
    one = make_asset("ws-1", groups=["G"])
    with pytest.raises(Stale):
        assets.remove(Actor.of(admin), one.pk, expected_version=9)
    assets.remove(Actor.of(admin), one.pk, expected_version=1)
    assert not Asset.objects.exists()
    assert not AssetGroup.objects.exists()
    assert AuditEntry.objects.get(verb="asset.removed").target == "ws-1"
