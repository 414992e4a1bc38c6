"""Rating values by lists, kept answers and live providers over HTTP (response-playbooks.md 13, rulings 2)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from soar.connectors import actions
from soar.connectors.intelligence import actions as lists
from soar.connectors.intelligence import answers, consulting
from soar.connectors.intelligence.rating import Rating, rate_values
from soar.connectors.models import Attempt, ConnectorAccount, ProviderAnswer, WarningList, WarningName
from soar.lib import clock
from soar.standins.abuseipdb import AbuseIPDB
from soar.standins.base import Request, Response, Standin
from soar.standins.greynoise import GreyNoise
from soar.standins.otx import Otx
from soar.standins.reputation import Reputation
from soar.standins.server import Server
from soar.standins.threatfox import ThreatFox
from soar.standins.urlhaus import UrlHaus
from soar.standins.virustotal import VirusTotal

# Providers are asked in threads with connections of their own, which see only what is committed.
pytestmark = pytest.mark.django_db(transaction=True)
KINDS: tuple[type[Reputation], ...] = (VirusTotal, AbuseIPDB, GreyNoise, Otx, UrlHaus, ThreatFox)
SHA = "ab" * 32
BAD = "bad.example.net"
URL = f"https://{BAD}/a.exe"


class Providers:
    """The stand-ins, and the accounts that were made of them."""

    def __init__(self, standins: list[Reputation], server: Server) -> None:
        self.standins = {one.kind: one for one in standins}
        self.server = server

    def connect(self, kind: str, key: str = "key-0123456789", **settings: Any) -> ConnectorAccount:
        url = self.server.urls[kind]["url"]
        given = {"url": url, "allow_internal": True, "rate_per_minute": 0, **settings}
        return actions.create_account(None, kind, kind.title(), given, {"token": key})

    def knows(self, kind: str, value: str, what: Any) -> None:
        self.standins[kind].state["known"][value] = what

    def asked(self, kind: str) -> list[str]:
        return list(self.standins[kind].state["asked"])

    def meet(self, kind: str, others: threading.Barrier) -> None:
        """Let this one answer when the others have been asked too."""
        serve = self.standins[kind].serve

        def waiting(request: Request) -> Response:
            others.wait()
            return serve(request)

        self.standins[kind].serve = waiting  # type: ignore[method-assign]

    def fault(self, kind: str, fault: str, **how: Any) -> None:
        standin: Standin = self.standins[kind]
        assert standin._order({"kind": fault, **how}).status == 200


@pytest.fixture
def range_() -> Iterator[Providers]:
    standins = [kind() for kind in KINDS]
    with Server(standins) as server:
        yield Providers(standins, server)


def rate(type_: str, value: str, *, tlp: str = "amber", ask: bool = True, **more: Any) -> Rating:
    return rate_values([(type_, value)], tlp=tlp, ask=ask, **more)[type_, value]


def said(rating: Rating) -> str:
    return " ".join(rating.problems)


# Failure is never "clean"


FAULTS = ("429", "500", "503", "html", "garbage", "before", "after", "401", "403")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [("virustotal", fault) for fault in FAULTS]
    + [(one.kind, fault) for one in KINDS[1:] for fault in ("429", "500", "403")],
)
def test_13_a_failure_is_unrated_with_the_reason(range_: Providers, kind: str, fault: str) -> None:
    range_.connect(kind, timeout_seconds=1)
    value = ("ip", "9.9.9.10") if kind in ("abuseipdb", "greynoise") else ("domain", BAD)
    range_.knows(kind, value[1], 90)
    range_.fault(kind, fault, times=9)
    rating = rate(*value)
    assert rating.risk == "unrated"
    assert kind.title() in said(rating)
    assert "not every provider could say" in rating.rule
    assert not rating.scores
    assert not ProviderAnswer.objects.exists()
    assert "key-0123456789" not in f"{rating} {list(Attempt.objects.values())}"


@pytest.mark.parametrize(
    ("kind", "type_", "value"),
    [
        ("virustotal", "sha256", SHA),
        ("virustotal", "url", "https://nobody.example.net/x"),
        ("greynoise", "ip", "9.9.9.10"),
        ("urlhaus", "domain", "nobody.example.net"),
        ("threatfox", "md5", "ab" * 16),
    ],
)
def test_13_unknown_is_unrated_and_says_so(range_: Providers, kind: str, type_: str, value: str) -> None:
    range_.connect(kind)
    rating = rate(type_, value)
    assert (rating.risk, rating.problems) == ("unrated", [f"{kind.title()} does not know it."])
    assert "not every provider could say" in rating.rule


def test_a_dead_provider_costs_the_others_nothing(range_: Providers) -> None:
    range_.connect("virustotal", url="http://127.0.0.1:9/api")
    range_.connect("otx")
    range_.knows("otx", BAD, 9)
    rating = rate("domain", BAD)
    assert rating.risk == "highly_suspicious"
    assert "Virustotal" in said(rating)


def test_a_slow_provider_is_left_behind(range_: Providers, settings: Any) -> None:
    settings.INTELLIGENCE_SECONDS = 2
    range_.connect("virustotal")
    range_.connect("otx")
    range_.knows("otx", BAD, 9)
    range_.fault("virustotal", "slow", delay=20)
    rating = rate("domain", BAD)
    assert rating.risk == "highly_suspicious"
    assert rating.problems == ["Virustotal did not answer in time."]


def test_providers_are_asked_at_once(range_: Providers, settings: Any) -> None:
    """Each answers only when all four have been asked: one after another they would wait for ever."""
    kinds = ("virustotal", "otx", "urlhaus", "threatfox")
    asked = threading.Barrier(len(kinds), timeout=60)
    settings.INTELLIGENCE_SECONDS = 30
    for kind in kinds:
        range_.connect(kind)
        range_.meet(kind, asked)
    assert "did not answer" not in said(rate("domain", BAD))
    assert not asked.broken


def test_a_wrong_key_is_told_and_not_shown(range_: Providers) -> None:
    range_.connect("virustotal", key="expired-0123456789")
    rating = rate("sha256", SHA)
    assert rating.problems == ["Virustotal refuses the key (401)."]


def test_a_key_that_cannot_be_read_is_a_problem_of_that_account(range_: Providers) -> None:
    account = range_.connect("virustotal")
    ConnectorAccount.objects.filter(pk=account.pk).update(secrets={"token": "x"})
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("UPDATE connectors_connectoraccount SET secrets = 'fernet:damaged' WHERE id = %s", [account.pk])
    assert "key of Virustotal cannot be read" in said(rate("sha256", SHA))


@pytest.mark.parametrize(
    "reply",
    [b"[]", b'"x"', b"{}", b'{"data": 5}', b'{"data": {"attributes": {"last_analysis_stats": []}}}', b"[" * 9999],
)
def test_odd_answers_are_problems(reply: bytes) -> None:
    from tests.connector_server import Product, json_reply

    product = Product()
    try:
        product.replies = [json_reply(reply)]
        for kind in ("virustotal", "otx", "urlhaus", "threatfox"):
            given = {"url": product.url, "allow_internal": True, "rate_per_minute": 0}
            actions.create_account(None, kind, kind.title(), given, {"token": "k"})
        rating = rate("domain", BAD)
    finally:
        product.stop()
    assert rating.risk == "unrated"
    assert len(rating.problems) == 4


# What may not leave


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("ip", "10.1.2.3"), ("ip", "192.168.0.1"), ("ip", "127.0.0.1"), ("ip", "169.254.169.254"), ("ip", "100.64.0.1"),
        ("ip", "fe80::1"), ("ip", "fd00::1"), ("ip", "203.0.113.7"), ("url", "http://10.1.2.3/x"),
        ("domain", "printer.corp"), ("domain", "files.local"), ("domain", "localhost"), ("url", "https://wiki/page"),
        ("url", "http://[::1]/x"), ("domain", "db.prod.internal"),
    ],
)  # fmt: skip
def test_13_private_addresses_never_leave(range_: Providers, type_: str, value: str) -> None:
    for kind in ("virustotal", "abuseipdb", "otx"):
        range_.connect(kind)
    rating = rate(type_, value)
    assert rating.risk == "unrated"
    assert rating.problems == ["Not sent to providers: a private address."]
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("tlp", ["red", "amber+strict", "TLP:RED", "TLP: Amber+Strict", "nonsense"])
def test_13_tlp_forbids_sending(range_: Providers, tlp: str) -> None:
    range_.connect("virustotal")
    rating = rate("domain", BAD, tlp=tlp)
    assert rating.risk == "unrated"
    assert "Not sent to providers: a TLP mark forbids it." in said(rating)
    assert not Attempt.objects.exists()


def test_13_pap_red_forbids_sending(range_: Providers) -> None:
    range_.connect("virustotal")
    assert "a PAP mark forbids it" in said(rate("domain", BAD, tlp="clear", pap="red"))
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("most", "tlp", "sent"),
    [("amber", "amber", True), ("amber", "", True), ("green", "amber", False), ("green", "", False),
     ("green", "green", True), ("clear", "green", False), ("clear", "white", True)],
)  # fmt: skip
def test_13_the_account_says_which_tlp_it_may_see(range_: Providers, most: str, tlp: str, sent: bool) -> None:
    range_.connect("virustotal", tlp=most)
    rating = rate("domain", BAD, tlp=tlp)
    assert Attempt.objects.exists() is sent
    assert ("of this TLP" in said(rating)) is not sent


@pytest.mark.parametrize("type_", ["email", "user", "hostname", "file_name", "cidr", "cve", "mac"])
def test_people_and_names_of_the_house_are_never_sent(range_: Providers, type_: str) -> None:
    for kind in ("virustotal", "otx", "threatfox"):
        range_.connect(kind)
    rate(
        type_,
        "anna@corp.example.net" if type_ == "email" else "8.8.0.0/16" if type_ == "cidr" else "laptop.example.net",
    )
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(
    ("strip", "sent"), [(True, "https://bad.example.net/a"), (False, "https://bad.example.net/a?token=s3cret")]
)
def test_user_names_and_queries_are_stripped(range_: Providers, strip: bool, sent: str) -> None:
    range_.connect("otx", strip_query=strip)
    rate("url", "https://anna:pw@bad.example.net/a?token=s3cret#part")
    assert range_.asked("otx") == [sent]
    assert "pw" not in str(list(Attempt.objects.values("request")))


def test_an_exception_and_benign_lists_win_and_nobody_is_asked(range_: Providers) -> None:
    range_.connect("virustotal")
    range_.knows("virustotal", BAD, 60)
    row = WarningList.objects.create(name="Popular", slug="p", type="hostname", attributes=["domain"], effect="benign")
    WarningName.objects.create(value="good.example.net", list=row, below=True)
    lists.add_exception(None, "domain", BAD, "Our bank")
    for value, words in ((BAD, "Our bank"), ("good.example.net", "Popular")):
        rating = rate("domain", value)
        assert rating.risk == "unrated"
        assert words in rating.benign
    assert not Attempt.objects.exists()


# Scores


@pytest.mark.parametrize(
    ("kind", "type_", "value", "known", "settings", "risk"),
    [
        ("virustotal", "sha256", SHA, 5, {}, "highly_suspicious"),
        ("virustotal", "sha256", SHA, 4, {}, "suspicious"),
        ("virustotal", "sha256", SHA, 4, {"malicious_at": 4}, "highly_suspicious"),
        ("virustotal", "url", URL, 1, {"malicious_at": 0}, "highly_suspicious"),
        ("virustotal", "domain", BAD, 0, {}, "unrated"),
        ("virustotal", "domain", BAD, 0, {"malicious_at": 0}, "unrated"),
        ("abuseipdb", "ip", "9.9.9.10", 75, {}, "highly_suspicious"),
        ("abuseipdb", "ip", "9.9.9.10", 74, {}, "suspicious"),
        ("abuseipdb", "ip", "9.9.9.10", 24, {}, "unrated"),
        ("abuseipdb", "ip", "8.8.8.8", 100, {}, "unrated"),
        ("greynoise", "ip", "9.9.9.10", "malicious", {}, "highly_suspicious"),
        ("greynoise", "ip", "9.9.9.10", "malicious", {"strong": False}, "suspicious"),
        ("greynoise", "ip", "9.9.9.10", "benign", {}, "unrated"),
        ("greynoise", "ip", "9.9.9.10", "unknown", {}, "unrated"),
        ("otx", "ip", "2620:fe::fe", 5, {}, "highly_suspicious"),
        ("otx", "url", URL, 1, {}, "suspicious"),
        ("otx", "domain", "www.bad.example.net", -1, {}, "unrated"),
        ("urlhaus", "url", URL, "offline", {}, "highly_suspicious"),
        ("urlhaus", "md5", "cd" * 16, "Emotet", {}, "highly_suspicious"),
        ("urlhaus", "domain", BAD, 3, {}, "highly_suspicious"),
        ("urlhaus", "ip", "9.9.9.10", 2, {}, "suspicious"),
        ("threatfox", "ip", "9.9.9.10", 75, {}, "highly_suspicious"),
        ("threatfox", "domain", BAD, 74, {}, "suspicious"),
        ("threatfox", "sha256", SHA, 100, {}, "highly_suspicious"),
    ],
)
def test_scores_against_thresholds(
    range_: Providers, kind: str, type_: str, value: str, known: Any, settings: dict[str, Any], risk: str
) -> None:
    range_.connect(kind, **settings)
    range_.knows(kind, value, known)
    rating = rate(type_, value)
    assert (rating.risk, rating.problems) == (risk, [])
    assert list(rating.scores) == [kind.title()]
    assert rating.evidence[0]["list"] == kind.title()
    assert (rating.evidence[0]["age_seconds"], rating.age_seconds) == (0, 0)
    assert kind.title() in rating.rule


def test_threatfox_takes_no_part_of_a_value_for_the_whole(range_: Providers) -> None:
    range_.connect("threatfox")
    range_.knows("threatfox", "9.9.9.100", 100)
    assert rate("ip", "9.9.9.10").problems == ["Threatfox does not know it."]


def test_2_conflicting_evidence_is_suspicious(range_: Providers) -> None:
    for kind in ("abuseipdb", "greynoise"):
        range_.connect(kind)
    range_.knows("abuseipdb", "9.9.9.10", 100)
    range_.knows("greynoise", "9.9.9.10", "riot")
    rating = rate("ip", "9.9.9.10")
    assert (rating.risk, rating.benign) == ("suspicious", "")
    assert rating.rule == "Conflicting evidence: Abuseipdb against it, Greynoise for it."


def test_the_own_list_speaks_with_the_providers(range_: Providers) -> None:
    range_.connect("virustotal")
    lists.add_own(None, "domain", BAD, "Seen in March", effect="malicious")
    rating = rate("domain", BAD)
    assert rating.risk == "highly_suspicious"
    assert rating.rule == "Exactly on a malicious list and on no benign list."
    assert [one["list"] for one in rating.evidence] == ["Own list"]


# Kept answers


def test_answers_are_kept_with_their_age(range_: Providers) -> None:
    range_.connect("virustotal")
    range_.knows("virustotal", BAD, 9)
    rate("domain", BAD)
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(hours=3))
    rating = rate("domain", BAD.upper())
    assert rating.risk == "highly_suspicious"
    assert 10_700 < rating.age_seconds < 10_900
    assert range_.asked("virustotal") == [BAD]
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(hours=13))
    assert rate("domain", BAD).age_seconds == 0
    assert range_.asked("virustotal") == [BAD, BAD]
    assert ProviderAnswer.objects.count() == 1


def test_how_long_it_counts_is_set_on_the_account(range_: Providers) -> None:
    range_.connect("virustotal", keep_hours=48)
    range_.knows("virustotal", BAD, 9)
    rate("domain", BAD)
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(hours=47))
    rate("domain", BAD)
    assert range_.asked("virustotal") == [BAD]


def test_what_nobody_knew_is_asked_again_soon(range_: Providers) -> None:
    range_.connect("virustotal")
    rate("sha256", SHA)
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(hours=2))
    rate("sha256", SHA)
    assert range_.asked("virustotal") == [SHA, SHA]


def test_29_without_asking_nothing_leaves_and_old_answers_count(range_: Providers) -> None:
    range_.connect("virustotal")
    range_.knows("virustotal", BAD, 9)
    assert rate("domain", BAD, ask=False).problems == ["Virustotal was not asked."]
    assert not Attempt.objects.exists()
    rate("domain", BAD)
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(days=9))
    rating = rate("domain", BAD, ask=False)
    assert rating.risk == "highly_suspicious"
    assert rating.age_seconds > 9 * 86_000
    answers.purge()
    assert ProviderAnswer.objects.exists()
    ProviderAnswer.objects.update(fetched_at=clock.now() - timedelta(days=31))
    answers.purge()
    assert not ProviderAnswer.objects.exists()


def test_a_new_threshold_judges_a_kept_answer(range_: Providers) -> None:
    account = range_.connect("virustotal")
    range_.knows("virustotal", BAD, 3)
    assert rate("domain", BAD).risk == "suspicious"
    actions.update_account(None, account.pk, settings={"malicious_at": 3})
    assert rate("domain", BAD, ask=False).risk == "highly_suspicious"


# Budgets and switches


def test_off_until_somebody_adds_a_key(range_: Providers) -> None:
    from soar.connectors.errors import Refused

    assert rate("domain", BAD).problems == []
    url = range_.server.urls["virustotal"]["url"]
    with pytest.raises(Refused) as caught:
        actions.create_account(None, "virustotal", "VT", {"url": url, "allow_internal": True}, {})
    assert list(caught.value.errors) == ["token"]


def test_a_disabled_account_is_not_asked_and_its_answers_do_not_count(range_: Providers) -> None:
    account = range_.connect("virustotal")
    range_.knows("virustotal", BAD, 9)
    rate("domain", BAD)
    actions.update_account(None, account.pk, enabled=False)
    assert rate("domain", BAD).risk == "unrated"


@pytest.mark.parametrize(("name", "word"), [("rate_per_minute", "minute"), ("rate_per_day", "day")])
def test_a_budget_ends_in_unrated_with_the_reason(range_: Providers, name: str, word: str) -> None:
    budget: Any = {name: 2}
    range_.connect("virustotal", **budget)
    pairs = [("domain", f"host{number}.example.net") for number in range(5)]
    ratings = rate_values(pairs, tlp="", ask=True)
    assert len(range_.asked("virustotal")) == 2
    spent = [one for one in ratings.values() if f"budget of 2 calls a {word}" in said(one)]
    assert len(spent) == 3


def test_after_429_a_provider_has_its_pause(range_: Providers) -> None:
    range_.connect("abuseipdb")
    range_.standins["abuseipdb"].state["left"] = 0
    assert "no more calls for us now (429)" in said(rate("ip", "9.9.9.10"))
    calls = Attempt.objects.count()
    assert "asked for a pause" in said(rate("ip", "9.9.9.11"))
    assert Attempt.objects.count() == calls


def test_a_wrong_key_is_tried_once_for_many_values(range_: Providers) -> None:
    range_.connect("virustotal", key="expired-0123456789")
    pairs = [("domain", f"host{number}.example.net") for number in range(30)]
    ratings = rate_values(pairs, tlp="", ask=True)
    assert {said(one) for one in ratings.values()} == {"Virustotal refuses the key (401)."}
    assert Attempt.objects.count() <= consulting.THREADS


def test_the_cause_rides_on_the_calls(range_: Providers) -> None:
    import uuid

    cause = uuid.uuid4()
    range_.connect("virustotal")
    rate("domain", BAD, cause=cause)
    assert Attempt.objects.get().cause == cause


def test_many_values_at_once(range_: Providers) -> None:
    for kind in ("virustotal", "otx"):
        range_.connect(kind)
    pairs = [("domain", f"host{number}.example.net") for number in range(40)]
    ratings = rate_values([*pairs, *pairs], tlp="", ask=True)
    assert len(ratings) == 40
    assert len(range_.asked("otx")) == 40


def test_inside_a_transaction_it_refuses_to_ask(range_: Providers) -> None:
    range_.connect("virustotal")
    with transaction.atomic(), pytest.raises(RuntimeError):
        rate("domain", BAD)
    with transaction.atomic():
        assert rate("domain", BAD, ask=False).risk == "unrated"


@pytest.mark.parametrize("kind", [one.kind for one in KINDS])
def test_the_connection_can_be_tested(range_: Providers, kind: str) -> None:
    good = range_.connect(kind)
    assert actions.test_account(None, good.pk).ok
    actions.update_account(None, good.pk, secrets={"token": "expired-0123456789"})
    health = actions.test_account(None, good.pk)
    assert not health.ok
    assert "refuses the key" in health.message
