"""Accounts of the practice range for the demo data: waiting for them, making them again, taking them away."""

from __future__ import annotations

import time

from django.db.models import ProtectedError

from soar.accounts import audit
from soar.connectors import practice
from soar.connectors.models import ConnectorAccount
from soar.standins import folder
from soar.standins.registry import STANDINS

TICK = 0.1


def ready(wait: float = 0) -> bool:
    """Whether the range runs and its accounts are there; waits for it up to ``wait`` seconds.

    Accounts that the removal of the demo took away are made again."""
    end = time.monotonic() + wait
    while not folder.running():
        if time.monotonic() >= end:
            return False
        time.sleep(TICK)
    _again()
    return bool(accounts())


def accounts() -> dict[str, ConnectorAccount]:
    """The accounts that were made for the range, by kind."""
    known = folder.read(practice.ACCOUNTS) or {}
    rows = ConnectorAccount.objects.filter(pk__in=[place.get("id", 0) for place in known.values()])
    return {row.kind: row for row in rows}


def remove() -> list[str]:
    """Take away the accounts that still lead to the range. They do not come back at the next start. Returns the names
    of what something else needs."""
    known, kept = folder.read(practice.ACCOUNTS) or {}, []
    for kind, place in known.items():
        account = ConnectorAccount.objects.filter(pk=place.get("id", 0), kind=kind).first()
        if account is None or not practice.leads_to(account, place.get("url", "")):
            continue
        try:
            account.delete()
        except ProtectedError:
            kept.append(account.name)
        else:
            place["id"] = 0
            audit.record(None, "connector.removed", f"connector {account.name}", kind=kind)
    if known:
        folder.write(practice.ACCOUNTS, known)
    return kept


def _again() -> None:
    """What is not there is forgotten, so that it is made anew."""
    known = folder.read(practice.ACCOUNTS) or {}
    there = accounts()
    if len(there) == len(known):
        return
    folder.write(practice.ACCOUNTS, {kind: place for kind, place in known.items() if kind in there})
    practice.connect_to(folder.running(), {one.kind: one for one in STANDINS})
