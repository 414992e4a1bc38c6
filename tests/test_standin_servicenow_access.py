"""The stand-in ServiceNow: who gets in, how tokens end, budgets, outages (visionone-servicenow.md B1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from soar.standins.servicenow.seed import API_KEY, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from tests.servicenow_range import Desk, servicenow

INCIDENT = "/api/now/table/incident"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
NOT_SIGNED_IN = {
    "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
    "status": "failure",
}


@pytest.fixture
def desk() -> Iterator[Desk]:
    with servicenow() as found:
        yield found


def token(desk: Desk, **form: str) -> httpx.Response:
    return httpx.post(f"{desk.url}/oauth_token.do", data=form)


def read_with(desk: Desk, **headers: str) -> int:
    return httpx.get(desk.url + INCIDENT, headers=headers).status_code


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Basic c29hci5pbnRlZ3JhdGlvbjp3cm9uZw=="}, {"Authorization": "Basic %%%"},
     {"Authorization": "Bearer nonsense"}, {"x-sn-apikey": "nonsense"}],
)  # fmt: skip
def test_without_the_right_credentials_nobody_gets_in(desk: Desk, headers: dict[str, str]) -> None:
    answer = httpx.get(desk.url + INCIDENT, headers=headers)
    assert (answer.status_code, answer.json()) == (401, NOT_SIGNED_IN)
    assert answer.headers["WWW-Authenticate"].startswith("BASIC")


def test_an_api_key_gets_in(desk: Desk) -> None:
    assert read_with(desk, **{"x-sn-apikey": API_KEY}) == 200


@pytest.mark.parametrize(
    "grant",
    [{"grant_type": "password", "username": "soar.integration", "password": "practice"},
     {"grant_type": "client_credentials"}, {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}],
)  # fmt: skip
def test_a_token_gets_in_until_it_ends(desk: Desk, grant: dict[str, str]) -> None:
    given = token(desk, **CLIENT, **grant).json()
    assert (given["token_type"], given["expires_in"]) == ("Bearer", 1799)
    assert ("refresh_token" in given) == (grant["grant_type"] != "client_credentials")
    held = {"Authorization": f"Bearer {given['access_token']}"}
    assert read_with(desk, **held) == 200
    assert desk.tell("expire")["expired"] == 1
    assert read_with(desk, **held) == 401
    if refresh := given.get("refresh_token"):
        again = token(desk, **CLIENT, grant_type="refresh_token", refresh_token=refresh).json()
        assert read_with(desk, Authorization=f"Bearer {again['access_token']}") == 200
    desk.tell("expire", refresh=True)
    late = token(desk, **CLIENT, grant_type="refresh_token", refresh_token=REFRESH_TOKEN)
    assert (late.status_code, late.json()["error"]) == (401, "invalid_grant")


def test_a_token_ends_by_itself(desk: Desk) -> None:
    desk.tell("arrange", token_seconds=60)
    held = token(desk, **CLIENT, grant_type="client_credentials").json()["access_token"]
    assert read_with(desk, Authorization=f"Bearer {held}") == 200
    desk.tell("clock", skew=61)
    assert read_with(desk, Authorization=f"Bearer {held}") == 401


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "client_credentials", "client_id": "x", "client_secret": "y"}, "invalid_client"),
        ({**CLIENT, "grant_type": "password", "username": "soar.integration", "password": "no"}, "access_denied"),
        ({**CLIENT, "grant_type": "device"}, "unsupported_grant_type"),
        ({**CLIENT, "grant_type": "refresh_token", "refresh_token": "no"}, "invalid_grant"),
    ],
)
def test_errors_of_oauth_have_a_shape_of_their_own(desk: Desk, form: dict[str, str], error: str) -> None:
    answer = token(desk, **form)
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] == error
    assert isinstance(answer.json()["error_description"], str)


def test_grants_can_be_switched_off(desk: Desk) -> None:
    desk.tell("property", name="glide.oauth.inbound.client.credential.grant_type.enabled", value="false")
    assert token(desk, **CLIENT, grant_type="client_credentials").status_code == 401


def test_rights_come_from_roles(desk: Desk) -> None:
    made = desk.create()
    here = f"{INCIDENT}/{made['sys_id']}"
    desk.tell("user", user_name="soar.integration", roles=["snc_platform_rest_api_access"])
    assert desk.api.get(here).status_code == 404
    assert desk.api.get(INCIDENT).json() == {"result": []}
    assert desk.api.get(INCIDENT).headers["X-Total-Count"] == "4"
    refused = desk.api.post(INCIDENT, json={"short_description": "x"})
    assert (refused.status_code, refused.json()["error"]["message"]) == (403, "Operation Failed")
    assert "ACL Exception Insert Failed" in refused.json()["error"]["detail"]
    desk.tell("user", user_name="soar.integration", roles=["itil"])
    assert desk.api.get(INCIDENT).status_code == 403
    desk.tell("user", user_name="soar.integration", set={"active": "false"})
    assert desk.api.get(INCIDENT).status_code == 401


def test_closed_tables_and_properties(desk: Desk) -> None:
    assert desk.api.get("/api/now/table/sys_properties").json() == {"result": []}
    desk.tell("arrange", closed_tables=["sys_user"])
    answer = desk.api.get("/api/now/table/sys_user")
    assert (answer.status_code, answer.json()["error"]["message"]) == (403, "User Not Authorized")


def test_roles_and_groups_can_be_read(desk: Desk) -> None:
    asked = {"sysparm_query": "user.user_name=soar.integration", "sysparm_fields": "role.name"}
    roles = desk.api.get("/api/now/table/sys_user_has_role", params=asked).json()["result"]
    assert {"role.name": "itil"} in roles
    asked = {"sysparm_query": "group.name=Endpoint Team", "sysparm_fields": "user.user_name"}
    members = desk.api.get("/api/now/table/sys_user_grmember", params=asked).json()["result"]
    assert {one["user.user_name"] for one in members} == {"hanna.wojcik", "l.becker"}


def test_the_budget_of_an_hour(desk: Desk) -> None:
    assert "X-RateLimit-Limit" not in desk.api.get(INCIDENT).headers
    desk.tell("budget", per_hour=2, window=30)
    assert [desk.api.get(INCIDENT).status_code for _ in range(3)] == [200, 200, 429]
    late = desk.api.get(INCIDENT)
    assert late.json()["error"] == {
        "message": "Rate limit exceeded",
        "detail": "Rate limit of 2 requests per hour for Table API exceeded",
    }
    assert 1 <= int(late.headers["Retry-After"]) <= 31
    assert (late.headers["X-RateLimit-Limit"], len(late.headers["X-RateLimit-Rule"])) == ("2", 32)
    assert int(late.headers["X-RateLimit-Reset"]) > time.time()
    assert read_with(desk, **{"x-sn-apikey": API_KEY}) == 429
    assert httpx.get(desk.url + INCIDENT, auth=("o.strand", "practice")).headers["X-RateLimit-Limit"] == "2"
    desk.tell("budget", per_hour=None)
    assert desk.api.get(INCIDENT).status_code == 200


def test_an_instance_that_hibernates_says_so_with_200(desk: Desk) -> None:
    desk.tell("hibernate")
    for answer in (desk.api.get(INCIDENT), token(desk, **CLIENT, grant_type="client_credentials")):
        assert answer.status_code == 200
        assert "Instance Hibernating page" in answer.text
        assert answer.headers["Content-Type"].startswith("text/html")
    desk.tell("wake")
    assert desk.api.get(INCIDENT).json()["result"]


def test_an_instance_that_is_down(desk: Desk) -> None:
    desk.tell("down", seconds=60)
    with pytest.raises(httpx.TransportError):
        desk.api.get(INCIDENT)
    desk.tell("down", seconds=60, how="503")
    assert desk.api.get(INCIDENT).status_code == 503
    desk.tell("up")
    assert desk.api.get(INCIDENT).status_code == 200


@pytest.mark.parametrize("kind", ["lost", "after"])
def test_a_write_is_taken_and_never_answered(desk: Desk, kind: str) -> None:
    desk.tell("fault", kind=kind, on="create")
    assert desk.api.get(INCIDENT).status_code == 200
    with pytest.raises(httpx.TransportError):
        desk.api.post(INCIDENT, json={"correlation_id": "lost"})
    made = desk.ask("ticket", correlation_id="lost")
    assert made["fields"]["sys_created_by"] == "soar.integration"
    desk.tell("fault", kind=kind, on="journal")
    here = f"{INCIDENT}/{made['sys_id']}"
    assert desk.api.patch(here, json={"impact": "1"}).status_code == 200
    with pytest.raises(httpx.TransportError):
        desk.api.patch(here, json={"work_notes": "Said once"})
    assert [one["value"] for one in desk.ask("ticket", correlation_id="lost")["journal"]] == ["Said once"]
    desk.tell("fault", kind=kind, on="attach")
    with pytest.raises(httpx.TransportError):
        desk.api.post(
            "/api/now/attachment/file",
            params={"table_name": "incident", "table_sys_id": made["sys_id"], "file_name": "a.txt"},
            content=b"a",
            headers={"Content-Type": "text/plain"},
        )
    assert len(desk.ask("ticket", correlation_id="lost")["attachments"]) == 1


def test_an_answer_can_be_late(desk: Desk) -> None:
    desk.tell("fault", kind="late", on="write", delay=5)
    with pytest.raises(httpx.ReadTimeout):
        desk.api.post(INCIDENT, json={"correlation_id": "late"}, timeout=0.3)
    assert desk.ask("ticket", correlation_id="late")["number"]


@pytest.mark.parametrize(
    ("fault", "status", "message"),
    [
        ({"kind": "401"}, 401, "User Not Authenticated"),
        ({"kind": "403"}, 403, "User Not Authorized"),
        ({"kind": "404"}, 404, "No Record found"),
        ({"kind": "429"}, 429, "Rate limit exceeded"),
        ({"kind": "400", "message": "Bad", "detail": "Really"}, 400, "Bad"),
        ({"kind": "403", "message": "Operation Failed", "detail": "Data Policy"}, 403, "Operation Failed"),
    ],
)
def test_faults_of_some_requests(desk: Desk, fault: dict[str, Any], status: int, message: str) -> None:
    desk.tell("fault", **fault, on="incident", times=2)
    assert desk.api.get("/api/now/table/sys_user").status_code == 200
    answers = [desk.api.get(INCIDENT) for _ in range(3)]
    assert [one.status_code for one in answers] == [status, status, 200]
    assert answers[0].json()["error"]["message"] == message
    if status == 429:
        assert answers[0].headers["Retry-After"]


def test_a_fault_that_there_is_not_is_refused(desk: Desk) -> None:
    assert desk.order("fault", kind="nonsense").status_code == 400


def test_every_request_can_be_slow(desk: Desk) -> None:
    desk.tell("delay", seconds=0.2)
    began = time.monotonic()
    desk.api.get(INCIDENT, params={"sysparm_limit": "1"})
    assert time.monotonic() - began >= 0.2


def test_requests_are_counted(desk: Desk) -> None:
    desk.api.get(INCIDENT)
    desk.api.post(INCIDENT, json={"work_notes": "x"})
    log = desk.ask("requests")
    assert [(one["method"], one["status"], one["user"]) for one in log] == [
        ("GET", 200, "soar.integration"),
        ("POST", 201, "soar.integration"),
    ]
    (said,) = desk.requests("journal")
    assert said["wrote"] == {"work_notes": "x"}
    assert desk.ask("requests", after=log[-1]["n"]) == []
    assert desk.ask("state", tickets=0)["counts"] == {f"GET {INCIDENT}": 1, f"POST {INCIDENT}": 1}
    desk.tell("forget")
    assert desk.ask("requests") == []
