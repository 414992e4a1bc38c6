"""Messages: found by hunting, moved out of a mailbox by remediation, and asked for until it is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import MESSAGE, Result, Target
from soar.connectors.entra import hunting
from soar.connectors.entra.users import GUID
from soar.connectors.marks import mark
from soar.connectors.microsoft.api import MicrosoftApi, refused, text_of
from soar.lib import clock

REMEDIATE = "v1.0/security/collaboration/analyzedEmails/remediate"
TIME = "%Y-%m-%dT%H:%M:%SZ"
SOFT = "softDelete"
QUARANTINES = (SOFT, "moveToDeletedItems", "moveToJunk")
MOVES = {"quarantine_message": "", "delete_message": "hardDelete", "restore_message": "moveToInbox"}
FOUND, RESTORE = "find_messages", "restore_message"
# Words of Defender for where a message lies: out of its reader's reach, and which move leads there again.
AWAY = {"quarantine", "dropped", "failed"}
BACK = {"junk folder": "moveToJunk", "deleted items": "moveToDeletedItems"}
SKEW = timedelta(minutes=5)  # their clock may be behind ours
APART = " "  # between the parts of a reference; no address holds it


class Messages(MicrosoftApi):
    """``params``: ``hours`` to look back (168). ``data["objects"]`` as with Vision One, one for each mailbox, with
    Defender's NetworkMessageId as ``unique_id``."""

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. Graph takes a remediation and tells nothing more: hunting shows when it was done."""
        if capability == FOUND:
            return self._find(target, params)
        if capability not in MOVES:
            return super().perform(capability, target, params, key=key)
        box = _mailbox(target)
        network_id = self._network_id(capability, target, box)
        before = self._before(capability, network_id, box, key)
        began = clock.now()
        content = self._remediation(capability, network_id, box, mark(key), _back(params))
        answer = self.send(capability, "POST", REMEDIATE, key=key, json=content)
        reference = APART.join((network_id, box, (began - SKEW).strftime(TIME)))
        kept = {"status": answer.status, "location": answer.headers.get("location", "")}
        request = {"method": "POST", "path": f"/{REMEDIATE}", "body": content}
        text = "Defender took the remediation; its action center shows it too."
        return Result("accepted", text, reference, "accepted", request, kept, {"action": content["action"], **before})

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        if capability not in MOVES:
            return super().poll(capability, reference)
        network_id, box, since = reference.split(APART)
        query = hunting.remediated(network_id, box, since)
        found = hunting.rows(self, f"{capability}.poll", query, hunting.MOST_HOURS)
        if not found:
            return Result("accepted", "Defender has not told yet that it is done.", reference, "accepted")
        outcome, where = str(found[0].get("ActionResult") or ""), str(found[0].get("DeliveryLocation") or "")
        said = f"{found[0].get('Action') or 'Remediation'}: {outcome}{f', now in {where}' if where else ''}."
        state = "done" if outcome.lower() == "success" else "failed" if outcome else "accepted"
        return Result(state, said, reference, outcome, data={"location": where} if where else {})

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability == FOUND:
            sent = hunting.body(hunting.like(target), hunting.hours_of(params))
            return [self.preview("POST", hunting.PATH, json=sent)["request"]]
        if capability not in MOVES:
            return super().requests(capability, target, params)
        box, known = _mailbox(target), text_of(target.facts, "unique_id")
        first = [] if GUID.fullmatch(known) else [hunting.body(_question(target, box), hunting.MOST_HOURS)]
        network_id = known if GUID.fullmatch(known) else "(what the search finds)"
        content = self._remediation(capability, network_id, box, "Soar [key of the task]")
        looked = [self.preview("POST", hunting.PATH, json=one)["request"] for one in first]
        return [*looked, self.preview("POST", REMEDIATE, json=content)["request"]]

    def _find(self, target: Target, params: dict[str, Any]) -> Result:
        query, hours = hunting.like(target), hunting.hours_of(params)
        hits = [hit for row in hunting.rows(self, FOUND, query, hours) if (hit := hit_of(row))]
        unique = {(hit["facts"]["unique_id"], hit["facts"]["mailbox"].casefold()): hit for hit in reversed(hits)}
        found, more = list(reversed(unique.values()))[: hunting.MOST_HITS], len(hits) > hunting.MOST_HITS
        number = f"More than {hunting.MOST_HITS}" if more else str(len(found))
        text = f"{number} related {'message' if number == '1' else 'messages'} found."
        request = {"method": "POST", "path": f"/{hunting.PATH}", "body": hunting.body(query, hours)}
        return Result("done", text, request=request, data={"objects": found, "more": more})

    def _network_id(self, capability: str, target: Target, box: str) -> str:
        """Defender's own id of the message. Raises ConnectorError when it does not know the message."""
        known = text_of(target.facts, "unique_id")
        if GUID.fullmatch(known):
            return known
        found = hunting.rows(self, f"{capability}.search", _question(target, box), hunting.MOST_HOURS)
        ids = {str(row["NetworkMessageId"]) for row in found if row.get("NetworkMessageId")}
        if len(ids) != 1:
            number = "no message" if not ids else f"{len(ids)} messages"
            raise refused(f"Defender knows {number} {_identity(target)} in {box}. Nothing was changed.")
        return ids.pop()

    def _before(self, capability: str, network_id: str, box: str, key: str) -> dict[str, Any]:
        """Where the message was before this task, and that nothing is changed for its reader where it was out of reach
        already; nothing where Defender does not tell, and what an earlier try found."""
        if MOVES[capability] or self.tried(capability, key):
            return {}
        try:
            query = hunting.place_of(network_id, box)
            found = hunting.rows(self, f"{capability}.before", query, hunting.MOST_HOURS)
        except ConnectorError:
            return {}
        where = str(found[0].get("LatestDeliveryLocation") or "") if found else ""
        return {"before": where, "changed": where.casefold() not in AWAY} if where else {}

    def _remediation(
        self, capability: str, network_id: str, box: str, name: str, back: str = "moveToInbox"
    ) -> dict[str, Any]:
        return {
            "displayName": name,
            "description": name,
            "severity": "medium",
            "action": back
            if capability == RESTORE
            else MOVES[capability] or str(self.account.settings.get("quarantine") or SOFT),
            "remediateSendersCopy": False,
            "analyzedEmails": [{"networkMessageId": network_id, "recipientEmailAddress": box}],
        }


def _back(params: dict[str, Any]) -> str:
    """The move that brings a message back to where it was before what is undone."""
    undoes = params.get("undoes")
    before = str(undoes.get("before") or "") if isinstance(undoes, dict) else ""
    return BACK.get(before.casefold(), "moveToInbox")


def hit_of(row: dict[str, Any]) -> dict[str, Any] | None:
    """A found message as an object; None for one that nothing can be done to."""
    unique, box = str(row.get("NetworkMessageId") or ""), str(row.get("RecipientEmailAddress") or "")
    if not unique or not box:
        return None
    identity = str(row.get("InternetMessageId") or "")
    told = {
        "message_id": identity,
        "mailbox": box,
        "unique_id": unique,
        "subject": row.get("Subject"),
        "sender": row.get("SenderFromAddress"),
        "received_at": row.get("Timestamp"),
    }
    facts = {name: str(value)[:1000] for name, value in told.items() if value}
    # The same message in two mailboxes is two things to act on, so the mailbox is part of the name.
    return {"kind": MESSAGE, "type": MESSAGE, "value": f"{identity or unique} in {box}", "facts": facts}


def _mailbox(target: Target) -> str:
    box = text_of(target.facts, "mailbox")
    if not box or APART in box:
        raise refused(f"Defender cannot act on the message {target.value}: it does not tell the mailbox it lies in.")
    return box


def _identity(target: Target) -> str:
    return text_of(target.facts, "message_id") or target.value.strip()


def _question(target: Target, box: str) -> str:
    if not (identity := _identity(target)):
        raise refused("The message tells no Message-ID.")
    return hunting.one_message(identity, box)
