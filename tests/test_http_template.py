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


FACTS = {"guid": "g-1", "names": ["a", "b"], "odd": {"a/b?c=d&e#": 1}, "blank": " ", "zero": 0}


@pytest.mark.parametrize(
    ("text", "value", "made"),
    [
        ('h/{{ target.value|cut:":" }}', "fe80::1", "h/fe801"),
        ('h/{{ target.value|slice:":5" }}', "fe80::1", "h/fe80%3A"),
        ('{% if "@" in target.value %}mail{% else %}name{% endif %}/{{ target.value }}', "a@b", "mail/a%40b"),
        ("{% with v=target.value|upper %}h/{{ v }}{% endwith %}", "a/b", "h/A%2FB"),
        ("h/{% firstof target.facts.blank target.value %}", "a/b", "h/a%2Fb"),
        ("{% firstof target.facts.none target.value as v %}h/{{ v }}", "a/b", "h/a%2Fb"),
        ("{% firstof target.facts.none 'all/of?them=1' %}", "x", "all/of?them=1"),
        ("h/{% firstof target.facts.zero target.value %}/{{ target.facts.zero }}", "x", "h/x/0"),
        ('h/{{ "ab"|join:target.value }}', "/", "h/a%2Fb"),
        ("h/{{ target.facts.odd }}", "x", "h/%7B%27a%2Fb%3Fc%3Dd%26e%23%27%3A%201%7D"),
        ("h/{{ target.facts.names.1 }}?n={{ target.facts.names|length }}", "x", "h/b?n=2"),
    ],
)
def test_filters_see_the_value_and_the_address_what_they_make(text: str, value: str, made: str) -> None:
    assert template.path_of(text, {"target": {"value": value, "facts": FACTS}}) == made


@pytest.mark.parametrize(("cut", "value"), [('slice:":0"', "abc"), ('slice:":2"', "..x"), ('cut:"x"', "x.x")])
def test_a_filter_makes_no_other_path(cut: str, value: str) -> None:
    with pytest.raises(template.Lacking, match=r"target\.value"):
        template.path_of("hosts/{{ target.value|CUT }}/x".replace("CUT", cut), {"target": {"value": value}})


@pytest.mark.parametrize(
    "name",
    [
        "target.facts.items", "target.facts.copy", "target.facts.get", "target.facts.pop", "target.facts.names.copy",
        "target.facts.names.pop", "target.facts.names.9", "target.value.encode", "target.value.0", "days.real",
        "template_name", "dicts", "render_context", "template.engine", "autoescape", "flatten",
    ],
)  # fmt: skip
def test_names_find_members_and_nothing_of_python(name: str) -> None:
    values = {"target": {"value": "v", "facts": FACTS}, "days": 3}
    for text in (f"{{{{ {name} }}}}", f"x{{{{ {name} }}}}", f"{{{{ target.value|cut:{name} }}}}"):
        with pytest.raises(template.Lacking, match=f"^{name}$"):
            template.body_of(json.dumps({"a": text}), values)
        with pytest.raises(template.Lacking, match=f"^{name}$"):
            template.path_of(text, values)
    with pytest.raises(template.Lacking, match=f"^{name}$"):
        template.path_of('{% with v=NAME %}h/{{ v|slice:":3" }}{% endwith %}'.replace("NAME", name), values)


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
