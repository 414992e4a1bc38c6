"""Workers of the ServiceNow sync for the soak: ``python -m tests.chaos.sync_workers 3`` keeps three of them alive.

Each takes a row of the queue, holds it by a lock on a connection of its own while it works, and deletes it afterwards:
one that is killed leaves the row to another, as the real queue does."""

from __future__ import annotations

import json
import os
import sys
import time

import django
import psycopg

TAKE = """
SELECT id, task, args FROM soar_queue WHERE task LIKE 'cases.tasks.servicenow%' AND ready_at <= now()
ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"""


def work() -> None:
    """Until it is killed."""
    from django.db import connection

    from soar.lib.queue import function

    parent = os.getppid()
    given = {**connection.get_connection_params()}
    for unknown in ("cursor_factory", "context", "prepare_threshold"):
        given.pop(unknown, None)
    with psycopg.connect(**given) as holder:
        while os.getppid() == parent:
            row = holder.execute(TAKE).fetchone()
            if row is None:
                holder.rollback()
                time.sleep(0.05)
                continue
            ident, task, args = row
            try:
                function(task)(*(json.loads(args) if isinstance(args, str) else args))
            except Exception as error:
                # As the queue does: once more, a little later.
                print(f"{task} {args}: {type(error).__name__}: {error}", flush=True)
                holder.execute("UPDATE soar_queue SET ready_at = now() + interval '1 second' WHERE id = %s", [ident])
            else:
                holder.execute("DELETE FROM soar_queue WHERE id = %s", [ident])
            holder.commit()


def keep(number: int) -> None:
    """So many workers; for each that dies another one. They end with this process."""
    from django.db import connections

    connections.close_all()
    parent = os.getppid()
    alive: set[int] = set()
    while os.getppid() == parent:
        while len(alive) < number:
            child = os.fork()
            if not child:
                work()
                os._exit(0)
            alive.add(child)
        ended, _ = os.waitpid(-1, os.WNOHANG)
        alive.discard(ended)
        if not ended:
            time.sleep(0.05)


if __name__ == "__main__":
    django.setup()
    from cases import tasks  # loaded before the workers part

    assert tasks
    keep(int(sys.argv[1]))
