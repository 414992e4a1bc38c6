"""Alerts made by hand."""

from __future__ import annotations

import hashlib

import pytest
from django.test import Client

from cases.choices import Severity
from cases.models import Alert
from soar.accounts.models import Team, User

pytestmark = pytest.mark.django_db
DIGEST = hashlib.sha256(b"a file").hexdigest()
GOOD = {"title": "Phone call from the bank", "severity": "high", "tlp": "amber"}


def test_it_is_made_with_everything(as_analyst: Client, analyst: User, blue: Team) -> None:
    given = {
        **GOOD, "description": "They said …", "hostname": "LT-9", "username": "a.voss", "source_ip": "203.0.113.9",
        "observables": "hxxps://bad[.]example[.]com/x\n203[.]0[.]113[.]7\n" + DIGEST, "tags": "Fraud, bank",
        "team": "Blue", "owned": "on",
    }  # fmt: skip
    answer = as_analyst.post("/alerts/new/", given)
    assert answer.status_code == 302, answer.content.decode()
    alert = Alert.objects.get()
    assert answer["Location"] == f"/alerts/{alert.number}/"
    assert (alert.title, alert.severity, alert.owner, alert.team) == (GOOD["title"], Severity.HIGH, analyst, blue)
    assert alert.tags == ["fraud", "bank"]
    found = set(alert.observable_links.values_list("observable__type", "observable__value"))
    assert {("ip", "203.0.113.7"), ("ip", "203.0.113.9"), ("sha256", DIGEST)} <= found
    assert any(kind == "url" for kind, _value in found)
    assert "Phone call from the bank" in as_analyst.get(answer["Location"]).content.decode()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"title": ""}, "This field is required"),
        ({"title": "x" * 501}, "500"),
        ({"severity": "huge"}, "valid choice"),
        ({"tlp": "pink"}, "valid choice"),
        ({"team": "No such"}, "valid choice"),
        ({"source_ip": "999.1.1.1"}, "999.1.1.1"),
        ({"observables": "not anything"}, "Not an address"),
        ({"observables": "\n".join(["203.0.113.7"] * 501)}, "At most 500"),
        ({"tags": "x" * 101}, "100 characters"),
        ({"title": "<b>\x00</b>"}, "Null characters"),
    ],
)
def test_a_bad_form_keeps_what_was_typed(as_analyst: Client, wrong: dict[str, str], said: str) -> None:
    answer = as_analyst.post("/alerts/new/", {**GOOD, "description": "Keep <b>this</b>", **wrong})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert said in page
    assert "Keep &lt;b&gt;this&lt;/b&gt;" in page
    assert not Alert.objects.exists()


def test_a_viewer_gets_403(as_viewer: Client) -> None:
    assert as_viewer.get("/alerts/new/").status_code == 403
    assert as_viewer.post("/alerts/new/", GOOD).status_code == 403
    assert "New alert" not in as_viewer.get("/alerts/").content.decode()


def test_other_methods(as_analyst: Client) -> None:
    assert as_analyst.delete("/alerts/new/").status_code == 405
