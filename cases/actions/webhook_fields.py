"""What can be said of an endpoint of outgoing webhooks, checked: address, kinds, filters."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from cases.actions.base import team_of, text_of, word
from cases.choices import Severity, Tlp
from cases.errors import Refused
from cases.models import AlertSource
from cases.webhooks.choosing import choices
from soar.lib import addresses, tls

URL_AT_MOST = 2000


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """The fields as the model holds them. Raises Refused beside the first that is wrong."""
    unknown = set(given) - set(CHECKS)
    if unknown:
        raise Refused(_("Not known here: %(unknown)s.") % {"unknown": ", ".join(sorted(unknown))})
    found = {name: CHECKS[name](value) for name, value in given.items()}
    if "url" in found:
        found["place"] = place_of(found["url"])
    return found


def check_together(url: str, allow_internal: bool) -> None:
    """Raise Refused for an address that is known by its spelling to be internal. Names are judged at each call."""
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return
    if why_not := addresses.refusal(host, allow_internal):
        raise Refused(f"{why_not}.", field="url")


def place_of(url: str) -> str:
    """Scheme, host and port: what may be shown of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _url(value: Any) -> str:
    text = text_of(value, "url", most=URL_AT_MOST)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Refused(_("This is no address."), field="url") from None
    if problem := _problem(text, parts, port):
        raise Refused(problem, field="url")
    return text


def _problem(text: str, parts: SplitResult, port: int | None) -> str:
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return _("An address begins with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        return _("Leave user name and password out of the address.")
    if parts.fragment or not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        return _("Only characters of an address, without # and what follows it. Percent-encode others.")
    if ".." in parts.path.replace("%2e", ".").replace("%2E", ".").split("/") or "//" in parts.path:
        return _("Give the address without .. and // in its path.")
    return _("Port 0 is none.") if port == 0 else ""


def _kinds(value: Any) -> list[str]:
    known = choices()
    if not isinstance(value, list | tuple) or not all(isinstance(one, str) for one in value):
        raise Refused(_("Kinds are a list of names."), field="kinds")
    wrong = [one[:60] for one in value if one not in known]
    if wrong:
        raise Refused(_("Not known: %(wrong)s.") % {"wrong": ", ".join(wrong[:5])}, field="kinds")
    if not value:
        raise Refused(_("Choose at least one kind."), field="kinds")
    return [one for one in known if one in value]


def _source(value: Any) -> AlertSource | None:
    if value is None or value == "":
        return None
    found = AlertSource.objects.filter(slug=str(value)[:60].replace("\x00", "")).first()
    if found is None:
        raise Refused(_("There is no source %(value)s.") % {"value": f"{value!s:.60}"}, field="source")
    return found


def _severity(value: Any) -> int | None:
    return None if value in (None, "") else int(word(Severity, value, "least_severity"))


def _cleared(value: Any) -> str:
    if value not in Tlp.values:
        raise Refused(_("Must be one of: %(values)s.") % {"values": ", ".join(Tlp.values)}, field="cleared")
    return str(value)


def _authority(value: Any) -> str:
    if not isinstance(value, str) or len(value) > tls.LONGEST:
        raise Refused(_("Text of at most %(longest)s characters.") % {"longest": f"{tls.LONGEST:,}"}, field="ca")
    text = value.strip()
    if text and (problem := tls.problem_of(text)):
        raise Refused(problem, field="ca")
    return text


def _flag(name: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, bool):
            raise Refused(_("True or false."), field=name)
        return value

    return check


CHECKS: dict[str, Callable[[Any], Any]] = {
    "name": lambda value: text_of(value, "name", most=100),
    "url": _url,
    "kinds": _kinds,
    "team": team_of,
    "source": _source,
    "least_severity": _severity,
    "cleared": _cleared,
    "allow_internal": _flag("allow_internal"),
    "ca": _authority,
    "enabled": _flag("enabled"),
}
