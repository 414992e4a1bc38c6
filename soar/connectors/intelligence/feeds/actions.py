"""Importing feeds, from a file or from their address, by a worker; when they are due."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.base import ConnectorError
from soar.connectors.errors import Forbidden, NoConnector, Refused
from soar.connectors.intelligence.feeds import files, imports
from soar.connectors.intelligence.feeds.files import Writer
from soar.connectors.intelligence.feeds.source import FEED_KINDS, Brought, FeedSource
from soar.connectors.intelligence.feeds.staging import stage
from soar.connectors.intelligence.feeds.store import replace
from soar.connectors.models import ConnectorAccount, FeedImport, FeedState
from soar.connectors.removal import remove_account
from soar.lib import clock
from soar.lib.crypto import DecryptionError
from soar.lib.queue import enqueue

logger = logging.getLogger(__name__)
TASK = "soar.connectors.intelligence.feeds.actions.bring"
LOST = timedelta(minutes=30)  # an import that began so long ago died with its worker


def request_file(actor: User | None, account_id: int, writer: Writer, name: str = "") -> FeedImport:
    """Have a worker put the values of a received file in place of the feed's.

    Raises Forbidden, NoConnector, Refused (no feed, another file under way); the caller then discards the file."""
    _may(actor)
    account = _account(account_id)
    if account.kind != "feed":
        raise Refused(
            {
                "file": _("%(name)s brings its values itself; files go to feeds of the kind “feed”.")
                % {"name": account.name}
            }
        )
    return imports.request(actor, account, writer.name, writer.size, name)


def request_import(actor: User | None, account_id: int) -> bool:
    """Have a worker bring the feed from its address. False if that is under way. Raises Forbidden, Refused."""
    _may(actor)
    account = _account(account_id)
    if not account.settings.get("url"):
        raise Refused({"": _("This feed has no address; import it from a file.")})
    if not account.enabled:
        raise Refused({"": _("The feed %(name)s is switched off.") % {"name": account.name}})
    with transaction.atomic():
        return _begin(account_id)


def remove(actor: User | None, account_id: int) -> str:
    """Remove a feed with its entries. Returns its name. Raises Forbidden, NoConnector, InUse."""
    _may(actor)
    return remove_account(actor, _account(account_id).pk).name


def ring() -> None:
    """Queue the imports that are due, and those whose worker was lost. Scheduled; may run twice."""
    imports.sweep()
    now = clock.now()
    for account in ConnectorAccount.objects.filter(kind__in=FEED_KINDS, enabled=True).select_related("feed"):
        every = account.settings.get("every_minutes") or 0
        state = getattr(account, "feed", None)
        last = max(filter(None, (state.imported_at, state.failed_at)), default=None) if state else None
        if every and account.settings.get("url") and (last is None or last + timedelta(minutes=every) <= now):
            with transaction.atomic():
                _begin(account.pk)


def bring(account_id: int) -> None:
    """Bring a feed from its address and take it in; a failure is written into its state. For a worker."""
    account = ConnectorAccount.objects.filter(pk=account_id, kind__in=FEED_KINDS).first()
    if account is None:
        return
    state = _state(account_id)
    try:
        # What was read by other settings is read again, though the file be the same.
        same = state.imported_at is not None and account.updated_at <= state.imported_at
        brought = _source(account).bring(*((state.etag, state.modified) if same else ("", "")))
        if brought is None:
            _note(account_id, imported_at=clock.now(), last_error="", failed_at=None, started_at=None)
            return
        _taken(account, brought)
    except (ConnectorError, DecryptionError, ValueError) as error:
        logger.warning("Feed %s was not imported: %s", account.name, error)
        _note(account_id, last_error=str(error)[:1000], failed_at=clock.now(), started_at=None)
    else:
        _note(account_id, etag=brought.etag, modified=brought.modified)


def _source(account: ConnectorAccount) -> FeedSource:
    found = registry.KINDS[account.kind].connector(account)
    assert isinstance(found, FeedSource), account.kind
    return found


def _taken(account: ConnectorAccount, brought: Brought) -> None:
    _state(account.pk)
    with files.scratch() as staged:
        counts = stage(brought.rows, account.settings["effect"], staged)
        replace(account.pk, staged, counts)


def _begin(account_id: int) -> bool:
    """Queue an import unless one is under way: the conditional UPDATE is the claim."""
    _state(account_id)
    free = Q(started_at__isnull=True) | Q(started_at__lt=clock.now() - LOST)
    if not FeedState.objects.filter(free, account=account_id).update(started_at=clock.now()):
        return False
    enqueue(TASK, account_id)
    return True


def _state(account_id: int) -> FeedState:
    return FeedState.objects.get_or_create(account_id=account_id)[0]


def _note(account_id: int, **values: object) -> None:
    FeedState.objects.filter(account=account_id).update(**values)


def _account(account_id: int) -> ConnectorAccount:
    account = ConnectorAccount.objects.filter(pk=account_id, kind__in=FEED_KINDS).first()
    if account is None:
        raise NoConnector(str(account_id))
    return account


def _may(actor: User | None) -> None:
    if actor is not None and not actor.has_perm("accounts.manage_connectors"):
        raise Forbidden(_("You may not manage feeds."))
