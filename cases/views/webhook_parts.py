"""What the pages of outgoing webhooks show: how an endpoint fares, a line of the log."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.views.webhook_form import LABELS
from cases.webhooks.choosing import ALL, GROUP
from soar.accounts.models import User
from soar.lib import clock, parts

KINDS_SHOWN = 3


class State(NamedTuple):
    """Tone, sign and word."""

    tone: str
    sign: str
    word: str


def health_of(endpoint: WebhookEndpoint) -> State:
    """Off, switched off by Soar, failing, healthy, or never called."""
    if not endpoint.enabled:
        if endpoint.off_reason:
            return State("is-unsuccessful", "st-unsuccessful", _("Switched off"))
        return State("is-no_action", "pause", _("Off"))
    if endpoint.failing_since:
        return State("is-unsuccessful", "st-unsuccessful", _("Failing"))
    if endpoint.last_ok_at:
        return State("is-successful", "st-successful", _("Healthy"))
    return State("is-no_action", "st-no_action", _("Not called yet"))


def state_of(delivery: WebhookDelivery) -> State:
    """Where a delivery stands."""
    return {
        DeliveryState.WAITING: State("is-pending_approval", "clock", _("Waiting")),
        DeliveryState.SENDING: State("is-in_progress", "st-in_progress", _("Being sent")),
        DeliveryState.DELIVERED: State("is-successful", "st-successful", _("Delivered")),
        DeliveryState.FAILED: State("is-unsuccessful", "st-unsuccessful", _("Failed")),
        DeliveryState.WITHHELD: State("is-no_action", "lock", _("Withheld")),
    }[DeliveryState(delivery.state)]


def kinds_shown(endpoint: WebhookEndpoint) -> str:
    """What it is sent, in short."""
    if ALL in endpoint.kinds:
        return _("everything")
    words = [str(LABELS.get(one.removeprefix(GROUP), one)) for one in endpoint.kinds]
    more = len(words) - KINDS_SHOWN
    return ", ".join(words[:KINDS_SHOWN]) + (_(" and %s more") % more if more > 0 else "")


def filters_shown(endpoint: WebhookEndpoint) -> list[tuple[str, str]]:
    """What narrows it, with labels."""
    found = [(_("TLP up to"), endpoint.get_cleared_display())]
    if endpoint.team:
        found.append((_("Team"), endpoint.team.name))
    if endpoint.source:
        found.append((_("Source"), endpoint.source.name))
    if endpoint.least_severity is not None:
        found.append((_("Severity at least"), _(str(Severity(endpoint.least_severity).label))))
    return found


def rows_of(endpoints: list[WebhookEndpoint]) -> list[dict[str, Any]]:
    """The lines of the list, with how much waits and failed of each."""
    counted: dict[int, dict[str, Any]] = {
        row["endpoint"]: {"waiting": row["waiting"], "failed": row["failed"]}
        for row in WebhookDelivery.objects.filter(
            endpoint__in=endpoints, state__in=(*OPEN_DELIVERIES, DeliveryState.FAILED)
        )
        .order_by()
        .values("endpoint")
        .annotate(
            waiting=Count("pk", filter=Q(state__in=OPEN_DELIVERIES)),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED)),
        )
    }
    return [{**row_of(one), **_figures(counted.get(one.pk, {}))} for one in endpoints]


def row_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint as list and detail show it."""
    return {
        "endpoint": endpoint,
        "health": health_of(endpoint),
        "kinds": kinds_shown(endpoint),
        "last_ok": parts.ago(endpoint.last_ok_at, suffix=True) if endpoint.last_ok_at else "–",
        "rotating": bool(endpoint.old_secret) and endpoint.old_until is not None and endpoint.old_until > clock.now(),
    }


def delivery_row(delivery: WebhookDelivery) -> dict[str, Any]:
    """A line of the log."""
    number = _number(delivery)
    return {"delivery": delivery, "state": state_of(delivery), "number": number, "is_open": is_open(delivery)}


def is_open(delivery: WebhookDelivery) -> bool:
    """Whether there is more to come."""
    return delivery.state in OPEN_DELIVERIES


def body_of(delivery: WebhookDelivery, endpoint: WebhookEndpoint, user: User) -> str:
    """The body, for the one for whose eyes it was written: it holds what the owner may see."""
    if endpoint.owner_id != user.pk or not delivery.body:
        return ""
    return json.dumps(json.loads(delivery.body), indent=2, ensure_ascii=False)


def _figures(row: dict[str, Any]) -> dict[str, int]:
    return {"waiting": row.get("waiting", 0), "failed": row.get("failed", 0)}


def _number(delivery: WebhookDelivery) -> str:
    if delivery.alert_id:
        return f"ALR-{delivery.alert_id}"
    return f"INC-{delivery.incident_id}" if delivery.incident_id else ""
