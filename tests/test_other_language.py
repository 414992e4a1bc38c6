"""The portal in another language: a catalogue is enough. What is stored stays in the language of the code."""

from __future__ import annotations

import struct
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, TimelineEntry
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db

WORDS = {
    "The alert is resolved. Reopen it first.": "Der Alarm ist gelöst. Öffnen Sie ihn zuerst wieder.",
    "%(number)s is on legal hold already.": "%(number)s wird schon aufbewahrt.",
    "Critical": "Kritisch",
    "reopened the alert": "öffnete ihn wieder",
}


def compiled(words: dict[str, str]) -> bytes:
    """A catalogue as gettext reads it (a .mo file): the texts in order, each with its length and place."""
    texts = {"": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n", **words}
    pairs = sorted((key.encode(), text.encode()) for key, text in texts.items())
    at, tables, strings = 28 + 16 * len(pairs), [b"", b""], b""
    for which in (0, 1):
        for pair in pairs:
            tables[which] += struct.pack("<2I", len(pair[which]), at + len(strings))
            strings += pair[which] + b"\0"
    return struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0) + b"".join(tables) + strings


@pytest.fixture
def german(tmp_path: Path, settings: Any) -> None:
    """A portal that is set to German, with a catalogue of a few texts."""
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.mo").write_bytes(compiled(WORDS))
    settings.LOCALE_PATHS = [str(tmp_path)]
    settings.LANGUAGE_CODE = "de"


@pytest.fixture
def alert(blue: Team, analyst: User) -> Alert:
    alert = make_alert("Beacon", source=make_source(team=blue), severity=Severity.CRITICAL)
    return alerts.resolve(Actor.of(analyst), alert.pk, determination="malicious")


def test_a_refusal_is_told_in_the_language_of_the_portal(german: None, as_analyst: Client, alert: Alert) -> None:
    answer = as_analyst.post(f"/alerts/{alert.number}/claim/", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert "Öffnen Sie ihn zuerst wieder" in answer.content.decode()


def test_a_refusal_of_the_api_has_its_values_filled_in(german: None, admin: User) -> None:
    incident, api = make_incident("Kept", make_alert()), Api(admin)
    path = f"/incidents/{incident.number}/hold/"
    assert api.post(path, {"reason": "Court order"}).status_code < 300
    assert problem_of(api.post(path, {"reason": "Again"}), 409)["detail"] == f"{incident.number} wird schon aufbewahrt."


def test_labels_are_told_and_words_of_the_api_stay(german: None, as_analyst: Client, admin: User, alert: Alert) -> None:
    assert "Kritisch" in as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert Api(admin).get(f"/alerts/{alert.pk}/").json()["severity"] == "critical"


def test_what_is_stored_is_the_same_in_every_language(german: None, as_analyst: Client, alert: Alert) -> None:
    as_analyst.post(f"/alerts/{alert.number}/reopen/", {"reason": "More of it"})
    assert "öffnete ihn wieder" in as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    as_analyst.post(f"/alerts/{alert.number}/severity/", {"severity": "low"})
    entry = TimelineEntry.objects.filter(alert=alert).latest("pk")
    assert (entry.data["old"], entry.data["new"]) == ("critical", "low")
    printed = StringIO()
    call_command("verify_timeline", stdout=printed)
    assert "every chain is whole" in printed.getvalue()
