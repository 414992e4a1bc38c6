"""Every change of playbooks and runs that a person can ask for. Pages, API and command line call these."""

from playbooks.actions.decide import decide
from playbooks.actions.definitions import disable, enable, reload, set_minutes_saved
from playbooks.actions.many import run_on_each, startable
from playbooks.actions.runs import cancel, retry, run_by_hand

__all__ = [
    "cancel",
    "decide",
    "disable",
    "enable",
    "reload",
    "retry",
    "run_by_hand",
    "run_on_each",
    "set_minutes_saved",
    "startable",
]
