"""Enabling, disabling and reloading playbooks. Audited; every worker sees it before its next task."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Conflict, Refused
from playbooks import catalog
from playbooks.actions.publishing import check_enabling
from playbooks.actions.rights import authored, needs
from playbooks.loader import load
from playbooks.models import LoadError, Playbook
from soar.accounts import audit
from soar.accounts.authority import check_whole

MINUTES_AT_MOST = 2400


@transaction.atomic
def enable(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """Let the playbook start again, also one that was deactivated: whoever enables it answers for it.

    Raises Missing or Forbidden, Conflict for one whose file cannot be loaded or is gone, and for a response playbook
    that lacks something (``publishing.check_enabling``)."""
    row = authored(actor, playbook)
    if row.kind == "response":
        check_enabling(row)
    elif row.load_error or not row.present:
        raise Conflict(_("%(name)s cannot be enabled: its file cannot be loaded or is gone.") % {"name": row.name})
    if row.enabled and not row.deactivated_reason:
        return row
    row.enabled, row.deactivated_reason = True, ""
    if row.published_by_id is not None:
        check_whole(actor.user)
        row.published_by = actor.user
    return _save(actor, row, "playbook.enabled")


@transaction.atomic
def disable(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """Let the playbook start nothing, neither by itself nor by hand. A run under way goes on; queued ones end."""
    row = authored(actor, playbook)
    if not row.enabled:
        return row
    row.enabled = False
    return _save(actor, row, "playbook.disabled")


@transaction.atomic
def set_minutes_saved(actor: Actor, playbook: Playbook | str | int, minutes: int) -> Playbook:
    """Say how many minutes of a person's work a successful run saves: 0 for "nobody said", at most a working week.

    Raises Missing or Forbidden, Refused for another number."""
    row = authored(actor, playbook)
    if not 0 <= minutes <= MINUTES_AT_MOST:
        raise Refused(
            _("Between 0 and %(minutes_at_most)s minutes.") % {"minutes_at_most": f"{MINUTES_AT_MOST:,}"},
            field="minutes_saved",
        )
    if row.minutes_saved != minutes:
        row.minutes_saved = minutes
        row.save(update_fields=["minutes_saved"])
        audit.record(actor.user, "playbook.minutes_saved", row.name, minutes=minutes)
    return row


def _save(actor: Actor, row: Playbook, verb: str) -> Playbook:
    row.modified_by, row.modified_at = actor.user, timezone.now()
    row.save(update_fields=["enabled", "deactivated_reason", "published_by", "modified_by", "modified_at"])
    audit.record(actor.user, verb, row.name)
    catalog.bump()
    return row


def reload(actor: Actor) -> dict[str, Any]:
    """Read the playbook folders again and tell every worker. Returns ``{"playbooks", "errors", "generation"}``.

    Raises Forbidden. What a file does at its import happens here too, outside of any transaction."""
    needs(actor, "author_playbooks", _("The permission to write and reload playbooks is missing."))
    loaded = load(settings.PLAYBOOK_DIRS)
    with transaction.atomic():
        generation = catalog.sync(loaded, actor.user, gone=True)
        errors = list(LoadError.objects.values("path", "name", "message", "traceback"))
        audit.record(actor.user, "playbook.reloaded", "", playbooks=len(loaded.found), errors=len(errors))
    catalog.forget()
    names = sorted(found.spec.name for found in loaded.found.values())
    return {"playbooks": names, "errors": errors, "generation": generation}
