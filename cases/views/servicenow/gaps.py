"""Values without a counterpart that were met, each with what it can be mapped to (servicenow.md 9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from cases.actions import servicenow_gaps
from cases.actions.servicenow_instances import may_set_up
from cases.actions.servicenow_profile_fields import SYS_ID
from cases.actions.servicenow_profile_maps import RIGHT
from cases.actions.servicenow_vocabulary import kept, read
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from cases.models import MappingGap
from cases.views.parts import needs
from cases.views.servicenow.answers import verb
from cases.views.servicenow.picking import GROUP, USER, Picking
from soar.accounts.membership import may, workers
from soar.accounts.models import Team, User
from soar.lib import parts
from soar.lib.htmx import render_regions

SHOWN = 15
PEOPLE_AT_MOST = 500
TEMPLATE = "servicenow/sync.html"
# By map: what the value is, what it is to become, and the invitation to choose.
WORDS = {
    "status": (gettext_lazy("Status %s → state"), gettext_lazy("Choose a state")),
    "state": (gettext_lazy("State %s (theirs) → status"), gettext_lazy("Choose a status")),
    "severity": (gettext_lazy("Severity %s → impact, urgency"), gettext_lazy("Choose impact and urgency")),
    "priority": (gettext_lazy("Priority %s (theirs) → severity"), gettext_lazy("Choose a severity")),
    "close_code": (gettext_lazy("Determination %s → close code"), gettext_lazy("Choose a close code")),
    "close_code_in": (gettext_lazy("Close code %s (theirs) → determination"), gettext_lazy("Choose a determination")),
    "user": (gettext_lazy("User %s → sys_user"), gettext_lazy("Search a user")),
    "group": (gettext_lazy("Team %s → group"), gettext_lazy("Search a group")),
}
THEIRS = {
    "user": (gettext_lazy("User %s (theirs) → user"), gettext_lazy("Choose a user")),
    "group": (gettext_lazy("Group %s (theirs) → team"), gettext_lazy("Choose a team")),
}
# Maps whose right side is a choice of ServiceNow, and of which of its fields.
ELEMENTS = {"status": "state", "close_code": "close_code"}
SEARCHED = {"user": USER, "group": GROUP}
Options = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class GapRow:
    """A line. ``options``: what to choose from; ``search``: users or groups, to be looked for by typing instead;
    ``ours``: it is mapped to something of this portal."""

    gap: MappingGap
    words: str
    invitation: str
    effect: str
    options: Options
    search: str
    ours: bool

    @property
    def mark(self) -> tuple[int, int, int]:
        """Another one when the line reads differently."""
        return self.gap.pk, self.gap.met, len(self.options)


def rows(user: User) -> tuple[list[GapRow], bool]:
    """For who sets profiles up; the most frequent first, and whether there are more of them."""
    if not may(user, "manage_connectors"):
        return [], False
    found = list(MappingGap.objects.select_related("profile__instance__account").order_by("-met", "pk")[: SHOWN + 1])
    ours: dict[str, Options] = {}
    return [row_of(one, ours=ours) for one in found[:SHOWN]], len(found) > SHOWN


def row_of(gap: MappingGap, options: Options | None = None, *, ours: dict[str, Options] | None = None) -> GapRow:
    """A gap with the choices that were read last, or ``options``. ``ours``: by map what is here to choose from, for
    several gaps read once."""
    reference_there = gap.map in THEIRS and SYS_ID.fullmatch(gap.value) is not None
    words, invitation = THEIRS[gap.map] if reference_there else WORDS.get(gap.map, ("%s", _("Choose")))
    label = gap.label or gap.value
    shown = parts.label(label).lower() if label in parts.WORDS else label
    search = SEARCHED.get(gap.map, "") if not reference_there else ""
    chosen = options if options is not None else _options(gap, reference_there, {} if ours is None else ours)
    effect = servicenow_gaps.effect_of(gap)
    to_ours = gap.map in RIGHT or reference_there
    return GapRow(gap, str(words) % shown, str(invitation), effect, [] if search else chosen, search, to_ours)


def _options(gap: MappingGap, reference_there: bool, ours: dict[str, Options]) -> Options:
    if gap.map in RIGHT:
        return [(word, parts.label(word)) for word in RIGHT[gap.map]]
    if reference_there:
        if gap.map not in ours:
            ours[gap.map] = _ours(gap.map)
        return ours[gap.map]
    return _theirs(gap, kept(gap.profile.instance, gap.profile.table).choices)


def _ours(name: str) -> Options:
    if name == "group":
        return [(str(one.pk), one.name) for one in Team.objects.order_by("name")]
    return [(one.username, one.display_name()) for one in workers()[:PEOPLE_AT_MOST]]


def _theirs(gap: MappingGap, choices: dict[str, Options]) -> Options:
    if gap.map == "severity":
        pairs = [(a, b) for a in choices.get("impact", []) for b in choices.get("urgency", []) if a[0] and b[0]]
        return [(f"{a[0]},{b[0]}", f"{a[1]} / {b[1]}") for a, b in pairs]
    return [(value, label) for value, label in choices.get(ELEMENTS.get(gap.map, ""), []) if value]


@needs("manage_connectors")
@require_safe
def gap_choices(request: HttpRequest, pk: int) -> HttpResponse:
    """The cell with the choices as ServiceNow has them now: asked for by the page where none were read before."""
    gap = MappingGap.objects.select_related("profile__instance__account").filter(pk=pk).first()
    if gap is None:
        raise Missing(_("This gap is mapped by now."))
    found = read(gap.profile.instance, gap.profile.table)
    row = row_of(gap, _theirs(gap, found.choices))
    return render_regions(request, TEMPLATE, ["gap-cell"], {"row": row, "said": found.said, "asked": True})


@verb
def gap_map(request: HttpRequest, actor: Actor, pk: int) -> str:
    """Map it; what was held back by it goes on with the next attempt."""
    may_set_up(actor)
    typed = request.POST.get("counterpart", "").strip()
    if not typed:
        raise Refused(_("Choose a counterpart first."), field="counterpart")
    gap = MappingGap.objects.select_related("profile__instance__account").filter(pk=pk).first()
    if gap is None:
        raise Conflict(_("This gap is mapped by now."))
    mapped = servicenow_gaps.map_gap(actor, pk, _counterpart(actor, gap, typed))
    return _("%(profile)s: %(value)s is mapped") % {
        "profile": gap.profile.name, "value": mapped.label or mapped.value
    }  # fmt: skip


def _counterpart(actor: Actor, gap: MappingGap, typed: str) -> Any:
    """A text; of somebody who is searched for in ServiceNow the reference."""
    if gap.map not in SEARCHED or SYS_ID.fullmatch(gap.value):
        return typed
    may_set_up(actor)  # before ServiceNow is asked on behalf of anybody
    picking = Picking(gap.profile.instance)
    found = picking.reference("counterpart", SEARCHED[gap.map], typed, {})
    if picking.errors:
        raise Refused(picking.errors["counterpart"], field="counterpart")
    return found
