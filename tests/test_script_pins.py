"""A published version brings its scripts: another text under the name does not run (response-playbooks.md 16, 28)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.actors import Actor
from cases.errors import Conflict
from cases.models import Alert
from playbooks.actions import approvals, definitions, graphs, publishing, scripts
from playbooks.actions.graph_files import export, import_graph
from playbooks.actions.response_follow import resend
from playbooks.actions.runs import retry
from playbooks.graph.schema import read
from playbooks.models import Approval, Playbook, PlaybookVersion, ResponseTask, Run, Script
from playbooks.rehearsal import rehearse
from soar.accounts.models import User
from tests.api import Api
from tests.approving import blue_alert
from tests.factories import make_source
from tests.playbook_files import work
from tests.playbook_pages import text_of
from tests.response_tools import Range, action, alert_of, graph, only_task, run_now, tiny

__all__ = ["tiny"]
pytestmark = pytest.mark.django_db(transaction=True)
OLD, NEW = "Get-Process", "Remove-Item C:\\ -Recurse"
ASK = {"method": "email", "subject_prefix": "", "recipients": ["duty@example.com"], "channels": []}
REPLACED = "fix.ps1 was replaced since version 1 was published: publish again."


@pytest.fixture
def script(author: User) -> Script:
    return scripts.add(Actor.of(author), "fix.ps1", OLD.encode())


@pytest.fixture
def playbook(tiny: Range, script: Script) -> Playbook:
    """Published and enabled as an author does it."""
    return published(script.uploaded_by)


def published(author: User, **node: Any) -> Playbook:
    """A playbook that runs fix.ps1 on the host; who may respond answers for it."""
    make_source(delivers="endpoint")
    document = graph(action("a", ("run_script", {"script": "fix.ps1"}), **node))
    row = graphs.create(Actor.of(author), read(document)[0])
    publishing.publish(Actor.of(author), row)
    if not node:
        return definitions.enable(Actor.of(author), row)
    Playbook.objects.update(enabled=True)  # there is no mail in these tests by which people would be asked
    return Playbook.objects.get(pk=row.pk)


def replace(script: Script, text: str) -> Script:
    """As an author removes the script and adds another one under its name."""
    remove(script)
    return scripts.add(Actor.of(script.uploaded_by), "fix.ps1", text.encode())


def remove(script: Script) -> None:
    scripts.remove(Actor.of(script.uploaded_by), Script.objects.get(removed=False).pk)


def texts(tiny: Range) -> list[str]:
    """What ran."""
    return [one["params"]["text"] for one in tiny.done]


# -- what a run does


def test_16_another_text_under_the_name_does_not_run(tiny: Range, playbook: Playbook, script: Script) -> None:
    replace(script, NEW)
    run = run_now(playbook, alert_of())
    task = only_task(run)
    assert (run.status, task.status, tiny.done) == ("unsuccessful", "unsuccessful", [])
    assert task.reason.startswith("fix.ps1 was replaced since version 1 of this playbook was published")
    assert "publish again; then start the playbook anew" in task.reason


def test_16_nobody_is_asked_to_approve_what_will_not_run(tiny: Range, script: Script) -> None:
    playbook = published(script.uploaded_by, approval=ASK)
    replace(script, NEW)
    assert run_now(playbook, alert_of()).status == "unsuccessful"
    assert not Approval.objects.exists()


def test_16_a_script_that_is_gone_does_not_run(tiny: Range, playbook: Playbook, script: Script) -> None:
    remove(script)
    task = only_task(run_now(playbook, alert_of()))
    assert (task.status, tiny.done) == ("unsuccessful", [])
    assert task.reason.startswith("fix.ps1 was removed since version 1 of this playbook was published")


def test_16_replaced_while_it_waits_for_an_approval(tiny: Range, script: Script, responder: User) -> None:
    run = run_now(published(script.uploaded_by, approval=ASK), alert_of())
    replace(script, NEW)
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    task = only_task(run)
    assert (task.status, tiny.done) == ("unsuccessful", [])
    assert "was replaced since version 1 of this playbook was published" in task.reason


def test_16_a_retry_brings_no_other_text(tiny: Range, playbook: Playbook, script: Script, responder: User) -> None:
    replace(script, NEW)
    run = run_now(playbook, alert_of())
    retry(Actor.of(responder), run)
    work()
    assert (only_task(run).status, tiny.done) == ("unsuccessful", [])


def test_17a_nor_does_sending_it_again(tiny: Range, playbook: Playbook, script: Script, responder: User) -> None:
    """Who presses a button beside a failed task has not read another text."""
    replace(script, NEW)
    task = only_task(run_now(playbook, alert_of()))
    with pytest.raises(Conflict, match="respond by hand"):
        resend(Actor.of(responder), task.pk)
    assert (ResponseTask.objects.count(), tiny.done) == (1, [])


def test_16_the_same_text_under_the_name_again_runs(tiny: Range, playbook: Playbook, script: Script) -> None:
    replace(script, NEW)
    replace(script, OLD)
    assert run_now(playbook, alert_of()).status == "successful"
    assert texts(tiny) == [OLD]


def test_16_publishing_again_brings_the_new_text(tiny: Range, playbook: Playbook, script: Script, author: User) -> None:
    replace(script, NEW)
    assert publishing.publish(Actor.of(author), playbook).number == 2
    assert run_now(playbook, alert_of()).status == "successful"
    assert texts(tiny) == [NEW]
    assert publishing.publish(Actor.of(author), playbook).number == 2, "nothing has changed since"
    replace(script, OLD)
    assert publishing.publish(Actor.of(author), playbook).number == 1, "the same graph with the same text is version 1"


def test_16_a_run_under_way_keeps_its_version(tiny: Range, script: Script, author: User, responder: User) -> None:
    """Published again while it waits: it goes on with what it began with, which is there no more."""
    playbook = published(author, approval=ASK)
    run = run_now(playbook, alert_of())
    replace(script, NEW)
    Playbook.objects.update(enabled=False)  # there is no mail, which hinders what is on
    assert publishing.publish(Actor.of(author), playbook).number == 2
    approvals.approve(Actor.of(responder), Approval.objects.get().pk)
    work()
    assert (only_task(run).status, tiny.done) == ("unsuccessful", [])


def test_16_versions_of_before_take_the_text_of_now(tiny: Range, playbook: Playbook, script: Script) -> None:
    PlaybookVersion.objects.update(scripts=None)
    replace(script, NEW)
    assert run_now(playbook, alert_of()).status == "successful"
    assert texts(tiny) == [NEW]


def test_16_a_dry_run_says_it_too(tiny: Range, playbook: Playbook, script: Script) -> None:
    replace(script, NEW)
    task = only_task(run_now(playbook, alert_of(), dry_run=True))
    assert (task.status, tiny.done) == ("unsuccessful", [])
    assert "was replaced since version 1" in task.reason


# -- what authors see


def test_16_the_author_sees_it_and_others_do_not(
    tiny: Range, playbook: Playbook, script: Script, as_author: Client, as_viewer: Client
) -> None:
    page, edit = f"/playbooks/{playbook.pk}/", f"/playbooks/{playbook.pk}/edit/"
    for url in (page, edit):
        assert "was replaced" not in text_of(as_author.get(url))
    assert "Published as it is" in text_of(as_author.get(edit))
    replace(script, NEW)
    for url in (page, edit):
        assert REPLACED in text_of(as_author.get(url))
    assert "Publish version 2" in text_of(as_author.get(edit))
    assert "was replaced" not in text_of(as_viewer.get(page)), "they can do nothing about it"
    replace(script, OLD)
    for url in (page, edit):
        assert "was replaced" not in text_of(as_author.get(url))


def test_16_publishing_again_from_the_builder(
    tiny: Range, playbook: Playbook, script: Script, as_author: Client
) -> None:
    replace(script, NEW)
    assert as_author.post(f"/playbooks/{playbook.pk}/publish/", {"draft": 1}).status_code == 302
    text = text_of(as_author.get(f"/playbooks/{playbook.pk}/edit/"))
    assert "Version 2 is published." in text and "was replaced" not in text


def test_16_removed_hinders_publishing_as_before(
    tiny: Range, playbook: Playbook, script: Script, as_author: Client
) -> None:
    remove(script)
    text = text_of(as_author.get(f"/playbooks/{playbook.pk}/edit/"))
    assert "There is no script named fix.ps1." in text
    assert "fix.ps1 was removed since version 1 was published" in text
    assert as_author.post(f"/playbooks/{playbook.pk}/publish/", {"draft": 1}).status_code == 400


def test_15_it_is_not_switched_on_with_a_replaced_script(
    tiny: Range, playbook: Playbook, script: Script, author: User
) -> None:
    definitions.disable(Actor.of(author), playbook)
    replace(script, NEW)
    with pytest.raises(Conflict, match=r"fix\.ps1 was replaced since version 1 was published"):
        definitions.enable(Actor.of(author), playbook)
    publishing.publish(Actor.of(author), playbook)
    assert definitions.enable(Actor.of(author), playbook).enabled


def test_28_the_api_says_what_a_version_brings(tiny: Range, playbook: Playbook, script: Script, author: User) -> None:
    api = Api(author)
    rows = api.get(f"/playbooks/{playbook.pk}/versions/").json()["results"]
    assert [row["scripts"] for row in rows] == [{"fix.ps1": script.sha256}]
    assert "scripts" not in rows[0]["definition"], "the graph stays as rulings 13 has it"
    assert api.get(f"/playbooks/{playbook.pk}/").json()["warnings"] == []
    replace(script, NEW)
    assert api.get(f"/playbooks/{playbook.pk}/").json()["warnings"] == [REPLACED]


def test_28_versions_that_differ_in_a_script_alone_are_not_alike(
    tiny: Range, playbook: Playbook, script: Script, as_author: Client, author: User
) -> None:
    fresh = replace(script, NEW)
    url = f"/playbooks/{playbook.pk}/versions/"
    waiting = text_of(as_author.get(url))
    assert "Text of the script" in waiting and fresh.sha256[:12] in waiting, "the draft, with the text of now"
    publishing.publish(Actor.of(author), playbook)
    text = text_of(as_author.get(f"{url}?from=1&to=2"))
    assert "Text of the script" in text and script.sha256[:12] in text and fresh.sha256[:12] in text


def test_28_a_restored_version_says_that_its_script_is_another_one(
    tiny: Range, playbook: Playbook, script: Script, as_author: Client, author: User
) -> None:
    graphs.change_draft(
        Actor.of(author), playbook, lambda g: read({**export(playbook), "description": "B"})[0], number=None
    )
    replace(script, NEW)
    assert publishing.publish(Actor.of(author), playbook).number == 2
    as_author.post(f"/playbooks/{playbook.pk}/versions/1/restore/")
    text = text_of(as_author.get(f"/playbooks/{playbook.pk}/edit/"))
    assert "The draft is version 1 again." in text
    assert "not as they were in version 1: fix.ps1." in text
    made = publishing.publish(Actor.of(author), playbook)
    assert (made.number, made.definition["description"]) == (3, "")
    assert run_now(playbook, alert_of()).status == "successful"
    assert texts(tiny) == [NEW]


def test_28_an_import_brings_no_scripts_and_is_published_with_those_of_here(
    tiny: Range, playbook: Playbook, script: Script, author: User
) -> None:
    document = export(playbook)
    fresh = replace(script, NEW)
    made = import_graph(Actor.of(author), {**document, "name": "Imported"})
    assert publishing.publish(Actor.of(author), made).scripts == {"fix.ps1": fresh.sha256}


def test_29_a_rehearsal_is_of_the_draft_with_the_scripts_of_now(
    tiny: Range, playbook: Playbook, script: Script, responder: User, blue: Any, as_author: Client
) -> None:
    replace(script, NEW)
    alert = Alert.objects.get(pk=blue_alert(blue).pk)
    made = rehearse(playbook, graphs.draft_of(playbook), alert, responder)
    assert [deed.requests[0]["body"]["params"]["text"] for deed in made.deeds] == [NEW]
    page = text_of(as_author.get(f"/playbooks/{playbook.pk}/rehearse/?alert={alert.number}"))
    assert "Text of the script" in page, "it differs from the version that runs"
    assert not Run.objects.exists()
