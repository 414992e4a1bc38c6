"""Outgoing webhooks in tests: a receiver over HTTP, an endpoint that leads to it, the part of worker and scheduler.

The signature is checked by its definition, with nothing of the product's code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from cases import tasks
from cases.actions import webhooks as actions
from cases.actors import Actor
from cases.models import WebhookDelivery, WebhookEndpoint
from soar.accounts.models import User
from tests.connector_server import Product

OURS = "cases.tasks.webhooks_"
UNANSWERED: Any = lambda handler: handler.connection.close()  # noqa: E731  the connection is closed instead


@pytest.fixture
def receiver() -> Iterator[Product]:
    """A program that takes webhooks."""
    product = Product()
    product.replies = [status(204)]
    yield product
    product.stop()


def status(code: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """An answer without a body."""
    return code, {name.replace("_", "-"): text for name, text in headers.items()}, b""


def endpoint_to(receiver: Product, owner: User, **fields: Any) -> tuple[WebhookEndpoint, str]:
    """An endpoint for all kinds, and its secret."""
    given = {"name": "Data lake", "url": f"{receiver.url}/hook/?key=s3cr3t", "kinds": ["all"], "allow_internal": True}
    return actions.create(Actor.of(owner), fields={**given, **fields})


def run() -> int:
    """Run what is queued for webhooks until nothing is. Returns how many tasks that were."""
    for done in range(500):
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM soar_queue WHERE id = (SELECT min(id) FROM soar_queue WHERE task LIKE %s)"
                " RETURNING task, args::text",
                [OURS + "%"],
            )
            row = cursor.fetchone()
        if row is None:
            return done
        getattr(tasks, row[0].rpartition(".")[2])(*json.loads(row[1]))
    raise AssertionError("the queue never ends")


def later(endpoint: WebhookEndpoint) -> None:
    """The time of the next try has come."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookDelivery.objects.filter(endpoint=endpoint, finished_at=None).update(due_at=past)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(resume_at=None)
    tasks.webhooks_due()
    run()


def signed(request: dict[str, Any], secret: str) -> bool:
    """Whether a request is signed with the secret, by the text of Standard Webhooks."""
    headers = {name.lower(): text for name, text in request["headers"].items()}
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request["body"]
    right = "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return right in headers["webhook-signature"].split(" ")


def told(receiver: Product) -> list[dict[str, Any]]:
    """The bodies that came, in order."""
    return [json.loads(request["body"]) for request in receiver.seen]


def ids(receiver: Product) -> list[str]:
    """The ``webhook-id`` of each request."""
    return [{name.lower(): text for name, text in one["headers"].items()}["webhook-id"] for one in receiver.seen]
