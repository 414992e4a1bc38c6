"""What an action by hand would come to, object by object, before anything is done (spec 17b).

The same rules as for playbooks (playbooks.response.desk): benign lists forbid, a connector must serve it, the
never-touch list wants an approval that names its reason. So a rehearsal shows what will happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actors import Actor
from cases.errors import Refused
from playbooks import never_touch
from playbooks.actions.rights import needs
from playbooks.choices import TaskStatus
from playbooks.graph.actions import ACTIONS, ActionSpec
from playbooks.graph.check_actions import action_problems
from playbooks.graph.model import ActionUse, Node
from playbooks.graph.schema import blank
from playbooks.response.objects import Target
from playbooks.steps import routing
from playbooks.steps.params import pinned
from playbooks.world import OWN, world_of
from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount, Route

MAY_NOT = gettext_noop("The permission to approve and run response actions is missing.")
AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Planned:
    """One object: what becomes of it. ``status``: queued, pending_approval (``reason`` is the never-touch list's),
    no_action (a benign list forbids it) or unsuccessful (nobody can do it)."""

    target: Target
    account: ConnectorAccount | None
    status: TaskStatus
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """An action with its checked settings, and what it comes to for each object."""

    spec: ActionSpec
    params: dict[str, Any]
    planned: list[Planned]


def plan(actor: Actor, action: str, targets: Sequence[Target], params: Mapping[str, Any]) -> Plan:
    """Check and plan; saves nothing. ``targets`` are rated objects (response_targets).

    Raises Forbidden without the permission to respond, Refused beside action, targets or the setting that is wrong."""
    needs(actor, "respond", _(MAY_NOT))
    spec = spec_of(action)
    clean = pinned(spec.capability, checked(actor.user, spec, params))
    if not targets:
        raise Refused(_("Choose at least one object."), field="targets")
    if len(targets) > AT_MOST:
        raise Refused(_("At most %(at_most)s objects at once.") % {"at_most": AT_MOST}, field="targets")
    if strange := next((one for one in targets if one["kind"] not in spec.targets), None):
        kinds = ", ".join(spec.targets)
        raise Refused(
            _("%(label)s is for %(kinds)s; %(value)s is none.")
            % {"label": _(spec.label), "kinds": kinds, "value": strange["value"][:100]},
            field="targets",
        )
    desk = _Desk(actor.user, spec)
    return Plan(spec, clean, [desk.planned(one) for one in targets])


def spec_of(action: str) -> ActionSpec:
    """A response action by its name. Raises Refused beside action."""
    spec = ACTIONS.get(action)
    if spec is None or not spec.responds:
        names = ", ".join(one.name for one in ACTIONS.values() if one.responds)
        raise Refused(_("An action is one of: %(names)s.") % {"names": names}, field="action")
    return spec


def checked(user: User | None, spec: ActionSpec, params: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as the builder would take them, empty ones left out. Raises Refused."""
    given = {name: value for name, value in params.items() if value not in ("", None)}
    if holed := next((name for name, value in given.items() if "\x00" in str(value)), ""):
        raise Refused(_("This holds a NUL character."), field=holed)
    use = ActionUse(spec.name, given)
    node = Node("by-hand", "action", actions=(use,))
    problem = next(iter(action_problems(blank("By hand"), node, use, "use", world_of(None, user))), None)
    if problem is not None:
        raise Refused(problem.message, field=problem.field.rpartition(".")[2])
    return given


class _Desk:
    """Decides for one person and one action; lists and accounts are read once."""

    def __init__(self, user: User | None, spec: ActionSpec) -> None:
        self.spec = spec
        self.able = routing.serving(spec.capability, user)
        self.routes = list(Route.objects.order_by("order", "pk"))
        self.listed = never_touch.rules() if spec.destructive else []

    def planned(self, one: Target) -> Planned:
        account = routing.route(self.spec.capability, one, self.able, self.routes)
        if self.spec.destructive and one["benign"]:
            return Planned(one, account, TaskStatus.NO_ACTION, f"Not done: {one['benign']}")
        if account is None and self.spec.capability not in OWN:
            why = routing.unserved(self.spec.capability, self.spec.label)
            return Planned(one, None, TaskStatus.UNSUCCESSFUL, why)
        if why := never_touch.match(self.listed, one["kind"], one["value"], one["facts"], one["asset"]):
            return Planned(one, account, TaskStatus.PENDING_APPROVAL, why)
        return Planned(one, account, TaskStatus.QUEUED)
