"""Asking providers: kept answers first, then all that may be asked at once, each in a thread of its own.

One slow or dead provider costs the others nothing: what has not answered in time is a problem of that provider alone,
and its answer, should it still come, is kept for the next time."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import connection

from soar.connectors import registry
from soar.connectors.base import ConnectorError
from soar.connectors.intelligence.answers import keep, kept_answers
from soar.connectors.intelligence.providers.base import Provider, Scores
from soar.connectors.intelligence.providers.registry import PROVIDERS
from soar.connectors.intelligence.sending import ASKED, refused_by, sent_form, withheld
from soar.connectors.intelligence.values import Subject
from soar.connectors.models import ConnectorAccount
from soar.connectors.selectors import enabled_accounts
from soar.lib import clock
from soar.lib.crypto import DecryptionError

logger = logging.getLogger(__name__)
MOST_SECONDS = 30.0  # for any number of them
THREADS = 8
# Of all calls in this process together: each has a connection to the database.
SLOTS = threading.BoundedSemaphore(THREADS)
KINDS = [kind.name for kind in PROVIDERS]


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider said of a value, and when."""

    provider: Provider
    scores: Scores
    at: datetime


@dataclass(slots=True)
class Heard:
    """All answers about one value, and a sentence for each provider that could not say."""

    said: list[Said] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Question:
    """One provider about one value, in the form that is sent. ``problem``: what came instead of an answer."""

    heard: Heard
    provider: Provider
    type: str
    value: str
    problem: str = ""


def consult(
    subjects: Iterable[Subject],
    *,
    tlp: str,
    pap: str,
    ask: bool,
    cause: uuid.UUID | None,
    providers: list[Provider] | None = None,
) -> dict[Subject, Heard]:
    """What providers say of each value. ``providers``: as ``enabled_providers`` gave them, where they were looked for
    already. Raises RuntimeError when it would ask inside a transaction."""
    providers = enabled_providers(cause) if providers is None else providers
    found = {each: Heard() for each in subjects}
    questions = [one for each, heard in found.items() for one in _questions(each, heard, providers, tlp, pap)]
    open_ones = _from_kept(questions, any_age=not ask)
    if ask and open_ones:
        _ask_all(open_ones, len({(one.type, one.value) for one in open_ones}))
    elif open_ones:
        for one in open_ones:
            one.heard.problems.append(f"{one.provider.account.name} was not asked.")
    return found


def enabled_providers(cause: uuid.UUID | None = None) -> list[Provider]:
    """The connectors of all enabled accounts of providers, by name."""
    accounts = sorted((one for one in enabled_accounts() if one.kind in KINDS), key=lambda one: one.name)
    # Not by registry.of: one whose secrets cannot be read is a problem of its own answers, not of all ratings.
    made = [registry.KINDS[account.kind].connector(account, cause=cause) for account in accounts]
    return [one for one in made if isinstance(one, Provider)]


def _questions(each: Subject, heard: Heard, providers: list[Provider], tlp: str, pap: str) -> list[Question]:
    kind = "domain" if each.type == "hostname" else each.type
    able = [one for one in providers if kind in one.about and each.type in ASKED]
    if not able:
        return []
    if reason := withheld(each, tlp, pap):
        heard.problems.append(reason[0].upper() + reason[1:] + ".")
        return []
    questions = []
    for one in able:
        if refused_by(one.account.settings, tlp):
            heard.problems.append(f"{one.account.name} is not asked about values of this TLP.")
        else:
            questions.append(Question(heard, one, kind, sent_form(each, one.account.settings)))
    return questions


def _from_kept(questions: list[Question], *, any_age: bool) -> list[Question]:
    """Answer what can be answered from what is kept; the others come back."""
    kept, now, left = kept_answers((one.provider.account.pk, one.type, one.value) for one in questions), clock.now(), []
    for one in questions:
        row = kept.get((one.provider.account.pk, one.type, one.value))
        if row is None or (not any_age and row.fetched_at + one.provider.keeps(one.type, row.known) <= now):
            left.append(one)
        else:
            _take(one, row.scores if row.known else None, row.fetched_at)
    return left


def _ask_all(questions: list[Question], values: int) -> None:
    # In a transaction the locks of the caller would wait for the network. That of a test case counts for nothing.
    if any(not block._from_testcase for block in connection.atomic_blocks):  # type: ignore[attr-defined]
        raise RuntimeError("Providers are asked outside of transactions.")
    dead: dict[int, str] = {}
    pool = ThreadPoolExecutor(min(THREADS, len(questions)), thread_name_prefix="provider")
    futures: dict[Future[tuple[Scores | None, datetime]], Question] = {}
    for one in questions:
        futures[pool.submit(copy_context().run, _in_thread, one, dead)] = one
    done, _late = wait(futures, timeout=min(MOST_SECONDS, settings.INTELLIGENCE_SECONDS * max(1, values)))
    pool.shutdown(wait=False, cancel_futures=True)
    for future, one in futures.items():
        if future not in done:
            one.heard.problems.append(f"{one.provider.account.name} did not answer in time.")
        elif one.problem:
            one.heard.problems.append(one.problem)
        else:
            _take(one, *future.result())


def _in_thread(one: Question, dead: dict[int, str]) -> tuple[Scores | None, datetime]:
    """One question; its answer is kept, what goes wrong is written into the question.

    ``dead``: why an account need not be asked about further values, by its id."""
    with SLOTS:
        try:
            if one.provider.account.pk not in dead:
                return _answered(one)
            one.problem = dead[one.provider.account.pk]
        except Exception as error:
            one.problem = _problem(one.provider.account, error)
            if _concerns_all(error):
                dead[one.provider.account.pk] = one.problem
        finally:
            connection.close()  # each thread has one of its own
    return None, clock.now()


def _answered(one: Question) -> tuple[Scores | None, datetime]:
    one.provider.spare()
    scores = one.provider.ask(one.type, one.value)
    return scores, keep(one.provider.account.pk, one.type, one.value, scores)


def _concerns_all(error: Exception) -> bool:
    """Whether the next value would end the same way: no connection, budget spent, too many requests, wrong key."""
    if not isinstance(error, ConnectorError):
        return isinstance(error, DecryptionError)
    return error.status in (401, 403, 429) or (error.status is None and not error.permanent)


def _problem(account: ConnectorAccount, error: Exception) -> str:
    if isinstance(error, ConnectorError):
        return error.message if account.name in error.message else f"{account.name}: {error.message}"
    if isinstance(error, DecryptionError):
        return f"The key of {account.name} cannot be read; set it anew."
    logger.error("Provider %s failed", account.name, exc_info=error)
    return f"{account.name} answered with something that cannot be read."


def _take(one: Question, scores: Scores | None, at: datetime) -> None:
    if scores is None:
        one.heard.problems.append(f"{one.provider.account.name} does not know it.")
    else:
        one.heard.said.append(Said(one.provider, scores, at))
