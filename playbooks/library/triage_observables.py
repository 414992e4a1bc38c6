"""Rates what an alert names by the lists in the portal, writes the evidence down, and closes what is harmless."""

from typing import Any

from playbooks import (
    add_current_alert_comment,
    playbook,
    rate_observables,
    resolve_current_alert,
    update_current_alert,
    warning_lists,
)

TYPES = ("ip", "domain", "url", "email", "md5", "sha1", "sha256", "hostname")
HARMLESS_SEVERITIES = ("informational", "low")
WORDS = {"highly_suspicious": "highly suspicious", "suspicious": "suspicious"}
SHOWN = 20


@playbook(
    trigger="webhook",
    conditions={"observables.type": TYPES},
    order=100,
    description="Rates addresses, domains and hashes by the bundled and own lists, notes the evidence, and resolves "
    "an alert of low severity as benign if everything it names is known to be good.",
)
async def triage_observables(alert: dict[str, Any]) -> dict[str, Any]:
    """Conservative: benign only if every single value is on a benign list and the alert is low or below."""
    named = [(item["type"], item["value"]) for item in alert["observables"] if item["type"] in TYPES]
    if not named:
        return {"rated": 0}
    verdicts = await warning_lists(named)
    rated = [verdict for verdict in verdicts if verdict["evidence"]]
    if rated:
        await rate_observables(rated)
    bad = [verdict for verdict in verdicts if verdict["risk"] in WORDS]
    good = [verdict for verdict in verdicts if verdict["benign"]]
    if rated:
        await add_current_alert_comment(note(bad, good, len(named)))
    outcome = "open"
    if bad:
        outcome = await mark(alert, bad)
    elif len(good) == len(alert["observables"]) and may_close(alert):
        await resolve_current_alert(
            determination="benign", reason="Everything this alert names is on a list of known good values."
        )
        outcome = "resolved"
    return {"rated": len(rated), "suspicious": len(bad), "known_good": len(good), "outcome": outcome}


async def mark(alert: dict[str, Any], bad: list[dict[str, Any]]) -> str:
    """Say that it is suspicious, unless somebody has said more already; tag it."""
    changes: dict[str, Any] = {"tags": sorted({*alert["tags"], "listed-indicator"})}
    if alert["determination"] == "unknown":
        changes["determination"] = "suspicious"
    await update_current_alert(
        **changes, reason=f"{len(bad)} of its observables {'is on a list' if len(bad) == 1 else 'are on lists'}."
    )
    return "suspicious"


def may_close(alert: dict[str, Any]) -> bool:
    """Nobody works on it, nobody has judged it, and it would not be urgent even if it were true."""
    return (
        alert["severity"] in HARMLESS_SEVERITIES
        and alert["status"] == "new"
        and alert["determination"] == "unknown"
        and alert["owner"] is None
        and alert["incident"] is None
    )


def note(bad: list[dict[str, Any]], good: list[dict[str, Any]], total: int) -> str:
    """The comment: what was found, list by list."""
    lines = [f"**{total} observables looked up**: {len(bad)} suspicious, {len(good)} known good."]
    for verdict in (bad + good)[:SHOWN]:
        risk = WORDS.get(verdict["risk"], "known good" if verdict["benign"] else verdict["risk"])
        lists = "; ".join(f"{item['list']}: {item['text']}" for item in verdict["evidence"][:3])
        lines.append(f"- `{verdict['value'].replace('`', '')}` ({verdict['type']}): {risk}. {lists}")
    if len(bad) + len(good) > SHOWN:
        lines.append(f"- and {len(bad) + len(good) - SHOWN} more")
    return "\n".join(lines)
