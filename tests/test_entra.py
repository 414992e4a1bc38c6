"""Microsoft Entra ID over HTTP against the stand-in: what goes wrong first, then accounts and messages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.models import Attempt
from soar.standins.entra import Entra
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRET = "entra-secret-98765"
APP = {"tenant": "tenant.example.com", "client_id": "app-1", "domain": "CORP"}
VOSS = Target("account", "CORP\\a.voss")
MAIL = Target("message", "<1@mail>", {"mailbox": "nora@corp.example", "message_id": "<1@mail>"})


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Entra(), {"client_secret": SECRET}, **APP) as found:
        yield found


def do(here: Range, capability: str, target: Target = VOSS, key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=key)


def failing(here: Range, capability: str, target: Target = VOSS, **params: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, **params)
    return caught.value


def voss(here: Range) -> dict[str, Any]:
    return next(one for one in here.state["users"].values() if one["mailNickname"] == "a.voss")


def finished(here: Range, result: Result, capability: str) -> Result:
    connector = here.connector()
    for _ in range(20):
        if result.state != "accepted":
            return result
        result = connector.poll(capability, result.reference)
    raise AssertionError(result)


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "Lifetime validation failed"),
        ("403", True, "permission or a role is missing"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
def test_faults_are_told_and_nothing_secret_is_kept(here: Range, fault: str, permanent: bool, words: str) -> None:
    here.connector().test()
    here.fault(fault, times=20)
    error = failing(here, "disable_account")
    assert (error.permanent, error.outcome_unknown) == (permanent, fault == "garbage")
    assert words in error.message or (fault == "401" and "gives no access token" in error.message)
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert SECRET not in error.message + kept
    assert "practice-access" not in error.message + kept and not here.state["users"]


def test_a_wrong_secret_is_said_in_one_line(here: Range) -> None:
    here.state["secret"] = "another"
    health = here.connector().test()
    assert not health.ok and "AADSTS7000215" in health.message and "Trace ID" not in health.message


def test_after_a_429_it_is_asked_when_microsoft_says(here: Range) -> None:
    here.connector().test()
    here.fault("429", times=20)
    assert failing(here, "disable_account").retry_after == 120


def test_a_token_that_ends_is_renewed_and_the_call_made_once(here: Range) -> None:
    here.standin.state["uses"] = 1
    assert do(here, "disable_account").state == "done"
    assert here.state["grants"] == 2 and here.state["calls"] == {"accountEnabled": 1}


def test_the_test_says_which_permissions_the_app_lacks(here: Range) -> None:
    here.state["roles"] = ["User.Read.All", "ThreatHunting.Read.All"]
    message = here.connector().test().message
    assert "takes the credentials" in message and "User.RevokeSessions.All (signing out)" in message
    assert "User.Read.All" not in message
    here.state["roles"] += ["User.ReadWrite.All"]
    here.state["tokens"].clear()
    message = here.connector().test().message
    assert "User.RevokeSessions.All" not in message and "User-PasswordProfile.ReadWrite.All" in message


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("account", "unknown.one"), "There is no user unknown.one"),
        (Target("account", "11111111-2222-3333-4444-555555555555"), "There is no user"),
        (Target("account", "LT-0042$"), "account of a computer"),
        (Target("account", "CORP\\"), "does not tell the name"),
    ],
)
def test_who_is_no_user_is_refused_before_anything_is_changed(here: Range, target: Target, words: str) -> None:
    error = failing(here, "disable_account", target)
    assert error.permanent and words in error.message and not here.state["calls"]


def test_of_two_users_of_one_name_none_is_taken(here: Range) -> None:
    do(here, "enable_account", Target("account", "a.voss@corp.example"))
    twin = {**voss(here), "id": "2", "userPrincipalName": "a.voss@sub.example"}
    here.state["users"]["2"] = twin
    error = failing(here, "disable_account")
    assert error.permanent and "a.voss@corp.example, a.voss@sub.example" in error.message
    assert do(here, "disable_account", Target("account", "a.voss@sub.example")).state == "done"
    assert not twin["accountEnabled"] and voss(here)["accountEnabled"]


def test_a_name_with_an_apostrophe_is_no_query(here: Range) -> None:
    assert do(here, "disable_account", Target("account", "o'brien")).data["user"] == "o'brien@practice.example.com"
    assert [one["accountEnabled"] for one in here.state["users"].values()] == [False]


def test_disabling_and_its_inverse(here: Range) -> None:
    assert do(here, "disable_account").message == "a.voss@practice.example.com is disabled."
    assert voss(here)["accountEnabled"] is False
    assert "disabled already" in do(here, "disable_account", key="t-2").message
    assert do(here, "enable_account", key="t-3").state == "done"
    assert voss(here)["accountEnabled"] is True and here.state["calls"] == {"accountEnabled": 2}


def test_an_administrator_is_beyond_the_app(here: Range) -> None:
    here.state["admins"] = ["a.voss@practice.example.com"]
    error = failing(here, "disable_account")
    assert error.permanent and "role of an administrator" in error.message


def test_a_synchronised_account_may_be_set_back(here: Range) -> None:
    do(here, "enable_account")
    voss(here)["onPremisesSyncEnabled"] = True
    assert "synchronised from Active Directory" in do(here, "disable_account", key="t-2").message


def test_sign_out_and_password(here: Range) -> None:
    assert "up to an hour" in do(here, "sign_out").message
    assert voss(here)["signInSessionsValidFromDateTime"] > "2026-02"
    assert "next sign-in" in do(here, "reset_password", key="t-2").message
    assert voss(here)["passwordProfile"] == {"forceChangePasswordNextSignIn": True}


@pytest.mark.parametrize("capability", ["disable_account", "sign_out", "reset_password"])
def test_a_lost_answer_is_found_again_by_the_users_state(here: Range, capability: str) -> None:
    do(here, "enable_account", key="t-0")
    connector = here.connector()
    assert connector.recall(capability, VOSS, key="t-1") is None
    with here.losing(voss(here)["id"], "revokeSignInSessions"):
        error = failing(here, capability)
    assert error.outcome_unknown and not error.permanent
    found = here.connector().recall(capability, VOSS, key="t-1")
    assert found is not None and found.state == "done"


def test_only_a_password_reset_is_not_repeated_blindly(here: Range) -> None:
    connector = type(here.connector())
    assert connector.serves - connector.repeatable == {"reset_password"}


def test_messages_are_found_by_sender_url_file_and_id(here: Range) -> None:
    digest = "ab" * 32
    for number, box in enumerate(("nora@corp.example", "li@corp.example"), 1):
        here.state["messages"].append(
            {
                "NetworkMessageId": f"00000000-0000-0000-0000-00000000000{number}", "InternetMessageId": "<1@mail>",
                "RecipientEmailAddress": box, "Subject": "Pay", "SenderFromAddress": "x@evil.example",
                "Timestamp": "2026-11-20T10:00:00Z", "Url": "https://evil.example/a", "SHA256": digest,
            }
        )  # fmt: skip
    targets = [
        Target("sender", "X@evil.example"), Target("url", "https://evil.example/a"),
        Target("hash", digest, {"type": "sha256"}), Target("message", "<1@mail>"),
    ]  # fmt: skip
    for target in targets:
        result = do(here, "find_messages", target)
        facts = [one["facts"] for one in result.data["objects"]]
        assert [one["mailbox"] for one in facts] == ["nora@corp.example", "li@corp.example"], target
        assert {one["message_id"] for one in facts} == {"<1@mail>"}
    assert do(here, "find_messages", Target("sender", "nobody@x.example")).message == "0 related messages found."
    assert "SHA-256 alone" in failing(here, "find_messages", Target("hash", "a" * 40)).message


def test_what_is_searched_for_is_no_part_of_the_query_language(here: Range) -> None:
    do(here, "find_messages", Target("sender", 'x" or true // \\'))
    assert r'=~ "x\" or true // \\"' in here.state["queries"][-1]
    assert "line breaks" in failing(here, "find_messages", Target("url", "https://x/\n| take 1")).message


@pytest.mark.parametrize("hours", [0.5, -1, 24 * 31, True, "many"])
def test_hours_are_checked(here: Range, hours: Any) -> None:
    assert "Hours must be" in failing(here, "find_messages", MAIL, hours=hours).message


def test_quarantine_is_followed_until_it_is_done_and_taken_back(here: Range) -> None:
    taken = do(here, "quarantine_message", MAIL)
    assert (taken.state, taken.data["action"]) == ("accepted", "softDelete")
    assert here.connector().poll("quarantine_message", taken.reference).state == "accepted"
    assert finished(here, taken, "quarantine_message").state == "done"
    assert (
        finished(here, do(here, "restore_message", MAIL, "t-2"), "restore_message").data["location"] == "Inbox/folder"
    )
    assert finished(here, do(here, "delete_message", MAIL, "t-3"), "delete_message").state == "done"
    assert [one["action"] for one in here.state["remediations"]] == ["softDelete", "moveToInbox", "hardDelete"]


def test_what_quarantine_means_is_a_setting(here: Range) -> None:
    here.account.settings["quarantine"] = "moveToJunk"
    here.account.save()
    assert finished(here, do(here, "quarantine_message", MAIL), "quarantine_message").data["location"] == "Junk folder"


def test_a_remediation_that_fails_is_said(here: Range) -> None:
    here.state["next"] = ["Error"]
    assert finished(here, do(here, "quarantine_message", MAIL), "quarantine_message").state == "failed"


def test_a_message_that_is_not_there_or_tells_no_mailbox(here: Range) -> None:
    ghost = Target("message", "<unknown@mail>", {"mailbox": "nora@corp.example"})
    assert "knows no message" in failing(here, "quarantine_message", ghost).message
    assert "does not tell the mailbox" in failing(here, "quarantine_message", Target("message", "<1@mail>")).message
    assert not here.state["remediations"]


def test_a_rehearsal_shows_what_would_be_sent_and_sends_nothing(here: Range) -> None:
    connector = here.connector(dry_run=True)
    shown = json.dumps([connector.requests(one, VOSS, {}) for one in ("disable_account", "sign_out", "reset_password")])
    assert "revokeSignInSessions" in shown and "accountEnabled" in shown
    mails = connector.requests("quarantine_message", MAIL, {})
    assert [one["method"] for one in mails] == ["POST", "POST"] and "softDelete" in json.dumps(mails)
    assert "runHuntingQuery" in connector.requests("find_messages", MAIL, {})[0]["url"]
    with pytest.raises(ConnectorError):
        connector.perform("disable_account", VOSS, {}, key="t-1")
    assert not Attempt.objects.exists() and not here.state["grants"]


def test_what_it_does_not_serve_is_refused(here: Range) -> None:
    assert "cannot do isolate_endpoint" in failing(here, "isolate_endpoint").message
    with pytest.raises(ConnectorError, match="no tasks"):
        here.connector().poll("disable_account", "1")
