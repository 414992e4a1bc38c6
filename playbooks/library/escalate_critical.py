"""A critical alert becomes an incident at once, or joins the one it belongs to, with what is known around it."""

import asyncio
from typing import Any

from playbooks import (
    add_current_alert_comment,
    create_incident,
    link_to_incident,
    playbook,
    related_alerts,
    related_incidents,
    update_current_alert,
    warning_lists,
)

RATED_TYPES = ("ip", "domain", "url", "md5", "sha1", "sha256")
STRONG = ("hostname", "source_ip")  # a shared user alone is too common to join two cases
NAMES = {"hostname": "host", "username": "user", "source_ip": "source address"}


@playbook(
    trigger="webhook",
    conditions={"severity": ["critical"]},
    order=10,
    description="Gathers what is known around a critical alert, sets it in progress, and opens an incident or links "
    "it to the open one that shares its host or source address.",
)
async def escalate_critical(alert: dict[str, Any]) -> dict[str, Any]:
    """Never touches what somebody has judged already."""
    if alert["status"] == "resolved" or alert["determination"] in ("benign", "malicious"):
        return {"skipped": "It is judged already."}
    named = [(item["type"], item["value"]) for item in alert["observables"] if item["type"] in RATED_TYPES]
    around, incidents, verdicts = await asyncio.gather(
        related_alerts(hours=72), related_incidents(hours=72), warning_lists(named)
    )
    bad = [verdict for verdict in verdicts if verdict["risk"] != "unrated"]
    await update_current_alert(
        status="in_progress", determination="suspicious", reason="Critical alert escalated for incident handling"
    )
    incident = alert["incident"] or await escalate(alert, incidents)
    await add_current_alert_comment(note(alert, around, bad))
    return {"incident": incident, "related_alerts": len(around), "suspicious_observables": len(bad)}


async def escalate(alert: dict[str, Any], incidents: list[dict[str, Any]]) -> Any:
    """Link to the incident that shares most, or open one. Returns its number."""
    for candidate in incidents:
        if any(shared["field"] in STRONG for shared in candidate["shared"]):
            return (await link_to_incident(candidate["number"]))["number"]
    return (await create_incident(title=alert["title"]))["number"]


def note(alert: dict[str, Any], around: list[dict[str, Any]], bad: list[dict[str, Any]]) -> str:
    """The comment on the incident."""
    lines = [f"**{alert['number']} escalated by rule**: critical severity."]
    lines += [f"- {NAMES[name]}: `{alert[name]}`" for name in NAMES if alert[name]]
    lines.append(f"- {len(around)} other alerts in 72 hours share host, user or address")
    lines += [f"  - {item['number']} {item['severity']}: {item['title'][:120]}" for item in around[:5]]
    lines += [f"- `{item['value']}` is {item['risk'].replace('_', ' ')}: {item['rule']}" for item in bad[:10]]
    return "\n".join(lines)
