"""Makes the demo data, all in one transaction: believable, some 400 alerts over two weeks."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Least

from cases.actors import Actor
from cases.demo import days, extras, inventory
from cases.demo.catalog import TEMPLATES
from cases.demo.checklists import CHECKLISTS
from cases.demo.days import Event, deliveries
from cases.demo.estate import BY_HOST, BY_LOGIN
from cases.demo.evidence import EVIDENCE
from cases.demo.people import PEOPLE, TEAMS
from cases.demo.scene import scene_of
from cases.demo.sources import SOURCES
from cases.demo.stage import Stage, parts, runner
from cases.demo.stories import STORIES
from cases.demo.stories.campaign import KNOWN_BAD
from cases.demo.story import Shot, Story
from cases.demo.verbs import play
from cases.models import (
    Alert,
    AlertObservable,
    AlertSource,
    Incident,
    IncidentObservable,
    IncidentOwner,
    Observable,
    TimelineEntry,
)
from cases.permissions import parse_number
from soar.accounts import audit
from soar.accounts.actions.users import create_user, ensure_team
from soar.accounts.models import Team, User
from soar.connectors.errors import Refused as ListRefused
from soar.connectors.intelligence import actions as lists
from soar.lib import clock
from soar.lib.readers import silence

SEEDED, REMOVED = "demo.seeded", "demo.removed"
LOCK = 0x64656D6F  # advisory: one process at a time seeds or removes
CHANCE = 4711  # the same data every time, but for the dates
SILENT = timedelta(seconds=30)  # nothing happens in the last moments before now


@dataclass(slots=True)
class Seeded:
    """How much was made."""

    alerts: int
    incidents: int
    runs: bool
    stage: Stage


def seed() -> Seeded | None:
    """Make the demo data; None if they are there already. Nobody is rung: no playbook starts, no mail goes out."""
    runs = runner()
    with transaction.atomic(), silence():
        one_at_a_time()
        if AlertSource.objects.filter(demo=True).exists():
            return None
        stage = _stage(clock.now(), runs)
        inventory.stock(stage)
        _play(stage, _events(stage))
        for part in parts():
            part.load(stage)
        return _finish(stage)


def one_at_a_time() -> None:
    """Wait for another seeding or removal to end; held until the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _stage(now: datetime, runs: object) -> Stage:
    """People, teams and sources."""
    taken = set(Team.objects.values_list("name", flat=True))
    teams = {name: ensure_team(name) for name in TEAMS}
    users = {
        person.key: _user(person.username, person.first_name, person.last_name, person.roles, person.teams)
        for person in PEOPLE
    }
    User.objects.filter(pk__in=[user.pk for user in users.values()]).update(date_joined=now - timedelta(days=200))
    entries = _known_bad()
    made: dict[str, Any] = {
        "users": [user.pk for user in users.values()],
        "teams": [team.pk for name, team in teams.items() if name not in taken],
        "own_list": entries,
    }
    actors = {key: Actor.of(user) for key, user in users.items()}
    stage = Stage(now, random.Random(CHANCE), actors, users, teams, _sources(teams, now), runs)  # noqa: S311
    stage.reader = extras.reader()
    audit.record(None, SEEDED, "demo data", **made, fields=extras.define(stage))
    return stage


def _user(username: str, first: str, last: str, roles: tuple[str, ...], teams: tuple[str, ...]) -> User:
    """A person that nobody can log in as. A name that is taken gets a number."""
    number, free = 1, username
    while User.objects.filter(username__iexact=free).exists():
        number += 1
        free = f"{username}{number}"
    user, _ = create_user(free, roles=roles, teams=teams, first_name=first, last_name=last, login=False)
    return user


def _sources(teams: dict[str, Team], now: datetime) -> dict[str, AlertSource]:
    made = {}
    for source in SOURCES:
        name, slug = source.name, source.slug
        while AlertSource.objects.filter(Q(name__iexact=name) | Q(slug=slug)).exists():
            name, slug = f"{name} (demo)", f"{slug}-2"
        team = teams.get(source.team)
        made[source.key] = AlertSource.objects.create(
            name=name, slug=slug, kind=source.kind, team=team, demo=True, **source.fields
        )
    AlertSource.objects.filter(demo=True).update(created_at=now - timedelta(days=190))
    return made


def _known_bad() -> list[int]:
    """The campaign's values on the own list, so that playbooks have something to find."""
    made = []
    for type_, value, reason in KNOWN_BAD:
        try:
            made.append(lists.add_own(None, type_, value, f"Demo: {reason}", effect="malicious").pk)
        except ListRefused:  # somebody has put it there before
            continue
    return made


def _events(stage: Stage) -> list[Event]:
    found = days.events(stage)
    for number, story in enumerate(STORIES, 1):
        found += _story_events(stage, story, 1000 * number)
    return [event for event in sorted(found, key=lambda e: e[:2]) if event[0] < stage.now - SILENT]


def _story_events(stage: Stage, story: Story, number: int) -> list[Event]:
    begin = stage.now - story.ago
    found: list[Event] = []
    for offset, shot in enumerate(story.shots):
        found += _shot_events(stage, story, shot, begin, number + offset)
    for step in (
        *story.steps,
        *CHECKLISTS.get(story.key, ()),
        *EVIDENCE.get(story.key, ()),
        *extras.EXTRAS.get(story.key, ()),
    ):
        moment = begin + timedelta(minutes=step.minutes, seconds=stage.rng.randint(1, 50))
        found.append((moment, 5, partial(play, stage, story.key, step.who, step.verb, step.words)))
    return found


def _shot_events(stage: Stage, story: Story, shot: Shot, begin: datetime, number: int) -> list[Event]:
    template = TEMPLATES[shot.template]
    moment = begin + timedelta(minutes=shot.minutes)
    given = dict(shot.facts)
    if shot.login:
        given["worker"] = BY_LOGIN[shot.login]
    if shot.host:
        given["server"] = BY_HOST[shot.host]
    key = (story.key, shot.key)
    document = template.build(scene_of(moment, stage.rng, number, **given))
    found = deliveries(stage, key, template.source, document, moment, shot.times)
    if shot.run:
        found.append((moment, 1, lambda: stage.run_playbooks(stage.alerts[key], moment)))
    return found


def _play(stage: Stage, events: list[Event]) -> None:
    for moment, _, act in events:
        with clock.at(moment):
            act()


def _finish(stage: Stage) -> Seeded:
    """What no action dates back, the sources' counters, and the marks by which the removal finds everything."""
    sources = AlertSource.objects.filter(demo=True)
    alerts = Alert.objects.filter(source__in=sources)
    linked = TimelineEntry.objects.filter(alert__in=alerts, kind="alert.linked")
    numbers = {parse_number(number, "INC") for number in linked.values_list("data__incident", flat=True)}
    made = Incident.objects.filter(pk__in=numbers)  # those of the stories, and those that playbooks opened
    made.update(demo=True)
    for incident in made:
        IncidentOwner.objects.filter(incident=incident).update(added_at=incident.created_at)
        IncidentObservable.objects.filter(incident=incident).update(added_at=incident.created_at)
    extras.tell(stage, made)
    _date_back_observables(stage)
    figures = alerts.values("source").annotate(n=Count("pk"), all=Sum("count"), last=Max("last_seen"))
    for row in figures:
        AlertSource.objects.filter(pk=row["source"]).update(
            accepted=F("accepted") + row["n"], repeats=F("repeats") + row["all"] - row["n"], last_seen_at=row["last"]
        )
    audit.record(None, "demo.alerts", "demo data", alerts=list(alerts.order_by("pk").values_list("pk", flat=True)))
    return Seeded(alerts.count(), made.count(), stage.runs is not None, stage)


def _date_back_observables(stage: Stage) -> None:
    """Observables that this made were first seen when the first of their alerts came."""
    mine = {"observable": OuterRef("pk")}
    alerts = AlertObservable.objects.filter(**mine).order_by().values("observable")
    added = IncidentObservable.objects.filter(**mine).order_by().values("observable")
    Observable.objects.filter(created_at__gte=stage.now).update(
        created_at=Least(
            Subquery(alerts.annotate(at=Min("alert__received_at")).values("at")),
            Subquery(added.annotate(at=Min("added_at")).values("at")),
            F("created_at"),
        )
    )
