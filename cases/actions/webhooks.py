"""Every change of an endpoint of outgoing webhooks, each with its row in the audit log (ingest-and-api.md 15).

Who saves an endpoint is its owner from then on: it is sent what that account may see, and no more."""

from __future__ import annotations

import base64
import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actions.webhook_fields import check_together, checked
from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import WebhookDelivery, WebhookEndpoint
from cases.webhooks import payload
from cases.webhooks.choosing import may_own
from cases.webhooks.considering import new_event
from cases.webhooks.ringing import ring
from cases.webhooks.switching import end_open
from soar.accounts import audit
from soar.accounts.authority import check_whole
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.webhook.signing import PREFIX
from soar.lib import clock

SEES = ("manage_connectors", "view_cases", "view_all_teams")  # what decides how much an endpoint is sent
NEEDED = ("name", "url", "kinds")
KEY_BYTES = 32
OVERLAP_HOURS, OVERLAP_AT_MOST = 24, 30 * 24
ENDPOINTS_AT_MOST = 100
NOT_YOURS = gettext_noop("The permission to manage connectors is missing.")
OFF = "It was switched off."


def endpoint_for(user: User | None, pk: int, *, lock: bool = False) -> WebhookEndpoint:
    """The endpoint with this id, for those who manage connectors, and without ``lock`` for those who read what is set
    up. None is Soar itself. Raises Missing, Forbidden."""
    if lock or user is None or not may(user, "view_setup"):
        _check(user)
    rows = WebhookEndpoint.objects.select_for_update(of=("self",)) if lock else WebhookEndpoint.objects.all()
    endpoint = rows.select_related("team", "source", "owner").filter(pk=pk).first()
    if endpoint is None:
        raise Missing(_("There is no webhook %(pk)s.") % {"pk": pk})
    return endpoint


@transaction.atomic
def create(actor: Actor, *, fields: dict[str, Any]) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint. ``fields``: name, url, kinds, and if wanted team, source (slug), least_severity, cleared,
    allow_internal, ca, enabled. Returns it with its secret, which is never shown again.

    Raises Refused beside the field that is wrong, Forbidden, Conflict when there are too many."""
    _check(actor.user)
    for name in NEEDED:
        if fields.get(name) in (None, "", []):
            raise Refused(_("This is needed."), field=name)
    if WebhookEndpoint.objects.count() >= ENDPOINTS_AT_MOST:
        raise Conflict(
            _("There are %(endpoints_at_most)s webhooks already.") % {"endpoints_at_most": ENDPOINTS_AT_MOST}
        )
    secret = new_secret()
    now = clock.now()
    endpoint = WebhookEndpoint(secret=secret, created_at=now, updated_at=now, owner=_owner(actor), **checked(fields))
    check_together(str(endpoint.url), endpoint.allow_internal)
    endpoint.save()
    audit.record(actor.user, "webhook.created", _named(endpoint), **_told(endpoint))
    return endpoint, secret


@transaction.atomic
def update(actor: Actor, pk: int, *, changes: dict[str, Any], expected_version: int | None = None) -> WebhookEndpoint:
    """Change the fields given; whoever does is the owner from now on. Switching it off ends what waits, and takes
    nothing but the right to manage it: it is sent nothing then, so its owner stays.

    Raises Refused, Stale, Missing, Forbidden."""
    endpoint = _locked(actor, pk, expected_version)
    changed = {name: value for name, value in checked(changes).items() if getattr(endpoint, name) != value}
    only_off = changes.get("enabled") is False and set(changed) <= {"enabled"}
    owner = endpoint.owner if only_off else _owner(actor)
    if not changed and endpoint.owner_id == owner.pk:
        return endpoint
    for name, value in changed.items():
        setattr(endpoint, name, value)
    check_together(str(endpoint.url), endpoint.allow_internal)
    if endpoint.owner_id != owner.pk:  # what was written for other eyes is written anew when it is sent
        endpoint.deliveries.exclude(entry=0).update(body="")
    endpoint.owner = owner
    _switched(endpoint, changed)
    _saved(endpoint, *changed, "owner", "off_reason", "failures", "failing_since", "resume_at")
    audit.record(actor.user, "webhook.changed", _named(endpoint), fields=sorted(changed), **_told(endpoint))
    return endpoint


@transaction.atomic
def rotate(
    actor: Actor, pk: int, *, overlap_hours: int = OVERLAP_HOURS, expected_version: int | None = None
) -> tuple[WebhookEndpoint, str]:
    """Give it a new secret, which is returned this once. For so many hours the old one signs too; 0: not at all.

    Raises Refused, Stale, Missing, Forbidden."""
    if not 0 <= overlap_hours <= OVERLAP_AT_MOST:
        raise Refused(
            _("From 0 to %(overlap_at_most)s hours.") % {"overlap_at_most": OVERLAP_AT_MOST}, field="overlap_hours"
        )
    endpoint = _locked(actor, pk, expected_version)
    endpoint.old_secret = endpoint.secret if overlap_hours else ""
    endpoint.old_until = clock.now() + timedelta(hours=overlap_hours) if overlap_hours else None
    secret = endpoint.secret = new_secret()
    _saved(endpoint, "secret", "old_secret", "old_until")
    audit.record(actor.user, "webhook.rotated", _named(endpoint), overlap_hours=overlap_hours)
    return endpoint, secret


@transaction.atomic
def delete(actor: Actor, pk: int, *, expected_version: int | None = None) -> None:
    """Take it away with its log. Raises Stale, Missing, Forbidden."""
    endpoint = _locked(actor, pk, expected_version)
    name = _named(endpoint)
    endpoint.delete()
    audit.record(actor.user, "webhook.deleted", name)


@transaction.atomic
def test(actor: Actor, pk: int) -> WebhookDelivery:
    """Have a test sent at once, by a worker. Raises Conflict when the endpoint is off, Missing, Forbidden."""
    endpoint = endpoint_for(actor.user, pk, lock=True)
    if not endpoint.enabled:
        raise Conflict(_("It is switched off. Switch it on first."))
    now = clock.now()
    delivery = WebhookDelivery.objects.create(
        endpoint=endpoint,
        event=new_event(),
        kind=payload.TEST,
        body=payload.of_test(endpoint.name, now),
        due_at=now,
        created_at=now,
    )
    WebhookEndpoint.objects.filter(pk=pk).update(resume_at=None)
    ring(pk)
    audit.record(actor.user, "webhook.tested", _named(endpoint))
    return delivery


def new_secret() -> str:
    """``whsec_`` and 32 random bytes in Base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _switched(endpoint: WebhookEndpoint, changed: dict[str, Any]) -> None:
    """What else follows from the change: switched on, or pointed elsewhere, it begins anew."""
    if changed.get("enabled") is False:
        end_open(endpoint, OFF)
    if endpoint.enabled:
        endpoint.off_reason = ""
    if changed.get("enabled") or "url" in changed:
        endpoint.failures, endpoint.failing_since, endpoint.resume_at = 0, None, None


def _locked(actor: Actor, pk: int, expected: int | None) -> WebhookEndpoint:
    endpoint = endpoint_for(actor.user, pk, lock=True)
    if expected is not None and endpoint.version != expected:
        raise Stale(_("The webhook was changed by somebody else in the meantime. Nothing was saved."), current=endpoint)
    return endpoint


def _saved(endpoint: WebhookEndpoint, *fields: str) -> None:
    endpoint.version += 1
    endpoint.updated_at = clock.now()
    endpoint.save(update_fields=[*fields, "version", "updated_at"])


def _check(user: User | None) -> None:
    if user is not None and not may(user, "manage_connectors"):
        raise Forbidden(_(NOT_YOURS))


def _owner(actor: Actor) -> User:
    if actor.user is None:
        raise Forbidden(_("A webhook belongs to a person: it is sent what that person may see."))
    check_whole(actor.user, SEES)
    if not may_own(actor.user):
        raise Forbidden(_("A webhook is sent what you may see, and you may see no cases."))
    return actor.user


def _named(endpoint: WebhookEndpoint) -> str:
    return f"webhook {endpoint.pk} {endpoint.name}"


def _told(endpoint: WebhookEndpoint) -> dict[str, Any]:
    return {"place": endpoint.place, "kinds": endpoint.kinds, "internal": endpoint.allow_internal}
