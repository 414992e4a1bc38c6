"""The list of playbooks shows both kinds (response-playbooks.md 28), and what keeps a drawn one from running."""

from __future__ import annotations

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from cases.actors import Actor
from playbooks.actions import graph_files, graphs
from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from tests.drawn import action, drawn, graph, published, tag
from tests.factories import make_alert, make_source
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder
from tests.playbook_pages import PLAIN, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db


def row_of(text: str, row: Playbook) -> str:
    """The line of one playbook."""
    found = re.search(rf'<tr id="playbook-{row.pk}".*?</tr>', text, re.S)
    assert found is not None, f"{row.name} is not listed"
    return found[0]


def test_28_both_kinds_with_what_is_asked_of_each(folder: Folder, author: User, blue: Team) -> None:
    folder.load(PLAIN)
    make_source()
    row = published(author, graph("Contain", tag("a1", "seen")), on=True)
    alert = make_alert(source=make_source(team=blue))
    Run.objects.create(playbook=row, alert=alert, trigger="manual", cause="11111111-1111-1111-1111-111111111111")
    text = text_of(client_of(author).get("/playbooks/"))
    line = row_of(text, row)
    for words in (
        "Response",
        "Automatic or manual",
        "Tomas Iversen",
        "version 1",
        f"/runs/?playbook={row.pk}",
        "Queued",
    ):
        assert words in line
    assert " checked" in line
    assert "Python" in row_of(text, Playbook.objects.get(kind="python"))


def test_15_why_one_cannot_be_enabled_with_a_link(author: User) -> None:
    make_source()
    row = published(author, graph("Isolate", action("a1", "isolate_endpoint", risk=("unrated",))))
    line = row_of(text_of(client_of(author).get("/playbooks/")), row)
    assert "Cannot be enabled:" in line and "Isolate endpoint is not available" in line
    assert "Set it up" in line


def test_a_draft_that_was_never_published_has_no_switch(author: User) -> None:
    row = drawn(author, graph("Draft"))
    line = row_of(text_of(client_of(author).get("/playbooks/")), row)
    assert "never published" in line and " disabled" in line


def test_narrowing_and_what_was_put_away(folder: Folder, author: User) -> None:
    folder.load(PLAIN)
    row, away = drawn(author, graph("Contain")), drawn(author, graph("Old one"))
    graphs.archive(Actor.of(author), away)
    browser = client_of(author)
    only = text_of(browser.get("/playbooks/?kind=response"))
    assert f'id="playbook-{row.pk}"' in only and "plain" not in only
    assert f'id="playbook-{away.pk}"' not in only and "1 put away" in only
    assert f'id="playbook-{away.pk}"' in text_of(browser.get("/playbooks/?away=1"))
    assert "Nothing matches" in text_of(browser.get("/playbooks/?q=nowhere"))


def test_who_may_not_write_is_offered_nothing(as_viewer: Client, author: User) -> None:
    drawn(author, graph("Contain"))
    text = text_of(as_viewer.get("/playbooks/"))
    assert "New playbook" not in text and "Import" not in text
    assert as_viewer.get("/playbooks/templates/").status_code == 403
    assert as_viewer.get("/playbooks/import/").status_code == 403


def test_a_new_one_opens_the_builder(author: User) -> None:
    answer = client_of(author).post("/playbooks/new/")
    row = Playbook.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/playbooks/{row.pk}/edit/")
    client_of(author).post("/playbooks/new/")
    assert sorted(Playbook.objects.values_list("name", flat=True)) == ["New playbook", "New playbook (2)"]


def test_28_the_gallery_has_at_least_six_and_makes_drafts(author: User) -> None:
    browser = client_of(author)
    text = text_of(browser.get("/playbooks/templates/"))
    slugs = re.findall(r'name="template" value="([^"]+)"', text)
    assert len(slugs) >= 6
    wanted = {"phishing", "malware_on_host", "account_takeover", "command_and_control", "suspicious_process"}
    assert wanted | {"cloud_key_leak"} <= set(slugs)
    browser.post("/playbooks/new/", {"template": "phishing", "name": "Ours", "tell": "soc@example.com"})
    row = Playbook.objects.get(name="Ours")
    assert "soc@example.com" in json.dumps(row.draft)
    assert not row.enabled
    assert browser.post("/playbooks/new/", {"template": "nowhere"}).status_code == 404


def test_28_import_by_file_and_by_text(author: User) -> None:
    browser, row = client_of(author), drawn(author, graph("Contain", tag("a1", "seen")))
    exported = browser.get(f"/playbooks/{row.pk}/export/")
    assert exported["Content-Disposition"] == 'attachment; filename="contain.json"'
    file = SimpleUploadedFile("contain.json", exported.content, content_type="application/json")
    taken = text_of(browser.post("/playbooks/import/", {"file": file}), 400)
    assert "already a playbook called" in taken
    answer = browser.post("/playbooks/import/", {"text": exported.content.decode(), "rename": "1"})
    assert answer.status_code == 302
    assert Playbook.objects.get(name="Contain (2)").draft["nodes"] == graph_files.export(row)["nodes"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Choose a file"),
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("[]", "must be an object"),
        ('{"name": "x"}', "has no trigger"),
        (json.dumps(graph("x", tag("a1", "t", parent="gone"))), "gone"),
    ],
)
def test_28_importing_nonsense_says_why(author: User, text: str, said: str) -> None:
    shown = text_of(client_of(author).post("/playbooks/import/", {"text": text}), 400)
    assert said in shown and "Nothing was imported." in shown
    assert not Playbook.objects.exists()


def test_31_cacao_is_downloaded_once_published(author: User) -> None:
    browser = client_of(author)
    draft = drawn(author, graph("Draft"))
    assert browser.get(f"/playbooks/{draft.pk}/cacao/").status_code == 409
    row = published(author, graph("Contain", tag("a1", "seen")))
    answer = browser.get(f"/playbooks/{row.pk}/cacao/")
    assert json.loads(answer.content)["spec_version"] == "cacao-2.0"
    assert 'filename="contain.cacao.json"' in answer["Content-Disposition"]
