"""A connector that acts: what every product offering capabilities has in common (connectors.md 2, 3)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

from django.db.models import Q

from soar.connectors.base import Connector, ConnectorError
from soar.connectors.capabilities import Collected, Result, Target
from soar.connectors.models import ConnectorAccount


class Responder(Connector):
    """``serves``: names of capabilities. ``repeatable``: those that may be sent again when nobody knows whether the
    first call arrived, because the product takes both for one."""

    serves: ClassVar[frozenset[str]] = frozenset()
    # Of a capability that acts on several kinds of target, the kinds that this product can; without a line: all.
    only: ClassVar[Mapping[str, frozenset[str]]] = {}
    repeatable: ClassVar[frozenset[str]] = frozenset()
    # Asked by ``about_to``, with a kind of target, names and tags; raises HeldBack. None: nobody wants to be asked.
    guard: Callable[[str, Collection[str], Collection[str]], None] | None = None

    @classmethod
    def offers(cls, settings: Mapping[str, Any]) -> frozenset[str]:
        """What an account with these settings does: of most kinds all that the kind serves. What reaches deep into
        hosts is asked of it only where an admin has said so; some do what their admin set up."""
        return cls.serves

    @classmethod
    def takes(cls, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """Whether it does this to a target of this kind. Who blocks files alone leaves addresses to the next one."""
        return not kind or capability not in cls.only or kind in cls.only[capability]

    @classmethod
    def accepts(cls, account: ConnectorAccount, capability: str, kind: str, facts: Mapping[str, Any]) -> bool:
        """``takes`` for this account."""
        return cls.takes(capability, kind, facts)

    def may_repeat(self, capability: str) -> bool:
        """Whether it may be sent again when nobody knows whether the first call arrived."""
        return capability in self.repeatable

    @classmethod
    def responsible(cls, settings: Mapping[str, Any], target: Target) -> bool:
        """Whether an account with these settings is the one for that target, of several that take its kind: a pod is of
        one cluster. Who is not is asked only where nobody is, and then says what is missing."""
        return True

    def look_first(self, capability: str, target: Target) -> None:
        """Say by ``about_to`` what the product knows of the target, where it has to be known before anything is done at
        all: what is blocked stands on our own list too, and that comes first. Nothing is changed. Raises HeldBack,
        ConnectorError."""

    def about_to(self, kind: str, *names: object, tags: Iterable[object] = ()) -> None:
        """Say what is about to be changed, by every name that the product told of what it found: what the target is
        called and what the product acts on may be two things; and by the ``tags`` that it has there. Each connector
        that looks something up says this before it changes anything. Raises HeldBack when people have to be asked
        first (response-playbooks.md 18)."""
        if self.guard is not None and (told := {str(name) for name in names if name}):
            self.guard(kind, told, {str(tag) for tag in tags if tag})

    def tried(self, capability: str, key: str) -> bool:
        """Whether an earlier try of this very task may have done it: what is found done then is ours."""
        mine = self.account.attempts.filter(operation=capability, idempotency_key=key[:200])
        # A failing server may have done it all the same.
        return bool(key) and mine.filter(~Q(status="unsuccessful") | Q(response__status__gte=500)).exists()

    def repeated(self, capability: str, key: str) -> bool:
        """Whether the call of this very task was sent more than once, because an answer was lost: the first may have
        done it. For what is asked after the call."""
        mine = self.account.attempts.filter(operation=capability, idempotency_key=key[:200])
        return bool(key) and mine.filter(response__tries__gt=1).exists()

    def perform(self, capability: str, target: Target, params: dict[str, Any], *, key: str) -> Result:
        """Do it. ``key`` names this one task in every try of it. Makes HTTP calls, so outside of any transaction.

        Raises ConnectorError: ``permanent`` says that trying again will not help, ``outcome_unknown`` that the effect
        may have happened."""
        raise ConnectorError(f"{self.account.name} cannot do {capability}.", permanent=True)

    def poll(self, capability: str, reference: str) -> Result:
        """How far an accepted task is. A ``reference`` in the result is the one to ask with from then on: a task may
        have a second part at the product (a file is fetched, then analysed).

        Raises ConnectorError when the product cannot be asked now."""
        raise ConnectorError(f"{self.account.name} has no tasks to ask for.", permanent=True)

    def recall(self, capability: str, target: Target, *, key: str) -> Result | None:
        """What became of a call with this key whose answer was lost; None if the product cannot tell.

        Raises ConnectorError when the product cannot be asked now."""
        return None

    def sandbox_quota(self) -> int | None:
        """How many submissions to its sandbox are left today; None if it does not tell. Raises ConnectorError."""
        return None

    def revealed(self, capability: str, reference: str, secret: dict[str, str]) -> dict[str, str]:
        """What is shown to somebody who asks for ``secret``, which was kept when the task ended; a product whose links
        end soon gives a new one. Makes HTTP calls, so outside of any transaction. Raises ConnectorError."""
        return secret

    def collected(self, reference: str, data: Mapping[str, Any], secret: Mapping[str, str]) -> Collected:
        """The file that *Collect file* brought, of at most 60 MB, with what its result told. It is kept nowhere here.
        Makes HTTP calls, so outside of any transaction. Raises ConnectorError."""
        raise ConnectorError(f"{self.account.name} hands over no files.", permanent=True)

    def requests(self, capability: str, target: Target, params: dict[str, Any]) -> list[dict[str, Any]]:
        """The requests that ``perform`` would send first, redacted; sends nothing. Raises ConnectorError for a target
        that lacks what the product needs (a message without mailbox)."""
        raise ConnectorError(f"{self.account.name} cannot do {capability}.", permanent=True)
