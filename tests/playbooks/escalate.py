"""The first sample of the guide, as written there; only its import line, indentation and helpers are ours."""

import asyncio

from playbooks import action, add_current_alert_comment, playbook, update_current_alert


@action
async def lookup_ip_reputation(ip):
    await asyncio.sleep(0.01)
    return {"ip": ip, "score": 97}


@action
async def preserve_host_context(hostname):
    await asyncio.sleep(0.01)
    return {"hostname": hostname, "processes": ["winword.exe", "powershell.exe"]}


@playbook(
    trigger="webhook",
    conditions={"severity": ["critical"]},
    order=10,
)
async def escalate_critical_alert(alert):
    await asyncio.gather(
        lookup_ip_reputation(alert.get("source_ip")),
        preserve_host_context(alert.get("hostname")),
    )
    await update_current_alert(
        status="in_progress",
        determination="suspicious",
        reason="Critical alert escalated for incident handling",
    )
    await add_current_alert_comment(
        "Enrichment and evidence preservation completed. Create or link an incident from the alert detail page."
    )
    return {"status": "incident_ready"}
