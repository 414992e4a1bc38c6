"""What is added and not to be seen changes nothing of what somebody hears (access.md 4): no figure, order, facet,
suggestion, page or export. Every address is read, then hidden things are made beside what is shown, then all is read
once more."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from cases.actions import incidents, tasks
from cases.actors import Actor
from cases.models import Alert, Incident
from playbooks import detection_models
from tests.crossing.case import MARK
from tests.crossing.knocking import knock, said
from tests.crossing.operations import everything
from tests.crossing.personas import cast
from tests.crossing.world import SHOWN, World, make_world
from tests.factories import make_alert, make_incident, make_source

pytestmark = pytest.mark.django_db
# What lists are asked besides their plain address.
QUERIES: dict[str, tuple[str, ...]] = {
    "alerts/": ("status=any&facets=1", "q=domain", "severity=critical", "sort=severity", "view=incidents"),
    "incidents/": ("tab=closed", "status=any", "q=incident", "severity=critical"),
    "api/v1/alerts/": ("page_size=1", "q=host", "status=any&ordering=severity", "expand=observables"),
    "api/v1/incidents/": ("page_size=1", "q=incident", "status=any"),
    "api/v1/observables/": ("page_size=1", "q=com"),
    "api/v1/runs/": ("page_size=1",),
    "playbooks/figures/": ("days=30",),
}


# What is the person's own, or of no case at all.
OWN = ("accounts/", "practice/", "settings/operations/", "settings/profile/", "settings/sessions/", "settings/tokens/")
# What differs from answer to answer: times, tokens of forms and of the policy for scripts, places that are sealed for
# one reader, and the length of all that.
PASSING = tuple(
    re.compile(pattern, re.S)
    for pattern in (
        r"<time.*?</time>",
        r"\d{4}-\d\d-\d\d(T|%20| )[0-9:.+Z%A-F]+",
        r"(\b\d+(\.\d+)?[ \u00a0](ms|s|min|h|d)\b *)+|\bnow\b",
        r"<progress class=\"t-grey\" max=\"100\" value=\"\d+\"",
        r"Expires: [^\n]+|Content-Length: \d+|X-Request-ID: \w+",
        r"csrfmiddlewaretoken\" value=\"\w+|X-CSRFToken\": \"\w+|csrftoken=\w+|nonce[-=][\"\w+/=-]+",
        r"gAAAA[\w=-]+",
    )
)


@pytest.fixture
def world(settings: Any, tmp_path: Path) -> World:
    """Team Blue's things alone."""
    settings.TOKEN_RATE, settings.DATA_DIR = 1_000_000, tmp_path
    return make_world(cast(), hidden=False)


def test_a_restricted_incident_changes_nothing_for_an_admin(world: World) -> None:
    before = _read(world, "admin")
    world.hide()
    _like_what_is_shown(world)
    _same(before, _read(world, "admin"))


def test_what_another_team_gets_changes_nothing(world: World) -> None:
    before = _read(world, "stranger")
    world.hide()
    _like_what_is_shown(world)
    world.more("more")
    make_source("Another of Blue", team=world.source.team)
    after = _read(world, "stranger")
    # These lines say how much teams hide, and no more than that (access.md 5).
    hints = [key for key in before if "/hidden/" in key]
    assert "GET alerts/hidden/" in hints
    _same(
        {key: before[key] for key in before if key not in hints}, {key: after[key] for key in after if key not in hints}
    )


def _like_what_is_shown(world: World) -> None:
    """A restricted incident with host, observable, tag and technique of what is shown, worked on and closed, and its
    alert beside."""
    owner = Actor.of(world.cast.user("owner"))
    like: dict[str, Any] = {"source": world.source, "hostname": "shared-host", "tags": ["shared"]}
    like |= {"detection_model": f"Model {MARK}"}
    like |= {"techniques": ["T1566"], "observables": (("domain", f"{SHOWN}.com"),)}
    alerts = [make_alert(f"{MARK} {number}", severity=4, **like) for number in range(2)]
    incident = make_incident(f"{MARK} two", *alerts, team=world.source.team, severity="critical", tags=["shared"])
    tasks.add(owner, incident.pk, title=f"Call {MARK}")
    incidents.comment(owner, incident.pk, f"@the-admin @the-stranger {MARK}")
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    Alert.objects.filter(incident=incident).update(restricted=True)
    incidents.set_status(Actor.system(), incident.pk, "closed", determination="malicious", reason="Done")


def _read(world: World, name: str) -> dict[str, str]:
    """All that the person is answered, by address, after what is collected now and then was."""
    cache.clear()
    detection_models.collect()
    found = {}
    for operation in everything():
        if operation.method == "GET" and not operation.route.startswith(OWN):
            for query in ("", *QUERIES.get(operation.route, ())):
                answer = knock(world, name, operation, "", query=query)
                if answer.status_code == 200:
                    found[f"{operation} {query}".strip()] = _lasting(said(answer), answer)
    return found


def _lasting(text: str, answer: Any) -> str:
    told = "\n".join(f"{name}: {value}" for name, value in sorted(answer.items())) + f"\n\n{text}"
    for pattern in PASSING:
        told = pattern.sub("", told)
    return told


def _same(before: dict[str, str], after: dict[str, str]) -> None:
    assert len(before) > 100
    told = [f"{key}\n{_difference(before.get(key, ''), after.get(key, ''))}" for key in sorted({*before, *after})
            if before.get(key) != after.get(key)]  # fmt: skip
    assert not told, "\n\n".join(told)


def _difference(one: str, other: str) -> str:
    lines = difflib.unified_diff(one.splitlines(), other.splitlines(), n=0, lineterm="")
    return "\n".join(line[:300] for line in list(lines)[2:14])
