"""Links of incidents with tickets, their conflicts and failures (servicenow.md 9, 10): what the pages do, for programs.

A link is seen with its incident, and worked on by whoever may edit that."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import servicenow as actions
from cases.actions.servicenow_access import changes_seen, conflicts_seen, failed, links_seen, open_conflicts
from cases.actions.servicenow_ticket import sync_link, ticket_of
from cases.api import documented, paging
from cases.api import servicenow_shapes as shapes
from cases.api.base import ApiViewSet, as_read, read_facts, whole
from cases.api.servicenow_representation import change_dict, conflict_dict, link_dict, with_figures
from cases.errors import Missing
from cases.models import LinkState, TicketChange, TicketConflict, TicketLink
from cases.permissions import incident_for, parse_number

FILTERS = ("incident", "instance", "state")
LINK_STATES = {**{word: Q(state=word) for word in LinkState.values}, "any": Q()}
CONFLICT_STATES = {"open": Q(outcome=""), "decided": ~Q(outcome=""), "any": Q()}


def filtered(request: Request, rows: Any, states: dict[str, Q], default: Q, at: str = "") -> Any:
    """The rows that the filters let through; ``at`` leads to the link. Raises ValidationError."""
    paging.check_params(request, (*FILTERS, "ordering"))
    given = request.query_params
    if number := given.get("incident"):
        try:
            rows = rows.filter(**{f"{at}incident": parse_number(number, "INC")})
        except Missing:
            rows = rows.none()
    if slug := given.get("instance"):
        rows = rows.filter(**{f"{at}instance__slug": slug})
    wanted = [word for word in given.get("state", "").split(",") if word]
    if unknown := [word for word in wanted if word not in states]:
        raise ValidationError(
            {
                "state": [
                    _("%(unknown)s is not one of: %(states)s.")
                    % {"unknown": repr(unknown[0][:40]), "states": ", ".join(states)}
                ]
            }
        )
    condition = states[wanted[0]] if wanted else default
    for word in wanted[1:]:
        condition = condition | states[word] if condition and states[word] else Q()
    return rows.filter(condition)


def _listing(summary: str, shape: documented.Shape, filters: Iterable[str] = FILTERS) -> dict[str, Any]:
    return documented.listing(summary, shape, params=[*filters, documented.ordering(paging.BY_ID)])


class TicketLinks(ApiViewSet):
    """``/servicenow/links/`` and ``/incidents/{id}/servicenow/``."""

    reads = "view_cases"

    @extend_schema(**_listing("List links with ServiceNow tickets", shapes.LINK_PAGE))
    def list(self, request: Request) -> Response:
        """Of incidents that you may see, newest first. `state`: creating, linked, broken, ended, any; without it all
        that are not ended."""
        rows = filtered(request, links_seen(self.user), LINK_STATES, ~Q(state=LinkState.ENDED))
        found = paging.page(request, with_figures(rows), paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [link_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a link", shapes.TicketLink))
    def retrieve(self, request: Request, id: str) -> Response:
        """With what waits to be sent and what hinders it."""
        return read_facts(request, self._link(whole(id)))

    @extend_schema(**documented.remove("Unlink a ticket"))
    def destroy(self, request: Request, id: str) -> Response:
        """Both sides stay as they are, and each goes its own way. What waits is let go."""
        pk = self._link(whole(id))["id"]
        rows = TicketLink.objects.filter(pk=pk)
        as_read(request, rows, lambda row: self._link(row.pk), lambda: actions.unlink(self.actor, pk))
        return Response(status=204)

    @extend_schema(
        **documented.verb("Sync a link now", shapes.Nothing, shapes.TicketLink, tagged=False, keyed=False, code=202)
    )
    def sync(self, request: Request, id: str) -> Response:
        """202: a worker compares both sides and brings them into agreement. 409 for a link that is broken or ended."""
        self.body(shapes.Nothing)
        return Response(self._link(sync_link(self.actor, whole(id)).pk), status=202)

    @extend_schema(**documented.create("Link another ticket", shapes.OtherTicket, shapes.TicketLink, tagged=False))
    def relink(self, request: Request, id: str) -> Response:
        """In the place of a link that is broken; 409 for one that works."""
        number = self.body(shapes.OtherTicket)["number"]
        return self.once(lambda: self._made(actions.relink(self.actor, whole(id), number).pk))

    @extend_schema(**documented.create("Make the ticket again", shapes.Nothing, shapes.TicketLink, tagged=False))
    def recreate(self, request: Request, id: str) -> Response:
        """In the place of a link that is broken; 409 for one that works."""
        self.body(shapes.Nothing)
        return self.once(lambda: self._made(actions.recreate(self.actor, whole(id)).pk))

    @extend_schema(
        **_listing("List an incident's tickets", shapes.LINK_PAGE, ()), operation_id="incidents_servicenow_list"
    )
    def of_incident(self, request: Request, id: str) -> Response:
        """Also those that were unlinked."""
        incident = incident_for(self.user, id)
        paging.check_params(request, ("ordering",))
        rows = with_figures(links_seen(self.user).filter(incident=incident))
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [link_dict(row) for row in found.rows]))

    @extend_schema(
        **documented.create("Send an incident to ServiceNow", shapes.NewTicket, shapes.TicketLink, tagged=False),
        operation_id="incidents_servicenow_create",
    )
    def make(self, request: Request, id: str) -> Response:
        """A worker makes the ticket, or finds the one with `number`. 200 with the link that there is already: an
        incident has one ticket for each instance and table. 409 if `number` is another one."""
        given = self.body(shapes.NewTicket)

        def run() -> Response:
            link, made = ticket_of(self.actor, id, given["profile"], given.get("number", ""))
            return self._made(link.pk) if made else Response(self._link(link.pk))

        return self.once(run)

    def _link(self, pk: int) -> dict[str, Any]:
        row = with_figures(links_seen(self.user)).filter(pk=pk).first()
        if row is None:
            raise Missing(_("There is no such link to ServiceNow."))
        return link_dict(row)

    def _made(self, pk: int) -> Response:
        return Response(self._link(pk), status=201, headers={"Location": f"/api/v1/servicenow/links/{pk}/"})


class TicketConflicts(ApiViewSet):
    """``/servicenow/conflicts/``."""

    reads = "view_cases"

    @extend_schema(**_listing("List conflicts with ServiceNow", shapes.CONFLICT_PAGE))
    def list(self, request: Request) -> Response:
        """Fields that both sides changed, of incidents that you may see. `state`: open, decided, any; without it those
        that wait for somebody."""
        rows = filtered(request, self._seen(), CONFLICT_STATES, Q(outcome=""), "link__")
        if request.query_params.get("state", "open") == "open":
            rows = open_conflicts(rows)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [conflict_dict(row) for row in found.rows]))

    @extend_schema(**documented.read("Read a conflict", shapes.TicketConflict, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With both values, and what they were when the sides last agreed."""
        return Response(self._conflict(whole(id)))

    @extend_schema(**documented.verb("Resolve a conflict", shapes.Verdict, shapes.TicketConflict, tagged=False))
    def resolve(self, request: Request, id: str) -> Response:
        """`ours` is sent to ServiceNow, `theirs` is taken from there. 409 if it was resolved the other way."""
        side = self.body(shapes.Verdict)["take"]
        return self.once(lambda: Response(self._conflict(actions.decide(self.actor, whole(id), side).pk)))

    def _seen(self) -> Any:
        return conflicts_seen(self.user).select_related("link", "decided_by")

    def _conflict(self, pk: int) -> dict[str, Any]:
        row: TicketConflict | None = self._seen().filter(pk=pk).first()
        if row is None:
            raise Missing(_("There is no such conflict."))
        return conflict_dict(row)


class TicketFailures(ApiViewSet):
    """``/servicenow/failures/``."""

    reads = "view_cases"

    @extend_schema(**_listing("List what could not be sent to ServiceNow", shapes.CHANGE_PAGE, FILTERS[:2]))
    def list(self, request: Request) -> Response:
        """Changes that wait for a person, in ServiceNow's own words. Those behind them wait too."""
        rows = filtered(request, failed(self._seen()), {}, Q(), "link__")
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, [change_dict(row) for row in found.rows]))

    @extend_schema(**documented.verb("Send a change again", shapes.Nothing, shapes.TicketChange, tagged=False))
    def retry(self, request: Request, id: str) -> Response:
        """Now, whatever it waits for."""
        self.body(shapes.Nothing)
        return self._done(lambda: actions.retry(self.actor, whole(id)))

    @extend_schema(**documented.verb("Let a change go", shapes.Reason, shapes.TicketChange, tagged=False))
    def skip(self, request: Request, id: str) -> Response:
        """It is never sent, and those behind it go on."""
        reason = self.body(shapes.Reason)["reason"]
        return self._done(lambda: actions.skip(self.actor, whole(id), reason))

    @extend_schema(
        **documented.verb("Send all changes again", shapes.Those, shapes.Settled, tagged=False),
        operation_id="servicenow_failures_retry_all",
    )
    def retry_all(self, request: Request) -> Response:
        """At most 500 in one call: repeat it until `left` stays the same."""
        given = self.body(shapes.Those)
        return self._settled(given, lambda: actions.retry_all(self.actor, **given))

    @extend_schema(
        **documented.verb("Let all changes go", shapes.ThoseWithReason, shapes.Settled, tagged=False),
        operation_id="servicenow_failures_skip_all",
    )
    def skip_all(self, request: Request) -> Response:
        """At most 500 in one call. What makes a ticket cannot be skipped: unlink its incident instead."""
        given = self.body(shapes.ThoseWithReason)
        reason = given.pop("reason")
        return self._settled(given, lambda: actions.skip_all(self.actor, reason, **given))

    def _settled(self, given: dict[str, Any], act: Callable[[], int]) -> Response:
        def run() -> Response:
            done = act()
            return Response({"done": done, "left": actions.failures_of(self.user, **given).count()})

        return self.once(run)

    def _seen(self) -> Any:
        return changes_seen(self.user).select_related("link__instance", "evidence")

    def _done(self, act: Callable[[], TicketChange]) -> Response:
        return self.once(lambda: Response(change_dict(self._seen().get(pk=act().pk))))
