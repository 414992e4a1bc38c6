"""Hosts: looked up, cut off from the network, connected again. Falcon takes the wish and says "pending" until the
sensor has obeyed."""

from __future__ import annotations

import re
from typing import Any

from soar.connectors import hosts
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import ENDPOINT, Result, Target
from soar.connectors.crowdstrike.api import Falcon, FalconError, objects, quoted

QUERY, DETAILS = "devices/queries/devices/v1", "devices/entities/devices/v2"
ACTIONS = "devices/entities/devices-actions/v2"
AGENT = re.compile(r"[0-9a-f]{32}")
NORMAL, PENDING, CONTAINED, LIFTING = "normal", "containment_pending", "contained", "lift_containment_pending"
WISHES = {"isolate_endpoint": "contain", "restore_endpoint": "lift_containment"}
ENDS = {"isolate_endpoint": CONTAINED, "restore_endpoint": NORMAL}
UNDER_WAY = {"isolate_endpoint": PENDING, "restore_endpoint": LIFTING}
SENTENCES = {
    CONTAINED: "The host is contained.",
    NORMAL: "The host is not contained.",
    PENDING: "Falcon holds the containment until the sensor asks for it.",
    LIFTING: "Falcon holds the release until the sensor asks for it.",
}
MOST = 100
Host = dict[str, Any]


class Containing(Falcon):
    """The host's own state tells what became of it, so nothing is sent twice for nothing."""

    def hosts(self, name: str, operation: str = "host") -> list[Host]:
        """The hosts of this name, as Falcon tells them: ``device_id``, ``hostname``, ``status``, ``last_seen``,
        ``os_version``, ``local_ip`` ... Raises ConnectorError."""
        filter_ = f"hostname:{quoted(name)}"
        found = self.get(f"{operation}.search", QUERY, params={"filter": filter_, "limit": MOST})
        ids = [one for one in found if isinstance(one, str)]
        return hosts.named(self.details(ids, operation), name, "hostname") if ids else []

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        wish = WISHES.get(capability)
        if wish is None:
            return super().perform(capability, target, params, key=key)
        host = self.host_of(target, capability)
        self.about_host(host)
        before, name = _status(host), str(host.get("hostname") or host["device_id"])
        ours = before not in {ENDS[capability], UNDER_WAY[capability]} or self.tried(capability, key)
        data = {"host": name, "device": host["device_id"], "before": before, "changed": ours}
        if before == ENDS[capability]:
            return Result("done", f"Nothing was to be done: {SENTENCES[before]}", remote=before, data=data)
        if before != UNDER_WAY[capability]:
            content: dict[str, Any] = {"params": {"action_name": wish}, "json": {"ids": [host["device_id"]]}}
            taken = objects(self.send(capability, "POST", ACTIONS, key=key, **content))
            if not any(one.get("id") == host["device_id"] for one in taken):
                text = "Falcon answered without naming the host that was to be changed."
                raise FalconError(text, permanent=False, outcome_unknown=True)
        request = {"method": "POST", "path": f"/{ACTIONS}?action_name={wish}", "body": {"ids": [host["device_id"]]}}
        text = f"Falcon took it: {name} obeys as soon as its sensor asks."
        return Result(
            "accepted", text, str(host["device_id"]), before, request, {"resources": [host["device_id"]]}, data
        )

    def poll(self, capability: str, reference: str) -> Result:
        """See Responder. The state from before may still be told for a moment."""
        if capability not in WISHES:
            return super().poll(capability, reference)
        found = self.details([reference], f"{capability}.poll")
        if not found:
            raise FalconError("Falcon does not tell the host any more.", permanent=False, status=404)
        return _so_far(capability, found[0])

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """See Responder."""
        if capability not in WISHES:
            return super().recall(capability, target, key=key)
        host = self.host_of(target, f"{capability}.recall")
        return _so_far(capability, host) if _status(host) in {ENDS[capability], UNDER_WAY[capability]} else None

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder. The host's id is known only when Falcon is asked, unless the alert tells it."""
        wish = WISHES.get(capability)
        if wish is None:
            return super().requests(capability, target, params)
        agent, _ = named(target)
        content: dict[str, Any] = {"params": {"action_name": wish}, "json": {"ids": [agent or "(id of the host)"]}}
        return [*self.searching(target), self.preview("POST", ACTIONS, **content)["request"]]

    def searching(self, target: Target) -> list[dict[str, Any]]:
        """The request that looks for the host, as a rehearsal shows it; none where its id is told."""
        agent, name = named(target)
        query = {"filter": f"hostname:{quoted(name)}", "limit": MOST}
        return [] if agent else [self.preview("GET", QUERY, params=query)["request"]]

    def host_of(self, target: Target, operation: str) -> Host:
        """The host that the target is, or is on. Raises ConnectorError for none and for several."""
        agent, name = named(target)
        rows = self.details([agent], operation) if agent else self.hosts(name, operation)
        return hosts.the_one(
            rows, name or agent, "Falcon", lambda one: one.get("last_seen"), lambda one: str(one.get("device_id"))
        )

    def about_host(self, host: Host) -> None:
        """Ask before the host is changed, by all names that Falcon has for it. Raises HeldBack."""
        names = [host.get(name) for name in ("device_id", "hostname", "local_ip", "external_ip")]
        full = f"{host.get('hostname')}.{host['machine_domain']}" if host.get("machine_domain") else ""
        self.about_to(ENDPOINT, full, *names)

    def details(self, ids: list[str], operation: str) -> list[Host]:
        """The hosts with these ids; those that Falcon does not know are left out. Raises FalconError."""
        try:
            found = objects(self.look(f"{operation}.host", DETAILS, json={"ids": ids[:MOST]}))
        except FalconError as error:
            if error.status == 404:
                return []
            raise
        return [one for one in found if one.get("device_id")]


def named(target: Target) -> tuple[str, str]:
    """The sensor's id (AID), "" if the target does not tell it, and the host's name. Raises ConnectorError."""
    name = (target.value if target.kind == ENDPOINT else str(target.facts.get("endpoint") or "")).strip()
    for told in (str(target.facts.get("guid") or "").lower(), name.lower()):
        if AGENT.fullmatch(told):
            return told, "" if told == name.lower() else name
    if not name:
        raise ConnectorError("The target tells neither the name nor the sensor of the host.", permanent=True)
    return "", name


def _status(host: Host) -> str:
    return str(host.get("status") or "").lower()


def _so_far(capability: str, host: Host) -> Result:
    """How far the host is on its way to the state that ``capability`` wants."""
    status = _status(host)
    state = "done" if status == ENDS[capability] else "accepted"
    text = SENTENCES.get(status, f"State: {status}.") if state == "done" or status == UNDER_WAY[capability] else ""
    return Result(state, text or f"Falcon still says: {status or 'nothing'}.", str(host["device_id"]), status)
