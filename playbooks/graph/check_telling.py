"""Checks recipients and channels, of approvals and of notifications (response-playbooks.md 19, 23)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from playbooks.graph.model import METHODS, ApprovalUse, Problem
from playbooks.graph.world import World

MOST_RECIPIENTS = 100
NO_MAIL = gettext_noop("E-mail cannot be sent: no mail connector is set up.")
_ADDRESS = re.compile(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\Z")


def approval_problems(node: str, use: ApprovalUse, world: World | None) -> Iterator[Problem]:
    """The method, and whom it tells."""
    if use.method not in METHODS:
        yield Problem(
            node,
            "approval.method",
            _("%(method)s is not one of: %(methods)s.") % {"method": repr(use.method), "methods": ", ".join(METHODS)},
        )
    elif use.method == "email":
        yield from prefix_problems(node, "approval.subject_prefix", use.subject_prefix)
        yield from recipient_problems(node, "approval.recipients", use.recipients, world)
    else:
        yield from channel_problems(node, "approval.channels", use.channels, world)


def profile_problems(node: str, field: str, name: str, world: World | None) -> Iterator[Problem]:
    """A ticket profile that there is; one by which no ticket can be made now hinders only the switch (spec 6, 23)."""
    if world is None or not name:
        return
    known = {profile.casefold(): (profile, why) for profile, why in world.profiles.items()}
    profile, why = known.get(name.casefold(), ("", ""))
    if not profile:
        yield Problem(node, field, _("There is no ticket profile named %(name)s.") % {"name": name})
    elif why:
        yield Problem(
            node,
            field,
            _("The ticket profile %(profile)s makes no tickets: %(why)s.")
            % {"profile": profile, "why": why.rstrip(".")},
            enabling=True,
        )


def prefix_problems(node: str, field: str, prefix: object) -> Iterator[Problem]:
    """It is used exactly as typed, so it must fit into a subject."""
    if isinstance(prefix, str) and len(f"{prefix}.".splitlines()) > 1:
        yield Problem(node, field, _("The subject prefix is one line."))


def recipient_problems(node: str, field: str, values: Iterable[object], world: World | None) -> Iterator[Problem]:
    """At least one address; and mail must be set up before the playbook can be enabled (spec 15)."""
    listed = [value for value in values if isinstance(value, str) and value.strip()]
    if not listed:
        yield Problem(node, field, _("Recipients is empty."))
    if len(listed) > MOST_RECIPIENTS:
        yield Problem(
            node,
            field,
            _("There are at most %(most_recipients)s recipients; these are %(count)s.")
            % {"most_recipients": MOST_RECIPIENTS, "count": len(listed)},
        )
    for value in listed:
        if len(value) > 320 or not _ADDRESS.match(value.strip()):
            yield Problem(node, field, _("%(value)s is no e-mail address.") % {"value": repr(value[:60])})
    if world is not None and not world.mail_ready:
        yield Problem(node, field, _(NO_MAIL), enabling=True)


def channel_problems(node: str, field: str, values: Iterable[object], world: World | None) -> Iterator[Problem]:
    """At least one channel, and only such as there are."""
    listed = [value for value in values if isinstance(value, str) and value.strip()]
    if not listed:
        yield Problem(node, field, _("Channels is empty."))
    for value in listed:
        if world is not None and value not in world.channels:
            yield Problem(node, field, _("There is no channel named %(value)s.") % {"value": value})
