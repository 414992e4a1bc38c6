"""The mapping editor: our words beside ServiceNow's choices, in both directions (servicenow.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.servicenow_vocabulary import Vocabulary
from cases.choices import FINDINGS_OF, Determination, IncidentStatus, Severity, Words
from cases.models import TicketProfile
from cases.views.servicenow.cells import Cell, Maker, Pair, Row, Section
from cases.views.servicenow.picking import GROUP, USER
from soar.accounts.membership import workers
from soar.accounts.models import Team
from soar.lib import parts
from soar.lib.columns import PERSON

EMPTY_USERS = 3
TEAMS = 30  # rows of teams, but for those that have a group: the others are shown when they are asked for
MANY = 50  # people: of more, each list of them is long, and one empty pair is enough
IN = {
    "state": ("state", IncidentStatus),
    "priority": ("priority", Severity),
    "close_code_in": ("close_code", Determination),
}


def sections(profile: TicketProfile, vocabulary: Vocabulary, make: Maker) -> list[Section]:
    """All tables of values."""
    return [
        _statuses(profile, vocabulary, make),
        _in(profile, vocabulary, make, "state", _("State to status"), _("State there")),
        _severity(profile, vocabulary, make),
        _in(profile, vocabulary, make, "priority", _("Priority to severity"), _("Priority there")),
        _verdicts(profile, vocabulary, make),
        _in(profile, vocabulary, make, "close_code_in", _("Close code to determination"), _("Close code there")),
    ]


def people(profile: TicketProfile, make: Maker) -> list[Section]:
    """Teams and groups, users and users."""
    return [_groups(profile, make), _users(profile, make)]


HINTS = {
    "status": _("What is not mapped leaves the state of the ticket alone."),
    "state": _("What is not mapped leaves the status here as it is, and counts as a gap when it is met."),
    "severity": _("ServiceNow works the priority out of impact and urgency."),
    "priority": _("Used where impact and urgency are not one of the pairs above."),
    "close_code": _("ServiceNow asks for a close code and notes as soon as a ticket is resolved."),
    "close_code_in": _("What is not mapped leaves the determination as it is."),
}


def _statuses(profile: TicketProfile, vocabulary: Vocabulary, make: Maker) -> Section:
    saved = profile.maps.get("status", {})
    choices = _choices(vocabulary, "state", _("Leave it alone"))
    rows = [
        Row(
            _(str(one.label)),
            [make.cell(f"status:{one.word}", _(str(one.label)), str(saved.get(one.word, "")), choices)],
        )
        for one in _shown(IncidentStatus)
    ]
    heads = [_("ServiceNow")]
    return Section("status", _("Status to state"), HINTS["status"], _("Status here"), heads, rows)


def _verdicts(profile: TicketProfile, vocabulary: Vocabulary, make: Maker) -> Section:
    """Each determination, and below it what it can be in particular; where that is not chosen, the determination's own
    close code goes out."""
    saved = profile.maps.get("close_code", {})
    rows = []
    for one in _shown(Determination):
        known = _choices(vocabulary, "close_code", _("Leave it alone"))
        rows.append(
            Row(
                _(str(one.label)),
                [make.cell(f"close_code:{one.word}", _(str(one.label)), str(saved.get(one.word, "")), known)],
            )
        )
        findings = FINDINGS_OF[Determination(one)]
        for finding in findings if len(findings) > 1 else [each for each in findings if saved.get(each.value)]:
            label = _("%(determination)s: %(finding)s") % {
                "determination": _(str(one.label)),
                "finding": str(finding.label).lower(),
            }
            known = _choices(vocabulary, "close_code", _("As %s") % _(str(one.label)).lower())
            cell = make.cell(f"close_code:{finding.value}", label, str(saved.get(finding.value, "")), known)
            rows.append(Row(label, [cell]))
    title, first = _("Determination to close code"), _("Determination here")
    return Section("close_code", title, HINTS["close_code"], first, [_("ServiceNow")], rows)


def _in(profile: TicketProfile, vocabulary: Vocabulary, make: Maker, name: str, title: str, first: str) -> Section:
    element, words = IN[name]
    saved = profile.maps.get(name, {})
    known = dict(vocabulary.choices.get(element, []))
    lost = {value: _("%s (not there any more)") % value for value in saved if value not in known}
    options = [("", _("Leave it alone")), *((one.word, _(str(one.label))) for one in _shown(words))]
    rows = [
        Row(label, [make.cell(f"{name}:{value}", str(label), str(saved.get(value, "")), options)], raw=value)
        for value, label in {**known, **lost}.items()
        if value
    ]
    return Section(name, title, HINTS[name], first, [_("Soar")], rows)


def _severity(profile: TicketProfile, vocabulary: Vocabulary, make: Maker) -> Section:
    saved = profile.maps.get("severity", {})
    rows = []
    for one in reversed(Severity):
        impact, _comma, urgency = str(saved.get(one.word, "")).partition(",")
        cells = [
            _half(make, vocabulary, one, "impact", _("Impact"), impact),
            _half(make, vocabulary, one, "urgency", _("Urgency"), urgency),
        ]
        rows.append(Row(_(str(one.label)), cells, badge=parts.sev(one.word)))
    heads = [_("Impact"), _("Urgency")]
    return Section("severity", _("Severity to impact and urgency"), HINTS["severity"], _("Severity here"), heads, rows)


def _half(make: Maker, vocabulary: Vocabulary, one: Severity, element: str, word: str, saved: str) -> Cell:
    cell = make.cell(
        f"{element}:{one.word}",
        f"{_(str(one.label))}: {word}",
        saved,
        _choices(vocabulary, element, _("Leave it alone")),
    )
    cell.error = make.errors.get(f"severity:{one.word}", "") if element == "impact" else ""
    return cell


def _groups(profile: TicketProfile, make: Maker) -> Section:
    saved = profile.maps.get("group", {})
    teams = list(Team.objects.order_by("name"))
    typed = {key.removeprefix("group:") for key in make.data or {} if key.startswith("group:")}
    named = [team for team in teams if str(team.pk) in typed | set(saved)]
    others = [team for team in teams if team not in named]
    left_out = set() if make.whole else set(others[max(TEAMS - len(named), 0) :])
    rows = [
        Row(team.name, [make.cell(f"group:{team.pk}", team.name, _label(saved.get(str(team.pk))), found=GROUP)])
        for team in teams
        if team not in left_out
    ]
    hint = _("Both ways. The team of an incident is left alone where the group of the ticket is none of these.")
    heads = [_("Group there")]
    return Section("group", _("Teams and groups"), hint, _("Team here"), heads, rows, len(left_out))


def _users(profile: TicketProfile, make: Maker) -> Section:
    saved = profile.maps.get("user", {})
    able = workers().only(*PERSON)
    accounts: list[Pair] = [("", _("Nobody")), *((one.username, str(one.display_name())) for one in able)]
    pairs = [*saved.items(), *[("", {})] * (EMPTY_USERS if len(accounts) <= MANY else 1)]
    rows = [
        Row(
            _("Pair %d") % number,
            [
                make.cell(f"user:{number}", _("User here, pair %d") % number, ours, accounts),
                make.cell(f"their_user:{number}", _("User there, pair %d") % number, _label(theirs), found=USER),
            ],
        )
        for number, (ours, theirs) in enumerate(pairs, 1)
    ]
    hint = _("Only for people whose e-mail address is another one there: the others are known by it.")
    return Section("user", _("Users"), hint, "", [_("User here"), _("User there")], rows)


def _choices(vocabulary: Vocabulary, element: str, blank: str) -> list[Pair]:
    """No options at all where the choices were never read: then it is a text."""
    known = vocabulary.choices.get(element, [])
    return (
        [("", blank), *((value, f"{label} ({value})" if label != value else label) for value, label in known if value)]
        if known
        else []
    )


def _shown(words: Any) -> list[Words]:
    """A ticket cannot be resolved as unknown (casework.md 1)."""
    return [one for one in words if one is not Determination.UNKNOWN]


def _label(reference: Any) -> str:
    return str(reference.get("label", "")) if isinstance(reference, Mapping) else ""
