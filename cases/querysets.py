"""Selections of alerts, incidents, observables and assets; ``visible_to`` is the one visibility query (access.md 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.db.models.functions import Coalesce

from cases.choices import AlertStatus, IncidentStatus, TaskStatus
from cases.grants import Among, granted, grants_of
from soar.accounts.membership import may, team_ids
from soar.accounts.models import User

if TYPE_CHECKING:
    from cases.models.alert import Alert
    from cases.models.asset import Asset
    from cases.models.evidence import Evidence
    from cases.models.handover import HandOver
    from cases.models.incident import Incident
    from cases.models.observable import Observable
    from cases.models.task import IncidentTask

    _Alerts = models.QuerySet[Alert]
    _Assets = models.QuerySet[Asset]
    _Evidence = models.QuerySet[Evidence]
    _HandOvers = models.QuerySet[HandOver]
    _Incidents = models.QuerySet[Incident]
    _Observables = models.QuerySet[Observable]
    _Tasks = models.QuerySet[IncidentTask]
else:
    _Alerts = _Assets = _Evidence = _HandOvers = _Incidents = _Observables = _Tasks = models.QuerySet


_Selection = tuple[str, tuple[Any, ...]]
_made: dict[Any, _Selection] = {}
MADE_AT_MOST = 500


class _Inside(Func):
    """That an incident, by its id, is one that the user may see. A page asks for it a dozen times, and Django takes
    longer to make the SQL of that selection than the database to answer: it is made once for all that a person is."""

    output_field = models.BooleanField()

    def __init__(self, incident: F, user: User) -> None:
        super().__init__(incident)
        self.selection = _incidents_sql(user)

    def as_sql(self, compiler: Any, connection: Any, **_more: Any) -> Any:  # type: ignore[override]
        """The condition, for a column that bears the id."""
        column, values = compiler.compile(self.get_source_expressions()[0])
        sql, params = self.selection
        return f"EXISTS (SELECT 1 FROM ({sql}) seen WHERE seen.pk = {column})", (*params, *values)  # noqa: S608 - Django's own


def inside(incident: str, user: User) -> Func:
    """The condition that the incident to which this path of fields leads is one that the user may see."""
    return _Inside(F(incident), user)


def _incidents_sql(user: User) -> _Selection:
    from cases.models import Incident

    cached: _Selection | None = getattr(user, "_incidents_sql", None)
    if cached is None:
        key = (_standing(user), _standing(user.viewer) if user.viewer is not None else None)
        cached = _made.get(key)
        if cached is None:
            rows = Incident.objects.visible_to(user, by_id=True).order_by().values("pk")
            try:
                sql, params = rows.query.sql_with_params()
            except EmptyResultSet:  # of nobody's cases
                sql, params = Incident.objects.extra(where=["false"]).order_by().values("pk").query.sql_with_params()
            if len(_made) >= MADE_AT_MOST:
                _made.clear()
            cached = _made[key] = sql, tuple(params)
        user._incidents_sql = cached  # type: ignore[attr-defined]
    return cached


def _standing(user: User) -> Any:
    """All of a person that the selection of their incidents is made of. Who it is and what they hold is read anew for
    every request; the same of all this makes the same SQL."""
    grants = grants_of(user)["Incident"]
    held = may(user, "view_cases"), may(user, "view_all_teams")
    return user.pk, *held, tuple(team_ids(user)), grants.too_many, tuple(grants.ids)


class AlertQuerySet(_Alerts):
    """Alerts."""

    # All of an alert that ``visible_to`` asks for: of two that are the same in it, a person sees both or none.
    SEEN_BY = ("restricted", "source", "team", "owner", "incident")

    def visible_to(self, user: User) -> AlertQuerySet:
        """What this person may see: their teams' alerts and those of no team, their own, those of sources
        granted to them, those inside an incident that they may see. Restricted ones only by the incident."""
        if not may(user, "view_cases"):
            return self.none()
        inside = Q(_Inside(F("incident"), user))
        if may(user, "view_all_teams"):
            return self.filter(Q(restricted=False) | inside)
        # What is granted first: the teams come with it.
        mine = granted(user, "Source", "source") | Q(team=None) | Q(team__in=team_ids(user)) | Q(owner=user)
        return self.filter((Q(restricted=False) & mine) | (Q(incident__isnull=False) & inside))

    @staticmethod
    def seen_one_by_one(alert: str, user: User) -> Exists:
        """The condition that the alert to which this path of fields leads is one that the user may see: for rows of
        which few are looked at, whatever the planner thinks of all alerts."""
        from cases.models import Alert

        return _OneByOne(Alert.objects.visible_to(user).filter(pk=OuterRef(alert)))

    def open(self) -> AlertQuerySet:
        """New and in progress."""
        return self.filter(status__lt=AlertStatus.RESOLVED)

    def queued(self) -> AlertQuerySet:
        """What stands in the queue: open, and not held back by a suppression rule."""
        return self.filter(status__lt=AlertStatus.RESOLVED, suppression=None)

    def with_row_data(self) -> AlertQuerySet:
        """What a row of a list shows and no more: neither description nor entities nor payload."""
        return self.select_related("owner", "source", "team").defer(
            "description", "entities", "repairs", "search", "timeline_head", "key_digest", "resolve_reason",
            "source__hmac_secret", "source__allowed_networks", "source__default_tags", "source__key_fields",
            "source__last_error", "owner__password",
        )  # fmt: skip

    def with_line_data(self) -> AlertQuerySet:
        """What a line of the queue or of another page's list shows, and its place in the list: reading a whole row of
        the table costs more than finding it."""
        return self.select_related("owner", "source").only(
            "title", "severity", "status", "count", "hostname", "username", "source_ip", "detection_model",
            "observable_count", "incident", "received_at", "acknowledged_at", "suppression", "version",
            "timeline_count", "restricted", "source", "source__name", "owner", "owner__username", "owner__first_name",
            "owner__last_name",
        )  # fmt: skip


class IncidentQuerySet(_Incidents):
    """Incidents."""

    def visible_to(self, user: User, *, by_id: bool = False) -> IncidentQuerySet:
        """What this person may see: their teams' incidents and those of no team, those they own, those
        granted to them. A restricted incident only by its own grants (access.md 3), and what was merged into one only
        by the grants of that one. ``by_id``: each is looked up by its id, so no index by the grants is needed."""
        from cases.models import IncidentOwner

        if not may(user, "view_cases"):
            return self.none()
        grant = _let_in(user, by_id)
        if user.viewer is not None:  # to look as somebody else opens no restricted incident: that is to break the glass
            grant &= Q(restricted=False) | _let_in(user.viewer, by_id)
        if may(user, "view_all_teams"):
            return self.filter(Q(restricted=False) | grant)
        # Read once: to ask for each incident that a list reads takes longer than all else that is asked of it.
        owned = IncidentOwner.objects.filter(user=user).values("incident")
        mine = Q(team=None) | Q(team__in=team_ids(user)) | Q(pk__in=owned)
        return self.filter((Q(restricted=False) & mine) | grant)

    def open(self) -> IncidentQuerySet:
        """Open, in progress and contained."""
        return self.filter(status__lt=IncidentStatus.RESOLVED)

    def with_row_data(self) -> IncidentQuerySet:
        """What a row of the list shows."""
        return (
            self.select_related("team", "template")
            .prefetch_related("owner_rows__user")
            .defer("summary", "timeline_head", "resolve_reason", "template__tasks", "template__description")
        )


def _let_in(user: User, by_id: bool) -> Q:
    """That an incident is granted to the user, or the one whose grants count for it."""
    grants = grants_of(user)["Incident"]
    if by_id and grants.ids and not grants.too_many:
        return Q(Among(Coalesce(F("access_of"), F("pk")), grants.ids))
    return (granted(user, "Incident") & Q(access_of=None)) | granted(user, "Incident", "access_of")


class ObservableQuerySet(_Observables):
    """Observables."""

    def visible_to(self, user: User) -> ObservableQuerySet:
        """Those of an alert or incident that the person may see (rulings 21)."""
        from cases.models import Alert, AlertObservable, Incident, IncidentObservable

        if not may(user, "view_cases"):
            return self.none()
        alerts = AlertObservable.objects.filter(observable=OuterRef("pk"), alert__in=Alert.objects.visible_to(user))
        incidents = IncidentObservable.objects.filter(
            observable=OuterRef("pk"), incident__in=Incident.objects.visible_to(user)
        )
        return self.filter(_OneByOne(alerts) | _OneByOne(incidents))


class TaskQuerySet(_Tasks):
    """Tasks of incidents."""

    def visible_to(self, user: User) -> TaskQuerySet:
        """Those of incidents that the person may see."""
        if not may(user, "view_cases"):
            return self.none()
        return self.filter(_Inside(F("incident"), user))

    def open(self) -> TaskQuerySet:
        """Still to be done."""
        return self.filter(status=TaskStatus.OPEN)


class EvidenceQuerySet(_Evidence):
    """Evidence of incidents."""

    def visible_to(self, user: User) -> EvidenceQuerySet:
        """That of incidents that the person may see."""
        if not may(user, "view_cases"):
            return self.none()
        return self.filter(_Inside(F("incident"), user))

    def kept(self) -> EvidenceQuerySet:
        """What was not removed."""
        return self.filter(removed_at=None)


class HandOverQuerySet(_HandOvers):
    """Shifts handed over."""

    def visible_to(self, user: User) -> HandOverQuerySet:
        """Those of no team and of the person's teams; all for who reads all teams. What they name is asked for anew."""
        if not may(user, "view_cases"):
            return self.none()
        if may(user, "view_all_teams"):
            return self.all()
        return self.filter(Q(team=None) | Q(team__in=team_ids(user)))


class AssetQuerySet(_Assets):
    """Assets."""

    def visible_to(self, user: User) -> AssetQuerySet:
        """The inventory, and what an alert or incident names that the person may see: an asset that only alerts have
        told of exists through them alone, as an observable does (access.md 4, rulings 21)."""
        from cases.models import Alert, AlertAsset, Incident, IncidentAsset

        if not may(user, "view_cases"):
            return self.none()
        alerts = AlertAsset.objects.filter(asset=OuterRef("pk"), alert__in=Alert.objects.visible_to(user))
        incidents = IncidentAsset.objects.filter(asset=OuterRef("pk"), incident__in=Incident.objects.visible_to(user))
        return self.filter(Q(listed=True) | _OneByOne(alerts) | _OneByOne(incidents))


class _OneByOne(Exists):
    """EXISTS that is asked for each row that is looked at. Left to itself the planner reads all links there are into
    memory instead, for a page of fifty rows of which most need not be asked for at all."""

    template = "EXISTS(%(subquery)s OFFSET 0)"


def capped_count(rows: models.QuerySet[Any], cap: int = 1000) -> tuple[int, bool]:
    """How many rows, counted to ``cap`` at most, and whether there are more ("1,000+")."""
    number = rows.order_by()[: cap + 1].values("pk").count() if cap else 0
    return min(number, cap), number > cap
