"""Instances and ticket profiles of tests, without asking ServiceNow for its choices."""

from __future__ import annotations

from typing import Any

from cases.models import ServiceNowInstance, TicketProfile
from cases.servicenow.defaults import defaults
from soar.connectors.models import ConnectorAccount
from soar.standins.servicenow import seed


def make_instance(account: ConnectorAccount | None = None, slug: str = "example", **fields: Any) -> ServiceNowInstance:
    """An instance of an account; of one that leads nowhere if none is given."""
    if account is None:
        address = f"https://{slug}.service-now.example"
        account = ConnectorAccount.objects.create(
            kind="servicenow", name=f"ServiceNow {slug}", settings={"url": address}
        )
    return ServiceNowInstance.objects.create(account=account, slug=slug, **fields)


def make_profile(
    instance: ServiceNowInstance, name: str = "Security", table: str = "incident", **fields: Any
) -> TicketProfile:
    """A profile that is on, for the group Security Operations."""
    group = {"value": seed.group_id("Security Operations"), "label": "Security Operations"}
    given = {**defaults(table), "enabled": True, "assignment_group": group, "category": "software", **fields}
    return TicketProfile.objects.create(instance=instance, name=name, table=table, **given)
