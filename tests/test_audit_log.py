"""The audit log: who reads it, filters, export without formulas, append-only."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils import timezone

from cases.actors import Actor
from soar.accounts import audit
from soar.accounts.actions import people
from soar.accounts.actions.users import create_token
from soar.accounts.models import AuditEntry, User
from tests.factories import make_incident, make_user
from tests.fixtures import client_of
from tests.queries import counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(db: None) -> User:
    """Role Auditor."""
    return make_user("olga", "Auditor", first_name="Olga", last_name="Audit")


def body(client: Client, query: str = "", status: int = 200) -> str:
    answer = client.get(f"/audit/{query}")
    assert answer.status_code == status
    return answer.content.decode()


def verbs(page: str) -> list[str]:
    rows = re.findall(r'<th scope="row" class="nowrap">(.*?)</th>', page)
    return [re.sub(r"<[^>]+>", "", row).strip() for row in rows]


def exported(client: Client, kind: str, query: str = "") -> str:
    answer = client.post(f"/audit/export/{kind}/{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]


def test_it_is_for_those_who_may_read_it(as_analyst: Client, client: Client, auditor: User, viewer: User) -> None:
    entry = AuditEntry.objects.earliest("pk")
    for path in ("/audit/", f"/audit/{entry.pk}/"):
        assert as_analyst.get(path).status_code == 403
        assert client.get(path).status_code == 302
        assert client_of(auditor).get(path).status_code == 200
    assert as_analyst.post("/audit/export/csv/").status_code == 403
    assert not AuditEntry.objects.filter(verb="audit.exported").exists()
    assert client_of(auditor).get("/audit/999999999/").status_code == 404
    assert client_of(auditor).get("/audit/export/csv/").status_code == 405
    assert client_of(auditor).post("/audit/export/exe/").status_code == 404


def test_the_database_itself_refuses_changes() -> None:
    audit.record(None, "a.b")
    for statement in (
        "UPDATE accounts_auditentry SET verb = 'x'",
        "DELETE FROM accounts_auditentry",
        "TRUNCATE accounts_auditentry CASCADE",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_an_entry_says_where_it_came_from(as_admin: Client, admin: User, viewer: User, client: Client) -> None:
    headers = {"X-Request-ID": "req-42"}
    as_admin.post(f"/people/{viewer.pk}/active/", {"active": "0"}, headers=headers, REMOTE_ADDR="203.0.113.9")
    row = AuditEntry.objects.get(verb="user.deactivated")
    assert (row.address, row.request, row.via) == ("203.0.113.9", "req-42", "")
    _, token = create_token(admin, "ci-export", actor=admin)
    client.post(
        "/api/v1/tokens/", {"name": "x"}, content_type="application/json", headers={"Authorization": f"Bearer {token}"}
    )
    assert AuditEntry.objects.latest("pk").via == "ci-export"
    people.set_active(None, viewer.pk, True)
    row = AuditEntry.objects.latest("pk")
    assert (row.address, row.request, row.via) == (None, "", "")


def test_it_is_filtered_by_person_verb_object_and_time(auditor: User, admin: User) -> None:
    browser = client_of(auditor)
    audit.record(admin, "playbook.published", "Contain theft", version=3)
    audit.record(None, "source.silent", "edr-eu")
    audit.record(admin, "login.failed", "nobody-here")
    assert verbs(body(browser, "?q=contain+theft")) == ["playbook.published"]
    assert verbs(body(browser, "?object=edr")) == ["source.silent"]
    assert verbs(body(browser, "?verb=playbook")) == ["playbook.published"]
    assert verbs(body(browser, "?group=playbooks")) == ["playbook.published"]
    assert verbs(body(browser, "?who=soar&verb=source.silent")) == ["source.silent"]
    assert verbs(body(browser, f"?who={admin.username}&object=contain")) == ["playbook.published"]
    assert verbs(body(browser, "?outcome=refused")) == ["login.failed"]
    tomorrow = f"{timezone.now() + timedelta(days=2):%Y-%m-%d}"
    assert "Nothing matches" in body(browser, f"?since={tomorrow}")
    assert verbs(body(browser, f"?until={tomorrow}&span=hour&verb=playbook")) == ["playbook.published"]
    for wrong in ("?since=soon", "?group=none", "?span=age", "?outcome=odd", "?who=%00", "?cursor=x", "?q=%F0%28"):
        body(browser, wrong)
    assert "One of:" in body(browser, "?group=none")


def test_pages_follow_by_key(auditor: User) -> None:
    browser = client_of(auditor)
    for number in range(60):
        audit.record(None, "test.many", f"thing {number}")
    page = body(browser, "?verb=test.many")
    assert len(verbs(page)) == 50
    older = re.search(r'href="(\?[^"]*cursor=[^"]*)" rel="next"', page)
    assert older is not None
    assert len(verbs(body(browser, older[1].replace("&amp;", "&")))) == 10


def test_moments_are_told_in_the_readers_zone_and_a_yes_is_a_yes(auditor: User) -> None:
    auditor.time_zone = "Europe/Oslo"
    auditor.save()
    browser = client_of(auditor)
    audit.record(None, "test.odd", until="2027-02-20T20:03:34.394586Z", ok=True, after="2027-99-99T20:03:34Z")
    page = body(browser)
    assert "until: 2027-02-20 21:03:34" in page and "ok: yes" in page
    assert "2027-99-99T20:03:34Z" in page  # what is no moment stays as it was written


def test_of_a_long_list_what_came_and_left_is_told(auditor: User) -> None:
    audit.record(None, "test.odd", before={"members": ["ana", "ben"], "n": 1}, after={"members": ["ben", "cy"], "n": 2})
    page = body(client_of(auditor))
    assert "members: + cy − ana" in page and "n: 1 → 2" in page


def test_the_page_takes_few_queries(auditor: User, admin: User, analyst: User) -> None:
    for actor in (admin, analyst, None) * 10:
        audit.record(actor, "test.many", "thing")
    browser = client_of(auditor)
    with counted("audit"):
        body(browser)


def test_hostile_text_stays_text(auditor: User, as_admin: Client) -> None:
    audit.record(None, "test.odd", "<script>alert(1)</script>", note='"><img src=x onerror=alert(1)>')
    entry = AuditEntry.objects.latest("pk")
    for page in (body(client_of(auditor)), as_admin.get(f"/audit/{entry.pk}/").content.decode()):
        assert "<script>alert" not in page and "<img src=x" not in page


def test_a_csv_holds_no_formulas_and_the_export_is_itself_recorded(auditor: User, admin: User) -> None:
    for target in ('=cmd|"/c calc"!A0', "+1", "-1", "@x", "\t=1", 'a "quoted", one', "two\nlines"):
        audit.record(admin, "test.csv", target, value="=1+1")
    text = exported(client_of(auditor), "csv", "?verb=test.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == 7
    assert all(not row["object"].startswith(("=", "+", "-", "@", "\t")) for row in rows)
    assert '\'=cmd|"/c calc"!A0' in {row["object"] for row in rows}
    note = AuditEntry.objects.get(verb="audit.exported")
    assert (note.actor_id, note.data["format"], note.data["filter"]) == (auditor.pk, "csv", {"verb": "test.csv"})


def test_json_lines_hold_each_entry_once_over_batches(auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    from soar.accounts import audit_export

    monkeypatch.setattr(audit_export, "BATCH", 3)
    for number in range(10):
        audit.record(None, "test.lines", f"line\n{number}")
    lines = exported(client_of(auditor), "jsonl", "?verb=test.lines").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["object"] for row in rows] == [f"line\n{number}" for number in reversed(range(10))]
    assert rows[0].keys() == {
        "id", "at", "actor_id", "actor", "via", "verb", "object", "data", "address", "request",
    }  # fmt: skip


def test_who_reads_may_not_export_without_the_right(admin: User) -> None:
    from soar.accounts.actions import roles

    roles.create(admin, "Readers", permissions=["view_audit"])
    browser = client_of(make_user("rita", "Readers"))
    assert "/audit/export/" not in body(browser)
    assert browser.post("/audit/export/csv/").status_code == 403


def test_what_is_taken_out_of_the_portal_is_recorded(as_admin: Client, admin: User) -> None:
    from cases.actions import evidence

    piece = evidence.add_bytes(Actor.of(admin), make_incident("Case").pk, "a.txt", b"proof")
    answer = as_admin.get(f"/evidence/{piece.pk}/file/")
    assert b"".join(answer.streaming_content) == b"proof"  # type: ignore[attr-defined]
    assert as_admin.get("/runs/export/").status_code == 200
    rows = AuditEntry.objects.filter(verb__startswith="export.").order_by("pk")
    assert [(row.verb, row.actor_id) for row in rows] == [("export.evidence", admin.pk), ("export.runs", admin.pk)]
    assert rows[0].data["sha256"] == piece.sha256


def test_what_holds_values_of_its_own_is_told_in_words(auditor: User) -> None:
    audit.record(None, "test.odd", options={"notes": True, "tlp": "", "template": "full"}, sha256="ab" * 32)
    page = body(client_of(auditor))
    assert "options: tlp –, notes yes, template full" in page
    assert "sha256: ababab…ababab" in page
