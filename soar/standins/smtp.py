"""A mail server that keeps every mail for itself: a sink on a loopback port, whose mails can be read."""

from __future__ import annotations

import base64
import binascii
import email
import email.policy
import socketserver
import threading
import time
from email.message import EmailMessage
from typing import Any, ClassVar

from soar.standins.base import Standin
from soar.standins.certificate import self_signed
from soar.standins.keeping import keep

LARGEST = 10 * 1024 * 1024
USERNAME, PASSWORD = "practice", "practice"
# What an ordered fault makes of a session: (at which command, what is answered; "" = the connection ends).
FAULTS = {
    "429": ("MAIL", "451 4.7.1 Try again later"),
    "500": ("DATA", "554 5.3.0 The mail was not accepted"),
    "502": ("RCPT", "452 4.3.1 Insufficient storage"),
    "503": ("connect", "421 4.3.2 The service is shutting down"),
    "html": ("connect", "<!doctype html><h1>This is no mail server</h1>"),
    "garbage": ("connect", "\x00\x01\x02"),
    "before": ("connect", ""),
    "401": ("AUTH", "535 5.7.8 Authentication credentials invalid"),
    "403": ("MAIL", "550 5.7.1 Sender not allowed"),
    "404": ("RCPT", "550 5.1.1 No such user"),
    "410": ("RCPT", "550 5.1.6 The mailbox has moved"),
}


class Smtp(Standin):
    """``messages``: mails, each once by its Message-ID, with ``copies``. ``tls``: STARTTLS with a certificate that
    nobody has signed. Recipients that begin with ``nobody`` are refused for good, with ``later`` for now."""

    kind = "smtp"
    settings: ClassVar[dict[str, str]] = {
        "cleared": "red",
        "sender": "Soar <soar@practice.example>",
        "recipients": "soc@practice.example",
    }
    lasting = True

    def __init__(self, port: int = 0, *, tls: bool = False) -> None:
        super().__init__()
        self.context = self_signed() if tls else None
        self._server = _Server(("127.0.0.1", port), _Session)
        self._server.standin = self
        self.port = self._server.server_address[1]

    def url(self, base: str) -> str:
        """A mail server, not a web server."""
        return f"smtp://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Take connections."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Take none any more."""
        self._server.shutdown()
        self._server.server_close()

    def fresh(self) -> dict[str, Any]:
        """No mail."""
        return {"messages": []}

    def fault(self) -> dict[str, Any] | None:
        """The fault that was ordered for the next session."""
        return self._next_fault()

    def take(self, sender: str, recipients: list[str], raw: bytes) -> None:
        """Keep a mail."""
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        identity = str(mail["Message-ID"] or "")
        with self.lock:
            for one in self.state["messages"]:
                if identity and one["message_id"] == identity:
                    one["copies"] += 1
                    return
            keep(self.state, "messages", {**_read(mail), "sender": sender, "recipients": recipients, "copies": 1})


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    standin: Smtp


class _Session(socketserver.StreamRequestHandler):
    """One conversation: as much of RFC 5321 as mail programs use."""

    timeout = 30

    def setup(self) -> None:
        super().setup()
        server: Any = self.server
        self.standin: Smtp = server.standin
        self.fault = self.standin.fault() or {"kind": ""}
        self.sender, self.recipients, self.secure = "", list[str](), False

    def handle(self) -> None:
        """Greet, then answer until QUIT."""
        if self.fault["kind"] == "slow":
            time.sleep(float(self.fault.get("delay", 2)))
        try:
            if self._say("220 practice ESMTP", "connect"):
                while line := self.rfile.readline(4096):
                    if not self._command(line.decode("utf-8", "replace").rstrip("\r\n")):
                        return
        except OSError:
            return

    def _command(self, line: str) -> bool:
        """Answer one command; False ends the session."""
        verb, _, rest = line.partition(" ")
        act = getattr(self, f"_on_{verb.lower()}", None)
        return bool(act(rest)) if act and verb.isalpha() else self._say("502 5.5.2 Command not known")

    def _on_ehlo(self, rest: str) -> bool:
        offers = [f"SIZE {LARGEST}", "8BITMIME", "AUTH PLAIN LOGIN"]
        offers += ["STARTTLS"] if self.standin.context and not self.secure else []
        lines = ["practice", *offers]
        return self._say("\r\n".join(f"250{' ' if one is lines[-1] else '-'}{one}" for one in lines))

    def _on_helo(self, rest: str) -> bool:
        return self._say("250 practice")

    def _on_starttls(self, rest: str) -> bool:
        if self.standin.context is None:
            return self._say("502 5.5.1 Not offered")
        self._say("220 2.0.0 Go ahead")
        self.request = self.standin.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        self.secure = True
        return True

    def _on_auth(self, rest: str) -> bool:
        method, _, first = rest.partition(" ")
        if method.upper() == "PLAIN":
            _, user, password = (*_decoded(first or self._asked("334 ")).split("\0"), "", "")[:3]
        else:
            user, password = (
                _decoded(first or self._asked("334 VXNlcm5hbWU6")),
                _decoded(self._asked("334 UGFzc3dvcmQ6")),
            )
        right = (user, password) == (USERNAME, PASSWORD)
        return self._say("235 2.7.0 Welcome" if right else "535 5.7.8 Authentication credentials invalid", "AUTH")

    def _on_mail(self, rest: str) -> bool:
        self.sender, self.recipients = _address(rest), []
        return self._say("250 2.1.0 Sender ok", "MAIL")

    def _on_rcpt(self, rest: str) -> bool:
        one = _address(rest)
        if one.startswith("nobody"):
            return self._say("550 5.1.1 No such user")
        if one.startswith("later"):
            return self._say("451 4.7.1 Greylisted, try again later")
        if self.fault["kind"] not in ("502", "404", "410"):
            self.recipients.append(one)
        return self._say("250 2.1.5 Recipient ok", "RCPT")

    def _on_data(self, rest: str) -> bool:
        if not self.recipients:
            return self._say("503 5.5.1 No recipients")
        if FAULTS.get(self.fault["kind"], ("", ""))[0] == "DATA":
            return self._say("", "DATA")
        self._say("354 End with a dot on a line of its own")
        self.standin.take(self.sender, self.recipients, self._body())
        return self.fault["kind"] != "after" and self._say("250 2.0.0 Taken")

    def _on_rset(self, rest: str) -> bool:
        self.sender, self.recipients = "", []
        return self._say("250 2.0.0 Ok")

    def _on_noop(self, rest: str) -> bool:
        return self._say("250 2.0.0 Ok")

    def _on_quit(self, rest: str) -> bool:
        self._say("221 2.0.0 Bye")
        return False

    def _body(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline(LARGEST)) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _asked(self, text: str) -> str:
        self._say(text)
        return self.rfile.readline(4096).decode("ascii", "replace").strip()

    def _say(self, text: str, at: str = "") -> bool:
        """Answer; at the ordered moment with the fault. False when the connection is to end."""
        moment, instead = FAULTS.get(self.fault["kind"], ("", ""))
        if at and at == moment:
            if not instead:
                return False
            text = instead
        self.wfile.write(f"{text}\r\n".encode())
        return not text.startswith(("421", "<"))


def _read(mail: EmailMessage) -> dict[str, Any]:
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return {
        "subject": str(mail["Subject"] or ""),
        "from": str(mail["From"] or ""),
        "to": str(mail["To"] or ""),
        "message_id": str(mail["Message-ID"] or ""),
        "in_reply_to": str(mail["In-Reply-To"] or ""),
        "headers": {name: str(value) for name, value in mail.items()},
        "text": text.get_content().replace("\r\n", "\n") if text else "",
        "html": html.get_content().replace("\r\n", "\n") if html else "",
    }


def _address(rest: str) -> str:
    return rest.partition("<")[2].partition(">")[0]


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""
