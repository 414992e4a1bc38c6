"""Outgoing webhooks in the browser (ingest-and-api.md 15): by whom, wrong forms, secret shown once, log."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from cases.models import WebhookDelivery, WebhookEndpoint
from soar.accounts.models import AuditEntry, Team, User
from tests.api import Api
from tests.connector_server import Product
from tests.factories import make_alert, make_source, make_user
from tests.fixtures import client_of
from tests.webhook_tools import endpoint_to, receiver, run, signed, status

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db
FORM = {"name": "Data lake", "url": "https://lake.example/hook?key=s3cr3t", "groups": ["changes"], "cleared": "amber",
        "enabled": "on"}  # fmt: skip
HOSTILE = '"><script>alert(1)</script>{{ 7 }}\u202e'


def paths(pk: int, delivery: int) -> list[tuple[str, str]]:
    verbs = [("post", f"/webhooks/{pk}/{verb}/") for verb in ("edit", "rotate", "test", "delete", "replay")]
    one = f"/webhooks/{pk}/deliveries/{delivery}/"
    return [("get", "/webhooks/"), ("get", "/webhooks/new/"), ("post", "/webhooks/new/"), ("get", f"/webhooks/{pk}/"),
            ("get", f"/webhooks/{pk}/edit/"), ("get", one), ("post", f"{one}replay/"), *verbs]  # fmt: skip


def shown_secret(page: Any) -> str:
    found = re.search(r'id="new-secret">([^<]*)<', page.content.decode())
    return html.unescape(found[1]) if found else ""


def test_only_those_who_manage_connectors_come_in(
    as_analyst: Client, client: Client, admin: User, receiver: Product
) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    make_alert()
    run()
    for method, path in paths(endpoint.pk, WebhookDelivery.objects.get().pk):
        assert getattr(as_analyst, method)(path, FORM).status_code == 403, path
        assert getattr(client, method)(path, FORM).status_code == 302, path
    assert "/webhooks/" not in as_analyst.get("/settings/").content.decode()
    endpoint.refresh_from_db()
    assert endpoint.version == 1 and WebhookEndpoint.objects.count() == 1


def test_get_changes_nothing_and_what_is_not_there_is_404(as_admin: Client, admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin)
    for verb in ("rotate", "test", "delete", "replay"):
        assert as_admin.get(f"/webhooks/{endpoint.pk}/{verb}/").status_code == 405
        assert as_admin.post(f"/webhooks/99999/{verb}/", {"overlap_hours": 1}).status_code == 404
    assert as_admin.get(f"/webhooks/{endpoint.pk}/deliveries/5/").status_code == 404
    assert as_admin.get("/webhooks/99999/edit/").status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"url": "ftp://x.example"}, "url"),
        ({"url": "http://127.0.0.1/"}, "url"),
        ({"groups": []}, "kinds"),
        ({"groups": ["nonsense"]}, "groups"),
        ({"team": "No such"}, "team"),
        ({"source": "no-such"}, "source"),
        ({"least_severity": "awful"}, "least_severity"),
        ({"cleared": "purple"}, "cleared"),
    ],
)
def test_a_wrong_form_is_refused_beside_the_field(as_admin: Client, change: dict[str, Any], field: str) -> None:
    answer = as_admin.post("/webhooks/new/", {**FORM, **change})
    assert answer.status_code == 422 and set(answer.context["form"].errors) == {field}
    assert WebhookEndpoint.objects.count() == 0


def test_of_sources_that_they_do_not_see_not_even_the_name(red: Team, as_admin: Client, admin: User) -> None:
    make_source("Blue's feed")
    hidden = make_source("Hidden feed", team=red)
    body = {"name": "Plumber", "permissions": ["manage_connectors", "view_cases"]}
    assert Api(admin).post("/roles/", body).status_code == 201
    plumber = client_of(make_user("plumber", "Plumber"))
    page = plumber.get("/webhooks/new/").content.decode()
    assert "Blue&#x27;s feed" in page and "Hidden feed" not in page
    assert plumber.post("/webhooks/new/", {**FORM, "source": hidden.slug}).status_code == 422
    assert "Hidden feed" in as_admin.get("/webhooks/new/").content.decode()
    assert as_admin.post("/webhooks/new/", {**FORM, "source": hidden.slug}).status_code == 302
    kept = WebhookEndpoint.objects.get()
    assert "Hidden feed" in plumber.get(f"/webhooks/{kept.pk}/edit/").content.decode(), "saving must not take it away"


def test_the_secret_is_shown_once_and_the_address_on_its_form_alone(as_admin: Client) -> None:
    answer = as_admin.post("/webhooks/new/", {**FORM, "name": HOSTILE})
    endpoint = WebhookEndpoint.objects.get()
    page = as_admin.get(answer["Location"])
    assert shown_secret(page) == str(endpoint.secret) and page["Cache-Control"] == "no-store"
    again = as_admin.get(answer["Location"])
    assert shown_secret(again) == "" and "s3cr3t" not in again.content.decode()
    assert "<script>alert" not in again.content.decode() and "s3cr3t" not in as_admin.get("/webhooks/").content.decode()
    assert "s3cr3t" in as_admin.get(f"/webhooks/{endpoint.pk}/edit/").content.decode()
    assert endpoint.kinds == ["group:changes"]
    assert "s3cr3t" not in str(list(AuditEntry.objects.values_list("data", flat=True)))


def test_change_rotate_and_a_stale_form(as_admin: Client, admin: User, receiver: Product) -> None:
    endpoint, old = endpoint_to(receiver, admin)
    url, edit = f"/webhooks/{endpoint.pk}/", f"/webhooks/{endpoint.pk}/edit/"
    assert as_admin.post(edit, {**FORM, "name": "Lake 2", "version": "1"}).status_code == 302
    assert as_admin.post(edit, {**FORM, "name": "Lake 3", "version": "1"}).status_code == 412
    assert as_admin.post(f"{url}rotate/", {"overlap_hours": "2"}).status_code == 302
    secret = shown_secret(as_admin.get(url))
    assert secret.startswith("whsec_") and secret != old
    endpoint.refresh_from_db()
    assert endpoint.name == "Lake 2" and str(endpoint.old_secret) == old
    as_admin.post(f"{url}rotate/", {"overlap_hours": "99999"})
    endpoint.refresh_from_db()
    assert str(endpoint.secret) == secret


def test_a_test_its_log_and_a_replay(as_admin: Client, admin: User, receiver: Product) -> None:
    endpoint, secret = endpoint_to(receiver, admin)
    url = f"/webhooks/{endpoint.pk}/"
    receiver.replies = [status(418), status(204)]
    answer = as_admin.post(f"{url}test/")
    assert 'hx-get="' in as_admin.get(answer["Location"]).content.decode(), "the page asks again while it waits"
    run()
    assert "It answered 418." in as_admin.get(answer["Location"]).content.decode()
    WebhookDelivery.objects.update(state="failed")
    assert "Send 1 that failed again" in as_admin.get(url).content.decode()
    assert as_admin.post(f"{url}replay/").status_code == 302
    run()
    page = as_admin.get(answer["Location"]).content.decode()
    assert "Delivered" in page and "webhook.test" in page and signed(receiver.seen[1], secret)
    assert as_admin.post(f"{answer['Location']}replay/").status_code == 302
    run()
    assert len(receiver.seen) == 3
    assert as_admin.get(f"{url}?state=failed&cursor=nonsense").context["deliveries"] == []
    assert len(as_admin.get(f"{url}?state=delivered").context["deliveries"]) == 1


def test_switched_off_it_sends_no_test(as_admin: Client, admin: User, receiver: Product) -> None:
    endpoint, _ = endpoint_to(receiver, admin, enabled=False)
    page = as_admin.post(f"/webhooks/{endpoint.pk}/test/", follow=True)
    assert "switched off" in page.content.decode() and WebhookDelivery.objects.count() == 0
    as_admin.post(f"/webhooks/{endpoint.pk}/delete/")
    assert WebhookEndpoint.objects.count() == 0
    assert AuditEntry.objects.filter(verb="webhook.deleted").exists()


def test_the_list_of_many_takes_few_queries(
    as_admin: Client, admin: User, receiver: Product, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        endpoint_to(receiver, admin, name=f"Hook {n}")
    make_alert()
    run()
    with django_assert_max_num_queries(20):
        assert len(as_admin.get("/webhooks/").context["rows"]) == 12
