"""Sources that fall silent (rulings 19): learnt, warned of once, not for our own absence or a jump of the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases import silence
from cases.ingest import counters
from cases.models import AlertSource
from soar.accounts.models import AuditEntry
from soar.lib import clock
from soar.lib.database import prepared
from soar.models import QueuedTask
from tests.factories import make_source

pytestmark = pytest.mark.django_db


class Time:
    """A clock that only moves when it is told to, with the scheduler looking every half minute."""

    def __init__(self) -> None:
        self.now = timezone.now()

    def listen(self, **span: float) -> None:
        """Time goes by while the portal listens: written down at once, as many looks would have added it."""
        seconds = timedelta(**span).total_seconds()
        silence.watch()
        with prepared() as cursor:
            cursor.execute("UPDATE cases_sourcewatch SET listened = listened + %s", [seconds])
        self.now += timedelta(seconds=seconds)
        with prepared() as cursor:
            cursor.execute("UPDATE cases_sourcewatch SET at = %s", [self.now])
        silence.watch()

    def jump(self, **span: float) -> None:
        """The clock moves and nobody listened: a restart after an absence, or a clock that was set."""
        self.now += timedelta(**span)
        silence.watch()


@pytest.fixture
def time(db: None, monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of ``cases.silence``."""
    made = Time()

    def now() -> datetime:
        return made.now

    monkeypatch.setattr(clock, "now", now)
    silence.watch()
    return made


def is_silent(source: AlertSource) -> bool:
    """Whether a warning stands."""
    source.refresh_from_db()
    return source.silent_since is not None


def come(source: AlertSource) -> None:
    """A delivery, as the address of ingest counts it."""
    counters.note(source.pk, accepted=1)


def speak(source: AlertSource, time: Time, *, hours: int, every: float = 1) -> None:
    """An alert every ``every`` hours."""
    for _ in range(round(hours / every)):
        come(source)
        time.listen(hours=every)


def test_a_source_that_stops_is_warned_of_once_and_heard_again(time: Time, as_admin: Client, admin: Any) -> None:
    source = make_source("Gateway")
    speak(source, time, hours=30)
    assert not is_silent(source)
    time.listen(hours=1.9)
    assert not is_silent(source)
    time.listen(hours=0.5)
    assert is_silent(source)
    time.listen(hours=9)
    assert AuditEntry.objects.filter(verb="source.silent", target=source.slug).count() == 1
    assert QueuedTask.objects.filter(task="cases.tasks.tell_silent").count() == 1
    page = as_admin.get("/sources/?state=look").content.decode()
    assert "Silent" in page and "Nothing since" in page and "3 h is long for it" in page
    assert silence.silent(admin).count() == 1
    come(source)
    assert not is_silent(source) and not silence.silent(admin).exists()
    assert AuditEntry.objects.filter(verb="source.heard", target=source.slug).count() == 1


def test_a_long_pause_that_is_usual_is_no_silence(time: Time) -> None:
    source = make_source()
    for _ in range(4):
        speak(source, time, hours=2, every=0.5)
        time.listen(hours=12)
    assert not is_silent(source)
    time.listen(hours=20)
    assert not is_silent(source)
    time.listen(hours=10)
    assert is_silent(source)


def test_no_warning_for_what_is_new_never_heard_disabled_or_unwanted(time: Time) -> None:
    never, new, disabled, unwanted = (make_source(name) for name in ("never", "new", "disabled", "unwanted"))
    speak(disabled, time, hours=30)
    speak(unwanted, time, hours=30)
    speak(new, time, hours=3)
    AlertSource.objects.filter(pk=disabled.pk).update(enabled=False)
    AlertSource.objects.filter(pk=unwanted.pk).update(silence_warns=False)
    time.listen(days=9)
    assert not any(is_silent(one) for one in (never, new, disabled, unwanted))
    AlertSource.objects.filter(pk=disabled.pk).update(enabled=True)
    time.listen(minutes=1)
    assert not is_silent(disabled)  # its silence begins when it is switched on
    time.listen(days=9)
    assert is_silent(disabled)


def test_what_is_set_counts_instead_of_what_is_learnt(time: Time) -> None:
    source = make_source(silence_minutes=10)
    come(source)
    time.listen(minutes=9)
    assert not is_silent(source)
    time.listen(minutes=2)
    assert is_silent(source)
    AlertSource.objects.filter(pk=source.pk).update(silence_warns=False)
    time.listen(minutes=1)
    assert not is_silent(source)


@pytest.mark.parametrize("span", [{"days": 30}, {"days": -30}, {"hours": 5}, {"seconds": -1}])
def test_our_own_absence_and_a_jump_of_the_clock_are_no_silence(time: Time, span: dict[str, float]) -> None:
    source = make_source()
    speak(source, time, hours=30)
    before = AlertSource.objects.get(pk=source.pk).usual_pause
    time.jump(**span)
    assert not is_silent(source)
    come(source)
    after = AlertSource.objects.get(pk=source.pk).usual_pause
    assert before is not None and after is not None and after < 2 * before  # nor is it learnt
    time.listen(hours=6)
    assert is_silent(source)  # it still hears


def test_it_is_written_where_mail_is_set_up_and_blocks_nothing_where_not(time: Time, admin: Any) -> None:
    source = make_source(silence_minutes=1)
    come(source)
    time.listen(minutes=2)
    assert is_silent(source)
    silence.tell(source.pk)  # no account: nothing is sent and nothing fails
    silence.tell(0)


def test_the_settings_are_checked_and_shown(as_admin: Client, as_analyst: Client) -> None:
    source = make_source("Gateway")
    fields = {"name": "Gateway", "default_severity": "high", "default_tlp": "green", "repeat_rule": "new",
              "resolved_determination": "benign", "silence_warns": "on"}  # fmt: skip
    url = f"/sources/{source.slug}/edit/"
    for bad in ("0", "-5", "x", "9999999999"):
        assert as_admin.post(url, {**fields, "silence_minutes": bad}).status_code == 422, bad
    assert as_admin.post(url, {**fields, "silence_minutes": "90"}).status_code == 302
    assert "after 90 min" in as_admin.get(f"/sources/{source.slug}/").content.decode()
    assert as_admin.post(url, {**fields, "silence_warns": ""}).status_code == 302
    assert "no warning" in as_admin.get(f"/sources/{source.slug}/").content.decode()
