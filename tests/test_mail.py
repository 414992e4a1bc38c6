"""E-mail against a mail server of the practice range over real SMTP (connectors.md 4, 7)."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from django.db import transaction

from soar.connectors import actions, notify
from soar.connectors.errors import ConnectorError, Refused
from soar.connectors.messages import Message, Row, Section
from soar.connectors.models import Attempt, ConnectorAccount
from soar.lib import smtp
from soar.lib.http import RemoteError
from soar.standins.server import Server
from soar.standins.smtp import Smtp

pytestmark = pytest.mark.django_db
TO = ("kim@blue.example", "ada@blue.example")
REPORT = Message(
    "Response to ALR-7: <b>Credential theft</b>",
    type="report",
    text="Two of three tasks are done.\nOne failed – see below.",
    facts=(("Alert", "ALR-7"),),
    sections=(Section("Tasks", (Row("Isolate FIN-LT-07", "successful", "10:31"),)),),
    link="https://soar.example/runs/7/",
    severity="high",
    recipients=TO,
)
PASSWORD = "p4ssw0rd-practice-mail"


@pytest.fixture
def practice() -> Iterator[Server]:
    with Server([Smtp()]) as server:
        yield server


@pytest.fixture
def encrypted() -> Iterator[Server]:
    with Server([Smtp(tls=True)]) as server:
        yield server


def account(practice: Server, secrets: dict[str, str] | None = None, **settings: Any) -> ConnectorAccount:
    url = practice.urls["smtp"]["url"]
    given = {"url": url, "allow_internal": "true", "timeout_seconds": "5", "sender": "Soar <soar@blue.example>"}
    return actions.create_account(None, "smtp", "Mail", {**given, **settings}, secrets or {})


def mails(practice: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{practice.urls['smtp']['control']}/state").json()["messages"]
    return found


def fault(practice: Server, kind: str, **more: Any) -> None:
    httpx.post(f"{practice.urls['smtp']['control']}/fault", json={"kind": kind, **more}).raise_for_status()


def refused(made: ConnectorAccount, message: Message = REPORT, key: str = "k") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        notify.send(made, message, key=key)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "permanent", "unknown", "words"),
    [
        ("429", False, False, "451 4.7.1 Try again later"),
        ("500", True, False, "554 5.3.0"),
        ("502", False, False, "452 4.3.1"),
        ("503", False, False, "421 4.3.2"),
        ("html", True, False, "does not answer as a mail server does"),
        ("garbage", True, False, "does not answer as a mail server does"),
        ("before", False, False, "cannot be reached"),
        ("after", False, True, "gave no answer to the mail"),
        ("403", True, False, "Sender not allowed"),
        ("404", True, False, "No such user"),
    ],
)
def test_each_failure_is_judged(practice: Server, kind: str, permanent: bool, unknown: bool, words: str) -> None:
    made = account(practice)
    fault(practice, kind)
    error = refused(made)
    assert words in error.message
    assert (error.permanent, error.outcome_unknown) == (permanent, unknown)
    attempt = Attempt.objects.get()
    assert attempt.status == ("unknown_outcome" if unknown else "unsuccessful")
    made.refresh_from_db()
    assert made.enabled
    assert len(mails(practice)) == int(unknown)


def test_a_mail_whose_answer_was_lost_comes_again_under_its_id(practice: Server) -> None:
    made = account(practice)
    fault(practice, "after")
    refused(made, key="run-7-step-3")
    notify.send(made, REPORT, key="run-7-step-3")
    [mail] = mails(practice)
    assert mail["copies"] == 2
    assert notify.repeatable(made)


def test_a_wrong_password_is_told_and_not_kept(encrypted: Server) -> None:
    secrets = {"username": "practice", "password": PASSWORD}
    made = account(encrypted, secrets, verify_tls="false")
    error = refused(made)
    assert "refused the sign-in: 535" in error.message
    assert error.permanent
    kept = json.dumps([*Attempt.objects.values("request", "response", "error")])
    assert PASSWORD not in kept + error.message


def test_signed_in_and_encrypted(encrypted: Server) -> None:
    made = account(encrypted, {"username": "practice", "password": "practice"}, verify_tls="false", security="starttls")
    assert notify.send(made, REPORT, key="k").state == "done"
    health = actions.test_account(None, made.pk)
    assert (health.ok, health.message) == (True, "127.0.0.1 takes mail (encrypted, signed in).")


def test_a_certificate_that_nobody_signed_is_refused(encrypted: Server) -> None:
    error = refused(account(encrypted))
    assert "certificate verify failed" in error.message
    assert error.permanent
    assert mails(encrypted) == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"security": "starttls"}, "offers no encryption"),
        ({"security": "tls"}, "cannot be reached encrypted"),
        ({"allow_internal": "false"}, "internal address"),
    ],
)
def test_encryption_that_was_asked_for_is_not_given_up(practice: Server, settings: Any, words: str) -> None:
    error = refused(account(practice, **settings))
    assert words in error.message
    assert error.permanent
    assert mails(practice) == []


def test_unencrypted_mail_stays_inside(practice: Server) -> None:
    session = smtp._Session(smtp.MailServer("mail.example", 25, smtp.NONE))
    with pytest.raises(RemoteError, match="encrypted only"):
        session._may_be_plain("203.0.113.7")
    session = smtp._Session(smtp.MailServer("mail.example", 25, smtp.NONE, allow_internal=True, username="a"))
    with pytest.raises(RemoteError, match="password unencrypted"):
        session._may_be_plain("10.0.0.7")
    smtp._Session(smtp.MailServer("mail.example", 25, smtp.NONE, allow_internal=True))._may_be_plain("10.0.0.7")
    assert notify.send(account(practice, security="none"), REPORT, key="k").state == "done"


def test_a_server_that_drips_its_answer_does_not_hold_us() -> None:
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        peer, _ = listener.accept()
        with suppress(OSError):
            while True:
                peer.sendall(b"220-wait\r\n")
                time.sleep(0.05)

    threading.Thread(target=drip, daemon=True).start()
    port = listener.getsockname()[1]
    with pytest.raises(RemoteError, match="cannot be reached"):
        smtp.greet(smtp.MailServer("127.0.0.1", port, allow_internal=True, seconds=0.3))
    listener.close()


def test_nobody_there_is_temporary(practice: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    error = refused(account(practice, url=f"smtp://127.0.0.1:{port}"))
    assert not error.permanent
    assert "cannot be reached" in error.message


def test_some_recipients_are_refused_and_named(practice: Server) -> None:
    made = account(practice)
    result = notify.send(made, Message("Hello", recipients=(*TO, "nobody@blue.example")), key="k")
    assert result.message == "Handed in for 2 of 3 recipients."
    assert "550 5.1.1" in result.answer["refused"]["nobody@blue.example"]
    assert mails(practice)[0]["recipients"] == list(TO)
    assert not refused(made, Message("Hello", recipients=("later@blue.example",))).permanent


@pytest.mark.parametrize(
    ("recipients", "words"),
    [
        ((), "no recipient"),
        (("no address",), "no mail address"),
        (("a@b.example\r\nBcc: x@y.example",), "no mail address"),
        (("jürgen@blue.example",), "no mail address"),
        (tuple(f"a{n}@b.example" for n in range(101)), "at most 100"),
    ],
)
def test_recipients_that_are_none_reach_nobody(practice: Server, recipients: Any, words: str) -> None:
    error = refused(account(practice), Message("Hello", recipients=recipients))
    assert words in error.message
    assert error.permanent
    assert not Attempt.objects.exists()


def test_what_stands_in_a_mail(practice: Server) -> None:
    notify.send(account(practice), REPORT, key="k")
    [mail] = mails(practice)
    assert mail["recipients"] == list(TO)
    assert mail["from"] == "Soar <soar@blue.example>"
    headers = mail["headers"]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Precedence"] == "bulk"
    assert headers["X-Auto-Response-Suppress"] == "All"
    assert headers["List-Id"] == "Soar <soar.blue.example>"
    assert "* Isolate FIN-LT-07 (Successful · 10:31)" in mail["text"]
    assert "Open in Soar: https://soar.example/runs/7/" in mail["text"]
    assert "&lt;b&gt;Credential theft&lt;/b&gt;" in mail["html"]
    assert 'href="https://soar.example/runs/7/"' in mail["html"]
    assert "One failed – see below." in mail["text"]


@pytest.mark.parametrize(
    ("prefix", "subject"),
    [
        ("[SOC]", "[SOC] A title"),
        ("[SOC]  ", "[SOC]  A title"),
        ("Prüfung: 承認 – ", "Prüfung: 承認 – A title"),
        ('URGENT!! <x> "y" ', 'URGENT!! <x> "y" A title'),
        ("[SOC]\r\nBcc: x@y.example\r\n", "[SOC]Bcc: x@y.example A title"),
        ("", "A title"),
        # Of one line but for the name of the header.
        (f"[{'Approve ' * 7}now] ", f"[{'Approve ' * 7}now] A title"),
    ],
)
def test_19_the_prefix_is_used_as_it_was_typed(practice: Server, prefix: str, subject: str) -> None:
    notify.send(account(practice), Message("A title", prefix=prefix, recipients=TO), key="k")
    [mail] = mails(practice)
    assert mail["subject"] == subject
    assert "Bcc" not in mail["headers"]
    assert mail["recipients"] == list(TO)


def test_mails_about_one_thing_are_one_thread(practice: Server) -> None:
    made = account(practice)
    for key, thread in (("a", "INC-12"), ("b", "INC-12"), ("c", "INC-13"), ("d", "")):
        notify.send(made, Message("A title", thread=thread, recipients=TO), key=key)
    first, second, other, alone = mails(practice)
    assert first["message_id"].startswith("<INC-12.")
    assert first["message_id"].endswith("@blue.example>")
    assert first["in_reply_to"] == ""
    assert second["in_reply_to"] == second["headers"]["References"] == first["message_id"]
    assert len({one["message_id"] for one in (first, second, other, alone)}) == 4
    assert (other["in_reply_to"], alone["in_reply_to"]) == ("", "")


def test_the_first_of_a_thread_stays_the_first_in_every_try(practice: Server) -> None:
    made = account(practice)
    fault(practice, "after")
    refused(made, Message("A title", thread="INC-12", recipients=TO), key="a")
    notify.send(made, Message("A title", thread="INC-12", recipients=TO), key="b")
    notify.send(made, Message("A title", thread="INC-12", recipients=TO), key="a")
    first, second = mails(practice)
    assert first["copies"] == 2
    assert second["in_reply_to"] == first["message_id"]


def test_without_recipients_the_accounts_own_get_it(practice: Server) -> None:
    made = account(practice, recipients="soc@blue.example, cert@blue.example")
    notify.send(made, Message("Hello"), key="k")
    assert mails(practice)[0]["recipients"] == ["soc@blue.example", "cert@blue.example"]


def test_a_large_mail_is_refused_before_it_is_sent(practice: Server) -> None:
    with pytest.raises(RemoteError, match="takes mails of 10485760 bytes at most"):
        smtp.deliver(_server(practice), "a@b.example", ["c@d.example"], b"x" * (10 * 1024 * 1024 + 1))
    assert mails(practice) == []


def test_lines_that_begin_with_a_dot_arrive(practice: Server) -> None:
    notify.send(account(practice), Message("Hello", text=".\n..hidden\n.", recipients=TO), key="k")
    assert ".\n..hidden\n.\n" in mails(practice)[0]["text"]


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"url": "https://mail.example"}, "url"),
        ({"url": "smtp://mail.example", "sender": "nobody"}, "sender"),
        ({"url": "smtp://mail.example", "proxy": "http://proxy.example:3128"}, "proxy"),
        ({"url": "smtp://mail.example", "recipients": "a@b.example, c"}, "recipients"),
        ({"url": "smtps://mail.example", "security": "none"}, "security"),
        ({"url": "smtp://mail.example", "security": "ssl"}, "security"),
        ({"url": "smtp://user:pass@mail.example"}, "url"),
    ],
)
def test_bad_settings_are_refused_beside_their_field(settings: Any, field: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "smtp", "A", settings, {})
    assert set(caught.value.errors) == {field}


def test_a_test_sends_no_mail(practice: Server) -> None:
    made = account(practice)
    health = actions.test_account(None, made.pk)
    assert (health.ok, health.message) == (True, "127.0.0.1 takes mail (not encrypted).")
    assert mails(practice) == []
    fault(practice, "503")
    assert not actions.test_account(None, made.pk).ok
    made.refresh_from_db()
    assert "421" in made.last_error


def test_a_rehearsal_shows_the_mail_and_sends_nothing(practice: Server) -> None:
    shown = notify.preview(account(practice), REPORT)
    assert shown["method"] == "SMTP"
    assert shown["headers"]["To"] == ", ".join(TO)
    assert mails(practice) == []
    assert not Attempt.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_mail_inside_a_transaction(practice: Server) -> None:
    made = account(practice)
    with pytest.raises(RuntimeError), transaction.atomic():
        notify.send(made, REPORT, key="k")
    assert mails(practice) == []


def test_the_mail_account_is_the_first_that_is_enabled(practice: Server) -> None:
    made = account(practice)
    assert notify.mail_account() == made
    assert notify.channels() == []
    actions.update_account(None, made.pk, enabled=False)
    assert notify.mail_account() is None


def _server(practice: Server) -> smtp.MailServer:
    port = int(practice.urls["smtp"]["url"].rpartition(":")[2])
    return smtp.MailServer("127.0.0.1", port, allow_internal=True, seconds=5)
