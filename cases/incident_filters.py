"""Query string <-> incidents <-> chips: the filters of the page, of grants on many, of what is hidden;
the API takes their conditions (``cases.api.incident_filter``; casework.md 6, contract)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import query_text
from cases.attack.stored import catalog
from cases.choices import Determination, IncidentStatus, Severity, Tlp, Words
from cases.custom_fields import filtering as custom
from cases.filters import FilterError, moment
from cases.incident_moments import MOMENTS
from cases.models import Incident, IncidentOwner
from cases.query_filter import Params, QueryFilter, given
from cases.sla.states import WORDS, condition
from soar.accounts.models import User

Condition = Callable[[str, str, User], Q]


@dataclass
class IncidentFilter(QueryFilter):
    """The filter of the list."""

    @classmethod
    def parse(cls, params: Params) -> IncidentFilter:
        """From a query string or a mapping; names it does not know are left to others."""
        known: dict[str, list[str]] = {}
        for name, values in given(params):
            clean = [value for value in values if value.strip()]
            if name in NAMES and clean:
                known[name] = [part for value in clean for part in query_text.values_of(value)]
            elif name == "q" and clean:
                known["q"] = clean[:1]
        return cls(known, query_text.parse(known.get("q", [""])[0], NAMES))

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

    def label(self, name: str) -> str:
        """What people call a field; a custom one by its key."""
        return name.removeprefix(custom.PREFIX) if custom.is_field(name) else _(LABELS.get(name, name))

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
