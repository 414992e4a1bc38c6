"""Who does something: a person, a playbook, an alert source, the system."""

from __future__ import annotations

from dataclasses import dataclass

from soar.accounts.models import User


@dataclass(frozen=True, slots=True)
class Actor:
    """``user`` is whose rights count; None (system, source, a playbook nobody published) means that the
    code itself is trusted. ``name`` is what the timeline shows. ``run`` is the playbook run, if any."""

    type: str
    name: str
    id: int | None = None
    user: User | None = None
    run: int | None = None

    @property
    def is_person(self) -> bool:
        """Whether somebody did it: here, by the API, or in a ticket; not a playbook, a source or Soar itself."""
        return self.type not in ("playbook", "source", "system")

    @classmethod
    def of(cls, user: User) -> Actor:
        """A person."""
        return cls("user", user.display_name(), user.pk, user)

    @classmethod
    def system(cls) -> Actor:
        """Soar itself."""
        return cls("system", "Soar")

    @classmethod
    def source(cls, name: str, pk: int) -> Actor:
        """An alert source."""
        return cls("source", name, pk)

    @classmethod
    def playbook(cls, name: str, run: int, user: User | None) -> Actor:
        """A playbook's run, with the rights of ``user`` (rulings 8)."""
        return cls("playbook", name, run, user, run)
