"""Ordinary days: alerts come in, and somebody deals with them, or has not yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cases.actions import alerts
from cases.demo.catalog import NOTES, TEMPLATES, Ending, Template
from cases.demo.payloads import others
from cases.demo.people import DESKS
from cases.demo.rhythm import ordinary, stays_open
from cases.demo.scene import Scene, scene_of
from cases.demo.sources import SOURCES
from cases.demo.stage import Stage
from cases.demo.verbs import write_note
from cases.models import Alert

Event = tuple[datetime, int, Callable[[], object]]
TEAM_OF = {source.key: source.team for source in SOURCES}
RUNS = 8  # ordinary alerts of the last days on which the playbooks ran


def events(stage: Stage) -> list[Event]:
    """All that happens on ordinary days, as moments and what to do then; the number keeps the order."""
    found: list[Event] = []
    moments = ordinary(stage.now, stage.rng)
    ran = set(stage.rng.sample(range(len(moments) * 3 // 4, len(moments)), RUNS))
    for number, (moment, name) in enumerate(moments):
        scene = scene_of(moment, stage.rng, number + 1)
        key = ("", f"{name} {number}")
        found += _coming_in(stage, key, TEMPLATES[name], scene, run=number in ran)
        found += _dealing(stage, key, TEMPLATES[name], scene)
        if name == "metric" and stage.rng.random() < 0.6:
            found.append(_over(stage, key, scene))
    return found


def deliveries(
    stage: Stage, key: tuple[str, str], source: str, document: dict[str, Any], moment: datetime, times: int
) -> list[Event]:
    """The first delivery, and the repeats together some minutes later."""
    found: list[Event] = [(moment, 0, lambda: stage.deliver(key, source, [document]))]
    if times > 1:
        later = moment + timedelta(minutes=11)
        found.append((later, 0, partial(stage.deliver, key, source, [document] * (times - 1))))
    return found


def _coming_in(stage: Stage, key: tuple[str, str], template: Template, scene: Scene, *, run: bool) -> list[Event]:
    times = stage.rng.randint(*template.repeats)
    found = deliveries(stage, key, template.source, template.build(scene), scene.moment, times)
    if run:
        found.append((scene.moment, 1, lambda: stage.run_playbooks(stage.alerts[key], scene.moment)))
    return found


def _over(stage: Stage, key: tuple[str, str], scene: Scene) -> Event:
    """The figure is back to normal: the source says so, and the alert is resolved by that."""
    later = scene.moment + timedelta(minutes=stage.rng.randint(9, 70))
    return later, 0, lambda: stage.deliver(key, "alertmanager", [others.metric(scene, "resolved")])


def _dealing(stage: Stage, key: tuple[str, str], template: Template, scene: Scene) -> list[Event]:
    """Claim, perhaps a note, and the end; the youngest are only claimed, or nobody's yet."""
    rng = stage.rng
    who = rng.choice(DESKS[TEAM_OF[template.source]])
    begin = scene.moment + timedelta(minutes=rng.choice((2, 4, 7, 11, 19, 34, 58)), seconds=rng.randint(0, 59))
    end = begin + timedelta(minutes=rng.randint(4, 150), seconds=rng.randint(0, 59))
    waits = stays_open(stage.now - scene.moment, rng)
    found: list[Event] = []
    if rng.random() < (0.35 if waits else 0.25):
        found.append((begin, 2, lambda: _open_only(stage, key, lambda pk: alerts.claim(stage.actors[who], pk))))
    elif not waits and rng.random() < 0.3:
        give = partial(alerts.assign, stage.writer("mara"), owner=stage.users[who])
        found.append((begin, 2, lambda: _open_only(stage, key, give)))
    if rng.random() < 0.15:
        text = rng.choice(NOTES).format(name=scene.worker.name, host=scene.worker.host.name, unit=scene.worker.unit)
        found.append((begin + (end - begin) / 3, 3, lambda: write_note(stage, who, stage.alert(key), text)))
    if not waits:
        ending = rng.choice(template.ends)
        found.append((end, 4, lambda: _open_only(stage, key, lambda pk: _resolve(stage, who, pk, ending))))
    return found


def _open_only(stage: Stage, key: tuple[str, str], act: Callable[[int], object]) -> None:
    """Do it if the alert is still open: its source or a playbook may have been quicker."""
    pk = stage.alerts[key]
    if Alert.objects.open().filter(pk=pk).exists():
        act(pk)


def _resolve(stage: Stage, who: str, pk: int, ending: Ending) -> None:
    determination, findings, reason = ending
    alerts.resolve(stage.writer(who), pk, determination=determination, findings=findings, reason=reason)
