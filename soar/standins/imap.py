"""A mailbox on a loopback port, with what real ones do to those who read them: other numbers over night, messages that
go away in the middle, connections that end."""

from __future__ import annotations

import base64
import binascii
import re
import socketserver
import threading
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from soar.standins.base import Request, Response, Standin, json_response
from soar.standins.certificate import self_signed
from soar.standins.imap_words import in_set, names_of, utf7, words_of

USERNAME, PASSWORD, TOKEN = "reported@practice.example", "practice", "practice-token"
BASE = "IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 UIDPLUS"
# What an ordered fault answers instead, at which command; "" = the connection ends there.
FAULTS = {
    "401": ("AUTH", "NO [AUTHENTICATIONFAILED] Invalid credentials"),
    "403": ("SELECT", "NO [NOPERM] Access denied"),
    "404": ("SELECT", "NO [NONEXISTENT] Unknown mailbox"),
    "429": ("AUTH", "NO [LIMIT] Too many connections"),
    "500": ("FETCH", "NO [SERVERBUG] Internal error"),
    "503": ("AUTH", "NO [UNAVAILABLE] Try again later"),
    "after": ("LITERAL", ""),
    "before": ("greeting", ""),
    "html": ("greeting", "<!doctype html><h1>This is no mail server</h1>"),
    "garbage": ("SEARCH", "\x00\x01\x02"),
}


class Imap(Standin):
    """``folders``: by name, with ``uidvalidity``, ``uidnext`` and ``messages`` (uid, raw as Latin-1, flags, at).
    ``tls``: STARTTLS with a certificate that nobody has signed. ``move``: whether the server can MOVE.

    ``tokens``: those that were given by the sign-in of its own and are good still; ``uses``: so many messages are read
    with one until it is at its end, in the middle of whatever is done (0: it lasts); ``secret``: of the application."""

    kind = "imap"
    settings: ClassVar[dict[str, str]] = {"folder": "INBOX"}
    secrets: ClassVar[dict[str, str]] = {"username": USERNAME, "password": PASSWORD}
    lasting = True

    def __init__(self, port: int = 0, *, tls: bool = False, move: bool = True) -> None:
        super().__init__()
        self.context = self_signed() if tls else None
        self.move = move
        self._server = _Server(("127.0.0.1", port), _Session)
        self._server.standin = self
        self.port = self._server.server_address[1]

    def url(self, base: str) -> str:
        """A mail server, not a web server."""
        return f"imap://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Take connections."""
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Take none any more."""
        self._server.shutdown()
        self._server.server_close()

    def fresh(self) -> dict[str, Any]:
        """Two folders without messages."""
        folders = {name: {"uidvalidity": 7, "uidnext": 1, "messages": []} for name in ("INBOX", "Done")}
        return {"folders": folders, "tokens": {}, "grants": 0, "uses": 0, "secret": ""}

    def answer(self, request: Request) -> Response:
        """The sign-in that gives tokens, as Microsoft's does."""
        form, secret = request.form(), self.state["secret"]
        if not request.path.endswith("/oauth2/v2.0/token"):
            return super().answer(request)
        if form.get("grant_type") != "client_credentials" or not form.get("scope", "").endswith("/.default"):
            return json_response({"error": "invalid_request", "error_description": "AADSTS900144: wrong grant"}, 400)
        if not form.get("client_id") or not form.get("client_secret") or secret not in ("", form["client_secret"]):
            told = "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 7d1b"
            return json_response({"error": "invalid_client", "error_description": told}, 401)
        self.state["grants"] += 1
        token = f"practice-access-{self.state['grants']:04d}"
        self.state["tokens"][token] = 0
        return json_response({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def worn(self, token: str) -> bool:
        """Whether a token is at its end with the message that is asked for now."""
        with self.lock:
            if token not in self.state["tokens"] or not self.state["uses"]:
                return False
            self.state["tokens"][token] += 1
            if self.state["tokens"][token] <= self.state["uses"]:
                return False
            del self.state["tokens"][token]
            return True

    def stamp(self) -> object:
        """Messages are only added, moved and marked."""
        return [(one["uidvalidity"], one["uidnext"], [(m["uid"], *m["flags"]) for m in one["messages"]])
                for one in self.state["folders"].values()]  # fmt: skip

    def deliver(self, raw: bytes, folder: str = "INBOX", at: datetime | None = None) -> int:
        """Put a message into a folder; its number."""
        with self.lock:
            box = self.state["folders"][folder]
            uid = box["uidnext"]
            box["uidnext"] += 1
            moment = (at or datetime.now(UTC)).isoformat()
            box["messages"].append({"uid": uid, "raw": raw.decode("latin-1"), "flags": [], "at": moment})
            return int(uid)

    def renumber(self, folder: str = "INBOX") -> None:
        """Give all messages other numbers, as a restored or rebuilt mailbox does."""
        with self.lock:
            box = self.state["folders"][folder]
            box["uidvalidity"] += 1
            for number, message in enumerate(box["messages"], 1):
                message["uid"] = number
            box["uidnext"] = len(box["messages"]) + 1

    def expunge(self, uid: int, folder: str = "INBOX") -> None:
        """Take a message away for good."""
        with self.lock:
            box = self.state["folders"][folder]
            box["messages"] = [one for one in box["messages"] if one["uid"] != uid]

    def fault(self) -> dict[str, Any] | None:
        """The fault that was ordered for the next session."""
        return self._next_fault()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    standin: Imap


class _Session(socketserver.StreamRequestHandler):
    """One conversation: as much of RFC 3501, 4315 and 6851 as programs that read a mailbox use."""

    timeout = 30

    def setup(self) -> None:
        super().setup()
        server: Any = self.server
        self.standin: Imap = server.standin
        self.fault = self.standin.fault() or {"kind": ""}
        self.user, self.folder, self.tag, self.secure, self.token = "", "", "*", False, ""

    def handle(self) -> None:
        """Greet, then answer until LOGOUT."""
        if self.fault["kind"] == "slow":
            time.sleep(float(self.fault.get("delay", 2)))
        try:
            if self._faulty("greeting") or not self._line("* OK practice ready"):
                return
            while line := self.rfile.readline(65_536):
                if not self._command(line.decode("utf-8", "replace").rstrip("\r\n")):
                    return
        except OSError:
            return

    def _command(self, line: str) -> bool:
        self.tag, _, rest = line.partition(" ")
        verb, _, rest = rest.partition(" ")
        if verb.upper() == "UID":
            verb, _, rest = rest.partition(" ")
            verb = f"uid_{verb}"
        act = getattr(self, f"_on_{verb.lower()}", None)
        if act is None or not self.tag:
            return self._done("BAD Command not known")
        with self.standin.lock:
            return bool(act(rest))

    def _on_capability(self, rest: str) -> bool:
        tls = " STARTTLS" if self.standin.context and not self.secure else ""
        move = " MOVE" if self.standin.move and self.user else ""
        self._line(f"* CAPABILITY {BASE}{tls}{move}")
        return self._done("OK done")

    def _on_noop(self, rest: str) -> bool:
        return self._done("OK done")

    def _on_starttls(self, rest: str) -> bool:
        if self.standin.context is None:
            return self._done("BAD Not offered")
        self._done("OK Go ahead")
        self.request = self.standin.context.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", buffering=0)
        self.secure = True
        return True

    def _on_login(self, rest: str) -> bool:
        user, password = (*words_of(rest), "", "")[:2]
        return self._welcome(user, (user, password) == (USERNAME, PASSWORD))

    def _on_authenticate(self, rest: str) -> bool:
        method = rest.partition(" ")[0].upper()
        self._line("+ ")
        try:
            given = base64.b64decode(self.rfile.readline(65_536)).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            given = ""
        if method == "XOAUTH2":
            user, _, self.token = given.removesuffix("\1\1").partition("\1auth=Bearer ")
            right = user == f"user={USERNAME}" and self.token in (TOKEN, *self.standin.state["tokens"])
            if not right:
                self._line("+ " + base64.b64encode(b'{"status":"400"}').decode())
                self.rfile.readline(65_536)
            return self._welcome(USERNAME, right)
        _, user, password = (*given.split("\0"), "", "", "")[:3]
        return self._welcome(user, (user, password) == (USERNAME, PASSWORD))

    def _welcome(self, user: str, right: bool) -> bool:
        if self._faulty("AUTH"):
            return True
        self.user = user if right else ""
        return self._done("OK Welcome" if right else "NO [AUTHENTICATIONFAILED] Invalid credentials")

    def _on_select(self, rest: str) -> bool:
        name = utf7((*words_of(rest), "")[0])
        if self._faulty("SELECT"):
            return True
        if not self.user or name not in self.standin.state["folders"]:
            return self._done("NO [NONEXISTENT] Unknown mailbox" if self.user else "BAD Sign in first")
        self.folder = name
        box = self._box()
        self._line(f"* {len(box['messages'])} EXISTS")
        self._line(f"* OK [UIDVALIDITY {box['uidvalidity']}] valid")
        self._line(f"* OK [UIDNEXT {box['uidnext']}] next")
        return self._done("OK [READ-WRITE] done")

    def _on_examine(self, rest: str) -> bool:
        return self._on_select(rest)

    def _on_uid_search(self, rest: str) -> bool:
        if self._faulty("SEARCH"):
            return True
        words = rest.split()
        found = self._in(words[words.index("UID") + 1]) if "UID" in words else list(self._box()["messages"])
        if "SINCE" in words:
            since = datetime.strptime(words[words.index("SINCE") + 1], "%d-%b-%Y").replace(tzinfo=UTC)
            found = [one for one in found if datetime.fromisoformat(one["at"]) >= since]
        if "UNDELETED" in words:
            found = [one for one in found if "\\Deleted" not in one["flags"]]
        self._line("* SEARCH " + " ".join(str(one["uid"]) for one in found))
        return self._done("OK done")

    def _on_uid_fetch(self, rest: str) -> bool:
        if self._faulty("FETCH"):
            return True
        for one in self._in(rest.partition(" ")[0]):
            raw = one["raw"].encode("latin-1")
            if "BODY" not in rest:
                at = datetime.fromisoformat(one["at"]).strftime("%d-%b-%Y %H:%M:%S +0000")
                self._line(f'* 1 FETCH (UID {one["uid"]} RFC822.SIZE {len(raw)} INTERNALDATE "{at}")')
            elif self.standin.worn(self.token):
                self._line("* BYE Session invalidated - AccessTokenExpired")
                return False
            elif not self._literal(one, raw, re.search(r"<0\.(\d+)>", rest)):
                return False
        return self._done("OK done")

    def _literal(self, one: dict[str, Any], raw: bytes, limit: re.Match[str] | None) -> bool:
        part = raw[: int(limit[1])] if limit else raw
        self.wfile.write(f"* 1 FETCH (UID {one['uid']} BODY[]<0> {{{len(part)}}}\r\n".encode())
        if self.fault["kind"] == "after":
            self.wfile.write(part[: len(part) // 2])
            return False
        self.wfile.write(part)
        return self._line(")")

    def _on_uid_store(self, rest: str) -> bool:
        for one in self._in(rest.partition(" ")[0]):
            one["flags"] = sorted({*one["flags"], *re.findall(r"\\\w+", rest)})
        return self._done("OK done")

    def _on_uid_copy(self, rest: str) -> bool:
        numbers, target = names_of(rest)
        if target not in self.standin.state["folders"]:
            return self._done("NO [TRYCREATE] Unknown mailbox")
        for one in self._in(numbers):
            self.standin.deliver(one["raw"].encode("latin-1"), target, datetime.fromisoformat(one["at"]))
        return self._done("OK done")

    def _on_uid_move(self, rest: str) -> bool:
        numbers, target = names_of(rest)
        if not self.standin.move or target not in self.standin.state["folders"]:
            return self._done("NO [TRYCREATE] Unknown mailbox" if self.standin.move else "BAD Command not known")
        for one in self._in(numbers):
            self.standin.deliver(one["raw"].encode("latin-1"), target, datetime.fromisoformat(one["at"]))
            self.standin.expunge(one["uid"], self.folder)
        return self._done("OK done")

    def _on_uid_expunge(self, rest: str) -> bool:
        for one in self._in(rest):
            if "\\Deleted" in one["flags"]:
                self.standin.expunge(one["uid"], self.folder)
        return self._done("OK done")

    def _on_logout(self, rest: str) -> bool:
        self._line("* BYE see you")
        self._done("OK done")
        return False

    def _box(self) -> dict[str, Any]:
        box: dict[str, Any] = self.standin.state["folders"][self.folder or "INBOX"]
        return box

    def _in(self, numbers: str) -> list[dict[str, Any]]:
        messages = self._box()["messages"]
        last = max((one["uid"] for one in messages), default=0)
        return [one for one in messages if in_set(one["uid"], numbers, last)]

    def _faulty(self, at: str) -> bool:
        """Whether the ordered fault has answered here; one that ends the connection raises."""
        moment, instead = FAULTS.get(self.fault["kind"], ("", ""))
        if at != moment or at == "LITERAL":
            return False
        if not instead:
            raise ConnectionAbortedError
        return self._line(instead) if instead[0] in "<\x00" else self._done(instead)

    def _done(self, text: str) -> bool:
        return self._line(f"{self.tag} {text}")

    def _line(self, text: str) -> bool:
        self.wfile.write(f"{text}\r\n".encode())
        return True
