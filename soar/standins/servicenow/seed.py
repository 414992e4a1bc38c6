"""What the instance has from the beginning: people, groups, roles, choices, properties, a few incidents of others."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

from soar.standins.servicenow.choices import choice_rows
from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.settings import SETTINGS
from soar.standins.servicenow.store import fixed_id
from soar.standins.servicenow.times import stamp

INTEGRATION = "soar.integration"
PASSWORD = "practice"  # noqa: S105  of a stand-in that listens on loopback alone
API_KEY = "practice-api-key"
CLIENT_ID = "0f5e9ad1c7b14f6c8a57d3f0b6a1e942"
CLIENT_SECRET = "practice-client-secret"  # noqa: S105  as above
REFRESH_TOKEN = "practice-refresh-token"  # noqa: S105  as above
NEVER = 4_000_000_000
API, ITIL, ITIL_ADMIN, SIR = "snc_platform_rest_api_access", "itil", "itil_admin", "sn_si.analyst"
# User name, first and last name, time zone, roles, groups.
PEOPLE: list[tuple[str, str, str, str, tuple[str, ...], tuple[str, ...]]] = [
    (INTEGRATION, "Soar", "Integration", "GMT", (API, ITIL, ITIL_ADMIN, SIR, "personalize_read_dictionary"), ()),
    ("admin", "System", "Administrator", "GMT", ("admin",), ()),
    ("o.strand", "Ola", "Strand", "Europe/Oslo", (API, ITIL, ITIL_ADMIN, SIR), ("Security Operations", "Service Desk")),
    ("mara.lindqvist", "Mara", "Lindqvist", "Europe/Stockholm", (ITIL, SIR), ("Security Operations",)),
    ("priya.raman", "Priya", "Raman", "Europe/London", (ITIL, SIR), ("Security Operations", "Network Team")),
    ("jonas.adeyemi", "Jonas", "Adeyemi", "Europe/Berlin", (ITIL, SIR), ("Security Operations",)),
    ("hanna.wojcik", "Hanna", "Wójcik", "Europe/Warsaw", (ITIL,), ("Endpoint Team",)),
    ("l.becker", "Lena", "Becker", "US/Pacific", (API, ITIL), ("Service Desk", "Endpoint Team")),
    ("e.caller", "Emil", "Caller", "US/Eastern", (), ()),
]
GROUPS = ("Security Operations", "Service Desk", "Network Team", "Endpoint Team")
PROPERTIES = {
    "glide.invalid_query.returns_no_rows": "false",
    "com.glide.attachment.max_size": "1024",
    "glide.attachment.extensions": "",
    "glide.oauth.inbound.client.credential.grant_type.enabled": "true",
    "glide.sys.default.tz": "US/Pacific",
}
# Of others, without a correlation id: what a careless query finds.
OTHERS = (
    ("VPN drops every few minutes", "network", "2", "e.caller"),
    ("New starter needs a laptop", "hardware", "1", "e.caller"),
    ("Mailbox is full", "software", "3", "l.becker"),
)


def fresh() -> dict[str, Any]:
    """The state after a reset; all of it is JSON."""
    now = stamp(datetime.now(UTC) - timedelta(hours=3))
    state: dict[str, Any] = {
        "tables": {name: {} for name in TABLES},
        "counters": {},
        "settings": copy.deepcopy(SETTINGS),
        "hidden": {},
        "contents": {},
        "tokens": {REFRESH_TOKEN: {"kind": "refresh", "user": INTEGRATION, "until": NEVER}},
        "passwords": {person[0]: PASSWORD for person in PEOPLE},
        "api_keys": {API_KEY: INTEGRATION},
        "clients": {CLIENT_ID: {"secret": CLIENT_SECRET, "user": INTEGRATION}},
    }
    for table, row in (*_people(), *_groups(), *_properties(), *choice_rows(), *_others(now)):
        state["tables"][table][row["sys_id"]] = filled(table, row, now)
    state["counters"] = {"incident": 10000 + len(OTHERS)}
    return state


def filled(table: str, row: Row, now: str) -> Row:
    """A row with all fields of its table."""
    blank = {name: field.default for name, field in TABLES[table].fields.items()}
    system = {"sys_created_on": now, "sys_updated_on": now, "sys_created_by": "admin", "sys_updated_by": "admin"}
    return {**blank, **system, **row}


def user_id(name: str) -> str:
    """The identity of a user of the beginning."""
    return fixed_id("sys_user", name)


def group_id(name: str) -> str:
    """The identity of a group of the beginning."""
    return fixed_id("sys_user_group", name)


def _people() -> list[tuple[str, Row]]:
    made: list[tuple[str, Row]] = []
    for user, first, last, zone, roles, groups in PEOPLE:
        named = {"first_name": first, "last_name": last, "name": f"{first} {last}"}
        email = f"{user}@corp.example.com"
        made.append(
            ("sys_user", {"sys_id": user_id(user), "user_name": user, "email": email, "time_zone": zone, **named})
        )
        for role in roles:
            made.append(("sys_user_role", {"sys_id": fixed_id("role", role), "name": role}))
            both = {"user": user_id(user), "role": fixed_id("role", role)}
            made.append(("sys_user_has_role", {"sys_id": fixed_id("has", user, role), **both}))
        for group in groups:
            made.append(
                (
                    "sys_user_grmember",
                    {"sys_id": fixed_id("member", user, group), "user": user_id(user), "group": group_id(group)},
                )
            )
    return made


def _groups() -> list[tuple[str, Row]]:
    return [("sys_user_group", {"sys_id": group_id(name), "name": name}) for name in GROUPS]


def _properties() -> list[tuple[str, Row]]:
    return [
        ("sys_properties", {"sys_id": fixed_id("property", name), "name": name, "value": value})
        for name, value in PROPERTIES.items()
    ]


def _others(now: str) -> list[tuple[str, Row]]:
    return [
        (
            "incident",
            {
                "sys_id": fixed_id("incident", text), "number": f"INC{10001 + place:07d}", "short_description": text,
                "category": category, "state": state, "priority": "5", "caller_id": user_id(caller),
                "opened_by": user_id(caller), "opened_at": now, "sys_class_name": "incident",
            },
        )
        for place, (text, category, state, caller) in enumerate(OTHERS)
    ]  # fmt: skip
