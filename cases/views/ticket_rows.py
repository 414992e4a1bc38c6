"""What the card of ServiceNow on an incident's page is made from, by one plain statement: the page is open all day,
and of each link, of its profile and of its instance's vocabulary, all of which are large, it shows a few words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from cases.models import ChangeState, Evidence, Incident, LinkState, ServiceNowInstance, TicketChange, TicketLink
from soar.connectors.models import ConnectorAccount
from soar.lib.rows import columns, made, width

ALIVE = [LinkState.CREATING.value, LinkState.LINKED.value, LinkState.BROKEN.value]
_LARGE = frozenset(("base", "pending", "theirs", "lease", "leased_until", "journal_until", "seen_updated_on"))
_LINK, _CHANGE = columns(TicketLink, "l", _LARGE), columns(TicketChange, "f")
# Who has the ticket there: as the profile's map calls them, else as the profile itself does.
_NAMED = """
    CASE WHEN coalesce(l.theirs ->> '{field}', '') <> '' THEN coalesce(
        nullif(jsonb_path_query_first(p.maps, '$."{map}".* ? (@.value == $value)',
            jsonb_build_object('value', l.theirs -> '{field}')) ->> 'label', ''),
        CASE WHEN p.assigned_to ->> 'value' = l.theirs ->> '{field}' THEN p.assigned_to ->> 'label' END,
        CASE WHEN p.assignment_group ->> 'value' = l.theirs ->> '{field}' THEN p.assignment_group ->> 'label' END,
        '') END"""
_WORDS = """coalesce(
    (SELECT e ->> 1 FROM jsonb_array_elements(i.vocabulary #> ARRAY['choices', l."table", 'elements', 'state']) e
     WHERE e ->> 0 = l.theirs ->> 'state' LIMIT 1), l.theirs ->> 'state', '')"""
SQL = f"""
SELECT EXISTS (
        SELECT FROM cases_ticketprofile p WHERE p.enabled AND NOT EXISTS (
            SELECT FROM cases_ticketlink t WHERE t.incident_id = %(incident)s AND t.state = ANY(%(alive)s)
                AND t.instance_id = p.instance_id AND t."table" = p."table")),
    {_WORDS}, {_NAMED.format(field="assigned_to", map="user")},
    {_NAMED.format(field="assignment_group", map="group")},
    i.out_paused, i.in_paused, a.enabled, coalesce(a.settings ->> 'url', ''),
    (SELECT count(*) FROM cases_ticketchange w WHERE w.link_id = l.id AND w.state IN ('waiting', 'sending')),
    ARRAY(SELECT c.field FROM cases_ticketconflict c WHERE c.link_id = l.id AND c.outcome = '' ORDER BY c.id),
    e.name, {_LINK}, {_CHANGE}
FROM (SELECT) AS once
LEFT JOIN cases_ticketlink l ON l.incident_id = %(incident)s AND l.state = ANY(%(alive)s)
LEFT JOIN cases_ticketprofile p ON p.id = l.profile_id
LEFT JOIN cases_servicenowinstance i ON i.id = l.instance_id
LEFT JOIN connectors_connectoraccount a ON a.id = i.account_id
LEFT JOIN LATERAL (
    SELECT * FROM cases_ticketchange r WHERE r.link_id = l.id AND r.state = '{ChangeState.FAILED.value}'
        AND l.state IN ('creating', 'linked') ORDER BY r.id LIMIT 1) f ON true
LEFT JOIN cases_evidence e ON e.id = f.evidence_id
ORDER BY p."order", p.id, l.id"""  # noqa: S608  our own words


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link that goes on, with its instance (paused or not, and its address) and figures. ``state`` and ``assigned``
    are the ticket's in ServiceNow's words; ``assigned`` is None where nobody has it, "" where no map names them.
    ``failure``: the first change that was refused."""

    link: TicketLink
    state: str
    assigned: str | None
    waiting: int
    conflicts: list[str]
    failure: TicketChange | None

    @property
    def is_well(self) -> bool:
        """Whether nothing of the ticket waits for a person."""
        return not (self.failure or self.conflicts or self.link.state == LinkState.BROKEN)

    @property
    def synced_at(self) -> datetime | None:
        """When anything of it was read or sent last."""
        seen = [moment for moment in (self.link.last_in_at, self.link.last_out_at) if moment]
        return max(seen, default=None)


def links_of(incident: Incident) -> tuple[list[LinkRow], bool]:
    """The incident's links that go on, in the order of their profiles; and whether a profile could open one more. The
    caller has checked that the incident may be seen."""
    with connection.cursor() as cursor:
        cursor.execute(SQL, {"incident": incident.pk, "alive": ALIVE})
        rows = cursor.fetchall()
    return [_row(row) for row in rows if row[_FIRST] is not None], rows[0][0]


_FIRST = 11  # of the link's columns
_CHANGES_FIRST = _FIRST + width(TicketLink, _LARGE)


def _row(row: tuple[Any, ...]) -> LinkRow:
    _free, state, person, group, out_paused, in_paused, enabled, url, waiting, conflicts, evidence = row[:_FIRST]
    link = made(TicketLink, row[_FIRST:_CHANGES_FIRST], _LARGE)
    account = ConnectorAccount(enabled=enabled, settings={"url": url})
    link.instance = ServiceNowInstance(pk=link.instance_id, account=account, out_paused=out_paused, in_paused=in_paused)
    failure = made(TicketChange, row[_CHANGES_FIRST:]) if row[_CHANGES_FIRST] is not None else None
    if failure is not None and failure.evidence_id:
        failure.evidence = Evidence(pk=failure.evidence_id, name=evidence)
    assigned = person if person is not None else group
    return LinkRow(link, state, assigned, waiting, conflicts, failure)
