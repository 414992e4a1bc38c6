"""Who may be let in to connector accounts by name: use < manage (access.md 3, rulings 20)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts import audit
from soar.accounts.access.actions import reason_of
from soar.accounts.access.kinds import Grantable, Has, Way, by_id, managed
from soar.accounts.models import User
from soar.connectors.models import ConnectorAccount
from soar.connectors.selectors import CONNECTOR


class ConnectorKind(Grantable):
    """Connector accounts. A restricted one is used by those alone who were let in, or manage connectors."""

    name, rule, model = "connector", CONNECTOR, ConnectorAccount
    manager, is_setup = "manage_connectors", True
    noun, plural, closable = gettext_lazy("the connector"), gettext_lazy("Connectors"), True

    def found(self, ref: str) -> QuerySet[ConnectorAccount]:
        """By its id; not what was removed."""
        return by_id(ConnectorAccount.objects.all(), ref)

    def title(self, obj: ConnectorAccount) -> str:
        """Its name."""
        return obj.name

    def url(self, obj: ConnectorAccount) -> str:
        """Its page."""
        return reverse("connector-detail", args=[obj.pk])

    def is_closed(self, obj: ConnectorAccount) -> bool:
        """Restricted: running playbooks does not suffice."""
        return obj.restricted

    def set_closed(self, user: User, obj: ConnectorAccount, closed: bool, reason: str) -> None:
        """Written to the audit log."""
        set_restricted(user, obj.pk, closed, reason)

    def manages(self, user: User, obj: ConnectorAccount) -> bool:
        """Restricting keeps nobody out who manages connectors."""
        return self.by_role(user) or super().manages(user, obj)

    def ways(self, obj: ConnectorAccount, has: Has) -> list[Way]:
        """Whoever manages connectors, and whoever runs playbooks."""
        return [
            Way("role", _("Manages connectors"), has("manage_connectors"), _("By role"), always=True),
            Way("role", _("Runs playbooks"), has("run_playbooks"), _("By role")),
        ]

    def role_levels(self, has: Has) -> list[tuple[str, Q]]:
        """Whoever manages connectors."""
        return [("manage", has("manage_connectors"))]


@transaction.atomic
def set_restricted(user: User, account_id: int, restricted: bool, reason: str = "") -> ConnectorAccount:
    """Let the role that runs playbooks not suffice to use the account, or again. Raises Missing, Forbidden, Refused."""
    account: ConnectorAccount = managed(CONNECTOR_ACCESS, user, str(account_id), lock=True)
    CONNECTOR_ACCESS.check_gives(user, account, "manage")
    if account.restricted != restricted:
        account.restricted = restricted
        account.save(update_fields=["restricted", "updated_at"])
        why = {"reason": reason_of(reason)} if reason.strip() else {}
        verb = "access.restricted" if restricted else "access.unrestricted"
        audit.record(user, verb, account.name, object="connector", id=account.pk, **why)
    return account


CONNECTOR_ACCESS = ConnectorKind()
