"""Chats and webhooks against their stand-ins over real HTTP (connectors.md 4, 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.core.management import call_command

from soar.accounts.models import AuditEntry
from soar.connectors import actions, notify
from soar.connectors.errors import ConnectorError, Refused
from soar.connectors.messages import Message, Row, Section
from soar.connectors.models import Attempt, ConnectorAccount
from soar.standins.mattermost import Mattermost
from soar.standins.server import Server
from soar.standins.slack import Slack
from soar.standins.teams import SIGNATURE, Teams
from soar.standins.webhook import SECRET, Webhook
from tests.connector_server import Product

pytestmark = pytest.mark.django_db
CHATS = ("slack", "teams", "mattermost")
ALL = (*CHATS, "webhook")
LINK = "https://soar.example/runs/7/"
REPORT = Message(
    "Response to <!channel> & ALR-7",
    type="report",
    text="Two of three tasks are done.",
    facts=(("Alert", "ALR-7"), ("Playbook", "Contain [credential](https://evil.example) theft")),
    sections=(Section("Tasks", (Row("Isolate FIN-LT-07", "successful", "10:31"), Row("Block", "unsuccessful"))),),
    link=LINK,
    severity="high",
    thread="INC-12",
)
HUGE = Message(
    "T" * 400,
    text="€" * 9000,
    facts=tuple((f"Fact {n}", "value " * 300) for n in range(40)),
    sections=tuple(
        Section(f"S{n}", tuple(Row("row " * 80, "successful", "x" * 900) for _ in range(300))) for n in range(12)
    ),
    link=LINK,
)


@pytest.fixture
def practice() -> Iterator[Server]:
    with Server([Slack(), Teams(), Mattermost(), Webhook()]) as server:
        yield server


def account(practice: Server, kind: str, **settings: Any) -> ConnectorAccount:
    given = {"url": practice.urls[kind]["url"], "allow_internal": "true", "timeout_seconds": "5"}
    return actions.create_account(None, kind, kind.title(), {**given, **settings}, {})


def state(practice: Server, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{practice.urls[kind]['control']}/state").json()
    return found


def fault(practice: Server, account_kind: str, kind: str, **more: Any) -> None:
    httpx.post(f"{practice.urls[account_kind]['control']}/fault", json={"kind": kind, **more}).raise_for_status()


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize("status", ["404", "410", "403"])
def test_a_dead_address_disables_the_channel_and_says_why(practice: Server, kind: str, status: str) -> None:
    made = account(practice, kind)
    fault(practice, kind, status)
    with pytest.raises(ConnectorError) as caught:
        notify.send(made, REPORT, key="run-7-1")
    assert caught.value.permanent
    made.refresh_from_db()
    assert not made.enabled
    assert made.name in made.disabled_reason
    assert "{" not in made.disabled_reason  # the sentence in the product's JSON, not the JSON
    assert "takes no messages any more" in made.disabled_reason
    assert AuditEntry.objects.filter(verb="connector.disabled", actor_name="Soar").count() == 1
    with pytest.raises(ConnectorError, match="disabled"):
        notify.send(made, REPORT, key="run-7-1")


def test_a_webhook_ends_with_410_only(practice: Server) -> None:
    made = account(practice, "webhook")
    fault(practice, "webhook", "404")
    with pytest.raises(ConnectorError) as caught:
        notify.send(made, REPORT, key="k")
    made.refresh_from_db()
    assert (caught.value.permanent, made.enabled) == (True, True)
    fault(practice, "webhook", "410")
    with pytest.raises(ConnectorError):
        notify.send(made, REPORT, key="k")
    made.refresh_from_db()
    assert not made.enabled


@pytest.mark.parametrize("kind", ALL)
def test_an_html_page_is_no_verdict_on_the_channel(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    fault(practice, kind, "html", times=9)
    with pytest.raises(ConnectorError, match="HTML page") as caught:
        notify.send(made, REPORT, key="k")
    made.refresh_from_db()
    assert made.enabled
    assert not caught.value.permanent  # it was a 503
    assert state(practice, kind)["messages"] == []


@pytest.fixture
def odd() -> Iterator[Product]:
    server = Product()
    yield server
    server.stop()


@pytest.mark.parametrize("kind", CHATS)
@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((200, {"Content-Type": "text/html"}, b"<!doctype html><title>Sign in</title>"), "HTML page"),
        ((302, {"Location": "https://elsewhere.example/"}, b""), "redirects a POST"),
        ((200, {"Content-Type": "text/plain"}, b"x" * (10 * 1024 * 1024 + 1)), "larger than|too large|more than"),
    ],
)
def test_what_stands_in_between_is_told(odd: Product, kind: str, reply: Any, words: str) -> None:
    odd.replies = [reply]
    made = actions.create_account(None, kind, "Odd", {"url": f"{odd.url}/hook", "allow_internal": "true"}, {})
    with pytest.raises(ConnectorError, match=words) as caught:
        notify.send(made, REPORT, key="k")
    made.refresh_from_db()
    assert (caught.value.permanent, made.enabled, len(odd.seen)) == (True, True, 1)


def test_a_webhook_may_answer_with_what_it_likes(odd: Product) -> None:
    odd.replies = [(200, {"Content-Type": "text/html"}, b"<p>thanks</p>")]
    made = actions.create_account(None, "webhook", "Odd", {"url": odd.url, "allow_internal": "true"}, {})
    assert notify.send(made, REPORT, key="k").state == "done"


@pytest.mark.parametrize("kind", ALL)
def test_a_busy_product_is_asked_again_later(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    fault(practice, kind, "429")
    assert notify.send(made, REPORT, key="k").state == "done"
    assert len(state(practice, kind)["messages"]) == 1


@pytest.mark.parametrize("kind", ALL)
def test_one_that_stays_busy_is_a_temporary_error(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    fault(practice, kind, "429", times=9)
    with pytest.raises(ConnectorError, match="429") as caught:
        notify.send(made, REPORT, key="k")
    assert not caught.value.permanent
    made.refresh_from_db()
    assert made.enabled


@pytest.mark.parametrize("kind", ALL)
def test_a_lost_answer_is_an_unknown_outcome(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    fault(practice, kind, "after")
    with pytest.raises(ConnectorError) as caught:
        notify.send(made, REPORT, key="k")
    assert caught.value.outcome_unknown
    assert Attempt.objects.get().status == "unknown_outcome"
    assert len(state(practice, kind)["messages"]) == 1
    assert notify.repeatable(made) is (kind == "webhook")


def test_a_webhook_may_come_twice_and_counts_once(practice: Server) -> None:
    made = account(practice, "webhook")
    fault(practice, "webhook", "after")
    with pytest.raises(ConnectorError):
        notify.send(made, REPORT, key="run-7-step-3")
    notify.send(made, REPORT, key="run-7-step-3")
    [taken] = state(practice, "webhook")["messages"]
    assert (taken["webhook_id"], taken["copies"]) == ("run-7-step-3", 2)


@pytest.mark.parametrize("kind", ALL)
def test_an_internal_address_needs_leave(practice: Server, kind: str) -> None:
    made = account(practice, kind, allow_internal="false")
    with pytest.raises(ConnectorError, match="internal address") as caught:
        notify.send(made, REPORT, key="k")
    assert caught.value.permanent
    assert state(practice, kind)["messages"] == []


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize(
    ("cleared", "tlp", "goes"),
    [
        ("green", "amber", False),
        ("amber", "amber+strict", False),
        ("amber", "red", False),
        ("amber+strict", "red", False),
        ("amber", "amber", True),
        ("red", "red", True),
        ("red", "nonsense", True),
        ("amber", "nonsense", False),
    ],
)
def test_tlp_holds_back_what_a_channel_is_not_cleared_for(
    practice: Server, kind: str, cleared: str, tlp: str, goes: bool
) -> None:
    made = account(practice, kind, cleared=cleared)
    message = Message("A title", tlp=tlp)
    if goes:
        notify.send(made, message, key="k")
    else:
        with pytest.raises(
            ConnectorError, match=f"TLP:{tlp.upper()}.*TLP:{cleared.upper()}".replace("+", r"\+")
        ) as caught:
            notify.send(made, message, key="k")
        assert caught.value.permanent
        with pytest.raises(ConnectorError, match="TLP"):
            notify.preview(made, message)
    assert len(state(practice, kind)["messages"]) == int(goes)
    made.refresh_from_db()
    assert made.enabled


@pytest.mark.parametrize("kind", ALL)
def test_the_address_is_a_secret(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    url = practice.urls[kind]["url"]
    tail = url.partition(f"/{kind}")[2]
    notify.send(made, REPORT, key="k")
    fault(practice, kind, "410")
    with pytest.raises(ConnectorError) as caught:
        notify.send(made, REPORT, key="k")
    kept = json.dumps([*Attempt.objects.values("request", "response", "error"), made.settings, str(caught.value)])
    assert tail not in kept
    assert SIGNATURE not in kept
    assert Attempt.objects.first().request["url"].startswith(f"{practice.address}••••")  # type: ignore[union-attr]
    row = ConnectorAccount.objects.get()
    assert row.settings["url"] == f"{practice.address}/••••"
    assert row.secrets["url"] == url


def test_a_changed_address_goes_to_the_secrets_too_and_an_unchanged_one_stays(practice: Server) -> None:
    made = account(practice, "slack")
    actions.update_account(None, made.pk, settings={"url": made.settings["url"], "cleared": "red"})
    assert ConnectorAccount.objects.get().secrets["url"] == practice.urls["slack"]["url"]
    actions.update_account(None, made.pk, settings={"url": "https://hooks.slack.example/services/T/B/other"})
    row = ConnectorAccount.objects.get()
    assert (row.settings["url"], row.secrets["url"]) == (
        "https://hooks.slack.example/••••",
        "https://hooks.slack.example/services/T/B/other",
    )


def test_slack_shows_what_it_is_sent_and_nothing_becomes_a_mention(practice: Server) -> None:
    result = notify.send(account(practice, "slack"), REPORT, key="k")
    assert (result.state, result.message) == ("done", "Sent to Slack.")
    [shown] = state(practice, "slack")["messages"]
    assert shown["text"] == "Response to &lt;!channel&gt; &amp; ALR-7"
    kinds = [block["type"] for block in shown["blocks"]]
    assert kinds == ["header", "section", "section", "section", "actions", "context"]
    assert shown["blocks"][4]["elements"][0]["url"] == LINK
    assert "Isolate FIN-LT-07 – Successful · 10:31" in shown["blocks"][3]["text"]["text"]


def test_teams_gets_the_envelope_without_which_nothing_is_shown(practice: Server) -> None:
    result = notify.send(account(practice, "teams"), REPORT, key="k")
    assert result.remote == "accepted"
    found = state(practice, "teams")
    assert found["dropped"] == []
    card = found["messages"][0]["card"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Open in Soar", "url": LINK}]
    assert card["body"][0]["style"] == "attention"
    assert all(item["type"] != "TextBlock" for item in card["body"])  # these would read Markdown


def test_mattermost_calls_nobody_and_links_nothing_of_an_alert(practice: Server) -> None:
    message = Message("Ask @channel and @all", text="[here](https://evil.example) @jane.doe", link=LINK)
    notify.send(account(practice, "mattermost"), message, key="k")
    [shown] = state(practice, "mattermost")["messages"]
    assert shown["mentions"] == []
    assert shown["text"].endswith(f"]({LINK})**")
    assert r"\[here\]\(https" in shown["attachments"][0]["text"]


def test_mattermost_says_which_channel_is_not_there(practice: Server) -> None:
    with pytest.raises(ConnectorError, match="Couldn't find the channel"):
        notify.send(account(practice, "mattermost", channel="nowhere"), REPORT, key="k")


@pytest.mark.parametrize("kind", ALL)
def test_what_is_too_long_is_cut_and_keeps_its_link(practice: Server, kind: str) -> None:
    notify.send(account(practice, kind), HUGE, key="k")
    found = state(practice, kind)
    assert not found.get("dropped")
    [shown] = found["messages"]
    assert LINK in json.dumps(shown)
    assert len(json.dumps(shown)) < 28_000


def test_a_webhook_signs_each_try(practice: Server) -> None:
    made = account(practice, "webhook")
    actions.update_account(None, made.pk, secrets={"secret": SECRET})
    made.refresh_from_db()
    notify.send(made, REPORT, key="k-1")
    [taken] = state(practice, "webhook")["messages"]
    assert taken["signed"] is True
    body = json.loads(taken["body"])
    assert (body["type"], body["data"]["title"]) == ("soar.report", REPORT.title)
    assert "webhook-signature" in taken["headers"]
    kept = Attempt.objects.get().request["headers"]
    assert kept["webhook-signature"] == "••••"


def test_a_wrong_secret_is_told(practice: Server) -> None:
    made = account(practice, "webhook")
    actions.update_account(None, made.pk, secrets={"secret": "another secret", "old_secret": "an old one"})
    made.refresh_from_db()
    with pytest.raises(ConnectorError, match="signature does not match") as caught:
        notify.send(made, REPORT, key="k-1")
    assert caught.value.permanent
    actions.update_account(None, made.pk, secrets={"secret": "a new secret", "old_secret": SECRET})
    made.refresh_from_db()
    notify.send(made, REPORT, key="k-1")  # one of two signatures is enough while a secret is replaced


def test_a_template_is_filled_as_json_needs_it(practice: Server) -> None:
    template = '{"text": "$type$: $title$", "all": $payload$, "price": "$5"}'
    made = account(practice, "webhook", template=template)
    message = Message('Quote " and $payload$', type="approval", payload={"run": 7, "by": 'a "b"'})
    notify.send(made, message, key="k")
    [taken] = state(practice, "webhook")["messages"]
    assert json.loads(taken["body"]) == {
        "text": 'approval: Quote " and $payload$',
        "all": {"run": 7, "by": 'a "b"'},
        "price": "$5",
    }


def test_a_template_that_is_no_json_goes_as_text(practice: Server) -> None:
    made = account(practice, "webhook", template="$title$ [$severity$] $link$")
    actions.update_account(None, made.pk, secrets={"headers": "X-Team: blue\nX-Key: 1234567-secret"})
    made.refresh_from_db()
    notify.send(made, REPORT, key="k")
    [taken] = state(practice, "webhook")["messages"]
    assert taken["body"] == f"{REPORT.title} [high] {LINK}"
    assert taken["headers"]["content-type"].startswith("text/plain")
    assert (taken["headers"]["x-team"], taken["headers"]["x-key"]) == ("blue", "1234567-secret")
    assert "1234567-secret" not in json.dumps(Attempt.objects.get().request)


@pytest.mark.parametrize(
    ("kind", "settings", "secrets", "field"),
    [
        ("slack", {"url": "https://a.example", "cleared": "purple"}, {}, "cleared"),
        ("slack", {"url": "https://a.example/x?y=1"}, {}, "url"),
        ("slack", {}, {}, "url"),
        ("teams", {"url": "http//a"}, {}, "url"),
        ("webhook", {"url": "https://a.example"}, {"secret": "whsec_§§"}, "secret"),
        ("webhook", {"url": "https://a.example"}, {"headers": "no header"}, "headers"),
        ("webhook", {"url": "https://a.example"}, {"headers": "Host: b.example"}, "headers"),
        ("webhook", {"url": "https://a.example", "signature": "md5"}, {}, "signature"),
    ],
)
def test_bad_settings_are_refused_beside_their_field(kind: str, settings: Any, secrets: Any, field: str) -> None:
    with pytest.raises(Refused) as caught:
        actions.create_account(None, kind, "A", settings, secrets)
    assert set(caught.value.errors) == {field}
    assert not ConnectorAccount.objects.exists()


@pytest.mark.parametrize("kind", ALL)
def test_a_rehearsal_shows_the_request_and_sends_nothing(practice: Server, kind: str) -> None:
    made = account(practice, kind)
    shown = notify.preview(made, REPORT)
    assert shown["method"] == "POST"
    assert REPORT.title[:8] in json.dumps(shown["body"])
    assert state(practice, kind)["messages"] == []
    assert not Attempt.objects.exists()


@pytest.mark.parametrize("kind", ALL)
def test_the_connection_is_tested_by_a_message(practice: Server, kind: str) -> None:
    made = account(practice, kind, cleared="clear")
    assert actions.test_account(None, made.pk).ok
    assert len(state(practice, kind)["messages"]) == 1


def test_made_and_tested_from_the_command_line(practice: Server, capsys: pytest.CaptureFixture[str]) -> None:
    url = practice.urls["slack"]["url"]
    call_command("connector", "create", "slack", "Ops", "--set", f"url={url}", "--set", "allow_internal=true")
    made = json.loads(capsys.readouterr().out)
    assert made["settings"]["url"] == f"{practice.address}/••••"
    assert "services" not in json.dumps(made)
    call_command("connector", "test", "Ops")
    assert json.loads(capsys.readouterr().out)["ok"] is True


def test_lists_of_channels(practice: Server) -> None:
    made = account(practice, "slack")
    actions.create_account(None, "http", "EDR", {"url": "https://a.example"}, {})
    assert notify.channels() == [made]
    assert notify.channel_named("SLACK") == made
    assert notify.mail_account() is None
    actions.update_account(None, made.pk, enabled=False)
    assert notify.channels() == []
    assert notify.channel_named("slack") is None
