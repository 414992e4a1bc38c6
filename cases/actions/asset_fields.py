"""The facts of an asset, checked one by one. No field is saved unless all are right."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from cases.actions.base import tags_of, text_of, word
from cases.choices import Criticality
from cases.errors import Refused
from cases.ingest.assets import asset_name
from cases.ingest.shapes import as_ip
from cases.models import Asset
from cases.models.asset import GROUP_AT_MOST, NAME_AT_MOST

ADDRESSES_AT_MOST = 50
GROUPS_AT_MOST = 50
# Each new name is stored once; who comes second gets the spelling of the first.
_GROUPS = """
INSERT INTO cases_assetgroup (name, key) SELECT name, key FROM unnest(%s::text[], %s::text[]) AS g(name, key)
ORDER BY key COLLATE "C" ON CONFLICT (key) DO UPDATE SET key = EXCLUDED.key RETURNING key, name
"""
_UNUSED = """
DELETE FROM cases_assetgroup g WHERE g.name = ANY(%s::text[])
AND NOT EXISTS (SELECT 1 FROM cases_asset a WHERE a.listed AND a.groups @> ARRAY[g.name]::varchar[])
"""


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields in the form that is stored. Raises Refused beside the first that is wrong or unknown."""
    for name in fields:
        if name not in FIELDS:
            raise Refused(_("%(name)s is not a field of an asset.") % {"name": f"{name!s:.40}"}, field=str(name))
    return {name: FIELDS[name](value) for name, value in fields.items()}


def known_groups(names: list[str]) -> dict[str, str]:
    """The stored spelling of each group by its name in lower case; groups that are not there yet are made.
    The caller holds a transaction."""
    given = {name.lower(): name for name in reversed(names)}
    if not given:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS, [list(given.values()), list(given)])
        return dict(cursor.fetchall())


def drop_unused_groups(names: list[str]) -> None:
    """Delete those of the groups that no asset is in any longer."""
    if names:
        with connection.cursor() as cursor:
            cursor.execute(_UNUSED, [names])


def shown(field: str, value: Any) -> Any:
    """A value as people and JSON have it."""
    return Criticality(value).word if field == "criticality" else value


def differences(asset: Asset, values: dict[str, Any]) -> dict[str, list[Any]]:
    """``{"field": [old, new]}`` of what the checked values would change."""
    return {
        name: [shown(name, getattr(asset, name)), shown(name, value)]
        for name, value in values.items()
        if getattr(asset, name) != value
    }


def _name(value: Any) -> str:
    given = text_of(value, "name", most=NAME_AT_MOST)
    name = asset_name(given)[1]
    if not name:
        raise Refused(_("Give the name of a machine, not localhost or a public address."), field="name")
    return name


def _line(field: str, most: int) -> Any:
    def check(value: Any) -> str:
        text = " ".join(text_of(value, field, most=most, required=False).split())
        if not text.isprintable():
            raise Refused(_("This holds characters that cannot be shown."), field=field)
        return text

    return check


def _texts(value: Any, field: str, most: int) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Refused(_("This is a list of texts."), field=field)
    texts = [text for one in value if (text := one.strip())]
    if len(texts) > most:
        raise Refused(_("At most %(most)s, these are %(count)s.") % {"most": most, "count": len(texts)}, field=field)
    return texts


def _addresses(value: Any) -> list[str]:
    found = []
    for text in _texts(value, "addresses", ADDRESSES_AT_MOST):
        address = as_ip(text)
        if not address:
            raise Refused(_("%(text)s is no IPv4 or IPv6 address.") % {"text": f"{text:.50}"}, field="addresses")
        found.append(address)
    return list(dict.fromkeys(found))


def _groups(value: Any) -> list[str]:
    check = _line("groups", GROUP_AT_MOST)
    names = [check(text) for text in _texts(value, "groups", GROUPS_AT_MOST)]
    if any(sign in name for name in names for sign in ",;|"):
        raise Refused(_("The name of a group has no comma, semicolon or bar: they part groups."), field="groups")
    return list({name.lower(): name for name in reversed(names) if name}.values())[::-1]


def _criticality(value: Any) -> Criticality:
    return word(Criticality, value or "unknown", "criticality")  # type: ignore[no-any-return]


FIELDS: dict[str, Any] = {
    "name": _name,
    "type": lambda value: _line("type", 40)(value).lower(),
    "system": _line("system", 200),
    "addresses": _addresses,
    "groups": _groups,
    "criticality": _criticality,
    "tags": tags_of,
}
