"""Signing in and out and changing one's password leave rows in the audit log (access.md 7)."""

from __future__ import annotations

import pytest
from django.test import Client

from soar.accounts.models import AuditEntry, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client: Client, name: str = "mara", password: str = PASSWORD) -> int:
    return client.post("/accounts/login/", {"login": name, "password": password}).status_code


def test_login_and_logout_are_written_down(analyst: User) -> None:
    client = Client()
    assert sign_in(client) == 302
    client.post("/accounts/logout/")
    rows = AuditEntry.objects.filter(actor_id=analyst.pk).order_by("pk")
    assert [(row.verb, row.target, row.address) for row in rows.filter(verb__startswith="log")] == [
        ("login", "mara", "127.0.0.1"),
        ("logout", "mara", "127.0.0.1"),
    ]
    assert client.get("/settings/").status_code == 302


def test_a_refused_login_is_written_down(analyst: User) -> None:
    assert sign_in(Client(), password="wrong, wrong") == 200
    assert AuditEntry.objects.get(verb="login.failed").target == "mara"


def test_a_changed_password_is_written_down_without_it(analyst: User) -> None:
    client = Client()
    sign_in(client)
    new = "a quite different horse"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post("/accounts/password/change/", form).status_code == 302
    row = AuditEntry.objects.get(verb="user.password_changed")
    assert (row.actor_id, row.target) == (analyst.pk, "mara")
    assert new not in str(row.data)
    assert sign_in(Client(), password=new) == 302


def test_a_name_of_full_length_signs_in_and_works(analyst: User) -> None:
    from cases.actions import alerts
    from cases.actors import Actor
    from tests.factories import make_alert

    User.objects.filter(pk=analyst.pk).update(first_name="M" * 150, last_name="L" * 150)
    assert sign_in(Client()) == 302
    alert = alerts.claim(Actor.of(User.objects.get(pk=analyst.pk)), make_alert().pk)
    assert alert.owner_id == analyst.pk


@pytest.mark.parametrize(
    "name", ["password/reset/", "password/reset/key/1-set-password/", "signup/", "email/", "password/set/"]
)
def test_pages_that_would_send_mail_or_make_accounts_are_not_there(analyst: User, name: str) -> None:
    """This portal sends no mail: with allauth's own page anybody could bring about an error of the server."""
    signed_in = Client()
    sign_in(signed_in)
    for client in (Client(), signed_in):
        assert client.get(f"/accounts/{name}").status_code == 404
        assert client.post(f"/accounts/{name}", {"email": "mara@example.com"}).status_code == 404


def test_the_pages_that_are_there_open(analyst: User) -> None:
    client = Client()
    assert client.get("/accounts/login/").status_code == 200
    sign_in(client)
    for page in ("logout/", "password/change/", "reauthenticate/", "2fa/", "2fa/app/activate/", "2fa/keys/add/"):
        assert client.get(f"/accounts/{page}").status_code == 200
