"""The example of docs/api.md that checks a webhook's signature, against what is really sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from cases.webhooks.choosing import GROUPS
from soar.accounts.models import User
from tests.connector_server import Product
from tests.factories import make_alert
from tests.webhook_tools import endpoint_to, receiver, run, told

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db
PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text(encoding="utf-8")


def test_the_example_takes_what_is_sent_and_nothing_else(receiver: Product, admin: User) -> None:
    found: dict[str, Any] = {}
    (code,) = [one for one in re.findall(r"^```python tried\n(.*?)^```$", PAGE, re.M | re.S) if "webhook-id" in one]
    exec(compile(code, "docs/api.md", "exec"), found)
    _, secret = endpoint_to(receiver, admin)
    make_alert("Odd login")
    run()
    request = receiver.seen[0]
    headers = {name.lower(): text for name, text in request["headers"].items()}
    assert found["verified"](secret, headers, request["body"]) is True
    assert found["verified"](secret, headers, request["body"] + b" ") is False
    assert found["verified"](secret, {**headers, "webhook-timestamp": "1000"}, request["body"]) is False
    assert found["verified"]("whsec_" + "A" * 44, headers, request["body"]) is False


def test_the_page_names_what_is_sent(receiver: Product, admin: User) -> None:
    endpoint_to(receiver, admin)
    make_alert()
    run()
    [body] = told(receiver)
    for name in (*body, *body["data"], *body["data"]["entry"], *(f"group:{one}" for one in GROUPS)):
        assert name in PAGE, name
