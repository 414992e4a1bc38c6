"""What of an incident goes into an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import Tlp
from cases.errors import Refused
from cases.models import Incident

DEFAULT_TEMPLATE = "full"
RANK = {name: number for number, name in enumerate(Tlp.values)}  # clear is 0, red is 4
FLAGS = ("evidence", "notes", "observables")
_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


@dataclass(frozen=True, slots=True)
class Options:
    """``tlp``: what is above it is left out, and an incident that is above it itself is refused; "" sets no limit.
    ``template``: the report's, for the formats that have one."""

    template: str = DEFAULT_TEMPLATE
    evidence: bool = True
    notes: bool = True
    observables: bool = True
    tlp: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Options:
        """From a form, a query string or what a job keeps; names that are none of these are passed over.

        Raises Refused beside the one that is wrong."""
        found: dict[str, Any] = {}
        for name in (field.name for field in fields(cls)):
            value = given.get(name)
            if value not in (None, ""):
                found[name] = _flag(name, value) if name in FLAGS else str(value)[:100].replace("\x00", "")
        if found.get("tlp", "clear") not in RANK:
            raise Refused(_("Must be one of: %(rank)s.") % {"rank": ", ".join(RANK)}, field="tlp")
        return cls(**found)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as ``read`` takes it."""
        return asdict(self)

    def check(self, incident: Incident) -> None:
        """Raise Refused for an incident that is above the TLP that was given."""
        if not self.within(incident.tlp):
            told = _("%(number)s is TLP:%(tlp)s, above TLP:%(highest)s.") % {
                "number": incident.number,
                "tlp": incident.tlp.upper(),
                "highest": self.tlp.upper(),
            }
            raise Refused(_("%(told)s Nothing of it may go out under that mark.") % {"told": told}, field="tlp")

    def within(self, tlp: str) -> bool:
        """Whether a thing with this TLP may go out."""
        return not self.tlp or RANK.get(tlp, RANK[Tlp.RED]) <= RANK[self.tlp]


def highest(marks: list[str]) -> str:
    """The strictest of several TLP; of one that is not known it is red."""
    return max(marks, key=lambda mark: RANK.get(mark, RANK[Tlp.RED]), default=Tlp.CLEAR.value)


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in _WORDS:
        raise Refused(_("Must be one of: true, false."), field=name)
    return _WORDS[str(value).lower()]
