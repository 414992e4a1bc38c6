"""What goes over the border to ServiceNow and back, and what people have to decide of it (servicenow.md 4 to 9)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_noop as _

from cases.models.evidence import Evidence
from cases.models.servicenow import TicketLink, TicketProfile


class ChangeState(models.TextChoices):
    """``failed`` waits for a person and holds back what comes after it; ``skipped``: a person let it go."""

    WAITING = "waiting", _("Waiting")
    SENDING = "sending", _("Sending")
    DONE = "done", _("Sent")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Skipped")


OPEN_CHANGES = (ChangeState.WAITING, ChangeState.SENDING, ChangeState.FAILED)


class TicketChange(models.Model):
    """A row of the outbox: one thing to do at a ticket, in order of ``id`` per link (4).

    ``kind``: create, fields (what differs when it is sent; at most one waits), note (of timeline entry ``entry``),
    attachment (of ``evidence``). ``mark`` stands in a note, so that it is known again (``[ref:<mark>]``)."""

    link = models.ForeignKey(TicketLink, on_delete=models.CASCADE, related_name="changes", db_index=False)
    kind = models.CharField(max_length=12)
    entry = models.BigIntegerField(default=0, help_text="The timeline entry that asked for it, 0 for none")
    evidence = models.ForeignKey(Evidence, on_delete=models.SET_NULL, null=True, related_name="+")
    mark = models.UUIDField(default=uuid.uuid4)
    state = models.CharField(max_length=10, choices=ChangeState.choices, default=ChangeState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=models.functions.Now())
    said = models.TextField(blank=True, help_text="What came of it; ServiceNow's own words when it failed")
    hint = models.TextField(blank=True, help_text="Why it failed, as far as we can tell")
    detail = models.JSONField(default=dict)
    cause = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    finished_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["link"],
                name="ticket_change_one_fields_waits",
                condition=models.Q(kind="fields", state=ChangeState.WAITING),
            ),
            models.UniqueConstraint(
                fields=["link", "kind", "entry"], name="ticket_change_once", condition=~models.Q(entry=0)
            ),
        ]
        indexes = [
            models.Index(fields=["link", "id"], name="ticket_change_open", condition=models.Q(state__in=OPEN_CHANGES)),
            models.Index(fields=["link", "id"], name="ticket_change_failed", condition=models.Q(state="failed")),
            models.Index(fields=["link", "-id"], name="ticket_change_link"),
            models.Index(fields=["-finished_at"], name="ticket_change_done"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk} {self.state}"


class JournalSeen(models.Model):
    """A journal entry there that is dealt with: written by us (``change``) or taken as our timeline's ``entry`` (7)."""

    link = models.ForeignKey(TicketLink, on_delete=models.CASCADE, related_name="journal", db_index=False)
    sys_id = models.CharField(max_length=40, help_text="Or what the connector made of a shown entry")
    change = models.ForeignKey(TicketChange, on_delete=models.SET_NULL, null=True, related_name="+")
    entry = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["link", "sys_id"], name="journal_seen_once")]

    def __str__(self) -> str:
        return self.sys_id


class AttachmentSeen(models.Model):
    """An attachment there that is dealt with: ours, taken as evidence, or left there for ``reason``."""

    link = models.ForeignKey(TicketLink, on_delete=models.CASCADE, related_name="attachments", db_index=False)
    sys_id = models.CharField(max_length=32)
    name = models.CharField(max_length=300, blank=True)
    evidence = models.ForeignKey(Evidence, on_delete=models.SET_NULL, null=True, related_name="+")
    reason = models.TextField(blank=True)
    seen_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["link", "sys_id"], name="attachment_seen_once")]

    def __str__(self) -> str:
        return self.name


class TicketConflict(models.Model):
    """A field that both sides changed since they agreed (6). Open ones wait for a person; while one is open, the
    field goes in neither direction. ``ours``, ``theirs``, ``base``: ``{"value", "shown", "by", "at"}``."""

    link = models.ForeignKey(TicketLink, on_delete=models.CASCADE, related_name="conflicts")
    field = models.CharField(max_length=40)
    base = models.JSONField(default=dict)
    ours = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict)
    raw = models.JSONField(default=dict, help_text="Theirs, raw, by ticket field")
    rule = models.CharField(max_length=10, help_text="ours, theirs, newest or ask")
    outcome = models.CharField(max_length=10, blank=True, help_text="ours or theirs; empty while it is open")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["link", "field"], name="ticket_conflict_one_open", condition=models.Q(outcome="")
            )
        ]
        indexes = [models.Index(fields=["-created_at"], name="ticket_conflict_new")]

    def __str__(self) -> str:
        return f"{self.field} of {self.link_id}"


class MappingGap(models.Model):
    """A value without a counterpart that was met (9). ``map``: the name in ``TicketProfile.maps``; ``value``: ours or
    theirs, as the map has it on its left; goes when it is mapped."""

    profile = models.ForeignKey(TicketProfile, on_delete=models.CASCADE, related_name="gaps")
    map = models.CharField(max_length=40)
    value = models.CharField(max_length=200)
    label = models.CharField(max_length=200, blank=True)
    met = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["profile", "map", "value"], name="mapping_gap_once")]

    def __str__(self) -> str:
        return f"{self.map}: {self.value}"
