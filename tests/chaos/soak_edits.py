"""Random edits on both sides of the sync, random faults between them, and what must have come of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import transaction

from cases.actions import evidence, incident_owners, incidents
from cases.errors import CaseError
from cases.models import TicketLink
from soar.standins.servicenow import seed
from tests.servicenow_tools import Both
from tests.ticket_sides import PAIRS, PRIORITIES, here, incident_of

PEOPLE = ("mara.lindqvist", "priya.raman", "jonas.adeyemi")
LEVELS = tuple(PAIRS)
SORTS = ("any", "read", "create", "update", "journal", "attach", "sys_journal_field", "incident", "token")
FAULTS = ("lost", "after", "before", "503", "500", "429", "html", "garbage", "hibernate", "401", "late")
MATRIX = {"11": "1", "12": "2", "13": "3", "21": "2", "22": "3", "23": "4", "31": "3", "32": "4", "33": "5"}
Values = dict[tuple[int, str], Any]


class Edits:
    """``ours`` and ``theirs``: by incident and field the last value that either side set, as the incident has it."""

    def __init__(self, both: Both, chance: random.Random) -> None:
        self.both, self.chance = both, chance
        self.ours: Values = {}
        self.theirs: Values = {}
        self.done: Counter[str] = Counter()
        self._number = 0

    def one(self, link: TicketLink) -> None:
        """One edit, here or there; one that a rule refuses counts as none."""
        made = self.chance.choices(list(_HERE) + list(_THERE), [*_HERE.values(), *_THERE.values()])[0]
        try:
            made(self, link)
        except CaseError:
            self.done["refused here"] += 1
        else:
            self.done[made.__name__] += 1

    def fault(self) -> None:
        """Something goes wrong at the instance."""
        kind = self.chance.choice(["request"] * 8 + ["down", "hibernate", "expire", "budget"])
        tell = self.both.desk.tell
        if kind == "down":
            tell("down", seconds=self.chance.uniform(0.2, 2), how=self.chance.choice(["drop", "503"]))
        elif kind == "hibernate":
            tell("hibernate")
        elif kind == "expire":
            tell("expire", refresh=self.chance.random() < 0.3)
        elif kind == "budget":
            tell("budget", per_hour=self.chance.randint(0, 20))
        else:
            tell("fault", kind=self.chance.choice(FAULTS), on=self.chance.choice(SORTS), delay=2.5,
                 times=self.chance.randint(1, 3))  # fmt: skip
        self.done[f"fault {kind}"] += 1

    def calm(self) -> None:
        """The instance is well again."""
        self.both.desk.tell("wake")
        self.both.desk.tell("budget", per_hour=None)

    def stale(self, link: TicketLink) -> list[str]:
        """Fields that have neither of the two values that were set last."""
        incident = incident_of(link)
        lead = incident.owner_rows.filter(lead=True).select_related("user").first()
        now = {"title": incident.title, "severity": LEVELS[4 - incident.severity],
               "owner": lead.user.username if lead else ""}  # fmt: skip
        found = []
        for field, value in now.items():
            key = (link.incident_id, field)
            last = [side[key] for side in (self.ours, self.theirs) if key in side]
            if last and value not in last:
                found.append(f"{field} is {value!r}, set last were {last}")
        return found

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _tell(self, verb: str, link: TicketLink, **wish: Any) -> bool:
        """Of a ticket that is not made yet there is nothing to do."""
        link.refresh_from_db()
        if not link.sys_id:
            return False
        return bool(self.both.desk.order(verb, sys_id=link.sys_id, **wish).status_code == 200)

    # Here.

    def retitle(self, link: TicketLink) -> None:
        title = f"Title {self._next()} of ours"
        incidents.update(here(), link.incident_id, changes={"title": title})
        self.ours[link.incident_id, "title"] = title

    def rate(self, link: TicketLink) -> None:
        severity = self.chance.choice(LEVELS)
        incidents.update(here(), link.incident_id, changes={"severity": severity})
        self.ours[link.incident_id, "severity"] = severity

    def comment(self, link: TicketLink) -> None:
        text = f"Note {self._next()} of ours"
        if self.chance.random() < 0.05:
            text += "\n" + "\n".join(f"and line {number} of it" for number in range(300))
        incidents.comment(here(), link.incident_id, text)

    def move(self, link: TicketLink) -> None:
        incidents.set_status(here(), link.incident_id, self.chance.choice(["open", "in_progress", "contained"]))

    def resolve(self, link: TicketLink) -> None:
        determination = self.chance.choice(["malicious", "suspicious", "benign"])
        incidents.set_status(here(), link.incident_id, self.chance.choice(["resolved", "closed"]),
                             determination=determination, reason=f"Reason {self._next()} of ours")  # fmt: skip

    def own(self, link: TicketLink) -> None:
        lead = self.chance.choice([*PEOPLE, None])
        incident_owners.owners(here(), link.incident_id, lead=lead)
        self.ours[link.incident_id, "owner"] = lead or ""

    def keep(self, link: TicketLink) -> None:
        number = self._next()
        evidence.add_bytes(here(), link.incident_id, f"file-{number}.txt", f"File {number}".encode())

    # There.

    def they_retitle(self, link: TicketLink) -> None:
        title = f"Title {self._next()} of theirs"
        if self._tell("change", link, set={"short_description": f"{incident_of(link).number} {title}"}):
            self.theirs[link.incident_id, "title"] = title

    def they_rate(self, link: TicketLink) -> None:
        impact, urgency = self.chance.choice("123"), self.chance.choice("123")
        if self._tell("change", link, set={"impact": impact, "urgency": urgency}):
            known = {pair: word for word, pair in PAIRS.items()}
            word = known.get(impact + urgency) or PRIORITIES[MATRIX[impact + urgency]]
            self.theirs[link.incident_id, "severity"] = word

    def they_note(self, link: TicketLink) -> None:
        element, who = self.chance.choice(["work_notes", "comments"]), self.chance.choice(PEOPLE)
        self._tell("note", link, as_=who, text=f"Note {self._next()} of theirs", element=element)

    def they_move(self, link: TicketLink) -> None:
        self._tell("change", link, set={"state": "2"})

    def they_close(self, link: TicketLink) -> None:
        code = self.chance.choice(["Solution provided", "Duplicate", "Workaround provided", "User error"])
        self._tell("close", link, code=code, notes=f"Reason {self._next()} of theirs", state=self.chance.choice([6, 7]))

    def they_reopen(self, link: TicketLink) -> None:
        self._tell("reopen", link)

    def they_assign(self, link: TicketLink) -> None:
        who = self.chance.choice(PEOPLE)
        if self._tell("change", link, set={"assigned_to": seed.user_id(who)}):
            self.theirs[link.incident_id, "owner"] = who

    def they_let_it_close(self, link: TicketLink) -> None:
        self._tell("auto-close", link)


_HERE: dict[Callable[[Edits, TicketLink], None], int] = {
    Edits.retitle: 10, Edits.rate: 10, Edits.comment: 14, Edits.move: 5, Edits.resolve: 4, Edits.own: 5, Edits.keep: 3,
}  # fmt: skip
_THERE: dict[Callable[[Edits, TicketLink], None], int] = {
    Edits.they_retitle: 8, Edits.they_rate: 10, Edits.they_note: 12, Edits.they_move: 5, Edits.they_close: 4,
    Edits.they_reopen: 4, Edits.they_assign: 5, Edits.they_let_it_close: 1,
}  # fmt: skip
assert transaction
