"""The ATT&CK matrix, techniques and custom fields in the browser: by mouse and keyboard, by two people, without
scripts, narrow, with what people may write; axe in both themes."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import custom_fields
from cases.actions.custom_values import set_values
from cases.actions.techniques import retag
from cases.actors import Actor
from cases.models import Incident
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_incident

EVIL = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
LONG = "x" * 300


def make_field(name: str, kind: str = "text", **more: Any) -> None:
    custom_fields.create(Actor.system(), fields={"name": name, "kind": kind, **more})


@pytest.fixture
def incident(analyst: User) -> Incident:
    """An incident with a technique of its own, one on its alert, and fields of every kind."""
    make_alert("Macro", techniques=["T1566.001", "T1204.002", "T1059.001", "T1566"])
    made = make_incident("Invoice", make_alert("Mail", techniques=["T1566.001", "T1027"]), owners=[analyst])
    retag(Actor.system(), made.pk, remove=["T1027"])
    make_field("Region", "choice", choices=["EMEA", "APAC"], help_text="Where it began")
    make_field("Loss", "number", required=True)
    make_field("Units", "multi_choice", choices=["Retail", "Lab"])
    make_field("Began", "datetime")
    make_field("Paid", "boolean")
    make_field("Wiki", "url")
    make_field("Contact", "user")
    make_field("Story", "long_text")
    make_field("Reference")
    return made


def test_a_technique_found_by_name_added_and_taken_off(page_of: Page, incident: Incident) -> None:
    box = page_of.locator("#incident-techniques")
    expect(box).to_contain_text("Spearphishing Attachment")
    box.get_by_role("button", name="Add T1027").click()
    expect(box.get_by_role("button", name="Take off T1027")).to_be_visible()
    box.get_by_text("Add a technique").click()
    box.get_by_label("Id or words of the name").fill("kerberoast")
    box.get_by_role("button", name="Add T1558.003").click()
    expect(box.get_by_role("button", name="Take off T1558.003")).to_be_visible()
    expect(page_of.locator("#timeline")).to_contain_text("T1558.003")
    expect(page_of.locator("#incident-head")).to_contain_text("T1558.003")
    box.get_by_role("button", name="Take off T1027").click()
    expect(box.get_by_role("button", name="Take off T1027")).to_have_count(0)
    assert Incident.objects.get(pk=incident.pk).techniques == ["T1566.001", "T1558.003"]


def test_fields_set_in_place_by_keyboard(page_of: Page, incident: Incident) -> None:
    box = page_of.locator("#incident-fields")
    expect(box).to_contain_text("needed to close")
    box.locator("#cf-loss-edit > summary").focus()
    page_of.keyboard.press("Enter")
    expect(box.get_by_label("Loss", exact=True)).to_be_visible()  # the form comes when it is opened
    page_of.keyboard.press("Tab")
    page_of.keyboard.type("twelve")
    page_of.keyboard.press("Enter")
    expect(box.locator("#cf-loss-error")).to_contain_text("must be a number")
    expect(box.get_by_label("Loss", exact=True)).to_have_value("twelve")
    box.get_by_label("Loss", exact=True).fill("1250.50")
    box.get_by_role("button", name="Save Loss").click()
    expect(box).to_contain_text("1250.5")
    box.locator("#cf-region-edit > summary").click()
    box.get_by_label("Region").select_option("APAC")
    box.get_by_role("button", name="Save Region").click()
    expect(page_of.locator("#timeline")).to_contain_text("set Region")
    assert Incident.objects.get(pk=incident.pk).custom_fields == {"loss": 1250.5, "region": "APAC"}


def test_somebody_else_was_quicker(page_of: Page, incident: Incident, responder: User) -> None:
    box = page_of.locator("#incident-fields")
    box.locator("#cf-reference-edit > summary").click()
    box.get_by_label("Reference").fill("CASE-2")
    set_values(Actor.of(responder), incident.pk, {"reference": "CASE-1"})
    expect(page_of.locator("#timeline")).to_contain_text("set Reference")  # the poll came
    expect(box.get_by_label("Reference")).to_have_value("CASE-2")  # what is being typed stays
    box.get_by_role("button", name="Save Reference").click()
    expect(box.get_by_role("alert")).to_contain_text("“CASE-2”")
    expect(box.get_by_role("alert")).to_contain_text("“CASE-1”")
    assert Incident.objects.get(pk=incident.pk).custom_fields == {"reference": "CASE-1"}
    box.get_by_role("button", name="Save Reference").click()
    expect(box.get_by_role("alert")).to_have_count(0)
    assert Incident.objects.get(pk=incident.pk).custom_fields == {"reference": "CASE-2"}


def test_what_people_write_runs_nowhere_and_breaks_nothing(
    page_of: Page, incident: Incident, analyst: User, live_server: LiveServer
) -> None:
    make_field(EVIL[:100], "long_text", key="evil", help_text=EVIL)
    make_field("Picked", "multi_choice", choices=[EVIL[:100], LONG[:100]])
    set_values(Actor.of(analyst), incident.pk, {"evil": f"{EVIL}\n{LONG}", "reference": LONG, "picked": [EVIL[:100]]})
    page_of.set_viewport_size({"width": 360, "height": 800})
    for path in ("", "facts/"):
        page_of.goto(f"{live_server.url}/incidents/{incident.number}/{path}")
        expect(page_of.locator("#incident-fields")).to_contain_text("onerror")
        page_of.locator("#cf-evil-edit > summary").click()
        assert "owned" not in page_of.title()
        assert page_of.evaluate("document.documentElement.scrollWidth <= innerWidth"), path


def test_the_matrix_leads_to_its_lists(page_of: Page, live_server: LiveServer, incident: Incident) -> None:
    page_of.goto(f"{live_server.url}/attack/")
    matrix = page_of.locator("#attack-matrix")
    first = matrix.get_by_role("region").locator("section", has_text="Initial Access")
    expect(first).to_contain_text("2 alerts")
    first.get_by_text("1 sub-technique", exact=False).first.click()
    matrix.get_by_role("link", name="Incidents", exact=True).click()
    expect(page_of).to_have_url(f"{live_server.url}/attack/?period=30d&by=incidents")
    matrix.get_by_role("link", name="All techniques").click()
    expect(matrix).to_contain_text("Drive-by Compromise")
    first.get_by_role("link", name="2 alerts T1566", exact=True).click()
    expect(page_of.locator("tr[id^=alert-]")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page_of: Page, live_server: LiveServer, incident: Incident, admin: User, theme: Any) -> None:
    page_of.emulate_media(color_scheme=theme)
    expect(page_of.locator("#incident-fields")).to_be_visible()
    for name in ("region", "units", "began", "paid", "wiki", "contact", "story", "reference", "loss"):
        page_of.locator(f"#cf-{name}-edit > summary").click()
    page_of.get_by_text("Add a technique").click()
    check_accessibility(page_of)
    for path in ("/attack/", "/attack/?all=1&by=incidents", f"/incidents/{incident.number}/facts/"):
        page_of.goto(f"{live_server.url}{path}")
        check_accessibility(page_of)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_under_the_settings(
    sign_in: SignIn, live_server: LiveServer, incident: Incident, admin: User, theme: Any
) -> None:
    page = sign_in(admin)
    page.emulate_media(color_scheme=theme)
    for path in ("", "new/", "region/"):
        page.goto(f"{live_server.url}/settings/fields/{path}")
        check_accessibility(page)


@pytest.mark.parametrize("path", ["/attack/", "/attack/?all=1", "/incidents/{}/facts/", "/settings/fields/"])
def test_nothing_is_lost_at_360_pixels(
    sign_in: SignIn, live_server: LiveServer, incident: Incident, admin: User, path: str
) -> None:
    page = sign_in(admin)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(live_server.url + path.format(incident.number))
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_scripts(
    browser: Browser, incident: Incident, analyst: User, live_server: LiveServer, sign_in: SignIn
) -> None:
    cookies = sign_in(analyst).context.cookies()
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    context.add_cookies([{"name": one["name"], "value": one["value"], "url": live_server.url} for one in cookies])
    page = context.new_page()
    page.goto(f"{live_server.url}/incidents/{incident.number}/")
    page.get_by_role("link", name="ATT&CK and fields").click()
    page.locator("#cf-reference-edit > summary").click()
    page.get_by_role("link", name="Open the form Reference").click()
    page.get_by_label("Reference").fill("CASE-7")
    page.get_by_role("button", name="Save Reference").click()
    expect(page.locator("#incident-fields")).to_contain_text("CASE-7")
    page.get_by_text("Add a technique").click()
    page.get_by_label("Id or words of the name").fill("kerberoast")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("button", name="Add T1558.003").click()
    expect(page.locator("#incident-techniques")).to_contain_text("Kerberoasting")
    context.close()
