"""What an auditor reads of each thing that is set up, page by page and over the API: state, no secret, no verb."""

from __future__ import annotations

import re
from typing import Any

import pytest
from guardian.shortcuts import assign_perm

from cases.actions import retention, webhooks
from cases.actors import Actor
from cases.models import (
    AlertPull,
    AlertSource,
    CustomField,
    DeadLetter,
    IncidentTemplate,
    ReplayJob,
    ReportTemplate,
    SourceMapping,
    SourceToken,
    WebhookDelivery,
)
from soar.accounts.models import Team, User
from soar.connectors.models import ConnectorAccount, FeedToken
from soar.lib import clock
from soar.models import QueuedTask
from tests.api import Api, problem_of
from tests.factories import make_source, make_user
from tests.fixtures import client_of
from tests.ticket_rows import make_instance, make_profile

pytestmark = pytest.mark.django_db
SECRET = "never-shown"
GET_FORM = re.compile(r'<form[^>]*method="get".*?</form>', re.S)
SUBMITS = re.compile(r'<button(?![^>]*type="button")|hx-post|type="submit"')


@pytest.fixture
def auditor(db: None) -> User:
    """Of no team."""
    return make_user("olga", "Auditor")


@pytest.fixture
def names(admin: User, analyst: User, blue: Team) -> dict[str, Any]:
    """Something of everything that the addresses below name, each with a secret where it can have one."""
    actor, now = Actor.of(admin), clock.now()
    source = make_source("Product", kind="visionone", team=blue, hmac_secret=SECRET)
    mapping = SourceMapping.objects.create(source=source, number=1, made_by_name="Ada", mapping={"fields": {}})
    AlertSource.objects.filter(pk=source.pk).update(mapping=mapping)
    account = ConnectorAccount.objects.create(kind="visionone", name="EU", secrets={"token": SECRET})  # type: ignore[misc]
    AlertPull.objects.create(source=source, account=account)
    SourceToken.objects.create(source=source, prefix="src_abc", digest=b"1" * 32)
    letter = DeadLetter.objects.create(
        source=source, status=400, error="Not an object.", size=11, kept=11, body=SECRET.encode()
    )
    assign_perm("cases.view_source", analyst, source)
    assign_perm("connectors.use_connectoraccount", analyst, account)
    url = f"https://chat.example.com/hook/{SECRET}"
    endpoint, _secret = webhooks.create(actor, fields={"name": "Chat room", "url": url, "kinds": ["all"]})
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, kind="webhook.test", body=SECRET, created_at=now, due_at=now, state="delivered"
    )
    instance = make_instance()
    QueuedTask.objects.create(task="cases.tasks.nothing", failed_at=now, starts=5)
    FeedToken.objects.create(type="ip", name="Firewall", prefix="feed_ab", digest=b"2" * 32)
    return {
        "source": source.slug,
        "account": account.pk,
        "letter": letter.pk,
        "endpoint": endpoint.pk,
        "delivery": delivery.pk,
        "rule": retention.create(actor, {"what": "alerts", "days": 400}).pk,
        "instance": instance.slug,
        "profile": make_profile(instance).pk,
        "field": CustomField.objects.create(key="unit", name="Business unit", kind="text").key,
        "template": IncidentTemplate.objects.create(name="Phishing mail", kind="phishing").pk,
        "report": ReportTemplate.objects.create(
            slug="board", name="For the board", body="x", updated_at=now, updated_by_name="Ada"
        ).pk,
        "person": analyst.pk,
    }


PAGES = {
    "/connectors/{account}/access/": "Mara Lindqvist",
    "/sources/{source}/": "src_abc",
    "/sources/{source}/access/": "Mara Lindqvist",
    "/sources/{source}/mapping/versions/": "Mapping 1",
    "/sources/{source}/pull/": "EU",
    "/sources/{source}/dead-letters/": "Not an object.",
    "/sources/dead-letters/": "Not an object.",
    "/settings/retention/{rule}/": "400",
    "/webhooks/{endpoint}/": "Chat room",
    "/webhooks/{endpoint}/deliveries/{delivery}/": "webhook.test",
    "/servicenow/instances/{instance}/": "{instance}",
    "/servicenow/profiles/": "{instance}",
    "/servicenow/profiles/{profile}/": "{instance}",
    "/settings/portal/": "Portal",
    "/settings/operations/": "cases.tasks.nothing",
    "/settings/fields/{field}/": "Business unit",
    "/settings/templates/": "Phishing mail",
    "/settings/templates/{template}/": "Phishing mail",
    "/settings/reports/": "For the board",
    "/settings/reports/{report}/": "For the board",
    "/settings/reports/shipped/full/": "Full",
}
CALLS = {
    "/connectors/{account}/access/": "mara",
    "/connectors/{account}/grants/": "mara",
    "/connectors/{account}/grants/user-{person}/": "use",
    "/sources/{source}/access/": "mara",
    "/sources/{source}/grants/": "mara",
    "/sources/{source}/grants/user-{person}/": "view",
    "/sources/{source}/tokens/": "src_abc",
    "/sources/{source}/mapping/": "fields",
    "/sources/{source}/mapping/versions/": "Ada",
    "/sources/{source}/pull/": "EU",
    "/retention-rules/{rule}/": "alerts",
    "/webhook-endpoints/{endpoint}/": "Chat room",
    "/webhook-endpoints/{endpoint}/deliveries/": "webhook.test",
    "/webhook-endpoints/{endpoint}/deliveries/{delivery}/": "webhook.test",
    "/servicenow/instances/": "{instance}",
    "/servicenow/instances/{instance}/": "{instance}",
    "/feed-tokens/": "Firewall",
    "/dead-letters/": "Not an object.",
}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_tells_the_state_and_offers_nothing(
    auditor: User, viewer: User, names: dict[str, Any], path: str
) -> None:
    answer = client_of(auditor).get(path.format(**names))
    assert answer.status_code == 200
    page = answer.content.decode()
    main = page.partition("<main")[2].partition("</main>")[0]
    assert PAGES[path].format(**names) in main
    assert SECRET not in page
    assert SUBMITS.findall(GET_FORM.sub("", main)) == []
    assert client_of(viewer).get(path.format(**names)).status_code in (403, 404)


@pytest.mark.parametrize("path", CALLS)
def test_a_call_tells_the_state_without_secrets(auditor: User, viewer: User, names: dict[str, Any], path: str) -> None:
    answer = Api(auditor).get(path.format(**names))
    assert answer.status_code == 200
    text = answer.content.decode()
    assert CALLS[path].format(**names) in text and SECRET not in text
    assert Api(viewer).get(path.format(**names)).status_code in (403, 404)
    assert Api(auditor, scopes=("view_cases",)).get(path.format(**names)).status_code in (403, 404)


def test_the_editor_of_a_mapping_leads_to_its_versions(auditor: User, names: dict[str, Any]) -> None:
    answer = client_of(auditor).get(f"/sources/{names['source']}/mapping/")
    assert (answer.status_code, answer["Location"]) == (302, f"/sources/{names['source']}/mapping/versions/")


def test_a_rule_of_retention_is_previewed(auditor: User, viewer: User, names: dict[str, Any]) -> None:
    path = f"/retention-rules/{names['rule']}/preview/"
    assert Api(auditor).post(path, {}).json()["count"] == 0
    problem_of(Api(viewer).post(path, {}), 403)


@pytest.mark.parametrize(
    "path",
    [
        "/connectors/{account}/access/grant/",
        "/sources/{source}/access/grant/",
        "/sources/{source}/mapping/",
        "/sources/{source}/pull/",
        "/sources/{source}/pull/remove/",
        "/sources/{source}/dead-letters/replay/",
        "/sources/{source}/dead-letters/delete/",
        "/settings/retention/{rule}/",
        "/webhooks/{endpoint}/test/",
        "/webhooks/{endpoint}/edit/",
        "/servicenow/instances/{instance}/",
        "/servicenow/profiles/{profile}/",
        "/settings/portal/",
        "/settings/fields/{field}/",
        "/settings/templates/{template}/",
        "/settings/reports/{report}/",
    ],
)
def test_no_page_takes_a_change_from_them(auditor: User, names: dict[str, Any], path: str) -> None:
    assert client_of(auditor).post(path.format(**names), {"name": "Mine"}).status_code in (403, 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/connectors/{account}/grants/"),
        ("DELETE", "/sources/{source}/grants/user-{person}/"),
        ("DELETE", "/sources/{source}/tokens/1/"),
        ("POST", "/sources/{source}/mapping/preview/"),
        ("DELETE", "/sources/{source}/pull/"),
        ("PATCH", "/retention-rules/{rule}/"),
        ("DELETE", "/retention-rules/{rule}/"),
        ("PATCH", "/webhook-endpoints/{endpoint}/"),
        ("DELETE", "/webhook-endpoints/{endpoint}/"),
        ("POST", "/webhook-endpoints/{endpoint}/test/"),
        ("POST", "/webhook-endpoints/{endpoint}/replay/"),
        ("POST", "/webhook-endpoints/{endpoint}/deliveries/{delivery}/replay/"),
        ("PATCH", "/servicenow/instances/{instance}/"),
        ("POST", "/servicenow/instances/{instance}/test/"),
        ("POST", "/feed-tokens/"),
        ("POST", "/dead-letters/replay/"),
        ("GET", "/dead-letters/{letter}/"),
        ("DELETE", "/dead-letters/{letter}/"),
        ("GET", "/sources/{source}/samples/"),
    ],
)
def test_no_call_takes_a_change_nor_gives_a_delivery(
    auditor: User, names: dict[str, Any], method: str, path: str
) -> None:
    body: dict[str, Any] | None = {} if method in ("POST", "PATCH") else None
    answer = Api(auditor).call(method, path.format(**names), body)
    assert answer.status_code in (400, 403, 404)
    if answer.status_code == 400:
        assert "replay" not in path
    assert not ReplayJob.objects.exists() and DeadLetter.objects.count() == 1
