"""What of the cases' side uses a connector (soar/connectors/uses.py): sources that are read, ServiceNow instances."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from cases.models import AlertPull, ServiceNowInstance
from soar.connectors.models import ConnectorAccount
from soar.connectors.uses import MOST, Use


def uses(account: ConnectorAccount) -> Iterable[Use]:
    """Sources that are read with it, on or off, and the instance that it is the account of."""
    for pull in AlertPull.objects.filter(account=account).select_related("source").order_by("pk")[:MOST]:
        yield Use(_("Reading of the source %s") % pull.source.name, reverse("source-detail", args=[pull.source.slug]))
    for row in ServiceNowInstance.objects.filter(account=account):
        yield Use(_("The ServiceNow instance %s") % row.slug, reverse("servicenow-instance", args=[row.slug]))
