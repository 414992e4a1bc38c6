"""An incident that is linked once more with a ticket that it had before: what went over then does not go again (7)."""

from __future__ import annotations

from cases.models import AttachmentSeen, ChangeState, JournalSeen, TicketChange, TicketLink
from cases.servicenow import outbox
from soar.lib import clock

TOLD = "It went over when the incident was linked with this ticket before."


def carry_over(link: TicketLink) -> None:
    """Take over what earlier links of the incident with the same ticket knew: what both sides agreed on, the notes and
    files that are dealt with. The caller holds the locks, and saves ``link``."""
    rows = TicketLink.objects.filter(incident=link.incident_id, instance=link.instance_id, table=link.table)
    earlier = list(rows.filter(sys_id=link.sys_id).exclude(pk=link.pk).order_by("pk"))
    if not earlier:
        return
    last = earlier[-1]
    link.base, link.pending, link.journal_until = last.base, last.pending, last.journal_until
    ids = [one.pk for one in earlier]
    entries = [
        JournalSeen(link=link, sys_id=one.sys_id, change=one.change, entry=one.entry)
        for one in JournalSeen.objects.filter(link__in=ids).select_related("change")
    ]
    JournalSeen.objects.bulk_create(entries, ignore_conflicts=True)
    files = [
        AttachmentSeen(link=link, sys_id=one.sys_id, name=one.name, evidence=one.evidence, reason=one.reason)
        for one in AttachmentSeen.objects.filter(link__in=ids).select_related("evidence")
    ]
    AttachmentSeen.objects.bulk_create(files, ignore_conflicts=True)
    _told(link, ids)


def _told(link: TicketLink, earlier: list[int]) -> None:
    """Notes that stand there bear the marks of their first rows: the new ones take these over."""
    done = TicketChange.objects.filter(link__in=earlier, kind=outbox.NOTE, state=ChangeState.DONE)
    marks = dict(done.order_by("pk").values_list("entry", "mark"))
    rows = list(link.changes.filter(kind=outbox.NOTE, state=ChangeState.WAITING, entry__in=marks))
    for row in rows:
        row.mark, row.state, row.said, row.finished_at = marks[row.entry], ChangeState.DONE, TOLD, clock.now()
    TicketChange.objects.bulk_update(rows, ["mark", "state", "said", "finished_at"])
