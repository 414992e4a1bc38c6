"""Samples of every kind with pieces broken: the readers never raise and the payload is stored as it came."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cases.ingest.pipeline import receive
from cases.ingest.prepare import Rules, prepare
from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ODD: list[Any] = [
    None, True, False, 0, -1, 7, 1e308, float(10**18), 10**40, "", " ", "x", "\0", "\ud800", "a" * 2_000, [], [[]], {},
    [None], ["x", 7, {"y": []}], {"value": [{}]}, {"": None}, [{"id": {}}], {"name": ["n"]}, "[{]", '[{"Type": 1}]',
    "0001-01-01T00:00:00Z", "http://", "203.0.113.1", "C:\\a\\b.exe", {"@odata.type": 5}, [[[[["deep"]]]]],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every piece of a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))] if path else [
        place for key, item in inner for place in places(item, (key,))
    ]  # fmt: skip


def broken(document: Any, path: tuple[Any, ...], odd: Any, gone: bool) -> Any:
    """The document with one piece replaced or taken away."""
    made = copy.deepcopy(document)
    at = made
    for key in path[:-1]:
        at = at[key]
    if gone:
        del at[path[-1]]
    else:
        at[path[-1]] = odd
    return made


def rules(kind: str) -> Rules:
    """The rules of a new source."""
    return Rules(1, "s", kind, None, 2, "amber", [], [], "auto", False, 3)


def stored(kind: str, document: dict[str, Any]) -> None:
    """Reads as the pipeline does and looks at what would be stored."""
    for item in KINDS[kind].split(document):
        text = json.dumps(item)
        row = prepare(item, text, KINDS[kind], rules(kind), NOW)
        assert row.body == text
        assert row.alert.title.strip()
        assert "untitled" not in row.alert.title.lower()
        assert 0 <= row.severity <= 4
        assert row.key and len(row.key) <= 300
        shown = [row.alert.title, row.alert.description, *row.tags, *row.notes, *(one.value for one in row.observables)]
        assert "\0" not in "".join(shown)
        "".join(shown).encode("utf-8")
        json.dumps([row.alert.assets, row.alert.entities], ensure_ascii=False, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_replaced_by_every_oddity(kind: str) -> None:
    document = json.loads(sample_of(kind))
    for number, path in enumerate(places(document)):
        stored(kind, broken(document, path, None, True))
        for step in range(0, len(ODD), 4):  # each place meets a quarter of them, each of them a quarter of the places
            stored(kind, broken(document, path, ODD[(step + number) % len(ODD)], False))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_several_pieces_broken_at_once(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(KINDS)))
    document = json.loads(sample_of(kind))
    for _ in range(data.draw(st.integers(2, 6))):
        if not (paths := places(document)):
            break
        document = broken(
            document, data.draw(st.sampled_from(paths)), data.draw(st.sampled_from(ODD)), data.draw(st.booleans())
        )
    stored(kind, document)


@pytest.mark.parametrize("kind", KINDS)
def test_deep_and_large(kind: str) -> None:
    deep: Any = "203.0.113.9"
    for _ in range(60):
        deep = {"in": [deep]}
    document = json.loads(sample_of(kind))
    stored(kind, {**document, "extra": deep})
    for name in list(document):
        stored(kind, {**document, name: deep})
        stored(kind, {**document, name: [document[name]] * 300})
        stored(kind, {**document, name: "a.b " * 20_000})


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_the_payload_is_kept_to_the_letter(kind: str) -> None:
    from cases.ingest.pipeline import rules_of
    from cases.models import AlertPayload
    from tests.factories import make_source

    source = make_source(f"From {kind}", kind=kind)
    document = {**json.loads(sample_of(kind)), "not known": {"a": [1, 2.5, None, "ü\u2028\u200f"]}}
    (outcome, *_), _several = receive(rules_of(source), json.dumps(document).encode())
    assert outcome.status == 201
    kept = json.loads(AlertPayload.objects.get(alert_id=outcome.id or 0).body)
    (item, *_) = KINDS[kind].split(document)
    # Of a mail message it is the message that is read; what came beside it is kept beside it.
    assert kept == item if kind != "email" else kept["posted_with"] == {"not known": item["not known"]}
