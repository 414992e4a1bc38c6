"""What playbooks ask of people: for the dashboard (settings.WORK_OF) and the hand-over (settings.WAITING_OF)."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from cases.dashboard.shift import AT_MOST, Waiting, more
from cases.dashboard.work import OF_A_SORT, Item
from cases.restricted_views import told_of
from playbooks import response_selectors
from playbooks.choices import APPROVAL_OPEN, RunStatus
from playbooks.disclosure import withhold_words
from playbooks.models import Approval, Run
from soar.accounts.membership import may
from soar.accounts.models import Team, User
from soar.lib.columns import beside

# What a line says of what it is about, and reads whether it is restricted.
ABOUT = {"alert": ("title", "restricted", "incident"), "incident": ("title", "restricted")}


def approvals(user: User) -> Iterator[Item]:
    """Approvals that wait for a vote of the person, the next to expire first."""
    if not may(user, "respond") or not may(user, "view_cases"):
        return
    rows = beside(response_selectors.waiting(user), **ABOUT).order_by("expires_at", "pk")
    for row in _told(user, list(rows[:OF_A_SORT])):
        yield _asked(row)


def undecided(user: User, team: Team | None) -> Iterator[Waiting]:
    """Approvals that nobody has decided, and runs of which a person has to say what happened."""
    rows = response_selectors.visible_approvals(user).filter(status__in=APPROVAL_OPEN, expires_at__gt=Now())
    rows = rows.filter(Q(alert__team=team) | Q(incident__team=team)) if team else rows
    asked = list(beside(rows, **ABOUT).order_by("expires_at", "pk")[: AT_MOST + 1])
    for row in _told(user, asked[:AT_MOST]):
        yield Waiting("", _asked(row))
    if len(asked) > AT_MOST:
        yield more(_("All approvals that wait"), "approval-list")
    runs = Run.objects.visible_to(user).filter(status=RunStatus.NEEDS_DECISION)
    runs = beside(runs, playbook=("name",), **ABOUT)
    runs = runs.filter(Q(alert__team=team) | Q(incident__team=team)) if team else runs
    open_runs = list(runs.order_by("pk")[: AT_MOST + 1])
    for run in open_runs[:AT_MOST]:
        url, about = reverse("run-detail", args=[run.pk]), told_of(run.alert or run.incident)
        item = Item("runs", run.playbook.name, url, _("What happened?"), None, _("Decide"), about)
        yield Waiting("", item)
    if len(open_runs) > AT_MOST:
        yield more(_("All runs that wait for a decision"), "run-list", tab="decide")


def _told(user: User, rows: list[Approval]) -> list[Approval]:
    withhold_words(user, rows)
    return rows


def _asked(row: Approval) -> Item:
    about = row.alert or row.incident
    why = f"{about.number} {about.title}" if about else ""
    url = reverse("approval-detail", args=[row.pk])
    return Item("approvals", row.title, url, why, row.expires_at, _("Approval"), told_of(about))


def first_run(user: User) -> tuple[str, str] | None:
    """The first run on an alert that is no demo: the playbook's name and the run's address (settings.FIRST_RUN)."""
    rows = Run.objects.visible_to(user).filter(alert__source__demo=False).select_related("playbook")
    run = rows.order_by("pk").first()
    return (run.playbook.name, reverse("run-detail", args=[run.pk])) if run else None
