"""One execution of one run: every call the playbook makes comes here (python-playbooks.md 4, 5; rulings 6).

Completed calls return what is recorded. A new call of an action is recorded before its effect and after it; a
helper's effect and record are one transaction. What was in flight when a worker died waits for a person, unless
it is idempotent."""

from __future__ import annotations

import asyncio
import threading
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from django.db import transaction

from cases.errors import CaseError
from playbooks import jsonable, questions
from playbooks.attempts import Attempts, Unknown, again
from playbooks.calls import ActionFailed, Call
from playbooks.effects import DRY, EFFECTS, Case
from playbooks.intelligence import open_connector
from playbooks.ledger import Cancelled, Ledger, Line, LostLease
from playbooks.models import Step
from playbooks.scribe import Scribe
from soar.lib.database import AWAY

CALLS_AT_MOST = 1000
NESTED_AT_MOST = 20


class Suspended(BaseException):
    """A person must decide before the run can go on. No Exception: playbooks cannot swallow it."""


class Session:
    """Performs the calls of one run while its lease is held."""

    def __init__(
        self,
        case: Case,
        ledger: Ledger,
        scribe: Scribe,
        *,
        steps: list[Step],
        cause: uuid.UUID,
        changed: bool,
        dry_run: bool,
    ) -> None:
        self.case, self.ledger, self.scribe = case, ledger, scribe
        self.steps = {(step.name, step.key): step for step in steps}
        self.cause, self.changed, self.dry_run = cause, changed, dry_run
        self.reason = ""  # why it is suspended
        self.asking = False  # it waits for an approval
        self.cancelled = self.lost = False
        self.calls: list[Call] = []
        self.secrets: set[str] = set()
        self.flying = 0
        self._consumed: set[tuple[str, str]] = set()
        self._position = max((step.position for step in steps), default=0)
        self._guard = threading.Lock()
        self._main: tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]] | None = None

    # -- what the playbook's thread does

    def made(self, call: Call) -> None:
        """Note a call that was made. Raises for one too many, too deep, or the same ``key=`` twice."""
        self._check()
        if len(self.calls) >= CALLS_AT_MOST:
            raise RuntimeError(f"A run may make at most {CALLS_AT_MOST} calls.")
        if call.scope.depth >= NESTED_AT_MOST:
            raise RecursionError(f"Actions may call each other at most {NESTED_AT_MOST} deep.")
        with self._guard:
            if any(other.spec.name == call.spec.name and other.key == call.key for other in self.calls):
                raise ValueError(f"{call.spec.name} was called twice with key={call.key!r}.")
            self.calls.append(call)

    async def perform(self, call: Call) -> Any:
        """The call's result, recorded or made now. Raises ActionFailed if it did not succeed."""
        call.started = True
        self._check()
        with self._guard:
            self.flying += 1
        try:
            line = self._line(call)
            recorded = self._find(call, line)
            if recorded is not None:
                return await self._replay(recorded, call, line)
            if call.spec.kind != "action":
                return await self._helper(call, line)
            return await self._action(call, line)
        finally:
            with self._guard:
                self.flying -= 1

    def open_connector(self, name: str) -> Any:
        """The configured connector of this name."""
        user, cause = self.case.actor.user, self.cause
        return self.scribe.call(lambda: open_connector(name, user, cause, self.dry_run))

    def never_awaited(self) -> list[Call]:
        """Calls that were made and then forgotten."""
        return [call for call in self.calls if not call.started]

    def left_over(self) -> list[Step]:
        """Completed calls of the record that this execution did not make."""
        return [
            step
            for identity, step in self.steps.items()
            if identity not in self._consumed and step.status == "successful" and step.parent_id is None
            and not step.stale
        ]  # fmt: skip

    def interruptible(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[Any]) -> None:
        """Name the task that ``stop`` may cancel."""
        self._main = loop, task

    def stop(self, *, lost: bool) -> None:
        """From the heartbeat's thread: the lease is lost, or a person cancelled.

        Calls in flight may end when it was cancelled; nothing new begins."""
        self.lost, self.cancelled = self.lost or lost, self.cancelled or not lost
        if self._main and (lost or not self.flying):
            loop, task = self._main
            try:
                loop.call_soon_threadsafe(task.cancel)
            except RuntimeError:  # the loop has ended by itself
                return

    def _check(self) -> None:
        if self.lost:
            raise LostLease
        if self.cancelled:
            raise Cancelled
        if self.reason or self.asking:
            raise Suspended

    def suspend(self, reason: str) -> None:
        """Have a person decide. Calls in flight end, nothing new begins. The first reason stays."""
        self.reason = self.reason or reason

    # -- the record

    def _line(self, call: Call) -> Line:
        arguments = jsonable.loosely(call.arguments)
        with self._guard:
            self.secrets |= jsonable.secret_values(arguments)
            self._position += 1
            position = self._position
        return Line(
            parent=call.scope.step,
            position=position,
            name=call.spec.name,
            key=call.key,
            kind=call.spec.kind,
            arguments=jsonable.mask(arguments),
            digest=jsonable.digest(arguments, self.cause.bytes),
            idempotent=call.spec.idempotent,
            timeout=call.spec.timeout,
        )

    def _find(self, call: Call, line: Line) -> Step | None:
        """The record of this very call. Suspends when the code no longer fits the record (rulings 6)."""
        step = self.steps.get((line.name, line.key))
        if step is None or step.stale:
            if self.changed and call.scope.step is None and (left := self.left_over()):
                names = ", ".join(other.name for other in left[:5])
                self.suspend(f"The code has changed: {line.name} is called, but the record has {names} next.")
                raise Suspended
            return None
        self._consumed.add((line.name, line.key))
        return step

    async def _replay(self, step: Step, call: Call, line: Line) -> Any:
        nothing_yet = step.status in ("queued", "cancelled")
        if step.arguments_digest and step.arguments_digest != line.digest and not nothing_yet:
            text = f"{line.name} was recorded with other arguments than it is called with now."
            await self._write(lambda: self._unknown(step, text, any_arguments=True))
            self.suspend(text)
            raise Suspended
        if step.status == "successful":
            return step.result
        if step.status == "unsuccessful":
            raise ActionFailed(step.error, action=line.name)
        if step.status == "pending_approval":
            self.asking = True
            raise Suspended
        if step.status == "unknown_outcome" or (step.status == "in_progress" and not step.idempotent):
            text = f"{line.name} was in flight when its worker stopped: it may or may not have happened."
            if step.status == "in_progress":
                await self._write(lambda: self._unknown(step, text))
            self.suspend(step.error or text)
            raise Suspended
        return await (self._action(call, line) if call.spec.kind == "action" else self._helper(call, line))

    def _unknown(self, step: Step, text: str, *, any_arguments: bool = False) -> None:
        with transaction.atomic():
            self.ledger.end(step.pk, "unknown_outcome", result=step.result, error=text)
            if any_arguments:
                Step.objects.filter(pk=step.pk).update(arguments_digest="")

    async def _write(self, function: Callable[[], Any]) -> Any:
        """Write to the database, by the scribe. An absent database counts as a lost lease."""
        try:
            return await self.scribe.run(function)
        except LostLease:
            self.lost = True
            raise
        except Cancelled:
            self.cancelled = True
            raise
        except AWAY as error:
            self.lost = True
            raise LostLease from error

    # -- helpers

    async def _helper(self, call: Call, line: Line) -> Any:
        try:
            return await self._write(lambda: again(lambda: self._effect(line, call.arguments)))
        except Exception as error:
            text = error.message if isinstance(error, CaseError) else self.text_of(error)
            await self._write(lambda: self.ledger.whole(line, "unsuccessful", error=text))
            raise ActionFailed(text, action=line.name) from error

    def _effect(self, line: Line, arguments: dict[str, Any]) -> Any:
        if line.kind == "approval" and not self.dry_run:
            return self._ask(line, arguments)
        with transaction.atomic():
            if self.dry_run and line.kind in ("helper", "approval"):
                result = {**DRY.get(line.name, {}), "dry_run": True}
            else:
                result = jsonable.to_json(EFFECTS[line.name](self.case, **arguments), line.name)
            self.ledger.whole(line, "successful", result=result)
            return result

    def _ask(self, line: Line, arguments: dict[str, Any]) -> Any:
        """Record the call as waiting together with its approval; the run sleeps until people have decided."""
        with transaction.atomic():
            run, subject = questions.locked(self.ledger.run)  # before the run's own row
            questions.ask(run, subject, self.ledger.whole(line, "pending_approval"), arguments)
        self.asking = True
        raise Suspended

    # -- actions

    async def _action(self, call: Call, line: Line) -> Any:
        if self.dry_run:
            await self._write(lambda: self.ledger.whole(line, "successful"))
            return None
        step, key = await self._begin(line)
        attempts = Attempts(call, step, key)
        try:
            result = jsonable.to_json(await attempts.run(), f"{line.name} ran, but its result")
        except Unknown as unknown:
            await self._leave_open(step, call, str(unknown), attempts.repeats)
            raise Suspended from None
        except asyncio.CancelledError:
            await self._leave_open(step, call, f"{line.name} was cut off while in flight.", attempts.repeats)
            raise
        except (Suspended, Cancelled, LostLease) as stopped:
            if not self.lost:
                await self._leave_open(step, call, f"{line.name} was stopped halfway.", attempts.repeats)
            raise stopped
        except Exception as error:
            await self._failed(step, error, attempts.repeats)
            raise ActionFailed(self.text_of(error), action=line.name) from error
        await self._write(lambda: self.ledger.end(step, "successful", result=result, repeats=attempts.repeats))
        return result

    async def _begin(self, line: Line) -> tuple[int, uuid.UUID]:
        try:
            step, key = await self._write(lambda: self.ledger.begin(line))
        except asyncio.CancelledError:
            # It was handed to the scribe and will be written, but its body never begins.
            await self._write(lambda: self._never_began(line))
            raise
        return step, key

    def _never_began(self, line: Line) -> None:
        step = Step.objects.filter(run=self.ledger.run, name=line.name, key=line.key, status="in_progress").first()
        if step is not None:
            self.ledger.end(step.pk, "cancelled", error="It was cancelled before it began.")

    async def _leave_open(self, step: int, call: Call, text: str, repeats: int) -> None:
        """An effect that may have happened: an idempotent one is done again next time, the others wait."""
        status = "queued" if call.spec.idempotent else "unknown_outcome"
        await self._write(lambda: self.ledger.end(step, status, error=text, repeats=repeats))
        if status == "unknown_outcome":
            self.suspend(f"{text} It may or may not have happened.")

    async def _failed(self, step: int, error: Exception, repeats: int) -> None:
        text = self.text_of(error)
        await self._write(lambda: self.ledger.end(step, "unsuccessful", error=text, repeats=repeats))

    def text_of(self, error: BaseException) -> str:
        """What an exception says, without the secrets that calls of this run were given."""
        said = str(error) if isinstance(error, ActionFailed | jsonable.NotJson) else _described(error)
        return jsonable.without(jsonable.clean(said), self.secrets)

    def traceback_of(self, error: BaseException) -> str:
        """The end of its traceback, 20,000 characters at most, without those secrets."""
        return jsonable.without(jsonable.clean("".join(traceback.format_exception(error))), self.secrets)[-20_000:]


def _described(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
