"""The mapping editor and its API: who may, what is saved, what is refused and why, two admins at once."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from cases.actions import mappings as actions
from cases.actors import Actor
from cases.errors import Stale
from cases.models import Alert, AlertSource, DeadLetter, Incident, SourceMapping, SourceSample
from soar.accounts.models import AuditEntry, User
from tests.api import Api
from tests.factories import make_incident, make_source
from tests.test_ingest import Sender
from tests.test_mapping import DOOR

pytestmark = pytest.mark.django_db
SAMPLE = json.dumps(DOOR)
MAPPING = {"fields": {"title": "${type} at ${door.name}", "hostname": "$.door.id"}}


@pytest.fixture
def source(db: None) -> AlertSource:
    return make_source("Badge readers")


def url(source: AlertSource, more: str = "") -> str:
    return f"/sources/{source.slug}/mapping/{more}"


def form(**fields: Any) -> dict[str, Any]:
    """What the editor sends when nothing was changed but these."""
    return {"version": "0", "sample": "pasted", "paste": SAMPLE, "find_in_text": "on", "target": "title", **fields}


def test_only_for_those_who_manage_sources(client: Client, as_analyst: Client, source: AlertSource) -> None:
    made = actions.add_sample(Actor.system(), source.slug, "one", SAMPLE)
    actions.save(Actor.system(), source.slug, MAPPING)
    calls = [
        ("get", url(source)), ("post", url(source)), ("post", url(source, "preview/")),
        ("get", url(source, "versions/")), ("post", url(source, "versions/1/restore/")),
        ("post", f"/sources/{source.slug}/samples/{made.pk}/remove/"),
    ]  # fmt: skip
    for method, path in calls:
        assert getattr(as_analyst, method)(path, form(do="save")).status_code == 403, path
        assert getattr(client, method)(path, form(do="save")).status_code == 302, path
    assert SourceMapping.objects.count() == SourceSample.objects.count() == 1


def test_save_and_read_with_it(as_admin: Client, source: AlertSource) -> None:
    sender = Sender(source)
    assert sender.post(DOOR).status_code == 201
    assert Alert.objects.get().title != "door.forced at Server room B2"
    sent = form(
        do="save", f_title=MAPPING["fields"]["title"], f_hostname="$.door.id", f_severity="priority",
        v_severity="2 = low", f_dedup_key="uid", obs_type=["ip", "auto"], obs_path=["door.controller_ip", ""],
    )  # fmt: skip
    answer = as_admin.post(url(source), sent)
    assert answer.status_code == 302
    saved = SourceMapping.objects.get()
    assert (saved.number, saved.made_by_name) == (1, "Ada Admin")
    assert saved.mapping["observables"] == [{"type": "ip", "path": "door.controller_ip"}]
    alert = Alert.objects.get(pk=sender.post({**DOOR, "uid": "BR-2"}).json()["id"])
    assert (alert.title, alert.hostname, alert.severity) == ("door.forced at Server room B2", "OSL-B2-017", 1)
    entry = AuditEntry.objects.get(verb="source.mapping_changed")
    assert entry.data["version"] == 1 and "title" in entry.data["fields"]
    text = as_admin.get(url(source)).content.decode()
    assert "mapping 1, in use since" in text and "2 = low" in text
    assert (
        as_admin.post(url(source), form(do="save", version="1", f_title=saved.mapping["fields"]["title"])).status_code
        == 302
    )
    assert SourceMapping.objects.count() == 2


def test_without_scripts_each_button_brings_the_form_back(as_admin: Client, source: AlertSource) -> None:
    text = as_admin.post(url(source), form(pick="$.door.id", target="hostname", f_title="type")).content.decode()
    assert 'name="f_hostname" value="$.door.id"' in text and 'name="f_title" value="type"' in text
    assert "OSL-B2-017" in text.partition('id="got-hostname"')[2][:60]
    text = as_admin.post(url(source), form(pick="$.uid", target="observable")).content.decode()
    assert 'name="obs_path" value="$.uid"' in text
    assert as_admin.post(url(source), form(pick="$.uid", target="nonsense")).status_code == 200
    assert not SourceMapping.objects.exists()


def test_the_preview_tells_who_gave_what(as_admin: Client, source: AlertSource) -> None:
    sent = form(f_title="${type} at ${door.name}", f_occurred_at="uid")
    text = as_admin.post(url(source, "preview/"), sent, headers={"HX-Request": "true"}).content.decode()
    assert "<h3>door.forced at Server room B2</h3>" in text
    assert "mapped" in text and "well-known name" in text
    assert 'id="got-occurred_at" hx-swap-oob="true"' in text
    assert "<html" not in text
    assert not SourceMapping.objects.exists() and not Alert.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"f_title": "a..b"}, "cannot be read from"),
        ({"f_title": "${a"}, "is not closed"),
        ({"v_severity": "1 = dreadful", "f_severity": "a"}, "is not one of"),
        ({"v_severity": "high", "f_severity": "a"}, "One pair a line"),
        ({"items": "[["}, "cannot be read from"),
        ({"obs_type": ["ip"], "obs_path": ["]"]}, "cannot be read from"),
        ({"obs_type": ["planet"], "obs_path": ["a"]}, "not a type of observable"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    as_admin: Client, source: AlertSource, fields: dict[str, Any], words: str
) -> None:
    answer = as_admin.post(url(source), form(do="save", **fields))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert as_admin.post(url(source, "preview/"), form(**fields)).status_code == 200
    assert not SourceMapping.objects.exists()


def test_a_mapping_that_does_not_fit_its_sample(as_admin: Client, source: AlertSource) -> None:
    assert as_admin.post(url(source), form(do="keep", sample_name="door.forced")).status_code == 200
    answer = as_admin.post(url(source), form(do="save", f_title="$.door.title"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "$.door.title is in no sample." in text.partition('id="got-title"')[2][:600]
    assert 'value="anyway"' in text
    assert not SourceMapping.objects.exists()
    assert as_admin.post(url(source), form(do="anyway", f_title="$.door.title")).status_code == 302
    assert SourceMapping.objects.get().misfits == 1


@pytest.mark.parametrize(
    ("paste", "words"),
    [("", "Paste a payload"), ("no json", "not JSON"), ("7", "JSON object"), ('{"a":' * 70, "not JSON")],
)
def test_a_sample_that_is_none(as_admin: Client, source: AlertSource, paste: str, words: str) -> None:
    answer = as_admin.post(url(source), form(do="show", paste=paste))
    assert answer.status_code == 200 and words in answer.content.decode()
    answer = as_admin.post(url(source), form(do="keep", sample_name="x", paste=paste))
    assert answer.status_code == 422
    assert not SourceSample.objects.exists()


def test_hostile_text_is_text(as_admin: Client, source: AlertSource) -> None:
    hostile = json.dumps({"<script>alert(1)</script>": '"><img src=x onerror=1>\u202e\u0000', "title": "{{ 7 }}"})
    text = as_admin.post(url(source), form(do="show", paste=hostile, f_title='"><script>')).content.decode()
    assert "<script>alert" not in text and "<img src=x" not in text and "\u202e" not in text


def test_a_megabyte_makes_a_bounded_page(as_admin: Client, source: AlertSource) -> None:
    large = json.dumps({f"field{number}": "x" * 100 for number in range(8_800)})
    assert len(large) > 1_000_000
    actions.add_sample(Actor.system(), source.slug, "large", large)
    answer = as_admin.get(url(source))
    assert answer.status_code == 200 and len(answer.content) < 1_000_000
    with pytest.raises(Exception, match="1 MiB"):
        actions.add_sample(Actor.system(), source.slug, "too large", json.dumps({"x": "y" * 1024 * 1024}))


def test_samples_are_kept_named_and_removed(as_admin: Client, source: AlertSource) -> None:
    as_admin.post(url(source), form(do="keep", sample_name="one"))
    again = as_admin.post(url(source), form(do="keep", sample_name="ONE"))
    assert again.status_code == 422 and "already" in again.content.decode()
    assert as_admin.post(url(source), form(do="keep", sample_name=" ")).status_code == 422
    made = SourceSample.objects.get()
    other = make_source("Other")
    assert as_admin.post(f"/sources/{other.slug}/samples/{made.pk}/remove/").status_code == 404
    assert as_admin.post(f"/sources/{source.slug}/samples/{made.pk}/remove/").status_code == 302
    assert not SourceSample.objects.exists()


def test_what_came_and_what_could_not_be_read_can_be_shown(as_admin: Client, source: AlertSource) -> None:
    sender = Sender(source)
    alert = sender.post(DOOR).json()["id"]
    sender.post(b'{"id": 1, "title": ')
    letter = DeadLetter.objects.get()
    assert "Server room B2" in as_admin.get(url(source), {"sample": f"alert-{alert}"}).content.decode()
    assert "not JSON" in as_admin.get(url(source), {"sample": f"letter-{letter.pk}"}).content.decode()
    other = make_source("Other")
    assert "Server room B2" not in as_admin.get(url(other), {"sample": f"alert-{alert}"}).content.decode()
    for odd in ("kept-999", "alert-x", "letter-" + "9" * 30, "☃", "-"):
        assert as_admin.get(url(source), {"sample": odd}).status_code == 200


def test_of_alerts_that_they_may_not_see_nothing_is_shown(as_admin: Client, source: AlertSource) -> None:
    sender = Sender(source)
    hidden, plain = (sender.post({**DOOR, "uid": uid, "word": f"word-{uid}"}).json()["id"] for uid in ("h1", "p1"))
    make_incident("Secret", Alert.objects.get(pk=hidden))
    Incident.objects.update(restricted=True)
    Alert.objects.filter(pk=hidden).update(restricted=True)
    page = as_admin.get(url(source), {"sample": f"alert-{hidden}"}).content.decode()
    assert "word-h1" not in page and f"ALR-{hidden}" not in page
    assert "word-p1" in page and f"ALR-{plain}" in page, "the newest that they see stands in its place"
    tried = as_admin.post(url(source, "preview/"), form(sample=f"alert-{hidden}")).content.decode()
    assert "word-h1" not in tried


def test_more_than_may_be_are_refused_and_not_left_out(source: AlertSource) -> None:
    sender = Sender(source)
    for items in ("$.events", "$.events[*]"):
        actions.save(Actor.system(), source.slug, {"items": items, "fields": {"dedup_key": "n"}}, anyway=True)
        answer = sender.post({"events": [{"n": number} for number in range(1_003)]})
        assert answer.status_code == 413
        assert not Alert.objects.exists()
    assert DeadLetter.objects.count() == 2
    answer = sender.post({"events": [{"n": number} for number in range(1_000)]})
    assert answer.status_code == 207 and Alert.objects.count() == 1_000


def test_somebody_else_was_quicker(as_admin: Client, source: AlertSource) -> None:
    actions.save(Actor.system(), source.slug, MAPPING)
    answer = as_admin.post(url(source), form(do="save", f_title="$.uid"))
    assert answer.status_code == 409
    assert "Somebody changed the mapping" in answer.content.decode()
    assert 'name="f_title" value="$.uid"' in answer.content.decode()
    assert as_admin.post(url(source), form(do="save", version="x", f_title="$.uid")).status_code == 409
    assert SourceMapping.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_at_once_and_one_wins(admin: User) -> None:
    source = make_source("Badge readers")
    results: list[str] = []

    def go(title: str) -> None:
        try:
            actions.save(Actor.of(admin), source.slug, {"fields": {"title": title}}, version=0)
            results.append("saved")
        except Stale:
            results.append("stale")
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(f"$.t{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["saved"] + ["stale"] * 5
    assert SourceMapping.objects.count() == 1


def test_versions_and_going_back(as_admin: Client, source: AlertSource) -> None:
    first = actions.save(Actor.system(), source.slug, MAPPING)
    actions.save(Actor.system(), source.slug, {"fields": {"title": "$.uid"}})
    text = as_admin.get(url(source, "versions/")).content.decode()
    assert "Mapping 2" in text and "$.uid" in text and "${type} at ${door.name}" in text
    assert as_admin.post(url(source, "versions/1/restore/"), {"version": "1"}, follow=True).status_code == 200
    assert SourceMapping.objects.count() == 2
    text = as_admin.post(url(source, "versions/1/restore/"), {"version": "2"}, follow=True).content.decode()
    assert "Mapping 3 is in use." in text and "mapping 1 again" in text
    source.refresh_from_db()
    assert source.mapping is not None
    assert (source.mapping.mapping, source.mapping.restored_from) == (first.mapping, 1)
    assert as_admin.post(url(source, "versions/99/restore/")).status_code == 404
    assert AuditEntry.objects.filter(verb="source.mapping_changed").count() == 3


def test_mended_and_replayed(as_admin: Client, source: AlertSource) -> None:
    from cases import replaying

    sender = Sender(source)
    mapping = {"fields": {"title": "$.headline"}, "required": ["title"]}
    actions.save(Actor.system(), source.slug, mapping)
    answer = sender.post(DOOR)
    assert answer.status_code == 400 and "$.headline is missing" in answer.json()["detail"]
    letter = DeadLetter.objects.get()
    assert replaying.replay(Actor.system(), letter.pk).replayed_at is None
    actions.save(Actor.system(), source.slug, {"fields": {"title": "$.type"}, "required": ["title"]})
    assert replaying.replay(Actor.system(), letter.pk).alert == Alert.objects.get(title="door.forced")


def test_several_alerts_in_one_document(source: AlertSource) -> None:
    sender = Sender(source)
    actions.save(Actor.system(), source.slug, {"items": "$.events", "fields": {"title": "what", "dedup_key": "n"}})
    answer = sender.post({"site": "Oslo", "events": [{"what": "a", "n": 1}, {"what": "b", "n": 2}]})
    assert answer.status_code == 207
    assert [one["status"] for one in answer.json()["results"]] == [201, 201]
    assert sender.post({"site": "Oslo", "events": [{"what": "a", "n": 1}]}).status_code == 207
    assert list(Alert.objects.order_by("title").values_list("title", "count")) == [("a", 2), ("b", 1)]
    refused = sender.post({"site": "Oslo", "events": "none"})
    assert refused.status_code == 400
    assert DeadLetter.objects.count() == 1


def test_the_api(admin: User, analyst: User, source: AlertSource) -> None:
    api, path = Api(admin), f"/sources/{source.slug}/mapping/"
    first = api.get(path)
    assert (first.status_code, first.json()["version"], first.json()["mapping"]) == (200, 0, {})
    put = api.call("PUT", path, {"mapping": MAPPING}, {"If-Match": first["ETag"]})
    assert (put.status_code, put.json()["version"], put.json()["made_by"]) == (200, 1, "Ada Admin")
    assert api.call("PUT", path, {"mapping": {}}, {"If-Match": first["ETag"]}).status_code == 412
    wrong = api.call("PUT", path, {"mapping": {"fields": {"title": "a..b"}}})
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["field"] == "mapping.fields.title"
    for bad in ({}, {"mapping": 7}, {"mapping": {}, "x": 1}, {"mapping": {"fields": {"title": ["a"]}}}):
        assert api.call("PUT", path, bad).status_code == 400, bad
    actions.add_sample(Actor.system(), source.slug, "one", SAMPLE)
    unfit = api.call("PUT", path, {"mapping": {"fields": {"title": "$.gone"}}})
    assert unfit.status_code == 409
    assert unfit.json()["errors"] == [{"field": "title", "message": "$.gone is in no sample."}]
    assert api.call("PUT", path, {"mapping": {"fields": {"title": "$.gone"}}, "anyway": True}).json()["misfits"] == 1
    tried = api.post(f"{path}preview/", {"payload": SAMPLE, "mapping": MAPPING}).json()
    assert tried["total"] == 1 and tried["alerts"][0]["title"] == "door.forced at Server room B2"
    assert tried["alerts"][0]["by"]["title"] == "mapping"
    assert "not JSON" in api.post(f"{path}preview/", {"payload": "no json"}).json()["errors"][0]
    assert api.post(f"{path}preview/", {"payload": SAMPLE, "mapping": {"items": "["}}).status_code == 400
    assert not Alert.objects.exists()
    for method, one in (("GET", path), ("PUT", path), ("POST", f"{path}preview/")):
        assert Api(analyst).call(method, one, {"mapping": {}, "payload": "{}"}).status_code in (403, 400), one
    assert Api(analyst).call("PUT", path, {"mapping": {}}).status_code == 403
    assert Api(analyst).post(f"{path}preview/", {"payload": "{}"}).status_code == 403
    assert SourceMapping.objects.count() == 2
