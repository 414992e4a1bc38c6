"""The page of signing keys on a phone: readable, and the key is replaced with the keyboard."""

from __future__ import annotations

import pytest
from pytest_django.live_server_helper import LiveServer

from cases.models import SigningKey
from cases.signing import active_key
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_keys_are_readable_and_replaced(live_server: LiveServer, sign_in: SignIn, admin: User) -> None:
    old = active_key()
    page = sign_in(admin)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{live_server.url}/settings/signing-keys/")
    assert page.get_by_text(old.public_key).is_visible()
    check_accessibility(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Replace the key").press("Enter")
    page.get_by_text("Exports are signed with the key").wait_for()
    new = SigningKey.objects.get(active=True)
    assert new.pk != old.pk and page.get_by_text(new.public_key).is_visible()
