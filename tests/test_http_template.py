"""The templates of an HTTP action and its settings (rulings 29): values stay in their places, and what cannot be is
refused beside its field in plain words, on the page too."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import strategies as st

from playbooks.world import world_of
from soar.connectors import actions
from soar.connectors.errors import Refused
from soar.connectors.http import template
from soar.connectors.http.acting import ACTIONS
from soar.connectors.models import ConnectorAccount, Route
from tests.graph_strategies import for_all
from tests.playbook_pages import text_of

pytestmark = pytest.mark.django_db
AT = {"url": "https://edr.example"}
ISOLATE = {
    "action": "isolate_endpoint",
    "path": "hosts/{{ target.facts.guid }}/isolate",
    "result": "$.task.state",
    "expected": "done",
    "undo_path": "hosts/{{ target.facts.guid }}/restore",
}


@pytest.mark.parametrize("value", ["a/b?c=d#e", "x\r\ny", "{{ params.days }}", "$ä", "../x"])
def test_a_value_stays_in_its_place_of_the_path(value: str) -> None:
    made = template.path_of("hosts/{{ target.value }}/x", {"target": {"value": value}})
    assert made.count("/") == 2 and not set("?#\r\n{} ") & set(made)


@pytest.mark.parametrize("value", ["..", ".", "", " ", None])
def test_what_would_make_another_path_is_lacking(value: str | None) -> None:
    with pytest.raises(template.Lacking, match=r"target\.value"):
        template.path_of("hosts/{{ target.value }}/x", {"target": {"value": value}})


@for_all(st.text(alphabet=st.characters(exclude_characters="\x00")))
def test_a_value_stays_in_its_place_of_the_body(value: str) -> None:
    body = template.body_of('{"a": "x{{ v }}", "b": ["{{ v }}"]}', {"v": value})
    assert body["json"] == {"a": f"x{value}", "b": [value]}


def test_numbers_lists_and_conditions() -> None:
    why = "{% if params.reason %}{{ params.reason }}{% endif %}"
    text = json.dumps({"days": "{{ params.days }}", "ips": "{{ ips }}", "why": why})
    made = template.body_of(text, {"params": {"days": 3}, "ips": ["a", "b"]})
    assert made["json"] == {"days": 3, "ips": ["a", "b"], "why": ""}
    plain = template.body_of("block {{ params.days }}", {"params": {"days": 3}})
    assert plain["content"] == b"block 3"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"path": "{{ target.value"}, "path", "there is a {{ without its other half"),
        ({"path": "{% if target.value %}x"}, "path", "Unclosed tag on line 1: 'if'"),
        ({"path": "{% nope %}"}, "path", "Invalid block tag on line 1: 'nope'"),
        ({"body": '{"a": "{{ target.value|nope }}"}'}, "body", "Invalid filter: 'nope'"),
        ({"body": '{"a": "{% include \'/etc/passwd\' %}"}'}, "body", "Invalid block tag on line 1: 'include'"),
        ({"body": '{"a": "{% for x in y %}{% endfor %}"}'}, "body", "Invalid block tag on line 1: 'for'"),
        ({"body": '{"a": "{{ target.value|ljust:1000000000 }}"}'}, "body", "Invalid filter: 'ljust'"),
        ({"body": '{"days": {{ params.days }}}'}, "body", "Put each {{ … }} in quotes"),
        ({"body": "[" * 1500 + "]" * 1500}, "body", "nested more than 32 deep"),
        ({"undo_body": '{"a": "{{ }}"}'}, "undo_body", "Empty variable tag on line 1"),
        ({"result": "$.a["}, "result", "The path cannot be read"),
        ({"result": "", "expected": "x"}, "expected", "Say where in the answer"),
        ({"action": "fly"}, "action", "must be one of"),
        ({"action": ""}, "action", "Choose the action that path is of."),
        ({"action": "sign_out"}, "targets", "It does not take: endpoint"),
        ({"action": "sign_out", "targets": ""}, "undo_path", "Force sign out cannot be undone."),
        ({"method": "TRACE"}, "method", "must be one of"),
        ({"path": "x\x00y"}, "path", "null character"),
    ],
)
def test_what_cannot_be_is_refused_beside_its_field(change: dict[str, str], field: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "http", "A", {**AT, **ISOLATE, "targets": "endpoint", **change}, {})
    assert words in caught.value.errors.get(field, ""), caught.value.errors
    assert not ConnectorAccount.objects.exists()


def test_the_page_says_beside_the_field_what_is_wrong_with_a_template(as_admin: Client) -> None:
    form = {"name": "A", "set_url": "https://a.example", "set_action": "isolate_endpoint", "set_path": "{% nope %}"}
    form |= {"set_method": "POST", "set_undo_method": "POST", "set_timeout_seconds": "30", "set_rate_per_minute": "0"}
    text = text_of(as_admin.post("/connectors/new/http/", form), 422)
    assert "Invalid block tag on line 1: " in text.partition('id="id_set_path-error"')[2][:400]
    form |= {"set_path": "x/{{ target.value }}"}
    assert as_admin.post("/connectors/new/http/", form).status_code == 302
    made = ConnectorAccount.objects.get()
    assert "Isolate endpoint" in text_of(as_admin.get(f"/connectors/{made.pk}/"))


def test_one_without_action_does_nothing_for_playbooks(as_admin: Client) -> None:
    made = actions.create_account(None, "http", "House EDR", {**AT, "test_path": "/"}, {})
    assert "What it can do" not in text_of(as_admin.get(f"/connectors/{made.pk}/"))
    offered = text_of(as_admin.get("/connectors/")).partition('id="route-account"')[2]
    assert "House EDR" not in offered.partition("</select>")[0]


def test_one_with_an_action_may_be_chosen_by_a_rule(as_admin: Client) -> None:
    made = actions.create_account(None, "http", "House EDR", {**AT, **ISOLATE}, {})
    answer = as_admin.post("/connectors/routes/add/", {"capability": "isolate_endpoint", "account": made.pk})
    assert answer.status_code == 302 and Route.objects.get().account == made
    refused = as_admin.post("/connectors/routes/add/", {"capability": "sign_out", "account": made.pk})
    assert "House EDR cannot do this: Force sign out." in text_of(refused, 422)


@pytest.mark.parametrize("name", ACTIONS)
def test_every_action_that_can_be_chosen_is_offered_to_playbooks(name: str) -> None:
    actions.create_account(None, "http", name, {**AT, "action": name, "path": "x"}, {})
    assert name in world_of().served
