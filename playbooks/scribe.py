"""One thread does all the writing. Pure.

A playbook runs in a thread of its own (its event loop, its blocking calls); whatever touches the database is
handed to the worker's main thread. So one worker has one connection, and actions that run at the same time
never meet in it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Scribe:
    """Runs functions, one after another, in the thread that called ``serve``."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = SimpleQueue()
        self._home: int | None = None

    def serve(self, work: Callable[[], T]) -> T:
        """Run ``work`` in a new thread and serve it until it ends. Returns or raises what it does."""
        self._home = threading.get_ident()
        outcome: Future[T] = Future()
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(self._work, work, outcome), daemon=True, name="playbook")
        thread.start()
        while (item := self._queue.get()) is not None:
            _settle(*item)
        thread.join()
        return outcome.result()

    def _work(self, work: Callable[[], T], outcome: Future[T]) -> None:
        _settle(work, outcome)
        self._queue.put(None)

    def submit(self, function: Callable[[], T]) -> Future[T]:
        """Hand ``function`` over."""
        future: Future[T] = Future()
        self._queue.put((function, future))
        return future

    def call(self, function: Callable[[], T]) -> T:
        """Hand ``function`` over and wait, blocking this thread. At home it is simply called."""
        if threading.get_ident() == self._home:
            return function()
        return self.submit(function).result()

    async def run(self, function: Callable[[], T]) -> T:
        """Hand ``function`` over and wait for it. Once handed over it happens, even if the waiter is cancelled."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(function)))


def _settle(function: Callable[[], T], future: Future[T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:
        future.set_exception(error)


async def in_thread(function: Callable[[], T]) -> T:
    """Run a blocking function in a daemon thread of its own, with this context.

    Not a pool: its threads would be waited for at exit, and a body that hangs must not hold a worker back."""
    future: Future[T] = Future()
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_settle, function, future), daemon=True, name="action").start()
    return await asyncio.wrap_future(future)
