"""Fortinet FortiGate by its REST API: an address object for each value, put into the group that policies block."""

from __future__ import annotations

import ipaddress
import json
import re
from typing import Any, ClassVar
from urllib.parse import quote

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import DOMAIN, ENDPOINT, IP, Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.connectors.responder import Responder
from soar.lib.http import Answer

PREFIX = "soar-"
LONGEST_NAME = 79
GROUP = re.compile(r"[A-Za-z0-9_. -]{1,79}")
HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
# Numbers of FortiOS that its answers carry beside a status of 500, 404 or 424.
EXISTS, MISSING, IN_USE, EMPTY = {-5, -15}, {-3}, {-23}, {-56}
WORDS = {401: "FortiGate does not take the API key", 403: "The API key lacks a right on FortiGate"}
PARTS = ("subnet", "ip6", "fqdn")  # what of an object says which address it is
Request = tuple[str, str, dict[str, Any] | None]


class FortiGate(Responder):
    """Both ways may be walked again from any point: what is there already, or gone already, is taken as done."""

    kind = "fortinet"
    serves: ClassVar[frozenset[str]] = frozenset({"block", "unblock"})
    only = {"block": frozenset({IP, DOMAIN}), "unblock": frozenset({IP, DOMAIN})}
    repeatable: ClassVar[frozenset[str]] = serves

    def check(self) -> str:
        """Look at the groups. Raises ConnectorError."""
        version = "?"
        for number in (4, 6) if self._six() else (4,):
            answer = self._sent("test", ("GET", self._group(number), None))
            _code, missing = self._outcome(answer, MISSING)
            version = str(_body(answer).get("version") or "?")[:20]
            if missing:
                text = f"FortiOS {version} answers, but there is no address group {self._name_of_group(number)}."
                raise ConnectorError(text, permanent=True)
        return f"FortiOS {version} answers and has the group {self._name_of_group(4)}."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. Objects have no end of their own: ``params["days"]`` counts on our own block list alone."""
        if capability == "unblock":
            return self._unblock(target, key)
        make, join = self._steps("block", target)
        ours = self.tried("block", key)
        _code, there = self._outcome(self._sent("block", make, key), EXISTS)
        if there:
            self._same(target, make)
        _code, member = self._outcome(self._sent("block", join, key), EXISTS)
        name, group = object_name(target), self._name_of_group(_version(target))
        before = member and not ours
        text = f"{name} was in the group {group} already." if before else f"{name} is in the group {group}."
        if params.get("days"):
            text += " It stays there until it is removed: FortiGate lets no object expire."
        data = {"object": name, "group": group, "changed": not before}
        return Result("done", text, request=_shown(make, join), data=data)

    def look_first(self, capability: str, target: Target) -> None:
        """See Responder: by the objects that are this very address or name, and the groups that they are in."""
        if self.guard is None or capability != "block":
            return
        kind, part, value = _same_as(target)
        rows = self._rows(kind, {"filter": f"{part}=={value}"})
        found = [str(row.get("name") or "") for row in rows if _is(row, part, value)]
        names = [name for name in found if name != object_name(target)]
        if not names:
            return
        groups = self._rows(kind.replace("address", "addrgrp"), {"format": "name|member"})
        inside = [str(one.get("name") or "") for one in groups if _members(one) & set(names)]
        self.about_to(target.kind, *names, *inside)
        self.about_to(ENDPOINT, *names)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        steps = self._steps(capability, target)
        return [
            self.preview(method, path, params=self._where(), **({"json": body} if body else {}))["request"]
            for method, path, body in steps
        ]

    def _unblock(self, target: Target, key: str) -> Result:
        leave, delete = self._steps("unblock", target)
        name, group = object_name(target), self._name_of_group(_version(target))
        code, gone = self._outcome(self._sent("unblock", leave, key), MISSING | EMPTY)
        if code in EMPTY:
            text = f"{name} is the last member of {group}, which may not be empty. Give it another, such as “none”."
            raise ConnectorError(text, permanent=True)
        code, _fine = self._outcome(self._sent("unblock", delete, key), MISSING | IN_USE)
        text = f"{name} was not in the group {group}." if gone else f"{name} is out of the group {group}."
        if code in IN_USE:
            text += " The object itself stays: something else uses it."
        return Result("done", text, request=_shown(leave, delete), data={"object": name, "group": group})

    def _steps(self, capability: str, target: Target) -> tuple[Request, Request]:
        if capability not in self.serves:
            raise ConnectorError(f"FortiGate cannot do {capability}.", permanent=True)
        body, version = address_object(target), _version(target)
        if version == 6 and not self._six():
            text = "No group for IPv6 addresses is set for this connector (group6)."
            raise ConnectorError(text, permanent=True)
        kind = "address6" if version == 6 else "address"
        path = f"api/v2/cmdb/firewall/{kind}"
        one, members = f"/{quote(body['name'], safe='')}", f"{self._group(version)}/member"
        if capability == "block":
            return ("POST", path, body), ("POST", members, {"name": body["name"]})
        return ("DELETE", members + one, None), ("DELETE", path + one, None)

    def _same(self, target: Target, make: Request) -> None:
        """Raise ConnectorError when an object of this name, made by somebody, is another address."""
        wanted = address_object(target)
        path = f"{make[1]}/{quote(wanted['name'], safe='')}"
        answer = self._sent("look at object", ("GET", path, None))
        self._outcome(answer, set())
        rows = _body(answer).get("results")
        found = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        for part in PARTS:
            if part in wanted and str(found.get(part, "")).casefold() != wanted[part].casefold():
                text = f"FortiGate has an object {wanted['name']} that is {found.get(part)!r}. Nothing was blocked."
                raise ConnectorError(text, permanent=True)

    def _rows(self, kind: str, how: dict[str, str]) -> list[dict[str, Any]]:
        path = f"api/v2/cmdb/firewall/{kind}"
        answer = self.call("look at objects", "GET", path, fine=(404,), params={**self._where(), **how})
        self._outcome(answer, MISSING)
        rows = _body(answer).get("results")
        return [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []

    def _sent(self, operation: str, request: Request, key: str = "") -> Answer:
        method, path, body = request
        more: dict[str, Any] = {"json": body} if body is not None else {}
        return self.call(
            operation, method, path, idempotency_key=key, idempotent=method == "GET", fine=(404,),
            params=self._where(), **more,
        )  # fmt: skip

    def _outcome(self, answer: Answer, fine: set[int]) -> tuple[int, bool]:
        """FortiOS's number, and whether it is one of ``fine``. Raises ConnectorError for any other failure."""
        body = _body(answer)
        code = body.get("error") if isinstance(body.get("error"), int) else 0
        if answer.ok and body.get("status") == "success":
            return 0, False
        if answer.status == 404 and body:
            code = code or -3
        if code in fine:
            return int(code or 0), True
        if body and (answer.ok or code):
            said = answer.redactor.text(str(body.get("cli_error") or f"error {code}"), at_most=300)
            raise ConnectorError(f"FortiGate refused it: {said}.", permanent=True, status=answer.status)
        what = WORDS.get(answer.status, f"FortiGate answered {answer.status}")
        page = " with an HTML page" if "html" in answer.media_type else " with no JSON" if answer.ok else ""
        passing = answer.status >= 500 or answer.status == 429
        raise ConnectorError(f"{what}{page}.", permanent=not passing, status=answer.status)

    def _where(self) -> dict[str, str]:
        vdom = str(self.account.settings.get("vdom") or "")
        return {"vdom": vdom} if vdom else {}

    def _six(self) -> str:
        return str(self.account.settings.get("group6") or "")

    def _name_of_group(self, version: int) -> str:
        return self._six() if version == 6 else str(self.account.settings.get("group") or "")

    def _group(self, version: int) -> str:
        kind = "addrgrp6" if version == 6 else "addrgrp"
        return f"api/v2/cmdb/firewall/{kind}/{quote(self._name_of_group(version), safe='')}"


def address_object(target: Target) -> dict[str, str]:
    """The object that stands for a value. Raises ConnectorError for what is neither an IP address nor a name."""
    value, name = target.value.strip().casefold().rstrip("."), object_name(target)
    if target.kind == DOMAIN and HOST.fullmatch(value) and len(value) <= 253:
        return {"name": name, "type": "fqdn", "fqdn": value, "comment": "Blocked by Soar"}
    if target.kind == IP:
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            raise ConnectorError(f"{value[:80]} is no IP address.", permanent=True) from None
        if address.version == 6:
            return {"name": name, "type": "ipprefix", "ip6": f"{address}/128", "comment": "Blocked by Soar"}
        return {"name": name, "type": "ipmask", "subnet": f"{address} 255.255.255.255", "comment": "Blocked by Soar"}
    text = f"FortiGate blocks IP addresses and names of hosts by its groups, not {value[:80] or 'this'}."
    raise ConnectorError(text, permanent=True)


def _same_as(target: Target) -> tuple[str, str, str]:
    """Where objects that are the target stand, and what of them is how."""
    wanted = address_object(target)
    part = next(one for one in PARTS if one in wanted)
    return "address6" if part == "ip6" else "address", part, wanted[part]


def _is(row: dict[str, Any], part: str, value: str) -> bool:
    """Whether the object is the very same, whatever the firewall made of the filter."""
    return str(row.get(part) or "").casefold() == value.casefold()


def _members(group: dict[str, Any]) -> set[str]:
    members = group.get("member")
    return (
        {str(one.get("name") or "") for one in members if isinstance(one, dict)} if isinstance(members, list) else set()
    )


def object_name(target: Target) -> str:
    """What the object is called; a name that is too long is cut, and its end is compared when it is there already."""
    return (PREFIX + target.value.strip().casefold().rstrip("."))[:LONGEST_NAME]


def _version(target: Target) -> int:
    return 6 if target.kind == IP and ":" in target.value else 4


def _body(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _shown(*requests: Request) -> dict[str, Any]:
    return {"calls": [{"method": method, "path": f"/{path}", "body": body} for method, path, body in requests]}


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """Names that FortiOS does not have, by setting."""
    text = "A name has up to 79 letters, digits, spaces and _ . -"
    names = ("group", "group6", "vdom")
    return {name: text for name in names if settings[name] and not GROUP.fullmatch(settings[name])}


KIND = Kind(
    name="fortinet",
    label=_("Fortinet FortiGate"),
    connector=FortiGate,
    address=Setting("url", _("Address of the FortiGate, https://host"), form="url", required=True),
    rules=problems,
    settings=(
        Setting("group", _("Address group that policies block"), required=True, default="soar-blocked"),
        Setting("group6", _("Group for IPv6 addresses (addrgrp6); empty: they are refused")),
        Setting("vdom", _("Virtual domain; empty: the one of management")),
    ),
    secrets=(Setting("token", _("API key of a REST API administrator"), required=True),),
)
