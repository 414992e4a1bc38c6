"""What uses a connector: asked before one is removed. Each floor above answers for itself (settings.CONNECTOR_USES)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.conf import settings
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.intelligence.feeds.imports import OPEN
from soar.connectors.models import ConnectorAccount, FeedImport, FeedState, Route

MOST = 20  # of one sort are named


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that needs the connector: ``text`` for people, ``url`` of its page, "" for none."""

    text: str
    url: str = ""


def uses_of(account: ConnectorAccount) -> list[Use]:
    """All that is open and uses the account, as everybody who counts names it."""
    found: list[Use] = []
    for name in settings.CONNECTOR_USES:
        ask: Callable[[ConnectorAccount], Iterable[Use]] = import_string(name)
        found += ask(account)
    return found


def own(account: ConnectorAccount) -> Iterable[Use]:
    """Rules of routing, and a feed whose values are just coming in."""
    for rule in Route.objects.filter(account=account)[:MOST]:
        known = CAPABILITIES.get(rule.capability)
        said = known.label if known else rule.capability or _("All actions")
        yield Use(_("A rule of “Which connector acts”: %s") % said, _rules())
    importing = FeedImport.objects.filter(account=account, status__in=OPEN).exists()
    if importing or FeedState.objects.filter(account=account, started_at__isnull=False).exists():
        yield Use(_("An import of the feed that is under way"), reverse("feed-index"))


def _rules() -> str:
    return reverse("connector-list") + "#routes"
