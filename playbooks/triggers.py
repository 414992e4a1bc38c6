"""Which playbooks a timeline entry starts (python-playbooks.md 1, 3, 8; rulings 7, 8).

The rows decide, as all workers see them: what this process could load of the files does not."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from cases.models import Alert, Incident
from playbooks import catalog, opening
from playbooks.announce import relock, skipped
from playbooks.catalog import Entry, Unloaded
from playbooks.claims import Claim
from playbooks.conditions import matches
from playbooks.incoming import Incoming, read
from playbooks.models import Run
from playbooks.opening import TRIGGER_OF, Opening
from playbooks.publishers import still_entitled
from playbooks.response import starting
from playbooks.subject import SubjectView, alert_view, incident_view

DEPTH_AT_MOST = 5
AT_ONCE = 50  # entries in one transaction: the workers begin with these while the next ones are looked at


def consider(entry_ids: list[int]) -> tuple[Claim | None, int | None]:
    """Start what these entries trigger. Writes nothing where nothing matches, and nothing twice.

    The first run for a single entry is for this process to execute at once, and returned: a claimed one of a Python
    playbook, or the id of a queued one of a response playbook. The runs of several entries are queued, so that all
    workers share them."""
    kinds = list(TRIGGER_OF)
    if len(entry_ids) == 1:
        return _consider_one(read(entry_ids, kinds))
    for first in range(0, len(entry_ids), AT_ONCE):
        opening.queue([one for entry in read(entry_ids[first : first + AT_ONCE], kinds) if (one := _opening(entry)[0])])
    return None, None


def _consider_one(entries: list[Incoming]) -> tuple[Claim | None, int | None]:
    for entry in entries:
        found, response = _opening(entry, here=True)
        return _begin(found) if found else None, response
    return None, None


def _begin(found: Opening) -> Claim | None:
    """The first run, if this process has its code; else it waits for a worker that has."""
    first = found.matched[0]
    if isinstance(first, Entry):
        return opening.begin(found, first)
    opening.queue([found], at_least=AT_ONCE)
    return None


def _opening(entry: Incoming, *, here: bool = False) -> tuple[Opening | None, int | None]:
    """What is to be started, and on what; None if nothing is. Response playbooks run beside it (rulings 7): with
    ``here`` the first run of those is returned for the caller to begin, if no Python playbook keeps the caller busy."""
    known = catalog.current(entry.generation)
    candidates = known.starting.get(TRIGGER_OF[entry.kind])
    if not candidates and not known.response:
        return None, None
    parent = _parent(entry)
    found = _matching(candidates or (), entry, parent)
    response = starting.start(known, entry, parent, here=here and not found) if known.response else None
    if found and parent and parent.depth >= DEPTH_AT_MOST:
        _too_deep(found, entry)
        return None, response
    return (Opening(entry, found, parent.depth + 1 if parent else 0) if found else None), response


def _matching(candidates: Iterable[Entry | Unloaded], entry: Incoming, parent: Run | None) -> list[Entry | Unloaded]:
    """The Python playbooks that the entry starts."""
    view = _view(entry.subject)
    matched = [candidate for candidate in candidates if _meets(candidate, view)]
    if parent:
        matched = [candidate for candidate in matched if candidate.row.pk != parent.playbook_id]
    return [candidate for candidate in matched if still_entitled(candidate.row)]


def _view(subject: Alert | Incident) -> SubjectView:
    return alert_view(subject) if isinstance(subject, Alert) else incident_view(subject)


def _meets(candidate: Entry | Unloaded, view: SubjectView) -> bool:
    return matches(candidate.row.conditions, view)


def _parent(entry: Incoming) -> Run | None:
    """The run that wrote the entry, if one did."""
    run = entry.data.get("run") if entry.actor_type == "playbook" else None
    return Run.objects.only("playbook_id", "depth").filter(pk=run).first() if run else None


@transaction.atomic
def _too_deep(matched: list[Entry | Unloaded], entry: Incoming) -> None:
    relock(entry.subject)
    names = ", ".join(candidate.row.name for candidate in matched)
    text = f"{DEPTH_AT_MOST} playbooks have led to one another already; the chain ends here."
    # The redelivery of one entry must not say it twice.
    if not entry.subject.timeline.filter(kind="run.skipped", data__entry=entry.pk).exists():
        skipped(entry.subject, names, text, entry=entry.pk)
