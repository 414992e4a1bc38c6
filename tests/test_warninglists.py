"""Warning lists, own lists and exceptions: import, verdicts, pages."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from soar.accounts.models import AuditEntry, User
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.intelligence import actions, bundled, importing
from soar.connectors.intelligence.classes import MEANINGS, meaning_of
from soar.connectors.intelligence.lookup import Verdict, look_up
from soar.connectors.models import ExceptionEntry, OwnListEntry, WarningList, WarningName, WarningNetwork
from soar.lib import clock

pytestmark = pytest.mark.django_db
SHA = "ab" * 32
DOMAIN = ["domain", "hostname", "url"]


def write(folder: Path, slug: str, type_: str, entries: list[Any], attributes: list[str], version: int = 1) -> None:
    place = folder / slug
    place.mkdir(exist_ok=True)
    text = {"name": slug, "type": type_, "version": version, "matching_attributes": attributes, "list": entries}
    (place / "list.json").write_text(json.dumps(text))


def take(folder: Path, *slugs: str, **options: Any) -> dict[str, importing.Result]:
    return {result.slug: result for result in importing.import_all(folder, slugs, **options)}


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    write(tmp_path, "tranco10k", "hostname", ["popular.example.com", "blogspot.com", "bit.ly", "github.io"], DOMAIN)
    write(tmp_path, "cisco_top1000", "string", ["exact.example.net"], DOMAIN)
    write(tmp_path, "url-shortener", "hostname", ["bit.ly"], DOMAIN)
    write(tmp_path, "cloudflare", "cidr", ["104.16.0.0/13", "2606:4700::/32"], ["ip-src"])
    write(tmp_path, "vpn-ipv4", "cidr", ["198.200.0.0/16"], ["ip-src"])
    write(tmp_path, "nioc-filehash", "string", [SHA.upper(), "not a hash at all!"], ["md5", "sha1", "sha256"])
    write(tmp_path, "disposable-email", "substring", ["throwaway.example"], ["email-src"])
    write(tmp_path, "common-contact-emails", "regex", [r"/^(abuse|noc)\@.*\..*$/i"], ["email-src"])
    take(tmp_path, *(path.name for path in tmp_path.iterdir()))
    return tmp_path


def verdict(type_: str, value: str) -> Verdict:
    return look_up([(type_, value)])[type_, value]


@pytest.mark.parametrize(
    ("type_", "value", "risk", "benign", "effect"),
    [
        ("domain", "popular.example.com", "unrated", True, "benign"),
        ("domain", "WWW.Popular.Example.COM.", "unrated", True, "benign"),
        ("hostname", "a.b.popular.example.com", "unrated", True, "benign"),
        ("domain", "notpopular.example.com", "unrated", False, None),
        ("domain", "evilpopular.example.com.attacker.example", "unrated", False, None),
        ("domain", "exact.example.net", "unrated", True, "benign"),
        ("domain", "sub.exact.example.net", "unrated", False, None),
        ("domain", "anybody.blogspot.com", "unrated", False, "context"),
        ("domain", "bit.ly", "unrated", False, "context"),
        ("url", "https://popular.example.com/", "unrated", True, "benign"),
        ("url", "https://popular.example.com/malware.exe", "unrated", False, "context"),
        ("url", "http://104.17.1.1/x", "unrated", False, "context"),
        ("ip", "104.17.1.1", "unrated", True, "benign"),
        ("ip", "2606:4700:0:0::1111", "unrated", True, "benign"),
        ("ip", "104.32.0.1", "unrated", False, None),
        ("cidr", "104.17.0.0/24", "unrated", True, "benign"),
        ("cidr", "104.0.0.0/8", "unrated", False, None),
        ("ip", "198.200.1.1", "unrated", False, "context"),
        ("sha256", SHA, "unrated", True, "benign"),
        ("email", "x@throwaway.example", "unrated", False, "context"),
        ("email", "ABUSE@somewhere.example", "unrated", False, "context"),
        ("email", "x@popular.example.com", "unrated", False, None),
    ],
)
def test_what_lists_say(lists: Path, type_: str, value: str, risk: str, benign: bool, effect: str | None) -> None:
    found = verdict(type_, value)
    assert (found.risk, found.benign) == (risk, benign)
    assert {item["effect"] for item in found.evidence} == ({effect} if effect else set())


@pytest.mark.parametrize("value", ["10.1.2.3", "127.0.0.1", "::1", "fd00::1", "169.254.1.1", "100.64.0.9"])
def test_private_addresses_are_unrated_with_the_reason(value: str) -> None:
    found = verdict("ip", value)
    assert (found.risk, found.rule) == ("unrated", "Private address, never sent to providers.")


@pytest.mark.parametrize(
    ("type_", "value"),
    [("ip", "999.1.1.1"), ("domain", "a\x00b"), ("url", "http://["), ("sha256", "zz"), ("nonesuch", "x"),
     ("domain", "\ud800.example"), ("email", "@"), ("url", "x" * 5000), ("domain", "." * 300), ("ip", "")],
)  # fmt: skip
def test_what_is_no_value_is_unrated_and_no_error(lists: Path, type_: str, value: str) -> None:
    assert verdict(type_, value).risk == "unrated"


def test_malicious_alone_is_highly_suspicious(lists: Path) -> None:
    actions.add_own(None, "domain", "evil.example", "seen in a campaign", effect="malicious")
    found = verdict("hostname", "EVIL.example")
    assert (found.risk, found.benign) == ("highly_suspicious", False)
    assert found.evidence == [{"list": "Own list", "text": "seen in a campaign, by Soar", "effect": "malicious"}]


@pytest.mark.parametrize(("type_", "value"), [("domain", "x.evil.example"), ("url", "https://evil.example/a")])
def test_a_name_above_that_is_malicious_is_weaker_evidence(type_: str, value: str) -> None:
    actions.add_own(None, "domain", "evil.example", "campaign", effect="malicious")
    found = verdict(type_, value)
    assert found.risk == "suspicious"
    assert found.evidence[0]["text"] == "domain evil[.]example: campaign, by Soar", "which one, and not to be opened"


def test_malicious_and_benign_is_conflicting(lists: Path) -> None:
    actions.add_own(None, "domain", "popular.example.com", "defaced", effect="malicious")
    found = verdict("domain", "popular.example.com")
    assert (found.risk, found.benign) == ("suspicious", True)


def test_context_takes_nothing_from_malicious(lists: Path) -> None:
    actions.add_own(None, "url", "https://bit.ly/x", "phishing", effect="malicious")
    assert verdict("url", "https://bit.ly/x").risk == "highly_suspicious"


def test_an_exception_beats_everything(lists: Path) -> None:
    actions.add_own(None, "ip", "203.0.113.9", "botnet", effect="malicious")
    actions.add_exception(None, "cidr", "203.0.113.0/24", "our own scanners")
    found = verdict("ip", "203.0.113.9")
    assert (found.risk, found.benign) == ("unrated", True)
    assert "exception list" in found.rule


def test_an_exception_for_a_name_covers_what_is_below_it() -> None:
    actions.add_exception(None, "domain", "corp.example", "ours")
    for type_, value in (
        ("domain", "a.corp.example"),
        ("url", "https://b.corp.example/x"),
        ("email", "a@corp.example"),
    ):
        assert verdict(type_, value).benign
    assert not verdict("domain", "notcorp.example").benign


def test_expired_entries_say_nothing_and_make_room() -> None:
    past = clock.now() - timedelta(seconds=1)
    entry = actions.add_own(None, "ip", "203.0.113.9", "botnet", effect="malicious")
    OwnListEntry.objects.filter(pk=entry.pk).update(expires_at=past)
    assert verdict("ip", "203.0.113.9").risk == "unrated"
    actions.add_own(None, "ip", "203.0.113.9", "again", effect="benign")
    assert OwnListEntry.objects.get().reason == "again"


def test_two_queries_for_all(lists: Path, django_assert_num_queries: Any) -> None:
    pairs = [("ip", f"203.0.113.{n}") for n in range(200)] + [("domain", f"d{n}.example") for n in range(200)]
    with django_assert_num_queries(2):
        assert len(look_up(pairs)) == 400
    with django_assert_num_queries(0):
        assert look_up([]) == {}


def test_a_list_that_is_switched_off_is_silent(lists: Path) -> None:
    actions.set_list_enabled(None, WarningList.objects.get(slug="cloudflare").pk, False)
    assert verdict("ip", "104.17.1.1").evidence == []


def test_import_is_once_per_version_and_replaces(lists: Path) -> None:
    assert take(lists, "cloudflare")["cloudflare"].state == "unchanged"
    write(lists, "cloudflare", "cidr", ["192.0.2.0/24"], ["ip-src"], version=2)
    assert take(lists, "cloudflare")["cloudflare"].state == "imported"
    row = WarningList.objects.get(slug="cloudflare")
    assert list(WarningNetwork.objects.filter(list=row).values_list("network", flat=True)) == ["192.0.2.0/24"]
    assert row.version == 2


def test_a_switched_off_list_stays_off_after_an_import(lists: Path) -> None:
    WarningList.objects.filter(slug="cloudflare").update(enabled=False)
    take(lists, "cloudflare", force=True)
    assert not WarningList.objects.get(slug="cloudflare").enabled


def test_broken_entries_and_broken_files_are_left_out(tmp_path: Path) -> None:
    entries = ["10.0.0.0/8", "10.0.0.0/8", "300.1.1.1", None, {"a": 1}, "", "x\x00y"]
    write(tmp_path, "odd", "cidr", entries, ["ip-src"])
    write(tmp_path, "names", "string", ["good.example", "b\\d\t", "x" * 400, 7, "a/b"], DOMAIN)
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "list.json").write_text('{"name": "cut", "list": [')
    results = take(tmp_path, "cut", "odd", "names")
    assert (results["odd"].entries, results["odd"].skipped) == (1, 6)
    assert (results["names"].entries, results["names"].skipped) == (1, 4)
    assert results["cut"].state == "broken"
    assert not WarningList.objects.filter(slug="cut").exists()


def test_every_bundled_list_has_a_meaning() -> None:
    slugs = bundled.slugs(bundled.folder(), ())
    assert len(slugs) > 100
    assert [slug for slug in slugs if meaning_of(slug).group == "other"] == []
    assert set(MEANINGS) <= set(slugs)


def test_command_imports_real_lists(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = ["empty-hashes", "cloudflare", "rfc1918", "shodan-scanning"]
    call_command("warninglists", "import", *(word for slug in wanted for word in ("--only", slug)))
    answer = json.loads(capsys.readouterr().out)
    assert sorted(row["slug"] for row in answer["imported"]) == sorted(wanted)
    assert answer["broken"] == []
    assert WarningName.objects.filter(value="d41d8cd98f00b204e9800998ecf8427e").exists()
    assert verdict("md5", "d41d8cd98f00b204e9800998ecf8427e").benign
    call_command("warninglists", "list")
    assert {row["slug"]: row["effect"] for row in json.loads(capsys.readouterr().out)}["rfc1918"] == "context"
    with pytest.raises(CommandError, match="nonesuch"):
        call_command("warninglists", "import", "--only", "nonesuch")


def test_the_largest_lists_are_left_out() -> None:
    assert not {"tranco", "google-chrome-crux-1million"} & set(bundled.slugs(bundled.folder()))


@pytest.mark.parametrize(
    ("type_", "value", "reason", "field"),
    [("ip", "999.1.1.1", "r", "value"), ("nonesuch", "x", "r", "value"), ("domain", "a b", "r", "value"),
     ("ip", "1.1.1.1", " ", "reason"), ("ip", "1.1.1.1", "r" * 501, "reason"), ("sha1", "ab", "r", "value")],
)  # fmt: skip
def test_bad_entries_are_refused(type_: str, value: str, reason: str, field: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.add_exception(None, type_, value, reason)
    assert set(caught.value.errors) == {field}
    assert not ExceptionEntry.objects.exists()


def test_an_entry_is_there_once(analyst: User) -> None:
    actions.add_exception(None, "domain", "corp.example", "ours")
    with pytest.raises(Refused, match="already"):
        actions.add_exception(None, "hostname", "CORP.example.", "again")
    with pytest.raises(Forbidden):
        actions.add_exception(analyst, "domain", "b.example", "ours")


def page(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


FORM = {"type": "domain", "value": "Corp.Example", "reason": "ours", "expires_at": ""}


def test_page_adds_and_removes_an_exception(admin: User) -> None:
    client = page(admin)
    answer = client.post("/settings/lists/exceptions/add/", FORM, follow=True)
    assert answer.status_code == 200
    assert "corp[.]example" in answer.content.decode()
    entry = ExceptionEntry.objects.get()
    assert (entry.value, entry.added_by) == ("corp.example", admin.display_name())
    client.post(f"/settings/lists/exceptions/{entry.pk}/remove/")
    assert client.post(f"/settings/lists/exceptions/{entry.pk}/remove/").status_code == 302  # gone already
    assert not ExceptionEntry.objects.exists()
    verbs = AuditEntry.objects.filter(verb__startswith="exception.").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["exception.added", "exception.removed"]


def test_page_adds_and_removes_an_own_entry(admin: User) -> None:
    client = page(admin)
    assert client.post("/settings/lists/own/add/", {**FORM, "effect": "malicious"}).status_code == 302
    entry = OwnListEntry.objects.get()
    assert client.post(f"/settings/lists/own/{entry.pk}/remove/").status_code == 302
    assert not OwnListEntry.objects.exists()


@pytest.mark.parametrize(
    ("change", "shown"),
    [({"value": "a b"}, "is no host name"), ({"reason": ""}, "required"), ({"type": "x"}, "valid choice"),
     ({"expires_at": "2001-01-01T00:00"}, "in the future"), ({"value": "<script>"}, "&lt;script&gt;")],
)  # fmt: skip
def test_page_shows_errors_beside_the_field(admin: User, change: dict[str, str], shown: str) -> None:
    answer = page(admin).post("/settings/lists/exceptions/add/", {**FORM, **change})
    text = answer.content.decode()
    assert answer.status_code == 400
    assert shown in text
    assert 'aria-invalid="true"' in text
    assert "<script>" not in text.partition("<main")[2]
    assert not ExceptionEntry.objects.exists()


def test_readers_see_the_lists_and_no_forms(lists: Path, viewer: User) -> None:
    text = page(viewer).get("/settings/lists/").content.decode()
    assert "tranco10k" in text
    assert "Add exception" not in text
    assert "Switch off" not in text


def test_readers_change_nothing(lists: Path, viewer: User) -> None:
    client, pk = page(viewer), WarningList.objects.get(slug="cloudflare").pk
    entry = actions.add_exception(None, "ip", "1.1.1.1", "r")
    for url in (
        "exceptions/add/",
        f"exceptions/{entry.pk}/remove/",
        "own/add/",
        "own/1/remove/",
        f"warning/{pk}/switch/",
    ):
        assert client.post(f"/settings/lists/{url}", FORM).status_code == 403
    assert ExceptionEntry.objects.count() == 1
    assert WarningList.objects.get(pk=pk).enabled


def test_wrong_method_and_no_sign_in(admin: User) -> None:
    assert page(admin).get("/settings/lists/exceptions/add/").status_code == 405
    assert Client().get("/settings/lists/").status_code == 302
    assert page(admin).post("/settings/lists/warning/999999/switch/").status_code == 404


def test_the_page_switches_a_list(lists: Path, admin: User) -> None:
    pk = WarningList.objects.get(slug="cloudflare").pk
    page(admin).post(f"/settings/lists/warning/{pk}/switch/", {"enabled": "0"})
    assert not WarningList.objects.get(pk=pk).enabled
    page(admin).post(f"/settings/lists/warning/{pk}/switch/", {"enabled": "1"})
    assert WarningList.objects.get(pk=pk).enabled


def test_names_for_documentation_are_vouched_for_by_nobody(tmp_path: Path) -> None:
    write(tmp_path, "tranco10k", "hostname", ["example.org", "popular.example.com"], DOMAIN)
    take(tmp_path, "tranco10k")
    found = verdict("domain", "login.example.org")
    assert (found.benign, found.evidence[0]["effect"]) == (False, "context")
    assert verdict("domain", "popular.example.com").benign


@pytest.mark.parametrize("value", ["fe80::1%eth0", "fe80::%1/64", "http://[fe80::1%25eth0]/", "\x00", "", "1.2.3.4/99"])
def test_odd_addresses_are_on_no_list(value: str) -> None:
    for type_ in ("ip", "cidr", "url", "domain"):
        assert verdict(type_, value).risk == "unrated"


def test_long_lists_have_pages_and_removing_stays_on_its_page(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("soar.connectors.views.SHOWN", 2)
    for number in range(3):
        actions.add_exception(None, "domain", f"number{number}.example", "ours")
    client = page(admin)
    first = client.get("/settings/lists/").content.decode()
    assert "number2[.]example" in first and "number0[.]example" not in first
    older = re.search(r'href="(\?exceptions=[^"#]+)#exceptions" rel="next"', first)
    assert older
    second = client.get(f"/settings/lists/{older[1]}").content.decode()
    assert "number0[.]example" in second and "number2[.]example" not in second
    here = re.search(r'name="back" value="([^"]+)"', second)
    assert here
    entry = ExceptionEntry.objects.get(value="number0.example")
    gone = client.post(f"/settings/lists/exceptions/{entry.pk}/remove/", {"back": here[1]})
    assert gone["Location"] == f"/settings/lists/?{here[1]}"
    assert client.get(gone["Location"]).status_code == 200
