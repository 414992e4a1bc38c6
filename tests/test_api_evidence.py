"""``/api/v1/incidents/{id}/evidence/`` and ``/api/v1/evidence/``: reading, sending, changing, removing."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from cases.actions import incidents
from cases.actors import Actor
from cases.models import Evidence, EvidenceAccess, Incident
from soar.accounts.models import Team, User
from tests.api import Api, problem_of
from tests.evidence_files import CONTENT, FORM, file, files, form, keep, part
from tests.factories import make_incident

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_store")]


@pytest.fixture
def incident(blue: Team) -> Incident:
    """An incident of team Blue."""
    return make_incident("Case", team=blue)


def send(api: Api, incident: Incident, given: Any = None, headers: Any = None, **fields: Any) -> Any:
    """The form as a program sends it."""
    data = {**fields, "file": given or file()}
    path = f"/api/v1/incidents/{incident.number}/evidence/"
    return api.client.post(path, data, headers={**api.headers, **(headers or {})})


def raw(api: Api, incident: Incident, body: bytes, kind: str = FORM) -> Any:
    """A form as bytes."""
    path = f"/api/v1/incidents/{incident.pk}/evidence/"
    return api.client.post(path, body, content_type=kind, headers=api.headers)


def test_a_viewer_may_not_a_stranger_sees_nothing_nobody_is_asked_to_log_in(
    viewer: User, stranger: User, incident: Incident
) -> None:
    piece = keep(incident)
    for user, status in ((viewer, 403), (stranger, 404), (None, 401)):
        api = Api(user)
        problem_of(send(api, incident, file("other", b"other")), status)
        problem_of(api.patch(f"/evidence/{piece.pk}/", {"name": "x"}), status)
        problem_of(api.delete(f"/evidence/{piece.pk}/"), status)
    for path in (f"/incidents/{incident.pk}/evidence/", *(f"/evidence/{piece.pk}/{more}" for more in ("", "file/"))):
        assert b"".join(Api(viewer).get(path))
        problem_of(Api(stranger).get(path), 404)
        problem_of(Api(None).get(path), 401)
    assert Api(stranger).get("/evidence/", sha256=piece.sha256).json()["results"] == []
    assert files() == [piece.sha256]


def test_a_token_made_for_less_sends_nothing(analyst: User, incident: Incident) -> None:
    problem_of(send(Api(analyst, scopes=("view_cases",)), incident), 403)
    assert files() == []


@pytest.mark.parametrize("pk", ["0", "-1", "x", "9" * 30])
def test_evidence_that_is_none(analyst: User, pk: str) -> None:
    api = Api(analyst)
    for method, path in (("GET", ""), ("GET", "file/"), ("GET", "accesses/"), ("PATCH", ""), ("DELETE", "")):
        problem_of(api.call(method, f"/evidence/{pk}/{path}", {}), 404)


def test_what_is_no_form(analyst: User, incident: Incident) -> None:
    api = Api(analyst)
    problem_of(api.post(f"/incidents/{incident.pk}/evidence/", {"file": "x"}), 415)
    problem_of(raw(api, incident, b"x", "multipart/form-data"), 400)
    problem_of(raw(api, incident, form()), 400)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (form(part("a", b"")), "a is empty."),
        (form(part("a", b"x" * 2000))[:-20], "The upload was cut in the middle. Nothing was saved."),
        (form(part("é" * 256, b"x")), "The file's name is longer than 255 characters."),
        (form(part("a", b"a"), part("b", b"b")), "At most 1 at once."),
        (form(part("a", b"x" * (1024 * 1024 + 1))), "a is larger than 1 MiB."),
        (form(part("a", b"x", field="data")), "Send files in the field “file”."),
    ],
)
def test_what_cannot_be_evidence(analyst: User, incident: Incident, settings: Any, body: bytes, sentence: str) -> None:
    settings.EVIDENCE_MB = 1
    problem = problem_of(raw(Api(analyst), incident, body), 400)
    assert problem["errors"] == [{"field": "file", "message": sentence}]
    assert (Evidence.objects.count(), files()) == (0, [])


def test_fields_that_are_wrong(analyst: User, incident: Incident) -> None:
    api = Api(analyst)
    for fields, name in (
        ({"tlp": "blue"}, "tlp"),
        ({"nam": "x"}, "nam"),
        ({"description": "x" * 10_001}, "description"),
    ):
        assert [one["field"] for one in problem_of(send(api, incident, **fields), 400)["errors"]] == [name]
    assert (Evidence.objects.count(), files()) == (0, [])


def test_it_is_kept_and_read(analyst: User, incident: Incident) -> None:
    api = Api(analyst)
    made = send(api, incident, description="Mail", tlp="green")
    assert made.status_code == 201
    piece = made.json()
    assert made["Location"] == f"/api/v1/evidence/{piece['id']}/"
    assert {name: piece[name] for name in ("name", "description", "tlp", "size", "content_type", "sha256")} == {
        "name": "invoice.eml", "description": "Mail", "tlp": "green", "size": len(CONTENT),
        "content_type": "message/rfc822", "sha256": hashlib.sha256(CONTENT).hexdigest(),
    }  # fmt: skip
    assert (piece["incident"], piece["added_by"], piece["removed_at"]) == (incident.number, "Mara Lindqvist", None)
    assert piece["file"].endswith(f"/api/v1/evidence/{piece['id']}/file/")
    read = api.get(f"/evidence/{piece['id']}/")
    assert read.json() == piece
    assert api.get(f"/evidence/{piece['id']}/", headers={"If-None-Match": read["ETag"]}).status_code == 304
    listed = api.get(f"/incidents/{incident.number}/evidence/").json()["results"]
    assert listed == [piece]
    assert api.get("/evidence/", sha256=piece["sha256"].upper()).json()["results"] == [piece]


def test_the_file(analyst: User, incident: Incident) -> None:
    piece, api = keep(incident), Api(analyst)
    answer = api.get(f"/evidence/{piece.pk}/file/", headers={"Accept": "application/octet-stream"})
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == CONTENT
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    packed = b"".join(api.get(f"/evidence/{piece.pk}/file/?as=zip").streaming_content)
    assert packed[:4] == b"PK\x03\x04"
    problem_of(api.get(f"/evidence/{piece.pk}/file/?as=tar"), 400)
    assert api.get(f"/evidence/{piece.pk}/file").status_code == 301
    rows = api.get(f"/evidence/{piece.pk}/accesses/").json()["results"]
    assert [(row["verb"], row["actor"]) for row in rows] == [
        ("downloaded_zip", "Mara Lindqvist"), ("downloaded", "Mara Lindqvist"),
    ]  # fmt: skip


def test_the_same_bytes_again(analyst: User, incident: Incident) -> None:
    first = keep(incident)
    problem = problem_of(send(Api(analyst), incident), 409)
    assert (problem["code"], problem["url"]) == ("duplicate", f"http://127.0.0.1:8000/evidence/{first.pk}/")
    assert files() == [first.sha256]


def test_a_repeated_call_with_its_key_keeps_one(analyst: User, incident: Incident) -> None:
    api, key = Api(analyst), {"Idempotency-Key": "upload-1"}
    first, again = send(api, incident, headers=key), send(api, incident, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    problem_of(send(api, incident, file("other", b"other"), headers=key), 409)
    assert Evidence.objects.count() == 1
    assert len(files()) == 1


def test_an_ended_incident(analyst: User, admin: User, incident: Incident) -> None:
    piece = keep(incident)
    incidents.set_status(Actor.system(), incident.pk, "resolved", determination="benign")
    assert problem_of(send(Api(analyst), incident, file("b", b"b")), 409)["code"] == "incident_ended"
    problem_of(Api(analyst).patch(f"/evidence/{piece.pk}/", {"name": "x"}), 409)
    problem_of(Api(admin).delete(f"/evidence/{piece.pk}/"), 409)
    assert files() == [piece.sha256]


def test_it_is_changed_only_as_it_was_read(analyst: User, incident: Incident) -> None:
    piece, api = keep(incident), Api(analyst)
    tag = api.get(f"/evidence/{piece.pk}/")["ETag"]
    done = api.patch(f"/evidence/{piece.pk}/", {"name": "a.eml", "description": "", "tlp": "red"}, {"If-Match": tag})
    assert done.status_code == 200
    assert (done.json()["name"], done.json()["tlp"], done.json()["version"]) == ("a.eml", "red", 2)
    problem_of(api.patch(f"/evidence/{piece.pk}/", {"name": "b.eml"}, {"If-Match": tag}), 412)
    for body, field in (({"name": ".."}, "name"), ({"size": 5}, "size"), ({"tlp": None}, "tlp")):
        assert problem_of(api.patch(f"/evidence/{piece.pk}/", body), 400)["errors"][0]["field"] == field


def test_a_removal_leaves_a_tombstone(analyst: User, admin: User, incident: Incident) -> None:
    piece = keep(incident)
    problem_of(Api(analyst).delete(f"/evidence/{piece.pk}/"), 403)
    assert Api(admin).delete(f"/evidence/{piece.pk}/?reason=Not%20ours").status_code == 204
    api = Api(analyst)
    stone = api.get(f"/evidence/{piece.pk}/").json()
    assert (stone["removed_by"], stone["remove_reason"], stone["file"]) == ("Ada Admin", "Not ours", None)
    assert stone["sha256"] == piece.sha256
    assert problem_of(api.get(f"/evidence/{piece.pk}/file/"), 409)["code"] == "evidence_removed"
    problem_of(Api(admin).delete(f"/evidence/{piece.pk}/"), 409)
    path = f"/incidents/{incident.pk}/evidence/"
    assert api.get(path).json()["results"] == []
    assert [one["id"] for one in api.get(path, removed="true").json()["results"]] == [piece.pk]
    problem_of(api.get(path, removed="perhaps"), 400)


def test_a_session_needs_its_token(analyst: User, incident: Incident) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(analyst, backend="soar.accounts.backend.Backend")
    path = f"/api/v1/incidents/{incident.pk}/evidence/"
    problem_of(client.post(path, {"file": file()}), 403)
    assert files() == []
    client.get(f"/incidents/{incident.number}/")
    token = client.cookies["csrftoken"].value
    assert client.post(path, {"file": file()}, headers={"X-CSRFToken": token}).status_code == 201


def test_reading_by_a_program_is_written_down_too(viewer: User, incident: Incident) -> None:
    piece = keep(incident)
    Api(viewer).get(f"/evidence/{piece.pk}/")
    row = EvidenceAccess.objects.get()
    assert (row.verb, row.actor_id, row.actor_name) == ("viewed", viewer.pk, "Jonas Adeyemi")


def test_the_schema_tells_of_it(analyst: User) -> None:
    paths = Api(analyst).get("/api/schema/").json()["paths"]
    upload = paths["/api/v1/incidents/{id}/evidence/"]["post"]
    assert set(upload["requestBody"]["content"]) == {"multipart/form-data"}
    assert {"201", "400", "409", "413", "415", "503", "507"} <= set(upload["responses"])
    download = paths["/api/v1/evidence/{id}/file/"]["get"]["responses"]["200"]["content"]
    assert set(download) == {"application/octet-stream"}
