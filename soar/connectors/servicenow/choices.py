"""What fields may hold, as the instance has it now: choices, people, groups (servicenow.md 2)."""

from __future__ import annotations

from collections.abc import Iterator

from django.core.cache import cache

from soar.connectors.base import ConnectorError
from soar.connectors.servicenow import query
from soar.connectors.servicenow.records import Choice, flat
from soar.connectors.servicenow.tables import RAW, Tables, every

KEPT_SECONDS = 300
PARENT = "task"  # impact, urgency, priority of incident and sn_si_incident are choices of task
USER_FIELDS = ("sys_id", "user_name", "name", "email", "active")
GROUP_FIELDS = ("sys_id", "name", "active")
LONGEST = 150  # of a name that is searched for
ME = "sys_id=javascript:gs.getUserID()"
ACTIVE = "active=true"


class Choices(Tables):
    """Searches come back empty for what cannot stand in a query; a row that does not fit is left out."""

    def choices(self, table: str, element: str) -> list[Choice]:
        """The active English choices of a field, in their order; those of task where the table has none of its own.
        Kept for five minutes. Raises ConnectorError."""
        name = self.cache_name(f"choices:{query.table_named(table)}:{query.named(element)}")
        kept = cache.get(name)
        if kept is None:
            kept = self._asked_choices(table, element)
            if kept:
                cache.set(name, kept, KEPT_SECONDS)
        return [Choice(value, label) for value, label in kept]

    def _asked_choices(self, table: str, element: str) -> list[tuple[str, str]]:
        condition = query.both(
            query.among("name", [table, PARENT]),
            query.equals("element", element),
            query.equals("inactive", "false"),
            query.equals("language", "en"),
            "ORDERBYsequence",
        )
        fields = "name,element,value,label,inactive,language"
        asked = {**RAW, "sysparm_fields": fields, "sysparm_query": condition}
        by_table: dict[str, dict[str, str]] = {table: {}, PARENT: {}}
        for row in map(flat, self.rows("choices.read", every("sys_choice"), asked)):
            if row.get("name") not in by_table or row.get("element") != element:
                raise query.IgnoredQuery("sys_choice", "name")
            if row.get("inactive") != "true" and row.get("language", "en") == "en":
                by_table[row["name"]].setdefault(row.get("value", ""), row.get("label", ""))
        return list((by_table[table] or by_table[PARENT]).items())

    def users(self, text: str, limit: int = 20) -> list[Choice]:
        """Active users whose name, user name or mail address holds ``text``; the first ones for "".
        Raises ConnectorError."""
        return list(self._found("sys_user", USER_FIELDS, ("name", "user_name", "email"), text, limit))

    def groups(self, text: str, limit: int = 20) -> list[Choice]:
        """Active groups whose name holds ``text``; the first ones for "". Raises ConnectorError."""
        return list(self._found("sys_user_group", GROUP_FIELDS, ("name",), text, limit))

    def user(self, identity: str) -> Choice | None:
        """The one user with this user name, mail address or sys_id; None for none, and for several. Raises
        ConnectorError."""
        fields = ("email",) if "@" in identity else ("user_name", "sys_id")
        return self._single("sys_user", USER_FIELDS, fields, identity)

    def group(self, identity: str) -> Choice | None:
        """The one group with this name or sys_id; None for none, and for several. Raises ConnectorError."""
        return self._single("sys_user_group", GROUP_FIELDS, ("name", "sys_id"), identity)

    def me(self) -> Choice | None:
        """The integration user: by the account's ``username``, else as ServiceNow itself sees who asks; None when it
        does not tell. Raises ConnectorError."""
        if name := str(self.account.settings.get("username") or "").strip():
            return self.user(name)
        asked = {**RAW, "sysparm_fields": ",".join(USER_FIELDS), "sysparm_query": ME}
        page = self.page("user.me", every("sys_user"), asked, size=2)
        # Where such a query is not run, it is ignored and everybody comes back.
        return _choice(flat(page.rows[0])) if len(page.rows) == 1 and (page.total or 1) == 1 else None

    def _found(
        self, table: str, fields: tuple[str, ...], searched: tuple[str, ...], text: str, limit: int
    ) -> Iterator[Choice]:
        text = text.strip()
        if text and not _askable(text):
            return
        word = "^OR".join(query.holds(name, one) for name in searched for one in _cases(text)) if text else ""
        condition = query.both(word, ACTIVE, "ORDERBYname")
        asked = {**RAW, "sysparm_fields": ",".join(fields), "sysparm_query": condition}
        for row in map(flat, self.page(f"{table}.search", every(table), asked, size=limit).rows):
            if (
                any(text.casefold() in row.get(name, "").casefold() for name in searched)
                and row.get("active") != "false"
            ):
                yield _choice(row)

    def _single(self, table: str, fields: tuple[str, ...], keys: tuple[str, ...], identity: str) -> Choice | None:
        identity = identity.strip()
        if not identity or not _askable(identity):
            return None
        condition = "^OR".join(query.equals(name, one) for name in keys for one in _cases(identity))
        asked = {**RAW, "sysparm_fields": ",".join(fields), "sysparm_query": condition}
        rows = [flat(row) for row in self.page(f"{table}.find", every(table), asked, size=5).rows]
        fit = [row for row in rows if any(row.get(name, "").casefold() == identity.casefold() for name in keys)]
        return _choice(fit[0]) if len(fit) == 1 else None


def _cases(text: str) -> list[str]:
    """The text, in small letters, and with great initials: an instance may tell them apart."""
    return list(dict.fromkeys([text, text.lower(), text.title()]))


def _askable(text: str) -> bool:
    if len(text) > LONGEST:
        return False
    try:
        return bool(query.plain(text))
    except ConnectorError:
        return False


def _choice(row: dict[str, str]) -> Choice:
    name, login = row.get("name", ""), row.get("user_name", "")
    label = f"{name} ({login})" if name and login and name != login else name or login or row.get("sys_id", "")
    return Choice(row.get("sys_id", ""), label, login or name, row.get("email", ""))
