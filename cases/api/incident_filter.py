"""The filters of the list of incidents, by the names of its URL: those of the page (``cases.incident_filters``), but
``status=open`` is all that is still work, as it is for alerts, and ``q`` is looked for as it stands."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.choices import IncidentStatus
from cases.custom_fields import filtering as custom
from cases.filters import FilterError
from cases.incident_filters import FIELDS, Condition
from cases.models import Incident
from cases.query_text import values_of
from soar.accounts.models import User


def filtered(request: Request, rows: QuerySet[Incident], user: User) -> QuerySet[Incident]:
    """The rows that all filters of the query string let through. Raises ValidationError beside the parameter."""
    errors: dict[str, list[str]] = {}
    for name, condition in {**FILTERS, **_custom(request)}.items():
        values = [part for value in request.query_params.getlist(name) for part in _parts(name, value)]
        try:
            wanted = [condition("", value, user) for value in values]
        except (FilterError, ValueError) as error:
            errors[name] = [str(error)]
            continue
        if wanted:
            rows = rows.filter(_any(wanted))
    if errors:
        raise ValidationError(errors)
    return rows


def named(request: Request) -> list[str]:
    """The filters of custom fields that the query string names."""
    return custom.names_in(request.query_params)


def _custom(request: Request) -> dict[str, Condition]:
    return {name: lambda op, value, user, name=name: custom.condition(name, op, value) for name in named(request)}  # type: ignore[misc]


def _parts(name: str, value: str) -> list[str]:
    parts = [value] if name == "q" else values_of(value)
    return [part.strip() for part in parts if part.strip()]


def _any(conditions: list[Q]) -> Q:
    result = Q()
    for condition in conditions:
        result |= condition
    return result


def _status(op: str, value: str, user: User) -> Q:
    if value.lower() == "open":
        return Q(status__lt=IncidentStatus.RESOLVED)
    return FIELDS["status"](op, value, user)


def _text(op: str, value: str, user: User) -> Q:
    number = value.upper().removeprefix("INC-")
    if number.isascii() and number.isdecimal() and len(number) <= 18:
        return Q(pk=int(number))
    if len(value) < 3:
        raise FilterError(_("Write three letters or more."))
    return Q(title__icontains=value)


FILTERS: dict[str, Condition] = {"q": _text, **FIELDS, "status": _status}
# What the schema says of those that it says something else of elsewhere.
SAID = {
    "q": "A part of the title, three letters or more, or a number.",
    "status": "open (all that is still work), in_progress, contained, resolved, closed, any; several with commas.",
    "is": "As `status`; open is all that is still work, ended the rest.",
    "sla": "How it stands to its targets: breached, at_risk, paused, ok, none, missed, urgent.",
}
