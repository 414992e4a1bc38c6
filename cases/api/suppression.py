"""Suppression rules over the API: the same rights and actions as the pages (ingest-and-api.md 9, 12)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import suppression as actions
from cases.actions.base import team_of
from cases.actions.suppression_fields import conditions_of, trouble_of
from cases.api import bodies, documented, paging
from cases.api import suppression_shapes as shapes
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.choices import Severity
from cases.ingest.suppression import Scope
from cases.models import Alert, SuppressionRule
from cases.source_access import manages_some
from cases.suppression_access import rule_for, rules_over, rules_seen_by
from cases.suppression_preview import DAYS, preview
from soar.lib.clock import iso

STATE = OpenApiParameter("state", str, enum=list(shapes.STATES))


class SuppressionRules(ApiViewSet):
    """``/suppression-rules/``."""

    @extend_schema(
        **documented.listing(
            "List suppression rules", shapes.RULE_PAGE, params=[STATE, documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Those that can hold back something that you may see."""
        self._may_read()
        paging.check_params(request, ("state", "ordering"))
        rows, state = rules_seen_by(self.user).select_related("team", "created_by"), request.query_params.get("state")
        if state and state not in shapes.STATES:
            raise ValidationError({"state": [_("One of: %(states)s.") % {"states": ", ".join(shapes.STATES)}]})
        if state:
            rows = rules_over(rows, state == "over")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [rule_dict(row) for row in found.rows]))

    @extend_schema(**documented.create("Make a suppression rule", shapes.NewRule, shapes.Rule, tagged=False))
    def create(self, request: Request) -> Response:
        """For alerts of your teams or of no team; for all others by those who manage sources."""
        self._may_work()
        given = _plain(self.body(shapes.NewRule))
        hold_open = given.pop("hold_open", False)

        def make() -> Response:
            return tagged(rule_dict(actions.create(self.actor, fields=given, hold_open=hold_open)), 201)

        return self.once(make)

    @extend_schema(**documented.read("Read a suppression rule", shapes.Rule))
    def retrieve(self, request: Request, id: str) -> Response:
        """With its figures."""
        self._may_read()
        return read(request, rule_dict(rule_for(self.user, whole(id))))

    @extend_schema(**documented.change("Change a suppression rule", shapes.RuleChanges, shapes.Rule))
    def partial_update(self, request: Request, id: str) -> Response:
        """409 for one that has ended."""
        self._may_work()
        changes, expected = _plain(self.body(shapes.RuleChanges, partial=True)), expected_version(request)
        return tagged(rule_dict(actions.update(self.actor, whole(id), changes=changes, expected_version=expected)))

    @extend_schema(**documented.remove("Delete a suppression rule", codes=(409,)))
    def destroy(self, request: Request, id: str) -> Response:
        """One that is over and holds nothing back; 409 otherwise."""
        self._may_work()
        actions.delete(self.actor, whole(id), expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(**documented.verb("End a suppression rule", shapes.EndRule, shapes.Rule))
    def end(self, request: Request, id: str) -> Response:
        """At once; with `release` what it holds back comes into the queue, which starts playbooks."""
        self._may_work()
        given, expected = self.body(shapes.EndRule), expected_version(request)
        release = given.get("release", False)
        return self.once(
            lambda: tagged(rule_dict(actions.end(self.actor, whole(id), release=release, expected_version=expected)))
        )

    @extend_schema(**documented.verb("Release what a rule held back", bodies.Nothing, shapes.Rule, tagged=False))
    def release(self, request: Request, id: str) -> Response:
        """Into the queue, by a worker: `releasing` is true until it is done. 409 while the rule is in force."""
        self._may_work()
        self.body(bodies.Nothing)
        return self.once(lambda: tagged(rule_dict(actions.release(self.actor, whole(id)))))

    @extend_schema(
        **documented.verb(
            "Preview a suppression rule", shapes.AskPreview, shapes.PreviewShape, tagged=False, keyed=False
        )
    )
    def preview(self, request: Request) -> Response:
        """What it would have held back of the alerts of the last days that you may see. Nothing is stored."""
        self._may_work()
        given = _plain(self.body(shapes.AskPreview))
        team = team_of(given.get("team"))
        scope = Scope(team.pk if team else None, given.get("all_teams", False))
        days, cursor = given.get("days", DAYS[0]), given.get("cursor", "")
        found = preview(self.user, self._conditions(given["conditions"]), scope, days=days, cursor=cursor)
        rows = Alert.objects.visible_to(self.user).filter(pk__in=found.examples).order_by("-pk")
        return Response(
            {
                **{name: getattr(found, name) for name in ("days", "percent", "read", "held", "severe", "malicious")},
                "complete": found.done,
                "examples": [_example(row) for row in rows],
                "cursor": found.cursor or None,
            }
        )

    def _may_read(self) -> None:
        self.need("view_cases", _("The permission to see cases is missing."))

    def _conditions(self, given: Any) -> Any:
        conditions = conditions_of(given)
        actions.check_seen(self.user, list(conditions.get("source", [])))
        return conditions

    def _may_work(self) -> None:
        self._may_read()
        if not manages_some(self.user):
            self.need("work_cases", _("The permission to work on cases is missing."))


def rule_dict(rule: SuppressionRule) -> dict[str, Any]:
    """A rule in JSON."""
    return {
        "id": rule.pk,
        "url": f"{settings.SOAR_URL}/suppression/{rule.pk}/",
        "name": rule.name,
        "reason": rule.reason,
        "conditions": _shown(rule.conditions),
        "team": rule.team.name if rule.team else None,
        "all_teams": rule.all_teams,
        "enabled": rule.enabled,
        "in_force": actions.in_force(rule),
        "trouble": trouble_of(rule),
        "expires_at": iso(rule.expires_at),
        "ended_at": iso(rule.ended_at),
        "ended_by": rule.ended_by,
        "held": rule.held,
        "repeats": rule.repeats,
        "last_hit_at": iso(rule.last_hit_at),
        "releasing": rule.releasing,
        "created_by": rule.created_by.username if rule.created_by else None,
        "changed_by": rule.changed_by,
        "created_at": iso(rule.created_at),
        "updated_at": iso(rule.updated_at),
        "version": rule.version,
    }


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    """The body as actions take it: a severity is a list like the other conditions."""
    if "conditions" in given:
        conditions = dict(given["conditions"])
        if "severity" in conditions:
            conditions["severity"] = [conditions["severity"]]
        given["conditions"] = conditions
    return given


def _shown(conditions: Any) -> dict[str, Any]:
    if not isinstance(conditions, dict):
        return {}
    severity = conditions.get("severity")
    return {**conditions, "severity": severity[0]} if isinstance(severity, list) and severity else conditions


def _example(alert: Alert) -> dict[str, Any]:
    return {
        "number": alert.number,
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "received_at": iso(alert.received_at),
    }
