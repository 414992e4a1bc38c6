"""What is wrong with a playbook that is sent straight to the API is refused with its message beside the field, and
nothing is saved: each rule that the spec names (response-playbooks.md 1, 3 to 6, 9, 14, 16; rulings 13)."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from playbooks.models import DetectionModel, Playbook, ResponseTask, Script
from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount
from tests.api import Api, problem_of
from tests.drawn import action, condition, drawn, graph, tag
from tests.factories import make_alert
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
PERIOD = {"days": ["mon"], "from": "08:00", "to": "09:00"}
AUTOMATIC = {"type": "automatic", "periods": [PERIOD] * 11, "time_zone": "UTC"}
OPENING = {"owners": [f"person{n}" for n in range(51)], "close_on_success": None, "ticket_profile": None}


def refused(user: User, body: Any) -> dict[str, str]:
    """Messages by field."""
    before = Playbook.objects.count()
    found = problem_of(Api(user).post("/playbooks/", body), 400)["errors"]
    assert Playbook.objects.count() == before
    said: dict[str, str] = {}
    for one in found:
        said[one["field"]] = f"{said.get(one['field'], '')} {one['message']}".strip()
    return said


def test_3_the_11th_period(author: User) -> None:
    found = refused(author, graph("x", tag("a1", "t"), trigger=AUTOMATIC))
    assert found["trigger.periods"] == "There are at most 10 periods; these are 11."


def test_6_the_51st_owner(author: User) -> None:
    found = refused(author, graph("x", tag("a1", "t"), target={"open_incident": OPENING}))
    assert "at most 50 owners; these are 51." in found["target.open_incident.owners"]


def test_1_a_duplicate_name(author: User) -> None:
    drawn(author, graph("Contain the host", tag("a1", "t")))
    found = refused(author, graph("CONTAIN the HOST", tag("a1", "t")))
    said = "There is already a playbook called “CONTAIN the HOST”; upper and lower case make no difference."
    assert found == {"name": said}


def test_shape_an_illegal_graph(author: User) -> None:
    below = condition("c2", "severity", "high", type="else_if", parent="a1", side="below")
    found = refused(author, graph("x", tag("a1", "t"), below))
    assert found == {"c2.parent": "An else-if condition cannot stand below Add tag."}


def test_4_a_model_of_the_wrong_severity(author: User) -> None:
    DetectionModel.objects.create(name="Beacon", severity=1)
    found = refused(author, graph("x", tag("a1", "t"), target={"models": ["Beacon"]}))
    assert found == {"target.models": "The model Beacon is of severity low, which is not among the chosen levels."}


def test_5_the_risk_parameter_without_its_switch(author: User) -> None:
    found = refused(author, graph("x", condition("c1", "object_risk", "suspicious"), tag("a1", "t", parent="c1")))
    assert "asks for the risk of objects, but the target does not filter by it" in found["c1.conditions.0.parameter"]


def test_16_a_bash_script_without_its_system(author: User) -> None:
    answer = Api(author).post("/scripts/", {"name": "collect.sh", "text": "ls", "systems": []})
    (found,) = problem_of(answer, 400)["errors"]
    assert (found["field"], "Say on which operating system" in found["message"]) == ("systems", True)
    # One that came into the library in another way says so where it is used.
    Script.objects.create(
        name="old.sh", language="bash", systems=[], text="ls", sha256="0" * 64, size=2, uploaded_by=author
    )
    uses = action("a1", "run_script", risk=("unrated",), params={"run_script": {"script": "old.sh"}})
    said = "The Bash script old.sh does not say for which operating system it is."
    assert refused(author, graph("x", uses))["a1.actions.0.params.script"] == said


def test_16_an_oversized_script(author: User) -> None:
    answer = Api(author).post("/scripts/", {"name": "big.ps1", "text": "x" * (1024 * 1024 + 1), "systems": []})
    assert "no more than 1048576 characters" in problem_of(answer, 400)["errors"][0]["message"]
    file = SimpleUploadedFile("big.ps1", b"x" * (1024 * 1024 + 1))
    page = client_of(author).post("/settings/scripts/", {"file": file})
    assert (page.status_code, "larger than 1 MiB" in page.content.decode()) == (422, True)
    assert not Script.objects.exists()


def test_14_an_unknown_capability(author: User, responder: User, admin: User) -> None:
    found = refused(author, graph("x", action("a1", "fly")))
    assert found["a1.actions.0.action"] == "There is no action 'fly'."
    by_hand = {"alert": make_alert().number, "action": "fly", "targets": [{"kind": "ip", "value": "9.9.9.9"}]}
    (told,) = problem_of(Api(responder).post("/response-tasks/", by_hand), 400)["errors"]
    assert told["field"] == "action" and told["message"].startswith("Must be one of: block, delete_message")
    account = ConnectorAccount.objects.create(kind="aws", name="AWS", settings={})
    answer = Api(admin).post("/connector-routes/", {"capability": "fly", "connector": account.name})
    assert "capability" in {one["field"] for one in problem_of(answer, 400)["errors"]}
    assert not ResponseTask.objects.exists()


def test_a_syntax_error_in_a_template(admin: User) -> None:
    settings = {"url": "https://fw.example", "action": "block", "path": "{% nope %}", "body": '{"a": "{{ x|y }}"}'}
    answer = Api(admin).post("/connectors/", {"kind": "http", "name": "FW", "settings": settings})
    found = {one["field"].rpartition(".")[2]: one["message"] for one in problem_of(answer, 400)["errors"]}
    assert found["path"].startswith("The template cannot be read: Invalid block tag on line 1: 'nope'")
    assert found["body"] == "The template cannot be read: Invalid filter: 'y'."
    assert not ConnectorAccount.objects.exists()


def test_a_recursive_call(author: User) -> None:
    uses = action("a1", "run_playbook", params={"run_playbook": {"playbook": "loop"}})
    assert (
        refused(author, graph("Loop", uses))["a1.actions.0.params.playbook"] == "Loop runs loop: that would never end."
    )


def test_shape_10_000_nodes(author: User) -> None:
    found = refused(author, graph("x", *[tag(f"a{n}", "t") for n in range(10_000)]))
    assert found["nodes"] == "A playbook has at most 200 nodes; this one has 10,000."
