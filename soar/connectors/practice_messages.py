"""What the practice range was told, made readable: each stand-in keeps messages in the form of its product."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from soar.lib.clock import moment_of
from soar.lib.http import Client, Limits, RemoteError, json_or_error

LIMITS = Limits(connect=2, read=3, total=5, tries=1)


@dataclass(frozen=True, slots=True)
class Shown:
    """A message for the page. ``lines``: its text; ``link``: where it leads; ``marks``: (name, value) about it."""

    id: int
    at: datetime | None
    title: str
    lines: list[str]
    link: str = ""
    marks: list[tuple[str, str]] = field(default_factory=list)
    html: str = ""


def messages_of(kind: str, place: dict[str, str]) -> list[Shown]:
    """What the stand-in at ``place`` was told, newest first. Raises RemoteError when it does not answer."""
    with Client(place["control"], allow_internal=True, limits=LIMITS) as client:
        state = json_or_error(client.request("GET", "/state"))
    if not isinstance(state, dict):
        raise RemoteError("The practice range answers with something else.", permanent=True)
    found = [READERS[kind](one) for one in state.get("messages", [])]
    return sorted(map(_safe, found), key=lambda one: one.id, reverse=True)


def _safe(one: Shown) -> Shown:
    """A link that is none of the web is no link: anybody on this machine can tell a stand-in things."""
    return one if one.link.startswith(("https://", "http://")) else replace(one, link="")


def _mail(one: dict[str, Any]) -> Shown:
    marks = [("From", one["from"]), ("To", one["to"])]
    if one["in_reply_to"]:
        marks.append(("In reply to", one["in_reply_to"]))
    marks.append(("Message-ID", one["message_id"]))
    return Shown(*_head(one), one["subject"], one["text"].splitlines(), marks=marks, html=one["html"])


def _slack(one: dict[str, Any]) -> Shown:
    lines, link = [], ""
    for block in one["blocks"]:
        lines += _plain(block.get("text", {}).get("text", "")) if block["type"] == "section" else []
        for part in block.get("fields", []):
            lines.append(": ".join(_plain(part["text"])))
        if block["type"] == "actions":
            link = block["elements"][0].get("url", "")
    return Shown(*_head(one), html.unescape(one["text"]), lines, link)


def _teams(one: dict[str, Any]) -> Shown:
    texts = ["".join(run["text"] for run in _runs(part)) for part in one["card"]["body"]]
    link = next((act["url"] for act in one["card"].get("actions", [])), "")
    return Shown(*_head(one), texts[0] if texts else "", texts[1:], link)


def _mattermost(one: dict[str, Any]) -> Shown:
    text, _, link = one["text"].strip("*").rpartition("](")
    lines: list[str] = []
    for part in one["attachments"]:
        lines += [_bare(line) for line in part.get("text", "").splitlines()]
        lines += [f"{_bare(fact['title'])}: {_bare(fact['value'])}" for fact in part.get("fields", [])]
    return Shown(*_head(one), _bare((text or link).strip("[")), lines, link.rstrip(")*") if text else "")


def _webhook(one: dict[str, Any]) -> Shown:
    signed = {True: "right", False: "wrong", None: "none"}[one["signed"]]
    marks = [("webhook-id", one["webhook_id"]), ("Signature", signed)]
    return Shown(*_head(one), one["headers"].get("content-type", ""), one["body"].splitlines(), marks=marks)


def _head(one: dict[str, Any]) -> tuple[int, datetime | None]:
    return one["id"], moment_of(one["at"])


def _runs(part: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = part.get("inlines", [])
    return found + [run for inner in part.get("items", []) for run in _runs(inner)]


def _plain(text: str) -> list[str]:
    return [html.unescape(line).replace("*", "") for line in text.splitlines()]


def _bare(text: str) -> str:
    """Markdown of Mattermost without its backslashes and stars."""
    return text.replace("\\", "").replace("**", "").replace("\u2060", "")


READERS: dict[str, Callable[[dict[str, Any]], Shown]] = {
    "smtp": _mail,
    "slack": _slack,
    "teams": _teams,
    "mattermost": _mattermost,
    "webhook": _webhook,
}
