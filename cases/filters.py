"""Query string <-> queryset <-> chips. Page, bulk, saved views and API share it (casework.md 2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import query_text
from cases.choices import AlertStatus
from cases.filters_fields import COMPARED, FIELDS, LABELS, FilterError, is_text, moment, word
from cases.filters_text import Plan, plan
from cases.models import Alert
from cases.query_text import Token
from soar.accounts.models import User

__all__ = ["FIELDS", "AlertFilter", "Chip", "FilterError", "moment"]

VALUE_AT_MOST = 500
STATES = ("status", "is")
OPEN_WORDS = {"open", *(status.word for status in AlertStatus if status.is_open)}


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
    plan: Plan | None = None

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
                known[name] = [part for value in clean for part in query_text.values_of(value)]
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
        self.plan = self.plan or self._planned()
        for name, values in self.params.items():
            if name != "q":
                rows = self._filter(rows, name, "", values, False, user)
        for token in self.tokens:
            rows = self._token(rows, token, user)
        if self.default_open and not self.names_status():
            rows = rows.filter(status__lt=AlertStatus.RESOLVED)
        return rows if self.names_suppressed() else self._not_held(rows)

    def _not_held(self, rows: QuerySet[Alert]) -> QuerySet[Alert]:
        """Open work is what stands in the queue: what a suppression rule holds back is shown when asked for."""
        if self.only_open:
            return rows.filter(suppression=None)
        if self.default_open and self.states() != {AlertStatus.RESOLVED.word}:
            return rows.filter(Q(suppression=None) | Q(status=AlertStatus.RESOLVED))
        return rows

    def chips(self) -> list[Chip]:
        """The filters that are on, each with the query string that takes it off."""
        chips = [
            Chip(_(LABELS.get(name, name)), ", ".join(values), self.query_string(without=name))
            for name, values in self.params.items()
            if name != "q"
        ]
        for token in self.tokens:
            label = _(LABELS.get(token.field, token.field) if token.field else gettext_noop("Text"))
            rest = query_text.without(self.text, token)
            shown = f"{token.op} {token.value}".strip()
            chips.append(
                Chip(
                    _("Not %(label)s") % {"label": label.lower()} if token.negated else label,
                    shown,
                    self.query_string(q=rest),
                )
            )
        return chips

    def query_string(self, without: str = "", **replace: str | list[str]) -> str:
        """The filter as a query string, without one parameter or with others in its place."""
        pairs = {name: values for name, values in self.params.items() if name != without}
        pairs |= {name: [value] if isinstance(value, str) else value for name, value in replace.items()}
        flat = [(name, query_text.written(v)) if name != "q" else (name, v[0]) for name, v in pairs.items()]
        return urlencode([(name, value) for name, value in flat if value])

    def without(self, name: str) -> AlertFilter:
        """The filter without one parameter, and without a state that was not asked for. What was found out about the
        words of this one holds for it as well."""
        params = {key: values for key, values in self.params.items() if key != name}
        return AlertFilter(params, self.tokens, plan=self.plan)

    def states(self) -> set[str]:
        """The states that are asked for, as they were written, without those that are excluded or compared with."""
        asked = {value.lower() for name in STATES for value in self.params.get(name, ())}
        for token in self.tokens:
            if token.field in STATES and not token.negated and not token.op:
                asked |= {value.strip().lower() for value in token.values}
        return asked

    def names(self) -> set[str]:
        """The fields that are asked for, in the query box or by parameter."""
        return {*self.params, *(token.field for token in self.tokens if token.field)} - {"q"}

    def names_status(self) -> bool:
        """Whether a status is asked for, in the query box or by parameter."""
        return not self.names().isdisjoint(STATES)

    def names_suppressed(self) -> bool:
        """Whether it is said if alerts that are held back are wanted."""
        return "suppressed" in self.names()

    @property
    def only_open(self) -> bool:
        """Whether nothing but open work can match: only that has an index by severity."""
        if self.names_suppressed():
            return False  # what is held back has no index by severity
        asked = self.states()
        return asked <= OPEN_WORDS if asked else self.default_open and not self.names_status()

    def _planned(self) -> Plan:
        """How to look for the words and tags."""
        plain = [token for token in self.tokens if not token.negated]
        words = [token.value.lower() for token in plain if not token.field and is_text(token.value)]
        tags = [token.value for token in plain if token.field == "tag"] + [",".join(self.params.get("tag", ()))]
        tags = [tag.strip().lower() for tag in tags if tag and "," not in tag]
        others = {*self.params, *(token.field for token in plain)} - {"q", "tag", "", *STATES}
        return plan(list(dict.fromkeys(words)), list(dict.fromkeys(tags)), few=self.only_open, alone=not others)

    def _token(self, rows: QuerySet[Alert], token: Token, user: User | None) -> QuerySet[Alert]:
        if token.field:
            return self._filter(rows, token.field, token.op, token.values, token.negated, user)
        try:
            condition = word(token.value, None if token.negated else self.plan, user)
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
            if op and name not in COMPARED:
                raise FilterError(
                    _("%(name)s: %(op)s cannot be asked here, write %(name)s:value.") % {"name": name, "op": op}
                )
            if name == "tag" and len(values) == 1 and not negated and self.plan:
                return rows.filter(self.plan.tag(values[0].strip().lower()))
            conditions = [FIELDS[name](op, value.strip(), user) for value in values]
        except FilterError as error:
            self._wrong(error)
            return rows
        condition = _any(conditions)
        return rows.filter(~condition if negated else condition)


def _any(conditions: Sequence[Q]) -> Q:
    """One of them: all, where one of them lets everything through, which OR would take for nothing said."""
    result = Q()
    for condition in conditions if all(conditions) else ():
        result |= condition
    return result
