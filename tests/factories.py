"""Things for tests, made as the product makes them."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

from django.utils import timezone

from cases import timeline
from cases.actions import incidents
from cases.actions.observables import observable_of
from cases.actors import Actor
from cases.choices import Severity
from cases.models import Alert, AlertObservable, AlertPayload, AlertSource, Asset, AssetGroup, Incident
from soar.accounts.actions.users import create_user, ensure_team
from soar.accounts.models import Team, User

_numbers = itertools.count(1)
PASSWORD = "correct horse battery"


def make_user(username: str = "", *roles: str, teams: tuple[str, ...] = (), **fields: Any) -> User:
    """A person with these roles (Analyst, if none is named) and teams; the password is PASSWORD."""
    name = username or f"user{next(_numbers)}"
    user, _ = create_user(name, password=PASSWORD, roles=roles or ("Analyst",), teams=teams, **fields)
    return user


def make_team(name: str = "") -> Team:
    """A team."""
    return ensure_team(name or f"Team {next(_numbers)}")


def make_source(name: str = "", *, kind: str = "generic", **fields: Any) -> AlertSource:
    """An alert source without a token."""
    number = next(_numbers)
    slug = fields.pop("slug", f"source-{number}")
    return AlertSource.objects.create(name=name or f"Source {number}", slug=slug, kind=kind, **fields)


def make_alert(
    title: str = "", *, observables: tuple[tuple[str, str], ...] = (), raw: str = "{}", **fields: Any
) -> Alert:
    """An open alert with its payload, observables and the first entry of its timeline.

    ``age`` (timedelta) moves all its times back."""
    number = next(_numbers)
    now = timezone.now() - fields.pop("age", timedelta())
    source = fields.pop("source", None) or make_source()
    values: dict[str, Any] = {
        "source": source,
        "title": title or f"Alert {number}",
        "severity": Severity.MEDIUM,
        "dedup_key": f"key-{number}",
        "key_digest": number.to_bytes(16, "big"),
        "team": source.team,
        **dict.fromkeys(("occurred_at", "first_seen", "last_seen", "received_at", "updated_at"), now),
        "observable_count": len(observables),
        **fields,
    }
    alert = Alert.objects.create(**values)
    AlertPayload.objects.create(alert=alert, body=raw)
    for type_, value in observables:
        AlertObservable.objects.create(
            alert=alert, observable=observable_of(type_, value), role="entity", highlighted=True
        )
    timeline.record("alert.opened", alert, Actor.source(source.name, source.pk), data={"source": source.name})
    return alert


def make_asset(name: str = "", **fields: Any) -> Asset:
    """An asset of the inventory, with its groups; ``listed=False`` is one that only alerts name."""
    made = name or f"host-{next(_numbers)}"
    for group in fields.get("groups", ()):
        AssetGroup.objects.get_or_create(key=group.lower(), defaults={"name": group})
    return Asset.objects.create(**{"name": made, "key": made.lower(), "listed": True, **fields})


def make_incident(title: str = "", *alerts: Alert, **fields: Any) -> Incident:
    """An incident opened by Soar itself from these alerts."""
    return incidents.open_incident(
        Actor.system(), title=title or f"Incident {next(_numbers)}", alerts=[a.pk for a in alerts], **fields
    )
