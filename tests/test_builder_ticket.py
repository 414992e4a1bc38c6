"""The builder's form: the incident that is sent to ServiceNow, the result ticket (response-playbooks.md 6, 23)."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from django.test import Client

from cases.models import ServiceNowInstance, TicketProfile
from playbooks.models import Playbook
from soar.accounts.models import User
from tests.drawn import drawn, graph
from tests.fixtures import client_of
from tests.playbook_pages import text_of
from tests.test_builder_page import TARGET, edit, saved, send
from tests.ticket_profiles import make_instance, make_profile

pytestmark = pytest.mark.django_db
NETWORK = {"value": "f" * 32, "label": "Network Team"}


@pytest.fixture
def profile(db: None) -> TicketProfile:
    return make_profile(make_instance(), short_description="{{ number }}: look")


def telling(author: User, **params: Any) -> Playbook:
    """A playbook with one notification, n1; with ``params`` it sends a ticket."""
    use = [{"action": "ticket", "params": params}] if params else []
    node = {"id": "n1", "type": "notify", "parent": "target", "side": "right", "actions": use}
    return drawn(author, graph("Tell", node))


def ticket(row: Playbook) -> Any:
    """What is saved of the ticket."""
    (use,) = saved(row)["nodes"][0]["actions"]
    return use["params"]


def value(text: str, name: str) -> str:
    """What stands in a text field of the form."""
    found = re.search(rf'name="{re.escape(name)}" type="text" value="([^"]*)"', text)
    assert found, name
    return html.unescape(found[1])


def sent(client: Client, row: Playbook, do: str = "apply", **fields: str) -> Any:
    values = {f"ticket.{name.replace('__', '.')}": text for name, text in fields.items()}
    return send(client, row, "n1", do, values={"action": "ticket", **values})


def test_23_the_settings_of_the_chosen_profile_load(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = telling(author)
    text = text_of(sent(as_author, row, "refresh", profile="Security", profile__was=""))
    assert value(text, "ticket.assignment_group") == "Security Operations"
    assert value(text, "ticket.short_description") == "{{ number }}: look"
    assert value(text, "ticket.assigned_to") == ""
    assert saved(row)["nodes"][0]["actions"] == [], "showing is not saving"


def test_23_what_was_not_changed_stays_the_profiles(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = telling(author)
    answer = sent(
        as_author, row, profile="Security", profile__was="Security",
        assignment_group="Security Operations", assignment_group__loaded="Security Operations",
        short_description="{{ number }}: look", short_description__loaded="{{ number }}: look", assigned_to="",
    )  # fmt: skip
    assert answer.status_code == 302
    assert ticket(row) == {"profile": "Security"}


def test_23_an_edit_overrides_for_this_playbook_only(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = telling(author)
    sent(
        as_author, row, profile="Security", profile__was="Security", assignment_group="Network Team",
        assignment_group__loaded="Security Operations", assigned_to="o.strand",
    )  # fmt: skip
    assert ticket(row) == {"profile": "Security", "assignment_group": "Network Team", "assigned_to": "o.strand"}
    text = text_of(as_author.get(edit(row, "n1")))
    assert value(text, "ticket.assignment_group") == "Network Team"
    assert "For this playbook only; the profile has: Security Operations" in html.unescape(text)
    profile.refresh_from_db()
    assert profile.assignment_group["label"] == "Security Operations"


def test_23_another_profile_brings_its_own_settings(as_author: Client, author: User, profile: TicketProfile) -> None:
    make_profile(profile.instance, "Network", "sn_si_incident", assignment_group=NETWORK)
    row = telling(author, profile="Security", assignment_group="Mine")
    given = {"profile": "Network", "profile__was": "Security", "assignment_group": "Mine"}
    text = text_of(sent(as_author, row, "refresh", **given))
    assert value(text, "ticket.assignment_group") == "Network Team"
    sent(as_author, row, **given)
    assert ticket(row) == {"profile": "Network"}


def test_23_without_a_profile_nothing_is_saved(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = telling(author)
    answer = sent(as_author, row, profile="")
    assert answer.status_code == 400 and "Ticket profile is empty." in text_of(answer, 400)
    assert saved(row)["nodes"][0]["actions"] == []


def test_23_a_profile_that_is_gone_stays_visible_until_another_is_chosen(as_author: Client, author: User) -> None:
    row = telling(author, profile="Old one")
    text = text_of(as_author.get(edit(row, "n1")))
    assert "Old one (not there)" in text and "There is no ticket profile named Old one." in text


def test_23_a_profile_is_created_from_the_form_and_leads_back(as_author: Client, author: User, admin: User) -> None:
    make_instance()
    row = telling(author)
    assert "Create a ticket profile" not in text_of(as_author.get(edit(row, "n1"))), "for who may"
    browser = client_of(admin)
    text = html.unescape(text_of(browser.get(edit(row, "n1"))))
    found = re.search(r'href="(/servicenow/profiles/new/\?next=[^"]+)">Create a ticket profile', text)
    assert found
    assert browser.get(found[1]).status_code == 200
    made = make_profile(ServiceNowInstance.objects.get())
    page = html.unescape(text_of(browser.get(f"/servicenow/profiles/{made.pk}/")))
    back = f"/playbooks/{row.pk}/edit/?node=n1"
    assert f'id="back" href="{back}"' in page
    assert 'value="Security"' in text_of(browser.get(back))
    assert 'id="back"' not in text_of(browser.get(f"/servicenow/profiles/{made.pk}/")), "who is back is back"


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_the_way_back_is_ours(admin: User, profile: TicketProfile, url: str) -> None:
    browser = client_of(admin)
    browser.get("/servicenow/profiles/new/", {"next": url})
    assert 'id="back"' not in text_of(browser.get(f"/servicenow/profiles/{profile.pk}/"))


def test_23_an_approval_is_for_the_ticket(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = telling(author)
    values = {
        "action": "email",
        "email.recipients": "a@b.example",
        "approval.on": "1",
        "approval.recipients": "c@d.example",
    }
    answer = send(as_author, row, "n1", values=values)
    assert answer.status_code == 400
    assert "Only a ServiceNow ticket waits for an approval" in text_of(answer, 400)
    values |= {"action": "ticket", "ticket.profile": "Security"}
    assert send(as_author, row, "n1", values=values).status_code == 302
    assert saved(row)["nodes"][0]["approval"]["recipients"] == ["c@d.example"]


def test_6_the_incident_is_sent_by_a_profile(as_author: Client, author: User, profile: TicketProfile) -> None:
    row = drawn(author, graph("Contain"))
    on = {**TARGET, "incident.on": "1", "incident.send": "1"}
    answer = send(as_author, row, "target", values={**on, "incident.profile": ""})
    assert answer.status_code == 400 and "Choose the ticket profile by which it is sent." in text_of(answer, 400)
    assert send(as_author, row, "target", values={**on, "incident.profile": "Security"}).status_code == 302
    assert saved(row)["target"]["open_incident"]["ticket_profile"] == "Security"
    off = {**TARGET, "incident.on": "1", "incident.profile": "Security"}
    send(as_author, row, "target", values=off)
    assert saved(row)["target"]["open_incident"]["ticket_profile"] is None


def test_6_a_profile_that_is_off_hinders_only_the_switch(
    as_author: Client, author: User, profile: TicketProfile
) -> None:
    TicketProfile.objects.update(enabled=False)
    row = drawn(author, graph("Contain"))
    values = {**TARGET, "incident.on": "1", "incident.send": "1", "incident.profile": "Security"}
    answer = send(as_author, row, "target", values=values)
    assert answer.status_code == 302
    text = html.unescape(text_of(as_author.get(edit(row))))
    assert "The ticket profile Security makes no tickets: it is disabled." in text
    assert "Security (it is disabled)" in text
