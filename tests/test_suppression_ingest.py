"""What suppression rules do to alerts that come in (ingest-and-api.md 9): held back, marked, counted; never lost."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from cases.actions import alerts, suppression, suppression_work
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.errors import Conflict, Refused
from cases.filters import AlertFilter
from cases.ingest import counters
from cases.ingest.hold import Hold
from cases.ingest.pipeline import Outcome, receive, rules_of
from cases.ingest.prepare import prepare
from cases.ingest.registry import KINDS
from cases.ingest.suppression import Matcher, Scope, compiled
from cases.models import Alert, AlertSource, SuppressionRule, TimelineEntry
from cases.verify import report_of_alert
from soar.accounts.models import Team, User
from soar.models import QueuedTask
from tests.factories import make_source, make_team

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system()


def make_rule(conditions: Any = None, **fields: Any) -> SuppressionRule:
    """A rule for everybody's alerts that is in force for an hour."""
    given = {
        "name": "Patch night", "reason": "Servers are being patched",
        "expires_at": timezone.now() + timedelta(hours=1), "all_teams": True,
        "conditions": {"host": ["SRV-01"]} if conditions is None else conditions, **fields,
    }  # fmt: skip
    return suppression.create(SYSTEM, fields=given)


def send(source: AlertSource, *items: dict[str, Any]) -> list[Outcome]:
    """Deliver alerts, one or a list."""
    body = json.dumps(list(items) if len(items) > 1 else items[0])
    return receive(rules_of(source), body.encode(), "application/json")[0]


def item(**fields: Any) -> dict[str, Any]:
    """An alert of the host SRV-01."""
    return {"id": "A-1", "title": "Service stopped", "hostname": "SRV-01", "severity": "high", **fields}


def alert_of(outcome: Outcome) -> Alert:
    """The stored alert."""
    return Alert.objects.get(pk=outcome.id or 0)


def doorbells() -> int:
    """How often playbooks were asked to look."""
    return QueuedTask.objects.filter(task="playbooks.tasks.consider").count()


def queued(user: User) -> set[int]:
    """Ids of what the queue shows."""
    rows = AlertFilter.parse({}, default_open=True).apply(Alert.objects.visible_to(user), user)
    return set(rows.values_list("pk", flat=True))


@pytest.fixture
def source(db: None) -> AlertSource:
    """A generic source of no team."""
    return make_source("Gateway")


@pytest.mark.parametrize("several", [False, True])
def test_held_back_stored_marked_and_no_playbook_asked(source: AlertSource, admin: User, several: bool) -> None:
    rule = make_rule()
    outcomes = send(source, item(), item(id="A-2", hostname="srv-01")) if several else send(source, item())
    for one in outcomes:
        alert = alert_of(one)
        assert (one.status, alert.suppression_id, alert.status) == (201, rule.pk, AlertStatus.NEW)
        assert alert.payload.body and alert.timeline.get().data["suppression"]["reason"] == "Servers are being patched"
        assert not report_of_alert(alert).findings
    assert doorbells() == 0
    assert queued(admin) == set()
    rule.refresh_from_db()
    assert (rule.held, rule.repeats) == (len(outcomes), 0) and rule.last_hit_at


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ({"host": ["srv-01"]}, {}),
        ({"host": ["SRV-*"]}, {}),
        ({"user": ["DOM\\Svc"]}, {"username": "dom\\svc"}),
        ({"title": ["VICE STOP"]}, {}),
        ({"model": ["Rule A"]}, {"detection_model": "rule a"}),
        ({"ip": ["203.0.113.0/24"]}, {"source_ip": "203.0.113.9"}),
        ({"ip": ["203.0.113.9"]}, {"source_ip": "203.0.113.9"}),
        ({"ip": ["2001:db8::/32", "192.0.2.1"]}, {"source_ip": "2001:db8::7"}),
        ({"tag": ["Test", "lab"]}, {"tags": ["lab"]}),
        ({"observable": ["evil.example.com"]}, {"description": "seen evil[.]example[.]com today"}),
        ({"host": ["other", "srv-01"], "severity": ["high"]}, {}),
        ({"source": ["SLUG"], "title": ["service"]}, {}),
    ],
)
def test_each_condition_holds_back(source: AlertSource, conditions: dict[str, Any], fields: dict[str, Any]) -> None:
    if "source" in conditions:
        conditions = {**conditions, "source": [source.slug]}
    rule = make_rule(conditions)
    assert alert_of(send(source, item(**fields))[0]).suppression_id == rule.pk


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ({"host": ["SRV-02"]}, {}),
        ({"host": ["SRV-0"]}, {}),  # no star, no beginning
        ({"title": ["Serv.ce"]}, {}),  # a text, no pattern
        ({"title": ["100%"]}, {"title": "100 percent"}),
        ({"model": ["Rule (A|B)"]}, {"detection_model": "Rule A"}),
        ({"host": ["SRV-01"], "severity": ["medium"]}, {}),
        ({"host": ["SRV-01"], "user": ["svc"]}, {"username": "other"}),
        ({"ip": ["203.0.113.0/24"]}, {"source_ip": "203.0.114.9"}),
        ({"ip": ["203.0.113.0/24"]}, {}),
        ({"tag": ["lab"]}, {"tags": ["laboratory"]}),
        ({"observable": ["evil.example.com"]}, {"description": "not-evil.example.com"}),
    ],
)
def test_what_does_not_meet_it_comes_as_ever(
    source: AlertSource, admin: User, conditions: dict[str, Any], fields: dict[str, Any]
) -> None:
    rule = make_rule(conditions)
    alert = alert_of(send(source, item(**fields))[0])
    assert alert.suppression_id is None and queued(admin) == {alert.pk} and doorbells() == 1
    rule.refresh_from_db()
    assert rule.held == 0


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({}, "conditions"),
        ({"host": []}, "conditions"),
        ({"host": ["", "  "]}, "conditions"),
        ({"severity": ["critical"]}, "conditions"),
        ({"host": ["*"]}, "host"),
        ({"host": ["a*"]}, "host"),
        ({"title": ["a"]}, "title"),
        ({"ip": ["0.0.0.0/0"]}, "ip"),
        ({"ip": ["::/0"]}, "ip"),
        ({"ip": ["nowhere"]}, "ip"),
        ({"source": ["no-such"]}, "source"),
        ({"severity": ["awful"], "host": ["x"]}, "severity"),
        ({"colour": ["red"]}, "conditions"),
        ({"host": "x" * 301}, "host"),
        ({"host": ["h"] * 20 + [f"h{n}" for n in range(60)]}, "host"),
        ({"host": [7]}, "host"),
        ("host", "conditions"),
    ],
)
def test_what_would_hold_back_everything_or_cannot_be_read_is_refused(db: None, conditions: Any, field: str) -> None:
    with pytest.raises(Refused) as refused:
        make_rule(conditions)
    assert refused.value.field == field
    assert not SuppressionRule.objects.exists()


def test_reason_expiry_and_its_bounds_are_required(db: None, settings: Any) -> None:
    now = timezone.now()
    for bad in ({"reason": " "}, {"reason": ""}, {"name": ""}, {"expires_at": None}, {"expires_at": "soon"},
                {"expires_at": now}, {"expires_at": now + timedelta(days=31)},
                {"expires_at": "2026-02-31T00:00:00Z"}):  # fmt: skip
        with pytest.raises(Refused) as refused:
            make_rule(**bad)
        assert refused.value.field == next(iter(bad))
    settings.SUPPRESSION_DAYS = 60
    make_rule(expires_at=now + timedelta(days=59))


def test_a_rule_is_over_when_it_expires_is_ended_or_switched_off(source: AlertSource) -> None:
    rules = [make_rule() for _ in range(3)]
    SuppressionRule.objects.filter(pk=rules[0].pk).update(expires_at=timezone.now())
    suppression.end(SYSTEM, rules[1].pk)
    suppression.update(SYSTEM, rules[2].pk, changes={"enabled": False})
    assert alert_of(send(source, item())[0]).suppression_id is None


def test_expired_while_a_process_knows_it(source: AlertSource) -> None:
    """The rules are read once; their time still counts at each alert."""
    rule = make_rule()
    until = rule.expires_at
    ready = compiled(Hold(rule.pk, "n", "r"), until, Scope(all_teams=True), rule.conditions, {})
    row = prepare(item(), "{}", KINDS["generic"], rules_of(source), until)
    matcher = Matcher([ready])
    assert matcher.find(row, until - timedelta(microseconds=1)) == ready.hold
    assert matcher.find(row, until) is None


def test_only_the_alerts_of_its_scope(db: None) -> None:
    blue, red = make_team("Blue"), make_team("Red")
    sources = {"blue": make_source(team=blue), "red": make_source(team=red), "none": make_source()}
    for_blue, for_none = make_rule(team=blue, all_teams=False), make_rule(all_teams=False)
    held = {name: alert_of(send(one, item())[0]).suppression_id for name, one in sources.items()}
    assert held == {"blue": for_blue.pk, "red": None, "none": for_none.pk}


def test_the_oldest_rule_that_fits_is_named(source: AlertSource) -> None:
    first = make_rule({"title": ["service"]})
    make_rule({"host": ["SRV-01"]})
    assert alert_of(send(source, item())[0]).suppression_id == first.pk


def test_a_broken_rule_holds_back_nothing_and_blocks_nothing(source: AlertSource, as_admin: Any) -> None:
    broken = make_rule()
    broken_ones: list[Any] = [{"ip": ["x"]}, {"host": 3}, [], {"source": ["gone"]}, {}, None, "text"]
    for wrong in broken_ones:
        SuppressionRule.objects.filter(pk=broken.pk).update(conditions=wrong if wrong is not None else 0)
        other = make_rule({"user": ["svc"]})  # moves the generation on
        assert alert_of(send(source, item(id=str(wrong)))[0]).suppression_id is None
        assert alert_of(send(source, item(id=f"{wrong}2", username="svc"))[0]).suppression_id == other.pk
        suppression.end(SYSTEM, other.pk)


def test_a_repeat_follows(source: AlertSource) -> None:
    rule = make_rule()
    send(source, item())
    again = send(source, item())[0]
    assert (again.status, again.count, again.created) == (200, 2, False)
    assert alert_of(again).suppression_id == rule.pk and doorbells() == 0
    rule.refresh_from_db()
    assert (rule.held, rule.repeats) == (1, 1)


def test_a_repeat_after_the_rule_is_news(source: AlertSource, admin: User) -> None:
    rule = make_rule()
    first = send(source, item())[0]
    suppression.end(SYSTEM, rule.pk)
    alert = alert_of(send(source, item())[0])
    assert alert.pk == first.id and alert.suppression_id is None and queued(admin) == {alert.pk}
    assert doorbells() == 1
    entry = alert.timeline.get(kind="alert.released")
    assert entry.data == {"rule": rule.pk, "name": "Patch night"} and not report_of_alert(alert).findings


def test_what_stands_in_the_queue_stays_there(source: AlertSource, admin: User) -> None:
    alert = alert_of(send(source, item())[0])
    make_rule()
    send(source, item())
    assert queued(admin) == {alert.pk}


def test_the_repeat_of_a_resolved_one_is_opened_but_held_back(source: AlertSource, admin: User) -> None:
    source.repeat_rule = "reopen"
    source.save()
    alert = alert_of(send(source, item())[0])
    alerts.resolve(SYSTEM, alert.pk, determination="suspicious")
    before = doorbells()
    rule = make_rule()
    alert = alert_of(send(source, item())[0])
    assert (alert.status, alert.suppression_id) == (AlertStatus.NEW, rule.pk)
    assert queued(admin) == set() and doorbells() == before
    assert not report_of_alert(alert).findings


def test_the_new_alert_of_a_resolved_one_is_held_back(source: AlertSource) -> None:
    source.repeat_rule = "new"
    source.save()
    old = alert_of(send(source, item())[0])
    alerts.resolve(SYSTEM, old.pk, determination="suspicious")
    rule = make_rule()
    one = send(source, item())[0]
    assert one.created and alert_of(one).suppression_id == rule.pk
    old.refresh_from_db()
    assert old.suppression_id is None


def test_what_arrives_closed_is_nobodys_work_and_not_marked(source: AlertSource) -> None:
    make_rule({"title": ["service"]})
    alert = alert_of(send(source, item(status="closed", verdict="false positive"))[0])
    assert (alert.status, alert.suppression_id) == (AlertStatus.RESOLVED, None)


def test_released_alerts_start_playbooks_as_opening_would(source: AlertSource, admin: User) -> None:
    rule = make_rule()
    ids = {one.id for one in send(source, *[item(id=f"A-{n}") for n in range(3)])}
    resolved = min(pk for pk in ids if pk)
    alerts.resolve(SYSTEM, resolved, determination="benign")
    with pytest.raises(Conflict):
        suppression.release(SYSTEM, rule.pk)
    suppression.end(SYSTEM, rule.pk, release=True)
    suppression_work.release_some(rule.pk)
    assert not Alert.objects.filter(suppression__isnull=False).exists()
    assert queued(admin) == ids - {resolved}
    assert doorbells() == 2
    rule.refresh_from_db()
    assert not rule.releasing
    suppression_work.release_some(rule.pk)  # once more is nothing
    assert TimelineEntry.objects.filter(kind="alert.released").count() == 3


def test_open_alerts_leave_the_queue_with_a_new_rule_and_come_back_quietly(source: AlertSource, admin: User) -> None:
    mine, taken = (alert_of(send(source, item(id=name))[0]) for name in ("mine", "taken"))
    other = alert_of(send(source, item(id="other", hostname="SRV-02"))[0])
    alerts.assign(SYSTEM, taken.pk, owner=admin)
    before = doorbells()
    fields = {"name": "n", "reason": "r", "expires_at": timezone.now() + timedelta(hours=1),
              "conditions": {"host": ["srv-01"]}, "all_teams": True}  # fmt: skip
    rule = suppression.create(SYSTEM, fields=fields, hold_open=True)
    suppression_work.hold_some(rule.pk)
    assert queued(admin) == {taken.pk, other.pk}
    suppression.end(SYSTEM, rule.pk, release=True)
    suppression_work.release_some(rule.pk)
    assert queued(admin) == {mine.pk, taken.pk, other.pk} and doorbells() == before
    mine.refresh_from_db()
    assert not report_of_alert(mine).findings


def test_one_alert_is_put_into_the_queue_by_hand(source: AlertSource, analyst: User) -> None:
    make_rule()
    alert = alert_of(send(source, item())[0])
    suppression_work.release_one(Actor.of(analyst), alert.pk)
    assert queued(analyst) == {alert.pk} and doorbells() == 1
    with pytest.raises(Conflict):
        suppression_work.release_one(Actor.of(analyst), alert.pk)


def test_no_suggestion_is_opened_by_what_is_held_back(source: AlertSource, admin: User, blue: Team) -> None:
    from cases.suggestions import suggestions

    make_rule({"title": ["noise"]})
    for n in range(4):
        send(source, item(id=f"N-{n}", title=f"noise {n}", source_ip="203.0.113.9"))
    assert list(suggestions(admin)) == []


def test_figures_are_written_in_one_go(source: AlertSource, settings: Any) -> None:
    settings.COUNTER_SECONDS = 60
    rule = make_rule()
    try:
        send(source, item())
        send(source, item())
        rule.refresh_from_db()
        assert rule.held == 0
    finally:
        counters.flush()
        if counters._timer:
            counters._timer.cancel()
            counters._timer = None
    rule.refresh_from_db()
    assert (rule.held, rule.repeats) == (1, 1)
