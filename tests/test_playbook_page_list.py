"""The list of playbooks: figures, files that cannot be loaded, the switch, reloading."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder
from tests.playbook_pages import HTMX, PLAIN, blue_alert, done_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
RICH = """
@playbook(conditions={"severity": ["high", "critical"], "tags": ["a", "b", "c", "d", "e", "f"]}, order=7,
          description="Says <b>it</b>.")
async def rich(alert):
    pass

@playbook(trigger="schedule", cron="30 6 * * 1-5", enabled=False)
async def morning(nothing):
    pass
"""


def test_what_starts_it_in_words(folder: Folder, as_viewer: Client) -> None:
    folder.load(RICH)
    text = text_of(as_viewer.get("/playbooks/"))
    for words in ("severity is high or critical", "tags is a, b, c or 3 more", "New alert", "30 6 * * 1-5", "one.py",
                  "Says &lt;b&gt;it&lt;/b&gt;.", "Never ran", "1 enabled"):  # fmt: skip
        assert words in text


def test_figures_of_thirty_days(folder: Folder, blue: Team, as_analyst: Client, as_stranger: Client) -> None:
    run = done_run(folder, blue)
    now = timezone.now()
    for status, age, seconds in (
        ("successful", 1, 3),
        ("unsuccessful", 2, 5),
        ("cancelled", 2, 90),
        ("successful", 40, 9),
    ):
        made = Run.objects.create(
            playbook=run.playbook, alert=run.alert, trigger="manual", cause=run.cause, status=status
        )
        at = now - timedelta(days=age)
        Run.objects.filter(pk=made.pk).update(queued_at=at, started_at=at, finished_at=at + timedelta(seconds=seconds))
    Run.objects.filter(pk=run.pk).update(started_at=now, finished_at=now + timedelta(seconds=1))
    text = text_of(as_analyst.get("/playbooks/"))
    assert (
        f'href="/runs/?playbook={run.playbook_id}&amp;time=30d"' in text
        or f"?playbook={run.playbook_id}&time=30d" in text
    )
    for words in (">4</a>", "66 %", "3.0 s"):
        assert words in text
    assert "Never ran" in text_of(as_stranger.get("/playbooks/"))


def test_a_file_that_cannot_be_loaded_breaks_nothing_else(folder: Folder, as_viewer: Client) -> None:
    folder.write("import nothing_of_that_name", "guest/wifi.py")
    folder.load(PLAIN)
    text = text_of(as_viewer.get("/playbooks/"))
    for words in ("guest/wifi.py", "Cannot be loaded", "ModuleNotFoundError", "Traceback", ">plain</a>"):
        assert words in text
    assert str(folder.path.parent) not in text.split("<details")[0]


def test_a_playbook_whose_file_broke_keeps_its_row(folder: Folder, as_admin: Client) -> None:
    folder.load(PLAIN)
    folder.load("def (:")
    text = text_of(as_admin.get("/playbooks/"))
    assert text.count("SyntaxError") == 1
    assert "The other files run as before" in text
    pk = Playbook.objects.get().pk
    refused = text_of(as_admin.post(f"/playbooks/{pk}/enable/", headers=HTMX), 409)
    assert "cannot be enabled" in refused


def test_deactivated_with_its_reason(folder: Folder, as_viewer: Client) -> None:
    folder.load(PLAIN)
    Playbook.objects.update(deactivated_reason="the account of Nils Haug was disabled.")
    text = text_of(as_viewer.get("/playbooks/"))
    assert "Deactivated:" in text
    assert "the account of Nils Haug was disabled." in text


def test_empty_says_where_to_put_a_file(folder: Folder, as_viewer: Client) -> None:
    text = text_of(as_viewer.get("/playbooks/"))
    for words in ("No playbooks yet", "SOAR_PLAYBOOK_DIRS", "from playbooks import", str(folder.path)):
        assert words in text


def test_switch(folder: Folder, author: User) -> None:
    folder.load(PLAIN)
    browser, pk = client_of(author), Playbook.objects.get().pk
    assert browser.post(f"/playbooks/{pk}/disable/")["Location"] == "/playbooks/"
    assert not Playbook.objects.get().enabled
    assert "is disabled" in text_of(browser.get("/playbooks/"))
    for _ in range(2):
        text = text_of(browser.post(f"/playbooks/{pk}/enable/", headers=HTMX))
        assert text.startswith(f'<tr id="playbook-{pk}"')
        assert f"/playbooks/{pk}/disable/" in text
        assert 'id="playbook-counts" hx-swap-oob="true"' in text
        assert "1 enabled" in text
        assert Playbook.objects.get().enabled
    assert browser.post(f"/playbooks/{pk}/disable/", {"from": "page"})["Location"] == f"/playbooks/{pk}/"


@pytest.mark.parametrize("verb", ["enable", "disable", "reload"])
def test_who_may_and_how(
    folder: Folder, as_analyst: Client, as_viewer: Client, as_admin: Client, nobody: User, client: Client, verb: str
) -> None:
    folder.load(PLAIN)
    pk = Playbook.objects.get().pk
    url = "/playbooks/reload/" if verb == "reload" else f"/playbooks/{pk}/{verb}/"
    assert as_admin.get(url).status_code == 405
    for browser in (as_analyst, as_viewer):
        refused = browser.post(url)
        assert (refused.status_code, "permission to write and" in refused.content.decode()) == (403, True)
    assert client_of(nobody).post(url).status_code == 403
    assert client.post(url).status_code == 302
    assert Playbook.objects.get().enabled
    if verb != "reload":
        assert as_admin.post(f"/playbooks/{pk + 99}/{verb}/").status_code == 404
        assert as_admin.post(f"/playbooks/{10**25}/{verb}/").status_code == 404


def test_whoever_may_not_switch_is_told_who_may(folder: Folder, as_viewer: Client) -> None:
    folder.load(PLAIN)
    text = text_of(as_viewer.get("/playbooks/"))
    assert "Playbook author, Admin may switch and reload playbooks." in text
    assert "Reload from files</button>" not in text
    assert " disabled" in text.split('role="switch"')[1].split(">")[0]


def test_reload_says_what_came_out(folder: Folder, as_admin: Client) -> None:
    folder.write(PLAIN)
    folder.write("def (:", "broken.py")
    text = text_of(as_admin.post("/playbooks/reload/", headers=HTMX))
    for words in ("1 playbook loaded, 1 file or function cannot be used.", ">plain</a>", "broken.py", 'id="toasts"'):
        assert words in text
    assert as_admin.post("/playbooks/reload/")["Location"] == "/playbooks/"
    assert "1 playbook loaded" in text_of(as_admin.get("/playbooks/"))


def test_few_queries_however_many_playbooks(
    folder: Folder, blue: Team, as_admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    body = "@playbook(conditions={{'title': 'never'}})\nasync def p{0}(alert):\n    pass\n"
    folder.load("\n".join(body.format(number) for number in range(30)))
    alert = blue_alert(blue)
    for playbook in Playbook.objects.all():
        Run.objects.create(playbook=playbook, alert=alert, trigger="manual", cause=alert.cause)
    as_admin.get("/playbooks/")
    with django_assert_max_num_queries(19):
        text = text_of(as_admin.get("/playbooks/"))
    assert len(text) < 100_000
