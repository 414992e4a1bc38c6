"""Accounts of the practice range: made once, found again at every start, left alone when a person changed them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from soar.connectors import actions, registry
from soar.connectors.kinds import HIDDEN_ADDRESS
from soar.connectors.models import ConnectorAccount
from soar.standins import folder
from soar.standins.base import Standin
from soar.standins.server import Server

Kinds = Mapping[str, Standin | type[Standin]]
PREFIX = "Practice"
ACCOUNTS = "accounts"


def try_out(names: list[str]) -> None:
    """Test the connection of these accounts, so that they do not stand there as untried."""
    for account in ConnectorAccount.objects.filter(name__in=names):
        actions.test_account(None, account.pk)


def connect(server: Server) -> list[str]:
    """Make an account for each stand-in that has none yet, and give the others the address of today.

    An account that somebody removed is not made again; one whose address was changed is not touched. Returns the
    names of new ones."""
    return connect_to(server.urls, server.standins)


def connect_to(places: Mapping[str, dict[str, str]], standins: Kinds) -> list[str]:
    """The same for a range of another process, by its ``urls`` and the kinds of its stand-ins."""
    known: dict[str, dict[str, Any]] = folder.read(ACCOUNTS) or {}
    names = []
    for kind, place in places.items():
        if kind in registry.KINDS:
            standin = standins[kind]
            account = _follow(standin, known[kind], place["url"]) if kind in known else _make(standin, place["url"])
            if kind not in known and account is not None:
                names.append(account.name)
            known[kind] = {"id": account.pk if account else 0, "url": place["url"]}
    folder.write(ACCOUNTS, known)
    return names


def _make(standin: Standin | type[Standin], url: str) -> ConnectorAccount | None:
    kind = registry.KINDS[standin.kind]
    name = f"{PREFIX} {kind.label}"
    if ConnectorAccount.objects.filter(name__iexact=name).exists():
        return None
    # A stand-in that is not particular takes any secret.
    secrets = {one.name: "practice" for one in kind.secrets if one.required} | standin.secrets
    return actions.create_account(None, kind.name, name, {**_settings(url), **standin.settings}, secrets)


def _follow(standin: Standin | type[Standin], known: dict[str, Any], url: str) -> ConnectorAccount | None:
    """The range may stand at another port than last time: then the account goes along, with its secrets."""
    account = ConnectorAccount.objects.filter(pk=known["id"], kind=standin.kind).first()
    if account is None or url == known.get("url"):
        return account
    if not leads_to(account, known.get("url", "")):
        return account
    # Any other secret belonged to the old address: the action would drop it.
    kept = {name: value for name, value in account.secrets.items() if name != HIDDEN_ADDRESS}
    return actions.update_account(None, account.pk, settings={"url": url}, secrets=kept)


def leads_to(account: ConnectorAccount, url: str) -> bool:
    """Whether the account still has this address."""
    kind = registry.KINDS[account.kind]
    now = account.secrets.get(HIDDEN_ADDRESS) if kind.secret_url else account.settings.get("url")
    return bool(now == url)


def _settings(url: str) -> dict[str, str]:
    return {"url": url, "allow_internal": "true"}
