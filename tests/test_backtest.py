"""Backtests (response-playbooks.md 30): what is counted, for whom, cancelled, taken over, nobody asked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from cases.actors import Actor
from cases.choices import Severity
from cases.errors import Conflict, Forbidden, Missing, Refused
from cases.models import Alert
from playbooks import tasks
from playbooks.actions import backtests
from playbooks.backtest import working
from playbooks.backtest.looking import Look
from playbooks.backtest.tally import Tally
from playbooks.graph.schema import read
from playbooks.models import Backtest, NeverTouch, Playbook, ResponseTask, Run
from soar.accounts.models import Team, User
from soar.connectors.intelligence.actions import add_exception, add_own
from soar.connectors.models import ConnectorAccount, OwnListEntry
from soar.lib.queue import enqueue
from soar.models import QueuedTask
from tests.drawn import action, condition, drawn, graph, tag
from tests.factories import make_alert, make_source
from tests.playbook_files import work

pytestmark = pytest.mark.django_db
BAD = "203.0.113.77"
RISKY = graph(
    "Block what is known",
    condition("c1", "object_risk", "highly_suspicious", name="Known"),
    action("a1", "block", parent="c1", risk=("highly_suspicious",)),
    tag("e1", "nothing-known", parent="c1", type="else_action", side="below"),
    target={"filter_by_risk": True},
)


def blacklisted(value: str = BAD) -> None:
    """Put an address on the house's own list of bad ones."""
    add_own(None, "ip", value, "seen in an attack", effect="malicious")


def done(author: User, row: Playbook, days: int = 30) -> Backtest:
    """A backtest that a worker has finished."""
    made = backtests.start(Actor.of(author), row, days=days)
    work()
    made.refresh_from_db()
    return made


def test_only_authors_start_one(analyst: User, author: User) -> None:
    row = drawn(author, RISKY)
    with pytest.raises(Forbidden):
        backtests.start(Actor.of(analyst), row)
    assert not Backtest.objects.exists()


@pytest.mark.parametrize("days", [0, -1, 366])
def test_days_out_of_range(author: User, days: int) -> None:
    row = drawn(author, RISKY)
    with pytest.raises(Refused) as refused:
        backtests.start(Actor.of(author), row, days=days)
    assert refused.value.field == "days"


def test_one_at_a_time(author: User) -> None:
    row = drawn(author, RISKY)
    backtests.start(Actor.of(author), row)
    with pytest.raises(Conflict, match="is running"):
        backtests.start(Actor.of(author), row)


def test_nobody_else_sees_what_was_counted(author: User, admin: User, analyst: User) -> None:
    made = done(author, drawn(author, RISKY))
    with pytest.raises(Missing):
        backtests.visible(analyst, made.pk)
    assert backtests.visible(author, made.pk) == made
    with pytest.raises(Missing):  # it names what its starter saw, which may be more than others see
        backtests.visible(admin, made.pk)


def test_a_backtest_counts_and_is_read_within_the_scopes_of_the_token(author: User, blue: Team, red: Team) -> None:
    author.user_permissions.add(Permission.objects.get(codename="view_all_teams"))
    for team in (blue, red):
        make_alert(source=make_source(team=team))
    row, narrow, whole = drawn(author, RISKY), User.objects.get(pk=author.pk), User.objects.get(pk=author.pk)
    narrow.token_scopes = frozenset({"author_playbooks", "view_cases"})
    assert done(narrow, row).total == 1
    made = done(whole, row)
    assert made.total == 2
    with pytest.raises(Missing):
        backtests.visible(narrow, made.pk)


def test_30_matches_branches_actions_and_objects(author: User, blue: Team) -> None:
    source = make_source(team=blue)
    blacklisted()
    for _ in range(3):
        make_alert(source=source, severity=Severity.HIGH, observables=(("ip", BAD),))
    make_alert(source=source, severity=Severity.HIGH, observables=(("ip", "198.51.100.9"),))
    make_alert(source=source, severity=Severity.LOW, observables=(("ip", BAD),))
    make_alert(source=source, severity=Severity.HIGH, observables=(("ip", BAD),), age=timedelta(days=40))
    made = done(author, drawn(author, RISKY))
    assert (made.status, made.total, made.looked_at) == ("successful", 5, 5)
    result = made.result
    assert result["matched"] == 4
    assert (result["right"], result["below"]) == ({"c1": 3}, {"c1": 1})
    assert result["actions"]["block"]["objects"] == 3
    assert result["actions"]["block"]["kinds"] == {"ip": 3}
    assert result["actions"]["block"]["values"] == {BAD: 3}
    assert result["actions"]["tag"]["alerts"] == 1
    assert result["days"] == {f"{timezone.now():%Y-%m-%d}": {"runs": 3, "case_only": 1}}
    assert len(result["sample"]) == 4


def test_30_what_the_never_touch_list_holds(author: User, blue: Team) -> None:
    NeverTouch.objects.create(by="name", value="srv-*", reason="payroll", added_by="Ada")
    ConnectorAccount.objects.create(kind="visionone", name="EU", settings={"url": "https://127.0.0.1:9"})
    source = make_source(team=blue)
    make_alert(source=source, severity=Severity.HIGH, hostname="srv-1")
    make_alert(source=source, severity=Severity.HIGH, hostname="laptop-1")
    made = done(author, drawn(author, graph("Isolate", action("a1", "isolate_endpoint", risk=("unrated",)))))
    counted = made.result["actions"]["isolate_endpoint"]
    assert (counted["objects"], counted["held"], counted["lacking"]) == (2, 1, 0)
    assert "payroll" in made.result["held"][0]["why"]


def test_30_only_alerts_that_the_starter_may_see(author: User, blue: Team, red: Team) -> None:
    make_alert(source=make_source(team=red), severity=Severity.HIGH)
    mine = make_alert(source=make_source(team=blue), severity=Severity.HIGH)
    made = done(author, drawn(author, graph("Say", tag("a1", "seen"))))
    assert (made.total, made.result["matched"]) == (1, 1)
    assert [row["alert"] for row in made.result["sample"]] == [mine.pk]


def test_30_nothing_is_made(author: User, blue: Team) -> None:
    alert = make_alert(source=make_source(team=blue), severity=Severity.HIGH, observables=(("ip", BAD),))
    before = alert.timeline.count()
    done(author, drawn(author, RISKY))
    assert not Run.objects.exists()
    assert not ResponseTask.objects.exists()
    assert alert.timeline.count() == before
    assert Alert.objects.get().tags == []


def test_cancelled_before_it_began(author: User) -> None:
    made = backtests.start(Actor.of(author), drawn(author, RISKY))
    backtests.cancel(Actor.of(author), made.pk)
    work()
    made.refresh_from_db()
    assert made.status == "cancelled"
    assert made.finished_at is not None


def test_cancelled_between_two_pieces(author: User, blue: Team) -> None:
    source = make_source(team=blue)
    for _ in range(3):
        make_alert(source=source, severity=Severity.HIGH)
    made = backtests.start(Actor.of(author), drawn(author, graph("Say", tag("a1", "seen"))))
    assert QueuedTask.objects.filter(task=working.TASK).count() == 1
    working.work(made.pk, seconds=0, chunk=1)  # it begins, and rings again
    backtests.cancel(Actor.of(author), made.pk)
    tasks.backtest(made.pk)
    made.refresh_from_db()
    assert (made.status, made.total) == ("cancelled", 3)
    assert made.looked_at < 3


def test_taken_over_where_the_dead_worker_was(author: User, blue: Team) -> None:
    source = make_source(team=blue)
    alerts = [make_alert(source=source, severity=Severity.HIGH) for _ in range(3)]
    made = backtests.start(Actor.of(author), drawn(author, graph("Say", tag("a1", "seen"))))
    tasks.backtest(made.pk)
    made.refresh_from_db()
    whole = made.result
    # As a worker left it that was killed after the first alert: its lease has run out.
    half = Tally()
    Look(read(made.graph)[0]).batch([alerts[0].pk], half)
    Backtest.objects.filter(pk=made.pk).update(
        status="in_progress", cursor=alerts[0].pk, looked_at=1, result=half.as_json(), lease_owner="dead",
        lease_until=timezone.now() - timedelta(seconds=1), finished_at=None,
    )  # fmt: skip
    QueuedTask.objects.all().delete()
    tasks.backtests()
    assert QueuedTask.objects.filter(task=working.TASK).count() == 1
    work()
    made.refresh_from_db()
    assert (made.status, made.looked_at, made.result) == ("successful", 3, whole)


def test_a_living_worker_is_left_alone(author: User) -> None:
    made = backtests.start(Actor.of(author), drawn(author, RISKY))
    Backtest.objects.filter(pk=made.pk).update(
        status="in_progress", lease_owner="alive", lease_until=timezone.now() + timedelta(seconds=30)
    )
    enqueue(working.TASK, made.pk)
    work()
    made.refresh_from_db()
    assert (made.status, made.lease_owner) == ("in_progress", "alive")


def test_what_benign_lists_forbid_is_counted_as_such(author: User, blue: Team) -> None:
    make_alert(source=make_source(team=blue), severity=Severity.HIGH, observables=(("ip", "8.8.8.8"),))
    add_exception(None, "ip", "8.8.8.8", "our resolver")
    made = done(author, drawn(author, graph("Block", action("a1", "block", risk=("unrated",)))))
    counted = made.result["actions"]["block"]
    assert (counted["objects"], counted["benign"]) == (1, 1)
    assert not OwnListEntry.objects.exists()
