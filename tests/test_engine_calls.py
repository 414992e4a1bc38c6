"""What happens to the calls of a playbook: recorded, at the same time, in time, or refused (spec 4, 6, 7)."""

from __future__ import annotations

from typing import Any

import pytest

from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.models import AlertObservable, Incident
from playbooks.actions import decide, run_by_hand
from playbooks.models import Run
from tests.factories import make_alert, make_incident, make_user
from tests.playbook_files import Folder, folder, work

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
SYSTEM = Actor.system()


def run(
    folder: Folder, body: str, *, before: str = "", dry_run: bool = False, keyword: str = "async def", **fields: Any
) -> Any:
    """The run of a playbook with this body on a new alert."""
    lines = "\n".join("    " + line for line in body.strip("\n").splitlines())
    folder.load(f"{before}\n@playbook(conditions={{'title': 'never'}})\n{keyword} it(alert):\n{lines}\n")
    alert = fields.pop("alert", None) or make_alert(**fields)
    made = run_by_hand(SYSTEM, "it", alert=alert, dry_run=dry_run)
    work()
    return Run.objects.get(pk=made.pk)


SIX = """
together = asyncio.Barrier(6)
@action
async def lookup(number):
    await asyncio.wait_for(together.wait(), 60)  # none goes on before all six have begun
    return number * number
"""


def test_six_actions_at_once_are_all_recorded(folder: Folder) -> None:
    done = run(folder, "return await asyncio.gather(*(lookup(number) for number in range(6)))", before=SIX)
    assert done.result == [0, 1, 4, 9, 16, 25], done.error
    steps = list(done.steps.all())
    assert [step.arguments["number"] for step in sorted(steps, key=lambda step: step.key)] == list(range(6))
    assert {step.status for step in steps} == {"successful"}


def test_helpers_at_once_do_not_meet_in_the_database(folder: Folder) -> None:
    body = """
await asyncio.gather(
    update_current_alert(severity="high"),
    add_current_alert_comment("one"),
    add_current_alert_comment("two"),
    add_observable("ip", "203.0.113.7"),
    asyncio.create_task(update_current_alert(tags=["x"])),
    asyncio.to_thread(add_current_alert_comment, "three"),
)
"""
    done = run(folder, body)
    assert done.status == "successful", done.error + done.traceback
    assert done.alert.timeline.filter(kind="comment").count() == 3
    assert done.steps.count() == 6


def test_the_position_is_taken_when_the_call_is_made(folder: Folder) -> None:
    before = "@action\nasync def a(x):\n    await asyncio.sleep(0.05 if x == 1 else 0)\n    return x\n"
    done = run(folder, "one, two = a(1), a(2)\nreturn [await two, await one]", before=before)
    assert {step.key: step.result for step in done.steps.all()} == {"#1": 1, "#2": 2}


def test_plain_functions_work_as_playbook_and_as_action(folder: Folder) -> None:
    before = """
@action(idempotent=True)
def slow(x):
    return x + 1

@action
async def also(x):
    return await helper(x)

async def helper(x):
    return x * 2
"""
    done = run(folder, "update_current_alert(severity='low')\nreturn [slow(1), also(4)]", before=before, keyword="def")
    assert (done.status, done.result) == ("successful", [2, 8]), done.traceback
    assert done.alert.severity == Severity.LOW


def test_the_key_names_a_call(folder: Folder) -> None:
    before = "@action\nasync def a(x):\n    return x\n"
    done = run(folder, "return [await a(1, key='one'), await a(2)]", before=before)
    assert sorted(done.steps.values_list("key", flat=True)) == ["#1", "one"]
    twice = run(folder, "await a(1, key='one')\nawait a(2, key='one')", before=before)
    assert twice.status == "unsuccessful"
    assert "called twice" in twice.error


def test_actions_inside_actions_are_counted_under_them(folder: Folder) -> None:
    before = """
@action
async def inner(x):
    return x

@action
async def outer(x):
    return await inner(x) + await inner(x + 1)
"""
    done = run(folder, "return [await outer(1), await outer(10), await inner(5)]", before=before)
    assert done.result == [3, 21, 5]
    outer = done.steps.get(name="outer", key="#2")
    assert sorted(done.steps.filter(parent=outer).values_list("key", flat=True)) == ["outer#2/#1", "outer#2/#2"]


def test_an_action_that_calls_itself_for_ever_is_stopped(folder: Folder) -> None:
    before = "@action(idempotent=True)\nasync def again(x):\n    return await again(x + 1)\n"
    done = run(folder, "await again(0)", before=before)
    assert done.status == "unsuccessful"
    assert "at most 20 deep" in done.error
    assert done.steps.filter(status="in_progress").count() == 0


def test_calls_without_end_are_stopped(folder: Folder) -> None:
    done = run(folder, "while True:\n    await a()", before="@action\nasync def a():\n    pass\n")
    assert "at most 1000 calls" in done.error


def test_a_call_without_await_is_told(folder: Folder) -> None:
    done = run(folder, "update_current_alert(severity='high')\nreturn 1")
    assert done.status == "unsuccessful"
    assert "without await" in done.error
    assert "update_current_alert" in done.error


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("{'ips': {1, 2}}", "a set, which is not JSON (at ips)"),
        ("object()", "a object, which is not JSON"),
        ("float('nan')", "nan, which is not JSON"),
        ("{'a': [b'x']}", "a bytes, which is not JSON (at a[0])"),
        ("loop()", "contains itself"),
        ("'x' * 2_000_000", "too large"),
        ("{(1, 2): 3}", "a tuple as a key"),
    ],
)
def test_a_result_that_is_no_json_is_told_where_it_is(folder: Folder, value: Any, told: Any) -> None:
    before = f"""
def loop():
    value = []
    value.append(value)
    return value

@action
async def a():
    return {value}
"""
    done = run(folder, "await a()", before=before)
    assert done.status == "unsuccessful"
    assert told in done.error
    assert done.steps.get().status == "unsuccessful"
    returned = run(folder, f"return {value}", before=before)
    assert (returned.status, told in returned.error) == ("unsuccessful", True)


def test_a_result_is_the_same_the_first_time_as_the_second(folder: Folder) -> None:
    before = "@action\nasync def a():\n    return {1: (2, 'nul\\x00', '\\ud800')}\n"
    done = run(folder, "return await a()", before=before)
    assert done.result == {"1": [2, "nul\ufffd", "?"]}
    assert done.steps.get().result == done.result


def test_secrets_are_masked_in_arguments_errors_and_tracebacks(folder: Folder) -> None:
    before = """
@action
async def a(host, api_token, options):
    raise ValueError(f"refused {api_token} and {options['password']}")
"""
    body = "await a('h', api_token='s3cret-token', options={'password': 'hunter22', 'user': 'x', 'keyboard': 'qwerty'})"
    done = run(folder, body, before=before)
    step = done.steps.get()
    assert step.arguments == {
        "host": "h", "api_token": "••••", "options": {"password": "••••", "user": "x", "keyboard": "qwerty"},
    }  # fmt: skip
    for text in (step.error, done.error, done.traceback):
        assert "ValueError" in text
        assert "s3cret" not in text.replace("'s3cret-token'", "")
        assert "refused •••• and ••••" in text


def test_errors_are_tried_again_as_often_as_declared(folder: Folder) -> None:
    before = """
tries = []
@action(retries=2, backoff=0.01)
async def a():
    tries.append(1)
    if len(tries) < 3:
        raise OSError("not yet")
    return len(tries)
"""
    done = run(folder, "return await a()", before=before)
    assert (done.result, done.steps.get().attempts) == (3, 3)


def test_a_permanent_error_is_not_tried_again(folder: Folder) -> None:
    before = """
class Gone(Exception):
    permanent = True
@action(retries=5, backoff=0.01)
async def a():
    raise Gone("404")
"""
    done = run(folder, "await a()", before=before)
    assert (done.status, done.steps.get().attempts) == ("unsuccessful", 1)


def test_a_failed_action_can_be_caught(folder: Folder) -> None:
    before = "@action\nasync def a():\n    raise OSError('away')\n"
    done = run(folder, "try:\n    await a()\nexcept ActionFailed as error:\n    return str(error)", before=before)
    assert (done.status, done.result) == ("successful", "OSError: away")
    assert done.steps.get().status == "unsuccessful"


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_time_out_of_an_action_that_is_not_idempotent_waits_for_a_person(folder: Folder, kind: Any) -> None:
    wait = "await asyncio.sleep(30)" if kind == "async def" else "__import__('time').sleep(2)"
    before = f"@action(timeout=0.1, retries=3, backoff=0.01)\n{kind} a():\n    {wait}\n"
    done = run(folder, "try:\n    await a()\nexcept Exception:\n    return 'swallowed'", before=before)
    step = done.steps.get()
    assert (done.status, step.status, step.attempts) == ("needs_decision", "unknown_outcome", 1)
    assert "did not answer within 0.1 seconds" in done.error


def test_a_time_out_of_an_idempotent_action_is_tried_again_and_then_fails(folder: Folder) -> None:
    before = (
        "@action(timeout=0.05, retries=1, backoff=0.01, idempotent=True)\nasync def a():\n    await asyncio.sleep(9)\n"
    )
    done = run(folder, "await a()", before=before)
    assert (done.status, done.steps.get().status, done.steps.get().attempts) == ("unsuccessful", "unsuccessful", 2)


def test_others_in_flight_end_and_are_recorded_when_one_is_unknown(folder: Folder) -> None:
    before = """
@action(timeout=0.05)
async def unknown():
    await asyncio.sleep(9)
@action
async def other():
    await asyncio.sleep(0.3)
    return "done"
"""
    done = run(folder, "await asyncio.gather(unknown(), other(), return_exceptions=True)\nawait other()", before=before)
    assert done.status == "needs_decision"
    assert {step.name: step.status for step in done.steps.all()} == {
        "unknown": "unknown_outcome", "other": "successful",
    }  # fmt: skip
    decide(SYSTEM, done, done.steps.get(name="unknown"), "done")
    work()
    done.refresh_from_db()
    assert (done.status, done.steps.filter(name="other").count()) == ("successful", 2)


def test_an_action_cut_off_by_its_playbook_is_unknown(folder: Folder) -> None:
    before = "@action\nasync def a():\n    await asyncio.sleep(9)\n"
    body = "try:\n    await asyncio.wait_for(a(), 0.05)\nexcept TimeoutError:\n    return 'went on'"
    done = run(folder, body, before=before)
    assert (done.status, done.steps.get().status) == ("needs_decision", "unknown_outcome")


def test_an_exception_fails_the_run_and_is_kept(folder: Folder) -> None:
    done = run(folder, "return alert['no such key']")
    assert (done.status, "KeyError" in done.error) == ("unsuccessful", True)
    assert "one.py" in done.traceback
    entry = done.alert.timeline.get(kind="run.finished")
    assert (entry.data["status"], entry.actor_type) == ("unsuccessful", "playbook")


def test_resolving_as_unknown_is_refused_here_as_everywhere(folder: Folder) -> None:
    done = run(folder, "await resolve_current_alert(determination='unknown', reason='x')")
    assert (done.status, "other than unknown" in done.error) == ("unsuccessful", True)
    assert done.steps.get().status == "unsuccessful"
    done.alert.refresh_from_db()
    assert done.alert.status == AlertStatus.NEW


def test_each_helper_does_what_the_pages_do(folder: Folder) -> None:
    make_user("mara", "Analyst")
    other = make_incident("Other")
    body = """
await assign_current_alert("mara")
await assign_current_alert()
await update_current_alert(owner="mara", tags=["B", "a"], severity="critical", status="in_progress")
made = await create_incident(title="From a playbook", owners=["mara"])
await add_observable("domain", "evil-login.com")
await add_current_alert_comment("Written to the incident")
return made
"""
    done = run(folder, body)
    assert done.status == "successful", done.error + done.traceback
    alert = done.alert
    incident = Incident.objects.get(title="From a playbook")
    assert done.result["number"] == incident.number
    assert done.result["url"].endswith(f"/incidents/{incident.number}/")
    assert (alert.owner.username, alert.tags, alert.severity, alert.incident) == (
        "mara", ["b", "a"], Severity.CRITICAL, incident,
    )  # fmt: skip
    assert incident.timeline.get(kind="comment").text == "Written to the incident"
    assert incident.observable_links.get().observable.value == "evil-login.com"
    linked = run(folder, f"return await link_to_incident('{other.number}')")
    assert linked.result["number"] == other.number
    assert linked.alert.incident == other


def test_a_reason_of_an_update_is_kept_on_the_timeline(folder: Folder) -> None:
    done = run(folder, "await update_current_alert(status='in_progress', reason='Because of this')")
    assert "Because of this" in [entry.text for entry in done.alert.timeline.all()]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("update_current_alert(status='banana')", "is not one of"),
        ("update_current_alert(severity='apocalyptic')", "is not one of"),
        ("assign_current_alert('nobody-of-that-name')", "no active user"),
        ("link_to_incident('INC-999999')", "no incident"),
        ("add_current_alert_comment('   ')", "Write something"),
        ("add_observable('banana', 'x')", "Type is one of"),
        ("add_observable('ip', 'not an address')", ""),
        ("update_current_alert(reason='only')", "at least one of"),
        ("rate_observables([{'type': 'ip', 'value': '9.9.9.9', 'risk': 'suspicious'}])", "names no"),
        ("add_current_alert_comment(7)", "must be a text"),
        ("update_current_alert(tags=[1])", "list of texts"),
    ],
)
def test_what_a_page_refuses_is_refused_and_changes_nothing(folder: Folder, call: Any, told: Any) -> None:
    done = run(folder, f"await {call}")
    assert (done.status, told in done.error) == ("unsuccessful", True), done.error
    assert set(done.alert.timeline.values_list("kind", flat=True)) == {"alert.opened", "run.started", "run.finished"}


def test_the_alert_is_a_dict_with_the_keys_of_the_contract(folder: Folder) -> None:
    body = """
import json
assert "observables" in alert and "nothing" not in alert and alert.get("nothing", 5) == 5
return {"keys": sorted(alert), "json": json.loads(json.dumps(alert)), "copy": dict(alert)["raw"]}
"""
    raw = '{"event": {"category": "process"}, "n": 1}'
    done = run(folder, body, raw=raw, observables=(("ip", "203.0.113.9"),), hostname="h1")
    assert done.status == "successful", done.traceback
    assert set(done.result["keys"]) == {
        "id", "number", "url", "source", "source_ref", "dedup_key", "count", "title", "description", "severity",
        "status", "determination", "owner", "team", "detection_model", "occurred_at", "first_seen", "last_seen",
        "received_at", "hostname", "username", "source_ip", "tags", "techniques", "tlp", "external_link",
        "observables", "assets", "incident", "runs", "source_state", "cause", "raw",
    }  # fmt: skip
    seen = done.result["json"]
    assert seen["observables"] == [{"type": "ip", "value": "203.0.113.9", "risk": "unrated"}]
    assert seen["raw"] == done.result["copy"] == {"event": {"category": "process"}, "n": 1}
    assert seen["runs"] == [{"id": done.pk, "playbook": "it", "status": "in_progress"}]


def test_a_dry_run_records_and_changes_nothing(folder: Folder) -> None:
    before = "@action\nasync def block(ip):\n    raise AssertionError('executed')\n"
    body = """
await block("203.0.113.9")
await update_current_alert(status="in_progress")
made = await create_incident(title="x")
await add_current_alert_comment("y")
return made["number"]
"""
    done = run(folder, body, before=before, dry_run=True)
    assert (done.status, done.result) == ("successful", None), done.error
    assert [(step.name, step.status) for step in done.steps.all()] == [
        ("block", "successful"), ("update_current_alert", "successful"), ("create_incident", "successful"),
        ("add_current_alert_comment", "successful"),
    ]  # fmt: skip
    assert done.steps.get(name="block").arguments == {"ip": "203.0.113.9"}
    assert list(done.alert.timeline.values_list("kind", flat=True)) == ["alert.opened"]
    assert not Incident.objects.exists()
    assert done.alert.status == AlertStatus.NEW


def test_ratings_are_kept_with_their_evidence(folder: Folder) -> None:
    body = """
await rate_observables([{"type": "ip", "value": "203.0.113.9", "risk": "highly_suspicious", "rule": "mine",
                         "evidence": [{"list": "L", "text": "t", "effect": "malicious"}]}])
"""
    done = run(folder, body, observables=(("ip", "203.0.113.9"),))
    assert done.status == "successful", done.error
    row = AlertObservable.objects.get(alert=done.alert).observable
    assert (row.get_risk_display(), row.rating["rule"]) == ("Highly suspicious", "mine")


def test_the_lists_are_asked_and_the_answer_recorded(folder: Folder) -> None:
    done = run(folder, "return [await look_up('ip', '10.0.0.1'), await warning_lists([('ip', '203.0.113.9')])]")
    assert done.status == "successful", done.error
    assert done.result[0]["risk"] == "unrated"
    assert done.result[1][0]["value"] == "203.0.113.9"
    assert done.steps.count() == 2


def test_a_connector_that_is_not_there_fails_the_run(folder: Folder) -> None:
    done = run(folder, "connector('nothing')")
    assert (done.status, "nothing" in done.error) == ("unsuccessful", True)


def test_what_a_playbook_decides_about_the_database_is_one_transaction(folder: Folder) -> None:
    """A refused helper leaves its record but none of its effect, and the run goes on."""
    body = """
try:
    await create_incident(title="half", owners=["no such person"])
except ActionFailed as error:
    await update_current_alert(determination="malicious")
    return str(error)
"""
    done = run(folder, body)
    assert (done.status, "no active user" in done.result) == ("successful", True), done.error
    assert not Incident.objects.exists()
    assert done.alert.determination == Determination.MALICIOUS
