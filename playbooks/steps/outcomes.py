"""What an attempt at a task comes to: it ends, or it is looked at again later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playbooks.response.tasks import Ending

LONGEST_PAUSE = 60.0  # seconds
REMOTE_STATUS = {"done": "successful", "failed": "unsuccessful", "rejected": "rejected", "cancelled": "cancelled"}
_REMOTE_REASON = {
    "failed": "The product could not do it.",
    "rejected": "Somebody rejected it at the product.",
    "cancelled": "It was cancelled at the product.",
}


@dataclass(frozen=True, slots=True)
class Later:
    """Not over: due again after ``seconds``. ``phase`` as of ResponseTask: "" try, "sent" find out, "poll" ask."""

    seconds: float
    phase: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> str:
        """Nothing went out yet: queued; otherwise it is under way."""
        return "in_progress" if self.phase else "queued"


@dataclass(frozen=True, slots=True)
class AskFirst:
    """Nothing is sent before people were asked: the never-touch list says ``why``."""

    why: str


Outcome = Ending | Later | AskFirst


def ended(result: Any) -> Ending:
    """The end that a connector's Result (state other than accepted) means."""
    reason = "" if result.state == "done" else result.message or _REMOTE_REASON.get(result.state, "")
    return Ending(
        REMOTE_STATUS.get(result.state, "unsuccessful"),
        reason=reason,
        message=result.message,
        remote=result.remote,
        request=result.request or None,
        answer=result.answer,
        data=result.data,
        secret=result.secret,
        found=found_in(result.data),
    )


def found_in(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Objects that an action found: ``data["objects"]`` as ``{"kind", "value", "facts"}`` (rulings 12)."""
    given = data.get("objects")
    return [one for one in given if isinstance(one, dict) and one.get("value")] if isinstance(given, list) else []


def back_off(attempts: int, asked: float | None = None) -> float:
    """Seconds before the next try: what the product asks for, else 1, 2, 4 ... up to a minute."""
    return max(0.0, min(asked, 900.0)) if asked is not None else min(LONGEST_PAUSE, 2.0 ** max(attempts - 1, 0))


def poll_pause(age: float) -> float:
    """Seconds until a product is asked again about a task that it took ``age`` seconds ago: often at first, then every
    half minute, so that long waiting costs little."""
    return min(30.0, max(1.0, age / 4))
