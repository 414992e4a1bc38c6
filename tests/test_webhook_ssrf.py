"""Outgoing webhooks reach nothing inside unless an admin said so (ingest-and-api.md 15), whatever the spelling."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from cases.actions import webhooks as actions
from cases.actors import Actor
from cases.errors import Refused
from cases.models import WebhookDelivery, WebhookEndpoint
from soar.accounts.models import User
from tests.connector_server import Product
from tests.factories import make_alert
from tests.webhook_tools import endpoint_to, receiver, run, status

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db

LITERALS = [
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "100.64.0.1", "169.254.169.254", "0.0.0.0",
    "[::1]", "[::]", "[fe80::1]", "[fd00::1]", "[fd00:ec2::254]", "[::ffff:127.0.0.1]", "[::ffff:a00:1]",
    "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "224.0.0.1",
]  # fmt: skip
# Spellings that only the resolver reads as an address.
ODD = ["0x7f.1", "2130706433", "127.1", "localhost", "017700000001"]


@pytest.mark.parametrize("host", LITERALS)
def test_an_internal_address_is_refused_beside_the_field(admin: User, host: str) -> None:
    fields = {"name": "x", "url": f"http://{host}/hook", "kinds": ["all"]}
    with pytest.raises(Refused) as refused:
        actions.create(Actor.of(admin), fields=fields)
    assert refused.value.field == "url" and WebhookEndpoint.objects.count() == 0


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]"])
def test_where_credentials_lie_is_refused_even_if_internal_is_allowed(admin: User, host: str) -> None:
    fields = {"name": "x", "url": f"http://{host}/", "kinds": ["all"], "allow_internal": True}
    with pytest.raises(Refused):
        actions.create(Actor.of(admin), fields=fields)


@pytest.mark.parametrize("host", [*LITERALS[:1], *LITERALS[7:8], *ODD])
def test_nothing_is_connected_to_whatever_the_spelling(receiver: Product, admin: User, host: str) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    place = f"http://{host}:{receiver.port}"
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(place=place, allow_internal=False)
    make_alert()
    run()
    assert receiver.seen == []
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state == "waiting" and "internal address" in delivery.said) or "cannot be" in delivery.said


def test_a_name_that_leads_inside_is_not_followed(
    receiver: Product, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo
    answers = iter(["127.0.0.1"] * 10)

    def inside(host: str, *args: Any, **more: Any) -> Any:
        return real(next(answers) if host == "hooks.example.com" else host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", inside)
    endpoint, _ = endpoint_to(receiver, admin, allow_internal=False, url=f"http://hooks.example.com:{receiver.port}/")
    make_alert()
    run()
    assert receiver.seen == [] and "internal address" in WebhookDelivery.objects.get(endpoint=endpoint).said


def test_a_redirect_inside_is_not_followed(receiver: Product, admin: User) -> None:
    inner = Product()
    try:
        endpoint_to(receiver, admin)
        receiver.replies = [status(302, Location=f"{inner.url}/admin")]
        make_alert()
        run()
        assert len(receiver.seen) == 1 and inner.seen == []
    finally:
        inner.stop()


@pytest.mark.parametrize(
    "url",
    ["ftp://x.example/", "javascript:alert(1)", "//x.example/", "https://", "https://u:p@x.example/", "https://x:99999/",
     "https://x.example/#a", "https://x.example/a b", "https://x.example/\r\nHost: y", "https://x.example/../a",
     "https://x.example//a", "http://[::1", "x", "https://x.example\\@y/", "https://ü.example/"],
)  # fmt: skip
def test_what_is_no_address_is_refused(admin: User, url: str) -> None:
    with pytest.raises(Refused) as refused:
        actions.create(Actor.of(admin), fields={"name": "x", "url": url, "kinds": ["all"]})
    assert refused.value.field == "url"
