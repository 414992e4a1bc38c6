"""How a delivery is answered: Soar's own words, or those that the clients of another product expect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.http import HttpResponse

from cases.ingest.pipeline import Outcome
from cases.ingest.prepare import Rules
from soar.problems import problem

Answer = tuple[int, dict[str, Any]]
Headers = dict[str, str] | None


def as_it_is(body: bytes, content_type: str) -> bytes:
    """The body holds the alert and nothing else."""
    del content_type
    return body


def own_answer(rules: Rules, outcomes: list[Outcome], several: bool, body: bytes) -> Answer:
    """201 or 200 with the alert's number; 207 with one result for each of several (contract.md)."""
    del body
    if not several:
        return outcomes[0].status, outcomes[0].as_json(rules)
    return 207, {"results": [{"status": one.status, **one.as_json(rules)} for one in outcomes]}


def own_refusal(status: int, detail: str, headers: Headers) -> HttpResponse:
    """A problem document (RFC 9457)."""
    return problem(status, detail, headers=headers)


class Dialect(NamedTuple):
    """The words of one product.

    ``kinds``: sources of these kinds may use its addresses; none means any. ``unwrap`` takes the body and its content
    type and gives the JSON (Unreadable if it cannot). ``answer`` makes status and JSON of what became of a delivery
    that was stored, ``refuse`` the answer of one that was not.
    """

    name: str = "Soar"
    kinds: frozenset[str] = frozenset()
    unwrap: Callable[[bytes, str], bytes] = as_it_is
    answer: Callable[[Rules, list[Outcome], bool, bytes], Answer] = own_answer
    refuse: Callable[[int, str, Headers], HttpResponse] = own_refusal


NATIVE = Dialect()
