"""Behind a proxy of one's own (``SOAR_PROXIES``) the sender is whom the proxy names, in all that goes by addresses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from cases.api import servicenow_events
from cases.models import AlertSource, DeadLetter, EvidenceAccess
from soar.accounts.models import AuditEntry, Team
from soar.lib.shared_rate import SharedRateLimiter
from tests.evidence_files import keep
from tests.factories import make_incident, make_source
from tests.test_ingest import Sender, problem_of

pytestmark = pytest.mark.django_db
THEIRS, OTHER = "203.0.113.9", "198.51.100.7"


@pytest.fixture(autouse=True)
def one_proxy(settings: Any, tmp_path: Path) -> None:
    """The proxy stands on this machine and puts its caller at the end of X-Forwarded-For."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    settings.DATA_DIR = tmp_path


@pytest.fixture
def sender(db: None) -> Sender:
    return Sender(make_source("Sensor"))


def test_a_source_takes_from_the_listed_caller_and_not_from_the_proxy(sender: Sender) -> None:
    AlertSource.objects.update(allowed_networks=[f"{THEIRS}/32"])
    assert sender.post({"title": "One"}, **{"X-Forwarded-For": THEIRS}).status_code == 201
    assert OTHER in problem_of(sender.post({"title": "Two"}, **{"X-Forwarded-For": f"{THEIRS}, {OTHER}"}), 403)
    AlertSource.objects.update(allowed_networks=["127.0.0.0/8"])
    assert THEIRS in problem_of(sender.post({"title": "Three"}, **{"X-Forwarded-For": THEIRS}), 403)


def test_a_caller_that_says_nonsense_is_not_taken_for_the_proxy(sender: Sender) -> None:
    AlertSource.objects.update(allowed_networks=["127.0.0.0/8", f"{THEIRS}/32"])
    for nonsense in ("nobody", f"{THEIRS}, nobody"):
        assert "not known" in problem_of(sender.post({"title": "One"}, **{"X-Forwarded-For": nonsense}), 403)


def test_a_dead_letter_names_the_caller(sender: Sender) -> None:
    assert sender.post(b"no json", **{"X-Forwarded-For": THEIRS}).status_code == 400
    assert sender.post([{"title": "One"}, "no alert"], **{"X-Forwarded-For": THEIRS}).status_code == 207
    assert list(DeadLetter.objects.values_list("address", flat=True)) == [THEIRS, THEIRS]


def test_the_custody_of_evidence_names_the_reader(as_analyst: Client, blue: Team) -> None:
    piece = keep(make_incident("Case", team=blue))
    headers = {"X-Forwarded-For": THEIRS}
    as_analyst.get(f"/evidence/{piece.pk}/", headers=headers)
    as_analyst.get(f"/api/v1/evidence/{piece.pk}/", headers=headers)
    b"".join(as_analyst.get(f"/evidence/{piece.pk}/file/", headers=headers).streaming_content)  # type: ignore[attr-defined]
    assert list(EvidenceAccess.objects.values_list("address", flat=True)) == [THEIRS] * 3


def test_callers_behind_one_proxy_do_not_wait_for_each_other(
    db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limiter = SharedRateLimiter(lambda: tmp_path / "events", lambda: 1)
    monkeypatch.setattr(servicenow_events, "_limiter", limiter)
    path = "/api/v1/servicenow/none/events/"

    def call(address: str) -> int:
        return Client().post(path, {}, "application/json", headers={"X-Forwarded-For": address}).status_code

    assert [call(THEIRS), call(THEIRS), call(OTHER)] == [401, 429, 401]


def test_the_audit_log_names_who_works_in_djangos_admin(as_admin: Client) -> None:
    as_admin.post("/admin/auth/group/add/", {"name": "Guests"}, headers={"X-Forwarded-For": THEIRS})
    assert AuditEntry.objects.get(verb="group.created").address == THEIRS
