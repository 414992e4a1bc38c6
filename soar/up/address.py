"""The address to listen on: free, and beyond this machine only when ``HOST`` says so."""

from __future__ import annotations

import errno
import http.client
import ipaddress
import socket


def trouble(host: str, port: int) -> str:
    """What keeps us from listening on ``host`` and ``port``, as one line; "" when nothing does."""
    try:
        family, kind, _protocol, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError):
        return f"HOST={host} PORT={port} is not an address of this machine."
    with socket.socket(family, kind) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen()
        except OSError as error:
            return _words(error, host, port)
    return ""


def is_local(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def answers(host: str, port: int) -> bool:
    """Whether the portal at ``host`` and ``port`` says that it is ready."""
    connection = http.client.HTTPConnection(_reach(host), port, timeout=2)
    try:
        connection.request("GET", "/readyz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _reach(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  where to ask, not where to listen


def _words(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use. Choose another one, such as PORT={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} may be used by root only. Choose one above 1023, such as PORT=8000."
    return f"It is not possible to listen on {host}, port {port}: {error.strerror}."
