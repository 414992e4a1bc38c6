"""Playbooks, their versions, runs and recorded steps; response tasks and approvals; what playbooks are made with."""

from playbooks.models.material import Backtest, DetectionModel, NeverTouch, Position, Script
from playbooks.models.permissions import PlaybookGroupPermission, PlaybookUserPermission
from playbooks.models.playbook import CodeGeneration, LoadError, Playbook, PlaybookVersion
from playbooks.models.response import Approval, ResponseTask, Vote
from playbooks.models.run import Run, ScheduleSlot, Sequence, Step

__all__ = [
    "Approval",
    "Backtest",
    "CodeGeneration",
    "DetectionModel",
    "LoadError",
    "NeverTouch",
    "Playbook",
    "PlaybookGroupPermission",
    "PlaybookUserPermission",
    "PlaybookVersion",
    "Position",
    "ResponseTask",
    "Run",
    "ScheduleSlot",
    "Script",
    "Sequence",
    "Step",
    "Vote",
]
