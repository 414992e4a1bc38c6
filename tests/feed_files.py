"""Files for feeds, as the page takes them, and the worker that imports them."""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.conf import settings
from django.db import connection

from soar.accounts.models import User
from soar.connectors.intelligence.feeds import actions, imports
from soar.connectors.intelligence.feeds.files import Writer
from soar.connectors.models import FeedImport, FeedState


def send(actor: User | None, account_id: int, body: bytes, name: str = "list.txt") -> FeedImport:
    """Have a file imported; a worker has not begun yet."""
    writer = Writer()
    try:
        writer.write(body)
        writer.finish()
        return actions.request_file(actor, account_id, writer, name)
    except BaseException:
        writer.abort()
        raise


def drain() -> None:
    """Do what is queued for feeds, as a worker does."""
    with connection.cursor() as cursor:
        tasks = {actions.TASK: actions.bring, imports.TASK: imports.work}
        cursor.execute("DELETE FROM soar_queue WHERE task = ANY(%s) RETURNING task, args", [list(tasks)])
        for task, args in cursor.fetchall():
            tasks[task](*json.loads(args) if isinstance(args, str) else args)


def take(account_id: int, body: bytes, name: str = "list.txt") -> FeedState:
    """Import a file that is good."""
    row = send(None, account_id, body, name)
    drain()
    row.refresh_from_db()
    assert row.status == "successful", row.error
    return FeedState.objects.get(account=account_id)


def kept_files() -> list[str]:
    """The names of the files that wait."""
    folder = Path(settings.DATA_DIR) / "uploads"
    return sorted(os.listdir(folder)) if folder.exists() else []
