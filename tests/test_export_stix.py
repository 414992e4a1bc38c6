"""The STIX bundle of an incident: valid by the OASIS validator, with the ids that STIX prescribes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stix2

from cases.actions import incidents, links
from cases.actors import Actor
from cases.models import Evidence, Incident
from cases.reporting.formats import FORMATS
from cases.reporting.stix_observables import objects_of, pattern_of
from soar.accounts.models import User
from tests.factories import make_alert
from tests.rich_incident import VALUES, rich_incident, told
from tests.stix_checks import problems

pytestmark = pytest.mark.django_db


def bundle_of(admin: User, incident: Incident, **options: Any) -> dict[str, Any]:
    """As the format writes it."""
    body = FORMATS["stix"].render(told(admin, incident, **options))
    assert isinstance(body, bytes)
    made: dict[str, Any] = json.loads(body)
    return made


def of(bundle: dict[str, Any], sort: str) -> list[dict[str, Any]]:
    """The objects of a type."""
    return [one for one in bundle["objects"] if one["type"] == sort]


def test_everything_in_it_is_valid(admin: User) -> None:
    bundle = bundle_of(admin, rich_incident(admin))
    assert problems(bundle) == []
    assert len({one["id"] for one in bundle["objects"]}) == len(bundle["objects"])


def test_the_checks_of_these_tests_find_what_is_wrong(admin: User) -> None:
    bundle = bundle_of(admin, rich_incident(admin))
    indicator = of(bundle, "indicator")[0]
    indicator["pattern_type"], indicator["made_up"] = "regex!", 1
    of(bundle, "report")[0]["object_refs"].append("note--" + "0" * 8 + "-0000-4000-8000-" + "0" * 12)
    found = " ".join(problems(bundle))
    assert "made_up" in found and "is not there" in found


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_every_type_of_observable_has_the_id_that_stix_prescribes(kind: str, value: str) -> None:
    for one in objects_of(kind, value):
        made = stix2.parse({key: part for key, part in one.items() if key != "id"}, version="2.1")
        assert one["type"] == "process" or made.id == one["id"]
    if kind not in ("crypto", "cve", "technique"):
        assert objects_of(kind, value) and pattern_of(kind, value)


def test_malicious_observables_become_indicators_with_sightings(admin: User) -> None:
    bundle = bundle_of(admin, rich_incident(admin))
    patterns = {one["pattern"]: one for one in of(bundle, "indicator")}
    assert r"[url:value = 'https://evil.example.net/a\'b?q=\\x']" in patterns
    assert "[domain-name:value = 'put-there.example.org']" in patterns
    seen = {one["sighting_of_ref"]: one for one in of(bundle, "sighting")}
    address = patterns["[ipv4-addr:value = '203.0.113.9']"]
    assert seen[address["id"]]["count"] == 4, "three times in the first alert, once in the second"
    assert len(seen[address["id"]]["observed_data_refs"]) == 2


def test_what_is_not_rated_is_observed_but_no_indicator(admin: User) -> None:
    from cases.models import Observable

    incident = rich_incident(admin)
    Observable.objects.update(risk=0)
    bundle = bundle_of(admin, incident)
    assert not of(bundle, "indicator") and not of(bundle, "sighting")
    assert of(bundle, "observed-data") and problems(bundle) == []


@pytest.mark.parametrize(
    ("tlp", "mark"),
    [
        ("clear", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
        ("green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
        ("amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
        ("amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003"),
        ("red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    ],
)
def test_everything_bears_the_tlp(admin: User, tlp: str, mark: str) -> None:
    bundle = bundle_of(admin, incidents.open_incident(Actor.system(), title="Marked", tlp=tlp))
    wanted = f"marking-definition--{mark}"
    assert all(one["object_marking_refs"] == [wanted] for one in bundle["objects"] if one["id"] != wanted)
    assert problems(bundle) == []


def test_the_same_incident_has_the_same_ids_the_next_time(admin: User) -> None:
    incident = rich_incident(admin)
    first = {one["id"] for one in bundle_of(admin, incident)["objects"]}
    incidents.comment(Actor.system(), incident.pk, "one more")
    second = {one["id"]: one for one in bundle_of(admin, incident)["objects"]}
    assert len(second.keys() - first) == 1 and not first - second.keys()
    assert second[next(iter(second.keys() - first))]["content"] == "one more"


def test_techniques_are_named_and_unknown_ones_keep_their_id(admin: User) -> None:
    patterns = of(bundle_of(admin, rich_incident(admin)), "attack-pattern")
    found = {one["external_references"][0]["external_id"]: one["name"] for one in patterns}
    assert found["T1566.002"] == "Phishing: Spearphishing Link"
    assert found["T9999"] == "T9999" and {"T1059.001", "T1566.001"} <= found.keys()


def test_every_alert_and_every_file_of_evidence_is_in_it(admin: User) -> None:
    incident = rich_incident(admin)
    links.link(Actor.of(admin), [make_alert("Nothing was seen by it").pk], incident.pk)
    bundle = bundle_of(admin, incident)
    assert problems(bundle) == []
    texts = [one["content"] for one in of(bundle, "note")]
    for alert in incident.alerts.all():
        assert any(text.startswith(f"{alert.number}: {alert.title}") for text in texts), alert.number
    piece = Evidence.objects.get(removed_at=None)
    [file] = [one for one in of(bundle, "file") if one.get("name") == piece.name]
    assert (file["hashes"]["SHA-256"], file["size"]) == (piece.sha256, piece.size)
    assert any(file["id"] in one["object_refs"] for one in of(bundle, "observed-data"))
    made = stix2.parse({key: part for key, part in file.items() if key != "id"}, version="2.1")
    assert made.id == file["id"]
    assert "gone.bin" not in json.dumps(bundle)


def test_notes_are_in_their_newest_wording_and_left_out_on_request(admin: User) -> None:
    incident = rich_incident(admin)
    texts = [one["content"] for one in of(bundle_of(admin, incident), "note")]
    assert "=cmd|' /C calc'!A0" in texts
    without = [one["content"] for one in of(bundle_of(admin, incident, notes=False), "note")]
    assert not any("calc" in text for text in without)
