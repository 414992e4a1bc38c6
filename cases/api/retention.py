"""Rules of retention, and legal holds of incidents (access.md 9)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases import retention
from cases.actions import holds
from cases.actions import retention as actions
from cases.api import admin_shapes as a
from cases.api import bodies, documented, paging
from cases.api.base import ApiViewSet, read, tagged, whole
from cases.api.etags import expected_version
from cases.models import LegalHold, RetentionRule
from cases.permissions import incident_for
from soar.lib.clock import iso

NOT_YOURS = gettext_noop("The permission to manage settings is missing.")


class RetentionRules(ApiViewSet):
    """``/retention-rules/``."""

    @extend_schema(**documented.listing("List rules of retention", a.RULE_PAGE))
    def list(self, request: Request) -> Response:
        """All of them, and how their last passes went."""
        self.need("manage_settings", _(NOT_YOURS), read_by="view_setup")
        found = paging.page(request, RetentionRule.objects.select_related("source"), paging.OLDEST)
        return Response(paging.paged(request, found, [_rule(row) for row in found.rows]))

    @extend_schema(**documented.create("Make a rule of retention", a.NewRetentionRule, a.RetentionRule, tagged=False))
    def create(self, request: Request) -> Response:
        """It is off unless `enabled` is true. What it deletes does not come back; look at the preview first."""
        self.need("manage_settings", _(NOT_YOURS))
        given = self.body(a.NewRetentionRule)
        return self.once(lambda: tagged(_rule(actions.create(self.actor, given)), 201))

    @extend_schema(**documented.read("Read a rule of retention", a.RetentionRule))
    def retrieve(self, request: Request, id: str) -> Response:
        """And how its last pass went."""
        return read(request, _rule(actions.rule_for(self.actor, whole(id))))

    @extend_schema(**documented.change("Change a rule of retention", a.RetentionChanges, a.RetentionRule))
    def partial_update(self, request: Request, id: str) -> Response:
        """A pass that is under way begins anew. With `If-Match` only if nobody changed it since; what a pass does to
        its figures is no change."""
        self.need("manage_settings", _(NOT_YOURS))
        changes, expected = self.body(a.RetentionChanges), expected_version(request)
        return tagged(_rule(actions.update(self.actor, whole(id), changes, expected_version=expected)))

    @extend_schema(**documented.remove("Remove a rule of retention"))
    def destroy(self, request: Request, id: str) -> Response:
        """What it deleted does not come back. With `If-Match` only if nobody changed it since."""
        actions.delete(self.actor, whole(id), expected_version=expected_version(request))
        return Response(status=204)

    @extend_schema(
        **documented.verb("Preview a rule of retention", bodies.Nothing, a.RulePreview, tagged=False, keyed=False)
    )
    def preview(self, request: Request, id: str) -> Response:
        """How much it would delete now, counted to 10,000, also while it is off."""
        self.body(bodies.Nothing)
        return Response(retention.preview(actions.rule_for(self.actor, whole(id)), self.user))


class Holds(ApiViewSet):
    """``/incidents/{id}/hold/``."""

    reads = "view_cases"

    @extend_schema(**documented.whole_list("List legal holds", a.HoldList))
    def retrieve(self, request: Request, id: str) -> Response:
        """The active one, if there is one, and those that were lifted."""
        incident = incident_for(self.user, id)
        rows = [_hold(row) for row in LegalHold.objects.filter(incident=incident)[:200]]
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(**documented.create("Put on legal hold", a.HoldReason, a.Hold, tagged=False))
    def place(self, request: Request, id: str) -> Response:
        """Nothing of the incident, its alerts and its evidence is deleted until the hold is lifted."""
        incident_for(self.user, id)
        reason = self.body(a.HoldReason)["reason"]
        return self.once(lambda: Response(_hold(holds.place(self.actor, id, reason)), status=201))

    @extend_schema(**documented.verb("Lift a legal hold", a.HoldReason, a.Hold, tagged=False))
    def lift(self, request: Request, id: str) -> Response:
        """With a reason, which is on the timeline."""
        incident_for(self.user, id)
        reason = self.body(a.HoldReason)["reason"]
        return self.once(lambda: Response(_hold(holds.lift(self.actor, id, reason))))


def _rule(rule: RetentionRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        **actions.told(rule),
        "deleted": rule.deleted,
        "deleted_now": rule.deleted_now,
        "started_at": iso(rule.started_at),
        "finished_at": iso(rule.finished_at),
        "error": rule.error,
        "changed_by": rule.changed_by,
        "updated_at": iso(rule.updated_at),
        "version": rule.version,
    }


def _hold(hold: LegalHold) -> dict[str, Any]:
    return {
        "incident": f"INC-{hold.incident_id}",
        "reason": hold.reason,
        "placed_by": hold.placed_by,
        "placed_at": iso(hold.placed_at),
        "lifted_by": hold.lifted_by,
        "lifted_at": iso(hold.lifted_at),
        "lift_reason": hold.lift_reason,
    }
