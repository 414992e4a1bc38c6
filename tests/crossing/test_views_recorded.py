"""Whoever is told of a restricted incident is in the audit log (access.md 7), by whatever door: every address is read
by the one person who may see it, and where the answer bears what nothing else bears, the log has to say so. What
changes something fetches it first, and is written down by that."""

from __future__ import annotations

import pytest

from cases.restricted_views import VERB
from soar.accounts.models import AuditEntry
from tests.crossing.case import MARK
from tests.crossing.knocking import knocked, tells
from tests.crossing.operations import everything
from tests.crossing.world import World

pytestmark = pytest.mark.django_db
# Values and assets by themselves, without a word of the incident that they are known from.
VALUES = {
    "GET api/v1/assets/", "GET api/v1/observables/", "GET assets/", "GET assets/<int:pk>/edit/", "GET assets/export/",
    "GET observables/",
}  # fmt: skip
# What lists are asked besides their plain address.
QUERIES: dict[str, tuple[str, ...]] = {
    "alerts/": ("status=any", f"q={MARK}", "view=incidents&status=any"),
    "incidents/": ("status=any", f"q={MARK}"),
    "api/v1/alerts/": ("status=any&expand=description,observables,runs",),
    "search/": (f"q={MARK}", "q={incident}", "q={alert}", "q={number}"),
    "inbox/": ("show=all",),
    "tasks/": ("tab=all",),
}


def test_no_door_tells_of_it_unrecorded(world: World) -> None:
    told, silent = set(), []
    for operation in (one for one in everything() if one.method == "GET"):
        for subject in world.subjects(operation):
            for query in ("", *QUERIES.get(operation.route, ())):
                key = f"{operation} {subject} {query}".strip()
                with knocked(world, "owner", operation, subject, query=_filled(query, world)) as answer:
                    if not tells(answer, MARK) or str(operation) in VALUES:
                        continue
                    told.add(operation)
                    if not _recorded(world):
                        silent.append(key)
    assert not silent, "\n".join(["", *silent])
    assert {"", "alerts/", "inbox/", "search/", "api/v1/notifications/"} <= {one.route for one in told}


def test_whoever_is_told_nothing_is_in_no_log(world: World) -> None:
    for operation in (one for one in everything() if one.method == "GET"):
        for subject in world.subjects(operation):
            with knocked(world, "admin", operation, subject):
                assert not AuditEntry.objects.filter(verb=VERB).exists(), operation


def _recorded(world: World) -> bool:
    found = AuditEntry.objects.filter(verb=VERB, target=world.hidden["incident"], actor_id=world.cast.user("owner").pk)
    return found.exists()


def _filled(query: str, world: World) -> str:
    number = str(world.hidden["incident"]).removeprefix("INC-")
    return query.format(incident=world.hidden["incident"], alert=world.hidden["alert"], number=number)
