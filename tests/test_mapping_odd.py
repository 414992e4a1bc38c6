"""The mapping editor and its API with what nobody should send: an answer in words, never an error of the server."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import mappings as actions
from cases.actors import Actor
from cases.models import AlertPayload, AlertSource, DeadLetter, SourceMapping, SourceSample
from soar.accounts.models import User
from tests.api import Api
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PASTES = [
    "",
    " ",
    "[]",
    '{"list": []}',
    '{"list": {}}',
    "{}",
    "null",
    "1",
    '"text"',
    "[1, null, []]",
    "[[{}]]",
    "{",
    "[{}, 1]",
    '{"a": 1}\n{"b"',
    "\x00",
    "\ufeff{}",
    '{"a": NaN}',
    '{"a": 1e999}',
    '{"a": "\\ud800"}',
    '{"\\u0000": "\\u0000"}',
    '{"": {"": ""}}',
    '{"a": ' + "9" * 5000 + "}",
    "[" * 70 + "]" * 70,
    '{"a":' * 70 + "1" + "}" * 70,
    "[" * 100_000,
    '{"a.b": {"a.b": 1}, "[0]": 2, "$": 3, "*": 4}',
    '{"list": [null, [], {}, 1, "x"], "type": null, "title": {"a": []}}',
    '{"title": ["a", {"b": 1}], "severity": [[]]}',
    '{"a": "' + "x" * 1_200_000 + '"}',
    json.dumps([{"n": n} for n in range(3000)]),
    json.dumps({f"k{n}": n for n in range(5000)}),
]
PATHS = [
    "a",
    "$",
    "$.",
    "*",
    "$..a",
    "[*]",
    "[0]",
    "[-1]",
    "[99999999999999999999]",
    "a[*].b[*]",
    "${a}",
    "${${a}}",
    "${",
    "${}",
    "$['a']",
    "['",
    "a.b",
    "\x00",
    "a\x00b",
    "x" * 5000,
    "${a} ${a} ${a}" * 300,
    "a" + "[*]" * 200,
    "upper(a)",
    "a | upper",
    "\u200b",
    "list[*]",
    "title",
]


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Odd")


def url(source: AlertSource, more: str = "") -> str:
    return f"/sources/{source.slug}/mapping/{more}"


def both(client: Client, source: AlertSource, sent: dict[str, Any]) -> None:
    """The page and its parts with the same form."""
    assert client.post(url(source), sent).status_code == 200
    assert client.post(url(source, "preview/"), sent, headers=HTMX).status_code == 200


@pytest.mark.parametrize("paste", PASTES, ids=range(len(PASTES)))
def test_odd_samples(as_admin: Client, source: AlertSource, paste: str) -> None:
    form = {
        "sample": "pasted",
        "paste": paste,
        "f_title": "$.a",
        "f_severity": "list[*]",
        "obs_type": "ip",
        "obs_path": "a",
    }
    both(as_admin, source, form)
    both(as_admin, source, {**form, "items": "list"})
    kept = as_admin.post(url(source), {**form, "do": "keep", "sample_name": "Odd"})
    assert kept.status_code in (200, 422)
    saved = as_admin.post(url(source), {**form, "do": "anyway", "version": "0"})
    assert saved.status_code in (302, 422)
    assert as_admin.get(url(source)).status_code == 200
    assert as_admin.get(url(source, "versions/")).status_code == 200


@pytest.mark.parametrize("path", PATHS, ids=range(len(PATHS)))
def test_odd_paths(as_admin: Client, source: AlertSource, path: str) -> None:
    sample = '{"a": [{"b": [1, {"a": "x"}]}], "list": [null, [], {}, 1], "title": "T"}'
    form: dict[str, Any] = {"sample": "pasted", "paste": sample, "version": "0"}
    names = ("title", "severity", "tags", "assets", "occurred_at", "source_ip", "verdict", "tlp")
    for name in names:
        both(as_admin, source, {**form, f"f_{name}": path, "required": [name]})
    both(as_admin, source, {**form, "items": path, "obs_type": ["auto", "nonsense"], "obs_path": [path, path]})
    both(as_admin, source, {**form, "pick": path, "target": "title"})
    answer = as_admin.post(url(source), {**form, "f_title": path, "items": path, "do": "anyway"})
    assert answer.status_code in (302, 422)
    assert as_admin.get(url(source)).status_code == 200


@pytest.mark.parametrize(
    "table",
    [
        "=",
        "= high",
        "x =",
        "\x00 = high",
        "high",
        "a = b = high",
        "é" * 300 + " = high",
        "\n" * 200,
        "\n".join(f"{n} = high" for n in range(200)),
    ],
)
def test_odd_tables(as_admin: Client, source: AlertSource, table: str) -> None:
    form = {"sample": "pasted", "paste": '{"a": 1}', "version": "0", "f_severity": "a", "v_severity": table}
    both(as_admin, source, form)
    assert as_admin.post(url(source), {**form, "do": "anyway"}).status_code in (302, 422)
    assert as_admin.get(url(source)).status_code == 200


@pytest.mark.parametrize(
    "sample", ["", "kept-1", "kept-99999999999999999999", "alert-٣", "letter-1", "letter-", "-", "x", "\x00"]
)
def test_samples_that_are_not_there(as_admin: Client, source: AlertSource, sample: str) -> None:
    assert as_admin.get(url(source), {"sample": sample}).status_code == 200
    both(as_admin, source, {"sample": sample, "target": "\x00", "version": "9" * 30})


def test_a_dead_letter_of_any_bytes_can_be_looked_at(as_admin: Client, source: AlertSource) -> None:
    bodies = [
        (b"\xff\xfe\x00", ""),
        (gzip.compress(b"[" * 5_000_000), "gzip"),
        (b"\x1f\x8b\x00", "gzip"),
        (b"", ""),
        (b"{}", "br"),
        (b'{"a": "' + b"x" * 9_000_000 + b'"}', ""),
    ]
    for body, encoding in bodies:
        letter = DeadLetter.objects.create(
            source=source, status=400, error="No.", encoding=encoding, body=body, kept=len(body), size=len(body)
        )
        assert as_admin.get(url(source), {"sample": f"letter-{letter.pk}"}).status_code == 200
        both(as_admin, source, {"sample": f"letter-{letter.pk}", "f_title": "a"})


@pytest.mark.parametrize("raw", ["null", "[]", "3", "not json", ""])
def test_what_came_as_something_else_can_be_looked_at(as_admin: Client, source: AlertSource, raw: str) -> None:
    alert = make_alert(source=source, raw=raw)
    assert AlertPayload.objects.filter(alert=alert).exists()
    assert as_admin.get(url(source)).status_code == 200
    both(as_admin, source, {"sample": f"alert-{alert.pk}", "f_title": "a", "items": "a"})


def test_versions_that_are_not_there(as_admin: Client, source: AlertSource) -> None:
    for number in (0, 1, 10**30):
        assert as_admin.post(url(source, f"versions/{number}/restore/"), {"version": "0"}).status_code == 404
        assert as_admin.post(f"/sources/{source.slug}/samples/{number}/remove/").status_code == 404
    actions.save(Actor.system(), source.slug, {"fields": {"title": "a"}})
    SourceMapping.objects.all().delete()
    source.refresh_from_db()
    assert as_admin.get(url(source)).status_code == 200
    assert as_admin.get(url(source, "versions/")).status_code == 200


@pytest.mark.parametrize("kind", ["alertmanager", "visionone", "hand", "no_such_kind", ""])
def test_another_kind_under_a_mapping(as_admin: Client, source: AlertSource, kind: str) -> None:
    actions.save(Actor.system(), source.slug, {"fields": {"title": "a"}, "items": "alerts"})
    AlertSource.objects.filter(pk=source.pk).update(kind=kind)
    assert as_admin.get(url(source)).status_code == 200
    for paste in ('{"a": 1}', '{"alerts": [{"a": 1}]}', "[]", "3"):
        both(as_admin, source, {"sample": "pasted", "paste": paste, "f_title": "a", "items": "alerts"})


def test_a_kept_sample_that_is_no_json_any_more(as_admin: Client, source: AlertSource) -> None:
    made = SourceSample.objects.create(source=source, name="Old", body="{broken", made_by_name="Somebody")
    assert as_admin.get(url(source), {"sample": f"kept-{made.pk}"}).status_code == 200
    sent = {"version": "0", "f_title": "a", "do": "save", "sample": f"kept-{made.pk}"}
    assert as_admin.post(url(source), sent).status_code == 302


ODD: list[Any] = [None, 1, "x", [], {}, [[]], [{}], {"a": []}, {"type": []}, True, "\u0000", 10**30]


@pytest.mark.parametrize("part", ["items", "fields", "values", "observables", "required", "find_in_text", "x", ""])
def test_the_api_refuses_odd_documents(admin: User, source: AlertSource, part: str) -> None:
    api = Api(admin)
    for odd in ODD:
        inside: list[Any] = [
            odd,
            [odd],
            {"title": odd},
            {"severity": odd},
            {"severity": {"a": odd}},
            [{"type": odd, "path": "a"}],
            [{"path": odd}],
        ]
        for value in inside:
            sent = {"mapping": {part: value} if part else value}
            answer = api.post(f"/sources/{source.slug}/mapping/preview/", {**sent, "payload": '{"a": 1}'})
            assert answer.status_code < 500, (sent, answer.content)
            saved = api.call("PUT", f"/sources/{source.slug}/mapping/", sent)
            assert saved.status_code < 500, (sent, saved.content)


def test_half_a_character_in_what_came_breaks_no_page(as_admin: Client, source: AlertSource) -> None:
    alert = make_alert(source=source, raw='{"title": "Half \\ud83d", "\\udead": [1]}')
    text = as_admin.get(url(source)).content.decode()
    assert f"Came as {alert.number}" in text and "Half" in text


def test_a_source_without_a_mapping_has_no_versions(as_admin: Client, source: AlertSource) -> None:
    assert as_admin.get(url(source, "versions/")).status_code == 200


def letter(source: AlertSource, body: bytes, **fields: Any) -> DeadLetter:
    given = {"status": 400, "error": "No.", "kept": len(body), "size": len(body), **fields}
    return DeadLetter.objects.create(source=source, body=body, **given)


def test_it_says_how_many_unread_posts_the_draft_would_read(as_admin: Client, source: AlertSource) -> None:
    assert "Unread posts" not in as_admin.get(url(source)).content.decode()
    for body in (b'{"n": [{"what": "One"}]}', b'{"n": [{"what": "Two"}]}', b"{broken", b'"text"'):
        letter(source, body)
    letter(source, b"{}", size=99)  # not whole: it cannot be replayed
    letter(source, b"{}", received_at=timezone.now(), replayed_at=timezone.now())
    form = {"sample": "pasted", "paste": '{"n": [{"what": "x"}]}', "find_in_text": "on"}
    before = as_admin.post(url(source), {**form, "f_title": "type", "required": "title"}).content.decode()
    assert "0 of the last 4 unread posts can be read with this draft" in before
    good = {**form, "items": "n", "f_title": "what", "required": "title"}
    for text in (
        as_admin.post(url(source), good).content.decode(),
        as_admin.post(url(source, "preview/"), good, headers=HTMX).content.decode(),
    ):
        assert "2 of the last 4 unread posts can be read with this draft" in text
    assert DeadLetter.objects.filter(replayed_at=None).count() == 5, "nothing was read, it was only tried"
    wrong = as_admin.post(url(source), {**good, "f_title": "${"}).content.decode()
    assert "Unread posts" not in wrong


def test_only_the_newest_and_no_large_ones_are_tried(as_admin: Client, source: AlertSource) -> None:
    for n in range(7):
        letter(source, json.dumps({"n": n}).encode())
    letter(source, b'{"a": "' + b"x" * 300_000 + b'"}')
    letter(source, gzip.compress(b" " * 5_000_000 + b"{}"), encoding="gzip")
    text = as_admin.post(url(source), {"sample": "pasted", "paste": "{}", "f_title": "n"}).content.decode()
    assert "4 of the last 5 unread posts can be read with this draft" in text
    assert "too large" in text
