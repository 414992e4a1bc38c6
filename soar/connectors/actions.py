"""Every change of a connector account: rights, checks, the row and its audit line together.

``actor`` None is the system (a management command). Secrets are never part of an audit line, only their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors import quota_asking, registry
from soar.connectors.base import Health
from soar.connectors.errors import ConnectorError, Forbidden, NoConnector, Refused
from soar.connectors.kinds import COLUMNS, HIDDEN_ADDRESS, LONGEST_SECRET, Kind, check, is_masked, masked_url
from soar.connectors.models import ConnectorAccount
from soar.connectors.selectors import manages
from soar.lib import clock


def create_account(
    actor: User | None, kind: str, name: str, settings: Mapping[str, Any], secrets: Mapping[str, Any]
) -> ConnectorAccount:
    """Add an account. Settings and secrets may be texts. Raises Forbidden, or Refused with a sentence per field."""
    _may_manage(actor)
    found, name = _kind(kind), _name(name)
    values, hidden = _checked(found, settings, secrets)
    account = ConnectorAccount(kind=kind, name=name)
    account.secrets = hidden
    _put(account, values, found)
    with transaction.atomic():
        _save_named(account)
        _audit(actor, "connector.created", account, kind=kind, secrets=sorted(account.secrets))
    return account


def update_account(
    actor: User | None,
    account_id: int,
    *,
    name: str | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, Any] | None = None,
    enabled: bool | None = None,
    restricted: bool | None = None,
) -> ConnectorAccount:
    """Change what is given; ``settings`` and ``secrets`` are merged into those there are, an empty secret is removed.

    A changed ``url`` or ``proxy`` removes the secrets that are not given anew: else whoever changes it could send them
    to a server of theirs. Who says ``enabled``, on or off, has seen why Soar disabled it: that reason goes.
    Raises Forbidden, Refused, NoConnector.
    """
    with transaction.atomic():
        account = _locked(actor, account_id)
        before = _shown(account)
        if settings is not None or secrets is not None:
            _change(account, settings, secrets)
        account.name = account.name if name is None else _name(name)
        if enabled is not None:
            account.enabled, account.disabled_reason = enabled, ""
        account.restricted = account.restricted if restricted is None else restricted
        _save_named(account)
        after = _shown(account)
        changed = {key: [before.get(key), value] for key, value in after.items() if before.get(key) != value}
        if changed:
            _audit(actor, "connector.changed", account, changed=changed)
        if secrets:
            _audit(actor, "connector.secrets_set", account, secrets=sorted(secrets))
    return account


def test_account(actor: User | None, account_id: int) -> Health:
    """Test the connection and keep the result on the account. Raises Forbidden, NoConnector."""
    account = ConnectorAccount.objects.filter(pk=account_id).first()
    _may_manage(actor, account)
    if account is None:
        raise NoConnector(str(account_id))
    try:
        health = registry.of(account).test()
    except ConnectorError as error:
        health = Health(False, error.message, clock.now(), 0)
    result: dict[str, Any] = {"last_check_at": health.at, "last_error": "" if health.ok else health.message}
    if health.ok:
        result["last_ok_at"] = health.at
    with transaction.atomic():
        ConnectorAccount.objects.filter(pk=account_id).update(**result)
        _audit(actor, "connector.tested", account, ok=health.ok)
    if health.ok:
        quota_asking.ask(account_id)
    return health


def _may_manage(actor: User | None, account: ConnectorAccount | None = None) -> None:
    if actor is None or actor.has_perm("accounts.manage_connectors"):
        return
    if account is None or not manages(actor, account):
        raise Forbidden(_("You may not manage connectors."))


def _locked(actor: User | None, account_id: int) -> ConnectorAccount:
    account = ConnectorAccount.objects.select_for_update().filter(pk=account_id).first()
    _may_manage(actor, account)
    if account is None:
        raise NoConnector(str(account_id))
    return account


def _kind(name: str) -> Kind:
    try:
        return registry.KINDS[name]
    except KeyError:
        raise Refused(
            {
                "kind": _("There is no kind %(name)s. There are: %(kinds)s.")
                % {"name": repr(name), "kinds": ", ".join(registry.KINDS)}
            }
        ) from None


def _name(name: str) -> str:
    clean = " ".join(name.split())
    if not clean or len(clean) > 100 or not clean.isprintable():
        raise Refused({"name": _("A name has 1 to 100 printable characters.")})
    return clean


def _checked(
    kind: Kind, settings: Mapping[str, Any], secrets: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    open_ones = check(kind.all_settings(), settings)
    hidden = check(kind.secrets, secrets, longest=LONGEST_SECRET)
    errors = open_ones.errors | hidden.errors or _lost_address(kind, open_ones.values["url"])
    if errors := errors or kind.problems(open_ones.values, hidden.values):
        raise Refused(errors)
    return open_ones.values, {key: value for key, value in hidden.values.items() if value}


def _change(account: ConnectorAccount, settings: Mapping[str, Any] | None, secrets: Mapping[str, Any] | None) -> None:
    """Put both into the row, checked together, so that a form shows all that is wrong at once."""
    kind, columns = _kind(account.kind), {name: getattr(account, name) for name in COLUMNS}
    checked = check(kind.all_settings(), {**account.settings, **columns, **(settings or {})})
    moved = (checked.values.get("url"), checked.values.get("proxy")) != (account.settings.get("url", ""), account.proxy)
    kept = {} if moved else account.readable_secrets()
    address = kept.pop(HIDDEN_ADDRESS, None)
    hidden = check(kind.secrets, {**kept, **(secrets or {})}, longest=LONGEST_SECRET)
    errors = checked.errors | hidden.errors
    if not errors and not address:
        errors = _lost_address(kind, checked.values["url"])
    if errors := errors or kind.problems(checked.values, hidden.values):
        raise Refused(errors)
    account.secrets = {name: value for name, value in hidden.values.items() if value}
    if address:
        account.secrets = {**account.secrets, HIDDEN_ADDRESS: address}
    _put(account, checked.values, kind)


def _lost_address(kind: Kind, url: str) -> dict[str, str]:
    """An address that is only what may be shown of one leads nowhere."""
    if kind.secret_url and is_masked(url):
        return {"url": _("Give the whole address; what is shown is only its host.")}
    return {}


def _put(account: ConnectorAccount, values: dict[str, Any], kind: Kind) -> None:
    if kind.secret_url and not is_masked(values["url"]):
        account.secrets = {**account.secrets, HIDDEN_ADDRESS: values["url"]}
        values["url"] = masked_url(values["url"])
    for name in COLUMNS:
        setattr(account, name, values[name])
    account.settings = {key: value for key, value in values.items() if key not in COLUMNS and value != ""}


def _save_named(account: ConnectorAccount) -> None:
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:
        if "connector_name_once" not in str(error):
            raise
        raise Refused(
            {"name": _("There is already a connector named %(name)s.") % {"name": repr(account.name)}}
        ) from None


def _shown(account: ConnectorAccount) -> dict[str, Any]:
    columns = {name: getattr(account, name) for name in (*COLUMNS, "name", "enabled", "restricted")}
    return {**account.settings, **columns, "secrets": sorted(account.readable_secrets())}


def _audit(actor: User | None, verb: str, account: ConnectorAccount, **data: Any) -> None:
    audit.record(actor, verb, f"connector {account.name}", **data)
