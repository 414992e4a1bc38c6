"""What of the playbooks' side uses a connector (soar/connectors/uses.py): what may still act or tell by it.

A playbook names a capability or e-mail, not an account: it uses the account that alone can do it. Chats, webhooks and
the connectors of Python playbooks are named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from playbooks.choices import OPEN, TASK_OPEN
from playbooks.graph.actions import ACTIONS
from playbooks.models import Playbook, PlaybookVersion, ResponseTask, Run
from playbooks.response_words import label_of
from soar.connectors import registry
from soar.connectors.channel import Channel
from soar.connectors.models import ConnectorAccount
from soar.connectors.uses import MOST, Use

Definition = Mapping[str, Any]


def uses(account: ConnectorAccount) -> Iterable[Use]:
    """Open tasks and runs, enabled playbooks, and the settings that name who is told of approvals."""
    yield from _tasks(account)
    needs = Needs(account)
    yield from _runs(account, needs)
    yield from _playbooks(account, needs)
    yield from _notices(account, needs)


class Needs:
    """What only this account can do, and what it is called: whether a definition needs it."""

    def __init__(self, account: ConnectorAccount) -> None:
        others = list(ConnectorAccount.objects.filter(enabled=True).exclude(pk=account.pk))
        able = (
            frozenset[str]().union(*(registry.offered(one) for one in others)) if account.enabled else frozenset[str]()
        )
        self.name = account.name.casefold()
        self.capabilities = registry.offered(account) - able if account.enabled else frozenset[str]()
        self.mail = account.enabled and _mails(account) and not any(_mails(one) for one in others)

    def by(self, definition: Definition) -> bool:
        """Whether a graph (rulings 13) needs the account."""
        return any(self._by_node(node) for node in definition.get("nodes") or ())

    def _by_node(self, node: Definition) -> bool:
        if self._by_channels(node.get("approval") or {}):
            return True
        return any(self._by_use(use) for use in node.get("actions") or ())

    def _by_use(self, use: Definition) -> bool:
        spec = ACTIONS.get(str(use.get("action")))
        if spec is not None and spec.capability in self.capabilities:
            return True
        if use.get("action") == "email":
            return self.mail
        return self._by_channels(use.get("params") or {})

    def _by_channels(self, given: Definition) -> bool:
        if given.get("method") == "email" and self.mail:
            return True
        return self.named(given.get("channels") or ())

    def named(self, names: Iterable[Any]) -> bool:
        """Whether its name is among them."""
        return any(str(name).casefold() == self.name for name in names)


def _tasks(account: ConnectorAccount) -> Iterator[Use]:
    by_name = Q(action="channel", target_value__iexact=account.name)
    rows = ResponseTask.objects.filter(by_name | Q(account=account), status__in=TASK_OPEN)
    for task in rows.order_by("-pk")[:MOST]:
        said = f"{label_of(task.action, task.capability)} {task.target_value:.60}".strip()
        yield Use(_("The open task “%s”") % said, reverse("response-detail", args=[task.pk]))


def _runs(account: ConnectorAccount, needs: Needs) -> Iterator[Use]:
    """Runs that are not over and may come to it."""
    live = Run.objects.filter(status__in=OPEN)
    versions = PlaybookVersion.objects.filter(pk__in=live.values("version"))
    needing = [one.pk for one in versions if _by_version(one, account, needs)]
    for run in live.filter(version__in=needing).select_related("playbook").order_by("-pk")[:MOST]:
        text = _("Run %(id)s of %(name)s, which is not over") % {"id": run.pk, "name": run.playbook.name}
        yield Use(text, reverse("run-detail", args=[run.pk]))


def _playbooks(account: ConnectorAccount, needs: Needs) -> Iterator[Use]:
    rows = list(Playbook.objects.filter(enabled=True, present=True).select_related("current").order_by("name"))
    drafts = PlaybookVersion.objects.filter(playbook__in=[row.pk for row in rows if row.current is None])
    newest = {one.playbook_id: one for one in drafts.order_by("playbook_id", "-number").distinct("playbook_id")}
    for row in rows:
        version = row.current or newest.get(row.pk)
        if version is not None and _by_version(version, account, needs):
            yield Use(_("The playbook %s, which is on") % row.name, reverse("playbook-detail", args=[row.pk]))


def _notices(account: ConnectorAccount, needs: Needs) -> Iterator[Use]:
    if needs.named(settings.APPROVAL_CHANNELS):
        yield Use(_("The setting SOAR_APPROVAL_CHANNELS, which names it"))
    if needs.mail and settings.APPROVAL_RECIPIENTS:
        yield Use(_("The setting SOAR_APPROVAL_RECIPIENTS: no other connector sends e-mail"))


def _by_version(version: PlaybookVersion, account: ConnectorAccount, needs: Needs) -> bool:
    if version.definition:
        return needs.by(version.definition)
    # Of a file: its name stands there in quotes, whatever is done with it.
    return re.search(rf"""(["']){re.escape(account.name)}\1""", version.source, re.IGNORECASE) is not None


def _mails(account: ConnectorAccount) -> bool:
    kind = registry.KINDS.get(account.kind)
    return kind is not None and issubclass(kind.connector, Channel) and kind.connector.mail
