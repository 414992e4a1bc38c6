"""Reading runs for pages, the API and an alert's JSON."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing
from cases.restricted_views import note_rows
from playbooks.choices import Trigger
from playbooks.models import Playbook, Run
from playbooks.querysets import is_visible
from soar.accounts.models import User

RUNS_AT_MOST = 20


def runs_of_alerts(ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """``{alert id: [{"id", "playbook", "status"}]}``, newest first, at most 20 an alert. The caller has checked
    that the alerts may be seen."""
    number = Window(RowNumber(), partition_by=F("alert"), order_by=F("id").desc())
    rows = (
        Run.objects.filter(alert__in=ids)
        .annotate(number=number)
        .filter(number__lte=RUNS_AT_MOST)
        .order_by("alert", "-pk")
        .values_list("alert_id", "pk", "playbook__name", "status")
    )
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for alert, pk, name, status in rows:
        found[alert].append({"id": pk, "playbook": name, "status": status})
    return dict(found)


def playbook_named(name: str | int) -> Playbook:
    """The playbook of this name (without case) or id. Raises Missing."""
    rows = Playbook.objects.select_related("published_by", "modified_by", "current")
    text = str(name).strip().replace("\x00", "")[:200]
    found = rows.filter(name__iexact=text).first()
    if found is None and text.isascii() and text.isdigit() and len(text) < 19:
        found = rows.filter(pk=int(text)).first()
    if found is None:
        raise Missing(_("There is no playbook %(text)s.") % {"text": f"{text:.60}"})
    return found


def run_for(who: Actor | User, pk: int | str) -> Run:
    """The run with this id, if ``who`` may see it. Raises Missing. What is large of it is read when it is asked for.
    That it is on a restricted incident or its alert is in the audit log."""
    user = who.user if isinstance(who, Actor) else who
    text = str(pk)
    rows = Run.objects.select_related("playbook", "version", "sequence", "started_by", "acting_user")
    rows = rows.defer("report", "input", "targets", "version__source", "version__definition", "playbook__draft")
    usable = text.isascii() and text.isdigit() and len(text) < 19
    run = rows.filter(pk=int(text)).first() if usable else None
    if run is None or (user is not None and not is_visible(run, user)):
        raise Missing(_("There is no run %(text)s.") % {"text": f"{text:.40}"})
    note_rows(who, [run])
    return run


def playbook_with_id(pk: int) -> Playbook:
    """The playbook with this id. Raises Missing."""
    rows = Playbook.objects.select_related("published_by", "modified_by", "current")
    row = rows.filter(pk=pk).first() if pk < 2**63 else None
    if row is None:
        raise Missing(_("There is no playbook %(pk)s.") % {"pk": f"{pk!s:.40}"})
    return row


def runnable(among: QuerySet[Playbook], *triggers: str) -> list[Playbook]:
    """Of those (``permissions.holding``) the ones with one of these triggers that nothing hinders, by name. Response
    playbooks run on alerts alone."""
    rows = among.filter(trigger__in=triggers, enabled=True, present=True, deactivated_reason="", load_error="")
    if Trigger.WEBHOOK not in triggers:
        rows = rows.filter(kind="python")
    return list(rows.only("name", "trigger", "description").order_by("name"))
