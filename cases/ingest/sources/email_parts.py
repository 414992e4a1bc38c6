"""A message's document by name, whatever stands in it, and what is told of it: description, tags, what is a lure."""

from __future__ import annotations

import re
from typing import Any

from cases.ingest.flat import objects, string
from cases.ingest.shapes import as_domain
from cases.ingest.suffixes import suffix_length
from cases.ingest.text import cut

LONGEST_TEXT = 60_000  # of a message, in the description
# Files that run, or carry or hide what runs, when somebody opens them.
DANGEROUS = re.compile(
    r"(?i)\.(?:exe|scr|com|pif|cpl|dll|msi|msix|appx|bat|cmd|ps1|psm1|vbs|vbe|js|jse|wsf|wsh|hta|jar|lnk|url|iso|img|vhdx?|"
    r"one|chm|reg|scf|docm|dotm|xlsm|xlam|xll|pptm|ppam|ace|cab|html?|shtml|svg|apk|rdp|library-ms|settingcontent-ms)\s*$"
)
BAD = frozenset({"fail", "softfail", "permerror"})
LABEL = re.compile(r"(?i)^(?:https?://)?((?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24})(?=[/:?#\s]|$)")
METHODS = ("spf", "dkim", "dmarc", "compauth", "arc")


class Message:
    """The parts of a document, each of the type that it should have: a sender may have posted anything under its
    format."""

    def __init__(self, item: dict[str, Any]) -> None:
        report = _object(item.get("report"))
        self.reported = string(item.get("reported")) in ("attached", "inline")
        self.reporter = _address(report.get("by"))
        self.reporter_shown = _shown(report.get("by"))
        self.report_at, self.note = string(report.get("at")), string(report.get("note"))
        self.report_id = string(report.get("message_id"))
        self.sender, self.sender_shown = _address(item.get("from")), _shown(item.get("from"))
        self.reply_to = [_address(one) for one in objects(item.get("reply_to"))[:20]]
        self.return_path = string(item.get("return_path"))
        people = [*objects(item.get("to")), *objects(item.get("cc"))]
        self.recipients = [address for one in people[:100] if (address := _address(one))]
        self.subject, self.id = string(item.get("subject")), string(item.get("message_id"))
        self.date, self.text = string(item.get("date")), string(item.get("text"))
        self.received, self.sending_ip = objects(item.get("received"))[:50], string(item.get("sending_ip"))
        self.authentication = {name: string(_object(item.get("authentication")).get(name)) for name in METHODS}
        self.links = [_link(one) for one in objects(item.get("links"))[:500]]
        self.files = [_file(one) for one in objects(item.get("attachments"))[:200]]
        notes = item.get("notes")
        self.notes = [string(one) for one in notes[:50]] if isinstance(notes, list) else []


def describe(message: Message) -> str:
    """Who reported it and with what words, the headers that matter, the files and links, and its text."""
    lines: list[str] = []
    if message.reported:
        lines.append(f"Reported by {message.reporter_shown or 'somebody without an address'}")
        lines += [message.note, ""] if message.note else [""]
    facts = [
        ("From", message.sender_shown),
        ("Reply-To", ", ".join(message.reply_to)),
        ("Return-Path", message.return_path),
        ("To", ", ".join(message.recipients[:10])),
        ("Subject", message.subject),
        ("Date", message.date),
        ("Message-ID", message.id),
        ("Sent from", message.sending_ip),
        ("Authentication", ", ".join(f"{name} {word}" for name, word in message.authentication.items() if word)),
        ("Attachments", ", ".join(_named(one) for one in message.files[:20])),
        *(("Link", _told(one)) for one in message.links[:20] if one["role"] in ("link", "form")),
    ]
    lines += [f"{name}: {value}" for name, value in facts if value]
    return "\n".join([*lines, "", cut(message.text, LONGEST_TEXT)]).strip()


def tags_of(message: Message) -> list[str]:
    """Words to filter by: how it came and what speaks against it."""
    host = message.sender.rpartition("@")[2].lower()
    others = [one.rpartition("@")[2].lower() for one in message.reply_to if one]
    wanted = {
        "reported-message": message.reported,
        "attachment": any(not one["inline"] and not one["beside"] for one in message.files),
        "dangerous-attachment": any(dangerous(one["name"]) for one in message.files),
        "misleading-link": any(is_lure(one) for one in message.links),
        "other-reply-to": bool(host) and any(one != host for one in others),
        **{f"{name}-{word}": word in BAD for name, word in message.authentication.items()},
    }
    return [tag for tag, holds in wanted.items() if holds]


def dangerous(name: str) -> bool:
    """Whether a file of that name runs, or carries what does, when it is opened."""
    return bool(DANGEROUS.search(name[-100:]))


def is_lure(link: dict[str, str]) -> bool:
    """Whether a link shows the address of one owner and leads to another's."""
    match = LABEL.match(link["label"].strip())
    if not match or link["role"] != "link" or not link["url"].lower().startswith(("http://", "https://")):
        return False
    shown = _owner(match[1])
    host = re.split(r"[/?#]", link["url"].partition("://")[2], maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    return bool(shown) and shown != _owner(host)


def auth_failed(results: dict[str, str]) -> bool:
    """Whether DMARC says that the sender is not who is named; without DMARC, SPF and no good signature."""
    if results["dmarc"]:
        return results["dmarc"] in BAD
    return results["spf"] in BAD and results["dkim"] != "pass"


def _owner(host: str) -> str:
    """The registrable domain of a host, "" where it has none."""
    name = as_domain(host)
    return ".".join(name.split(".")[-suffix_length(name) - 1 :]) if name else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _address(value: Any) -> str:
    return string(_object(value).get("address"))


def _shown(value: Any) -> str:
    name, address = string(_object(value).get("name")), _address(value)
    return f"{name} <{address}>" if name and address else name or address


def _link(one: dict[str, Any]) -> dict[str, str]:
    return {name: string(one.get(name)) for name in ("url", "role", "label", "wrapped")}


def _file(one: dict[str, Any]) -> dict[str, Any]:
    size = one.get("size")
    flags = {name: one.get(name) is True for name in ("inline", "beside")}
    texts = {name: string(one.get(name)) for name in ("name", "type", "sha256")}
    return {**texts, **flags, "size": size if isinstance(size, int) else 0}


def _named(one: dict[str, Any]) -> str:
    return f"{one['name'] or one['type']} ({one['size']:,} bytes, SHA-256 {one['sha256']})"


def _told(one: dict[str, str]) -> str:
    return f"{one['url']} (shown as {one['label']})" if one["label"] and one["label"] != one["url"] else one["url"]
