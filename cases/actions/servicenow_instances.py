"""Every change of a ServiceNow instance, each with its row in the audit log (servicenow.md 1, 5).

Address and credentials are of its connector account. Here are the slug in the address of its webhook, the webhook's
secret and the pace of the polls."""

from __future__ import annotations

import re
import secrets
from typing import Any
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Forbidden, Missing, Refused, Stale
from cases.models import ServiceNowInstance
from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors import selectors
from soar.connectors.models import ConnectorAccount
from soar.lib import clock

KIND = "servicenow"
SECONDS = (5, 3600)  # between two polls
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
RESERVED = {"new"}
SECRET_BYTES = 32
LATER = ("webhook_secret",)  # read when it is needed: a lost key must not take the pages down


def may_set_up(actor: Actor) -> None:
    """Raise Forbidden for who may not set up, pause or change instances and profiles. The system may."""
    if actor.user is not None and not may(actor.user, "manage_connectors"):
        raise Forbidden(_("The permission to manage connectors is missing."))


def free_accounts(user: User | None) -> list[ConnectorAccount]:
    """The ServiceNow accounts that this person may use and that no instance has yet, by name."""
    rows = ConnectorAccount.objects.all() if user is None else selectors.usable_by(user)
    return list(rows.filter(kind=KIND, servicenow=None).order_by("name"))


def slug_for(account: ConnectorAccount) -> str:
    """A free slug for an account: the first part of its host."""
    host = urlsplit(str(account.settings.get("url", ""))).hostname or ""
    plain = slugify(host.split(".")[0] if not host.replace(".", "").isdigit() else account.name)[:50] or KIND
    taken = RESERVED | set(ServiceNowInstance.objects.values_list("slug", flat=True))
    return next(slug for slug in (plain, *(f"{plain}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


@transaction.atomic
def create(actor: Actor, *, account: int, slug: str = "", every_seconds: int = 30) -> tuple[ServiceNowInstance, str]:
    """Make the instance of a connector account. Returns it with its webhook's secret, in clear this once.

    Raises Refused beside the field that is wrong, Forbidden."""
    may_set_up(actor)
    chosen = next((one for one in free_accounts(actor.user) if one.pk == account), None)
    if chosen is None:
        raise Refused(_("There is no such ServiceNow connector without an instance."), field="account")
    secret = secrets.token_urlsafe(SECRET_BYTES)
    row = ServiceNowInstance(account=chosen, slug=_slug(slug or slug_for(chosen)), webhook_secret=secret)
    row.every_seconds = _seconds(every_seconds)
    row.due_at = row.reconcile_at = row.created_at = clock.now()
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        taken = "slug" in str(error)
        text = _("There is an instance of this slug already.") if taken else _("It has an instance already.")
        raise Refused(text, field="slug" if taken else "account") from error
    audit.record(actor.user, "servicenow.instance_created", row.slug, connector=chosen.name)
    return row, secret


@transaction.atomic
def update(actor: Actor, slug: str, *, every_seconds: int, expected_version: int | None = None) -> ServiceNowInstance:
    """Set the seconds between two polls. ``expected_version``: the one that was read, None to overwrite whatever is
    there. Raises Refused, Stale, Missing, Forbidden."""
    row = _locked(actor, slug)
    seconds = _seconds(every_seconds)
    if expected_version is not None and row.version != expected_version:
        raise Stale(_("The instance was changed by somebody else in the meantime. Nothing was saved."), current=row)
    if row.every_seconds != seconds:
        audit.record(actor.user, "servicenow.instance_changed", row.slug, every_seconds=[row.every_seconds, seconds])
        row.every_seconds = seconds
        row.due_at = clock.now()
        row.version += 1
        row.save(update_fields=["every_seconds", "due_at", "version"])
    return row


@transaction.atomic
def rotate_secret(actor: Actor, slug: str) -> tuple[ServiceNowInstance, str]:
    """Give the webhook a new secret, returned in clear this once; the old one is refused from now on."""
    row = _locked(actor, slug)
    row.webhook_secret = secrets.token_urlsafe(SECRET_BYTES)
    row.save(update_fields=["webhook_secret"])
    audit.record(actor.user, "servicenow.secret_rotated", row.slug)
    return row, row.webhook_secret


@transaction.atomic
def remove(actor: Actor, slug: str) -> None:
    """Take the instance and its profiles away; the connector stays. Raises Conflict once a ticket was linked, so that
    nobody loses what was synced; Missing, Forbidden."""
    row = _locked(actor, slug)
    if row.links.exists():
        raise Conflict(_("Incidents are linked with tickets of this instance. Pause it instead."))
    row.delete()
    audit.record(actor.user, "servicenow.instance_removed", slug)


def instance_for(slug: str) -> ServiceNowInstance:
    """The instance with its account. Raises Missing."""
    found = ServiceNowInstance.objects.select_related("account").defer(*LATER).filter(slug=slug).first()
    if found is None:
        raise Missing(_("There is no ServiceNow instance %(slug)s.") % {"slug": f"{slug!s:.60}"})
    return found


def _locked(actor: Actor, slug: str) -> ServiceNowInstance:
    may_set_up(actor)
    row = ServiceNowInstance.objects.select_for_update().defer(*LATER).filter(slug=slug).first()
    if row is None:
        raise Missing(_("There is no ServiceNow instance %(slug)s.") % {"slug": f"{slug!s:.60}"})
    return row


def _slug(value: Any) -> str:
    text = str(value).strip().lower()
    if not SLUG.fullmatch(text) or text in RESERVED:
        raise Refused(_("1 to 60 small letters, digits and hyphens; it stands in an address."), field="slug")
    return text


def _seconds(value: Any) -> int:
    low, high = SECONDS
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Refused(
            _("This is a whole number from %(low)s to %(high)s.") % {"low": low, "high": high}, field="every_seconds"
        )
    return value
