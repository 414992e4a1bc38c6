"""A product with an HTTP interface that does what a test tells it: on a loopback port of its own."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str], bytes]


class Product:
    """``replies`` are given in order, the last one for ever; a callable gets (method, path). ``seen``: the requests."""

    def __init__(self) -> None:
        self.replies: list[Reply | Callable[[Any], None]] = [json_reply(b'{"ok": true}')]
        self.seen: list[dict[str, Any]] = []
        self.on_request: Callable[[], None] = lambda: None
        product = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                product.seen.append(
                    {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
                )
                product.on_request()
                reply = product.replies.pop(0) if len(product.replies) > 1 else product.replies[0]
                if callable(reply):
                    self.close_connection = True
                    reply(self)
                    return
                status, headers, content = reply
                self.send_response(status)
                for key, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = answer

            def log_message(self, *args: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def by_tls(self, context: ssl.SSLContext) -> str:
        """Speak TLS from now on; the address, as localhost."""
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        return f"https://localhost:{self.port}"

    def stop(self) -> None:
        """Close the port."""
        self.server.shutdown()
        self.server.server_close()


def json_reply(body: bytes, status: int = 200, **headers: str) -> Reply:
    """A JSON answer; header names with _ for -."""
    more = {key.replace("_", "-"): value for key, value in headers.items()}
    return status, {"Content-Type": "application/json", **more}, body
