"""The inline policy that denies everything, and remembers which access keys were deactivated with it. Pure.

What is remembered stands at AWS itself, in the names of statements, so it outlives whoever wrote it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qs, unquote

NAME = "SoarRevokedAccess"
SID = "SoarDenyAll"
KEY_SID = "SoarDeactivated"
KEY_ID = re.compile(r"[A-Z0-9]{16,128}")


def document(keys: Iterable[str]) -> str:
    """The policy as JSON."""
    sids = [SID, *(f"{KEY_SID}{key}" for key in sorted(keys))]
    statements = [{"Sid": sid, "Effect": "Deny", "Action": "*", "Resource": "*"} for sid in sids]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def remembered(text: str) -> set[str]:
    """The keys that a policy remembers; ``text`` may be escaped as in addresses, as AWS gives it back."""
    plain = text if text.lstrip().startswith("{") else unquote(text)
    try:
        found: Any = json.loads(plain)
    except ValueError:
        return set()
    statements = found.get("Statement") if isinstance(found, dict) else None
    sids = [str(one.get("Sid", "")) for one in statements or [] if isinstance(one, dict)]
    keys = {sid.removeprefix(KEY_SID) for sid in sids if sid.startswith(KEY_SID)}
    return {key for key in keys if KEY_ID.fullmatch(key)}


def sent(body: str, user: str) -> set[str]:
    """The keys that a kept request of ours remembers for ``user``."""
    form = parse_qs(body)
    if form.get("UserName") != [user]:
        return set()
    return {key for text in form.get("PolicyDocument", []) for key in remembered(text)}
