"""Okta over HTTP against the stand-in: what goes wrong first, then users suspended, unlocked, signed out."""

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
from soar.standins.okta import Okta
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
TOKEN = "00-okta-token-98765"
VOSS = Target("account", "CORP\\a.voss")
LOGIN = "a.voss@practice.example.com"
ACTIONS = ["disable_account", "enable_account", "unlock_account", "sign_out", "reset_password"]


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Okta(), {"token": TOKEN}, domain="CORP") as found:
        yield found


def do(here: Range, capability: str, target: Target = VOSS, key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=key)


def failing(here: Range, capability: str, target: Target = VOSS, key: str = "t-1") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, key)
    return caught.value


def voss(here: Range, **changes: Any) -> dict[str, Any]:
    """The user, known to Okta from now on."""
    standin: Any = here.standin
    user: dict[str, Any] = standin._known("a.voss")
    user |= changes
    return user


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "E0000011: Invalid token provided"),
        ("403", True, "E0000006"),
        ("404", True, "an HTML page"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
@pytest.mark.parametrize("capability", ACTIONS)
def test_faults_are_told_and_nothing_secret_is_kept(
    here: Range, capability: str, fault: str, permanent: bool, words: str
) -> None:
    here.fault(fault, times=20)
    error = failing(here, capability)
    assert error.permanent is permanent and words in error.message
    kept = json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert TOKEN not in error.message + kept and not here.state["calls"]


def test_a_token_that_was_revoked_is_said_by_the_test(here: Range) -> None:
    assert "takes the token of soar@practice.example.com" in here.connector().test().message
    here.account.secrets = {"token": "expired"}
    here.account.save()
    health = here.connector().test()
    assert not health.ok and "was not used for 30 days" in health.message


def test_the_moment_after_a_429_is_by_oktas_own_clock(here: Range) -> None:
    here.state["skew"] = 5000
    here.fault("429", times=20)
    wait = failing(here, "disable_account").retry_after
    assert wait is not None and 38 <= wait <= 41


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("account", ""), "does not tell the name"),
        (Target("account", "CORP\\"), "does not tell the name"),
        (Target("account", "LT-0042$"), "account of a computer"),
        (Target("account", "Me"), "no name that Okta can look for"),
        (Target("endpoint", "LT-0042"), "does not tell the name"),
    ],
)
def test_what_is_no_user_is_refused_before_anything_is_sent(here: Range, target: Target, words: str) -> None:
    for capability in ACTIONS:
        error = failing(here, capability, target)
        assert error.permanent and words in error.message
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    "name", ["unknown.one", "unknown@practice.example.com", "00u99", 'unknown" or profile.login pr', "a/b"]
)
def test_who_is_not_there(here: Range, name: str) -> None:
    error = failing(here, "disable_account", Target("account", name))
    assert error.permanent and f"There is no user {name}" in error.message and not here.state["calls"]


def test_of_two_users_of_one_short_name_none_is_taken(here: Range) -> None:
    twin = {**voss(here), "id": "00u2", "profile": {"login": "a.voss@sub.example.com", "email": "anna@example.com"}}
    here.state["users"]["00u2"] = twin
    error = failing(here, "disable_account")
    assert error.permanent and f"{LOGIN}, a.voss@sub.example.com" in error.message
    assert do(here, "disable_account", Target("account", "anna@example.com")).data["id"] == "00u2"
    assert (voss(here)["status"], twin["status"]) == ("ACTIVE", "SUSPENDED")


def test_the_connectors_own_user_stays(here: Range) -> None:
    for capability in ("disable_account", "sign_out", "reset_password"):
        error = failing(here, capability, Target("account", "soar@practice.example.com"))
        assert error.permanent and "API token this connector uses" in error.message
    assert not here.state["calls"]


def test_suspending_and_giving_back(here: Range) -> None:
    done = do(here, "disable_account")
    assert done.message.startswith(f"{LOGIN} is suspended.") and voss(here)["status"] == "SUSPENDED"
    again = do(here, "disable_account", key="t-2")
    assert "could not sign in already (SUSPENDED)" in again.message and again.data["changed"] is False
    assert voss(here)["status"] == "SUSPENDED"
    assert do(here, "enable_account", key="t-4", undoes=done.data).message == f"{LOGIN} is not suspended any more."
    assert voss(here)["status"] == "ACTIVE" and here.state["calls"] == {"suspend": 1, "unsuspend": 1}
    assert "was not suspended (ACTIVE)" in do(here, "enable_account", key="t-5").message


@pytest.mark.parametrize("status", ["STAGED", "PROVISIONED", "RECOVERY", "LOCKED_OUT", "PASSWORD_EXPIRED"])
def test_who_cannot_be_suspended_is_said_with_the_state(here: Range, status: str) -> None:
    voss(here, status=status)
    error = failing(here, "disable_account")
    assert error.permanent and f"is {status}" in error.message and not here.state["calls"]


@pytest.mark.parametrize("capability", ["enable_account", "unlock_account", "reset_password"])
def test_who_is_deactivated_stays_so(here: Range, capability: str) -> None:
    voss(here, status="DEPROVISIONED")
    error = failing(here, capability)
    assert error.permanent and "deactivated" in error.message
    assert "could not sign in already (DEPROVISIONED)" in do(here, "disable_account").message
    assert not here.state["calls"]


def test_a_user_who_is_being_changed_is_waited_for(here: Range) -> None:
    voss(here, transitioningToStatus="ACTIVE")
    assert not failing(here, "disable_account").permanent


def test_a_state_that_changes_between_looking_and_acting(here: Range) -> None:
    """Okta refuses with E0000001; what is so now decides."""
    serve, user = here.standin.serve, voss(here)

    def meddling(request: Any) -> Any:
        if request.path.endswith("/suspend"):
            user["status"] = here.state["next"][0]
        return serve(request)

    here.standin.serve = meddling  # type: ignore[method-assign]
    here.state["next"] = ["LOCKED_OUT"]
    error = failing(here, "disable_account")
    assert error.permanent and "E0000001" in error.message and f"{LOGIN} is LOCKED_OUT." in error.message
    user["status"] = "ACTIVE"
    here.state["next"] = ["SUSPENDED"]
    result = do(here, "disable_account", key="t-2")
    assert (result.state, result.data["changed"]) == ("done", False)


def test_unlocking(here: Range) -> None:
    assert "was not locked (ACTIVE)" in do(here, "unlock_account").message
    voss(here, status="LOCKED_OUT", credentials={"provider": {"type": "ACTIVE_DIRECTORY"}})
    done = do(here, "unlock_account", key="t-2")
    assert done.message == f"{LOGIN} is unlocked. Its account in Active Directory may be locked still."
    assert voss(here)["status"] == "ACTIVE" and here.state["calls"] == {"unlock": 1}


def test_signing_out_revokes_the_tokens_of_apps_too(here: Range) -> None:
    assert do(here, "sign_out").message == f"The sessions and tokens of {LOGIN} are revoked."
    assert here.state["sessions"] == {LOGIN: True}


def test_a_password_is_expired_once(here: Range) -> None:
    assert "has to change the password at the next sign-in." in do(here, "reset_password").message
    assert "already (PASSWORD_EXPIRED)" in do(here, "reset_password", key="t-2").message
    assert here.state["calls"] == {"expire_password": 1}
    voss(here, status="ACTIVE", credentials={"provider": {"type": "FEDERATION"}})
    assert "has no password in Okta" in failing(here, "reset_password", key="t-3").message


@pytest.mark.parametrize(
    ("capability", "before", "ending"),
    [
        ("disable_account", "ACTIVE", "/suspend"),
        ("enable_account", "SUSPENDED", "/unsuspend"),
        ("unlock_account", "LOCKED_OUT", "/unlock"),
        ("reset_password", "ACTIVE", "/expire_password"),
    ],
)
def test_a_lost_answer_doubles_nothing_and_is_taken_for_ours(
    here: Range, capability: str, before: str, ending: str
) -> None:
    voss(here, status=before)
    with here.losing(ending):
        assert failing(here, capability).outcome_unknown
    done = do(here, capability)
    assert (done.state, done.data["changed"]) == ("done", True) and "already" not in done.message
    assert list(here.state["calls"].values()) == [1]


def test_who_has_obeyed_meanwhile_need_not_do_so_again(here: Range) -> None:
    with here.losing("/expire_password"):
        assert failing(here, "reset_password").outcome_unknown
    voss(here, status="ACTIVE", passwordChanged="2999-01-01T00:00:00.000Z")
    assert do(here, "reset_password").state == "done" and here.state["calls"] == {"expire_password": 1}
    assert do(here, "reset_password", key="t-2").state == "done" and here.state["calls"] == {"expire_password": 2}


def test_a_rehearsal_shows_the_requests_and_sends_nothing(here: Range) -> None:
    for capability in ACTIONS:
        found, change = here.connector(dry_run=True).requests(capability, VOSS, {})
        assert found["url"].endswith("/api/v1/users/a.voss") and change["method"] in ("POST", "DELETE")
        assert TOKEN not in json.dumps([found, change])
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://acme.okta.com", "unencrypted"),
        ("https://acme-admin.okta.com", "leave out -admin"),
        ("https://acme.okta.com/api/v1", "https://acme.okta.com"),
    ],
)
def test_addresses_that_cannot_be(url: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "okta", "O", {"url": url}, {"token": TOKEN})
    assert words in caught.value.errors["url"]
