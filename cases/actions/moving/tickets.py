"""Tickets in ServiceNow: one for each instance and table (servicenow.md 3)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.moving.base import Part, Told, Way, left
from cases.models import LinkState, TicketLink
from cases.servicenow import linking


class Tickets(Part):
    """A ticket goes along, with what waits to be sent. Where the other incident has one of the same instance and table,
    that one goes on; the merged incident's is unlinked and stays in ServiceNow as it is."""

    name, label = "tickets", gettext_lazy("ServiceNow tickets")

    def preview(self, way: Way) -> Told:
        """Those for which there is room."""
        going, ending = _sorted(way)
        named = ", ".join(link.number or _("one that is being made") for link in ending)
        why = _("%(number)s has a ticket there; %(tickets)s is unlinked and stays as it is in ServiceNow")
        return Told(len(going), len(ending), why % {"number": way.target.number, "tickets": named} if ending else "")

    def move(self, way: Way) -> dict[str, Any]:
        """``moved``: ids of the links that went; ``ended``: ``[id, state]`` of those that were taken away."""
        going, ending = _sorted(way, lock=True)
        TicketLink.objects.filter(pk__in=[link.pk for link in going]).update(incident=way.target)
        ended = [[link.pk, link.state] for link in ending]
        for link in ending:
            # Whoever sees the one need not see the other.
            reason = _("%s was merged into an incident that has a ticket of its own.") % way.source.number
            linking.end(way.source, link, way.actor, reason)
        if not going and not ended:
            return {}
        return {"moved": [link.pk for link in going], "ended": ended}

    def stays(self, way: Way, kept: Any) -> list[str]:
        """Those that are not linked any more, or that another incident has."""
        moved, ended = kept.get("moved", []), [pk for pk, _state in kept.get("ended", [])]
        fit = TicketLink.objects.filter(pk__in=moved, incident=way.target).exclude(state=LinkState.ENDED).count()
        return _unlinked(len(moved) - fit + len(ended) - _free(ended))

    def back(self, way: Way, kept: Any) -> list[str]:
        """Those that are linked still; one that was taken away is linked again, unless another incident has it."""
        moved, ended = kept.get("moved", []), kept.get("ended", [])
        locked = list(TicketLink.objects.select_for_update().filter(pk__in=moved, incident=way.target).order_by("pk"))
        fit = [link.pk for link in locked if link.state != LinkState.ENDED]
        TicketLink.objects.filter(pk__in=fit).update(incident=way.source)
        for link in locked:
            if link.pk in fit:
                _take_heirs(way, link)
        again = sum(_again(pk, state) for pk, state in ended)
        return _unlinked(len(moved) - len(fit) + len(ended) - again)


def _unlinked(number: int) -> list[str]:
    return left(number, _("1 ticket is not linked any more"), _("%(n)s tickets are not linked any more"))


def _free(ids: list[int]) -> int:
    """How many of those that were taken away could be linked again."""
    if not ids:
        return 0
    live = TicketLink.objects.exclude(state=LinkState.ENDED).filter(
        instance=OuterRef("instance"), table=OuterRef("table")
    )
    same = Q(incident=OuterRef("incident")) | ~Q(sys_id="") & Q(sys_id=OuterRef("sys_id"))
    return TicketLink.objects.filter(~Exists(live.filter(same)), pk__in=ids, state=LinkState.ENDED).count()


def _take_heirs(way: Way, gone: TicketLink) -> None:
    """The ticket that a later merge ended, because this one's was there, is linked again and goes on in its place."""
    for move in way.later:
        kept = move.moved.get(Tickets.name, {})
        states = dict(kept.get("ended", []))
        twin = TicketLink.objects.filter(pk__in=states, instance=gone.instance_id, table=gone.table).first()
        if twin is not None and _again(twin.pk, states.pop(twin.pk)):
            TicketLink.objects.filter(pk=twin.pk).update(incident=way.target)
            ended = [[pk, state] for pk, state in states.items()]
            move.moved[Tickets.name] = {"moved": [*kept.get("moved", []), twin.pk], "ended": ended}
            return


def _sorted(way: Way, *, lock: bool = False) -> tuple[list[TicketLink], list[TicketLink]]:
    """Links that can go, and those in whose place the other incident has one."""
    rows = TicketLink.objects.exclude(state=LinkState.ENDED)
    taken = set(rows.filter(incident=way.target).values_list("instance", "table"))
    mine = rows.filter(incident=way.source).order_by("pk")
    links = list(mine.select_for_update() if lock else mine)
    going = [link for link in links if (link.instance_id, link.table) not in taken]
    return going, [link for link in links if link not in going]


def _again(pk: int, state: str) -> bool:
    """Link it again; False if it is gone, or another incident has the ticket by now. What was waiting to be sent was
    let go; what differs is found by the next look at the ticket."""
    try:
        with transaction.atomic():
            rows = TicketLink.objects.filter(pk=pk, state=LinkState.ENDED)
            return bool(rows.update(state=state, reason=""))
    except IntegrityError:
        return False
