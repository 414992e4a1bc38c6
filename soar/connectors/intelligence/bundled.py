"""The warning lists that the package pymispwarninglists brings as files. Read as data: its own search is not used,
and its code is never imported (both would take hundreds of megabytes)."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soar.connectors.intelligence.values import HOST

# A million entries each; membership says little and both would treble the size of the database.
LEFT_OUT = ("tranco", "google-chrome-crux-1million")
DIGEST = re.compile("[0-9a-f]{32,128}")
TYPES = ("string", "hostname", "cidr", "substring", "regex")


@dataclass(slots=True)
class ListFile:
    """One list as its file has it; ``entries`` as they stand there."""

    slug: str
    name: str
    version: int
    description: str
    type: str
    attributes: list[str]
    entries: list[Any] = field(repr=False)


def folder() -> Path:
    """Where the package keeps its lists. Raises FileNotFoundError."""
    spec = importlib.util.find_spec("pymispwarninglists")  # finds, does not import
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place) / "data" / "misp-warninglists" / "lists"
        if path.is_dir():
            return path
    raise FileNotFoundError("The package pymispwarninglists with its lists is not installed.")


def slugs(where: Path, left_out: tuple[str, ...] = LEFT_OUT) -> list[str]:
    """The lists in the folder, by name."""
    found = sorted(path.parent.name for path in where.glob("*/list.json"))
    return [slug for slug in found if slug not in left_out]


def read(where: Path, slug: str) -> ListFile:
    """One list. Raises ValueError for a file that is no list."""
    try:
        data = json.loads((where / slug / "list.json").read_text(encoding="utf-8"))
        kind, version, entries = str(data["type"]), int(data["version"]), list(data["list"])
    except (OSError, KeyError, TypeError, RecursionError, json.JSONDecodeError) as error:
        raise ValueError(f"{slug}: {type(error).__name__}: {error}") from None
    if kind not in TYPES or not 0 <= version < 2**63:
        raise ValueError(f"{slug}: unknown type {kind!r} or version {version}")
    attributes = [str(item)[:60] for item in data.get("matching_attributes") or []]
    name, text = str(data.get("name") or slug)[:300], str(data.get("description") or "")
    return ListFile(slug, name, version, text, kind, attributes, entries)


def names(file: ListFile) -> Iterator[tuple[str, bool]]:
    """(value, whether names below it are meant) of a list of names or hashes; broken entries are left out.

    ``substring`` lists hold host names too; they are taken as such, since "contains" would make
    ``notexample.com`` a hit of ``example.com``. Each value comes once.
    """
    seen: dict[str, bool] = {}
    for entry in file.entries:
        text = entry.strip().lower() if isinstance(entry, str) else ""
        text = text.partition("://")[2].partition("/")[0] if "://" in text else text
        below = file.type in {"hostname", "substring"} or text.startswith(".")
        value = text.strip(".")
        if HOST.match(value) or DIGEST.fullmatch(value):
            seen[value] = seen.get(value, False) or below
    yield from seen.items()


def networks(file: ListFile) -> Iterator[str]:
    """The networks of a cidr list, each once; broken entries are left out."""
    seen = set()
    for entry in file.entries:
        try:
            network = str(ipaddress.ip_network(entry.strip(), strict=False)) if isinstance(entry, str) else ""
        except ValueError:
            continue
        if network and network not in seen:
            seen.add(network)
            yield network


def patterns(file: ListFile) -> Iterator[str]:
    """The expressions of a regex list without their ``/.../i``."""
    for entry in file.entries:
        if isinstance(entry, str) and entry.startswith("/") and (end := entry.rfind("/")) > 1 and end <= 1000:
            yield entry[1:end]
