"""Microsoft Graph as far as it acts: users of the directory, hunting for messages, remediation of messages.

State: ``users`` (id -> the user), ``messages`` (those that hunting finds), ``remediations``, ``lag``: how often hunting
is asked before it shows a remediation; ``calls``: how often each thing was done; ``admins``: names that only an
administrator may change."""

from __future__ import annotations

import re
import uuid
from typing import Any, ClassVar
from urllib.parse import unquote

from soar.standins.arranged import Arranged, counted, moment
from soar.standins.base import Request, Response, json_response
from soar.standins.microsoft import MicrosoftStandin, failure

USER = re.compile(r"/v1\.0/users/([^/]+)(/revokeSignInSessions)?")
TERM = re.compile(r"(\w+) eq '((?:[^']|'')*)'")
TEXT = r'"((?:[^"\\]|\\.)*)"'
MAILBOX = re.compile(rf"RecipientEmailAddress =~ {TEXT}")
NETWORK = re.compile(rf"NetworkMessageId == {TEXT}")
SENDER = re.compile(rf"SenderFromAddress =~ {TEXT}")
IDENTITY = re.compile(rf"InternetMessageId in \({TEXT}, {TEXT}\)")
URL = re.compile(rf"Url =~ {TEXT}")
SHA256 = re.compile(rf"SHA256 =~ {TEXT}")
PLACES = {
    "softDelete": "Deleted items", "hardDelete": "Deleted items", "moveToDeletedItems": "Deleted items",
    "moveToJunk": "Junk folder", "moveToInbox": "Inbox/folder",
}  # fmt: skip


class Entra(Arranged, MicrosoftStandin):
    """Every user is known, in the domain practice.example.com, unless the name begins with "unknown"; so is every
    message of an id that does not, in every mailbox. ``arrange`` ``{"next": "Error"}``: how the next remediation
    ends."""

    kind: ClassVar[str] = "entra"
    settings: ClassVar[dict[str, str]] = {**MicrosoftStandin.settings, "domain": "PRACTICE,NORDHAVN"}
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {
            **super().fresh(), "users": {}, "messages": [], "remediations": [], "lag": 1, "next": [], "calls": {},
            "admins": [], "queries": [],
        }  # fmt: skip

    def serve_signed_in(self, request: Request) -> Response:
        """See MicrosoftStandin."""
        if request.path == "/v1.0/users" and request.method == "GET":
            return self._search(request)
        if request.path == "/v1.0/security/runHuntingQuery" and request.method == "POST":
            return self._hunt(str(request.json().get("Query") or ""))
        if request.path == "/v1.0/security/collaboration/analyzedEmails/remediate" and request.method == "POST":
            return self._remediate(request.json())
        if match := USER.fullmatch(request.path):
            return self._user(request, unquote(match[1]), bool(match[2]))
        return super().serve_signed_in(request)

    def _search(self, request: Request) -> Response:
        terms = TERM.findall(request.argument("$filter"))
        advanced = {"onPremisesSamAccountName", "mailNickname"} & {name for name, _ in terms}
        if advanced and (request.headers.get("consistencylevel") != "eventual" or not request.argument("$count")):
            return failure(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause.")
        if request.argument("$filter") and not terms:
            return failure(400, "Request_UnsupportedQuery", "Invalid filter clause")
        wanted = {value.replace("''", "'").lower() for _, value in terms}
        for name in wanted:
            self._know(name)
        names = [name for name, _ in terms]
        found = [one for one in self.state["users"].values() if any(str(one.get(n)).lower() in wanted for n in names)]
        return json_response({"value": [_shown(one) for one in found]})

    def _know(self, name: str) -> None:
        """Somebody of this name, if nobody is called so yet."""
        plain = name.partition("@")[0]
        keys = ("userPrincipalName", "mail", "onPremisesSamAccountName")
        taken = any(name in {str(one.get(key)).lower() for key in keys} for one in self.state["users"].values())
        if taken or name.startswith("unknown"):
            return
        address = name if "@" in name else f"{name}@practice.example.com"
        identity = str(uuid.uuid5(uuid.NAMESPACE_DNS, address))
        self.state["users"][identity] = {
            "id": identity, "userPrincipalName": address, "mail": address, "onPremisesSamAccountName": plain,
            "mailNickname": plain, "accountEnabled": True, "onPremisesSyncEnabled": None,
            "signInSessionsValidFromDateTime": "2026-01-05T08:00:00Z",
            "passwordProfile": {"forceChangePasswordNextSignIn": False},
        }  # fmt: skip

    def _user(self, request: Request, identity: str, revoking: bool) -> Response:
        user = self.state["users"].get(identity)
        if user is None:
            return failure(404, "Request_ResourceNotFound", f"Resource '{identity}' does not exist.")
        if request.method == "GET" and not revoking:
            more = (
                {"passwordProfile": user["passwordProfile"]} if "passwordProfile" in request.argument("$select") else {}
            )
            return json_response({**_shown(user), **more})
        if user["userPrincipalName"] in self.state["admins"]:
            return self.refused(403)
        if revoking and request.method == "POST":
            user["signInSessionsValidFromDateTime"] = moment()
            counted(self.state["calls"], "revoke")
            return json_response({"value": True})
        if request.method == "PATCH":
            for name, value in request.json().items():
                user[name] = {**user[name], **value} if isinstance(value, dict) else value
                counted(self.state["calls"], name)
            return Response(204)
        return failure(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.")

    def _hunt(self, query: str) -> Response:
        self.state["queries"].append(query)
        del self.state["queries"][:-50]
        found = self._remediated(query) if query.startswith("EmailPostDeliveryEvents") else self._mails(query)
        return json_response({"schema": [], "results": found})

    def _mails(self, query: str) -> list[dict[str, Any]]:
        box, identity = _text(MAILBOX, query), _text(IDENTITY, query)
        if "LatestDeliveryLocation" in query:
            return self._where(_text(NETWORK, query), box)
        if box and identity:
            self._deliver(identity, box)
        tests = {
            "SenderFromAddress": _text(SENDER, query), "InternetMessageId": identity, "Url": _text(URL, query),
            "SHA256": _text(SHA256, query),
        }  # fmt: skip
        found = [
            one
            for one in self.state["messages"]
            if any(value and str(one.get(name, "")).lower() == value.lower() for name, value in tests.items())
            and (not box or one["RecipientEmailAddress"].lower() == box.lower())
        ]
        return [{key: value for key, value in one.items() if key not in ("Url", "SHA256")} for one in found]

    def _where(self, network_id: str, box: str) -> list[dict[str, Any]]:
        """What a remediation made of it, else what stands with it as ``LatestDeliveryLocation``, else the inbox."""
        for one in reversed(self.state["remediations"]):
            if (one["id"], one["box"].lower()) == (network_id, box.lower()) and one["end"] == "Success":
                return [{"LatestDeliveryLocation": PLACES[one["action"]]}]
        rows = [one for one in self.state["messages"] if one["NetworkMessageId"] == network_id]
        told = [one.get("LatestDeliveryLocation", "Inbox/folder") for one in rows]
        return [{"LatestDeliveryLocation": where} for where in told[:1]]

    def _deliver(self, identity: str, box: str) -> None:
        there = [(one["InternetMessageId"], one["RecipientEmailAddress"].lower()) for one in self.state["messages"]]
        if (identity, box.lower()) in there or identity.strip("<").startswith("unknown"):
            return
        network_id = str(uuid.uuid5(uuid.NAMESPACE_URL, identity))
        self.state["messages"].append(
            {
                "NetworkMessageId": network_id,
                "InternetMessageId": identity,
                "RecipientEmailAddress": box,
                "Subject": "A message",
                "SenderFromAddress": "sender@example.net",
                "Timestamp": moment(),
            }
        )

    def _remediate(self, body: dict[str, Any]) -> Response:
        mails = body.get("analyzedEmails")
        if body.get("action") not in PLACES or not isinstance(mails, list) or not mails:
            return failure(400, "BadRequest", "The action is not supported")
        for mail in mails:
            self.state["remediations"].append(
                {
                    "name": body.get("displayName"),
                    "action": body["action"],
                    "id": mail["networkMessageId"],
                    "box": mail["recipientEmailAddress"],
                    "at": moment(),
                    "asked": 0,
                    "end": self.ending("Success"),
                }
            )
        where = 'https://security.microsoft.com/action-center/history?filters={"bulkId":["1"]}'
        return Response(202, b"", {"Location": where})

    def _remediated(self, query: str) -> list[dict[str, Any]]:
        network_id, box = _text(NETWORK, query), _text(MAILBOX, query)
        for one in reversed(self.state["remediations"]):
            if (one["id"], one["box"].lower()) == (network_id, box.lower()):
                one["asked"] += 1
                if one["asked"] <= self.state["lag"]:
                    return []
                told = {"Timestamp": one["at"], "Action": one["action"], "ActionResult": one["end"]}
                return [{**told, "DeliveryLocation": PLACES[one["action"]] if one["end"] == "Success" else ""}]
        return []


def _text(pattern: re.Pattern[str], query: str) -> str:
    match = pattern.search(query)
    return re.sub(r"\\(.)", r"\1", match[1]) if match else ""


def _shown(user: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in user.items() if key != "passwordProfile"}
