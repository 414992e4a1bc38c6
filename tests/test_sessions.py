"""Where one is signed in: the list, ending one or all others, and what ends them all at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from soar.accounts.actions import people
from soar.accounts.actions.sessions import end_all_sessions
from soar.accounts.actions.users import create_token, ensure_admin
from soar.accounts.models import AuditEntry, LoginSession, User
from tests.factories import PASSWORD
from tests.sign_in_tools import is_in, password_step, signed_in

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_the_list_says_browser_and_address(analyst: User) -> None:
    here, other = signed_in(analyst), Client(headers={"user-agent": FIREFOX}, REMOTE_ADDR="10.1.2.3")
    password_step(other, analyst)
    page = here.get("/settings/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "10.1.2.3" in page
    assert page.count("this browser") == 1
    assert LoginSession.objects.filter(user=analyst).count() == 2


def test_what_a_browser_calls_itself_is_escaped(analyst: User) -> None:
    other = Client(headers={"user-agent": "<script>alert(1)</script>"})
    password_step(other, analyst)
    assert "<script>alert" not in signed_in(analyst).get("/settings/sessions/").content.decode()


def test_sessions_of_others_are_neither_listed_nor_ended(analyst: User, viewer: User) -> None:
    theirs = Client(REMOTE_ADDR="10.9.9.9")
    password_step(theirs, viewer)
    mine = signed_in(analyst)
    assert "10.9.9.9" not in mine.get("/settings/sessions/").content.decode()
    row = LoginSession.objects.get(user=viewer)
    assert mine.post(f"/settings/sessions/{row.pk}/end/").status_code == 404
    assert is_in(theirs)


def test_ending_one_signs_it_out_at_once(analyst: User) -> None:
    here, other = signed_in(analyst), Client(REMOTE_ADDR="10.1.2.3")
    password_step(other, analyst)
    row = LoginSession.objects.get(address="10.1.2.3")
    assert here.get(f"/settings/sessions/{row.pk}/end/").status_code == 405
    assert here.post(f"/settings/sessions/{row.pk}/end/").status_code == 302
    assert not is_in(other)
    assert is_in(here)
    assert AuditEntry.objects.get(verb="session.ended").data["ended_address"] == "10.1.2.3"


def test_ending_all_others_also_ends_those_nobody_noted(analyst: User, as_analyst: Client) -> None:
    here, other = signed_in(analyst), signed_in(analyst)
    LoginSession.objects.exclude(key=here.session.session_key).delete()
    assert here.post("/settings/sessions/end-others/").status_code == 302
    assert not is_in(other)
    assert not is_in(as_analyst)
    assert is_in(here)
    page = here.get("/settings/sessions/").content.decode()
    assert "this browser" in page
    assert "End all others" not in page


def test_an_admin_ends_all_of_a_person_and_tokens_stay(admin: User, analyst: User, viewer: User) -> None:
    browsers = [signed_in(analyst), signed_in(analyst)]
    _row, token = create_token(analyst, "Report", actor=analyst)
    with pytest.raises(PermissionDenied):
        end_all_sessions(viewer, analyst)
    assert end_all_sessions(admin, analyst) == 2
    assert not any(is_in(one) for one in browsers)
    assert Client().get("/api/v1/alerts/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert AuditEntry.objects.get(verb="session.all_ended").actor_id == admin.pk
    assert is_in(signed_in(analyst))


def test_a_changed_password_ends_the_others(analyst: User) -> None:
    here, other = signed_in(analyst), signed_in(analyst)
    new = "a quite different horse"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert not is_in(other)
    assert is_in(here)
    assert [row.key for row in LoginSession.objects.filter(user=analyst)] == [here.session.session_key]


def test_a_deactivated_person_is_out_at_once(analyst: User) -> None:
    client = signed_in(analyst)
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    assert not is_in(client)
    assert client.get("/api/v1/me/").status_code in (401, 403)


def test_programs_never_sign_in(analyst: User) -> None:
    client = signed_in(analyst)
    User.objects.filter(pk=analyst.pk).update(is_service=True)
    assert not is_in(client)
    again = Client()
    password_step(again, analyst)
    assert not is_in(again)


def test_logging_out_forgets_the_session(analyst: User, settings: Any) -> None:
    client = signed_in(analyst)
    kept = Client()
    kept.cookies[settings.SESSION_COOKIE_NAME] = client.session.session_key or ""
    assert is_in(kept), "the cookie alone is the session"
    client.post("/accounts/logout/")
    assert not LoginSession.objects.exists()
    assert not is_in(kept), "whoever kept the cookie has nothing of it"


def test_a_session_from_before_the_login_is_worth_nothing_after_it(analyst: User, settings: Any) -> None:
    """Somebody has planted theirs in the browser and waits for its owner to sign in."""
    planted = SessionStore()
    planted["mark"] = "x"
    planted.create()
    browser, thief = Client(), Client()
    for one in (browser, thief):
        one.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key or ""
    assert password_step(browser, analyst).status_code == 302
    assert is_in(browser)
    assert browser.session.session_key != planted.session_key
    assert not is_in(thief)


def test_a_session_ends_after_twelve_hours_whatever_the_browser_keeps(analyst: User, settings: Any) -> None:
    assert settings.SESSION_COOKIE_AGE == 12 * 3600
    client = signed_in(analyst)
    rows = Session.objects.filter(session_key=client.session.session_key)
    left = rows.get().expire_date - timezone.now()
    assert timedelta(hours=11, minutes=50) < left <= timedelta(hours=12)
    assert is_in(client)
    rows.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)


def test_the_first_password_is_made_for_this_installation(db: None) -> None:
    """There is no password that one could know beforehand."""
    made = ensure_admin(None)
    assert made is not None and len(made) >= 16
    assert User.objects.get(username="admin").check_password(made)
    assert ensure_admin(None) is None, "and it is made once"


def test_what_stands_in_a_session_cannot_be_read_without_the_key(analyst: User, settings: Any) -> None:
    client = signed_in(analyst)
    settings.ENCRYPTION_KEYS = ["another key"]
    assert not is_in(client)


def test_a_session_does_not_come_back_with_its_person(analyst: User, admin: User) -> None:
    browser, unnoted = signed_in(analyst), signed_in(analyst)
    LoginSession.objects.filter(key=unnoted.session.session_key).delete()
    people.set_active(admin, analyst.pk, False)
    people.set_active(admin, analyst.pk, True)
    assert not is_in(browser) and not is_in(unnoted)
    assert is_in(signed_in(User.objects.get(pk=analyst.pk)))
