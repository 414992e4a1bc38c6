"""To whom the portal speaks over TLS: to whom an authority vouches for, by its name, and to nobody else."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from soar.lib.http import Client, RemoteError
from soar.lib.redact import Redactor
from tests.certificates import Authority


class Product(BaseHTTPRequestHandler):
    """Answers, and keeps what it was told."""

    told: list[str] = []

    def do_GET(self) -> None:
        """Any page."""
        self.told.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_given: object) -> None:
        """Nothing to the terminal."""


@contextmanager
def serving(context: ssl.SSLContext) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Product)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Product.told.clear()
    try:
        yield f"https://localhost:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(30)


def test_the_signature_of_a_link_is_no_more_kept_than_a_password() -> None:
    link = "https://store.example.com/results/1?sv=2024&se=2026&sig=SECRETSIG"
    assert "SECRETSIG" not in Redactor().url(link)
    assert "design=blue" in Redactor().url("https://store.example.com/?design=blue")


STRANGERS: dict[str, Callable[[Path], tuple[ssl.SSLContext, str]]] = {
    "vouched for by nobody whom the system trusts": lambda folder: (
        Authority.made(folder, "own").server("localhost"),
        "",
    ),
    "vouched for by another authority": lambda folder: (
        Authority.made(folder, "other").server("localhost"),
        Authority.made(folder, "own").file.read_text(),
    ),
    "of another name": lambda folder: _of(folder, "elsewhere.example.com"),
    "of yesterday": lambda folder: _of(folder, "localhost", over=True),
}


def _of(folder: Path, host: str, *, over: bool = False) -> tuple[ssl.SSLContext, str]:
    own = Authority.made(folder, "own")
    return own.server(host, over=over), own.file.read_text()


class Proxy(socketserver.StreamRequestHandler):
    """Leads to where it is told, by CONNECT, and notes where that was."""

    led: list[str] = []

    def handle(self) -> None:
        """One tunnel."""
        place = self.rfile.readline().split()[1].decode()
        while self.rfile.readline().strip():
            pass
        self.led.append(place)
        with socket.create_connection(("127.0.0.1", int(place.rpartition(":")[2]))) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=self._back, args=(there,), daemon=True)
            back.start()
            while told := self.rfile.read1():
                there.sendall(told)
            there.shutdown(socket.SHUT_WR)
            back.join(30)

    def _back(self, there: socket.socket) -> None:
        while told := there.recv(65536):
            self.wfile.write(told)


@pytest.mark.parametrize("make", STRANGERS.values(), ids=list(STRANGERS))
def test_a_product_with_a_foreign_certificate_is_told_nothing(
    tmp_path: Path, make: Callable[[Path], tuple[ssl.SSLContext, str]]
) -> None:
    context, authority = make(tmp_path)
    with (
        serving(context) as url,
        Client(
            url, authority=authority, allow_internal=True, headers={"Authorization": "Bearer secret-1234"}
        ) as client,
    ):
        with pytest.raises(RemoteError, match="certificate"):
            client.request("GET", "/")
        assert Product.told == []


def test_one_that_the_given_authority_vouches_for_is_spoken_to(tmp_path: Path) -> None:
    context, authority = _of(tmp_path, "localhost")
    with serving(context) as url, Client(url, authority=authority, allow_internal=True) as client:
        assert client.request("GET", "/").status == 200


def test_a_proxy_of_the_house_is_vouched_for_by_its_authority_too(tmp_path: Path) -> None:
    """The proxy itself is spoken to by TLS, and in it the product."""
    context, authority = _of(tmp_path, "localhost")
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Proxy) as proxy, serving(context) as url:
        proxy.daemon_threads = True
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        Proxy.led.clear()
        way = f"https://localhost:{proxy.server_address[1]}"
        for given, reached in (("", False), (authority, True)):
            with Client(url, authority=given, proxy=way, allow_internal=True) as client:
                if reached:
                    assert client.request("GET", "/").status == 200
                else:
                    with pytest.raises(RemoteError, match="certificate"):
                        client.request("GET", "/")
                    assert Proxy.led == []
        proxy.shutdown()
    assert Proxy.led == [url.removeprefix("https://")]
