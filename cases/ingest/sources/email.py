"""Messages of a mailbox, above all those that people report: the alert is about the message that was reported.

``item`` is the document that ``cases.ingest.mail`` makes of a message, an object with the message itself in ``raw``
(text) or ``raw_base64``, or any other JSON, which is read as *generic* reads it."""

from __future__ import annotations

import binascii
from typing import Any

from cases.ingest.flat import string
from cases.ingest.gather import Gather
from cases.ingest.mail.document import FORMAT, document
from cases.ingest.normal import NormalAlert, canonical_key
from cases.ingest.sources import generic
from cases.ingest.sources.email_parts import (
    Message,
    auth_failed,
    dangerous,
    describe,
    is_lure,
    tags_of,
)
from cases.ingest.text import cut
from cases.ingest.when import parse_time

MOST_FILES = 100  # told as entities; all of them are observables
REPORTED, RECEIVED = "Reported message", "Message"
FILE_TECHNIQUE, LINK_TECHNIQUE = "T1566.001", "T1566.002"


def raw_of(item: dict[str, Any]) -> bytes | None:
    """The message that an object carries in ``raw`` or ``raw_base64``, None if it carries none."""
    given = item.get("raw_base64")
    if isinstance(given, str) and given.strip():
        try:
            return binascii.a2b_base64(given.encode("ascii", "ignore"))
        except binascii.Error:
            return None
    text = item.get("raw")
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) and text.strip() else None


def normalise(item: dict[str, Any]) -> NormalAlert:
    """A NormalAlert of a message; of any other object what its fields say."""
    if item.get("format") == FORMAT:
        return _read(Message(item))
    raw = raw_of(item)
    told = document(raw) if raw is not None else None
    return _read(Message(told)) if told else generic.normalise(item)


def _read(message: Message) -> NormalAlert:
    gather = Gather()
    alert = NormalAlert(title=_title(message), notes=list(message.notes))
    alert.source_ref = message.id or message.report_id
    alert.dedup_key = _key(message)
    alert.detection_model = REPORTED if message.reported else RECEIVED
    alert.severity = _severity(message)
    alert.description = describe(message)
    alert.occurred_at = parse_time(message.report_at) or parse_time(message.date)
    alert.first_seen = parse_time(message.date)
    alert.username = message.reporter if message.reported else ""
    alert.source_ip = message.sending_ip
    alert.tags = tags_of(message)
    alert.techniques = _techniques(message)
    _people(message, gather)
    _trail(message, gather)
    _content(message, gather)
    alert.entities = _entities(message, gather)
    return generic.complete(alert, gather)


def _title(message: Message) -> str:
    lead = REPORTED if message.reported else RECEIVED
    if subject := message.subject.strip():
        return f"{lead}: {subject}" if message.reported else subject
    if sender := message.sender_shown:
        return f"{lead} from {sender}"
    return f"{lead} without subject and sender"


def _key(message: Message) -> str:
    """The Message-ID, with a digest of what makes the message up: an id is written by the sender, who may use that of
    a harmless message again. Without an id, the digest alone tells."""
    hosts = sorted({one["url"].partition("://")[2].partition("/")[0].lower() for one in message.links})
    files = sorted(one["sha256"] for one in message.files if not one["beside"])
    essence = [message.sender.lower(), " ".join(message.subject.split()).lower(), hosts, files]
    if message.id:
        return f"{cut(message.id, 200)} {canonical_key(essence)[:12]}"
    return canonical_key([*essence, " ".join(message.text.split())[:5_000], message.date])


def _severity(message: Message) -> str | None:
    """High for a file that runs or a link that shows another address than it leads to; medium where the sender is
    proven not to be who is named; else what the source says."""
    if any(dangerous(one["name"]) for one in message.files) or any(is_lure(one) for one in message.links):
        return "high"
    return "medium" if message.reported and auth_failed(message.authentication) else None


def _techniques(message: Message) -> list[str]:
    """Phishing by file or by link, of what somebody has reported; a message as such is no attack."""
    if not message.reported:
        return []
    by_file = [FILE_TECHNIQUE] if any(not one["beside"] and not one["inline"] for one in message.files) else []
    return by_file + ([LINK_TECHNIQUE] if message.links else [])


def _people(message: Message, gather: Gather) -> None:
    gather.add("email", message.sender, "sender", True)
    for one in message.reply_to:
        gather.add("email", one, "reply_to", one.lower() != message.sender.lower())
    gather.add("email", message.return_path, "return_path")
    for one in message.recipients:
        gather.add("email", one, "recipient")
    if message.reported:
        gather.add("email", message.reporter, "reporter")


def _trail(message: Message, gather: Gather) -> None:
    gather.add("ip", message.sending_ip, "sending_ip", True)
    for hop in message.received:
        gather.add("ip", string(hop.get("ip")), "received")
        gather.add("domain", string(hop.get("from")), "received")


def _content(message: Message, gather: Gather) -> None:
    for one in message.links:
        kind, _, rest = one["url"].partition(":")
        if kind.lower() == "mailto":
            gather.add("email", rest.partition("?")[0], "link")
        else:
            gather.add("url", one["url"], one["role"], one["role"] in ("link", "form"))
    for one in message.files:
        if not one["inline"]:
            gather.add("sha256", one["sha256"], "attachment", not one["beside"])
            gather.add("file_name", one["name"], "attachment", not one["beside"])
    gather.text(f"{message.subject}\n{message.text}")


def _entities(message: Message, gather: Gather) -> list[dict[str, Any]]:
    """The message, in the mailbox that it was reported from, with what was highlighted in it; its files and links; and
    who reported it."""
    highlighted = [[one.type, one.value] for one in gather.found() if one.highlighted]
    entities: list[dict[str, Any]] = [{
        "type": "message", "name": message.id or message.subject or "message", "message_id": message.id,
        "mailbox": message.reporter if message.reported else next(iter(message.recipients), ""),
        "subject": message.subject, "sender": message.sender, "observables": highlighted[:200],
    }]  # fmt: skip
    if message.reported and message.reporter:
        # Related to their own address alone: what the message is rated says nothing against who reported it.
        entities.append({"type": "account", "name": message.reporter, "observables": [["email", message.reporter]]})
    entities += [_file(one) for one in message.files[:MOST_FILES]]
    return [{key: value for key, value in one.items() if value not in ("", [])} for one in entities]


def _file(one: dict[str, Any]) -> dict[str, Any]:
    about = {"media_type": one["type"], "size": f"{one['size']:,} bytes", "sha256": one["sha256"]}
    return {"type": "file", "name": one["name"] or one["type"] or "file", **about}
