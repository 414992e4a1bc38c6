"""The second sample of the guide: two playbooks in an order."""

from playbooks import action, playbook


@action
async def collect_container_logs(hostname):
    return {"hostname": hostname, "lines": 120}


@action
async def restart_service(hostname):
    return {"hostname": hostname, "restarted": True}


@playbook(
    trigger="webhook",
    conditions={"tags": ["docker"]},
    order=10,
)
async def preserve_container_state(alert):
    await collect_container_logs(alert.get("hostname"))


@playbook(
    trigger="webhook",
    conditions={"tags": ["docker"]},
    order=20,
)
async def restart_container(alert):
    await restart_service(alert.get("hostname"))
