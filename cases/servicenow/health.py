"""How an instance does in each direction: what is kept of good and bad calls, when everything is held back (9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F

from cases.models import ServiceNowInstance
from soar.connectors.errors import ConnectorError
from soar.lib import clock

TRIES_BEFORE_BREAK = 3
UNKNOWN_CALLER = 401
# Of a call that never went out: a certificate, an address that is refused, an account that is off or unreadable.
NOT_REACHED = ("cannot be reached", "is not reached", "is disabled", "cannot be read with the keys", "cannot be used")
LONGEST_BREAK = timedelta(minutes=2)
SIGN_IN_BREAK = timedelta(minutes=1)
LONGEST_ASKED = timedelta(hours=1)
LONGEST_PAUSE = timedelta(minutes=5)


def held(instance: ServiceNowInstance) -> bool:
    """Whether nothing may be sent now."""
    resume = ServiceNowInstance.objects.filter(pk=instance.pk).values_list("out_paused", "out_resume_at").first()
    return resume is None or resume[0] or (resume[1] is not None and resume[1] > clock.now())


def out_ok(instance: ServiceNowInstance) -> None:
    """Something was sent. What holds the instance back runs out by itself: another worker may have been told so."""
    rows = ServiceNowInstance.objects.filter(pk=instance.pk)
    rows.update(out_ok_at=clock.now(), out_failures=0, out_error="", out_error_at=None)


def out_failed(instance: ServiceNowInstance, error: ConnectorError) -> timedelta:
    """Something was not sent for a reason that has nothing to do with it. Returns how long to wait with it; with too
    many requests, and after several failures in a row, the whole instance waits."""
    rows = ServiceNowInstance.objects.filter(pk=instance.pk)
    now = clock.now()
    rows.update(out_failures=F("out_failures") + 1, out_error=error.message[:1000], out_error_at=now)
    failures = rows.values_list("out_failures", flat=True).first() or 1
    wait = _break(error, failures)
    if wait:
        rows.update(out_resume_at=now + wait)
    return wait or timedelta(seconds=min(2**failures, 60))


def out_refused(instance: ServiceNowInstance, error: ConnectorError) -> None:
    """One change was refused; the others go on."""
    rows = ServiceNowInstance.objects.filter(pk=instance.pk)
    rows.update(out_error=error.message[:1000], out_error_at=clock.now(), out_failures=0)


def of_instance(error: ConnectorError) -> bool:
    """Whether the reason lies with the instance or the account, so that it would meet every other change as well."""
    if not error.permanent or error.retry_after is not None or error.status == UNKNOWN_CALLER:
        return True
    return error.status is None and any(words in error.message for words in NOT_REACHED)


def in_pause(instance: ServiceNowInstance, error: ConnectorError) -> datetime:
    """When to read again after a failure."""
    pause = timedelta(seconds=min(instance.every_seconds * 2 ** min(instance.in_failures, 6), 3600))
    asked = timedelta(seconds=error.retry_after or 0)
    return clock.now() + max(min(pause, LONGEST_PAUSE), min(asked, LONGEST_ASKED))


def hint(error: ConnectorError) -> str:
    """Why ServiceNow may have refused a change, as far as can be told."""
    text = error.message.lower()
    if "mandatory" in text:
        return "A data policy wants fields that the profile does not fill, or a close code that it does not have."
    if error.status == 403:
        return "The integration user lacks a right or a role for this, or a rule of the instance forbids it."
    if error.status == 404:
        return "The ticket is missing, or hidden from the integration user."
    if error.status == 400:
        return "The profile names a table, a field or a value that the instance does not have."
    return ""


def _break(error: ConnectorError, failures: int) -> timedelta | None:
    if error.retry_after is not None:
        return min(timedelta(seconds=max(error.retry_after, 1)), LONGEST_ASKED)
    if error.permanent:
        return SIGN_IN_BREAK
    if failures >= TRIES_BEFORE_BREAK:
        return min(timedelta(seconds=5 * 2 ** min(failures - TRIES_BEFORE_BREAK, 10)), LONGEST_BREAK)
    return None
