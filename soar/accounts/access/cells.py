"""The cells of a line of the page of access: who it is, at which level, why, until when.

Finished HTML, as the controls beside them: made of templates, these lines cost more than all else on the page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from soar.accounts.access.controls import Controls
from soar.accounts.access.reading import Person, Reason
from soar.accounts.access.rows import Grant
from soar.lib import parts

OWNER, RESTRICTION, GLASS = "owner", "restriction", "glass"


@dataclass(frozen=True, slots=True)
class Line:
    """One person; ``buttons`` only where somebody may change the grant."""

    who: SafeString
    level: SafeString
    why: SafeString
    until: SafeString
    buttons: SafeString | str


def line(one: Person, controls: Controls | None) -> Line:
    """The cells of one person."""
    who = f"{parts.person(one.user)}{_sub(one.roles or _('No role'))}"
    return Line(
        mark_safe(who),  # noqa: S308  of finished parts and escaped text, as all that follows
        _level(one, controls),
        _reasons(one.reasons),
        until(one.grant, controls),
        controls.buttons if controls else "",
    )


def level(grant: Grant, controls: Controls | None) -> SafeString:
    """The level of a grant: the choice for whoever may change it, else the word."""
    return controls.level if controls else _bold(grant.level)


def until(grant: Grant | None, controls: Controls | None) -> SafeString:
    """When a grant ends; a dash where there is none."""
    if controls:
        return controls.until
    if grant is None:
        return mark_safe('<span class="ink-2">–</span>')
    if grant.expires_at:
        return parts.clock(grant.expires_at, True)
    rules = {OWNER: _("while owner"), RESTRICTION: _("while restricted")}
    if grant.rule in rules:
        return escape(rules[grant.rule])
    return mark_safe(f'<span class="ink-2">{escape(_("no end"))}</span>')  # noqa: S308


def why(grant: Grant) -> SafeString:
    """Why a grant was made: the stated rule, or by whom, when and with which reason."""
    if grant.rule == OWNER:
        return mark_safe(escape(_("Owner")) + _sub(_("Owners keep edit when an incident is restricted")))  # noqa: S308
    at, reason = parts.clock(grant.granted_at, True), f", “{escape(grant.reason)}”" if grant.reason else ""
    if grant.rule == RESTRICTION:
        head, reason = _("Manages the restriction"), ""
    elif grant.rule == GLASS:
        head = _("Broke the glass")
    else:
        head = _("Grant by %(name)s") % {"name": grant.granted_by} if grant.granted_by else _("Grant")
    return mark_safe(f'{escape(head)}<span class="sub">{at}{reason}</span>')  # noqa: S308


def _reasons(reasons: list[Reason]) -> SafeString:
    """One a line; what ends with a line of its own needs no break."""
    told = ""
    for one in reasons:
        told += f"{'' if not told or told.endswith('</span>') else '<br>'}{_reason(one)}"
    return mark_safe(told)  # noqa: S308


def _reason(one: Reason) -> str:
    if one.grant is None:
        return f"{escape(one.text)}{_sub(one.detail) if one.detail else ''}"
    if one.grant.is_group:
        return escape(_("Group %(name)s: %(level)s") % {"name": one.text, "level": one.level})
    return why(one.grant)


def _level(one: Person, controls: Controls | None) -> SafeString:
    if one.grant is None:
        nothing = f'<span class="t-amber fg">{escape(_("nothing"))}</span>'
        shown = str(_bold(one.level)) if one.level else nothing
    else:
        shown = str(level(one.grant, controls))
        if not one.level:
            shown += _sub(_("gives nothing"))
        elif one.level != one.grant.level:
            shown += _sub(_("%(level)s in effect") % {"level": one.level})
    if one.hindrance:
        disabled = one.hindrance == "disabled"
        shown += _sub(_("The account is disabled") if disabled else _("No role lets them see cases"))
    return mark_safe(shown)  # noqa: S308


def _bold(text: str) -> SafeString:
    return mark_safe(f'<b class="ink">{escape(text)}</b>')  # noqa: S308


def _sub(text: str) -> str:
    return f'<span class="sub">{escape(text)}</span>'
