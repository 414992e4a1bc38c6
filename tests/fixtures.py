"""The people every test knows: admin, analyst (team Blue), viewer, stranger (team Red only), nobody (no role)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cases.ingest import asset_rows, mappings
from playbooks.response.crew import Crew
from soar.accounts.models import Team, User
from tests.factories import make_team, make_user


@pytest.fixture(autouse=True)
def nobody_stays() -> Iterator[None]:
    """The threads that performed response tasks go home: their connections would keep the database of the tests."""
    yield
    Crew.rest()


@pytest.fixture(autouse=True)
def nothing_is_known_from_before() -> None:
    """What a process remembers of stored rows: a test's rows are gone after it, and their ids may come again."""
    mappings.forget()
    asset_rows.forget()


@pytest.fixture
def blue(db: None) -> Team:
    """The team of analyst and viewer."""
    return make_team("Blue")


@pytest.fixture
def red(db: None) -> Team:
    """The team of the stranger."""
    return make_team("Red")


@pytest.fixture
def admin(db: None) -> User:
    """Role Admin."""
    return make_user("admin", "Admin", first_name="Ada", last_name="Admin")


@pytest.fixture
def analyst(blue: Team) -> User:
    """Role Analyst, team Blue."""
    return make_user("mara", "Analyst", teams=("Blue",), first_name="Mara", last_name="Lindqvist")


@pytest.fixture
def responder(blue: Team) -> User:
    """Role Responder, team Blue."""
    return make_user("priya", "Responder", teams=("Blue",), first_name="Priya", last_name="Raman")


@pytest.fixture
def viewer(blue: Team) -> User:
    """Role Viewer, team Blue: reads, changes nothing."""
    return make_user("jonas", "Viewer", teams=("Blue",), first_name="Jonas", last_name="Adeyemi")


@pytest.fixture
def author(blue: Team) -> User:
    """Role Playbook author, team Blue."""
    return make_user("tomas", "Playbook author", teams=("Blue",), first_name="Tomas", last_name="Iversen")


@pytest.fixture
def stranger(red: Team) -> User:
    """Role Analyst, team Red: sees nothing of team Blue."""
    return make_user("sam", "Analyst", teams=("Red",), first_name="Sam", last_name="Stranger")


@pytest.fixture
def nobody(db: None) -> User:
    """Logs in, has no role, sees nothing."""
    user = make_user("nobody", "Viewer")
    user.groups.clear()
    return user


def client_of(user: User) -> Client:
    """A browser in which the person is logged in."""
    client = Client()
    client.force_login(user, backend="soar.accounts.backend.Backend")
    return client


@pytest.fixture
def own_store(settings: Any, tmp_path: Path) -> None:
    """A data folder of the test's own: evidence, exports, reports."""
    settings.DATA_DIR = tmp_path


@pytest.fixture
def as_responder(responder: User) -> Client:
    """A browser of the responder."""
    return client_of(responder)


@pytest.fixture
def as_author(author: User) -> Client:
    """A browser of the playbook author."""
    return client_of(author)


@pytest.fixture
def as_admin(admin: User) -> Client:
    """A browser of the admin."""
    return client_of(admin)


@pytest.fixture
def as_analyst(analyst: User) -> Client:
    """A browser of the analyst."""
    return client_of(analyst)


@pytest.fixture
def as_viewer(viewer: User) -> Client:
    """A browser of the viewer."""
    return client_of(viewer)


@pytest.fixture
def as_stranger(stranger: User) -> Client:
    """A browser of the stranger."""
    return client_of(stranger)
