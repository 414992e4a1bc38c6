"""Reading a source, in the browser: who may, what is refused, and what the page tells when it cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from cases.models import AlertPull, AlertPush, AlertSource
from cases.models.pull import PushState
from soar.accounts.models import AuditEntry, User
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice
from tests.factories import make_alert, make_source

pytestmark = pytest.mark.django_db
FORM = {"account": "visionone", "every_seconds": "60", "look_back_hours": "24", "enabled": "on"}


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}, push=True) as found:
        yield found


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Vision One", kind="visionone")


def url(source: AlertSource, rest: str = "") -> str:
    return f"/sources/{source.slug}/{rest}"


@pytest.mark.parametrize("rest", ["pull/", "pull/now/", "pull/remove/", "push/again/"])
def test_only_for_those_who_manage_sources(
    client: Client, here: Range, source: AlertSource, analyst: User, rest: str
) -> None:
    assert client.post(url(source, rest), FORM).status_code == 302  # to the sign-in page
    client.force_login(analyst)
    assert client.post(url(source, rest), FORM).status_code == 403
    assert not AlertPull.objects.exists()


@pytest.mark.parametrize("rest", ["pull/now/", "pull/remove/", "push/again/"])
def test_verbs_are_posted(client: Client, here: Range, source: AlertSource, admin: User, rest: str) -> None:
    client.force_login(admin)
    assert client.get(url(source, rest)).status_code == 405


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", "nobody"), ("account", ""), ("every_seconds", "9"), ("every_seconds", "x"),
        ("every_seconds", "99999999999999999999"), ("look_back_hours", "-1"), ("look_back_hours", "2161"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(
    client: Client, here: Range, source: AlertSource, admin: User, field: str, value: str
) -> None:
    client.force_login(admin)
    answer = client.post(url(source, "pull/"), {**FORM, field: value})
    assert answer.status_code == 422
    assert "errorline" in answer.text.partition(f'id="id_{field}"')[2].partition("</div>")[0]
    assert not AlertPull.objects.exists()


def test_a_kind_that_is_sent_to_us_has_no_such_page(client: Client, here: Range, admin: User) -> None:
    client.force_login(admin)
    other = make_source(kind="wazuh")
    assert client.get(url(other, "pull/")).status_code == 404
    assert "pull/" not in client.get(url(other)).text


def test_without_a_connector_the_page_says_so(client: Client, source: AlertSource, admin: User) -> None:
    client.force_login(admin)
    assert "There is no connector that reads" in client.get(url(source, "pull/")).text


def test_it_is_set_up_read_and_ended(client: Client, here: Range, source: AlertSource, admin: User) -> None:
    client.force_login(admin)
    assert client.post(url(source, "pull/"), FORM).status_code == 302
    assert "visionone" in client.get(url(source)).text
    client.post(url(source, "pull/now/"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soar_queue WHERE task = 'cases.tasks.pull'")
        assert cursor.fetchone() == (1,)
    client.post(url(source, "pull/remove/"))
    assert not AlertPull.objects.exists()
    verbs = AuditEntry.objects.filter(verb__startswith="source.pull").values_list("verb", flat=True)
    assert set(verbs) == {"source.pull_set", "source.pull_removed"}


def test_what_is_not_read_cannot_be_read_now(client: Client, here: Range, source: AlertSource, admin: User) -> None:
    client.force_login(admin)
    client.post(url(source, "pull/now/"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM soar_queue WHERE task = 'cases.tasks.pull'")
        assert cursor.fetchone() == (0,)


def test_the_page_and_the_list_tell_what_goes_wrong(
    client: Client, here: Range, source: AlertSource, admin: User
) -> None:
    client.force_login(admin)
    client.post(url(source, "pull/"), FORM)
    AlertPull.objects.update(last_error="The token <has> expired", last_error_at=timezone.now(), failures=3)
    for page in (client.get(url(source)).text, client.get("/sources/").text):
        assert "The token &lt;has&gt; expired" in page
        assert "Not read" in page
    assert "3 tries in a row" in client.get(url(source)).text


def test_what_could_not_be_told_is_listed_and_told_once_more(
    client: Client, here: Range, source: AlertSource, admin: User
) -> None:
    client.force_login(admin)
    client.post(url(source, "pull/"), FORM)
    alert = make_alert(source=source, source_ref="WB-1")
    past = timezone.now()
    for entry in (0, 7):
        AlertPush.objects.create(
            alert=alert, entry=entry, state=PushState.FAILED, said="The role of the API key", finished_at=past
        )
    page = client.get(url(source)).text
    assert "2 could not be told" in page
    assert f"/alerts/{alert.number}/" in page
    client.post(url(source, "push/again/"))
    assert not AlertPush.objects.filter(state=PushState.FAILED).exists()
    assert AlertPush.objects.filter(state__in=(PushState.WAITING, PushState.SENDING)).count() == 2
