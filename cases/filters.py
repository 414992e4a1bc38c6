"""Query string <-> queryset <-> chips. Page, bulk, saved views and API share it (casework.md 2)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from cases import query_text
from cases.choices import AlertStatus, Determination, Severity, Tlp, Words
from cases.digests import value_digest
from cases.ingest.iocs import guess_type, normalise_observable
from cases.models import Alert, AlertObservable, AlertSource, Incident, Observable
from cases.query_text import Token
from soar.accounts.models import Team, User

OBSERVABLE_HITS = 2000
VALUE_AT_MOST = 500


class FilterError(ValueError):
    """A value that a filter does not take; the message is for people."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on: its label, its value, and the query string without it."""

    label: str
    value: str
    remove: str


@dataclass
class AlertFilter:
    """A parsed filter. ``errors`` holds what could not be read: the page shows it, the API refuses it."""

    params: dict[str, list[str]]
    tokens: list[Token]
    errors: list[str] = field(default_factory=list)
    default_open: bool = False

    @classmethod
    def parse(cls, params: QueryDict | Mapping[str, str | list[str]], *, default_open: bool = False) -> AlertFilter:
        """From a query string or a mapping. With ``default_open``, resolved alerts are left out unless a
        status is asked for."""
        pairs = params.lists() if isinstance(params, QueryDict) else params.items()
        known = {}
        for name, values in pairs:
            listed = [values] if isinstance(values, str) else list(values)
            clean = [str(value).replace("\x00", "")[:VALUE_AT_MOST] for value in listed if str(value)]
            if name in FIELDS and clean:
                known[name] = [part for value in clean for part in value.split(",") if part]
            elif name == "q" and clean:
                known["q"] = clean[:1]
        tokens = query_text.parse(known.get("q", [""])[0], frozenset(FIELDS))
        return cls(known, tokens, default_open=default_open)

    @property
    def text(self) -> str:
        """What stands in the query box."""
        return self.params.get("q", [""])[0]

    def apply(self, rows: QuerySet[Alert], user: User | None = None) -> QuerySet[Alert]:
        """The rows that match. ``me`` needs the user. Values that cannot be read go to ``errors``."""
        for name, values in self.params.items():
            if name != "q":
                rows = self._filter(rows, name, "", values, False, user)
        for token in self.tokens:
            rows = self._token(rows, token, user)
        if self.default_open and not self.names_status():
            rows = rows.filter(status__lt=AlertStatus.RESOLVED)
        return rows

    def chips(self) -> list[Chip]:
        """The filters that are on, each with the query string that takes it off."""
        chips = [
            Chip(LABELS.get(name, name), ", ".join(values), self.query_string(without=name))
            for name, values in self.params.items()
            if name != "q"
        ]
        for token in self.tokens:
            label = LABELS.get(token.field, token.field) if token.field else "Text"
            rest = query_text.without(self.text, token)
            shown = f"{token.op} {token.value}".strip()
            chips.append(Chip(f"Not {label.lower()}" if token.negated else label, shown, self.query_string(q=rest)))
        return chips

    def query_string(self, without: str = "", **replace: str) -> str:
        """The filter as a query string, without one parameter or with others in its place."""
        pairs = {name: values for name, values in self.params.items() if name != without}
        pairs |= {name: [value] for name, value in replace.items()}
        flat = [(name, ",".join(v)) if name != "q" else (name, v[0]) for name, v in pairs.items()]
        return urlencode([(name, value) for name, value in flat if value])

    def names_status(self) -> bool:
        """Whether a status is asked for, in the query box or by parameter."""
        return "status" in self.params or any(token.field in ("status", "is") for token in self.tokens)

    def _token(self, rows: QuerySet[Alert], token: Token, user: User | None) -> QuerySet[Alert]:
        if token.field:
            return self._filter(rows, token.field, token.op, token.value.split(","), token.negated, user)
        try:
            condition = _word(token.value)
        except FilterError as error:
            self._wrong(error)
            return rows
        return rows.filter(~condition if token.negated else condition)

    def _wrong(self, error: FilterError) -> None:
        if str(error) not in self.errors:
            self.errors.append(str(error))

    def _filter(
        self, rows: QuerySet[Alert], name: str, op: str, values: list[str], negated: bool, user: User | None
    ) -> QuerySet[Alert]:
        try:
            conditions = [FIELDS[name](op, value.strip(), user) for value in values]
        except FilterError as error:
            self._wrong(error)
            return rows
        condition = _any(conditions)
        return rows.filter(~condition if negated else condition)


def _any(conditions: Iterable[Q]) -> Q:
    result = Q()
    for condition in conditions:
        result |= condition
    return result


def _choice(column: str, choices: type[Words]) -> Callable[[str, str, User | None], Q]:
    suffix = {"": "", ">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}

    def condition(op: str, value: str, user: User | None) -> Q:
        try:
            return Q(**{column + suffix[op]: choices.from_word(value)})
        except ValueError as error:
            raise FilterError(f"{column}: {error}") from error

    return condition


def _status(op: str, value: str, user: User | None) -> Q:
    if value.lower() == "open":
        return Q(status__lt=AlertStatus.RESOLVED)
    if value.lower() in ("any", "all"):
        return Q()
    return _choice("status", AlertStatus)(op, value, user)


def _owner(op: str, value: str, user: User | None) -> Q:
    if value.lower() in ("none", "nobody"):
        return Q(owner=None)
    if value.lower() == "me" and user is not None:
        return Q(owner=user)
    return Q(owner__in=list(User.objects.filter(username=value).values_list("pk", flat=True)))


def _team(op: str, value: str, user: User | None) -> Q:
    if value.lower() == "none":
        return Q(team=None)
    # Ids first, here and below: with a join the planner no longer walks the index of the order.
    return Q(team__in=list(Team.objects.filter(name__iexact=value).values_list("pk", flat=True)))


def _source(op: str, value: str, user: User | None) -> Q:
    return Q(source__in=list(AlertSource.objects.filter(slug=value.lower()).values_list("pk", flat=True)))


def _incident(op: str, value: str, user: User | None) -> Q:
    if value.lower() in ("none", "no", "any", "yes"):
        return Q(incident__isnull=value.lower() in ("none", "no"))
    number = value.upper().removeprefix("INC-")
    if not number.isdecimal() or len(number) > 18:
        raise FilterError("incident: give a number like INC-42, any or none.")
    rows = Incident.objects.filter(pk=int(number))
    if user is not None:  # the list must not tell what is in an incident that the person does not see (access.md 4)
        rows = rows.visible_to(user)
    return Q(incident__in=list(rows.values_list("pk", flat=True)))


def _tlp(op: str, value: str, user: User | None) -> Q:
    wanted = value.lower().removeprefix("tlp:")
    if wanted not in Tlp.values:
        raise FilterError(f"tlp: one of {', '.join(Tlp.values)}.")
    return Q(tlp=wanted)


def _like(column: str) -> Callable[[str, str, User | None], Q]:
    """Whole value, without regard to case; with a star at an end, a part of it."""

    def condition(op: str, value: str, user: User | None) -> Q:
        if value.endswith("*") and len(value) > 1:
            return Q(**{f"{column}__istartswith": value[:-1]})
        return (
            Q(**{f"{column}__iexact": value})
            if column == "detection_model"
            else Q(**{f"{column}__in": [*{value, value.lower(), value.upper()}]})
        )

    return condition


def _time(column: str, default_op: str) -> Callable[[str, str, User | None], Q]:
    suffix = {">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}

    def condition(op: str, value: str, user: User | None) -> Q:
        return Q(**{column + suffix[op or default_op]: moment(value)})

    return condition


def _resolved(value: str) -> Q:
    """Resolved since then. A row changes when it is resolved, and the time of change has an index."""
    since = moment(value)
    return Q(resolved_at__gte=since, updated_at__gte=since)


def moment(value: str) -> datetime:
    """A time: ISO 8601, a date, ``today``, or ``24h``, ``7d``, ``30m`` before now. Raises FilterError."""
    if value.lower() == "today":
        return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    unit = {"m": "minutes", "h": "hours", "d": "days"}.get(value[-1:])
    if unit and value[:-1].isdecimal() and len(value) < 7:
        return timezone.now() - timedelta(**{unit: int(value[:-1])})
    try:
        # A plus sign in a query string arrives as a blank.
        found = parse_datetime(value.replace(" ", "+") if "T" in value else value)
        day = None if found else parse_date(value)
    except ValueError as error:
        raise FilterError(f"{value!s:.40} is no date or time: {error}") from error
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day, tzinfo=timezone.get_current_timezone())
    if found is None:
        raise FilterError(f"{value!s:.40} is no date or time. Write 2026-03-12T09:00:00Z, 2026-03-12 or 24h.")
    try:
        # In UTC: the database takes no zone further than 16 hours from it.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError as error:
        raise FilterError(f"{value!s:.40} is before or after all time.") from error


def _observable(op: str, value: str, user: User | None) -> Q:
    return Q(pk__in=_alerts_naming(value))


def _alerts_naming(value: str) -> list[int]:
    """Ids of the newest alerts that name an observable. Fetched first: joined with OR to a text search it
    would make the planner read the whole table."""
    forms = {value, value.lower()}
    if type_ := guess_type(value):
        with contextlib.suppress(ValueError):
            forms.add(normalise_observable(type_, value))
    found = Observable.objects.filter(digest__in=[value_digest(form) for form in forms])
    links = AlertObservable.objects.filter(observable__in=list(found.values_list("pk", flat=True)))
    return list(links.order_by("-alert_id").values_list("alert_id", flat=True)[:OBSERVABLE_HITS])


def _word(value: str) -> Q:
    number = value.upper().removeprefix("ALR-")
    if number.isdecimal() and len(number) <= 18 and (value.upper() != number or len(number) < 10):
        by_number = Q(pk=int(number))
        if value.upper() != number:
            return by_number
    else:
        by_number = Q(pk__in=[])
    if len(value) < 3:
        if number.isdecimal():
            return by_number
        raise FilterError(f"“{value}” is too short to look for: write three letters or more.")
    condition = Q(search__contains=value.lower()) | by_number
    if guess_type(value):
        condition |= Q(pk__in=_alerts_naming(value))
    return condition


Condition = Callable[[str, str, User | None], Q]
FIELDS: dict[str, Condition] = {
    "status": _status,
    "is": _status,
    "severity": _choice("severity", Severity),
    "determination": _choice("determination", Determination),
    "owner": _owner,
    "team": _team,
    "source": _source,
    "model": _like("detection_model"),
    "tag": lambda op, value, user: Q(tags__contains=[value.lower()]),
    "host": _like("hostname"),
    "user": _like("username"),
    "ip": lambda op, value, user: Q(source_ip=value.lower()),
    "observable": _observable,
    "technique": lambda op, value, user: Q(techniques__contains=[value.upper()]),
    "tlp": _tlp,
    "incident": _incident,
    "has_incident": _incident,
    "received": _time("received_at", ">="),
    "since": _time("received_at", ">="),
    "until": _time("received_at", "<="),
    "updated_since": _time("updated_at", ">="),
    "resolved": lambda op, value, user: _resolved(value),
}
LABELS = {
    "is": "Status", "status": "Status", "severity": "Severity", "determination": "Determination",
    "owner": "Owner", "team": "Team", "source": "Source", "model": "Model", "tag": "Tag", "host": "Host",
    "user": "User", "ip": "Address", "observable": "Observable", "technique": "Technique", "tlp": "TLP",
    "incident": "Incident", "has_incident": "Incident", "received": "Received", "since": "Since",
    "until": "Until", "updated_since": "Changed since", "resolved": "Resolved since",
}  # fmt: skip
