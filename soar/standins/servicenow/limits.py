"""The budget of requests of an hour, per user, with the headers of ServiceNow's rate limiting."""

from __future__ import annotations

import time

from soar.standins.base import Response
from soar.standins.servicenow.answers import failure
from soar.standins.servicenow.store import fixed_id

RULE = fixed_id("rate limit", "integration")


class Budget:
    """Counts the requests of each user. Without a limit nothing is counted and no header is sent."""

    def __init__(self) -> None:
        self._windows: dict[str, tuple[float, int]] = {}

    def clear(self) -> None:
        """Begin anew."""
        self._windows.clear()

    def refuse(self, user: str, most: int | None, window: float) -> Response | None:
        """429 when the user has spent the requests of this window (seconds; an hour in truth)."""
        if most is None:
            return None
        now = time.time()
        began, spent = self._windows.get(user, (now, 0))
        if now - began >= window:
            began, spent = now, 0
        if spent >= most:
            return hurried(most, began + window)
        self._windows[user] = (began, spent + 1)
        return None

    def headers(self, user: str, most: int | None, window: float) -> dict[str, str]:
        """What an answer tells of the rule that matches, if one does."""
        if most is None:
            return {}
        began = self._windows.get(user, (time.time(), 0))[0]
        return _headers(most, began + window)


def hurried(most: int, until: float) -> Response:
    """Too many requests, until this time."""
    detail = f"Rate limit of {most} requests per hour for Table API exceeded"
    answer = failure(429, "Rate limit exceeded", detail)
    answer.headers |= {"Retry-After": str(max(1, round(until - time.time() + 0.5))), **_headers(most, until)}
    return answer


def _headers(most: int, until: float) -> dict[str, str]:
    return {"X-RateLimit-Limit": str(most), "X-RateLimit-Reset": str(int(until) + 1), "X-RateLimit-Rule": RULE}
