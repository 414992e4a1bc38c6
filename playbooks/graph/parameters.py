"""What a condition can ask (response-playbooks.md 9, 10): one table for form, validator, engine and docs."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.translation import gettext_noop as _

from playbooks.graph.actions import SEVERITIES
from playbooks.graph.model import RISKS

_EQUAL = ("is", "is_not")
_TEXT = (*_EQUAL, "contains", "starts_with")
CRITICALITIES = ("critical", "high", "medium", "low", "unknown")
_HOURS = re.compile(r"(\d{1,2})(?:-(\d{1,2}))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Operator:
    """How values are compared; always without upper and lower case."""

    name: str
    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """``objects``: asked of each object; otherwise of the alert, once. ``choices``: the only values there are.

    ``form``: text, choice, model (a detection model), network, hours."""

    name: str
    label: str
    objects: bool
    operators: tuple[str, ...] = _TEXT
    choices: tuple[str, ...] = ()
    form: str = "text"
    hint: str = ""


OPERATORS: dict[str, Operator] = {
    one.name: one
    for one in (
        Operator("is", _("is"), "true if any of the values is the same; false if nothing is known"),
        Operator("is_not", _("is not"), "true if none of the values is the same; true if nothing is known"),
        Operator("contains", _("contains"), "true if any of the values stands in it"),
        Operator("starts_with", _("starts with"), "true if it begins with any of the values"),
        Operator("in_network", _("is in network"), "true if the address lies in any of the networks (10.0.0.0/8)"),
    )
}

PARAMETERS: dict[str, Parameter] = {
    one.name: one
    for one in (
        Parameter("object_risk", _("Object risk"), True, _EQUAL, RISKS, "choice",
                  "Only with the target's filter by highlighted object risk."),
        Parameter("observable", _("Observable value"), True),
        Parameter("ip_address", _("IP address"), True, (*_EQUAL, "starts_with", "in_network"), form="network"),
        Parameter("endpoint_name", _("Endpoint name"), True),
        Parameter("endpoint_type", _("Endpoint type"), True),
        Parameter("operating_system", _("Operating system"), True),
        Parameter("asset_group", _("Asset group"), True),
        Parameter("asset_criticality", _("Asset criticality"), True, _EQUAL, CRITICALITIES, "choice"),
        Parameter("custom_tag", _("Custom tag"), True, hint=_("Of the asset.")),
        Parameter("user_account", _("User account"), True),
        Parameter("source", _("Alert source"), False, hint=_("The source's short name, as in its address.")),
        Parameter("model", _("Detection model"), False, form="model"),
        Parameter("severity", _("Severity"), False, _EQUAL, SEVERITIES, "choice"),
        Parameter("alert_tag", _("Alert tag"), False),
        Parameter("technique", _("ATT&CK technique"), False, hint=_("T1059 is not T1059.001; starts with takes both.")),
        Parameter("hour_of_day", _("Hour of day"), False, _EQUAL, form="hours",
                  hint=_("9 is from 9:00 to 10:00; 20-6 is from 20:00 to 6:00. In the trigger's time zone.")),
    )
}  # fmt: skip


def value_label(parameter: str, value: str) -> str:
    """A value as people read it: "Highly suspicious"; free text stays as it is."""
    known = PARAMETERS.get(parameter)
    return value.replace("_", " ").capitalize() if known and value in known.choices else value


def hours(value: str) -> frozenset[int] | None:
    """The hours of the day that "9" or "20-6" mean: the last one is not included. None if it means nothing."""
    found = _HOURS.match(value.strip().replace(" ", ""))
    if found is None:
        return None
    first = int(found[1])
    last = first + 1 if found[2] is None else int(found[2])
    if first > 23 or last > 24 or first == last:
        return None
    return frozenset(range(first, last)) if first < last else frozenset((*range(first, 24), *range(last)))


def network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The network that a text names (an address is a network of one); None if it is none."""
    try:
        return ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def address(value: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a text is; IPv4 in the dress of IPv6 is IPv4. None if it is none."""
    try:
        found = ipaddress.ip_address(value.strip())
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
