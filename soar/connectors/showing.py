"""What pages and the API show of an account: state with its reason, what it can do, its settings without secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.channel import CLEARED, Channel
from soar.connectors.choice_words import choice_label
from soar.connectors.kinds import COLUMNS, Setting
from soar.connectors.models import Attempt, ConnectorAccount
from soar.connectors.registry import KINDS
from soar.lib import tls
from soar.lib.clock import iso

LABELS = {
    "base_dn": gettext_lazy("Base DN"),
    "targets": gettext_lazy("Kinds of object"),
    "result": gettext_lazy("Path of the result"),
    "expected": gettext_lazy("Result that is a success"),
    "changed": gettext_lazy("Path of whether it was changed"),
    "repeatable": gettext_lazy("The product takes the same request twice for one"),
    "undo_method": gettext_lazy("Method of taking it back"),
    "undo_path": gettext_lazy("Path of taking it back"),
    "undo_body": gettext_lazy("Body of taking it back"),
    "group6": gettext_lazy("Group for IPv6"),
    "vdom": gettext_lazy("Virtual domain"),
    "vsys": gettext_lazy("Virtual system"),
    "ca": gettext_lazy("Certificate authority"),
    "unnamed": gettext_lazy("Take targets that name no cluster"),
    "labels": gettext_lazy("Other labels of an isolated pod"),
    "grace_seconds": gettext_lazy("Seconds to end"),
    "revoke": gettext_lazy("What is revoked"),
    "what": gettext_lazy("What is read"),
    "member_cid": gettext_lazy("Customer ID of the child"),
    "url": gettext_lazy("Address"),
    "allow_internal": gettext_lazy("Allow addresses inside the network"),
    "verify_tls": gettext_lazy("Check the server's certificate"),
    "proxy": gettext_lazy("HTTP proxy"),
    "timeout_seconds": gettext_lazy("Longest silence, seconds"),
    "rate_per_minute": gettext_lazy("Calls a minute"),
    "cleared": gettext_lazy("Cleared up to"),
    "security": gettext_lazy("Encryption"),
    "token": gettext_lazy("Token"),
    "username": gettext_lazy("User name"),
    "client_id": gettext_lazy("Client ID"),
    "auth": gettext_lazy("Way of signing in"),
    "api_key": gettext_lazy("API key"),
    "test_path": gettext_lazy("Path of the test"),
    "tlp": gettext_lazy("Ask up to TLP"),
    "strip_query": gettext_lazy("Leave out the query of URLs"),
    "keep_hours": gettext_lazy("Hours an answer counts"),
    "rate_per_day": gettext_lazy("Calls a day"),
    "malicious_at": gettext_lazy("Malicious from"),
    "suspicious_at": gettext_lazy("Suspicious from"),
    "strong": gettext_lazy("Its class malicious decides by itself"),
    "every_minutes": gettext_lazy("Minutes between imports"),
    "key_header": gettext_lazy("Header of the key"),
    "real_time_response": gettext_lazy("Fetch files, end processes and run scripts on hosts (Real Time Response)"),
    "sandbox": gettext_lazy("Have addresses and files analysed in its sandbox"),
    "live_response": gettext_lazy("Fetch files from machines and run scripts on them (live response)"),
}

# Beside a value there is less room than over a field.
SHORT = {
    "allow_internal": gettext_lazy("Inside the net"),
    "verify_tls": gettext_lazy("Certificate"),
    "ca": gettext_lazy("Authority"),
    "unnamed": gettext_lazy("No cluster named"),
    "labels": gettext_lazy("Labels"),
    "timeout_seconds": gettext_lazy("Silence"),
    "repeatable": gettext_lazy("Repeatable"),
    "real_time_response": gettext_lazy("Real Time Response"),
    "sandbox": gettext_lazy("Sandbox"),
    "live_response": gettext_lazy("Live response"),
}


class State(NamedTuple):
    """How an account does: the class of the badge, its sign, a word, and the reason where there is one."""

    tone: str
    sign: str
    word: Any
    reason: str = ""


OFF = State("is-no_action", "st-no_action", gettext_lazy("Off"))
REMOVED = State("is-no_action", "st-no_action", gettext_lazy("Removed"))
DISABLED = State("is-unsuccessful", "st-unsuccessful", gettext_lazy("Switched off by Soar"))
FAILS = State("is-unsuccessful", "st-unsuccessful", gettext_lazy("Fails"))
WORKS = State("is-successful", "st-successful", gettext_lazy("Works"))
BY_HAND = State("is-queued", "st-queued", gettext_lazy("From files"))
UNTESTED = State("is-queued", "st-queued", gettext_lazy("Not tested"))
UNKNOWN = State("is-unsuccessful", "st-unsuccessful", gettext_lazy("Unknown kind"))


def state_of(account: ConnectorAccount) -> State:
    """The state of an account and why."""
    if account.kind not in KINDS:
        return UNKNOWN._replace(reason=_("This version knows no kind %s.") % account.kind)
    if account.removed_at is not None:
        return REMOVED
    if not account.enabled:
        return DISABLED._replace(reason=account.disabled_reason) if account.disabled_reason else OFF
    if account.last_error:
        return FAILS._replace(reason=account.last_error)
    if account.kind == "feed" and not account.settings.get("url"):
        return BY_HAND
    return WORKS if account.last_ok_at else UNTESTED._replace(reason=_("Nobody has tested the connection yet."))


def kind_label(name: str) -> str:
    """The name of a kind for people."""
    return KINDS[name].label if name in KINDS else name


def label_of(setting: Setting) -> Any:
    """What stands over a field."""
    return LABELS.get(setting.name) or setting.name.replace("_", " ").capitalize()


def serves(account: ConnectorAccount) -> list[str]:
    """What an account can do, by the words that people read."""
    offered = registry.offered(account)
    return [_(CAPABILITIES[name].label) for name in CAPABILITIES if name in offered]


def does(account: ConnectorAccount) -> str:
    """In a few words what it is there for."""
    kind = KINDS.get(account.kind)
    if kind is None:
        return ""
    if issubclass(kind.connector, Channel):
        cleared = str(account.settings.get("cleared") or CLEARED.default)
        return _("Messages up to TLP:%s") % cleared.upper()
    if names := serves(account):
        return names[0] if len(names) == 1 else _("%d response actions") % len(names)
    return _(kind.summary) if kind.summary else ""


def value_of(account: ConnectorAccount, setting: Setting) -> Any:
    """The value of a setting: a column of the account, or of its own settings, or the default."""
    if setting.name in COLUMNS:
        return getattr(account, setting.name)
    return account.settings.get(setting.name, setting.default)


def facts(account: ConnectorAccount) -> list[tuple[Any, str]]:
    """The settings with their labels, those that are set."""
    kind = KINDS.get(account.kind)
    if kind is None:
        return []
    known = kind.all_settings()
    shown = [(SHORT.get(one.name) or label_of(one), _words(one, value_of(account, one))) for one in known]
    return [(label, words) for label, words in shown if words]


def secret_names(account: ConnectorAccount) -> list[str]:
    """Which secrets are set; never a part of one."""
    return sorted(account.readable_secrets())


def attempt_rows(user: User, attempts: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Calls for a page: what was sent and answered, without secrets, and how long it took. ``hidden`` are those about a
    case that the person does not see (settings.CALLS_HIDDEN): of these only what was called, when, and how it ended."""
    closed: set[int] = import_string(settings.CALLS_HIDDEN)(user, attempts)
    return [_attempt_row(one, hidden=one.pk in closed) for one in attempts]


def _attempt_row(attempt: Attempt, *, hidden: bool) -> dict[str, Any]:
    ended = attempt.finished_at
    row = {
        "attempt": attempt,
        "milliseconds": round((ended - attempt.started_at).total_seconds() * 1000) if ended else None,
        "hidden": hidden,
    }
    if hidden:
        return {**row, "error": "", "request": "", "answer": ""}
    return {
        **row,
        "error": attempt.error,
        "request": json.dumps(attempt.request, indent=2, ensure_ascii=False),
        "answer": json.dumps(attempt.response, indent=2, ensure_ascii=False) if attempt.response else "",
    }


def account_dict(account: ConnectorAccount) -> dict[str, Any]:
    """An account in JSON. Of its secrets only the names."""
    return {
        "id": account.pk,
        "kind": account.kind,
        "name": account.name,
        "settings": {**account.settings, **{name: getattr(account, name) for name in COLUMNS}},
        "secrets": secret_names(account),
        "capabilities": sorted(registry.offered(account)),
        "enabled": account.enabled,
        "disabled_reason": account.disabled_reason,
        "last_check_at": iso(account.last_check_at),
        "last_ok_at": iso(account.last_ok_at),
        "last_error": account.last_error,
        "created_at": iso(account.created_at),
        "updated_at": iso(account.updated_at),
    }


def _words(setting: Setting, value: Any) -> str:
    flags = {
        "allow_internal": (_("allowed"), _("refused")),
        "verify_tls": (_("checked"), _("not checked")),
        "unnamed": (_("taken"), _("goes elsewhere")),
    }
    if setting.form == "flag":
        return str(flags.get(setting.name, (_("yes"), _("no")))[0 if value else 1])
    if setting.form == "choice":
        return choice_label(setting, str(value)) if value else ""
    if setting.form == "certificates":
        return ", ".join(tls.names_of(str(value)))
    if setting.name == "timeout_seconds":
        return str(_("at most %s s") % value)
    if setting.name == "rate_per_minute":
        return str(value) if value else ""
    return str(value)
