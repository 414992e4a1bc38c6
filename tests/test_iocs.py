"""Indicators in free text, and observables that people enter and see."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.iocs import HOSTILE, ours, report
from cases.ingest.gather import Gather
from cases.ingest.iocs import extract
from cases.ingest.observables import TYPES, defang, guess_type, is_private_ip, normalise_observable
from cases.ingest.suffixes import is_registrable, suffix_length
from tests.hostile_texts import CORPUS

MD5 = "9e107d9d372bb6826bd81d3542a419d6"
SHA1 = "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12"
SHA256 = "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from 203.0.113.9.", [("ip", "203.0.113.9")]),
        ("src=203.0.113.9:443,dst=198.51.100.2/443", [("ip", "203.0.113.9"), ("ip", "198.51.100.2")]),
        ('{"ip":"203.0.113.9"}', [("ip", "203.0.113.9")]),
        ("203[.]0[.]113[.]9 and 198(.)51.100{dot}2", [("ip", "203.0.113.9"), ("ip", "198.51.100.2")]),
        ("Failed password for root@203.0.113.9", [("ip", "203.0.113.9")]),
        ("range 203.0.113.1-203.0.113.9", [("ip", "203.0.113.1"), ("ip", "203.0.113.9")]),
        (
            "2001:0DB8:0:0::0001 fe80::1%eth0 [2001:db8::2]:8080",
            [("ip", "2001:db8::1"), ("ip", "fe80::1"), ("ip", "2001:db8::2")],
        ),
        ("block 10.0.0.0/8 and 2001:db8::/32", [("cidr", "10.0.0.0/8"), ("cidr", "2001:db8::/32")]),
        ("interface 10.1.2.3/24", [("ip", "10.1.2.3")]),
        ("evil[.]example[.]com, EVIL.ORG", [("domain", "evil.example.com"), ("domain", "evil.org")]),
        ("see bbc.co.uk; not co.uk", [("domain", "bbc.co.uk")]),
        ("evil [.] org, evil[.com, bad.]net", [("domain", "evil.org"), ("domain", "evil.com"), ("domain", "bad.net")]),
        ("пример.рф", [("domain", "xn--e1afmkfd.xn--p1ai")]),
        ("hxxps://Evil[.]com/A[.]php?x=1.", [("url", "https://evil.com/A.php?x=1")]),
        ("hxxp[:]//evil[.]com, hXXp[://]bad.ru", [("url", "http://evil.com"), ("url", "http://bad.ru")]),
        ("(http://a.example.com/x_(y))", [("url", "http://a.example.com/x_(y)")]),
        (
            "ftp://203.0.113.9:21/f and http://[2001:db8::1]/",
            [("url", "ftp://203.0.113.9:21/f"), ("url", "http://[2001:db8::1]/")],
        ),
        (
            "mail Bob(at)Example(dot)com or <mailto:al@b.example.org>",
            [("email", "bob@example.com"), ("email", "al@b.example.org")],
        ),
        (f"{MD5.upper()} {SHA1} sha256={SHA256}", [("md5", MD5), ("sha1", SHA1), ("sha256", SHA256)]),
        ("cve-2021-44228, CVE-2024-3094.", [("cve", "CVE-2021-44228"), ("cve", "CVE-2024-3094")]),
        ("T1003.001 and V9.T1112", [("technique", "T1003.001"), ("technique", "T1112")]),
        (
            "AS64500 00-1A-2b-3c-4d-5e 001a.2b3c.4d5f",
            [("asn", "AS64500"), ("mac", "00:1a:2b:3c:4d:5e"), ("mac", "00:1a:2b:3c:4d:5f")],
        ),
        ("wallet 1BoatSLRHtKNngkdXEeobR76b53LETtpyT", [("crypto", "1BoatSLRHtKNngkdXEeobR76b53LETtpyT")]),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", [("crypto", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq")]),
        (
            "opened invoice.zip, setup.exe and main.rs",
            [("file_name", "invoice.zip"), ("file_name", "setup.exe"), ("file_name", "main.rs")],
        ),
        ("C:\\Program Files (x86)\\Foo\\bar.exe /q", [("file_path", "C:\\Program Files (x86)\\Foo\\bar.exe")]),
        ('"C:\\\\Users\\\\joe\\\\a.exe"', [("file_path", "C:\\Users\\joe\\a.exe")]),
        (
            "from \\\\srv1\\share\\x.dll to %TEMP%\\y.dll",
            [("file_path", "\\\\srv1\\share\\x.dll"), ("file_path", "%TEMP%\\y.dll")],
        ),
        ("cat /etc/passwd; GET /index.php", [("file_path", "/etc/passwd")]),
        (
            "HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Windows NT\\Run",
            [("registry_key", "HKLM\\Software\\Microsoft\\Windows NT\\Run")],
        ),
    ],
)
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert extract(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version 1.2.3.4, v10.0.0.1, Version: 2.3.4.5",
        "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
        "256.1.1.1 01.02.03.04 1.2.3 1.2.3.4.5 0.0.0.0",
        "12:30:45 2026-11-21T10:00:00Z std::vector a::b ::",
        "System.Net and the end.In the next e.g. this i.e. that self.name",
        "com co.uk example.notatld array[0] {.}",
        "123456789012345678901234567890123 00000000000000000000000000000000",
        "an AS400, T800, T10033, CVE-21-1",
        "1BoatSLRHtKNngkdXEeobR76b53LETtpyU",
        "http:// https://-/ http://999.1.1.1/ ://x",
        "a@b user@localhost @handle",
        "C: C:\\ \\ \\\\",
    ],
)
def test_not_found(text: str) -> None:
    assert extract(text) == []


def test_each_once_however_often_and_written() -> None:
    assert extract("evil.com EVIL.com evil[.]com " * 50) == [("domain", "evil.com")]


ALPHABET = st.text(st.sampled_from(list("abcxpHKLM.:/\\[](){}@%0123456789-_ \n\"'=,;")), max_size=80)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | ALPHABET)
def test_what_is_found_is_normal_and_found_again(text: str) -> None:
    for kind, value in extract(text):
        assert kind in TYPES
        assert normalise_observable(kind, value) == value
        assert (kind, value) in extract(value)


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("ip", " 203[.]0.113.9 ", "203.0.113.9"),
        ("ip", "2001:DB8::0:1", "2001:db8::1"),
        ("cidr", "10.1.2.3/8", "10.0.0.0/8"),
        ("domain", "EVIL[.]Com.", "evil.com"),
        ("url", "hxxp://Evil[.]com/A", "http://evil.com/A"),
        ("email", "A(at)Evil.com", "a@evil.com"),
        ("sha1", SHA1.upper(), SHA1),
        ("cve", "cve-2024-3094", "CVE-2024-3094"),
        ("technique", "t1059", "T1059"),
        ("asn", "ASN 64500", "AS64500"),
        ("mac", "001A.2B3C.4D5E", "00:1a:2b:3c:4d:5e"),
        ("registry_key", "hkey_current_user\\Software\\X", "HKCU\\Software\\X"),
        ("file_path", "C:\\My Files\\a b.txt", "C:\\My Files\\a b.txt"),
        ("file_name", "READ ME.txt", "READ ME.txt"),
        ("hostname", "WEB-01", "web-01"),
        ("user", " EXAMPLE\\joe ", "EXAMPLE\\joe"),
        ("process", "cmd.exe", "cmd.exe"),
    ],
)
def test_entered_by_hand(kind: str, value: str, normal: str) -> None:
    assert normalise_observable(kind, value) == normal


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("ip", "256.1.1.1", "'256.1.1.1' is not an IPv4 or IPv6 address."),
        ("ip", "1²3", "is not an IPv4"),
        ("domain", "co.uk", "is not a domain below a public suffix"),
        ("md5", SHA1, "is not 32 hexadecimal digits"),
        ("url", "evil.com", "is not a URL with a scheme"),
        ("file_name", "a/b.txt", "is not a file name without folders"),
        ("user", "   ", "The value is empty."),
        ("user", "x" * 3_000, "longer than 2,048"),
        ("colour", "red", "'colour' is not a type of observable."),
    ],
)
def test_refused_with_a_sentence(kind: str, value: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"is|longer") as caught:
        normalise_observable(kind, value)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("203.0.113.9", "ip"), ("10.0.0.0/8", "cidr"), ("evil[.]com", "domain"), ("hxxp://evil.com", "url"),
        ("a@evil.com", "email"), (MD5, "md5"), (SHA256, "sha256"), ("CVE-2024-3094", "cve"), ("T1059.001", "technique"),
        ("C:\\a\\b.exe", "file_path"), ("/etc/hosts", "file_path"), ("HKLM\\Software", "registry_key"),
        ("setup.exe", "file_name"), ("00:1a:2b:3c:4d:5e", "mac"), ("AS64500", "asn"), ("joe", None), ("", None),
    ],
)  # fmt: skip
def test_guessed(value: str, kind: str | None) -> None:
    assert guess_type(value) == kind


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("url", "https://evil.com/a.php", "hxxps://evil[.]com/a.php"),
        ("domain", "evil.com", "evil[.]com"),
        ("ip", "203.0.113.9", "203[.]0[.]113[.]9"),
        ("ip", "2001:db8::1", "2001[:]db8[:][:]1"),
        ("email", "a@evil.com", "a[at]evil[.]com"),
        ("md5", MD5, MD5),
        ("file_path", "C:\\a.b\\c.exe", "C:\\a.b\\c.exe"),
    ],
)
def test_shown_defanged_and_read_back(kind: str, value: str, shown: str) -> None:
    assert defang(kind, value) == shown
    assert normalise_observable(kind, shown) == value


def test_private_addresses() -> None:
    assert all(is_private_ip(ip) for ip in ("10.1.2.3", "192.168.0.0/16", "127.0.0.1", "fe80::1%5", "fd00::1"))
    assert not any(is_private_ip(ip) for ip in ("8.8.8.8", "2606:4700::1111", "1.0.0.0/24", "no address"))


def test_public_suffixes() -> None:
    assert [suffix_length(name) for name in ("a.co.uk", "a.com", "a.nowhere", "x.y.ck", "www.ck")] == [2, 1, 0, 2, 1]
    assert is_registrable("a.github.io")
    assert is_registrable("www.ck")
    assert not is_registrable("y.ck")


def test_payload_texts_are_searched_but_ids_and_links_are_not() -> None:
    payload = {
        "id": MD5, "sessionId": SHA1, "trace_id": SHA256, "links": ["https://portal.example.com/x"],
        "cveId": "CVE-2024-3094", "deep": [{"note": "seen 203.0.113.9"}], "n": 5,
    }  # fmt: skip
    gathered = Gather()
    gathered.payload(payload)
    assert sorted((one.type, one.value) for one in gathered.found()) == [
        ("cve", "CVE-2024-3094"),
        ("ip", "203.0.113.9"),
    ]


@pytest.mark.parametrize("unit", HOSTILE, ids=ascii)
def test_nothing_hides_behind_a_hostile_text(unit: str) -> None:
    """With anything worse than linear work these would not come back for minutes."""
    wanted = {("url", "http://evil.example.org/a"), ("ip", "203.0.113.9"), ("file_path", "C:\\Users\\joe\\a.exe")}
    text = " ".join(f"{kind} {value}" for kind, value in sorted(wanted))
    assert wanted <= set(extract(f"{text} \n {unit * (100_000 // len(unit))} \n {text}"))
    assert wanted <= set(extract(f"{unit * (100_000 // len(unit))} \n {text}"))


def test_all_that_a_long_report_holds_is_found_and_nothing_else() -> None:
    text, held = report()
    assert ours(text) == held


@pytest.mark.parametrize("text", CORPUS)
def test_what_is_in_normal_form_stays_as_it_is(text: str) -> None:
    """Else the same thing imported again would be another one."""
    for kind in sorted(TYPES):
        try:
            normal = normalise_observable(kind, text)
        except ValueError:
            continue
        assert normalise_observable(kind, normal) == normal, kind
