"""Playbooks, their versions, runs and recorded steps."""

from playbooks.models.permissions import PlaybookGroupPermission, PlaybookUserPermission
from playbooks.models.playbook import CodeGeneration, LoadError, Playbook, PlaybookVersion
from playbooks.models.run import Run, ScheduleSlot, Sequence, Step

__all__ = [
    "CodeGeneration",
    "LoadError",
    "Playbook",
    "PlaybookGroupPermission",
    "PlaybookUserPermission",
    "PlaybookVersion",
    "Run",
    "ScheduleSlot",
    "Sequence",
    "Step",
]
