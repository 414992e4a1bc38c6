"""Mail messages: what was reported, by whom, and what of it becomes the alert. Field by field."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cases.ingest.mail.document import document
from cases.ingest.mail.files import files_of
from cases.ingest.mails import taken
from cases.ingest.normal import NormalAlert
from cases.ingest.reading import Unreadable
from cases.ingest.registry import KINDS
from cases.ingest.samples import sample_of
from tests import mails
from tests.mails import FILE, HOST, phish, plain, reported
from tests.payloads_of import highlighted, values

SHA256 = hashlib.sha256(FILE).hexdigest()


def alert_of(raw: bytes) -> NormalAlert:
    """The alert that a message becomes."""
    item = taken(raw, "message/rfc822")
    assert item is not None
    return KINDS["email"].normalise(item.value)


def test_a_reported_message_is_told_not_the_report() -> None:
    alert = alert_of(reported(phish()))
    assert alert.title == "Reported message: Your account is limité"
    assert alert.detection_model == "Reported message"
    assert alert.source_ref == f"<1@{HOST}>"
    assert alert.dedup_key.startswith(f"<1@{HOST}> ")
    assert alert.severity == "high"
    assert alert.username == "anna.berg@corp.example.org"
    assert alert.source_ip == "203.0.113.9"
    assert alert.occurred_at == datetime(2026, 3, 3, 11, 0, tzinfo=UTC)
    assert alert.first_seen == datetime(2026, 3, 3, 10, 0, 5, tzinfo=UTC)
    assert alert.techniques == ["T1566.001", "T1566.002"]
    assert alert.tags == [
        "reported-message", "attachment", "dangerous-attachment", "misleading-link", "other-reply-to",
        "spf-fail", "dmarc-fail",
    ]  # fmt: skip
    assert alert.notes == []


def test_its_observables() -> None:
    alert = alert_of(reported(phish()))
    assert highlighted(alert) == {
        ("email", f"service@{HOST}"), ("email", "collect@mailbox.example.net"), ("ip", "203.0.113.9"),
        ("url", f"https://{HOST}/login?id=1"), ("sha256", SHA256), ("file_name", "Rechnung März.iso"),
    }  # fmt: skip
    roles = {(found.type, found.value): found.role for found in alert.observables}
    assert roles["email", f"bounce@{HOST}"] == "return_path"
    assert roles["email", "a.voss@corp.example.org"] == roles["email", "helpdesk@corp.example.org"] == "recipient"
    assert roles["ip", "10.0.0.7"] == "received"
    assert roles["url", f"https://track.{HOST}/p.gif"] == "image"
    assert roles["email", f"help@{HOST}"] == "link"
    assert not any("safelinks" in found.value for found in alert.observables)


def test_its_entities_and_description() -> None:
    alert = alert_of(reported(phish()))
    message, reporter, file = alert.entities
    assert message["type"] == "message"
    assert (message["message_id"], message["mailbox"]) == (f"<1@{HOST}>", "anna.berg@corp.example.org")
    assert message["sender"] == f"service@{HOST}"
    assert ["url", f"https://{HOST}/login?id=1"] in message["observables"]
    # What the message is rated must never be held against who reported it.
    assert reporter["observables"] == [["email", "anna.berg@corp.example.org"]]
    assert (file["name"], file["sha256"], file["size"]) == ("Rechnung März.iso", SHA256, "20 bytes")
    for told in (
        "Reported by Anna Berg <anna.berg@corp.example.org>",
        "Is this real?",
        "PayPal Sécurité",
        "spf fail, dkim none, dmarc fail",
        "(shown as https://www.paypal.com/login)",
        "Dear customer,",
    ):
        assert told in alert.description
    assert "color: red" not in alert.description


def test_the_document_has_headers_trail_and_the_whole_messages_hash() -> None:
    raw = reported(phish())
    told = document(raw)
    assert told is not None
    assert told["reported"] == "attached"
    assert told["report"]["note"] == "Is this real?"
    assert (told["size"], told["sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert [hop["ip"] for hop in told["received"]] == ["10.0.0.7", "203.0.113.9"]
    assert told["received"][1]["from"] == f"mail.{HOST}"
    assert told["authentication"] == {"spf": "fail", "dkim": "none", "dmarc": "fail"}
    assert told["to"][1] == {"name": "Voss, A.", "address": "a.voss@corp.example.org"}
    assert ["Subject", "Your account is limité"] in told["headers"]
    assert told["links"][0]["wrapped"].startswith("https://eur01.safelinks.protection.outlook.com/")


@pytest.mark.parametrize(
    "part",
    ["Content-Type: application/octet-stream; name=original.eml\r\nContent-Transfer-Encoding: base64\r\n\r\n",
     "Content-Type: message/global\r\n\r\n", "Content-Type: text/plain; name=\"phish.EML\"\r\n\r\n"],
)  # fmt: skip
def test_an_attached_original_is_found_however_it_was_attached(part: str) -> None:
    body = base64.encodebytes(phish()) if "base64" in part else phish()
    raw = reported(phish()).split(b"Content-Type: message/rfc822")[0] + part.encode() + body + b"\r\n--outer--\r\n"
    assert alert_of(raw).source_ref == f"<1@{HOST}>"


INLINE = {
    "gmail": "Look at this\n\n---------- Forwarded message ---------\nFrom: Bank <x@evil.example.net>\n"
    "Date: Tue, Mar 3, 2026 at 9:59 AM\nSubject: Pay now\nTo: <anna.berg@corp.example.org>\n\nhttps://evil.example.net/a\n",
    "outlook": "Look at this\n\n________________________________\nFrom: Bank <x@evil.example.net>\n"
    "Sent: Tuesday, March 3, 2026 9:59 AM\nTo: Anna Berg\n <anna.berg@corp.example.org>\nSubject: Pay now\n\n"
    "https://evil.example.net/a\n",
    "apple": "Look at this\n\nBegin forwarded message:\n\n> From: Bank <x@evil.example.net>\n> Subject: Pay now\n"
    "> Date: 3 March 2026 at 09:59:00 GMT\n> To: anna.berg@corp.example.org\n> \n> https://evil.example.net/a\n",
    "thunderbird": "Look at this\n\n-------- Forwarded Message --------\nSubject: \tPay now\n"
    "Date: \tTue, 3 Mar 2026 09:59:00 +0000\nFrom: \tBank <x@evil.example.net>\nTo: \tanna.berg@corp.example.org\n\nhttps://evil.example.net/a\n",
    "german": "Look at this\n\nVon: Bank [mailto:x@evil.example.net]\nGesendet: Dienstag, 3. März 2026 09:59\n"
    "An: Anna Berg\nBetreff: Pay now\n\nhttps://evil.example.net/a\n",
    "french": "Look at this\n\nDe : Bank <x@evil.example.net>\nEnvoyé : mardi 3 mars 2026 09:59\nÀ : Anna Berg\n"
    "Objet : Pay now\n\nhttps://evil.example.net/a\n",
}


@pytest.mark.parametrize("program", INLINE)
def test_an_original_forwarded_inline(program: str) -> None:
    alert = alert_of(plain(INLINE[program], subject="Fwd: Pay now", Message_ID="<out@corp.example.org>"))
    assert alert.title == "Reported message: Pay now"
    assert ("email", "x@evil.example.net") in highlighted(alert)
    assert ("email", "anna.berg@corp.example.org") not in highlighted(alert)
    assert alert.username == "anna.berg@corp.example.org"
    assert values(alert, "url") == ["https://evil.example.net/a"]
    assert "Reported by anna.berg@corp.example.org\nLook at this" in alert.description


def test_links_of_the_reporters_own_words_do_not_count_in_html() -> None:
    html = (
        '<p>See <a href="https://intranet.corp.example.org/policy">our policy</a></p><div>'
        "From: Bank &lt;x@evil.example.net&gt;<br>Sent: Tuesday<br>To: Anna<br>Subject: Pay now<br></div>"
        '<p><a href="https://evil.example.net/a">Pay</a></p>'
    )
    raw = plain(html, subject="FW: Pay now").replace(b"text/plain", b"text/html")
    assert highlighted(alert_of(raw)) == {("email", "x@evil.example.net"), ("url", "https://evil.example.net/a")}


def test_a_message_that_reports_none_is_told_itself() -> None:
    alert = alert_of(plain("Lunch?\nhttps://corp.example.org/menu", Message_ID="<a@b.example.org>"))
    assert (alert.title, alert.detection_model, alert.severity) == ("Hello", "Message", None)
    assert (alert.username, alert.techniques, alert.tags) == ("", [], [])


@pytest.mark.parametrize("subject", ["Re: Pay now", "Pay now"])
def test_an_answer_with_the_old_message_below_reports_nothing(subject: str) -> None:
    text = "Thanks!\n\nFrom: Bank <x@example.net>\nSent: Tuesday\nTo: Anna\nSubject: Pay now\n\nOld text"
    assert alert_of(plain(text, subject=subject)).detection_model == "Message"


def test_a_message_that_came_back_undelivered_is_no_report() -> None:
    raw = reported(phish()).replace(b"multipart/mixed; boundary=\"outer\"",
                                    b"multipart/report; report-type=delivery-status; boundary=\"outer\"")  # fmt: skip
    assert alert_of(raw).detection_model == "Message"


def test_the_key_is_that_of_the_original() -> None:
    first = alert_of(reported(phish()))
    other = alert_of(reported(phish(), by="B. Lind <b.lind@corp.example.org>", note="same here"))
    assert first.dedup_key == other.dedup_key
    assert first.dedup_key != alert_of(reported(phish(2))).dedup_key


def test_a_known_id_hides_no_other_message() -> None:
    """Who sends a harmless message first must not have the phish with the same id counted as its repeat."""
    harmless = plain("Our newsletter", sender=f"service@{HOST}", subject="News", Message_ID=f"<1@{HOST}>")
    assert alert_of(reported(harmless)).dedup_key != alert_of(reported(phish())).dedup_key


@pytest.mark.parametrize(
    ("raw", "title"),
    [(plain("x", subject=""), "Message from anna.berg@corp.example.org"),
     (b"X-Only: this\r\n\r\n", "Message without subject and sender"),
     (reported(b"X-Only: this\r\n\r\nhi"), "Reported message without subject and sender"),
     (plain("x", subject="\u202egpj.exe").replace(b"Hello", b""), "[U+202E]gpj.exe"),
     (plain("x", subject="a\x00b"), "a\u2400b"),
     (b"From: a@b.example.org\r\nSubject: caf\xe9\r\n\r\n", "café"),
     (b"From: a@b.example.org\r\nSubject: =?utf-8?B?Y2Fmw6k?= =?utf-8?B?IQ?=\r\n\r\n", "café!"),
     (b"From: a@b.example.org\r\nSubject: =?x-none?Q?caf=C3=A9?=\r\n\r\n", "café"),
     (b"From: a@b.example.org\nSubject: bare\n feeds\n\nx", "bare feeds"),
     (b"From: a@b.example.org\rSubject: bare returns\r\rx", "bare returns"),
     (b"From MAILER Tue Mar  3\r\nSubject: of an mbox\r\n\r\n", "of an mbox"),
     (b"\xef\xbb\xbf\r\n\r\nSubject: behind a mark\r\n\r\n", "behind a mark"),
     (b"Subject: one\r\nno header at all\r\nFrom: x@evil.example.net\r\n\r\n", "one")],
)  # fmt: skip
def test_titles_of_odd_messages(raw: bytes, title: str) -> None:
    assert alert_of(raw).title == title


@pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Mar 2026 99:99:99 +9999", "0", "-1", "9" * 400])
def test_dates_that_are_none(date: str) -> None:
    assert alert_of(plain("x", Date=date)).occurred_at is None


def test_who_hides_behind_a_good_signature_elsewhere() -> None:
    """Only what the last server wrote counts: the message brings forged results of its own below."""
    told = document(phish())
    assert told is not None
    assert told["authentication"]["dmarc"] == "fail"


WRAPPED = {
    "https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fevil.example.net%2Fa&data=1": "https://evil.example.net/a",
    "https://urldefense.proofpoint.com/v2/url?u=https-3A__evil.example.net_a&d=x": "https://evil.example.net/a",
    "https://urldefense.com/v3/__https://evil.example.net/a?b=*__;Iw!!abc$": "https://evil.example.net/a?b=#",
    "https://www.google.com/url?q=https://evil.example.net/a&sa=D": "https://evil.example.net/a",
    "https://linkprotect.cudasvc.com/url?a=https%3a%2f%2fevil.example.net%2fa&c=E": "https://evil.example.net/a",
    "https://x.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)": "https://x.safelinks.protection.outlook.com/?url=javascript%3Aalert(1)",
    "https://[broken/?url=https://evil.example.net": "https://[broken/?url=https://evil.example.net",
    "https://safelinks.protection.outlook.com.evil.example.net/?url=https://good.example.org": "https://safelinks.protection.outlook.com.evil.example.net/?url=https://good.example.org",
}  # fmt: skip


@pytest.mark.parametrize("url", WRAPPED)
def test_addresses_that_a_gateway_wrapped(url: str) -> None:
    told = document(plain(f'<a href="{url}">x</a>').replace(b"text/plain", b"text/html"))
    assert told is not None
    assert told["links"][0]["url"] == WRAPPED[url]


@pytest.mark.parametrize(
    ("label", "url", "misleads"),
    [("https://www.paypal.com", "https://evil.example.net", True), ("paypal.com", "https://www.paypal.com/x", False),
     ("Click here", "https://evil.example.net", False), ("www.corp.example.org", "https://corp.example.org", False),
     ("paypal.com", "https://paypal.com@evil.example.net/", True), ("report.pdf", "https://evil.example.net", False)],
)  # fmt: skip
def test_links_that_show_another_address(label: str, url: str, misleads: bool) -> None:
    alert = alert_of(plain(f'<a href="{url}">{label}</a>').replace(b"text/plain", b"text/html"))
    assert ("misleading-link" in alert.tags) is misleads


def test_the_sample_is_a_report() -> None:
    item = taken(sample_of("email").encode(), "application/json")
    assert item is None  # it is JSON that carries a message
    alert = KINDS["email"].normalise(json.loads(sample_of("email")))
    assert alert.title == "Reported message: Sample: your mailbox is almost full"
    assert ("url", "https://mailbox-quota.example.net/login") in highlighted(alert)


@pytest.mark.parametrize("item", [{"raw_base64": base64.b64encode(reported(phish())).decode()},
                                  {"raw": reported(phish()).decode()}])  # fmt: skip
def test_a_message_within_json(item: dict[str, Any]) -> None:
    assert KINDS["email"].normalise(item).source_ref == f"<1@{HOST}>"


def test_json_without_a_message_is_read_by_its_names() -> None:
    alert = KINDS["email"].normalise({"subject": "Pay now", "from": "x@evil.example.net", "id": "7"})
    assert (alert.title, alert.dedup_key) == ("Pay now", "7")
    assert values(alert, "email") == ["x@evil.example.net"]


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"\x00\x01\x02\x03", b"just words", b"\x89PNG\r\n\x1a\n", b": no name\r\n\r\n"]
)
def test_what_is_no_message_at_all_says_so(body: bytes) -> None:
    with pytest.raises(Unreadable, match="no mail message"):
        taken(body, "message/rfc822")


def test_the_files_in_a_message() -> None:
    assert list(files_of(phish(), 10)) == [("Rechnung März.iso", FILE)]
    names = [name for name, _ in files_of(mails.reported(phish()), 10)]
    assert names == ["message-1.eml", "Rechnung März.iso"]
