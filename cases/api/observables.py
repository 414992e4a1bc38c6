"""Observables and where they were seen."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import ratings
from cases.api import bodies, documented, paging, shapes
from cases.api.base import ApiViewSet, whole
from cases.api.representation import observable_dict, observable_dicts
from cases.choices import OBSERVABLE_TYPES, AlertStatus, IncidentStatus, Risk, Severity
from cases.digests import value_digest
from cases.ingest.iocs import guess_type, normalise_observable
from cases.models import Alert, AlertObservable, Incident, IncidentObservable, Observable
from cases.restricted_views import note_rows
from soar.accounts.models import User
from soar.lib.clock import iso

SIGHTINGS = 100
FILTERS = ("type", "value", "risk")


class Observables(ApiViewSet):
    """``/observables/``."""

    reads = "view_cases"

    @extend_schema(
        **documented.listing(
            "List observables", shapes.OBSERVABLE_PAGE, params=[*FILTERS, documented.ordering(paging.BY_ID)]
        )
    )
    def list(self, request: Request) -> Response:
        """Those of an alert or incident that you may see. `value` finds the normal form of what is given."""
        paging.check_params(request, (*FILTERS, "ordering"))
        rows = _filtered(request, Observable.objects.visible_to(self.user))
        found = paging.page(request, rows, paging.order_of(request, paging.BY_ID))
        return Response(paging.paged(request, found, observable_dicts(self.user, found.rows)))

    @extend_schema(**documented.read("Read an observable", shapes.ObservableDetail, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """With the newest hundred alerts and incidents that have it and that you may see."""
        row = Observable.objects.visible_to(self.user).filter(pk=whole(id)).first()
        if row is None:
            raise NotFound
        return Response({**observable_dict(self.user, row), "sightings": _sightings(self.user, row)})

    @extend_schema(
        **documented.verb("Have an observable rated again", bodies.Nothing, shapes.Observable, tagged=False, code=202)
    )
    def rate(self, request: Request, id: str) -> Response:
        """A worker asks the lists and providers; 202. One that is under way goes on."""
        self.body(bodies.Nothing)
        pk = whole(id)

        def run() -> Response:
            ratings.request_rating(self.user, pk)
            return Response(observable_dict(self.user, Observable.objects.get(pk=pk)), status=202)

        return self.once(run)


def _filtered(request: Request, rows: QuerySet[Observable]) -> QuerySet[Observable]:
    type_, value, risk = (request.query_params.get(name, "") for name in FILTERS)
    if type_:
        if type_ not in OBSERVABLE_TYPES:
            raise ValidationError(
                {"type": [_("One of: %(observable_types)s.") % {"observable_types": ", ".join(OBSERVABLE_TYPES)}]}
            )
        rows = rows.filter(type=type_)
    if value:
        rows = rows.filter(digest__in=[value_digest(form) for form in _forms(type_, value)])
    if risk:
        if risk not in Risk.words():
            raise ValidationError({"risk": [_("One of: %(words)s.") % {"words": ", ".join(Risk.words())}]})
        rows = rows.filter(risk=Risk.from_word(risk))
    return rows


def _forms(type_: str, value: str) -> set[str]:
    """The value as given and in its normal form."""
    forms = {value, value.lower()}
    if kind := type_ or guess_type(value):
        try:
            forms.add(normalise_observable(kind, value))
        except ValueError as error:
            if type_:
                raise ValidationError({"value": [str(error)]}) from error
    return forms


def _sightings(user: User, row: Observable) -> dict[str, list[dict[str, Any]]]:
    links = AlertObservable.objects.filter(observable=row)
    visible = Alert.objects.visible_to(user).filter(pk=OuterRef("alert"))
    newest = links.filter(Exists(visible)).select_related("alert").order_by("-alert_id")[:SIGHTINGS]
    inside = Exists(AlertObservable.objects.filter(observable=row, alert__incident=OuterRef("pk")))
    own = Exists(IncidentObservable.objects.filter(observable=row, incident=OuterRef("pk")))
    incidents = Incident.objects.visible_to(user).filter(Q(inside) | Q(own)).order_by("-pk")[:SIGHTINGS]
    note_rows(user, [*(link.alert for link in newest), *incidents])
    return {
        "alerts": [_alert(link.alert, link.role) for link in newest],
        "incidents": [_incident(incident) for incident in incidents],
    }


def _alert(alert: Alert, role: str) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "number": alert.number,
        "title": alert.title,
        "severity": Severity(alert.severity).word,
        "status": AlertStatus(alert.status).word,
        "role": role,
        "occurred_at": iso(alert.occurred_at),
    }


def _incident(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.pk,
        "number": incident.number,
        "title": incident.title,
        "severity": Severity(incident.severity).word,
        "status": IncidentStatus(incident.status).word,
    }
