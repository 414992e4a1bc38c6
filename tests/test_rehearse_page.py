"""The pages of a rehearsal and a backtest (response-playbooks.md 29, 30): what holds a task; nothing happens."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from cases.choices import Severity
from cases.models import Alert
from playbooks.models import Approval, Backtest, NeverTouch, Playbook, ResponseTask, Run
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_exception, add_own
from soar.connectors.models import Attempt, ConnectorAccount
from tests.drawn import action, condition, drawn, graph, tag
from tests.factories import make_alert, make_source
from tests.fixtures import client_of
from tests.playbook_files import work
from tests.playbook_pages import EVIL, HTMX, text_of

pytestmark = pytest.mark.django_db
BAD = "203.0.113.77"
ASK = {"method": "email", "subject_prefix": "", "recipients": ["soc@example.com"], "channels": [], "two_people": False}


@pytest.fixture
def account() -> ConnectorAccount:
    """A Vision One that nobody answers for."""
    return ConnectorAccount.objects.create(kind="visionone", name="EU", settings={"url": "https://127.0.0.1:9"})


@pytest.fixture
def alert(blue: Team) -> Alert:
    """A bad address on a server and a laptop."""
    add_own(None, "ip", BAD, "seen in an attack", effect="malicious")
    rest: dict[str, Any] = {"type": "endpoint", "system": "", "addresses": []}
    entities = [{"name": name, **rest} for name in ("srv-pay", "laptop-7")]
    return make_alert(
        f"Beacon {EVIL}", source=make_source(team=blue), severity=Severity.HIGH, entities=entities,
        observables=(("ip", BAD),),
    )  # fmt: skip


ISOLATE = graph(
    "Isolate",
    condition("c1", "object_risk", "highly_suspicious", name="Known"),
    action("a1", "isolate_endpoint", "block", parent="c1", risk=("highly_suspicious",), name="Contain"),
    tag("e1", "seen", parent="c1", type="else_action", side="below", name="Mark"),
    target={"filter_by_risk": True},
)


def shown(browser: Client, row: Playbook, alert: Alert) -> str:
    """The page of the rehearsal."""
    return text_of(browser.get(f"/playbooks/{row.pk}/rehearse/?alert={alert.number}"))


def test_who_may_not_rehearse(as_analyst: Client, as_viewer: Client, author: User, alert: Alert) -> None:
    row = drawn(author, ISOLATE)
    for browser in (as_analyst, as_viewer):
        assert browser.get(f"/playbooks/{row.pk}/rehearse/?alert={alert.number}").status_code == 403
        assert browser.get(f"/playbooks/{row.pk}/backtest/").status_code == 403
        assert browser.post(f"/playbooks/{row.pk}/backtest/start/", {"days": 30}).status_code == 403
    assert not Backtest.objects.exists()


@pytest.mark.parametrize("number", ["ALR-999999", "x", "ALR-", "12'"])
def test_an_alert_that_is_not_there(author: User, number: str) -> None:
    row = drawn(author, ISOLATE)
    answer = client_of(author).get(f"/playbooks/{row.pk}/rehearse/", {"alert": number})
    assert re.search(r'role="alert">.*?(no alert|no number|ALR)', text_of(answer, 404), re.S | re.I)


def test_an_alert_of_another_team_is_neither_offered_nor_rehearsed(author: User, red: Team) -> None:
    hidden = make_alert("Secret thing", source=make_source(team=red), severity=Severity.HIGH)
    row = drawn(author, ISOLATE)
    browser = client_of(author)
    assert "Secret thing" not in text_of(browser.get(f"/playbooks/{row.pk}/rehearse/"))
    assert browser.get(f"/playbooks/{row.pk}/rehearse/?alert={hidden.number}").status_code == 404


def test_29_what_would_run_at_once_and_what_the_never_touch_list_holds(
    admin: User, alert: Alert, account: ConnectorAccount
) -> None:
    NeverTouch.objects.create(by="name", value="srv-*", reason="payroll, tier 0", added_by="Ada")
    row = drawn(admin, ISOLATE)
    text = shown(client_of(admin), row, alert)
    assert "Nothing was sent." in text
    assert "After approval with a reason" in text
    assert "payroll, tier 0" in text
    assert "endpoints/isolate" in text
    assert EVIL not in text
    made = json.loads(client_of(admin).get(f"/playbooks/{row.pk}/rehearse/?alert={alert.number}&format=json").content)
    tasks = {task["object"]["value"]: task["when"] for stop in made["path"] for task in stop["tasks"] if task["object"]}
    assert tasks == {"srv-pay": "held", "laptop-7": "at_once", BAD: "at_once"}
    assert not any(model.objects.exists() for model in (Run, ResponseTask, Approval, Attempt))


def test_29_an_approval_is_waited_for(admin: User, alert: Alert, account: ConnectorAccount) -> None:
    row = drawn(admin, graph("Ask", action("a1", "isolate_endpoint", risk=("highly_suspicious",), approval=ASK)))
    assert shown(client_of(admin), row, alert).count("After approval") >= 2
    assert not Approval.objects.exists()


def test_13_a_benign_list_forbids(admin: User, alert: Alert) -> None:
    add_exception(None, "ip", BAD, "our scanner")
    row = drawn(admin, graph("Block", action("a1", "block", risk=("unrated",))))
    text = shown(client_of(admin), row, alert)
    assert "Not done" in text and "exception list" in text


def test_15_without_connector_it_says_so(admin: User, alert: Alert) -> None:
    row = drawn(admin, graph("Isolate", action("a1", "isolate_endpoint", risk=("highly_suspicious",))))
    assert "No connector is set up" in shown(client_of(admin), row, alert)


def test_20_who_may_not_respond_is_told_what_would_fail(author: User, alert: Alert, account: ConnectorAccount) -> None:
    row = drawn(author, graph("Isolate", action("a1", "isolate_endpoint", risk=("highly_suspicious",))))
    assert "may not run response actions without an approval" in shown(client_of(author), row, alert)


def test_3_outside_its_periods_a_rehearsal_says_so(admin: User, alert: Alert) -> None:
    never = {"type": "automatic", "time_zone": "UTC", "periods": [{"days": ["mon"], "from": "03:00", "to": "03:01"}]}
    row = drawn(admin, graph("Night", tag("a1", "x"), trigger=never))
    text = shown(client_of(admin), row, alert)
    assert "outside of its periods" in text or "03:00" in text


def test_30_a_backtest_is_started_watched_and_read(author: User, alert: Alert) -> None:
    row, browser = drawn(author, graph("Say", tag("a1", "seen"))), client_of(author)
    assert "A backtest walks the draft" in text_of(browser.get(f"/playbooks/{row.pk}/backtest/"))
    browser.post(f"/playbooks/{row.pk}/backtest/start/", {"days": "7"})
    text = text_of(browser.get(f"/playbooks/{row.pk}/backtest/"))
    assert "It waits for a worker" in text and "Stop here" in text
    poll = re.search(r'hx-get="(/playbooks/\d+/backtest/\?[^"]+)"', text)
    assert poll is not None
    url = poll[1].replace("&amp;", "&")
    assert browser.get(url, headers=HTMX).status_code == 204
    work()
    region = text_of(browser.get(url, headers=HTMX))
    assert "Would match" in region and alert.number in region and "Stop here" not in region
    assert EVIL not in region
    whole = text_of(browser.get(f"/playbooks/{row.pk}/backtest/"))
    assert "style=" not in whole


def test_30_it_can_be_stopped_by_who_started_it_alone(author: User, alert: Alert, blue: Team) -> None:
    from tests.factories import make_user

    row = drawn(author, graph("Say", tag("a1", "seen")))
    client_of(author).post(f"/playbooks/{row.pk}/backtest/start/", {"days": "30"})
    made = Backtest.objects.get()
    other = client_of(make_user("other", "Playbook author", teams=("Blue",)))
    assert other.post(f"/playbooks/{row.pk}/backtest/{made.pk}/cancel/").status_code == 404
    assert other.get(f"/playbooks/{row.pk}/backtest/?id={made.pk}").status_code == 404
    client_of(author).post(f"/playbooks/{row.pk}/backtest/{made.pk}/cancel/")
    work()
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert "Stopped after 0 of" in text_of(client_of(author).get(f"/playbooks/{row.pk}/backtest/"))


@pytest.mark.parametrize("days", ["", "x", "0", "9999", "-3"])
def test_30_days_that_are_none(author: User, days: str) -> None:
    row = drawn(author, graph("Say", tag("a1", "seen")))
    browser = client_of(author)
    browser.post(f"/playbooks/{row.pk}/backtest/start/", {"days": days})
    assert "looks at 1 to 365 days" in text_of(browser.get(f"/playbooks/{row.pk}/backtest/"))
    assert not Backtest.objects.exists()
