"""What a kind of connector asks for: its settings and secrets, and how text becomes their values (rulings 28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from soar.connectors.base import Connector

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off", ""}
LONGEST_SETTING = 4_000
LONGEST_SECRET = 20_000


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting or secret. ``form``: text, url, number or flag."""

    name: str
    help: str
    form: str = "text"
    required: bool = False
    default: Any = ""


# Columns of the account, given beside the kind's own settings.
COMMON = (
    Setting("url", "Address of the product, https://host/path", form="url", required=True),
    Setting("allow_internal", "Allow addresses inside the network", form="flag", default=False),
    Setting("verify_tls", "Check the server's certificate", form="flag", default=True),
    Setting("proxy", "Address of an HTTP proxy", form="url"),
    Setting("timeout_seconds", "Longest silence of the server, in seconds (1 to 300)", form="number", default=30),
    Setting("rate_per_minute", "Calls a minute at most; 0 is no limit", form="number", default=0),
)
COLUMNS = ("allow_internal", "verify_tls", "proxy", "timeout_seconds", "rate_per_minute")


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the registry."""

    name: str
    label: str
    connector: type[Connector]
    settings: tuple[Setting, ...] = ()
    secrets: tuple[Setting, ...] = ()

    def all_settings(self) -> tuple[Setting, ...]:
        """The common ones and its own."""
        return (*COMMON, *self.settings)


@dataclass(slots=True)
class Checked:
    """Values that may be saved, and what is wrong with the others (by name)."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def check(known: tuple[Setting, ...], given: Mapping[str, Any], *, longest: int = LONGEST_SETTING) -> Checked:
    """``given`` (texts or values) against ``known``; defaults are filled in. Unknown names are errors."""
    result = Checked()
    names = ", ".join(setting.name for setting in known) or "none"
    for name in given.keys() - {setting.name for setting in known}:
        result.errors[name] = f"There is no {name!r} here. There are: {names}."
    for setting in known:
        try:
            result.values[setting.name] = _value(setting, given.get(setting.name, setting.default), longest)
        except ValueError as error:
            result.errors[setting.name] = str(error)
    return result


def _value(setting: Setting, given: Any, longest: int) -> Any:
    if setting.required and given in {"", None}:
        raise ValueError(f"{setting.name} is needed: {setting.help}.")
    if setting.form == "flag":
        return _flag(setting, given)
    if setting.form == "number":
        return _number(setting, given)
    if not isinstance(given, str):
        raise ValueError(f"{setting.name} must be text.")
    if len(given) > longest or "\x00" in given:
        raise ValueError(f"{setting.name} is longer than {longest} characters or holds a null character.")
    return _url(setting, given.strip()) if setting.form == "url" else given


def _flag(setting: Setting, given: Any) -> bool:
    word = str(given).strip().lower()
    if word not in YES | NO:
        raise ValueError(f"{setting.name} must be true or false, not {given!r}.")
    return word in YES


def _number(setting: Setting, given: Any) -> int:
    low, high = (1, 300) if setting.name == "timeout_seconds" else (0, 100_000)
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"{setting.name} must be a whole number, not {given!r}.")
    if not low <= int(text) <= high:
        raise ValueError(f"{setting.name} must be from {low} to {high}.")
    return int(text)


def _url(setting: Setting, text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{setting.name} is no address.") from None
    if parts.scheme not in {"http", "https"} or not host or any(sign.isspace() for sign in text):
        raise ValueError(f"{setting.name} must be an address like https://host/path.")
    if (parts.username or parts.password) and setting.name != "proxy":
        raise ValueError(f"{setting.name} must not hold a user name or password; give them as secrets.")
    if parts.query or parts.fragment:
        raise ValueError(f"{setting.name} must not hold a query or a fragment.")
    return text
