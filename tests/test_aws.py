"""AWS IAM over HTTP against the stand-in: what goes wrong first, then revoking and giving back (rulings 12)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from soar.connectors.aws import policy
from soar.connectors.aws.signing import Credentials, canonical, signed, signing_key
from soar.connectors.aws.xml import parsed
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.models import Attempt
from soar.connectors.responder import Responder
from soar.lib import clock
from soar.standins.aws import ACCOUNT, Aws
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db
SECRETS = {"client_id": "AKIASOAR000000000001", "client_secret": "wJalrXUtnFEMI/K7MDENG+secret"}
NORA = Target("cloud_account", f"arn:aws:iam::{ACCOUNT}:user/nora")


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Aws(), SECRETS) as found:
        yield found


def revoke(connector: Responder, target: Target = NORA, key: str = "t-1") -> Result:
    return connector.perform("revoke_cloud_access", target, {}, key=key)


def restore(connector: Responder, target: Target = NORA, **params: Any) -> Result:
    return connector.perform("restore_cloud_access", target, params, key="t-2")


def give(here: Range, **keys: str) -> dict[str, Any]:
    """The user nora with these access keys."""
    user = {"arn": f"arn:aws:iam::{ACCOUNT}:user/nora", "keys": keys, "policies": {}}
    here.state["users"]["nora"] = user
    return user


def failing(connector: Responder, target: Target = NORA) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        revoke(connector, target)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "does not know the access key"),
        ("403", True, "iam:ListAccessKeys"),
        ("429", False, "too many requests"),
        ("html", False, "HTML page"),
        ("500", False, "500"),
        ("garbage", False, "whole answer"),
    ],
)
def test_faults_are_told_by_their_words(here: Range, fault: str, permanent: bool, words: str) -> None:
    here.fault(fault, times=20)
    error = failing(here.connector())
    assert error.permanent is permanent
    assert words in error.message
    assert SECRETS["client_secret"] not in error.message + json.dumps(list(Attempt.objects.values_list("request")))


def test_an_expired_session_is_said(here: Range) -> None:
    here.account.secrets = {**SECRETS, "token": "expired"}
    here.account.save()
    assert "expired" in failing(here.connector()).message
    health = here.connector().test()
    assert (health.ok, "expired" in health.message) == (False, True)


def test_a_wrong_clock_is_said_with_how_wrong_it_is(here: Range) -> None:
    with clock.at(datetime.now(UTC) + timedelta(hours=1)):
        error = failing(here.connector())
    assert error.permanent
    assert "clock" in error.message
    assert any(f"{seconds} seconds off" in error.message for seconds in range(3590, 3611))


def test_without_a_key_nothing_is_sent(here: Range) -> None:
    here.account.secrets = {}
    here.account.save()
    assert "not set" in failing(here.connector()).message
    assert not Attempt.objects.exists()


def test_throttled_calls_are_made_again(here: Range) -> None:
    here.state["throttle"] = 2
    assert revoke(here.connector()).state == "done"
    here.state["throttle"] = 99
    error = failing(here.connector())
    assert (error.permanent, error.retry_after) == (False, 5.0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "no IAM user"),
        ("a b", "no IAM user"),
        (f"arn:aws:iam::{ACCOUNT}:role/admin", "role"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/x", "assumed-role"),
        (f"arn:aws:iam::{ACCOUNT}:root", "root"),
        ("unknown-person", "no IAM user unknown-person"),
        ("arn:aws:iam::999999999999:user/nora", "not of this connector's AWS account"),
        ("AKIANOBODY0000000000", "nobody in this AWS account"),
    ],
)
def test_who_is_no_user_of_this_account_is_not_touched(here: Range, value: str, words: str) -> None:
    error = failing(here.connector(), Target("cloud_account", value))
    assert error.permanent
    assert words in error.message
    assert "PutUserPolicy" not in here.state["calls"]


def test_it_does_not_lock_itself_out(here: Range) -> None:
    give(here, **{SECRETS["client_id"]: "Active"})
    assert "this connector uses" in failing(here.connector()).message
    assert here.state["users"]["nora"]["policies"] == {}


def test_where_the_policy_has_no_room_the_keys_go_all_the_same(here: Range) -> None:
    """Inline policies of a user have 2,048 characters in all: who may write them could keep the keys for good."""
    user = give(here, AKIAACTIVE0000000001="Active", AKIAACTIVE0000000002="Active")
    here.state["refused"] = ["PutUserPolicy"]
    connector = here.connector()
    done = revoke(connector)
    assert set(user["keys"].values()) == {"Inactive"} and user["policies"] == {}
    assert done.state == "failed"
    assert "2 access keys of nora deactivated, but the policy that denies everything is missing" in done.message
    assert "LimitExceeded" in done.message and done.data["changed"] is True
    restore(connector, undoes=done.data)
    assert set(user["keys"].values()) == {"Active"}


def test_revoking_and_giving_back(here: Range) -> None:
    user = give(here, AKIAACTIVE0000000001="Active", AKIAACTIVE0000000002="Active", AKIASLEEPING00000001="Inactive")
    connector = here.connector()
    done = revoke(connector)
    assert done.data["deactivated"] == ["AKIAACTIVE0000000001", "AKIAACTIVE0000000002"]
    assert set(user["keys"].values()) == {"Inactive"}
    document = json.loads(user["policies"][policy.NAME])
    assert {(one["Effect"], one["Action"], one["Resource"]) for one in document["Statement"]} == {("Deny", "*", "*")}
    given = restore(connector, undoes=done.data)
    assert given.data["activated"] == ["AKIAACTIVE0000000001", "AKIAACTIVE0000000002"]
    assert user["keys"]["AKIASLEEPING00000001"] == "Inactive"  # it was not ours to wake
    assert user["policies"] == {}


def test_the_policy_alone_remembers_what_to_give_back(here: Range) -> None:
    user = give(here, AKIAACTIVE0000000001="Active", AKIASLEEPING00000001="Inactive")
    revoke(here.connector())
    Attempt.objects.all().delete()
    restore(here.connector())
    assert user["keys"] == {"AKIAACTIVE0000000001": "Active", "AKIASLEEPING00000001": "Inactive"}


def test_revoking_again_forgets_nothing(here: Range) -> None:
    user = give(here, AKIAACTIVE0000000001="Active")
    for key in ("t-1", "t-1", "another task"):
        assert revoke(here.connector(), key=key).data["deactivated"] == ["AKIAACTIVE0000000001"]
    user["keys"]["AKIANEWONE0000000001"] = "Active"
    assert len(revoke(here.connector()).data["deactivated"]) == 2
    restore(here.connector())
    assert set(user["keys"].values()) == {"Active"}


def test_what_was_written_and_is_not_read_yet_is_not_forgotten(here: Range) -> None:
    here.state["lag"] = 3
    user = give(here, AKIAACTIVE0000000001="Active")
    revoke(here.connector())
    again = revoke(here.connector(), key="of another run")
    assert again.data["deactivated"] == ["AKIAACTIVE0000000001"]
    here.state["missed"] = 0
    restore(here.connector())
    assert user["keys"] == {"AKIAACTIVE0000000001": "Active"}


@pytest.mark.parametrize("step", range(1, 6))
def test_broken_off_at_any_step_it_is_finished_by_the_next_try(here: Range, step: int) -> None:
    user = give(here, AKIAACTIVE0000000001="Active", AKIASLEEPING00000001="Inactive")
    original, asked = here.standin.answer, []

    def answer(request: Any) -> Any:
        asked.append(request.path)
        if len(asked) == step:
            here.fault("html", times=3)
        return original(request)

    here.standin.answer = answer  # type: ignore[method-assign]
    failed = False
    try:
        revoke(here.connector())
    except ConnectorError:
        failed = True
    here.standin._faults.clear()
    asked.extend(["over"] * 99)
    assert failed or step == 5
    assert revoke(here.connector()).data["deactivated"] == ["AKIAACTIVE0000000001"]
    restore(here.connector())
    assert user == {
        "arn": NORA.value,
        "keys": {"AKIAACTIVE0000000001": "Active", "AKIASLEEPING00000001": "Inactive"},
        "policies": {},
    }


def test_a_key_deleted_in_the_meantime_is_left_out(here: Range) -> None:
    user = give(here, AKIAACTIVE0000000001="Active")
    revoke(here.connector())
    del user["keys"]["AKIAACTIVE0000000001"]
    assert restore(here.connector()).data["activated"] == []
    assert user["policies"] == {}


def test_nothing_to_give_back_is_done(here: Range) -> None:
    assert "nothing to give back" in restore(here.connector()).message


def test_a_leaked_key_names_its_user(here: Range) -> None:
    give(here, AKIAACTIVE0000000001="Active")
    assert revoke(here.connector(), Target("cloud_account", "AKIAACTIVE0000000001")).data["user"] == "nora"


def test_the_connection_test_names_who_we_are(here: Range) -> None:
    health = here.connector().test()
    assert health.ok
    assert "user/soar" in health.message


@pytest.mark.parametrize("capability", ["revoke_cloud_access", "restore_cloud_access"])
def test_a_preview_sends_nothing_and_shows_no_secret(here: Range, capability: str) -> None:
    shown = json.dumps(here.connector(dry_run=True).requests(capability, NORA, {}))
    assert "UserName=nora" in shown
    assert SECRETS["client_secret"] not in shown
    assert "Signature=" not in shown
    assert here.state["calls"] == {}


# Published examples of Signature Version 4.
EXAMPLE = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
MOMENT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def test_the_published_signing_key() -> None:
    key = signing_key(EXAMPLE.secret, "20150830", "us-east-1", "iam")
    assert key.hex() == "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"


@pytest.mark.parametrize(
    ("method", "url", "headers", "body", "service", "signature"),
    [
        (
            "GET",
            "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
            b"",
            "iam",
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
        (
            "GET", "https://example.amazonaws.com/", {}, b"", "service",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        ),
        (
            "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", {}, b"", "service",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "POST", "https://example.amazonaws.com/", {}, b"", "service",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        ),
        (
            "POST", "https://example.amazonaws.com/", {"Content-Type": "application/x-www-form-urlencoded"},
            b"Param1=value1", "service", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
)  # fmt: skip
def test_the_published_signatures(
    method: str, url: str, headers: dict[str, str], body: bytes, service: str, signature: str
) -> None:
    made = signed(method, url, headers, body, EXAMPLE, region="us-east-1", service=service, at=MOMENT)
    assert made["Authorization"].endswith(f"Signature={signature}")


def test_headers_are_signed_without_needless_spaces() -> None:
    _, text = canonical("GET", "https://a.example/x y", {"My-Header": " a   b "}, b"")
    assert "my-header:a b\n" in text
    assert "/x%20y\n" in text


def test_a_session_token_is_signed_too() -> None:
    temporary = Credentials(EXAMPLE.key_id, EXAMPLE.secret, "session")
    made = signed("GET", "https://a.example/", {}, b"", temporary, region="eu-1", service="iam", at=MOMENT)
    assert "x-amz-security-token" in made["Authorization"]
    assert "session" not in repr(temporary)


@pytest.mark.parametrize(
    "text",
    ["", "<a>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "<a>" * 1000, "x" * (1024 * 1024 + 1)],
)
def test_what_is_no_answer_of_aws_is_not_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(text)
