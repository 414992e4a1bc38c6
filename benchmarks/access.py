"""What permissions and casework cost: lists at a million alerts, 20,000 incidents, 200 teams and 10,000 grants beside
the same lists of an admin, who is asked for none of them; the page of 500 grants, a large incident, the dashboard.

One reader, the two by turns, so that what else the machine does falls on both alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from benchmarks import load, mapping, reports
from benchmarks.calm import calm
from benchmarks.report import Row
from benchmarks.stack import Stack

TEAMS, PEOPLE, INCIDENTS, OWN_TEAMS = 200, 500, 20_000, 10
SINCE, TOOK = timedelta(days=90), timedelta(hours=4)  # over how long the incidents came, and what one takes
GRANTS = 10_000
OWN_GRANTS = 300  # of these, to the person who is measured
ROUNDS, WARM = 40, 5
AT_MOST = 1.5
LISTS = {
    "queue": "/alerts/",
    "queue, filtered": "/alerts/?severity=high,critical&owner=none",
    "text search": "/alerts/?q=phishing",
    "incident list": "/incidents/",
    "alerts by the API": "/api/v1/alerts/?page_size=100",
}


def teams() -> None:
    """Make the teams and people, before alerts are filled in. Run by manage.py shell."""
    from soar.accounts.actions.users import create_user, ensure_team
    from soar.accounts.models import User

    made = [ensure_team(f"Measured {number:03}") for number in range(TEAMS)]
    User.objects.bulk_create([User(username=f"granted{n}", password="!") for n in range(PEOPLE)])
    own = tuple(team.name for team in made[:OWN_TEAMS])
    create_user("measured", password=None, roles=("Analyst",), teams=own, login=False)


def grant() -> None:
    """Make the incidents and grants; print the cookies of both readers. Run by manage.py shell."""
    from django.contrib.auth.models import Permission
    from django.utils import timezone

    from cases.models import Incident
    from cases.models.permissions import IncidentGroupPermission, IncidentUserPermission
    from soar.accounts.models import Team, User

    groups = list(Team.objects.select_related("group").order_by("pk"))
    step, first = SINCE / INCIDENTS, timezone.now() - SINCE
    Incident.objects.bulk_create(
        [
            Incident(title=f"Incident number {n}", severity=n % 5, status=0 if n % 5 == 0 else 3,
                     restricted=n % 50 == 0, determination=0 if n % 5 == 0 else 1,
                     team=groups[n % len(groups)] if n % 3 else None, created_at=first + n * step,
                     updated_at=first + n * step + TOOK, resolved_at=first + n * step + TOOK if n % 5 else None)
            for n in range(INCIDENTS)
        ],
        batch_size=2_000,
    )  # fmt: skip
    view = Permission.objects.get(codename="view_incident", content_type__app_label="cases")
    ids = list(Incident.objects.order_by("pk").values_list("pk", flat=True))
    me, others = User.objects.get(username="measured"), list(User.objects.filter(username__startswith="granted"))
    mine = [(me, ids[n * 37 % len(ids)]) for n in range(OWN_GRANTS)]
    theirs = [(others[n % PEOPLE], ids[n * 31 % len(ids)]) for n in range(GRANTS // 2)]
    one = [(user, ids[1]) for user in others]  # an admin sees the first, which is restricted, no more than others
    IncidentUserPermission.objects.bulk_create(
        [IncidentUserPermission(permission=view, user=who, content_object_id=pk) for who, pk in [*mine, *theirs, *one]],
        batch_size=2_000, ignore_conflicts=True,
    )  # fmt: skip
    rest = GRANTS - OWN_GRANTS - len(theirs) - len(one)
    IncidentGroupPermission.objects.bulk_create(
        [
            IncidentGroupPermission(
                permission=view, group=groups[n % TEAMS].group, content_object_id=ids[n * 29 % len(ids)]
            )
            for n in range(rest)
        ],
        batch_size=2_000, ignore_conflicts=True,
    )  # fmt: skip
    admin = User.objects.get(username="admin")
    print(json.dumps({"admin": cookie_of(admin), "measured": cookie_of(me), "granted": f"INC-{ids[1]}"}))


def cookie_of(user: Any) -> str:
    """A session of the user, as a browser would send it. Inside of the portal."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "soar.accounts.backend.Backend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def measure(stack: Stack) -> Iterator[Row]:
    """p50 of each list for both, in milliseconds, and of the pages. The alerts are there, and ``teams`` was run."""
    made = json.loads(shell(stack, "grant()").splitlines()[-1])
    calm(stack)
    for name, path in LISTS.items():
        admin, person, cpu = _both(stack, path, made["admin"], made["measured"])
        note = f"{person:.1f} beside {admin:.1f} ms"
        yield Row(f"{name}, with teams and grants beside an admin's", person / admin, "x", AT_MOST, "less", note)
        if path.startswith("/api/"):
            yield Row("API list of 100 alerts, p50", person, "ms", 40, "less", f"{cpu:.0f} ms of CPU")
    large = stack.manage("shell", "-v0", "-c", reports.SETUP).split()[-1]
    pages = {
        "page of 500 grants": f"/incidents/{made['granted']}/access/",
        "dashboard": "/",
        f"page of an incident with {reports.ENTRIES:,} entries": f"/incidents/{large}/",
        f"list of {INCIDENTS:,} incidents": "/incidents/",
    }
    for name, path in pages.items():
        admin, _, cpu = _both(stack, path, made["admin"], made["admin"])
        yield Row(f"{name}, p50", admin, "ms", 60, "less", f"{cpu:.0f} ms of CPU")


def _both(stack: Stack, path: str, first: str, second: str) -> tuple[float, float, float]:
    """p50 of both readers, and the CPU that a request took of all processes, in milliseconds."""
    pair = [get(path, cookie) for cookie in (first, second)]
    load.run(stack.port, 1, iter(pair * WARM))
    before = mapping.cpu_of(stack)
    result = load.run(stack.port, 1, iter(pair * ROUNDS), keep=True)
    cpu = (mapping.cpu_of(stack) - before) / (2 * ROUNDS) * 1000
    if set(result.statuses) != {200}:
        raise RuntimeError(f"{path} answered {result.statuses}: {result.bodies[-1][:300]!r}")
    ranked = [sorted(result.times[which::2])[ROUNDS // 2] * 1000 for which in (0, 1)]
    return ranked[0], ranked[1], cpu


def get(path: str, cookie: str) -> bytes:
    """A whole request, by whom the cookie says."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}\r\n\r\n".encode()


def shell(stack: Stack, call: str) -> str:
    """What a function of this module prints, called inside of the portal."""
    return stack.manage("shell", "-v0", "-c", f"from benchmarks.access import *; {call}")
