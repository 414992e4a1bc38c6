"""What an incident's values are in a ticket, and the other way round, by a profile's maps (servicenow.md 2). Pure.

Values of ours: title, severity, status, owner and team are texts, the determination is {"determination", "notes"}. Raw
values are texts by the name of the ticket's field. This is the one door to the modules that do it."""

from __future__ import annotations

from cases.servicenow.comparing import agrees
from cases.servicenow.defaults import DEFAULT_MAPS, MAPS, STEPS, defaults, maps_of
from cases.servicenow.gaps import gaps, missing_in, missing_out
from cases.servicenow.inward import incoming, ticket_ended
from cases.servicenow.outward import close_of, ours, outgoing
from cases.servicenow.rules import (
    DIRECTIONS,
    FIELDS,
    RAW_FIELDS,
    UNMAPPED,
    VALUES,
    WINNERS,
    CaseState,
    Gap,
    ProfileRules,
    is_ended,
    raw_of,
)

__all__ = [
    "DEFAULT_MAPS",
    "DIRECTIONS",
    "FIELDS",
    "MAPS",
    "RAW_FIELDS",
    "STEPS",
    "UNMAPPED",
    "VALUES",
    "WINNERS",
    "CaseState",
    "Gap",
    "ProfileRules",
    "agrees",
    "close_of",
    "defaults",
    "gaps",
    "incoming",
    "is_ended",
    "maps_of",
    "missing_in",
    "missing_out",
    "ours",
    "outgoing",
    "raw_of",
    "ticket_ended",
]
