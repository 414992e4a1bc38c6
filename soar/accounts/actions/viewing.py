"""Seeing the portal as somebody else does: begin and end (access.md 5). Both stand in the audit log."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.authority import check_over
from soar.accounts.membership import may
from soar.accounts.models import User, Viewing
from soar.lib.errors import CaseError, Forbidden, Missing, Refused

STOPPED, EXPIRED, LOST, ANEW = "stopped", "time", "right lost", "another begun"


def minutes() -> int:
    """How long one lasts, unless it is ended before."""
    return int(settings.VIEW_AS_MINUTES)


def check_viewing(viewer: User, person: User) -> None:
    """Raise Forbidden or Refused unless ``viewer`` may see what ``person`` sees: only who manages people, in a browser,
    and never as somebody who holds more than they do."""
    if not may(viewer, "manage_people") or viewer.token_scopes is not None:
        raise Forbidden(_("The permission to manage people is missing."))
    if person.pk == viewer.pk:
        raise Refused(_("You see your own view already."), field="person")
    if not person.is_active:
        raise Refused(_("%s is deactivated and sees nothing.") % person, field="person")
    if person.is_superuser and not viewer.is_superuser:
        raise Forbidden(_("%s holds more than you.") % person, field="person")
    check_over(viewer, person)


@transaction.atomic
def start(viewer: User, username: str) -> Viewing:
    """Let ``viewer`` see what the person of this name sees, for some minutes. One that is still under
    way ends. Raises Missing, Forbidden, Refused."""
    User.objects.select_for_update().get(pk=viewer.pk)  # one beginning at a time
    person = User.objects.filter(username=username.strip()[:150].replace("\x00", "")).first()
    if person is None:
        raise Missing(_("There is nobody of this name."))
    check_viewing(viewer, person)
    for other in Viewing.objects.filter(viewer=viewer, ended_at=None):
        end(other, ANEW)
    made = Viewing.objects.create(viewer=viewer, person=person, until=Now() + timedelta(minutes=minutes()))
    audit.record(viewer, "view_as.started", person.username, minutes=minutes())
    made.refresh_from_db()
    return made


@transaction.atomic
def end(viewing: Viewing, why: str) -> bool:
    """End it and write that; False if it was over. ``why`` is a word for the audit log."""
    if not Viewing.objects.filter(pk=viewing.pk, ended_at=None).update(ended_at=Now()):
        return False
    # What ends by itself is ended by Soar; who it was about is told all the same.
    actor = viewing.viewer if why in (STOPPED, ANEW) else None
    audit.record(actor, "view_as.ended", viewing.person.username, viewer=viewing.viewer.username, reason=why)
    return True


def current(viewer: User, pk: int) -> Viewing | None:
    """The viewing with this id if it still holds; one that ran out, or whose viewer or person may no longer, ends."""
    rows = Viewing.objects.select_related("person").filter(pk=pk, viewer=viewer)
    viewing = rows.annotate(over=Now()).filter(ended_at=None).first()
    if viewing is None:
        return None
    viewing.viewer = viewer
    if viewing.over >= viewing.until:
        end(viewing, EXPIRED)
        return None
    try:
        check_viewing(viewer, viewing.person)
    except CaseError:
        end(viewing, LOST)
        return None
    return viewing


def end_expired() -> int:
    """End those that ran out, whether or not their viewer asks for another page. Called by the scheduler."""
    rows = Viewing.objects.filter(ended_at=None, until__lte=Now()).select_related("viewer", "person")
    return sum(end(one, EXPIRED) for one in rows[:500])
