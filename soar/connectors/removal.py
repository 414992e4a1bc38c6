"""Taking a connector away: only when nothing open uses it. Its row stays, without secrets, for what it has done."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors.errors import Forbidden, NoConnector, Refused
from soar.connectors.models import (
    AccessToken,
    ConnectorAccount,
    ConnectorGroupPermission,
    ConnectorUserPermission,
    FeedEntry,
    FeedState,
    ProviderAnswer,
    SandboxQuota,
)
from soar.connectors.uses import Use, uses_of
from soar.lib import clock

# What an account alone makes sense of; calls, tasks and tickets stay with its row.
ITS_OWN = (
    AccessToken,
    ConnectorGroupPermission,
    ConnectorUserPermission,
    FeedEntry,
    FeedState,
    ProviderAnswer,
    SandboxQuota,
)


class InUse(Refused):
    """Something open needs the connector. ``uses``: what."""

    def __init__(self, name: str, uses: list[Use]) -> None:
        self.uses = uses
        named = "; ".join(one.text for one in uses[:5])
        more = f" and {len(uses) - 5} more" if len(uses) > 5 else ""
        super().__init__(
            {
                "": _("%(name)s is in use and was not removed: %(named)s%(more)s.")
                % {"name": name, "named": named, "more": more}
            }
        )


def remove_account(actor: User | None, account_id: int) -> ConnectorAccount:
    """Take the account away: off, secrets wiped, name free again. Returns its row.

    Raises Forbidden, NoConnector (also the second time), InUse with all that needs it."""
    with transaction.atomic():
        # A call that begins now waits for this lock and is then refused (attempts.begin): what is not found below,
        # because it is just being made, sends nothing and ends with that reason.
        account = ConnectorAccount.objects.select_for_update(of=("self",)).filter(pk=account_id).first()
        if actor is not None and not actor.has_perm("accounts.manage_connectors"):
            raise Forbidden(_("You may not remove connectors."))
        if account is None:
            raise NoConnector(str(account_id))
        if uses := uses_of(account):
            raise InUse(account.name, uses)
        for model in ITS_OWN:
            _forget(model, account)
        account.removed_at, account.removed_by = clock.now(), actor.display_name() if actor else "Soar"
        account.enabled, account.disabled_reason, account.secrets = False, "", {}
        account.save()
        audit.record(actor, "connector.removed", f"connector {account.name}", kind=account.kind)
    return account


def _forget(model: type, account: ConnectorAccount) -> None:
    field = "content_object" if "Permission" in model.__name__ else "account"
    rows = model._default_manager.filter(**{field: account})  # type: ignore[attr-defined]
    rows._raw_delete(rows.db)  # a feed has a million entries, and nothing hangs on any of these
