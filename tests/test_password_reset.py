"""Forgotten passwords: a link by mail, for whoever has an account and a password, and nobody learns who that is."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.account.utils import user_pk_to_url_str
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from soar.accounts.models import AuditEntry, User
from soar.connectors.actions import create_account
from soar.connectors.models import Attempt
from soar.standins.server import Server
from soar.standins.smtp import Smtp
from tests.factories import PASSWORD
from tests.sign_in_tools import app_of, is_in, password_step, signed_in

pytestmark = pytest.mark.django_db(transaction=True)  # mail is never sent within one
ASK = "/accounts/password/reset/"
NEW = "a quite different horse"


@pytest.fixture
def post(analyst: User) -> Iterator[dict[str, Any]]:
    """The mails that a real mail server has taken. The analyst has an address."""
    User.objects.filter(pk=analyst.pk).update(email="mara@example.com")
    with Server([Smtp()]) as server:
        mail = {"url": server.urls["smtp"]["url"], **server.standins["smtp"].settings, "allow_internal": True}
        create_account(None, "smtp", "Mail", mail, {})
        yield server.standins["smtp"].state


def work() -> None:
    """What the workers do."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM soar_queue WHERE task LIKE 'soar.accounts.%' RETURNING task, args")
        for task, args in cursor.fetchall():
            import_string(task)(*(json.loads(args) if isinstance(args, str) else args))


def ask(email: str, client: Client | None = None) -> Any:
    """Ask for a link, as anybody may; the workers do theirs."""
    answer = (client or Client()).post(ASK, {"email": email})
    work()
    return answer


def link_in(mail: dict[str, Any]) -> str:
    """The path of the link."""
    found = re.search(r"http://[^/\s]+(/accounts/password/reset/key/\S+/)", str(mail))
    assert found
    return found[1]


def set_by(link: str, password: str = NEW) -> Any:
    """Follow the link and set the password."""
    client = Client()
    page = client.get(link, follow=True)
    if "password1" not in page.content.decode():
        return page
    return client.post(page.redirect_chain[-1][0], {"password1": password, "password2": password}, follow=True)


def test_without_mail_none_of_it_is_there(analyst: User) -> None:
    assert "Forgotten" not in Client().get("/accounts/login/").content.decode()
    for path in (ASK, f"{ASK}done/", f"{ASK}key/1-x/", f"{ASK}key/done/"):
        assert Client().get(path).status_code == 404
        assert Client().post(path, {"email": "mara@example.com"}).status_code == 404


def test_the_link_sets_a_new_password_and_ends_all_sessions(post: dict[str, Any], analyst: User) -> None:
    assert "Forgotten" in Client().get("/accounts/login/").content.decode()
    inside = signed_in(analyst)
    assert ask("Mara@Example.com")["Location"] == f"{ASK}done/"
    assert len(post["messages"]) == 1
    assert "mara@example.com" in str(post["messages"][0])
    assert "is set" in set_by(link_in(post["messages"][0])).content.decode()
    assert not is_in(inside)
    old, new = Client(), Client()
    password_step(old, analyst)
    password_step(new, analyst, NEW)
    assert (is_in(old), is_in(new)) == (False, True)
    assert AuditEntry.objects.filter(verb="user.password_reset", target="mara").count() == 1


def test_the_link_works_once(post: dict[str, Any], analyst: User) -> None:
    ask("mara@example.com")
    set_by(link_in(post["messages"][0]))
    assert "does not work" in set_by(link_in(post["messages"][0]), "yet another one of these").content.decode()
    client = Client()
    password_step(client, analyst, NEW)
    assert is_in(client)


def test_the_link_expires(post: dict[str, Any], analyst: User, settings: Any) -> None:
    ask("mara@example.com")
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "does not work" in set_by(link_in(post["messages"][0])).content.decode()
    assert is_in(signed_in(analyst))


@pytest.mark.parametrize("change", ["x", "0", ""])
def test_a_link_that_was_tampered_with(post: dict[str, Any], analyst: User, change: str) -> None:
    ask("mara@example.com")
    answer = set_by(link_in(post["messages"][0])[:-2] + change + "/")
    assert answer.status_code in (200, 404)
    assert is_in(signed_in(analyst))


def test_the_link_of_one_is_none_for_another(post: dict[str, Any], analyst: User, admin: User) -> None:
    ask("mara@example.com")
    link = link_in(post["messages"][0]).replace(f"/{user_pk_to_url_str(analyst)}-", f"/{user_pk_to_url_str(admin)}-")
    assert "does not work" in set_by(link).content.decode()


@pytest.mark.parametrize("email", ["nobody@example.com", "jonas@example.com"])
def test_the_answer_does_not_tell_who_is_here(
    post: dict[str, Any], viewer: User, email: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the address is, the web process asks the same of the database; a worker finds out whose it is."""
    User.objects.filter(pk=viewer.pk).update(email="jonas@example.com", is_active=False)
    with CaptureQueriesContext(connection) as known:
        one = Client().post(ASK, {"email": "mara@example.com"})
    with CaptureQueriesContext(connection) as unknown:
        other = Client().post(ASK, {"email": email})
    assert (one.status_code, one["Location"]) == (other.status_code, other["Location"])
    assert len(known) == len(unknown)
    assert not any("accounts_user" in query["sql"] for query in [*known, *unknown])
    work()
    assert len(post["messages"]) == 1


def test_nobody_gets_one_who_does_not_sign_in_by_a_password(post: dict[str, Any], analyst: User) -> None:
    ask("mara@example.com")
    analyst.refresh_from_db()
    analyst.set_unusable_password()
    analyst.save()
    assert "does not work" in set_by(link_in(post["messages"][0])).content.decode()
    ask("mara@example.com")
    assert len(post["messages"]) == 1


def test_whoever_was_deactivated_since_sets_nothing(post: dict[str, Any], analyst: User) -> None:
    ask("mara@example.com")
    User.objects.filter(pk=analyst.pk).update(is_active=False)
    before = User.objects.get(pk=analyst.pk).password
    assert "does not work" in set_by(link_in(post["messages"][0])).content.decode()
    assert User.objects.get(pk=analyst.pk).password == before


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("password12", "too common"),
        ("x7!kP2#qz", "too short"),  # nine characters
        ("8349230912", "entirely numeric"),
        ("mara@example", "too similar"),
    ],
)
def test_a_weak_password_is_refused_in_words(post: dict[str, Any], analyst: User, password: str, words: str) -> None:
    ask("mara@example.com")
    assert words in set_by(link_in(post["messages"][0]), password).content.decode()
    assert is_in(signed_in(analyst))


def test_the_second_factor_is_still_asked_for(post: dict[str, Any], analyst: User) -> None:
    app_of(analyst)
    ask("mara@example.com")
    set_by(link_in(post["messages"][0]))
    client = Client()
    assert password_step(client, analyst, NEW)["Location"] == "/accounts/2fa/authenticate/"


def test_the_host_of_the_link_is_the_portals_own(post: dict[str, Any], settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.SOAR_URL = ["*"], "http://soar.example"
    Client().post(ASK, {"email": "mara@example.com"}, headers={"host": "evil.example"})
    work()
    assert "http://soar.example/accounts/" in str(post["messages"][0])
    assert "evil.example" not in str(post["messages"][0])


def test_asking_has_a_limit(post: dict[str, Any]) -> None:
    statuses = [ask("mara@example.com").status_code for _ in range(7)]
    assert statuses[:5] == [302] * 5
    assert statuses[-1] == 429
    assert len(post["messages"]) == 5


def test_links_are_nowhere_but_in_the_mail(post: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ask("mara@example.com")
    key = link_in(post["messages"][0]).rpartition("-")[2].strip("/")
    kept = [str(list(model.objects.values())) for model in (AuditEntry, Attempt)]
    assert key not in caplog.text + "".join(kept)


def test_a_changed_password_is_told_by_mail(post: dict[str, Any], analyst: User) -> None:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    signed_in(analyst).post("/accounts/password/change/", form)
    work()
    assert "Your password was changed." in str(post["messages"][0])
    assert NEW not in str(post["messages"][0])
