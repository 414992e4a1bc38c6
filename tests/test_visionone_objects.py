"""Messages, accounts, containers, processes and the block list of Vision One: what a target lacks is said first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.responder import Responder
from soar.standins.visionone import VisionOne
from tests.acting import Range, practice

pytestmark = pytest.mark.django_db


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(VisionOne(), {"token": "vision-one-key-1234"}) as found:
        yield found


def run(connector: Responder, capability: str, target: Target, **params: Any) -> Result:
    result = connector.perform(capability, target, params, key=f"k-{capability}")
    for _ in range(10):
        if result.state != "accepted":
            break
        result = connector.poll(capability, result.reference)
    return result


@pytest.mark.parametrize(
    ("capability", "target", "words"),
    [
        ("quarantine_message", Target("message", "<a@b>"), "mailbox"),
        ("delete_message", Target("message", " ", {"mailbox": "a@b.example"}), "Message-ID"),
        ("terminate_process", Target("process", "", {"endpoint": "lt"}), "SHA-1"),
        ("terminate_process", Target("process", "evil.exe"), "endpoint"),
        ("disable_account", Target("account", ""), "name"),
        ("isolate_container", Target("container", "web", {"pod": "p"}), "cluster"),
        ("terminate_container", Target("container", "web"), "cluster"),
        ("block", Target("hash", "d41d8cd98f00b204e9800998ecf8427e", {"type": "md5"}), "SHA-1"),
        ("block", Target("ip", ""), "value"),
        ("block", Target("endpoint", "lt"), "endpoint"),
        ("sandbox_url", Target("ip", "192.0.2.1"), "address"),
        ("find_messages", Target("sender", "mañana@example.com"), "plain characters"),
    ],
)
def test_what_a_target_lacks_is_said_and_nothing_is_sent(
    here: Range, capability: str, target: Target, words: str
) -> None:
    connector = here.connector()
    with pytest.raises(ConnectorError) as caught:
        connector.perform(capability, target, {}, key="k")
    with pytest.raises(ConnectorError) as shown:
        connector.requests(capability, target, {})
    for error in (caught.value, shown.value):
        assert error.permanent
        assert words in error.message
    assert here.state["tasks"] == here.state["blocked"] == {}


@pytest.mark.parametrize(
    ("capability", "target", "sent"),
    [
        (
            "terminate_process",
            Target("process", "C:\\T\\evil.exe", {"guid": "g", "sha1": "a" * 40}),
            {"agentGuid": "g", "fileSha1": "a" * 40, "fileName": "evil.exe"},
        ),
        ("scan_endpoint", Target("endpoint", "lt"), {"endpointName": "lt"}),
        ("delete_message", Target("message", "<a@b>", {"unique_id": "U1"}), {"uniqueId": "U1"}),
        (
            "quarantine_message",
            Target("message", "<a@b>", {"mailbox": "m@x.example"}),
            {"messageId": "<a@b>", "mailBox": "m@x.example"},
        ),
        ("sign_out", Target("account", "CORP\\jo"), {"accountName": "CORP\\jo"}),
        ("reset_password", Target("account", "jo"), {"accountName": "jo"}),
        (
            "terminate_container",
            Target("container", "t", {"ecs_cluster": "c", "ecs_task": "t"}),
            {"amazonEcsClusterId": "c", "amazonEcsTaskId": "t"},
        ),
        (
            "isolate_container",
            Target("container", "p", {"cluster": "c", "pod": "p"}),
            {"kubernetesClusterId": "c", "kubernetesPodId": "p"},
        ),
    ],
)
def test_each_command_says_what_the_product_asks_for(
    here: Range, capability: str, target: Target, sent: dict[str, str]
) -> None:
    assert run(here.connector(), capability, target).state == "done"
    (task,) = here.state["tasks"].values()
    assert task["target"] == sent


def test_a_message_comes_back_from_quarantine(here: Range) -> None:
    message = Target("message", "<a@b>", {"unique_id": "U1"})
    run(here.connector(), "quarantine_message", message)
    run(here.connector(), "restore_message", message)
    assert here.state["messages"] == {"U1": "restoreMessage"}


def test_accounts_are_disabled_and_enabled(here: Range) -> None:
    for capability in ("disable_account", "enable_account"):
        assert run(here.connector(), capability, Target("account", "jo")).state == "done"
    assert here.state["accounts"] == {"jo": "enableAccount"}


@pytest.mark.parametrize("listed", ["cdn.example.com", "*.example.com"])
def test_the_exception_list_wins_and_is_named(here: Range, listed: str) -> None:
    here.state["exceptions"] = [{"type": "domain", "domain": f"d{n}.example.org"} for n in range(150)]
    here.state["exceptions"].append({"type": "domain", "domain": listed})
    with pytest.raises(ConnectorError, match="exception list") as caught:
        here.connector().perform("block", Target("domain", "cdn.example.com"), {}, key="k")
    assert caught.value.permanent
    assert here.state["blocked"] == {}


def test_blocking_with_and_without_an_end(here: Range) -> None:
    connector = here.connector()
    sha1 = "A" * 40
    result = run(connector, "block", Target("hash", sha1), days=7)
    assert (result.state, result.data["days"]) == ("done", 7)
    run(connector, "block", Target("ip", "192.0.2.7"))
    blocked = here.state["blocked"]
    assert (blocked[sha1.lower()]["type"], blocked[sha1.lower()]["daysToExpiration"]) == ("fileSha1", 7)
    assert (blocked["192.0.2.7"]["daysToExpiration"], blocked["192.0.2.7"]["scanAction"]) == (-1, "block")


def test_unblocking_what_is_not_listed_is_done(here: Range) -> None:
    connector = here.connector()
    run(connector, "block", Target("url", "http://bad.example/"))
    assert run(connector, "unblock", Target("url", "http://bad.example/")).message == "Taken off the block list."
    again = run(connector, "unblock", Target("url", "http://bad.example/"))
    assert (again.state, again.message) == ("done", "It was not on the block list.")


def test_related_messages_become_objects(here: Range) -> None:
    here.state["mail"] = [
        {"mailMsgId": f"<{n}@evil.example>", "mailbox": f"u{n}@x.example", "mailFromAddresses": ["a@evil.example"]}
        for n in range(130)
    ] + [{"mailMsgId": "<other@x.example>", "mailFromAddresses": ["b@x.example"]}]
    found = run(here.connector(), "find_messages", Target("sender", "a@evil.example"), hours=24)
    assert found.state == "done"
    assert len(found.data["objects"]) == 130
    hit = found.data["objects"][0]
    assert (hit["kind"], hit["value"]) == ("message", "<0@evil.example> in u0@x.example")
    assert json.dumps(found.data)
    # A hit is a target that can be acted on as it is.
    target = Target("message", hit["value"], hit["facts"])
    assert run(here.connector(), "quarantine_message", target).state == "done"
    assert list(here.state["messages"]) == ["<0@evil.example>"]


def test_one_message_in_two_mailboxes_is_two_hits(here: Range) -> None:
    mail = {"mailMsgId": "<a@e.example>", "mailFromAddresses": ["a@e.example"]}
    here.state["mail"] = [{**mail, "mailbox": f"{name}@x.example"} for name in ("ana", "ben", "ana")]
    message = Target("message", "<a@e.example> in ana@x.example", {"message_id": "<a@e.example>"})
    found = run(here.connector(), "find_messages", message)
    assert [one["value"] for one in found.data["objects"]] == [
        "<a@e.example> in ana@x.example",
        "<a@e.example> in ben@x.example",
    ]


def test_a_flood_of_messages_is_cut_and_said(here: Range) -> None:
    here.state["mail"] = [{"mailMsgId": f"<{n}@e>", "mailFromAddresses": ["a@e.example"]} for n in range(450)]
    found = run(here.connector(), "find_messages", Target("sender", "a@e.example"))
    assert (len(found.data["objects"]), found.data["more"]) == (200, True)
    assert "More than 200" in found.message


def test_a_link_to_another_host_is_not_followed(here: Range) -> None:
    class Elsewhere(VisionOne):
        def answer(self, request: Any) -> Any:
            from soar.standins.base import json_response

            return json_response({"items": [], "nextLink": "https://evil.example/v3.0/x"})

    elsewhere = practice(Elsewhere(), {"token": "abcdef"}, name="other")
    with elsewhere as other, pytest.raises(ConnectorError, match="another host"):
        run(other.connector(), "find_messages", Target("sender", "a@e.example"))
