"""Words and tags find the same alerts however common they are held to be."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from cases import filters_text
from cases.choices import AlertStatus, Determination
from cases.filters import AlertFilter
from cases.models import Alert
from soar.accounts.models import User
from tests.factories import make_alert
from tests.fixtures import client_of

pytestmark = pytest.mark.django_db

CLOSED: dict[str, Any] = {
    "status": AlertStatus.RESOLVED,
    "determination": Determination.MALICIOUS,
    "resolved_at": timezone.now(),
}
# COMMON, RARE, HITS_AT_MOST of cases.filters_text.
FORMS = {
    "as they are": (filters_text.COMMON, filters_text.RARE, filters_text.HITS_AT_MOST),
    "all common": (0, 0, 2000),
    "all rare": (10_000, 10_000, 2000),
    "rare, too many to list": (10_000, 10_000, 0),
    "neither": (10_000, 0, 2000),
}


@pytest.fixture(params=FORMS.values(), ids=list(FORMS), autouse=True)
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in zip(("COMMON", "RARE", "HITS_AT_MOST"), request.param, strict=True):
        monkeypatch.setattr(filters_text, name, value)


@pytest.fixture(autouse=True)
def some(db: None) -> None:
    for number in range(12):
        make_alert(f"Phishing mail {number}", hostname=f"HOST-{number}", tags=["mail", f"t{number}"])
    make_alert("Malware on 100% of C:\\Temp", hostname="HOST-3", tags=["edr", "t3"], source_ip="10.20.30.40")
    make_alert("Old phishing_kit", hostname="HOST-40", tags=["mail"], **CLOSED)


def found(query: str, **params: str) -> set[str]:
    wanted = AlertFilter.parse({"q": query, **params}, default_open=True)
    rows = wanted.apply(Alert.objects.all())
    assert wanted.errors == []
    return set(rows.values_list("title", flat=True))


def test_a_word() -> None:
    assert found("malware") == found("MALWARE") == {"Malware on 100% of C:\\Temp"}
    assert len(found("phishing")) == 12
    assert len(found("phishing status:any")) == 13
    assert found("nothing-of-the-kind status:any") == set()


def test_several_words_must_all_be_there() -> None:
    assert found("phishing host-3") == {"Phishing mail 3"}
    assert found("phishing malware status:any") == set()
    assert found("-phishing") == {"Malware on 100% of C:\\Temp"}
    assert found("host-3 -mail") == {"Malware on 100% of C:\\Temp"}


def test_a_word_of_pieces_is_found_whole() -> None:
    assert found("host-40 status:any") == {"Old phishing_kit"}
    assert found('"mail 11"') == {"Phishing mail 11"}
    assert found("40-host status:any") == set()


def test_signs_are_taken_as_they_are() -> None:
    assert found("100%") == found("c:\\temp") == {"Malware on 100% of C:\\Temp"}
    assert found("phishing_kit status:any") == {"Old phishing_kit"}
    assert found("phishing_mail status:any") == found("1%0 status:any") == set()


def test_an_address_is_found_in_the_text() -> None:
    assert found("10.20.30.40") == {"Malware on 100% of C:\\Temp"}


def test_tags() -> None:
    assert found("tag:t3") == {"Phishing mail 3", "Malware on 100% of C:\\Temp"}
    assert found("", tag="T3") == found("tag:t3")
    assert found("phishing tag:mail tag:t3") == found("tag:mail", tag="t3") == {"Phishing mail 3"}
    assert len(found("", tag="edr,t4")) == len(found("tag:edr,t4")) == 2
    assert found("-tag:mail") == {"Malware on 100% of C:\\Temp"}
    assert found('"tag:mail"') == found("mail:tag") == set()


def test_together_with_other_filters() -> None:
    assert found("phishing status:resolved") == {"Old phishing_kit"}
    assert found("phishing", host="HOST-5") == {"Phishing mail 5"}
    assert found("phishing host:HOST-5 status:any") == {"Phishing mail 5"}


def test_the_queue_counts_what_it_finds(admin: User) -> None:
    answer = client_of(admin).get("/alerts/?q=phishing", headers={"HX-Request": "true"})
    page = answer.content.decode()
    assert page.count('class="cut" id="to-') == 12
    assert "12 alerts" in page
