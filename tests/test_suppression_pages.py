"""Suppression rules in the browser (ingest-and-api.md 9): by whom, previewed, saved once, ended, released."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from cases.models import Alert, SuppressionRule
from soar.accounts.models import AuditEntry, Team
from tests.factories import make_alert, make_source
from tests.test_suppression_ingest import item, make_rule, send

pytestmark = pytest.mark.django_db
FORM = {
    "name": "Patch night",
    "reason": "Servers are patched",
    "until": "1d",
    "scope": "-",
    "host": "SRV-01\r\nSRV-02*",
}
HOSTILE = '"><script>alert(1)</script>{{ 7 }}\u202e'


def paths(pk: int) -> list[tuple[str, str]]:
    """Every address that changes something, with its method."""
    verbs = [("post", f"/suppression/{pk}/{verb}/") for verb in ("edit", "end", "release", "delete")]
    return [("get", "/suppression/new/"), ("post", "/suppression/new/"), ("get", f"/suppression/{pk}/edit/"),
            ("post", "/suppression/preview/"), ("post", "/suppression/from/"), *verbs]  # fmt: skip


def test_a_reader_sees_rules_and_changes_none(as_viewer: Client, client: Client) -> None:
    rule = make_rule(all_teams=False)
    for method, path in paths(rule.pk):
        assert getattr(as_viewer, method)(path, {}).status_code == 403, path
        assert getattr(client, method)(path, {}).status_code == 302, path
    assert as_viewer.get("/suppression/").status_code == 200
    shown = as_viewer.get(f"/suppression/{rule.pk}/").content.decode()
    assert "Servers are being patched" in shown and "End it now" not in shown
    assert SuppressionRule.objects.get().version == 1


def test_rules_of_other_teams_are_neither_seen_nor_changed(as_stranger: Client, blue: Team) -> None:
    rule = make_rule(team=blue, all_teams=False)
    for method, path in paths(rule.pk):
        if str(rule.pk) in path:
            assert getattr(as_stranger, method)(path, FORM).status_code == 404, path
    assert as_stranger.get(f"/suppression/{rule.pk}/").status_code == 404
    assert "Patch night" not in as_stranger.get("/suppression/").content.decode()


def test_a_rule_for_every_team_is_seen_but_not_changed_by_an_analyst(as_analyst: Client) -> None:
    rule = make_rule()
    assert as_analyst.get(f"/suppression/{rule.pk}/").status_code == 200
    assert as_analyst.get(f"/suppression/{rule.pk}/edit/").status_code == 403
    assert as_analyst.post(f"/suppression/{rule.pk}/end/").status_code == 403
    rule.refresh_from_db()
    assert rule.ended_at is None
    for scope in ("*", "Red"):
        assert as_analyst.post("/suppression/new/", {**FORM, "scope": scope}).status_code == 422
    assert SuppressionRule.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"host": ""}, "all"),
        ({"host": "*"}, "host"),
        ({"reason": "  "}, "reason"),
        ({"name": ""}, "name"),
        ({"until": "other", "expires_at": ""}, "expires_at"),
        ({"until": "other", "expires_at": "2001-01-01T00:00"}, "expires_at"),
        ({"until": "other", "expires_at": "2999-01-01T00:00"}, "expires_at"),
        ({"until": "forever"}, "until"),
        ({"ip": "300.1.1.1"}, "ip"),
        ({"severity": "awful"}, "severity"),
        ({"source": "no-such"}, "source"),
    ],
)
def test_a_wrong_form_is_refused_and_keeps_what_was_typed(
    as_analyst: Client, change: dict[str, str], field: str
) -> None:
    answer = as_analyst.post("/suppression/new/", {**FORM, **change})
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert set(errors) == ({"__all__"} if field == "all" else {field})
    assert "Servers are patched" in answer.content.decode() or "reason" in change
    assert not SuppressionRule.objects.exists()


def test_make_see_change_and_end_one(as_analyst: Client, blue: Team) -> None:
    made = as_analyst.post("/suppression/new/", {**FORM, "scope": "Blue", "severity": "high", "hold_open": "on"})
    rule = SuppressionRule.objects.get()
    assert made.status_code == 302 and made["Location"] == f"/suppression/{rule.pk}/"
    assert rule.conditions == {"host": ["SRV-01", "SRV-02*"], "severity": ["high"]}
    assert (rule.team, rule.all_teams, rule.changed_by) == (blue, False, "Mara Lindqvist")
    assert timedelta(hours=23) < rule.expires_at - timezone.now() <= timedelta(hours=24)
    page = as_analyst.get(f"/suppression/{rule.pk}/edit/").content.decode()
    assert "SRV-02*" in page and 'name="version" value="1"' in page
    changed = {**FORM, "scope": "Blue", "until": "keep", "name": "Patch week", "version": "1"}
    assert as_analyst.post(f"/suppression/{rule.pk}/edit/", changed).status_code == 302
    stale = as_analyst.post(f"/suppression/{rule.pk}/edit/", {**changed, "name": "Other"})
    assert stale.status_code == 412 and "Mara Lindqvist changed it" in stale.content.decode()
    rule.refresh_from_db()
    assert (rule.name, rule.version, rule.conditions) == ("Patch week", 2, {"host": ["SRV-01", "SRV-02*"]})
    assert as_analyst.post(f"/suppression/{rule.pk}/end/").status_code == 302
    over = as_analyst.get("/suppression/?state=over").content.decode()
    assert "Patch week" in over and "Ended" in over
    assert "Patch week" not in as_analyst.get("/suppression/").content.decode()
    verbs = AuditEntry.objects.filter(verb__startswith="suppression.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["suppression.created", "suppression.changed", "suppression.ended"]


def test_hostile_texts_are_shown_as_texts(as_admin: Client) -> None:
    rule = make_rule({"host": [HOSTILE], "title": [HOSTILE]}, name=HOSTILE[:90], reason=HOSTILE)
    alert = make_alert(title="held", suppression=rule)
    for path in (
        "/suppression/",
        f"/suppression/{rule.pk}/",
        f"/suppression/{rule.pk}/edit/",
        f"/alerts/{alert.number}/",
    ):
        text = as_admin.get(path).content.decode()
        assert "<script>alert(1)" not in text and "&lt;script&gt;alert(1)" in text, path


def test_a_broken_rule_says_so(as_admin: Client) -> None:
    rule = make_rule()
    broken: list[Any] = [{"ip": ["x"]}, {"host": 3}, [], {"source": ["gone"]}, {}, "text", {"new": ["x"]}]
    for wrong in broken:
        SuppressionRule.objects.filter(pk=rule.pk).update(conditions=wrong)
        text = as_admin.get(f"/suppression/{rule.pk}/").content.decode()
        assert "This rule holds back nothing." in text, wrong
        assert "Broken" in as_admin.get("/suppression/").content.decode()
        assert as_admin.get(f"/suppression/{rule.pk}/edit/").status_code == 200


def test_the_end_is_announced(as_admin: Client) -> None:
    make_rule(name="Long", expires_at=timezone.now() + timedelta(days=3))
    assert "Ends soon" not in as_admin.get("/suppression/").content.decode()
    rule = make_rule(name="Short", expires_at=timezone.now() + timedelta(hours=20))
    assert "Ends soon" in as_admin.get("/suppression/").content.decode()
    assert "come to the queue again" in as_admin.get(f"/suppression/{rule.pk}/").content.decode()


def test_the_queue_says_how_many_are_suppressed_and_shows_them(as_analyst: Client) -> None:
    source = make_source("Gateway")
    shown = send(source, item(id="other", hostname="SRV-09"))[0]
    rule = make_rule()
    held = send(source, item())[0]
    queue = as_analyst.get("/alerts/").content.decode()
    assert f"ALR-{held.id}" not in queue and f"ALR-{shown.id}" in queue and "1 suppressed" in queue
    for query in ("suppressed=yes", f"suppressed={rule.pk}", "q=suppressed:yes"):
        listed = as_analyst.get(f"/alerts/?{query}").content.decode()
        assert f"/alerts/ALR-{held.id}/" in listed and f"/alerts/ALR-{shown.id}/" not in listed, query
        assert "Suppressed" in listed
    both = as_analyst.get("/alerts/?suppressed=all").content.decode()
    assert f"/alerts/ALR-{held.id}/" in both and f"/alerts/ALR-{shown.id}/" in both
    assert "give yes, no, all" in as_analyst.get("/alerts/?suppressed=maybe").content.decode()
    for query in ("status=new", "status=open", "status=any", "severity=high", "owner=none"):
        assert f"/alerts/ALR-{held.id}/" not in as_analyst.get(f"/alerts/?{query}").content.decode(), query


def test_from_the_alerts_page_and_back_into_the_queue(as_analyst: Client) -> None:
    source = make_source("Gateway")
    rule = make_rule()
    alert = Alert.objects.get(pk=send(source, item(detection_model="Rule A", username="svc"))[0].id or 0)
    page = as_analyst.get(f"/alerts/{alert.number}/").content.decode()
    assert "Held back by Patch night" in page and "held back by" in page and "Servers are being patched" in page
    assert f"/suppression/new/?alert={alert.number}" in page
    form = as_analyst.get(f"/suppression/new/?alert={alert.number}").context["form"].initial
    assert (form["host"], form["model"], form["user"], form["source"]) == ("SRV-01", "Rule A", "svc", [source.slug])
    assert as_analyst.get(f"/alerts/{alert.number}/unsuppress/").status_code == 405
    assert as_analyst.post(f"/alerts/{alert.number}/unsuppress/").status_code == 302
    alert.refresh_from_db()
    assert alert.suppression_id is None
    assert "1 suppressed" not in as_analyst.get("/alerts/").content.decode()
    assert rule.alerts.count() == 0


def test_a_stranger_can_neither_release_nor_take_values_from_an_alert(as_stranger: Client, blue: Team) -> None:
    rule = make_rule(team=blue, all_teams=False)
    alert = make_alert(source=make_source(team=blue), suppression=rule)
    assert as_stranger.post(f"/alerts/{alert.number}/unsuppress/").status_code == 404
    assert as_stranger.get(f"/suppression/new/?alert={alert.number}").status_code == 404
    sent = as_stranger.post("/suppression/from/", {"alert": [str(alert.pk)]})
    assert sent["Location"] == "/suppression/new/?"


def test_from_ticked_alerts_or_the_filter(as_analyst: Client) -> None:
    source = make_source()
    rows = [make_alert(source=source, hostname=f"H-{n}", detection_model="Rule A", username=f"u{n}") for n in range(3)]
    sent = as_analyst.post("/suppression/from/", {"alert": [str(row.pk) for row in rows]})
    assert sent["Location"] == f"/suppression/new/?source={source.slug}&model=Rule+A&host=H-0&host=H-1&host=H-2"
    initial = as_analyst.get(sent["Location"]).context["form"].initial
    assert initial["host"] == "H-0\nH-1\nH-2" and initial["model"] == "Rule A"
    query = 'host=FIN-*&severity=low,medium&owner=none&q=beacon -drill user:"a b" severity:<=low'
    sent = as_analyst.post(
        "/suppression/from/", {"all": "1", "query": query.replace("<", "%3C")}, headers={"HX-Request": "true"}
    )
    initial = as_analyst.get(sent["HX-Redirect"]).context["form"].initial
    assert (initial["host"], initial["title"], initial["user"], initial["severity"]) == (
        "FIN-*",
        "beacon",
        "a b",
        "medium",
    )


class Region:
    """The preview as the page shows it."""

    def __init__(self, text: str) -> None:
        self.text = text
        figures = re.search(r'id="would-hold">(\d+)</b> of (\d+) alerts', text)
        self.held: int | None = int(figures[1]) if figures else None
        self.read: int | None = int(figures[2]) if figures else None
        self.examples = re.findall(r">(ALR-\d+)</span>", text)
        cursor = re.search(r'name="cursor" value="([^"]+)"', text)
        self.cursor = cursor[1] if cursor else ""
        self.goes_on = "hx-trigger" in text and "<progress" in text


def preview(client: Client, **more: Any) -> Region:
    """What the region shows of the form."""
    answer = client.post("/suppression/preview/", {**FORM, **more}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return Region(answer.content.decode())


def test_preview_counts_what_it_would_have_held_back(as_analyst: Client, blue: Team, red: Team) -> None:
    source = make_source(team=blue)
    held = [make_alert(source=source, hostname="srv-01", severity=severity) for severity in (1, 3, 4)]
    make_alert(source=source, hostname="SRV-0")
    make_alert(source=source, hostname="SRV-02-x", age=timedelta(days=10))
    make_alert(source=make_source(team=red), hostname="SRV-01")
    Alert.objects.filter(pk=held[0].pk).update(status=2, determination=3)
    found = preview(as_analyst, scope="Blue", days="7")
    assert (found.held, found.read, found.goes_on) == (3, 4, False)
    assert found.examples == [row.number for row in reversed(held)]
    assert "1 of them turned out malicious" in found.text and "2 of them are high or critical" in found.text
    assert preview(as_analyst, scope="Blue", days="30").held == 4
    assert preview(as_analyst, scope="-").read == 0
    whole = as_analyst.post("/suppression/preview/", {**FORM, "scope": "Blue"}).content.decode()
    assert Region(whole).held == 3 and "Servers are patched" in whole
    assert not SuppressionRule.objects.exists()


def test_preview_by_address_whatever_is_stored(as_analyst: Client) -> None:
    """An import may have brought anything where an address should be."""
    meets = ("192.0.2.7", "192.0.2.255", "2001:db8::1", "2001:DB8:0:0:0:0:0:7", "2001:db8:1:2:3:4:5:6", "2001:db8::")
    odd = ("no address", "192.0.2.256", "192.0.2", "2001:db8::1::2", "fe80::1%eth0", ":::", "::", "1:2", "")
    for address in (*meets, *odd):
        Alert.objects.filter(pk=make_alert().pk).update(source_ip=address)
    given = {"host": "", "ip": "192.0.2.0/24\r\n2001:db8::/32", "scope": "-", "days": "7"}
    assert preview(as_analyst, **given).held == len(meets)


def test_preview_of_another_team_tells_nothing(as_stranger: Client, blue: Team) -> None:
    make_alert(source=make_source(team=blue), hostname="SRV-01")
    for scope in ("Blue", "*", "-"):
        assert preview(as_stranger, scope=scope).read == 0


def test_preview_says_what_is_wrong_and_takes_any_cursor(as_analyst: Client) -> None:
    assert "hold back everything" in preview(as_analyst, host="").text
    for cursor in ("x", "1.2.3", "9" * 400, "1.1.1.1.1.1.1.1.1.1.1.1.1.1", "5.0.5.0.0.0.-1", "1.1.1.1.1.1.²"):
        assert "not a cursor" in preview(as_analyst, cursor=cursor).text
    for cursor in ("5.0.5.0.0.0.0", ".".join(["9" * 30] * 7), "0.5.0.0.0.0.0"):
        assert preview(as_analyst, cursor=cursor).held is not None
    assert preview(as_analyst, cursor="x", fresh="1").held == 0
    assert "7 days" in preview(as_analyst, days="8").text


def test_preview_goes_on_where_it_stopped(as_analyst: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from cases import suppression_preview as module

    monkeypatch.setattr(module, "FIRST_CHUNK", 3)
    monkeypatch.setattr(module, "SECONDS", 0.0)
    source = make_source()
    rows = [make_alert(source=source, hostname="SRV-01" if n % 2 else "other") for n in range(10)]
    step = module._read_on
    monkeypatch.setattr(module, "_read_on", lambda *given: one_chunk(module, step, monkeypatch, *given))
    found = preview(as_analyst)
    for _ in range(50):
        assert found.goes_on == bool(found.cursor)
        if not found.goes_on:
            break
        assert found.read is not None and found.read < 10
        found = preview(as_analyst, cursor=found.cursor)
    assert (found.read, found.held) == (10, 5)
    assert found.examples == [row.number for row in reversed(rows) if row.hostname == "SRV-01"]


def one_chunk(module: Any, step: Any, patch: pytest.MonkeyPatch, *given: Any) -> Any:
    """Reading stops after one chunk: as if that had taken a second."""
    times = iter([0.0, -1.0, 0.0, 0.0])
    with patch.context() as inner:
        inner.setattr(module.time, "monotonic", lambda: next(times, 1.0))
        return step(*given)


def test_preview_agrees_with_what_is_held_back(as_admin: Client) -> None:
    """The selection in SQL and the question in Python say the same of the same alerts."""
    source = make_source("Gateway")
    items = [
        item(id=str(n), hostname=host, username=user, source_ip=ip, tags=tags, title=title, severity=severity)
        for n, (host, user, ip, tags, title, severity) in enumerate(
            [("SRV-01", "DOM\\Bob", "203.0.113.9", ["lab"], "100% CPU", "low"),
             ("srv-012", "ünal", "2001:db8::7", [], "Größe überschritten", "high"),
             ("x%y_z", "*", "", ["a,b"], "C:\\Temp\\(a|b)", "critical"),
             ("", "", "10.1.2.3", ["lab", "x"], "Beacon to evil[.]example[.]com", "medium")]
        )
    ]  # fmt: skip
    send(source, *items)
    tries: list[dict[str, Any]] = [
        {"host": ["SRV-0*"]}, {"host": ["x%y_z"]}, {"host": ["x%y*"]}, {"host": ["%"]}, {"user": ["ÜNAL"]},
        {"user": ["dom\\bob"]},
        {"user": ["DOM*"]}, {"ip": ["203.0.113.0/24", "2001:db8::/32"]}, {"ip": ["10.1.2.3"]}, {"tag": ["lab"]},
        {"tag": ["a,b"]}, {"title": ["100%"]}, {"title": ["(a|b)"]}, {"title": ["GRÖSSE"]}, {"title": ["größe"]},
        {"title": ["\\temp"]}, {"observable": ["evil.example.com"]}, {"observable": ["203.0.113.9"]},
        {"source": [source.slug], "severity": ["medium"]}, {"title": ["beacon", "cpu"], "tag": ["lab"]},
    ]  # fmt: skip
    from cases.suppression_sql import meeting

    for n, conditions in enumerate(tries):
        rule = make_rule(conditions)
        by_sql = set(
            meeting(Alert.objects.filter(suppression=None), rule.conditions).values_list("source_ref", flat=True)
        )
        sent = send(source, *[{**one, "id": f"{one['id']}-{n}"} for one in items])
        marked = Alert.objects.filter(pk__in=[one.id for one in sent], suppression=rule)
        held = {re.sub(r"-\d+$", "", ref) for ref in marked.values_list("source_ref", flat=True)}
        assert {ref.partition("-")[0] for ref in by_sql} == held, conditions
        SuppressionRule.objects.filter(pk=rule.pk).update(expires_at=timezone.now())
        Alert.objects.filter(pk__in=[one.id for one in sent]).update(suppression=rule)
