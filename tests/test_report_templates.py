"""Templates of reports: who writes them, what is refused with its line, versions, preview, what they cannot do."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from cases.models import ReportTemplate
from cases.reporting import templates
from cases.reporting.formats import FORMATS
from cases.reporting.sample import DOCUMENT
from cases.reporting.templates import SHIPPED
from soar.accounts.models import AuditEntry, Team
from soar.lib.confined import Limits
from tests.api import Api, wrong_fields
from tests.exporting import auditor, export, whole_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]
BODY = "<h1>{{ incident.title }}</h1>\n<p>For the board, {{ report.tlp }}</p>"


def save(client: Client, path: str = "/settings/reports/new/", **fields: Any) -> Any:
    """The form as a browser sends it."""
    given = {"name": "For the board", "description": "", "body": BODY, "enabled": "on", **fields}
    return client.post(path, {name: value for name, value in given.items() if value is not None})


def test_an_admin_copies_changes_and_uses_a_template(as_admin: Client, blue: Team) -> None:
    assert "{{ incident.title }}" in as_admin.get("/settings/reports/shipped/full/").content.decode()
    form = as_admin.get("/settings/reports/new/?from=executive")
    assert form.context["form"]["body"].value() == SHIPPED["executive"].body
    assert save(as_admin).status_code == 302
    made = ReportTemplate.objects.get()
    assert (made.slug, made.version) == ("for-the-board", 1)
    audra = auditor()
    text = export(audra, whole_incident(blue), "html", template="for-the-board").content.decode()
    assert "<h1>Beaconing host</h1>" in text
    assert "For the board, TLP:AMBER" in text
    assert "for-the-board" in [one["slug"] for one in Api(audra).get("/exports/choices/").json()["templates"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<p>\n{% if incident %}\n<b>x</b>", "Unclosed tag on line 2"),
        ("a\nb\n{% nope %}", "Invalid block tag on line 3"),
        ("{{ incident|nope }}", "Invalid filter"),
        ("{% load static %}", "Invalid block tag"),
        ("{% include '/etc/passwd' %}", "Invalid block tag"),
        ("{% extends 'base.html' %}", "Invalid block tag"),
        ("{% debug %}", "Invalid block tag"),
        ("{% lorem 100000000 %}", "Invalid block tag"),
        ("{{ incident.__class__ }}", "may not begin with underscores"),
        ("{{ incident.title|ljust:'9999999999' }}", "too much memory"),
        ("  ", "Write something first"),
        ("x" * 200_001, "200000"),
    ],
)
def test_what_cannot_be_read_is_refused_beside_it_and_nothing_is_kept(as_admin: Client, body: str, said: str) -> None:
    answer = save(as_admin, body=body)
    assert answer.status_code == 422
    assert said in answer.context["form"].errors["body"].as_text()
    assert not ReportTemplate.objects.exists()


def test_a_template_that_never_ends_is_stopped(as_admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "RENDERING", Limits(seconds=2, memory=512, output=5))
    loops = "".join(f"{{% for c{n} in report.portal|ljust:'900' %}}" for n in range(4))
    answer = save(as_admin, body=loops + "x" + "{% endfor %}" * 4)
    assert answer.status_code == 422
    assert "It " in answer.context["form"].errors["body"].as_text()


def test_what_a_template_does_not_know_it_cannot_read(as_admin: Client) -> None:
    """Plain dictionaries: no settings, no request, no user, no model behind them."""
    body = "[{{ settings }}{{ request }}{{ user }}{{ perms }}{{ incident.pk }}{{ incident.delete }}{{ True.real }}]"
    page = as_admin.post("/settings/reports/preview/", {"body": body})
    assert "[1]" in page.content.decode()


def test_the_preview_is_a_page_in_which_nothing_runs(as_admin: Client) -> None:
    body = "<h1>{{ incident.title }}</h1><script>alert(1)</script><img src=x onerror=alert(1)>"
    answer = as_admin.post("/settings/reports/preview/", {"body": body})
    page = answer.content.decode()
    assert "Phishing mail opened" in page
    assert "alert(1)" not in page
    assert "<img" not in page
    policy = answer["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("sandbox")
    assert as_admin.post("/settings/reports/preview/", {"body": "{% nope %}"}).status_code == 422


def test_versions_are_kept_and_come_back(as_admin: Client) -> None:
    save(as_admin)
    pk = ReportTemplate.objects.get().pk
    path = f"/settings/reports/{pk}/"
    assert save(as_admin, path, body="<p>Second</p>", version="1").status_code == 302
    assert save(as_admin, path, body="<p>Second</p>", version="2").status_code == 302  # nothing new: no version
    assert "Version 1 by Ada Admin" in as_admin.get(path).content.decode()
    as_admin.post(f"{path}restore/", {"number": "1", "version": "2"})
    template = ReportTemplate.objects.get(pk=pk)
    assert (template.version, template.body) == (3, BODY)
    assert [one.number for one in template.versions.all()] == [3, 2, 1]
    assert as_admin.post(f"{path}restore/", {"number": "9", "version": "3"}).status_code == 404
    assert AuditEntry.objects.filter(verb__startswith="report_template.").count() == 3


def test_a_stale_form_is_refused_and_keeps_what_was_typed(as_admin: Client) -> None:
    save(as_admin)
    path = f"/settings/reports/{ReportTemplate.objects.get().pk}/"
    save(as_admin, path, body="<p>Mine</p>", version="1")
    answer = save(as_admin, path, body="<p>Yours</p>", version="1")
    assert answer.status_code == 412
    assert "&lt;p&gt;Yours&lt;/p&gt;" in answer.content.decode()
    assert ReportTemplate.objects.get().body == "<p>Mine</p>"


@pytest.mark.parametrize("name", ["For the board", "for THE board", "Full", "---", "x" * 101])
def test_a_name_that_is_taken_or_none_is_refused_beside_it(as_admin: Client, name: str) -> None:
    save(as_admin)
    answer = save(as_admin, name=name)
    assert answer.status_code == 422
    assert answer.context["form"].errors["name"]
    assert ReportTemplate.objects.count() == 1


def test_switched_off_or_deleted_it_cannot_be_chosen(as_admin: Client, blue: Team) -> None:
    save(as_admin)
    pk = ReportTemplate.objects.get().pk
    incident, audra = whole_incident(blue), auditor()
    save(as_admin, f"/settings/reports/{pk}/", enabled=None, version="1")
    assert wrong_fields(export(audra, incident, "html", template="for-the-board")) == {"template"}
    as_admin.post(f"/settings/reports/{pk}/delete/")
    assert not ReportTemplate.objects.exists()
    assert as_admin.get(f"/settings/reports/{pk}/").status_code == 404


@pytest.mark.parametrize("slug", ["full", "no-such", "\x00", "9" * 300])
def test_the_form_begins_as_a_copy_or_empty(as_admin: Client, slug: str) -> None:
    answer = as_admin.get("/settings/reports/new/", {"from": slug})
    assert answer.status_code == 200
    assert (b"{% for" in answer.content) == (slug == "full")


def test_others_may_not(as_analyst: Client, as_admin: Client) -> None:
    save(as_admin)
    pk = ReportTemplate.objects.get().pk
    for path in ("", "new/", "shipped/full/", f"{pk}/"):
        assert as_analyst.get(f"/settings/reports/{path}").status_code == 403
    for path in ("new/", "preview/", f"{pk}/", f"{pk}/delete/", f"{pk}/restore/"):
        assert as_analyst.post(f"/settings/reports/{path}", {"body": "x"}).status_code == 403
    assert ReportTemplate.objects.get().version == 1


def test_a_template_that_fails_on_one_incident_says_so_beside_the_choice(blue: Team) -> None:
    body = (
        "{{ report.portal|add:1 }}{% widthratio incident.title 1 1 as n %}{% for a in alerts %}{% cycle %}{% endfor %}"
    )
    ReportTemplate.objects.create(
        slug="bad", name="Bad", body=body, updated_at="2026-01-01T00:00Z", updated_by_name="x"
    )
    answer = export(auditor(), whole_incident(blue), "html", template="bad")
    assert wrong_fields(answer) == {"template"}
    assert "Bad" in answer.json()["errors"][0]["message"]


def test_every_shipped_template_passes_the_check() -> None:
    for one in SHIPPED.values():
        templates.check(one.body)
        assert b"INC-1042" in bytes(FORMATS["html"].render({**DOCUMENT, "options": {"template": one.slug}}))  # type: ignore[arg-type]
