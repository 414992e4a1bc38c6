"""The message of an alert: on its page, as a download that no browser shows, by the API, and not for strangers."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents
from cases.actors import Actor
from cases.ingest.pipeline import receive, rules_of
from cases.models import Alert, AlertSource, Incident
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_source
from tests.mails import FILE, phish, reported

pytestmark = pytest.mark.django_db
RAW = reported(phish())
OTHER = reported(phish(), by="B. Lind <b.lind@corp.example.org>")
THIRD = reported(phish(), by="C. Moe <c.moe@corp.example.org>")
SHA = hashlib.sha256(RAW).hexdigest()


@pytest.fixture
def source(blue: Team) -> AlertSource:
    return make_source("Reported mail", kind="email", team=blue)


@pytest.fixture
def alert(source: AlertSource) -> Alert:
    return came(source, RAW)


def came(source: AlertSource, raw: bytes) -> Alert:
    outcomes, _several = receive(rules_of(source), raw, "message/rfc822")
    assert outcomes[0].id is not None
    return Alert.objects.get(pk=outcomes[0].id)


def page_of(client: Client, alert: Alert) -> str:
    answer = client.get(f"/alerts/{alert.number}/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_tells_the_message(as_viewer: Client, alert: Alert) -> None:
    page = page_of(as_viewer, alert)
    region = page.partition('id="alert-mails"')[2].partition("</section>")[0]
    for words in (
        "Your account is limité", "service[at]", "Anna Berg &lt;anna.berg@corp.example.org&gt;", SHA,
        "Rechnung März.iso", hashlib.sha256(FILE).hexdigest(), f"/alerts/{alert.number}/message/?sha256={SHA}",
    ):  # fmt: skip
        assert words in region, words
    assert "service@" not in region


def test_an_alert_of_another_source_has_no_such_region(as_viewer: Client, blue: Team) -> None:
    assert 'id="alert-mails"' not in page_of(as_viewer, make_alert("Odd sign-in", team=blue))


def test_each_report_can_be_had_and_the_page_says_what_it_knows(
    as_viewer: Client, source: AlertSource, alert: Alert
) -> None:
    for raw in (OTHER, THIRD):
        assert came(source, raw) == alert
    page = page_of(as_viewer, alert)
    for raw in (RAW, OTHER, THIRD):
        sha256 = hashlib.sha256(raw).hexdigest()
        assert sha256 in page
        assert as_viewer.get(f"/alerts/{alert.number}/message/?sha256={sha256}").content == raw
    region = page.partition('id="alert-mails"')[2].partition("</section>")[0]
    assert "C. Moe" in region  # the latest
    assert "B. Lind" not in region  # of those between only the bytes are kept


@pytest.mark.parametrize("path", ["/alerts/{}/message/", "/api/v1/alerts/{}/message/"])
def test_the_download_is_never_shown_by_a_browser(as_viewer: Client, alert: Alert, path: str) -> None:
    answer = as_viewer.get(path.format(alert.number), headers={"Accept-Encoding": "gzip"})
    assert answer.content == RAW
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="{alert.number}-{SHA[:8]}.eml"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Length"] == str(len(RAW))
    assert not answer.has_header("Content-Encoding")


def test_the_zip_holds_it_under_a_password(as_viewer: Client, alert: Alert) -> None:
    answer = as_viewer.get(f"/alerts/{alert.number}/message/?as=zip")
    assert answer["Content-Disposition"] == f'attachment; filename="{alert.number}-{SHA[:8]}.eml.zip"'
    assert answer.content.startswith(b"PK\x03\x04")
    assert len(answer.content) == int(answer["Content-Length"])
    assert b"limit" not in answer.content


def test_asking_without_the_body(as_viewer: Client, alert: Alert) -> None:
    answer = as_viewer.head(f"/alerts/{alert.number}/message/")
    assert (answer.status_code, answer.content, answer["Content-Length"]) == (200, b"", str(len(RAW)))


@pytest.mark.parametrize("which", ["0" * 64, "nonsense", "'"])
def test_a_message_that_it_does_not_have(as_viewer: Client, viewer: User, alert: Alert, which: str) -> None:
    assert as_viewer.get(f"/alerts/{alert.number}/message/?sha256={which}").status_code == 404
    problem_of(Api(viewer).get(f"/alerts/{alert.number}/message/?sha256={which}"), 404)


def test_a_name_that_no_database_takes(as_viewer: Client, viewer: User, alert: Alert) -> None:
    assert as_viewer.get(f"/alerts/{alert.number}/message/?sha256=%00").status_code == 404
    problem_of(Api(viewer).get(f"/alerts/{alert.number}/message/?sha256=%00"), 400)


def test_an_alert_without_a_message(as_viewer: Client, viewer: User, blue: Team) -> None:
    other = make_alert("Odd sign-in", team=blue)
    assert as_viewer.get(f"/alerts/{other.number}/message/").status_code == 404
    problem_of(Api(viewer).get(f"/alerts/{other.number}/message/"), 404)
    assert Api(viewer).get(f"/alerts/{other.number}/messages/").json()["results"] == []


def hidden_from(client: Client, user: User, alert: Alert) -> None:
    assert client.get(f"/alerts/{alert.number}/message/").status_code == 404
    assert client.get(f"/alerts/{alert.number}/message/?sha256={SHA}").status_code == 404
    for path in ("message", "messages"):
        problem_of(Api(user).get(f"/alerts/{alert.number}/{path}/"), 404)


def test_a_stranger_has_none_of_it(as_stranger: Client, stranger: User, alert: Alert) -> None:
    hidden_from(as_stranger, stranger, alert)


def test_nobody_has_it_without_signing_in(alert: Alert) -> None:
    assert Client().get(f"/alerts/{alert.number}/message/")["Location"].startswith("/accounts/login/")
    assert Api(None).get(f"/alerts/{alert.number}/message/").status_code == 401


def test_a_restricted_alert_keeps_its_message_to_itself(as_analyst: Client, analyst: User, alert: Alert) -> None:
    case = incidents.open_incident(Actor.system(), title="Board", alerts=[alert.pk])
    assert as_analyst.get(f"/alerts/{alert.number}/message/").content == RAW
    Incident.objects.filter(pk=case.pk).update(restricted=True)
    Alert.objects.filter(pk=alert.pk).update(restricted=True)
    hidden_from(as_analyst, analyst, alert)


@pytest.mark.parametrize("path", ["/alerts/{}/message/", "/api/v1/alerts/{}/message/"])
def test_it_is_only_read(as_analyst: Client, alert: Alert, path: str) -> None:
    assert as_analyst.post(path.format(alert.number)).status_code == 405


def test_the_api_tells_it(viewer: User, alert: Alert) -> None:
    (told,) = Api(viewer).get(f"/alerts/{alert.number}/messages/").json()["results"]
    assert (told["sha256"], told["size"], told["subject"]) == (SHA, len(RAW), "Your account is limité")
    assert told["reporter"] == "Anna Berg <anna.berg@corp.example.org>"
    assert "service@" in told["sender"]
    assert {one["sha256"] for one in told["attachments"]} >= {hashlib.sha256(FILE).hexdigest()}
    answer = Api(viewer).get(told["file"].partition("/api/v1")[2])
    assert answer.content == RAW
    problem: Any = problem_of(Api(viewer).get(f"/alerts/{alert.number}/message/", **{"as": "tar"}), 400)
    assert "as" in str(problem["errors"])
