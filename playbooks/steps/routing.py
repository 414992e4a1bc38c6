"""Which account does it: the first route that fits and whose account can, else the first account that can
(connectors.md 2). The playbook names the capability, not the vendor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from soar.accounts.models import User
from soar.connectors import registry, selectors
from soar.connectors.capabilities import Target as Aim
from soar.connectors.models import ConnectorAccount, Route
from soar.connectors.responder import Responder
from soar.lib import rows
from soar.lib.database import prepared

ROUTES = f'SELECT {rows.columns(Route, "r")} FROM connectors_route r ORDER BY r."order", r.id'  # noqa: S608
Target = Mapping[str, Any]


def serving(capability: str, user: User | None = None) -> list[ConnectorAccount]:
    """The enabled accounts that serve it and that ``user`` may use (None: all), oldest first."""
    if user is None:
        return [row for row in selectors.enabled_accounts() if serves(row, capability)]
    return [row for row in selectors.usable_by(user).filter(enabled=True).order_by("pk") if serves(row, capability)]


def routes() -> list[Route]:
    """All rules in their order."""
    with prepared() as cursor:
        return [rows.made(Route, row) for row in cursor.execute(ROUTES, prepare=True).fetchall()]


def serves(account: ConnectorAccount, capability: str) -> bool:
    """Whether the account does it."""
    return capability in registry.offered(account)


def route(
    capability: str, target: Target, able: Iterable[ConnectorAccount], routes: Iterable[Route]
) -> ConnectorAccount | None:
    """The account for this target, of those ``able`` to do it, without those that do it to other kinds of target only,
    and without those that are for another place (cluster, project), unless all are.
    Routes in their order; a rule that fits an account which cannot do it is passed over. Without any rule that fits:
    the first able account that no rule reserves; None if all accounts are kept for other targets by rules."""
    taking = [account for account in able if _takes(account, capability, target)]
    by_id = {account.pk: account for account in [one for one in taking if _responsible(one, target)] or taking}
    reserved = set()
    for rule in routes:
        if rule.account_id not in by_id or rule.capability not in ("", capability):
            continue
        if _fits(rule, target):
            return by_id[rule.account_id]
        reserved.add(rule.account_id)
    return next((account for pk, account in by_id.items() if pk not in reserved), None)


def unserved(capability: str, label: str) -> str:
    """The reason of a task that nobody can do, as a sentence."""
    return f"No connector is set up for “{label}”."


def _takes(account: ConnectorAccount, capability: str, target: Target) -> bool:
    """Whether the account does it to a target of this kind; of a kind that is not known, whoever said so."""
    kind = registry.KINDS.get(account.kind)
    if kind is None or not issubclass(kind.connector, Responder):
        return True
    return kind.connector.accepts(account, capability, str(target.get("kind", "")), target.get("facts") or {})


def _responsible(account: ConnectorAccount, target: Target) -> bool:
    kind = registry.KINDS.get(account.kind)
    if kind is None or not issubclass(kind.connector, Responder):
        return True
    named = Aim(str(target.get("kind", "")), str(target.get("value", "")), dict(target.get("facts") or {}))
    return kind.connector.responsible(account.settings, named)


def _fits(rule: Route, target: Target) -> bool:
    asset = target.get("asset") or {}
    groups = {str(one).casefold() for one in asset.get("groups", ())}
    tags = {str(one).casefold() for one in asset.get("tags", ())}
    if rule.asset_group and rule.asset_group.casefold() not in groups:
        return False
    if rule.tag and rule.tag.casefold() not in tags:
        return False
    return not rule.domain or any(_below(name, rule.domain) for name in _names(target))


def _names(target: Target) -> list[str]:
    facts = target.get("facts") or {}
    value = str(target.get("value", ""))
    found = [value, str(facts.get("endpoint") or ""), str(facts.get("mailbox") or "")]
    if target.get("kind") == "url":
        found.append(urlsplit(value).hostname or "")
    return [name.rpartition("@")[2] for name in found if name]


def _below(name: str, domain: str) -> bool:
    wanted = domain.casefold().lstrip(".")
    text = name.casefold().rstrip(".")
    # CORP\a.voss belongs to the domain CORP.
    return text == wanted or text.endswith(f".{wanted}") or text.partition("\\")[0] == wanted
