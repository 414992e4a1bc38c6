"""The messages of a Workbench alert: what can be quarantined or deleted needs its Message-ID with its mailbox, or the
product's own unique id."""

from __future__ import annotations

from typing import Any

from cases.ingest.flat import objects, string

ID, UNIQUE = "email_message_id", "email_message_unique_id"
MOST = 100


def messages_of(indicators: Any, entities: Any, observables: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """An entity of type ``message`` for each message in each mailbox, with ``message_id``, ``unique_id``, ``mailbox``,
    ``subject`` and ``sender`` as far as they are known.

    ``observables``: what the highlighted objects became, by the id of their indicator: a message belongs to all those
    of its alert."""
    rows = objects(indicators)
    ids = [one for one in rows if one.get("type") == ID and string(one.get("value"))]
    uniques = [string(one.get("value")) for one in rows if one.get("type") == UNIQUE and string(one.get("value"))]
    boxes = _mailboxes(entities)
    found = _by_unique(uniques, ids, boxes) if uniques else _by_id(ids, boxes)
    common = {
        **_only("subject", rows, "email_subject"),
        **_only("sender", rows, "email_sender"),
        "observables": [list(pair) for pair in dict.fromkeys(observables.values())],
    }
    return [{"type": "message", "name": _name(one), **one, **common} for one in found[:MOST]]


def _by_unique(uniques: list[str], ids: list[dict[str, Any]], boxes: dict[str, str]) -> list[dict[str, str]]:
    """As many ids of both sorts are two names of the same messages, in one order; else the unique ones alone count."""
    box = {"mailbox": next(iter(boxes.values()))} if len(boxes) == 1 else {}
    if len(ids) != len(uniques):
        return [{"unique_id": unique, **box} for unique in uniques]
    names = [string(one.get("value")) for one in ids]
    return [{"message_id": name, "unique_id": unique, **box} for name, unique in zip(names, uniques, strict=True)]


def _by_id(ids: list[dict[str, Any]], boxes: dict[str, str]) -> list[dict[str, str]]:
    return [
        {"message_id": string(one.get("value")), **({"mailbox": box} if box else {})}
        for one in ids
        for box in _boxes_of(one, boxes)
    ]


def _name(one: dict[str, str]) -> str:
    """What names it for people, different for each mailbox that the same message lies in."""
    name = one.get("message_id") or one["unique_id"]
    return f"{name} in {one['mailbox']}" if one.get("mailbox") else name


def _mailboxes(entities: Any) -> dict[str, str]:
    """Addresses of the mailboxes concerned, by the entity's id."""
    found = [one for one in objects(entities) if one.get("entityType") == "emailAddress"]
    return {
        string(one.get("entityId")) or address: address for one in found if (address := string(one.get("entityValue")))
    }


def _boxes_of(indicator: dict[str, Any], boxes: dict[str, str]) -> list[str]:
    """The mailboxes that the source relates a message to; all of the alert where it relates none."""
    related = indicator.get("relatedEntities")
    named = [boxes[string(ref)] for ref in related if string(ref) in boxes] if isinstance(related, list) else []
    return named or list(boxes.values()) or [""]


def _only(name: str, rows: list[dict[str, Any]], kind: str) -> dict[str, str]:
    """The value of that kind if there is just one: of several nobody knows which belongs to which message."""
    values = {string(one.get("value")) for one in rows if one.get("type") == kind and string(one.get("value"))}
    return {name: values.pop()} if len(values) == 1 else {}
