"""The builder's page: what it offers, what it refuses beside the field, two people at once (response-playbooks.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from playbooks.actions import graphs
from playbooks.graph.schema import read
from playbooks.models import DetectionModel, Playbook, PlaybookVersion
from soar.accounts.models import User
from tests.drawn import action, condition, drawn, graph, published, tag
from tests.factories import make_source, make_user
from tests.fixtures import client_of
from tests.playbook_pages import EVIL, HTMX, text_of

pytestmark = pytest.mark.django_db


def edit(row: Playbook, node: str = "target") -> str:
    return f"/playbooks/{row.pk}/edit/?node={node}"


def send(client: Client, row: Playbook, node: str, do: str = "apply", *, htmx: bool = False, **fields: Any) -> Any:
    """The form of a part as the page sends it."""
    row.refresh_from_db()
    values = {"node": node, "draft": row.draft_number, "do": do, **fields.pop("values", {}), **fields}
    return client.post(f"/playbooks/{row.pk}/edit/part/", values, headers=HTMX if htmx else {})


def saved(row: Playbook) -> dict[str, Any]:
    row.refresh_from_db()
    return dict(row.draft or {})


TARGET = {"severities": ["high", "critical"]}


def test_who_may_not_draw(as_analyst: Client, as_viewer: Client, author: User, client: Client) -> None:
    row = drawn(author, graph())
    assert as_analyst.get(edit(row)).status_code == 403
    assert as_viewer.post(f"/playbooks/{row.pk}/edit/add/", {"add": "target right action"}).status_code == 403
    assert client.get(edit(row)).status_code == 302
    assert as_analyst.post("/playbooks/new/").status_code == 403
    assert as_viewer.post(f"/playbooks/{row.pk}/publish/").status_code == 403
    assert as_viewer.get(f"/playbooks/{row.pk}/edit/part/").status_code == 405


def test_a_python_playbook_cannot_be_drawn(as_author: Client) -> None:
    row = Playbook.objects.create(name="file", kind="python", trigger="manual")
    assert as_author.get(edit(row)).status_code == 404
    assert as_author.get("/playbooks/999999/edit/").status_code == 404


def test_texts_of_people_are_no_markup(as_author: Client, author: User) -> None:
    row = drawn(author, graph(f"Name {EVIL}", condition("c1", "source", EVIL, name=EVIL), description=EVIL))
    for node in ("playbook", "c1", "target", "trigger"):
        text = text_of(as_author.get(edit(row, node)))
        assert EVIL not in text
        assert "style=" not in text.replace("hx-swap-style", "")


def test_shape_only_legal_nodes_are_offered_and_taken(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", condition("c1", "source", "x"), tag("a1", "seen", parent="c1")))
    text = text_of(as_author.get(edit(row, "c1")))
    offered = set(re.findall(r'name="add" value="([^"]+)"', text))
    below = {f"c1 below {type}" for type in ("else_if", "else_action", "notify")}
    assert offered == {"c1 right action", "c1 right notify", *below}
    for illegal in ("c1 right condition", "a1 below else_if", "target right else_if", "nowhere right action", "x", ""):
        answer = as_author.post(f"/playbooks/{row.pk}/edit/add/", {"add": illegal, "draft": 1})
        assert answer.status_code == 400
        assert len(saved(row)["nodes"]) == 2


def test_adding_a_node_shows_its_form(as_author: Client, author: User) -> None:
    row = drawn(author, graph())
    answer = as_author.post(
        f"/playbooks/{row.pk}/edit/add/", {"add": "target right condition", "draft": 1}, headers=HTMX
    )
    text = text_of(answer)
    assert answer["HX-Push-Url"].endswith("node=n1")
    assert 'name="conditions.count"' in text
    assert saved(row)["nodes"][0]["type"] == "condition"
    plain = as_author.post(f"/playbooks/{row.pk}/edit/add/", {"add": "target right action", "draft": 2})
    assert (plain.status_code, plain["Location"]) == (302, f"/playbooks/{row.pk}/edit/?node=n2#node-form")


def test_9_a_condition_is_applied(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", {"id": "c1", "type": "condition", "parent": "target", "side": "right"}))
    values = {
        "conditions.count": 2,
        "conditions.0.parameter": "asset_group", "conditions.0.was": "asset_group", "conditions.0.operator": "is",
        "conditions.0.values": "Finance\nPayroll\n",
        "conditions.1.parameter": "severity", "conditions.1.was": "severity", "conditions.1.operator": "is_not",
        "conditions.1.ticked": ["low", "medium"],
    }  # fmt: skip
    assert send(as_author, row, "c1", name="Finance", values=values).status_code == 302
    assert saved(row)["nodes"][0]["conditions"] == [
        {"parameter": "asset_group", "operator": "is", "values": ["Finance", "Payroll"]},
        {"parameter": "severity", "operator": "is_not", "values": ["low", "medium"]},
    ]


def test_9_another_parameter_brings_its_own_values_without_saving(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", condition("c1", "source", "mail")))
    values = {"conditions.count": 1, "conditions.0.parameter": "severity", "conditions.0.was": "source",
              "conditions.0.operator": "contains", "conditions.0.values": "mail"}  # fmt: skip
    text = text_of(send(as_author, row, "c1", "refresh", htmx=True, values=values))
    assert 'name="conditions.0.ticked" value="critical"' in text
    assert "Not saved yet" in text
    assert saved(row)["nodes"][0]["conditions"][0]["parameter"] == "source"


def test_5_the_risk_parameter_needs_its_switch(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", condition("c1", "source", "x")))
    values = {"conditions.count": 1, "conditions.0.parameter": "object_risk", "conditions.0.was": "object_risk",
              "conditions.0.operator": "is", "conditions.0.ticked": ["suspicious"]}  # fmt: skip
    text = text_of(send(as_author, row, "c1", values=values), 400)
    assert "Nothing was saved." in text
    assert 'id="f-conditions-0-parameter-error"' in text
    assert saved(row)["nodes"][0]["conditions"][0]["parameter"] == "source"


def test_5_switching_the_risk_filter_off_while_used_is_refused(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", condition("c1", "object_risk", "suspicious"), target={"filter_by_risk": True}))
    text = text_of(send(as_author, row, "target", values=TARGET), 400)
    assert "Nothing was saved." in text
    assert saved(row)["target"]["filter_by_risk"] is True


def test_3_the_11th_period_is_refused(as_author: Client, author: User) -> None:
    row = drawn(author, graph())
    values: dict[str, Any] = {"type": "automatic", "time_zone": "UTC", "periods.count": 11}
    for number in range(11):
        values |= {f"periods.{number}.mon": "1", f"periods.{number}.from": "08:00", f"periods.{number}.to": "18:00"}
    text = text_of(send(as_author, row, "trigger", values=values), 400)
    assert "at most 10 periods" in text[text.index('id="f-periods-error"') :][:400]
    assert saved(row)["trigger"]["periods"] == []
    values["periods.count"] = 10
    assert send(as_author, row, "trigger", values=values).status_code == 302
    assert len(saved(row)["trigger"]["periods"]) == 10


def test_3_a_time_zone_that_is_none(as_author: Client, author: User) -> None:
    row = drawn(author, graph())
    text = text_of(send(as_author, row, "trigger", type="manual", time_zone="Mars/Base"), 400)
    assert 'id="f-time_zone-error"' in text


def test_4_a_model_of_another_severity_is_refused_by_name(as_author: Client, author: User) -> None:
    DetectionModel.objects.create(name="Quiet one", key="quiet one", severity=1)
    DetectionModel.objects.create(name="Loud one", key="loud one", severity=3)
    row = drawn(author, graph())
    text = text_of(send(as_author, row, "target", values={**TARGET, "models.add": ["Quiet one"]}), 400)
    assert "Quiet one" in re.sub(r"<[^>]+>", "", text[text.index('id="f-models-error"') :][:400])
    assert saved(row)["target"]["models"] == []
    assert send(as_author, row, "target", values={**TARGET, "models.add": ["Loud one"]}).status_code == 302
    assert saved(row)["target"]["models"] == ["Loud one"]
    dropped = {**TARGET, "models": ["Loud one"], "models.drop": ["Loud one"]}
    assert send(as_author, row, "target", values=dropped).status_code == 302
    assert saved(row)["target"]["models"] == []


def test_4_the_picker_searches_without_saving(as_author: Client, author: User) -> None:
    for name in ("Encoded command", "Credential dump"):
        DetectionModel.objects.create(name=name, key=name.lower(), severity=3)
    row = drawn(author, graph())
    text = text_of(send(as_author, row, "target", "refresh", htmx=True, values={**TARGET, "models.search": "dump"}))
    assert 'name="models.add" value="Credential dump"' in text
    assert "Encoded command" not in text


def test_6_the_51st_owner_is_refused(as_author: Client, author: User) -> None:
    names = [make_user(f"owner{n}").username for n in range(51)]
    row = drawn(author, graph())
    values = {**TARGET, "incident.on": "1", "owners": names}
    text = text_of(send(as_author, row, "target", values=values), 400)
    assert 'id="f-owners-error"' in text
    assert saved(row)["target"]["open_incident"] is None
    assert send(as_author, row, "target", values={**values, "owners": names[:50]}).status_code == 302
    assert len(saved(row)["target"]["open_incident"]["owners"]) == 50


def test_6_closing_needs_a_determination(as_author: Client, author: User) -> None:
    row = drawn(author, graph())
    values = {**TARGET, "incident.on": "1", "incident.close": "1", "incident.determination": ""}
    text = text_of(send(as_author, row, "target", values=values), 400)
    assert "determination" in text


def test_1_a_name_that_is_taken_is_refused_beside_the_field(as_author: Client, author: User) -> None:
    drawn(author, graph("Taken"))
    row = drawn(author, graph("Mine"))
    text = text_of(send(as_author, row, "playbook", name="TAKEN", description=""), 400)
    assert 'id="f-name-error"' in text
    assert saved(row)["name"] == "Mine"


def test_15_what_has_no_connector_is_shown_disabled(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", action("a1", "tag", params={"tag": {"tags": ["x"]}})))
    text = text_of(as_author.get(edit(row, "a1")))
    box = re.search(r'<input[^>]*value="isolate_endpoint"[^>]*>', text)
    assert box is not None and " disabled" in box[0]
    assert "Not available:" in text
    own = re.search(r'<input[^>]*value="block"[^>]*>', text)
    assert own is not None and " disabled" not in own[0]


def test_15_what_is_chosen_and_lacks_its_connector_says_so(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", action("a1", "isolate_endpoint", risk=("unrated",))))
    text = text_of(as_author.get(edit(row, "a1")))
    assert "It cannot be enabled here yet." in text
    assert "Isolate endpoint is not available" in text


def test_19_approval_as_typed(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", action("a1", "block", risk=("unrated",))))
    values = {
        "action": ["block"], "risk": ["unrated"], "deadline_minutes": "30", "block.days": "30",
        "approval.on": "1", "approval.method": "email", "approval.subject_prefix": "  [SOC] ",
        "approval.recipients": "a@example.com, b@example.com", "approval.two_people": "1", "stop": "1",
    }  # fmt: skip
    assert send(as_author, row, "a1", name="Block", values=values).status_code == 302
    node = saved(row)["nodes"][0]
    assert node["approval"] == {
        "method": "email", "subject_prefix": "  [SOC] ", "recipients": ["a@example.com", "b@example.com"],
        "channels": [], "two_people": True,
    }  # fmt: skip
    assert (node["on_failure"], node["actions"][0]["params"]) == ("stop", {"days": 30})


def test_19_approval_without_anybody_to_ask(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", action("a1", "block", risk=("unrated",))))
    values = {"action": ["block"], "risk": ["unrated"], "deadline_minutes": "30", "approval.on": "1",
              "approval.method": "email", "approval.recipients": ""}  # fmt: skip
    text = text_of(send(as_author, row, "a1", values=values), 400)
    assert 'id="f-approval-recipients-error"' in text
    assert saved(row)["nodes"][0]["approval"] is None


def test_of_actions_that_exclude_one_another_one_is_taken(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", action("a1", "block", risk=("unrated",))))
    values = {"only.account": "sign_out", "risk": ["unrated"], "deadline_minutes": "30"}
    assert send(as_author, row, "a1", values=values).status_code == 302
    assert [use["action"] for use in saved(row)["nodes"][0]["actions"]] == ["sign_out"]


@pytest.mark.parametrize("text", ["0", "1441", "soon", "-5"])
def test_a_deadline_out_of_range(as_author: Client, author: User, text: str) -> None:
    row = drawn(author, graph("Contain", action("a1", "block", risk=("unrated",))))
    values = {"action": ["block"], "risk": ["unrated"], "deadline_minutes": text}
    shown = text_of(send(as_author, row, "a1", values=values), 400)
    assert "f-deadline_minutes-error" in shown


def test_two_people_at_once_the_second_is_told(as_author: Client, author: User, admin: User) -> None:
    row = drawn(author, graph())
    graphs.save_draft(Actor.of(admin), row, read(graph("Contain", tag("a1", "hers")))[0], number=1)
    values = {"node": "target", "draft": 1, "do": "apply", "severities": ["low"]}
    for headers in (HTMX, {}):
        text = text_of(as_author.post(f"/playbooks/{row.pk}/edit/part/", values, headers=headers), 409)
        assert "Ada Admin changed this draft since you opened it. Nothing was saved." in text
        assert "Show it as it is now" in text
    assert as_author.post(f"/playbooks/{row.pk}/publish/", {"draft": 1}).status_code == 409
    assert not PlaybookVersion.objects.exists()
    assert saved(row)["target"]["severities"] == ["high", "critical"]


def test_publishing_marks_what_is_wrong_on_its_node(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", {"id": "c1", "type": "condition", "parent": "target", "side": "right"}))
    text = text_of(as_author.post(f"/playbooks/{row.pk}/publish/", {"draft": 1}), 400)
    assert "It was not published." in text
    assert re.search(r'class="node err"[^>]*href="[^"]*node=c1', text)
    assert "must be put right before publishing" in text


def test_publish_then_enable_from_the_builder(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", tag("a1", "seen")))
    assert as_author.post(f"/playbooks/{row.pk}/publish/", {"draft": 1}).status_code == 302
    text = text_of(as_author.get(edit(row)))
    assert "Published as it is" in text
    as_author.post(f"/playbooks/{row.pk}/enable/", {"from": "edit"})
    assert "source that delivers" in text_of(as_author.get(edit(row)))
    make_source()
    as_author.post(f"/playbooks/{row.pk}/enable/", {"from": "edit"})
    row.refresh_from_db()
    assert row.enabled


@pytest.mark.parametrize(("do", "left"), [("remove", ["b1"]), ("lift", ["a2", "b1"]), ("duplicate", 4)])
def test_changes_of_a_node(as_author: Client, author: User, do: str, left: Any) -> None:
    row = drawn(author, graph("Contain", tag("a1", "x"), tag("a2", "y", parent="a1"), tag("b1", "z")))
    answer = as_author.post(f"/playbooks/{row.pk}/edit/node/", {"node": "a1", "do": do, "draft": 1})
    assert answer.status_code == 302
    ids = [node["id"] for node in saved(row)["nodes"]]
    assert len(ids) == left if isinstance(left, int) else ids == left


def test_a_node_that_is_gone(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", tag("a1", "x")))
    answer = as_author.post(f"/playbooks/{row.pk}/edit/node/", {"node": "zz", "do": "remove", "draft": 1})
    assert "no longer there" in text_of(answer, 409)
    assert text_of(as_author.get(edit(row, "zz")))


def test_28_versions_differ_in_words_and_are_restored(as_author: Client, author: User) -> None:
    row = published(author, graph("Contain", tag("a1", "old")))
    graphs.save_draft(Actor.of(author), row, read(graph("Contain", tag("a1", "new")))[0], number=None)
    text = text_of(as_author.get(f"/playbooks/{row.pk}/versions/"))
    assert "old" in text and "new" in text
    assert as_author.post(f"/playbooks/{row.pk}/versions/1/restore/").status_code == 302
    assert saved(row)["nodes"][0]["actions"][0]["params"] == {"tags": ["old"]}
    assert as_author.post(f"/playbooks/{row.pk}/versions/7/restore/").status_code == 404


def test_a_part_is_applied_while_the_playbook_does_nothing_yet(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Empty", target={"open_incident": {"owners": [], "close_on_success": None}}))
    assert send(as_author, row, "playbook", name="Renamed", description="").status_code == 302
    assert send(as_author, row, "target", values=TARGET).status_code == 302
    assert saved(row)["target"]["open_incident"] is None
    assert "does nothing yet" in text_of(as_author.get(edit(row)))


def test_23_a_notification_is_applied(as_author: Client, author: User) -> None:
    row = drawn(author, graph("Contain", {"id": "n1", "type": "notify", "parent": "target", "side": "right"}))
    values = {"action": ["email"], "email.recipients": "soc@example.com", "email.subject_prefix": "[Done] "}
    assert send(as_author, row, "n1", name="Tell them", values=values).status_code == 302
    use = saved(row)["nodes"][0]["actions"]
    assert use == [{"action": "email", "params": {"recipients": ["soc@example.com"], "subject_prefix": "[Done] "}}]


def test_8_publishing_without_the_right_to_respond_warns(as_author: Client, author: User) -> None:
    asks = {"method": "email", "recipients": ["a@example.com"]}
    nodes = (action("a1", "isolate_endpoint", risk=("unrated",), name="Cut off"),
             action("a2", "isolate_endpoint", risk=("unrated",), name="Ask first", approval=asks),
             tag("a3", "seen"))  # fmt: skip
    row = drawn(author, graph("Contain", *nodes))
    text = text_of(as_author.get(edit(row)))
    note = text[text.index('id="powerless"') :].split("</div></div></div>")[0]
    assert "Cut off" in note and "Isolate endpoint" in note
    assert "Ask first" not in note
    said = text_of(as_author.post(f"/playbooks/{row.pk}/publish/", {"draft": 1}, headers=HTMX))
    assert "Some of its actions will not run by themselves" in said
    told = as_author.get(f"/api/v1/playbooks/{row.pk}/").json()["warnings"]
    assert len(told) == 2
    assert told[0].startswith("Cut off: Isolate endpoint would fail, for Tomas Iversen")
    assert told[1].endswith("Add tag would fail, for Tomas Iversen, who published it, may not work on cases.")


def test_8_publishing_without_the_right_to_work_on_cases_warns(as_author: Client, author: User) -> None:
    """The role of an author opens no incident and changes no case in an automatic run (rulings 20)."""
    opening: dict[str, Any] = {"open_incident": {"owners": [], "close_on_success": None, "ticket_profile": None}}
    nodes = tag("a1", "seen"), action("a2", "scan_endpoint", risk=("unrated",))
    row = drawn(author, graph("Look", *nodes, target=opening))
    text = text_of(as_author.get(edit(row)))
    note = text[text.index('id="unentitled"') :].split("</div></div></div>")[0]
    assert "Open an incident" in note and "Add tag" in note and "Scan for malware" not in note
    said = text_of(as_author.post(f"/playbooks/{row.pk}/publish/", {"draft": 1}, headers=HTMX))
    assert "Some of its actions will not run by themselves" in said
    told = as_author.get(f"/api/v1/playbooks/{row.pk}/").json()["warnings"]
    assert [one.split(" would fail")[0].split(": ")[1] for one in told] == ["Open an incident", "Add tag"]


@pytest.mark.parametrize("how", ["admin", "manual"])
def test_8_it_warns_of_nothing_that_would_run(how: str, author: User, admin: User) -> None:
    trigger: dict[str, Any] = {"type": "manual" if how == "manual" else "automatic", "periods": [], "time_zone": "UTC"}
    row = drawn(author, graph("Contain", action("a1", "isolate_endpoint", risk=("unrated",)), trigger=trigger))
    client = client_of(admin if how == "admin" else author)
    assert 'id="powerless"' not in text_of(client.get(edit(row)))
    client.post(f"/playbooks/{row.pk}/publish/", {"draft": 1})
    assert client.get(f"/api/v1/playbooks/{row.pk}/").json()["warnings"] == []
