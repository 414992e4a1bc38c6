"""Kubernetes over HTTP against the stand-in: what goes wrong first, then pods isolated, given back and deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soar.connectors import actions
from soar.connectors.base import ConnectorError
from soar.connectors.capabilities import Result, Target
from soar.connectors.errors import Refused
from soar.connectors.kubernetes import policies
from soar.connectors.kubernetes.connector import Kubernetes as Connector
from soar.connectors.models import Attempt
from soar.standins.kubernetes import Kubernetes
from soar.standins.server import Server
from tests.acting import Range, practice
from tests.certificates import Authority

pytestmark = pytest.mark.django_db
TOKEN = "service-account-token-98765"
WEB = Target("container", "prod/shop/web-7f")
DB = Target("container", "prod/shop/db-0")
ACTIONS = ["isolate_container", "resume_container", "terminate_container"]


@pytest.fixture
def here() -> Iterator[Range]:
    with practice(Kubernetes(), {"token": TOKEN}, cluster="prod, gke_acme_prod") as found:
        yield found


def do(here: Range, capability: str, target: Target = WEB, key: str = "t-1", **params: Any) -> Result:
    return here.connector().perform(capability, target, params, key=key)


def failing(here: Range, capability: str, target: Target = WEB, key: str = "t-1") -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        do(here, capability, target, key)
    return caught.value


def pod(here: Range, where: str = "shop/web-7f") -> dict[str, Any]:
    """The pod, known to the cluster from now on."""
    namespace, _, name = where.partition("/")
    standin: Any = here.standin
    found: dict[str, Any] = standin._known(namespace, name)
    return found


def labels(here: Range, where: str = "shop/web-7f") -> dict[str, str]:
    found: dict[str, str] = here.state["pods"][where]["metadata"]["labels"]
    return found


def put(here: Range, name: str, spec: dict[str, Any], where: str = "shop") -> None:
    """A NetworkPolicy of somebody else."""
    meta = {"name": name, "namespace": where}
    here.state["policies"][f"{where}/{name}"] = {"metadata": meta, "managers": {}, "spec": spec}


def ended(here: Range, result: Result) -> Result:
    for _ in range(5):
        if result.state != "accepted":
            return result
        result = here.connector().poll("terminate_container", result.reference)
    raise AssertionError(result)


@pytest.mark.parametrize(
    ("fault", "permanent", "words"),
    [
        ("401", True, "its time is over"),
        ("403", True, "lacks a right in Kubernetes"),
        ("404", True, "404 page not found"),
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
    assert TOKEN not in error.message + kept
    assert not here.state["calls"]


def test_after_a_429_it_is_asked_when_the_cluster_says(here: Range) -> None:
    here.fault("429", times=20)
    assert failing(here, "isolate_container").retry_after == 40


def test_a_server_that_fails_while_it_changes_something_leaves_it_unknown(here: Range) -> None:
    pod(here)
    serve = here.standin.serve

    def failing_patch(request: Any) -> Any:
        if request.method == "PATCH":
            here.fault("500", times=1)
        return serve(request)

    here.standin.serve = failing_patch  # type: ignore[method-assign]
    error = failing(here, "isolate_container")
    assert (error.permanent, error.outcome_unknown) == (False, True)


def test_a_token_that_expired_is_said_by_the_test(here: Range) -> None:
    here.account.secrets = {"token": "expired"}
    here.account.save()
    health = here.connector().test()
    assert not health.ok and "its time is over" in health.message


def test_the_test_says_which_rights_the_service_account_lacks(here: Range) -> None:
    message = here.connector().test().message
    assert "v1.33.1 takes the token. Whether its network plugin enforces" in message
    here.state["denied"] = ["delete pods", "create networkpolicies"]
    message = here.connector().test().message
    assert "The service account lacks: delete pods, create networkpolicies." in message


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (Target("container", ""), "tells no pod"),
        (Target("container", "web-7f", {"namespace": "shop"}), "names no cluster"),
        (Target("container", "web-7f", {"cluster": "prod"}), "does not tell the namespace"),
        (Target("container", "staging/shop/web-7f"), "of the cluster staging"),
        (Target("container", "prod/kube-system/coredns-5d"), "kube-system are not touched"),
        (Target("container", "prod/shop/.."), "no name of a pod"),
        (Target("container", "prod/../web"), "does not tell the namespace"),
        (Target("container", "prod/shop/web?x=1"), "no name of a pod"),
        (Target("endpoint", "prod/shop/web-7f"), "tells no pod"),
    ],
)
def test_what_is_no_pod_of_this_cluster_is_refused_before_anything_is_sent(
    here: Range, target: Target, words: str
) -> None:
    for capability in ACTIONS:
        error = failing(here, capability, target)
        assert error.permanent and words in error.message
        with pytest.raises(ConnectorError):
            here.connector().requests(capability, target, {})
    assert not Attempt.objects.exists()


def test_an_account_is_for_the_pods_of_its_cluster_and_namespaces() -> None:
    prod: dict[str, Any] = {"cluster": "prod, arn:aws:eks:eu-1:1:cluster/prod", "namespaces": "", "unnamed": False}
    bare = Target("container", "shop/web-7f")
    assert Connector.responsible(prod, WEB)
    assert Connector.responsible(prod, Target("container", "arn:aws:eks:eu-1:1:cluster/prod/shop/web-7f"))
    assert Connector.responsible(prod, Target("container", "x", {"cluster": "PROD", "namespace": "shop", "pod": "w"}))
    assert not Connector.responsible(prod, bare) and Connector.responsible({**prod, "unnamed": True}, bare)
    assert not Connector.responsible({**prod, "namespaces": "bank"}, WEB)
    assert Connector.responsible({**prod, "namespaces": "kube-system"}, Target("container", "prod/kube-system/dns"))


@pytest.mark.parametrize("capability", ["isolate_container", "terminate_container"])
def test_a_pod_that_is_not_there(here: Range, capability: str) -> None:
    error = failing(here, capability, Target("container", "prod/shop/unknown-1"))
    assert error.permanent and "There is no pod shop/unknown-1" in error.message


@pytest.mark.parametrize("capability", ["isolate_container", "terminate_container"])
def test_a_successor_of_the_same_name_is_left_alone(here: Range, capability: str) -> None:
    pod(here, "shop/db-0")
    error = failing(here, capability, Target("container", "prod/shop/db-0", {"pod_uid": "the-one-before"}))
    assert error.permanent and "another one has its name now" in error.message and not here.state["calls"]


@pytest.mark.parametrize("capability", ["isolate_container", "terminate_container"])
def test_a_static_pod_is_not_the_api_servers(here: Range, capability: str) -> None:
    pod(here)["metadata"]["annotations"]["kubernetes.io/config.mirror"] = "abc"
    error = failing(here, capability)
    assert error.permanent and "static pod" in error.message and not here.state["calls"]


def test_where_no_policy_holds_nothing_is_isolated(here: Range) -> None:
    pod(here)["spec"]["hostNetwork"] = True
    assert "network of its node" in failing(here, "isolate_container").message
    pod(here)["spec"]["hostNetwork"] = False
    pod(here)["status"]["phase"] = "Succeeded"
    assert "has ended" in failing(here, "isolate_container").message
    assert not here.state["calls"]


@pytest.mark.parametrize(
    "selector",
    [
        {},
        {"matchLabels": {"app": "web"}},
        {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "shop"]}]},
        {"matchExpressions": [{"key": "debug", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["db"]}]},
    ],
)
def test_what_another_policy_allows_no_policy_can_forbid(here: Range, selector: dict[str, Any]) -> None:
    for number in range(4):  # several pages
        put(here, f"deny-{number}", {"podSelector": {}, "policyTypes": ["Ingress"]})
    put(here, "let-in", {"podSelector": selector, "ingress": [{}]})
    here.state["expired"] = 1
    error = failing(here, "isolate_container")
    assert error.permanent and "(let-in)" in error.message and "Nothing was changed" in error.message
    assert not here.state["calls"]


def test_policies_about_other_pods_stand_in_nobodys_way(here: Range) -> None:
    for number, selector in enumerate(
        (
            {"matchLabels": {"app": "db"}},
            {"matchLabels": {"app": "web", "tier": "front"}},
            {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]},
            {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]},
        )
    ):
        put(here, f"other-{number}", {"podSelector": selector, "egress": [{}]})
    put(here, "elsewhere", {"podSelector": {}, "ingress": [{}]}, where="bank")
    assert do(here, "isolate_container").state == "done"


def test_isolating_and_giving_back(here: Range) -> None:
    uid = pod(here)["metadata"]["uid"]
    result = do(here, "isolate_container")
    assert result.message == (
        "All traffic of shop/web-7f is denied, as far as the network plugin of the cluster enforces NetworkPolicies."
    )
    assert labels(here) == {"app": "web", "soar-isolated": uid} and result.data["uid"] == uid
    policy = here.state["policies"][f"shop/soar-isolated-{uid}"]
    assert policy["spec"] == {
        "podSelector": {"matchLabels": {"soar-isolated": uid}},
        "policyTypes": ["Ingress", "Egress"],
    }
    assert policy["metadata"]["ownerReferences"][0]["uid"] == uid
    assert "isolated already" in do(here, "isolate_container", key="t-2").message
    back = do(here, "resume_container", key="t-3", undoes=result.data)
    assert back.message == "shop/web-7f has its network back."
    assert labels(here) == {"app": "web"} and not here.state["policies"]
    assert "was not isolated" in do(here, "resume_container", key="t-4").message


def test_two_pods_are_isolated_apart(here: Range) -> None:
    do(here, "isolate_container")
    do(here, "isolate_container", DB, key="t-2")
    do(here, "resume_container", key="t-3")
    assert "soar-isolated" in labels(here, "shop/db-0") and len(here.state["policies"]) == 1


def test_labels_may_be_taken_off_so_that_no_other_policy_is_about_the_pod(here: Range) -> None:
    here.account.settings["labels"] = "take off"
    here.account.save()
    put(here, "let-in", {"podSelector": {"matchLabels": {"app": "web"}}, "ingress": [{}]})
    uid = pod(here)["metadata"]["uid"]
    result = do(here, "isolate_container")
    assert labels(here) == {"soar-isolated": uid}
    assert "so ReplicaSet web starts another pod in its place" in result.message
    do(here, "resume_container", key="t-2", undoes=result.data)
    assert labels(here) == {"app": "web"} and pod(here)["metadata"]["annotations"] == {}
    put(here, "for-all", {"podSelector": {}, "ingress": [{}]})
    assert "(for-all)" in failing(here, "isolate_container").message


def test_who_changes_the_pod_at_the_same_moment_is_not_overwritten(here: Range) -> None:
    here.account.settings["labels"] = "take off"
    here.account.save()
    pod(here)
    here.state["busy"] = 2
    assert do(here, "isolate_container").state == "done"
    do(here, "resume_container")
    here.state["busy"] = 99
    error = failing(here, "isolate_container", key="t-2")
    assert (error.permanent, error.status) == (False, 409)


@pytest.mark.parametrize("capability", ["isolate_container", "resume_container"])
def test_one_that_takes_the_name_between_looking_and_acting_is_left_alone(here: Range, capability: str) -> None:
    if capability == "resume_container":
        do(here, "isolate_container", DB)
    else:
        pod(here, "shop/db-0")
    serve = here.standin.serve

    def replacing(request: Any) -> Any:
        if request.method == "PATCH" and request.path.endswith("/pods/db-0"):
            here.state["pods"].pop("shop/db-0", None)
        return serve(request)

    here.standin.serve = replacing  # type: ignore[method-assign]
    error = failing(here, capability, DB, key="t-2")
    here.standin.serve = serve  # type: ignore[method-assign]
    assert error.permanent is (capability == "isolate_container")
    if capability == "resume_container":
        assert "There was nothing to give back" in do(here, capability, DB, key="t-2").message
    else:
        assert "another one has its name now" in error.message
    assert labels(here, "shop/db-0") == {"app": "db"}


def test_a_policy_that_somebody_changed_is_not_taken_for_isolation(here: Range) -> None:
    uid = pod(here)["metadata"]["uid"]
    do(here, "isolate_container")
    spec = here.state["policies"][f"shop/soar-isolated-{uid}"]["spec"]
    spec["egress"] = [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]
    error = failing(here, "isolate_container", key="t-2")
    assert error.permanent and "does not deny all" in error.message
    del spec["egress"]
    spec["policyTypes"] = ["Ingress"]
    here.state["policies"][f"shop/soar-isolated-{uid}"]["managers"] = {"policyTypes": "kubectl-edit"}
    error = failing(here, "isolate_container", key="t-3")
    assert error.permanent and 'conflict with "kubectl-edit"' in error.message


def test_a_pod_is_deleted_by_its_uid_and_followed_to_its_end(here: Range) -> None:
    here.state["going"] = 2
    do(here, "isolate_container")
    first = do(here, "terminate_container", key="t-2")
    assert (first.state, first.remote) == ("accepted", "Terminating")
    assert "ReplicaSet web starts another one in its place" in first.message
    assert first.request["body"]["preconditions"] == {"uid": first.data["uid"]}
    last = ended(here, first)
    assert (last.state, last.message) == ("done", "The pod shop/web-7f is gone.")
    assert here.state["calls"]["delete pods"] == 1 and not here.state["policies"]


def test_what_holds_a_pod_back_is_told(here: Range) -> None:
    pod(here)["metadata"]["finalizers"] = ["example.com/backup"]
    first = do(here, "terminate_container")
    assert "It waits for example.com/backup." in first.message
    assert here.connector().poll("terminate_container", first.reference).state == "accepted"


def test_the_next_pod_of_that_name_lives_though_the_answer_was_lost(here: Range) -> None:
    here.state["going"] = 0
    before = pod(here, "shop/db-0")["metadata"]["uid"]
    with here.losing("/pods/db-0"):
        assert failing(here, "terminate_container", DB).outcome_unknown
    pod_of_now = here.connector().poll("terminate_container", f"shop/db-0/{before}")
    assert pod_of_now.state == "done"  # it is gone, and its name has the next one
    again = do(here, "terminate_container", DB)
    assert again.state == "done" and "Another one that has its name now was left alone" in again.message
    assert pod(here, "shop/db-0")["metadata"]["uid"] != before and here.state["calls"] == {"delete pods": 1}


def test_a_pod_that_is_gone_after_a_lost_answer_is_done(here: Range) -> None:
    here.state["going"] = 0
    with here.losing("/pods/web-7f"):
        assert failing(here, "terminate_container").outcome_unknown
    assert ended(here, do(here, "terminate_container")).state == "done"
    assert do(here, "terminate_container").state == "done"
    assert here.state["calls"] == {"delete pods": 1}
    assert failing(here, "terminate_container", key="t-2").permanent


def test_a_successor_is_not_isolated_after_a_lost_answer(here: Range) -> None:
    with here.losing("/pods/db-0"):
        assert failing(here, "isolate_container", DB).outcome_unknown
    here.state["pods"].clear()
    error = failing(here, "isolate_container", DB)
    assert error.permanent and "another one has its name now" in error.message
    assert labels(here, "shop/db-0") == {"app": "db"}


@pytest.mark.parametrize("lost", ["/pods/web-7f", "soar-isolated"])
def test_a_lost_answer_is_found_again(here: Range, lost: str) -> None:
    uid = pod(here)["metadata"]["uid"]
    ending = lost if lost.startswith("/") else f"{lost}-{uid}"
    with here.losing(ending):
        assert failing(here, "isolate_container").outcome_unknown
    assert do(here, "isolate_container").state == "done"
    assert labels(here)["soar-isolated"] == uid and here.state["calls"]["patch pods"] == 1
    with here.losing(ending):
        assert failing(here, "resume_container", key="t-2").outcome_unknown
    assert do(here, "resume_container", key="t-2").message == "shop/web-7f has its network back."
    assert labels(here) == {"app": "web"} and not here.state["policies"]


def test_giving_back_what_is_gone_leaves_the_next_one_alone(here: Range) -> None:
    result = do(here, "isolate_container", DB)
    here.state["pods"].clear()
    done = do(here, "resume_container", DB, key="t-2", undoes=result.data)
    assert "left alone. There was nothing to give back." in done.message and not here.state["policies"]


def test_a_rehearsal_shows_the_requests_and_sends_nothing(here: Range) -> None:
    for capability, methods in zip(
        ACTIONS, (["GET", "PATCH", "PATCH"], ["GET", "PATCH", "DELETE"], ["GET", "DELETE"]), strict=True
    ):
        shown = here.connector(dry_run=True).requests(capability, WEB, {})
        assert [one["method"] for one in shown] == methods and TOKEN not in json.dumps(shown)
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("settings", "field", "words"),
    [
        ({"cluster": " , "}, "cluster", "at least one"),
        ({"namespaces": "shop, Bank"}, "namespaces", "Bank is no name"),
        ({"grace_seconds": 0}, "grace_seconds", "From 1 to 3600"),
        ({"ca": "-----BEGIN CERTIFICATE-----\nnonsense"}, "ca", "no certificate"),
        ({"allow_internal": False, "url": "http://k8s.example"}, "url", "unencrypted"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], field: str, words: str) -> None:
    given = {"url": "https://k8s.example:6443", "cluster": "prod", **settings}
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "kubernetes", "K", given, {"token": TOKEN})
    assert words in caught.value.errors[field]


def test_only_the_authority_of_the_cluster_vouches_for_it(tmp_path: Path) -> None:
    mine, other = Authority.made(tmp_path, "mine"), Authority.made(tmp_path, "other")
    with Server([Kubernetes()]) as server:
        server._http.socket = mine.server("localhost").wrap_socket(server._http.socket, server_side=True)
        url = server.urls["kubernetes"]["url"].replace("http://127.0.0.1", "https://localhost")
        for authority, words in ((mine, "takes the token"), (other, "certificate verify failed")):
            given = {"url": url, "allow_internal": True, "cluster": "prod", "ca": authority.file.read_text()}
            account = actions.create_account(None, "kubernetes", authority.file.stem, given, {"token": TOKEN})
            health = actions.test_account(None, account.pk)
            assert words in health.message and health.ok is (authority is mine)


def test_an_unknown_operator_of_a_selector_is_taken_to_fit() -> None:
    policy = {"spec": {"podSelector": {"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]}}}
    assert policies.selects(policy, {})
