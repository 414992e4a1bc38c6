"""Rows of the ServiceNow sync for tests of what people see and do of it."""

from __future__ import annotations

import itertools
from typing import Any

from cases.models import (
    Incident,
    LinkState,
    MappingGap,
    ServiceNowInstance,
    TicketChange,
    TicketConflict,
    TicketLink,
    TicketProfile,
)
from cases.models.servicenow_traffic import ChangeState
from cases.servicenow.mapping import defaults
from soar.connectors.models import ConnectorAccount
from soar.lib import clock

_numbers = itertools.count(1)


def make_instance(slug: str = "fjord", **fields: Any) -> ServiceNowInstance:
    """An instance whose connector is never called."""
    url = f"https://{slug}.service-now.example"
    account = ConnectorAccount.objects.create(
        kind="servicenow", name=f"{slug} {next(_numbers)}", settings={"url": url, "username": "soar.integration"}
    )
    return ServiceNowInstance.objects.create(account=account, slug=slug, **fields)


def make_profile(instance: ServiceNowInstance, name: str = "", **fields: Any) -> TicketProfile:
    """A profile that is on, with the maps as delivered."""
    values = {**defaults("incident"), "table": "incident", "enabled": True, **fields}
    return TicketProfile.objects.create(instance=instance, name=name or f"Profile {next(_numbers)}", **values)


def make_link(incident: Incident, profile: TicketProfile, **fields: Any) -> TicketLink:
    """A link that works, with a ticket of its own."""
    number = next(_numbers)
    values: dict[str, Any] = {
        "state": LinkState.LINKED,
        "sys_id": f"{number:032x}",
        "number": f"INC{number:07d}",
        "correlation_id": f"soar:00000000:{incident.pk}:{number}",
        "last_out_at": clock.now(),
        **fields,
    }
    return TicketLink.objects.create(
        incident=incident, instance=profile.instance, profile=profile, table=profile.table, **values
    )


def make_failure(link: TicketLink, **fields: Any) -> TicketChange:
    """A change that ServiceNow refused."""
    values: dict[str, Any] = {
        "kind": "fields",
        "state": ChangeState.FAILED,
        "attempts": 3,
        "said": "403 Operation Failed: Data Policy Exception: Resolution code is mandatory",
        "hint": "The profile maps no close code for suspicious.",
        **fields,
    }
    return TicketChange.objects.create(link=link, **values)


def make_waiting(link: TicketLink, **fields: Any) -> TicketChange:
    """A change that is to be sent."""
    return TicketChange.objects.create(link=link, **{"kind": "note", "entry": next(_numbers), **fields})


def make_conflict(link: TicketLink, field: str = "severity", **fields: Any) -> TicketConflict:
    """A field that both sides changed; nobody has decided."""
    values: dict[str, Any] = {
        "base": {"value": "medium", "shown": "medium (2, 2)"},
        "ours": {"value": "high", "shown": "high (1, 2)", "by": "Kei Tanaka", "at": "2026-03-12T08:58:00+00:00"},
        "theirs": {"value": "low", "shown": "low (3, 3)", "by": "o.strand", "at": "2026-03-12T09:01:00+00:00"},
        "raw": {"impact": "3", "urgency": "3", "priority": "5"},
        "rule": "ask",
        **fields,
    }
    return TicketConflict.objects.create(link=link, field=field, **values)


def make_gap(
    profile: TicketProfile, map_name: str = "close_code", value: str = "suspicious", **fields: Any
) -> MappingGap:
    """A value without a counterpart that was met three times."""
    return MappingGap.objects.create(profile=profile, map=map_name, value=value, **{"met": 3, **fields})
