"""Test connection of a ServiceNow instance: everything that was looked at, each with its answer (servicenow.md 1)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from cases.actions.servicenow_instances import instance_for, may_set_up
from cases.actions.servicenow_vocabulary import connector_of
from cases.actors import Actor
from cases.models import ServiceNowInstance
from soar.accounts import audit
from soar.connectors.errors import ConnectorError
from soar.connectors.models import ConnectorAccount
from soar.lib import clock

Finding = dict[str, Any]  # name, ok (None: could not be told), text


def check(actor: Actor, slug: str) -> list[Finding]:
    """Ask the instance, and keep what was found on it and on its account. Raises Missing, Forbidden."""
    may_set_up(actor)
    row = instance_for(slug)
    findings, skew = _asked(row)
    with transaction.atomic():
        kept = ServiceNowInstance.objects.select_for_update().defer("webhook_secret").get(pk=row.pk)
        kept.vocabulary = {**kept.vocabulary, "findings": findings}
        kept.checked_at = clock.now()
        if skew is not None:
            kept.skew_seconds = skew
        kept.save(update_fields=["vocabulary", "checked_at", "skew_seconds"])
        _told(row.account, findings)
        audit.record(actor.user, "servicenow.checked", slug, ok=all(one["ok"] is not False for one in findings))
    return findings


def _asked(row: ServiceNowInstance) -> tuple[list[Finding], float | None]:
    try:
        connector = connector_of(row)
        tables = sorted(set(row.profiles.values_list("table", flat=True))) or ["incident"]
        findings = [{"name": one.name, "ok": one.ok, "text": one.text} for one in connector.inspect(tables)]
    except ConnectorError as error:
        return [{"name": "Connection", "ok": False, "text": error.message}], None
    return findings, connector.skew.total_seconds() if connector.skew is not None else None


def _told(account: ConnectorAccount, findings: list[Finding]) -> None:
    """The connector's own page says the same."""
    wrong = next((one["text"] for one in findings if one["ok"] is False), "")
    now = clock.now()
    result: dict[str, Any] = {"last_check_at": now, "last_error": wrong}
    if not wrong:
        result["last_ok_at"] = now
    ConnectorAccount.objects.filter(pk=account.pk).update(**result)
