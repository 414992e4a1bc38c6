"""Test connection (servicenow.md 1): what the integration user may do, told one by one. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.audit import TABLE as AUDIT
from soar.connectors.servicenow.choices import Choices
from soar.connectors.servicenow.journal import TABLE as JOURNAL
from soar.connectors.servicenow.journal import Journal
from soar.connectors.servicenow.records import Choice, flat
from soar.connectors.servicenow.tables import RAW, every
from soar.lib import clock

INCIDENT, SECURITY = "incident", "sn_si_incident"
# What is read besides tickets: choices, people, groups.
BESIDE = ("sys_choice", "sys_user", "sys_user_group")
# Any one of these lets the user work on the table's records; and, to close them, of those.
WORKERS = {
    INCIDENT: {"itil", "sn_incident_write"},
    SECURITY: {"sn_si.analyst", "sn_si.basic", "sn_si.integration_user"},
}
CLOSERS = {INCIDENT: {"itil_admin", "admin"}}
ALL = {"admin"}
HISTORY = "history"  # good to have: nobody misses it
FINE_SKEW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``ok`` None: it could not be told, or is worth knowing without being wrong."""

    name: str
    ok: bool | None
    text: str


class Inspected(Choices, Journal):
    """What is looked at, one after the other."""

    def inspect(self, tables: Iterable[str] = (INCIDENT, SECURITY)) -> list[Finding]:
        """Credentials, integration user, roles, access to each of ``tables`` and those beside, notes, time zone, clock.
        If the credentials are not taken, that alone. Never raises ConnectorError."""
        try:
            self.page("test", every("sys_user"), {**RAW, "sysparm_fields": "sys_id"}, size=1)
        except ConnectorError as error:
            # 403 is an answer to somebody who is known.
            if error.status != 403:
                return [Finding("credentials", False, error.message)]
        named = list(dict.fromkeys(tables))
        found = [Finding("credentials", True, "ServiceNow takes the credentials.")]
        user, finding = self._user()
        found += [finding, *_told("roles", lambda: _roles(self, user, named))]
        for table in (*named, *BESIDE):
            found += _told(f"table {table}", partial(_table_of, self, table))
        found += _told("notes", lambda: [_notes(self)])
        found += _told(HISTORY, lambda: [_history(self)])
        found += _told("time zone", lambda: [_zone(self, named)])
        return [*found, _clock(self.skew)]

    def _user(self) -> tuple[Choice | None, Finding]:
        name = "integration user"
        try:
            user = self.me()
        except ConnectorError as error:
            return None, Finding(name, None, error.message)
        if user is None:
            text = "ServiceNow does not tell who asks: give the user name, by which our own notes are known."
            return None, Finding(name, None, text)
        return user, Finding(name, True, f"{user.label}.")


def summary(findings: list[Finding]) -> str:
    """All of it in a sentence. Raises ConnectorError when something is wrong."""
    wrong = [finding.text for finding in findings if finding.ok is False]
    if wrong:
        raise ConnectorError(" ".join(wrong), permanent=True)
    user = next((one.text for one in findings if one.name == "integration user" and one.ok), "")
    unsure = [finding.text for finding in findings if finding.ok is None and finding.name != HISTORY]
    return " ".join([f"ServiceNow takes the credentials{f' of {user}' if user else '.'}", *unsure])


def _told(name: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    """What was found; of a look that failed, why."""
    try:
        return look()
    except ConnectorError as error:
        return [Finding(name, False, error.message)]


def _roles(api: Inspected, user: Choice | None, tables: list[str]) -> list[Finding]:
    if user is None:
        return [Finding("roles", None, "Without the integration user its roles are not known.")]
    condition = query.equals("user", query.identity(user.value))
    asked = {**RAW, "sysparm_fields": "user,role.name", "sysparm_query": condition}
    try:
        rows = [flat(row) for row in api.rows("roles.read", every("sys_user_has_role"), asked)]
    except ConnectorError as error:
        if error.status != 403:
            raise
        rows = []
    if any(row.get("user", user.value) != user.value for row in rows):
        raise query.IgnoredQuery("sys_user_has_role", "user")
    roles = {row.get("role.name", "") for row in rows} - {""}
    if not roles:
        return [Finding("roles", None, "The roles of the integration user may not be read.")]
    lacks = [sentence for table in tables if (sentence := _lack(roles, table))]
    shown = f"Roles: {', '.join(sorted(roles))}."
    return [Finding("roles", None if lacks else True, " ".join([shown, *lacks]))]


def _lack(roles: set[str], table: str) -> str:
    """What the roles do not allow, as far as roles tell: an instance may have rules of its own."""
    if table in WORKERS and not roles & (WORKERS[table] | ALL):
        return f"None of {', '.join(sorted(WORKERS[table]))}: records of {table} may not be writable."
    if table in CLOSERS and not roles & CLOSERS[table]:
        return f"Without itil_admin, records of {table} can be resolved, maybe not closed."
    return ""


def _table_of(api: Inspected, table: str) -> list[Finding]:
    return [_table(api, table)]


def _table(api: Inspected, table: str) -> Finding:
    name = f"table {table}"
    try:
        page = api.page("table.read", every(table), {**RAW, "sysparm_fields": "sys_id"}, size=1)
    except ConnectorError as error:
        if error.status == 400 and table == SECURITY:
            return Finding(name, None, "Security Incident Response is not installed (no table sn_si_incident).")
        return Finding(name, False, f"{table}: {error.message}")
    if page.rows:
        return Finding(name, True, f"{table} can be read.")
    if page.total:
        return Finding(name, None, f"{table} has {page.total} records, and the first may not be read.")
    return Finding(name, None, f"{table} shows no record: it is empty or hidden.")


def _notes(api: Inspected) -> Finding:
    try:
        page = api.page("journal.test", every(JOURNAL), {**RAW, "sysparm_fields": "sys_id"}, size=1)
    except ConnectorError as error:
        if error.status not in {400, 403, 404}:
            raise
        page = None
    if page and page.rows:
        return Finding("notes", True, "Notes can be read by themselves.")
    if page and not page.total:
        return Finding("notes", None, f"{JOURNAL} shows no entry: there is none, or it is hidden.")
    text = f"{JOURNAL} may not be read: notes are taken from what records show, without the writers' user names."
    return Finding("notes", None, text)


def _history(api: Inspected) -> Finding:
    """Whether sys_audit tells what became of single fields."""
    page = None
    try:
        page = api.page("audit.test", every(AUDIT), {**RAW, "sysparm_fields": "sys_id"}, size=1)
    except ConnectorError as error:
        if error.status not in {400, 403, 404}:
            raise
    if page and (page.rows or not page.total):
        return Finding(HISTORY, True, "The history of fields can be read.")
    text = (
        f"{AUDIT} may not be read: of two changes the newer one is told by the time of the whole ticket, and a value "
        "that was overwritten in the same moment is not found again."
    )
    return Finding(HISTORY, None, text)


def _zone(api: Inspected, tables: list[str]) -> Finding:
    name = "time zone"
    for table in (*tables, "sys_user"):
        try:
            zone = api.measured_zone(table)
        except ConnectorError:
            continue
        if zone is not None:
            hours = zone.offset.total_seconds() / 3600
            if not zone.offset:
                return Finding(name, True, "The integration user's time zone is UTC.")
            text = f"The integration user's time zone is {hours:+g} hours from UTC."
            return Finding(name, None, f"{text} Set it to GMT, so that polls ask for less.")
    return Finding(name, None, "No record tells the integration user's time zone; set it to GMT.")


def _clock(skew: timedelta | None) -> Finding:
    if skew is None:
        return Finding("clock", None, "ServiceNow does not tell its time.")
    seconds = abs(skew.total_seconds())
    if seconds < 2:
        return Finding("clock", True, f"The clocks agree ({clock.iso(clock.now())}).")
    text = f"ServiceNow's clock is {seconds:.0f} seconds {'ahead of' if skew > timedelta() else 'behind'} ours."
    return Finding("clock", True if seconds < FINE_SKEW.total_seconds() else None, text)
