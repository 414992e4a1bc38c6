"""Response playbooks on Vision One, Entra, Defender and Falcon side by side: the rules choose, and the guarantees of
the engine hold for each (connectors.md 2, 3; response-playbooks.md 15 to 18, 29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from cases.actors import Actor
from playbooks.actions import approvals, response_follow
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from playbooks.response import crew
from soar.accounts.models import User
from soar.connectors.actions import create_account
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.routing import add_route
from soar.standins.crowdstrike import CrowdStrike
from soar.standins.defender import Defender
from soar.standins.entra import Entra
from soar.standins.server import Server
from soar.standins.visionone import VisionOne
from tests.acting import Range
from tests.playbook_files import Folder, folder, named, work
from tests.response_tools import action, alert_of, graph, make_due, publish, run_now, silence

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
APP = {"tenant": "tenant.example.com", "client_id": "app-1"}
SECRETS: dict[str, dict[str, str]] = {
    "visionone": {"token": "vision-token-98765"},
    "entra": {"client_secret": "entra-secret-98765"},
    "defender": {"client_secret": "defender-secret-98765"},
    "crowdstrike": {"client_id": "falcon-client-98765", "client_secret": "falcon-secret-98765"},
}
SHA256, MD5 = "ab" * 32, "cd" * 16
Products = dict[str, Range]


@pytest.fixture
def products(folder: Folder, transactional_db: None) -> Iterator[Products]:
    """All four, enabled, Vision One first."""
    with Server([VisionOne(), Entra(), Defender(), CrowdStrike()]) as server:
        found = {}
        for kind, secrets in SECRETS.items():
            given = {"url": server.urls[kind]["url"], "allow_internal": True}
            given |= APP if kind in ("entra", "defender") else {}
            account = create_account(None, kind, kind, given, secrets)
            found[kind] = Range(server.standins[kind], account)
        yield found
        crew.Crew.rest()


def only(products: Products, *kinds: str) -> None:
    """Nobody else is asked."""
    ConnectorAccount.objects.exclude(kind__in=kinds).update(enabled=False)


def rule(products: Products, kind: str, capability: str = "", **where: str) -> None:
    add_route(None, account=products[kind].account.pk, capability=capability, **where)


def host(name: str) -> dict[str, Any]:
    return {"name": name, "type": "endpoint", "system": "", "addresses": []}


def ran(*names: str, wait: int = 8, **alert: Any) -> Run:
    """A run of one node to its end."""
    run = run_now(publish(graph(action("a", *names))), alert_of(*alert.pop("observables", ()), **alert))
    return ended(run, wait)


def ended(run: Run, wait: int = 8) -> Run:
    for _ in range(wait):
        make_due()
    run.refresh_from_db()
    return run


def doers(run: Run) -> dict[str, str]:
    """Who did it, by target."""
    return {task.target_value: task.account.kind if task.account else "" for task in run.tasks.all()}


def said(run: Run) -> list[tuple[str, str]]:
    return [(task.status, task.reason) for task in run.tasks.order_by("pk")]


def test_the_rules_choose_between_products_that_can_do_the_same(products: Products) -> None:
    rule(products, "crowdstrike", "isolate_endpoint", domain="factory.example")
    rule(products, "defender", "isolate_endpoint", domain="office.example")
    names = ("pc-1.factory.example", "pc-2.office.example", "pc-3.elsewhere.example")
    run = ran("isolate_endpoint", hostname=names[0], entities=[host(name) for name in names])
    assert run.status == "successful", said(run)
    assert doers(run) == dict(zip(names, ("crowdstrike", "defender", "visionone"), strict=True))
    assert [one["status"] for one in products["crowdstrike"].state["hosts"].values()] == ["contained"]
    assert products["defender"].state["effects"] == {"Isolate pc-2.office.example": 1}
    assert set(products["visionone"].state["endpoints"]) == {"pc-3.elsewhere.example"}


def test_who_blocks_files_alone_is_passed_over_for_addresses(products: Products) -> None:
    rule(products, "crowdstrike", "block")
    found = (("sha256", SHA256), ("ip", "203.0.113.7"), ("sha1", "ef" * 20))
    run = ran("block", observables=found, entities=[])
    assert run.status == "successful", said(run)
    assert doers(run) == {SHA256: "crowdstrike", "203.0.113.7": "visionone", "ef" * 20: "visionone"}
    assert [one["value"] for one in products["crowdstrike"].state["indicators"].values()] == [SHA256]


def test_without_a_rule_what_the_first_cannot_take_goes_to_the_next(products: Products) -> None:
    run = ran("block", observables=(("md5", MD5), ("sha256", SHA256)), entities=[])
    assert run.status == "successful", said(run)
    assert doers(run) == {MD5: "crowdstrike", SHA256: "visionone"}


ACTIONS = [
    ("isolate_endpoint", "defender", "LT-0042"),
    ("isolate_endpoint", "crowdstrike", "LT-0042"),
    ("disable_account", "entra", "a.voss"),
]


def effects(products: Products, kind: str) -> list[Any]:
    """What was really done at the product."""
    state = products[kind].state
    if kind == "entra":
        return [one["accountEnabled"] for one in state["users"].values() if not one["accountEnabled"]]
    if kind == "defender":
        return [name for name, number in state["effects"].items() for _ in range(number)]
    return [name for name, number in state["calls"].items() if " " not in name for _ in range(number)]


@pytest.mark.parametrize(("name", "kind", "value"), ACTIONS)
def test_never_touch_waits_for_an_approval_that_names_the_reason(
    products: Products, responder: User, name: str, kind: str, value: str
) -> None:
    only(products, kind)
    NeverTouch.objects.create(by="name", value=value, reason="Runs the line", added_by="Ada")
    run = ran(name)
    assert run.status == "pending_approval" and "Runs the line" in said(run)[0][1]
    assert not Attempt.objects.exists() and not effects(products, kind)
    approvals.approve(Actor.of(responder), Approval.objects.get().pk, comment="The line stands still")
    work()
    assert ended(run).status == "successful", said(run)
    assert len(effects(products, kind)) == 1


@pytest.mark.parametrize(("name", "kind", "value"), ACTIONS)
def test_a_rehearsal_shows_the_requests_and_sends_nothing(products: Products, name: str, kind: str, value: str) -> None:
    only(products, kind)
    run = run_now(publish(graph(action("a", name))), alert_of(), dry_run=True)
    (task,) = run.tasks.all()
    assert (task.status, task.message) == ("successful", "Dry run: nothing was sent.")
    assert any(one["method"] in ("POST", "PATCH") for one in task.request or ())
    assert not Attempt.objects.exists() and not effects(products, kind)


@pytest.mark.parametrize(("name", "kind", "value"), ACTIONS)
def test_the_inverse_takes_it_back(products: Products, responder: User, name: str, kind: str, value: str) -> None:
    only(products, kind)
    run = ran(name)
    assert run.status == "successful", said(run)
    undo = response_follow.inverse(Actor.of(responder), run.tasks.get().pk)
    work()
    for _ in range(8):
        make_due()
    undo.refresh_from_db()
    assert (undo.status, undo.account and undo.account.kind) == ("successful", kind), undo.reason
    state = products[kind].state
    now = {
        "entra": lambda: [one["accountEnabled"] for one in state["users"].values()] == [True],
        "defender": lambda: [one["isolated"] for one in state["machines"].values()] == [False],
        "crowdstrike": lambda: [one["status"] for one in state["hosts"].values()] == ["normal"],
    }
    assert now[kind]()


LOST = {"defender": "/isolate", "crowdstrike": "devices-actions/v2", "entra": ""}


@pytest.mark.parametrize(("name", "kind", "value"), ACTIONS)
def test_an_answer_that_is_lost_after_acting_doubles_nothing(
    products: Products, name: str, kind: str, value: str
) -> None:
    only(products, kind)
    products[kind].account.refresh_from_db()
    lost = LOST[kind] or _known_user(products)
    with products[kind].losing(lost):
        run = run_now(publish(graph(action("a", name))), alert_of())
    assert ended(run).status == "successful", said(run)
    assert len(effects(products, kind)) == 1
    changing = Attempt.objects.filter(operation=name, status="unknown_outcome").count()
    assert changing == 1 and Attempt.objects.filter(operation=name).count() == 1


def _known_user(products: Products) -> str:
    """The id of a.voss, who is known before."""
    standin: Any = products["entra"].standin
    standin._know("a.voss")
    return str(next(iter(products["entra"].state["users"])))


@pytest.mark.parametrize(("name", "kind", "value"), ACTIONS)
def test_a_worker_that_dies_after_acting_is_followed_by_one_that_looks_first(
    products: Products, name: str, kind: str, value: str
) -> None:
    """The row says that a call was begun; whoever takes the task over asks the product what became of it."""
    only(products, kind)
    run = ran(name)
    task = run.tasks.get()
    before = len(effects(products, kind))
    ResponseTask.objects.filter(pk=task.pk).update(
        status="in_progress", phase="sent", lease_owner="dead", finished_at=None, accepted_at=None, reference=""
    )
    Run.objects.filter(pk=run.pk).update(status="in_progress", finished_at=None)
    silence(task)
    for _ in range(8):
        make_due()
    task.refresh_from_db()
    assert task.status == "successful", task.reason
    assert len(effects(products, kind)) == before == 1


def test_a_429_is_waited_for_and_the_task_goes_on(products: Products) -> None:
    only(products, "crowdstrike")
    run = run_now(publish(graph(action("a", "isolate_endpoint"))), alert_of(hostname="pc-9", entities=[host("pc-9")]))
    products["crowdstrike"].fault("429", times=3)
    make_due()
    (task,) = run.tasks.all()
    assert task.status == "in_progress" and "too many requests" in task.reason
    assert task.due_at is not None and task.due_at > timezone.now()
    assert ended(run).status == "successful", said(run)


@pytest.mark.parametrize(
    ("end", "status", "words"), [("Failed", "unsuccessful", "Error"), ("Cancelled", "cancelled", "")]
)
def test_an_action_that_fails_at_the_machine_fails_here(products: Products, end: str, status: str, words: str) -> None:
    only(products, "defender")
    products["defender"].state["next"] = [end]
    run = ran("isolate_endpoint")
    assert said(run)[0][0] == status and words in said(run)[0][1]


def test_accepted_by_the_server_is_shown_apart_from_done_on_the_device(products: Products) -> None:
    only(products, "defender")
    products["defender"].state["next"] = ["Pending"]
    run = ran("isolate_endpoint")
    task = run.tasks.get()
    assert (task.status, task.remote) == ("in_progress", "Pending") and task.accepted_at is not None
    ResponseTask.objects.filter(pk=task.pk).update(deadline_at=timezone.now())
    make_due()
    task.refresh_from_db()
    assert task.status == "unknown_outcome" and "it last said “Pending”" in task.reason


def test_what_graph_finds_is_quarantined_mailbox_by_mailbox(products: Products) -> None:
    only(products, "entra")
    standin: Any = products["entra"].standin
    for box in ("ana@corp.example", "ben@corp.example"):
        standin._deliver("<1@bad.example>", box)
    message = {
        "type": "message", "name": "<1@bad.example>", "message_id": "<1@bad.example>", "mailbox": "ana@corp.example",
    }  # fmt: skip
    nodes = (action("s", "find_messages"), action("q", "quarantine_message", parent="s"))
    run = ended(run_now(publish(graph(*nodes)), alert_of(entities=[message])), 12)
    assert run.status == "successful", said(run)
    moved = [(one["box"], one["action"]) for one in products["entra"].state["remediations"]]
    assert sorted(moved) == [("ana@corp.example", "softDelete"), ("ben@corp.example", "softDelete")]


def test_no_secret_is_kept_anywhere(products: Products) -> None:
    ConnectorAccount.objects.filter(kind="visionone").update(enabled=False)
    run = ran("isolate_endpoint", "disable_account", "sign_out", "reset_password")
    assert run.status == "successful", said(run)
    kept = str(list(Attempt.objects.values())) + str(list(run.tasks.values()))
    told = [secret for secrets in SECRETS.values() for secret in secrets.values()]
    assert not [one for one in (*told, "practice-access", "practice-falcon") if one in kept]


def test_a_python_playbook_looks_up_a_host(products: Products, folder: Folder) -> None:
    look = """
        @action
        async def look(name):
            found = await connector("crowdstrike").hosts(name)
            return [host["status"] for host in found]

        @playbook(trigger="webhook", conditions={})
        async def where(alert):
            return await look(alert["hostname"])
        """
    folder.load(look)
    done = run_now(named("where"), alert_of(hostname="ws-7"))
    assert (done.status, done.result) == ("successful", ["normal"]), done.error
