"""The page of a response playbook's run: states in the graph, approvals, tasks, ratings, files (spec 24 to 27)."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from cases.models import Alert
from playbooks.models import Approval, ResponseTask, Run
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_own
from tests.factories import make_alert, make_source
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import EVIL, HTMX, text_of
from tests.response_tools import Range, action, condition, graph, publish, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
BAD = "203.0.113.77"
COPIED = [one.attname for one in ResponseTask._meta.concrete_fields if one.name not in ("id", "idempotency_key")]
ASK = {"method": "email", "subject_prefix": "", "recipients": ["soc@example.com"], "channels": [], "two_people": False}


@pytest.fixture
def alert(blue: Team) -> Alert:
    """An alert of team Blue with a bad and an unknown address."""
    add_own(None, "ip", BAD, "seen in an attack", effect="malicious")
    return make_alert(
        "Beacon", source=make_source(team=blue), hostname="FIN-1", observables=(("ip", BAD), ("ip", "198.51.100.9"))
    )


def a_run(admin: User, alert: Alert, *, approval: Any = None) -> Run:
    """A run that has gone as far as it goes by itself."""
    document = graph(
        condition("c1", ("object_risk", "is", ["highly_suspicious"]), name="Known"),
        action("a1", "block", "isolate_endpoint", parent="c1", name="Contain", approval=approval),
        action("e1", ("tag", {"tags": ["nothing-known"]}), parent="c1", name="Mark", type="else_action", side="below"),
    )
    return run_now(publish(document, by=admin), alert, Actor.of(admin))


def test_a_stranger_sees_nothing(tiny: Range, admin: User, alert: Alert, as_stranger: Client, client: Client) -> None:
    run = a_run(admin, alert)
    for path in ("", "live/", "tasks.csv", "report/"):
        assert as_stranger.get(f"/runs/{run.pk}/{path}").status_code == 404
        assert client.get(f"/runs/{run.pk}/{path}").status_code == 302
    assert str(run.pk) not in as_stranger.get("/runs/export/").content.decode()


def test_26_the_graph_shows_live_states(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert re.search(
        r'class="node is-successful"[^>]*aria-label="Condition Known True for 2 objects, successful"', text
    )
    assert re.search(r'class="node is-successful"[^>]*aria-label="Action Contain 2 of 2 done, successful"', text)
    assert re.search(r'aria-label="Else action Mark 1 of 1 done, successful"', text)
    assert "style=" not in text


def test_26_a_node_shows_its_tasks(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/?node=a1"))
    assert "FIN-1" in text and "Isolate endpoint" in text
    assert "Add tag" not in text
    region = text_of(as_analyst.get(f"/runs/{run.pk}/?node=e1", headers=HTMX))
    assert "Add tag" in region and "Isolate endpoint" not in region and "<html" not in region
    judged = text_of(as_analyst.get(f"/runs/{run.pk}/?node=c1"))
    assert "Object risk is Highly suspicious" in judged


def test_13_ratings_with_their_evidence(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "203[.]0[.]113[.]77" in text or BAD in text
    assert "Highly suspicious" in text and "malicious list" in text


def test_19_a_pending_approval_is_a_banner(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert, approval=ASK)
    asked = Approval.objects.get()
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    assert "A person must decide." in text
    assert f'href="/approvals/{asked.pk}/"' in text
    assert re.search(r'class="node is-pending_approval"[^>]*aria-label="Action Contain', text)
    assert "2 actions required" in text
    only = text_of(as_analyst.get(f"/runs/{run.pk}/?status=required"))
    assert only.count('id="task-') == 2


def test_26_what_nothing_can_reach_any_more_does_not_wait(
    tiny: Range, admin: User, alert: Alert, as_analyst: Client
) -> None:
    nodes = (
        condition("c1", ("observable", "is", ["192.0.2.250"]), name="Known"),
        action("a1", "isolate_endpoint", parent="c1", name="Contain"),
        action("a2", ("tag", {"tags": ["done"]}), parent="a1", name="Mark"),
        action("e1", "block", parent="c1", name="Ask", type="else_action", side="below", approval=ASK),
        action("e2", ("tag", {"tags": ["asked"]}), parent="e1", name="After"),
    )
    run = run_now(publish(graph(*nodes), by=admin), alert, Actor.of(admin))
    assert not run.state.is_final
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    for name in ("Contain", "Mark"):
        assert re.search(rf'aria-label="[^"]*{name} Not reached, no action"', text), name
    assert re.search(r'aria-label="[^"]*After Waits, queued"', text)
    assert client_of(admin).post(f"/runs/{run.pk}/cancel/").status_code == 302
    assert "Waits" not in text_of(as_analyst.get(f"/runs/{run.pk}/"))


def test_26_the_poll_is_silent_while_nothing_changes(
    tiny: Range, admin: User, alert: Alert, as_analyst: Client
) -> None:
    run = a_run(admin, alert, approval=ASK)
    text = text_of(as_analyst.get(f"/runs/{run.pk}/"))
    url = re.search(r'hx-get="(/runs/\d+/live/\?[^"]*sig=[^"]+)"', text)
    assert url is not None
    assert as_analyst.get(url[1], headers=HTMX).status_code == 204
    ResponseTask.objects.filter(run=run, action="block").update(status="rejected")
    assert "Rejected" in text_of(as_analyst.get(url[1], headers=HTMX))


def test_27_cancel_and_retry_stand_on_the_page(tiny: Range, admin: User, alert: Alert) -> None:
    run = a_run(admin, alert, approval=ASK)
    browser = client_of(admin)
    assert "Cancel run" in text_of(browser.get(f"/runs/{run.pk}/"))
    assert browser.post(f"/runs/{run.pk}/cancel/").status_code == 302
    work()
    text = text_of(browser.get(f"/runs/{run.pk}/"))
    assert "Cancelled" in text and "Cancel run" not in text
    assert "is cancelled already" in text_of(browser.post(f"/runs/{run.pk}/cancel/"), 409)


def test_26_tasks_of_a_node_as_csv(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    answer = as_analyst.get(f"/runs/{run.pk}/tasks.csv?node=a1")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {(row["node"], row["action"], row["status"]) for row in rows} == {
        ("a1", "Add to block list", "successful"),
        ("a1", "Isolate endpoint", "successful"),
    }
    assert "attachment" in answer["Content-Disposition"]
    assert as_analyst.get(f"/runs/{run.pk}/tasks.csv?node=zz").status_code == 404


def test_csv_is_no_formula(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    ResponseTask.objects.filter(run=run).update(message="=HYPERLINK(1)", target_value=EVIL)
    text = as_analyst.get(f"/runs/{run.pk}/tasks.csv").content.decode()
    assert "'=HYPERLINK(1)" in text
    assert EVIL not in text_of(as_analyst.get(f"/runs/{run.pk}/"))


def test_24_the_report_is_a_file(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    run = a_run(admin, alert)
    html = as_analyst.get(f"/runs/{run.pk}/report/")
    assert "attachment" in html["Content-Disposition"] and alert.number in html.content.decode()
    assert alert.number in as_analyst.get(f"/runs/{run.pk}/report/?as=text").content.decode()
    report = json.loads(as_analyst.get(f"/runs/{run.pk}/report/?as=json").content)
    assert report["run"]["id"] == run.pk and len(report["tasks"]) == 3


def test_26_runs_are_filtered_and_exported(tiny: Range, admin: User, alert: Alert, as_analyst: Client) -> None:
    first, second = a_run(admin, alert), a_run(admin, alert, approval=ASK)
    text = text_of(as_analyst.get("/runs/?status=pending_approval"))
    assert f'id="run-{second.pk}"' in text and f'id="run-{first.pk}"' not in text
    one = text_of(as_analyst.get(f"/runs/?id={first.pk}"))
    assert f'id="run-{first.pk}"' in one and f'id="run-{second.pk}"' not in one
    assert "is no number of a run" in text_of(as_analyst.get("/runs/?id=x"))
    assert "2 actions required" in text_of(as_analyst.get("/runs/"))
    text = as_analyst.get("/runs/export/?status=pending_approval").content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == [str(second.pk)]
    found = json.loads(as_analyst.get(f"/runs/export/?as=json&id={first.pk}").content)
    assert [one["id"] for one in found] == [first.pk]


def test_2000_tasks_are_paged_with_few_queries(
    tiny: Range, admin: User, alert: Alert, as_analyst: Client, django_assert_max_num_queries: Any
) -> None:
    run = a_run(admin, alert)
    like = ResponseTask.objects.filter(run=run, action="isolate_endpoint").get()
    made = []
    for number in range(2000):
        like.pk, like.target_value, like.position = None, f"HOST-{number:04}", like.position + 1
        made.append(ResponseTask(**{name: getattr(like, name) for name in COPIED}))
    ResponseTask.objects.bulk_create(made)
    as_analyst.get(f"/runs/{run.pk}/")
    with django_assert_max_num_queries(40):
        text = text_of(as_analyst.get(f"/runs/{run.pk}/?node=a1"))
    assert text.count('id="task-') == 50
    later = re.search(r'href="(/runs/\d+/\?[^"]*cursor=[^"]+)"', text)
    assert later is not None
    assert text_of(as_analyst.get(later[1].replace("&amp;", "&"))).count('id="task-') == 50
