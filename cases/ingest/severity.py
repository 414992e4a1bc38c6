"""Severity words and numbers of many products, mapped to the five words of the contract.

Words are read the same everywhere. Numbers mean different things to different products, so each kind of
source names the scale it uses; the scales are the functions below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cases.ingest.text import as_text, cut

INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL = "informational", "low", "medium", "high", "critical"
WORDS: dict[str, str] = {
    word: level
    for level, words in {
        INFORMATIONAL: "informational information info debug trace none ok normal unimportant p5 sev5 s5",
        LOW: "low minor notice very-low verylow p4 sev4 s4",
        MEDIUM: "medium med moderate average warning warn p3 sev3 s3",
        HIGH: "high error err major important p2 sev2 s2 page",
        CRITICAL: "critical crit fatal emergency emerg severe urgent disaster very-high veryhigh blocker alert"
        " p1 sev1 s1 p0 sev0",
    }.items()
    for word in words.split()
}
Scale = Callable[[float], str | None]


def severity_of(value: Any, notes: list[str], scale: Scale) -> str | None:
    """The contract's word for ``value`` (word or number, also as text or as a list of one), or None.

    What is neither is told in ``notes``; None means that the source's default applies.
    """
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):  # {"name": "High", "id": 3} and its relatives
        value = value.get("name") or value.get("label") or value.get("value") or value.get("id") or value
    if value is None or value == "":
        return None
    level = _read(value, scale)
    if level is None:
        notes.append(f"severity '{cut(as_text(value), 60)}' is not known, the default of the source is used")
    return level


def _read(value: Any, scale: Scale) -> str | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _on_scale(value, scale)
    if not isinstance(value, str):
        return None
    word = value.strip().lower().replace("_", "-").replace(" ", "-")
    if word in WORDS:
        return WORDS[word]
    head = word.split("-")[0]  # "2-high", "high-severity", "p1-critical"
    try:
        return _on_scale(float(word), scale)
    except (ValueError, OverflowError):
        return WORDS.get(word.rsplit("-", 1)[-1]) or WORDS.get(head)


def _on_scale(number: int | float, scale: Scale) -> str | None:
    return scale(number) if 0 <= number <= 1_000 else None  # the comparison is false for NaN


def peer_scale(number: float) -> str | None:
    """1 low, 2 medium, 3 high, 4 and more critical: what senders of OpenSOAR's endpoint are used to."""
    steps = (INFORMATIONAL, LOW, MEDIUM, HIGH, CRITICAL)
    return steps[min(int(number), 4)]


def mixed_scale(number: float) -> str | None:
    """0 to 5 as steps, above it CVSS tenths (to 10), above it risk percent (to 100)."""
    if number <= 5:
        return peer_scale(number)
    if number <= 10:
        return tenths_scale(number)
    return percent_scale(number)


def tenths_scale(number: float) -> str | None:
    """CVSS: 0.1 low, 4 medium, 7 high, 9 critical."""
    for least, level in ((9, CRITICAL), (7, HIGH), (4, MEDIUM), (0.1, LOW)):
        if number >= least:
            return level
    return INFORMATIONAL


def percent_scale(number: float) -> str | None:
    """Elastic's and Trend's risk scores: low to 21, medium to 47, high to 73, critical above."""
    for least, level in ((74, CRITICAL), (48, HIGH), (22, MEDIUM), (1, LOW)):
        if number >= least:
            return level
    return INFORMATIONAL


def priority_scale(number: float) -> str | None:
    """1 is the most urgent, as ITIL, ServiceNow and Snort have it; 0 and above 5 say nothing."""
    steps = {1: CRITICAL, 2: HIGH, 3: MEDIUM, 4: LOW, 5: INFORMATIONAL}
    return steps.get(int(number))


def wazuh_scale(number: float) -> str | None:
    """Rule levels 0 to 16, in the bands of Wazuh's own dashboard: low to 6, medium to 11, high to 14.

    Levels 0 to 3 (ignored, none, low priority, success) are informational.
    """
    for least, level in ((15, CRITICAL), (12, HIGH), (7, MEDIUM), (4, LOW)):
        if number >= least:
            return level
    return INFORMATIONAL


def splunk_scale(number: float) -> str | None:
    """Splunk's alert.severity: 1 debug, 2 info, 3 warning, 4 error, 5 severe, 6 fatal."""
    steps = {1: INFORMATIONAL, 2: LOW, 3: MEDIUM, 4: HIGH, 5: CRITICAL, 6: CRITICAL}
    return steps.get(int(number)) if number <= 6 else percent_scale(number)
