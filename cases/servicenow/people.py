"""Who of ours is who there: by the profile's map, else by an equal mail address. Unknown people are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.core.cache import cache

from cases.servicenow.mapping import CaseState, ProfileRules
from soar.accounts.models import User
from soar.connectors.servicenow.connector import ServiceNow

KEPT_SECONDS = 600


def with_people(rules: ProfileRules, connector: ServiceNow, case: CaseState, raw: Mapping[str, str]) -> ProfileRules:
    """The rules with a map of users that has the owner here and the assigned one there too, if their mail addresses
    are equal. Raises ConnectorError. Not inside a transaction."""
    pairs = dict(rules.map("user"))
    asked = case.owner and case.owner not in pairs and rules.sends("owner")
    if asked and (theirs := _there(connector, case.owner)):
        pairs[case.owner] = {"value": theirs, "label": case.owner}
    there = raw.get("assigned_to", "")
    asked = there and rules.takes("owner") and all((one or {}).get("value") != there for one in pairs.values())
    if asked and (ours := _here(connector, there)):
        pairs.setdefault(ours, {"value": there, "label": ours})
    return replace(rules, maps={**rules.maps, "user": pairs})


def _there(connector: ServiceNow, username: str) -> str:
    key = connector.cache_name(f"there:{username}")
    kept = cache.get(key)
    if kept is None:
        email = User.objects.filter(username=username).values_list("email", flat=True).first() or ""
        found = connector.user(email) if "@" in email else None
        kept = found.value if found else ""
        cache.set(key, kept, KEPT_SECONDS)
    return str(kept)


def _here(connector: ServiceNow, sys_id: str) -> str:
    key = connector.cache_name(f"here:{sys_id}")
    kept = cache.get(key)
    if kept is None:
        found = connector.user(sys_id)
        email = found.email if found else ""
        names = list(User.objects.filter(email__iexact=email, is_active=True).values_list("username", flat=True)[:2])
        kept = names[0] if email and len(names) == 1 else ""
        cache.set(key, kept, KEPT_SECONDS)
    return str(kept)
