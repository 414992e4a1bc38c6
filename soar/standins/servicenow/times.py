"""ServiceNow's times: stored as UTC text of whole seconds, shown and typed in the zone and format of a user."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

STORED = "%Y-%m-%d %H:%M:%S"
FORMATS = {"": "%Y-%m-%d", "yyyy-MM-dd": "%Y-%m-%d", "dd-MM-yyyy": "%d-%m-%Y", "MM-dd-yyyy": "%m-%d-%Y"}
GENERATED = re.compile(r"javascript:gs\.dateGenerate\('([\d-]+)',\s*'([\d:]+)'\)")


def stamp(moment: datetime) -> str:
    """As it is stored."""
    return moment.astimezone(UTC).strftime(STORED)


def moment_of(stored: str) -> datetime:
    """The moment of a stored time. Raises ValueError."""
    return datetime.strptime(stored, STORED).replace(tzinfo=UTC)


def zone_of(name: str, default: str) -> ZoneInfo:
    """The zone of a user; without one that of the instance."""
    try:
        return ZoneInfo(name or default)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def shown(stored: str, zone: ZoneInfo, style: str = "") -> str:
    """A stored time as a user in this zone, with this date format, reads it."""
    try:
        moment = moment_of(stored)
    except ValueError:
        return stored
    return moment.astimezone(zone).strftime(f"{FORMATS.get(style, '%Y-%m-%d')} %H:%M:%S")


def typed(text: str, zone: ZoneInfo) -> str:
    """What a user in this zone means by a time: as it is stored. Raises ValueError."""
    if found := GENERATED.fullmatch(text):
        text = f"{found[1]} {found[2]}"
    pattern = STORED if " " in text.strip() else "%Y-%m-%d"
    return stamp(datetime.strptime(text.strip(), pattern).replace(tzinfo=zone))
