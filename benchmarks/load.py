"""A load generator that costs little: keep-alive connections, requests built beforehand, answers barely read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass
class Result:
    """What came back. Times in seconds."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Answers of the kind 2xx."""
        return sum(number for status, number in self.statuses.items() if 200 <= status < 300)

    def percentile(self, share: float) -> float:
        """The time under which ``share`` (0..1) of the requests stayed, in milliseconds."""
        ranked = sorted(self.times)
        return ranked[min(len(ranked) - 1, int(len(ranked) * share))] * 1000 if ranked else 0.0


def request(path: str, body: bytes, token: str, method: str = "POST", kind: str = "application/json") -> bytes:
    """A whole HTTP/1.1 request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def run(port: int, clients: int, requests: Iterator[bytes], *, seconds: float = 0.0, keep: bool = False) -> Result:
    """Send requests with so many clients at once until they run out, or for ``seconds``."""
    return asyncio.run(_run(port, clients, requests, seconds, keep))


async def _run(port: int, clients: int, requests: Iterator[bytes], seconds: float, keep: bool) -> Result:
    result = Result()
    end = time.perf_counter() + (seconds or 1e9)
    start = time.perf_counter()
    await asyncio.gather(*(_client(port, requests, end, result, keep) for _ in range(clients)))
    result.seconds = time.perf_counter() - start
    return result


async def _client(port: int, requests: Iterator[bytes], end: float, result: Result, keep: bool) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for data in requests:
        if time.perf_counter() > end:
            break
        start = time.perf_counter()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        body = await reader.readexactly(length)
        result.times.append(time.perf_counter() - start)
        status = int(head[9:12])
        result.statuses[status] = result.statuses.get(status, 0) + 1
        if keep:
            result.bodies.append(body)
    writer.close()


def numbered(make: Callable[[int], bytes], first: int = 0) -> Iterator[bytes]:
    """Requests without end, each made with its own number."""
    number = first
    while True:
        yield make(number)
        number += 1
