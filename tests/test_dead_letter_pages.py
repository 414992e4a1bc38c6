"""Dead letters in the browser and over the API: who may, what is shown, replaying and deleting."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client

from cases import tasks
from cases.models import Alert, AlertSource, DeadLetter, ReplayJob
from soar.accounts.models import AuditEntry, User
from tests.api import Api
from tests.factories import make_source

pytestmark = pytest.mark.django_db
GOOD = json.dumps({"id": "D-1", "title": "It can be read now"}).encode()


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Sensor")


def letter_of(source: AlertSource, body: bytes = GOOD, **fields: Any) -> DeadLetter:
    values = {"status": 400, "error": "This is not JSON: oops", "size": len(body), "kept": len(body), **fields}
    return DeadLetter.objects.create(source=source, body=body, **values)


def paths(letter: DeadLetter) -> list[tuple[str, str]]:
    one, of = f"/sources/dead-letters/{letter.pk}/", f"/sources/{letter.source.slug}/dead-letters/"
    return [
        ("get", "/sources/dead-letters/"), ("post", "/sources/dead-letters/replay/"), ("get", one), ("get", of),
        ("post", f"{one}replay/"), ("post", f"{one}delete/"), ("post", f"{of}replay/"), ("post", f"{of}delete/"),
        ("get", "/sources/dead-letters/jobs/1/"),
    ]  # fmt: skip


def test_only_for_those_who_manage_sources(client: Client, as_analyst: Client, source: AlertSource) -> None:
    letter = letter_of(source)
    for method, path in paths(letter):
        assert getattr(as_analyst, method)(path).status_code == 403, path
        assert getattr(client, method)(path).status_code == 302, path
    assert not Alert.objects.exists() and DeadLetter.objects.exists() and not ReplayJob.objects.exists()


def test_verbs_are_post_only_and_strangers_are_404(as_admin: Client, source: AlertSource) -> None:
    for method, path in paths(letter_of(source)):
        if method == "post":
            assert as_admin.get(path).status_code == 405, path
    assert as_admin.get("/sources/dead-letters/999999/").status_code == 404
    assert as_admin.post("/sources/dead-letters/999999/replay/").status_code == 404
    assert as_admin.get("/sources/nowhere/dead-letters/").status_code == 404
    assert as_admin.get("/sources/dead-letters/?cursor=nonsense").status_code == 200


def test_hostile_bytes_are_text(as_admin: Client, source: AlertSource) -> None:
    letter = letter_of(source, b"<script>alert(1)</script>\x00\xe2\x80\xae", error="<b>bad</b>")
    for path in (f"/sources/dead-letters/{letter.pk}/", f"/sources/{source.slug}/dead-letters/", "/sources/"):
        text = as_admin.get(path).content.decode()
        assert "<script>alert" not in text and "<b>bad" not in text and "\x00" not in text and "\u202e" not in text
    assert "[U+202E]" in as_admin.get(f"/sources/dead-letters/{letter.pk}/").content.decode()


def test_what_is_no_text_is_shown_in_hexadecimal(as_admin: Client, source: AlertSource) -> None:
    letter = letter_of(source, b"\x1f\x8b\xff\xfeMZ")
    assert "1f 8b ff fe 4d 5a" in as_admin.get(f"/sources/dead-letters/{letter.pk}/").content.decode()


def test_a_megabyte_makes_no_heavy_page(as_admin: Client, source: AlertSource) -> None:
    letter = letter_of(source, b"x" * 1024 * 1024)
    answer = as_admin.get(f"/sources/dead-letters/{letter.pk}/")
    assert len(answer.content) < 120_000
    assert "The beginning" in answer.content.decode()
    assert len(as_admin.get(f"/sources/{source.slug}/dead-letters/").content) < 40_000


def test_replay_on_the_page(as_admin: Client, source: AlertSource) -> None:
    letter = letter_of(source)
    text = as_admin.post(f"/sources/dead-letters/{letter.pk}/replay/", follow=True).content.decode()
    alert = Alert.objects.get()
    assert f"/alerts/{alert.number}/" in text and "A new alert." in text
    text = as_admin.post(f"/sources/dead-letters/{letter.pk}/replay/", follow=True).content.decode()
    assert f"it became {alert.number}" in text
    assert AuditEntry.objects.get(verb="dead_letter.replayed").data["alert"] == alert.number
    bad = letter_of(source, b"nope")
    text = as_admin.post(f"/sources/dead-letters/{bad.pk}/replay/", follow=True).content.decode()
    assert "still cannot be read" in text


def test_delete_one_and_all(as_admin: Client, source: AlertSource) -> None:
    other = letter_of(make_source("Other"))
    first, *_ = [letter_of(source) for _ in range(3)]
    assert as_admin.post(f"/sources/dead-letters/{first.pk}/delete/").status_code == 302
    assert "2 dead letters deleted" in as_admin.post(
        f"/sources/{source.slug}/dead-letters/delete/", follow=True
    ).content.decode()  # fmt: skip
    assert DeadLetter.objects.get() == other
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs[-2:] == ["dead_letter.deleted", "dead_letters.deleted"]


def test_all_are_replayed_with_progress(as_admin: Client, source: AlertSource) -> None:
    letter_of(source)
    letter_of(source, b"nope")
    answer = as_admin.post(f"/sources/{source.slug}/dead-letters/replay/")
    page = answer["Location"]
    assert 'hx-trigger="load delay:1s"' in as_admin.get(page).content.decode()
    tasks.replay_dead_letters(ReplayJob.objects.get().pk)
    text = as_admin.get(page, headers={"HX-Request": "true"}).content.decode()
    assert "Some could be read" in text and "not JSON" in text and "hx-trigger" not in text
    again = as_admin.post("/sources/dead-letters/replay/", follow=True)
    assert "0 of 1" in again.content.decode()
    DeadLetter.objects.all().delete()
    assert "nothing to replay" in as_admin.post("/sources/dead-letters/replay/", follow=True).content.decode()


def test_the_count_stands_with_the_sources(as_admin: Client, source: AlertSource) -> None:
    letter_of(source)
    assert 'Dead letters <span class="n">1</span>' in as_admin.get("/sources/").content.decode()
    assert 'Dead letters <span class="n">1</span>' in as_admin.get(f"/sources/{source.slug}/").content.decode()


def test_few_queries(as_admin: Client, source: AlertSource, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        letter_of(make_source(f"Source {number}"))
    with django_assert_max_num_queries(12):
        as_admin.get("/sources/dead-letters/")


def test_the_api(admin: User, analyst: User, source: AlertSource) -> None:
    letter, bad = letter_of(source), letter_of(source, b"\xff", place=2)
    api = Api(admin)
    listed = api.get("/dead-letters/", source=source.slug, state="waiting").json()["results"]
    assert [one["id"] for one in listed] == [bad.pk, letter.pk]
    assert "body" not in listed[0]
    assert base64.b64decode(api.get(f"/dead-letters/{bad.pk}/").json()["body"]) == b"\xff"
    done = api.post(f"/dead-letters/{letter.pk}/replay/")
    assert (done.status_code, done.json()["alert"]) == (200, Alert.objects.get().number)
    assert api.post(f"/dead-letters/{letter.pk}/replay/").status_code == 409
    assert api.post(f"/dead-letters/{bad.pk}/replay/").json()["replayed_at"] is None
    job = api.post("/dead-letters/replay/", {"source": source.slug})
    assert job.status_code == 202
    tasks.replay_dead_letters(job.json()["job"])
    assert api.get(job.json()["url"]).json()["status"] == "unsuccessful"
    assert api.delete(f"/dead-letters/{bad.pk}/").status_code == 204
    assert api.get(f"/dead-letters/{bad.pk}/").status_code == 404
    assert api.get("/dead-letters/", state="odd").status_code == 400
    assert api.get("/dead-letters/", source="nowhere").status_code == 404
    assert api.post("/dead-letters/replay/", {"source": 7}).status_code == 400
    for path in ("/dead-letters/", f"/dead-letters/{letter.pk}/"):
        assert Api(analyst).get(path).status_code == 403
    assert Api(analyst).post(f"/dead-letters/{letter.pk}/replay/").status_code == 403
    assert Api(analyst).post("/dead-letters/replay/").status_code == 403
    assert Api(analyst).delete(f"/dead-letters/{letter.pk}/").status_code == 403
    assert Api(analyst).get(job.json()["url"]).status_code == 403
