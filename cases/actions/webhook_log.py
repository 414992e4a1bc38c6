"""The log of outgoing webhooks: who sees a delivery, and sending again what failed."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.webhooks import endpoint_for
from cases.actors import Actor
from cases.errors import Conflict, Missing
from cases.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.querysets import AlertQuerySet, inside
from cases.webhooks.ringing import ring
from soar.accounts import audit
from soar.accounts.models import User
from soar.lib import clock

REPLAYED_AT_MOST = 10_000
OFF = gettext_noop("The webhook is switched off. Switch it on first.")
UNDER_WAY = gettext_noop("It is under way already.")


def deliveries_for(user: User, endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """The log of an endpoint: what this person sees of the alerts and incidents that were told, and the tests."""
    seen = Q(AlertQuerySet.seen_one_by_one("alert", user)) | Q(inside("incident", user))
    return endpoint.deliveries.filter(seen | Q(alert=None, incident=None))


def delivery_for(user: User, endpoint_pk: int, pk: int) -> WebhookDelivery:
    """One delivery. Raises Missing, Forbidden."""
    endpoint = endpoint_for(user, endpoint_pk)
    found = deliveries_for(user, endpoint).select_related("endpoint").filter(pk=pk).first()
    if found is None:
        raise Missing(_("There is no delivery %(pk)s.") % {"pk": pk})
    return found


@transaction.atomic
def replay(actor: Actor, endpoint_pk: int, pk: int) -> WebhookDelivery:
    """Send one again, under the same ``webhook-id``, whatever became of it. Raises Conflict when it is under way or
    the endpoint is off, Missing, Forbidden."""
    endpoint = endpoint_for(actor.user, endpoint_pk, lock=True)
    if actor.user is not None:
        delivery_for(actor.user, endpoint_pk, pk)
    if not endpoint.enabled:
        raise Conflict(_(OFF))
    rows = endpoint.deliveries.filter(pk=pk).exclude(state__in=OPEN_DELIVERIES)
    if _again(endpoint, rows) != 1:
        raise Conflict(_(UNDER_WAY))
    audit.record(actor.user, "webhook.replayed", f"webhook {endpoint_pk} {endpoint.name}", delivery=pk)
    return WebhookDelivery.objects.select_related("endpoint").get(pk=pk)


@transaction.atomic
def replay_failed(actor: Actor, endpoint_pk: int, *, since: datetime | None = None) -> int:
    """Send all again that failed, made at or after ``since``; the oldest 10,000. Returns how many. Raises Conflict
    when the endpoint is off, Missing, Forbidden."""
    endpoint = endpoint_for(actor.user, endpoint_pk, lock=True)
    if not endpoint.enabled:
        raise Conflict(_(OFF))
    rows = endpoint.deliveries.all() if actor.user is None else deliveries_for(actor.user, endpoint)
    rows = rows.filter(state=DeliveryState.FAILED)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:REPLAYED_AT_MOST])
    number = _again(endpoint, endpoint.deliveries.filter(pk__in=ids, state=DeliveryState.FAILED))
    if number:
        audit.record(actor.user, "webhook.replayed", f"webhook {endpoint_pk} {endpoint.name}", number=number)
    return number


def _again(endpoint: WebhookEndpoint, rows: QuerySet[WebhookDelivery]) -> int:
    now = clock.now()
    number = rows.update(state=DeliveryState.WAITING, attempts=0, due_at=now, finished_at=None)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(resume_at=None)
    ring(endpoint.pk)
    return number
