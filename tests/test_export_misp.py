"""The MISP event of an incident: pymisp takes every attribute and object, of types and categories that MISP has."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pymisp import MISPEvent, MISPObject

from cases.models import Incident, Observable
from cases.reporting import misp
from cases.reporting.misp_values import value_of
from soar.accounts.models import User
from tests.rich_incident import VALUES, rich_incident, told

pytestmark = pytest.mark.django_db


def event_of(admin: User, incident: Incident, **options: Any) -> dict[str, Any]:
    """As the format writes it."""
    made: dict[str, Any] = json.loads(misp.render(told(admin, incident, **options)))["Event"]
    return made


def test_pymisp_takes_all_of_it(admin: User) -> None:
    given = event_of(admin, rich_incident(admin))
    event = MISPEvent(strict_validation=True)
    event.load({"Event": copy.deepcopy(given)})
    assert len(event.attributes) == len(given["Attribute"]) == len(VALUES) - 1 + 2, "the technique is a tag"
    types = event.describe_types["category_type_mappings"]
    for one in [*given["Attribute"], *(part for held in given["Object"] for part in held["Attribute"])]:
        assert one["type"] in types[one["category"]], one
    assert event.info.startswith("INC-") and event.distribution == 0 and event.published is False


def test_evidence_is_a_file_object_of_the_template_that_misp_has(admin: User) -> None:
    given = event_of(admin, rich_incident(admin))
    assert len(given["Object"]) == 1, "what was removed is not there"
    known = MISPObject("file", strict=True)
    assert given["Object"][0]["template_uuid"] == known.template_uuid
    relations = {one["object_relation"]: one for one in given["Object"][0]["Attribute"]}
    for name, one in relations.items():
        known.add_attribute(name, value=one["value"])
        assert one["type"] == known.attributes[-1].type
    assert relations["filename"]["value"] == "mail ünder.eml"


def test_only_what_is_rated_malicious_is_for_detection(admin: User) -> None:
    incident = rich_incident(admin)
    Observable.objects.exclude(type="domain").update(risk=0)
    marked = {one["value"] for one in event_of(admin, incident)["Attribute"] if one["to_ids"]}
    assert marked == {"evil.example.net", "put-there.example.org"}


def test_tags_name_the_tlp_and_the_techniques(admin: User) -> None:
    tags = [one["name"] for one in event_of(admin, rich_incident(admin))["Tag"]]
    assert tags[0] == "tlp:amber" and "PAP:GREEN" in tags
    assert 'misp-galaxy:mitre-attack-pattern="Spearphishing Link - T1566.002"' in tags
    assert 'misp-galaxy:mitre-attack-pattern="T9999"' in tags and "phish" in tags


def test_the_same_incident_has_the_same_ids_the_next_time(admin: User) -> None:
    incident = rich_incident(admin)
    first, second = event_of(admin, incident), event_of(admin, incident)
    assert first["uuid"] == second["uuid"]
    assert [one["uuid"] for one in first["Attribute"]] == [one["uuid"] for one in second["Attribute"]]
    assert len({one["uuid"] for one in first["Attribute"]}) == len(first["Attribute"])


def test_notes_and_summary_are_reports_and_left_out_on_request(admin: User) -> None:
    incident = rich_incident(admin)
    reports = {one["name"]: one["content"] for one in event_of(admin, incident)["EventReport"]}
    assert reports["Summary"].startswith("# What") and "Handing over." in reports["Notes"]
    assert [one["name"] for one in event_of(admin, incident, notes=False)["EventReport"]] == ["Summary"]


@pytest.mark.parametrize(
    ("kind", "value", "type_"),
    [
        ("crypto", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT", "btc"),
        ("crypto", "0x52908400098527886e0f7030069857d2e4169ee7", "text"),
        ("crypto", "4" + "A" * 94, "xmr"),
        ("ip", "203.0.113.9", "ip-dst"),
        ("hostname", "ws-1", "hostname"),
        ("something new", "x", "text"),
    ],
)
def test_types(kind: str, value: str, type_: str) -> None:
    found = value_of(kind, value)
    assert found is not None and found.type == type_


def test_the_role_decides_between_source_and_destination() -> None:
    assert value_of("ip", "203.0.113.9", ["source_ip"]).type == "ip-src"  # type: ignore[union-attr]
    assert value_of("technique", "T1566") is None
