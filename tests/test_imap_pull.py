"""Reading a mailbox: every message once, whatever happens to the connection, the numbers and the messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.models import Alert, AlertMessage, AlertPull, AlertSource, DeadLetter, PulledAlert
from cases.pulls import reading
from cases.purge import purge
from soar.connectors import actions, registry
from soar.connectors.errors import Refused
from soar.connectors.imap import connector, mailbox
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import clock, imap
from soar.standins.imap import TOKEN, USERNAME, Imap
from tests.acting import Range, practice
from tests.factories import make_source
from tests.mails import phish, reported
from tests.pulling import reader

pytestmark = pytest.mark.django_db
SECRETS = {"username": USERNAME, "password": "practice"}


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Imap(), SECRETS) as found:
        yield found


@pytest.fixture
def box(here: Range) -> Imap:
    assert isinstance(here.standin, Imap)
    return here.standin


@pytest.fixture
def row(here: Range) -> AlertPull:
    return watched(here)


def watched(here: Range, name: str = "Reported mail") -> AlertPull:
    source = make_source(name, kind="email")
    return pulls.set_pull(Actor.system(), source.slug, account=here.account.name)


def report(number: int) -> bytes:
    return reported(phish(number), note=f"Number {number}")


def read(row: AlertPull) -> AlertPull:
    """Read the mailbox once; the row as it is then."""
    AlertPull.objects.filter(pk=row.pk).update(lease=None, leased_until=None)
    reading.pull(row.pk)
    row.refresh_from_db()
    return row


def subjects_of(box: Imap, folder: str) -> list[int]:
    return [one["uid"] for one in box.state["folders"][folder]["messages"]]


def test_a_reported_message_becomes_an_alert(box: Imap, row: AlertPull) -> None:
    raw = report(1)
    box.deliver(raw)
    read(row)
    alert = Alert.objects.get()
    assert alert.title == "Reported message: Your account is limité"
    assert bytes(alert.messages.get().content) == raw
    assert (row.failures, row.last_error, row.mark["uid"], row.mark["uidvalidity"]) == (0, "", 1, 7)
    assert row.read_until is not None
    assert box.state["folders"]["INBOX"]["messages"][0]["flags"] == []  # left as it was


def test_nothing_comes_twice_and_new_ones_come(box: Imap, row: AlertPull) -> None:
    box.deliver(report(1))
    read(row)
    read(row)
    box.deliver(report(2))
    read(row)
    assert sorted(Alert.objects.values_list("count", flat=True)) == [1, 1]


def test_what_is_older_than_looked_back_to_is_left_out(box: Imap, row: AlertPull) -> None:
    box.deliver(report(1), at=datetime.now(UTC) - timedelta(hours=30))
    box.deliver(report(2), at=datetime.now(UTC) - timedelta(hours=20))
    read(row)
    assert PulledAlert.objects.count() == 1


def test_other_numbers_double_nothing_and_skip_nothing(box: Imap, row: AlertPull) -> None:
    for number in (1, 2, 3):
        box.deliver(report(number))
    read(row)
    box.expunge(1)
    box.deliver(report(4))
    box.renumber()
    read(row)
    assert Alert.objects.count() == 4
    assert set(Alert.objects.values_list("count", flat=True)) == {1}
    assert row.mark["uidvalidity"] == 8


def test_a_message_that_goes_away_in_the_middle(box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        box.deliver(report(number))
    facts = mailbox.facts

    def then_gone(*given: Any) -> Any:
        found = facts(*given)
        box.expunge(2)
        return found

    monkeypatch.setattr(mailbox, "facts", then_gone)
    read(row)
    assert (Alert.objects.count(), row.mark["uid"], row.failures) == (2, 3, 0)


@pytest.mark.parametrize("fault", ["before", "after", "500", "503", "429", "401", "403", "404", "html", "garbage"])
def test_a_failure_moves_nothing_and_is_told_and_made_good(here: Range, box: Imap, row: AlertPull, fault: str) -> None:
    box.deliver(report(1))
    here.fault(fault, times=1)
    read(row)
    assert (row.failures, row.mark, Alert.objects.count()) == (1, {}, 0)
    assert row.last_error
    assert "practice" not in row.last_error.replace("practice.example", "").replace("This is no", "")
    read(row)
    assert (row.failures, row.last_error, Alert.objects.count()) == (0, "", 1)


def test_a_crash_between_two_pages_goes_on_where_it_was(
    box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(45):
        box.deliver(report(number))
    store, seen = reading._store, [0]

    def dies(source: AlertSource, items: list[Any]) -> None:
        seen[0] += 1
        if seen[0] == 3:
            raise KeyboardInterrupt
        store(source, items)

    monkeypatch.setattr(reading, "_store", dies)
    with pytest.raises(KeyboardInterrupt):
        read(row)
    row.refresh_from_db()
    assert (row.mark["uid"], Alert.objects.count(), row.read_until) == (40, 40, None)
    monkeypatch.undo()
    read(row)
    assert Alert.objects.count() == 45
    assert set(Alert.objects.values_list("count", flat=True)) == {1}


def test_a_crash_between_storing_and_moving_on_doubles_nothing(
    box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.deliver(report(1))

    def dies(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "_come_to", dies)
    with pytest.raises(KeyboardInterrupt):
        read(row)
    monkeypatch.undo()
    read(row)
    assert Alert.objects.get().count == 1


def change(here: Range, **settings: Any) -> None:
    given = {"allow_internal": True, "timeout_seconds": 5, **here.account.settings, **settings}
    actions.update_account(None, here.account.pk, settings=given)


@pytest.mark.parametrize("can_move", [True, False])
def test_read_messages_are_moved_once_they_are_stored(here: Range, box: Imap, row: AlertPull, can_move: bool) -> None:
    box.move = can_move
    change(here, after="move", target="Done")
    for number in (1, 2, 3):
        box.deliver(report(number))
    read(row)
    assert Alert.objects.count() == 3
    assert (subjects_of(box, "INBOX"), subjects_of(box, "Done")) == ([], [1, 2, 3])
    read(row)
    assert subjects_of(box, "Done") == [1, 2, 3]


def test_read_messages_are_marked(here: Range, box: Imap, row: AlertPull) -> None:
    change(here, after="seen")
    box.deliver(report(1))
    read(row)
    assert box.state["folders"]["INBOX"]["messages"][0]["flags"] == ["\\Seen"]


def test_nothing_is_moved_that_is_not_stored(
    here: Range, box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(here, after="move", target="Done")
    box.deliver(report(1))

    def dies(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "_store", dies)
    with pytest.raises(KeyboardInterrupt):
        read(row)
    assert subjects_of(box, "Done") == []


def test_what_a_crash_left_unmoved_is_moved_next_time(
    here: Range, box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(here, after="move", target="Done")
    box.deliver(report(1))

    def dies(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(mailbox, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        read(row)
    assert (Alert.objects.count(), subjects_of(box, "INBOX")) == (1, [1])
    monkeypatch.undo()
    read(row)
    assert (Alert.objects.get().count, subjects_of(box, "INBOX"), subjects_of(box, "Done")) == (1, [], [1])


def test_a_folder_to_move_to_that_is_not_there(here: Range, box: Imap, row: AlertPull) -> None:
    change(here, after="move", target="Nowhere")
    box.deliver(report(1))
    read(row)
    assert Alert.objects.count() == 1
    assert row.failures == 1
    assert "Unknown mailbox" in row.last_error


def test_what_is_no_message_waits_in_the_dead_letters(box: Imap, row: AlertPull) -> None:
    box.deliver(b"\x00\x01nothing of the kind")
    box.deliver(report(1))
    read(row)
    read(row)
    assert Alert.objects.count() == 1
    letter = DeadLetter.objects.get()
    assert bytes(letter.body) == b"\x00\x01nothing of the kind"
    assert row.source.slug


def test_a_message_larger_than_is_taken_is_read_in_part(
    box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imap, "LONGEST_LITERAL", 3_000)
    monkeypatch.setattr(mailbox, "LONGEST_LITERAL", 3_000)
    raw = report(1) + b"x" * 50_000
    box.deliver(raw)
    box.deliver(report(2))
    read(row)
    first = AlertMessage.objects.order_by("pk")[0]
    assert bytes(first.content) == raw[:3_000]
    assert f"the message has {len(raw):,} bytes; the first 3,000 are here" in first.alert.repairs
    assert Alert.objects.count() == 2


def test_a_large_mailbox_is_read_in_batches(box: Imap, row: AlertPull) -> None:
    box.state["folders"]["INBOX"]["uidnext"] = 3_000_000_000  # a gap of numbers
    for number in range(60):
        box.deliver(report(number))
    read(row)
    assert Alert.objects.count() == 60
    assert row.mark["uid"] == 3_000_000_059


def test_over_a_slow_link_each_message_that_came_is_kept(
    here: Range, box: Imap, row: AlertPull, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that takes long ends with what it has, so that the reading is not taken for dead and begun again."""
    monkeypatch.setattr(connector, "PAGE_SECONDS", 0.0)
    for number in range(4):
        box.deliver(report(number))
    pages = list(reader(here).read(None, clock.now() - timedelta(days=1)))
    assert [len(page.items) for page in pages] == [1, 1, 1, 1, 0]
    assert [page.place.mark["uid"] for page in pages if page.place] == [1, 2, 3, 4, 4]
    assert read(row).last_error == "" and Alert.objects.count() == 4


def test_another_folder_is_begun_anew_and_known_messages_stay_known(here: Range, box: Imap, row: AlertPull) -> None:
    box.deliver(report(1))
    read(row)
    box.deliver(report(1), "Done")
    box.deliver(report(2), "Done")
    change(here, folder="Done")
    read(row)
    assert sorted(Alert.objects.values_list("count", flat=True)) == [1, 1]


def test_purged_messages_do_not_come_again(box: Imap, row: AlertPull) -> None:
    box.deliver(report(1))
    read(row)
    purge(None, alerts=list(Alert.objects.values_list("pk", flat=True)), reason="test")
    box.renumber()
    read(row)
    assert not Alert.objects.exists()


def test_readings_leave_an_attempt_without_secrets(box: Imap, row: AlertPull) -> None:
    read(row)
    attempt = Attempt.objects.get(operation="alerts.read")
    assert attempt.status == "successful"
    assert "practice-" not in repr(attempt.request)


def test_signing_in_with_a_token() -> None:
    with practice(Imap(), {"username": USERNAME, "token": TOKEN}) as here:
        assert registry.of(here.account).test().ok
    with practice(Imap(), {"username": USERNAME, "token": "another one"}, name="other") as here:
        health = registry.of(here.account).test()
        assert not health.ok
        assert "refused the sign-in" in health.message
        assert "another one" not in health.message


def test_the_test_says_what_it_found(here: Range, box: Imap) -> None:
    box.deliver(report(1))
    message = registry.of(here.account).test().message
    assert message == "127.0.0.1 lets us in (not encrypted); 1 messages in INBOX."


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"security": "starttls"}, "offers no encryption"), ({"folder": "Nowhere"}, "does not open the folder"),
     ({"allow_internal": False}, "internal address")],
)  # fmt: skip
def test_a_test_that_finds_what_is_wrong(here: Range, settings: dict[str, Any], message: str) -> None:
    change(here, **settings)
    health = registry.of(ConnectorAccount.objects.get(pk=here.account.pk)).test()
    assert not health.ok
    assert message in health.message


def test_a_certificate_that_nobody_signed_is_refused() -> None:
    with practice(Imap(tls=True), SECRETS, security="starttls") as here:
        health = registry.of(here.account).test()
        assert not health.ok
        assert "encrypted" in health.message
        change(here, verify_tls=False)
        assert "encrypted" in registry.of(ConnectorAccount.objects.get(pk=here.account.pk)).test().message


@pytest.mark.parametrize(
    ("settings", "secrets", "field"),
    [({"after": "move"}, SECRETS, "target"), ({"after": "move", "target": "INBOX"}, SECRETS, "target"),
     ({"folder": "a\r\nb"}, SECRETS, "folder"), ({}, {"password": "x"}, "username"),
     ({}, {"username": "a"}, "password"),
     ({}, {"username": "a", "password": "b\r\nc"}, "password"), ({"after": "burn"}, SECRETS, "after"),
     ({"security": "none", "url": "imaps://mail.example.org"}, SECRETS, "security"),
     ({"url": "https://mail.example.org"}, SECRETS, "url")],
)  # fmt: skip
def test_settings_that_cannot_be(settings: dict[str, Any], secrets: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        actions.create_account(None, "imap", "box", {"url": "imap://mail.example.org", **settings}, secrets)
    assert field in refused.value.errors


@pytest.mark.parametrize(
    ("name", "written"),
    [("INBOX", '"INBOX"'), ("Entwürfe", '"Entw&APw-rfe"'), ("A & B", '"A &- B"'), ('a"b\\', '"a\\"b\\\\"'),
     ("台北", '"&U,BTFw-"')],
)  # fmt: skip
def test_names_of_folders(name: str, written: str) -> None:
    assert imap.quoted(name) == written


def test_identities_are_those_of_the_content(box: Imap, row: AlertPull) -> None:
    raw = report(1)
    box.deliver(raw)
    read(row)
    assert PulledAlert.objects.get().remote_id == f"sha256:{hashlib.sha256(raw).hexdigest()}"
