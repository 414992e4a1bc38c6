"""The filters of the list of incidents, by the names of its URL."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.attack.stored import catalog
from cases.choices import Determination, IncidentStatus, Severity, Words
from cases.custom_fields import filtering as custom
from cases.filters import FilterError, moment
from cases.incident_moments import MOMENTS
from cases.models import Incident, IncidentOwner
from cases.query_text import values_of
from cases.sla import states
from soar.accounts.models import User


def filtered(request: Request, rows: QuerySet[Incident], user: User) -> QuerySet[Incident]:
    """The rows that all filters of the query string let through. Raises ValidationError beside the parameter."""
    errors: dict[str, list[str]] = {}
    for name, condition in {**FILTERS, **_custom(request)}.items():
        values = [part for value in request.query_params.getlist(name) for part in _parts(name, value)]
        try:
            wanted = [condition(value, user) for value in values]
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


def _custom(request: Request) -> dict[str, Callable[[str, User], Q]]:
    return {name: lambda value, user, name=name: custom.condition(name, "", value) for name in named(request)}  # type: ignore[misc]


def _parts(name: str, value: str) -> list[str]:
    parts = [value] if name == "q" else values_of(value)
    return [part.strip() for part in parts if part.strip()]


def _any(conditions: list[Q]) -> Q:
    result = Q()
    for condition in conditions:
        result |= condition
    return result


def _word(column: str, choices: type[Words]) -> Callable[[str, User], Q]:
    return lambda value, user: Q(**{column: choices.from_word(value)})


def _status(value: str, user: User) -> Q:
    if value.lower() == "open":
        return Q(status__lt=IncidentStatus.RESOLVED)
    if value.lower() == "any":
        return Q(pk__isnull=False)
    return Q(status=IncidentStatus.from_word(value))


def _owner(value: str, user: User) -> Q:
    rows = IncidentOwner.objects.filter(incident=OuterRef("pk"))
    if value.lower() == "none":
        return ~Q(Exists(rows))
    name = user.username if value.lower() == "me" else value
    return Q(Exists(rows.filter(user__username=name)))


def _text(value: str, user: User) -> Q:
    number = value.upper().removeprefix("INC-")
    if number.isascii() and number.isdecimal() and len(number) <= 18:
        return Q(pk=int(number))
    if len(value) < 3:
        raise FilterError(_("Write three letters or more."))
    return Q(title__icontains=value)


def _sla(value: str, user: User) -> Q:
    if value.lower() not in states.WORDS:
        raise FilterError(_("One of %(words)s.") % {"words": ", ".join(states.WORDS)})
    return states.condition(value.lower())


def _at(condition: Callable[[str], Q]) -> Callable[[str, User], Q]:
    return lambda value, user: condition(value)


FILTERS: dict[str, Callable[[str, User], Q]] = {
    "q": _text,
    "status": _status,
    "severity": _word("severity", Severity),
    "determination": _word("determination", Determination),
    "owner": _owner,
    "team": lambda value, user: Q(team=None) if value.lower() == "none" else Q(team__name__iexact=value),
    "tag": lambda value, user: Q(tags__contains=[value.lower()]),
    "technique": lambda value, user: Q(techniques__overlap=catalog().family(value)),
    "sla": _sla,
    "updated_since": lambda value, user: Q(updated_at__gte=moment(value)),
    **{name: _at(condition) for name, condition in MOMENTS.items()},
}
