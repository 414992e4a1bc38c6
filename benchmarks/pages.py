"""Pages as a browser gets them from the running portal: the whole answer, one reader."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks import load
from benchmarks.report import Row
from benchmarks.stack import ROOT, Stack

ROUNDS = 40
PREPARE = """
import json
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from cases.actions import incidents
from cases.actors import Actor
from cases.models import Alert
from soar.accounts.models import User
user = User.objects.filter(groups__name='Analyst').first() or User.objects.first()
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = 'soar.accounts.backend.Backend'
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
alerts = list(Alert.objects.visible_to(user).open().filter(incident=None).order_by('-pk')[:12])
incident = incidents.open_incident(Actor.system(), title='Measured', alerts=[a.pk for a in alerts[:10]])
found = {'alert': alerts[-1].number, 'incident': incident.number}
print(json.dumps({'cookie': session.session_key, 'user': user.username, **found}))
"""


def prepare(stack: Stack) -> dict[str, str]:
    """An analyst's session cookie and name, an alert and an incident to look at."""
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", PREPARE],
        cwd=ROOT,
        env=stack.env,
        capture_output=True,
        text=True,
        check=True,
    )
    made: dict[str, str] = json.loads(done.stdout.strip().splitlines()[-1])
    return made


def measure(stack: Stack) -> Iterator[Row]:
    """p50 of each page, in milliseconds."""
    made = prepare(stack)
    pages = {
        "queue": "/alerts/",
        "queue, newest first": "/alerts/?sort=newest",
        "queue, filtered": "/alerts/?severity=high,critical&owner=none",
        "queue, resolved by tag": "/alerts/?status=resolved&tag=tenant3",
        "text search, rare": "/alerts/?q=HOST-1234+status:any",
        "text search, common": "/alerts/?q=phishing",
        "text search, common, any status": "/alerts/?q=phishing+status:any",
        "text search, nothing found": "/alerts/?q=zzzqqqxx+status:any",
        "incident list": "/incidents/",
        "suggestions": "/incidents/suggestions/",
        "alert page": f"/alerts/{made['alert']}/",
        "incident page": f"/incidents/{made['incident']}/",
    }
    for name, path in pages.items():
        result = load.run(stack.port, 1, iter([get(path, made["cookie"])] * (ROUNDS + 5)), keep=True)
        if set(result.statuses) != {200}:
            raise RuntimeError(f"{path} answered {result.statuses}")
        result.times = result.times[5:]
        size = len(result.bodies[-1]) / 1024
        yield Row(
            f"{name}, p50",
            result.percentile(0.5),
            "ms",
            60,
            "less",
            f"p95 {result.percentile(0.95):.0f}, {size:.0f} KB",
        )


def get(path: str, cookie: str) -> bytes:
    """A whole request for a page, by whom the cookie says."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: sessionid={cookie}\r\n\r\n".encode()
