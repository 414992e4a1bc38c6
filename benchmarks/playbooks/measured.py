"""The playbook that is measured: one action, one note, as small as useful ones are."""

from __future__ import annotations

from typing import Any

from playbooks import action, add_current_alert_comment, playbook


@action
async def look_at(address: str) -> str:
    """Stands for a look-up that costs nothing."""
    return f"looked at {address}"


@playbook(trigger="webhook", conditions={"tags": ["measure-runs"]})
async def measured(alert: dict[str, Any]) -> dict[str, str]:
    """One recorded action and one recorded change of the alert."""
    seen = await look_at(alert.get("hostname") or "")
    await add_current_alert_comment(seen)
    return {"seen": seen}
