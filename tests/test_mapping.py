"""Mappings: paths, texts with paths, what is checked, what they make of payloads, whether they fit samples."""

from __future__ import annotations

import time
from typing import Any

import pytest

from cases.ingest.mapping.document import FIELDS, BadMapping, checked
from cases.ingest.mapping.fit import misfits
from cases.ingest.mapping.overlay import OUTER, Overlay
from cases.ingest.mapping.template import Template
from cases.ingest.mapping.tree import LINES_AT_MOST, lines_of, paths_of
from cases.ingest.normal import NormalAlert
from cases.ingest.reading import Unreadable
from cases.ingest.sources import generic
from soar.lib.json_path import BadPath, Path, joined

DOOR: dict[str, Any] = {
    "uid": "BR-2026-881204",
    "type": "door.forced",
    "priority": 2,
    "ts": "2026-03-12T09:41:07+01:00",
    "door": {"id": "OSL-B2-017", "name": "Server room B2", "controller_ip": "10.44.2.17"},
    "badge": {"holder": "NORTH\\t.berg"},
    "camera": [{"url": "hxxps://nvr[.]example[.]com/c/17"}, {"url": "hxxps://nvr[.]example[.]com/c/18"}],
    "a.b": {"c.d": 5},
    "a": {"b": "nested"},
    "odd name]": 1,
    "none": None,
    "site": "Oslo",
}


def laid(mapping: dict[str, Any], document: dict[str, Any] = DOOR) -> NormalAlert:
    return Overlay(checked(mapping)).lay(document, generic.normalise(document))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$.door.id", ["OSL-B2-017"]),
        ("door.id", ["OSL-B2-017"]),
        ("camera[1].url", ["hxxps://nvr[.]example[.]com/c/18"]),
        ("camera[*].url", [one["url"] for one in DOOR["camera"]]),
        ("a.b.c.d", [5]),
        ("$.a.b", [{"c.d": 5}]),
        ('$["odd name]"]', [1]),
        ("$['a.b']['c.d']", [5]),
        ("camera[7].url", []),
        ("camera.url", []),
        ("door[0]", []),
        ("none", []),
        ("nothing.at.all", []),
        ("uid.deeper", []),
    ],
)
def test_paths(path: str, found: list[Any]) -> None:
    assert Path(path).find(DOOR) == found


@pytest.mark.parametrize(
    "path", ["", "  ", "..", "a[", "a[-1]", "a[x]", "$.", "a..b", "[0]x", "${a}", "x" * 301, ".".join("a" * 33)]
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(BadPath):
        Path(path)


@pytest.mark.parametrize(
    "key", ["plain", "with blank", 'quote"d', "back\\slash", "dot.ted", "]", "ünï", "", "$", "{x}", "\u202e"]
)
def test_every_key_has_a_path_that_finds_it(key: str) -> None:
    assert Path(joined("$", key)).find({key: 1}) == [1]


@pytest.mark.parametrize("document", [7, "x", None, [], {}, [[{}]], {"door": 3}, {"door": []}, {"door": {"id": None}}])
def test_any_document_is_searched_without_an_error(document: Any) -> None:
    assert Path("$.door.id").find(document) == []


def test_wide_documents_are_bounded_and_quick() -> None:
    nested = {"a": [{"b": list(range(2_000))} for _ in range(2_000)]}
    begun = time.process_time()
    assert len(Path("a[*].b[*]").find(nested)) == 1_000
    assert time.process_time() - begun < 2
    hostile: Any = "x"
    for _ in range(60):
        hostile = {"a": hostile, "a.a": hostile}
    assert Path(".".join("a" * 32)).find(hostile)


def test_texts_with_paths() -> None:
    assert Template("${type} at ${door.name}!").fill(DOOR) == "door.forced at Server room B2!"
    assert Template("${type} ${nothing}").fill(DOOR) == "door.forced "
    assert Template("${no} ${thing}").fill(DOOR) == ""
    for bad in ("${a", "${${a}}", "${}", "${a..b}", "x" * 1001 + "${a}", "${a}" * 21):
        with pytest.raises(BadPath):
            Template(bad)


def test_what_a_mapping_gives_the_alert() -> None:
    alert = laid(
        {
            "fields": {
                "title": "${type} at ${door.name}", "severity": "priority", "dedup_key": "${type} | ${door.id}",
                "occurred_at": "ts", "hostname": "door.id", "username": "badge.holder",
                "source_ip": "door.controller_ip", "detection_model": "type", "tags": "site", "tlp": "nothing",
            },
            "values": {"severity": {"2": "critical"}},
            "observables": [{"type": "url", "path": "camera[*].url"}, {"type": "auto", "path": "door.controller_ip"}],
        }
    )  # fmt: skip
    assert (alert.title, alert.severity, alert.hostname) == ("door.forced at Server room B2", "critical", "OSL-B2-017")
    assert (alert.username, alert.source_ip, alert.detection_model) == ("NORTH\\t.berg", "10.44.2.17", "door.forced")
    assert (alert.dedup_key, alert.tags) == ("door.forced | OSL-B2-017", ["Oslo"])
    assert f"{alert.occurred_at:%H:%M %Z}" == "08:41 UTC"
    assert [one["name"] for one in alert.assets] == ["OSL-B2-017"]
    mapped = [(one.type, one.value, one.highlighted) for one in alert.observables if one.role == "mapped"]
    assert mapped == [
        ("url", "https://nvr.example.com/c/17", True),
        ("url", "https://nvr.example.com/c/18", True),
        ("ip", "10.44.2.17", True),
    ]


def test_without_a_table_a_priority_counts_from_one() -> None:
    assert laid({"fields": {"severity": "priority"}}).severity == "high"
    assert laid({"fields": {"severity": "level_x"}}, {"level_x": 2}).severity == "medium"


def test_a_wrong_guess_gives_way() -> None:
    document = {"title": "x", "host": "guess.example.com", "real": "srv01.example.com", "note": "srv01.example.com"}
    alert = laid({"fields": {"hostname": "real"}}, document)
    assert alert.hostname == "srv01.example.com"
    assert [one["name"] for one in alert.assets] == ["srv01.example.com"]
    names = [(one.type, one.value) for one in alert.observables]
    assert ("hostname", "guess.example.com") not in names
    assert ("domain", "srv01.example.com") not in names


def test_what_is_not_there_stays_as_well_known_names_say() -> None:
    document = {"title": "By name", "hostname": "h1", "id": "7"}
    fields = dict.fromkeys(FIELDS, "$.not.there")
    assert laid({"fields": fields}, document) == generic.normalise(document)


def test_what_is_asked_for_and_missing_is_refused() -> None:
    mapping = {"fields": {"title": "$.type", "occurred_at": "ts"}, "required": ["title", "occurred_at"]}
    assert laid(mapping).title == "door.forced"
    with pytest.raises(Unreadable, match=r"asks for title: \$\.type is missing"):
        laid(mapping, {"ts": "2026-03-12T09:41:07Z"})
    with pytest.raises(Unreadable, match="occurred_at"):
        laid(mapping, {"type": "x", "ts": "yesterday evening"})


def test_verdict_and_state() -> None:
    mapping = {"fields": {"source_state": "s", "verdict": "v"}, "values": {"verdict": {"closed - noise": "benign"}}}
    alert = laid(mapping, {"title": "x", "s": "closed", "v": "Closed - Noise"})
    assert (alert.determination, alert.closed, alert.source_state) == ("benign", True, "closed")
    assert laid(mapping, {"title": "x", "s": "open", "v": "Closed - Noise"}).closed is False
    assert laid(mapping, {"title": "x", "s": "closed", "v": "who knows"}).closed is False


HOSTILE: list[Any] = [
    "\x00", "\ud800", "\u202eabc", "x" * 300_000, 10**400, -1, 1e308, True, [], {}, [[]], [None], {"a": {}}, "",
    ["a"] * 5_000, "javascript:alert(1)", "[" * 500,
]  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_no_value_is_too_odd(value: Any) -> None:
    mapping = {
        "fields": dict.fromkeys(FIELDS, "x"),
        "observables": [{"type": "auto", "path": "x"}, {"type": "user", "path": "x"}],
    }
    alert = laid(mapping, {"title": "t", "x": value})
    assert alert.title and len(alert.title) <= 500
    assert not alert.external_link.startswith("javascript")


def test_a_list_of_alerts_with_what_stands_around_it() -> None:
    overlay = Overlay(checked({"items": "$.data.events", "fields": {"title": "what", "tags": f"{OUTER}.site"}}))
    parts = overlay.split({"site": "Oslo", "data": {"events": [{"what": "a"}, {"what": "b"}]}})
    assert parts is not None
    alerts = [overlay.lay(part, generic.normalise(part)) for part in parts]
    assert [(one.title, one.tags) for one in alerts] == [("a", ["Oslo"]), ("b", ["Oslo"])]
    assert overlay.split({"site": "Oslo"}) is None
    wrong: list[dict[str, Any]] = [{"data": {"events": found}} for found in ([], [7], "x")]
    for bad in wrong:
        with pytest.raises(Unreadable):
            overlay.split(bad)
    with pytest.raises(Unreadable, match="too large"):
        overlay.split({"around": "x" * 100_000, "data": {"events": [{}] * 100}})


@pytest.mark.parametrize(
    ("mapping", "place"),
    [
        ([], "mapping"),
        ({"oops": 1}, "oops"),
        ({"fields": ["title"]}, "fields"),
        ({"fields": {"titel": "$.a"}}, "fields.titel"),
        ({"fields": {"title": 7}}, "fields.title"),
        ({"fields": {"title": "a..b"}}, "fields.title"),
        ({"fields": {"occurred_at": "${a}"}}, "fields.occurred_at"),
        ({"items": ["a"]}, "items"),
        ({"values": {"tlp": {"a": "b"}}}, "values.tlp"),
        ({"values": {"severity": {"1": "dreadful"}}}, "values.severity"),
        ({"values": {"severity": {str(n): "low" for n in range(101)}}}, "values.severity"),
        ({"observables": {"type": "ip"}}, "observables"),
        ({"observables": [{"type": "ip", "path": "a", "x": 1}]}, "observables.0"),
        ({"observables": [{"type": "planet", "path": "a"}]}, "observables.0"),
        ({"observables": [{"path": "a"}] * 31}, "observables"),
        ({"required": ["title"]}, "required"),
        ({"required": "title"}, "required"),
        ({"find_in_text": "yes"}, "find_in_text"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_said_at_its_place(mapping: Any, place: str) -> None:
    with pytest.raises(BadMapping) as caught:
        checked(mapping)
    assert list(caught.value.errors) == [place]


def test_an_empty_mapping_maps_nothing() -> None:
    assert checked({}) == {}
    assert checked({"fields": {"title": "  ", "severity": ""}, "observables": [{"path": ""}], "items": None}) == {}


def test_whether_it_fits_the_samples() -> None:
    mapping = checked(
        {
            "fields": {"title": "type", "hostname": "door.id", "occurred_at": "uid", "severity": "gone"},
            "observables": [{"type": "ip", "path": "lost"}],
            "required": ["title"],
        }
    )
    wrong = misfits(Overlay(mapping), {"forced": [DOOR], "offline": [{"door": {"id": "x"}}]})
    assert set(wrong) == {"title", "occurred_at", "severity", "observables.0"}
    assert wrong["title"] == "type is not in the sample offline."
    assert "cannot be read as one: BR-2026" in wrong["occurred_at"]
    assert wrong["severity"] == "gone is in no sample."
    assert misfits(Overlay(mapping), {}) == {}


def test_the_tree_is_bounded_and_leads_to_each_value() -> None:
    lines, more = lines_of(DOOR)
    assert not more
    found = {path: Path(path).find(DOOR) for path in paths_of(lines)}
    assert all(values or path == "$.none" for path, values in found.items())
    lines, more = lines_of({str(n): {"x": "y" * 10_000} for n in range(5_000)})
    assert more and len(lines) == LINES_AT_MOST
    assert sum(len(line.value) for line in lines) < 500_000
