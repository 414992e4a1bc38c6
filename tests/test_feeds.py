"""Feeds: what is read of each format, imports from files and addresses, what they say of values (connectors.md 4)."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from soar.accounts.models import AuditEntry, User
from soar.connectors import actions as accounts
from soar.connectors.errors import Forbidden, NoConnector, Refused
from soar.connectors.intelligence import actions as lists
from soar.connectors.intelligence.feeds import actions, reading
from soar.connectors.intelligence.feeds.reading import read
from soar.connectors.intelligence.lookup import Verdict, look_up
from soar.connectors.models import ConnectorAccount, FeedEntry, FeedState
from soar.lib import clock
from tests.connector_server import Product
from tests.feed_files import drain, send, take
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db
MD5, SHA1, SHA256 = "ab" * 16, "ab" * 20, "ab" * 32


def values(text: str | bytes, format_: str = "plain", **how: Any) -> list[tuple[str, str]]:
    body = text if isinstance(text, bytes) else text.encode()
    return [(row.type, row.value) for row in read(body, format_, **how) if row]


def skipped(text: str | bytes, format_: str = "plain") -> int:
    body = text if isinstance(text, bytes) else text.encode()
    return sum(row is None for row in read(body, format_))


def feed(name: str = "Evil", **settings: Any) -> ConnectorAccount:
    return accounts.create_account(None, "feed", name, {"allow_internal": True, **settings}, {})


def verdict(type_: str, value: str) -> Verdict:
    return look_up([(type_, value)])[type_, value]


# Reading


def test_plain_lists_in_all_their_forms() -> None:
    text = f"""# a comment
; another
// and another
198.51.100.7
198.51.100.8 # with a note
203.0.113.0/24 ; SBL1
198.51.100.9/32
198.51.100.10:4444
2001:DB8::1
[2001:db8::2]:443
Evil.Example.
hxxps://evil[.]example/a
evil.example/path
0.0.0.0 hosts.example
127.0.0.1 local.example # by hosts
"quoted.example",
{MD5.upper()}
{SHA1}
{SHA256}
mallory@evil.example
"""
    assert values(text) == [
        ("ip", "198.51.100.7"), ("ip", "198.51.100.8"), ("cidr", "203.0.113.0/24"), ("ip", "198.51.100.9"),
        ("ip", "198.51.100.10"), ("ip", "2001:db8::1"), ("ip", "2001:db8::2"), ("domain", "evil.example"),
        ("url", "https://evil.example/a"), ("url", "evil.example/path"), ("domain", "hosts.example"),
        ("domain", "local.example"), ("domain", "quoted.example"), ("md5", MD5), ("sha1", SHA1), ("sha256", SHA256),
        ("email", "mallory@evil.example"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "line",
    ["nothing", "two words here", "a b", "1.2.3", "999.1.1.1", "<p>x.example</p>", "x" * 9000, "\x00", "é", "http://"],
)
def test_what_is_no_value_is_skipped(line: str) -> None:
    assert values(f"ok.example\n{line}\n") == [("domain", "ok.example")]
    assert skipped(f"ok.example\n{line}\n") == 1


def test_a_type_that_is_given_wins_over_looks() -> None:
    assert values("198.51.100.7\nevil.example", type_="domain") == [
        ("domain", "198.51.100.7"),
        ("domain", "evil.example"),
    ]
    assert values("evil.example", type_="ip") == []


def test_csv_by_name_number_and_separator() -> None:
    text = 'when,indicator,"what, really"\n2026-01-01,evil.example,"C2, old"\n2026-01-02,bad,x\n'
    assert values(text, "csv", column="Indicator") == [("domain", "evil.example")]
    assert values(text, "csv", column="2") == [("domain", "evil.example")]
    assert values(text.replace(",", ";").replace("what; really", "w"), "csv", column="2") == [
        ("domain", "evil.example")
    ]
    assert values("value\nevil.example\n", "csv") == [("domain", "evil.example")]
    assert values("evil.example,1\n", "csv") == [("domain", "evil.example")]
    assert values("a\tb\nx\tevil.example\n", "csv", column="b") == [("domain", "evil.example")]
    with pytest.raises(ValueError, match="no column 'nonesuch'; there are: when"):
        values(text, "csv", column="nonesuch")
    with pytest.raises(ValueError, match="no CSV"):
        values("a,b\n" + "x" * 200_000 + ",y\n", "csv")


def test_abuse_ch_exports() -> None:
    urlhaus = (
        "# URLhaus\n# id,dateadded,url,url_status,last_online,threat,tags,urlhaus_link,reporter\n"
        '"1","2026-01-01 00:00:00","http://198.51.100.7/a.sh","online","","malware_download","elf,mirai","https://u/1/","x"\n'
    )
    assert values(urlhaus, "urlhaus") == [("url", "http://198.51.100.7/a.sh")]
    (row,) = [row for row in read(urlhaus.encode(), "urlhaus") if row]
    assert row.note == "malware_download elf,mirai"
    threatfox = (
        '# "first_seen_utc","ioc_id","ioc_value"\n'
        '"2026-01-01 00:00:00", "1", "198.51.100.7:443", "ip:port", "c2", "win.x", "", "Cobalt Strike", "", "100"\n'
        '"2026-01-01 00:00:00", "2", "evil.example", "domain", "botnet_cc", "win.x", "", "Cobalt Strike", "", "50"\n'
        '"2026-01-01 00:00:00", "3", "what", "sha3_384_hash", "payload", "win.x", "", "X", "", "50"\n'
    )
    found = list(read(threatfox.encode(), "threatfox"))
    assert [(row.type, row.value, row.weak, row.note) if row else None for row in found] == [
        ("ip", "198.51.100.7", False, "Cobalt Strike"), ("domain", "evil.example", True, "Cobalt Strike"), None
    ]  # fmt: skip
    feodo = (
        '# Feodo Tracker\n"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware"\n'
        '"2026-01-01 00:00:00","198.51.100.7","443","online","2026-01-02","Emotet"\n'
    )
    assert values(feodo, "feodo") == [("ip", "198.51.100.7")]
    assert values("# none today\n", "feodo") == []


def stix(*patterns: str, **more: Any) -> str:
    objects = [
        {"type": "indicator", "pattern": pattern, "pattern_type": "stix", "name": "C2", **more} for pattern in patterns
    ]
    return json.dumps({"type": "bundle", "id": "bundle--1", "objects": [{"type": "identity"}, *objects]})


def test_stix_patterns() -> None:
    text = stix(
        "[ipv4-addr:value = '198.51.100.7']",
        "[domain-name:value = 'evil.example' OR url:value = 'https://evil.example/it\\'s']",
        f"[file:hashes.'SHA-256' = '{SHA256}' AND file:hashes.MD5 = '{MD5}']",
        "[ipv4-addr:value = '203.0.113.0/24']",
    )
    assert values(text, "stix") == [
        ("ip", "198.51.100.7"), ("domain", "evil.example"), ("url", "https://evil.example/it's"),
        ("sha256", SHA256), ("md5", MD5), ("cidr", "203.0.113.0/24"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pattern", "more"),
    [
        ("[domain-name:value = 'a.example' AND ipv4-addr:value = '198.51.100.7']", {}),
        ("[domain-name:value != 'a.example']", {}),
        ("[domain-name:value LIKE '%.example']", {}),
        ("[a:b = 'x'] FOLLOWEDBY [domain-name:value = 'a.example']", {}),
        ("[domain-name:value = 'a.example']", {"revoked": True}),
        ("[domain-name:value = 'a.example']", {"valid_until": "2020-01-01T00:00:00Z"}),
        ("rule x { condition: true }", {"pattern_type": "yara"}),
        ("[process:name = 'x.exe']", {}),
        ("[" * 30_000, {}),
        (5, {}),
        ("", {}),
    ],
)
def test_stix_that_names_no_value_by_itself_is_skipped(pattern: Any, more: dict[str, Any]) -> None:
    assert values(stix(pattern, **more), "stix") == []


def test_stix_keeps_the_end_and_weak_words() -> None:
    text = stix("[domain-name:value = 'a.example']", valid_until="2999-01-01T00:00:00Z", confidence=20)
    (row,) = [row for row in read(text.encode(), "stix") if row]
    assert (row.weak, str(row.expires_at)) == (True, "2999-01-01 00:00:00+00:00")


def test_misp_events_in_all_their_wrappings() -> None:
    event = {
        "info": "Campaign",
        "Attribute": [
            {"type": "ip-dst|port", "value": "198.51.100.7|443", "to_ids": True},
            {"type": "domain|ip", "value": "evil.example|198.51.100.8", "to_ids": "1"},
            {"type": "domain", "value": "good.example", "to_ids": False},
            {"type": "domain", "value": "gone.example", "to_ids": True, "deleted": True},
            {"type": "comment", "value": "text"},
            {"type": "domain", "value": 5},
            7,
        ],
        "Object": [{"Attribute": [{"type": "filename|sha256", "value": f"a.exe|{SHA256}", "comment": "dropper"}]}],
    }
    wanted = [("ip", "198.51.100.7"), ("domain", "evil.example"), ("ip", "198.51.100.8"), ("sha256", SHA256)]
    for document in (
        {"Event": event}, {"response": [{"Event": event}]}, [{"Event": event}], {"response": {"Event": event}}, event,
        {"response": event},
    ):  # fmt: skip
        assert values(json.dumps(document), "misp") == wanted, document
    assert skipped(json.dumps(event), "misp") == 5


@pytest.mark.parametrize("format_", ["stix", "misp"])
@pytest.mark.parametrize(
    "body", [b"nonsense", b'{"objects": 5, "Attribute": 5}', b"[" * 100_000, b'{"a":' * 5000, b'"x"']
)
def test_documents_that_are_none(format_: str, body: bytes) -> None:
    with pytest.raises(ValueError, match="This is no"):
        values(body, format_)


@pytest.mark.parametrize("body", [b"", b"   \n ", b"<!DOCTYPE html><p>no", b" <HTML>"])
@pytest.mark.parametrize("format_", reading.FORMATS)
def test_empty_files_and_web_pages_are_refused(format_: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"empty|web page"):
        values(body, format_)


def test_packed_files_and_bombs() -> None:
    assert values(gzip.compress(b"evil.example")) == [("domain", "evil.example")]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("list.txt", "evil.example")
    assert values(archive.getvalue()) == [("domain", "evil.example")]
    with pytest.raises(ValueError, match="64 MiB"):
        values(gzip.compress(b"\n" * (65 * 1024 * 1024)))
    for broken in (b"\x1f\x8bnot really", b"PK\x03\x04nor this", archive.getvalue()[:40]):
        with pytest.raises(ValueError, match="unpacked"):
            values(broken)


def test_reading_time_grows_with_the_size_alone() -> None:
    def once(body: bytes, lines: int) -> float:
        started = time.process_time()  # what other work there is on the machine does not count
        assert len(values(body)) == lines
        return time.process_time() - started

    def took(lines: int) -> float:
        body = "".join(f"{number}.{'a' * 40}.example\n" for number in range(lines)).encode()
        return min(once(body, lines) for _ in range(3))

    assert took(40_000) < 40 * max(took(4_000), 0.005)


# Importing


def test_a_file_replaces_the_entries_and_is_counted() -> None:
    account = feed()
    state = take(account.pk, b"evil.example\nbad\nevil.example # again\n198.51.100.0/24\n", "a.txt")
    assert (state.entry_count, state.skipped_count, state.counts) == (2, 1, {"cidr": 1, "domain": 1})
    assert verdict("domain", "evil.example").risk == "highly_suspicious"
    assert verdict("ip", "198.51.100.9").risk == "suspicious"
    assert verdict("domain", "www.evil.example").risk == "suspicious"
    assert verdict("url", "https://evil.example/x").risk == "suspicious"
    take(account.pk, b"other.example\n")
    assert verdict("domain", "evil.example").risk == "unrated"
    assert FeedEntry.objects.count() == 1
    assert AuditEntry.objects.filter(verb="feed.imported").count() == 2


def test_what_its_values_mean() -> None:
    for effect, risk in (("malicious", "highly_suspicious"), ("suspicious", "suspicious"), ("benign", "unrated")):
        take(feed(effect, effect=effect).pk, f"{effect}.example\n".encode())
        found = verdict("domain", f"{effect}.example")
        assert (found.risk, found.benign) == (risk, effect == "benign")
        assert found.evidence[0]["list"] == f"Feed {effect}"


def test_2_a_feed_against_a_benign_list_is_conflicting() -> None:
    lists.add_own(None, "domain", "cdn.example", "Ours", effect="benign")
    take(feed().pk, b"cdn.example\n")
    found = verdict("domain", "cdn.example")
    assert (found.risk, found.benign) == ("suspicious", True)


def test_an_exception_beats_a_feed() -> None:
    lists.add_exception(None, "domain", "evil.example", "Our bank")
    take(feed().pk, b"evil.example\n")
    assert verdict("domain", "evil.example").risk == "unrated"


def test_a_feed_that_is_switched_off_or_an_entry_past_its_end_says_nothing() -> None:
    account = feed(format="stix")
    until = (clock.now() + timedelta(minutes=5)).isoformat()
    take(account.pk, stix("[domain-name:value = 'a.example']", valid_until=until).encode())
    assert verdict("domain", "a.example").risk == "highly_suspicious"
    accounts.update_account(None, account.pk, enabled=False)
    assert verdict("domain", "a.example").risk == "unrated"
    accounts.update_account(None, account.pk, enabled=True)
    FeedEntry.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert verdict("domain", "a.example").risk == "unrated"


def test_two_feeds_are_two_pieces_of_evidence_and_removing_one_takes_its_entries() -> None:
    first, second = feed("One"), feed("Two")
    for account in (first, second):
        take(account.pk, b"198.51.100.7\n")
    assert [one["list"] for one in verdict("ip", "198.51.100.7").evidence] == ["Feed One", "Feed Two"]
    actions.remove(None, first.pk)
    assert [one["list"] for one in verdict("ip", "198.51.100.7").evidence] == ["Feed Two"]


# From an address


@pytest.fixture
def server() -> Iterator[Product]:
    product = Product()
    yield product
    product.stop()


def text_reply(body: bytes, status: int = 200, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "text/plain", **named}, body


@pytest.mark.django_db(transaction=True)
def test_a_worker_brings_it_and_an_unchanged_file_is_not_sent_again(server: Product) -> None:
    account = accounts.create_account(
        None, "feed", "Evil", {"url": f"{server.url}/list.txt?auth-key=q1w2e3r4", "allow_internal": True,
                               "key_header": "Auth-Key"}, {"token": "s3cr3t-s3cr3t"})  # fmt: skip
    server.replies = [text_reply(b"evil.example\n", ETag='"v1"', Last_Modified="Sat, 21 Nov 2026 10:00:00 GMT"),
                      text_reply(b"", 304)]  # fmt: skip
    assert actions.request_import(None, account.pk)
    assert not actions.request_import(None, account.pk)  # under way
    drain()
    state = FeedState.objects.get()
    assert (state.entry_count, state.last_error, state.started_at, state.etag) == (1, "", None, '"v1"')
    assert server.seen[0]["headers"]["Auth-Key"] == "s3cr3t-s3cr3t"
    actions.bring(account.pk)
    assert server.seen[1]["headers"]["If-None-Match"] == '"v1"'
    assert FeedEntry.objects.count() == 1
    kept = str(list(account.attempts.values("request", "response")))
    assert "s3cr3t" not in kept
    assert "q1w2e3r4" not in kept


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (text_reply(b"no", 404), "answered 404"),
        (text_reply(b"no", 403), "answered 403"),
        ((200, {"Content-Type": "text/html"}, b"<p>sign in"), "web page"),
        (text_reply(b"nothing here\n"), "None of 1 lines"),
        (text_reply(b""), "empty"),
        ((200, {"Content-Length": "99999999999", "Content-Type": "text/plain"}, b"x"), "more than"),
    ],
)
def test_a_failed_import_keeps_the_entries_and_says_why(server: Product, reply: Any, words: str) -> None:
    account = feed(url=f"{server.url}/list")
    take(account.pk, b"evil.example\n")
    server.replies = [reply]
    actions.bring(account.pk)
    state = FeedState.objects.get()
    assert words in state.last_error
    assert state.failed_at is not None
    assert (state.entry_count, FeedEntry.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_the_clock_rings_for_those_that_are_due(server: Product) -> None:
    server.replies = [text_reply(b"evil.example\n")]
    due = feed("Due", url=server.url, every_minutes=60)
    feed("By hand", url=server.url)
    off = feed("Off", url=server.url, every_minutes=60)
    accounts.update_account(None, off.pk, enabled=False)
    actions.ring()
    actions.ring()
    drain()
    assert len(server.seen) == 1
    actions.ring()
    drain()
    assert len(server.seen) == 1
    FeedState.objects.filter(account=due).update(imported_at=clock.now() - timedelta(minutes=61))
    actions.ring()
    drain()
    assert len(server.seen) == 2


@pytest.mark.django_db(transaction=True)
def test_the_connection_can_be_tested_without_saving(server: Product) -> None:
    server.replies = [text_reply(b"evil.example\nbad\n")]
    health = accounts.test_account(None, feed(url=server.url).pk)
    assert (health.ok, health.message) == (True, "Brought 17 bytes; 1 values at its beginning.")
    server.replies = [text_reply(b"not one value here\n")]
    assert not accounts.test_account(None, ConnectorAccount.objects.get().pk).ok
    assert not FeedEntry.objects.exists()


@pytest.mark.parametrize(
    ("settings", "field"),
    [({"format": "xml"}, "format"), ({"effect": "bad"}, "effect"), ({"type": "user"}, "type"),
     ({"every_minutes": 60}, "url"), ({"url": "https://a.example/x", "every_minutes": 1}, "every_minutes"),
     ({"url": "ftp://a.example"}, "url")],
)  # fmt: skip
def test_settings_that_make_no_sense(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as caught:
        feed(**settings)
    assert list(caught.value.errors) == [field]


def test_who_may(responder: User, admin: User) -> None:
    account = feed()
    for act in (lambda: send(responder, account.pk, b"evil.example"),
                lambda: actions.request_import(responder, account.pk),
                lambda: actions.remove(responder, account.pk)):  # fmt: skip
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(NoConnector):
        send(admin, 999_999, b"evil.example")
    with pytest.raises(Refused, match="no address"):
        actions.request_import(admin, account.pk)


# Page


def test_page_for_readers_and_strangers(viewer: User, nobody: User, admin: User) -> None:
    account, client = feed(), client_of(viewer)
    assert "Import now" not in client.get("/settings/feeds/").content.decode()
    file = SimpleUploadedFile("list.txt", b"evil.example\n")
    assert client.post("/settings/feeds/upload/", {"feed": account.pk, "file": file}).status_code == 403
    assert client.post(f"/settings/feeds/{account.pk}/bring/").status_code == 403
    assert client.post(f"/settings/feeds/{account.pk}/remove/").status_code == 403
    assert client_of(nobody).get("/settings/feeds/").status_code == 403
    assert client_of(admin).post("/settings/feeds/999999/bring/").status_code in (302, 404)
    assert client_of(admin).post("/settings/feeds/upload/", {"feed": 999_999, "file": file}).status_code == 422
    assert client_of(admin).get("/settings/feeds/upload/").status_code == 405


def test_page_tells_of_a_failure(admin: User) -> None:
    account = feed(url="https://feeds.example/list")
    FeedState.objects.create(account=account, last_error="The server <answered> 404.", failed_at=clock.now())
    assert "The server &lt;answered&gt; 404." in client_of(admin).get("/settings/feeds/").content.decode()
