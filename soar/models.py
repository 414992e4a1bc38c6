"""The portal's own tables: the queue, the signs of life of its processes, disks that are nearly full."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class QueuedTask(models.Model):
    """A task that waits, runs or was given up. Written and read by soar.lib.queue with SQL of its own.

    The rows of runs and steps are the truth; this is the doorbell.
    """

    id = models.BigAutoField(primary_key=True)
    task = models.TextField(help_text="Dotted name of the function")
    args = models.JSONField(default=list, help_text="Its arguments: numbers and short texts")
    created_at = models.DateTimeField(db_default=Now())
    ready_at = models.DateTimeField(db_default=Now(), help_text="Not to be taken before: back-off, or a worker has it")
    claim = models.IntegerField(db_default=0, help_text="The number of its last claim, drawn by lot")
    starts = models.SmallIntegerField(db_default=0, help_text="How many times a worker began it")
    started_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True, help_text="Given up; it is kept to be looked at")
    error = models.TextField(db_default="", blank=True)

    class Meta:
        db_table = "soar_queue"
        indexes = [
            models.Index(fields=["id"], condition=models.Q(failed_at=None), name="soar_queue_waiting"),
            # The page and the figures of operations ask for these while hundreds of thousands wait.
            models.Index(fields=["failed_at", "id"], condition=~models.Q(failed_at=None), name="soar_queue_given_up"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.args}"


class Heartbeat(models.Model):
    """The last sign of life of a process: ``name`` is worker or scheduler."""

    name = models.TextField()
    host = models.TextField()
    pid = models.IntegerField()
    at = models.DateTimeField(db_default=Now())
    ahead = models.FloatField(null=True, help_text="Seconds: its host's clock minus the database's")

    class Meta:
        db_table = "soar_heartbeat"
        constraints = [models.UniqueConstraint(fields=["name", "host", "pid"], name="soar_heartbeat_one")]

    def __str__(self) -> str:
        return f"{self.name} on {self.host} ({self.pid})"


class LowDisk(models.Model):
    """A disk that is nearly full, as the acting scheduler's host sees it; gone when there is room again."""

    host = models.TextField()
    places = models.TextField(help_text="What lies on it, separated by commas (soar.lib.disks)")
    free = models.BigIntegerField()
    size = models.BigIntegerField()
    since = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "soar_low_disk"
        constraints = [models.UniqueConstraint(fields=["host", "places"], name="soar_low_disk_one")]

    def __str__(self) -> str:
        return f"{self.places} on {self.host}"


class FailingCall(models.Model):
    """A scheduled function that failed when it was called last; the row goes when it succeeds."""

    name = models.TextField(primary_key=True, help_text="Dotted name of the function")
    error = models.TextField(help_text="The class of the last error; its words are in the log")
    times = models.PositiveIntegerField(db_default=1)
    since = models.DateTimeField(db_default=Now())
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "soar_failing_call"

    def __str__(self) -> str:
        return self.name
