"""Ending sessions: one, all others of one's own, all of a person."""

from __future__ import annotations

from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest

from soar.accounts import audit, sessions
from soar.accounts.models import LoginSession, User


@transaction.atomic
def end_session(user: User, pk: int) -> bool:
    """End one of one's own sessions, by the id of its LoginSession. False for one that is none of theirs or gone."""
    row = LoginSession.objects.select_for_update().filter(pk=pk, user=user).first()
    if row is None:
        return False
    sessions.end([row.key])
    audit.record(user, "session.ended", user.username, ended_address=row.address, agent=row.agent)
    return True


@transaction.atomic
def end_other_sessions(request: HttpRequest, user: User) -> int:
    """End all sessions of the person but that of the request. Returns how many were noted."""
    number = _end(user, keep=request.session.session_key)
    user.refresh_from_db(fields=["session_epoch"])
    keep_session(request, user)
    audit.record(user, "session.others_ended", user.username, count=number)
    return number


@transaction.atomic
def end_all_sessions(actor: User | None, user: User) -> int:
    """End every session of a person at once; their tokens stay. Returns how many were noted.

    Raises PermissionDenied for an actor who may not manage people (None is the system itself)."""
    if actor is not None and actor.pk != user.pk and not actor.has_perm("accounts.manage_people"):
        raise PermissionDenied("accounts.manage_people")
    number = _end(user)
    audit.record(actor, "session.all_ended", user.username, count=number)
    return number


@transaction.atomic
def forget_other_sessions(request: HttpRequest, user: User) -> None:
    """After a changed password, which has ended them all: keep that of the request, under its new key."""
    _end(user, keep=request.session.session_key, count_up=False)
    keep_session(request, user)


def end_for_good(user: User) -> None:
    """End all sessions of somebody who is deactivated, in the caller's transaction: none comes back with them."""
    _end(user)


def keep_session(request: HttpRequest, user: User) -> None:
    """Go on with the request's session under what the person's password and epoch are now."""
    old = request.session.session_key
    update_session_auth_hash(request, user)
    if old != request.session.session_key:
        LoginSession.objects.filter(key=old).delete()
    sessions.begin(request, user)


def _end(user: User, *, keep: str | None = None, count_up: bool = True) -> int:
    rows = LoginSession.objects.select_for_update().filter(user=user).exclude(key=keep or "")
    keys = [row.key for row in rows]
    sessions.end(keys)
    if count_up:  # also those that were never noted
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
    return len(keys)
