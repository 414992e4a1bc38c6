"""A database that goes away: a request after its return works, one in between is 503, and nothing is 500."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from soar.accounts.models import User
from soar.lib.database import own_connection
from soar.urls import urlpatterns as portal

tries: list[str] = []


def count(request: HttpRequest) -> HttpResponse:
    """Answers with the number of people; loses the database in the middle if asked to."""
    tries.append(request.method or "")
    if "lose" in request.GET and len(tries) == 1:
        cut()
    if "gone" in request.GET:
        raise OperationalError("server closed the connection unexpectedly")
    return HttpResponse(str(User.objects.count()))


urlpatterns = [path("test/count", count), path("api/v1/ingest/test/", count), *portal]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.test_middleware")]


@pytest.fixture(autouse=True)
def forget() -> None:
    tries.clear()


def cut() -> None:
    """End the server's side of this thread's connection, as a restart does."""
    raw = connection.connection
    if not isinstance(raw, psycopg.Connection):
        connection.ensure_connection()
        raw = connection.connection
    with own_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [raw.info.backend_pid])


def test_the_first_request_after_a_restart_works(client: Client, admin: User) -> None:
    client.force_login(admin)
    cut()
    assert client.get("/test/count").status_code == 200
    assert len(tries) == 1


def test_the_first_ingest_after_a_restart_works(client: Client) -> None:
    cut()
    assert client.post("/api/v1/ingest/test/").status_code == 200


def test_reading_is_tried_again_when_the_database_is_lost_in_the_middle(client: Client, admin: User) -> None:
    client.force_login(admin)
    client.raise_request_exception = False
    assert client.get("/test/count?lose").status_code == 200
    assert tries == ["GET", "GET"]


def test_writing_is_never_done_twice(client: Client, admin: User) -> None:
    client.force_login(admin)
    client.raise_request_exception = False
    answer = client.post("/test/count?lose")
    assert answer.status_code == 503
    assert tries == ["POST"]
    assert answer["Retry-After"] == "2"
    assert b"Nothing was saved" in answer.content


def test_ingest_says_503_while_the_database_is_away(client: Client) -> None:
    answer = client.post("/api/v1/ingest/test/?gone")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 503


def test_a_stranger_is_sent_to_the_login_page_and_back(client: Client) -> None:
    answer = client.get("/test/count")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/test/count"


def test_an_htmx_request_of_a_stranger_moves_the_whole_page(client: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/alerts/?q=a"}
    answer = client.get("/test/count", headers=headers)
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2Falerts%2F%3Fq%3Da"
