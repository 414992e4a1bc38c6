"""The settings of an alert source, checked one by one. No field is saved unless all are right."""

from __future__ import annotations

import ipaddress
from typing import Any

from django.utils.translation import gettext as _

from cases.actions.alert_update import tlp_of
from cases.actions.base import tags_of, team_of, word
from cases.choices import Determination, RepeatRule, Severity
from cases.errors import Refused

NETWORKS_AT_MOST = 100
KEY_FIELDS_AT_MOST = 20
RATE_AT_MOST = 100_000
SECRET_AT_MOST = 500
SILENCE_AT_MOST = 60 * 24 * 90


def checked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields in the form that is stored. Raises Refused beside the first that is wrong or unknown."""
    for name in fields:
        if name not in FIELDS:
            raise Refused(_("%(name)s is not a field of a source.") % {"name": f"{name!s:.40}"}, field=str(name))
    return {name: FIELDS[name](value) for name, value in fields.items()}


def _networks(value: Any) -> list[str]:
    networks = _texts(value, "allowed_networks", NETWORKS_AT_MOST, 50)
    return list(dict.fromkeys(_network(text) for text in networks))


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise Refused(
            _("%(text)s is neither an address nor a network.") % {"text": f"{text:.50}"}, field="allowed_networks"
        ) from None


def _texts(value: Any, field: str, at_most: int, length: int) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise Refused(_("This is a list of texts."), field=field)
    texts = [text for item in value if (text := item.replace("\x00", "").strip())]
    if len(texts) > at_most or any(len(text) > length for text in texts):
        raise Refused(
            _("At most %(at_most)s lines of at most %(length)s characters.") % {"at_most": at_most, "length": length},
            field=field,
        )
    return texts


def _repeat_rule(value: Any) -> str:
    if value not in RepeatRule.values:
        raise Refused(_("One of: %(values)s.") % {"values": ", ".join(RepeatRule.values)}, field="repeat_rule")
    return str(value)


def _determination(value: Any) -> Determination:
    wanted: Determination = word(Determination, value, "resolved_determination")
    if wanted == Determination.UNKNOWN:
        raise Refused(_("Resolving needs a determination other than unknown."), field="resolved_determination")
    return wanted


def _rate(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= RATE_AT_MOST:
        raise Refused(
            _("A whole number from 1 to %(rate_at_most)s, or nothing.") % {"rate_at_most": f"{RATE_AT_MOST:,}"},
            field="rate_per_second",
        )
    return value


def _minutes(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SILENCE_AT_MOST:
        raise Refused(
            _("Minutes from 1 to %(silence_at_most)s, or nothing.") % {"silence_at_most": f"{SILENCE_AT_MOST:,}"},
            field="silence_minutes",
        )
    return value


def _secret(value: Any) -> str:
    if not isinstance(value, str) or len(value) > SECRET_AT_MOST or "\x00" in value:
        raise Refused(
            _("A text of at most %(secret_at_most)s characters.") % {"secret_at_most": SECRET_AT_MOST},
            field="hmac_secret",
        )
    return value


FIELDS: dict[str, Any] = {
    "team": team_of,
    "default_severity": lambda value: word(Severity, value, "default_severity"),
    "default_tlp": tlp_of,
    "default_tags": tags_of,
    "key_fields": lambda value: _texts(value, "key_fields", KEY_FIELDS_AT_MOST, 200),
    "repeat_rule": _repeat_rule,
    "allowed_networks": _networks,
    "hmac_secret": _secret,
    "close_on_resolved": bool,
    "resolved_determination": _determination,
    "rate_per_second": _rate,
    "silence_warns": bool,
    "silence_minutes": _minutes,
}
