"""Files blocked by their hash: the custom indicators of Falcon (IOC management) with the action "prevent"."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import HASH, Result, Target
from soar.connectors.crowdstrike.api import Falcon, FalconError, objects, quoted
from soar.connectors.marks import mark
from soar.lib import clock

COMBINED, ENTITIES = "iocs/combined/indicator/v1", "iocs/entities/indicators/v1"
TYPES = {32: "md5", 64: "sha256"}
PREVENT, ALLOW = "prevent", "allow"
PLATFORMS = ("windows", "mac", "linux")
TIME = "%Y-%m-%dT%H:%M:%SZ"
FOR_GOOD = timedelta(days=3650)  # an end can be moved, but is not known to be removable
LIST = "custom indicators"
Row = dict[str, Any]


class Indicators(Falcon):
    """``params``: ``days`` until the entry expires, absent for never. What was there before is remembered in
    ``data["before"]``, and given back by unblocking (``params["undoes"]``). An indicator that allows the file is
    somebody's decision: it is not turned round."""

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder."""
        if capability == "block":
            return self._block(target, params, key)
        if capability == "unblock":
            return self._unblock(target, params, key)
        return super().perform(capability, target, params, key=key)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        if capability not in {"block", "unblock"}:
            return super().requests(capability, target, params)
        kind, value = hash_of(target)
        search = self.preview("GET", COMBINED, params={"filter": _filter(kind, value)})["request"]
        if capability == "unblock":
            sent = self.preview("DELETE", ENTITIES, params={"ids": "(id of the indicator)"})
        else:
            sent = self.preview("POST", ENTITIES, json=_new(kind, value, "Soar [key of the task]", end_of(params)))
        return [search, sent["request"]]

    def _block(self, target: Target, params: Row, key: str) -> Result:
        kind, value = hash_of(target)
        end = end_of(params)
        there = self._there(kind, value, "block")
        if there is None:
            body = _new(kind, value, mark(key), end)
            made = objects(self.send("block", "POST", ENTITIES, key=key, json=body))
            return self._blocked("POST", body, {"list": LIST, "id": _id_of(made)}, end)
        if there.get("action") == ALLOW and not there.get("expired"):
            text = f"{value} is allowed by an indicator in Falcon ({there.get('description') or there['id']})."
            raise ConnectorError(f"{text} Nothing was changed.", permanent=True)
        if _holds(there, end):
            # Ours of an earlier try may be taken away again; what somebody else put there stays.
            mine = mark(key) in str(there.get("description") or "")
            data = {"list": LIST, "id": there["id"], "changed": mine, **({} if mine else {"before": _before(there)})}
            return Result("done", "It is blocked there already.", data=data)
        return self._changed(there, end, key)

    def _changed(self, there: Row, end: datetime | None, key: str) -> Result:
        until = (end or clock.now() + FOR_GOOD).strftime(TIME)
        body = {"comment": mark(key), "indicators": [{"id": there["id"], "action": PREVENT, "expiration": until}]}
        self.send("block", "PATCH", ENTITIES, key=key, json=body)
        data = {"list": LIST, "id": there["id"], "before": _before(there)}
        return self._blocked("PATCH", body, data, end or clock.now() + FOR_GOOD)

    def _blocked(self, method: str, body: Row, data: Row, end: datetime | None) -> Result:
        until = f"until {end:%Y-%m-%d}" if end else "until it is removed"
        request = {"method": method, "path": f"/{ENTITIES}", "body": body}
        return Result("done", f"Falcon blocks the file {until}.", request=request, data={**data, "changed": True})

    def _unblock(self, target: Target, params: Row, key: str) -> Result:
        kind, value = hash_of(target)
        there = self._there(kind, value, "unblock")
        if there is None:
            return Result("done", "It was not on the list.")
        undoes = params.get("undoes")
        before = undoes.get("before") if isinstance(undoes, dict) else None
        if isinstance(before, dict) and before.get("action"):
            return self._given_back(there, before, key)
        try:
            self.send("unblock", "DELETE", ENTITIES, key=key, params={"ids": there["id"], "comment": mark(key)})
        except FalconError as error:
            if error.status != 404:
                raise
        request = {"method": "DELETE", "path": f"/{ENTITIES}?ids={there['id']}"}
        return Result("done", "Falcon blocks the file no more.", request=request)

    def _given_back(self, there: Row, before: Row, key: str) -> Result:
        told = {name: before[name] for name in ("action", "expiration") if before.get(name)}
        if all(there.get(name) == value for name, value in told.items()):
            return Result("done", f"It stays as it was before: {before['action']}.")
        body = {"comment": mark(key), "indicators": [{"id": there["id"], **told}]}
        self.send("unblock", "PATCH", ENTITIES, key=key, json=body)
        request = {"method": "PATCH", "path": f"/{ENTITIES}", "body": body}
        return Result("done", f"It is as it was before: {before['action']}.", request=request)

    def _there(self, kind: str, value: str, operation: str) -> Row | None:
        """The indicator of this very hash; what a loose search brings besides is left alone."""
        found = objects(self.get(f"{operation}.search", COMBINED, params={"filter": _filter(kind, value)}))
        same = [one for one in found if str(one.get("value", "")).lower() == value and one.get("id")]
        return next((one for one in same if not one.get("deleted")), None)


def hash_of(target: Target) -> tuple[str, str]:
    """Type and value. Raises ConnectorError for what Falcon does not block."""
    value = target.value.strip().lower()
    kind = TYPES.get(len(value), "")
    if target.kind != HASH or not kind or not all(sign in "0123456789abcdef" for sign in value):
        raise ConnectorError(f"Falcon blocks files by SHA-256 and MD5 alone: {target.value}.", permanent=True)
    return kind, value


def end_of(params: Row) -> datetime | None:
    """When the entry ends; None for never. Raises ConnectorError."""
    days = params.get("days")
    if days in (None, ""):
        return None
    if isinstance(days, bool) or not isinstance(days, int) or not 0 < days <= FOR_GOOD.days:
        raise ConnectorError(f"Days must be a whole number up to {FOR_GOOD.days}, not {days!r}.", permanent=True)
    return clock.now() + timedelta(days=days)


def _filter(kind: str, value: str) -> str:
    return f"type:{quoted(kind)}+value:{quoted(value)}"


def _new(kind: str, value: str, description: str, end: datetime | None) -> Row:
    item: Row = {
        "type": kind,
        "value": value,
        "action": PREVENT,
        "severity": "high",
        "platforms": list(PLATFORMS),
        "applied_globally": True,
        "source": "Soar",
        "description": description,
    }
    return {"comment": description, "indicators": [{**item, **({"expiration": end.strftime(TIME)} if end else {})}]}


def _before(there: Row) -> Row:
    return {name: there[name] for name in ("action", "expiration") if there.get(name)}


def _holds(there: Row, end: datetime | None) -> bool:
    """Whether it prevents already, for as long as is wanted."""
    if there.get("action") != PREVENT or there.get("expired"):
        return False
    if not there.get("expiration"):
        return True
    try:
        told = datetime.fromisoformat(str(there["expiration"]))
    except ValueError:
        return False
    # A second is lost in writing it down; an earlier try of the same task wrote it some minutes ago.
    return bool(end) and told.tzinfo is not None and told >= (end or told) - timedelta(hours=1)


def _id_of(made: list[Row]) -> str:
    identity = str(made[0].get("id") or "") if made else ""
    if not identity:
        raise FalconError("Falcon took the indicator without naming it.", permanent=False, outcome_unknown=True)
    return identity
