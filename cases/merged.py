"""Where a merged incident went, and what went into one (casework.md 9). A husk keeps its page, number and timeline."""

from __future__ import annotations

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict
from cases.models import Incident
from soar.accounts.models import User

# Longer ways are not made: an undo stands between a merge and the next one the other way round.
_WAY = """
WITH RECURSIVE way AS (
    SELECT id, merged_into_id, 0 AS steps FROM cases_incident WHERE id = %s
    UNION ALL
    SELECT i.id, i.merged_into_id, way.steps + 1 FROM way JOIN cases_incident i ON i.id = way.merged_into_id
    WHERE way.steps < 100
) SELECT id FROM way ORDER BY steps DESC LIMIT 1"""
_ABSORBED = """
WITH RECURSIVE gone AS (
    SELECT id FROM cases_incident WHERE merged_into_id = ANY(%s)
    UNION
    SELECT i.id FROM gone JOIN cases_incident i ON i.merged_into_id = gone.id
) SELECT id FROM gone ORDER BY id"""


def end_of(pk: int) -> int:
    """The incident (id) that holds now what this one held: itself, unless it was merged."""
    with connection.cursor() as cursor:
        cursor.execute(_WAY, [pk])
        row = cursor.fetchone()
    return int(row[0]) if row else pk


def locked_end(pk: int) -> Incident | None:
    """The incident with its row lock, or in the place of a merged one the one that holds what it held. None if it is
    gone. For programs: what they began on one goes on where it went."""
    incident = Incident.objects.select_for_update(of=("self",)).filter(pk=pk).first()
    if incident is not None and incident.merged_into_id is not None:
        return locked_end(end_of(pk))
    return incident


def absorbed_by(ids: list[int]) -> list[int]:
    """Ids of all that went into one of these incidents, also by way of others."""
    with connection.cursor() as cursor:
        cursor.execute(_ABSORBED, [ids])
        return [pk for (pk,) in cursor.fetchall()]


def absorbed(incident: Incident) -> list[int]:
    """The same for one, read once for each object; without a query where nothing went into it."""
    if not incident.merged_count:
        return []
    found: list[int] | None = incident.__dict__.get("absorbed")
    if found is None:
        found = incident.__dict__["absorbed"] = absorbed_by([incident.pk])
    return found


def absorbed_entries(incident: Incident) -> int:
    """How many entries the timelines of those have."""
    if not incident.merged_count:
        return 0
    return Incident.objects.filter(pk__in=absorbed(incident)).aggregate(n=Sum("timeline_count"))["n"] or 0


def told_end(who: Actor | User, incident: Incident) -> str:
    """The number of the incident that a merged one went to; "" for a reader who does not see that, or if it is gone."""
    user = who.user if isinstance(who, Actor) else who
    end = end_of(incident.pk)
    if end == incident.pk:
        return ""
    rows = Incident.objects.filter(pk=end)
    seen = user is None or rows.visible_to(user).exists()
    return f"INC-{end}" if seen else ""


def check_not_merged(who: Actor | User, incident: Incident | None) -> None:
    """Raise Conflict for a person who would begin something on a merged incident; programs go on where it went."""
    if incident is None or incident.merged_at is None or (isinstance(who, Actor) and who.type != "user"):
        return
    raise refusal(who, incident)


def refusal(who: Actor | User, incident: Incident) -> Conflict:
    """What somebody hears who wants to change a merged incident."""
    number = told_end(who, incident)
    if not number:
        text = _("%(number)s was merged into one that you may not see. Nothing changes in it any more.") % {
            "number": incident.number
        }
        return Conflict(text, code="incident_merged")
    text = _("%(number)s was merged into %(target)s. Work on that one.") % {
        "number": incident.number,
        "target": number,
    }
    return Conflict(text, code="incident_merged", incident=number, url=f"/incidents/{number}/")
