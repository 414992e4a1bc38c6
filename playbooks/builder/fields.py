"""What a form is made of, finished for the template (templates/playbooks/_input.html)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from playbooks.graph.model import Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several: ``note`` is a word beside it, ``disabled`` cannot be ticked, ``risk``: drawn as a rating."""

    value: str
    label: str
    checked: bool = False
    disabled: bool = False
    note: str = ""
    risk: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """``form``: text, long, lines, number, time, select, ticks (several), switch. ``loaded``: the value that stands
    there without anybody's doing; sent along, so that it is known from one that was typed. ``tells``: the value at the
    time of drawing is sent along as ``.was``, so that a change of it is seen. ``finds``: of a text, the address that
    answers with suggestions for what is typed."""

    name: str
    label: str
    form: str = "text"
    value: str = ""
    choices: list[Choice] = field(default_factory=list)
    error: str = ""
    hint: str = ""
    most: int = 0
    least: int = 1
    url: str = ""
    action: str = ""
    refreshes: bool = False
    loaded: str = ""
    tells: bool = False
    finds: str = ""

    @property
    def id(self) -> str:
        """The id of the control; also what labels and errors are tied to."""
        return "f-" + self.name.replace(".", "-")

    @property
    def checked(self) -> bool:
        """Of a switch: whether it is on."""
        return bool(self.value)

    @property
    def described(self) -> str:
        """The ids of its hint and error."""
        return " ".join(f"{self.id}-{kind}" for kind, given in (("hint", self.hint), ("error", self.error)) if given)


@dataclass(slots=True)
class Errors:
    """The problems of one node by field. What no field has shown is left for the top of the form."""

    problems: list[Problem]
    shown: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, node: str, problems: Iterable[Problem]) -> Errors:
        """Those of ``node``."""
        return cls([one for one in problems if one.node == node])

    def at(self, *names: str) -> str:
        """The message of a field, or of what is inside of it."""
        for number, one in enumerate(self.problems):
            if any(one.field == name or one.field.startswith(f"{name}.") for name in names):
                self.shown.add(number)
                return one.message
        return ""

    def exactly(self, name: str) -> str:
        """The message of a field itself, not of what is inside of it."""
        for number, one in enumerate(self.problems):
            if one.field == name:
                self.shown.add(number)
                return one.message
        return ""

    def left(self) -> list[str]:
        """What was not shown at a field."""
        return [one.message for number, one in enumerate(self.problems) if number not in self.shown]


def lines(values: Iterable[str]) -> str:
    """A list as the text of a box: one a line."""
    return "\n".join(values)


def from_lines(text: str, commas: bool = False) -> list[str]:
    """The lines of a box, without empty ones; ``commas``: commas and semicolons part them too."""
    if commas:
        text = text.replace(",", "\n").replace(";", "\n")
    return [line.strip() for line in text.splitlines() if line.strip()]
