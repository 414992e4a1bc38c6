"""Query string <-> queryset <-> chips. Page, bulk, saved views and API share it (casework.md 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from cases import query_text
from cases.choices import AlertStatus
from cases.filters_fields import COMPARED, FIELDS, LABELS, FilterError, is_text, moment, word
from cases.filters_text import Plan, plan
from cases.models import Alert
from cases.query_filter import Params, QueryFilter, given
from cases.query_text import Token
from soar.accounts.models import User

__all__ = ["FIELDS", "AlertFilter", "FilterError", "moment"]

STATES = ("status", "is")
OPEN_WORDS = {"open", *(status.word for status in AlertStatus if status.is_open)}


@dataclass
class AlertFilter(QueryFilter):
    """The filter of the queue."""

    default_open: bool = False
    plan: Plan | None = None

    @classmethod
    def parse(cls, params: Params, *, default_open: bool = False) -> AlertFilter:
        """From a query string or a mapping. With ``default_open``, resolved alerts are left out unless a
        status is asked for."""
        known = {}
        for name, clean in given(params):
            if name in FIELDS and clean:
                known[name] = [part for value in clean for part in query_text.values_of(value)]
            elif name == "q" and clean:
                known["q"] = clean[:1]
        tokens = query_text.parse(known.get("q", [""])[0], frozenset(FIELDS))
        return cls(known, tokens, default_open=default_open)

    def label(self, name: str) -> str:
        """What people call a field."""
        return _(LABELS.get(name, name))

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
