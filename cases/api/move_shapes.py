"""What calls for merges, splits and links between incidents take and give."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers as s

from cases.actions.base import TEXT_AT_MOST
from cases.actions.merge import MERGED_AT_MOST
from cases.actions.relations import WORDS
from cases.actions.split import SPLIT_AT_MOST
from cases.api import fields
from cases.api.fields import Body, Ref, Text, Whole
from cases.api.shapes import page_of
from cases.models import IncidentMove

ID_AT_MOST = 2**63 - 1


def _ids(what: str) -> s.ListField:
    child = Whole(min_value=1, max_value=ID_AT_MOST)
    return s.ListField(child=child, required=False, max_length=SPLIT_AT_MOST, help_text=what)


MOVES = IncidentMove.Kind.values


class Merge(Body):
    """The incidents that go into this one."""

    incidents = s.ListField(child=Ref(), min_length=1, max_length=MERGED_AT_MOST)


class Split(Body):
    """What goes into the new incident: alerts, all but at least one, and what was put on the incident itself."""

    alerts = s.ListField(child=Ref(), min_length=1, max_length=SPLIT_AT_MOST)
    title = Text(max_length=300, required=False, allow_blank=True)
    severity = fields.severity(required=False)
    summary = Text(max_length=TEXT_AT_MOST, required=False, allow_blank=True)
    tasks = _ids("Ids of tasks")
    observables = _ids("Ids of observables that were put on the incident itself")
    assets = _ids("Ids of assets that were put on the incident itself")
    evidence = _ids("Ids of pieces of evidence")


class Part(s.Serializer[Any]):
    """One sort of things of the merged incident."""

    part = s.CharField(help_text="alerts, observables, evidence, tasks, owners, tags, tickets, runs ...")
    moves = s.IntegerField(help_text="How many would go")
    stays = s.IntegerField(help_text="How many would stay in the merged incident")
    why = s.CharField(help_text="Why they stay, or what is to be known")


class MoveRefusal(s.Serializer[Any]):
    """Why it cannot be."""

    code = s.CharField()
    detail = s.CharField()


class MergePreviewRow(s.Serializer[Any]):
    """What a merge would do with one incident."""

    incident = s.CharField(help_text="Number of the one that would go")
    title = s.CharField()
    parts = Part(many=True)
    severity = fields.severity(help_text="Of the remaining incident after it")
    tlp = fields.tlp(help_text="Of the remaining incident after it")
    pap = fields.pap(help_text="Of the remaining incident after it")
    sight = s.ListField(child=s.CharField(), help_text="Who would see what, in sentences")
    refusal = MoveRefusal(allow_null=True)


class MergePreview(s.Serializer[Any]):
    """What a merge would do; nothing was changed."""

    possible = s.BooleanField()
    incidents = MergePreviewRow(many=True)


class SplitPreview(s.Serializer[Any]):
    """What a split would make; nothing was changed."""

    possible = s.BooleanField()
    title = s.CharField()
    severity = fields.severity()
    alerts = s.ListField(child=s.CharField(), help_text="Numbers")
    observables = s.IntegerField(help_text="Those that come with the alerts")
    notes = s.IntegerField(help_text="Those of the alerts, which are moved to the new incident")
    besides = s.DictField(child=s.IntegerField(), help_text="How many tasks, observables, assets, pieces of evidence")
    refusal = MoveRefusal(allow_null=True)


class Move(s.Serializer[Any]):
    """A merge of `source` into `target`, or a split of `target` off `source`."""

    id = s.IntegerField()
    kind = fields.Words(MOVES)
    source = s.CharField(help_text="Number")  # type: ignore[assignment]
    target = s.CharField(help_text="Number")
    made_by = s.CharField()
    made_at = s.DateTimeField()
    undo_until = s.DateTimeField(allow_null=True, help_text="Null once it was undone or cannot be any more")
    undone_by = s.CharField(allow_null=True)
    undone_at = s.DateTimeField(allow_null=True)
    left = s.ListField(child=s.CharField(), help_text="What the undo could not put back, in sentences")


class MoveUndo(Move):
    """The same with what an undo would do now."""

    would_leave = s.ListField(child=s.CharField(), help_text="What an undo could not put back now")
    refusal = MoveRefusal(allow_null=True, help_text="Why it cannot be undone")


class NewRelation(Body):
    """What this incident is to another."""

    incident = Ref()
    relation = fields.Words(list(WORDS))


class RelatedIncident(s.Serializer[Any]):
    """The other incident."""

    id = s.IntegerField()
    number = s.CharField()
    url = s.URLField()
    title = s.CharField()
    severity = fields.severity()
    status = fields.incident_status()


class Relation(s.Serializer[Any]):
    """A link to another incident, as this one has it."""

    id = s.IntegerField()
    relation = fields.Words(list(WORDS))
    incident = RelatedIncident()
    added_by = s.CharField()
    added_at = s.DateTimeField()


MOVE_PAGE = page_of(Move)
RELATION_PAGE = page_of(Relation)
