"""Both sides of the ServiceNow sync for tests: an incident here, its ticket at a stand-in over real HTTP.

    with both_sides() as both:
        link = both.open("Phishing", severity="high")   # an incident with its ticket
        incidents.update(actor, link.incident_id, changes={"title": "Worse"})
        both.desk.change(both.ticket(link), as_="o.strand", impact="1")
        both.settle()                                     # workers, polls, until nothing moves
        assert both.compare(link.incident_id) == []

``work`` does what workers do with the queue, once through; ``poll`` reads the instance now; ``due`` makes everything
that waits for a later try due; ``settle`` is all three until both sides rest. ``desk`` plays the other side and orders
faults (see soar.standins.servicenow.standin.ServiceNow). ``compare`` names every difference, field by field and note by
note, [] when both sides are equal; differences that the sync is right about (unmapped, held by a conflict) are
differences here too. ``ticket`` is the stand-in's own view, not the connector's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from cases.actors import Actor
from cases.models import (
    ChangeState,
    Evidence,
    Incident,
    LinkState,
    ServiceNowInstance,
    TicketChange,
    TicketLink,
    TicketProfile,
    TimelineEntry,
)
from cases.servicenow import linking, notes, outbox, polling
from cases.servicenow.case import state_of
from cases.servicenow.mapping import VALUES, ProfileRules, agrees, defaults
from cases.servicenow.telling import text_of
from soar.connectors import actions
from soar.connectors.models import ConnectorAccount
from soar.lib.queue import function
from soar.standins.servicenow import seed
from tests.factories import make_incident
from tests.servicenow_range import Desk, servicenow

OURS = "cases.tasks.servicenow"
DESK = "o.strand"


def joined(entries: list[str]) -> str:
    """The text of a note whose journal entries are given in order, but for white space at the cuts."""
    return "\n".join(notes.without_mark(entry) for entry in entries)


class Both:
    """``instance``, ``profile`` and ``account`` are rows; ``desk`` is the other side (tests.servicenow_range.Desk)."""

    def __init__(self, desk: Desk, account: ConnectorAccount, **profile: Any) -> None:
        self.desk, self.account = desk, account
        self.instance = ServiceNowInstance.objects.create(account=account, slug="desk", every_seconds=30)
        table = profile.get("table", "incident")
        fields = {**defaults(table), "name": "Profile", "enabled": True, "instance": self.instance, **profile}
        self.profile = TicketProfile.objects.create(**fields)

    def open(self, title: str = "", *, work: bool = True, **fields: Any) -> TicketLink:
        """An incident with a ticket; with ``work`` both are there."""
        incident = make_incident(title, **fields)
        link = self.link(incident)
        if work:
            self.work()
            link.refresh_from_db()
        return link

    def link(self, incident: Incident, profile: TicketProfile | None = None) -> TicketLink:
        """Have a ticket made for an incident."""
        with transaction.atomic():
            locked = Incident.objects.select_for_update().get(pk=incident.pk)
            return linking.open_ticket(locked, profile or self.profile, Actor.system())

    def work(self, rounds: int = 100) -> int:
        """Do what a worker does until nothing of the sync is queued. Returns how many tasks there were."""
        done = 0
        for _ in range(rounds):
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM soar_queue WHERE task LIKE %s RETURNING id, task, args", [OURS + "%"])
                rows = sorted(cursor.fetchall())
            if not rows:
                return done
            for _pk, task, args in rows:
                function(task)(*(json.loads(args) if isinstance(args, str) else args))
                done += 1
        raise AssertionError(f"after {rounds} rounds there is still something queued")

    def poll(self) -> None:
        """Read the instance now."""
        polling.poll(self.instance.pk)

    def reconcile(self) -> None:
        """Look at every ticket now."""
        ServiceNowInstance.objects.filter(pk=self.instance.pk).update(reconcile_at=timezone.now())
        self.poll()

    def due(self) -> None:
        """Everything that waits for a later try is due, and leases of workers that were killed are over."""
        past = timezone.now() - timedelta(hours=1)
        TicketChange.objects.filter(state__in=(ChangeState.WAITING, ChangeState.SENDING)).update(due_at=past)
        TicketLink.objects.update(leased_until=None, lease=None)
        ServiceNowInstance.objects.update(out_resume_at=None, due_at=past, leased_until=None, lease=None)
        outbox.ring_due()

    def settle(self, rounds: int = 30) -> None:
        """Work and poll until both sides rest: nothing open that could be sent, and a poll that changes nothing."""
        for _ in range(rounds):
            before = self._marks()
            self.due()
            self.work()
            self.poll()
            self.work()
            if before == self._marks():
                return
        raise AssertionError(f"both sides still move after {rounds} rounds")

    def ticket(self, link: TicketLink) -> dict[str, Any]:
        """The ticket as it stands there: fields by name, ``journal``, ``attachments``."""
        link.refresh_from_db()
        found: dict[str, Any] = self.desk.ask("ticket", sys_id=link.sys_id, table=link.table)
        return found

    def fields(self, link: TicketLink) -> dict[str, str]:
        """The raw fields of the ticket."""
        shown = self.ticket(link)
        found: dict[str, str] = shown.get("fields", shown)
        return found

    def compare(self, incident: int | str | Incident) -> list[str]:
        """Every difference between an incident and its linked tickets; a link that is not working is one."""
        pk = incident.pk if isinstance(incident, Incident) else int(str(incident).removeprefix("INC-"))
        found = []
        for link in TicketLink.objects.filter(incident=pk).exclude(state=LinkState.ENDED):
            if link.state != LinkState.LINKED:
                found.append(f"{link.state}: {link.reason}")
                continue
            found += self._values(link) + self._notes(link) + self._files(link)
        return found

    def failures(self) -> list[str]:
        """What failed, in ServiceNow's words."""
        return list(TicketChange.objects.filter(state=ChangeState.FAILED).values_list("said", flat=True))

    def writes(self) -> int:
        """How many requests that write have reached the instance since ``desk.tell("forget")``."""
        return len([one for one in self.desk.ask("requests") if one["method"] != "GET"])

    def _values(self, link: TicketLink) -> list[str]:
        rules, case, raw = ProfileRules.of(link.profile), state_of(link.incident), self.fields(link)
        # Who is who by equal mail addresses stands in no map.
        people = {**rules.map("user")}
        if case.owner and case.owner not in people:
            people[case.owner] = {"value": seed.user_id(case.owner)}
        rules = ProfileRules(rules.table, {**rules.maps, "user": people}, rules.directions, rules.winners,
                             rules.short_description)  # fmt: skip
        both = [name for name in VALUES if rules.direction(name) == "both"]
        if not case.ended and "determination" in both:
            both.remove("determination")
        return [
            f"{name}: here {getattr(case, name)!r}, there {raw}" for name in both if not agrees(rules, case, name, raw)
        ]

    def _notes(self, link: TicketLink) -> list[str]:
        """Each note of ours stands there once, each of theirs here once, with the same words."""
        journal = self.ticket(link)["journal"]
        found = []
        ours, theirs = _sorted(link, journal)
        told = TimelineEntry.objects.filter(incident=link.incident_id, kind__in=link.profile.note_kinds)
        for entry in told.exclude(actor_type=linking.ACTOR_TYPE):
            change = link.changes.filter(kind="note", entry=entry.pk).first()
            said = ours.pop(str(change.mark), []) if change else []
            parts = [part for _place, part in sorted(said)]
            if len({place for place, _ in said}) != len(said):
                found.append(f"note {entry.pk} stands there more than once")
            if "".join(joined(parts).split()) != "".join(text_of(entry).split()):
                found.append(f"note {entry.pk} is not there: {entry.text[:60]!r}")
        found += [f"a note of ours that is not known: {mark}" for mark in ours]
        here = Counter(
            TimelineEntry.objects.filter(incident=link.incident_id, kind="servicenow.note", data__sys_id=link.sys_id)
            .values_list("text", flat=True)
        )  # fmt: skip
        there = Counter(notes.incoming(text) for text in theirs)
        found += [f"note of theirs not here: {text[:60]!r}" for text in (there - here).elements()]
        found += [f"note of theirs too often here: {text[:60]!r}" for text in (here - there).elements()]
        return found

    def _files(self, link: TicketLink) -> list[str]:
        rules = ProfileRules.of(link.profile)
        there = Counter(one["hash"] for one in self.ticket(link)["attachments"])
        here = Counter(Evidence.objects.kept().filter(incident=link.incident_id).values_list("sha256", flat=True))
        found = [f"attached {count} times: {digest}" for digest, count in there.items() if count > 1]
        if link.profile.send_evidence:
            found += [f"file not there: {digest}" for digest in here - there]
        if rules.takes("evidence"):
            found += [f"file not here: {digest}" for digest in there - here]
        return found

    def _marks(self) -> list[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*), max(id) FROM cases_timelineentry")
            entries = cursor.fetchone()
        open_rows = list(TicketChange.objects.exclude(state__in=("done", "skipped")).values_list("pk", "state"))
        writes = [one["n"] for one in self.desk.ask("requests") if one["method"] != "GET"]
        return [entries, open_rows, writes[-1:]]


def _sorted(link: TicketLink, journal: list[dict[str, Any]]) -> tuple[dict[str, list[tuple[int, str]]], list[str]]:
    """Our notes by mark, with the place of each part; theirs."""
    ours: dict[str, list[tuple[int, str]]] = {}
    theirs = []
    for entry in journal:
        mark = notes.found_mark(entry["value"])
        if mark is not None and entry["sys_created_by"] == seed.INTEGRATION:
            ours.setdefault(str(mark.uuid), []).append((mark.part, entry["value"]))
        else:
            theirs.append(entry["value"])
    return ours, theirs


@contextmanager
def both_sides(*, secrets: dict[str, str] | None = None, timeout: int = 2, **profile: Any) -> Iterator[Both]:
    """A stand-in of its own with an account, an instance and a profile that is on. ``profile``: its fields."""
    with servicenow() as desk:
        settings = {"url": desk.url, "allow_internal": True, "timeout_seconds": timeout, "auth": "basic",
                    "username": seed.INTEGRATION}  # fmt: skip
        account = actions.create_account(None, "servicenow", "Desk", settings, secrets or {"password": seed.PASSWORD})
        yield Both(desk, account, **profile)
