r"""Names of accounts with a Windows domain before a backslash: ``CORP\a.voss`` is of a directory, ``LT-0042\a.voss`` of
a single machine, whose owner may call it like anybody."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_noop as _

from soar.connectors.base import ConnectorError
from soar.connectors.kinds import Setting

DOMAIN = Setting("domain", _("Name of the domain before a backslash, as in CORP\\user; others are refused"))


def without_domain(value: str, settings: dict[str, Any]) -> str:
    """The name behind the backslash, where the setting ``domain`` is what stands before it; several are separated by
    commas. Raises ConnectorError for the name of anybody else's account."""
    domain, backslash, name = value.strip().rpartition("\\")
    if not backslash:
        return name
    own = [one for part in str(settings.get("domain") or "").split(",") if (one := part.strip())]
    if not own:
        text = f"{value} names a domain; write yours into the setting “domain” of this connector."
        raise ConnectorError(text, permanent=True)
    if domain.casefold() not in {one.casefold() for one in own}:
        text = f"{value} is of {domain or 'no domain'}; this connector is set up for {' and '.join(own)}."
        raise ConnectorError(text, permanent=True)
    return name
