"""Words of playbooks, runs and steps, as they stand in the database, in JSON and in URLs (contract.md)."""

from __future__ import annotations

from django.db import models


class Trigger(models.TextChoices):
    """What starts a playbook (python-playbooks.md 1, rulings 7)."""

    WEBHOOK = "webhook", "New alert"
    INCIDENT = "incident", "New incident"
    MANUAL = "manual", "By hand"
    SCHEDULE = "schedule", "Schedule"


class OnFailure(models.TextChoices):
    """What a failure does to the rest of the sequence."""

    CONTINUE = "continue", "Go on"
    STOP = "stop", "Stop the sequence"


class StartedBy(models.TextChoices):
    """How a run came to be."""

    AUTOMATIC = "automatic", "Automatic"
    MANUAL = "manual", "By hand"
    SCHEDULE = "schedule", "Schedule"


class RunStatus(models.TextChoices):
    """Where a run is. *Needs decision*: a person must say what happened."""

    QUEUED = "queued", "Queued"
    IN_PROGRESS = "in_progress", "In progress"
    PENDING_APPROVAL = "pending_approval", "Pending approval"
    NEEDS_DECISION = "needs_decision", "Needs decision"
    SUCCESSFUL = "successful", "Successful"
    PARTIALLY_SUCCESSFUL = "partially_successful", "Partially successful"
    UNSUCCESSFUL = "unsuccessful", "Unsuccessful"
    CANCELLED = "cancelled", "Cancelled"

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

    QUEUED = "queued", "Queued"
    IN_PROGRESS = "in_progress", "In progress"
    PENDING_APPROVAL = "pending_approval", "Pending approval"
    NEEDS_DECISION = "needs_decision", "Needs decision"
    SUCCESSFUL = "successful", "Successful"
    PARTIALLY_SUCCESSFUL = "partially_successful", "Partially successful"
    UNSUCCESSFUL = "unsuccessful", "Unsuccessful"
    UNKNOWN_OUTCOME = "unknown_outcome", "Unknown outcome"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES[self.value]


class TaskStatus(models.TextChoices):
    """Where a response task is (response-playbooks.md 25)."""

    PENDING_APPROVAL = "pending_approval", "Pending approval"
    QUEUED = "queued", "Queued"
    IN_PROGRESS = "in_progress", "In progress"
    SUCCESSFUL = "successful", "Successful"
    UNSUCCESSFUL = "unsuccessful", "Unsuccessful"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    NO_ACTION = "no_action", "No action taken"
    UNKNOWN_OUTCOME = "unknown_outcome", "Unknown outcome"
    CANCELLED = "cancelled", "Cancelled"

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

    PENDING = "pending", "Pending"
    PARTLY = "partly", "Partly decided"
    APPROVED = "approved", "Approved"
    REJECTED = "rejected", "Rejected"
    MIXED = "mixed", "Partly approved"
    EXPIRED = "expired", "Expired"
    CANCELLED = "cancelled", "Cancelled"

    @property
    def tone(self) -> str:
        """Colour class of the badge."""
        return _TONES.get(self.value, "")


class JobStatus(models.TextChoices):
    """Where a backtest is."""

    QUEUED = "queued", "Queued"
    IN_PROGRESS = "in_progress", "In progress"
    SUCCESSFUL = "successful", "Successful"
    UNSUCCESSFUL = "unsuccessful", "Unsuccessful"
    CANCELLED = "cancelled", "Cancelled"


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

    DONE = "done", "It happened"
    NOT_DONE = "not_done", "It did not happen"
    REPEAT = "repeat", "Do it again"
