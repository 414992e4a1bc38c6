"""ServiceNow instances, and profiles: how incidents become tickets there (servicenow.md 1, 2)."""

from __future__ import annotations

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_noop as _

from cases.models.incident import Incident
from cases.models.source import AlertSource
from cases.models.template import IncidentTemplate
from soar.connectors.models import ConnectorAccount
from soar.lib.crypto import EncryptedTextField


def new_installation() -> str:
    """Eight hexadecimal digits that tell our tickets from those of another Soar on the same instance."""
    return secrets.token_hex(4)


class ServiceNowInstance(models.Model):
    """What is known of an instance beside its connector account, which holds the address and the secrets.

    ``read_until`` is a time of ServiceNow's own clock: the last change there that is dealt with. ``out_*`` is the
    direction to ServiceNow, ``in_*`` the one from it; ``out_resume_at`` holds back everything that would be sent
    (too many requests, outage). ``vocabulary`` is what the last check found: user, zone, roles."""

    account = models.OneToOneField(ConnectorAccount, on_delete=models.PROTECT, related_name="servicenow")
    slug = models.SlugField(max_length=60, unique=True, help_text="Stands in the address of the webhook")
    installation = models.CharField(max_length=8, default=new_installation, help_text="Stands in correlation ids")
    webhook_secret = EncryptedTextField(blank=True, default="")
    every_seconds = models.PositiveIntegerField(default=30, help_text="Between two polls")
    out_paused = models.BooleanField(default=False)
    in_paused = models.BooleanField(default=False)
    read_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(db_default=models.functions.Now(), help_text="The next poll")
    reconcile_at = models.DateTimeField(db_default=models.functions.Now(), help_text="The next look at every ticket")
    heard_at = models.DateTimeField(null=True, help_text="The last call of the webhook")
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    out_resume_at = models.DateTimeField(null=True)
    out_failures = models.PositiveIntegerField(default=0, help_text="In a row")
    out_ok_at = models.DateTimeField(null=True)
    out_error = models.TextField(blank=True)
    out_error_at = models.DateTimeField(null=True)
    in_failures = models.PositiveIntegerField(default=0, help_text="In a row")
    in_ok_at = models.DateTimeField(null=True)
    in_error = models.TextField(blank=True)
    in_error_at = models.DateTimeField(null=True)
    counted = models.JSONField(
        null=True, help_text="By table, how many more tickets with our ids than links there were"
    )
    skew_seconds = models.FloatField(default=0, help_text="Its clock minus ours")
    vocabulary = models.JSONField(default=dict)
    checked_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(default=1, db_default=1, help_text="Of what people set, not of the health")
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.slug


class TicketProfile(models.Model):
    """servicenow.md 2. References (caller, group, person) are ``{"value": sys_id, "label": text}``, {} for none.

    ``maps``: by name, our value to theirs or the other way round (cases.servicenow.mapping); ``directions``: by field
    both, out, in or off; ``winners``: by field ours, theirs, newest or ask. ``automatic`` with ``severities``,
    ``templates``, ``sources`` is the rule by which incidents get a ticket (3): all that are given must fit."""

    instance = models.ForeignKey(ServiceNowInstance, on_delete=models.CASCADE, related_name="profiles")
    name = models.CharField(max_length=100)
    table = models.CharField(max_length=80, default="incident")
    enabled = models.BooleanField(default=False)
    caller = models.JSONField(default=dict)
    assignment_group = models.JSONField(default=dict)
    assigned_to = models.JSONField(default=dict)
    category = models.CharField(max_length=100, blank=True)
    short_description = models.CharField(max_length=300, default="{{ number }} {{ title }}")
    description = models.TextField(blank=True, default="{{ summary }}")
    extra = models.JSONField(default=dict, help_text="Further ticket fields, each with a template of its value")
    maps = models.JSONField(default=dict)
    directions = models.JSONField(default=dict)
    winners = models.JSONField(default=dict)
    note_kinds = ArrayField(models.CharField(max_length=40), default=list)
    note_field = models.CharField(max_length=20, default="work_notes", help_text="work_notes, or comments for callers")
    send_evidence = models.BooleanField(default=False)
    on_repeat = models.CharField(max_length=10, default="reopen", help_text="On a closed ticket: reopen, or new")
    automatic = models.BooleanField(default=False)
    severities = ArrayField(models.SmallIntegerField(), default=list)
    templates = models.ManyToManyField(IncidentTemplate, related_name="+")
    sources = models.ManyToManyField(AlertSource, related_name="+")
    order = models.PositiveIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        default_permissions = ()
        ordering = ["order", "id"]
        constraints = [models.UniqueConstraint(Lower("name"), name="ticket_profile_name_once")]

    def __str__(self) -> str:
        return self.name


class LinkState(models.TextChoices):
    """``broken``: the ticket is missing or hidden, nothing is sent; ``ended``: a person took the link away."""

    CREATING = "creating", _("Being created")
    LINKED = "linked", _("Linked")
    BROKEN = "broken", _("Broken")
    ENDED = "ended", _("Unlinked")


class TicketLink(models.Model):
    """An incident and its ticket: at most one per instance and table (3).

    ``base``: by field ``{"ours": value, "theirs": {ticket field: raw value}}`` as both sides last agreed. ``pending``:
    the raw values that are being written, so that a lost answer is known for our own write. ``ours_correlation``: the
    ticket carries our correlation id; one that a person linked may not. ``created_there``: we made the ticket."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tickets")
    instance = models.ForeignKey(ServiceNowInstance, on_delete=models.PROTECT, related_name="links")
    profile = models.ForeignKey(TicketProfile, on_delete=models.PROTECT, related_name="links")
    table = models.CharField(max_length=80)
    state = models.CharField(max_length=10, choices=LinkState.choices, default=LinkState.CREATING)
    shown_again_at = models.DateTimeField(null=True, help_text="Since when the ticket of a broken link is seen again")
    reason = models.TextField(blank=True, help_text="Why it is broken, in ServiceNow's words where it has any")
    sys_id = models.CharField(max_length=32, blank=True)
    number = models.CharField(max_length=40, blank=True)
    correlation_id = models.CharField(max_length=100)
    ours_correlation = models.BooleanField(default=True)
    created_there = models.BooleanField(default=True)
    base = models.JSONField(default=dict)
    pending = models.JSONField(default=dict)
    theirs = models.JSONField(default=dict, help_text="The ticket as last seen, raw")
    seen_updated_on = models.DateTimeField(null=True)
    seen_mod_count = models.IntegerField(default=-1)
    journal_until = models.DateTimeField(null=True, help_text="Journal entries before it are dealt with, their clock")
    last_in_at = models.DateTimeField(null=True)
    last_out_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "instance", "table"],
                name="ticket_link_once",
                condition=~models.Q(state=LinkState.ENDED),
            ),
            models.UniqueConstraint(
                fields=["instance", "table", "sys_id"],
                name="ticket_linked_once",
                condition=~models.Q(state=LinkState.ENDED) & ~models.Q(sys_id=""),
            ),
        ]
        indexes = [
            models.Index(fields=["instance", "sys_id"], name="ticket_link_sys_id"),
            models.Index(fields=["instance", "correlation_id"], name="ticket_link_correlation"),
        ]

    def __str__(self) -> str:
        return f"INC-{self.incident_id} {self.number or self.state}"
