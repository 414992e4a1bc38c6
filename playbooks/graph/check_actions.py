"""Checks one action of a node and its settings against the table of actions (response-playbooks.md 14 to 16, 23)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from playbooks.graph.actions import ACTIONS, CLOSING, ActionSpec, Param
from playbooks.graph.check_telling import channel_problems, prefix_problems, profile_problems, recipient_problems
from playbooks.graph.model import ActionUse, Graph, Node, Problem
from playbooks.graph.words import TYPE_LABELS
from playbooks.graph.world import World


def action_problems(graph: Graph, node: Node, use: ActionUse, at: str, world: World | None) -> Iterator[Problem]:
    """The action is known, fits the node, can be had, and its settings are right. ``at``: where it stands."""
    spec = ACTIONS.get(use.action)
    if spec is None:
        message = (
            _("There is no action %(action)s.") % {"action": repr(use.action)} if use.action else _("Choose an action.")
        )
        yield Problem(node.id, f"{at}.action", message)
        return
    if (spec.group == "notify") != (node.type == "notify"):
        what = TYPE_LABELS[node.type].lower()
        instead = ": a notification can stand there" if spec.group == "notify" else ""
        yield Problem(
            node.id,
            f"{at}.action",
            _("%(label)s cannot be done by a node of type %(what)s%(instead)s.")
            % {"label": _(spec.label), "what": what, "instead": instead},
        )
    if world is not None and spec.responds and spec.capability not in world.served:
        why = world.why_not.get(spec.capability, "no connector that can do it is set up")
        yield Problem(
            node.id,
            f"{at}.action",
            _("%(label)s is not available: %(why)s.") % {"label": _(spec.label), "why": why.rstrip(".")},
            enabling=True,
        )
    yield from _settings(graph, node, spec, use, f"{at}.params", world)


def _settings(
    graph: Graph, node: Node, spec: ActionSpec, use: ActionUse, at: str, world: World | None
) -> Iterator[Problem]:
    for name in use.params:
        if spec.param(name) is None:
            yield Problem(
                node.id,
                f"{at}.{name}",
                _("%(label)s has no setting %(name)s.") % {"label": _(spec.label), "name": repr(name)},
            )
    for param in spec.params:
        value, field = use.params.get(param.name), f"{at}.{param.name}"
        messages = list(_wrong(param, value))
        yield from (Problem(node.id, field, message) for message in messages)
        if not messages and not _is_empty(value) and world is not None:
            known = _KNOWN.get(param.form)
            yield from (Problem(node.id, field, message) for message in (known(graph, value, world) if known else ()))
        yield from _telling(node.id, param, value, field, world)
    if spec.name == "set_status" and use.params.get("status") in CLOSING and not use.params.get("determination"):
        yield Problem(node.id, f"{at}.determination", _("Say with which determination it is resolved or closed."))


def _is_empty(value: Any) -> bool:
    """Nothing, blank text, or a list of such."""
    if isinstance(value, list | tuple):
        return all(_is_empty(item) for item in value)
    return value is None or (isinstance(value, str) and not value.strip())


def _wrong(param: Param, value: Any) -> Iterator[str]:
    """What is wrong with a value by itself. Recipients and channels are looked at by ``_telling``."""
    if _is_empty(value):
        if param.required and param.form not in ("emails", "channels"):
            yield _("%(label)s is empty.") % {"label": _(param.label)}
        return
    if param.form == "number":
        if not isinstance(value, int) or isinstance(value, bool) or not param.least <= value <= param.most:
            yield _("%(label)s is a whole number from %(least)s to %(most)s.") % {
                "label": _(param.label),
                "least": f"{param.least:,}",
                "most": f"{param.most:,}",
            }
    elif param.is_list:
        yield from _wrong_list(param, value)
    elif not isinstance(value, str):
        yield _("%(label)s is a text.") % {"label": _(param.label)}
    elif param.choices and value not in param.choices:
        yield _("%(value)s is not one of: %(choices)s.") % {
            "value": repr(value[:60]),
            "choices": ", ".join(param.choices),
        }
    elif len(value) > param.most:
        yield _("%(label)s is longer than %(most)s characters.") % {"label": _(param.label), "most": f"{param.most:,}"}


def _wrong_list(param: Param, value: Any) -> Iterator[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        yield _("%(label)s is a list of texts.") % {"label": _(param.label)}
    elif param.form == "lines" and any(len(item) > param.most for item in value):
        yield _("%(label)s has an entry that is longer than %(most)s characters.") % {
            "label": _(param.label),
            "most": f"{param.most:,}",
        }


def _telling(node: str, param: Param, value: Any, field: str, world: World | None) -> Iterator[Problem]:
    listed = value if isinstance(value, list | tuple) else ()
    if param.form == "emails":
        yield from recipient_problems(node, field, listed, world)
    elif param.form == "channels":
        yield from channel_problems(node, field, listed, world)
    elif param.form == "profile" and isinstance(value, str):
        yield from profile_problems(node, field, value, world)
    elif param.name == "subject_prefix":
        yield from prefix_problems(node, field, value)


def _user(graph: Graph, name: str, world: World) -> Iterator[str]:
    if name not in world.users:
        yield _("There is no active user named %(name)s.") % {"name": name}


def _template(graph: Graph, name: str, world: World) -> Iterator[str]:
    if name not in world.templates:
        yield _("There is no incident template named %(name)s.") % {"name": name}


def _script(graph: Graph, name: str, world: World) -> Iterator[str]:
    """Bash needs the operating system (spec 16)."""
    script = world.scripts.get(name)
    if script is None:
        yield _("There is no script named %(name)s.") % {"name": name}
    elif script.language == "bash" and not script.systems:
        yield _("The Bash script %(name)s does not say for which operating system it is.") % {"name": name}


def _playbook(graph: Graph, name: str, world: World) -> Iterator[str]:
    """Only Python playbooks are run by others, and none that would come back to this one."""
    way = _way_back(name, graph.name, world)
    if way:
        yield _("%(way)s: that would never end.") % {"way": " runs ".join(way)}
    elif name not in world.playbooks:
        yield _("There is no playbook named %(name)s.") % {"name": name}
    elif world.playbooks[name] != "python":
        yield _("%(name)s is a response playbook; only Python playbooks can be run from here.") % {"name": name}


def _way_back(start: str, here: str, world: World) -> list[str]:
    """The names from this playbook over ``start`` back to it; [] if no way leads back."""
    calls = {name.casefold(): sorted(names) for name, names in world.calls.items()}
    waiting, seen = [[here, start]], set()
    while waiting:
        way = waiting.pop(0)
        last = way[-1].casefold()
        if last == here.casefold():
            return way
        if last not in seen:
            seen.add(last)
            waiting.extend([*way, name] for name in calls.get(last, ()))
    return []


_KNOWN: dict[str, Callable[[Graph, Any, World], Iterator[str]]] = {
    "user": _user,
    "template": _template,
    "script": _script,
    "playbook": _playbook,
}
