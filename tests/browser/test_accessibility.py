"""axe finds nothing on any page, in the light theme and in the dark one (interface.md: every page)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from cases.actions import alerts, assets, incidents
from cases.actors import Actor
from cases.choices import Criticality, Severity
from cases.models import AlertAsset, Incident, IncidentAsset
from soar.accounts.models import User
from tests.browser.conftest import SignIn, check_accessibility
from tests.factories import make_alert, make_asset, make_incident, make_source

THEMES = ("light", "dark")
PAGES = {
    "queue": "/alerts/",
    "filtered queue": "/alerts/?q=nothing+like+it",
    "alert": "/alerts/{alert}/",
    "new alert": "/alerts/new/",
    "incidents": "/incidents/",
    "incident": "/incidents/{incident}/",
    "new incident": "/incidents/new/",
    "suggestions": "/incidents/suggestions/",
    "playbooks": "/playbooks/",
    "runs": "/runs/",
    "observables": "/observables/",
    "assets": "/assets/",
    "asset": "/assets/{asset}/",
    "new asset": "/assets/new/",
    "import of assets": "/assets/import/",
    "sources": "/sources/",
    "lists": "/settings/lists/",
    "settings": "/settings/",
    "tasks": "/tasks/",
    "templates": "/settings/templates/",
    "reference of the API": "/api/docs/",
}


@pytest.fixture
def numbers(admin: User) -> dict[str, str]:
    """Something on every page: alerts of all severities, an incident with a timeline, a source, things that repeat."""
    source = make_source("Sensors")
    for level in Severity:
        make_alert(f"{level.label} finding", severity=level, source=source, age=timedelta(hours=level), count=level + 1)
    alert = make_alert(
        "Beacon to a rented server", severity=Severity.HIGH, hostname="FIN-LT-0114", username="l.brandt",
        source_ip="203.0.113.7", observables=(("ip", "203.0.113.7"), ("domain", "cdn.example.net")), tags=["c2"],
    )  # fmt: skip
    make_alert("Another of the same host", hostname="FIN-LT-0114", observables=(("ip", "203.0.113.7"),))
    alerts.comment(Actor.of(admin), alert.pk, "Looks **real**.")
    incident = make_incident("Case", make_alert("In a case", tags=["c2"]), owners=[admin], lead=admin, tags=["finance"])
    asset = make_asset(
        "FIN-LT-0114", groups=["Finance"], tags=["vip"], criticality=Criticality.HIGH, system="Windows 11"
    )
    AlertAsset.objects.create(alert=alert, asset=asset)
    IncidentAsset.objects.create(incident=incident, asset=asset, added_by="Ada")
    assets.update(Actor.of(admin), asset.pk, changes={"criticality": "critical"})
    return {"alert": alert.number, "incident": _told(incident, admin).number, "asset": str(asset.pk)}


def _told(incident: Incident, admin: User) -> Incident:
    actor = Actor.of(admin)
    incidents.comment(actor, incident.pk, "First note, with `code` and a list:\n\n- one\n- two")
    incidents.comment(actor, incident.pk, "To the night shift.", kind="handoff")
    incidents.set_status(actor, incident.pk, "in_progress")
    return incident


@pytest.mark.parametrize("theme", THEMES)
def test_sign_in(page: Page, live_server: LiveServer, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    page.goto(f"{live_server.url}/accounts/login/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    check_accessibility(page)


@pytest.mark.parametrize("theme", THEMES)
def test_pages(theme: str, numbers: dict[str, str], admin: User, sign_in: SignIn, live_server: LiveServer) -> None:
    admin.theme = theme
    admin.save(update_fields=["theme"])
    page = sign_in(admin)
    found = [_trouble(page, live_server.url, name, path.format(**numbers)) for name, path in PAGES.items()]
    assert not any(found), "\n\n".join(filter(None, found))


def _trouble(page: Page, url: str, name: str, path: str) -> str:
    """What is wrong with one page, "" if nothing is."""
    answer = page.goto(url + path)
    if answer is None or answer.status != 200:
        return f"{name}: {answer.status if answer else 'no answer'}"
    try:
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        check_accessibility(page)
    except AssertionError as error:
        return f"{name}: {error}"
    return ""
