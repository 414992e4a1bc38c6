"""Our own database without room says nothing of a product: what was not sent is sent when there is room again
(operations.md 8, spec 17)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import OperationalError, connection

from playbooks.response import performing
from soar.connectors.models import Attempt
from tests.response_tools import Range, make_due, only_task, silence, tiny
from tests.test_response_lost import claimed, ends, isolating

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
FULL = f"""
CREATE FUNCTION soar_full() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER soar_full BEFORE INSERT ON {Attempt._meta.db_table} FOR EACH STATEMENT EXECUTE FUNCTION soar_full()"""
ROOM = "DROP FUNCTION IF EXISTS soar_full() CASCADE"


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def room() -> Iterator[None]:
    """The database is as it was when the test is over."""
    yield
    _execute(ROOM)


def test_17_a_call_that_could_not_be_written_down_is_made_when_there_is_room(tiny: Range, room: None) -> None:
    tiny.fault("429", times=3)
    run = isolating()
    held = claimed(run)
    _execute(FULL)
    with pytest.raises(OperationalError):  # as where the database is away: the lease runs out
        performing.perform(held)
    assert (only_task(run).status, tiny.done) == ("in_progress", [])
    _execute(ROOM)
    silence(held.task)
    make_due()
    assert (ends(run), len(tiny.done)) == (("successful", "successful"), 1)
