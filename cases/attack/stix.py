"""MITRE's own file (``enterprise-attack.json``, a STIX 2.x bundle) as the compact document of ``enterprise.json``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cases.attack.catalog import ID, NAME_AT_MOST

Objects = list[dict[str, Any]]
SOURCE = "mitre-attack"
CHAIN_AT_MOST = 10


def document_of(bundle: Any) -> dict[str, Any]:
    """The document of a bundle. Raises ValueError in words for what is no bundle of ATT&CK."""
    if not isinstance(bundle, dict) or bundle.get("type") != "bundle" or not isinstance(bundle.get("objects"), list):
        raise ValueError("This is no STIX bundle: there is no list of objects in it.")
    objects = [one for one in bundle["objects"] if isinstance(one, dict)]
    tactics = _tactics(objects)
    patterns = {one["id"]: one for one in _of(objects, "attack-pattern") if ID.fullmatch(_number(one))}
    if not tactics or not patterns:
        raise ValueError("There are no tactics or no techniques of MITRE ATT&CK in this bundle.")
    order = [slug for _id, slug, _name in tactics]
    there = [one for one in patterns.values() if not _gone(one)]
    techniques = {_number(one): [_name(one), _phases(one, order)] for one in there}
    return {
        "version": _version(objects),
        "tactics": tactics,
        "techniques": {id: row for id, row in sorted(techniques.items()) if row[1]},
        "former": {id: row for id, row in sorted(_former(objects, patterns).items()) if id not in techniques},
    }


def _of(objects: Objects, kind: str) -> Iterator[dict[str, Any]]:
    return (one for one in objects if one.get("type") == kind and isinstance(one.get("id"), str))


def _number(one: dict[str, Any]) -> str:
    """``T1566.002`` or ``TA0001``, from the reference to MITRE's page."""
    references = one.get("external_references")
    for reference in references if isinstance(references, list) else ():
        if isinstance(reference, dict) and reference.get("source_name") == SOURCE:
            return str(reference.get("external_id") or "")
    return ""


def _name(one: dict[str, Any]) -> str:
    return " ".join(str(one.get("name") or "").split())[:NAME_AT_MOST]


def _gone(one: dict[str, Any]) -> bool:
    return bool(one.get("revoked") or one.get("x_mitre_deprecated"))


def _tactics(objects: Objects) -> list[list[str]]:
    """In the order of the matrix, if the bundle has one."""
    found = {
        one["id"]: [_number(one), str(one.get("x_mitre_shortname") or ""), _name(one)]
        for one in _of(objects, "x-mitre-tactic")
        if not _gone(one)
    }
    matrix: dict[str, Any] = next((one for one in _of(objects, "x-mitre-matrix") if not _gone(one)), {})
    order = [ref for ref in matrix.get("tactic_refs") or () if ref in found]
    order += [ref for ref in found if ref not in order]
    return [found[ref] for ref in order if all(found[ref])]


def _phases(one: dict[str, Any], order: list[str]) -> list[str]:
    phases = one.get("kill_chain_phases")
    named = {
        str(phase.get("phase_name"))
        for phase in (phases if isinstance(phases, list) else ())
        if isinstance(phase, dict) and phase.get("kill_chain_name") == SOURCE
    }
    return [slug for slug in order if slug in named]


def _former(objects: Objects, patterns: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """Withdrawn techniques, each with the id that took its place, as far as one did."""
    then = {
        str(one.get("source_ref")): str(one.get("target_ref"))
        for one in _of(objects, "relationship")
        if one.get("relationship_type") == "revoked-by"
    }
    return {
        _number(one): [_name(one), _number(patterns.get(_last(then, patterns, one["id"]), {}))]
        for one in patterns.values()
        if _gone(one)
    }


def _last(then: dict[str, str], patterns: dict[str, dict[str, Any]], ref: str) -> str:
    """Where the chain of replacements ends; "" if it ends nowhere."""
    for _step in range(CHAIN_AT_MOST):
        ref = then.get(ref, "")
        if ref not in patterns or not _gone(patterns[ref]):
            return ref
    return ""


def _version(objects: Iterable[dict[str, Any]]) -> str:
    """Of the collection: MITRE numbers releases there."""
    for one in objects:
        if one.get("type") == "x-mitre-collection" and one.get("x_mitre_version"):
            return str(one["x_mitre_version"])[:40]
    return "unknown"
