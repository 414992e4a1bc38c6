"""What is granted to a person by name, read once per request: visibility asks for it several times a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.lookups import Lookup

from soar.accounts.membership import keep_team_ids, may, team_ids
from soar.accounts.models import User
from soar.accounts.models.grant import current

# Grants are exceptions (access.md 3). Who has more of them than this is asked about in the database, row by row.
AT_MOST = 2_000
PERMISSIONS = {"Source": "view_source", "Incident": "view_incident"}

# Whether somebody manages some source or connector by a grant: for the places of the navigation.
MANAGES_SOURCE, MANAGES_CONNECTOR = 1, 2
_MANAGED = {
    MANAGES_SOURCE: ("cases_source", "manage_source"),
    MANAGES_CONNECTOR: ("connectors_connector", "manage_connectoraccount"),
}
_READ = """
    (SELECT '{word}', {value}::bigint FROM {table}userpermission g
     JOIN auth_permission p ON p.id = g.permission_id
     WHERE g.user_id = %(user)s AND p.codename = '{codename}' AND (g.expires_at IS NULL OR g.expires_at > now())
     LIMIT {most})
    UNION
    (SELECT '{word}', {value}::bigint FROM {table}grouppermission g
     JOIN accounts_user_groups m ON m.group_id = g.group_id
     JOIN auth_permission p ON p.id = g.permission_id
     WHERE m.user_id = %(user)s AND p.codename = '{codename}' AND (g.expires_at IS NULL OR g.expires_at > now())
     LIMIT {most})
"""
_TEAMS = """
    SELECT 'Team', t.id::bigint FROM accounts_team t JOIN accounts_user_groups m ON m.group_id = t.group_id
    WHERE m.user_id = %(user)s
"""
_LISTED = [
    _READ.format(word=one, value="g.content_object_id", table=f"cases_{one.lower()}", codename=name, most="%(most)s")
    for one, name in PERMISSIONS.items()
]
_HELD = [
    _READ.format(word="Manages", value=number, table=table, codename=name, most=1)
    for number, (table, name) in _MANAGED.items()
]
READ = " UNION ALL ".join([_TEAMS, *(f"({one})" for one in (*_LISTED, *_HELD))])
READ_EACH = f"""
    SELECT person.id, held.* FROM unnest(%(users)s::bigint[]) person(id)
    CROSS JOIN LATERAL ({READ.replace("%(user)s", "person.id")}) held
"""  # noqa: S608  our own text


@dataclass(frozen=True, slots=True)
class Granted:
    """Ids of one kind of thing that are granted to a person or one of their groups; ``too_many`` to be listed."""

    ids: list[int]
    too_many: bool = False


class AnyOf(Lookup):
    """``column = ANY(list)`` of ids: one value of the statement, however long the list is. Written here: the driver
    takes longer for a list of hundreds than the database for its answer."""

    lookup_name = "any_of"
    prepare_rhs = False
    form = "{left} = ANY({ids}::bigint[])"

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """The comparison."""
        left, values = self.process_lhs(compiler, connection)
        ids = ",".join(map(str, self.rhs))
        return self.form.format(left=left, ids="%s"), [*values, f"{{{ids}}}"]


class Among(AnyOf):
    """The same where no index by the column can help: the planner thinks about each value of a list that it sees."""

    lookup_name = "among"
    form = "{left} IN (SELECT unnest({ids}::bigint[]))"


def granted(user: User, model: str, outer: str = "pk") -> Q:
    """That the row ``outer`` points at (a source or an incident) is granted to the user or one of their groups."""
    found = grants_of(user)[model]
    if found.too_many:
        return _in_database(user, model, outer)
    return Q(AnyOf(F(outer), found.ids)) if found.ids else Q(pk__in=[])


def grants_of(user: User) -> dict[str, Granted]:
    """What is granted to the user, by model. Kept on the user object, which lives as long as the request; so are their
    teams, which come with it."""
    cached: dict[str, Granted] | None = getattr(user, "_grants", None)
    if cached is None:
        with connection.cursor() as cursor:
            cursor.execute(READ, {"user": user.pk, "most": AT_MOST + 1})
            cached = _keep(user, cursor.fetchall())
    return cached


def read_grants(people: Sequence[User]) -> None:
    """What is granted to each of these people, by one statement for all, for ``grants_of`` and ``team_ids``.
    Who was read before is not read again."""
    asked = [user for user in people if not hasattr(user, "_grants")]
    if not asked:
        return
    rows: dict[int, list[tuple[str, int]]] = {user.pk: [] for user in asked}
    with connection.cursor() as cursor:
        cursor.execute(READ_EACH, {"users": list(rows), "most": AT_MOST + 1})
        for user, name, pk in cursor.fetchall():
            rows[user].append((name, pk))
    for person in asked:
        _keep(person, rows[person.pk])


def _keep(user: User, rows: list[tuple[str, int]]) -> dict[str, Granted]:
    ids = {model: sorted(pk for name, pk in rows if name == model) for model in ("Team", "Manages", *PERMISSIONS)}
    keep_team_ids(user, ids.pop("Team"))
    user._manages = ids.pop("Manages")  # type: ignore[attr-defined]
    cached = {model: Granted(own[:AT_MOST], len(own) > AT_MOST) for model, own in ids.items()}
    user._grants = cached  # type: ignore[attr-defined]
    return cached


def standing(user: User) -> Any:
    """All of a person that selections of what they see and manage are made of: the same of all this makes the same
    SQL (settings.NAV_STANDING)."""
    found = grants_of(user)
    grants = tuple((model, tuple(one.ids), one.too_many) for model, one in found.items())
    scopes = None if user.token_scopes is None else frozenset(user.token_scopes)
    held = user.is_superuser or frozenset(user.get_all_permissions())
    managed: list[int] = user._manages  # type: ignore[attr-defined]
    behind = standing(user.viewer) if user.viewer is not None else None
    return user.pk, user.is_active, held, scopes, tuple(team_ids(user)), grants, tuple(managed), behind


def holds_some(user: User, what: int) -> bool:
    """Whether the user manages some source or connector by a grant (``MANAGES_SOURCE``, ``MANAGES_CONNECTOR``)."""
    grants_of(user)
    managed: list[int] = user._manages  # type: ignore[attr-defined]
    return what in managed


def manages_connectors(user: User) -> bool:
    """The same of connectors, for the navigation (settings.NAV_GRANTED)."""
    return may(user, "manage_connectors") or (user.token_scopes is None and holds_some(user, MANAGES_CONNECTOR))


def _in_database(user: User, model: str, outer: str) -> Q:
    """The same by guardian's direct tables ``<model>UserPermission`` and ``<model>GroupPermission``."""
    from cases.models import permissions as tables

    wanted = {"content_object": OuterRef(outer), "permission__codename": PERMISSIONS[model]}
    by_user = getattr(tables, f"{model}UserPermission").objects.filter(current(), user=user, **wanted)
    by_group = getattr(tables, f"{model}GroupPermission").objects.filter(current(), group__user=user, **wanted)
    return Q(Exists(by_user)) | Q(Exists(by_group))
