"""Targets: their policy, the clocks of an incident, and the figures of a period (casework.md 11)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import sla_pause
from cases.actions import sla_policy as actions
from cases.api import documented, shapes
from cases.api import sla_shapes as a
from cases.api.base import ApiViewSet, read, tagged
from cases.api.etags import expected_version
from cases.api.representation import incident_dict, sla_dict
from cases.choices import Severity
from cases.filters import FilterError, moment
from cases.models import IncidentClock, IncidentPause, SlaPolicy
from cases.permissions import incident_for
from cases.sla import current
from cases.sla.clocks import late
from cases.sla.figures import figures
from soar.accounts.models import Team
from soar.lib import clock
from soar.lib.clock import iso

NOT_YOURS = gettext_noop("The permission to manage settings is missing.")
READ_CASES = gettext_noop("The permission to see alerts and incidents is missing.")
SINCE = "Stopped then or later; ISO 8601, or 24h, 7d. Without it thirty days before `until`."
PARAMS = [
    OpenApiParameter("since", str, description=SINCE),
    OpenApiParameter("until", str, description="Stopped before; else now."),
    OpenApiParameter("severity", str, enum=Severity.words(), description="Of incidents that have it now."),
    OpenApiParameter("team", str, description="A team's name."),
]


class SlaPolicies(ApiViewSet):
    """``/sla-policy/``."""

    @extend_schema(**documented.read("Read the policy of targets", a.SlaPolicy))
    def retrieve(self, request: Request) -> Response:
        """What is due when. Everybody who sees incidents may read it."""
        self.need("view_cases", _(READ_CASES))
        return read(request, _policy())

    @extend_schema(**documented.change("Change the policy of targets", a.SlaPolicyChanges, a.SlaPolicy))
    def partial_update(self, request: Request) -> Response:
        """The clocks of open incidents follow in the background; what has stopped stays as it was measured."""
        self.need("manage_settings", _(NOT_YOURS))
        given = self.body(a.SlaPolicyChanges)
        actions.change(self.actor, given, expected_version=expected_version(request))
        return tagged(_policy())


class IncidentClocks(ApiViewSet):
    """``/incidents/{id}/clocks/`` and the verbs that stop them for a while."""

    reads = "view_cases"

    @extend_schema(**documented.read("Read the clocks of an incident", a.Clocks, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """Every round of them, and every pause."""
        incident = incident_for(self.user, id)
        rows = [_clock(row) for row in IncidentClock.objects.filter(incident=incident).order_by("pk")]
        pauses = [_pause(row) for row in IncidentPause.objects.filter(incident=incident)]
        return Response({**sla_dict(incident), "clocks": rows, "pauses": pauses})

    @extend_schema(**documented.verb("Pause the clocks of an incident", a.PauseReason, shapes.Incident))
    def pause(self, request: Request, id: str) -> Response:
        """What is due moves by as long as the pause lasts. 409 if it is paused already or has ended."""
        reason = self.body(a.PauseReason)["reason"]
        expected = expected_version(request)
        return self._verb(lambda: sla_pause.pause(self.actor, id, reason, expected_version=expected))

    @extend_schema(**documented.verb("Let the clocks of an incident run", a.ResumeReason, shapes.Incident))
    def resume(self, request: Request, id: str) -> Response:
        """409 if it is not paused."""
        reason = self.body(a.ResumeReason).get("reason", "")
        expected = expected_version(request)
        return self._verb(lambda: sla_pause.resume(self.actor, id, reason, expected_version=expected))

    def _verb(self, act: Any) -> Response:
        return self.once(lambda: tagged(incident_dict(act())))


class SlaFigures(ApiViewSet):
    """``/sla-figures/``."""

    @extend_schema(
        **{
            **documented.read("Read MTTA, MTTC and MTTR", a.Figures, tagged=False),
            "parameters": [*PARAMS, documented.FIELDS],
        }
    )
    def retrieve(self, request: Request) -> Response:
        """Of incidents that you may see: working time that their clocks took, pauses not counted."""
        self.need("view_cases", _(READ_CASES))
        since, until = _period(request)
        found = figures(self.user, since, until, severity=_severity(request), team=_team(request))
        told = {name: asdict(figure) for name, figure in found.items()}
        return Response({"since": iso(since), "until": iso(until), **told})


def _period(request: Request) -> tuple[datetime, datetime]:
    given = request.query_params
    found: dict[str, datetime] = {}
    for name in ("since", "until"):
        try:
            if given.get(name):
                found[name] = moment(given[name])
        except FilterError as error:
            raise ValidationError({name: [str(error)]}) from error
    until = found.get("until", clock.now())
    since = found.get("since", until - timedelta(days=30) if until.year > 1 else until)
    if since > until:
        raise ValidationError({"since": [_("It is after until.")]})
    return since, until


def _severity(request: Request) -> Severity | None:
    given = request.query_params.get("severity")
    if not given:
        return None
    try:
        return Severity.from_word(given)
    except ValueError as error:
        raise ValidationError({"severity": [str(error)]}) from error


def _team(request: Request) -> Team | None:
    given = request.query_params.get("team", "").replace("\x00", "")
    if not given:
        return None
    team = Team.objects.filter(name__iexact=given[:100]).first()
    if team is None:
        raise ValidationError({"team": [_("There is no such team.")]})
    return team


def _policy() -> dict[str, Any]:
    row = SlaPolicy.objects.filter(pk=1).first()
    policy = current.policy() if row is None else current.of_row(row)
    return {
        **policy.document(),
        "version": policy.version,
        "changed_by": row.changed_by if row else "",
        "updated_at": iso(row.updated_at) if row else None,
    }


def _clock(row: IncidentClock) -> dict[str, Any]:
    return {
        "name": row.name,
        "round": row.round,
        "started_at": iso(row.started_at),
        "target": row.target,
        "warn_at": iso(row.warn_at),
        "due_at": iso(row.due_at),
        "stopped_at": iso(row.stopped_at),
        "seconds": row.seconds,
        "missed": late(row),
    }


def _pause(row: IncidentPause) -> dict[str, Any]:
    return {
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "reason": row.reason,
        "paused_by": row.paused_by,
        "resumed_by": row.resumed_by,
    }
