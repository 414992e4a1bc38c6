"""Response playbooks that reach into hosts and sandboxes, on Vision One, Falcon and Defender side by side: the rules
choose, and the guarantees of the engine hold for each (connectors.md 2, 3; response-playbooks.md 14 to 18, 29)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from cases.actors import Actor
from cases.errors import Conflict
from playbooks.actions import approvals, response_follow, scripts
from playbooks.models import Approval, NeverTouch, ResponseTask, Run
from playbooks.response import crew
from soar.accounts.models import AuditEntry, User
from soar.connectors.actions import create_account, update_account
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.routing import add_route
from soar.standins.crowdstrike import CrowdStrike
from soar.standins.defender import Defender
from soar.standins.server import Server
from soar.standins.visionone import VisionOne
from tests.acting import Range
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder, work
from tests.response_tools import action, alert_of, graph, make_due, publish, run_now, silence

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SECRETS: dict[str, dict[str, str]] = {
    "visionone": {"token": "vision-token-98765"},
    "defender": {"client_secret": "defender-secret-98765"},
    "crowdstrike": {"client_id": "falcon-client-98765", "client_secret": "falcon-secret-98765"},
}
SETTINGS: dict[str, dict[str, Any]] = {
    "visionone": {},
    "defender": {"tenant": "tenant.example.com", "client_id": "app-1", "live_response": True},
    "crowdstrike": {"real_time_response": True, "sandbox": True},
}
PATH = "C:\\Users\\Public\\evil.exe"
FILE = {"type": "file", "name": PATH, "file_path": PATH, "host": "LT-0042"}
PROCESS = {"type": "process", "name": "evil.exe", "host": "LT-0042"}
Products = dict[str, Range]


@pytest.fixture
def products(folder: Folder, transactional_db: None, admin: User) -> Iterator[Products]:
    """All three, enabled, Vision One first; and a script in the library."""
    scripts.add(Actor.of(admin), "clean.ps1", b"Get-Process | Stop-Process\r\n")
    with Server([VisionOne(), Defender(), CrowdStrike()]) as server:
        found = {}
        for kind, secrets in SECRETS.items():
            given = {"url": server.urls[kind]["url"], "allow_internal": True, **SETTINGS[kind]}
            found[kind] = Range(server.standins[kind], create_account(None, kind, kind, given, secrets))
        yield found
        crew.Crew.rest()


# What is done, by whom, and on which object of the alert.
RUN = ("run_script", {"script": "clean.ps1", "parameters": ""})
ACTIONS: list[tuple[Any, str, dict[str, Any]]] = [
    (RUN, "crowdstrike", {}),
    (RUN, "defender", {}),
    ("terminate_process", "crowdstrike", {"entities": [PROCESS]}),
    ("collect_file", "crowdstrike", {"entities": [FILE]}),
    ("collect_file", "defender", {"entities": [FILE]}),
    ("sandbox_file", "crowdstrike", {"entities": [FILE]}),
    ("sandbox_url", "crowdstrike", {"observables": (("url", "http://bad.example/x"),), "entities": []}),
]
LOST = ("runliveresponse", "admin-command/v1", "responder-command/v1", "entities/command/v1", "submissions/v1")


def only(kind: str) -> None:
    ConnectorAccount.objects.exclude(kind=kind).update(enabled=False)


def ran(name: Any, *, wait: int = 25, **alert: Any) -> Run:
    """A run of one node to its end."""
    run = run_now(publish(graph(action("a", name))), alert_of(*alert.pop("observables", ()), **alert))
    return ended(run, wait)


def ended(run: Run, wait: int = 25) -> Run:
    for _ in range(wait):
        run.refresh_from_db()
        if run.status not in ("queued", "in_progress"):
            return run
        make_due()
    run.refresh_from_db()
    return run


def said(run: Run) -> list[tuple[str, str]]:
    return [(task.status, task.reason) for task in run.tasks.order_by("pk")]


def effects(products: Products, kind: str) -> dict[str, int]:
    """What was really done at the product, and how often."""
    state = products[kind].state
    return dict(state["effects"]) if kind == "defender" else {k: v for k, v in state["calls"].items() if k != "ps"}


@pytest.mark.parametrize(("name", "kind", "about"), ACTIONS)
def test_each_is_done_once_to_its_end(products: Products, name: Any, kind: str, about: dict[str, Any]) -> None:
    only(kind)
    run = ran(name, **about)
    assert run.status == "successful", said(run)
    assert set(effects(products, kind).values()) == {1}
    kept = str(list(Attempt.objects.values())) + str(list(run.tasks.values("request", "answer", "data", "message")))
    told = [secret for secrets in SECRETS.values() for secret in secrets.values()]
    assert not [one for one in (*told, "practice-access", "practice-falcon", "signature-") if one in kept]


@pytest.mark.parametrize(("name", "kind", "about"), ACTIONS)
def test_an_answer_that_is_lost_doubles_nothing(
    products: Products, name: Any, kind: str, about: dict[str, Any]
) -> None:
    only(kind)
    with products[kind].losing(*LOST):
        run = run_now(publish(graph(action("a", name))), alert_of(*about.get("observables", ()), **_more(about)))
    assert ended(run).status == "successful", said(run)
    assert set(effects(products, kind).values()) == {1}


@pytest.mark.parametrize(("name", "kind", "about"), ACTIONS)
def test_a_worker_that_dies_after_acting_is_followed_by_one_that_looks_first(
    products: Products, name: Any, kind: str, about: dict[str, Any]
) -> None:
    only(kind)
    run = ran(name, **about)
    task, before = run.tasks.get(), effects(products, kind)
    ResponseTask.objects.filter(pk=task.pk).update(
        status="in_progress", phase="sent", lease_owner="dead", finished_at=None, accepted_at=None, reference=""
    )
    Run.objects.filter(pk=run.pk).update(status="in_progress", finished_at=None)
    silence(task)
    assert ended(run).status == "successful", said(run)
    assert effects(products, kind) == before


@pytest.mark.parametrize(("name", "kind", "about"), ACTIONS)
def test_a_rehearsal_shows_the_requests_and_sends_nothing(
    products: Products, name: Any, kind: str, about: dict[str, Any]
) -> None:
    only(kind)
    run = run_now(
        publish(graph(action("a", name))), alert_of(*about.get("observables", ()), **_more(about)), dry_run=True
    )
    (task,) = run.tasks.all()
    assert (task.status, task.message) == ("successful", "Dry run: nothing was sent."), task.reason
    assert any(one["method"] == "POST" for one in task.request or ())
    assert not Attempt.objects.exists() and not effects(products, kind)


@pytest.mark.parametrize(("name", "kind", "about"), ACTIONS[:3])
def test_never_touch_waits_for_an_approval_that_names_the_reason(
    products: Products, responder: User, name: Any, kind: str, about: dict[str, Any]
) -> None:
    only(kind)
    NeverTouch.objects.create(by="name", value="LT-0042", reason="Runs the line", added_by="Ada")
    run = ran(name, **about)
    assert run.status == "pending_approval" and "Runs the line" in said(run)[0][1]
    assert not Attempt.objects.exists() and not effects(products, kind)
    approvals.approve(Actor.of(responder), Approval.objects.get().pk, comment="The line stands still")
    work()
    assert ended(run).status == "successful", said(run)
    assert set(effects(products, kind).values()) == {1}


def test_the_rules_choose_and_who_is_not_switched_on_is_passed_over(products: Products) -> None:
    for kind, domain in (("crowdstrike", "factory.example"), ("defender", "office.example")):
        add_route(None, account=products[kind].account.pk, capability="run_script", domain=domain)
    names = ("pc-1.factory.example", "pc-2.office.example", "pc-3.elsewhere.example")
    hosts = [{"name": name, "type": "endpoint", "system": "", "addresses": []} for name in names]

    def doers() -> list[str]:
        run = ran(RUN, hostname=names[0], entities=hosts)
        assert run.status == "successful", said(run)
        return [task.account.kind if task.account else "" for task in run.tasks.order_by("target_value")]

    assert doers() == ["crowdstrike", "defender", "visionone"]
    update_account(None, products["crowdstrike"].account.pk, settings={"real_time_response": False})
    assert doers() == ["visionone", "defender", "visionone"]


def test_a_host_that_is_not_connected_is_tried_again_until_it_is(products: Products) -> None:
    only("crowdstrike")
    products["crowdstrike"].state["offline"] = ["lt-0042"]
    run = run_now(publish(graph(action("a", RUN))), alert_of())
    make_due()
    task = run.tasks.get()
    assert task.status == "queued" and "not connected to Falcon now; nothing was sent" in task.reason
    products["crowdstrike"].state["offline"] = []
    assert ended(run).status == "successful", said(run)
    assert list(effects(products, "crowdstrike").values()) == [1, 1]  # brought, and run


def test_a_host_that_never_comes_gets_nothing_after_the_deadline(products: Products) -> None:
    only("crowdstrike")
    products["crowdstrike"].state["offline"] = ["lt-0042"]
    run = run_now(publish(graph(action("a", RUN))), alert_of())
    ResponseTask.objects.filter(run=run).update(deadline_at=timezone.now())
    make_due()
    ((status, reason),) = said(run)
    assert status == "unsuccessful" and "not connected" in reason
    assert not products["crowdstrike"].state["commands"] and not effects(products, "crowdstrike")


def test_who_asks_for_a_collected_file_gets_a_link_of_the_moment(products: Products, responder: User) -> None:
    only("defender")
    task = ran("collect_file", entities=[FILE]).tasks.get()
    first = response_follow.reveal(Actor.of(responder), task.pk)
    again = response_follow.reveal(Actor.of(responder), task.pk)
    assert first["location"] != again["location"]
    products["defender"].fault("500", times=9)
    with pytest.raises(Conflict, match="cannot be shown now"):
        response_follow.reveal(Actor.of(responder), task.pk)
    update_account(None, products["defender"].account.pk, enabled=False)
    assert response_follow.reveal(Actor.of(responder), task.pk)["location"]  # as it was kept


@pytest.mark.parametrize(
    ("kind", "name", "begins"),
    [("crowdstrike", "evil.exe.7z", b"7z"), ("defender", "evil.exe.collected", b"MZ"), ("visionone", ".zip", b"PK")],
)
def test_a_collected_file_is_downloaded_and_that_is_audited(
    products: Products, responder: User, kind: str, name: str, begins: bytes
) -> None:
    only(kind)
    task = ran("collect_file", entities=[FILE]).tasks.get()
    browser = client_of(responder)
    assert "Download the file" in browser.get(f"/responses/{task.pk}/").content.decode()
    answer = browser.post(f"/responses/{task.pk}/file/")
    assert answer.status_code == 200 and answer.content.startswith(begins)
    assert name in answer["Content-Disposition"] and answer["Content-Disposition"].startswith("attachment")
    assert (answer["X-Content-Type-Options"], answer["Cache-Control"]) == ("nosniff", "private, no-store")
    entry = AuditEntry.objects.get(verb="response.file_downloaded")
    assert entry.target == f"task {task.pk}" and entry.data["size"] == len(answer.content)


def test_a_file_that_cannot_be_had_is_said_on_the_page(products: Products, responder: User) -> None:
    only("crowdstrike")
    task = ran("collect_file", entities=[FILE]).tasks.get()
    browser, falcon = client_of(responder), products["crowdstrike"]
    for fault, words in (("500", "answered 500"), ("html", "answered 503"), ("429", "answered 429")):
        falcon.fault(fault, times=9)
        answer = browser.post(f"/responses/{task.pk}/file/")
        assert answer.status_code == 409 and words in answer.content.decode()
        falcon.standin._faults.clear()
    falcon.state["files"].clear()
    assert browser.post(f"/responses/{task.pk}/file/").status_code == 409
    update_account(None, falcon.account.pk, enabled=False)
    assert "not in use any more" in browser.post(f"/responses/{task.pk}/file/").content.decode()
    assert not AuditEntry.objects.filter(verb="response.file_downloaded").exists()


def _more(about: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name != "observables"}
