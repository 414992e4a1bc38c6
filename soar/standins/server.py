"""Serves stand-ins on a loopback port of its own: ``/<kind>/...`` is the product, ``/<kind>/_control/...`` its control.

It refuses any address but loopback: what stands in for a product must never be taken for one from outside."""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from soar.standins.base import Request, Response, Standin, text_response

LARGEST = 64 * 1024 * 1024


class NotLoopback(ValueError):
    """The practice range was told to listen where others could reach it."""


class Server:
    """All stand-ins behind one port. A context manager; ``urls`` is ``{kind: {"url", "control"}}``."""

    def __init__(self, standins: Iterable[Standin], host: str = "127.0.0.1", port: int = 0) -> None:
        check_host(host)
        self.standins = {one.kind: one for one in standins}
        self._http = ThreadingHTTPServer((host, port), _handler(self.standins))
        self._http.daemon_threads = True
        self.address = f"http://{host}:{self._http.server_address[1]}"

    @property
    def urls(self) -> dict[str, dict[str, str]]:
        """Where each kind is."""
        return {
            kind: {"url": one.url(f"{self.address}/{kind}"), "control": f"{self.address}/{kind}/_control"}
            for kind, one in self.standins.items()
        }

    def __enter__(self) -> Self:
        self._open()
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        for one in self.standins.values():
            one.close()

    def _open(self) -> None:
        for one in self.standins.values():
            one.open()


def check_host(host: str) -> None:
    """Raises NotLoopback for an address that others could reach, ValueError for none at all."""
    if not ipaddress.ip_address(host).is_loopback:
        raise NotLoopback(f"Stand-ins listen on loopback alone, not on {host}.")


def _handler(standins: dict[str, Standin]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two writes: the second shall not wait for the first

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > LARGEST:
                self._send(text_response("too large", 413))
                return
            body = self.rfile.read(length)
            if len(body) < length:  # whoever asked died while writing: half a request is none
                self.close_connection = True
                return
            self._send(_answer(standins, self.command, self.path, dict(self.headers), body, self._base()))

        def _base(self) -> str:
            return f"http://{self.headers.get('Host', 'localhost')}"

        def _send(self, answer: Response) -> None:
            if answer.drop:
                self.close_connection = True
                return
            try:
                self._write(answer)
            except ConnectionError:  # whoever asked has gone meanwhile
                self.close_connection = True

        def _write(self, answer: Response) -> None:
            self.send_response_only(answer.status)
            if "Date" not in answer.headers:  # a stand-in may have a clock of its own
                self.send_header("Date", self.date_time_string())
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body[: len(answer.body) // 2] if answer.truncate else answer.body)
            self.close_connection = self.close_connection or answer.truncate

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

        def log_message(self, *_: Any) -> None:
            return

    return Handler


def _answer(
    standins: dict[str, Standin], method: str, target: str, headers: dict[str, str], body: bytes, base: str
) -> Response:
    parts = urlsplit(target)
    _, kind, *rest = parts.path.split("/", 2) if parts.path.count("/") else ("", "")
    standin = standins.get(kind)
    if standin is None:
        return text_response("There is no such stand-in.", 404)
    lowered = {name.lower(): value for name, value in headers.items()}
    query = parse_qs(parts.query, keep_blank_values=True)
    request = Request(method, "/" + (rest[0] if rest else ""), query, lowered, body, f"{base}/{kind}")
    if request.path.startswith("/_control/"):
        return standin.control(request)
    return standin.serve(request)
