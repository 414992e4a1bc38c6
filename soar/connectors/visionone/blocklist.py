"""The list of user-defined suspicious objects: what is on it is blocked by every product that Vision One manages."""

from __future__ import annotations

from typing import Any, ClassVar

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import DOMAIN, HASH, IP, SENDER, URL, Result, Target
from soar.connectors.marks import mark
from soar.connectors.visionone.commands import LONGEST_DESCRIPTION, lacks
from soar.connectors.visionone.multistatus import item_of, kept, refused
from soar.connectors.visionone.part import Part, Requests

OBJECTS = "threatintel/suspiciousObjects"
EXCEPTIONS = "threatintel/suspiciousObjectExceptions"
FIELDS = {IP: "ip", URL: "url", DOMAIN: "domain", SENDER: "senderMailAddress"}
HASHES = {"sha1": "fileSha1", "sha256": "fileSha256"}
LENGTHS = {40: "sha1", 64: "sha256", 32: "md5"}
NEVER = -1  # of daysToExpiration


class BlockList(Part):
    """``params``: ``days`` until the entry expires, absent for never. Its exception list wins over the list itself, so
    a value on it is refused instead of being added without effect."""

    serves: ClassVar[frozenset[str]] = frozenset({"block", "unblock"})
    repeatable: ClassVar[frozenset[str]] = serves

    def perform(self, capability: str, target: Target, params: dict[str, Any], key: str) -> Result:
        """See Part."""
        if capability == "unblock":
            return self._remove(target, key)
        field, value = object_of(target)
        self._refuse_exception(field, value)
        body = entry(target, params, mark(key))
        answer = self.api.send(capability, "POST", OBJECTS, key=key, json=body)
        item = item_of(answer)
        if not item.ok:
            raise refused(item)
        days = body[0]["daysToExpiration"]
        until = "until it is removed" if days == NEVER else f"for {days} {'day' if days == 1 else 'days'}"
        data = {"list": "suspicious objects", "object": field, **({} if days == NEVER else {"days": days})}
        request = {"method": "POST", "path": f"/{OBJECTS}", "body": body}
        return Result("done", f"On the block list {until}.", request=request, answer=kept(answer), data=data)

    def _remove(self, target: Target, key: str) -> Result:
        field, value = object_of(target)
        body = [{field: value}]
        answer = self.api.send("unblock", "POST", f"{OBJECTS}/delete", key=key, json=body)
        item = item_of(answer)
        if not item.ok and item.status != 404:
            raise refused(item)
        text = "Taken off the block list." if item.ok else "It was not on the block list."
        request = {"method": "POST", "path": f"/{OBJECTS}/delete", "body": body}
        return Result("done", text, request=request, answer=kept(answer))

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> Requests:
        """See Part."""
        if capability == "unblock":
            field, value = object_of(target)
            return [self.preview("POST", f"{OBJECTS}/delete", json=[{field: value}])]
        return [self.preview("POST", OBJECTS, json=entry(target, params, "Soar [key of the task]"))]

    def _refuse_exception(self, field: str, value: str) -> None:
        for one in self.api.items("block.exceptions", EXCEPTIONS, params={"top": 200}):
            listed = str(one.get(field) or "")
            if listed and covers(listed, value):
                text = f"{value} is on the exception list of Vision One ({listed}), which wins over its block list."
                raise ConnectorError(f"{text} Nothing was added.", permanent=True)


def object_of(target: Target) -> tuple[str, str]:
    """Field and value. Raises ConnectorError for what the list does not take."""
    value = target.value.strip()
    if not value:
        raise lacks(target, "its value")
    if target.kind == HASH:
        kind = str(target.facts.get("type") or LENGTHS.get(len(value), ""))
        if kind not in HASHES:
            text = f"Vision One blocks files by SHA-1 and SHA-256, not by {kind.upper() or 'this'}: {value}."
            raise ConnectorError(text, permanent=True)
        return HASHES[kind], value.lower()
    if target.kind not in FIELDS:
        raise ConnectorError(f"Vision One cannot block a {target.kind.replace('_', ' ')}.", permanent=True)
    return FIELDS[target.kind], value


def entry(target: Target, params: dict[str, Any], description: str) -> list[dict[str, Any]]:
    """The body that adds it: blocked, of high risk, for ``days`` days. Raises ConnectorError."""
    field, value = object_of(target)
    days = params.get("days")
    whole = isinstance(days, int) and not isinstance(days, bool) and days > 0
    if days not in (None, "") and not whole:
        raise ConnectorError(f"Days must be a whole number, not {days!r}.", permanent=True)
    return [
        {
            field: value,
            "description": description[:LONGEST_DESCRIPTION],
            "riskLevel": "high",
            "scanAction": "block",
            "daysToExpiration": days if whole else NEVER,
        }
    ]


def covers(listed: str, value: str) -> bool:
    """Whether an exception speaks of ``value``: the same, or by its leading wildcard."""
    one, other = listed.lower(), value.lower()
    return other.endswith(one[1:]) or other == one[2:] if one.startswith("*.") else one == other
