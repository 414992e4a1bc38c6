"""What a condition can ask (response-playbooks.md 9, 10): one table for form, validator, engine and docs."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache

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
        Operator("is", "is", "true if any of the values is the same; false if nothing is known"),
        Operator("is_not", "is not", "true if none of the values is the same; true if nothing is known"),
        Operator("contains", "contains", "true if any of the values stands in it"),
        Operator("starts_with", "starts with", "true if it begins with any of the values"),
        Operator("in_network", "is in network", "true if the address lies in any of the networks (10.0.0.0/8)"),
    )
}

PARAMETERS: dict[str, Parameter] = {
    one.name: one
    for one in (
        Parameter("object_risk", "Object risk", True, _EQUAL, RISKS, "choice",
                  "Only with the target's filter by highlighted object risk."),
        Parameter("observable", "Observable value", True),
        Parameter("ip_address", "IP address", True, (*_EQUAL, "starts_with", "in_network"), form="network"),
        Parameter("endpoint_name", "Endpoint name", True),
        Parameter("endpoint_type", "Endpoint type", True),
        Parameter("operating_system", "Operating system", True),
        Parameter("asset_group", "Asset group", True),
        Parameter("asset_criticality", "Asset criticality", True, _EQUAL, CRITICALITIES, "choice"),
        Parameter("custom_tag", "Custom tag", True, hint="Of the asset."),
        Parameter("user_account", "User account", True),
        Parameter("source", "Alert source", False, hint="The source's short name, as in its address."),
        Parameter("model", "Detection model", False, form="model"),
        Parameter("severity", "Severity", False, _EQUAL, SEVERITIES, "choice"),
        Parameter("alert_tag", "Alert tag", False),
        Parameter("technique", "ATT&CK technique", False, hint="T1059 is not T1059.001; starts with takes both."),
        Parameter("hour_of_day", "Hour of day", False, _EQUAL, form="hours",
                  hint="9 is from 9:00 to 10:00; 20-6 is from 20:00 to 6:00. In the trigger's time zone."),
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
