"""``POST /api/v1/ingest/<source>/``: spec ingest-and-api.md 6 to 8 and 10, rulings 16 to 18."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import io
import json
import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases.actions import alerts as actions
from cases.actors import Actor
from cases.models import Alert, AlertSource, Observable, SourceToken, TimelineEntry
from cases.verify import report_of_alert
from soar.accounts.tokens import new_token
from soar.models import QueuedTask
from tests.factories import make_source

ALERT = {
    "id": "A-1",
    "title": "Beaconing from 10.4.4.7",
    "severity": "high",
    "source_ip": "203.0.113.9",
    "hostname": "FIN-LT-0231",
    "user": "a.voss",
    "description": "Connected to hxxps://evil[.]example.com/a and 203.0.113.9",
    "tags": ["C2", "beacon"],
}


def token_of(source: AlertSource, **fields: Any) -> str:
    token, prefix, token_digest = new_token("src")
    SourceToken.objects.create(source=source, prefix=prefix, digest=token_digest, **fields)
    return token


class Sender:
    """Posts to one source as a program does."""

    def __init__(self, source: AlertSource) -> None:
        self.source = source
        self.token = token_of(source)
        self.client = Client(enforce_csrf_checks=True)

    def post(self, body: Any, *, token: str | None = None, kind: str = "application/json", **headers: str) -> Any:
        data = body if isinstance(body, bytes | str) else json.dumps(body)
        return self.client.post(
            f"/api/v1/ingest/{self.source.slug}/",
            data,
            content_type=kind,
            headers={"Authorization": f"Bearer {self.token if token is None else token}", **headers},
        )


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender(make_source("Sensor"))


def problem_of(response: Any, status: int) -> str:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    return str(response.json()["detail"])


def test_one_object_is_stored_whole(sender: Sender) -> None:
    response = sender.post(ALERT)
    assert response.status_code == 201
    answer = response.json()
    alert = Alert.objects.get(pk=answer["id"])
    assert answer["number"] == f"ALR-{alert.pk}" and answer["created"] is True and answer["count"] == 1
    assert answer["url"].endswith(f"/alerts/ALR-{alert.pk}/") and answer["cause"] == str(alert.cause)
    assert answer["visible_to"] == {"team": None, "source": "Sensor"}
    assert (alert.title, alert.severity, alert.hostname, alert.username) == (ALERT["title"], 3, "FIN-LT-0231", "a.voss")
    assert alert.tags == ["c2", "beacon"]
    assert json.loads(alert.payload.body) == ALERT
    values = {(link.observable.type, link.observable.value) for link in alert.observable_links.all()}
    assert {("ip", "203.0.113.9"), ("ip", "10.4.4.7"), ("domain", "evil.example.com")} <= values
    assert alert.observable_count == len(values)
    assert [entry.kind for entry in alert.timeline.all()] == ["alert.opened"]
    assert report_of_alert(alert).findings == []


def test_the_last_slash_is_not_needed(sender: Sender) -> None:
    for number, path in enumerate((sender.source.slug, f"{sender.source.slug}/{sender.token}")):
        answer = sender.client.post(
            f"/api/v1/ingest/{path}",
            json.dumps({**ALERT, "id": f"slash-{number}"}),
            content_type="application/json",
            headers={} if number else {"Authorization": f"Bearer {sender.token}"},
        )
        assert answer.status_code == 201


def test_the_readers_of_the_timeline_are_rung_in_the_same_transaction(sender: Sender) -> None:
    sender.post(ALERT)
    entry = TimelineEntry.objects.get(kind="alert.opened")
    task = QueuedTask.objects.get()
    assert (task.task, task.args) == ("playbooks.tasks.consider", [entry.pk])


def test_a_repeat_counts_and_rings_nobody(sender: Sender) -> None:
    first = sender.post(ALERT).json()
    QueuedTask.objects.all().delete()
    response = sender.post({**ALERT, "description": "again, with 198.51.100.77"})
    assert response.status_code == 200
    answer = response.json()
    assert (answer["id"], answer["created"], answer["count"]) == (first["id"], False, 2)
    alert = Alert.objects.get()
    assert "again" in (alert.payload.latest_body or "") and "again" not in alert.payload.body
    assert alert.observable_links.filter(observable__value="198.51.100.77").exists()
    assert not QueuedTask.objects.exists()
    assert alert.version == 1  # nobody's open form is made stale by a repeat


def test_a_list_gives_a_result_per_item_in_order(sender: Sender) -> None:
    items = [{**ALERT, "id": "x"}, 7, {**ALERT, "id": "y"}, {**ALERT, "id": "x"}]
    response = sender.post(items)
    assert response.status_code == 207
    results = response.json()["results"]
    assert [one["status"] for one in results] == [201, 400, 201, 200]
    assert results[0]["id"] == results[3]["id"] and results[3]["count"] == 2
    assert "JSON object" in results[1]["detail"]
    assert Alert.objects.count() == 2


def test_ndjson_with_and_without_its_content_type(sender: Sender) -> None:
    lines = "\n".join(json.dumps({**ALERT, "id": f"n{n}"}) for n in range(3))
    assert len(sender.post(lines, kind="application/x-ndjson").json()["results"]) == 3
    again = sender.post(lines)
    assert [one["status"] for one in again.json()["results"]] == [200, 200, 200]


def test_a_broken_line_of_ndjson_spoils_no_other(sender: Sender) -> None:
    lines = json.dumps(ALERT) + "\n{broken\n" + json.dumps({**ALERT, "id": "other"})
    response = sender.post(lines, kind="application/x-ndjson")
    assert [one["status"] for one in response.json()["results"]] == [201, 400, 201]


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"{", b"[]", b"null", b'"text"', b"12", b'{"a": NaN}', b'{"a": Infinity}']
)
def test_what_is_no_alert_is_a_clear_400(sender: Sender, body: bytes) -> None:
    assert problem_of(sender.post(body), 400)
    assert not Alert.objects.exists()
    sender.source.refresh_from_db()
    assert sender.source.refused == 1 and sender.source.last_error


def test_not_utf8_is_refused(sender: Sender) -> None:
    assert "UTF-8" in problem_of(sender.post('{"title": "Größe"}'.encode("latin-1")), 400)


def test_deep_nesting_is_refused(sender: Sender) -> None:
    assert "64" in problem_of(sender.post('{"a":' * 70 + "1" + "}" * 70), 400)
    assert "64" in problem_of(sender.post('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), 400)
    assert sender.post('{"title":"fine","a":' * 1 + "[" * 62 + "]" * 62 + "}").status_code == 201


def test_sizes_over_the_limit_are_413(sender: Sender) -> None:
    assert "1 MiB" in problem_of(sender.post({"title": "x" * 1_100_000}), 413)
    assert "10 MiB" in problem_of(sender.post(b" " * (10 * 1024 * 1024 + 1)), 413)
    assert "1,000" in problem_of(sender.post([{"id": n} for n in range(1001)]), 413)
    bomb = gzip.compress(b" " * (30 * 1024 * 1024))
    assert "unpacked" in problem_of(sender.post(bomb, **{"Content-Encoding": "gzip"}), 413)


def test_gzip_is_read_and_broken_gzip_is_refused(sender: Sender) -> None:
    body = gzip.compress(json.dumps(ALERT).encode())
    assert sender.post(body, **{"Content-Encoding": "gzip"}).status_code == 201
    assert "gzip" in problem_of(sender.post(body[:-10], **{"Content-Encoding": "gzip"}), 400)
    assert "gzip" in problem_of(sender.post(b"plain", **{"Content-Encoding": "gzip"}), 400)
    assert "br" in problem_of(sender.post(body, **{"Content-Encoding": "br"}), 400)


HOSTILE: dict[str, Any] = {
    "NUL in title": {"title": "a\x00b"},
    "NUL nested": {"title": "t", "x": {"y": ["\x00"]}},
    "lone surrogate": {"title": "t \ud800 x"},
    "numeric id": {"id": 12345678901234567890, "title": "t"},
    "tags of numbers": {"title": "t", "tags": [1, 2, None, {"a": 1}]},
    "tags as text": {"title": "t", "tags": "one"},
    "address as list": {"title": "t", "source_ip": ["203.0.113.5", "203.0.113.6"]},
    "long title": {"title": "x" * 5000},
    "long host": {"title": "t", "hostname": "h" * 5000},
    "description as object": {"title": "t", "description": {"a": [1, 2]}},
    "superscript digit": {"title": "t", "source_ip": "10.0.0.²"},
    "long observable": {"title": "t", "url": "https://a.example/" + "x" * 5000},
    "numeric partner": {"title": "t", "partner": 7},
    "title as object": {"title": {"a": 1}},
    "severity of another world": {"title": "t", "severity": "apocalyptic"},
    "severity as list": {"title": "t", "severity": ["high"]},
    "huge integer": {"title": "t", "n": 10**400},
    "empty object": {},
    "right to left": {"title": "\u202egpj.exe", "description": "\u200b\u200d"},
    "times from hell": {"title": "t", "timestamp": "99999-99-99", "occurred_at": -1e300, "last_seen": "yesterday"},
    "sql and html": {"title": "'; DROP TABLE x; -- <script>alert(1)</script>"},
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_payloads_are_stored_or_refused_never_an_error(sender: Sender, name: str) -> None:
    """Each case that broke the peer, and more: a clear 400 or a lossless repair noted on the alert."""
    text = json.dumps(HOSTILE[name])
    response = sender.post(text)
    assert response.status_code in (201, 400), response.content
    if response.status_code == 201:
        alert = Alert.objects.get()
        assert alert.title and alert.payload.body == text
        assert report_of_alert(alert).findings == []
    else:
        assert problem_of(response, 400) and not Alert.objects.exists()


@pytest.mark.parametrize("name", ["NUL in title", "lone surrogate", "long title", "severity of another world"])
def test_a_repair_is_noted_on_the_alert(sender: Sender, name: str) -> None:
    sender.post(json.dumps(HOSTILE[name]))
    assert Alert.objects.get().repairs


def test_more_than_500_observables_are_counted_and_noted(sender: Sender) -> None:
    ips = " ".join(f"198.51.{n // 250}.{n % 250 + 1}" for n in range(700))
    sender.post({"title": "many", "description": ips})
    alert = Alert.objects.get()
    assert alert.observable_links.count() == 500
    assert any("500" in note for note in alert.repairs)


def test_tokens_are_needed_and_checked(sender: Sender) -> None:
    client = Client()
    url = f"/api/v1/ingest/{sender.source.slug}/"
    assert "token is missing" in problem_of(client.post(url, "{}", content_type="application/json"), 401)
    assert problem_of(sender.post(ALERT, token="src_wrong"), 401)
    assert problem_of(sender.post(ALERT, token="\udcff"), 401)
    expired = token_of(sender.source, expires_at=timezone.now() - timedelta(seconds=1))
    assert problem_of(sender.post(ALERT, token=expired), 401)
    revoked = token_of(sender.source, revoked_at=timezone.now())
    assert problem_of(sender.post(ALERT, token=revoked), 401)
    other = Sender(make_source())
    assert "another source" in problem_of(sender.post(ALERT, token=other.token), 403)
    assert not Alert.objects.exists()


def test_the_token_may_stand_in_another_header_or_in_the_path(sender: Sender) -> None:
    url = f"/api/v1/ingest/{sender.source.slug}/"
    body = json.dumps(ALERT)
    by_header = Client().post(url, body, content_type="application/json", headers={"X-API-Key": sender.token})
    by_path = Client().post(f"{url}{sender.token}/", body, content_type="application/json")
    assert (by_header.status_code, by_path.status_code) == (201, 200)


def test_a_token_in_the_path_is_in_no_log(sender: Sender) -> None:
    (console,) = [handler for handler in logging.getLogger().handlers if type(handler) is logging.StreamHandler]
    written = io.StringIO()
    usual = console.setStream(written)
    try:
        for path in (f"{sender.source.slug}/{sender.token}/", f"other/{sender.token}/", f"x/{sender.token}/more"):
            answer = Client().post(f"/api/v1/ingest/{path}", "{", content_type="application/json")
            assert 400 <= answer.status_code < 500
    finally:
        console.setStream(usual)
    assert written.getvalue().count("/ingest/") == 3
    assert sender.token not in written.getvalue()


def test_a_disabled_source_takes_nothing(sender: Sender) -> None:
    AlertSource.objects.update(enabled=False)
    assert "disabled" in problem_of(sender.post(ALERT), 403)


def test_only_listed_addresses_may_send(sender: Sender) -> None:
    AlertSource.objects.update(allowed_networks=["10.0.0.0/8"])
    assert "127.0.0.1" in problem_of(sender.post(ALERT), 403)
    AlertSource.objects.update(allowed_networks=["10.0.0.0/8", "127.0.0.0/8"])
    assert sender.post(ALERT).status_code == 201


def test_a_signature_is_demanded_where_the_source_has_a_secret(sender: Sender) -> None:
    sender.source.hmac_secret = "s3cret"
    sender.source.save()
    body = json.dumps(ALERT)
    good = "sha256=" + hmac.new(b"s3cret", body.encode(), hashlib.sha256).hexdigest()
    assert problem_of(sender.post(body), 401)
    assert problem_of(sender.post(body, **{"X-Webhook-Signature": good[:-1] + "0"}), 401)
    assert sender.post(body, **{"X-Webhook-Signature": good}).status_code == 201


def test_over_the_rate_is_429_with_retry_after(sender: Sender) -> None:
    AlertSource.objects.update(rate_per_second=2)
    answers = [sender.post({**ALERT, "id": str(n)}) for n in range(4)]
    assert answers[-1].status_code == 429 and int(answers[-1]["Retry-After"]) >= 1
    assert Alert.objects.count() == [a.status_code for a in answers].count(201)
    told = [(a["RateLimit-Limit"], a["RateLimit-Remaining"]) for a in answers]
    assert told[0] == ("2", "1") and answers[-1]["RateLimit-Remaining"] == "0"


def test_only_post(sender: Sender) -> None:
    response = Client().get(f"/api/v1/ingest/{sender.source.slug}/")
    assert response.status_code == 405 and response["Allow"] == "POST"


def test_counters_tell_what_came(sender: Sender) -> None:
    sender.post(ALERT)
    sender.post(ALERT)
    sender.post("{")
    source = AlertSource.objects.get()
    assert (source.accepted, source.repeats, source.refused) == (1, 1, 1)
    assert source.last_seen_at and source.last_error_at


@pytest.mark.django_db(transaction=True)
def test_one_id_by_16_clients_at_once_is_one_alert_with_count_16() -> None:
    sender = Sender(make_source())
    statuses: list[int] = []

    def post() -> None:
        statuses.append(Sender.post(sender, ALERT).status_code)
        connection.close()

    threads = [threading.Thread(target=post) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 15 + [201]
    alert = Alert.objects.get()
    assert alert.count == 16
    assert TimelineEntry.objects.filter(kind="alert.opened").count() == 1
    assert QueuedTask.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_overlapping_lists_at_once_lose_and_double_nothing() -> None:
    sender = Sender(make_source())
    shared = {"description": "203.0.113.1 203.0.113.2 evil.example.com"}
    statuses: list[int] = []

    def post(order: int) -> None:
        numbers = range(30) if order else range(29, -1, -1)
        answer = sender.post([{"id": f"L{n}", "title": f"t{n}", **shared} for n in numbers])
        statuses.extend(one["status"] for one in answer.json()["results"])
        connection.close()

    threads = [threading.Thread(target=post, args=(n % 2,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(set(statuses)) == [200, 201] and statuses.count(201) == 30
    assert Alert.objects.count() == 30
    assert all(alert.count == 6 and alert.observable_count == 3 for alert in Alert.objects.all())
    assert Observable.objects.count() == 3


def _resolve(determination: str, *, by_playbook: bool = False) -> None:
    actor = Actor.playbook("triage", 1, None) if by_playbook else Actor.system()
    actions.resolve(actor, Alert.objects.get().pk, determination=determination)


def test_a_repeat_of_a_resolved_alert_reopens_it_and_rings_again(sender: Sender) -> None:
    sender.post(ALERT)
    _resolve("malicious")
    QueuedTask.objects.all().delete()
    assert sender.post(ALERT).status_code == 200
    alert = Alert.objects.get()
    assert alert.status == 0 and alert.count == 2
    assert alert.timeline.filter(kind="alert.reopened").count() == 1
    assert QueuedTask.objects.filter(task="playbooks.tasks.consider").count() == 1


@pytest.mark.parametrize(("determination", "by_playbook"), [("benign", False), ("malicious", True)])
def test_but_not_if_it_was_benign_or_a_playbooks_within_a_day(
    sender: Sender, determination: str, by_playbook: bool
) -> None:
    sender.post(ALERT)
    _resolve(determination, by_playbook=by_playbook)
    sender.post(ALERT)
    assert Alert.objects.get().status == 2
    Alert.objects.update(resolved_at=timezone.now() - timedelta(hours=25))
    sender.post(ALERT)
    assert Alert.objects.get().status == 0


def test_the_rule_new_makes_another_alert_and_count_only_counts(sender: Sender) -> None:
    AlertSource.objects.update(repeat_rule="count")
    first = sender.post(ALERT).json()["id"]
    _resolve("malicious")
    assert sender.post(ALERT).json()["count"] == 2
    AlertSource.objects.update(repeat_rule="new")
    answer = sender.post(ALERT)
    assert answer.status_code == 201 and answer.json()["id"] != first and answer.json()["count"] == 1
    assert sender.post(ALERT).json()["id"] == answer.json()["id"]


def test_key_fields_of_the_source_make_the_key(sender: Sender) -> None:
    AlertSource.objects.update(key_fields=["host.name", "rule"])
    one = {"id": "1", "title": "t", "host": {"name": "h"}, "rule": "r"}
    assert sender.post(one).status_code == 201
    assert sender.post({**one, "id": "2"}).status_code == 200
    assert sender.post({**one, "rule": "other"}).status_code == 201


def test_without_an_id_the_key_is_the_body_without_its_times(sender: Sender) -> None:
    body = {"title": "no id", "n": 1, "timestamp": "2026-03-01T00:00:00Z"}
    assert sender.post(body).status_code == 201
    assert sender.post({**body, "timestamp": "2026-03-02T00:00:00Z"}).status_code == 200
    assert sender.post({**body, "n": 2}).status_code == 201


def test_alertmanager_states_never_create_and_resolve_where_set_so(db: None) -> None:
    sender = Sender(make_source(kind="alertmanager", close_on_resolved=True))
    alert = {
        "labels": {"alertname": "Down", "severity": "critical", "instance": "web-1"},
        "annotations": {"summary": "web-1 is down"},
        "startsAt": "2026-03-01T00:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "f00d",
    }
    document = {"version": "4", "status": "resolved", "alerts": [{**alert, "status": "resolved"}]}
    early = sender.post(document)
    assert early.status_code == 207
    assert early.json()["results"] == [
        {"status": 200, "id": None, "created": False, "note": "Nothing to resolve: no alert with this key is stored."}
    ]
    assert sender.post({**document, "alerts": [{**alert, "status": "firing"}]}).json()["results"][0]["status"] == 201
    assert sender.post(document).json()["results"][0]["status"] == 200
    stored = Alert.objects.get()
    assert (stored.source_state, stored.status, stored.determination) == ("resolved", 2, 1)
    assert report_of_alert(stored).findings == []


def test_an_idempotency_key_gives_the_same_answer_and_refuses_another_body(sender: Sender) -> None:
    headers = {"Idempotency-Key": "once"}
    first = sender.post(ALERT, **headers)
    again = sender.post(ALERT, **headers)
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert Alert.objects.get().count == 1
    assert sender.post({**ALERT, "id": "B"}, **headers).status_code == 409
