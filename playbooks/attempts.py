"""The body of an action, and transactions, tried as often as they may be."""

from __future__ import annotations

import asyncio
import inspect
import time
import uuid
from collections.abc import Callable
from typing import Any

from django.db import OperationalError

from playbooks.calls import Call, inside
from playbooks.intelligence import own_thread
from playbooks.scribe import in_thread

PAUSE_AT_MOST = 300.0  # seconds between two attempts
_AGAIN = ("40001", "40P01")  # serialisation failure, deadlock: nothing happened, the transaction is tried again


class Unknown(Exception):
    """An attempt ran out of time and cannot be repeated."""


class Attempts:
    """The body of an action, as often as it is allowed to try."""

    def __init__(self, call: Call, step: int, key: uuid.UUID) -> None:
        self._call, self._step, self._key = call, step, key
        self.repeats = 0

    async def run(self) -> Any:
        """What the body returns. Raises what the last attempt raised, Unknown for a time-out of an action that
        is not idempotent (rulings 6)."""
        spec = self._call.spec
        while True:
            try:
                return await self._once()
            except Unknown:
                raise
            except Exception as error:
                if self.repeats >= spec.retries or getattr(error, "permanent", False):
                    raise
            self.repeats += 1
            await asyncio.sleep(min(spec.backoff**self.repeats, PAUSE_AT_MOST))

    async def _once(self) -> Any:
        spec = self._call.spec
        began = time.monotonic()
        try:
            async with asyncio.timeout(spec.timeout) as limit:
                with inside(self._call, self._step, self._key):
                    return await self._body()
        except TimeoutError:
            if not limit.expired():
                raise
            text = f"{spec.name} did not answer within {spec.timeout:g} seconds"
            if spec.idempotent:
                raise TimeoutError(f"{text} ({time.monotonic() - began:.1f} s).") from None
            raise Unknown(f"{text}.") from None

    async def _body(self) -> Any:
        call = self._call
        if inspect.iscoroutinefunction(call.function):
            return await call.function(*call.args, **call.kwargs)
        value = await in_thread(own_thread(lambda: call.function(*call.args, **call.kwargs)))
        return await value if inspect.isawaitable(value) else value


def again(function: Callable[[], Any], times: int = 3) -> Any:
    """A transaction that the database refused because of another one is tried again: nothing of it happened."""
    while True:
        try:
            return function()
        except OperationalError as error:
            times -= 1
            if times <= 0 or getattr(error.__cause__, "sqlstate", "") not in _AGAIN:
                raise
