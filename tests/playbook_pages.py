"""A playbook, an alert of team Blue and a run, for the tests of pages."""

from __future__ import annotations

from typing import Any

from cases.actors import Actor
from cases.models import Alert
from playbooks.actions import run_by_hand
from playbooks.models import Playbook, Run
from soar.accounts.models import Team
from tests.factories import make_alert, make_source
from tests.playbook_files import Folder, work

HTMX = {"HX-Request": "true"}
EVIL = "<script>alert(1)</script>"
NEVER = "conditions={'title': 'never'}"
# One successful call, nothing more.
PLAIN = f"""
@action
async def look_up(host, api_token):
    return {{"host": host}}

@playbook({NEVER}, description="Looks a host up.")
async def plain(alert):
    return await look_up(alert["title"], "t0ps3cret")
"""
FAILING = f"""
@action
async def block(host):
    raise ValueError("refused " + host)

@playbook({NEVER})
async def failing(alert):
    await block(alert["title"])
"""
# A call that is cut off: nobody knows whether it happened.
UNKNOWN = f"""
@action(timeout=0.05)
async def open_ticket(title):
    await asyncio.sleep(9)

@playbook({NEVER})
async def asking(alert):
    await open_ticket(alert["title"])
"""


def blue_alert(blue: Team, title: str = "Odd login") -> Alert:
    """An alert that only team Blue sees."""
    return make_alert(title, source=make_source(team=blue))


def queued_run(folder: Folder, blue: Team, source: str = PLAIN, title: str = "Odd login") -> Run:
    """A run of the only playbook of ``source`` that waits for a worker."""
    folder.load(source)
    return run_by_hand(Actor.system(), Playbook.objects.get(), alert=blue_alert(blue, title))


def done_run(folder: Folder, blue: Team, source: str = PLAIN, title: str = "Odd login") -> Run:
    """The same, executed."""
    run = queued_run(folder, blue, source, title)
    work()
    run.refresh_from_db()
    return run


def text_of(answer: Any, status: int = 200) -> str:
    """The text of an answer with this status."""
    body: str = answer.content.decode()
    assert answer.status_code == status, body[:2000]
    return body
