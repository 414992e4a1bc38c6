"""What the validator refuses, each with the number of its line in response-playbooks.md, and in which words."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest

from playbooks.graph.actions import ACTIONS
from playbooks.graph.model import RISKS
from playbooks.graph.schema import ActionUse, ApprovalUse, Graph, Node, OpenIncident, Period, Target, Trigger, blank
from playbooks.graph.validate import World, enabling, saving, validate
from tests.graph_strategies import for_all, wild_graphs
from tests.graphs import (
    action,
    condition,
    else_action,
    else_if,
    good_params,
    good_world,
    graph,
    notify,
    row,
    twelve,
)

HIGH = row("severity", "is", "high")
TAG = action("a1", "target", "tag")


def found(made: Graph, world: World | None = None) -> dict[tuple[str, str], str]:
    """The messages by node and field; two at one place would be one too many."""
    problems = validate(made, world)
    by_place = {(one.node, one.field): one.message for one in problems}
    assert len(by_place) == len(problems), problems
    return by_place


def only(made: Graph, world: World | None = None) -> tuple[str, str, str]:
    """The one problem that there is."""
    (problem,) = validate(made, world)
    return problem.node, problem.field, problem.message


def uses(name: str, **params: Any) -> Graph:
    """A playbook whose one node does one thing with these settings."""
    type = "notify" if ACTIONS[name].group == "notify" else "action"
    return graph(Node("a1", type, risk=RISKS if type == "action" else (), actions=(ActionUse(name, params),)))


def test_a_good_playbook_has_nothing_wrong() -> None:
    assert validate(twelve(), good_world()) == []
    assert validate(twelve()) == []


@for_all(wild_graphs)
def test_validating_never_raises_and_names_what_is_there(made: Graph) -> None:
    places = {"", "trigger", "target", *(node.id for node in made.nodes)}
    for problem in (*validate(made), *validate(made, World()), *validate(made, good_world())):
        assert problem.node in places
        assert problem.message[0] == problem.message[0].upper() and problem.message.endswith((".", "06:00."))


# 1: name and what enabling needs


@pytest.mark.parametrize("name", ["", "  "])
def test_1_a_playbook_has_a_name(name: str) -> None:
    assert only(graph(TAG, name=name)) == ("", "name", "Give the playbook a name.")


@pytest.mark.parametrize("name", ["Phishing", "PHISHING", " phishing "])
def test_1_a_name_that_is_taken_is_refused_whatever_its_case(name: str) -> None:
    world = good_world(names_taken={"Phishing"})
    assert only(graph(TAG, name=name), world) == ("", "name", f"There is already a playbook named {name.strip()}.")


def test_1_a_name_is_one_line() -> None:
    assert only(graph(TAG, name="a\nb")) == ("", "name", "The name is one line.")


def test_1_enabling_needs_a_source_but_saving_does_not() -> None:
    problems = validate(graph(TAG), good_world(delivers=False))
    assert saving(problems) == []
    (problem,) = enabling(problems)
    message = "Enabling needs at least one enabled source that delivers endpoint or e-mail detections."
    assert (problem.node, problem.field, problem.message) == ("", "enabled", message)


# 2, 3: trigger


def with_periods(*periods: Period, **fields: Any) -> Graph:
    return graph(TAG, trigger=Trigger(periods=periods, **fields))


def test_3_the_11th_period_is_refused() -> None:
    period = Period(("mon",), "08:00", "09:00")
    assert validate(with_periods(*[period] * 10)) == []
    assert only(with_periods(*[period] * 11)) == ("trigger", "periods", "There are at most 10 periods; these are 11.")


@pytest.mark.parametrize(
    ("period", "field", "message"),
    [
        (Period((), "08:00", "09:00"), "days", "Choose at least one day of the week."),
        (Period(("mo",), "08:00", "09:00"), "days", "'mo' is no day; the days are: mon, tue, wed, thu, fri, sat, sun."),
        (Period(("mon",), "8:00", "09:00"), "from", "'8:00' is no time of day; write 22:00."),
        (Period(("mon",), "24:00", "09:00"), "from", "'24:00' is no time of day; write 22:00."),
        (Period(("mon",), "08:00", "25:00"), "to", "'25:00' is no time of day; write 06:00."),
        (Period(("mon",), "08:00", "noon"), "to", "'noon' is no time of day; write 06:00."),
    ],
)
def test_3_a_period_that_means_nothing_is_refused(period: Period, field: str, message: str) -> None:
    assert only(with_periods(period)) == ("trigger", f"periods.0.{field}", message)


def test_3_a_period_may_cross_midnight_and_end_at_24() -> None:
    assert validate(with_periods(Period(("mon",), "22:00", "06:00"), Period(("sun",), "08:00", "24:00"))) == []


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "Europe"])
def test_3_a_time_zone_that_is_none_is_refused(name: str) -> None:
    problem = only(with_periods(time_zone=name))
    assert problem == ("trigger", "time_zone", f"There is no time zone named {name!r}.")


# 4 to 6: target


def with_target(**fields: Any) -> Graph:
    return graph(TAG, target=changed(Target(("high",), filter_by_risk=True), **fields))


def test_4_at_least_one_level() -> None:
    assert only(with_target(severities=())) == ("target", "severities", "Choose at least one severity level.")


def test_4_an_unknown_level_is_refused() -> None:
    assert "'severe' is no severity level" in found(with_target(severities=("high", "severe")))["target", "severities"]


def test_4_a_model_of_the_wrong_severity_is_refused_by_name() -> None:
    made = with_target(severities=("medium", "critical"), models=("ransomware NOTE",))
    message = "The model ransomware NOTE is of severity high, which is not among the chosen levels."
    assert only(made, good_world()) == ("target", "models", message)
    assert validate(with_target(models=("Ransomware note",)), good_world()) == []


def test_4_a_model_with_several_severities_needs_one_of_them() -> None:
    world = good_world(models={"Odd login": ["low", "high"], "New one": []})
    assert validate(with_target(models=("Odd login", "New one")), world) == []


def test_4_a_model_that_is_not_there_is_refused() -> None:
    assert only(with_target(models=("Gone",)), good_world())[2] == "There is no detection model named Gone."


def test_5_the_risk_parameter_without_its_switch_is_refused_at_both_ends() -> None:
    made = graph(
        condition("c1", row("object_risk", "is", "suspicious"), name="Bad ones"),
        action("a1", "c1", "tag"),
        target=Target(("high",)),
    )
    assert found(made) == {
        ("target", "filter_by_risk"): "The risk of objects is asked for, so this cannot be off: see Bad ones.",
        (
            "c1",
            "conditions.0.parameter",
        ): "Bad ones asks for the risk of objects, but the target does not filter by it: switch it on.",
    }


def test_6_the_51st_owner_is_refused() -> None:
    names = tuple(f"user{number}" for number in range(51))
    world = good_world(users=set(names))
    assert validate(with_target(open_incident=OpenIncident(names[:50])), world) == []
    problem = only(with_target(open_incident=OpenIncident(names)), world)
    assert problem == ("target", "open_incident.owners", "An incident has at most 50 owners; these are 51.")


def test_6_an_owner_who_is_not_there_is_refused() -> None:
    problem = only(with_target(open_incident=OpenIncident(("eve",))), good_world())
    assert problem == ("target", "open_incident.owners", "There is no active user named eve.")


@pytest.mark.parametrize("word", ["unknown", "fine"])
def test_6_an_incident_is_closed_with_a_determination_that_there_is(word: str) -> None:
    node, field, message = only(with_target(open_incident=OpenIncident((), word)))
    assert (node, field) == ("target", "open_incident.close_on_success.determination")
    assert message == f"No incident is closed as {word!r}; choose one of: benign, suspicious, malicious."


def test_6_a_playbook_that_only_opens_an_incident_is_one() -> None:
    assert validate(changed(with_target(open_incident=OpenIncident()), nodes=())) == []


# Shape


def test_shape_a_playbook_without_action_is_refused() -> None:
    message = "The playbook does nothing yet: add an action."
    assert only(blank("New")) == ("", "nodes", message)
    assert only(graph(condition("c1", HIGH))) == ("", "nodes", message)


@pytest.mark.parametrize(
    ("nodes", "node", "message"),
    [
        ([action("a1", "target", "tag"), condition("c1", HIGH, parent="a1")], "c1",
         "A condition cannot stand to the right of Add tag."),
        ([condition("c1", HIGH), condition("c2", HIGH, parent="c1"), action("a1", "c1", "tag")], "c2",
         "A condition cannot stand to the right of the condition “Severity is high”."),
        ([else_if("e1", "target", HIGH), action("a1", "target", "tag")], "e1",
         "An else-if condition cannot stand below the target."),
        ([action("a1", "target", "tag"), else_action("x1", "a1", "comment")], "x1",
         "An else action cannot stand below Add tag."),
        ([condition("c1", HIGH), changed(action("a1", "c1", "tag"), side="below")], "a1",
         "An action cannot stand below the condition “Severity is high”."),
        ([condition("c1", HIGH), changed(else_action("x1", "c1", "tag"), side="right")], "x1",
         "An else action cannot stand to the right of the condition “Severity is high”."),
        ([action("a1", "nobody", "tag")], "a1", "Add tag hangs on 'nobody', which does not exist."),
        ([action("a1", "", "tag")], "a1", "Add tag hangs on nothing."),
    ],
)  # fmt: skip
def test_shape_a_node_in_the_wrong_place_is_refused(nodes: list[Node], node: str, message: str) -> None:
    assert found(graph(*nodes)) == {(node, "parent"): message}


def test_shape_two_below_one_condition_are_refused() -> None:
    made = graph(
        condition("c1", HIGH, name="Urgent"), else_if("e1", "c1", HIGH, name="Other"), else_action("x1", "c1", "tag")
    )
    assert only(made) == ("x1", "side", "Only one node may stand below Urgent, and that is Other.")


def test_shape_a_series_does_not_fork() -> None:
    made = graph(action("a1", "target", "tag"), action("a2", "a1", "comment"), notify("m1", "a1"))
    assert only(made) == ("m1", "side", "Only one node may stand to the right of Add tag, and that is Add comment.")


def test_shape_a_circle_is_refused_at_each_of_its_nodes() -> None:
    made = graph(TAG, action("a2", "a3", "comment"), action("a3", "a2", "comment"), action("a4", "a3", "tag"))
    message = "Add comment follows itself: the nodes go round in a circle."
    assert found(made) == {
        ("a2", "parent"): message,
        ("a3", "parent"): message,
        ("a4", "side"): "Only one node may stand to the right of Add comment, and that is Add comment.",
    }


def test_shape_a_node_that_follows_itself_is_refused() -> None:
    assert "follows itself" in only(graph(TAG, action("a2", "a2", "comment")))[2]


def test_shape_10_000_nodes_are_refused() -> None:
    made = graph(*[action(f"n{number}", "target", "tag") for number in range(10_000)])
    assert only(made) == ("", "nodes", "A playbook has at most 200 nodes; this one has 10,000.")


# 9, 10: conditions


def with_row(*args: str, **fields: Any) -> Graph:
    return graph(condition("c1", row(*args)), action("a1", "c1", "tag"), **fields)


@pytest.mark.parametrize(
    ("args", "field", "message"),
    [
        (("colour", "is", "red"), "parameter", "There is no parameter 'colour'; there are: object_risk, observable"),
        (("", "is", "red"), "parameter", "Choose what is asked."),
        (
            ("endpoint_name", "matches", "x"),
            "operator",
            "Endpoint name cannot be asked with 'matches', which is unknown",
        ),
        (
            ("endpoint_name", "in_network", "10.0.0.0/8"),
            "operator",
            "Endpoint name cannot be asked with 'in_network'; ",
        ),
        (
            ("severity", "contains", "hi"),
            "operator",
            "Severity cannot be asked with 'contains'; choose one of: is, is_not.",
        ),
        (("endpoint_name", "is"), "values", "Endpoint name has no value to compare with."),
        (("endpoint_name", "is", " "), "values", "Endpoint name has no value to compare with."),
        (("severity", "is", "severe"), "values", "'severe' is no severity; there are: informational, low, "),
        (("object_risk", "is", "bad"), "values", "'bad' is no object risk; there are: highly_suspicious, "),
        (("asset_criticality", "is", "5"), "values", "'5' is no asset criticality; there are: critical, "),
        (("ip_address", "in_network", "10.0.0.0/40"), "values", "'10.0.0.0/40' is no network; write 10.0.0.0/8."),
        (("ip_address", "is", "10.0.0.0/8"), "values", "'10.0.0.0/8' is no IP address; use the operator in_network"),
        (("ip_address", "is", "host"), "values", "'host' is no IP address; write 10.0.0.1."),
        (("hour_of_day", "is", "25"), "values", "'25' is no hour of the day; write 9 or 20-6."),
        (("hour_of_day", "is", "9-9"), "values", "'9-9' is no hour of the day; write 9 or 20-6."),
    ],
)
def test_10_a_row_that_means_nothing_is_refused(args: tuple[str, ...], field: str, message: str) -> None:
    node, where, text = only(with_row(*args))
    assert (node, where) == ("c1", f"conditions.0.{field}")
    assert text.startswith(message)


def test_9_a_condition_has_a_row() -> None:
    assert only(graph(condition("c1"), action("a1", "c1", "tag"))) == ("c1", "conditions", "The condition has no row.")


def test_9_a_condition_does_nothing_itself() -> None:
    made = graph(
        condition("c1", HIGH, risk=RISKS, actions=(ActionUse("block"),), approval=ApprovalUse()),
        action("a1", "c1", "tag"),
    )
    assert {field for _, field in found(made)} == {"risk", "actions", "approval"}


def test_9_only_conditions_have_rows() -> None:
    made = graph(action("a1", "target", "tag", conditions=(HIGH,)))
    assert only(made)[2] == "A node of type action has no conditions."


# 14 to 16: actions


def test_14_an_action_node_does_something() -> None:
    assert only(graph(Node("a1", "action"))) == ("a1", "actions", "The node has no action.")


def test_14_an_unknown_action_is_refused() -> None:
    made = graph(Node("a1", "action", actions=(ActionUse("launch"), ActionUse(""))))
    assert found(made) == {
        ("a1", "actions.0.action"): "There is no action 'launch'.",
        ("a1", "actions.1.action"): "Choose an action.",
    }


def test_14_a_response_action_needs_a_risk() -> None:
    message = "Tick at least one risk: Isolate endpoint acts on objects so rated."
    assert only(graph(action("a1", "target", "isolate_endpoint", risk=()))) == ("a1", "risk", message)
    assert validate(graph(action("a1", "target", "comment", risk=()))) == []


def test_14_an_unknown_risk_is_refused() -> None:
    assert "'bad' is no risk" in only(graph(action("a1", "target", "block", risk=("suspicious", "bad"))))[2]


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ("delete_message", "quarantine_message", "Choose Delete message or Quarantine message, not both."),
        ("disable_account", "sign_out", "Choose Disable user account or Force sign out, not both."),
        ("isolate_container", "terminate_container", "Choose Isolate container or Terminate container, not both."),
        ("block", "block", "Add to block list is there twice."),
    ],
)
def test_14_of_some_actions_only_one_is_chosen(first: str, second: str, message: str) -> None:
    made = graph(action("a1", "target", first, second))
    assert only(made) == ("a1", "actions.1.action", message)


@pytest.mark.parametrize("name", ["collect_file", "isolate_endpoint", "find_messages"])
def test_14_others_stand_side_by_side(name: str) -> None:
    assert validate(graph(action("a1", "target", name, "scan_endpoint", "quarantine_message"))) == []


def test_15_an_action_that_nobody_serves_hinders_enabling_with_the_reason() -> None:
    world = good_world(served=set(), why_not={"isolate_endpoint": "Vision One is disabled."})
    problems = validate(graph(action("a1", "target", "isolate_endpoint", "block")), world)
    assert saving(problems) == []
    assert [(one.field, one.message) for one in enabling(problems)] == [
        ("actions.0.action", "Isolate endpoint is not available: Vision One is disabled."),
        ("actions.1.action", "Add to block list is not available: no connector that can do it is set up."),
    ]


def test_15_mail_that_cannot_be_sent_hinders_enabling() -> None:
    problems = validate(twelve(), good_world(mail_ready=False))
    assert saving(problems) == []
    assert {one.node for one in enabling(problems)} == {"m1", "m3", "a2"}
    assert problems[0].message == "E-mail cannot be sent: no mail connector is set up."


@pytest.mark.parametrize(
    ("name", "params", "field", "message"),
    [
        ("run_script", {}, "script", "Script is empty."),
        ("run_script", {"script": "gone.ps1"}, "script", "There is no script named gone.ps1."),
        ("run_script", {"script": "nowhere.sh"}, "script",
         "The Bash script nowhere.sh does not say for which operating system it is."),
        ("run_script", {"script": "collect.sh", "parameters": "x" * 8001}, "parameters",
         "Parameters is longer than 8,000 characters."),
        ("comment", {"text": "x" * 8001}, "text", "Comment is longer than 8,000 characters."),
        ("comment", {"text": "\n"}, "text", "Comment is empty."),
        ("comment", {"text": ["a"]}, "text", "Comment is a text."),
        ("block", {"days": 0}, "days", "Days until it expires is a whole number from 1 to 3,650."),
        ("block", {"days": "3"}, "days", "Days until it expires is a whole number from 1 to 3,650."),
        ("block", {"colour": "red"}, "colour", "Add to block list has no setting 'colour'."),
        ("find_messages", {"hours": 721}, "hours", "Hours to look back is a whole number from 1 to 720."),
        ("collect_file", {"path": "x" * 1025}, "path", "Path of the file is longer than 1,024 characters."),
        ("set_severity", {"severity": "severe"}, "severity", "'severe' is not one of: informational, low, "),
        ("set_status", {"status": "done"}, "status", "'done' is not one of: in_progress, contained, resolved, closed."),
        ("set_status", {"status": "closed"}, "determination",
         "Say with which determination it is resolved or closed."),
        ("set_status", {"status": "resolved", "determination": "unknown"}, "determination",
         "'unknown' is not one of: benign, suspicious, malicious."),
        ("assign", {"owner": "eve"}, "owner", "There is no active user named eve."),
        ("tag", {"tags": [" "]}, "tags", "Tags is empty."),
        ("tag", {"tags": "one"}, "tags", "Tags is a list of texts."),
        ("tag", {"tags": ["x" * 101]}, "tags", "Tags has an entry that is longer than 100 characters."),
        ("add_tasks", {"template": "Gone"}, "template", "There is no incident template named Gone."),
        ("run_playbook", {"playbook": "gone"}, "playbook", "There is no playbook named gone."),
        ("run_playbook", {"playbook": "Other response"}, "playbook",
         "Other response is a response playbook; only Python playbooks can be run from here."),
        ("email", {}, "recipients", "Recipients is empty."),
        ("email", {"recipients": []}, "recipients", "Recipients is empty."),
        ("email", {"recipients": ["  "]}, "recipients", "Recipients is empty."),
        ("email", {"recipients": ["nobody"]}, "recipients", "'nobody' is no e-mail address."),
        ("email", {"recipients": ["a@b\nBcc: c@d"]}, "recipients", r"'a@b\nBcc: c@d' is no e-mail address."),
        ("email", {"recipients": [f"a{n}@b" for n in range(101)]}, "recipients",
         "There are at most 100 recipients; these are 101."),
        ("email", {"recipients": ["a@b"], "subject_prefix": "a\r\nBcc: x"}, "subject_prefix",
         "The subject prefix is one line."),
        ("channel", {}, "channels", "Channels is empty."),
        ("channel", {"channels": ["#gone"]}, "channels", "There is no channel named #gone."),
    ],
)  # fmt: skip
def test_16_settings_that_are_wrong_are_refused(name: str, params: dict[str, Any], field: str, message: str) -> None:
    node, where, text = only(uses(name, **params), good_world())
    assert (node, where) == ("a1", f"actions.0.params.{field}")
    assert text.startswith(message)


@pytest.mark.parametrize("name", list(ACTIONS))
def test_14_every_action_of_the_table_can_be_set_right(name: str) -> None:
    assert validate(uses(name, **good_params(name)), good_world()) == []


def test_a_playbook_cannot_run_itself() -> None:
    made = changed(uses("run_playbook", playbook="HOST with malware"), name="Host with malware")
    assert only(made, good_world())[2] == "Host with malware runs HOST with malware: that would never end."


def test_a_playbook_cannot_run_one_that_comes_back_to_it() -> None:
    made = uses("run_playbook", playbook="enrich")
    world = good_world(calls={"enrich": {"deeper"}, "deeper": {"enrich", "Host with Malware"}})
    message = "Host with malware runs enrich runs deeper runs Host with Malware: that would never end."
    assert only(made, world) == ("a1", "actions.0.params.playbook", message)
    assert validate(made, good_world(calls={"enrich": {"deeper"}, "deeper": {"enrich"}})) == []


@pytest.mark.parametrize("minutes", [0, -1, 1441])
def test_a_deadline_is_at_most_a_day(minutes: int) -> None:
    made = graph(action("a1", "target", "tag", deadline_minutes=minutes))
    assert only(made) == ("a1", "deadline_minutes", "Give up after 1 to 1,440 minutes.")


# 19: approval


@pytest.mark.parametrize(
    ("approval", "field", "message"),
    [
        (ApprovalUse("email"), "recipients", "Recipients is empty."),
        (ApprovalUse("email", recipients=("x",)), "recipients", "'x' is no e-mail address."),
        (ApprovalUse("email", "a\nb", ("a@b",)), "subject_prefix", "The subject prefix is one line."),
        (ApprovalUse("channel", recipients=("a@b",)), "channels", "Channels is empty."),
        (ApprovalUse("channel", channels=("#gone",)), "channels", "There is no channel named #gone."),
        (ApprovalUse("pigeon"), "method", "'pigeon' is not one of: email, channel."),
    ],
)
def test_19_an_approval_that_tells_nobody_is_refused(approval: ApprovalUse, field: str, message: str) -> None:
    made = graph(action("a1", "target", "block", approval=approval))
    assert only(made, good_world()) == ("a1", f"approval.{field}", message)


def test_19_a_subject_prefix_may_end_with_a_blank() -> None:
    approval = ApprovalUse("email", " [SOC] ", ("a@b",))
    assert validate(graph(action("a1", "target", "block", approval=approval)), good_world()) == []


# 23: notifications


def test_23_an_else_may_be_a_notification() -> None:
    made = graph(condition("c1", HIGH), action("a1", "c1", "block"), notify("m1", "c1", side="below"))
    assert validate(made, good_world()) == []


def test_23_notifications_and_actions_are_in_nodes_of_their_own() -> None:
    made = graph(
        action("a1", "target", "email"), notify("m1", "target", "tag"), notify("m2", "target", "block", risk=RISKS),
        condition("c1", HIGH), action("a2", "c1", "block"), else_action("x1", "c1", "email"),
    )  # fmt: skip
    mail = "E-mail cannot be done by a node of type"
    assert found(made) == {
        ("a1", "actions.0.action"): f"{mail} action: a notification can stand there.",
        ("x1", "actions.0.action"): f"{mail} else action: a notification can stand there.",
        ("m1", "actions.0.action"): "Add tag cannot be done by a node of type notification.",
        ("m2", "actions.0.action"): "Add to block list cannot be done by a node of type notification.",
    }


@pytest.mark.parametrize(
    ("params", "field", "message"),
    [
        ({}, "profile", "Ticket profile is empty."),
        ({"profile": "Gone"}, "profile", "There is no ticket profile named Gone."),
        ({"profile": "Security", "assignment_group": "x" * 201}, "assignment_group", "Assignment group is longer"),
        ({"profile": "Security", "short_description": "x" * 301}, "short_description", "Short description is longer"),
        ({"profile": "Security", "caller_id": "me"}, "caller_id", "ServiceNow ticket has no setting 'caller_id'."),
    ],
)
def test_23_a_ticket_needs_a_profile_that_is_there(params: dict[str, Any], field: str, message: str) -> None:
    node, where, text = only(uses("ticket", **params), good_world())
    assert (node, where) == ("a1", f"actions.0.params.{field}")
    assert text.startswith(message)


def test_23_a_profile_that_makes_no_tickets_now_hinders_only_the_switch() -> None:
    problems = validate(uses("ticket", profile="resting"), good_world())
    assert saving(problems) == []
    assert [(one.field, one.message) for one in enabling(problems)] == [
        ("actions.0.params.profile", "The ticket profile Resting makes no tickets: it is disabled.")
    ]


@pytest.mark.parametrize(("profile", "switch_only"), [("Gone", False), ("Resting", True)])
def test_6_an_incident_is_sent_only_by_a_profile_that_is_there(profile: str, switch_only: bool) -> None:
    made = graph(TAG, target=Target(("high",), open_incident=OpenIncident(ticket_profile=profile)))
    (problem,) = validate(made, good_world())
    assert (problem.node, problem.field) == ("target", "open_incident.ticket_profile")
    assert problem.enabling is switch_only


def test_23_messages_are_sent_without_approval_and_tickets_may_wait_for_one() -> None:
    asking = ApprovalUse(recipients=("a@b",))
    message = "Only a ServiceNow ticket waits for an approval; messages are sent without."
    assert only(graph(notify("m1", "target", approval=asking))) == ("m1", "approval", message)
    assert validate(graph(notify("m1", "target", "email", "ticket", approval=asking)), good_world()) == []
    nobody = graph(notify("m1", "target", "ticket", approval=ApprovalUse()))
    assert only(nobody, good_world()) == ("m1", "approval.recipients", "Recipients is empty.")
