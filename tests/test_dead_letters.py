"""Deliveries that cannot be read: kept within bounds, shown, replayed once, deleted (ingest-and-api.md 5)."""

from __future__ import annotations

import gzip
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases import replaying, tasks
from cases.actions import dead_letters as actions
from cases.actors import Actor
from cases.errors import Conflict
from cases.ingest.dead_letters import allowance
from cases.models import Alert, AlertSource, DeadLetter, ReplayJob
from soar.accounts.models import AuditEntry, User
from soar.models import QueuedTask
from tests.factories import make_source
from tests.test_ingest import ALERT, Sender

BOMB = gzip.compress(b" " * (11 * 1024 * 1024))


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test pays for the letters of another."""
    monkeypatch.setattr(allowance, "_counts", {})


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender(make_source("Sensor"))


def the_letter() -> DeadLetter:
    return DeadLetter.objects.get()


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"no json", 400, "not JSON"),
        (b"", 400, "empty"),
        (b"7", 400, "JSON object"),
        (b"[]", 400, "list is empty"),
        (b'{"title": "\xff\xfe"}', 400, "not UTF-8"),
        (b'{"a":' * 70 + b"1" + b"}" * 70, 400, "nested deeper"),
        (b"[" * 100_000, 400, "nested deeper"),
        (b'{"title": "' + b"x" * (1024 * 1024) + b'"}', 413, "at most 1 MiB"),
        (b'{"title": "\x00"}', 400, "not JSON"),
    ],
)
def test_what_cannot_be_read_is_kept(sender: Sender, body: bytes, status: int, words: str) -> None:
    answer = sender.post(body)
    assert answer.status_code == status
    letter = the_letter()
    assert (letter.source, letter.status, letter.place) == (sender.source, status, None)
    assert words in letter.error and letter.error == answer.json()["detail"]
    assert bytes(letter.body) == body[: 1024 * 1024]
    assert letter.size == len(body)
    assert letter.content_type == ("application/json" if body else "")
    assert letter.address == "127.0.0.1"
    assert sender.token not in str(vars(letter))


def test_a_bomb_is_kept_as_it_came_and_not_unpacked(sender: Sender) -> None:
    answer = sender.post(BOMB, **{"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    letter = the_letter()
    assert (letter.encoding, bytes(letter.body), letter.size) == ("gzip", BOMB, len(BOMB))


def test_of_what_is_larger_than_may_be_read_the_fact_is_kept(sender: Sender) -> None:
    assert sender.post(b"x" * (10 * 1024 * 1024 + 1)).status_code == 413
    letter = the_letter()
    assert (letter.size, letter.kept, letter.whole) == (10 * 1024 * 1024 + 1, 0, False)
    with pytest.raises(Conflict, match="cannot be replayed"):
        replaying.replay(Actor.system(), letter.pk)


def test_nothing_is_kept_of_a_stranger(sender: Sender) -> None:
    assert sender.post(b"no json", token="src_wrong").status_code == 401
    AlertSource.objects.update(hmac_secret="secret")
    assert sender.post(b"no json").status_code == 401
    AlertSource.objects.update(hmac_secret="", enabled=False)
    assert sender.post(b"no json").status_code == 403
    AlertSource.objects.update(enabled=True, allowed_networks=["192.0.2.0/24"])
    assert sender.post(b"no json").status_code == 403
    assert not DeadLetter.objects.exists()


def test_one_item_of_a_list_is_kept_by_itself(sender: Sender) -> None:
    answer = sender.post([ALERT, "no alert", {**ALERT, "id": "A-2"}])
    assert [one["status"] for one in answer.json()["results"]] == [201, 400, 201]
    letter = the_letter()
    assert (letter.place, bytes(letter.body)) == (2, b'"no alert"')
    assert Alert.objects.count() == 2


def test_also_under_an_idempotency_key_and_once(sender: Sender) -> None:
    for _ in range(2):
        assert sender.post([ALERT, 7], **{"Idempotency-Key": "k"}).status_code == 207
    assert DeadLetter.objects.count() == 1


def test_a_mistake_of_a_kind_loses_nothing(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    from cases.ingest import registry

    def broken(item: dict[str, Any]) -> Any:
        raise KeyError("oops")

    kind = registry.KINDS["generic"]
    monkeypatch.setitem(registry.KINDS, "generic", kind._replace(normalise=broken))
    answer = sender.post(ALERT)
    assert answer.status_code == 400
    assert "mistake of Soar" in answer.json()["detail"]
    monkeypatch.undo()
    letter = replaying.replay(Actor.system(), the_letter().pk)
    assert letter.alert is not None and letter.alert.title == ALERT["title"]


def test_a_flood_fills_nothing(sender: Sender, settings: Any) -> None:
    settings.DEAD_LETTERS_A_MINUTE, settings.WEB_WORKERS, settings.COUNTER_SECONDS = 5, 1, 0
    assert sender.post(["bad"] * 100).status_code == 207
    for _ in range(3):
        sender.post(b"no json")
    assert DeadLetter.objects.count() == 5
    sender.source.refresh_from_db()
    assert (sender.source.refused, sender.source.unkept) == (103, 98)
    assert sender.post(ALERT).status_code == 201


def test_the_oldest_go_first_and_are_counted(sender: Sender, settings: Any) -> None:
    settings.DEAD_LETTERS_KEPT, settings.COUNTER_SECONDS = 3, 0
    for number in range(5):
        sender.post(f"no json {number}".encode())
    kept = [bytes(letter.body).decode() for letter in DeadLetter.objects.order_by("id")]
    assert kept == ["no json 2", "no json 3", "no json 4"]
    sender.source.refresh_from_db()
    assert sender.source.unkept == 2
    DeadLetter.objects.filter(body=b"no json 4").update(replayed_at=timezone.now())
    sender.post(b"no json 5")
    assert [bytes(one.body)[-1:] for one in DeadLetter.objects.order_by("id")] == [b"2", b"3", b"5"]


def test_no_more_bytes_than_the_source_has_room_for(sender: Sender, settings: Any) -> None:
    settings.DEAD_LETTERS_MB, settings.DEAD_LETTER_KB = 1, 400
    for number in range(4):
        sender.post(b"%d" % number * 500_000)
    letters = list(DeadLetter.objects.order_by("id"))
    assert [bytes(letter.body)[:1] for letter in letters] == [b"2", b"3"]
    assert all((letter.size, letter.kept) == (500_000, 400 * 1024) for letter in letters)


def test_replay_makes_the_alert_and_says_so(sender: Sender) -> None:
    sender.post(b'{"id": "A-1", "title": "Almost"')
    letter = the_letter()
    again = replaying.replay(Actor.system(), letter.pk)
    assert (again.replayed_at, again.tries) == (None, 1)
    assert not Alert.objects.exists()
    body = json.dumps(ALERT).encode()
    DeadLetter.objects.update(body=body, size=len(body), kept=len(body))
    done = replaying.replay(Actor.system(), letter.pk)
    assert done.alert == Alert.objects.get()
    assert (done.outcome, done.replayed_by, done.tries) == ("A new alert.", "Soar", 2)
    with pytest.raises(Conflict, match=f"it became ALR-{done.alert_id}"):
        replaying.replay(Actor.system(), letter.pk)
    assert Alert.objects.get().count == 1


def test_a_list_of_which_some_can_be_read(sender: Sender) -> None:
    body = json.dumps([ALERT, 7]).encode()
    DeadLetter.objects.create(source=sender.source, status=400, error="x", size=len(body), kept=len(body), body=body)
    done = replaying.replay(Actor.system(), the_letter().pk)
    assert "1 alerts; 1 of its items" in done.outcome
    assert DeadLetter.objects.get(replayed_at=None).place == 2


@pytest.mark.django_db(transaction=True)
def test_twice_at_once_makes_one_alert(admin: User) -> None:
    source = make_source("Sensor", repeat_rule="new")
    body = json.dumps({"title": "Without an id"}).encode()
    letter = DeadLetter.objects.create(source=source, status=400, error="x", size=len(body), kept=len(body), body=body)
    results: list[str] = []

    def go() -> None:
        try:
            replaying.replay(Actor.of(admin), letter.pk)
            results.append("read")
        except Conflict as error:
            results.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count("read") == 1
    assert sum("replayed already" in one for one in results) == 5
    assert Alert.objects.get().count == 1
    assert AuditEntry.objects.filter(verb="dead_letter.replayed").count() == 1


def test_all_of_a_source_in_a_job(sender: Sender, admin: User) -> None:
    for number in range(3):
        body = json.dumps({"id": f"D-{number}", "title": "x"}).encode()
        DeadLetter.objects.create(
            source=sender.source, status=400, error="x", size=len(body), kept=len(body), body=body
        )
    sender.post(b"no json")
    sender.post(b"y" * (10 * 1024 * 1024 + 1))
    job = actions.start_replay(admin, sender.source.slug)
    tasks.replay_dead_letters(job.pk)
    tasks.replay_dead_letters(job.pk)
    job.refresh_from_db()
    assert (job.position, job.done, job.status) == (4, 3, ReplayJob.Status.PARTIALLY_SUCCESSFUL)
    assert "not JSON" in job.last_error
    assert Alert.objects.count() == 3
    assert DeadLetter.objects.filter(replayed_at=None).count() == 2


def test_a_long_job_lets_others_have_their_turn(sender: Sender, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "SLICE", 0.0)
    for number in range(3):
        body = json.dumps({"id": f"D-{number}", "title": "x"}).encode()
        DeadLetter.objects.create(
            source=sender.source, status=400, error="x", size=len(body), kept=len(body), body=body
        )
    job = actions.start_replay(admin, sender.source.slug)
    turns = 0
    while (row := QueuedTask.objects.filter(task="cases.tasks.replay_dead_letters").first()) is not None:
        row.delete()
        tasks.replay_dead_letters(*row.args)
        turns += 1
    job.refresh_from_db()
    assert (turns, job.done, job.status) == (3, 3, ReplayJob.Status.SUCCESSFUL)
    assert Alert.objects.count() == 3


def test_a_job_that_is_given_up_is_ended(sender: Sender, admin: User) -> None:
    sender.post(b"no json")
    job = actions.start_replay(admin)
    tasks.tidy_dead_letters()
    job.refresh_from_db()
    assert job.finished_at is None
    QueuedTask.objects.filter(task=actions.TASK).update(failed_at=timezone.now())
    tasks.tidy_dead_letters()
    job.refresh_from_db()
    assert job.status == ReplayJob.Status.UNSUCCESSFUL and "Start it again" in job.last_error


def test_old_ones_go(sender: Sender, settings: Any) -> None:
    sender.post(b"no json")
    sender.post(b"no json either")
    old = timezone.now() - timedelta(days=settings.DEAD_LETTER_DAYS, minutes=1)
    DeadLetter.objects.filter(body=b"no json").update(received_at=old)
    tasks.tidy_dead_letters()
    assert bytes(the_letter().body) == b"no json either"


def test_an_alert_that_is_purged_leaves_the_letter(sender: Sender) -> None:
    from cases.purge import purge

    body = json.dumps(ALERT).encode()
    letter = DeadLetter.objects.create(
        source=sender.source, status=400, error="x", size=len(body), kept=len(body), body=body
    )
    replaying.replay(Actor.system(), letter.pk)
    purge(None, alerts=[Alert.objects.get().pk], reason="test")
    letter.refresh_from_db()
    assert (letter.alert_id, letter.replayed_at is not None) == (None, True)


def test_the_source_that_is_off(sender: Sender) -> None:
    sender.post(b"no json")
    AlertSource.objects.update(enabled=False)
    with pytest.raises(Conflict, match="off"):
        replaying.replay(Actor.system(), the_letter().pk)


def test_good_deliveries_leave_nothing(sender: Sender, client: Client) -> None:
    assert sender.post(ALERT).status_code == 201
    assert sender.post(ALERT).status_code == 200
    assert not DeadLetter.objects.exists()
