"""Alerts of a product that cannot be read: kept whole, shown at their source, and in nobody's way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from cases import replaying
from cases.actions import mappings, pulls
from cases.actions import sources as source_verbs
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.models import Alert, AlertPull, AlertSource, DeadLetter, PulledAlert
from soar.standins.microsoft_graph import MicrosoftGraph as Standin
from tests.acting import Range, practice
from tests.factories import make_source
from tests.pulling import moment, read, refs

pytestmark = pytest.mark.django_db
APP = {"tenant": "tenant.example.com", "client_id": "app-1"}
ME = Actor.system()


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Standin(), {"client_secret": "graph-secret-1234"}, **APP) as found:
        yield found


@pytest.fixture
def row(here: Range) -> AlertPull:
    return pulls.set_pull(ME, make_source("Defender", kind="defender").slug, account=here.account.name)


def put(here: Range, name: str, minutes: float, **more: Any) -> dict[str, Any]:
    """An alert at the product, changed so many minutes ago."""
    alert = {
        "id": name, "title": f"Alert {name}", "severity": "high", "status": "new",
        "createdDateTime": moment(minutes), "lastUpdateDateTime": moment(minutes), **more,
    }  # fmt: skip
    here.state["alerts"][name] = alert
    return alert


def mapped(row: AlertPull, **fields: str) -> None:
    """The source asks for these fields."""
    mappings.save(ME, row.source.slug, {"fields": fields, "required": sorted(fields)}, anyway=True)


def test_one_that_the_mapping_cannot_read_holds_up_no_other(here: Range, row: AlertPull) -> None:
    mapped(row, hostname="$.vendorWord")
    put(here, "a1", 9, vendorWord="LT-1")
    put(here, "a2", 8)
    put(here, "a3", 7, vendorWord="LT-3")
    read(row)
    assert refs() == ["a1", "a3"] and row.read_until is not None and row.last_error == ""
    letter = DeadLetter.objects.get()
    assert "asks for hostname" in letter.error and letter.whole
    row.source.refresh_from_db()
    assert "asks for hostname" in row.source.last_error and row.source.refused == 1
    read(row)
    assert DeadLetter.objects.count() == 1, "it is kept once, however often it is read"
    mappings.save(ME, row.source.slug, {"fields": {}}, version=1)
    assert replaying.replay(ME, letter.pk).alert_id


def test_a_change_that_cannot_be_read_leaves_the_alert(here: Range, row: AlertPull) -> None:
    mapped(row, hostname="$.vendorWord")
    alert = put(here, "a1", 9, vendorWord="LT-1")
    read(row)
    alert |= {"lastUpdateDateTime": moment(1), "status": "resolved"}
    del alert["vendorWord"]
    read(row)
    assert PulledAlert.objects.get().alert == Alert.objects.get()
    assert DeadLetter.objects.count() == 1


def test_what_the_database_refuses_is_a_dead_letter_too(here: Range, row: AlertPull) -> None:
    """A trigger stands for any mistake of ours that only the database notices."""
    put(here, "a1", 9)
    put(here, "bad", 8)
    put(here, "a3", 7)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse_bad() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF NEW.source_ref = 'bad' THEN RAISE numeric_value_out_of_range; END IF; RETURN NEW; END $$;"
            "CREATE TRIGGER refuse_bad BEFORE INSERT ON cases_alert FOR EACH ROW EXECUTE FUNCTION refuse_bad()"
        )
    read(row)
    assert refs() == ["a1", "a3"] and row.read_until is not None
    assert "mistake of Soar" in DeadLetter.objects.get().error


def test_any_other_error_is_shown_and_tried_again(here: Range, row: AlertPull) -> None:
    """Where not even the dead letter can be kept, the reading stops before the alert."""
    mapped(row, hostname="$.vendorWord")
    put(here, "a1", 9)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_deadletter ADD CONSTRAINT nothing_more CHECK (false) NOT VALID")
    read(row)
    assert (row.failures, row.read_until) == (1, None) and "Something went wrong" in row.last_error
    assert not PulledAlert.objects.exists() and row.lease is None
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_deadletter DROP CONSTRAINT nothing_more")
    read(row)
    assert (row.failures, row.last_error, DeadLetter.objects.count()) == (0, "", 1)


def test_none_of_many_is_lost(here: Range, row: AlertPull, settings: Any) -> None:
    settings.DEAD_LETTERS_A_MINUTE = settings.WEB_WORKERS = 1
    mapped(row, hostname="$.vendorWord")
    for number in range(5):
        put(here, f"a{number}", 9 - number)
    read(row)
    row.source.refresh_from_db()
    assert (DeadLetter.objects.count(), row.source.refused, row.source.unkept) == (5, 5, 0)


def test_a_letter_is_kept_whole(here: Range, row: AlertPull, settings: Any) -> None:
    settings.DEAD_LETTER_KB = 1
    mapped(row, hostname="$.vendorWord")
    put(here, "a1", 9, description="é" * 5_000)
    read(row)
    assert DeadLetter.objects.get().whole


def test_a_large_one_is_cut_to_fit(here: Range, row: AlertPull) -> None:
    put(here, "a1", 9, description="x" * 1_200_000, evidence=[{"n": "y" * 100} for _ in range(9_000)])
    put(here, "a2", 8, description="é" * 300_000)  # fits, as long as it is not written as escapes
    read(row)
    assert refs() == ["a1", "a2"] and not DeadLetter.objects.exists()
    first, second = Alert.objects.order_by("source_ref")
    assert len(first.payload.body) < 1024 * 1024 and "é" * 300_000 in second.payload.body
    assert any("cut here" in note for note in first.repairs)


def test_a_change_finds_its_alert_after_the_key_was_changed(here: Range, row: AlertPull) -> None:
    AlertSource.objects.update(close_on_resolved=True)
    alert = put(here, "a1", 9)
    read(row)
    source_verbs.update(ME, row.source.slug, fields={"key_fields": ["title"]})
    alert |= {"lastUpdateDateTime": moment(1), "status": "resolved", "classification": "truePositive"}
    read(row)
    stored = Alert.objects.get()
    assert stored.status == AlertStatus.RESOLVED and stored.source_state.lower().startswith("resolved")
    assert PulledAlert.objects.get().alert == stored


def test_a_change_finds_its_alert_when_a_newer_one_has_its_key(here: Range, row: AlertPull) -> None:
    alert = put(here, "a1", 9)
    read(row)
    old = Alert.objects.get()
    Alert.objects.update(key_digest=None)  # as a repeat that makes a new alert leaves it
    alert |= {"lastUpdateDateTime": moment(1), "status": "inProgress"}
    read(row)
    old.refresh_from_db()
    assert "progress" in old.source_state.lower()
    assert PulledAlert.objects.get().alert == old and Alert.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["source", "reading"])
def test_switched_off_while_it_is_read(here: Range, row: AlertPull, what: str) -> None:
    here.standin.state |= {"page": 2, "most": 2}
    for number in range(6):
        put(here, f"a{number}", 9 - number)
    answer, calls = here.standin.answer, list[str]()

    def off(request: Any) -> Any:
        """Somebody switches it off while the second page is on its way."""
        calls.append(request.path)
        if len(calls) == 3:
            if what == "source":
                AlertSource.objects.update(enabled=False)
            else:
                AlertPull.objects.update(enabled=False)
            connection.close()
        return answer(request)

    here.standin.answer = off  # type: ignore[method-assign]
    read(row)
    assert Alert.objects.count() == 2, "what comes after that is not stored"
    assert (row.lease, row.last_error, row.read_until) == (None, "", None)
    AlertSource.objects.update(enabled=True)
    AlertPull.objects.update(enabled=True)
    here.standin.answer = answer  # type: ignore[method-assign]
    read(row)
    assert refs() == [f"a{number}" for number in range(6)]
