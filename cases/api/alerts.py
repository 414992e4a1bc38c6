"""Alerts: the list, one of them, and its verbs. Everything that changes goes through ``cases.actions``."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import alerts, incidents, links, manual
from cases.api import bodies, documented, known, paging, shapes
from cases.api.base import ApiViewSet, guarded, read, tagged
from cases.api.etags import expected_version
from cases.api.representation import EXPANDABLE, alert_dict, alert_rows, incident_dict
from cases.api.timeline import timeline_page, written
from cases.choices import AlertStatus
from cases.filters import FIELDS, AlertFilter
from cases.models import Alert
from cases.permissions import alert_for, parse_number
from cases.timeline_read import entries_of_alert
from soar.accounts.models import User
from soar.lib.keyset import Order

ORDERS = {
    **paging.BY_ID,
    "updated_at": Order("updated_at", ("updated_at", "id"), descending=False),
    "-updated_at": Order("-updated_at", ("updated_at", "id")),
    "-severity": Order("-severity", ("severity", "id")),
}
# What representation.alert_row reads: with whole rows of four tables, making the objects costs more than the query.
ROW = (
    "source_ref", "dedup_key", "count", "title", "severity", "status", "determination", "findings", "detection_model",
    "occurred_at", "first_seen", "last_seen", "received_at", "updated_at", "resolved_at", "hostname", "username",
    "source_ip", "tags", "techniques", "tlp", "external_link", "incident", "source_state", "suppression", "cause",
    "version", "restricted", "owner__username", "source__slug", "team__name",
)  # fmt: skip
OPEN_WORDS = {"open", *(status.word for status in AlertStatus if status.is_open)}
FILTERS = ("q", *FIELDS)


class Alerts(ApiViewSet):
    """``/alerts/`` and below."""

    reads = "view_cases"

    @extend_schema(**documented.alert_list(FILTERS, tuple(ORDERS)))
    def list(self, request: Request) -> Response:
        """List alerts.

        Newest first. To follow changes ask with `updated_since`: the rows then come by time of change. Ask again from
        a minute before the last `updated_at` you saw; `id` and `version` tell what you have already."""
        paging.check_params(request, (*FILTERS, "ordering", "expand"))
        expand = expanded(request)
        order = paging.order_of(request, ORDERS, "updated_at" if request.query_params.get("updated_since") else "-id")
        rows = filtered(request, self.user, expand)
        if order.name == "-severity":
            _check_open(request)
        found = paging.page(request, rows, order)
        return Response(paging.paged(request, found, alert_rows(self.user, found.rows, expand)))

    @extend_schema(**documented.create("Make an alert by hand", bodies.NewAlert, shapes.Alert, tagged=False))
    def create(self, request: Request) -> Response:
        """It belongs to the source `by-hand`."""
        fields = self.body(bodies.NewAlert)

        def run() -> Response:
            alert = manual.create_by_hand(self.actor, fields=fields)
            return self._tagged(alert, 201)

        return self.once(run)

    @extend_schema(**documented.read("Read an alert", shapes.Alert))
    def retrieve(self, request: Request, id: str) -> Response:
        """`id` is its id or its number (`ALR-7`)."""
        return read(request, alert_dict(alert_for(self.user, id), user=self.user))

    @extend_schema(**documented.change("Change an alert", bodies.AlertChanges, shapes.Alert))
    def partial_update(self, request: Request, id: str) -> Response:
        """All of it or nothing. With `If-Match` only if nobody changed it since."""
        changes = self.body(bodies.AlertChanges)
        return self._tagged(alerts.update(self.actor, id, changes=changes, expected_version=expected_version(request)))

    @extend_schema(**documented.verb("Claim an alert", bodies.Nothing, shapes.Alert))
    def claim(self, request: Request, id: str) -> Response:
        """Makes you its owner and sets it in progress."""
        self.body(bodies.Nothing)
        return self._verb(lambda: alerts.claim(self.actor, id, expected_version=expected_version(request)))

    @extend_schema(**documented.verb("Assign an alert", bodies.Assign, shapes.Alert))
    def assign(self, request: Request, id: str) -> Response:
        """To a person, a team, or nobody. A team decides who sees the alert."""
        given = self.body(bodies.Assign)
        return self._verb(lambda: alerts.assign(self.actor, id, **given, expected_version=expected_version(request)))

    @extend_schema(**documented.verb("Resolve an alert", bodies.Resolve, shapes.Alert))
    def resolve(self, request: Request, id: str) -> Response:
        """With a determination other than `unknown`."""
        given = self.body(bodies.Resolve)
        return self._verb(lambda: alerts.resolve(self.actor, id, **given, expected_version=expected_version(request)))

    @extend_schema(**documented.verb("Reopen an alert", bodies.Reopen, shapes.Alert))
    def reopen(self, request: Request, id: str) -> Response:
        """Reopening an open alert changes nothing."""
        given = self.body(bodies.Reopen)
        return self._verb(lambda: alerts.reopen(self.actor, id, **given, expected_version=expected_version(request)))

    @extend_schema(**documented.create("Comment on an alert", bodies.Comment, shapes.WrittenEntry))
    def comment(self, request: Request, id: str) -> Response:
        """409 with the `url` of its incident, if it has one: notes are written there."""
        text = self.body(bodies.Comment)["text"]
        pk = parse_number(id, "ALR")

        def run() -> Response:
            entry = guarded(request, Alert, pk, 0, lambda: alerts.comment(self.actor, id, text))
            return written(self.user, alert_for(self.user, id), entry)

        return self.once(run)

    @extend_schema(**documented.create("Open an incident from an alert", bodies.Escalate, shapes.Incident))
    def escalate(self, request: Request, id: str) -> Response:
        """409 if the alert is in an incident already."""
        given = self.body(bodies.Escalate)
        pk = parse_number(id, "ALR")

        def run() -> Response:
            incident = guarded(request, Alert, pk, 1, lambda: incidents.escalate(self.actor, id, **given))
            return tagged(incident_dict(incident), 201)

        return self.once(run)

    @extend_schema(**documented.verb("Link an alert to an incident", bodies.LinkAlert, shapes.Alert))
    def link(self, request: Request, id: str) -> Response:
        """409 if it is in another incident, unless `move` is true."""
        given = self.body(bodies.LinkAlert)
        pk = parse_number(id, "ALR")

        def act() -> Alert:
            alert_for(self.actor, id)  # said before anything of the incident
            guarded(
                request,
                Alert,
                pk,
                1,
                lambda: links.link(self.actor, [id], given["incident"], move=given.get("move", False)),
            )
            return Alert.objects.get(pk=pk)

        return self._verb(act)

    @extend_schema(**documented.verb("Take an alert out of its incident", bodies.Nothing, shapes.Alert))
    def unlink(self, request: Request, id: str) -> Response:
        """400 if it is in none."""
        self.body(bodies.Nothing)
        pk = parse_number(id, "ALR")

        def act() -> Alert:
            guarded(request, Alert, pk, 1, lambda: links.unlink(self.actor, [id]))
            return Alert.objects.get(pk=pk)

        return self._verb(act)

    @extend_schema(**documented.entries("Read an alert's timeline"))
    def timeline(self, request: Request, id: str) -> Response:
        """Newest first; `ordering=id` turns it round, `occurred_at` is when it happened."""
        return timeline_page(request, self.user, entries_of_alert(alert_for(self.user, id)))

    def _verb(self, act: Any) -> Response:
        return self.once(lambda: self._tagged(act()))

    def _tagged(self, alert: Alert, code: int = 200) -> Response:
        return tagged(alert_dict(alert, user=self.user), code)


def expanded(request: Request) -> list[str]:
    """What ``expand`` asks for, or ``fields`` by name. Raises ValidationError for a name that cannot be."""
    wanted = [name.strip() for name in request.query_params.get("expand", "").split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in EXPANDABLE]:
        raise ValidationError(
            {
                "expand": [
                    _("%(unknown)s is not one of: %(expandable)s.")
                    % {"unknown": unknown[0][:40], "expandable": ", ".join(EXPANDABLE)}
                ]
            }
        )
    return [*wanted, *(name for name in known.asked(request) if name in EXPANDABLE)]


def filtered(request: Request, user: User, expand: list[str]) -> QuerySet[Alert]:
    """The alerts that the caller may see and the filter lets through. Raises ValidationError."""
    wanted = AlertFilter.parse(request.query_params)
    rows = wanted.apply(with_columns(Alert.objects.visible_to(user), expand), user)
    if wanted.errors:
        raise ValidationError({"filter": wanted.errors})
    return rows


def with_columns(rows: QuerySet[Alert], expand: list[str]) -> QuerySet[Alert]:
    """Only what a row shows, of its owner, source and team as well, and what is asked for besides."""
    more = {"description": "description", "assets": "entities"}
    return rows.select_related("owner", "source", "team").only(*ROW, *(more[name] for name in expand if name in more))


def _check_open(request: Request) -> None:
    """Only open work is indexed by severity (ingest-and-api.md 14)."""
    words = {word.strip().lower() for word in request.query_params.get("status", "").split(",")}
    if not words <= OPEN_WORDS:
        raise ValidationError({"ordering": [_("By severity only open alerts are ordered: add status=open.")]})
