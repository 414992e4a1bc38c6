"""Setting a ServiceNow instance up in the browser: who may, what is refused, the check, the webhook's secret."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from cases.models import ServiceNowInstance, TicketProfile
from soar.accounts.models import AuditEntry
from soar.connectors.models import ConnectorAccount
from tests.factories import make_incident
from tests.servicenow_desk import Desk, desk

pytestmark = pytest.mark.django_db
NEW = "/servicenow/instances/new/"


@pytest.fixture
def here() -> Iterator[Desk]:
    cache.clear()
    with desk() as found:
        yield found


def add(client: Client, here: Desk, **more: str) -> ServiceNowInstance:
    form = {"account": str(here.account.pk), "slug": "north", "every_seconds": "30", **more}
    assert client.post(NEW, form).status_code == 201
    return ServiceNowInstance.objects.get()


def page(client: Client, rest: str = "") -> str:
    answer = client.get(f"/servicenow/instances/north/{rest}")
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("rest", ["new/", "north/", "north/check/", "north/rotate/", "north/remove/"])
def test_only_for_those_who_manage_connectors(
    as_admin: Client, as_analyst: Client, as_viewer: Client, here: Desk, rest: str
) -> None:
    before = add(as_admin, here)
    for client in (as_analyst, as_viewer):
        answer = client.post(f"/servicenow/instances/{rest}", {"account": here.account.pk, "every_seconds": "60"})
        assert answer.status_code == 403
    assert Client().post(f"/servicenow/instances/{rest}").status_code == 302
    after = ServiceNowInstance.objects.get()
    assert (after.webhook_secret, after.every_seconds, after.checked_at) == (before.webhook_secret, 30, None)


@pytest.mark.parametrize("rest", ["north/check/", "north/rotate/", "north/remove/"])
def test_verbs_are_posted_and_only_to_what_there_is(as_admin: Client, here: Desk, rest: str) -> None:
    assert as_admin.post(f"/servicenow/instances/{rest}").status_code == 404
    add(as_admin, here)
    assert as_admin.get(f"/servicenow/instances/{rest}").status_code == 405


def test_without_a_connector_the_page_leads_to_one(as_admin: Client) -> None:
    text = as_admin.get(NEW).content.decode()
    assert "A connector first" in text
    assert 'href="/connectors/new/servicenow/"' in text


def test_the_connector_leads_to_its_instance(as_admin: Client, here: Desk) -> None:
    path = f"/connectors/{here.account.pk}/"
    assert f'href="{NEW}?account={here.account.pk}"' in as_admin.get(path).content.decode()
    assert f'<option value="{here.account.pk}" selected>' in as_admin.get(f"{NEW}?account={here.account.pk}").text
    add(as_admin, here)
    assert 'href="/servicenow/instances/north/"' in as_admin.get(path).content.decode()


def test_an_account_of_another_kind_is_none(as_admin: Client, here: Desk) -> None:
    ConnectorAccount.objects.create(kind="http", name="EDR", settings={"url": "https://edr.example.com"})
    text = as_admin.get(NEW).content.decode()
    assert here.account.name in text
    assert "EDR" not in text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account", ""), ("account", "999999"), ("account", "x"), ("every_seconds", "4"), ("every_seconds", "3601"),
        ("every_seconds", "x"), ("slug", "new"), ("slug", "a b"), ("slug", "../x"), ("slug", "x" * 61),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field(as_admin: Client, here: Desk, field: str, value: str) -> None:
    form = {"account": str(here.account.pk), "slug": "north", "every_seconds": "30", field: value}
    answer = as_admin.post(NEW, form)
    assert answer.status_code == 422
    assert "errorline" in answer.text.partition(f'id="id_{field}"')[2].partition("</div>")[0]
    assert not ServiceNowInstance.objects.exists()


def test_one_instance_of_an_account_and_a_slug_of_its_own(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    again = as_admin.post(NEW, {"account": here.account.pk, "every_seconds": "30"})
    assert again.status_code == 422
    ConnectorAccount.objects.update(name="First")
    with desk() as other:
        answer = as_admin.post(NEW, {"account": other.account.pk, "slug": "north", "every_seconds": "30"})
        assert "There is an instance of this slug already." in answer.text
    assert ServiceNowInstance.objects.count() == 1


def test_the_slug_comes_from_the_host(as_admin: Client) -> None:
    settings = {"url": "https://fjordline.service-now.com"}
    account = ConnectorAccount.objects.create(kind="servicenow", name="Fjordline", settings=settings)
    assert as_admin.post(NEW, {"account": account.pk, "every_seconds": "30"}).status_code == 201
    assert ServiceNowInstance.objects.get().slug == "fjordline"


def test_the_secret_is_shown_once_with_a_script_that_holds_it(as_admin: Client, here: Desk) -> None:
    answer = as_admin.post(NEW, {"account": here.account.pk, "slug": "north", "every_seconds": "30"})
    secret = ServiceNowInstance.objects.get().webhook_secret
    assert len(secret) > 40
    assert answer["Cache-Control"] == "no-store"
    assert answer.text.count(secret) >= 3  # itself, its button, the script
    assert "/api/v1/servicenow/north/events/" in answer.text
    later = page(as_admin)
    assert secret not in later
    assert "Bearer SECRET" in later
    assert secret not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_rotating_makes_another_secret(as_admin: Client, here: Desk) -> None:
    old = add(as_admin, here).webhook_secret
    answer = as_admin.post("/servicenow/instances/north/rotate/")
    new = ServiceNowInstance.objects.get().webhook_secret
    assert new != old
    assert new in answer.text
    assert old not in answer.text
    assert AuditEntry.objects.filter(verb="servicenow.secret_rotated", target="north").count() == 1


def test_the_check_shows_every_finding(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    assert "Not checked yet" in page(as_admin)
    assert as_admin.post("/servicenow/instances/north/check/").status_code == 302
    text = page(as_admin)
    for name in ("credentials", "roles", "table incident", "notes", "time zone", "clock"):
        assert f"<b>{name}</b>" in text.lower()
    assert "Does not work" not in text
    here.account.refresh_from_db()
    assert here.account.last_ok_at is not None


def test_what_does_not_work_is_said_in_servicenows_own_words(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    here.do("arrange", journal_read="no")
    as_admin.post("/servicenow/instances/north/check/")
    journal = re.search(r"<b>notes</b>(.*?)</li>", page(as_admin), re.S | re.I)
    assert journal is not None
    assert "Works" not in journal[1]
    ConnectorAccount.objects.filter(pk=here.account.pk).update(secrets={"password": "wrong"})
    as_admin.post("/servicenow/instances/north/check/")
    text = page(as_admin)
    assert "Does not work" in text
    assert "User Not Authenticated" in text
    here.account.refresh_from_db()
    assert "User Not Authenticated" in here.account.last_error


def test_an_instance_that_is_down_is_a_finding_and_no_error(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    here.do("hibernate")
    assert as_admin.post("/servicenow/instances/north/check/").status_code == 302
    assert "hibernates" in page(as_admin)
    ConnectorAccount.objects.filter(pk=here.account.pk).update(enabled=False)
    as_admin.post("/servicenow/instances/north/check/")
    assert "is disabled" in page(as_admin)


def test_the_pace_is_changed(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    wrong = as_admin.post("/servicenow/instances/north/", {"every_seconds": "1"})
    assert wrong.status_code == 422
    assert "errorline" in wrong.text
    assert as_admin.post("/servicenow/instances/north/", {"every_seconds": "60"}).status_code == 302
    assert ServiceNowInstance.objects.get().every_seconds == 60


def test_removed_with_its_profiles_but_not_once_a_ticket_was_linked(as_admin: Client, here: Desk) -> None:
    instance = add(as_admin, here)
    profile = TicketProfile.objects.create(instance=instance, name="Security")
    link = profile.links.create(incident=make_incident(), instance=instance, table="incident", correlation_id="x")
    answer = as_admin.post("/servicenow/instances/north/remove/")
    assert answer.status_code == 409
    assert "Pause it instead" in answer.text
    link.delete()
    assert as_admin.post("/servicenow/instances/north/remove/").status_code == 302
    assert not ServiceNowInstance.objects.exists()
    assert ConnectorAccount.objects.filter(pk=here.account.pk).exists()


def test_a_pace_that_somebody_else_set_meanwhile_is_not_overwritten_unseen(as_admin: Client, here: Desk) -> None:
    add(as_admin, here)
    found = re.search(r'name="version" value="(\d+)"', page(as_admin))
    assert found
    seen, path = found[1], "/servicenow/instances/north/"
    assert as_admin.post(path, {"every_seconds": "60", "version": seen}).status_code == 302
    answer = as_admin.post(path, {"every_seconds": "90", "version": seen})
    text = answer.content.decode()
    assert answer.status_code == 422 and "changed by somebody else" in text and "It is 60 seconds now" in text
    assert ServiceNowInstance.objects.get().every_seconds == 60
    again = re.search(r'name="version" value="(\d+)"', text)
    assert again and as_admin.post(path, {"every_seconds": "90", "version": again[1]}).status_code == 302
    assert ServiceNowInstance.objects.get().every_seconds == 90
