"""Values without a counterpart on the other side, before a profile is switched on and while it works. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _

from cases.choices import Determination, Findings, IncidentStatus, Severity
from cases.servicenow.inward import incoming
from cases.servicenow.outward import made
from cases.servicenow.rules import UNMAPPED, CaseState, Choice, Gap, ProfileRules


def gaps(rules: ProfileRules, choices: Mapping[str, Sequence[Choice]]) -> list[Gap]:
    """What is not mapped, or mapped to what is not there, by the choices of the table: by element (state, impact,
    urgency, priority, close_code). Asked before a profile is switched on."""
    known = {element: {one.value: one.label for one in found} for element, found in choices.items()}
    return [*_gaps_out(rules, known), *_gaps_in(rules, known)]


def missing_out(rules: ProfileRules, case: CaseState) -> dict[str, Gap]:
    """The fields whose value of ours has no counterpart there."""
    values, found = made(rules, case), {}
    names = {
        "severity": "severity",
        "status": "status",
        "determination": "close_code",
        "owner": "user",
        "team": "group",
    }
    for name, map_name in names.items():
        value = str(getattr(case, name))
        if values[name] is UNMAPPED and rules.sends(name) and (name != "determination" or case.ended):
            label = case.words.get(name, value)
            found[name] = Gap(
                map_name, value, label, _("%(label)s has no counterpart in ServiceNow") % {"label": label}
            )
    return found


def missing_in(rules: ProfileRules, raw: Mapping[str, str]) -> dict[str, Gap]:
    """The fields whose raw value has no counterpart here."""
    named = {"severity": ("priority", "priority"), "status": ("state", "state"), "owner": ("user", "assigned_to"),
             "determination": ("close_code_in", "close_code"), "team": ("group", "assignment_group")}  # fmt: skip
    found = {}
    for name, value in incoming(rules, raw).items():
        if value is UNMAPPED:
            map_name, key = named[name]
            theirs = raw.get(key, "")
            found[name] = Gap(
                map_name, theirs, theirs, _("%(theirs)s has no counterpart here") % {"theirs": theirs or "nothing"}
            )
    return found


def _gaps_out(rules: ProfileRules, known: Mapping[str, Mapping[str, str]]) -> Iterable[Gap]:
    words = {
        "status": ("state", IncidentStatus.words()),
        "close_code": ("close_code", [w for w in Determination.words() if w != "unknown"]),
    }
    for name, (element, ours_) in words.items():
        if element in known and rules.sends("determination" if name == "close_code" else "status"):
            for word in ours_:
                yield from _gap_out(rules, name, word, str(rules.map(name).get(word) or ""), known[element])
    if "close_code" in known and rules.sends("determination"):
        for word in filter(rules.map("close_code").get, Findings.values):  # one without goes as its determination does
            yield from _gap_out(rules, "close_code", word, str(rules.map("close_code")[word]), known["close_code"])
    for word in Severity.words() if rules.sends("severity") else ():
        pair = str(rules.map("severity").get(word) or ",").split(",")
        for element, value in zip(("impact", "urgency"), [*pair, ""][:2], strict=True):
            if element in known and value.strip() not in known[element]:
                yield from _gap_out(rules, "severity", word, value.strip(), known[element])
                break


def _gap_out(rules: ProfileRules, name: str, word: str, value: str, there: Mapping[str, str]) -> Iterable[Gap]:
    if value in there:
        return
    label = word.replace("_", " ")
    text = (
        _("%(label)s goes out as %(value)s, which ServiceNow does not have") % {"label": label, "value": value}
        if value
        else _("%(label)s is not mapped") % {"label": label}
    )
    yield Gap(name, word, label, text)


def _gaps_in(rules: ProfileRules, known: Mapping[str, Mapping[str, str]]) -> Iterable[Gap]:
    asked = (("state", "state", "status"), ("priority", "priority", "severity"),
             ("close_code_in", "close_code", "determination"))  # fmt: skip
    for name, element, of in asked:
        for value, label in known.get(element, {}).items() if rules.takes(of) else ():
            if not rules.map(name).get(value):
                yield Gap(
                    name,
                    value,
                    label,
                    _("%(label)s (%(value)s) is not mapped") % {"label": label, "value": value}
                    if label != value
                    else _("%(label)s is not mapped") % {"label": label},
                )
