"""Django's admin: for admins, and without tables that this portal does not use."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from soar.accounts.models import AuditEntry, User
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def test_it_opens_for_an_admin_alone(as_admin: Client, as_analyst: Client, client: Client) -> None:
    assert as_admin.get("/admin/").status_code == 200
    for other in (as_analyst, client):
        answer = other.get("/admin/")
        assert answer.status_code == 302
        assert "/login/" in answer["Location"]


def test_it_has_no_login_of_its_own(as_analyst: Client, client: Client, admin: User) -> None:
    """Else passwords could be tried there without limit and without a line in the audit log."""
    form = {"username": admin.username, "password": PASSWORD, "next": "/admin/"}
    answer = client.post("/admin/login/", form)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session
    assert as_analyst.get("/admin/login/").status_code == 403


def test_tables_of_the_unused_queue_are_not_there(as_admin: Client, admin: User) -> None:
    assert "/admin/auth/group/" in as_admin.get("/admin/").content.decode()
    assert "/admin/django_q/" not in as_admin.get("/admin/").content.decode()
    for model in ("schedule", "success", "failure", "ormq"):
        assert as_admin.get(f"/admin/django_q/{model}/").status_code == 404


def test_changes_of_a_group_are_in_the_audit_log(as_admin: Client, admin: User) -> None:
    viewers = Group.objects.get(name="Viewer")
    before = list(viewers.permissions.values_list("codename", flat=True))
    assert before
    form = {"name": "Viewer", "permissions": []}
    assert as_admin.post(f"/admin/auth/group/{viewers.pk}/change/", form).status_code == 302
    assert not viewers.permissions.exists()
    assert as_admin.post("/admin/auth/group/add/", {"name": "Guests"}).status_code == 302
    guests = Group.objects.get(name="Guests")
    assert as_admin.post(f"/admin/auth/group/{guests.pk}/delete/", {"post": "yes"}).status_code == 302
    rows = AuditEntry.objects.filter(verb__startswith="group.").order_by("pk").values_list("verb", "target", "actor_id")
    assert list(rows) == [
        ("group.changed", "Viewer", admin.pk), ("group.created", "Guests", admin.pk),
        ("group.deleted", "Guests", admin.pk),
    ]  # fmt: skip
    assert AuditEntry.objects.get(verb="group.changed").data["permissions"] == []
