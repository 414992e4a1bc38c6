"""Response tasks and the approvals that they wait for. Of playbooks and by hand: the same rows (rulings, B)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from cases.models import Alert, Incident
from playbooks.choices import APPROVAL_OPEN, ApprovalStatus, TaskStatus
from playbooks.models.run import Run, Step
from soar.connectors.models import ConnectorAccount
from soar.lib.crypto import EncryptedJSONField


class Approval(models.Model):
    """A question to people: may these tasks run? Decided by votes, or by the clock (response-playbooks.md 19 to 22).

    ``needed`` is how many different people must approve each task: 2 by the two-person rule. ``reason``: why it is
    asked though the node does not (the never-touch list). ``question``: of ``request_approval`` in a Python playbook,
    which has a step and no tasks. ``notify``: whom to tell, as the node has it; ``told`` what came of telling them."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="approvals", db_index=False)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, related_name="approvals", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    status = models.CharField(max_length=12, choices=ApprovalStatus.choices, default=ApprovalStatus.PENDING)
    title = models.CharField(max_length=300)
    question = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    needed = models.PositiveSmallIntegerField(default=1)
    notify = models.JSONField(default=dict)
    told = models.JSONField(default=list)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    created_at = models.DateTimeField(db_default=models.functions.Now())
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    cause = models.UUIDField()

    class Meta:
        default_permissions = ()
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["expires_at"], name="approval_open", condition=Q(status__in=APPROVAL_OPEN)),
            models.Index(fields=["run"], name="approval_run", condition=Q(run__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"approval {self.pk}"

    @property
    def state(self) -> ApprovalStatus:
        """The status with its label and tone."""
        return ApprovalStatus(self.status)


class ResponseTask(models.Model):
    """One action on one object (response-playbooks.md 14): a remote call, a change of the case, or a message.

    ``capability`` is empty for actions of the portal itself. ``account``: the connector that was chosen when the task
    was made. ``lease_*``: as of a run. ``due_at``: when to try or ask the product again; a waiting task costs nothing.
    ``reference`` and ``remote`` are the product's own task and its own word for how far that is."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, null=True, related_name="tasks", db_index=False)
    step = models.ForeignKey(Step, on_delete=models.CASCADE, null=True, related_name="tasks", db_index=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    node = models.CharField(max_length=60, blank=True)
    position = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=40)
    capability = models.CharField(max_length=40, blank=True)
    target_kind = models.CharField(max_length=20, blank=True)
    target_value = models.TextField(blank=True)
    target = models.JSONField(default=dict, help_text="The object: key, facts, asset, evidence")
    risk = models.CharField(max_length=20, blank=True)
    params = models.JSONField(default=dict)
    account = models.ForeignKey(ConnectorAccount, on_delete=models.SET_NULL, null=True, related_name="+")
    status = models.CharField(max_length=20, choices=TaskStatus.choices, default=TaskStatus.QUEUED)
    reason = models.TextField(blank=True, help_text="Why it waits, was not done, failed")
    message = models.TextField(blank=True, help_text="What the product said")
    request = models.JSONField(null=True)
    answer = models.JSONField(null=True)
    data = models.JSONField(default=dict)
    secret = EncryptedJSONField(default=dict, blank=True)
    reference = models.CharField(max_length=1000, blank=True)
    remote = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    idempotency_key = models.UUIDField(default=uuid.uuid4)
    accepted_at = models.DateTimeField(null=True, help_text="When the product took it")
    due_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    phase = models.CharField(
        max_length=8, blank=True, help_text="Empty: to be done; sent: a call went out; poll: taken"
    )
    lease_owner = models.CharField(max_length=120, blank=True)
    lease_until = models.DateTimeField(null=True)
    approval = models.ForeignKey(Approval, on_delete=models.SET_NULL, null=True, related_name="tasks")
    decision = models.JSONField(null=True, help_text="What a person said of an unknown outcome (rulings 6)")
    inverse_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="inverses")
    origin = models.CharField(max_length=12, default="playbook", help_text="playbook, alert, incident, observable ...")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    acting_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    cause = models.UUIDField()
    dry_run = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=models.functions.Now())
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=models.functions.Now())
    version = models.PositiveIntegerField(default=1)

    withheld = False  # as of a run (playbooks/disclosure.py)

    class Meta:
        default_permissions = ()
        ordering = ["position", "id"]
        indexes = [
            models.Index(fields=["run", "position", "id"], name="rtask_run", condition=Q(run__isnull=False)),
            models.Index(fields=["step"], name="rtask_step", condition=Q(step__isnull=False)),
            models.Index(fields=["due_at", "id"], name="rtask_due", condition=Q(status__in=("queued", "in_progress"))),
            models.Index(fields=["-id"], name="rtask_open", condition=Q(status__in=(
                "pending_approval", "queued", "in_progress", "unknown_outcome",
            ))),
            models.Index(fields=["alert", "-id"], name="rtask_alert", condition=Q(alert__isnull=False)),
            models.Index(fields=["incident", "-id"], name="rtask_incident", condition=Q(incident__isnull=False)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.action} {self.target_value}"

    @property
    def state(self) -> TaskStatus:
        """The status with its label and tone."""
        return TaskStatus(self.status)


class Vote(models.Model):
    """What one person said to one task of an approval; ``task`` is empty for a Python playbook's question."""

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="votes")
    task = models.ForeignKey(ResponseTask, on_delete=models.CASCADE, null=True, related_name="votes", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False)
    approve = models.BooleanField()
    comment = models.TextField(blank=True)
    at = models.DateTimeField(db_default=models.functions.Now())

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["approval", "task", "user"], name="vote_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.user_id} on {self.approval_id}"
