"""The never-touch list asked once more when the call is about to go out (response-playbooks.md 18, rulings 9): an entry
may have come while the task waited for people, for its turn, or for a product that asked for patience."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cases.models import Asset
from playbooks import never_touch
from playbooks.choices import ApprovalStatus
from playbooks.graph.actions import ACTIONS
from playbooks.models import NeverTouch, ResponseTask
from playbooks.response.desk import host_of
from playbooks.response.objects import asset_of
from playbooks.response.tasks import Claimed
from playbooks.steps.calls import begun
from soar.connectors.capabilities import ENDPOINT
from soar.connectors.errors import HeldBack

# In the data of a task that people let run: what the list said against it then, which they knew. Not there: nobody was
# asked, or it was before this was kept.
KNOWN = "never_touch"
Hosts = Mapping[str, dict[str, Any]]  # assets by their names in small letters
AGREED = (ApprovalStatus.APPROVED, ApprovalStatus.MIXED, ApprovalStatus.PARTLY)  # of a task that is not pending


def reasons(
    task: ResponseTask, listed: Sequence[never_touch.Rule], targets: Any = None, hosts: Hosts | None = None
) -> list[str]:
    """All that these rules say against the task. ``targets``: those of its run, where a file or process has its host;
    None has them read if they are needed. ``hosts``: assets as they are now; the others as they were when the task was
    made."""
    spec = ACTIONS.get(task.action)
    if not listed or task.dry_run or spec is None or not spec.destructive:
        return []
    facts = task.target.get("facts") or {}
    asset = next((hosts[key] for key in _keys(_host(task)) if key in hosts), None) if hosts else None
    asset = asset or task.target.get("asset")
    if not asset and targets is None and task.run is not None:
        targets = task.run.targets
    return never_touch.matches(listed, task.target_kind, task.target_value, facts, asset or host_of(facts, targets))


def asked_of(held: Claimed) -> list[never_touch.Rule] | None:
    """The list as it is now, for a task that it may hold back; None where a call is out already, so nothing is left to
    hold back, and for what takes nothing from anybody."""
    task = held.task
    spec = ACTIONS.get(task.action)
    if spec is None or not spec.destructive or task.dry_run or held.phase == "poll":
        return None
    if held.phase == "sent" and task.account is not None and begun(task, task.account):
        return None
    return never_touch.rules()


def against(task: ResponseTask, listed: Sequence[never_touch.Rule]) -> str:
    """Why the call must not go out before people are asked: the first thing that the list says by now, of hosts as they
    are now, and that nobody knew who let the task run; "" if there is none."""
    said = reasons(task, listed, hosts=_present([task])) if listed else []
    known = known_of(task) if said else ()
    return next((why for why in said if why not in known), "")


def unchanged(listed: Sequence[never_touch.Rule]) -> bool:
    """Whether nothing came to the list since it was read. In the transaction of what is about to be done."""
    return not NeverTouch.objects.exclude(pk__in=[rule.id for rule in listed]).exists()


def hold_found(task: ResponseTask, kind: str, names: Collection[str], tags: Collection[str] = ()) -> None:
    """What a connector found and is about to change, by all names and tags that its product has for it, asked of the
    list once more: the target may be called by one that the list does not know. Raises HeldBack, as ``against``."""
    spec = ACTIONS.get(task.action)
    if spec is None or not spec.destructive or not (listed := never_touch.rules()):
        return
    known, assets, facts = known_of(task), _assets(kind, names), {"tags": sorted(tags)}
    for name in sorted(names):
        for asset in [None, *assets]:
            for why in never_touch.matches(listed, kind, name, facts, asset):
                if why not in known:
                    raise HeldBack(why)


def _assets(kind: str, names: Iterable[str]) -> list[dict[str, Any]]:
    """The assets that hosts of these names are."""
    return list(_by_key(names).values()) if kind == ENDPOINT else []


def _present(tasks: Iterable[ResponseTask]) -> Hosts:
    """The assets that the hosts of the tasks are, as they are now; one query."""
    names = {name for task in tasks if (name := _host(task))}
    return _by_key(names) if names else {}


def _by_key(names: Iterable[str]) -> Hosts:
    keys = {form for name in names for form in _keys(name)}
    return {row["key"]: asset_of(row) for row in Asset.objects.filter(key__in=keys).values()}


def _keys(name: str) -> tuple[str, ...]:
    """Under which the asset of a host may stand, the fuller name first."""
    return (name.lower(), name.lower().partition(".")[0]) if name else ()


def _host(task: ResponseTask) -> str:
    """The host that the task acts on, or on which its file or process is."""
    if task.target_kind == ENDPOINT:
        return task.target_value
    return str((task.target.get("facts") or {}).get("endpoint") or "")


def allow(tasks: Iterable[ResponseTask], targets: Any = None) -> None:
    """Keep on tasks that people let run what the list says against them now: they saw it and gave their reason."""
    listed, allowed = never_touch.rules(), list(tasks)
    hosts = _present(allowed) if listed else {}
    for task in allowed:
        asked = [task.approval.reason] if task.approval is not None and task.approval.reason else []
        task.data = {**task.data, KNOWN: sorted({*known_of(task), *asked, *reasons(task, listed, targets, hosts)})}
    ResponseTask.objects.bulk_update(allowed, ["data"])


def known_of(task: ResponseTask) -> list[str]:
    """What the list said against the task when people let it run; of one from before that was kept, what its approval
    was asked for."""
    if KNOWN in task.data:
        return list(task.data[KNOWN])
    approval = task.approval
    return [approval.reason] if approval is not None and approval.reason and approval.status in AGREED else []
