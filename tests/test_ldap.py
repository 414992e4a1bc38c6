"""Accounts of Active Directory over LDAP against the stand-in: what goes wrong first, then every verb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors import actions
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.errors import Refused
from soar.connectors.models import Attempt
from soar.standins.ldap import BASE, PASSWORD, USERNAME, Ldap
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"username": USERNAME, "password": PASSWORD}
SETTINGS: dict[str, Any] = {"base_dn": BASE, "domain": "PRACTICE"}


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Ldap(), SECRETS, **SETTINGS) as found:
        yield found


def do(here: Range, capability: str, who: str = "a.voss", key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, Target("account", who), params, key=key)


def failing(here: Range, capability: str = "disable_account", who: str = "a.voss") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, who)
    return caught.value


def flags(here: Range, login: str = "a.voss") -> int:
    assert isinstance(here.standin, Ldap)
    return int(here.standin.account(login)["userAccountControl"][0])


@pytest.mark.parametrize(
    ("fault", "permanent", "unknown", "words"),
    [
        ("401", True, False, "refused the sign-in, wrong name or password"),
        ("403", True, False, "the right to do that"),
        ("404", True, False, "no account a.voss"),
        ("429", False, False, "busy"),
        ("500", False, False, "DIR_ERROR"),
        ("503", False, False, "shutting down"),
        ("before", False, False, "broke off"),
        ("html", False, False, "broke off"),
        ("garbage", False, False, "broke off"),
        ("after", False, True, "broke off"),
    ],
)
def test_faults_are_told_by_their_words(here: Range, fault: str, permanent: bool, unknown: bool, words: str) -> None:
    here.fault(fault)
    error = failing(here)
    assert (error.permanent, error.outcome_unknown) == (permanent, unknown), error.message
    assert words in error.message
    assert PASSWORD not in json.dumps(list(Attempt.objects.values_list("request", "response", "error")))


def test_a_lost_answer_is_known_as_ours_when_it_is_tried_again(here: Range) -> None:
    here.fault("after")
    assert failing(here).outcome_unknown
    again = do(here, "disable_account")
    assert again.data["changed"] is True and len(here.state["modified"]) == 1
    do(here, "enable_account", undoes=again.data)
    assert flags(here) == 512


def test_nobody_reaches_an_inner_address_that_is_not_allowed(here: Range) -> None:
    here.account.allow_internal = False
    here.account.save()
    assert "internal address" in failing(here).message


def test_a_password_does_not_travel_unencrypted_where_the_domain_forbids_it(here: Range) -> None:
    here.state["signing"] = True
    assert "encrypted or signed" in here.connector().test().message


@pytest.mark.parametrize("how", [{"tls": True}, {"ldaps": True}])
def test_a_certificate_that_nobody_signed_is_refused_unless_the_admin_says_so(how: dict[str, Any]) -> None:
    with practice(Ldap(**how), SECRETS, **SETTINGS) as here:
        health = here.connector().test()
        assert not health.ok and "certificate verify failed" in health.message
        here.account.verify_tls = False
        here.account.save()
        assert "(encrypted)" in here.connector().test().message


def test_starttls_that_is_asked_for_is_not_left_out() -> None:
    with practice(Ldap(), SECRETS, **SETTINGS, security="starttls") as here:
        assert "no encryption" in here.connector().test().message


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("", "no user account"),
        ("nobody", "no account nobody"),
        ("*", "no account *"),
        ("a.voss)(cn=*", "no account"),
        ("LT-0042$", "no account"),
        ("OTHER\\a.voss", "is of OTHER"),
        (f"CN=Anna Voss,OU=Staff,{BASE},DC=evil", "outside of"),
        ("CN=Anna Voss,OU=Staff,DC=other,DC=example", "outside of"),
        ("soar", "signs in with"),
        ("krbtgt", "critical system object"),
        ("a.voss@elsewhere.example", "no account"),
    ],
)
def test_who_is_not_meant_is_not_touched(here: Range, who: str, words: str) -> None:
    error = failing(here, who=who)
    assert error.permanent and words in error.message
    assert here.state["modified"] == []


def test_a_name_with_a_domain_needs_to_know_ours(here: Range) -> None:
    here.account.settings["domain"] = ""
    here.account.save()
    assert "write yours" in failing(here, who="LT-0042\\administrator").message


def test_of_two_accounts_none_is_chosen(here: Range) -> None:
    here.state["entries"][f"CN=Voss 2,OU=Staff,{BASE}"] = {"objectClass": ["user"], "sAMAccountName": ["a.voss"]}
    assert "several accounts" in failing(here).message
    assert here.state["modified"] == []


@pytest.mark.parametrize(
    "who", ["a.voss", "A.VOSS", "PRACTICE\\a.voss", "a.voss@practice.example", f"CN=Anna Voss,OU=Staff,{BASE}"]
)
def test_disabling_and_enabling(here: Range, who: str) -> None:
    done = do(here, "disable_account", who)
    assert flags(here) == 514 and done.data["changed"]
    do(here, "enable_account", who, undoes=done.data)
    assert flags(here) == 512


def test_the_implicit_name_of_an_account_is_known(here: Range) -> None:
    do(here, "disable_account", "kim@practice.example")
    assert flags(here, "kim") == 514


def test_other_flags_stay_as_they_are(here: Range) -> None:
    do(here, "disable_account", "svc-backup")
    assert flags(here, "svc-backup") == 0x10202


def test_whoever_changes_the_account_meanwhile_is_not_overwritten(here: Range) -> None:
    here.state["rival"] = 1
    do(here, "disable_account")
    assert flags(here) == 512 | 0x20 | 2
    here.state["rival"] = 99
    error = failing(here, who="nora")
    assert not error.permanent and "by others" in error.message


def test_what_was_disabled_before_stays_so(here: Range) -> None:
    do(here, "disable_account", key="by another run")
    done = do(here, "disable_account", key="ours")
    assert done.data["changed"] is False
    assert flags(here) == 514
    do(here, "enable_account")
    assert flags(here) == 512


def test_unlocking(here: Range) -> None:
    assert isinstance(here.standin, Ldap)
    assert "not locked" in do(here, "unlock_account").message
    here.standin.account("a.voss")["lockoutTime"] = ["133711111111111111"]
    do(here, "unlock_account", key="t-2")
    assert here.standin.account("a.voss")["lockoutTime"] == ["0"]


def test_a_new_password_is_asked_for_at_the_next_logon(here: Range) -> None:
    assert isinstance(here.standin, Ldap)
    do(here, "reset_password")
    assert here.standin.account("a.voss")["pwdLastSet"] == ["0"]
    assert "never expires" in failing(here, "reset_password", "svc-backup").message


def test_the_connection_test_says_what_it_sees(here: Range) -> None:
    assert here.connector().test().message == f"127.0.0.1 takes the sign-in (not encrypted) and shows {BASE}."
    here.account.settings["base_dn"] = "DC=nothing,DC=here"
    here.account.save()
    assert "there is no DC=nothing" in here.connector().test().message


@pytest.mark.parametrize("capability", ["disable_account", "enable_account", "unlock_account", "reset_password"])
def test_a_preview_sends_nothing_and_shows_no_secret(here: Range, capability: str) -> None:
    here.fault("401", times=1)  # any connection would use it up
    shown = json.dumps(here.connector(dry_run=True).requests(capability, Target("account", "a(b)"), {}))
    assert "sAMAccountName=a\\\\28b\\\\29" in shown and PASSWORD not in shown
    assert not Attempt.objects.exists() and not here.connector().test().ok


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"url": "https://dc.example"}, "url"),
        ({"base_dn": "corp.example.com"}, "base_dn"),
        ({"base_dn": ""}, "base_dn"),
        ({"login_attribute": "x)(y"}, "login_attribute"),
        ({"proxy": "http://proxy.example:3128"}, "proxy"),
        ({"url": "ldaps://dc.example", "security": "none"}, "security"),
    ],
)
def test_settings_that_cannot_be_are_refused_beside_their_field(given: dict[str, str], field: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "ldap", "AD", {"url": "ldap://dc.example", "base_dn": BASE, **given}, SECRETS)
    assert field in caught.value.errors
