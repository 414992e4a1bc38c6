"""What no sender should send: repaired and told, or kept as text, never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.ingest.digest import canonical_key
from cases.ingest.registry import KINDS
from cases.ingest.sources import known
from cases.ingest.text import clean_json, words
from tests.payloads_of import read, values

ODD = [
    "\0",
    "\ud83d",
    "²",
    "1.2.3.4",
    "http://a.com/",
    "C:\\x\\y",
    "2026-01-01T00:00:00",
    "T1059",
    "resolved",
    -1,
    1e308,
]
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=40)
    | st.sampled_from(ODD)
)
LEAVES = LEAVES | st.builds(lambda: 10**5000)
NAMES = sorted({name for table in vars(known).values() if isinstance(table, tuple) for name in table})
NAMES += words(
    "items alerts labels annotations impactScope entities indicators value type matchedRules matchedFilters result"
    " mitreTechniqueIds rule level syscheck data win eventdata _source threat technique signal entityType entityValue"
    " relatedIndicatorIds startsAt endsAt parameters all_fields threat.enrichments fields provenance createdDateTime"
    " kibana.alert.rule.name kibana.alert.rule.threat kibana.alert.uuid investigationResult matchedEvents"
)
KEYS = st.sampled_from(NAMES) | st.text(max_size=6)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_object_is_an_alert_for_every_kind(document: dict[str, Any]) -> None:
    for kind in KINDS.values():
        for item in kind.split(document):
            alert = kind.normalise(item)
            assert alert.title.strip()
            assert len(alert.title) <= 500
            text = "".join([alert.title, alert.description, alert.dedup_key, *alert.tags, *alert.notes])
            assert "\0" not in text
            text += "".join(found.value for found in alert.observables)
            text += json.dumps([alert.assets, alert.entities], ensure_ascii=False, allow_nan=False)
            text.encode("utf-8")
    assert len(canonical_key(document)) == 64
    json.dumps(clean_json(document)[0], allow_nan=False).encode("utf-8")


def test_nul_and_surrogates_stay_visible() -> None:
    alert = read("generic", {"title": "a\0b\ud83d"})[0]
    assert alert.title == "a␀b\\ud83d"
    assert "title held characters that cannot be stored; they are shown by signs" in alert.notes


def test_long_texts_are_cut_and_told() -> None:
    alert = read("generic", {"title": "t" * 700, "hostname": "h" * 300, "id": "i" * 400})[0]
    assert (len(alert.title), len(alert.hostname), len(alert.dedup_key)) == (500, 255, 64)
    assert "title was cut at 500 characters" in alert.notes


@pytest.mark.parametrize(
    ("payload", "field", "expected"),
    [
        ({"id": 12345}, "dedup_key", "12345"),
        ({"tags": [1, 2]}, "tags", ["1", "2"]),
        ({"tags": "one"}, "tags", ["one"]),
        ({"source_ip": ["203.0.113.5", "203.0.113.6"]}, "source_ip", "203.0.113.5"),
        ({"source_ip": "1²3"}, "source_ip", ""),
        ({"description": {"a": 1}}, "description", '{"a": 1}'),
        ({"title": {"a": 1}}, "title", '{"a": 1}'),
        ({"link": "javascript:alert(1)"}, "external_link", ""),
        ({"timestamp": "0001-01-01T00:00:00Z"}, "occurred_at", None),
        ({"timestamp": 1e300}, "occurred_at", None),
    ],
)
def test_wrong_types(payload: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(read("generic", {"name": "n", **payload})[0], field) == expected


def test_a_value_beyond_all_measure_does_not_lose_the_alert() -> None:
    alert = read("generic", {"title": "t", "url": "http://a.com/" + "x" * 50_000, "ip": "203.0.113.8"})[0]
    assert values(alert, "ip") == ["203.0.113.8"]


def test_deep_nesting_is_survived() -> None:
    document: dict[str, Any] = {"title": "t"}
    for _ in range(300):
        document = {"title": "t", "in": document}
    assert read("generic", document)[0].title == "t"
    assert len(canonical_key(document)) == 64


def test_markup_stays_text() -> None:
    assert read("generic", {"title": "<script>alert(1)</script>"})[0].title == "<script>alert(1)</script>"


def test_the_key_of_a_body_ignores_its_times_only() -> None:
    body = {
        "a": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "in": {"created_at": 5, "seen": "2026-01-01 10:00"},
        "hosts": ["x"],
    }
    later = {"in": {"created_at": 6, "seen": "2026-01-02 10:00"}, "hosts": ["x"], "timestamp": "z", "a": 1.0}
    assert canonical_key(body) == canonical_key(later)
    assert canonical_key(body) != canonical_key({**body, "hosts": ["y"]})
    assert canonical_key(body) != canonical_key({**body, "severity": "high"})


def test_json_for_the_database() -> None:
    clean, repaired = clean_json({"a\0": ["\ud800", float("nan"), 10**5000, {"b": 1.5}]})
    assert list(clean) == ["a␀"]
    assert clean["a␀"][:2] == ["\\ud800", "nan"]
    assert clean["a␀"][3] == {"b": 1.5}
    assert repaired == 4
