"""Hostile texts for exports: the corpus of the pages, what spreadsheets calculate, what breaks STIX and MISP; and an
incident that bears all of it."""

from __future__ import annotations

import copy
from contextlib import suppress
from datetime import timedelta
from typing import Any

from cases.actions import alerts, events, evidence, incidents, observables, relations, tasks
from cases.actions.asset_links import add_to_incident
from cases.actions.assets import create as create_asset
from cases.actions.base import tags_of
from cases.actions.custom_fields import create as create_field
from cases.actions.custom_values import set_values
from cases.actions.observables import rate
from cases.actors import Actor
from cases.errors import CaseError
from cases.models import AlertSource, CustomField, Incident, Observable
from cases.reporting.sample import DOCUMENT
from soar.accounts.models import Team, User
from soar.lib import clock
from tests.factories import make_alert, make_incident, make_source, make_team
from tests.pages.words import HOSTILE

FORMULAS = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1",
    "+cmd|' /C calc'!A0",
    '="a","b"',
    "'=1+1",
    "foo;=1+1;bar",
    "foo, bar\n=1+1;baz",
    "foo\t=1+1\tbar",
    'foo;"=1+1";bar',
)
BREAKING = (
    "' OR '1'='1' AND file:name = '", "\\", "a\\' OR [url:value = 'b']", "]", '"}', "x" * 3000, "\x01\x1b[2J\x7f\x9f",
    "tlp:clear", 'misp-galaxy:mitre-attack-pattern="x"', "# forged\n## heading\n---\nsetext\n===\n", "1. a\n\n    code",
    "/", "C:\\", "\\\\server\\share\\", "HKLM\\Software\\a'b", "\U0001f41f\ufffe\uffff", "+ [ ] forged task\n* item",
    "https://evil.example/a'b\\c", "file:///etc/passwd", "</pre></code>", "```\n````\n~~~\n",
)  # fmt: skip
CORPUS = (*HOSTILE, *FORMULAS, *BREAKING)
TYPES = ("file_name", "file_path", "registry_key", "user", "process", "url", "domain", "email", "hostname", "asn",
         "cve", "mac", "crypto", "technique", "ip", "cidr")  # fmt: skip


def line(text: str, most: int = 200) -> str:
    """For fields that refuse line breaks."""
    return " ".join(text.split())[:most].strip() or "-"


def full_of(text: str) -> dict[str, Any]:
    """The sample's document, complete for every format, with this text wherever people and products write."""
    made = copy.deepcopy(DOCUMENT)
    incident = made["incident"]
    for name in ("title", "summary", "resolve_reason", "team", "opened_by", "template"):
        incident[name] = text
    incident["tags"], incident["servicenow"] = [text], [{"number": text, "state": "linked"}]
    places = {
        "owners": ["name"], "status_history": ["actor", "reason"], "fields": ["name", "words"], "related": ["title"],
        "alerts": ["title", "description", "hostname", "username", "source", "detection_model"],
        "observables": ["value", "added_by"], "assets": ["name", "type", "system"],
        "evidence": ["name", "description", "content_type", "added_by", "remove_reason"],
        "tasks": ["title", "description", "done_by"], "runs": ["error"], "responses": ["label", "connector", "message"],
    }  # fmt: skip
    for rows, names in places.items():
        made[rows][0].update(dict.fromkeys(names, text))
    made["observables"][0].update(type="process", id=1, roles=[], rated_at=None, added_at=None, created_at=None)
    made["evidence"][0]["id"], made["alerts"][0]["observables"] = 1, []
    made["runs"][0]["playbook"] = {"name": text}
    made["assets"][0]["groups"] = made["assets"][0]["tags"] = [text]
    made["generated_by"]["name"] = text
    for entry in made["timeline"]:
        entry["text"] = entry["sentence"] = entry["actor"]["name"] = text
        entry["data"] = {text: text}
    return made


def hostile_incident(admin: User) -> Incident:
    """One incident on which people and sources have left the whole corpus, as far as the actions take it."""
    admin.first_name, admin.last_name = "=2+5", "<b>Admin</b>"
    admin.save()
    actor = Actor.of(admin)
    source = make_source(line(CORPUS[0], 100))
    team = make_team("=cmd, <i>team</i>")
    seen = [_alert(text, source, team) for text in CORPUS]
    incident = incidents.open_incident(
        actor, title=line(" ".join(CORPUS[:8]), 300), alerts=seen, owners=[admin], lead=admin,
        summary="\n\n".join(CORPUS), tags=[line(text, 40) for text in CORPUS[:12]],
    )  # fmt: skip
    for number, text in enumerate(CORPUS):
        _text(actor, incident, text, number)
    incidents.update(actor, incident.pk, changes={"techniques": ["T1566.002"]})
    create_field(Actor.system(), fields={"name": line(HOSTILE[1], 80), "kind": "long_text"})
    set_values(actor, incident.pk, {CustomField.objects.get().key: "\n".join(HOSTILE[:6])})
    relations.relate(actor, incident.pk, make_incident(line(HOSTILE[2])).pk, "related_to")
    incidents.set_status(actor, incident.pk, "in_progress", reason=line(HOSTILE[4]))
    for row in Observable.objects.all():
        rate(row, "highly_suspicious", {"rule": "test", "evidence": []})
    Incident.objects.filter(pk=incident.pk).update(team=team)
    return Incident.objects.get(pk=incident.pk)


def _alert(text: str, source: AlertSource, team: Team) -> int:
    alert = make_alert(
        line(text, 500), source=source, team=team, description=text.replace("\x00", ""), hostname=line(text),
        username=line(text), tags=tags_of([line(text, 40)]), techniques=["T1059.001"],
    )  # fmt: skip
    for type_ in TYPES:
        with suppress(CaseError):  # most are no address, number or key
            observables.add_to_alert(Actor.system(), alert.pk, type_, text)
    alerts.comment(Actor.system(), alert.pk, text.strip() or "-")
    return alert.pk


def _text(actor: Actor, incident: Incident, text: str, place: int) -> None:
    number, said = incident.pk, text if text.strip() else "-"
    incidents.comment(actor, number, said)
    incidents.comment(actor, number, said, kind="handoff")
    events.record_event(actor, number, line(text), occurred_at=clock.now() - timedelta(hours=3))
    task = tasks.add(actor, number, title=line(text), description=said)
    tasks.complete(actor, task.pk)
    with suppress(CaseError):  # some are no name of a machine
        asset = create_asset(actor, fields={"name": f"{line(text)[:150]} {place}", "type": "laptop"})
        add_to_incident(actor, number, asset.name)
    evidence.add_bytes(actor, number, line(text) + ".bin", text.encode(), description=said)
