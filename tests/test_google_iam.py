"""Google Cloud IAM over HTTP against the stand-in: what goes wrong first, then revoking and giving back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from soar.connectors import actions
from soar.connectors.aws.connector import Aws
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.errors import Refused
from soar.connectors.google_iam import signing_in
from soar.connectors.google_iam.connector import GoogleIam as Connector
from soar.connectors.models import Attempt
from soar.lib import clock
from soar.standins.google_iam import PROJECT, GoogleIam, key_file
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
BOT = Target("cloud_account", f"ci-bot@{PROJECT}.iam.gserviceaccount.com")
REVOKE, RESTORE = "revoke_cloud_access", "restore_cloud_access"


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(GoogleIam(), {"key_file": key_file()}, project=PROJECT) as found:
        yield found


def do(here: Range, capability: str = REVOKE, target: Target = BOT, key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=key)


def failing(here: Range, capability: str = REVOKE, target: Target = BOT, key: str = "t-1") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, key)
    return caught.value


def bot(here: Range) -> dict[str, Any]:
    standin: Any = here.standin
    found: dict[str, Any] = standin._known("ci-bot")
    return found


def off(here: Range) -> tuple[bool, list[bool]]:
    """Whether the service account is disabled, and each of its keys."""
    account = bot(here)
    return account.get("disabled", False), [one.get("disabled", False) for one in account["keys"].values()]


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "does not take the access token"),
        ("403", True, "lacks a permission"),
        ("404", True, "does not know this"),
        ("429", False, "too many requests"),
        ("html", False, "an HTML page"),
        ("500", False, "answered 500"),
        ("garbage", False, "whole answer"),
    ],
)
@pytest.mark.parametrize("capability", [REVOKE, RESTORE])
def test_faults_are_told_and_nothing_secret_is_kept(
    here: Range, capability: str, fault: str, permanent: bool, words: str
) -> None:
    here.connector().test()
    here.fault(fault, times=20)
    error = failing(here, capability)
    assert error.permanent is permanent
    assert words in error.message or (fault == "401" and "gives no access token" in error.message)
    kept = error.message + json.dumps(list(Attempt.objects.values_list("request", "response", "error")))
    assert not [one for one in ("PRIVATE KEY", "ya29", "eyJ") if one in kept] and not here.state["calls"]


def test_the_claim_is_signed_by_the_key_of_the_file(here: Range) -> None:
    private = load_pem_private_key(json.loads(key_file())["private_key"].encode(), None)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    here.state["keys"] = {json.loads(key_file())["private_key_id"]: public}
    health = here.connector().test()
    assert (health.ok, health.message) == (True, f"Google takes the key of soar@{PROJECT}.iam.gserviceaccount.com.")


def test_a_key_that_google_does_not_know_any_more(here: Range) -> None:
    here.state["keys"] = {"another": ""}
    health = here.connector().test()
    assert not health.ok and "gives no access token (Invalid JWT Signature.)" in health.message
    assert failing(here).permanent


def test_a_wrong_clock_is_said(here: Range) -> None:
    with clock.at(datetime.now(UTC) - timedelta(hours=2)):
        error = failing(here)
    assert error.permanent and "the clock here is wrong, or theirs" in error.message


def test_a_token_that_ends_is_renewed_and_nothing_is_done_twice(here: Range) -> None:
    here.state["uses"] = 2
    assert do(here).state == "done"
    assert here.state["calls"] == {"disable account": 1, "disable key": 2} and here.state["number"] > 1


def test_the_test_says_which_permissions_are_lacking(here: Range) -> None:
    here.state["lacks"] = ["iam.serviceAccountKeys.disable"]
    assert "It lacks: iam.serviceAccountKeys.disable." in here.connector().test().message


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "no service account"),
        ("ci-bot", "no service account"),
        ("nora@acme.example", "no service account"),
        ("arn:aws:iam::123456789012:user/nora", "no service account"),
        ("ci-bot@other-project.iam.gserviceaccount.com", "of the project other-project"),
        ("projects/other-project/serviceAccounts/100000000000000000001", "of the project other-project"),
        ("other-project@appspot.gserviceaccount.com", "of the project other-project"),
        ("service-123@gcp-sa-pubsub.iam.gserviceaccount.com", "of the project gcp-sa-pubsub"),
        ("projects/practice-range/serviceAccounts/../../x", "no service account"),
    ],
)
def test_what_is_no_service_account_of_the_project_is_refused_before_anything_is_sent(
    here: Range, value: str, words: str
) -> None:
    target = Target("cloud_account", value)
    for capability in (REVOKE, RESTORE):
        error = failing(here, capability, target)
        assert error.permanent and words in error.message
        with pytest.raises(ConnectorError):
            here.connector().requests(capability, target, {})
    assert not Attempt.objects.exists()


def test_an_account_is_for_the_service_accounts_of_its_project() -> None:
    mine = {"project": PROJECT}
    numbered = Target("cloud_account", "100000000000000000001")
    assert Connector.responsible(mine, BOT) and Connector.responsible(mine, numbered)
    assert Connector.responsible({"project": "acme.com:shop"}, Target("", "a@shop.acme.com.iam.gserviceaccount.com"))
    assert not Connector.responsible({"project": "other"}, BOT)
    assert not Connector.responsible(mine, Target("cloud_account", "nora"))
    assert not Aws.responsible({}, BOT) and Aws.responsible({}, Target("cloud_account", "nora"))


def test_one_that_is_not_there(here: Range) -> None:
    error = failing(here, target=Target("cloud_account", f"unknown-1@{PROJECT}.iam.gserviceaccount.com"))
    assert error.permanent and f"in the project {PROJECT}" in error.message


def test_the_connectors_own_service_account_stays(here: Range) -> None:
    error = failing(here, target=Target("cloud_account", f"soar@{PROJECT}.iam.gserviceaccount.com"))
    assert error.permanent and "signs in with" in error.message and not here.state["calls"]


def test_revoking_and_giving_back(here: Range) -> None:
    done = do(here)
    assert done.message == f"{BOT.value} is disabled; 2 keys disabled." and off(here) == (True, [True, True])
    back = do(here, RESTORE, key="t-2", undoes=done.data)
    assert back.message == f"{BOT.value} is enabled, 2 keys too." and off(here) == (False, [False, False])


def test_what_was_disabled_before_stays_so(here: Range) -> None:
    account = bot(here)
    first, second = account["keys"].values()
    account["disabled"] = first["disabled"] = True  # Google does that to keys that it finds in public
    done = do(here)
    assert done.message == f"{BOT.value} was disabled already; 1 key disabled."
    back = do(here, RESTORE, key="t-2", undoes=done.data)
    assert back.message == f"1 key of {BOT.value} enabled."
    assert off(here) == (True, [True, False]) and "disabled" not in second


def test_keys_alone_when_what_runs_as_it_shall_go_on(here: Range) -> None:
    here.account.settings["revoke"] = "keys"
    here.account.save()
    done = do(here)
    assert done.message == f"Of {BOT.value}: 2 keys disabled." and off(here) == (False, [True, True])
    do(here, RESTORE, key="t-2", undoes=done.data)
    assert off(here) == (False, [False, False]) and "enable account" not in here.state["calls"]


def test_without_what_is_undone_the_last_revoking_from_here_is_given_back(here: Range) -> None:
    first, _ = bot(here)["keys"].values()
    first["disabled"] = True
    do(here)
    do(here, RESTORE, key="t-2")
    assert off(here) == (False, [True, False])
    assert "nothing to give back" in do(here, RESTORE, key="t-3").message


def test_a_key_that_was_deleted_meanwhile_is_left_out(here: Range) -> None:
    done = do(here)
    account = bot(here)
    account["keys"].pop(sorted(account["keys"])[0])
    back = do(here, RESTORE, key="t-2", undoes=done.data)
    assert back.message == f"{BOT.value} is enabled, 1 key too. 1 key deleted meanwhile."


def test_one_made_anew_under_the_same_address_is_not_given_what_was_taken(here: Range) -> None:
    done = do(here)
    account = bot(here)
    here.state["accounts"] = {"100000000000000000999": {**account, "uniqueId": "100000000000000000999"}}
    with pytest.raises(ConnectorError, match="no service account"):
        do(here, RESTORE, key="t-2", undoes=done.data)
    assert off(here) == (True, [True, True])


def test_half_of_it_is_said(here: Range) -> None:
    here.state["lacks"] = ["iam.serviceAccountKeys.disable"]
    error = failing(here)
    assert error.permanent and "is disabled, but not all of its keys: " in error.message
    here.state["lacks"] = []
    done = do(here)
    assert off(here) == (True, [True, True])
    do(here, RESTORE, key="t-2", undoes=done.data)
    assert off(here) == (False, [False, False])


@pytest.mark.parametrize("lost", [":disable", "/keys"])
def test_lost_answers_forget_nothing_of_what_is_to_be_given_back(here: Range, lost: str) -> None:
    """Each try loses one answer, until all is done."""
    names = sorted(bot(here)["keys"])
    endings = [":disable"] if lost == ":disable" else [f"/keys/{name}:disable" for name in names]
    with here.losing(*endings):
        for _ in range(2):
            assert failing(here).outcome_unknown
    done = do(here)
    assert off(here) == (True, [True, True])
    assert here.state["calls"] == {"disable account": 1, "disable key": 2}
    assert (done.data["account"], done.data["keys"]) == (True, names)
    with here.losing(":enable"), pytest.raises(ConnectorError):
        do(here, RESTORE, key="t-2")
    do(here, RESTORE, key="t-2")
    assert off(here) == (False, [False, False])


def test_what_had_an_unknown_outcome_is_given_back_by_what_was_sent(here: Range) -> None:
    """A task whose outcome nobody knows keeps nothing of what it took, but for how long it is followed."""
    with here.losing(":disable"):
        assert failing(here).outcome_unknown
    do(here)
    assert off(here) == (True, [True, True])
    do(here, RESTORE, key="t-2", undoes={"minutes": 30.0})
    assert off(here) == (False, [False, False])


def test_a_rehearsal_shows_the_requests_and_sends_nothing(here: Range) -> None:
    shown = here.connector(dry_run=True).requests(REVOKE, BOT, {})
    assert [one["url"].rpartition("/serviceAccounts/")[2] for one in shown][-2:] == [
        "UNIQUE-ID:disable",
        "UNIQUE-ID/keys/KEY-ID:disable",
    ]
    assert [one["method"] for one in here.connector(dry_run=True).requests(RESTORE, BOT, {})] == ["GET", "POST", "POST"]
    assert "PRIVATE KEY" not in json.dumps(shown) and not Attempt.objects.exists()


def _file(**parts: Any) -> str:
    return json.dumps({**json.loads(key_file()), **parts})


def _elliptic() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("settings", "file", "field", "words"),
    [
        ({"project": "Acme Prod"}, "{}", "project", "project's id"),
        ({"url": "http://iam.example"}, "{}", "url", "unencrypted"),
        ({}, "practice", "key_file", "no key file"),
        ({}, "[]", "key_file", "no key file"),
        ({}, '{"type": "authorized_user"}', "key_file", "no key file"),
        ({}, '{"type": "service_account"}', "key_file", "lacks client_email"),
        ({}, "private_key=nonsense", "key_file", "cannot be read"),
        ({}, "private_key=elliptic", "key_file", "cannot be read"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], file: str, field: str, words: str) -> None:
    if file.startswith("private_key="):
        file = _file(private_key=_elliptic() if file.endswith("elliptic") else "nonsense")
    given = {"url": "https://iam.googleapis.com", "project": PROJECT, **settings}
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "google_iam", "G", given, {"key_file": file})
    assert words in caught.value.errors[field] and "BEGIN" not in str(caught.value)


def test_the_sign_in_stands_beside_the_api() -> None:
    assert signing_in.place("https://iam.googleapis.com") == "https://oauth2.googleapis.com"
    assert signing_in.place("https://gateway.example/google") == "https://gateway.example/google"
