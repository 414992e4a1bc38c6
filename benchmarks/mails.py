"""What a reported mail costs beside an alert of the generic kind that says the same and is as long: both posted, by
turns in one run, in the CPU of all processes of the stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from email.message import EmailMessage

from benchmarks import kinds, load, mapping
from benchmarks.report import Row
from benchmarks.stack import Stack

TURNS, EACH = 6, 1_000


def mail(facts: kinds.Facts) -> bytes:
    """The facts as a message: what fills a document of the other kinds is its text."""
    made = EmailMessage()
    made["Received"] = f"from mx ([{facts.ip}]) by mx.bench.org; Thu, 01 Jan 2026 09:00:00 +0000"
    made["From"], made["To"] = f"Mallory <{facts.mail}>", "Desk <desk@bench.org>"
    made["Subject"], made["Message-ID"] = facts.title, f"<b-{facts.number}@bench-mail.com>"
    made["Date"] = "Thu, 01 Jan 2026 09:00:00 +0000"
    made.set_content(f"{facts.text}\n{facts.url}\n{facts.digest}\n")
    return made.as_bytes()


def measure(stack: Stack) -> Iterator[Row]:
    """The best turn of each counts."""
    sources = [json.loads(stack.manage("source", "create", kind, "--kind", kind)) for kind in ("generic", "email")]
    costs: list[list[float]] = [[], []]
    for number in range(TURNS + 1):
        for which in (0, 1) if number % 2 else (1, 0):
            cost = mapping.spent(stack, _sent(sources[which], which, number * EACH))
            if number:  # the first one warms up
                costs[which].append(cost)
    generic, mails = min(costs[0]), min(costs[1])
    note = f"{mails:.0f} beside {generic:.0f} µs of CPU for each"
    yield Row("rate of reported mails beside generic", generic / mails, "x", 0.7, "more", note)


def _sent(source: dict[str, str], which: int, first: int) -> list[bytes]:
    path, kind = f"/api/v1/ingest/{source['slug']}/", ("application/json", "message/rfc822")[which]
    if not which:
        bodies = kinds.bodies("generic", first, EACH)
    else:
        text = (kinds.PAD * (kinds.SIZE // len(kinds.PAD)))[: kinds.SIZE - 600]
        bodies = [mail(kinds.Facts(number, text)) for number in range(first, first + EACH)]
    return [load.request(path, body, source["token"], kind=kind) for body in bodies]
