"""``manage.py user create`` and ``token create``: JSON alone on stdout (contract: Commands, rulings 26)."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from soar.accounts.authentication import find
from soar.accounts.models import ApiToken, User
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def run(*args: str) -> dict[str, str]:
    """What the command printed."""
    out = StringIO()
    call_command(*args, stdout=out)
    answer: dict[str, str] = json.loads(out.getvalue())
    return answer


def test_a_made_password_opens_the_door() -> None:
    answer = run("user", "create", "mara", "--role", "Analyst", "--role", "Auditor", "--team", "Blue")
    assert set(answer) == {"username", "password"}
    assert Client().login(**answer)
    names = set(User.objects.get(username="mara").groups.values_list("name", flat=True))
    assert names == {"Analyst", "Auditor", "team:Blue"}


def test_the_password_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_NEW_PASSWORD", PASSWORD)
    assert run("user", "create", "mara")["password"] == PASSWORD
    assert Client().login(username="mara", password=PASSWORD)


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("user", "create", "mara", "--role", "Wizard"), "no role"),
        (("user", "create", "no spaces please"), "valid username"),
        (("user", "create", "mara", "--team", " "), "team needs a name"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_saved(args: tuple[str, ...], word: str) -> None:
    with pytest.raises(CommandError, match=word):
        run(*args)
    assert not User.objects.exists()


def test_a_weak_password_and_a_taken_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOAR_NEW_PASSWORD", "12345678")
    with pytest.raises(CommandError, match="short"):
        run("user", "create", "mara")
    monkeypatch.delenv("SOAR_NEW_PASSWORD")
    run("user", "create", "mara")
    with pytest.raises(CommandError, match="already exists"):
        run("user", "create", "mara")
    assert User.objects.count() == 1


def test_a_token_with_scopes_and_an_end() -> None:
    user = make_user("mara")
    answer = run("token", "create", "mara", "--name", "Shift report", "--scopes", "view_cases, export", "--days", "7")
    row = ApiToken.objects.get()
    assert set(answer) == {"token"}
    assert find(answer["token"]) == row
    assert (row.user, row.name, row.scopes) == (user, "Shift report", ["export", "view_cases"])
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=7)) < timedelta(minutes=1)


def test_a_token_without_scopes_may_all_that_its_user_may() -> None:
    make_user("mara")
    assert find(run("token", "create", "mara")["token"]) is not None
    assert ApiToken.objects.get().scopes == []
    assert ApiToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("nobody-here",), "no active user"),
        (("mara", "--scopes", "fly"), "Not a scope"),
        (("mara", "--days", "0"), "--days is"),
        (("mara", "--name", " "), "needs a name"),
    ],
)
def test_a_token_that_cannot_be_made(args: tuple[str, ...], word: str) -> None:
    make_user("mara")
    with pytest.raises(CommandError, match=word):
        run("token", "create", *args)
    assert not ApiToken.objects.exists()
