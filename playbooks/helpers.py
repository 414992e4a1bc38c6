"""What a playbook does to the case it runs on (python-playbooks.md 6). Pure: the engine holds the effects.

Inside ``async def`` each is awaited, inside plain ``def`` it is just called. All are recorded like actions,
and obey the same rules as the pages: what a page refuses raises ``ActionFailed`` here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from playbooks.calls import ActionSpec, make_call, performer

_LEFT_OUT: Any = type("LeftOut", (), {"__repr__": lambda self: "(left out)"})()


def update_current_alert(
    *,
    status: str | None = None,
    determination: str | None = None,
    severity: str | None = None,
    owner: str | None = _LEFT_OUT,
    tags: Iterable[str] | None = None,
    reason: str | None = None,
) -> Any:
    """Change the alert. ``owner`` is a user name, None for nobody; ``tags`` replaces the tags.

    Resolving needs a determination other than *unknown*, here as everywhere."""
    given: dict[str, Any] = {
        "status": status,
        "determination": determination,
        "severity": severity,
        "tags": list(tags) if tags is not None else None,
        "reason": reason,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if owner is not _LEFT_OUT:
        changes["owner"] = owner
    if not changes.keys() - {"reason"}:
        raise TypeError("update_current_alert() needs at least one of status, determination, severity, owner, tags.")
    return _helper("update_current_alert", changes)


def resolve_current_alert(*, determination: str, reason: str = "") -> Any:
    """Resolve the alert. Determination *unknown* is refused."""
    return _helper("resolve_current_alert", {"determination": determination, "reason": reason})


def add_current_alert_comment(text: str) -> Any:
    """Write a note on the alert, or on its incident if it has one (rulings 5)."""
    return _helper("add_current_alert_comment", {"text": text})


def assign_current_alert(username: str | None = None) -> Any:
    """Give the alert to this user; without a name, to nobody."""
    return _helper("assign_current_alert", {"username": username})


def create_incident(*, title: str = "", owners: Iterable[str] = ()) -> Any:
    """Open an incident from the alert. Returns ``{"id", "number", "url"}``."""
    return _helper("create_incident", {"title": title, "owners": list(owners)})


def link_to_incident(number: str | int) -> Any:
    """Link the alert to an incident (``"INC-7"``). Returns ``{"id", "number", "url"}``."""
    return _helper("link_to_incident", {"number": number})


def send_to_servicenow(profile: str, *, number: str = "") -> Any:
    """Have the incident get a ticket in ServiceNow by this ticket profile; with ``number``, link the ticket that there
    is. The two are kept equal from then on. An incident that has one already keeps it.

    Returns ``{"link", "incident", "profile", "number", "state"}``; the ticket is made in the background, so its number
    may be empty."""
    return _helper("send_to_servicenow", {"profile": profile, "number": number})


def add_observable(type: str, value: str) -> Any:
    """Put an observable on the incident if there is one, else on the alert."""
    return _helper("add_observable", {"type": type, "value": value})


def rate_observables(ratings: Iterable[dict[str, Any]]) -> Any:
    """Keep ratings of the alert's observables: dicts with ``type``, ``value``, ``risk`` (unrated, suspicious,
    highly_suspicious), and if wanted ``rule`` and ``evidence``, as ``look_up`` gives them."""
    return _helper("rate_observables", {"ratings": [dict(rating) for rating in ratings]})


def look_up(type: str, value: str) -> Any:
    """What the bundled and own intelligence lists know of one value.

    Returns ``{"type", "value", "risk", "benign", "rule", "evidence": [{"list", "text", "effect"}]}``."""
    return _helper("look_up", {"type": type, "value": value}, kind="read")


def warning_lists(values: Iterable[tuple[str, str]]) -> Any:
    """``look_up`` for several ``(type, value)`` at once: a list in the same order."""
    return _helper("warning_lists", {"values": [list(pair) for pair in values]}, kind="read")


def related_incidents(*, hours: int = 72) -> Any:
    """Open incidents that hold an alert with the same host, user or source address, seen within ``hours``.
    Those of the alert's own team and of none.

    Returns a list of ``{"number", "title", "shared": [{"field", "value"}], "alerts"}``, most shared first."""
    return _helper("related_incidents", {"hours": hours}, kind="read")


def related_alerts(*, hours: int = 72) -> Any:
    """Other alerts with the same host, user or source address, seen within ``hours``, newest first, at most 50.
    Those of the alert's own team and of none.

    Returns a list of ``{"number", "title", "severity", "status", "determination", "shared"}``."""
    return _helper("related_alerts", {"hours": hours}, kind="read")


def request_approval(
    question: str,
    *,
    recipients: Iterable[str] = (),
    channels: Iterable[str] = (),
    subject_prefix: str = "",
    two_people: bool = False,
    seconds: float | None = None,
) -> Any:
    """Ask people, and wait for as long as it takes: the run goes to sleep and goes on here when they have decided.

    ``recipients`` (mail) or ``channels`` are told. ``seconds``: when it expires, 24 hours by default. Returns
    ``{"approved": bool, "status": "approved" | "rejected" | "expired", "by": [names], "comment", "approval": id}``."""
    given = {
        "question": question,
        "recipients": list(recipients),
        "channels": list(channels),
        "subject_prefix": subject_prefix,
        "two_people": two_people,
        "seconds": seconds,
    }
    return _helper("request_approval", given, kind="approval")


def connector(name: str) -> Any:
    """The configured connector of this name, to be used inside an action. Not recorded itself."""
    doer = performer.get()
    if doer is None:
        raise RuntimeError("connector() works inside a playbook's run. In a unit test use playbooks.testing.")
    return doer.open_connector(name)


def _helper(name: str, arguments: dict[str, Any], kind: str = "helper") -> Any:
    spec = ActionSpec(name=name, kind=kind, idempotent=True)
    return make_call(spec, _no_body, arguments, (), arguments)


def _no_body(**arguments: Any) -> None:
    """The effect of a helper is in the engine."""
