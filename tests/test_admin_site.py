"""Django's admin: for admins, and without tables that this portal does not use."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from soar.accounts.models import AuditEntry, Team, User
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


def test_it_has_no_form_for_a_new_password_of_its_own(as_admin: Client, admin: User) -> None:
    """Else old passwords could be tried there without limit, and a change would be in no audit log."""
    form = {"old_password": PASSWORD, "new_password1": "another long one", "new_password2": "another long one"}
    for answer in (as_admin.get("/admin/password_change/"), as_admin.post("/admin/password_change/", form)):
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/")
    admin.refresh_from_db()
    assert admin.check_password(PASSWORD)


def test_tables_of_the_unused_queue_are_not_there(as_admin: Client, admin: User) -> None:
    assert "/admin/auth/group/" in as_admin.get("/admin/").content.decode()
    assert "/admin/django_q/" not in as_admin.get("/admin/").content.decode()
    for model in ("schedule", "success", "failure", "ormq"):
        assert as_admin.get(f"/admin/django_q/{model}/").status_code == 404


def test_changes_of_a_group_are_in_the_audit_log(as_admin: Client, admin: User) -> None:
    assert as_admin.post("/admin/auth/group/add/", {"name": "Guests"}).status_code == 302
    guests = Group.objects.get(name="Guests")
    form = {"name": "Visitors", "permissions": []}
    assert as_admin.post(f"/admin/auth/group/{guests.pk}/change/", form).status_code == 302
    assert as_admin.post(f"/admin/auth/group/{guests.pk}/delete/", {"post": "yes"}).status_code == 302
    rows = AuditEntry.objects.filter(verb__startswith="group.").order_by("pk").values_list("verb", "target", "actor_id")
    assert list(rows) == [
        ("group.created", "Guests", admin.pk), ("group.changed", "Visitors", admin.pk),
        ("group.deleted", "Visitors", admin.pk),
    ]  # fmt: skip
    assert AuditEntry.objects.get(verb="group.changed").data["permissions"] == []


def test_roles_and_teams_are_changed_on_their_own_pages_alone(as_admin: Client, blue: Team) -> None:
    """Here nobody would keep the built-in roles, or the last admin."""
    viewers = Group.objects.get(name="Viewer")
    before = viewers.permissions.count()
    for group in (viewers, blue.group):
        page = f"/admin/auth/group/{group.pk}"
        for answer in (as_admin.get(f"{page}/change/"), as_admin.post(f"{page}/change/", {"name": "x"}),
                       as_admin.post(f"{page}/delete/", {"post": "yes"})):  # fmt: skip
            assert answer.status_code == 302
            assert answer["Location"] == "/admin/"
    assert viewers.permissions.count() == before
    assert Group.objects.filter(pk=blue.group_id).exists()
