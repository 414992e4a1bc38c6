"""Does with an incident and an alert what people do with them, in given words: so their timelines tell of all of it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from cases.actions import (
    alerts,
    events,
    evidence,
    incidents,
    links,
    merge,
    notifications,
    observables,
    pins,
    relations,
    sla_pause,
    tasks,
)
from cases.actions.asset_links import add_to_incident
from cases.actions.assets import create as create_asset
from cases.actions.custom_fields import create as create_field
from cases.actions.custom_values import set_values
from cases.actors import Actor
from cases.models import (
    AlertMessage,
    AssetChange,
    AssetGroup,
    CustomField,
    ExportJob,
    Incident,
    IncidentMove,
    IncidentPause,
    Observable,
    WebhookAttempt,
)
from playbooks.models import LoadError, Playbook, Run, Sequence, Vote
from soar.accounts.models import AuditEntry, Setting
from soar.connectors.models import Attempt
from soar.lib import clock
from tests.crossing.world import World
from tests.factories import make_alert, make_incident
from tests.pages.words import Words
from tests.rich_incident import VALUES
from tests.ticket_rows import make_link

FIELDS = ("text", "long_text", "number", "boolean", "choice", "multi_choice", "datetime", "user", "url")
MAIL = "From: a@example.net\r\nTo: b@example.net\r\nSubject: {}\r\nContent-Type: text/html\r\n\r\n{}"


def enrich(world: World, words: Words) -> None:
    """Every kind of thing once that the world does not have yet, and a full timeline for its incident."""
    Setting.objects.update_or_create(name="first_steps", defaults={"value": "dismissed"})
    _alert(world, words)
    _incident(world, words)
    _fields(world, words)
    _rows(world, words)
    ExportJob.objects.update(user=world.cast.user("admin"))
    AuditEntry.objects.create(
        actor_name=words.text(200), verb="user.changed", target=words.text(300), via=words.text(120),
        data={words.text(): words.text()},
    )  # fmt: skip


def _alert(world: World, words: Words) -> None:
    """One that is in no incident, which the pages of an alert are then asked for."""
    actor = Actor.of(world.cast.user("owner"))
    alert = make_alert(
        words.text(500), source=world.source, observables=VALUES[:4], hostname="WS-042", username="o'neil"
    )
    number = world.shown["alert"] = alert.number
    alerts.comment(actor, number, f"{words.line()} **bold** @the-admin")
    alert.refresh_from_db()
    for type_, _value in VALUES[4:]:
        row = Observable.objects.get_or_create(
            type=type_, value=words.line(250), defaults={"digest": uuid.uuid4().bytes}
        )
        alert.observable_links.get_or_create(observable=row[0], role="entity", highlighted=True)
    alerts.add_tags(actor, number, [words.line(40)])
    AlertMessage.objects.create(
        alert=alert, content=MAIL.format(words.line(), words.text()).encode(), size=9, sha256="0" * 64,
        received_at=clock.now(),
    )  # fmt: skip
    alert.entities = [{"type": "process", "name": words.text(), "command_line": words.text(), "sha256": words.text()}]
    alert.repairs = []
    alert.save(update_fields=["entities", "repairs"])
    other = make_alert(words.text(500), source=world.source, observables=VALUES[:2], techniques=["T1566.001"])
    alerts.resolve(actor, other.pk, determination="malicious", reason=words.line())


def _incident(world: World, words: Words) -> None:
    admin, number = world.cast.user("admin"), world.shown["incident"]
    actor = Actor.of(admin)
    incident = Incident.objects.get(pk=int(number[4:]))
    incidents.comment(
        actor, number, f"# {words.line()}\n\n- {words.text()}\n\n| a | b |\n|---|---|\n| {words.line()} | b |"
    )
    handoff = incidents.comment(actor, number, words.line() or "-", kind="handoff")
    pins.pin(actor, handoff.pk)
    events.record_event(actor, number, words.line(), occurred_at=clock.now() - timedelta(hours=3))
    changes = {"techniques": ["T1566.002"], "tags": [words.line(40), words.line(40)], "summary": words.text()}
    incidents.update(actor, number, changes=changes)
    observables.add_to_incident(actor, number, "domain", "put.example.org")
    task = tasks.add(actor, number, title=words.line(200), description=words.text(), assignee=admin)
    tasks.complete(actor, task.pk)
    asset = create_asset(actor, fields={"name": words.line(200), "type": "laptop"})
    add_to_incident(actor, number, asset.name)
    evidence.add_bytes(actor, number, words.line(200), b"x", description=words.text())
    other = make_incident(words.line(300), team=incident.team, owners=[admin], lead=admin)
    relations.relate(actor, number, other.pk, "related_to")
    links.link(actor, [make_alert(words.text(500), source=world.source).pk], incident.pk)
    incidents.set_status(actor, number, "in_progress", reason=words.line())
    sla_pause.pause(actor, number, words.line())
    sla_pause.resume(actor, number, words.line())
    now = clock.now()
    IncidentPause.objects.create(incident=other, started_at=now, reason=words.text(), paused_by=words.text(200))


def merged(world: World) -> IncidentMove:
    """A merge of two more incidents, in which each part has something that went."""
    admin, owner = world.cast.user("admin"), world.cast.user("owner")
    actor = Actor.of(admin)
    stays = make_incident("Stays", make_alert("One"))
    goes = make_incident("Goes", make_alert("Two"), make_alert("Three"))
    incidents.update(actor, goes.pk, changes={"tags": ["apt"], "severity": "critical", "techniques": ["T1566.002"]})
    observables.add_to_incident(actor, goes.pk, "ip", "203.0.113.9")
    asset = create_asset(actor, fields={"name": "WS-700", "type": "laptop"})
    add_to_incident(actor, goes.pk, asset.name)
    for title in ("Call", "Write"):
        tasks.add(actor, goes.pk, title=title)
    evidence.add_bytes(actor, goes.pk, "mail.eml", b"x")
    incidents.owners(actor, goes.pk, add=[admin])
    notifications.watch(owner, goes, "follow")
    set_values(actor, goes.pk, {CustomField.objects.filter(kind="text").values_list("key", flat=True)[0]: "x"})
    make_link(goes, world.profile)
    relations.relate(actor, goes.pk, world.shown["incident"], "related_to")
    Run.objects.create(playbook=Playbook.objects.all()[0], incident=goes, cause=uuid.uuid4())
    merge.merge(actor, stays.pk, [goes.pk])
    return IncidentMove.objects.select_related("target").get(target=stays)


def _fields(world: World, words: Words) -> None:
    actor, number = Actor.of(world.cast.user("admin")), world.shown["incident"]
    for kind in FIELDS:
        choices = ["One", "Two"] if "choice" in kind else []
        create_field(Actor.system(), fields={"name": f"{kind} {words.line(60)}", "kind": kind, "choices": choices})
    keys = dict(CustomField.objects.values_list("kind", "key"))
    set_values(actor, number, {keys["text"]: words.line(200), keys["long_text"]: words.text(), keys["choice"]: "One"})


def _rows(world: World, words: Words) -> None:
    """What other products and workers leave behind."""
    things, now, cause = world.shown, clock.now(), uuid.uuid4()
    user = world.cast.user("admin")
    Sequence.objects.create(trigger="alert", total=2, cause=cause)
    LoadError.objects.create(path=words.text(), name=words.text(200), message=words.text(), traceback=words.text())
    Vote.objects.create(approval_id=things["approval"], user=user, approve=True, comment=words.text())
    WebhookAttempt.objects.create(delivery_id=things["delivery"], at=now, error=words.text())
    AssetChange.objects.create(
        asset_id=things["asset"], at=now, verb="changed", actor_name=words.text(200),
        data={"name": [words.text(), words.text()]},
    )  # fmt: skip
    AssetGroup.objects.create(name=words.line(100), key="group")
    told: dict[str, Any] = {
        "request": {"text": words.text()},
        "response": {"text": words.text()},
        "error": words.text(),
    }
    Attempt.objects.create(account_id=things["account"], operation="send", status="unsuccessful", **told)
