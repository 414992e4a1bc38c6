"""A fresh login before what matters (access.md 1), for each verb that asks for one: nothing is done before the person
has confirmed, and then what was asked is done, with what was typed, as if it had been asked for just now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client

from cases.models import TimelineEntry
from playbooks.models import PlaybookVersion, Run
from soar.accounts.models import AuditEntry
from tests.crossing.bodies import sent
from tests.crossing.operations import Operation, named
from tests.crossing.personas import cast
from tests.crossing.world import RESTRICTED, World, make_world
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db
CONFIRM = "/accounts/reauthenticate/"
# A file that was chosen cannot be kept: these ask when the form is opened (FRESH_LOGIN_FORMS).
FILES = ("script-list", "playbook-import")
Done = tuple[int, str, tuple[str, ...]]


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    """Somebody who may everything, whose login is not fresh."""
    settings.TOKEN_RATE, settings.DATA_DIR = 1_000_000, tmp_path
    return make_world(cast())


def test_each_verb_is_done_after_the_confirmation_as_it_would_have_been(world: World, settings: Any) -> None:
    effective: list[str] = []
    wrong: list[str] = []
    for name in sorted(configured.FRESH_LOGIN_POSTS - set(FILES)):
        settings.FRESH_LOGIN_SECONDS = 0
        at_once, _ = _asked(world, name)
        settings.FRESH_LOGIN_SECONDS = 600
        held, confirmed = _asked(world, name)
        effective += [name] if at_once[2] else []
        if not held[1].startswith(CONFIRM) or held[2]:
            wrong.append(f"{name} is done without a confirmation: {held}")
        if confirmed != at_once:
            wrong.append(f"{name}\n  at once         {at_once}\n  after confirming {confirmed}")
    assert not wrong, "\n".join(wrong)
    assert len(effective) > 35, effective


def _asked(world: World, name: str) -> tuple[Done, Done | None]:
    """What became of a verb; and after a confirmation, if one was asked for. Nothing of it stays."""
    cache.clear()
    with transaction.atomic():
        client = Client(raise_request_exception=False)
        client.cookies[configured.SESSION_COOKIE_NAME] = world.cast["admin"].session or ""
        path, form, kind = _of(world, name)
        before = _rows()
        first = _done(client.post(path, form, kind), before)
        second = None
        if first[1].startswith(CONFIRM):
            second = _done(client.post(CONFIRM, {"password": PASSWORD, "next": path}), before)
        transaction.set_rollback(True)
    return first, second


def _of(world: World, name: str) -> tuple[str, bytes, str]:
    operation = Operation(named()[name], "POST", api=False)
    subject = RESTRICTED if name == "incident-break-glass" else ""
    return operation.path(world.values(operation, "")), *sent(operation, world.things(subject))


def _rows() -> tuple[int, int, int, int]:
    tables: tuple[Any, ...] = (AuditEntry, TimelineEntry, Run, PlaybookVersion)
    return tuple(table.objects.order_by("-pk").values_list("pk", flat=True).first() or 0 for table in tables)  # type: ignore[return-value]


def _done(answer: HttpResponseBase, before: tuple[int, int, int, int]) -> Done:
    """Status, where to, and what was written down of it; the confirmation itself left out."""
    audit, timeline, runs, versions = before
    verbs = AuditEntry.objects.filter(pk__gt=audit).exclude(verb__startswith="confirm").order_by("pk")
    kinds = TimelineEntry.objects.filter(pk__gt=timeline).order_by("pk")
    made = [f"run of {run.playbook}" for run in Run.objects.filter(pk__gt=runs)]
    made += ["version"] * PlaybookVersion.objects.filter(pk__gt=versions).count()
    written = (*verbs.values_list("verb", flat=True), *kinds.values_list("kind", flat=True), *made)
    where = answer.headers.get("Location", "")
    return answer.status_code, _without_numbers(where), written


def _without_numbers(where: str) -> str:
    """Numbers of what was made in a transaction that was undone go on."""
    return "".join("0" if sign.isdigit() else sign for sign in where)
