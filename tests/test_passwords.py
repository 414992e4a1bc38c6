"""Passwords as they are typed, and as they are kept (ASVS 6.2, 11.4.2)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from soar import settings_accounts
from soar.accounts.models import User
from tests.factories import PASSWORD
from tests.sign_in_tools import is_in, password_step, signed_in

pytestmark = pytest.mark.django_db
TYPED = "  Two Spaces, ä, 🐎 and a TAIL " + "x" * 100 + " "  # longer than 64 characters


def changed(user: User, password: str) -> None:
    """By the form, as a person does."""
    form = {"oldpassword": PASSWORD, "password1": password, "password2": password}
    assert signed_in(user).post("/accounts/password/change/", form).status_code == 302


def test_a_password_is_taken_as_it_is_typed(analyst: User) -> None:
    changed(analyst, TYPED)
    browser = Client()
    password_step(browser, analyst, TYPED)
    assert is_in(browser)


@pytest.mark.parametrize("other", [TYPED.strip(), TYPED.lower(), TYPED[:64], TYPED[:-2] + " ", TYPED + " "])
def test_nothing_of_it_is_cut_off_or_changed(analyst: User, other: str) -> None:
    changed(analyst, TYPED)
    browser = Client()
    password_step(browser, analyst, other)
    assert not is_in(browser)


def test_it_is_kept_as_a_digest_of_argon2id_with_a_salt_of_its_own(analyst: User, viewer: User, settings: Any) -> None:
    settings.PASSWORD_HASHERS = settings_accounts.PASSWORD_HASHERS  # tests use a quick one
    for user in (analyst, viewer):
        user.set_password(PASSWORD)
        user.save()
    changed(analyst, TYPED)
    changed(viewer, TYPED)
    first, second = User.objects.filter(pk__in=[analyst.pk, viewer.pk]).values_list("password", flat=True)
    assert first.startswith("argon2$argon2id$v=19$")
    assert first.rpartition("$")[2] != second.rpartition("$")[2]
