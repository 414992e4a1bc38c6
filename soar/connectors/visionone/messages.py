"""Searching mailboxes for messages like the one of the alert (rulings 12). The hits are objects to act on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import HASH, MESSAGE, SENDER, URL, Result, Target
from soar.connectors.visionone.client import ascii_header, objects
from soar.connectors.visionone.commands import lacks
from soar.connectors.visionone.part import Part, Requests
from soar.lib import clock

PATH = "search/emailActivities"
TIME = "%Y-%m-%dT%H:%M:%SZ"
HOURS = 168
MOST_HITS = 200
MOST_PAGES = 40  # a page may be empty while the search is under way
HASH_FIELDS = {"sha1": "attachmentSha1", "sha256": "attachmentSha256", "md5": "attachmentMd5"}


class Messages(Part):
    """``params``: ``hours`` to look back (168). ``data["objects"]``: ``{"kind": "message", "type", "value", "facts":
    {"message_id", "mailbox", "unique_id", "subject", "sender", "received_at"}}``, one for each mailbox."""

    serves: ClassVar[frozenset[str]] = frozenset({"find_messages"})
    repeatable: ClassVar[frozenset[str]] = serves

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """See Part. It reads only, so it is done at once."""
        query = query_of(target)
        search = {"params": window(params), "headers": {"TMV1-Query": query}}
        hits: dict[tuple[str, str], dict[str, Any]] = {}
        more = False
        for page in self.api.pages(capability, PATH, most=MOST_PAGES, **search):
            for item in objects(page.get("items")):
                hit = hit_of(item)
                if hit is not None:
                    hits.setdefault((hit["value"], hit["facts"].get("mailbox", "")), hit)
            if len(hits) > MOST_HITS:
                more = True
                break
        found = list(hits.values())[:MOST_HITS]
        number = f"More than {MOST_HITS}" if more else str(len(found))
        text = f"{number} related {'message' if number == '1' else 'messages'} found."
        request = {"method": "GET", "path": f"/{PATH}", **search}
        return Result("done", text, request=request, data={"objects": found, "more": more})

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """See Part."""
        return [self.preview("GET", PATH, params=window(params), headers={"TMV1-Query": query_of(target)})]


def query_of(target: Target) -> str:
    """The search for what is like ``target``. Raises ConnectorError."""
    value = target.value.strip()
    if not value:
        raise lacks(target, "its value")
    if target.kind == SENDER:
        return _is("mailFromAddresses", value)
    if target.kind == URL:
        return _is("mailUrlsRealLink", value)
    if target.kind == HASH:
        return _is(HASH_FIELDS.get(str(target.facts.get("type") or ""), "attachmentSha1"), value)
    if target.kind == MESSAGE:
        return _like(target, str(target.facts.get("message_id") or value))
    raise ConnectorError(f"Vision One cannot search messages by {target.kind}.", permanent=True)


def _like(target: Target, value: str) -> str:
    """The same message in other mailboxes, and others of the same sender with the same subject."""
    same = _is("mailMsgId", value)
    sender, subject = str(target.facts.get("sender") or ""), str(target.facts.get("subject") or "")
    if not sender or not subject or not (sender + subject).isascii():
        return same
    return f"{same} OR ({_is('mailFromAddresses', sender)} AND {_is('mailMsgSubject', subject)})"


def _is(field: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return ascii_header(f'{field}:"{escaped}"')


def window(params: dict[str, Any]) -> dict[str, Any]:
    """From when to when is looked. Raises ConnectorError."""
    hours = params.get("hours") or HOURS
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 < hours <= 24 * 90:
        raise ConnectorError(f"Hours must be a whole number up to {24 * 90}, not {hours!r}.", permanent=True)
    end = clock.now()
    start = end - timedelta(hours=hours)
    return {"startDateTime": start.strftime(TIME), "endDateTime": end.strftime(TIME), "top": 500}


def hit_of(item: dict[str, Any]) -> dict[str, Any] | None:
    """A found message as an object; None for one that nothing can be done to (no id)."""
    identity = _text(item.get("mailMsgId"))
    unique = _text(item.get("uniqueId"))
    if not identity and not unique:
        return None
    mailbox = _text(item.get("mailbox"))
    facts = {
        "message_id": identity,
        "mailbox": mailbox,
        "unique_id": unique,
        "subject": _text(item.get("mailMsgSubject")),
        "sender": _text(item.get("mailFromAddresses")),
        "received_at": _text(item.get("eventTimeDT") or item.get("mailDeliveryTime")),
    }
    known = {name: value for name, value in facts.items() if value}
    # The same message in two mailboxes is two things to act on, so the mailbox is part of the name.
    name = f"{identity or unique} in {mailbox}" if mailbox else identity or unique
    return {"kind": MESSAGE, "type": MESSAGE, "value": name, "facts": known}


def _text(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    return str(first)[:1000] if isinstance(first, str | int) else ""
