"""The page of one playbook: code, versions and their difference, running it by hand."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from playbooks.models import Playbook, Run
from soar.accounts.models import Team, User
from tests.factories import make_incident
from tests.fixtures import client_of
from tests.playbook_files import Folder, folder, work
from tests.playbook_pages import EVIL, HTMX, PLAIN, blue_alert, done_run, text_of

__all__ = ["folder"]
pytestmark = pytest.mark.django_db(transaction=True)
BY_TRIGGER = """
@playbook(trigger="incident", conditions={"title": "never"})
async def on_incident(incident):
    return incident["number"]

@playbook(trigger="manual")
async def by_hand(subject):
    return dict(subject).get("number")

@playbook(trigger="schedule", cron="30 6 * * *")
async def by_clock(nothing):
    return "clock"
"""


def page(browser: Client, playbook: Playbook, query: str = "") -> str:
    """The text of its page."""
    return text_of(browser.get(f"/playbooks/{playbook.pk}/{query}"))


def test_what_it_is_and_its_code(folder: Folder, blue: Team, as_viewer: Client) -> None:
    run = done_run(folder, blue)
    text = page(as_viewer, run.playbook)
    for words in ("Looks a host up.", "New alert", "never", "1000", "Go on", "one.py", "async def look_up",
                  f"/runs/{run.pk}/", "version 1", "Analyst", "may run playbooks"):  # fmt: skip
        assert words in text
    assert str(folder.path) in text
    assert "/run/" not in text


def test_code_is_text(folder: Folder, as_viewer: Client) -> None:
    folder.load(PLAIN + f'\nNOTE = "{EVIL}"\n')
    text = page(as_viewer, Playbook.objects.get())
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


def test_versions_and_their_difference(folder: Folder, as_viewer: Client) -> None:
    folder.load(PLAIN)
    folder.load(PLAIN.replace("Looks a host up.", "Looks <i>it</i> up."))
    playbook = Playbook.objects.get()
    text = page(as_viewer, playbook)
    assert "version 2, in use" in text
    assert "2 versions" in text
    assert "Looks a host up." not in text
    assert "Looks a host up." in page(as_viewer, playbook, "?version=1")
    difference = page(as_viewer, playbook, "?from=1&to=2")
    assert '<span class="t-red fg">-@playbook' in difference
    assert "Looks &lt;i&gt;it&lt;/i&gt; up." in difference
    assert "These two are alike" in page(as_viewer, playbook, "?from=1&to=1")
    region = text_of(as_viewer.get(f"/playbooks/{playbook.pk}/?from=1&to=2", headers=HTMX))
    assert region.startswith('<section class="sect stack" id="versions"')


@pytest.mark.parametrize("query", ["?version=9", "?version=x", "?from=1&to=99", "?from=&to=", "?version=" + "9" * 30])
def test_versions_that_are_none(folder: Folder, as_viewer: Client, query: str) -> None:
    folder.load(PLAIN)
    assert "async def look_up" in page(as_viewer, Playbook.objects.get(), query)


def test_a_long_file_is_cut(folder: Folder, as_viewer: Client) -> None:
    folder.load(PLAIN + "\n".join(f"# <line {number}>" for number in range(9000)))
    text = page(as_viewer, Playbook.objects.get())
    assert "Only the beginning is shown" in text
    assert len(text) < 100_000


def test_run_by_hand(folder: Folder, blue: Team, as_analyst: Client, analyst: User) -> None:
    folder.load(PLAIN)
    alert, pk = blue_alert(blue), Playbook.objects.get().pk
    answer = as_analyst.post(f"/playbooks/{pk}/run/", {"subject": f" {alert.number.lower()} "})
    run = Run.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    assert (run.alert, run.started_by, run.acting_user, run.dry_run) == (alert, analyst, analyst, False)
    work()
    run.refresh_from_db()
    assert run.status == "successful"
    dry = as_analyst.post(f"/playbooks/{pk}/run/", {"subject": str(alert.pk), "dry_run": "on"}, headers=HTMX)
    latest = Run.objects.latest("pk")
    assert (dry["HX-Redirect"], latest.dry_run) == (f"/runs/{latest.pk}/", True)
    assert "dry run" in text_of(as_analyst.get("/runs/"))
    assert "Dry run: nothing is changed" in text_of(as_analyst.get(f"/runs/{latest.pk}/"))


@pytest.mark.parametrize(
    ("subject", "told"),
    [("", "Write the number"), ("ALR-999999", "There is no alert"), ("nonsense", "There is no"),
     ("INC-1", "There is no incident"), ("ALR-" + "9" * 30, "There is no"), ("x" * 50, "at most 40"),
     ("A\x00LR", "Null characters")],
)  # fmt: skip
def test_a_wrong_number_is_told_beside_the_field(folder: Folder, as_analyst: Client, subject: str, told: str) -> None:
    folder.load(PLAIN)
    url = f"/playbooks/{Playbook.objects.get().pk}/run/"
    text = text_of(as_analyst.post(url, {"subject": subject}, headers=HTMX), 422)
    assert told in text.split('id="id_subject-error"')[1].split("</p>")[0]
    whole = text_of(as_analyst.post(url, {"subject": subject}), 400)
    assert told in whole
    assert "async def look_up" in whole
    assert not Run.objects.exists()


def test_on_what_each_kind_runs(folder: Folder, blue: Team, as_analyst: Client) -> None:
    folder.load(BY_TRIGGER)
    alert, incident = blue_alert(blue), make_incident("It", team=blue)
    ids = dict(Playbook.objects.values_list("name", "pk"))
    for name, subject, expected in (
        ("on_incident", str(incident.pk), incident.number), ("on_incident", incident.number, incident.number),
        ("by_hand", alert.number, alert.number), ("by_hand", incident.number, incident.number), ("by_hand", "", None),
        ("by_clock", "", "clock"),
    ):  # fmt: skip
        assert as_analyst.post(f"/playbooks/{ids[name]}/run/", {"subject": subject}).status_code == 302, name
        work()
        assert Run.objects.latest("pk").result == expected
    wrong = text_of(as_analyst.post(f"/playbooks/{ids['on_incident']}/run/", {"subject": alert.number}), 400)
    assert "runs on an incident" in wrong
    assert 'name="subject"' not in text_of(as_analyst.get(f"/playbooks/{ids['by_clock']}/"))


def test_who_may_run_and_how(
    folder: Folder, blue: Team, as_viewer: Client, as_stranger: Client, as_analyst: Client, nobody: User, client: Client
) -> None:
    folder.load(PLAIN)
    alert, pk = blue_alert(blue), Playbook.objects.get().pk
    url, given = f"/playbooks/{pk}/run/", {"subject": alert.number}
    assert as_analyst.get(url).status_code == 405
    assert as_analyst.post(f"/playbooks/{pk + 9}/run/", given).status_code == 404
    assert client.post(url, given).status_code == 302
    assert client_of(nobody).post(url, given).status_code == 403
    assert "There is no alert" in text_of(as_stranger.post(url, given), 400)
    refused = text_of(as_viewer.post(url, given), 403)
    assert "permission to run playbooks is missing" in refused
    assert not Run.objects.exists()


def test_a_disabled_one_runs_not_even_by_hand(folder: Folder, blue: Team, as_analyst: Client) -> None:
    folder.load(PLAIN)
    Playbook.objects.update(enabled=False)
    playbook = Playbook.objects.get()
    assert "It starts nothing. It is disabled." in page(as_analyst, playbook)
    given = {"subject": blue_alert(blue).number}
    assert as_analyst.post(f"/playbooks/{playbook.pk}/run/", given).status_code == 400
    assert not Run.objects.exists()


def test_unknown_ones(folder: Folder, as_viewer: Client, nobody: User) -> None:
    for pk in (999, 10**25):
        assert as_viewer.get(f"/playbooks/{pk}/").status_code == 404
    assert client_of(nobody).get("/playbooks/").status_code == 403


def test_few_queries(
    folder: Folder, blue: Team, as_admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    run = done_run(folder, blue)
    page(as_admin, run.playbook)
    with django_assert_max_num_queries(19):
        page(as_admin, run.playbook, "?from=1&to=1")
