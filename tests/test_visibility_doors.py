"""A restricted incident shows itself to nobody without a grant, whatever door is tried: neither words of it or its
alerts, nor its number, nor by one more in a count (access.md 3, 4). Every address there is, is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from cases.actions import tasks as task_actions
from cases.actors import Actor
from cases.models import Alert, AlertSource, Incident
from playbooks.actions.runs import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import User
from tests.drawn import graph, published, tag
from tests.factories import make_alert, make_incident, make_source
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
WORD = "zebrafish"  # in all that is written of it
FIRST = 987_650_001  # ids of what is secret: found anywhere, wherever they stand
# Ways out, and pages that are about the one who asks or answer something else than a page.
NOT_ASKED = re.compile(
    r"^/(admin|static|accounts|media|healthz|readyz|practice|styleguide|settings/sessions|api/schema|api/docs)"
)
SEQUENCES = ("cases_incident", "cases_alert", "cases_observable", "playbooks_run", "cases_incidenttask")


def start_ids() -> None:
    with connection.cursor() as cursor:
        for table in SEQUENCES:
            cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s, false)", [table, FIRST])


def make_secret(author: User) -> Incident:
    """The restricted incident with an alert, an observable, a task, a note, runs, and an open alert beside it that
    shares a host with it."""
    start_ids()
    alert = make_alert(
        f"{WORD} beacon", source=make_source("Everybody's"), hostname=f"{WORD}-1", username=f"{WORD}.user",
        tags=[WORD], severity=4, observables=(("domain", f"{WORD}.org"), ("ip", "203.0.113.77")),
    )  # fmt: skip
    incident = make_incident(f"{WORD} takeover", alert, severity="critical", tags=[WORD])
    task_actions.add(Actor.system(), incident.pk, title=f"Call the {WORD}")
    playbook = published(author, graph("Any", tag("n1", "seen")), on=True)
    run_by_hand(Actor.system(), playbook, alert=alert, ring=False)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    return Incident.objects.get(pk=incident.pk)


@pytest.fixture
def secret(author: User) -> Incident:
    return make_secret(author)


@pytest.fixture(params=["stranger", "admin"])
def outsider(request: pytest.FixtureRequest) -> Client:
    """An analyst, and an admin: neither was let in. What is secret is of no team, so roles would show it."""
    return client_of(request.getfixturevalue(request.param))


def routes(patterns: list[URLPattern | URLResolver], before: str = "/") -> Iterator[str]:
    """Every address, with ``{int}`` or ``{str}`` in the places of its parameters."""
    for one in patterns:
        here = before + re.sub(r"<(?:(\w+):)?\w+>", lambda found: "{" + (found[1] or "str") + "}", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from routes(one.url_patterns, here)
        elif not re.search(r"[\^$(\\]", here):
            yield here.replace("//", "/")


def addresses(secret: Incident, alert: Alert) -> Iterator[str]:
    """Each address with what is secret in the places of its parameters; all its ids are the same number."""
    for path in sorted(set(routes(get_resolver().url_patterns))):
        if NOT_ASKED.match(path):
            continue
        if "{" not in path:
            yield path
        if "{" not in path or re.search(r"\{(?!int|str)", path):
            continue
        own = secret.number if "incident" in path else alert.number if "alert" in path else str(FIRST)
        yield path.replace("{int}", str(FIRST)).replace("{str}", own)


def test_no_address_tells_of_it(outsider: Client, secret: Incident) -> None:
    alert = secret.alerts.get()
    assert {secret.pk, alert.pk, Run.objects.get().pk, secret.tasks.get().pk} == {FIRST}
    told: list[str] = []
    asked = 0
    for path in addresses(secret, alert):
        answer = outsider.get(path)
        asked += 1
        assert answer.status_code < 500, path
        if answer.streaming or not re.search("text|json", answer.get("Content-Type", "")):
            continue
        text = answer.content.decode("utf-8", "replace")
        # The number that was asked for may be echoed, as any number would be.
        if WORD in text or (str(FIRST) in text and str(FIRST) not in path):
            told.append(f"{answer.status_code} {path}")
    assert asked > 150
    assert told == []


COUNTED = (
    "/alerts/", "/alerts/?status=any&facets=1", "/alerts/?severity=critical", "/incidents/", "/incidents/?tab=closed",
    "/incidents/suggestions/", "/observables/", "/assets/", "/tasks/", "/runs/", "/approvals/", "/responses/",
    "/playbooks/", "/servicenow/", "/suppression/", "/blocklist/", "/alerts/hidden/", "/incidents/hidden/",
    "/api/v1/alerts/", "/api/v1/incidents/", "/api/v1/observables/", "/api/v1/assets/", "/api/v1/runs/",
    "/api/v1/incidents/suggestions/", "/api/v1/response-tasks/", "/api/v1/approvals/", "/api/v1/tasks/",
)  # fmt: skip
PASSING = (
    (re.compile(r"<time.*?</time>", re.S), ""),
    (re.compile(r"(csrfmiddlewaretoken\" value=|X-CSRFToken\": )\"[^\"]+\""), ""),
    (re.compile(r"(after|newest|rows|since|sig|shown)=[^\"&]*"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d[T ][0-9:.+Z%A-F]+"), ""),
)


def seen(browser: Client) -> dict[str, str]:
    """What the pages that count show, without what passes with time."""
    found = {}
    for path in COUNTED:
        answer = browser.get(path, follow=True)
        text = answer.content.decode()
        for pattern, instead in PASSING:
            text = pattern.sub(instead, text)
        found[path] = f"{answer.status_code} {text}"
    return found


def test_it_changes_no_figure(outsider: Client, author: User) -> None:
    make_alert("Known to all", source=make_source("Everybody's source"), observables=(("ip", "203.0.113.78"),))
    make_incident("Known to all too", make_alert("In it"))
    published(author, graph("Any", tag("n1", "seen")), on=True)
    make_source("Everybody's")
    before = seen(outsider)
    incident = make_secret_beside()
    after = seen(outsider)
    assert incident.restricted
    differ = [path for path in COUNTED if before[path] != after[path]]
    assert differ == [], "\n".join(_first_difference(before[path], after[path]) for path in differ)


def make_secret_beside() -> Incident:
    """The same, from a source and with a playbook that are there."""
    alert = make_alert(
        f"{WORD} beacon", source=AlertSource.objects.get(name="Everybody's"), hostname=f"{WORD}-1", tags=[WORD],
        severity=4, observables=(("domain", f"{WORD}.org"), ("ip", "203.0.113.78")),
    )  # fmt: skip
    incident = make_incident(f"{WORD} takeover", alert, severity="critical")
    task_actions.add(Actor.system(), incident.pk, title=f"Call the {WORD}")
    run_by_hand(Actor.system(), Playbook.objects.get(), alert=alert, ring=False)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    return Incident.objects.get(pk=incident.pk)


def _first_difference(one: str, other: str) -> str:
    at = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return f"{one[max(0, at - 150) : at + 150]!r}\n  became\n{other[max(0, at - 150) : at + 150]!r}"
