"""What people and teams own in casework, and how it is handed over (soar.accounts.owning, ``settings.OWNINGS``).

Everything goes through the actions that a person would use, so rights are checked and each timeline tells of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions import alerts as alert_actions
from cases.actions import incident_owners
from cases.actions import incidents as incident_actions
from cases.actions import sources as source_actions
from cases.actions import tasks as task_actions
from cases.actions.base import KEEP
from cases.actors import Actor
from cases.choices import TaskStatus
from cases.errors import Conflict
from cases.models import Alert, AlertSource, Incident, IncidentTask, SavedView, SuppressionRule, WebhookEndpoint
from soar.accounts.models import Team, User
from soar.accounts.owning import AT_MOST, Held

Rows: TypeAlias = "QuerySet[Any]"


class _Sort:
    """Things that stand in a list. Whatever a sort does not have it leaves as it is here."""

    def __init__(self, name: str, label: str | Promise, page: str = "") -> None:
        self.name, self.label, self.page = name, label, page

    def of_user(self, viewer: User | None, user: User) -> Held | None:
        """What the person owns, as far as the viewer sees it."""
        rows = self.rows_of_user(viewer, user)
        return None if rows is None else self._held(rows, {"owner": user.username})

    def of_team(self, viewer: User | None, team: Team) -> Held | None:
        """What belongs to the team, as far as the viewer sees it."""
        rows = self.rows_of_team(viewer, team)
        return None if rows is None else self._held(rows, {"team": team.name})

    def rows_of_user(self, viewer: User | None, user: User) -> Rows | None:
        """None for a sort that people do not own."""
        return None

    def rows_of_team(self, viewer: User | None, team: Team) -> Rows | None:
        """None for a sort that teams do not own."""
        return None

    def hand_over(self, actor: User, user: User, to: User) -> int:
        """Give each to somebody else."""
        return self._each(self.rows_of_user(actor, user), lambda row: self.give(Actor.of(actor), row, user, to))

    def move(self, actor: User | None, team: Team, to: Team | None) -> int:
        """Give each to another team."""
        by = Actor.of(actor) if actor else Actor.system()
        return self._each(self.rows_of_team(actor, team), lambda row: self.give_team(by, row, to))

    def give(self, actor: Actor, row: Any, user: User, to: User) -> None:
        """Give one to somebody else."""

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        """Give one to another team."""

    @property
    def movable(self) -> bool:
        """Whether a person can hand these over."""
        return type(self).give is not _Sort.give

    def _held(self, rows: Rows, about: dict[str, str]) -> Held:
        url = f"{reverse(self.page)}?{urlencode(about)}" if self.page else ""
        return Held(self.name, self.label, rows, url, self.movable)

    def _each(self, rows: Rows | None, act: Callable[[Any], None]) -> int:
        found = list(rows.order_by("pk")[: AT_MOST + 1]) if rows is not None else []
        if len(found) > AT_MOST:
            text = _("More than %(most)d %(what)s. Change them with an action on many in their list first.")
            raise Conflict(text % {"most": AT_MOST, "what": self.label}, code="too_many")
        for row in found:
            act(row)
        return len(found)


class _Alerts(_Sort):
    def rows_of_user(self, viewer: User | None, user: User) -> Rows:
        return cast(Rows, _seen(Alert.objects.all(), viewer).filter(owner=user).open())

    def rows_of_team(self, viewer: User | None, team: Team) -> Rows:
        return cast(Rows, _seen(Alert.objects.all(), viewer).filter(team=team))

    def give(self, actor: Actor, row: Any, user: User, to: User) -> None:
        alert_actions.assign(actor, row.pk, owner=to)

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        alert_actions.assign(actor, row.pk, team=to)


class _Incidents(_Sort):
    def rows_of_user(self, viewer: User | None, user: User) -> Rows:
        return cast(Rows, _seen(Incident.objects.all(), viewer).filter(owner_rows__user=user).open())

    def rows_of_team(self, viewer: User | None, team: Team) -> Rows:
        return cast(Rows, _seen(Incident.objects.all(), viewer).filter(team=team))

    def give(self, actor: Actor, row: Any, user: User, to: User) -> None:
        leads = row.owner_rows.filter(user=user, lead=True).exists()
        incident_owners.owners(actor, row.pk, add=[to], remove=[user], lead=to if leads else KEEP)

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        incident_actions.update(actor, row.pk, changes={"team": to})


class _Tasks(_Sort):
    def rows_of_user(self, viewer: User | None, user: User) -> Rows:
        return cast(Rows, _seen(IncidentTask.objects.all(), viewer).filter(assignee=user, status=TaskStatus.OPEN))

    def give(self, actor: Actor, row: Any, user: User, to: User) -> None:
        task_actions.assign(actor, row.pk, to)


class _Sources(_Sort):
    def rows_of_team(self, viewer: User | None, team: Team) -> Rows:
        return AlertSource.objects.filter(team=team)

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        source_actions.update(actor, row.slug, fields={"team": to.name if to else None})


class _Rules(_Sort):
    """Without a team they would hold back, or send, what is everybody's: they go to another team only."""

    def __init__(self, model: Any, name: str, label: str | Promise, page: str) -> None:
        super().__init__(name, label, page)
        self.model = model

    def rows_of_team(self, viewer: User | None, team: Team) -> Rows:
        return cast(Rows, self.model._default_manager.filter(team=team))

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        if to is not None:
            self.model._default_manager.filter(pk=row.pk).update(team=to, version=row.version + 1)


class _Webhooks(_Rules):
    def rows_of_user(self, viewer: User | None, user: User) -> Rows:
        return WebhookEndpoint.objects.filter(owner=user)


class _Views(_Sort):
    def rows_of_team(self, viewer: User | None, team: Team) -> Rows:
        return SavedView.objects.filter(team=team)

    def give_team(self, actor: Actor, row: Any, to: Team | None) -> None:
        audience = SavedView.Audience.TEAM if to else SavedView.Audience.ME
        SavedView.objects.filter(pk=row.pk).update(team=to, audience=audience)


def _seen(rows: Any, viewer: User | None) -> Any:
    """Those that the viewer may see; all for the system."""
    return rows if viewer is None else rows.visible_to(viewer)


alerts = _Alerts("alerts", gettext_lazy("alerts"), "alert-list")
incidents = _Incidents("incidents", gettext_lazy("incidents"), "incident-list")
tasks = _Tasks("tasks", gettext_lazy("open tasks"))
sources = _Sources("sources", gettext_lazy("sources"), "source-list")
suppression = _Rules(SuppressionRule, "suppression_rules", gettext_lazy("suppression rules"), "suppression-list")
webhooks = _Webhooks(WebhookEndpoint, "webhooks", gettext_lazy("outgoing webhooks"), "webhook-list")
views = _Views("views", gettext_lazy("saved views"))
