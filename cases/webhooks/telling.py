"""Telling people that Soar has switched a webhook off: who made it, and those who manage connectors."""

from __future__ import annotations

from django.conf import settings

from cases import notices
from cases.models import WebhookEndpoint
from soar.connectors.messages import Message

TASK = "cases.tasks.tell_webhook_off"


def tell(endpoint_id: int, version: int) -> None:
    """Write to them once, unless somebody has dealt with it since. Called by a worker, outside of any transaction.
    Raises ConnectorError when it should be tried again later."""
    rows = WebhookEndpoint.objects.filter(pk=endpoint_id, version=version, enabled=False).exclude(off_reason="")
    endpoint = rows.select_related("owner").first()
    if endpoint is None:
        return
    message = Message(
        title=f"Webhook {endpoint.name} is switched off",
        text=f"Soar has switched it off, and sends nothing to it until somebody switches it on. {endpoint.off_reason}",
        facts=(("Receiver", endpoint.place),),
        link=f"{settings.SOAR_URL}/webhooks/{endpoint.pk}/",
        thread=f"webhook-{endpoint.pk}-off",
        recipients=notices.addresses("manage_connectors", endpoint.owner),
    )
    notices.mail(message, key=f"webhook-off-{endpoint.pk}-{version}")
