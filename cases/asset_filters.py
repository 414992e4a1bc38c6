"""Query string <-> assets <-> chips: the list's filters, shared by page and API, in the manner of incidents."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import BooleanField, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases import query_text
from cases.choices import Criticality
from cases.filters import FilterError
from cases.ingest.refang import refang
from cases.ingest.shapes import as_ip
from cases.models import Asset
from cases.query_filter import Params, QueryFilter, given

IN_NETWORK = "EXISTS (SELECT 1 FROM unnest(cases_asset.addresses) one WHERE one::inet <<= %s::inet)"


@dataclass
class AssetFilter(QueryFilter):
    """The filter of the list."""

    @classmethod
    def parse(cls, params: Params) -> AssetFilter:
        """From a query string or a mapping; names it does not know are left to others."""
        known: dict[str, list[str]] = {}
        for name, values in given(params):
            clean = [value for value in values if value.strip()]
            if name in FIELDS and clean:
                known[name] = [part.strip() for value in clean for part in query_text.values_of(value) if part.strip()]
            elif name == "q" and clean:
                known["q"] = clean[:1]
        return cls(known, query_text.parse(known.get("q", [""])[0], frozenset(FIELDS)))

    def apply(self, rows: QuerySet[Asset]) -> QuerySet[Asset]:
        """The rows that match. Values that cannot be read go to ``errors``."""
        for name, values in self.params.items():
            if name != "q":
                rows = self._filter(rows, name, "", values, False)
        for token in self.tokens:
            values = token.values if token.field else [token.value]
            rows = self._filter(rows, token.field or "text", token.op, values, token.negated)
        return rows

    def label(self, name: str) -> str:
        """What people call a field."""
        return _(LABELS[name])

    def _filter(self, rows: QuerySet[Asset], name: str, op: str, values: list[str], negated: bool) -> QuerySet[Asset]:
        condition = Q()
        try:
            for value in values:
                condition |= _CONDITIONS[name](op, value.strip())
        except FilterError as error:
            self.errors.append(str(error))
            return rows
        return rows.filter(~condition if negated else condition)


def _criticality(op: str, value: str) -> Q:
    suffix = {"": "", ">=": "__gte", "<=": "__lte", ">": "__gt", "<": "__lt"}[op]
    try:
        return Q(**{f"criticality{suffix}": Criticality.from_word(value)})
    except ValueError as error:
        raise FilterError(f"criticality: {error}") from error


def _group(op: str, value: str) -> Q:
    if value.lower() == "none":
        return Q(groups=[])
    # Any spelling: groups are told apart without case, and there are few of them.
    named = "SELECT array_agg(name)::varchar[] FROM cases_assetgroup WHERE key = %s"
    return Q(listed=True, groups__overlap=RawSQL(f"({named})", [value.lower()]))  # noqa: S611  a constant


def _tag(op: str, value: str) -> Q:
    return Q(listed=True, tags__contains=[value.lower()])


def _address(op: str, value: str) -> Q:
    """One address, or a network in CIDR notation."""
    plain = refang(value)
    if address := as_ip(plain):
        return Q(addresses__contains=[address])
    try:
        network = ipaddress.ip_network(plain, strict=False)
    except ValueError:
        raise FilterError(
            _("address: %(value)s is neither an address nor a network.") % {"value": f"{value:.60}"}
        ) from None
    return Q(RawSQL(IN_NETWORK, [str(network)], output_field=BooleanField()))  # noqa: S611  a constant


def _inventory(op: str, value: str) -> Q:
    if value.lower() not in ("yes", "no"):
        raise FilterError(_("inventory: yes or no."))
    return Q(listed=value.lower() == "yes")


def _text(op: str, value: str) -> Q:
    """A part of the name, or an address."""
    address = as_ip(refang(value))
    named = Q(key__contains=value.lower())
    return named | Q(addresses__contains=[address]) if address else named


Condition = Callable[[str, str], Q]
FIELDS: dict[str, Condition] = {
    "name": lambda op, value: Q(key=value.lower()),
    "type": lambda op, value: Q(type=value.lower()),
    "system": lambda op, value: Q(system__icontains=value),
    "criticality": _criticality,
    "group": _group,
    "tag": _tag,
    "address": _address,
    "inventory": _inventory,
}
_CONDITIONS: dict[str, Condition] = {**FIELDS, "text": _text}
LABELS = {
    "name": gettext_noop("Name"),
    "type": gettext_noop("Type"),
    "system": gettext_noop("System"),
    "criticality": gettext_noop("Criticality"),
    "group": gettext_noop("Group"),
    "tag": gettext_noop("Tag"),
    "address": gettext_noop("Address"),
    "inventory": gettext_noop("Inventory"),
}
