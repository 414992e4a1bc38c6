"""Which network addresses a connector may reach (connectors.md 1: no internal address unless an admin allows it).

The check stands where the connection is made: a name is resolved once, every address is judged, and the socket is
opened to the judged address itself. So neither a name that answers differently the second time (DNS rebinding),
nor a spelling like ``0x7f.1`` or ``2130706433``, nor IPv4 inside of IPv6 gets by.
"""

from __future__ import annotations

import ipaddress
import socket
from contextvars import ContextVar
from time import monotonic
from typing import Any

import httpcore

type_of_address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
CGNAT = ipaddress.ip_network("100.64.0.0/10")
# Cloud metadata and other places that hold credentials and never serve an API: refused even when internal is allowed.
NEVER = [ipaddress.ip_network(text) for text in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "0.0.0.0/8")]

# The moment (monotonic) at which the call of this thread must be over; each read and write is bound by it.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


class AddressRefused(Exception):
    """The host is, or resolves to, an address that may not be reached."""


def unwrapped(address: type_of_address) -> type_of_address:
    """The IPv4 address that an IPv6 one stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(address, ipaddress.IPv6Address):
        if inner := address.ipv4_mapped or address.sixtofour:
            return inner
        if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):  # the latter: ::a.b.c.d of old
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def refusal(text: str, allow_internal: bool) -> str | None:
    """Why the literal address ``text`` may not be reached, or None if it may."""
    address = unwrapped(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_multicast or address.is_unspecified or any(address in net for net in NEVER):
        return f"{text} is an address that no connector may reach"
    if not allow_internal and (not address.is_global or address in CGNAT):
        return f"{text} is an internal address; an admin can allow internal addresses for this connector"
    return None


def is_loopback(text: str) -> bool:
    """Whether the literal address ``text`` is this machine itself."""
    return unwrapped(ipaddress.ip_address(text.partition("%")[0])).is_loopback


def resolve(host: str, port: int, allow_internal: bool) -> list[tuple[int, Any]]:
    """(family, socket address) of every address of ``host`` that may be reached.

    Raises AddressRefused when there are none, OSError when the name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed, reason = [], ""
    for family, _kind, _protocol, _name, place in found:
        why = refusal(str(place[0]), allow_internal)
        reason = why or reason
        if not why:
            allowed.append((int(family), place))
    if not allowed:
        raise AddressRefused(reason or f"{host} has no address")
    return allowed


class GuardedBackend(httpcore.SyncBackend):
    """Opens sockets for httpcore: only to judged addresses, and never beyond the call's deadline."""

    def __init__(self, allow_internal: bool) -> None:
        self._allow_internal = allow_internal

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """A stream to ``host``. Raises AddressRefused, httpcore.ConnectError, httpcore.ConnectTimeout."""
        try:
            places = resolve(host, port, self._allow_internal)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved: {error}") from error
        return _DeadlineStream(self._open(places, port, timeout, socket_options))

    def _open(
        self, places: list[tuple[int, Any]], port: int, timeout: float | None, options: Any
    ) -> httpcore.NetworkStream:
        problem: Exception | None = None
        for _family, place in places:
            try:
                # The address, not the name: nothing is resolved a second time.
                return super().connect_tcp(
                    _literal(place), port, _remaining(timeout, httpcore.ConnectTimeout), None, options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem or httpcore.ConnectError("no address")


def _literal(place: Any) -> str:
    scope = place[3] if len(place) == 4 else 0
    return f"{place[0]}%{scope}" if scope and "%" not in place[0] else str(place[0])


def _remaining(timeout: float | None, over: type[Exception] = httpcore.ReadTimeout) -> float | None:
    end = deadline.get()
    if end is None:
        return timeout
    left = end - monotonic()
    if left <= 0:
        raise over("the time for the whole call is over")
    return left if timeout is None else min(timeout, left)


class _DeadlineStream(httpcore.NetworkStream):
    """A stream whose every wait is cut to what is left of the call (a server that drips bytes cannot hold us)."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, _remaining(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
