"""Conditions of suppression rules as a selection of stored alerts: what a rule would have held back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases.choices import Severity
from cases.digests import value_digest
from cases.ingest.conditions import WITH_STAR, Conditions, forms_of
from cases.models import AlertSource, Observable
from cases.querysets import AlertQuerySet

COLUMNS = {"model": "detection_model", "host": "hostname", "user": "username"}
Where = tuple[str, list[Any]]
# Ingest stores addresses only, or nothing. What an import brings may be anything: a cast of that would end the query.
IPV4 = r"(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\.(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])){3}"
H = "[0-9a-f]{1,4}"
IPV6 = "|".join(
    [
        f"({H}:){{7}}{H}", f"({H}:){{1,7}}:", f":(:{H}){{1,7}}", f"::(ffff:)?{IPV4}",
        *(f"({H}:){{1,{n}}}(:{H}){{1,{7 - n}}}" for n in range(1, 7)),
    ]
)  # fmt: skip
ADDRESS = (
    f"CASE WHEN cases_alert.source_ip ~* '^({IPV4}|{IPV6})$' "
    "THEN cases_alert.source_ip::inet <<= ANY(%s::inet[]) ELSE false END"
)


def meeting(rows: AlertQuerySet, conditions: Conditions, *, above: int = 0) -> AlertQuerySet:
    """Those of ``rows`` that meet conditions which ``cases.ingest.suppression.read`` has returned, as ``Matcher`` would
    say. ``above`` is an id that the caller asks for anyway: links of older alerts need not be read."""
    where, values = where_of(conditions, above=above)
    found: AlertQuerySet = rows.extra(where=[where], params=values)  # type: ignore[assignment]  # noqa: S610 - constants
    return found


def where_of(conditions: Conditions, *, above: int = 0) -> Where:
    """The condition and its values, over ``cases_alert``."""
    parts = [_ONE[name](name, values) for name, values in conditions.items() if name != "observable"]
    if "observable" in conditions:
        parts.append(_observables(conditions["observable"], above))
    return " AND ".join(f"({where})" for where, _values in parts), [one for _where, values in parts for one in values]


def _texts(name: str, values: list[str]) -> Where:
    """Equal, or for a value with a star at its end the beginning, whatever the letters' case."""
    lower = [value.lower() for value in values]
    starts = [value[:-1] for value in lower if name in WITH_STAR and value.endswith("*")]
    equal = [value for value in lower if not value.endswith("*") or name not in WITH_STAR]
    column = f"lower(cases_alert.{COLUMNS[name]})"
    parts = [f"{column} = ANY(%s)", *[f"starts_with({column}, %s)"] * len(starts)]
    return " OR ".join(parts), [equal, *starts]


def _sources(name: str, values: list[str]) -> Where:
    ids = list(AlertSource.objects.filter(slug__in=values).values_list("pk", flat=True))
    return "cases_alert.source_id = ANY(%s)", [ids]


def _titles(name: str, values: list[str]) -> Where:
    parts = ["strpos(lower(cases_alert.title), %s) > 0"] * len(values)
    return " OR ".join(parts), [value.lower() for value in values]


def _severity(name: str, values: list[str]) -> Where:
    return "cases_alert.severity <= %s", [Severity.from_word(values[0]).value]


def _observables(values: list[str], above: int) -> Where:
    digests = [value_digest(form) for value in values for form in forms_of(value)]
    ids = list(Observable.objects.filter(digest__in=digests).values_list("pk", flat=True))
    links = "SELECT alert_id FROM cases_alertobservable WHERE observable_id = ANY(%s) AND alert_id > %s"
    return f"cases_alert.id IN ({links})", [ids, above]


_ONE: dict[str, Callable[[str, list[str]], Where]] = {
    "source": _sources,
    "model": _texts,
    "host": _texts,
    "user": _texts,
    "ip": lambda name, values: (ADDRESS, [values]),
    "tag": lambda name, values: ("cases_alert.tags && %s::varchar[]", [values]),
    "title": _titles,
    "severity": _severity,
}
