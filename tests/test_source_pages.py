"""Alert sources in the browser (ingest-and-api.md 1): for those who manage them, tokens shown once, all audited."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from cases.actions import sources
from cases.actors import Actor
from cases.ingest.registry import KINDS
from cases.ingest.samples import FOLDER, sample_of
from cases.models import Alert, AlertSource, SourceToken
from soar.accounts.models import AuditEntry, Team
from soar.accounts.tokens import digest
from tests.factories import make_source

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Plant feed", "kind": "generic", "default_severity": "high", "default_tlp": "green", "repeat_rule": "new",
    "resolved_determination": "benign",
}  # fmt: skip


@pytest.fixture
def made(db: None) -> tuple[AlertSource, str]:
    """A generic source and its token."""
    return sources.create(Actor.system(), fields={"name": "Feed", "kind": "generic"})


def token_in(text: str) -> str:
    """The token that the page shows."""
    return text.partition('id="source-token">')[2].partition("<")[0]


def deliver(client: Client, slug: str, token: str, body: object) -> int:
    """The status of a delivery over HTTP."""
    return client.post(
        f"/api/v1/ingest/{slug}/", json.dumps(body), "application/json", headers={"Authorization": f"Bearer {token}"}
    ).status_code


def paths(source: AlertSource) -> list[tuple[str, str]]:
    """Every address with its method."""
    token = source.tokens.first()
    assert token is not None
    base = f"/sources/{source.slug}/"
    return [
        ("get", "/sources/"), ("get", "/sources/new/"), ("post", "/sources/new/"), ("get", base),
        ("get", f"{base}edit/"), ("post", f"{base}edit/"), ("post", f"{base}enable/"), ("post", f"{base}disable/"),
        ("post", f"{base}rotate/"), ("post", f"{base}tokens/{token.pk}/revoke/"), ("post", f"{base}sample/"),
    ]  # fmt: skip


def test_only_for_those_who_manage_sources(
    client: Client, as_analyst: Client, as_viewer: Client, made: tuple[AlertSource, str]
) -> None:
    before = list(AlertSource.objects.values_list()), list(SourceToken.objects.values_list())
    for method, path in paths(made[0]):
        assert getattr(as_analyst, method)(path).status_code == 403, path
        assert getattr(as_viewer, method)(path).status_code == 403, path
        assert getattr(client, method)(path).status_code == 302, path
    assert (list(AlertSource.objects.values_list()), list(SourceToken.objects.values_list())) == before


def test_verbs_are_post_only(as_admin: Client, made: tuple[AlertSource, str]) -> None:
    for verb in ("enable", "disable", "rotate", "sample", f"tokens/{made[0].tokens.get().pk}/revoke"):
        assert as_admin.get(f"/sources/feed/{verb}/").status_code == 405


def test_make_one_and_send_to_it(as_admin: Client, client: Client, blue: Team) -> None:
    sent = {
        **FORM, "team": "Blue", "default_tags": "plant, OT", "key_fields": "id\r\nhost", "rate_per_second": "50",
        "allowed_networks": "127.0.0.0/8\r\n\r\n2001:db8::1",
    }  # fmt: skip
    answer = as_admin.post("/sources/new/", sent)
    text = answer.content.decode()
    token = token_in(text)
    source = AlertSource.objects.get()
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    assert f"Authorization: Bearer {token}" in html.unescape(text)
    assert (source.slug, source.team, source.default_severity, source.default_tlp) == ("plant-feed", blue, 3, "green")
    assert source.allowed_networks == ["127.0.0.0/8", "2001:db8::1/128"]
    assert (source.key_fields, source.default_tags, source.repeat_rule) == (["id", "host"], ["plant", "ot"], "new")
    assert token not in as_admin.get("/sources/plant-feed/").content.decode()
    assert deliver(client, source.slug, token, {"id": "1", "host": "h", "title": "Pump"}) == 201
    assert AuditEntry.objects.get(verb="source.created").target == "plant-feed"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "required"),
        ("name", "FEED", "already"),
        ("kind", "teleprinter", "valid choice"),
        ("allowed_networks", "10.0.0.0/99", "neither an address nor a network"),
        ("rate_per_second", "0", "greater than or equal to 1"),
        ("default_tags", "x" * 101, "at most 100 characters"),
        ("key_fields", "x" * 201, "at most 200 characters"),
        ("resolved_determination", "unknown", "valid choice"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field(
    as_admin: Client, made: tuple[AlertSource, str], field: str, value: str, words: str
) -> None:
    answer = as_admin.post("/sources/new/", {**FORM, field: value})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert words in text
    assert f'id="id_{field}-error"' in text
    assert AlertSource.objects.count() == 1


def test_a_name_that_is_a_page(as_admin: Client) -> None:
    as_admin.post("/sources/new/", {**FORM, "name": "New"})
    assert AlertSource.objects.get().slug == "new-2"


def test_alertmanager_ends_what_it_reports_as_resolved_unless_told_otherwise(as_admin: Client) -> None:
    as_admin.post("/sources/new/", {**FORM, "name": "Prometheus", "kind": "alertmanager"})
    assert AlertSource.objects.get().close_on_resolved
    as_admin.post("/sources/prometheus/edit/", {**FORM, "name": "Prometheus"})
    assert not AlertSource.objects.get().close_on_resolved


def test_edit_keeps_the_secret_unless_told(as_admin: Client, made: tuple[AlertSource, str]) -> None:
    form = {**FORM, "name": "Feed"}
    as_admin.post("/sources/feed/edit/", {**form, "hmac_secret": "sign-with-this"})
    source = AlertSource.objects.get()
    assert source.hmac_secret == "sign-with-this"
    assert "sign-with-this" not in as_admin.get("/sources/feed/edit/").content.decode()
    assert "sign-with-this" not in as_admin.get("/sources/feed/").content.decode()
    as_admin.post("/sources/feed/edit/", {**form, "default_severity": "low"})
    source.refresh_from_db()
    assert (source.hmac_secret, source.default_severity) == ("sign-with-this", 1)
    as_admin.post("/sources/feed/edit/", {**form, "unsign": "on"})
    source.refresh_from_db()
    assert source.hmac_secret == ""
    rows = AuditEntry.objects.filter(verb="source.changed")
    assert "sign-with-this" not in str(list(rows.values_list("data", flat=True)))
    assert rows.count() == 3


def test_off_refuses_and_on_takes_again(as_admin: Client, client: Client, made: tuple[AlertSource, str]) -> None:
    source, token = made
    for _ in range(2):
        assert as_admin.post("/sources/feed/disable/").status_code == 302
    assert deliver(client, "feed", token, {"id": "1", "title": "x"}) == 403
    assert "Off" in as_admin.get("/sources/").content.decode()
    assert as_admin.post("/sources/feed/enable/").status_code == 302
    assert deliver(client, "feed", token, {"id": "1", "title": "x"}) == 201
    assert AuditEntry.objects.filter(verb__in=("source.disabled", "source.enabled")).count() == 2
    del source


def test_rotation_overlaps(as_admin: Client, client: Client, made: tuple[AlertSource, str]) -> None:
    answer = as_admin.post("/sources/feed/rotate/", {"overlap_hours": "2"})
    new, old = token_in(answer.content.decode()), made[1]
    assert "no-store" in answer["Cache-Control"]
    assert deliver(client, "feed", old, {"id": "1", "title": "x"}) == 201
    assert deliver(client, "feed", new, {"id": "1", "title": "x"}) == 200
    ends = SourceToken.objects.get(digest=digest(old)).expires_at
    assert ends is not None
    assert abs(ends - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1)
    SourceToken.objects.filter(digest=digest(old)).update(expires_at=timezone.now() - timedelta(seconds=1))
    assert deliver(client, "feed", old, {"id": "1", "title": "x"}) == 401


def test_rotation_without_overlap_ends_the_old_one_at_once(
    as_admin: Client, client: Client, made: tuple[AlertSource, str]
) -> None:
    as_admin.post("/sources/feed/rotate/", {"overlap_hours": "0"})
    assert deliver(client, "feed", made[1], {"id": "1", "title": "x"}) == 401


@pytest.mark.parametrize("hours", ["-1", "721", "soon", "", "1.5", "9" * 20])
def test_an_overlap_that_cannot_be(as_admin: Client, made: tuple[AlertSource, str], hours: str) -> None:
    answer = as_admin.post("/sources/feed/rotate/", {"overlap_hours": hours})
    assert answer.status_code == 422
    assert 'id="overlap-error"' in answer.content.decode()
    assert SourceToken.objects.count() == 1


def test_a_token_that_ends(as_admin: Client, client: Client, made: tuple[AlertSource, str]) -> None:
    answer = as_admin.post("/sources/feed/rotate/", {"overlap_hours": "0", "days": "30"})
    token = SourceToken.objects.get(digest=digest(token_in(answer.content.decode())))
    assert token.expires_at is not None and abs(token.expires_at - timezone.now() - timedelta(days=30)) < timedelta(1)
    assert deliver(client, "feed", token_in(answer.content.decode()), {"id": "1", "title": "x"}) == 201
    answer = as_admin.post("/sources/new/", {**FORM, "name": "Short", "token_days": "7"})
    assert answer.status_code == 201
    ends = SourceToken.objects.get(source__name="Short").expires_at
    assert ends is not None and abs(ends - timezone.now() - timedelta(days=7)) < timedelta(1)
    assert "ends" in as_admin.get("/sources/short/").content.decode()
    assert "token_days" not in as_admin.get("/sources/short/edit/").content.decode()


@pytest.mark.parametrize("days", ["0", "-1", "3651", "soon", "1.5", "9" * 20])
def test_days_that_cannot_be(as_admin: Client, made: tuple[AlertSource, str], days: str) -> None:
    answer = as_admin.post("/sources/feed/rotate/", {"overlap_hours": "5", "days": days})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'id="token-days-error"' in page and 'id="overlap-error"' not in page and 'value="5"' in page
    assert as_admin.post("/sources/new/", {**FORM, "name": "Short", "token_days": days}).status_code == 422
    assert SourceToken.objects.get().revoked_at is None and AlertSource.objects.count() == 1


def test_revoke(as_admin: Client, client: Client, made: tuple[AlertSource, str]) -> None:
    token = SourceToken.objects.get()
    other, _ = sources.create(Actor.system(), fields={"name": "Other", "kind": "generic"})
    assert as_admin.post(f"/sources/{other.slug}/tokens/{token.pk}/revoke/").status_code == 404
    for _ in range(2):
        assert as_admin.post(f"/sources/feed/tokens/{token.pk}/revoke/").status_code == 302
    assert deliver(client, "feed", made[1], {"id": "1", "title": "x"}) == 401
    assert AuditEntry.objects.filter(verb="source.token_revoked").count() == 1
    text = as_admin.get("/sources/").content.decode()
    assert "It has no token that works." in text
    assert made[0].name in as_admin.get("/sources/?state=look").content.decode()


def test_a_source_that_never_had_a_token_waits_calmly(as_admin: Client) -> None:
    make_source("Partner feed")
    assert 'class="state is-no_action"' in (text := as_admin.get("/sources/").content.decode())
    assert "No token yet" in text
    assert "Refused</span>" not in text
    assert "Partner feed" not in as_admin.get("/sources/?state=look").content.decode()


def test_what_was_refused_is_red(as_admin: Client, made: tuple[AlertSource, str], client: Client) -> None:
    assert deliver(client, "feed", made[1], "no alert") == 400
    assert 'class="state is-unsuccessful"' in as_admin.get("/sources/").content.decode()
    assert made[0].name in as_admin.get("/sources/?state=look").content.decode()


@pytest.mark.parametrize("kind", KINDS)
def test_the_sample_of_every_kind_makes_an_alert(as_admin: Client, kind: str) -> None:
    sources.create(Actor.system(), fields={"name": "Try", "kind": kind})
    sample = sample_of(kind)
    assert html.escape(json.loads(json.dumps(sample))[:40], quote=True).splitlines()[0] in as_admin.get(
        "/sources/try/"
    ).content.decode()  # fmt: skip
    answer = as_admin.post("/sources/try/sample/", {"sample": sample})
    alert = Alert.objects.get()
    assert answer.status_code == 200
    assert alert.number in answer.content.decode()
    assert "ample" in alert.title
    assert alert.severity > 0
    assert alert.hostname or alert.source_ip or alert.observable_count
    again = as_admin.post("/sources/try/sample/", {"sample": sample})
    assert "Repeat number 2" in again.content.decode()


def test_samples_and_choices_are_those_of_the_kinds_that_there_are(as_admin: Client) -> None:
    form = as_admin.get("/sources/new/").content.decode()
    offered = re.findall(r'<option value="([^"]+)"', form.partition('name="kind"')[2].partition("</select>")[0])
    assert sorted(offered) == sorted(KINDS) == sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("sample", ["", "not json", "[]", "7", '{"a":'])
def test_a_sample_that_cannot_be_read(as_admin: Client, made: tuple[AlertSource, str], sample: str) -> None:
    answer = as_admin.post("/sources/feed/sample/", {"sample": sample})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Alert.objects.exists()


def test_no_sample_to_a_source_that_is_off(as_admin: Client, made: tuple[AlertSource, str]) -> None:
    as_admin.post("/sources/feed/disable/")
    assert as_admin.post("/sources/feed/sample/", {"sample": "{}"}).status_code == 409
    assert not Alert.objects.exists()


def test_the_list_says_how_they_do(as_admin: Client, client: Client, made: tuple[AlertSource, str]) -> None:
    assert "Nothing has come yet." in as_admin.get("/sources/").content.decode()
    deliver(client, "feed", made[1], {"id": "1", "title": "x"})
    assert "Receiving" in as_admin.get("/sources/").content.decode()
    deliver(client, "feed", made[1], 7)
    text = as_admin.get("/sources/").content.decode()
    assert "Refused" in text
    assert AlertSource.objects.get().last_error[:20] in html.unescape(text)


def test_search_and_the_source_by_hand(as_admin: Client, made: tuple[AlertSource, str]) -> None:
    from cases.actions.manual import hand_source

    hand_source()
    assert "Made by hand" not in as_admin.get("/sources/").content.decode()
    assert as_admin.get("/sources/by-hand/").status_code == 404
    assert as_admin.post("/sources/by-hand/rotate/").status_code == 404
    assert ">Feed<" in as_admin.get("/sources/?q=generic").content.decode()
    assert ">Feed<" not in as_admin.get("/sources/?q=nothing-like-it").content.decode()


def test_names_are_escaped_and_queries_few(as_admin: Client, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(15):
        sources.create(Actor.system(), fields={"name": f"<script>{number}", "kind": "generic"})
    with django_assert_max_num_queries(12):
        text = as_admin.get("/sources/").content.decode()
    assert "<script>1" not in text
    assert len(text) < 100_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_says_what_to_enter_in_the_product(as_admin: Client, kind: str) -> None:
    answer = as_admin.post("/sources/new/", {**FORM, "name": "Told", "kind": kind})
    part = html.unescape(answer.content.decode()).partition('id="how"')[2].partition("</section>")[0]
    token = token_in(answer.content.decode())
    assert token in part
    assert "/api/v1/ingest/told/" in part or "/alert" in part
    later = html.unescape(as_admin.get("/sources/told/").content.decode())
    assert token not in later
    assert "$SOAR_TOKEN" in later.partition('id="how"')[2].partition("</section>")[0]
