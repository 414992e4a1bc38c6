"""Makes the things of the portal's settings that addresses name: as rows, what they do is tested elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cases.models import (
    AssetImport,
    CustomField,
    DeadLetter,
    HandOver,
    IncidentTemplate,
    ReplayJob,
    ReportTemplate,
    RetentionRule,
    SavedView,
    SourceMapping,
    SourceSample,
    SourceToken,
    SuppressionRule,
    WebhookDelivery,
    WebhookEndpoint,
)
from playbooks.models import DetectionModel, NeverTouch, Script
from soar.accounts.models import ApiToken, Team, User
from soar.connectors.models import (
    BlockEntry,
    ConnectorAccount,
    ExceptionEntry,
    FeedToken,
    OwnListEntry,
    Route,
    WarningList,
)
from soar.lib import clock
from soar.models import QueuedTask
from tests.factories import make_source
from tests.ticket_rows import make_gap, make_instance, make_profile

Things = dict[str, Any]
WORDS = {
    "nothing": "nothing", "field_verb": "retire", "technique_id": "T1566", "looked_for": "groups",
    "block_type": "domain", "dialog": "resolve", "version_number": 1,
    "connector_kind": "slack", "audit_kind": "csv", "provider": "company",
    "report_slug": "full", "panel": "alerts",
}  # fmt: skip


def of_settings(blue: Team, admin: User) -> Things:
    """What admins keep."""
    account = ConnectorAccount.objects.create(kind="webhook", name="Pager", settings={"url": "http://127.0.0.1:9/"})
    script = Script.objects.create(
        name="Collect", language="bash", text="id", sha256="0" * 64, size=2, uploaded_by=admin
    )
    return {
        "account": account.pk,
        "feed": ConnectorAccount.objects.create(kind="feed", name="Hosts", settings={"url": "http://127.0.0.1:9/"}).pk,
        "retention_rule": _rule(),
        "route": Route.objects.create(account=account).pk,
        "script": script.pk,
        "given_up": QueuedTask.objects.create(task="cases.tasks.nothing", failed_at=clock.now(), starts=5).pk,
        "never_touch": NeverTouch.objects.create(by="name", value="DC-1", reason="Core", added_by="Ada").pk,
        "model": DetectionModel.objects.create(name="Odd", key="odd", severity=2, custom=True).pk,
        "report_template": ReportTemplate.objects.create(
            slug="board", name="Board", body="x", updated_at=clock.now(), updated_by_name="Ada"
        ).pk,
        "template": IncidentTemplate.objects.create(name="Phish", kind="phishing").pk,
        "field_key": CustomField.objects.create(key="unit", name="Business unit", kind="text").key,
        "api_token": ApiToken.objects.filter(user=admin).order_by("pk")[0].pk,
        "asset_import": AssetImport.objects.create(user=admin, name="a.csv", text="name\nA\n", plan="0").pk,
        "hand_over": HandOver.objects.create(
            team=blue, since=clock.now(), signed_at=clock.now(), signed_by=admin, note="Quiet"
        ).pk,
        **_views(blue, admin),
        **_endpoint(admin),
        **_lists(admin),
    }


def of_sources(blue: Team, admin: User) -> Things:
    """A source with all that hangs on it."""
    source = make_source("Mail gateway", team=blue)
    letter = DeadLetter.objects.create(source=source, status=400, error="No object.", size=2, kept=2, body=b"[]")
    return {
        "source": source.slug,
        "dead_letter": letter.pk,
        "replay_job": ReplayJob.objects.create(user=admin, source=source, letters=[letter.pk]).pk,
        "sample": SourceSample.objects.create(source=source, name="One", body="{}", made_by_name="Ada").pk,
        "mapping": SourceMapping.objects.create(source=source, number=1, made_by_name="Ada").pk,
        "source_token": SourceToken.objects.create(source=source, prefix="s", digest=b"1" * 32).pk,
    }


def of_servicenow() -> Things:
    """An instance with its profile."""
    instance = make_instance()
    profile = make_profile(instance)
    return {"instance": instance.slug, "profile": profile.pk, "gap": make_gap(profile).pk, "_profile": profile}


def _rule() -> int:
    now = clock.now()
    about = {"changed_by": "Ada", "created_at": now, "updated_at": now}
    return RetentionRule.objects.create(what="payloads", days=900, **about).pk


def _views(blue: Team, admin: User) -> Things:
    now = clock.now()
    rule = SuppressionRule.objects.create(
        name="Noise", reason="Known", conditions={"title": "never"}, team=blue, expires_at=now + timedelta(days=1),
        created_by=admin, changed_by="Ada", created_at=now, updated_at=now,
    )  # fmt: skip
    view = SavedView.objects.create(owner=admin, name="Mine", query="", audience="me")
    return {"rule": rule.pk, "view": view.pk}


def _endpoint(admin: User) -> Things:
    now = clock.now()
    about = {"owner": admin, "created_at": now, "updated_at": now}
    endpoint = WebhookEndpoint.objects.create(
        name="Lake", url="http://127.0.0.1:9/", place="http://127.0.0.1:9", secret="s", kinds=["all"], **about
    )
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint, event="test", kind="test", body="{}", due_at=now, created_at=now
    )
    return {"endpoint": endpoint.pk, "delivery": delivery.pk}


def _lists(admin: User) -> Things:
    entry = {"type": "domain", "value": "listed.example", "reason": "Known"}
    block = BlockEntry.objects.create(
        **{**entry, "value": "blocked.example"}, digest="b" * 64, added_by="Ada", user=admin, created_at=clock.now()
    )
    token = FeedToken.objects.create(type="domain", name="Wall", prefix="f", digest=b"2" * 32, created_by="Ada")
    warned = WarningList.objects.create(name="Known", slug="known", type="string", effect="benign")
    return {
        "block": block.pk,
        "feed_token": token.pk,
        "exception": ExceptionEntry.objects.create(**entry, digest="c" * 64).pk,
        "own_entry": OwnListEntry.objects.create(**entry, digest="d" * 64, effect="benign").pk,
        "warning_list": warned.pk,
    }
