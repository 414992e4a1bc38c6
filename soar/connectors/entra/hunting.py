"""Questions to Defender's advanced hunting, in its language KQL, by way of Graph."""

from __future__ import annotations

from typing import Any

from soar.connectors.capabilities import HASH, SENDER, URL, Target
from soar.connectors.microsoft.api import MicrosoftApi, refused, text_of

PATH = "v1.0/security/runHuntingQuery"
HOURS, MOST_HOURS = 168, 24 * 30  # it keeps thirty days
MOST_HITS = 200
SHOWN = "NetworkMessageId, InternetMessageId, RecipientEmailAddress, Subject, SenderFromAddress, Timestamp"
NEWEST = f"project {SHOWN} | order by Timestamp desc | take {MOST_HITS + 1}"
Row = dict[str, Any]


def rows(api: MicrosoftApi, operation: str, query: str, hours: int) -> list[Row]:
    """What a query finds. It only reads, so it may be repeated. Raises ConnectorError."""
    answer = api.call(operation, "POST", PATH, json=body(query, hours), idempotent=True)
    found = api.understood(answer).get("results")
    if not isinstance(found, list):
        raise refused("Graph answered a hunting query with something else.")
    return [one for one in found if isinstance(one, dict)]


def body(query: str, hours: int) -> dict[str, Any]:
    """The JSON of the request."""
    return {"Query": query, "Timespan": f"PT{hours}H"}


def hours_of(params: dict[str, Any]) -> int:
    """How far to look back. Raises ConnectorError."""
    hours = params.get("hours") or HOURS
    if isinstance(hours, bool) or not isinstance(hours, int) or not 0 < hours <= MOST_HOURS:
        raise refused(f"Hours must be a whole number up to {MOST_HOURS}, not {hours!r}.")
    return hours


def quoted(value: str) -> str:
    """``value`` as a text of KQL. Raises ConnectorError for line breaks and the like, which no such text holds."""
    if not value.isprintable():
        raise refused("A search takes no line breaks or control characters.")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def like(target: Target) -> str:
    """The query for messages like ``target``: of its sender, with its URL or its file, or the message itself in other
    mailboxes. Raises ConnectorError."""
    value = target.value.strip()
    if not value:
        raise refused("The target does not tell its value.")
    if target.kind == SENDER:
        senders = f"SenderFromAddress =~ {quoted(value)} or SenderMailFromAddress =~ {quoted(value)}"
        return f"EmailEvents | where {senders} | {NEWEST}"
    if target.kind == URL:
        return _joined("EmailUrlInfo", f"Url =~ {quoted(value)}")
    if target.kind == HASH:
        if len(value) != 64:
            raise refused(f"Defender searches the files of messages by SHA-256 alone: {value}.")
        return _joined("EmailAttachmentInfo", f"SHA256 =~ {quoted(value)}")
    return f"EmailEvents | where {_same(target, value)} | {NEWEST}"


def one_message(identity: str, mailbox: str) -> str:
    """The query for the message in one mailbox."""
    return f"EmailEvents | where {_known_as(identity)} and RecipientEmailAddress =~ {quoted(mailbox)} | {NEWEST}"


def place_of(network_id: str, mailbox: str) -> str:
    """The query for where the message lies now."""
    return (
        f"EmailEvents | where NetworkMessageId == {quoted(network_id)} and RecipientEmailAddress =~ {quoted(mailbox)}"
        " | project LatestDeliveryLocation | take 1"
    )


def remediated(network_id: str, mailbox: str, since: str) -> str:
    """The query for what became of the message by hand of an administrator or an app, the last thing first."""
    return (
        f"EmailPostDeliveryEvents | where NetworkMessageId == {quoted(network_id)}"
        f' and RecipientEmailAddress =~ {quoted(mailbox)} and ActionType == "Manual remediation"'
        f" and Timestamp >= datetime({since})"
        " | project Timestamp, Action, ActionResult, DeliveryLocation | order by Timestamp desc | take 1"
    )


def _joined(table: str, condition: str) -> str:
    which = f"{table} | where {condition} | distinct NetworkMessageId"
    return f"{which} | join kind=inner EmailEvents on NetworkMessageId | {NEWEST}"


def _same(target: Target, value: str) -> str:
    same = _known_as(text_of(target.facts, "message_id") or value)
    sender, subject = text_of(target.facts, "sender"), text_of(target.facts, "subject")
    if not sender or not subject:
        return same
    return f"{same} or (SenderFromAddress =~ {quoted(sender)} and Subject =~ {quoted(subject)})"


def _known_as(identity: str) -> str:
    """A Message-ID is stored with its brackets, and told without them by some."""
    bare = identity.strip("<>")
    return f"InternetMessageId in ({quoted(f'<{bare}>')}, {quoted(bare)})"
