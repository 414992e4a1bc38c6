"""An incident with something of everything, for the tests of exports, and its document."""

from __future__ import annotations

from typing import Any

from cases.actions import evidence, incidents, links, observables, tasks
from cases.actions.asset_links import add_to_incident
from cases.actions.assets import create as create_asset
from cases.actions.observables import rate
from cases.actors import Actor
from cases.models import Incident, Observable
from cases.reporting.document import document
from cases.reporting.options import Options
from soar.accounts.models import User
from tests.factories import make_alert, make_source

ODD = "Ünïcode “quotes” 'apostrophes' \\back\\slash <b>&amp; 🐟 =1+1"
# One of each type of observable, with what is awkward to quote.
VALUES = (
    ("ip", "203.0.113.9"), ("ip", "2001:db8::7"), ("cidr", "198.51.100.0/24"), ("domain", "evil.example.net"),
    ("url", "https://evil.example.net/a'b?q=\\x"), ("email", "o'brien@example.net"),
    ("md5", "5d41402abc4b2a76b9719d911017c592"), ("sha1", "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"),
    ("sha256", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"), ("cve", "CVE-2021-44228"),
    ("technique", "T1566.001"), ("file_name", "rechnung für müller.exe"), ("file_path", "C:\\Users\\x y\\o'k.exe"),
    ("file_path", "/tmp/.hidden/run"), ("registry_key", "HKLM\\Software\\Run\\it's"), ("user", "CORP\\o'neil"),
    ("process", "powershell.exe"), ("mac", "00:1a:2b:3c:4d:5e"), ("asn", "AS64500"),
    ("crypto", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"), ("hostname", "WS-042"),
)  # fmt: skip


def rich_incident(admin: User) -> Incident:
    """Two alerts, every type of observable (all rated malicious), tasks, notes, an asset, evidence and a technique."""
    actor = Actor.of(admin)
    source = make_source("Sensor", kind="generic")
    first = make_alert(f"First {ODD}", source=source, observables=VALUES, techniques=["T1059.001"], count=3)
    second = make_alert("Second", source=source, observables=VALUES[:2], hostname="WS-042", tags=["beacon"])
    incident = incidents.open_incident(
        actor, title=f"Case {ODD}", alerts=[first.pk], owners=[admin], lead=admin, severity="high",
        summary="# What\n\n**bold** =cmd", tags=["phish", "a tag"], tlp="amber",
    )  # fmt: skip
    links.link(actor, [second.pk], incident.pk)
    incidents.update(actor, incident.pk, changes={"techniques": ["T1566.002", "T9999"], "pap": "green"})
    observables.add_to_incident(actor, incident.pk, "domain", "put-there.example.org")
    for row in Observable.objects.all():
        rate(row, "highly_suspicious", {"rule": "test", "evidence": []})
    task = tasks.add(actor, incident.pk, title="Look at the mail", description="at once", required=True)
    tasks.complete(actor, task.pk)
    tasks.add(actor, incident.pk, title="Tell the owner", assignee=admin, due_at="2026-12-01T10:00:00Z")
    incidents.comment(actor, incident.pk, "=cmd|' /C calc'!A0")
    incidents.comment(actor, incident.pk, f"Handing over. {ODD}", kind="handoff")
    create_asset(actor, fields={"name": "WS-042", "type": "laptop"})
    add_to_incident(actor, incident.pk, "WS-042")
    evidence.add_bytes(actor, incident.pk, "../mail ünder.eml", b"From: a@example.net\r\n\r\nhello", tlp="amber")
    gone = evidence.add_bytes(actor, incident.pk, "gone.bin", b"\x00\x01gone")
    evidence.remove(actor, gone.pk, reason="not ours")
    return Incident.objects.get(pk=incident.pk)


def told(admin: User, incident: Incident, **options: Any) -> dict[str, Any]:
    """The document of the incident."""
    return document(admin, incident.pk, Options(**options))
