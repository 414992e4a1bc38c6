"""Targets in the browser: the box of an incident, pausing, the list, the policy (casework.md 11)."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from cases.actions import sla_pause
from cases.actors import Actor
from cases.models import Incident, SlaPolicy, TimelineEntry
from cases.sla.current import policy
from cases.sla.policy import GOALS, SHIPPED
from soar.accounts.models import AuditEntry, User
from soar.lib import clock
from tests.factories import make_incident

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def page(client: Client, url: str, **more: Any) -> str:
    answer = client.get(url, **more)
    assert answer.status_code == 200, answer.content
    return unescape(answer.content.decode())


def test_the_page_of_an_incident_fetches_the_box_and_links_to_it(as_analyst: Client) -> None:
    incident = make_incident(severity="critical")
    url = f"/incidents/{incident.number}/targets/"
    assert page(as_analyst, f"/incidents/{incident.number}/").count(url) == 2
    box = page(as_analyst, url, headers=HTMX)
    assert "<html" not in box
    for word in ("Acknowledge", "Contain", "Resolve", "left", "24 × 7"):
        assert word in box
    assert "<h1>Targets</h1>" in page(as_analyst, url)


def test_what_is_overdue_stands_in_red(as_analyst: Client) -> None:
    with clock.at(clock.now() - timedelta(minutes=20)):
        incident = make_incident(severity="critical")
    assert "is-overdue" in page(as_analyst, f"/incidents/{incident.number}/targets/")
    head = page(as_analyst, f"/incidents/{incident.number}/")
    assert 'class="pill t-red"' in head
    assert "Overdue" in head
    listed = page(as_analyst, "/incidents/")
    assert "clock is-overdue" in listed
    assert "−5 min" in listed


def test_pausing_and_going_on_without_scripts(as_analyst: Client, analyst: User) -> None:
    incident = make_incident(severity="critical")
    url = f"/incidents/{incident.number}"
    assert "Pause" in page(as_analyst, f"{url}/pause/")
    assert as_analyst.post(f"{url}/pause/", {"reason": ""}).status_code == 422
    assert as_analyst.post(f"{url}/pause/", {"reason": "Waits for the lab"})["Location"] == f"{url}/targets/"
    shown = page(as_analyst, f"{url}/targets/")
    assert "Waits for the lab" in shown
    assert "Let the clocks run" in shown
    assert "paused" in page(as_analyst, "/incidents/?sla=paused")
    again = as_analyst.post(f"{url}/pause/", {"reason": "Once more"})
    assert again.status_code == 422
    assert "is paused already" in again.content.decode()
    assert as_analyst.post(f"{url}/resume/").status_code == 302
    assert as_analyst.post(f"{url}/resume/").status_code == 302  # it runs: nothing to do
    kinds = TimelineEntry.objects.filter(incident=incident).values_list("kind", flat=True)
    assert sorted(kind for kind in kinds if kind.startswith("sla.")) == ["sla.paused", "sla.resumed"]
    assert "paused the clocks" in page(as_analyst, f"{url}/")


def test_pausing_with_htmx_uses_the_dialog(as_analyst: Client) -> None:
    incident = make_incident(severity="critical")
    url = f"/incidents/{incident.number}/pause/"
    asked = as_analyst.get(url, headers=HTMX)
    assert asked["HX-Retarget"] == "#dialog"
    assert 'id="dialog-title"' in asked.content.decode()
    refused = as_analyst.post(url, {"reason": " "}, headers=HTMX)
    assert (refused.status_code, refused["HX-Retarget"]) == (422, "#dialog")
    done = as_analyst.post(url, {"reason": "Waits"}, headers=HTMX)
    assert "dialog-close" in done["HX-Trigger"]
    assert "Waits" in done.content.decode()


def test_who_may_only_read_cannot_pause(as_viewer: Client, as_stranger: Client, client: Client) -> None:
    incident = make_incident(severity="critical", team="Blue")
    url = f"/incidents/{incident.number}"
    assert "Pause the clocks" not in page(as_viewer, f"{url}/targets/")
    assert as_viewer.get(f"{url}/pause/").status_code == 403
    assert as_viewer.post(f"{url}/pause/", {"reason": "x"}).status_code == 403
    assert as_viewer.post(f"{url}/resume/").status_code == 403
    for path in ("targets", "pause", "resume"):
        assert as_stranger.post(f"{url}/{path}/").status_code in (404, 405)
        assert as_stranger.get(f"{url}/{path}/").status_code in (404, 405)
        assert client.get(f"{url}/{path}/").status_code == 302
    assert not Incident.objects.get(pk=incident.pk).sla_paused_at


def test_the_list_sorts_by_what_is_due_and_filters_by_state(as_analyst: Client) -> None:
    late = clock.now() - timedelta(hours=2)
    names = {"critical": "Ransom", "high": "Beacon", "low": "Spam", "informational": "Note"}
    for severity, title in names.items():
        make_incident(title, severity=severity)
    with clock.at(late):
        make_incident("Forgotten", severity="medium")
    listed = page(as_analyst, "/incidents/?sort=due")
    order = sorted([*names.values(), "Forgotten"], key=listed.index)
    assert order == ["Forgotten", "Ransom", "Beacon", "Spam", "Note"]
    assert 'aria-sort="ascending"' in listed
    for word, there in (("breached", "Forgotten"), ("none", "Note"), ("missed", "Forgotten")):
        found = page(as_analyst, f"/incidents/?sla={word}")
        assert [title for title in order if title in found] == [there], word
    assert "Beacon" in page(as_analyst, "/incidents/?q=sla:ok")
    assert "one of breached" in page(as_analyst, "/incidents/?sla=odd")


def test_paging_by_what_is_due_goes_on_where_it_was(as_analyst: Client) -> None:
    for number in range(55):
        with clock.at(clock.now() - timedelta(seconds=number)):
            make_incident(f"Case {number:02}", severity="critical" if number < 53 else "informational")
    first = page(as_analyst, "/incidents/?sort=due")
    older = first.partition("cursor=")[2].partition('"')[0]
    second = page(as_analyst, f"/incidents/?sort=due&cursor={older}")
    seen = [f"Case {n:02}" for n in range(55) if f"Case {n:02}" in first or f"Case {n:02}" in second]
    assert len(seen) == 55
    assert "Case 52" in first  # the oldest is due first
    assert "Case 54" in second  # nothing is due: last


def form(**changes: str) -> dict[str, Any]:
    """The policy's form as a browser sends it."""
    document = SHIPPED.document()
    sent: dict[str, Any] = {"version": "1", "time_zone": "UTC", "holidays": "", "warn_percent": "75"}
    for word, goals in document["targets"].items():
        sent |= {f"{word}-{goal}": "" if goals[goal] is None else str(goals[goal]) for goal in GOALS}
        sent[f"{word}-always"] = "1"
    sent |= {"period-0-days": ["mon", "tue"], "period-0-from": "08:00", "period-0-to": "18:00"}
    return {**sent, **changes}


def test_the_policy_is_changed_on_its_page(as_admin: Client) -> None:
    shown = page(as_admin, "/settings/sla/")
    assert "Europe/Berlin" in shown
    assert 'id="low-resolve-words">7 d<' in shown and "critical-triage-words" not in shown
    assert "/settings/sla/" in page(as_admin, "/settings/")
    sent = form(**{"critical-contain": "45", "low-always": "0", "time_zone": "Europe/Berlin", "holidays": "2026-12-25"})
    assert as_admin.post("/settings/sla/", sent)["Location"] == "/settings/sla/"
    now = policy()
    assert now.targets["critical"]["contain"] == 45
    assert (now.targets["low"]["always"], now.time_zone, now.holidays) == (False, "Europe/Berlin", ("2026-12-25",))
    assert now.version == 2
    entry = AuditEntry.objects.get(verb="sla.changed")
    assert entry.data["after"]["time_zone"] == "Europe/Berlin"
    stale = as_admin.post("/settings/sla/", form(**{"critical-contain": "50"}))
    assert stale.status_code == 422
    assert "somebody else" in stale.content.decode()
    assert 'value="50"' in stale.content.decode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"critical-contain": "soon"}, "critical, contain"),
        ({"critical-contain": "0"}, "critical, contain"),
        ({"critical-contain": "5"}, "acknowledge (15 min) is due after contain (5 min)"),
        ({"period-0-to": "25:00"}, "08:00 to 18:00"),
        ({"period-0-to": "08:00"}, "one time to another"),
        ({"period-1-from": "08:00"}, "days of a period"),
        ({"time_zone": "Mars/Base"}, "no time zone"),
        ({"holidays": "Christmas"}, "no date"),
        ({"warn_percent": "100"}, "from 1 to 99"),
        ({"low-always": "0", "period-0-days": "", "period-0-from": "", "period-0-to": ""}, "at least one period"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_beside_its_part(
    as_admin: Client, changes: dict[str, str], said: str
) -> None:
    answer = as_admin.post("/settings/sla/", form(**changes))
    assert answer.status_code == 422
    assert said in unescape(answer.content.decode())
    assert not SlaPolicy.objects.exists()


def test_only_who_manages_settings_sees_the_policy_form(as_analyst: Client, client: Client) -> None:
    assert as_analyst.get("/settings/sla/").status_code == 403
    assert as_analyst.post("/settings/sla/", form()).status_code == 403
    assert client.get("/settings/sla/").status_code == 302


def test_saving_nothing_new_changes_nothing(as_admin: Client) -> None:
    sent = form(**{"period-0-days": ["mon", "tue", "wed", "thu", "fri"]})  # type: ignore[arg-type]
    assert as_admin.post("/settings/sla/", sent).status_code == 302
    assert not SlaPolicy.objects.exists()


def test_the_api_of_clocks(as_analyst: Client, as_stranger: Client, as_admin: Client, analyst: User) -> None:
    incident = make_incident(severity="critical", team="Blue")
    url = f"/api/v1/incidents/{incident.number}"
    told = as_analyst.get(f"{url}/clocks/").json()
    assert [one["name"] for one in told["clocks"]] == ["acknowledge", "contain", "resolve"]
    assert told["state"] == "ok"
    assert as_analyst.get(f"{url}/").json()["sla"]["due_at"] == told["due_at"]
    paused = as_analyst.post(f"{url}/pause/", {"reason": "Waits"}, content_type="application/json")
    assert (paused.status_code, paused.json()["sla"]["state"]) == (200, "paused")
    assert as_analyst.post(f"{url}/pause/", {"reason": "x"}, content_type="application/json").status_code == 409
    assert as_analyst.post(f"{url}/pause/", {}, content_type="application/json").status_code == 400
    assert as_analyst.get("/api/v1/incidents/?sla=paused").json()["results"][0]["number"] == incident.number
    assert as_analyst.get("/api/v1/incidents/?sla=late").status_code == 400
    assert as_analyst.get("/api/v1/incidents/?ordering=due").status_code == 200
    resumed = as_analyst.post(f"{url}/resume/", {}, content_type="application/json")
    assert resumed.json()["sla"]["paused_at"] is None
    assert as_analyst.get(f"{url}/clocks/").json()["pauses"][0]["reason"] == "Waits"
    for path in ("clocks", "pause", "resume"):
        assert as_stranger.get(f"{url}/{path}/").status_code in (404, 405)
    assert as_stranger.post(f"{url}/pause/", {"reason": "x"}, content_type="application/json").status_code == 404


def test_the_api_of_the_policy(as_analyst: Client, as_admin: Client) -> None:
    url = "/api/v1/sla-policy/"
    read = as_analyst.get(url)
    assert read.json()["targets"]["critical"]["contain"] == 60
    change = {"targets": {"critical": {"contain": 30}}}
    assert as_analyst.patch(url, change, content_type="application/json").status_code == 403
    done = as_admin.patch(url, change, content_type="application/json", headers={"If-Match": read["ETag"]})
    assert (done.status_code, done.json()["version"]) == (200, 2)
    assert done.json()["targets"]["critical"]["acknowledge"] == 15
    late = as_admin.patch(url, change, content_type="application/json", headers={"If-Match": read["ETag"]})
    assert late.status_code == 412
    wrongs: list[dict[str, Any]] = [
        {"targets": {"odd": {}}},
        {"targets": []},
        {"targets": {"low": {"contain": True}}},
        {"hours": "always"},
        {"hours": [{"days": [{}], "from": "1", "to": "2"}]},
        {"holidays": ["x"]},
        {"odd": 1},
    ]
    for wrong in wrongs:
        answer = as_admin.patch(url, wrong, content_type="application/json")
        assert answer.status_code == 400, wrong
        assert answer["Content-Type"].startswith("application/problem+json")


def test_a_pause_by_the_api_holds_to_its_version(as_analyst: Client) -> None:
    incident = make_incident(severity="critical")
    url = f"/api/v1/incidents/{incident.pk}/"
    tag = as_analyst.get(url)["ETag"]
    sla_pause.pause(Actor.system(), incident.pk, "Waits")
    late = as_analyst.post(f"{url}resume/", {}, content_type="application/json", headers={"If-Match": tag})
    assert late.status_code == 412
