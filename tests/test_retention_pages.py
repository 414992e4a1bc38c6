"""The pages of retention and legal holds."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.actions import holds
from cases.actors import Actor
from cases.models import Alert, LegalHold, RetentionRule
from soar.accounts.models import Team, User
from tests.factories import make_alert, make_incident
from tests.queries import counted
from tests.test_retention import old_alert

pytestmark = pytest.mark.django_db
FORM = {"what": "alerts", "days": "365", "severities": ["low"], "source": "", "enabled": "on"}


def test_rules_are_for_those_who_manage_settings(as_analyst: Client, client: Client, as_admin: Client) -> None:
    as_admin.post("/settings/retention/new/", FORM)
    rule = RetentionRule.objects.get()
    for path in ("", "new/", "preview/", f"{rule.pk}/"):
        assert as_analyst.get(f"/settings/retention/{path}").status_code == 403
        assert client.get(f"/settings/retention/{path}").status_code == 302
        assert as_admin.get(f"/settings/retention/{path}").status_code in (200, 422)
    assert as_analyst.post(f"/settings/retention/{rule.pk}/delete/").status_code == 403
    assert as_admin.get("/settings/retention/99999/").status_code == 404
    assert as_admin.post("/settings/retention/99999/delete/").status_code == 404


def test_a_rule_is_made_changed_and_removed(as_admin: Client) -> None:
    assert as_admin.post("/settings/retention/new/", {**FORM, "days": "0"}).status_code == 422
    assert as_admin.post("/settings/retention/new/", {**FORM, "what": "audit", "days": "365"}).status_code == 422
    assert as_admin.post("/settings/retention/new/", FORM)["Location"] == "/settings/retention/"
    rule = RetentionRule.objects.get()
    assert (rule.what, rule.days, rule.enabled) == ("alerts", 365, True)
    with counted("retention"):
        page = as_admin.get("/settings/retention/").content.decode()
    assert "Resolved alerts" in page and "Low" in page
    stale = as_admin.post(f"/settings/retention/{rule.pk}/", {**FORM, "days": "10", "version": "77"})
    assert stale.status_code == 422
    as_admin.post(f"/settings/retention/{rule.pk}/", {**FORM, "days": "10", "version": "1"})
    rule.refresh_from_db()
    assert rule.days == 10
    as_admin.post(f"/settings/retention/{rule.pk}/delete/")
    assert not RetentionRule.objects.exists()


def test_the_preview_counts_and_saves_nothing(as_admin: Client, admin: User) -> None:
    old_alert("One")
    old_alert("Two")
    make_alert("Young")
    holds.place(Actor.of(admin), make_incident("Case").pk, "Court order")
    answer = as_admin.get(
        "/settings/retention/preview/", {"what": "alerts", "days": "30"}, headers={"HX-Request": "true"}
    )
    text = answer.content.decode()
    assert '<b class="ink">2</b>' in text and "1 incident is on legal hold" in text
    assert "of: resolved alerts that are in no incident" in text
    assert not RetentionRule.objects.exists()
    assert Alert.objects.count() == 3
    wrong = as_admin.get(
        "/settings/retention/preview/", {"what": "alerts", "days": "x"}, headers={"HX-Request": "true"}
    )
    assert "whole number" in wrong.content.decode()


def test_a_hold_is_placed_and_lifted_on_the_incident(
    as_admin: Client, as_analyst: Client, as_stranger: Client, blue: Team
) -> None:
    incident = make_incident("Case <b>1</b>", team=blue)
    path = f"/incidents/{incident.number}/hold/"
    assert as_stranger.get(path).status_code == 404
    assert "Put it on legal hold" not in as_analyst.get(path).content.decode()
    assert as_analyst.post(path, {"reason": "mine"}).status_code == 403
    assert as_admin.post(path, {"reason": " "}).status_code == 422
    assert as_admin.post(path, {"reason": "Court <i>order</i>"})["Location"] == f"/incidents/{incident.number}/"
    page = as_analyst.get(f"/incidents/{incident.number}/").content.decode()
    assert "Legal hold" in page and "put it on legal hold" in page and "<i>order" not in page
    listed = as_admin.get("/settings/retention/").content.decode()
    assert incident.number in listed and "<b>1</b>" not in listed
    as_admin.post(path, {"reason": "Over", "do": "lift"})
    assert LegalHold.objects.get().lifted_at is not None
    assert as_admin.post(path, {"reason": "Again", "do": "lift"}).status_code == 422


def test_a_hold_on_what_somebody_cannot_see_is_not_listed(as_admin: Client, admin: User) -> None:
    from cases.models import Incident

    incident = make_incident("Secret case")
    holds.place(Actor.system(), incident.pk, "Court order")
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    assert "Secret case" not in as_admin.get("/settings/retention/").content.decode()
