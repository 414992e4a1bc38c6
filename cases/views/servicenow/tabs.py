"""The head and the tabs that all pages of ServiceNow share, with their figures."""

from __future__ import annotations

from typing import Any

from django.db.models import Count

from cases.actions.servicenow_access import conflicts_seen, links_seen, open_conflicts
from cases.models import LinkState, ServiceNowInstance
from cases.querysets import capped_count
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.selectors import managed_by

COUNTED = 100


def tabs(user: User, at: str, *, conflicts: int | None = None) -> dict[str, Any]:
    """For ``servicenow/_tabs.html``: ``at`` is sync, conflicts, profiles, links or log. ``conflicts``: how many are
    open, where the caller has them all."""
    found = ServiceNowInstance.objects.aggregate(n=Count("pk", distinct=True), of_them=Count("profiles"))
    links = links_seen(user).exclude(state=LinkState.ENDED)
    return {
        "at": at,
        "instance_count": found["n"],
        "profile_count": found["of_them"],
        "link_count": capped_count(links),
        "conflict_count": open_count(user) if conflicts is None else conflicts,
        "sets_up": may(user, "manage_connectors"),
        "reads_setup": may(user, "manage_connectors") or may(user, "view_setup"),
        "runs_some": runs_some(user),
    }


def open_count(user: User) -> int:
    """How many conflicts the person could decide, counted to 100."""
    return len(open_conflicts(conflicts_seen(user)).order_by().values_list("pk")[:COUNTED])


def runs_some(user: User) -> bool:
    """Whether the person manages the connector of any instance: then health has buttons, and there is a log."""
    if may(user, "manage_connectors"):
        return True
    return managed_by(user).filter(servicenow__isnull=False).exists()
