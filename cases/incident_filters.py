"""Query string <-> incidents <-> chips: the filters of the page, of grants on many, of what is hidden;
the API takes their conditions (``cases.api.incident_filter``; casework.md 6, contract)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import query_text
from cases.attack.stored import catalog
from cases.choices import Determination, IncidentStatus, Severity, Tlp, Words
from cases.custom_fields import filtering as custom
from cases.filters import Chip, FilterError, moment
from cases.incident_moments import MOMENTS
from cases.models import Incident, IncidentOwner
from cases.query_text import Token
from cases.sla.states import WORDS, condition
from soar.accounts.models import User

VALUE_AT_MOST = 500
Condition = Callable[[str, str, User], Q]


@dataclass
class IncidentFilter:
    """A parsed filter. ``errors`` holds what could not be read: the page shows it, the API refuses it."""

    params: dict[str, list[str]]
    tokens: list[Token]
    errors: list[str] = field(default_factory=list)

    @classmethod
    def parse(cls, params: QueryDict | Mapping[str, str | list[str]]) -> IncidentFilter:
        """From a query string or a mapping; names it does not know are left to others."""
        pairs = params.lists() if isinstance(params, QueryDict) else params.items()
        known: dict[str, list[str]] = {}
        for name, values in pairs:
            listed = [values] if isinstance(values, str) else list(values)
            clean = [str(value).replace("\x00", "")[:VALUE_AT_MOST] for value in listed if str(value).strip()]
            if name in NAMES and clean:
                known[name] = [part for value in clean for part in query_text.values_of(value)]
            elif name == "q" and clean:
                known["q"] = clean[:1]
        return cls(known, query_text.parse(known.get("q", [""])[0], NAMES))

    @property
    def text(self) -> str:
        """What stands in the query box."""
        return self.params.get("q", [""])[0]

    @property
    def names_status(self) -> bool:
        """Whether the filter itself says which states it wants."""
        return "status" in self.params or any(token.field in ("status", "is") for token in self.tokens)

    def apply(self, rows: QuerySet[Incident], user: User) -> QuerySet[Incident]:
        """The rows that match. Values that cannot be read go to ``errors``."""
        for name, values in self.params.items():
            if name != "q":
                rows = self._filter(rows, name, "", values, False, user)
        for token in self.tokens:
            values = token.values if token.field else [token.value]
            rows = self._filter(rows, token.field or "text", token.op, values, token.negated, user)
        return rows

    def chips(self) -> list[Chip]:
        """The filters that are on, each with the query string that takes it off."""
        chips = [
            Chip(_label(name), ", ".join(values), self.query_string(without=name))
            for name, values in self.params.items()
            if name != "q"
        ]
        for token in self.tokens:
            label = _label(token.field) if token.field else _("Text")
            rest = self.query_string(q=query_text.without(self.text, token))
            shown = f"{token.op} {token.value}".strip()
            chips.append(Chip(_("Not %(label)s") % {"label": label.lower()} if token.negated else label, shown, rest))
        return chips

    def query_string(self, without: str = "", **replace: str | list[str]) -> str:
        """The filter as a query string, without one parameter or with others in its place."""
        pairs = {name: values for name, values in self.params.items() if name != without}
        pairs |= {name: [value] if isinstance(value, str) else value for name, value in replace.items()}
        flat = [(name, query_text.written(v)) if name != "q" else (name, v[0]) for name, v in pairs.items()]
        return urlencode([(name, value) for name, value in flat if value])

    def _filter(
        self, rows: QuerySet[Incident], name: str, op: str, values: list[str], negated: bool, user: User
    ) -> QuerySet[Incident]:
        condition = Q()
        try:
            for value in values:
                condition |= _condition(name, op, value.strip(), user)
        except FilterError as error:
            self.errors.append(str(error))
            return rows
        return rows.filter(~condition if negated else condition)


def _condition(name: str, op: str, value: str, user: User) -> Q:
    return custom.condition(name, op, value) if custom.is_field(name) else _CONDITIONS[name](op, value, user)


def _label(name: str) -> str:
    return name.removeprefix(custom.PREFIX) if custom.is_field(name) else _(LABELS.get(name, name))


def _choice(column: str, choices: type[Words]) -> Callable[[str, str, User], Q]:
    suffix = {"": "", ">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}

    def condition(op: str, value: str, user: User) -> Q:
        try:
            return Q(**{column + suffix[op]: choices.from_word(value)})
        except ValueError as error:
            raise FilterError(f"{column}: {error}") from error

    return condition


def _status(op: str, value: str, user: User) -> Q:
    # "open" is a state of its own; "is:open" and the tab mean all that is still work.
    if value.lower() in ("any", "all"):
        return Q(pk__isnull=False)
    return _choice("status", IncidentStatus)(op, value, user)


def _is(op: str, value: str, user: User) -> Q:
    if value.lower() in ("open", "ended"):
        ended = Q(status__gte=IncidentStatus.RESOLVED)
        return ended if value.lower() == "ended" else ~ended
    return _status(op, value, user)


def _owner(op: str, value: str, user: User) -> Q:
    rows = IncidentOwner.objects.filter(incident=OuterRef("pk"))
    if value.lower() in ("none", "nobody"):
        return ~Q(Exists(rows))
    if value.lower() == "me":
        return Q(Exists(rows.filter(user=user)))
    return Q(Exists(rows.filter(user__username=value)))


def _team(op: str, value: str, user: User) -> Q:
    return Q(team=None) if value.lower() == "none" else Q(team__name__iexact=value)


def _tlp(op: str, value: str, user: User) -> Q:
    wanted = value.lower().removeprefix("tlp:")
    if wanted not in Tlp.values:
        raise FilterError(_("tlp: one of %(values)s.") % {"values": ", ".join(Tlp.values)})
    return Q(tlp=wanted)


def _sla(op: str, value: str, user: User) -> Q:
    """How it stands to its targets (cases.sla.states)."""
    try:
        return condition(value.lower())
    except KeyError:
        raise FilterError(_("sla: one of %(words)s.") % {"words": ", ".join(WORDS)}) from None


def _updated(op: str, value: str, user: User) -> Q:
    return Q(updated_at__gte=moment(value))


def _at(condition: Callable[[str], Q]) -> Condition:
    return lambda op, value, user: condition(value)


def _text(op: str, value: str, user: User) -> Q:
    """A number, or a part of the title."""
    number = value.upper().removeprefix("INC-")
    if number.isdecimal() and len(number) <= 18:
        by_number = Q(pk=int(number))
        return by_number if value.upper() != number else by_number | Q(title__icontains=value)
    return Q(title__icontains=value)


FIELDS: dict[str, Condition] = {
    "status": _status,
    "is": _is,
    "severity": _choice("severity", Severity),
    "determination": _choice("determination", Determination),
    "owner": _owner,
    "team": _team,
    "tag": lambda op, value, user: Q(tags__contains=[value.lower()]),
    # A technique means its sub-techniques too.
    "technique": lambda op, value, user: Q(techniques__overlap=catalog().family(value)),
    "tlp": _tlp,
    "sla": _sla,
    "updated_since": _updated,
    **{name: _at(condition) for name, condition in MOMENTS.items()},
}
NAMES = custom.Names(FIELDS)
_CONDITIONS: dict[str, Condition] = {**FIELDS, "text": _text}
LABELS = {
    "status": gettext_noop("Status"),
    "is": gettext_noop("Status"),
    "severity": gettext_noop("Severity"),
    "determination": gettext_noop("Determination"),
    "owner": gettext_noop("Owner"),
    "team": gettext_noop("Team"),
    "tag": gettext_noop("Tag"),
    "technique": gettext_noop("Technique"),
    "tlp": gettext_noop("TLP"),
    "sla": gettext_noop("Targets"),
    "updated_since": gettext_noop("Changed since"),
    "opened": gettext_noop("Opened"),
    "ended": gettext_noop("Ended"),
    "merged": gettext_noop("Merged"),
    "mtta": gettext_noop("Counts in MTTA"),
    "mttc": gettext_noop("Counts in MTTC"),
    "mttr": gettext_noop("Counts in MTTR"),
}
