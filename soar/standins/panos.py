"""A PAN-OS firewall by its XML API: what goes wrong is told inside answers of 200.

State: ``tags`` (address -> tag -> seconds, 0 for good), ``most``: addresses it takes, ``seen``: the commands."""

from __future__ import annotations

from typing import Any, ClassVar
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

from soar.standins.base import Request, Response, Standin


class PanOs(Standin):
    """Any key but "expired" and "" is taken, in the header."""

    kind: ClassVar[str] = "panos"
    lasting = True

    def fresh(self) -> dict[str, Any]:
        return {"tags": {}, "most": 1000, "seen": []}

    def refused(self, status: int) -> Response:
        """A wrong key, or a role that lacks the right; the latter inside of 200."""
        if status == 401:
            return _xml('<response status = "error" code = "403"><result><msg>Invalid Credential</msg></result>'
                        "</response>", 403)  # fmt: skip
        return _xml('<response status="error" code="16"><msg><line>Unauthorized request</line></msg></response>')

    def hurried(self) -> Response:
        return _xml('<response status="error" code="429"><msg><line>Too many requests</line></msg></response>', 429)

    def answer(self, request: Request) -> Response:
        """See Standin."""
        if request.path != "/api/" or request.method != "POST":
            return super().answer(request)
        if request.headers.get("x-pan-key", "") in ("", "expired"):
            return self.refused(401)
        form = request.form()
        self.state["seen"].append(form.get("cmd", ""))
        if form.get("type") == "op":
            return self._shown(form.get("cmd", ""))
        if form.get("type") != "user-id" or form.get("vsys", "vsys1") != "vsys1":
            return _xml('<response status="error" code="17"><msg><line>Invalid command or vsys</line></msg></response>')
        try:
            message = ElementTree.fromstring(form.get("cmd", ""))  # noqa: S314  of our own tests
        except ElementTree.ParseError:
            return _xml('<response status="error" code="18"><msg><line>Malformed command</line></msg></response>')
        return self._update(message)

    def _shown(self, command: str) -> Response:
        if "<registered-ip>" not in command:
            about = "<hostname>fw-practice</hostname><sw-version>11.1.2</sw-version>"
            return _xml(f'<response status="success"><result><system>{about}</system></result></response>')
        address = command.partition("<ip>")[2].partition("</ip>")[0]
        tags = self.state["tags"].get(address) or {}
        members = "".join(f"<member>{escape(name)}</member>" for name in tags)
        entry = f'<entry ip={quoteattr(address)} from_agent="0" persistent="1"><tag>{members}</tag></entry>'
        told = f"{entry}<count>1</count>" if tags else "<count>0</count>"
        return _xml(f'<response status="success"><result>{told}</result></response>')

    def _update(self, message: ElementTree.Element) -> Response:
        wrong = [
            (verb, entry.get("ip", ""), problem)
            for verb in ("register", "unregister")
            for entry in message.iterfind(f"payload/{verb}/entry")
            if (problem := self._tagged(verb, entry))
        ]
        if not wrong:
            return _xml('<response status="success"><result><uid-response><version>2.0</version><payload/>'
                        "</uid-response></result></response>")  # fmt: skip
        told = "".join(
            f"<{verb}><entry ip={quoteattr(ip)} message={quoteattr(text)}/></{verb}>" for verb, ip, text in wrong
        )
        body = f"<uid-response><version>2.0</version><payload>{told}</payload></uid-response>"
        return _xml(f'<response status="error"><msg><line>{body}</line></msg></response>')

    def _tagged(self, verb: str, entry: ElementTree.Element) -> str:
        """Do one entry; what is wrong with it."""
        tags = self.state["tags"].setdefault(entry.get("ip", ""), {})
        for member in entry.iterfind("tag/member"):
            name = member.text or ""
            if verb == "unregister":
                if tags.pop(name, None) is None:
                    return f"tag {escape(name)} does not exist, ignore unregister"
            elif name in tags:
                return f"tag {escape(name)} already exists, ignore"
            elif sum(1 for one in self.state["tags"].values() if one) >= self.state["most"]:
                return "maximum number of registered IP addresses is reached"
            else:
                tags[name] = int(member.get("timeout") or 0)
        return ""


def _xml(body: str, status: int = 200) -> Response:
    return Response(status, body.encode(), {"Content-Type": "application/xml; charset=UTF-8"})
