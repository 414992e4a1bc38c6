"""Machines of Defender: isolated, released and scanned by actions that take their time."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from soar.connectors import hosts
from soar.connectors.capabilities import CAPABILITIES, ENDPOINT, Result, Target
from soar.connectors.defender.actions import ACTIONS, Action, Row, newest, result_of
from soar.connectors.marks import mark
from soar.connectors.microsoft.answers import MicrosoftError, object_of
from soar.connectors.microsoft.api import MicrosoftApi, refused, text_of

MACHINE = re.compile(r"[0-9a-f]{40}")
NAME = re.compile(r"[\w.-]{1,255}")
SHOWN_KEY = "Soar [key of the task]"
UNDER_WAY = {"Pending", "InProgress"}
BUSY = "ActiveRequestAlreadyExists"
COMMERCIAL = "https://api.securitycenter.microsoft.com"  # whatever the address, tokens of that cloud are for this one


class Machines(MicrosoftApi):
    """Two isolations of one machine are trouble there: the second one stays pending and comes true when the first is
    lifted. So what was done to the machine last is looked at first, and an action under way is taken for ours."""

    product = "Defender for Endpoint"

    def resource(self) -> str:
        """See MicrosoftApi."""
        parts = urlsplit(str(self.account.settings.get("url") or ""))
        return f"https://{parts.netloc}" if (parts.hostname or "").endswith(".us") else COMMERCIAL

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        action = ACTIONS.get(capability)
        if action is None:
            return super().perform(capability, target, params, key=key)
        identity, name = self.machine(target, capability)
        self.about_machine(identity, name, capability)
        last = newest(self.made(identity, action.kin, capability), *action.kin)
        if last is not None and (known := self._known(action, last, name, key)):
            return known
        body = self._body(action, mark(key))
        path = f"api/machines/{identity}/{action.path}"
        try:
            answer = self.send(capability, "POST", path, key=key, json=body)
        except MicrosoftError as error:
            if error.code != BUSY:
                raise
            return self._twin(action, identity, name, capability, key)
        row = object_of(answer) or {}
        if not row.get("id"):
            text = "Defender took the action without saying which one it is."
            raise MicrosoftError(text, permanent=False, status=answer.status, outcome_unknown=True)
        found, request = result_of(row), {"method": "POST", "path": f"/{path}", "body": body}
        data = {"machine": identity, "name": name, "changed": True}
        return Result(
            "accepted", found.message, found.reference, found.remote, request, answer.redactor.data(row), data
        )

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder."""
        return result_of(self.action(capability, reference))

    def action(self, capability: str, reference: str) -> Row:
        """The action as Defender tells it. Raises MicrosoftError."""
        try:
            return self.get(f"{capability}.poll", f"api/machineactions/{reference}")
        except MicrosoftError as error:
            if error.status == 404:  # it may not be listed yet; the deadline of the task ends the asking
                error.permanent = False
            raise

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder. Our key stands in the action's comment."""
        action = ACTIONS.get(capability)
        if action is None:
            return super().recall(capability, target, key=key)
        identity, _ = self.machine(target, capability)
        made = self.made(identity, action.kin, f"{capability}.recall")
        return next((result_of(row) for row in made if bears(row, key)), None)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. The machine's id is known only when Defender is asked, unless the alert tells it."""
        action = ACTIONS.get(capability)
        if action is None:
            return super().requests(capability, target, params)
        return self.shown(target, action.path, self._body(action, SHOWN_KEY))

    def shown(self, target: Target, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The search for the machine, and the action on it, as a rehearsal shows them."""
        identity, name = named(target)
        search = [] if identity else [self.preview("GET", "api/machines", params=_search(name))["request"]]
        path = f"api/machines/{identity or '(id of the machine)'}/{path}"
        return [*search, self.preview("POST", path, json=body)["request"]]

    def _body(self, action: Action, comment: str) -> dict[str, str]:
        chosen = {name: str(self.account.settings.get(setting) or "Full") for name, setting in action.setting.items()}
        return {"Comment": comment, **chosen}

    def _known(self, action: Action, last: Row, name: str, key: str) -> Result | None:
        """What the machine's last action makes of this one; None if it has to be sent. Raises MicrosoftError while the
        opposite is under way."""
        under_way = str(last.get("status")) in UNDER_WAY
        if last.get("type") != action.type:
            if under_way:
                text = f"Defender is just doing the opposite to {name} ({last.get('type')}); this waits for its end."
                raise MicrosoftError(text, permanent=False, retry_after=30.0)
            return None
        if under_way:
            found = result_of(last)
            text = f"The same action was under way already. {found.message}"
            return Result("accepted", text, found.reference, found.remote, data={"changed": bears(last, key)})
        if not action.already:
            return None
        return Result("done", action.already.format(name), remote="Succeeded", data={"changed": bears(last, key)})

    def _twin(self, action: Action, identity: str, name: str, capability: str, key: str) -> Result:
        """The action because of which ours was refused. Raises MicrosoftError when it is not told (yet)."""
        last = newest(self.made(identity, action.kin, capability), *action.kin)
        found = self._known(action, last, name, key) if last is not None else None
        if found is None:
            raise MicrosoftError(f"Defender is busy with another action on {name}.", permanent=False, retry_after=30.0)
        return found

    def made(self, identity: str, kin: tuple[str, ...], operation: str) -> list[Row]:
        """The actions of these types that were made of a machine. Raises MicrosoftError."""
        types = " or ".join(f"type eq '{one}'" for one in kin)
        params = {"$filter": f"machineId eq '{identity}' and ({types})"}
        return _rows(self.get(f"{operation}.actions", "api/machineactions", params=params))

    def machine(self, target: Target, operation: str) -> tuple[str, str]:
        """Id and name of the machine. Raises ConnectorError."""
        identity, name = named(target)
        if identity:
            return identity, name or identity
        found = _rows(self.get(f"{operation}.machine", "api/machines", params=_search(name)))
        rows = hosts.named(found, name, "computerDnsName")
        row = hosts.the_one(rows, name, "Defender", lambda one: one.get("lastSeen"), lambda one: str(one.get("id")))
        return str(row["id"]), str(row.get("computerDnsName") or name)

    def about_machine(self, identity: str, name: str, operation: str) -> None:
        """Ask before the machine is changed, by the name that Defender has for this id: an alert may tell the id of one
        and the name of another. Raises ConnectorError, HeldBack."""
        if self.guard is None or not CAPABILITIES[operation].destructive:
            return
        try:
            row = self.get(f"{operation}.machine", f"api/machines/{identity}")
        except MicrosoftError as error:
            if error.status == 404:
                raise refused(f"Defender knows no machine {identity}.") from None
            raise
        addresses = (row.get("lastIpAddress"), row.get("lastExternalIpAddress"))
        self.about_to(ENDPOINT, identity, name, row.get("computerDnsName"), row.get("aadDeviceId"), *addresses)


def bears(row: Row, key: str) -> bool:
    """Whether the action is the one of this task: our key stands in its comment."""
    return mark(key) in str(row.get("requestorComment") or "")


def named(target: Target) -> tuple[str, str]:
    """The machine's id, "" if the target does not tell it, and its name. Raises ConnectorError for what is neither."""
    name = (target.value if target.kind == ENDPOINT else text_of(target.facts, "endpoint")).strip()
    for told in (text_of(target.facts, "guid").lower(), name.lower()):
        if MACHINE.fullmatch(told):
            return told, "" if told == name.lower() else name
    if not NAME.fullmatch(name):
        raise refused(f"Defender cannot look for {name or 'a machine without a name'}.")
    return "", name


def _search(name: str) -> dict[str, str]:
    # Names are kept in small letters, with their domain if the machine has one.
    return {"$filter": f"startswith(computerDnsName,'{name.lower()}')"}


def _rows(document: dict[str, Any]) -> list[Row]:
    value = document.get("value")
    return [one for one in value if isinstance(one, dict) and one.get("id")] if isinstance(value, list) else []
