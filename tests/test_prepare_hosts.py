"""``manage.py prepare`` on several hosts at once, and one that was cut off in the middle (operations.md 2)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.apps import apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import Migration
from psycopg import sql

from soar.lib.migrating import clear_begun

ROOT = Path(__file__).parent.parent


@pytest.fixture
def empty(django_db_setup: None) -> Iterator[str]:
    """The address of a new database with nothing in it."""
    given = connection.get_connection_params()
    name = f"{given['dbname']}_prepared"
    parts = {key: given[key] for key in ("host", "port", "user", "password") if given.get(key)}
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(**parts, dbname="postgres", autocommit=True) as server:
        server.execute(drop)
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield " ".join(f"{key}='{value}'" for key, value in {**parts, "dbname": name}.items())
        server.execute(drop)


def begun(address: str, data: Path) -> subprocess.Popen[str]:
    """A host that prepares."""
    data.mkdir(exist_ok=True)
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "soar.settings", "DATABASE_URL": address, "SOAR_DATA": str(data)}
    env |= {"SECRET_KEY": "k" * 60, "SOAR_ENCRYPTION_KEYS": "e" * 60, "SOAR_ADMIN_PASSWORD": "Correct-horse-17-battery"}
    return subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "prepare"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said(host: subprocess.Popen[str]) -> str:
    """What it said; it has to end well."""
    text = host.communicate()[0]
    assert host.returncode == 0, text[-2000:]
    return text


def test_hosts_that_begin_at_once_with_an_empty_database(empty: str, tmp_path: Path) -> None:
    hosts = [begun(empty, tmp_path / name) for name in ("one", "two")]
    texts = [said(host) for host in hosts]
    assert sum("applying" in text for text in texts) == 1, texts
    with psycopg.connect(empty, autocommit=True) as database:
        assert database.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_what_takes_long_is_said_before_it(empty: str, tmp_path: Path) -> None:
    """In a journal, where a program that ends late would be silent until then."""
    host = begun(empty, tmp_path / "one")
    assert host.stdout is not None
    assert any("applying" in line for line in iter(host.stdout.readline, ""))
    assert host.poll() is None, "it is at it"
    assert "first login" in said(host)


INDEX = models.Index(fields=["sha256"], name="cut_off_index")


class CutOff(Migration):
    operations = [AddIndexConcurrently("script", INDEX), AddIndexConcurrently("gone", INDEX)]


@pytest.mark.django_db(transaction=True)
def test_an_index_that_was_cut_off_is_built_anew() -> None:
    """Of a migration that is not noted down as done: one that is there already would be in its way for ever."""
    migration = CutOff("0002_cut_off", "playbooks")
    assert clear_begun([migration], apps) == [], "none was begun"
    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX cut_off_index ON playbooks_script (sha256)")
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'cut_off_index'::regclass")
    assert clear_begun([migration], apps) == ["cut_off_index"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('cut_off_index')")
        assert cursor.fetchone() == (None,)
