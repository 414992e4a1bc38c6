"""Messages of RFC 5424 over UDP (RFC 5426), TCP (RFC 6587, counted octets) and TLS (RFC 5425)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from soar.lib.clock import iso

SECONDS = 5.0  # that connecting, sending and taking leave may take, each
PORTS = {"udp": 514, "tcp": 514, "tls": 6514}
PRIORITY = 13 * 8 + 5  # log audit, notice
DATAGRAM_AT_MOST = 8192  # what every receiver worth the name takes; the end of a longer one is cut


class BadAddress(ValueError):
    """The setting names no receiver."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """``how`` is udp, tcp or tls. ``authority``: a file with the certificates (PEM) of whoever may vouch for the
    receiver, instead of those that the machine trusts."""

    how: str
    host: str
    port: int
    authority: str = ""


def receiver_of(address: str, authority: str = "") -> Receiver:
    """``udp://log.example:514``, ``tcp://[2001:db8::1]:601``, ``tls://log.example``. Raises BadAddress."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise BadAddress(f"{address!r}: {error}") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise BadAddress(f"{address!r} is none of udp://HOST:PORT, tcp://HOST:PORT, tls://HOST:PORT")
    return Receiver(parts.scheme, parts.hostname, port or PORTS[parts.scheme], authority)


def message(at: datetime, host: str, name: str, text: str) -> bytes:
    """One message; ``name`` is its MSGID, ``text`` one line of JSON in ASCII, which needs no byte order mark."""
    stamp = iso(at) or "-"
    return f"<{PRIORITY}>1 {stamp} {_word(host, 255)} soar - {_word(name, 32)} - {text}".encode()


def send(to: Receiver, messages: Sequence[bytes]) -> None:
    """Send them, and over TCP take leave in order: the receiver has read everything when it hangs up.

    Raises OSError when they were not all taken; then all are sent again. A datagram tells nobody whether it came."""
    if to.how == "udp":
        _send_datagrams(to, messages)
    else:
        _send_stream(to, messages)


def _send_datagrams(to: Receiver, messages: Sequence[bytes]) -> None:
    family, kind, proto, _name, where = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, proto) as out:
        out.settimeout(SECONDS)
        out.connect(where)  # so that the host's "nobody listens" comes back as an error of the next one
        for one in messages:
            out.send(one[:DATAGRAM_AT_MOST])
        out.setblocking(False)
        try:
            out.recv(1)
        except BlockingIOError:
            return


def _send_stream(to: Receiver, messages: Sequence[bytes]) -> None:
    with socket.create_connection((to.host, to.port), SECONDS) as plain:
        if to.how != "tls":
            _write(plain, messages)
            plain.shutdown(socket.SHUT_WR)
            _wait(plain)
            return
        context = ssl.create_default_context(cafile=to.authority or None)  # it checks the receiver's name as well
        with context.wrap_socket(plain, server_hostname=to.host) as out:
            _write(out, messages)
            _leave(out)


def _write(out: socket.socket, messages: Sequence[bytes]) -> None:
    out.sendall(b"".join(b"%d %s" % (len(one), one) for one in messages))


def _leave(out: ssl.SSLSocket) -> None:
    """Say that this was all, and wait until the receiver says so as well, or hangs up, as some do without a word."""
    try:
        out.unwrap()
    except (TimeoutError, ssl.SSLEOFError):
        return


def _wait(out: socket.socket) -> None:
    """Until the receiver hangs up as well. One that does not is taken to have read; one that resets raises."""
    try:
        while out.recv(1024):
            continue
    except TimeoutError:
        return


def _word(text: str, most: int) -> str:
    kept = "".join(letter for letter in text if "!" <= letter <= "~")[:most]
    return kept or "-"
