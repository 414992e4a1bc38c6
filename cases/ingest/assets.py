"""The assets that an alert names: from the normaliser's facts to rows that every alert shares. Pure.

A name that says nothing (``localhost``) and an address of the public internet are no machine of ours."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from cases.ingest.shapes import as_ip, is_private_ip
from cases.ingest.text import clean_text, words

ASSETS_AT_MOST = 50
ADDRESSES_AT_MOST = 20  # kept of one asset: what alerts tell is added until then
NAME_AT_MOST = 255
NOBODY = frozenset(words("localhost localhost.localdomain 127.0.0.1 ::1 unknown none null n/a na - host"))


class NamedAsset(msgspec.Struct, frozen=True):
    """An asset as an alert tells of it. ``key`` is the name in lower case, under which it is stored once."""

    key: str
    name: str
    type: str = ""
    system: str = ""
    addresses: tuple[str, ...] = ()


@lru_cache(maxsize=20_000)
def asset_name(text: str) -> tuple[str, str]:
    """(key, name) of a machine: one line, no final dot. Two empty texts for what names no machine of ours."""
    name = clean_text(" ".join(text.split()))[0].rstrip(".")[:NAME_AT_MOST].strip()
    key = name.lower()
    if not name or not name.isprintable() or key in NOBODY:
        return "", ""
    address = as_ip(name)
    return ("", "") if address and not is_private_ip(address) else (key, name)


def named(facts: list[dict[str, Any]], notes: list[str]) -> list[NamedAsset]:
    """Each asset once, in the order of the keys: one order of locks for everybody. At most 50, the rest is noted."""
    found: dict[str, NamedAsset] = {}
    for one in facts:
        asset = _named(one)
        if asset.key:
            known = found.get(asset.key)
            found[asset.key] = _merged(known, asset) if known else asset
    if len(found) > ASSETS_AT_MOST:
        notes.append(f"{len(found)} assets are named, the first {ASSETS_AT_MOST} are linked")
    return sorted(list(found.values())[:ASSETS_AT_MOST], key=lambda one: one.key)


def _named(facts: dict[str, Any]) -> NamedAsset:
    given = facts.get("name")
    key, name = asset_name(given[: 2 * NAME_AT_MOST]) if isinstance(given, str) else ("", "")
    if not key:
        return NamedAsset("", "")
    listed = facts.get("addresses")
    addresses = [as_ip(one) for one in listed[:ADDRESSES_AT_MOST] if isinstance(one, str)] if listed else []
    return NamedAsset(
        key, name, _word(facts.get("type"), 40), _word(facts.get("system"), 200), tuple(filter(None, addresses))
    )


def _word(value: Any, most: int) -> str:
    return clean_text(" ".join(value.split()))[0][:most] if isinstance(value, str) else ""


def _merged(one: NamedAsset, other: NamedAsset) -> NamedAsset:
    addresses = tuple(dict.fromkeys((*one.addresses, *other.addresses)))[:ADDRESSES_AT_MOST]
    return NamedAsset(one.key, one.name, one.type or other.type, one.system or other.system, addresses)
