"""Reading the sample payloads of the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cases.ingest.normal import NormalAlert
from cases.ingest.registry import KINDS

SAMPLES = Path(__file__).parent / "payloads"


def load(name: str, folder: Path = SAMPLES) -> Any:
    """The document of ``name``.json."""
    return json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))


def read(kind: str, document: dict[str, Any]) -> list[NormalAlert]:
    """The alerts that a document of a kind holds."""
    return [KINDS[kind].normalise(item) for item in KINDS[kind].split(document)]


def sample(kind: str, name: str) -> NormalAlert:
    """The only alert of the sample ``name``."""
    (alert,) = read(kind, load(name))
    return alert


def values(alert: NormalAlert, kind: str) -> list[str]:
    """The values of the alert's observables of one type."""
    return [found.value for found in alert.observables if found.type == kind]


def highlighted(alert: NormalAlert) -> set[tuple[str, str]]:
    """What the source itself points at."""
    return {(found.type, found.value) for found in alert.observables if found.highlighted}
