"""The practice range's ServiceNow for people who play the other side: what it holds, and telling it what to do."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soar.lib.answers import Answer
from soar.lib.http import Client, Limits, json_or_error
from soar.standins.servicenow.times import moment_of

LIMITS = Limits(connect=2, read=10, total=10, tries=1)
KIND = "servicenow"
SHOWN = 100
# Of a ticket, those that its page shows and changes.
CHANGED = (
    "short_description", "state", "hold_reason", "impact", "urgency", "assigned_to", "assignment_group", "close_code",
    "close_notes",
)  # fmt: skip
Wish = dict[str, Any]


class Declined(Exception):
    """ServiceNow's own words for why it was not done."""


@dataclass(frozen=True, slots=True)
class Line:
    """A journal entry or attachment for the page."""

    at: datetime | None
    who: str
    what: str
    text: str


def ask(place: dict[str, str], verb: str, **asked: str) -> Any:
    """What its control shows. Raises RemoteError; ``status`` 404 for a ticket that is not there."""
    with Client(place["control"], allow_internal=True, limits=LIMITS) as client:
        return json_or_error(client.request("GET", f"/{verb}", params=asked))


def tell(place: dict[str, str], verb: str, wish: Wish) -> Any:
    """Make it do something. Raises Declined with its words, RemoteError when it does not answer."""
    with Client(place["control"], allow_internal=True, limits=LIMITS) as client:
        answer = client.request("POST", f"/{verb}", json=wish)
    if not answer.ok and (words := _words(answer)):
        raise Declined(words)
    return json_or_error(answer)


def differing(posted: dict[str, str]) -> dict[str, str]:
    """The fields that the person changed: what stood there when the page was drawn is sent along as ``was_<field>``.

    So that a form left open takes nothing back that changed meanwhile."""
    return {
        name: posted[name].strip()
        for name in CHANGED
        if name in posted and posted[name].strip() != posted.get(f"was_{name}", "").strip()
    }


def lines_of(ticket: Wish) -> list[Line]:
    """The journal, newest first."""
    return [
        Line(_moment(one["sys_created_on"]), one["sys_created_by"], one["element"], one["value"])
        for one in reversed(ticket["journal"])
    ]


def files_of(ticket: Wish) -> list[Line]:
    """The attachments, newest first."""
    return [
        Line(_moment(one["sys_created_on"]), one["sys_created_by"], one["file_name"], one["size_bytes"])
        for one in reversed(ticket["attachments"])
    ]


def changed_at(fields: dict[str, str]) -> datetime | None:
    """When a ticket was changed last."""
    return _moment(fields["sys_updated_on"])


def _moment(stored: str) -> datetime | None:
    try:
        return moment_of(stored)
    except ValueError:
        return None


def _words(answer: Answer) -> str:
    try:
        error = json.loads(answer.body)["error"]
        return ": ".join(str(one) for one in (error["message"], error["detail"]) if one)
    except (ValueError, KeyError, TypeError):
        return ""
