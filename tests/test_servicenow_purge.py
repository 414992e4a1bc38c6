"""A purged incident: its ticket is told, once, and the audit log names it (rulings 14, servicenow.md 9)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from cases import tasks
from cases.models import Incident, ServiceNowInstance, TicketLink
from cases.purge import purge
from soar.accounts.models import AuditEntry
from soar.models import QueuedTask
from tests.servicenow_tools import Both, both_sides

pytestmark = pytest.mark.django_db
FAREWELL = "cases.tasks.servicenow_farewell"


def notes_of(both: Both, link: TicketLink) -> list[str]:
    ticket = both.desk.ask("ticket", sys_id=link.sys_id, table=link.table)
    return [entry["value"] for entry in ticket["journal"]]


def orders() -> list[list[Any]]:
    found = QueuedTask.objects.filter(task=FAREWELL).order_by("pk").values_list("args", flat=True)
    return [json.loads(args) if isinstance(args, str) else list(args) for args in found]


def test_the_ticket_is_told_once_and_the_audit_log_names_it() -> None:
    with both_sides() as both:
        link = both.open("To be forgotten")
        number = link.incident.number
        purge(None, incidents=[link.incident_id], reason="retention")
        assert not Incident.objects.exists() and not TicketLink.objects.exists()
        assert notes_of(both, link) == [], "nothing is sent in the transaction"
        (order,) = orders()
        both.work()
        tasks.servicenow_farewell(*order)
        (note,) = notes_of(both, link)
        assert note.startswith(f"{number} was deleted in Soar.")
        both.settle()
        row = AuditEntry.objects.get(verb="servicenow.links_purged")
        assert row.data == {"tickets": [[number, "desk", "incident", link.number]]}


def test_a_purge_that_is_undone_tells_nobody() -> None:
    with both_sides() as both:
        link = both.open("Stays")
        with transaction.atomic():
            purge(None, incidents=[link.incident_id], reason="retention")
            transaction.set_rollback(True)
        assert orders() == [] and TicketLink.objects.get() == link


def test_a_ticket_that_is_gone_or_an_instance_that_is_paused_hinders_nothing() -> None:
    with both_sides() as both:
        gone, paused = both.open("Gone"), both.open("Paused")
        both.desk.tell("delete", table="incident", sys_id=gone.sys_id, as_="o.strand")
        purge(None, incidents=[gone.incident_id], reason="retention")
        both.work()
        ServiceNowInstance.objects.update(out_paused=True)
        purge(None, incidents=[paused.incident_id], reason="retention")
        both.work()
        assert notes_of(both, paused) == []
        assert AuditEntry.objects.filter(verb="servicenow.links_purged").count() == 2
