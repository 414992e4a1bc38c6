"""Ticket profiles in the browser: the mapping editor from live choices, what is refused, what keeps them off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from cases.actions import servicenow_gaps, servicenow_profiles
from cases.actors import Actor
from cases.errors import Forbidden, Refused
from cases.models import MappingGap, ServiceNowInstance, TicketProfile
from soar.accounts.models import AuditEntry, User
from soar.connectors.models import ConnectorAccount
from soar.standins.servicenow import seed
from tests.factories import make_incident, make_source, make_team
from tests.servicenow_desk import Desk, desk

pytestmark = pytest.mark.django_db
EVIL = "<script>alert(1)</script>\"'>"
LIST = "/servicenow/profiles/"


@pytest.fixture
def here() -> Iterator[Desk]:
    cache.clear()
    with desk() as found:
        yield found


@pytest.fixture
def instance(here: Desk) -> ServiceNowInstance:
    return ServiceNowInstance.objects.create(account=here.account, slug="north")


@pytest.fixture
def profile(instance: ServiceNowInstance) -> TicketProfile:
    return servicenow_profiles.create(Actor.system(), name="Security", instance="north")


def away(here: Desk) -> None:
    """Nobody answers there any more."""
    here.do("down", seconds=600, how="drop")
    cache.clear()


def shown(client: Client, profile: TicketProfile) -> str:
    answer = client.get(f"{LIST}{profile.pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


class Controls(HTMLParser):
    """What a browser would send of the form with the id ``profile-form``."""

    def __init__(self) -> None:
        super().__init__()
        self.given: dict[str, Any] = {}
        self.inside, self.control = False, ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.inside = self.inside or (tag == "form" and found.get("id") == "profile-form")
        name = found.get("name", "") if self.inside else ""
        if tag in ("select", "textarea") and name:
            self.control, self.given[name] = name, ""
        elif tag == "option" and self.control and "selected" in found:
            self.given[self.control] = found["value"]
        elif tag == "input" and name and found.get("type") in ("checkbox", "radio"):
            if "checked" in found:
                self.given.setdefault(name, []).append(found.get("value", "on"))
        elif tag == "input" and name:
            self.given[name] = found.get("value", "")

    def handle_data(self, data: str) -> None:
        if self.control and self.lasttag == "textarea":
            self.given[self.control] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self.control = ""
        self.inside = self.inside and tag != "form"


def filled(text: str) -> dict[str, Any]:
    """What the page's form holds."""
    controls = Controls()
    controls.feed(text)
    given = controls.given
    return {**given, "description": given["description"].removeprefix("\n")}


def save(client: Client, profile: TicketProfile, **changes: Any) -> Any:
    """Change these controls of the page as it is, and send it."""
    given = {**filled(shown(client, profile)), **{name.replace("__", ":"): value for name, value in changes.items()}}
    return client.post(f"{LIST}{profile.pk}/", given)


def saved(client: Client, profile: TicketProfile, **changes: Any) -> TicketProfile:
    answer = save(client, profile, **changes)
    assert answer.status_code == 302, answer.content.decode().partition("errorline")[2][:500]
    return TicketProfile.objects.get(pk=profile.pk)


def refused(client: Client, profile: TicketProfile, **changes: Any) -> str:
    answer = save(client, profile, **changes)
    assert answer.status_code == 422
    assert TicketProfile.objects.get(pk=profile.pk).version == profile.version
    return str(answer.content.decode())


def beside(text: str, name: str) -> str:
    """What is said beside a control."""
    found = re.search(rf'name="{re.escape(name)}"[^>]*aria-describedby="([^"]+)"', text)
    assert found, f"nothing is said beside {name}"
    return re.search(rf'id="{found[1].split()[-1]}"[^>]*>(.*?)</p>', text, re.S)[1]  # type: ignore[index]


# --- who, and making one


@pytest.mark.parametrize("rest", ["", "new/", "{pk}/", "{pk}/copy/", "{pk}/enable/", "{pk}/disable/", "{pk}/delete/"])
def test_only_for_those_who_manage_connectors(
    as_analyst: Client, as_viewer: Client, profile: TicketProfile, rest: str
) -> None:
    path = LIST + rest.format(pk=profile.pk)
    for client in (as_analyst, as_viewer):
        assert client.post(path, {"name": "x"}).status_code in (403, 405)
        assert client.get(path).status_code in (403, 405)
    assert Client().get(path).status_code == 302
    assert TicketProfile.objects.get().name == "Security"


def test_the_actions_ask_too(analyst: User, profile: TicketProfile) -> None:
    actor = Actor.of(analyst)
    for act in (
        lambda: servicenow_profiles.create(actor, name="x", instance="north"),
        lambda: servicenow_profiles.update(actor, profile.pk, changes={"name": "x"}),
        lambda: servicenow_profiles.copy(actor, profile.pk, name="x", instance="north", table="incident"),
        lambda: servicenow_profiles.enable(actor, profile.pk),
        lambda: servicenow_profiles.disable(actor, profile.pk),
        lambda: servicenow_profiles.delete(actor, profile.pk),
    ):
        with pytest.raises(Forbidden):
            act()


def test_one_that_is_not_there(as_admin: Client, instance: ServiceNowInstance) -> None:
    for rest in ("", "copy/"):
        assert as_admin.get(f"{LIST}999999/{rest}").status_code == 404
    for rest in ("enable/", "disable/", "delete/"):
        assert as_admin.post(f"{LIST}999999/{rest}").status_code == 404
    assert as_admin.get(f"{LIST}{10**25}/").status_code == 404


def test_without_an_instance_the_pages_lead_to_one(as_admin: Client) -> None:
    for path in (LIST, f"{LIST}new/"):
        text = as_admin.get(path).content.decode()
        assert "An instance first" in text
        assert 'href="/servicenow/instances/new/"' in text


def test_made_off_with_the_maps_of_its_table(as_admin: Client, instance: ServiceNowInstance) -> None:
    form = {"name": "  Security,  EU ", "instance": "north", "table": "sn_si_incident"}
    answer = as_admin.post(f"{LIST}new/", form)
    made = TicketProfile.objects.get()
    assert answer["Location"] == f"{LIST}{made.pk}/"
    assert (made.name, made.table, made.enabled) == ("Security, EU", "sn_si_incident", False)
    assert made.maps["status"]["contained"] == "18"
    assert (made.note_field, made.directions["evidence"]) == ("work_notes", "off")
    text = as_admin.get(LIST).content.decode()
    assert "Security, EU" in text
    assert "when a person or playbook asks" in text
    assert AuditEntry.objects.filter(verb="servicenow.profile_created", target="Security, EU").count() == 1


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 101}, "name", "at most 100"),
        ({"name": "security"}, "name", "There is a profile of this name already."),
        ({"instance": "south"}, "instance", "Select a valid choice"),
        ({"table": "", "other_table": "u_nothing"}, "other_table", "Invalid table u_nothing"),
        ({"table": "", "other_table": ""}, "other_table", "The name of a table"),
        ({"table": "", "other_table": "incident;drop"}, "other_table", "The name of a table"),
        ({"table": "", "other_table": "t" * 81}, "other_table", "at most 80"),
    ],
)
def test_what_cannot_be_made(
    as_admin: Client, profile: TicketProfile, changes: dict[str, str], field: str, words: str
) -> None:
    form = {"name": "Other", "instance": "north", "table": "incident", **changes}
    answer = as_admin.post(f"{LIST}new/", form)
    assert answer.status_code == 422
    assert words in beside(answer.content.decode(), field)
    assert TicketProfile.objects.count() == 1


def test_a_table_is_taken_unseen_while_nobody_answers_but_not_switched_on(
    as_admin: Client, here: Desk, instance: ServiceNowInstance
) -> None:
    away(here)
    form = {"name": "Blind", "instance": "north", "table": "", "other_table": "u_case"}
    assert as_admin.post(f"{LIST}new/", form).status_code == 302
    profile = TicketProfile.objects.get()
    text = shown(as_admin, profile)
    assert "its choices were never read" in text
    assert "Switch on" not in text
    answer = as_admin.post(f"{LIST}{profile.pk}/enable/")
    assert answer.status_code == 422
    assert "could not be read yet" in answer.content.decode()
    assert not TicketProfile.objects.get().enabled


# --- the editor


def test_the_editor_offers_what_servicenow_has_now(as_admin: Client, here: Desk, profile: TicketProfile) -> None:
    text = shown(as_admin, profile)
    assert re.search(r'name="status:resolved".*?<option value="6" selected>Resolved \(6\)', text, re.S)
    assert re.search(r'name="close_code:malicious".*?<option value="Solution provided" selected>', text, re.S)
    assert 'name="state:8"' in text
    assert "does not answer" not in text


def test_saving_it_unchanged_changes_nothing(as_admin: Client, profile: TicketProfile) -> None:
    after = saved(as_admin, profile)
    assert after.version == 1
    assert after.maps == profile.maps
    assert (after.directions, after.winners) == (profile.directions, profile.winners)
    assert not AuditEntry.objects.filter(verb="servicenow.profile_changed").exists()


def test_everything_is_kept(as_admin: Client, profile: TicketProfile) -> None:
    team, source = make_team("Blue"), make_source("EDR")
    after = saved(
        as_admin,
        profile,
        name="Security, EU",
        order="5",
        caller="Soar Integration (soar.integration)",
        assignment_group="Security Operations",
        assigned_to="o.strand",
        category="network",
        short_description="{{ number }}: {{ title }}",
        description="{{ summary }}\n{{ url }}",
        status__contained="3",
        state__3="contained",
        impact__low="3",
        urgency__low="3",
        close_code__benign="User error",
        close_code__false_positive="Duplicate",
        dir__owner="out",
        win__severity="ask",
        extra_name__1="U_Customer",
        extra_text__1="{{ team }}",
        note_kinds=["comment", "task.completed"],
        note_field="comments",
        dir__evidence="out",
        on_repeat="new",
        automatic="on",
        severities=["critical", "high"],
        sources=[source.pk],
        **{f"group:{team.pk}": "Endpoint Team"},
    )
    assert (after.name, after.order, after.version) == ("Security, EU", 5, 2)
    assert after.caller == {"value": seed.user_id("soar.integration"), "label": "Soar Integration (soar.integration)"}
    assert after.assignment_group["label"] == "Security Operations"
    assert after.assigned_to["label"] == "Ola Strand (o.strand)"
    assert after.maps["status"]["contained"] == "3"
    assert after.maps["state"]["3"] == "contained"
    assert after.maps["severity"]["low"] == "3,3"
    assert after.maps["close_code"]["false_positive"] == "Duplicate"
    assert after.maps["group"][str(team.pk)]["label"] == "Endpoint Team"
    assert (after.directions["owner"], after.winners["severity"]) == ("out", "ask")
    assert after.extra == {"u_customer": "{{ team }}"}
    assert (after.note_kinds, after.note_field) == (["comment", "task.completed"], "comments")
    assert (after.send_evidence, after.on_repeat, after.automatic) == (True, "new", True)
    assert (after.severities, list(after.sources.all())) == ([4, 3], [source])
    text = as_admin.get(LIST).content.decode()
    assert "Critical, High, EDR" in text
    assert saved(as_admin, profile).version == 2  # and shown as it is kept


def test_a_map_is_emptied(as_admin: Client, profile: TicketProfile) -> None:
    after = saved(as_admin, profile, state__8="", impact__low="", urgency__low="")
    assert "8" not in after.maps["state"]
    assert "low" not in after.maps["severity"]


def test_of_many_teams_those_with_a_group_are_shown_and_the_others_when_asked_for(
    as_admin: Client, profile: TicketProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = [make_team(f"Team {letter}") for letter in "PQRS"]
    mapped = saved(as_admin, profile, **{f"group:{teams[3].pk}": "Endpoint Team"})
    monkeypatch.setattr("cases.views.servicenow.map_sections.TEAMS", 2)
    text = shown(as_admin, profile)
    assert f'name="group:{teams[3].pk}"' in text and f'name="group:{teams[2].pk}"' not in text
    assert 'href="?all=1#map-group"' in text
    everything = as_admin.get(f"{LIST}{profile.pk}/?all=1").content.decode()
    assert all(f'name="group:{team.pk}"' in everything for team in teams) and "?all=1" not in everything
    assert saved(as_admin, mapped, name="Other").maps["group"] == mapped.maps["group"]


def test_people_are_mapped_once_each(as_admin: Client, analyst: User, profile: TicketProfile) -> None:
    after = saved(as_admin, profile, user__1="mara", their_user__1="mara.lindqvist")
    assert after.maps["user"] == {
        "mara": {"value": seed.user_id("mara.lindqvist"), "label": "Mara Lindqvist (mara.lindqvist)"}
    }
    text = refused(as_admin, after, user__2="mara", their_user__2="o.strand")
    assert "This person is mapped already." in text
    text = refused(as_admin, after, their_user__2="o.strand")
    assert "Who is it here?" in text
    assert saved(as_admin, after, user__1="").maps["user"] == {}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "required"),
        ("name", "n" * 101, "at most 100"),
        ("order", "-1", "greater than or equal"),
        ("order", "x", "whole number"),
        ("caller", "Nobody Atall", "nobody active of that name"),
        ("caller", "a", "Several fit"),
        ("assignment_group", "No such group", "nobody active of that name"),
        ("category", "weather", "valid choice"),
        ("short_description", "", "required"),
        ("short_description", "{{ nonsense }}", "There is no nonsense"),
        ("short_description", "{{ {{ title }} }}", "There is no {{ title"),
        ("short_description", "x" * 301, "at most 300"),
        ("description", "{{ title", "between {{ and }}"),
        ("description", "x" * 8001, "At most 8000"),
        ("status:resolved", "1", "one side would close what the other opens"),
        ("status:open", "x" * 101, "At most 100 characters"),
        ("state:6", "nonsense", "There is no nonsense of ours"),
        ("impact:high", "", "Impact and urgency go together"),
        ("dir:title", "sideways", "One of: both, out, in, off"),
        ("win:title", "nobody", "One of: ours, theirs, newest, ask"),
        ("user:1", "nobody-here", ""),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    as_admin: Client, profile: TicketProfile, field: str, value: str, words: str
) -> None:
    changes = {field: value} | ({"their_user:1": "Nobody Atall"} if field == "user:1" else {})
    text = unescape(refused(as_admin, profile, **changes))
    if words:
        assert words in beside(text, field)
    else:
        assert "nobody active of that name" in beside(text, "their_user:1")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("short_description", "x", "written by the sync"),
        ("sys_id", "x", "written by the sync"),
        ("correlation_id", "x", "written by the sync"),
        ("two words", "x", "small letters, digits"),
        ("x" * 81, "x", "small letters, digits"),
        ("u_one", "{{ nonsense }}", "There is no nonsense"),
        ("u_one", "x" * 2001, "At most 2000"),
        ("", "x", "Which field"),
    ],
)
def test_further_fields_that_are_refused(
    as_admin: Client, profile: TicketProfile, name: str, text: str, words: str
) -> None:
    assert words in unescape(refused(as_admin, profile, extra_name__1=name, extra_text__1=text))


def test_a_refusal_keeps_everything_typed(as_admin: Client, profile: TicketProfile) -> None:
    text = refused(as_admin, profile, name="", description=EVIL, extra_text__1="typed", state__3="contained")
    assert "<script>alert(1)" not in text
    again = filled(text)
    assert again["description"] == EVIL
    assert (again["extra_text:1"], again["state:3"]) == ("typed", "contained")


def test_a_stale_form_is_refused_and_may_be_saved_again(as_admin: Client, profile: TicketProfile) -> None:
    form = filled(shown(as_admin, profile))
    saved(as_admin, profile, order="7")
    stale = as_admin.post(f"{LIST}{profile.pk}/", {**form, "name": "Other"})
    assert stale.status_code == 412
    text = stale.content.decode()
    assert "changed by somebody else" in text
    assert 'name="version" value="2"' in text
    assert as_admin.post(f"{LIST}{profile.pk}/", filled(text)).status_code == 302
    assert TicketProfile.objects.get().name == "Other"


def test_hostile_names_of_servicenow_are_only_text(as_admin: Client, here: Desk, profile: TicketProfile) -> None:
    here.do("user", user_name="evil", set={"first_name": EVIL, "last_name": "x", "active": "true"}, roles=["itil"])
    answer = as_admin.get("/servicenow/instances/north/find/users/", {"caller": "evil"})
    assert "<script>" not in answer.content.decode()


# --- while ServiceNow does not answer


def test_the_last_choices_are_shown_with_a_word_about_it(as_admin: Client, here: Desk, profile: TicketProfile) -> None:
    shown(as_admin, profile)
    away(here)
    text = shown(as_admin, profile)
    assert "as they were last read" in text
    assert re.search(r'name="status:resolved".*?<option value="6" selected>Resolved \(6\)', text, re.S)
    after = saved(as_admin, profile, state__3="contained")
    assert after.maps["state"]["3"] == "contained"
    assert "It cannot be looked up now" in unescape(refused(as_admin, after, caller="Ola Strand"))
    identity = seed.user_id("o.strand")
    assert saved(as_admin, after, caller=identity).caller == {"value": identity, "label": identity}


def test_it_is_asked_once_and_then_left_alone_for_a_while(as_admin: Client, here: Desk, profile: TicketProfile) -> None:
    shown(as_admin, profile)
    cache.clear()
    here.do("hibernate")
    text = shown(as_admin, profile)
    assert "hibernates" in text
    asked = len(here.asked())
    assert "hibernates" in shown(as_admin, profile)
    assert len(here.asked()) == asked


def test_a_choice_that_is_gone_stays_visible(as_admin: Client, profile: TicketProfile) -> None:
    TicketProfile.objects.filter(pk=profile.pk).update(maps={**profile.maps, "status": {"open": "77"}})
    text = shown(as_admin, profile)
    assert "77 (not there any more)" in text
    assert "open goes out as 77, which ServiceNow does not have" in text


# --- people and groups, found while one types


def test_people_and_groups_are_found(as_admin: Client, as_analyst: Client, profile: TicketProfile) -> None:
    find = "/servicenow/instances/north/find"
    assert 'value="Ola Strand (o.strand)"' in as_admin.get(f"{find}/users/", {"caller": "stran"}).content.decode()
    assert 'value="Service Desk"' in as_admin.get(f"{find}/groups/", {"group:1": "desk"}).content.decode()
    for odd in ("^active=false", "\x00", "javascript:x", "x" * 500, "z"):
        answer = as_admin.get(f"{find}/users/", {"caller": odd})
        assert (answer.status_code, "<option" in answer.content.decode()) == (200, False)
    assert as_admin.get(f"{find}/passwords/", {"q": "x"}).status_code == 404
    assert as_analyst.get(f"{find}/users/", {"caller": "stran"}).status_code == 403


def test_nothing_is_found_and_nothing_breaks_while_it_is_down(
    as_admin: Client, here: Desk, profile: TicketProfile
) -> None:
    away(here)
    answer = as_admin.get("/servicenow/instances/north/find/users/", {"caller": "stran"})
    assert (answer.status_code, "<option" in answer.content.decode()) == (200, False)


# --- on and off


def enable(client: Client, profile: TicketProfile) -> Any:
    version = TicketProfile.objects.get(pk=profile.pk).version
    return client.post(f"{LIST}{profile.pk}/enable/", {"version": version})


def test_switched_on_with_a_warning_of_what_is_not_mapped(as_admin: Client, profile: TicketProfile) -> None:
    profile = saved(as_admin, profile, state__3="")
    text = shown(as_admin, profile)
    assert "On Hold (3) is not mapped" in text
    assert "the status here stays as it is" in text
    assert enable(as_admin, profile).status_code == 302
    assert TicketProfile.objects.get().enabled
    assert "no counterpart yet" in shown(as_admin, profile)


def test_a_finding_can_have_a_close_code_of_its_own(as_admin: Client, profile: TicketProfile) -> None:
    text = shown(as_admin, profile)
    assert "Benign: false positive" in text and "Benign: benign true positive" in text
    assert 'name="close_code:true_positive"' not in text, "of malicious there is no other finding"
    after = saved(as_admin, profile, close_code__false_positive="Duplicate", close_code__benign_true_positive="")
    assert after.maps["close_code"]["false_positive"] == "Duplicate"
    assert "benign_true_positive" not in after.maps["close_code"]
    assert 'value="Duplicate" selected' in shown(as_admin, profile)
    again = saved(as_admin, after, close_code__false_positive="")
    assert "false_positive" not in again.maps["close_code"] and again.maps["close_code"]["benign"]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("close_code:malicious", "", "malicious is not mapped"),
        ("close_code:false_positive", "Solved (Remotely)", "goes out as Solved (Remotely)"),
        ("close_code:benign", "Solved (Permanently)", "goes out as Solved (Permanently)"),
        ("status:resolved", "", "resolved is not mapped"),
        ("status:resolved", "66", "goes out as 66"),
        ("status:closed", "77", "goes out as 77"),
    ],
)
def test_not_switched_on_while_resolving_could_fail(
    as_admin: Client, profile: TicketProfile, field: str, value: str, words: str
) -> None:
    profile = saved(as_admin, profile, **{field: value})
    text = shown(as_admin, profile)
    assert words in text
    assert "it cannot be switched on yet" in text
    assert "Switch on" not in text
    answer = enable(as_admin, profile)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not TicketProfile.objects.get().enabled


def test_a_profile_that_is_on_takes_nothing_that_breaks_it(as_admin: Client, profile: TicketProfile) -> None:
    assert enable(as_admin, profile).status_code == 302
    on = TicketProfile.objects.get()
    text = refused(as_admin, on, close_code__malicious="")
    assert "Switch it off first" in text
    assert "malicious is not mapped" in beside(text, "close_code:malicious")
    assert saved(as_admin, on, state__3="").enabled


def test_a_profile_that_sends_no_status_needs_no_close_codes(as_admin: Client, profile: TicketProfile) -> None:
    profile = saved(as_admin, profile, dir__status="in", close_code__malicious="")
    assert enable(as_admin, profile).status_code == 302


def test_a_stale_click_does_not_switch_it_on(as_admin: Client, profile: TicketProfile) -> None:
    saved(as_admin, profile, order="9")
    answer = as_admin.post(f"{LIST}{profile.pk}/enable/", {"version": "1"})
    assert "changed by somebody else" in answer.content.decode()
    assert not TicketProfile.objects.get().enabled


def test_switched_off_twice(as_admin: Client, profile: TicketProfile) -> None:
    enable(as_admin, profile)
    for _again in range(2):
        assert as_admin.post(f"{LIST}{profile.pk}/disable/").status_code == 302
    assert not TicketProfile.objects.get().enabled
    assert AuditEntry.objects.filter(verb="servicenow.profile_disabled").count() == 1


# --- copied and deleted


def test_copied_onto_another_table_and_instance(as_admin: Client, here: Desk, profile: TicketProfile) -> None:
    team = make_team("Blue")
    profile = saved(
        as_admin, profile, caller="o.strand", description="{{ url }}", **{f"group:{team.pk}": "Service Desk"}
    )
    text = as_admin.get(f"{LIST}{profile.pk}/copy/").content.decode()
    assert 'value="Security (copy)"' in text
    form = {"name": "Security incidents", "instance": "north", "table": "sn_si_incident"}
    assert as_admin.post(f"{LIST}{profile.pk}/copy/", form).status_code == 302
    made = TicketProfile.objects.get(name="Security incidents")
    assert (made.table, made.enabled, made.description) == ("sn_si_incident", False, "{{ url }}")
    assert made.caller == profile.caller
    assert made.maps["status"]["contained"] == "18"
    assert made.maps["group"] == profile.maps["group"]
    ConnectorAccount.objects.update(name="North")
    with desk() as other:
        ServiceNowInstance.objects.create(account=other.account, slug="south")
        form = {"name": "Elsewhere", "instance": "south", "table": "incident"}
        assert as_admin.post(f"{LIST}{profile.pk}/copy/", form).status_code == 302
    elsewhere = TicketProfile.objects.get(name="Elsewhere")
    assert (elsewhere.caller, elsewhere.maps.get("group", {})) == ({}, {})


def test_deleted_while_no_ticket_is_linked_by_it(as_admin: Client, profile: TicketProfile) -> None:
    fields = {"instance": profile.instance, "table": "incident", "correlation_id": "x"}
    link = profile.links.create(incident=make_incident(), **fields)
    answer = as_admin.post(f"{LIST}{profile.pk}/delete/")
    assert "Switch it off instead" in answer.content.decode()
    assert TicketProfile.objects.exists()
    link.delete()
    assert as_admin.post(f"{LIST}{profile.pk}/delete/").status_code == 302
    assert not TicketProfile.objects.exists()


# --- gaps that were met


def test_a_gap_that_was_met_is_mapped(admin: User, analyst: User, profile: TicketProfile) -> None:
    gap = MappingGap.objects.create(profile=profile, map="state", value="77", label="Waiting")
    for wrong in ("", "nonsense"):
        with pytest.raises(Refused):
            servicenow_gaps.map_gap(Actor.of(admin), gap.pk, wrong)
    with pytest.raises(Forbidden):
        servicenow_gaps.map_gap(Actor.of(analyst), gap.pk, "in_progress")
    servicenow_gaps.map_gap(Actor.of(admin), gap.pk, "in_progress")
    assert TicketProfile.objects.get().maps["state"]["77"] == "in_progress"
    assert not MappingGap.objects.exists()


def test_a_group_of_theirs_is_mapped_to_a_team(admin: User, profile: TicketProfile) -> None:
    team, identity = make_team("OT"), "a" * 32
    gap = MappingGap.objects.create(profile=profile, map="group", value=identity, label="OT Security")
    servicenow_gaps.map_gap(Actor.of(admin), gap.pk, str(team.pk))
    assert TicketProfile.objects.get().maps["group"] == {str(team.pk): {"value": identity, "label": "OT Security"}}
    assert not MappingGap.objects.exists()


def test_saving_the_profile_forgets_the_gaps_that_it_fills(as_admin: Client, profile: TicketProfile) -> None:
    profile = saved(as_admin, profile, state__8="")
    MappingGap.objects.create(profile=profile, map="state", value="8", label="Canceled")
    MappingGap.objects.create(profile=profile, map="user", value="nobody", label="Nobody")
    saved(as_admin, profile, state__8="closed")
    assert [gap.map for gap in MappingGap.objects.all()] == ["user"]


# --- preview and dry run


def test_the_texts_are_previewed_while_they_are_written(
    as_admin: Client, as_analyst: Client, profile: TicketProfile
) -> None:
    incident = make_incident(f"Beacon {EVIL}", summary="What happened")
    given = {
        "incident": incident.number,
        "short_description": "{{ number }} {{ title }}",
        "description": "{{ summary }}",
    }
    path = f"{LIST}{profile.pk}/preview/"
    text = as_admin.post(path, given).content.decode()
    assert f"{incident.number} Beacon &lt;script&gt;" in text
    assert "What happened" in text
    assert "There is no nonsense" in as_admin.post(path, {**given, "description": "{{ nonsense }}"}).content.decode()
    assert "40 are cut off" in as_admin.post(path, {**given, "short_description": "x" * 200}).content.decode()
    assert "There is no" in as_admin.post(path, {**given, "incident": "INC-99999"}).content.decode()
    assert as_analyst.post(path, given).status_code == 403
    assert as_admin.get(path).status_code == 405


def test_a_dry_run_shows_the_exact_request_and_sends_nothing(
    as_admin: Client, here: Desk, profile: TicketProfile
) -> None:
    incident = make_incident("Beacon", severity="high")
    profile = saved(
        as_admin, profile, assignment_group="Service Desk", extra_name__1="u_link", extra_text__1="{{ url }}"
    )
    before = len(here.look("tickets"))
    text = unescape(as_admin.get(f"{LIST}{profile.pk}/try/").content.decode())
    assert "Nothing was sent." in text
    assert "/api/now/table/incident" in text
    assert f'"short_description": "{incident.number} Beacon"' in text
    assert '"impact": "1"' in text
    assert f'"assignment_group": "{profile.assignment_group["value"]}"' in text
    assert f'/incidents/{incident.number}/"' in text
    assert '"correlation_id": "soar:' in text
    assert seed.PASSWORD not in text.partition("Request")[2]
    assert len(here.look("tickets")) == before


def test_a_dry_run_says_what_is_left_out(as_admin: Client, profile: TicketProfile) -> None:
    incident = make_incident("Beacon", severity="low")
    saved(as_admin, profile, impact__low="", urgency__low="")
    text = as_admin.get(f"{LIST}{profile.pk}/try/", {"incident": incident.number.lower()}).content.decode()
    assert "Low has no counterpart in ServiceNow" in text
    assert "impact" not in text.partition("<pre")[2]


@pytest.mark.parametrize("number", ["INC-99999", "nonsense", "\x00", "x" * 500])
def test_a_dry_run_of_no_incident(as_admin: Client, profile: TicketProfile, number: str) -> None:
    answer = as_admin.get(f"{LIST}{profile.pk}/try/", {"incident": number})
    assert answer.status_code == 422
    assert "There is no" in beside(answer.content.decode(), "incident")


def test_a_dry_run_of_an_incident_that_has_a_ticket(as_admin: Client, profile: TicketProfile) -> None:
    incident = make_incident("Beacon")
    fields = {"instance": profile.instance, "table": "incident", "correlation_id": "x", "number": "INC0012345"}
    profile.links.create(incident=incident, state="linked", **fields)
    assert "INC0012345; no other would be made" in as_admin.get(f"{LIST}{profile.pk}/try/").content.decode()


def test_resolving_needs_close_codes_even_where_determinations_do_not_go_out(
    as_admin: Client, profile: TicketProfile
) -> None:
    profile = saved(as_admin, profile, dir__determination="off", close_code__malicious="")
    assert enable(as_admin, profile).status_code == 422
