"""Who asks, and what that one may see and do."""

from __future__ import annotations

import base64
import binascii
import hmac
from zoneinfo import ZoneInfo

from soar.standins.base import Request
from soar.standins.servicenow import oauth
from soar.standins.servicenow.answers import Refusal, not_signed_in
from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.store import Store
from soar.standins.servicenow.times import zone_of

API_ROLE = "snc_platform_rest_api_access"
READERS = {"incident": {"itil", "itil_admin"}, "sn_si_incident": {"sn_si.analyst", "sn_si.admin", "sn_si.basic"}}
WRITERS = {"incident": {"itil", "itil_admin"}, "sn_si_incident": {"sn_si.analyst", "sn_si.admin"}}
CLOSERS = {"incident": {"itil_admin"}, "sn_si_incident": {"sn_si.analyst", "sn_si.admin"}}
DELETERS = {"incident": {"itil_admin"}, "sn_si_incident": {"sn_si.admin"}}
SECRET_TABLES = ("sys_properties",)


class Person:
    """A signed-in user of the instance. ``all_rights``: the desk's own doing, which no access rule stops."""

    def __init__(self, store: Store, row: Row, *, all_rights: bool = False) -> None:
        self.row, self.name, self.sys_id = row, row["user_name"], row["sys_id"]
        self.roles = roles_of(store, row["sys_id"])
        self.all_rights = all_rights or "admin" in self.roles
        self._settings = store.settings
        self.zone: ZoneInfo = zone_of(row["time_zone"], store.property("glide.sys.default.tz", "US/Pacific"))

    def may(self, needed: dict[str, set[str]], table: str) -> bool:
        """Whether one of the roles that the verb needs on the table is there."""
        return self.all_rights or table not in needed or bool(needed[table] & self.roles)

    def reads_field(self, field: str) -> bool:
        """Fields can be kept from everybody but the desk."""
        return self.all_rights or field not in self._settings["unreadable"]

    def writes_field(self, field: str) -> bool:
        """See reads_field; what may not be written is dropped without a word."""
        return self.all_rights or field not in self._settings["unwritable"]

    def sees(self, store: Store, table: str, row: Row) -> bool:
        """Whether the row is shown at all."""
        if self.all_rights:
            return True
        if row["sys_id"] in store.state["hidden"]:
            return False
        if table == "sys_journal_field":
            return bool(store.settings["journal_read"] == "yes")
        if table == "sys_audit":
            return bool(store.settings["audit_read"] == "yes")
        if table == "sys_attachment":
            return parent_seen(store, self, row)
        return table not in SECRET_TABLES and self.may(READERS, table)


def parent_seen(store: Store, person: Person, row: Row) -> bool:
    """An attachment is seen by whoever sees what it hangs on."""
    if row["table_name"] not in TABLES:
        return False
    parent = store.get(row["table_name"], row["table_sys_id"])
    return parent is not None and person.sees(store, row["table_name"], parent)


def check_table(store: Store, person: Person, table: str) -> None:
    """Raises Refusal: a table that is not there (400), or closed to this user (403)."""
    if table not in TABLES:
        raise Refusal(400, f"Invalid table {table}")
    closed = table in store.settings["closed_tables"]
    for name, setting in (("sys_journal_field", "journal_read"), ("sys_audit", "audit_read")):
        closed = closed or (table == name and store.settings[setting] == "no")
    if closed and not person.all_rights:
        raise Refusal(403, "User Not Authorized", "Failed API level ACL Validation")


def roles_of(store: Store, user: str) -> set[str]:
    """The names of a user's roles."""
    return {store.display("sys_user_role", row["role"]) for row in store.by("sys_user_has_role", "user", user)}


def authenticate(store: Store, request: Request) -> Person:
    """Whoever the request comes from, by Basic, bearer token or API key. Raises Refusal (401, 403)."""
    user = _by_key(store, request) or _by_header(store, request.headers.get("authorization", ""))
    row = next(iter(store.by("sys_user", "user_name", user)), None) if user else None
    if row is None or row["active"] != "true":
        raise not_signed_in()
    person = Person(store, row)
    if API_ROLE not in person.roles and not person.all_rights:
        raise Refusal(403, "User Not Authorized", "Failed API level ACL Validation")
    return person


def password_right(store: Store, user: str, password: str) -> bool:
    """Whether this is the password."""
    known: str = store.state["passwords"].get(user, "")
    return bool(known) and hmac.compare_digest(known.encode(), password.encode())


def _by_key(store: Store, request: Request) -> str:
    return str(store.state["api_keys"].get(request.headers.get("x-sn-apikey", ""), ""))


def _by_header(store: Store, header: str) -> str:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return oauth.user_of(store, rest.strip())
    if scheme.lower() != "basic":
        return ""
    try:
        user, _, password = base64.b64decode(rest, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return user if password_right(store, user, password) else ""
