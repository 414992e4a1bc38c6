"""Characters that turn a text round or cannot be seen: shown by signs, at the door, in forms, on every page."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import alerts, incidents
from cases.actors import Actor
from cases.models import Alert, Incident
from soar.accounts.models import Team, User
from soar.lib.hidden import shown, shown_page
from tests.factories import make_alert, make_source
from tests.payloads_of import read

EVIL = "\u202eevil"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (EVIL, "[U+202E]evil"),
        ("\u2066a\u2069", "[U+2066]a[U+2069]"),
        ("pay\u200bpal", "pay[U+200B]pal"),
        ("\ufeffTitle\u200e\u200f", "[U+FEFF]Title[U+200E][U+200F]"),
        ("a\u200db", "a[U+200D]b"),
        ("\u200d", "[U+200D]"),
        ("\x1b[31mred\x7f\x9b", "␛[31mred␡[U+009B]"),
        ("a\u2028b\U000e0041", "a[U+2028]b[U+E0041]"),
    ],
)
def test_what_nobody_sees_is_shown(text: str, expected: str) -> None:
    assert shown(text) == expected
    assert shown_page(f"<p>{text}</p>".encode()).decode() == f"<p>{expected}</p>"


@pytest.mark.parametrize(
    "text", ["Größe … “x” – ·", "two\nlines\tand a tab", "👨\u200d👩\u200d👧", "نمی\u200cخواهم", "שלום"]
)
def test_what_people_write_stays(text: str) -> None:
    assert shown(text) == text
    page = text.encode()
    assert shown_page(page).decode() == text


def test_what_a_button_copies_stays_as_it_is() -> None:
    page = '<a data-copy="x\u202ey" title="x\u202ey">x\u202ey</a>'
    assert shown_page(page.encode()).decode() == '<a data-copy="x&#x202e;y" title="x[U+202E]y">x[U+202E]y</a>'


def test_at_the_door_texts_are_repaired_and_it_is_told() -> None:
    alert = read(
        "generic", {"title": EVIL, "hostname": "LT\u200b-1", "tags": ["a\u2066b"], "description": "two\nlines"}
    )[0]
    assert (alert.title, alert.hostname, alert.tags) == ("[U+202E]evil", "LT[U+200B]-1", ["a[U+2066]b"])
    assert alert.description == "two\nlines"
    told = "held characters that cannot be seen or turn the text round; they are shown by signs"
    assert {note for note in alert.notes if "turn" in note} == {f"title {told}", f"hostname {told}"}


@pytest.mark.django_db
def test_in_forms(as_analyst: Client, blue: Team) -> None:
    as_analyst.post("/alerts/new/", {"title": EVIL, "severity": "low", "tags": "a\u200bb", "tlp": "amber"})
    made = Alert.objects.get()
    assert (made.title, made.tags) == ("[U+202E]evil", ["a[U+200B]b"])
    as_analyst.post(
        f"/alerts/{made.number}/escalate/", {"title": f"Case {EVIL}", "asked": "1", "version": made.version}
    )
    assert Incident.objects.get().title == "Case [U+202E]evil"


@pytest.mark.django_db
def test_on_every_page_whoever_stored_it(as_analyst: Client, blue: Team, analyst: User) -> None:
    alert = make_alert(
        f"Odd {EVIL}",
        source=make_source(team=blue),
        hostname="a\u2067b",
        observables=(("file_name", "x\u202efdp.exe"),),
    )
    alerts.comment(Actor.of(analyst), alert.pk, "plain")
    incident = incidents.open_incident(Actor.of(analyst), title="Case", alerts=[alert.pk])
    Incident.objects.filter(pk=incident.pk).update(title=f"Case {EVIL}")
    for path in (
        "/alerts/",
        f"/alerts/{alert.number}/",
        "/incidents/",
        f"/incidents/{incident.number}/",
        "/observables/",
    ):
        answer = as_analyst.get(path)
        text = answer.content.decode()
        assert "\u202e" not in text, path
        assert "[U+202E]" in text, path
        assert "\u2067" not in text, path
        assert int(answer["Content-Length"]) == len(answer.content)
    body = as_analyst.get(f"/api/v1/alerts/{alert.pk}/").json()
    assert body["hostname"] == "a\u2067b", "programs get what is stored"
