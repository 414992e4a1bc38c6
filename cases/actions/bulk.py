"""Many alerts into one incident: all or nothing. What is done alert by alert is a verb (``bulk_verbs``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from cases.actions import incidents, links
from cases.actors import Actor
from cases.errors import Refused

AT_MOST = 1000


@dataclass
class BulkResult:
    """How many were done, and the number of the incident."""

    done: int = 0
    incident: str = ""


def apply(actor: Actor, ids: Sequence[int], action: str, fields: dict[str, Any]) -> BulkResult:
    """``link`` alerts to an incident, or open an ``incident`` of them.

    Raises Refused for an unknown action, no alerts or more than 1,000, and whatever link and open_incident raise."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise Refused(_("Tick some alerts first."), field="ids")
    if len(wanted) > AT_MOST:
        raise Refused(_("At most %(at_most)s alerts at once.") % {"at_most": AT_MOST}, field="ids")
    if action == "link":
        incident = links.link(actor, wanted, fields.get("incident") or "", move=bool(fields.get("move")))
    elif action == "incident":
        title = fields.get("title") or ""
        incident = incidents.open_incident(actor, title=title, alerts=wanted, owners=fields.get("owners") or ())
    else:
        raise Refused(_("%(action)s is not one of: link, incident.") % {"action": f"{action!s:.40}"}, field="action")
    return BulkResult(len(wanted), incident.number)
