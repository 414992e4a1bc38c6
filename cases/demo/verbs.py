"""What people do in the stories, through the same actions as the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from cases.actions import (
    alerts,
    custom_values,
    evidence,
    incidents,
    links,
    merge,
    notes,
    observables,
    pins,
    tasks,
    template_use,
)
from cases.actions.base import KEEP
from cases.actions.evidence_access import note
from cases.actors import Actor
from cases.choices import AlertStatus
from cases.demo.evidence import content
from cases.demo.stage import Stage
from cases.models import Alert, Evidence, IncidentTask, IncidentTemplate
from soar.lib import clock

Words = dict[str, Any]


def play(stage: Stage, story: str, who: str, verb: str, words: Words) -> None:
    """Let the person ``who`` do ``verb`` in the story."""
    VERBS[verb](stage, story, who, dict(words))


def _ids(stage: Stage, story: str, keys: list[str]) -> list[int]:
    return [stage.alerts[story, key] for key in keys]


def _people(stage: Stage, words: Words) -> Words:
    """Owners and lead as users."""
    for name in ("owners", "add", "remove"):
        if name in words:
            words[name] = [stage.users[key] for key in words[name]]
    if words.get("lead"):
        words["lead"] = stage.users[words["lead"]]
    return words


def _claim(stage: Stage, story: str, who: str, words: Words) -> None:
    alert = stage.alert((story, words["alert"]))
    if alert.status != AlertStatus.RESOLVED:  # a playbook may have been quicker
        alerts.claim(stage.actors[who], alert.pk)


def _note(stage: Stage, story: str, who: str, words: Words) -> None:
    write_note(stage, who, stage.alert((story, words["alert"])), stage.told(words["text"]))


def write_note(stage: Stage, who: str, alert: Alert, text: str) -> None:
    """A note on the alert, or on its incident, where notes belong once there is one (rulings 5)."""
    if alert.incident_id:
        incidents.comment(stage.writer(who), alert.incident_id, text)
    else:
        alerts.comment(stage.writer(who), alert.pk, text)


def _open(stage: Stage, story: str, who: str, words: Words) -> None:
    """Open the story's incident, or take over the one that a playbook has opened from one of its alerts."""
    words = _people(stage, words)
    if "team" in words:
        words["team"] = stage.teams[words["team"]]
    ids = _ids(stage, story, words.pop("alerts"))
    opened = Alert.objects.filter(pk__in=ids, incident__isnull=False).values_list("incident", flat=True).first()
    if opened is None:
        opened = incidents.open_incident(stage.actors[who], alerts=ids, **words).pk
    else:
        _take_over(stage.actors[who], opened, ids, words)
    stage.incidents[story] = opened


def _take_over(actor: Actor, incident: int, ids: list[int], words: Words) -> None:
    links.link(actor, ids, incident)
    people = {"add": words.pop("owners", []), "lead": words.pop("lead", KEEP)}
    incidents.update(actor, incident, changes=words)
    incidents.owners(actor, incident, **people)


def _link(stage: Stage, story: str, who: str, words: Words) -> None:
    links.link(stage.actors[who], _ids(stage, story, words["alerts"]), stage.incidents[story], move=True)


def _unlink(stage: Stage, story: str, who: str, words: Words) -> None:
    links.unlink(stage.actors[who], _ids(stage, story, words["alerts"]), stage.incidents[story])


def _comment(stage: Stage, story: str, who: str, words: Words) -> None:
    incident = stage.incidents[words.get("of", story)]
    entry = incidents.comment(stage.actors[who], incident, stage.told(words["text"]))
    stage.entries[story, words.get("key", "")] = entry.pk


def _handoff(stage: Stage, story: str, who: str, words: Words) -> None:
    incidents.comment(stage.actors[who], stage.incidents[story], words["text"], kind="handoff")


def _edit(stage: Stage, story: str, who: str, words: Words) -> None:
    notes.edit_comment(stage.actors[who], stage.entries[story, words["key"]], stage.told(words["text"]))


def _set(stage: Stage, story: str, who: str, words: Words) -> None:
    incidents.update(stage.actors[who], stage.incidents[story], changes=words)


def _status(stage: Stage, story: str, who: str, words: Words) -> None:
    incidents.set_status(stage.actors[who], stage.incidents[story], words.pop("status"), **words)


def _owners(stage: Stage, story: str, who: str, words: Words) -> None:
    incidents.owners(stage.actors[who], stage.incidents[story], **_people(stage, words))


def _observable(stage: Stage, story: str, who: str, words: Words) -> None:
    observables.add_to_incident(stage.actors[who], stage.incidents[story], words["type"], words["value"])


def _template(stage: Stage, story: str, who: str, words: Words) -> None:
    if IncidentTemplate.objects.filter(name=words["name"]).exists():  # an admin may have deleted or renamed it
        template_use.apply(stage.actors[who], stage.incidents[story], words["name"])


def _task(stage: Stage, story: str, who: str, words: Words) -> None:
    due = clock.now() + timedelta(minutes=words["due"]) if "due" in words else None
    tasks.add(
        stage.actors[who],
        stage.incidents[story],
        title=words["title"],
        description=words.get("description", ""),
        assignee=stage.person(words["to"]),
        due_at=due,
        required=words.get("required", False),
    )


def _give(stage: Stage, story: str, who: str, words: Words) -> None:
    for pk in _tasks_named(stage, story, words["tasks"]):
        tasks.assign(stage.actors[who], pk, stage.users[words["to"]])


def _tick(stage: Stage, story: str, who: str, words: Words) -> None:
    for pk in _tasks_named(stage, story, words["tasks"]):
        tasks.complete(stage.actors[who], pk)


def _tasks_named(stage: Stage, story: str, titles: list[str]) -> list[int]:
    """Ids of the story's tasks of these titles; one that is not there, because its template is not, is left out."""
    rows = IncidentTask.objects.filter(incident=stage.incidents[story], title__in=titles)
    return list(rows.values_list("pk", flat=True))


def _evidence(stage: Stage, story: str, who: str, words: Words) -> None:
    given = content(words.pop("file"), clock.now())
    evidence.add_bytes(stage.actors[who], stage.incidents[story], words.pop("name"), given, **words)


def _fetch(stage: Stage, story: str, who: str, words: Words) -> None:
    piece = Evidence.objects.get(incident=stage.incidents[story], name=words["name"])
    note(stage.actors[who], piece, words["how"])


def _fields(stage: Stage, story: str, who: str, words: Words) -> None:
    values = {stage.fields[name]: value for name, value in words["values"].items() if name in stage.fields}
    custom_values.set_values(stage.actors[who], stage.incidents[story], values)


def _pin(stage: Stage, story: str, who: str, words: Words) -> None:
    pins.pin(stage.actors[who], stage.entries[story, words["key"]])


def _merge(stage: Stage, story: str, who: str, words: Words) -> None:
    merge.merge(stage.actors[who], stage.incidents[words["into"]], [stage.incidents[story]])


VERBS: dict[str, Callable[[Stage, str, str, Words], None]] = {
    "claim": _claim,
    "note": _note,
    "open": _open,
    "link": _link,
    "unlink": _unlink,
    "comment": _comment,
    "handoff": _handoff,
    "edit": _edit,
    "set": _set,
    "status": _status,
    "owners": _owners,
    "observable": _observable,
    "template": _template,
    "task": _task,
    "give": _give,
    "tick": _tick,
    "evidence": _evidence,
    "fetch": _fetch,
    "fields": _fields,
    "pin": _pin,
    "merge": _merge,
}
