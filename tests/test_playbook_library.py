"""The shipped playbooks: as plain Python, and on real alerts with real lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cases.choices import AlertStatus, Determination, Severity
from cases.models import Alert, AlertObservable, Incident
from playbooks import catalog
from playbooks.library.escalate_critical import escalate_critical
from playbooks.library.phishing_triage import imitates, phishing_triage
from playbooks.library.triage_observables import triage_observables
from playbooks.models import LoadError, Run
from playbooks.testing import fake_alert, run
from tests.factories import make_alert, make_incident
from tests.playbook_files import work

LIBRARY = Path(__file__).parents[1] / "playbooks" / "library"


def verdict(type_: str, value: str, risk: str, *, benign: bool = False) -> dict[str, Any]:
    evidence = [{"list": "A list", "text": value, "effect": "benign" if benign else "malicious"}]
    return {"type": type_, "value": value, "risk": risk, "benign": benign, "rule": "By a list.", "evidence": evidence}


def named(*values: tuple[str, str]) -> list[dict[str, Any]]:
    return [{"type": type_, "value": value, "risk": "unrated"} for type_, value in values]


def test_known_good_and_low_is_resolved_as_benign() -> None:
    alert = fake_alert(severity="low", observables=named(("ip", "8.8.8.8")))
    done = run(triage_observables, alert, results={"warning_lists": [verdict("ip", "8.8.8.8", "unrated", benign=True)]})
    assert done.arguments_of("resolve_current_alert")["determination"] == "benign"


@pytest.mark.parametrize(
    "fields",
    [
        {"severity": "medium"},
        {"status": "in_progress"},
        {"owner": "mara"},
        {"determination": "suspicious"},
        {"incident": "INC-1"},
        {"observables": named(("ip", "8.8.8.8"), ("file_name", "x.exe"))},
        {"observables": named(("ip", "8.8.8.8"), ("ip", "203.0.113.9"))},
    ],
)
def test_anything_else_stays_open(fields: Any) -> None:
    alert = fake_alert(**{"severity": "low", "observables": named(("ip", "8.8.8.8")), **fields})
    lists = [verdict("ip", "8.8.8.8", "unrated", benign=True)]
    if len([item for item in alert["observables"] if item["type"] == "ip"]) > 1:
        lists.append({**verdict("ip", "203.0.113.9", "unrated"), "evidence": []})
    done = run(triage_observables, alert, results={"warning_lists": lists})
    assert "resolve_current_alert" not in done.names
    assert done.result["outcome"] == "open"


def test_a_listed_value_makes_it_suspicious_and_is_written_down() -> None:
    alert = fake_alert(severity="low", tags=["edr"], observables=named(("domain", "evil-login.com")))
    lists = [verdict("domain", "evil-login.com", "highly_suspicious")]
    done = run(triage_observables, alert, results={"warning_lists": lists})
    changes = done.arguments_of("update_current_alert")
    assert (changes["determination"], changes["tags"]) == ("suspicious", ["edr", "listed-indicator"])
    assert "evil-login.com" in done.arguments_of("add_current_alert_comment")["text"]


def test_an_alert_without_observables_is_left_alone() -> None:
    assert run(triage_observables, fake_alert()).names == []


@pytest.mark.parametrize(
    ("name", "brand"),
    [
        ("micros0ft-login.com", "microsoft.com"),
        ("rnicrosoft.com", "microsoft.com"),
        ("paypa1.com", "paypal.com"),
        ("secure.paypal.com.account-check.net", "paypal.com"),
        ("gogle.com", "google.com"),
        ("docusgin.net", "docusign.com"),
        ("xn--80ak6aa92e.com", "a name in other letters"),
        ("login.microsoftonline.com", None),
        ("paypal.com", None),
        ("example.org", None),
        ("applesauce.org", None),
    ],
)
def test_imitated_names(name: Any, brand: Any) -> None:
    assert imitates(name) == brand


def test_phishing_is_taken_apart_and_leaves_a_checklist() -> None:
    alert = fake_alert(
        tags=["phishing"],
        observables=named(("url", "https://micros0ft-login.com/x"), ("file_name", "invoice.iso")),
        raw={"email": {"headers": {"From": "Billing <billing@micros0ft-login.com>"}, "subject": "Pay now"}},
    )
    done = run(phishing_triage, alert)
    assert done.result["sender"] == "billing@micros0ft-login.com"
    assert done.result["imitated"] == {"micros0ft-login.com": "microsoft.com"}
    assert done.result["risky_attachments"] == ["invoice.iso"]
    changes = done.arguments_of("update_current_alert")
    assert (changes["determination"], changes["tags"]) == ("suspicious", ["lookalike-domain", "phishing"])
    text = done.arguments_of("add_current_alert_comment")["text"]
    assert "- [ ] Who else got this mail?" in text
    assert "https://" not in text


def test_a_critical_alert_joins_the_incident_of_its_host_or_opens_one() -> None:
    other = {"number": "INC-7", "title": "x", "alerts": ["ALR-3"], "shared": [{"field": "hostname", "value": "h"}]}
    weak = {**other, "number": "INC-8", "shared": [{"field": "username", "value": "root"}]}
    alert = fake_alert(severity="critical", hostname="h")
    joined = run(escalate_critical, alert, results={"related_incidents": [weak, other]})
    assert joined.arguments_of("link_to_incident") == {"number": "INC-7"}
    opened = run(escalate_critical, alert, results={"related_incidents": [weak]})
    assert opened.arguments_of("create_incident")["title"] == alert["title"]
    judged = run(escalate_critical, fake_alert(severity="critical", determination="benign"))
    assert judged.names == []


@pytest.fixture
def library(settings: Any, transactional_db: None) -> Iterator[None]:
    settings.PLAYBOOK_DIRS = [LIBRARY]
    catalog.forget()
    yield
    catalog.forget()


def test_the_library_loads(library: None) -> None:
    names = {entry.row.name for entry in catalog.current().entries.values()}
    assert names == {"triage_observables", "phishing_triage", "phishing_triage_by_technique", "escalate_critical"}
    assert not LoadError.objects.exists()


def test_a_critical_alert_with_a_neighbour_ends_in_its_incident(library: None) -> None:
    neighbour = make_alert("Before", hostname="FIN-LT-0231")
    incident = make_incident("Theft", neighbour)
    work()
    alert = make_alert("Now", severity=Severity.CRITICAL, hostname="FIN-LT-0231", observables=(("ip", "203.0.113.9"),))
    work()
    alert = Alert.objects.get(pk=alert.pk)
    assert (alert.incident, alert.status) == (incident, AlertStatus.IN_PROGRESS)
    assert {entry.status for entry in Run.objects.filter(alert=alert)} == {"successful"}
    assert Incident.objects.count() == 1
    assert "escalated by rule" in incident.timeline.filter(kind="comment").latest("id").text


def test_mail_is_triaged_on_the_real_thing(library: None) -> None:
    alert = make_alert(
        techniques=["T1566.002"],
        observables=(("url", "https://paypa1-check.com/login"), ("email", "billing@paypa1-check.com")),
        raw='{"subject": "Account"}',
    )
    work()
    runs = {run.playbook.name: run for run in Run.objects.select_related("playbook")}
    assert runs["phishing_triage_by_technique"].status == "successful", runs["phishing_triage_by_technique"].error
    alert = Alert.objects.get(pk=alert.pk)
    assert (alert.determination, alert.tags) == (Determination.SUSPICIOUS, ["lookalike-domain", "phishing"])
    assert AlertObservable.objects.filter(alert=alert).count() == 2
