"""What changes one grant in a line of the page: its level, its end, and the buttons that save and revoke it.

Finished HTML: made of templates, the choices of a page of grants cost more than all else on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from soar.accounts.access.kinds import Grantable
from soar.accounts.access.rows import Grant

_HTMX = 'hx-target="#access" hx-swap="morph:outerHTML"'


@dataclass(frozen=True, slots=True)
class Controls:
    """The cells of one grant."""

    level: SafeString
    until: SafeString
    buttons: SafeString


class Desk:
    """Makes the controls of the grants on one object. ``levels``: those that the person gives and takes away;
    ``days``: choices of an end, the first is none; ``token``: the person's own against forged requests."""

    def __init__(
        self, kind: Grantable, obj: Any, levels: Sequence[str], days: Iterable[tuple[str, Any]], token: str
    ) -> None:
        self._name, self._ref, self._token = kind.name, kind.ref(obj), escape(token)
        self._levels = {
            chosen: "".join(
                f"<option{' selected' if level == chosen else ''}>{escape(level)}</option>" for level in levels
            )
            for chosen in levels
        }
        ends = [f'<option value="{value}">{escape(text)}</option>' for value, text in days]
        self._ends = {True: "".join(ends), False: "".join(ends[1:])}
        self._rules = {"owner": _("while owner"), "restriction": _("while restricted")}

    def of(self, grant: Grant) -> Controls | None:
        """Those of one grant; None for one that the person neither changes nor takes away."""
        if grant.level not in self._levels:
            return None
        name = {"name": grant.name}
        given = f'form="g-{grant.id}" class="form-select w-auto"'
        level = f'<select {given} name="level" aria-label="{escape(_("Level of %(name)s") % name)}">'
        until = f'<select {given} name="days" aria-label="{escape(_("End of the grant of %(name)s") % name)}">'
        now = f'<option value="keep">{escape(self._end(grant))}</option>'
        endless = grant.expires_at is None and not grant.rule
        return Controls(
            mark_safe(f"{level}{self._levels[grant.level]}</select>"),  # noqa: S308  escaped above, as below
            mark_safe(f"{until}{now}{self._ends[not endless]}</select>"),  # noqa: S308
            self._buttons(grant),
        )

    def _end(self, grant: Grant) -> str:
        if grant.expires_at is not None:
            return f"{timezone.localtime(grant.expires_at):%Y-%m-%d %H:%M}"
        return self._rules.get(grant.rule) or _("no end")

    def _buttons(self, grant: Grant) -> SafeString:
        name = {"name": grant.name}
        change, revoke = (
            escape(reverse(f"{self._name}-access-{verb}", args=[self._ref, grant.id])) for verb in ("change", "revoke")
        )
        token = f'<input type="hidden" name="csrfmiddlewaretoken" value="{self._token}">'
        save = f'aria-label="{escape(_("Save the grant of %(name)s") % name)}">{escape(_("Save"))}'
        take = f'aria-label="{escape(_("Revoke the grant of %(name)s") % name)}">{escape(_("Revoke"))}'
        return mark_safe(  # noqa: S308
            f'<form class="line line-tight line-keep" id="g-{grant.id}" method="post" action="{change}" '
            f'hx-post="{change}" {_HTMX}>{token}<button class="btn btn-sm" {save}</button>'
            f'<button class="btn btn-sm btn-stop" formaction="{revoke}" hx-post="{revoke}" {_HTMX} '
            f"{take}</button></form>"
        )
