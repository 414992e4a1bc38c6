"""Addresses of other products (ingest-and-api.md 4): existing senders need only a new base URL and token."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer
from thehive4py.client import TheHiveApi
from thehive4py.errors import TheHiveError

from cases.actions import sources
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.ingest.samples import sample_of
from cases.models import Alert, AlertPayload, AlertSource

pytestmark = pytest.mark.django_db
ADDRESSES = {
    "/api/v1/alert": "thehive",
    "/api/alert": "thehive",
    "/alerts/add": "iris",
    "/api/v2/alerts": "iris",
    "/alerts/event": "keep",
    "/api/v1/webhooks/alerts": "opensoar",
}
# As ElastAlert2 posts it: numbers of rows, a time without zone, no reference.
ELASTALERT = {
    "alert_title": "Failed sign-ins", "alert_description": "src_ip: 192.0.2.7\nusername: a.voss\n",
    "alert_source": "ElastAlert2", "alert_severity_id": 4, "alert_status_id": 2, "alert_note": "",
    "alert_source_event_time": "2026-01-01 09:00:00.000", "alert_tags": "login, vpn", "alert_customer_id": 1,
    "alert_source_link": "https://kibana.example.com/x", "alert_context": {"username": "a.voss", "ip": "192.0.2.7"},
    "alert_iocs": [{"ioc_value": "192.0.2.7", "ioc_type_id": 76, "ioc_tlp_id": 2, "ioc_tags": "ip"}],
}  # fmt: skip


def source_of(kind: str) -> str:
    """The token of a new source of a kind."""
    return sources.create(Actor.system(), fields={"name": f"From {kind}", "kind": kind})[1]


def send(path: str, token: str, body: Any, **headers: str) -> Any:
    """Post as a program does."""
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    given = {"Authorization": f"Bearer {token}", **headers} if token else headers
    return Client(enforce_csrf_checks=True).post(path, data, "application/json", headers=given)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(("path", "kind"), ADDRESSES.items())
def test_every_address_stores_the_alert_of_its_kind(path: str, kind: str, slash: str) -> None:
    answer = send(path + slash, source_of(kind), sample_of(kind))
    assert answer.status_code in (200, 201, 202)
    assert answer["Content-Type"] == "application/json"
    alert = Alert.objects.get()
    assert "ample" in alert.title
    assert alert.source.kind == kind
    assert json.loads(AlertPayload.objects.get().body) == json.loads(sample_of(kind))


@pytest.mark.parametrize(("path", "kind"), ADDRESSES.items())
def test_a_token_of_another_kind_is_refused_and_told_where_to_go(path: str, kind: str) -> None:
    answer = send(path, source_of("splunk"), sample_of(kind))
    assert answer.status_code == 403
    told = answer.json()
    said = told.get("message") or told["detail"]
    assert "the token is that of a source of the kind Splunk" in said
    assert "/api/v1/ingest/from-splunk/" in said
    assert not Alert.objects.exists()
    assert AlertSource.objects.get().refused == 1


@pytest.mark.parametrize(("path", "kind"), ADDRESSES.items())
@pytest.mark.parametrize(
    ("token", "body", "method", "status"),
    [
        ("", "{}", "POST", 401),
        ("src_wrong", "{}", "POST", 401),
        (None, "no json", "POST", 400),
        (None, "[]", "POST", 400),
        (None, b"\xff\xfe", "POST", 400),
        (None, "{}", "GET", 405),
    ],
)
def test_errors_have_the_shape_that_the_clients_read(
    path: str, kind: str, token: str | None, body: Any, method: str, status: int
) -> None:
    given = source_of(kind) if token is None else token
    head = {"Authorization": f"Bearer {given}"} if given else {}
    answer = Client().generic(method, path, body, "application/json", headers=head)
    told = answer.json()
    assert answer.status_code == status
    if kind == "thehive":
        assert told["type"] and told["message"]
    elif kind == "iris":
        assert (told["status"], told["data"]) == ("error", {})
        assert told["message"]
    else:
        assert answer["Content-Type"] == "application/problem+json"
        assert told["detail"]
    if status == 401:
        assert answer["WWW-Authenticate"].startswith("Bearer")
    assert not Alert.objects.exists()


def test_thehive_reply_and_repeat() -> None:
    token = source_of("thehive")
    first, again = (send("/api/v1/alert", token, sample_of("thehive")) for _ in range(2))
    alert = Alert.objects.get()
    told = first.json()
    assert (first.status_code, again.status_code) == (201, 200)
    assert told["_id"] == told["id"] == again.json()["_id"] == f"~{alert.pk}"
    assert (told["_type"], told["sourceRef"], told["severityLabel"]) == ("Alert", "sample-1", "HIGH")
    assert (told["tlpLabel"], told["observableCount"], told["stage"]) == ("AMBER", 4, "New")
    assert again.json()["extraData"]["count"] == alert.count == 2


def test_the_client_of_thehive_creates_an_alert(live_server: LiveServer) -> None:
    hive = TheHiveApi(url=live_server.url, apikey=source_of("thehive"), max_retries=0)
    sent: Any = {
        "type": "external", "source": "client", "sourceRef": "77", "title": "Made by a client", "description": "Text",
        "severity": 4, "tlp": 4, "tags": ["a"], "observables": [{"dataType": "ip", "data": "203.0.113.4"}],
    }  # fmt: skip
    made = hive.alert.create(alert=sent)
    alert = Alert.objects.get()
    assert made["_id"] == f"~{alert.pk}"
    assert (made["title"], alert.title, alert.tlp) == ("Made by a client", "Made by a client", "red")
    assert alert.observable_links.get().observable.value == "203.0.113.4"
    assert hive.alert.create(alert=sent)["_id"] == made["_id"]


def test_the_client_of_thehive_attaches_a_file(live_server: LiveServer, tmp_path: Path) -> None:
    file = tmp_path / "invoice.docm"
    file.write_bytes(bytes(range(256)) * 20 + b"\r\n\r--\n")
    hive = TheHiveApi(url=live_server.url, apikey=source_of("thehive"), max_retries=0)
    sent: Any = {
        "type": "external", "source": "client", "sourceRef": "78", "title": "With a file", "description": "",
        "observables": [{"dataType": "file", "attachment": "f0"}],
    }  # fmt: skip
    hive.alert.create(alert=sent, attachment_map={"f0": str(file)})
    links = Alert.objects.get().observable_links.select_related("observable")
    found = {link.observable.type: link.observable.value for link in links}
    assert found["file_name"] == "invoice.docm"
    assert found["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert any("is not kept" in note for note in Alert.objects.get().repairs)


def test_the_client_of_thehive_understands_a_refusal(live_server: LiveServer) -> None:
    hive = TheHiveApi(url=live_server.url, apikey="src_wrong", max_retries=0)
    with pytest.raises(TheHiveError) as error:
        hive.alert.create(alert={"type": "a", "source": "b", "sourceRef": "c", "title": "d", "description": ""})
    assert str(error.value.message) == "AuthenticationError - The token is not known, has expired or was revoked."


@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n\r\n--x--\r\n", b"rubbish", b'--x\r\nContent-Disposition: form-data; name="_json"']
)
def test_a_multipart_body_that_cannot_be_read(body: bytes) -> None:
    head = {"Authorization": f"Bearer {source_of('thehive')}"}
    answer = Client().generic("POST", "/api/v1/alert", body, "multipart/form-data; boundary=x", headers=head)
    assert answer.status_code == 400
    assert answer.json()["type"] == "BadRequest"


def test_elastalert_reads_the_envelope_of_iris() -> None:
    token = source_of("iris")
    first, again = (send("/alerts/add?cid=1", token, ELASTALERT) for _ in range(2))
    alert = Alert.objects.get()
    told = first.json()
    assert (first.status_code, again.status_code) == (200, 200)
    assert (told["status"], told["message"], told["data"]["alert_id"]) == ("success", "", alert.pk)
    assert told["data"]["alert_title"] == "Failed sign-ins"
    assert (again.json()["data"]["alert_id"], again.json()["data"]["count"]) == (alert.pk, 2)
    assert (alert.severity, alert.username, alert.source_ip, alert.tags) == (2, "a.voss", "192.0.2.7", ["login", "vpn"])


def test_iris_2_creates_with_201() -> None:
    token = source_of("iris")
    first, again = (send("/api/v2/alerts", token, sample_of("iris")) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["alert_id"] == first.json()["data"]["alert_id"] == Alert.objects.get().pk


def test_keep_takes_one_or_a_list_with_the_key_in_its_header() -> None:
    token = source_of("keep")
    one = json.loads(sample_of("keep"))
    assert send("/alerts/event", "", one, **{"X-API-KEY": token}).status_code == 202
    answer = send("/alerts/event", token, [one, {**one, "fingerprint": "2"}])
    assert (answer.status_code, [each["status"] for each in answer.json()["results"]]) == (202, [200, 201])
    assert Alert.objects.count() == 2
    mixed = send("/alerts/event", token, [one, 7])
    assert (mixed.status_code, mixed.json()["results"][1]["status"]) == (207, 400)


def test_keep_resolved_without_an_alert_makes_none() -> None:
    """The end of something that never came here is nothing to look at; the sender is told so."""
    answer = send("/alerts/event", source_of("keep"), {**json.loads(sample_of("keep")), "status": "resolved"})
    assert (answer.status_code, answer.json()["id"], answer.json()["created"]) == (202, None, False)
    assert answer.json()["note"]
    assert not Alert.objects.exists()


@pytest.mark.parametrize("state", ["acknowledged", "suppressed", "pending", "maintenance", "no such word"])
def test_keep_makes_an_alert_in_every_other_state(state: str) -> None:
    answer = send("/alerts/event", source_of("keep"), {**json.loads(sample_of("keep")), "status": state})
    assert answer.status_code == 202
    alert = Alert.objects.get(pk=answer.json()["id"])
    assert (alert.source_state, alert.status) == (state, AlertStatus.NEW)


@pytest.mark.parametrize("closes", [False, True])
def test_keep_resolved_tells_the_state_of_one_that_is_there(closes: bool) -> None:
    token, one = source_of("keep"), json.loads(sample_of("keep"))
    AlertSource.objects.update(close_on_resolved=closes)
    made = send("/alerts/event", token, one).json()["id"]
    answer = send("/alerts/event", token, {**one, "status": "resolved"})
    assert (answer.status_code, answer.json()["id"], answer.json()["created"]) == (202, made, False)
    alert = Alert.objects.get()
    assert alert.source_state == "resolved"
    assert alert.status == (AlertStatus.RESOLVED if closes else AlertStatus.NEW)


def test_opensoar_reply() -> None:
    token = source_of("opensoar")
    first, again = (send("/api/v1/webhooks/alerts", "", sample_of("opensoar"), **{"X-API-Key": token}) for _ in "12")
    told = first.json()
    alert = Alert.objects.get()
    assert (first.status_code, again.status_code) == (200, 200)
    assert (told["alert_id"], told["correlation_id"]) == (str(alert.pk), str(alert.cause))
    assert (told["title"], told["severity"], told["playbooks_triggered"]) == (alert.title, "medium", [])
    assert again.json()["message"] == "Seen again, 2 times in all"


def test_a_password_will_do_where_no_header_can_be_set() -> None:
    pair = base64.b64encode(f"api_key:{source_of('keep')}".encode()).decode()
    assert send("/alerts/event", "", sample_of("keep"), Authorization=f"Basic {pair}").status_code == 202
    for odd in ("Basic", "Basic !!!", "Basic " + base64.b64encode(b"\xff:x").decode(), "Digest x"):
        assert send("/alerts/event", "", sample_of("keep"), Authorization=odd).status_code == 401


def test_the_same_idempotency_key_gets_the_same_answer() -> None:
    token = source_of("thehive")
    answers = [send("/api/v1/alert", token, sample_of("thehive"), **{"Idempotency-Key": "k"}) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert Alert.objects.get().count == 1


def test_pages_and_our_own_api_keep_their_addresses(as_admin: Client) -> None:
    assert as_admin.get("/alerts/").status_code == 200
    assert as_admin.get("/api/v1/alerts/").status_code == 200
    assert Client().get("/api/v1/alerts/").status_code == 401
    assert as_admin.get("/alerts/ALR-999999/").status_code == 404
    assert Client().get("/alerts/adder/").status_code == 302
