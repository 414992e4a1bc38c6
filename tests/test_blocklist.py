"""The built-in block list: what may stand on it, who changes it, and what firewalls pull (connectors.md 4)."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from soar.accounts.models import AuditEntry, User
from soar.connectors.blocklist import actions, tokens
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.intelligence import actions as lists
from soar.connectors.models import BlockEntry, FeedToken, WarningList, WarningNetwork
from soar.lib import clock
from tests.api import Api, problem_of
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
SHA = "ab" * 32


def block(type_: str = "ip", value: str = "198.51.100.7", **more: object) -> BlockEntry:
    given = {"reason": "Beacon of INC-12", **more}
    return actions.add("Priya Raman", None, type_, value, **given)[0]  # type: ignore[arg-type]


def pull(type_: str, token: str = "", query: str = "", **headers: str) -> tuple[int, str]:
    token = token or tokens.make(None, type_, "Edge firewall")[1]
    answer = Client().get(f"/feeds/blocklist/{type_}.txt?token={token}{query}", headers=headers)
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    ("type_", "value", "field"),
    [
        ("ip", "not an address", "value"),
        ("cidr", "0.0.0.0/0", "value"),
        ("cidr", "10.0.0.0/7", "value"),
        ("cidr", "2000::/3", "value"),
        ("ip", "127.0.0.1", "value"),
        ("ip", "fe80::1%eth0", "value"),
        ("cidr", "2a00::%1/64", "value"),
        ("ip", "0.0.0.0", "value"),
        ("ip", "224.0.0.1", "value"),
        ("domain", "com", "value"),
        ("domain", "co.uk", "value"),
        ("domain", "blogspot.com", "value"),
        ("domain", "a b.example", "value"),
        ("url", "https://evil.example/x\n0.0.0.0/0", "value"),
        ("url", "https://evil.example/a b", "value"),
        ("url", "https://intranet/", "value"),
        ("url", "https:///path", "value"),
        ("email", "a@b.example\r\nc@d.example", "value"),
        ("sha256", "abcd", "value"),
        ("hash", "abcd", "value"),
        ("user", "anna", "type"),
        ("cve", "CVE-2026-0001", "type"),
        ("ip", "", "value"),
        ("domain", "x" * 3000, "value"),
    ],
)
def test_refuses_what_cannot_be_blocked(type_: str, value: str, field: str) -> None:
    with pytest.raises(Refused) as caught:
        block(type_, value)
    assert field in caught.value.errors
    assert not BlockEntry.objects.exists()


@pytest.mark.parametrize(
    ("more", "field"), [({"reason": " "}, "reason"), ({"days": 0}, "days"), ({"days": 9999}, "days")]
)
def test_refuses_no_reason_and_odd_ends(more: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        block(**more)
    assert list(caught.value.errors) == [field]


def test_an_exception_wins_with_its_reason() -> None:
    lists.add_exception(None, "domain", "partner.example", "Our bank")
    for type_, value in (("domain", "www.partner.example"), ("url", "https://partner.example/x")):
        with pytest.raises(Refused, match="Our bank"):
            block(type_, value)


def test_a_network_that_holds_an_exception_is_refused() -> None:
    lists.add_exception(None, "ip", "198.51.100.9", "Our mail relay")
    with pytest.raises(Refused, match=r"holds 198\.51\.100\.9.*Our mail relay"):
        block("cidr", "198.51.100.0/24")
    assert block("cidr", "198.51.101.0/24").pk


def test_a_benign_list_refuses_and_one_for_context_does_not() -> None:
    for name, effect, network in (("CDN", "benign", "104.16.0.0/13"), ("VPN", "context", "185.1.0.0/16")):
        row = WarningList.objects.create(
            name=name, slug=name, type="cidr", attributes=["ip-src"], effect=effect, category="infrastructure"
        )
        WarningNetwork.objects.create(network=network, list=row)
    with pytest.raises(Refused, match="CDN"):
        block("ip", "104.17.1.1")
    assert block("ip", "185.1.2.3").pk


def test_one_spelling_for_each_value() -> None:
    assert block("cidr", "198.51.100.7/32").type == "ip"
    assert block("sender", "Mallory@Evil.Example").value == "mallory@evil.example"
    assert block("hash", SHA.upper()).type == "sha256"
    assert block("hostname", "Evil.Example.").value == "evil.example"


def test_again_is_no_second_entry_and_the_later_end_wins() -> None:
    first = block(days=1)
    again, new = actions.add("Soar", None, "ip", "198.51.100.7", reason="Again", days=7)
    assert (again.pk, new) == (first.pk, False)
    week = BlockEntry.objects.get().expires_at
    block(days=2)
    assert BlockEntry.objects.get().expires_at == week
    block(days=None)
    assert BlockEntry.objects.get().expires_at is None
    assert BlockEntry.objects.get().reason == "Beacon of INC-12"


def test_after_expiry_a_new_entry_is_made_and_the_old_one_kept() -> None:
    with clock.at(clock.now() - timedelta(days=3)):
        old = block(days=1)
    new = block(days=1)
    assert new.pk != old.pk
    old.refresh_from_db()
    assert (old.removed_by, old.removal_reason) == ("Soar", "Expired")


@pytest.mark.django_db(transaction=True)
def test_many_at_once_make_one_entry() -> None:
    results: list[bool] = []

    def one() -> None:
        try:
            results.append(actions.add("Soar", None, "ip", "198.51.100.7", reason="r")[1])
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 5 + [True]
    assert BlockEntry.objects.count() == 1


def test_remove_is_kept_audited_and_done_once() -> None:
    row = block(reference="INC-12")
    assert actions.remove("Priya Raman", None, "ip", "198.51.100.7", reason="False alarm") is not None
    assert actions.remove("Priya Raman", None, "ip", "198.51.100.7") is None
    row.refresh_from_db()
    assert (row.removed_by, row.removal_reason) == ("Priya Raman", "False alarm")
    verbs = AuditEntry.objects.filter(verb__startswith="blocklist.").order_by("id")
    assert [(one.verb, one.data["reference"]) for one in verbs] == [
        ("blocklist.added", "INC-12"), ("blocklist.removed", "INC-12")
    ]  # fmt: skip
    assert pull("ip")[1] == ""


def test_who_may_change_it(analyst: User, responder: User) -> None:
    with pytest.raises(Forbidden):
        actions.add("Mara", analyst, "ip", "198.51.100.7", reason="r")
    actions.add("Priya", responder, "ip", "198.51.100.7", reason="r")
    with pytest.raises(Forbidden):
        actions.remove("Mara", analyst, "ip", "198.51.100.7")
    with pytest.raises(Forbidden):
        tokens.make(responder, "ip", "Edge")


# Feeds


def test_a_feed_is_one_value_a_line_of_one_type() -> None:
    block()
    block("cidr", "203.0.113.0/24")
    block("ip", "2001:db8::1")
    block("domain", "evil.example")
    block("url", "https://evil.example/a?b=c")
    assert pull("ip") == (200, "198.51.100.7\n2001:db8::1\n")
    assert pull("cidr")[1] == "203.0.113.0/24\n"
    assert pull("domain")[1] == "evil.example\n"
    assert pull("url")[1] == "evil.example/a?b=c\n"
    assert pull("url", query="&scheme=keep")[1] == "https://evil.example/a?b=c\n"
    assert pull("md5") == (200, "")


def test_expired_and_excepted_ones_are_left_out() -> None:
    with clock.at(clock.now() - timedelta(days=3)):
        block("ip", "198.51.100.1", days=1)
    for value in ("198.51.100.2", "198.51.100.3"):
        block("ip", value, days=1)
    block("cidr", "198.51.100.0/24")
    block("domain", "a.partner.example")
    lists.add_exception(None, "ip", "198.51.100.2", "Our relay")
    lists.add_exception(None, "domain", "partner.example", "Our bank")
    assert pull("ip")[1] == "198.51.100.3\n"
    assert pull("cidr")[1] == ""
    assert pull("domain")[1] == ""


def test_etag_says_what_one_has_already() -> None:
    block()
    token = tokens.make(None, "ip", "Edge")[1]
    url = f"/feeds/blocklist/ip.txt?token={token}"
    first = Client().get(url)
    assert first["Content-Type"] == "text/plain; charset=utf-8"
    tag = first["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        again = Client().get(url, headers={"If-None-Match": given})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
    block("ip", "198.51.100.8")
    changed = Client().get(url, headers={"If-None-Match": tag})
    assert (changed.status_code, changed["ETag"] == tag) == (200, False)


def test_a_token_opens_one_feed_until_it_is_revoked() -> None:
    block()
    row, token = tokens.make(None, "ip", "Edge")
    assert pull("domain", token)[0] == 401
    for bad in ("x", "feed_", token[:-1], "\x00", "%ff"):
        assert pull("ip", bad)[0] == 401
    assert Client().get("/feeds/blocklist/ip.txt").status_code == 401
    assert pull("ip", token)[0] == 200
    row.refresh_from_db()
    assert row.last_used_at is not None
    tokens.revoke(None, row.pk)
    assert pull("ip", token)[0] == 401


def test_a_token_as_password_or_bearer() -> None:
    token = tokens.make(None, "ip", "Edge")[1]
    basic = base64.b64encode(f"any:{token}".encode()).decode()
    for value, status in ((f"Basic {basic}", 200), (f"Bearer {token}", 200), ("Basic !!", 401), ("Bearer", 401)):
        answer = Client().get("/feeds/blocklist/ip.txt", headers={"Authorization": value})
        assert answer.status_code == status


def test_feeds_of_odd_types_and_methods() -> None:
    token = tokens.make(None, "ip", "Edge")[1]
    assert Client().get("/feeds/blocklist/user.txt?token=x").status_code == 404
    assert Client().post(f"/feeds/blocklist/ip.txt?token={token}").status_code == 405
    assert Client().head(f"/feeds/blocklist/ip.txt?token={token}").status_code == 200


def test_the_token_is_kept_as_a_digest_only() -> None:
    _, token = tokens.make(None, "ip", "Edge")
    row = FeedToken.objects.values().get()
    assert token not in str(row)
    assert len(bytes(row["digest"])) == 32


# API


def test_api_adds_lists_and_removes(responder: User) -> None:
    api = Api(responder)
    body = {"type": "ip", "value": " 198.51.100.7 ", "reason": "Beacon", "days": 7, "reference": "INC-12"}
    made = api.post("/blocklist/", body)
    assert made.status_code == 201, made.content
    entry = made.json()
    assert (entry["value"], entry["added_by"], entry["state"]) == ("198.51.100.7", "Priya Raman", "active")
    assert api.post("/blocklist/", body).status_code == 200
    assert [one["id"] for one in api.get("/blocklist/", type="ip").json()["results"]] == [entry["id"]]
    assert api.get("/blocklist/", type="url").json()["results"] == []
    assert api.get(f"/blocklist/{entry['id']}/").json()["reference"] == "INC-12"
    assert api.delete(f"/blocklist/{entry['id']}/").status_code == 204
    assert api.delete(f"/blocklist/{entry['id']}/").status_code == 204
    assert api.get("/blocklist/").json()["results"] == []
    assert api.get("/blocklist/", state="removed").json()["results"][0]["removed_by"] == "Priya Raman"


@pytest.mark.parametrize(
    "body",
    [{}, [], {"type": "ip"}, {"type": "ip", "value": 5, "reason": "r"}, {"type": "x", "value": "y", "reason": "r"},
     {"type": "ip", "value": "1.2.3", "reason": "r"}, {"type": "ip", "value": "198.51.100.7"},
     {"type": "ip", "value": "198.51.100.7", "reason": "r", "days": -1},
     {"type": "ip", "value": "198.51.100.7", "reason": "r", "days": 99999999999999},
     {"type": "ip", "value": "198.51.100.7\u0000", "reason": "r"},
     {"type": "ip", "value": "198.51.100.7", "reason": "r", "colour": "red"}],
)  # fmt: skip
def test_api_refuses_bad_bodies(responder: User, body: object) -> None:
    problem_of(Api(responder).post("/blocklist/", body), 400)
    assert not BlockEntry.objects.exists()


def test_api_says_why_an_exception_wins(responder: User) -> None:
    lists.add_exception(None, "ip", "198.51.100.7", "Our relay")
    problem = problem_of(
        Api(responder).post("/blocklist/", {"type": "ip", "value": "198.51.100.7", "reason": "r"}), 400
    )
    assert "Our relay" in str(problem)


def test_api_is_closed_to_others(viewer: User, nobody: User) -> None:
    row = block()
    body = {"type": "ip", "value": "198.51.100.8", "reason": "r"}
    problem_of(Api(viewer).post("/blocklist/", body), 403)
    problem_of(Api(viewer).delete(f"/blocklist/{row.pk}/"), 403)
    problem_of(Api(nobody).get("/blocklist/"), 403)
    problem_of(Api(None).get("/blocklist/"), 401)
    assert Api(viewer).get("/blocklist/").status_code == 200
    problem_of(Api(viewer).get("/blocklist/", state="x"), 400)
    problem_of(Api(viewer).get("/blocklist/", type="user"), 400)
    problem_of(Api(viewer).get("/blocklist/999999/"), 404)


def test_api_finds_the_network_that_holds_an_address(viewer: User) -> None:
    block("cidr", "198.51.100.0/24")
    assert len(Api(viewer).get("/blocklist/", q="198.51.100.77").json()["results"]) == 1
    for other in ("198.51.101.77", "fe80::1%eth0", "%", "\\", "1.2.3.4/33", "::ffff:198.51.100.7"):
        assert Api(viewer).get("/blocklist/", q=other).json()["results"] == []


# Page


def test_page_blocks_and_removes(responder: User) -> None:
    client = client_of(responder)
    form = {"type": "domain", "value": "evil.example", "reason": "Beacon <b>", "days": "7", "reference": "INC-12"}
    text = client.post("/blocklist/add/", form, follow=True).content.decode()
    for words in ("evil[.]example", "Beacon &lt;b&gt;", "INC-12", "Priya Raman"):
        assert words in text
    row = BlockEntry.objects.get()
    assert client.post(f"/blocklist/{row.pk}/remove/").status_code == 302
    assert client.post(f"/blocklist/{row.pk}/remove/").status_code == 302  # gone already
    assert "evil[.]example" not in client.get("/blocklist/").content.decode()
    assert "evil[.]example" in client.get("/blocklist/?state=removed").content.decode()


def test_page_shows_errors_beside_the_field(responder: User) -> None:
    lists.add_exception(None, "ip", "198.51.100.7", "Our relay")
    answer = client_of(responder).post("/blocklist/add/", {"type": "ip", "value": "198.51.100.7", "reason": "r"})
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "Our relay" in text
    assert 'aria-invalid="true"' in text


def test_page_shows_a_token_once(admin: User, responder: User) -> None:
    client = client_of(admin)
    answer = client.post("/blocklist/tokens/make/", {"type": "ip", "name": "Edge firewall"})
    text = answer.content.decode()
    token = text.partition("ip.txt?token=")[2].partition('"')[0].partition("<")[0]
    assert pull("ip", token)[0] == 200
    assert answer["Cache-Control"] == "no-store"
    later = client.get("/blocklist/").content.decode()
    assert token not in later
    assert "Edge firewall" in later
    assert "Edge firewall" not in client_of(responder).get("/blocklist/").content.decode()
    row = FeedToken.objects.get()
    client.post(f"/blocklist/tokens/{row.pk}/revoke/")
    assert pull("ip", token)[0] == 401


def test_page_changes_nothing_for_readers(viewer: User, responder: User) -> None:
    row = block()
    client = client_of(viewer)
    assert "Block a value" not in client.get("/blocklist/").content.decode()
    form = {"type": "ip", "value": "198.51.100.8", "reason": "r"}
    assert client.post("/blocklist/add/", form).status_code == 403
    assert client.post(f"/blocklist/{row.pk}/remove/").status_code == 403
    assert client_of(responder).post("/blocklist/tokens/make/", {"type": "ip", "name": "x"}).status_code == 403
    assert client.get("/blocklist/add/").status_code == 405
    assert Client().get("/blocklist/").status_code == 302
    assert BlockEntry.objects.count() == 1


def test_page_tells_of_an_exception_that_came_later(viewer: User) -> None:
    block()
    lists.add_exception(None, "ip", "198.51.100.7", "Our relay")
    assert "Our relay" in client_of(viewer).get("/blocklist/").content.decode()
