"""Every operation x everybody (access.md 4): the answer is as written down, and tells nothing of what is hidden. The
groups are spread over files of tests, which two processes share."""

from __future__ import annotations

from tests.crossing import table
from tests.crossing.case import MARK
from tests.crossing.knocking import ABSENT, knock, tells, words
from tests.crossing.operations import Operation, everything
from tests.crossing.personas import NAMES, OUTSIDE, PROGRAMS, STRANGE
from tests.crossing.world import RESTRICTED, SHOWN, World

# By this an admin opens a restricted incident: it is recorded and told to its owners (rulings 20).
LET_IN = {("POST api/v1/incidents/{id}/break-glass/", "admin"), ("POST incidents/break-glass/", "admin")}
# Says 503, for there is no worker.
NOT_READY = "GET readyz"
# Whoever may the most, of what all of the team may see and of what is restricted.
MOST = {"": "admin", RESTRICTED: "owner"}


def ask_everybody(world: World, group: str) -> None:
    """Each operation of the group, by everybody. Raises AssertionError for an answer that is not as in the table, a
    server error, and whatever tells of what is hidden."""
    found: dict[str, str] = {}
    leaks: list[str] = []
    for operation in (one for one in everything() if one.group == group):
        for subject in world.subjects(operation):
            row, told = _everybody(world, operation, subject)
            found[f"{operation} {subject}".strip()] = row
            leaks += told
    _as_written(found)
    assert not leaks, "\n".join(leaks)


def _everybody(world: World, operation: Operation, subject: str) -> tuple[str, list[str]]:
    """The row of the table, and what somebody should not have heard. A method that a page does not know for whoever
    may the most is known to nobody: the others are not asked."""
    first, answers = MOST[subject], {}
    answers[first] = _one(world, first, operation, subject)
    if not operation.api and answers[first] == ("method", []):
        return "method", []
    for name in NAMES:
        if name not in answers:
            answers[name] = _one(world, name, operation, subject)
    leaks = [f"{operation} {subject} tells {name} {what}" for name in NAMES for what in answers[name][1]]
    return " ".join(answers[name][0] for name in NAMES), leaks


def _one(world: World, name: str, operation: Operation, subject: str) -> tuple[str, list[str]]:
    """The word for what one person gets to hear, and what they should not have heard."""
    if name in PROGRAMS and not operation.api:
        return "-", []
    answer = knock(world, name, operation, subject)
    word = table.word_of(answer)
    told: list[str] = []
    if (str(operation), name) in LET_IN:
        return word, told
    if name in OUTSIDE and tells(answer, MARK):
        told.append("of what is hidden")
    # The log of what was done names it to whoever may read the log.
    if name in STRANGE and tells(answer, SHOWN) and not operation.route.startswith("api/v1/audit/"):
        told.append("of what is another team's")
    if subject == RESTRICTED and name in OUTSIDE and (word not in ("missing", "login", "method") or name == "outsider"):
        absent = knock(world, name, operation, ABSENT)
        if table.word_of(absent) != word:
            told.append(f"that it is there: {word}, and {table.word_of(absent)} for what is not")
        elif words(absent) != words(answer):
            told.append("that it is there: in other words than of what is not")
    return word, told


def _as_written(found: dict[str, str]) -> None:
    broken = [key for key, words in found.items() if " 5" in f" {words}" and key != NOT_READY]
    assert not broken, broken
    if table.WRITE:
        table.write(found, NAMES)
    wanted = table.expected()
    found = {key: words for key, words in found.items() if table.is_told(words) or key in wanted}
    told = [_difference(key, words, wanted.get(key)) for key, words in found.items() if words != wanted.get(key)]
    assert not told, "\n".join(["", " ".join(NAMES), *told])


def _difference(key: str, words: str, written: str | None) -> str:
    if written is None:
        return f"{key}\n  new operation: look at it, then write it down (how: {table.FILE.name})\n  is      {words}"
    return f"{key}\n  is      {words}\n  written {written}"
