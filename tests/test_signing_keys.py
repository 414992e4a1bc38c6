"""The keys that sign exports: shown to who sees cases, replaced by who manages settings, kept for what they signed."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from cases.models import Evidence, SigningKey
from cases.signing import active_key
from soar.accounts.models import AuditEntry, User
from tests.api import Api
from tests.exporting import file_of, worked
from tests.queries import counted
from tests.rich_incident import rich_incident

pytestmark = pytest.mark.django_db
PAGE = "/settings/signing-keys/"


def test_the_public_half_is_on_the_settings_page_and_the_private_one_nowhere(
    as_viewer: Client, client: Client, nobody: User
) -> None:
    assert "There is none yet" in as_viewer.get(PAGE).content.decode()
    key = active_key()
    with counted("signing keys"):
        page = as_viewer.get(PAGE).content.decode()
    assert key.public_key in page and key.key_id in page
    assert str(key.private_key) not in page and "Replace the key" not in page
    assert client.get(PAGE).status_code == 302
    client.force_login(nobody, backend="soar.accounts.backend.Backend")
    assert client.get(PAGE).status_code == 403
    assert "Signing keys" in as_viewer.get("/settings/").content.decode()


def test_only_who_manages_settings_replaces_it(as_admin: Client, as_analyst: Client) -> None:
    old = active_key()
    assert as_analyst.post(f"{PAGE}rotate/").status_code == 403
    assert as_admin.get(f"{PAGE}rotate/").status_code == 405
    page = as_admin.post(f"{PAGE}rotate/", follow=True).content.decode()
    new = SigningKey.objects.get(active=True)
    assert new.pk != old.pk and old.public_key in page and new.public_key in page
    assert AuditEntry.objects.get(verb="signing_key.rotated").data["replaced"] == old.key_id


def test_the_verifier_is_handed_out(as_viewer: Client) -> None:
    answer = as_viewer.get(f"{PAGE}verify.py")
    assert answer["Content-Disposition"] == 'attachment; filename="verify.py"'
    assert answer.content.startswith(b'"""Verify an exported incident')


def test_the_api_lists_and_replaces_them(admin: User, viewer: User) -> None:
    assert Api(viewer).get("/signing-keys/").json()["results"] == []
    assert Api(viewer).post("/signing-keys/", {}).status_code == 403
    made = Api(admin).post("/signing-keys/", {})
    assert made.status_code == 201 and made.json()["active"] is True
    Api(admin).post("/signing-keys/", {})
    rows = Api(viewer).get("/signing-keys/").json()["results"]
    assert [row["active"] for row in rows] == [True, False] and rows[1]["public_key"] == made.json()["public_key"]
    assert "private" not in json.dumps(rows)


def test_the_command_shows_and_replaces_it() -> None:
    out = StringIO()
    call_command("signing_key", "show", stdout=out)
    first = json.loads(out.getvalue())[0]["public_key"]
    out = StringIO()
    call_command("signing_key", "rotate", stdout=out)
    rows = json.loads(out.getvalue())
    assert [row["active"] for row in rows] == [True, False] and rows[1]["public_key"] == first


def test_a_zip_is_made_by_a_worker_and_stands_in_the_custody_of_its_evidence(admin: User) -> None:
    incident = rich_incident(admin)
    job = worked(admin, incident, "zip")
    body = file_of(admin, job)
    assert body.startswith(b"PK") and job.name.endswith(".zip")
    piece = Evidence.objects.get(removed_at=None)
    assert [(one.verb, one.actor_name) for one in piece.accesses.all()] == [("downloaded", "Ada Admin")]
