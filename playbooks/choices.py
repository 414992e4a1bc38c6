"""Words of playbooks, runs and steps, as they stand in the database, in JSON and in URLs (contract.md)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_noop as _


class Trigger(models.TextChoices):
    """What starts a playbook (python-playbooks.md 1, rulings 7)."""

    WEBHOOK = "webhook", _("New alert")
    INCIDENT = "incident", _("New incident")
    MANUAL = "manual", _("By hand")
    SCHEDULE = "schedule", _("Schedule")


class OnFailure(models.TextChoices):
    """What a failure does to the rest of the sequence."""

    CONTINUE = "continue", _("Go on")
    STOP = "stop", _("Stop the sequence")


class StartedBy(models.TextChoices):
    """How a run came to be."""

    AUTOMATIC = "automatic", _("Automatic")
    MANUAL = "manual", _("By hand")
    SCHEDULE = "schedule", _("Schedule")


class RunStatus(models.TextChoices):
    """Where a run is. *Needs decision*: a person must say what happened."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    PENDING_APPROVAL = "pending_approval", _("Pending approval")
    NEEDS_DECISION = "needs_decision", _("Needs decision")
    SUCCESSFUL = "successful", _("Successful")
    PARTIALLY_SUCCESSFUL = "partially_successful", _("Partially successful")
    UNSUCCESSFUL = "unsuccessful", _("Unsuccessful")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES[self.value]

    @property
    def is_final(self) -> bool:
        """Nothing more will happen by itself."""
        return self.value in FINAL


class StepStatus(models.TextChoices):
    """Where a recorded call is. *Unknown outcome*: it was in flight when the worker died or ran out of time."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    PENDING_APPROVAL = "pending_approval", _("Pending approval")
    NEEDS_DECISION = "needs_decision", _("Needs decision")
    SUCCESSFUL = "successful", _("Successful")
    PARTIALLY_SUCCESSFUL = "partially_successful", _("Partially successful")
    UNSUCCESSFUL = "unsuccessful", _("Unsuccessful")
    UNKNOWN_OUTCOME = "unknown_outcome", _("Unknown outcome")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES[self.value]


class TaskStatus(models.TextChoices):
    """Where a response task is (response-playbooks.md 25)."""

    PENDING_APPROVAL = "pending_approval", _("Pending approval")
    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    SUCCESSFUL = "successful", _("Successful")
    UNSUCCESSFUL = "unsuccessful", _("Unsuccessful")
    REJECTED = "rejected", _("Rejected")
    EXPIRED = "expired", _("Expired")
    NO_ACTION = "no_action", _("No action taken")
    UNKNOWN_OUTCOME = "unknown_outcome", _("Unknown outcome")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES.get(self.value, "")

    @property
    def is_final(self) -> bool:
        """Nothing more will happen by itself."""
        return self.value not in TASK_OPEN


class ApprovalStatus(models.TextChoices):
    """Where an approval is. *Partly*: some of its tasks were decided, others still wait."""

    PENDING = "pending", _("Pending")
    PARTLY = "partly", _("Partly decided")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    MIXED = "mixed", _("Partly approved")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES.get(self.value, "")


class JobStatus(models.TextChoices):
    """Where a backtest is."""

    QUEUED = "queued", _("Queued")
    IN_PROGRESS = "in_progress", _("In progress")
    SUCCESSFUL = "successful", _("Successful")
    UNSUCCESSFUL = "unsuccessful", _("Unsuccessful")
    CANCELLED = "cancelled", _("Cancelled")


TASK_OPEN = frozenset({"pending_approval", "queued", "in_progress", "unknown_outcome"})
APPROVAL_OPEN = ("pending", "partly")
FINAL = frozenset({"successful", "partially_successful", "unsuccessful", "cancelled"})
OPEN = ("queued", "in_progress", "pending_approval", "needs_decision")
_TONES = {
    "queued": "",
    "in_progress": "t-blue",
    "pending_approval": "t-violet",
    "needs_decision": "t-violet",
    "unknown_outcome": "t-violet",
    "successful": "t-green",
    "partially_successful": "t-amber",
    "unsuccessful": "t-red",
    "cancelled": "",
    "pending": "t-violet",
    "partly": "t-violet",
    "approved": "t-green",
    "mixed": "t-amber",
    "rejected": "t-red",
    "expired": "",
}


class Outcome(models.TextChoices):
    """What a person says of a step of unknown outcome (rulings 6)."""

    DONE = "done", _("It happened")
    NOT_DONE = "not_done", _("It did not happen")
    REPEAT = "repeat", _("Do it again")
