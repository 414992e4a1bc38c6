"""Typed links between incidents (casework.md 6): both tell of it, each in its own direction."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from cases import timeline
from cases.actions.base import save
from cases.actors import Actor
from cases.choices import RELATION_INVERSES, RelationKind
from cases.errors import Conflict, Missing, Refused
from cases.holds import check_incidents
from cases.models import Incident, IncidentRelation
from cases.permissions import incident_for, parse_number
from soar.accounts.models import User
from soar.lib import clock

RELATIONS_AT_MOST = 200
# Every word that a link can be told by, with its kind and whether it is said from the other end.
WORDS: dict[str, tuple[RelationKind, bool]] = {
    **{kind.value: (kind, False) for kind in RelationKind},
    **{word: (kind, True) for kind, (word, _label) in RELATION_INVERSES.items()},
}
LABELS: dict[str, str] = {
    **{kind.value: str(kind.label) for kind in RelationKind},
    **dict(RELATION_INVERSES.values()),
}
_REACHES = """
WITH RECURSIVE up AS (
    SELECT other_id FROM cases_incidentrelation WHERE incident_id = %(start)s AND kind = %(kind)s
    UNION
    SELECT r.other_id FROM up JOIN cases_incidentrelation r ON r.incident_id = up.other_id AND r.kind = %(kind)s
) SELECT 1 FROM up WHERE other_id = %(end)s"""


@dataclass(frozen=True, slots=True)
class Related:
    """A link as one of its incidents has it: ``word`` says what that is to the ``other``."""

    row: IncidentRelation
    word: str
    other: Incident

    @property
    def label(self) -> str:
        """The word for people."""
        return LABELS[self.word]


def related_to(user: User, incident: Incident) -> list[Related]:
    """The links of an incident to those that the person may see; of the others they hear nothing (access.md 4)."""
    rows = IncidentRelation.objects.filter(Q(incident=incident) | Q(other=incident)).order_by("kind", "pk")
    listed = list(rows[:RELATIONS_AT_MOST])
    ends = {row.other_id if row.incident_id == incident.pk else row.incident_id for row in listed}
    seen = Incident.objects.visible_to(user).in_bulk(ends)
    made = [seen_from(row, incident.pk, seen) for row in listed]
    return [one for one in made if one is not None]


def seen_from(row: IncidentRelation, pk: int, others: dict[int, Incident]) -> Related | None:
    """The link from the incident ``pk``; None if the other end is not among ``others``."""
    kind, forth = RelationKind(row.kind), row.incident_id == pk
    other = others.get(row.other_id if forth else row.incident_id)
    if other is None:
        return None
    return Related(row, kind.value if forth else inverse(kind.value), other)


def inverse(word: str) -> str:
    """What the other incident says: ``parent_of`` for ``child_of``."""
    kind, turned = WORDS[word]
    if turned or kind not in RELATION_INVERSES:
        return kind.value
    return RELATION_INVERSES[kind][0]


@transaction.atomic
def relate(actor: Actor, incident_id: int | str, other_id: int | str, word: str) -> Related:
    """Say what ``incident`` is to ``other``: ``duplicate_of``, ``child_of``, ``caused_by``, ``related_to``, or the
    inverse of one of them. Both timelines tell of it; said twice it changes nothing.

    Raises Missing, Forbidden without *edit* on both, Refused for an incident with itself or an unknown word, Conflict
    for the opposite of what is there, or what would go round in a circle."""
    if word not in WORDS:
        raise Refused(_("Must be one of: %(words)s.") % {"words": ", ".join(WORDS)}, field="relation")
    here, there = parse_number(incident_id, "INC"), parse_number(other_id, "INC")
    if here == there:
        raise Refused(_("An incident cannot be linked with itself."), field="incident")
    found = {pk: incident_for(actor, pk, level="edit", lock=True) for pk in sorted((here, there))}
    kind, turned = WORDS[word]
    first, second = (there, here) if turned else (here, there)
    row = _there(kind, first, second)
    if row is None:
        _check(kind, found[first], found[second])
        row = IncidentRelation.objects.create(
            incident=found[first],
            other=found[second],
            kind=kind,
            added_by=actor.name[:200],
            added_at=clock.now(),
        )
        _tell("incident.related", actor, found[here], found[there], word)
    return Related(row, word, found[there])


@transaction.atomic
def unrelate(actor: Actor, incident_id: int | str, pk: int) -> None:
    """Take a link of this incident away. Raises Missing where the other one is not seen, Forbidden without *edit* on
    both, Held while one of them is on legal hold."""
    incident = incident_for(actor, incident_id, level="edit")
    rows = IncidentRelation.objects.filter(Q(incident=incident) | Q(other=incident))
    row = rows.filter(pk=pk).first()
    if row is None:
        raise Missing(_("There is no such link."))
    other = row.other_id if row.incident_id == incident.pk else row.incident_id
    found = {one: _end(actor, one, incident.pk) for one in sorted((incident.pk, other))}
    row = rows.filter(pk=pk).first()  # read again: it may be gone by now
    if row is None:
        raise Missing(_("There is no such link."))
    check_incidents(found)
    made = seen_from(row, incident.pk, found)
    row.delete()
    if made is not None:
        _tell("incident.unrelated", actor, found[incident.pk], found[other], made.word)


def _end(actor: Actor, pk: int, here: int) -> Incident:
    """One end, locked. A husk at the other end stays as it is and hinders nobody."""
    try:
        return incident_for(actor, pk, level="edit", lock=True)
    except Missing:
        raise Missing(_("There is no such link.")) from None
    except Conflict:
        if pk == here:
            raise
        return incident_for(actor, pk, lock=True)


def _there(kind: RelationKind, first: int, second: int) -> IncidentRelation | None:
    """The same link, if there is one. What is the same from both sides is so whichever way round it was said."""
    same = Q(incident=first, other=second)
    if kind not in RELATION_INVERSES:
        same |= Q(incident=second, other=first)
    return IncidentRelation.objects.filter(same, kind=kind).first()


def _check(kind: RelationKind, first: Incident, second: Incident) -> None:
    rows = IncidentRelation.objects
    for one in (first, second):
        if rows.filter(Q(incident=one) | Q(other=one)).count() >= RELATIONS_AT_MOST:
            raise Conflict(
                _("%(number)s has %(relations_at_most)s links already.")
                % {"number": one.number, "relations_at_most": RELATIONS_AT_MOST},
                code="too_many",
            )
    if closes_circle(kind, first.pk, second.pk):
        text = _("%(number)s is, by itself or by way of others, %(label)s %(first_number)s already.") % {
            "number": second.number,
            "label": kind.label,
            "first_number": first.number,
        }
        raise Conflict(text, field="incident", code="circle")


def closes_circle(kind: RelationKind, first: int, second: int) -> bool:
    """Whether ``first`` can be reached from ``second`` (ids) by links of a kind that has a direction: a link from
    ``first`` to ``second`` would then lead back to where it begins."""
    if kind not in RELATION_INVERSES:
        return False
    with connection.cursor() as cursor:
        cursor.execute(_REACHES, {"start": second, "end": first, "kind": kind.value})
        return cursor.fetchone() is not None


def _tell(kind: str, actor: Actor, here: Incident, there: Incident, word: str) -> None:
    for one, other, said in ((here, there, word), (there, here, inverse(word))):
        if one.merged_at is None:
            timeline.record(kind, one, actor, data={"incident": other.number, "title": other.title, "relation": said})
            save(one)
