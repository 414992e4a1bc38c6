"""Deliveries that are odd in ways senders really are: stored, answered and never lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cases.models import Alert, AlertSource
from soar.accounts.models import User
from tests.api import Api
from tests.factories import make_source
from tests.test_ingest import ALERT, Sender
from tests.test_vendor_paths import send, source_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender(make_source("Sensor"))


def values(pk: int) -> set[tuple[str, str]]:
    """The observables of an alert."""
    links = Alert.objects.get(pk=pk).observable_links
    return set(links.values_list("observable__type", "observable__value"))


@pytest.mark.parametrize(
    ("url", "host", "never"),
    [
        ("https://evil-login.com#victim@contoso.com", ("domain", "evil-login.com"), ("domain", "contoso.com")),
        ("https://evil-login.com?email=victim@contoso.com", ("domain", "evil-login.com"), ("domain", "contoso.com")),
        ("https://contoso.com@evil-login.com/x", ("domain", "evil-login.com"), ("domain", "contoso.com")),
        ("https://evil-login.com:8443/a@contoso.com", ("domain", "evil-login.com"), ("domain", "contoso.com")),
        ("http://[2001:db8::1]:8080/a", ("ip", "2001:db8::1"), ("domain", "a")),
        ("http://[2001:db8::2]/a", ("ip", "2001:db8::2"), ("domain", "a")),
    ],
)
def test_the_host_of_an_address(sender: Sender, url: str, host: tuple[str, str], never: tuple[str, str]) -> None:
    found = values(sender.post({"id": "1", "title": "Lure", "url": url}).json()["id"])
    assert host in found and never not in found


@pytest.mark.parametrize("title", ["half \ud83d of one", "with \x00 in it", "plain"])
@pytest.mark.parametrize(
    ("path", "kind", "field"),
    [
        ("/api/v1/alert", "thehive", "title"), ("/alerts/add", "iris", "alert_title"),
        ("/api/v2/alerts", "iris", "alert_title"), ("/alerts/event", "keep", "name"),
        ("/api/v1/webhooks/alerts", "opensoar", "title"),
    ],
)  # fmt: skip
def test_what_is_echoed_can_be_sent_back(path: str, kind: str, field: str, title: str) -> None:
    from cases.ingest.samples import sample_of

    token, body = source_of(kind), json.dumps({**json.loads(sample_of(kind)), field: title})
    answers = [send(path, token, body, **{"Idempotency-Key": "one"}) for _ in "12"]
    answers.append(send(path, token, body))
    assert all(answer.status_code in (200, 201, 202) for answer in answers), [one.content for one in answers]
    assert answers[0].json() == answers[1].json()
    assert Alert.objects.get().count == 2


def test_a_tag_that_grows_in_lower_case(sender: Sender) -> None:
    answer = sender.post({"title": "x", "tags": ["İ" * 90]})
    assert answer.status_code == 201
    assert len(Alert.objects.get().tags[0]) == 100


def test_a_list_with_one_key_twice_has_the_observables_of_both(sender: Sender) -> None:
    one = {"id": "1", "title": "Twice", "url": "https://one.example.com/", "hostname": "LT-1"}
    answer = sender.post([one, {**one, "url": "https://two.example.com/"}])
    assert [row["status"] for row in answer.json()["results"]] == [201, 200]
    found = values(answer.json()["results"][0]["id"])
    assert {("domain", "one.example.com"), ("domain", "two.example.com")} <= found
    alert = Alert.objects.get()
    assert (alert.count, alert.observable_count) == (2, len(found))


def test_an_alert_of_many_tags_takes_another(sender: Sender, admin: User) -> None:
    pk = sender.post({"id": "1", "title": "x", "tags": [f"t{number}" for number in range(60)]}).json()["id"]
    api, tags = Api(admin), Alert.objects.get(pk=pk).tags
    changed = api.call("PATCH", f"/alerts/{pk}/", {"tags": [*tags, "mine"]})
    assert changed.status_code == 200, changed.content
    assert "mine" in Alert.objects.get(pk=pk).tags


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"allowed_networks": ["192.0.2.0/24"]}, 403, "not on the list"),
        ({"enabled": False}, 403, "disabled"),
        ({"rate_per_second": 1}, 429, "more than it may"),
        ({"slug": "renamed"}, 403, "another source"),
    ],
)
def test_a_refusal_before_the_body_is_shown_at_the_source(
    sender: Sender, change: dict[str, Any], status: int, words: str
) -> None:
    AlertSource.objects.update(**change)
    answers = [sender.post({**ALERT, "id": str(number)}).status_code for number in range(5)]
    refused = answers.count(status)
    assert refused
    source = AlertSource.objects.get()
    assert source.refused == refused and words in source.last_error and source.last_error_at


def test_a_stranger_is_counted_nowhere(sender: Sender) -> None:
    assert sender.post(ALERT, token="src_unknown").status_code == 401
    source = AlertSource.objects.get()
    assert (source.refused, source.last_error) == (0, "")
