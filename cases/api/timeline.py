"""Timelines: reading one with filters, its entries, corrections, pins, and letting in who is mentioned."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.actions import mentions, notes, pins
from cases.actors import Actor
from cases.api import bodies, documented, paging, shapes
from cases.api.base import ApiViewSet, whole
from cases.api.representation import entry_dict
from cases.errors import Missing, missing_as
from cases.models import Alert, Incident, TimelineEntry
from cases.permissions import alert_for, incident_for
from cases.timeline_filter import TimelineFilter
from cases.timeline_read import tell_all
from soar.accounts.models import User
from soar.lib.keyset import Order

LATEST = Order("-occurred_at", ("occurred_at", "id"))
EARLIEST = Order("occurred_at", ("occurred_at", "id"), descending=False)
ORDERS = {**paging.BY_ID, LATEST.name: LATEST, EARLIEST.name: EARLIEST}


def timeline_page(request: Request, user: User, rows: QuerySet[TimelineEntry]) -> Response:
    """A page of a stream that the user may see, as filters and order of the request say. Raises ValidationError."""
    paging.check_params(request, (*documented.TIMELINE, "ordering"))
    chosen = TimelineFilter.parse(request.query_params)
    if chosen.errors:
        raise ValidationError({name: [text] for name, text in chosen.errors})
    found = paging.page(request, chosen.apply(rows), paging.order_of(request, ORDERS))
    tell_all(user, found.rows)
    return Response(paging.paged(request, found, [entry_dict(entry) for entry in found.rows]))


def written(user: User, subject: Alert | Incident, entry: TimelineEntry) -> Response:
    """201 with an entry that was just written, and who is named in it and was not told."""
    blind = mentions.read(Actor.of(user), subject, entry.text).blind
    return Response({**entry_dict(entry), "not_told": [one.username for one in blind]}, status=201)


class Entries(ApiViewSet):
    """``/timeline/{id}/``: an entry of the timeline of an alert or incident."""

    reads = "view_cases"

    @extend_schema(**documented.read("Read a timeline entry", shapes.Entry, tagged=False))
    def retrieve(self, request: Request, id: str) -> Response:
        """One of an alert or incident that you may see. An entry is never changed."""
        return Response(entry_dict(self._entry(id)[0]))

    @extend_schema(**documented.create("Correct a note", bodies.Correction, shapes.WrittenEntry, tagged=False))
    def correct(self, request: Request, id: str) -> Response:
        """One's own note or event: the first text and time stay, the correction is an entry of its own. Of an event
        `occurred_at` corrects when it happened; the correction then bears that time. Give one of the two, or both."""
        entry, subject = self._entry(id)
        given = self.body(bodies.Correction)
        if not given:
            raise ValidationError({"text": [_("Give text, occurred_at, or both.")]})
        text, at = given.get("text"), given.get("occurred_at")
        return self.once(
            lambda: written(self.user, subject, notes.edit_comment(self.actor, entry.pk, text, occurred_at=at))
        )

    @extend_schema(**documented.verb("Pin a timeline entry", bodies.Nothing, shapes.Entry, tagged=False))
    def pin(self, request: Request, id: str) -> Response:
        """It stands on top for everybody; at most 20. One that is pinned stays so. `?group=pinned` lists them."""
        self.body(bodies.Nothing)
        return self.once(lambda: Response(entry_dict(pins.pin(self.actor, whole(id)))))

    @extend_schema(**documented.verb("Unpin a timeline entry", bodies.Nothing, shapes.Entry, tagged=False))
    def unpin(self, request: Request, id: str) -> Response:
        """One that is not pinned stays so."""
        self.body(bodies.Nothing)
        return self.once(lambda: Response(entry_dict(pins.unpin(self.actor, whole(id)))))

    @extend_schema(**documented.create("Let in somebody who is mentioned", bodies.LetIn, shapes.Entry, tagged=False))
    def let_in(self, request: Request, id: str) -> Response:
        """Whoever manages the incident gives the level *comment* to somebody who is named in the entry and does not
        see the incident; they are told. 400 for anybody else."""
        user = self.body(bodies.LetIn)["user"]
        entry, _subject = self._entry(id)
        return self.once(lambda: Response(entry_dict(mentions.let_in(self.actor, entry.pk, user)), status=201))

    def _entry(self, id: str) -> tuple[TimelineEntry, Alert | Incident]:
        entry = TimelineEntry.objects.filter(pk=whole(id)).first()
        subject: Alert | Incident
        with missing_as(_("There is no such entry.")):
            if entry is None:
                raise Missing("")
            if entry.alert_id:
                subject = alert_for(self.user, entry.alert_id)
            else:
                subject = incident_for(self.user, entry.incident_id or 0)
        tell_all(self.user, [entry])
        return entry, subject
