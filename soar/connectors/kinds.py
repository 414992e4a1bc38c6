"""What a kind of connector asks for: its settings and secrets, and how text becomes their values (rulings 28)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from soar.lib import tls

if TYPE_CHECKING:
    from soar.connectors.base import Connector

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off", ""}
LONGEST_SETTING = 4_000
LONGEST_SECRET = 20_000
HIDDEN_ADDRESS = "url"  # the secret that holds the address of a kind whose address is one
HIDDEN = "/••••"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting or secret. ``form``: text, lines (of several lines), certificates (in PEM), url, number, flag, or
    choice of ``choices``.

    ``schemes``: what an address may begin with. ``query``: it may hold one (the signature of a webhook's address).
    ``section``: under which heading it stands in the form; "" is the first part."""

    name: str
    help: str
    form: str = "text"
    required: bool = False
    default: Any = ""
    choices: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https")
    query: bool = False
    section: str = ""


ADDRESS = Setting("url", gettext_noop("Address of the product, https://host/path"), form="url", required=True)
# Of every kind, besides its own; all but the authority are columns of the account.
COMMON = (
    Setting("allow_internal", gettext_noop("Allow addresses inside the network"), form="flag", default=False),
    Setting("verify_tls", gettext_noop("Check the server's certificate"), form="flag", default=True),
    Setting(
        "ca",
        gettext_noop(
            "Certificates (PEM) of who vouches for the product's host, where no public authority does; nobody else may"
        ),
        form="certificates",
    ),
    Setting("proxy", gettext_noop("Address of an HTTP proxy"), form="url"),
    Setting(
        "timeout_seconds",
        gettext_noop("Longest silence of the server, in seconds (1 to 300)"),
        form="number",
        default=30,
    ),
    Setting("rate_per_minute", gettext_noop("Calls a minute at most; 0 is no limit"), form="number", default=0),
)
COLUMNS = ("allow_internal", "verify_tls", "proxy", "timeout_seconds", "rate_per_minute")


@dataclass(frozen=True, slots=True)
class Kind:
    """A line of the registry. ``address``: what its ``url`` is. ``secret_url``: whoever knows the address may use it,
    so it is kept among the secrets, and of the setting only the host is shown (a chat's incoming webhook). ``rules``:
    what is wrong with settings and secrets that are right each by itself, a sentence by name. ``summary``: what it is
    there for, where capabilities do not say it."""

    name: str
    label: str
    connector: type[Connector]
    settings: tuple[Setting, ...] = ()
    secrets: tuple[Setting, ...] = ()
    address: Setting = ADDRESS
    secret_url: bool = False
    summary: str = ""
    rules: Callable[[dict[str, Any], dict[str, Any]], dict[str, str]] | None = None

    def problems(self, settings: dict[str, Any], secrets: dict[str, Any]) -> dict[str, str]:
        """What ``rules`` finds."""
        return self.rules(settings, secrets) if self.rules else {}

    def all_settings(self) -> tuple[Setting, ...]:
        """The address, the common ones and its own, which may stand for a common one with another default."""
        own = {setting.name for setting in self.settings}
        return (self.address, *(setting for setting in COMMON if setting.name not in own), *self.settings)


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
        result.errors[name] = _("There is no %(name)s here. There are: %(names)s.") % {
            "name": repr(name),
            "names": names,
        }
    for setting in known:
        try:
            result.values[setting.name] = _value(setting, given.get(setting.name, setting.default), longest)
        except ValueError as error:
            result.errors[setting.name] = str(error)
    return result


def _value(setting: Setting, given: Any, longest: int) -> Any:
    if setting.required and given in ("", None):
        raise ValueError(_("%(name)s is needed: %(help)s.") % {"name": setting.name, "help": _(setting.help)})
    if setting.form == "flag":
        return _flag(setting, given)
    if setting.form == "number":
        return _number(setting, given)
    if setting.form == "choice":
        return _choice(setting, given)
    if not isinstance(given, str):
        raise ValueError(_("%(name)s must be text.") % {"name": setting.name})
    if setting.form == "certificates":
        return _certificates(given.strip())
    if len(given) > longest or "\x00" in given:
        raise ValueError(
            _("%(name)s is longer than %(longest)s characters or holds a null character.")
            % {"name": setting.name, "longest": longest}
        )
    return _url(setting, given.strip()) if setting.form == "url" else given


def _certificates(text: str) -> str:
    if len(text) > tls.LONGEST:
        raise ValueError(
            _("More than %(longest)s characters. Give the authority of the product's host alone.")
            % {"longest": f"{tls.LONGEST:,}"}
        )
    if text and (problem := tls.problem_of(text)):
        raise ValueError(problem)
    return text


def _flag(setting: Setting, given: Any) -> bool:
    word = str(given).strip().lower()
    if word not in YES | NO:
        raise ValueError(
            _("%(name)s must be true or false, not %(given)s.") % {"name": setting.name, "given": repr(given)}
        )
    return word in YES


def _choice(setting: Setting, given: Any) -> str:
    if given not in setting.choices:
        raise ValueError(
            _("%(name)s must be one of: %(choices)s.")
            % {"name": setting.name, "choices": ", ".join(one or "nothing" for one in setting.choices)}
        )
    return str(given)


def _number(setting: Setting, given: Any) -> int:
    low, high = (1, 300) if setting.name == "timeout_seconds" else (0, 100_000)
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(
            _("%(name)s must be a whole number, not %(given)s.") % {"name": setting.name, "given": repr(given)}
        )
    if not low <= int(text) <= high:
        raise ValueError(
            _("%(name)s must be from %(low)s to %(high)s.") % {"name": setting.name, "low": low, "high": high}
        )
    return int(text)


def _url(setting: Setting, text: str) -> str:
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(_("%(name)s is no address.") % {"name": setting.name}) from None
    if parts.scheme not in setting.schemes or not host or any(sign.isspace() for sign in text):
        raise ValueError(
            _("%(name)s must be an address like %(schemes)s://host/path.")
            % {"name": setting.name, "schemes": setting.schemes[-1]}
        )
    if (parts.username or parts.password) and setting.name != "proxy":
        raise ValueError(
            _("%(name)s must not hold a user name or password; give them as secrets.") % {"name": setting.name}
        )
    if (parts.query and not setting.query) or parts.fragment:
        raise ValueError(_("%(name)s must not hold a query or a fragment.") % {"name": setting.name})
    return text


def masked_url(url: str) -> str:
    """``url`` as it may be shown: scheme and host."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{HIDDEN}"


def is_masked(url: str) -> bool:
    """Whether this is what ``masked_url`` makes: the address stays as it is."""
    return url.endswith(HIDDEN)


def telling_parts(url: str) -> list[str]:
    """What must not be seen of a secret address: its path, its query, and the path as it is when sent."""
    parts = urlsplit(url)
    if not parts.path.strip("/") and not parts.query:
        return []
    tail = parts.path + (f"?{parts.query}" if parts.query else "")
    return [tail, parts.path, quote(unquote(parts.path)), parts.query]
