"""Sources that are silent for longer than they usually are (rulings 19).

Time is counted in seconds of listening, not by the clock: what the portal was away, or the clock jumped, is no silence
of a source. The usual pause is the longest of late: it fades by half in about ten days, so that one quiet week-end is
known for the next, and a source that speaks more often now is soon expected to."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from cases import notices
from cases.models import AlertSource
from cases.source_access import managers_by_grant, sources_managed_by
from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.messages import Message
from soar.lib import clock
from soar.lib.clock import iso
from soar.lib.database import prepared
from soar.lib.queue import enqueue

EVERY = 30.0  # seconds between two looks
MOST = 2 * EVERY  # of listening that one look may add
FADE = 14 * 86_400.0
TIMES, AT_LEAST = 3, 1800.0  # silent: this many usual pauses, never less than half an hour
LEARNT = 86_400.0  # seconds of hearing a source before its usual pause is one
# For settings.NAV_REASONS: whether ``silent`` finds any.
ANY_SILENT = "EXISTS (SELECT FROM cases_alertsource WHERE silent_since IS NOT NULL)"
LISTEN = """
    INSERT INTO cases_sourcewatch AS w (id, listened, at) VALUES (1, 0, %(now)s)
    ON CONFLICT (id) DO UPDATE SET at = %(now)s, listened = w.listened
        + greatest(0, least(coalesce(extract(epoch FROM %(now)s - w.at), 0), %(most)s))"""
HEARD = """
    UPDATE cases_alertsource s SET
        heard_first = coalesce(s.heard_first, w.listened),
        heard_last = w.listened,
        usual_pause = CASE WHEN w.listened > s.heard_last THEN greatest(w.listened - s.heard_last,
            coalesce(s.usual_pause, 0) * exp((s.heard_last - w.listened) / %(fade)s)) ELSE s.usual_pause END
    FROM cases_sourcewatch w WHERE w.id = 1 AND s.id = %(source)s"""
SPOKE = "UPDATE cases_alertsource SET silent_since = NULL WHERE id = %s AND silent_since IS NOT NULL RETURNING slug"
# A source that is off is not expected to speak; when it is switched on, its silence begins anew.
OFF = """
    UPDATE cases_alertsource s SET heard_last = w.listened, silent_since = NULL FROM cases_sourcewatch w
    WHERE w.id = 1 AND NOT s.enabled AND s.heard_last IS NOT NULL"""
UNWARNED = "UPDATE cases_alertsource SET silent_since = NULL WHERE silent_since IS NOT NULL AND NOT silence_warns"
SILENT = """
    UPDATE cases_alertsource s SET silent_since = s.last_seen_at FROM cases_sourcewatch w
    WHERE w.id = 1 AND s.enabled AND s.silence_warns AND s.silent_since IS NULL
        AND s.last_seen_at IS NOT NULL AND s.heard_last IS NOT NULL
        AND w.listened - s.heard_last > CASE
            WHEN s.silence_minutes IS NOT NULL THEN s.silence_minutes * 60
            WHEN s.heard_last - s.heard_first >= %(learnt)s THEN greatest(%(times)s * s.usual_pause, %(least)s) END
    RETURNING s.id, s.slug"""


def watch() -> None:
    """Count the time of listening, and warn of sources that have fallen silent. Scheduled often; one warning each."""
    with transaction.atomic(), prepared() as cursor:
        cursor.execute(LISTEN, {"now": clock.now(), "most": MOST})
        cursor.execute(OFF)
        cursor.execute(UNWARNED)
        values = {"learnt": LEARNT, "times": TIMES, "least": AT_LEAST}
        for pk, slug in cursor.execute(SILENT, values).fetchall():
            audit.record(None, "source.silent", slug)
            enqueue("cases.tasks.tell_silent", pk)


def heard(source_id: int) -> None:
    """A source has spoken: its pause is learnt, and a warning is over."""
    with transaction.atomic(), prepared() as cursor:
        cursor.execute(HEARD, {"fade": FADE, "source": source_id}, prepare=True)
        for (slug,) in cursor.execute(SPOKE, [source_id], prepare=True).fetchall():
            audit.record(None, "source.heard", slug)


def limit_of(source: AlertSource) -> float | None:
    """Seconds of silence that are too long; None while that is not known, or not wanted."""
    if not source.silence_warns:
        return None
    if source.silence_minutes is not None:
        return source.silence_minutes * 60.0
    known = source.heard_first is not None and source.heard_last is not None and source.usual_pause is not None
    if not known or source.heard_last - source.heard_first < LEARNT:  # type: ignore[operator]
        return None
    return max(TIMES * source.usual_pause, AT_LEAST)  # type: ignore[operator]


def tell(source_id: int) -> None:
    """Write to those who manage sources, once, where e-mail is set up; the page warns in any case. Called by a worker,
    outside of any transaction. Raises ConnectorError when it should be tried again later."""
    source = AlertSource.objects.filter(pk=source_id, silent_since__isnull=False).first()
    if source is None:
        return
    since = iso(source.silent_since) or ""
    message = Message(
        title=f"Source {source.name} is silent",
        text=f"Nothing has come from {source.name} for longer than usual.",
        facts=(("Last seen", since),),
        link=f"{settings.SOAR_URL}/sources/{source.slug}/",
        thread=f"source-{source.pk}-silent",
        recipients=notices.addresses("manage_sources", *managers_by_grant(source)),
    )
    notices.mail(message, key=f"silent-{source.pk}-{since}")


def silent(user: User) -> QuerySet[AlertSource]:
    """The silent ones that the person manages: the figure beside Sources in the navigation (settings.NAV_COUNTS)."""
    return sources_managed_by(user).filter(silent_since__isnull=False, enabled=True)
