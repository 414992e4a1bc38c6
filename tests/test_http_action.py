"""An action of one's own over HTTP: a templated request, the result by a JSON path (connectors.md 4; rulings 29), under
the same rules of the engine as any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from cases.actors import Actor
from cases.errors import Conflict
from playbooks.actions import response_follow, responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.runs import run_by_hand
from playbooks.models import ResponseTask
from playbooks.response import crew
from soar.accounts.models import Team, User
from soar.connectors import actions
from soar.connectors.errors import Refused
from soar.connectors.models import Attempt, ConnectorAccount
from tests.approving import blue_alert
from tests.connector_server import Product, json_reply
from tests.playbook_files import Folder, folder, work
from tests.response_tools import action, graph, make_due, publish, silence

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
ISOLATE = {
    "action": "isolate_endpoint",
    "path": "hosts/{{ target.facts.guid }}/isolate?by={{ params.comment }}",
    "body": '{"host": "{{ target.value|upper }}", "addresses": "{{ target.facts.addresses }}", "open": false}',
    "result": "$.task.state",
    "expected": "done",
    "undo_method": "DELETE",
    "undo_path": "hosts/{{ target.facts.guid }}/isolate",
}
DONE = json_reply(b'{"task": {"id": "t-7", "state": "done"}}')


@pytest.fixture
def product(folder: Folder, transactional_db: None) -> Iterator[Product]:
    server = Product()
    server.replies = [DONE]
    yield server
    server.stop()
    crew.Crew.rest()


def account(product: Product, **settings: Any) -> ConnectorAccount:
    given = {"url": product.url, "allow_internal": True, **(settings or ISOLATE)}
    return actions.create_account(None, "http", "House EDR", given, {"token": "tok-0123456789"})


def by_hand(user: User, team: Team, action: str, kind: str, value: str, **params: Any) -> ResponseTask:
    alert = blue_alert(team, ("ip", "9.9.9.10"))
    picked = {"alert": alert.pk, "targets": [{"kind": kind, "value": value}]}
    about, targets = chosen(Actor.of(user), picked)
    task = responses.start(Actor.of(user), about, action=action, targets=targets, params=params)[0]
    work()
    task.refresh_from_db()
    return task


def isolated(product: Product, team: Team, **settings: Any) -> ResponseTask:
    """A playbook isolates the host of its alert."""
    account(product, **{**ISOLATE, "path": "hosts/{{ target.facts.guid }}/isolate", **settings})
    run = run_by_hand(Actor.system(), publish(graph(action("a", "isolate_endpoint"))), alert=blue_alert(team).pk)
    work()
    return run.tasks.get()


def test_the_request_is_made_of_the_object_and_the_result_is_kept(product: Product, blue: Team) -> None:
    task = isolated(product, blue)
    assert task.status == "successful", task.reason
    (sent,) = product.seen
    assert (sent["method"], sent["path"]) == ("POST", "/hosts/g-1/isolate")
    assert json.loads(sent["body"]) == {"host": "LT-0042", "addresses": ["198.51.100.42"], "open": False}
    assert sent["headers"]["Idempotency-Key"] == str(task.idempotency_key)
    assert task.data["result"] == "done" and "Result: done" in task.message


def test_it_is_undone_by_its_own_request(product: Product, blue: Team, responder: User) -> None:
    task = isolated(product, blue, undo_body='{"task": "{{ undoes.result }}"}', expected="")
    response_follow.inverse(Actor.of(responder), task.pk)
    work()
    undo = ResponseTask.objects.get(inverse_of=task)
    assert undo.status == "successful", undo.reason
    assert (product.seen[-1]["method"], product.seen[-1]["path"]) == ("DELETE", "/hosts/g-1/isolate")
    assert json.loads(product.seen[-1]["body"]) == {"task": "done"}


def test_without_a_request_for_it_nothing_is_undone(product: Product, blue: Team, responder: User) -> None:
    from cases.errors import Conflict

    task = isolated(product, blue, undo_path="")
    with pytest.raises(Conflict, match="cannot do"):
        response_follow.inverse(Actor.of(responder), task.pk)


def test_another_result_than_the_expected_is_a_failure(product: Product, blue: Team) -> None:
    product.replies = [json_reply(b'{"task": {"state": "refused by agent"}}')]
    task = isolated(product, blue)
    assert task.status == "unsuccessful"
    assert "'refused by agent' at $.task.state, where 'done' means success" in task.reason


@pytest.mark.parametrize(
    ("reply", "repeatable", "status", "words"),
    [
        (json_reply(b'{"error": "no such host"}', 404), False, "unsuccessful", "no such host"),
        (json_reply(b"{}", 200), False, "unsuccessful", "nothing at $.task.state"),
        ((200, {"Content-Type": "text/html"}, b"<h1>Sign in</h1>"), False, "unknown_outcome", "not with JSON"),
        (json_reply(b"{}", 500), False, "unknown_outcome", "answered 500"),
        (json_reply(b"{}", 500), True, "successful", ""),
        (json_reply(b"{}", 429), False, "successful", ""),
    ],
)
def test_answers_that_tell_of_no_success(
    product: Product, blue: Team, reply: Any, repeatable: bool, status: str, words: str
) -> None:
    product.replies = [reply] * (3 if reply[0] in (429, 500) and status == "successful" else 1)
    product.replies += [DONE] if status == "successful" else []
    task = isolated(product, blue, repeatable=repeatable)
    for _ in range(4):
        make_due()
    task.refresh_from_db()
    assert (task.status, words in task.reason) == (status, True), task.reason


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize(
    "reply", [json_reply(b"{}", 503), lambda handler: handler.connection.close()], ids=["503", "lost"]
)
def test_what_may_not_be_repeated_is_sent_once_whatever_the_method(
    product: Product, blue: Team, method: str, reply: Any
) -> None:
    product.replies = [reply, DONE]
    task = isolated(product, blue, method=method)
    make_due()
    task.refresh_from_db()
    assert (task.status, len(product.seen)) == ("unknown_outcome", 1), task.reason


@pytest.mark.parametrize(("repeatable", "status", "sent"), [(False, "unknown_outcome", 1), (True, "successful", 2)])
def test_a_get_whose_worker_died_is_repeated_only_if_it_may_be(
    product: Product, blue: Team, repeatable: bool, status: str, sent: int
) -> None:
    task = isolated(product, blue, method="GET", repeatable=repeatable)
    ResponseTask.objects.filter(pk=task.pk).update(
        status="in_progress", phase="sent", lease_owner="dead", finished_at=None
    )
    Attempt.objects.update(status="in_progress", response=None, finished_at=None)
    silence(task)
    for _ in range(3):
        make_due()
    task.refresh_from_db()
    assert (task.status, len(product.seen)) == (status, sent), task.reason


def test_what_the_object_lacks_is_said_and_nothing_sent(product: Product, responder: User, blue: Team) -> None:
    account(product)
    task = by_hand(responder, blue, "isolate_endpoint", "endpoint", "LT-9999")
    assert (task.status, product.seen) == ("unsuccessful", [])
    assert task.reason == "LT-9999 lacks target.facts.guid, which the request needs."


def test_it_takes_the_kinds_that_it_names_and_no_others(product: Product, responder: User, blue: Team) -> None:
    """Of two accounts the one that takes addresses blocks them; a domain stays on our own list."""
    account(product, action="block", targets="ip", path="deny/{{ target.value }}", method="PUT")
    task = by_hand(responder, blue, "block", "ip", "9.9.9.10")
    assert (task.status, [one["path"] for one in product.seen]) == ("successful", ["/deny/9.9.9.10"])
    task = by_hand(responder, blue, "block", "domain", "evil-one.com")
    assert (task.status, task.account, len(product.seen)) == ("successful", None, 1)


def test_a_rehearsal_shows_the_request_and_sends_none(product: Product, blue: Team) -> None:
    account(product, **{**ISOLATE, "path": "hosts/{{ target.facts.guid }}/{{ key }}"})
    playbook = publish(graph(action("a", "isolate_endpoint")))
    run = run_by_hand(Actor.system(), playbook, alert=blue_alert(blue).pk, dry_run=True)
    work()
    task = run.tasks.get()
    assert task.request and task.request[0]["url"].endswith("/hosts/g-1/KEY-OF-THE-TASK"), task.reason
    assert "tok-0123" not in json.dumps(task.request)
    assert (product.seen, Attempt.objects.count()) == ([], 0)


@pytest.mark.parametrize(
    ("answer", "changed"),
    [
        (b'{"task": {"state": "done"}, "created": true}', True),
        (b'{"task": {"state": "done"}, "created": "yes"}', True),
        (b'{"task": {"state": "done"}, "created": false}', False),
        (b'{"task": {"state": "done"}, "created": "No"}', False),
        (b'{"task": {"state": "done"}, "created": 0}', False),
        (b'{"task": {"state": "done"}, "created": null}', None),
        (b'{"task": {"state": "done"}}', None),
    ],
)
def test_what_was_so_before_has_no_undo(product: Product, blue: Team, answer: bytes, changed: bool | None) -> None:
    product.replies = [json_reply(answer)]
    task = isolated(product, blue, changed="$.created")
    assert (task.status, task.data.get("changed")) == ("successful", changed)
    if changed is False:
        with pytest.raises(Conflict, match="so before that task"):
            response_follow.inverse(Actor.system(), task.pk)
    else:
        response_follow.inverse(Actor.system(), task.pk)


def test_what_a_lost_answer_did_is_ours(product: Product, blue: Team) -> None:
    product.replies = [silence, json_reply(b'{"task": {"state": "done"}, "created": false}')]
    task = isolated(product, blue, changed="$.created", repeatable="true")
    for _ in range(3):
        make_due()
    task.refresh_from_db()
    assert (task.status, task.data["changed"]) == ("successful", True), task.reason


def test_an_answer_without_json_tells_nothing_of_it(product: Product, blue: Team) -> None:
    product.replies = [(204, {}, b"")]
    task = isolated(product, blue, changed="$.created", result="", expected="")
    assert task.status == "successful" and "changed" not in task.data


def test_a_path_that_is_none_is_refused_beside_its_field(product: Product) -> None:
    with pytest.raises(Refused) as caught:
        account(product, **{**ISOLATE, "changed": "created["})
    assert list(caught.value.errors) == ["changed"]
