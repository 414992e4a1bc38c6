"""Access tokens kept for all processes, and one process at a time that gets a new one. Of OAuth 2, whatever the
product: how one is asked for is the kind's matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from soar.connectors.models import AccessToken, ConnectorAccount
from soar.lib import clock
from soar.lib.crypto import DecryptionError
from soar.lib.database import own_connection

SPAN = 1800  # seconds, for an answer that does not tell
EARLY = timedelta(seconds=30)  # before its end a token is not used any more
LOCK = 0x736E6F61  # advisory, with the account: one at a time asks for a token


@dataclass(frozen=True, slots=True, repr=False)
class Access:
    """A token and its end. ``refresh``: what the next one is got with."""

    token: str
    refresh: str
    expires_at: datetime

    def fresh(self) -> bool:
        """Whether it may still be used."""
        return bool(self.token) and self.expires_at - EARLY > clock.now()


def held(account: ConnectorAccount, mark: str, ask: Callable[[Access | None], Access], refused: str = "") -> Access:
    """The token to call with: the kept one, or what ``ask`` brings when there is none, it ends, or it is ``refused``.
    ``mark``: of the settings and secrets that it is good for, at most 64 characters; ``ask`` is given the last one.

    Of two that find the same token refused, one asks for a new one and the other takes that: a refresh token may be
    good for one use only. Raises what ``ask`` raises."""
    if found := _usable(account, mark, refused):
        return found
    with _alone(account.pk):
        if found := _usable(account, mark, refused):
            return found
        made = ask(_kept(account, mark))
        values = {"token": made.token, "refresh_token": made.refresh, "expires_at": made.expires_at}
        AccessToken.objects.update_or_create(account=account, defaults={**values, "fingerprint": mark})
        return made


def span(seconds: Any) -> timedelta:
    """How long a token is good for, by the ``expires_in`` of an answer; it may be told as text."""
    text = str(seconds)
    known = text.isascii() and text.isdigit() and len(text) < 12
    return timedelta(seconds=min(int(text), 10**7) if known else SPAN)


def _usable(account: ConnectorAccount, mark: str, refused: str) -> Access | None:
    found = _kept(account, mark)
    return found if found and found.fresh() and found.token != refused else None


def _kept(account: ConnectorAccount, mark: str) -> Access | None:
    """What is kept for these settings and secrets; None for others, and when the key of the columns is lost."""
    row = AccessToken.objects.filter(account=account, fingerprint=mark).first()
    try:
        return Access(str(row.token), str(row.refresh_token), row.expires_at) if row else None
    except DecryptionError:
        return None


@contextmanager
def _alone(account_id: int) -> Iterator[None]:
    # On a connection of its own: it is no transaction, so the call may be made, and it ends with the process.
    with own_connection() as connection:
        connection.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK, account_id])
        yield
