"""Tests that commit: the database is put back from a copy made after the migrations.

Django would TRUNCATE every table instead, which the timeline refuses by design, and which would also remove
what the migrations have put there (roles, for one).
"""

from __future__ import annotations

import psycopg
from django.db import connection, connections
from django.test import TransactionTestCase
from psycopg import sql

COPY = "_clean"


def restore_after_transactions() -> None:
    """Let Django's transactional tests begin with a copy to go back to, and go back to it at their end."""
    TransactionTestCase._fixture_setup = _keep  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = _restore  # type: ignore[attr-defined]


@classmethod  # type: ignore[misc]
def _keep(_case: type[TransactionTestCase]) -> None:
    """Copy the database once in this run, before the first test that may commit."""
    name = connection.settings_dict["NAME"]
    if name not in _kept:
        _replace(name + COPY, name)
        _kept.add(name)


def _restore(_case: TransactionTestCase) -> None:
    name = connection.settings_dict["NAME"]
    _replace(name, name + COPY)


def _replace(name: str, template: str) -> None:
    """Make ``name`` anew as a copy of ``template``; whoever is connected to either is cut off."""
    connections.close_all()
    given = connection.get_connection_params() | {"dbname": "postgres"}
    for unknown in ("cursor_factory", "context", "prepare_threshold"):
        given.pop(unknown, None)
    cut = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
    with psycopg.connect(**given, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(cut.format(sql.Literal(template)))
        both = (sql.Identifier(name), sql.Identifier(template))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*both))


_kept: set[str] = set()
