"""Conditions of suppression rules: what they may be (ingest-and-api.md 9). Pure.

The names are those of the query box. Of one name any value may fit, of several names all must. Texts are taken as they
stand, whatever their letters' case: there are no patterns but a star at the end of a model, host or user."""

from __future__ import annotations

import contextlib
import ipaddress
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.ingest.iocs import guess_type, normalise_observable

NAMES = ("source", "model", "host", "user", "ip", "tag", "observable", "title", "severity")
WITH_STAR = ("model", "host", "user")
VALUES_AT_MOST, VALUE_AT_MOST = 50, 300
TEXT_AT_LEAST = 3  # of a piece of a title, and before a star: less would hold back nearly everything
Conditions = dict[str, list[str]]


class BadRule(ValueError):
    """Conditions that cannot be used, or that hold back everything. ``name`` is the condition that is wrong."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name, self.message = name, message


def read(given: Any) -> Conditions:
    """The conditions in the form that is stored. Raises BadRule for what cannot be, and for too little."""
    if not isinstance(given, Mapping):
        raise BadRule("conditions", _("Conditions are an object: a name with a list of texts."))
    found: Conditions = {}
    for name, values in given.items():
        if name not in NAMES:
            raise BadRule(
                "conditions",
                _("%(name)s is not one of: %(names)s.") % {"name": f"{name!s:.40}", "names": ", ".join(NAMES)},
            )
        if read_values := _values(name, values):
            found[name] = read_values
    if not found.keys() - {"severity"}:
        raise BadRule("conditions", _("Without a condition besides the severity it would hold back everything."))
    return {name: found[name] for name in NAMES if name in found}


def _values(name: str, values: Any) -> list[str]:
    listed = [values] if isinstance(values, str) else values
    if not isinstance(listed, list | tuple) or not all(isinstance(value, str) for value in listed):
        raise BadRule(name, _("This is a list of texts."))
    texts = [" ".join(value.replace("\x00", "").split()) for value in listed]
    texts = list(dict.fromkeys(text for text in texts if text))
    if len(texts) > VALUES_AT_MOST or any(len(text) > VALUE_AT_MOST for text in texts):
        raise BadRule(
            name,
            _("At most %(values_at_most)s values of at most %(value_at_most)s characters.")
            % {"values_at_most": VALUES_AT_MOST, "value_at_most": VALUE_AT_MOST},
        )
    return [_value(name, text) for text in texts] if name != "severity" else _severity(texts)


def _value(name: str, text: str) -> str:
    if name == "ip":
        return _network(text)
    if name == "title" and len(text) < TEXT_AT_LEAST:
        raise BadRule(
            name,
            _("“%(text)s” is too short: %(text_at_least)s characters or more of a title.")
            % {"text": text, "text_at_least": TEXT_AT_LEAST},
        )
    if name in WITH_STAR and text.endswith("*") and len(text) <= TEXT_AT_LEAST:
        raise BadRule(
            name,
            _("“%(text)s” would fit nearly all: %(text_at_least)s characters or more before the star.")
            % {"text": text, "text_at_least": TEXT_AT_LEAST},
        )
    return text.lower() if name in ("source", "tag") else text


def _severity(texts: list[str]) -> list[str]:
    if len(texts) > 1:
        raise BadRule("severity", _("One severity: rules hold back what is at most as severe."))
    try:
        return [Severity.from_word(text).word for text in texts]
    except ValueError as error:
        raise BadRule("severity", str(error)) from error


def _network(text: str) -> str:
    """An address as such, a network with its mask. Raises BadRule, also for the network of all addresses."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise BadRule("ip", _("%(text)s is neither an address nor a network.") % {"text": f"{text:.60}"}) from None
    if network.prefixlen == 0:
        raise BadRule("ip", _("%(text)s is every address there is.") % {"text": f"{text:.60}"})
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def forms_of(value: str) -> set[str]:
    """How an observable may be written and how it is stored."""
    forms = {value, value.lower()}
    if type_ := guess_type(value):
        with contextlib.suppress(ValueError):
            forms.add(normalise_observable(type_, value))
    return forms
