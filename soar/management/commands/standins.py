"""``manage.py standins``: the practice range on its own (rulings 27). One line of JSON on stdout, then it serves."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from soar.standins import practice_range as practice
from soar.standins.server import NotLoopback, Server


class Command(BaseCommand):
    """Serves stand-ins of other products until SIGTERM or Ctrl-C."""

    help = "Serve stand-ins of other products on a loopback port; prints {kind: {url, control}}."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address; any other is refused")
        parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
        parser.add_argument("--smtp-port", type=int, default=0, help="of the mail server; 0 takes a free one")
        parser.add_argument(
            "--connect",
            action="store_true",
            help="make connector accounts for them and show their messages in the portal; on its old ports",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; returns when told to stop."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _end)
        ports = practice.remembered() if options["connect"] else (0, 0, 0)
        try:
            server = practice.made(
                options["host"], options["port"] or ports[0], options["smtp_port"] or ports[1], ports[2]
            )
        except (NotLoopback, ValueError, OverflowError) as error:
            raise CommandError(str(error)) from None
        self._serve(server, connect=options["connect"])

    def _serve(self, server: Server, *, connect: bool) -> None:
        keeper = practice.Keeper(server)
        with server:
            if connect:
                keeper.start()
                _connect(server)
            self.stdout.write(json.dumps(server.urls))
            self.stdout.flush()
            try:
                while True:
                    signal.pause()
            except SystemExit:
                if connect:
                    keeper.stop()
                    practice.remember(server, None)
                raise


def _connect(server: Server) -> None:
    from django.db import connection

    # Only here: the range alone needs no database.
    from soar.connectors.practice import connect, try_out

    made = connect(server)
    practice.remember(server, os.getpid())
    try_out(made)
    connection.close()  # it is not needed again


def _end(*_: object) -> None:
    raise SystemExit(0)
