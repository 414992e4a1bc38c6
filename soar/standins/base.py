"""What every stand-in has in common: its state, the faults one can order, and how a request reaches it.

A stand-in is plain Python behind ``server.py``. Faults are ordered by ``POST /<kind>/_control/fault`` (rulings 27)."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Request:
    """``path`` is below the stand-in's address and begins with "/". Header names are in lower case."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    base: str = ""

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        return json.loads(self.body or b"null")

    def form(self) -> dict[str, str]:
        """The body as a form; the last of several values."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}

    def argument(self, name: str, default: str = "") -> str:
        """A parameter of the query."""
        return self.query.get(name, [default])[-1]


@dataclass(slots=True)
class Response:
    """``drop``: the connection is closed instead; ``truncate``: after half of the body."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    truncate: bool = False


def json_response(value: Any, status: int = 200, **headers: str) -> Response:
    """An answer in JSON; underscores of header names become hyphens."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, json.dumps(value).encode(), {"Content-Type": JSON, **named})


def text_response(text: str, status: int = 200, media: str = "text/plain; charset=utf-8") -> Response:
    """An answer in text."""
    return Response(status, text.encode(), {"Content-Type": media})


HTML_ERROR = text_response("<!doctype html><h1>Service temporarily unavailable</h1>", 503, "text/html")
# Faults: what is answered instead. "before" never reaches the stand-in, "after" does and loses its answer.
FAULTS = (
    "413", "429", "500", "502", "503", "504", "html", "garbage", "slow", "before", "after", "401", "403", "404", "410",
)  # fmt: skip


class Standin:
    """One product. Derived classes give ``kind``, ``fresh`` (state after a reset) and ``answer``.

    ``state`` is JSON, changed only under ``lock``, which the server holds while ``answer`` runs."""

    kind: ClassVar[str]
    # With what an account is made for it in the demo, besides its address; nothing of this is a secret.
    settings: ClassVar[dict[str, str]] = {}
    secrets: ClassVar[dict[str, str]] = {}
    # Whether its state is kept over a restart: it must then be whole in ``state``.
    lasting: ClassVar[bool] = False

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.state: dict[str, Any] = self.fresh()
        self._faults: list[dict[str, Any]] = []

    def url(self, base: str) -> str:
        """What an account is given as its address; ``base`` is that of the stand-in."""
        return base

    def stamp(self) -> object:
        """Something else as soon as ``state`` is: asked every few seconds, so that only changes are kept."""
        return repr(self.state)

    def kept(self) -> dict[str, Any]:
        """What is kept of ``state``; it is written without the lock, so nothing of it may change any more."""
        return dict(self.state)

    def open(self) -> None:
        """Begin; for one that listens on a port of its own."""

    def close(self) -> None:
        """End what ``open`` began."""

    def fresh(self) -> dict[str, Any]:
        """The state that a reset brings back."""
        return {}

    def answer(self, request: Request) -> Response:
        """The product's own answer."""
        return text_response("There is nothing here.", 404)

    def hurried(self) -> Response:
        """What this product says to somebody who asks too often."""
        return json_response({"error": {"code": "TooManyRequests", "message": "Too many requests"}}, 429)

    def refused(self, status: int) -> Response:
        """What this product says to wrong credentials (401) or missing rights (403)."""
        return json_response({"error": {"code": "InvalidToken", "message": "Access is denied."}}, status)

    def gone(self, status: int) -> Response:
        """What this product says of a thing that is not there (404) or not any more (410)."""
        return text_response("There is nothing here any more.", status)

    def serve(self, request: Request) -> Response:
        """The answer, or what an ordered fault makes of it."""
        fault = self._next_fault()
        if fault is None or fault["kind"] in ("after", "slow"):
            if fault and fault["kind"] == "slow":
                time.sleep(float(fault.get("delay", 2)))
            with self.lock:
                answer = self.answer(request)
            return Response(drop=True) if fault and fault["kind"] == "after" else answer
        return self._instead(fault["kind"])

    def control(self, request: Request) -> Response:
        """``GET state``, ``POST fault {"kind", "times" | "seconds", "delay"?}``, ``POST reset``."""
        verb = request.path.rpartition("/")[2]
        if verb == "state":
            with self.lock:
                return json_response(self.state)
        if verb == "reset" and request.method == "POST":
            with self.lock:
                self.state, self._faults = self.fresh(), []
            return json_response({"reset": True})
        if verb == "fault" and request.method == "POST":
            return self._order(request.json())
        return text_response("state, fault or reset", 404)

    def _order(self, fault: Any) -> Response:
        if not isinstance(fault, dict) or fault.get("kind") not in FAULTS:
            return json_response({"error": f"kind is one of: {', '.join(FAULTS)}"}, 400)
        until = time.monotonic() + float(fault["seconds"]) if "seconds" in fault else None
        with self.lock:
            self._faults.append({**fault, "left": int(fault.get("times", 1)), "until": until})
        return json_response({"ordered": fault})

    def _next_fault(self) -> dict[str, Any] | None:
        with self.lock:
            while self._faults:
                first = self._faults[0]
                if first["until"] is not None:
                    if time.monotonic() < first["until"]:
                        return first
                elif first["left"] > 0:
                    first["left"] -= 1
                    return first
                self._faults.pop(0)
        return None

    def _instead(self, kind: str) -> Response:
        if kind.isdecimal():
            return self._refusal(int(kind))
        if kind == "html":
            return HTML_ERROR
        if kind == "garbage":
            return Response(200, b'{"half": ', {"Content-Type": JSON}, truncate=True)
        return Response(drop=True)

    def _refusal(self, status: int) -> Response:
        if status == 429:
            return self.hurried()
        if status in (401, 403):
            return self.refused(status)
        return self.gone(status) if status in (404, 410) else text_response("The server failed.", status)
