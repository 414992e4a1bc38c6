"""Where people are signed in: noted at most once a minute, without a query in between."""

from __future__ import annotations

import threading
import time
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from soar.accounts.models import LoginSession, User
from soar.accounts.models.session import AGENT_AT_MOST
from soar.lib.context import address

SECONDS = 60.0  # between two notes of one session
MOST_KEYS = 20_000
_noted: dict[str, float] = {}
_lock = threading.Lock()


def begin(request: HttpRequest, user: User) -> None:
    """Note a session that has just been made."""
    if not request.session.session_key:
        request.session.save()
    _write(request, user)


def note(request: HttpRequest, user: User) -> None:
    """Note that a session is in use, a minute after it was last noted by this process."""
    key = request.session.session_key
    if key and _is_due(key):
        _write(request, user)


def note_now(request: HttpRequest, user: User) -> None:
    """Note a session at once, for the page that shows it."""
    if request.session.session_key:
        _write(request, user)


def end(keys: list[str]) -> None:
    """End the sessions of these keys; whoever uses one is signed out with the next request."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    for key in keys:
        store(key).delete()
    LoginSession.objects.filter(key__in=keys).delete()


def living(user: User) -> list[LoginSession]:
    """The person's sessions that still work, the one used last first. What has ended is forgotten."""
    rows = list(LoginSession.objects.filter(user=user))
    hashes = _hashes([row.key for row in rows])
    wanted = user.get_session_auth_hash()
    gone = [row.pk for row in rows if hashes.get(row.key) != wanted]
    LoginSession.objects.filter(pk__in=gone).delete()
    return [row for row in rows if row.pk not in gone]


def _hashes(keys: list[str]) -> dict[str, str]:
    """What each living session knows of its person's password and epoch."""
    from django.contrib.auth import HASH_SESSION_KEY
    from django.contrib.sessions.models import Session

    found = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {row.session_key: str(row.get_decoded().get(HASH_SESSION_KEY, "")) for row in found}


def _is_due(key: str) -> bool:
    now = time.monotonic()
    with _lock:
        if len(_noted) > MOST_KEYS:
            _noted.clear()
        last = _noted.setdefault(key, now)  # at first sight: the login has just noted it
        if now - last < SECONDS:
            return False
        _noted[key] = now
    return True


def _write(request: HttpRequest, user: User) -> None:
    now = timezone.now()
    seen: dict[str, Any] = {
        "user_id": user.pk,
        "agent": request.headers.get("User-Agent", "").replace("\x00", "")[:AGENT_AT_MOST],
        "address": address.get() or None,
        "seen_at": now,
    }
    row = LoginSession(key=request.session.session_key or "", made_at=now, **seen)
    LoginSession.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["key"], update_fields=["user", "agent", "address", "seen_at"]
    )
