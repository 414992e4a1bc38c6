"""Values without a counterpart: those a profile would meet, and those it has met (servicenow.md 2, 9)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from cases.actions.servicenow_instances import may_set_up
from cases.actions.servicenow_profile_fields import SYS_ID
from cases.actions.servicenow_profile_maps import checked_map, contradictions
from cases.actions.servicenow_vocabulary import Vocabulary
from cases.actors import Actor
from cases.errors import Missing, Refused
from cases.models import MappingGap, TicketProfile
from cases.servicenow.gaps import gaps
from cases.servicenow.rules import ProfileRules
from soar.accounts import audit

ENDS = ("resolved", "closed")
REFERENCES = ("user", "group")
EFFECTS = {
    "status": "the state of the ticket stays as it is",
    "state": "the status here stays as it is",
    "severity": "impact and urgency stay as they are",
    "priority": "the severity here stays as it is",
    "close_code": "resolving fails",
    "close_code_in": "the determination here stays as it is",
    "user": "the assignment stays as it is",
    "group": "the team stays as it is",
}


class _Choice(NamedTuple):
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class Found:
    """A value without a counterpart. ``breaks``: resolving an incident could fail because of it; ``effect``: what
    happens until it is mapped."""

    map: str
    value: str
    label: str
    text: str
    breaks: bool
    effect: str


def gaps_of(profile: TicketProfile, vocabulary: Vocabulary) -> list[Found]:
    """What is not mapped, or mapped to what is not there, those that break resolving first. A field whose choices
    ServiceNow does not tell is not judged."""
    rules = _with_codes(ProfileRules.of(profile))
    known = {name: [_Choice(*pair) for pair in pairs if pair[0]] for name, pairs in vocabulary.choices.items()}
    found = []
    for one in gaps(rules, {name: choices for name, choices in known.items() if choices}):
        breaks = _breaks(rules, one.map, one.value)
        effect = EFFECTS["close_code"] if breaks else EFFECTS[one.map]
        found.append(Found(one.map, one.value, one.label, one.text, breaks, effect))
    return sorted(found, key=lambda one: not one.breaks)


def breaking(found: list[Found]) -> list[Found]:
    """Those with which resolving could fail."""
    return [one for one in found if one.breaks]


def effect_of(gap: MappingGap) -> str:
    """What happens until a gap that was met is mapped."""
    return EFFECTS.get(gap.map, "the field stays as it is")


def clear_mapped(profile: TicketProfile) -> None:
    """Forget the gaps that the profile's maps fill by now; in the caller's transaction."""
    for gap in profile.gaps.all():
        pairs = profile.maps.get(gap.map, {})
        theirs = {one.get("value") for one in pairs.values() if isinstance(one, dict)}
        if gap.value in pairs or gap.value in theirs:
            gap.delete()


@transaction.atomic
def map_gap(actor: Actor, gap_id: int, counterpart: Any) -> MappingGap:
    """Map a value that was met. ``counterpart``: a word or choice; of a person or group of ours the reference there,
    of one of theirs (a sys_id) our user name or the id of our team. Raises Refused, Missing, Forbidden."""
    may_set_up(actor)
    gap = MappingGap.objects.filter(pk=gap_id).first()
    if gap is None:
        raise Missing(_("This gap is mapped by now."))
    profile = TicketProfile.objects.select_for_update().get(pk=gap.profile_id)
    left, right = gap.value, counterpart
    if gap.map in REFERENCES and SYS_ID.fullmatch(gap.value):
        left, right = str(counterpart), {"value": gap.value, "label": gap.label or gap.value}
    maps = {**profile.maps, gap.map: {**profile.maps.get(gap.map, {}), left: right}}
    errors: dict[str, str] = {}
    filled = checked_map(gap.map, {left: right}, errors)
    errors |= contradictions(maps)
    if errors or not filled:
        raise Refused(next(iter(errors.values()), _("Choose a counterpart first.")), field="counterpart")
    profile.maps = maps
    profile.version += 1
    profile.save(update_fields=["maps", "version", "updated_at"])
    clear_mapped(profile)
    audit.record(actor.user, "servicenow.gap_mapped", profile.name, map=gap.map, value=gap.value)
    return gap


def _with_codes(rules: ProfileRules) -> ProfileRules:
    """A ticket that is resolved from here gets a close code even where determinations do not go out otherwise."""
    if not rules.sends("status") or rules.sends("determination"):
        return rules
    both = "both" if rules.takes("determination") else "out"
    return replace(rules, directions={**rules.directions, "determination": both})


def _breaks(rules: ProfileRules, name: str, value: str) -> bool:
    """A ticket cannot be resolved without a close code that exists, nor by a state that does not, nor without any."""
    if name == "close_code":
        return rules.sends("status")
    if name == "status" and value in ENDS:
        return value == "resolved" or bool(rules.map("status").get(value))
    return False
