"""kill -9 of a worker that reads a source: between two pages, with the next answer still on its way."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cases.actions import pulls
from cases.actors import Actor
from cases.models import Alert, AlertPull
from soar.lib import clock
from soar.standins.elasticsearch import Elasticsearch
from soar.standins.imap import PASSWORD, USERNAME, Imap
from soar.standins.microsoft_graph import MicrosoftGraph
from tests.acting import Range, practice
from tests.factories import make_source
from tests.mails import phish, reported
from tests.playbook_files import _environment, until
from tests.pulling import moment, read, refs

pytestmark = pytest.mark.django_db(transaction=True)
INDEX = ".alerts-security.alerts-default"


def stock(standin: MicrosoftGraph | Elasticsearch) -> None:
    """Ten alerts, four on a page."""
    standin.state |= {"page": 4, "most": 4}
    for number in range(10):
        name, when = f"a{number}", moment(30 - number)
        if isinstance(standin, Elasticsearch):
            standin.put(INDEX, name, {"@timestamp": when, "kibana.alert.uuid": name, "kibana.alert.rule.name": "R"})
        else:
            standin.state["alerts"][name] = {"id": name, "title": "R", "lastUpdateDateTime": when}


def hold(here: Range, number: int) -> threading.Event:
    """Let the answer to the call of that number wait."""
    go, asked, original = threading.Event(), list[str](), here.standin.answer

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == number:
            go.wait(120)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    return go


def worker_of(row: AlertPull) -> subprocess.Popen[bytes]:
    """A process that reads this source."""
    code = f"import django; django.setup()\nfrom cases import tasks\ntasks.pull({row.pk})"
    return subprocess.Popen([sys.executable, "-c", code], env=_environment(), cwd=Path(__file__).parents[1])


@pytest.mark.parametrize("product", [MicrosoftGraph, Elasticsearch])
def test_killed_between_two_pages(product: type[MicrosoftGraph | Elasticsearch]) -> None:
    graph = product is MicrosoftGraph
    secrets = {"client_secret": "secret-1234"} if graph else {"token": "secret-1234"}
    settings = {"tenant": "t.example.com", "client_id": "app"} if graph else {}
    with practice(product(), secrets, **settings, timeout_seconds=120) as here:
        assert isinstance(here.standin, MicrosoftGraph | Elasticsearch)
        stock(here.standin)
        source = make_source(kind="defender" if graph else "elastic")
        row = pulls.set_pull(Actor.system(), source.slug, account=here.account.name, look_back_hours=1)
        go = hold(here, 3)  # after the token or the point in time, and the first page
        worker = worker_of(row)
        try:
            until(lambda: Alert.objects.count() == 4, 120)
            assert worker.poll() is None, "it was over before it could be killed"
        finally:
            worker.kill()
            worker.wait()
            go.set()
        row.refresh_from_db()
        assert row.read_until is None and row.lease is not None
        read(row)
        assert len(refs()) == 4  # the one that is dead still holds it
        AlertPull.objects.update(leased_until=clock.now() - timedelta(seconds=1))
        read(row)
        assert (refs(), row.last_error) == ([f"a{number}" for number in range(10)], "")
        source.refresh_from_db()
        assert source.repeats == 0 and source.accepted >= 9  # a figure: the kill may have come before it was written


def hold_mail(box: Imap, number: int) -> threading.Event:
    """Let the message of that number wait, in the middle of its page."""
    go, asked, original = threading.Event(), list[str](), box.worn

    def worn(token: str) -> bool:
        asked.append(token)
        if len(asked) == number:
            go.wait(120)
        return original(token)

    box.worn = worn  # type: ignore[method-assign]
    return go


def test_killed_between_two_messages_of_a_mailbox() -> None:
    secrets, settings = {"username": USERNAME, "password": PASSWORD}, {"after": "move", "target": "Done"}
    with practice(Imap(), secrets, **settings, timeout_seconds=120) as here:
        box = here.standin
        assert isinstance(box, Imap)
        for number in range(45):
            box.deliver(reported(phish(number), note=f"Number {number}"))
        source = make_source("Reported mail", kind="email")
        row = pulls.set_pull(Actor.system(), source.slug, account=here.account.name)
        go = hold_mail(box, 25)  # of the second page, once the first one is stored and moved
        worker = worker_of(row)
        try:
            until(lambda: len(box.state["folders"]["Done"]["messages"]) == 20, 120)
            assert worker.poll() is None, "it was over before it could be killed"
        finally:
            worker.kill()
            worker.wait()
            go.set()
        row.refresh_from_db()
        assert (row.mark["uid"], row.read_until, row.lease is not None) == (20, None, True)
        read(row)
        assert Alert.objects.count() == 20  # the one that is dead still holds it
        AlertPull.objects.update(leased_until=clock.now() - timedelta(seconds=1))
        read(row)
        assert (Alert.objects.count(), row.last_error) == (45, "")
        assert set(Alert.objects.values_list("count", flat=True)) == {1}
        assert [len(one["messages"]) for one in box.state["folders"].values()] == [0, 45]
        source.refresh_from_db()
        assert source.repeats == 0 and source.accepted >= 44  # a figure: the kill may have come before it was written
