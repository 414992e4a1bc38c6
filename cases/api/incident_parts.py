"""What belongs to an incident: its joined timeline, alerts and observables; and suggestions for new ones."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Count
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import observables
from cases.actions import suggestions as decisions
from cases.actions.events import record_event
from cases.api import bodies, documented, paging, shapes
from cases.api.alerts import expanded, with_columns
from cases.api.base import ApiViewSet, guarded, tagged, whole
from cases.api.representation import alert_rows, incident_dict, observable_dict, observable_dicts
from cases.api.timeline import timeline_page, written
from cases.models import Alert, AlertObservable, Incident, IncidentObservable, Observable
from cases.permissions import incident_for, parse_number
from cases.restricted_views import note_rows
from cases.suggestions import Suggestion, suggestions
from cases.timeline_read import entries_of_incident
from cases.verify import report_of_incident
from soar.accounts.models import User
from soar.lib.clock import iso


class IncidentParts(ApiViewSet):
    """``/incidents/{id}/timeline/ alerts/ observables/``."""

    reads = "view_cases"

    @extend_schema(**documented.entries("Read an incident's timeline"))
    def timeline(self, request: Request, id: str) -> Response:
        """Its own entries joined by those of its alerts, newest first; `ordering=id` turns it round, `occurred_at` is
        when it happened."""
        return timeline_page(request, self.user, entries_of_incident(incident_for(self.user, id)))

    @extend_schema(**documented.create("Add an event to an incident's timeline", bodies.NewEvent, shapes.WrittenEntry))
    def add_event(self, request: Request, id: str) -> Response:
        """Something that happened at another time; in Markdown, `@name` tells somebody. 400 for the future."""
        given = self.body(bodies.NewEvent)
        pk = parse_number(id, "INC")

        def run() -> Response:
            entry = guarded(request, Incident, pk, 0, lambda: record_event(self.actor, id, **given))
            return written(self.user, incident_for(self.user, id), entry)

        return self.once(run)

    @extend_schema(
        **documented.listing(
            "List an incident's alerts",
            shapes.ALERT_PAGE,
            params=["expand", documented.ordering(paging.BY_ID)],
        )
    )
    def alerts(self, request: Request, id: str) -> Response:
        """All its alerts, of whatever team (rulings 21)."""
        incident = incident_for(self.user, id)
        paging.check_params(request, ("ordering", "expand"))
        expand = expanded(request)
        rows = with_columns(Alert.objects.filter(incident=incident), expand)
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, alert_rows(self.user, found.rows, expand)))

    @extend_schema(
        **documented.listing(
            "List an incident's observables",
            shapes.INCIDENT_OBSERVABLE_PAGE,
            params=[documented.ordering(paging.BY_ID)],
        )
    )
    def observables(self, request: Request, id: str) -> Response:
        """Those put on the incident itself and those of its alerts."""
        incident = incident_for(self.user, id)
        paging.check_params(request, ("ordering",))
        own = IncidentObservable.objects.filter(incident=incident).values("observable")
        theirs = AlertObservable.objects.filter(alert__incident=incident).values("observable")
        # One list of ids: of two conditions with "or" between them the database asks each observable that there is.
        rows = Observable.objects.filter(pk__in=own.union(theirs))
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, _of_incident(self.user, incident, found.rows)))

    @extend_schema(**documented.create("Put an observable on an incident", bodies.NewObservable, shapes.Observable))
    def add_observable(self, request: Request, id: str) -> Response:
        """One that is there already changes nothing."""
        given = self.body(bodies.NewObservable)
        pk = parse_number(id, "INC")

        def run() -> Response:
            made = guarded(
                request,
                Incident,
                pk,
                1,
                lambda: observables.add_to_incident(self.actor, id, given["type"], given["value"]),
            )
            return Response(observable_dict(self.user, made), status=201)

        return self.once(run)

    @extend_schema(**documented.remove("Take an observable off an incident"))
    def remove_observable(self, request: Request, id: str, observable: str) -> Response:
        """Its alerts keep theirs. 404 if it was not put on the incident itself."""
        pk = parse_number(id, "INC")
        row = whole(observable)
        guarded(request, Incident, pk, 1, lambda: observables.remove_from_incident(self.actor, id, row))
        return Response(status=204)

    @extend_schema(**documented.read("Verify an incident's timeline", shapes.Verified, tagged=False))
    def verify(self, request: Request, id: str) -> Response:
        """Reads the chain of the incident and those of its alerts; `findings` is empty where every one is whole."""
        report = report_of_incident(incident_for(self.user, id))
        findings = [{"subject": one.subject, "entry": one.entry or None, "text": one.text} for one in report.findings]
        return Response({"subjects": report.subjects, "entries": report.entries, "findings": findings})


class SuggestionsApi(ApiViewSet):
    """``/incidents/suggestions/``."""

    reads = "view_cases"

    @extend_schema(**documented.whole_list("List suggestions", shapes.Suggestions))
    def list(self, request: Request) -> Response:
        """Open alerts that belong together, and why, best first."""
        found = suggestions(self.user)
        note_rows(self.user, [one.incident for one in found if one.incident])
        rows = [_suggestion(one) for one in found]
        return Response({"next": None, "previous": None, "results": rows})

    @extend_schema(**documented.create("Accept a suggestion", bodies.AcceptSuggestion, shapes.Incident, tagged=False))
    def accept(self, request: Request, key: str) -> Response:
        """Opens an incident from the alerts, or adds them to the one given; 201 in both cases, with the incident."""
        given = self.body(bodies.AcceptSuggestion)

        def run() -> Response:
            with transaction.atomic():
                return tagged(incident_dict(decisions.accept(self.actor, key, **given)), 201)

        return self.once(run)

    @extend_schema(**documented.verb("Dismiss a suggestion", bodies.Nothing, shapes.Dismissed, tagged=False))
    def dismiss(self, request: Request, key: str) -> Response:
        """Not related: it does not come again until newer alerts share the value."""
        self.body(bodies.Nothing)

        def run() -> Response:
            decisions.dismiss(self.actor, key)
            return Response({"key": key, "dismissed": True})

        return self.once(run)


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "key": one.key,
        "title": one.title,
        "alerts": [alert.pk for alert in one.alerts],
        "incident": one.incident.number if one.incident else None,
        "reasons": [{"type": why.type, "value": why.value, "text": why.text} for why in one.reasons],
        "score": round(one.score, 2),
    }


def _of_incident(user: User, incident: Incident, rows: list[Observable]) -> list[dict[str, Any]]:
    """The observables with how many of the incident's alerts name them and who put them there."""
    links = AlertObservable.objects.filter(alert__incident=incident, observable__in=rows).order_by()
    counts = dict(links.values_list("observable").annotate(n=Count("pk")))
    own = {row.observable_id: row for row in IncidentObservable.objects.filter(incident=incident, observable__in=rows)}
    return [
        {
            **told,
            "alerts": counts.get(row.pk, 0),
            "added_by": own[row.pk].added_by if row.pk in own else None,
            "added_at": iso(own[row.pk].added_at) if row.pk in own else None,
        }
        for row, told in zip(rows, observable_dicts(user, rows), strict=True)
    ]
