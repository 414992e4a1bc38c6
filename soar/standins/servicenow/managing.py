"""What the control does with the instance itself: outages, limits, clock, people, properties, settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from soar.standins.servicenow import oauth
from soar.standins.servicenow.access import Person
from soar.standins.servicenow.limits import Budget
from soar.standins.servicenow.schema import TABLES, Row
from soar.standins.servicenow.settings import SETTINGS
from soar.standins.servicenow.store import Store, fixed_id

Wish = dict[str, Any]


def person(store: Store, user_name: str) -> Person:
    """Somebody of the desk, with all rights. Raises KeyError."""
    rows = store.by("sys_user", "user_name", user_name)
    if not rows:
        raise KeyError(f"there is no user {user_name}")
    return Person(store, rows[0], all_rights=True)


def system(store: Store) -> Person:
    """The instance itself, as it signs what its jobs do."""
    blank: Row = {name: field.default for name, field in TABLES["sys_user"].fields.items()}
    return Person(store, {**blank, "user_name": "system", "name": "System", "time_zone": "GMT"}, all_rights=True)


def _down(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings["down_until"] = time.time() + float(wish.get("seconds", 60))
    store.settings["down_how"] = str(wish.get("how", "drop"))
    return store.settings


def _up(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings["down_until"] = 0.0
    return store.settings


def _hibernate(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings["hibernating"] = True
    return store.settings


def _wake(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings |= {"hibernating": False, "down_until": 0.0}
    return store.settings


def _budget(store: Store, budget: Budget, wish: Wish) -> Wish:
    most = wish.get("per_hour")
    store.settings |= {"budget": None if most is None else int(most), "window": float(wish.get("window", 3600))}
    budget.clear()
    return store.settings


def _expire(store: Store, budget: Budget, wish: Wish) -> Wish:
    return {"expired": oauth.expire(store, refresh=bool(wish.get("refresh")))}


def _clock(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings["frozen"] = ""
    if "skew" in wish:
        store.settings["skew"] = float(wish["skew"])
    if wish.get("freeze"):
        store.settings["frozen"] = store.stamp()
    return {"clock": store.stamp()}


def _delay(store: Store, budget: Budget, wish: Wish) -> Wish:
    store.settings["delay"] = float(wish["seconds"])
    return store.settings


def _arrange(store: Store, budget: Budget, wish: Wish) -> Wish:
    if unknown := set(wish) - set(SETTINGS):
        raise ValueError(f"there are no settings {', '.join(sorted(unknown))}")
    store.settings |= wish
    return store.settings


def _property(store: Store, budget: Budget, wish: Wish) -> Wish:
    name, now = str(wish["name"]), store.stamp()
    known = store.by("sys_properties", "name", name)
    blank = {one: field.default for one, field in TABLES["sys_properties"].fields.items()}
    row = known[0] if known else {**blank, "sys_id": fixed_id("property", name), "name": name, "sys_created_on": now}
    return store.put("sys_properties", {**row, "value": str(wish["value"]), "sys_updated_on": now})


def _user(store: Store, budget: Budget, wish: Wish) -> Wish:
    """Change a user, or make one."""
    name = str(wish["user_name"])
    known, now = store.by("sys_user", "user_name", name), store.stamp()
    blank = {one: field.default for one, field in TABLES["sys_user"].fields.items()}
    row = known[0] if known else {**blank, "sys_id": fixed_id("sys_user", name), "user_name": name, "name": name}
    changed = {field: str(value) for field, value in (wish.get("set") or {}).items() if field in row}
    store.put("sys_user", {**row, **changed, "sys_updated_on": now})
    if "roles" in wish:
        _give_roles(store, row["sys_id"], [str(role) for role in wish["roles"]])
    if "password" in wish:
        store.state["passwords"][name] = str(wish["password"])
    return {"user_name": name, "sys_id": row["sys_id"]}


def _give_roles(store: Store, user: str, roles: list[str]) -> None:
    for held in store.by("sys_user_has_role", "user", user):
        store.remove("sys_user_has_role", held["sys_id"])
    for role in roles:
        identity = fixed_id("role", role)
        store.put("sys_user_role", {**_blank(store, "sys_user_role"), "sys_id": identity, "name": role})
        held = {"sys_id": fixed_id("has", user, role), "user": user, "role": identity}
        store.put("sys_user_has_role", {**_blank(store, "sys_user_has_role"), **held})


def _blank(store: Store, table: str) -> Row:
    now = store.stamp()
    blank = {name: field.default for name, field in TABLES[table].fields.items()}
    return {**blank, "sys_created_on": now, "sys_updated_on": now, "sys_created_by": "admin", "sys_updated_by": "admin"}


VERBS: dict[str, Callable[[Store, Budget, Wish], Any]] = {
    "down": _down, "up": _up, "hibernate": _hibernate, "wake": _wake, "budget": _budget, "expire": _expire,
    "clock": _clock, "delay": _delay, "arrange": _arrange, "property": _property, "user": _user,
}  # fmt: skip
