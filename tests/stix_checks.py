"""Checking STIX without the network: the rules (MUST) and recommendations (SHOULD) of ``stix2-validator``, every
property by the classes of ``stix2``, every pattern by the grammar of ``stix2-patterns``, and every reference.

The validator's JSON schemas are not in its wheel of 3.3, so ``validate_string`` cannot be asked; what they check, the
classes of ``stix2`` check too: names, types, required properties and vocabularies."""

from __future__ import annotations

from typing import Any

import stix2
from stix2patterns.v21.pattern import Pattern
from stix2validator import ValidationOptions
from stix2validator.v21 import musts, shoulds
from stix2validator.validator import _iter_errors_custom

Json = dict[str, Any]
# A link to a page of the portal or of ATT&CK has no hash that would hold: its recommendation (302) is left out.
OPTIONS = ValidationOptions(version="2.1", enforce_refs=True, disabled="extref-hashes")


def problems(bundle: Json) -> list[str]:
    """What is wrong with a bundle; empty for a good one."""
    found = [f"{one['id']}: {error}" for one in bundle["objects"] for error in _rules(one)]
    found += [str(error) for error in _rules(bundle)]
    for one in bundle["objects"]:
        try:
            stix2.parse(one, allow_custom=False, version="2.1")
        except Exception as error:  # each class has its own
            found.append(f"{one['id']}: {error}")
        if one["type"] == "indicator":
            Pattern(one["pattern"])  # raises ParseException
    return found + _loose(bundle)


def _rules(thing: Json) -> list[Any]:
    checks = [*musts.list_musts(OPTIONS), *shoulds.list_shoulds(OPTIONS)]
    return list(_iter_errors_custom(thing, checks, OPTIONS))


def _loose(bundle: Json) -> list[str]:
    """References to what is not in the bundle."""
    ids = {one["id"] for one in bundle["objects"]}
    named = {
        (one["id"], ref)
        for one in bundle["objects"]
        for key, value in one.items()
        if key.endswith(("_ref", "_refs"))
        for ref in ([value] if isinstance(value, str) else value)
    }
    return [f"{source} refers to {ref}, which is not there" for source, ref in sorted(named) if ref not in ids]
