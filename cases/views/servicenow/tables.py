"""The tables of a profile's form: which way each field goes, what its values are there, further fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.actions.servicenow_profile_maps import LEFT
from cases.actions.servicenow_vocabulary import Vocabulary
from cases.models import TicketProfile
from cases.servicenow.rules import FIELDS, ProfileRules
from cases.views.servicenow import map_sections
from cases.views.servicenow.cells import Maker, Row, Section
from cases.views.servicenow.picking import GROUP, USER, Picking

EMPTY_EXTRA = 3
ROWS_AT_MOST = 200  # of users, of further fields
LABELS = {
    "title": _("Title, short description"),
    "severity": _("Severity, impact and urgency"),
    "status": _("Status, state"),
    "determination": _("Determination, close code and notes"),
    "owner": _("Lead, assigned to"),
    "team": _("Team, assignment group"),
    "notes": _("Notes"),
    "evidence": _("Evidence, attachments"),
}
DIRECTIONS = [("both", _("Both ways")), ("out", _("To ServiceNow")), ("in", _("From ServiceNow")), ("off", _("Not"))]
WINNERS = [("ours", _("Ours")), ("theirs", _("Theirs")), ("newest", _("The newest")), ("ask", _("Ask"))]
WITHOUT_CONFLICT = ("notes", "evidence")  # both sides' are kept


class Tables:
    """Shown by ``make``; read from what was posted."""

    def __init__(self, profile: TicketProfile, vocabulary: Vocabulary, make: Maker) -> None:
        self.profile, self.vocabulary, self.make = profile, vocabulary, make

    def fields(self) -> Section:
        """Direction and winner of each field."""
        rows = []
        for name in FIELDS:
            label = str(LABELS[name])
            cells = [self.make.cell(f"dir:{name}", f"{label}: goes", self._direction(name), DIRECTIONS)]
            if name not in WITHOUT_CONFLICT:
                winner = self.profile.winners.get(name, "newest")
                cells.append(self.make.cell(f"win:{name}", f"{label}: wins", winner, WINNERS))
            for cell, of in zip(cells, ("directions", "winners"), strict=False):
                cell.error = self.make.errors.get(f"{of}:{name}", "")
            rows.append(Row(label, cells))
        hint = _("A field that both sides changed since they agreed is a conflict: this says who wins.")
        return Section("fields", _("Which way"), hint, _("Field"), [_("Goes"), _("Both changed it")], rows)

    def _direction(self, name: str) -> str:
        """Evidence is sent by a switch of its own, which the API sets; here it is one thing."""
        rules = ProfileRules.of(self.profile)
        if name != "evidence":
            return rules.direction(name)
        out, back = self.profile.send_evidence, rules.takes(name)
        return "both" if out and back else "out" if out else "in" if back else "off"

    def values(self) -> list[Section]:
        """The maps of values."""
        return map_sections.sections(self.profile, self.vocabulary, self.make)

    def people(self) -> list[Section]:
        """The maps of people and groups."""
        return map_sections.people(self.profile, self.make)

    def further(self) -> Section:
        """Fields of the ticket that get a text once, when it is made."""
        pairs = [*self.profile.extra.items(), *[("", "")] * EMPTY_EXTRA]
        rows = []
        for number, (name, text) in enumerate(pairs, 1):
            cells = [
                self.make.cell(f"extra_name:{number}", gettext("Field %(number)s") % {"number": number}, name),
                self.make.cell(f"extra_text:{number}", gettext("Value of field %(number)s") % {"number": number}, text),
            ]
            cells[1].error = cells[1].error or self.make.errors.get(f"extra:{cells[0].value.strip()}", "")
            rows.append(Row(number, cells))
        hint = _("Set when a ticket is made. The same names in braces may be used as above.")
        return Section("extra", _("Further fields"), hint, "", [_("Field of the ticket"), _("Value")], rows)

    def words(self, data: Mapping[str, Any], prefix: str) -> dict[str, str]:
        """Directions or winners; those not posted stay."""
        saved = self.profile.directions if prefix == "dir" else self.profile.winners
        return {**saved, **{name: data[f"{prefix}:{name}"] for name in FIELDS if f"{prefix}:{name}" in data}}

    def maps(self, data: Mapping[str, Any], picking: Picking) -> dict[str, dict[str, Any]]:
        """All maps; pairs that were not posted stay as they are."""
        found = {
            name: self._pairs(data, name) for name in ("status", "state", "priority", "close_code", "close_code_in")
        }
        found["severity"] = self._severities(data)
        found["group"] = self._groups(data, picking)
        found["user"] = self._users(data, picking)
        return found

    def pairs(self, data: Mapping[str, Any], errors: dict[str, str]) -> dict[str, str]:
        """Further fields, in their order; a row without a name is taken away."""
        found: dict[str, str] = {}
        for number in range(1, ROWS_AT_MOST):
            name, text = data.get(f"extra_name:{number}"), data.get(f"extra_text:{number}", "")
            if name is None:
                break
            name = name.strip().lower()
            if name and name in found:
                errors[f"extra:{name}"] = gettext("%(name)s is there twice.") % {"name": name}
            elif name:
                found[name] = text
            elif text.strip():
                errors[f"extra_name:{number}"] = gettext("Which field of the ticket?")
        return found

    def _pairs(self, data: Mapping[str, Any], name: str) -> dict[str, str]:
        saved = dict(self.profile.maps.get(name, {}))
        prefix = f"{name}:"
        for key in data:
            left = key.removeprefix(prefix)
            if key.startswith(prefix) and (name not in LEFT or left in LEFT[name]):
                saved[left] = data[key].strip()
        return {left: right for left, right in saved.items() if right}

    def _severities(self, data: Mapping[str, Any]) -> dict[str, str]:
        saved = dict(self.profile.maps.get("severity", {}))
        for word in LEFT["severity"]:
            if f"impact:{word}" in data:
                pair = data[f"impact:{word}"].strip(), data.get(f"urgency:{word}", "").strip()
                saved[word] = ",".join(pair) if any(pair) else ""
        return {word: pair for word, pair in saved.items() if pair}

    def _groups(self, data: Mapping[str, Any], picking: Picking) -> dict[str, Any]:
        saved: dict[str, Any] = dict(self.profile.maps.get("group", {}))
        for key in data:
            team = key.removeprefix("group:")
            if key.startswith("group:") and team.isdecimal() and len(team) < 10:
                saved[team] = picking.reference(key, GROUP, data[key], _reference(saved.get(team)))
        return {team: group for team, group in saved.items() if group}

    def _users(self, data: Mapping[str, Any], picking: Picking) -> dict[str, Any]:
        """In the form's order. Who is chosen without a counterpart is not mapped, a pair whose person is taken away
        goes, and a person may be there once."""
        if "user:1" not in data:
            return dict(self.profile.maps.get("user", {}))
        old, found = self.profile.maps.get("user", {}), {}
        for number in range(1, ROWS_AT_MOST):
            ours, theirs = data.get(f"user:{number}"), data.get(f"their_user:{number}", "")
            if ours is None:
                break
            if ours in found:
                picking.errors[f"user:{number}"] = gettext("This person is mapped already.")
            elif ours:
                found[ours] = picking.reference(f"their_user:{number}", USER, theirs, _reference(old.get(ours)))
            elif theirs.strip() and theirs.strip() not in {_reference(one).get("label") for one in old.values()}:
                picking.errors[f"user:{number}"] = gettext("Who is it here?")
        return {ours: theirs for ours, theirs in found.items() if theirs}


def _reference(value: Any) -> dict[str, str]:
    return dict(value) if isinstance(value, Mapping) else {}
