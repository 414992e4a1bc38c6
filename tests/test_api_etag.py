"""ETag, If-Match, If-None-Match: no lost edits, no stale copies."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actions import alerts
from cases.actors import Actor
from cases.models import Alert, Incident, TimelineEntry
from soar.accounts.models import User
from tests.api import Api, problem_of
from tests.factories import make_alert, make_incident

ALERT_CALLS: dict[str, Any] = {
    "claim": None,
    "assign": {"owner": "mara"},
    "resolve": {"determination": "malicious"},
    "reopen": None,
    "comment": {"text": "Late"},
    "escalate": {},
    "link": {"incident": "{incident}"},
}
INCIDENT_CALLS: dict[str, Any] = {
    "assign": {"owner": "mara"},
    "comment": {"text": "Late"},
    "status": {"status": "contained"},
    "owners": {"add": ["mara"]},
    "link": {"alerts": ["{alert}"]},
    "observables": {"type": "ip", "value": "203.0.113.8"},
}


def _fill(body: Any, **names: str) -> Any:
    if isinstance(body, dict):
        return {key: _fill(value, **names) for key, value in body.items()}
    if isinstance(body, list):
        return [_fill(value, **names) for value in body]
    return body.format(**names) if isinstance(body, str) else body


def test_unchanged_is_304_without_a_body(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst)
    first = api.get(f"/alerts/{alert.pk}/")
    again = api.get(f"/alerts/{alert.pk}/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    weak = api.get(f"/alerts/{alert.pk}/", headers={"If-None-Match": f'"x", W/{first["ETag"]}'})
    assert weak.status_code == 304
    api.post(f"/alerts/{alert.pk}/claim/")
    assert api.get(f"/alerts/{alert.pk}/", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_what_the_version_does_not_count_changes_the_tag_too(analyst: User) -> None:
    alert, api = make_alert(observables=(("ip", "203.0.113.7"),)), Api(analyst)
    first = api.get(f"/alerts/{alert.pk}/")["ETag"]
    alert.observable_links.get().observable.__class__.objects.update(risk=2)
    assert api.get(f"/alerts/{alert.pk}/")["ETag"] != first


@pytest.mark.parametrize("call", ALERT_CALLS)
def test_a_stale_call_on_an_alert_is_412_and_does_nothing(analyst: User, call: str) -> None:
    alert, incident, api = make_alert(), make_incident(), Api(analyst)
    stale = api.get(f"/alerts/{alert.pk}/")["ETag"]
    alerts.set_tags(Actor.of(analyst), alert.pk, ["newer"])
    before = Alert.objects.values().get(), Incident.objects.values().get(), TimelineEntry.objects.count()
    body = _fill(ALERT_CALLS[call], incident=incident.number)
    problem_of(api.post(f"/alerts/{alert.pk}/{call}/", body, {"If-Match": stale}), 412)
    assert (Alert.objects.values().get(), Incident.objects.values().get(), TimelineEntry.objects.count()) == before
    fresh = api.get(f"/alerts/{alert.pk}/")["ETag"]
    assert api.post(f"/alerts/{alert.pk}/{call}/", body, {"If-Match": fresh}).status_code in (200, 201)


@pytest.mark.parametrize("call", INCIDENT_CALLS)
def test_a_stale_call_on_an_incident_is_412_and_does_nothing(analyst: User, call: str) -> None:
    alert, incident, api = make_alert(), make_incident(), Api(analyst)
    stale = api.get(f"/incidents/{incident.pk}/")["ETag"]
    api.patch(f"/incidents/{incident.pk}/", {"title": "Newer"})
    before = Alert.objects.values().get(), Incident.objects.values().get(), TimelineEntry.objects.count()
    body = _fill(INCIDENT_CALLS[call], alert=alert.number)
    problem_of(api.post(f"/incidents/{incident.pk}/{call}/", body, {"If-Match": stale}), 412)
    assert (Alert.objects.values().get(), Incident.objects.values().get(), TimelineEntry.objects.count()) == before
    fresh = api.get(f"/incidents/{incident.pk}/")["ETag"]
    assert api.post(f"/incidents/{incident.pk}/{call}/", body, {"If-Match": fresh}).status_code in (200, 201)


def test_unlink_of_several_under_a_condition(analyst: User) -> None:
    one, two = make_alert(), make_alert()
    incident, api = make_incident("Case", one, two), Api(analyst)
    tag = api.get(f"/incidents/{incident.pk}/")["ETag"]
    body = {"alerts": [one.number, two.pk]}
    problem_of(api.post(f"/incidents/{incident.pk}/unlink/", body, {"If-Match": '"1"'}), 412)
    assert api.post(f"/incidents/{incident.pk}/unlink/", body, {"If-Match": tag}).json()["alert_count"] == 0


def test_patch_under_a_condition(analyst: User) -> None:
    alert, api = make_alert(), Api(analyst)
    tag = api.get(f"/alerts/{alert.pk}/")["ETag"]
    changed = api.patch(f"/alerts/{alert.pk}/", {"severity": "high"}, {"If-Match": tag})
    assert changed.status_code == 200
    problem_of(api.patch(f"/alerts/{alert.pk}/", {"severity": "low"}, {"If-Match": tag}), 412)
    assert api.patch(f"/alerts/{alert.pk}/", {"severity": "low"}, {"If-Match": changed["ETag"]}).status_code == 200


@pytest.mark.parametrize("condition", ['"x"', "7", '""', '"1", "2"', "W/", '"99999999999999999999"', '"-1"'])
def test_a_condition_that_names_no_version_holds_for_none(analyst: User, condition: str) -> None:
    alert = make_alert()
    problem_of(Api(analyst).post(f"/alerts/{alert.pk}/claim/", None, {"If-Match": condition}), 412)


@pytest.mark.parametrize("condition", ["*", '"1"', 'W/"1"'])
def test_star_the_bare_version_and_a_weakened_tag_hold(analyst: User, condition: str) -> None:
    alert = make_alert()
    assert alert.version == 1
    assert Api(analyst).post(f"/alerts/{alert.pk}/claim/", None, {"If-Match": condition}).status_code == 200


def test_the_tag_survives_compression(analyst: User) -> None:
    alert, api = make_alert("Long " * 90), Api(analyst)
    zipped = api.get(f"/alerts/{alert.pk}/", headers={"Accept-Encoding": "gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert api.post(f"/alerts/{alert.pk}/claim/", None, {"If-Match": zipped["ETag"]}).status_code == 200
