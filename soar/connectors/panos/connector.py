"""Palo Alto PAN-OS: an address gets a tag by the XML API (User-ID); policies block the group that goes by the tag.

No configuration is changed, so there is nothing to commit."""

from __future__ import annotations

import ipaddress
import re
from typing import Any, ClassVar
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import IP, Result, Target
from soar.connectors.kinds import Kind, Setting
from soar.connectors.responder import Responder
from soar.lib.http import Answer
from soar.lib.xml_text import parsed

TAG = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_. -]{0,126}")
VSYS = re.compile(r"vsys[0-9]{1,3}")
DAY = 86_400
LONGEST_DAYS = 30  # that a tag may have as its time
# Error codes of the XML API (those of its documentation that are for now, or about the key).
BUSY = {"8", "13", "21"}
WORDS = {
    "403": "PAN-OS does not take the API key",
    "22": "PAN-OS does not take the API key any more: its time is over",
    "16": "The API key lacks a right in PAN-OS (User-ID agent, operational requests)",
}
FINE = {"block": "already exists, ignore", "unblock": "does not exist, ignore"}


class PanOs(Responder):
    """Registering what is registered, and taking off what is not there, is refused by PAN-OS inside an answer of 200;
    both are done as far as we are concerned."""

    kind = "panos"
    serves: ClassVar[frozenset[str]] = frozenset({"block", "unblock"})
    only = {"block": frozenset({IP}), "unblock": frozenset({IP})}
    repeatable: ClassVar[frozenset[str]] = serves

    def sign_in(self, secrets: dict[str, Any]) -> tuple[dict[str, str], tuple[str, str] | None]:
        """The key in its header, never in the address."""
        return {"X-PAN-KEY": str(secrets.get("token", ""))}, None

    def check(self) -> str:
        """Ask for name and version. Raises ConnectorError."""
        found = self._asked("test", {"type": "op", "cmd": "<show><system><info></info></system></show>"})
        name, version = (found.findtext(f".//{part}") or "?" for part in ("hostname", "sw-version"))
        return f"{name[:80]} answers with PAN-OS {version[:20]}; addresses get the tag {self._tag()}."

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """See Responder. ``params["days"]``: how long the tag stays, up to 30 days at PAN-OS itself."""
        form = self._form(capability, target, params)
        address, ours = target.value.strip(), self.tried(capability, key)
        found = self._asked(capability, form, key=key, fine=FINE[capability])
        before = found.get("status") != "success"
        if capability == "unblock":
            text = f"{address} did not have the tag {self._tag()}." if before else f"The tag is off {address}."
            return Result("done", text, request=form)
        ours = ours or (before and self.repeated(capability, key))
        if before and not ours:
            text = f"{address} had the tag {self._tag()} already; how long it stays was not changed."
        else:
            text = f"{address} has the tag {self._tag()} {_until(params.get('days'))}."
        return Result(
            "done", text, request=form, data={"tag": self._tag(), "address": address, "changed": ours or not before}
        )

    def look_first(self, capability: str, target: Target) -> None:
        """See Responder: by the tags that the address has at the firewall. A key without the right to ask, or a version
        that knows no such question, tells none."""
        if self.guard is None or capability != "block":
            return
        self._form(capability, target, {})  # refuses what is no address
        address = str(ipaddress.ip_address(target.value.strip()))
        shown = f"<show><object><registered-ip><ip>{address}</ip></registered-ip></object></show>"
        try:
            found = self._asked("look at address", {"type": "op", "cmd": shown, **self._vsys()})
        except ConnectorError as error:
            if not error.permanent:
                raise
            return
        tags = [str(one.text or "") for one in found.iterfind(".//entry/tag/member")]
        self.about_to(IP, address, tags=[one for one in tags if one != self._tag()])

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """See Responder."""
        return [self.preview("POST", "api/", data=self._form(capability, target, params))["request"]]

    def _form(self, capability: str, target: Target, params: dict[str, Any]) -> dict[str, str]:
        if capability not in self.serves:
            raise ConnectorError(f"PAN-OS cannot do {capability}.", permanent=True)
        if target.kind != IP:
            text = f"PAN-OS blocks single IP addresses by a tag, not a {target.kind.replace('_', ' ')}."
            raise ConnectorError(text, permanent=True)
        try:
            address = str(ipaddress.ip_address(target.value.strip()))
        except ValueError:
            raise ConnectorError(f"{target.value[:80]} is no IP address.", permanent=True) from None
        seconds = timeout_of(params.get("days"))
        member = f"<member timeout={quoteattr(str(seconds))}>" if seconds and capability == "block" else "<member>"
        verb = "register" if capability == "block" else "unregister"
        entry = f"<entry ip={quoteattr(address)}><tag>{member}{escape(self._tag())}</member></tag></entry>"
        payload = f"<payload><{verb}>{entry}</{verb}></payload>"
        form = {
            "type": "user-id",
            "cmd": f"<uid-message><version>2.0</version><type>update</type>{payload}</uid-message>",
        }
        return form | self._vsys()

    def _vsys(self) -> dict[str, str]:
        vsys = str(self.account.settings.get("vsys") or "")
        return {"vsys": vsys} if vsys else {}

    def _asked(self, operation: str, form: dict[str, str], *, key: str = "", fine: str = "") -> Element:
        """The answer. Raises ConnectorError for an error, also one inside an answer of 200, unless it says ``fine``."""
        answer = self.call(operation, "POST", "api/", idempotency_key=key, idempotent=True, data=form)
        try:
            found = parsed(answer.text)
        except ValueError:
            raise _odd(answer) from None
        if found.tag != "response":
            raise _odd(answer)
        said = _said(found)
        if found.get("status") == "success" or (answer.ok and fine and said and all(fine in one for one in said)):
            return found
        code = str(found.get("code") or ("" if answer.ok else answer.status))
        text = answer.redactor.text("; ".join(said) or f"code {code or '?'}", at_most=400)
        passing = code in BUSY or answer.status >= 500 or answer.status == 429
        raise ConnectorError(
            f"{WORDS.get(code, 'PAN-OS refused it')} ({text}).", permanent=not passing, status=answer.status
        )

    def _tag(self) -> str:
        return str(self.account.settings.get("tag") or "soar-blocked")


def timeout_of(days: Any) -> int:
    """Seconds that a tag stays, 0 for good: PAN-OS takes no more than 30 days. Raises ConnectorError."""
    if days in (None, ""):
        return 0
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        raise ConnectorError(f"Days must be a whole number, not {days!r}.", permanent=True)
    return days * DAY if days <= LONGEST_DAYS else 0


def _until(days: Any) -> str:
    if days in (None, ""):
        return "until it is removed"
    if timeout_of(days):
        return f"for {days} {'day' if days == 1 else 'days'}"
    return f"until it is removed: PAN-OS forgets by itself after at most {LONGEST_DAYS} days, not {days}"


def _said(found: Element) -> list[str]:
    """The sentences of an error, wherever this kind of request has them."""
    entries = [str(one.get("message")) for one in found.iter("entry") if one.get("message")]
    lines = [" ".join("".join(one.itertext()).split()) for one in (*found.iter("line"), *found.iter("msg"))]
    return entries or list(dict.fromkeys(one for one in lines if one))


def _odd(answer: Answer) -> ConnectorError:
    what = "an HTML page" if "html" in answer.media_type else "something that is not its XML"
    permanent = 400 <= answer.status < 500 and answer.status != 429
    return ConnectorError(f"PAN-OS answered {answer.status} with {what}.", permanent=permanent, status=answer.status)


def problems(settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
    """What PAN-OS would not take, by name."""
    found = {}
    if not TAG.fullmatch(settings["tag"] or "soar-blocked"):
        found["tag"] = _("A tag has up to 127 letters, digits, spaces and _ . -")
    if settings["vsys"] and not VSYS.fullmatch(settings["vsys"]):
        found["vsys"] = _("A virtual system is written vsys1.")
    return found


KIND = Kind(
    name="panos",
    label=gettext_noop("Palo Alto PAN-OS"),
    connector=PanOs,
    address=Setting(
        "url", gettext_noop("Address of the firewall or Panorama, https://host"), form="url", required=True
    ),
    rules=problems,
    settings=(
        Setting(
            "tag",
            gettext_noop("Tag that blocked addresses get; a dynamic address group goes by it"),
            default="soar-blocked",
        ),
        Setting("vsys", gettext_noop("Virtual system, such as vsys1; empty: the first")),
    ),
    secrets=(Setting("token", gettext_noop("API key"), required=True),),
)
