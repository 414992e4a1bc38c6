"""The demo's people and teams. Nobody of them can log in: their passwords are unusable."""

from __future__ import annotations

from dataclasses import dataclass

EU_SOC = "EU SOC"
PLATFORM = "Platform"
TEAMS = (EU_SOC, PLATFORM)


@dataclass(frozen=True, slots=True)
class Person:
    """Key in the stories, name, role, teams."""

    key: str
    first_name: str
    last_name: str
    roles: tuple[str, ...]
    teams: tuple[str, ...]

    @property
    def username(self) -> str:
        """``mara.lindqvist``"""
        return f"{self.key}.{self.last_name.lower()}".replace("ó", "o")


PEOPLE = [
    Person("mara", "Mara", "Lindqvist", ("Responder", "Playbook author"), (EU_SOC, PLATFORM)),
    Person("priya", "Priya", "Raman", ("Responder",), (EU_SOC,)),
    Person("jonas", "Jonas", "Adeyemi", ("Analyst",), (EU_SOC,)),
    Person("ines", "Ines", "Carvalho", ("Analyst",), (EU_SOC,)),
    Person("tomas", "Tomas", "Iversen", ("Analyst", "Playbook author"), (EU_SOC,)),
    Person("hanna", "Hanna", "Wójcik", ("Responder",), (PLATFORM,)),
    Person("kofi", "Kofi", "Mensah", ("Analyst",), (PLATFORM,)),
    Person("ruth", "Ruth", "Adler", ("Viewer",), (EU_SOC, PLATFORM)),
]
# Who takes alerts of a team's sources; an alert of no team is anybody's.
DESKS = {
    EU_SOC: ("jonas", "ines", "priya", "jonas", "ines", "mara", "tomas"),
    PLATFORM: ("kofi", "hanna", "kofi"),
    "": ("jonas", "kofi", "ines"),
}
