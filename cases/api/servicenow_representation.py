"""How the ServiceNow sync reads in JSON."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from cases.actions.servicenow_access import links_told
from cases.choices import Severity
from cases.models import (
    ChangeState,
    LinkState,
    ServiceNowInstance,
    TicketChange,
    TicketConflict,
    TicketLink,
    TicketProfile,
)
from cases.ticket_words import change_words, ticket_url
from soar.accounts.models import User
from soar.lib.clock import iso

SEEN = ("value", "shown", "by", "at")


def with_figures(links: QuerySet[TicketLink]) -> QuerySet[TicketLink]:
    """With what a row tells, in one query."""
    counts = TicketChange.objects.filter(link=OuterRef("pk")).order_by().values("link")
    open_conflicts = TicketConflict.objects.filter(link=OuterRef("pk"), outcome="").order_by().values("link")
    waiting = counts.filter(state__in=(ChangeState.WAITING, ChangeState.SENDING))
    return links.select_related("instance__account", "profile").annotate(
        waiting=_counted(waiting), failed=_counted(counts.filter(state=ChangeState.FAILED)),
        open_conflicts=_counted(open_conflicts),
    )  # fmt: skip


def _counted(rows: QuerySet[Any]) -> Coalesce:
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)


def link_dict(link: TicketLink) -> dict[str, Any]:
    """A link; wants ``with_figures``."""
    row: Any = link
    return {
        "id": link.pk,
        "incident": f"INC-{link.incident_id}",
        "instance": link.instance.slug,
        "profile": link.profile.name,
        "table": link.table,
        "number": link.number,
        "url": ticket_url(link),
        "sys_id": link.sys_id,
        "state": link.state,
        "reason": link.reason,
        "correlation_id": link.correlation_id,
        "made_by_us": link.created_there,
        "waiting": row.waiting,
        "failed": row.failed,
        "conflicts": row.open_conflicts,
        "last_in_at": iso(link.last_in_at),
        "last_out_at": iso(link.last_out_at),
        "last_sync": iso(last_sync(link)),
        "created_by": link.created_by,
        "created_at": iso(link.created_at),
    }


def last_sync(link: TicketLink) -> Any:
    """The later of the two directions' last successes; None before the first."""
    return max((moment for moment in (link.last_in_at, link.last_out_at) if moment), default=None)


def conflict_dict(conflict: TicketConflict) -> dict[str, Any]:
    """A conflict; wants its link and who decided."""
    sides = {name: {key: getattr(conflict, name).get(key) for key in SEEN} for name in ("base", "ours", "theirs")}
    return {
        "id": conflict.pk,
        "link": conflict.link_id,
        "incident": f"INC-{conflict.link.incident_id}",
        "number": conflict.link.number,
        "field": conflict.field,
        **sides,
        "rule": conflict.rule,
        "outcome": conflict.outcome,
        "decided_by": conflict.decided_by.username if conflict.decided_by else None,
        "decided_at": iso(conflict.decided_at),
        "created_at": iso(conflict.created_at),
    }


def change_dict(change: TicketChange) -> dict[str, Any]:
    """A row of the outbox; wants its link with the instance, and its evidence."""
    return {
        "id": change.pk,
        "link": change.link_id,
        "incident": f"INC-{change.link.incident_id}",
        "number": change.link.number,
        "instance": change.link.instance.slug,
        "kind": change.kind,
        "what": change_words(change),
        "state": change.state,
        "said": change.said,
        "hint": change.hint,
        "attempts": change.attempts,
        "due_at": iso(change.due_at),
        "created_at": iso(change.created_at),
    }


def with_links(user: User, instances: QuerySet[ServiceNowInstance]) -> QuerySet[ServiceNowInstance]:
    """With what a row tells this person."""
    alive = Count("links", filter=~Q(links__state=LinkState.ENDED) & Q(links__in=links_told(user)))
    return instances.select_related("account").annotate(link_count=alive)


def instance_dict(instance: ServiceNowInstance) -> dict[str, Any]:
    """An instance without any secret; wants ``with_links``."""
    row: Any = instance
    return {
        "slug": instance.slug,
        "connector": instance.account.name,
        "url": str(instance.account.settings.get("url", "")),
        "enabled": instance.account.enabled,
        "webhook": f"{settings.SOAR_URL}/api/v1/servicenow/{instance.slug}/events/",
        "every_seconds": instance.every_seconds,
        "out": {**_direction(instance, "out"), "resume_at": iso(instance.out_resume_at)},
        "into": _direction(instance, "in"),
        "read_until": iso(instance.read_until),
        "heard_at": iso(instance.heard_at),
        "skew_seconds": instance.skew_seconds,
        "findings": list(instance.vocabulary.get("findings") or []),
        "checked_at": iso(instance.checked_at),
        "links": row.link_count,
        "created_at": iso(instance.created_at),
        "version": instance.version,
    }


def _direction(instance: ServiceNowInstance, way: str) -> dict[str, Any]:
    return {
        "paused": getattr(instance, f"{way}_paused"),
        "last_success": iso(getattr(instance, f"{way}_ok_at")),
        "failures": getattr(instance, f"{way}_failures"),
        "error": getattr(instance, f"{way}_error"),
        "error_at": iso(getattr(instance, f"{way}_error_at")),
    }


PLAIN = (
    "name", "table", "enabled", "caller", "assignment_group", "assigned_to", "category", "short_description",
    "description", "extra", "maps", "directions", "winners", "note_kinds", "note_field", "send_evidence", "on_repeat",
    "automatic", "order", "version",
)  # fmt: skip


def profile_dict(profile: TicketProfile) -> dict[str, Any]:
    """A ticket profile; wants its instance, its templates and its sources."""
    return {
        "id": profile.pk,
        "instance": profile.instance.slug,
        **{name: getattr(profile, name) for name in PLAIN},
        "severities": [Severity(value).word for value in profile.severities],
        "templates": [one.pk for one in profile.templates.all()],
        "sources": [one.slug for one in profile.sources.all()],
        "created_at": iso(profile.created_at),
        "updated_at": iso(profile.updated_at),
    }
