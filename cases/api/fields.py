"""Fields of request bodies that take what the schema says and nothing like it: no number for a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases.choices import OBSERVABLE_TYPES, AlertStatus, Determination, Findings, IncidentStatus, Pap, Severity, Tlp
from cases.models.custom_field import FIELDS_AT_MOST as CUSTOM_FIELDS_AT_MOST

ALERT_STATUS = AlertStatus.words()
INCIDENT_STATUS = IncidentStatus.words()
SEVERITY = Severity.words()
DETERMINATION = Determination.words()
VERDICT = [word for word in DETERMINATION if word != "unknown"]  # what something is resolved with
TLP = Tlp.values


class Body(serializers.Serializer[Any]):
    """A JSON object. A name that is not known is refused: a typing error must not look like success."""

    def to_internal_value(self, data: Any) -> Any:
        """The checked values. Raises ValidationError with one message per field."""
        if isinstance(data, dict):
            unknown = [str(name)[:60] for name in data if name not in self.fields]
            if unknown:
                known = ", ".join(self.fields)
                raise serializers.ValidationError(
                    {name: [_("Not known here. Known: %(known)s.") % {"known": known}] for name in unknown}
                )
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """A text; anything else is refused, not turned into one. Not stripped: what was meant is kept."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The text itself."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A whole number; no text, no fraction."""

    def to_internal_value(self, data: Any) -> int:
        """The number itself."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """True or false, not words like "yes"."""

    def to_internal_value(self, data: Any) -> bool:
        """The value itself."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class Ref(serializers.Field[Any, Any, Any, Any]):
    """An alert or incident: its id or its number (42, "42", "INC-42")."""

    default_error_messages = {"invalid": "Give an id or a number."}

    def to_internal_value(self, data: Any) -> str:
        """The reference as text; whether it is there is found out by the action."""
        if isinstance(data, bool) or not isinstance(data, int | str) or len(str(data)) > 100:
            self.fail("invalid")
        return str(data)

    def to_representation(self, value: Any) -> Any:
        """As it is."""
        return value


@extend_schema_field({
    "type": "object",
    "maxProperties": CUSTOM_FIELDS_AT_MOST,
    "additionalProperties": {
        "oneOf": [
            {"type": "string"},
            {"type": "number"},
            {"type": "boolean"},
            {"type": "array", "items": {"type": "string"}},
            {"type": "null"},
        ]
    },
})  # fmt: skip
class CustomValues(serializers.Field[Any, Any, Any, Any]):
    """Values of custom fields by key; what each may be, its kind says (``cases.custom_fields``)."""

    default_error_messages = {"invalid": "An object of values by key.", "many": "At most {most} fields."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The object itself; the action checks the values."""
        if not isinstance(data, dict):
            self.fail("invalid")
        if len(data) > CUSTOM_FIELDS_AT_MOST:
            self.fail("many", most=CUSTOM_FIELDS_AT_MOST)
        return data

    def to_representation(self, value: Any) -> Any:
        """As it is stored."""
        return value


class Words(serializers.ChoiceField):
    """One of the API's words."""

    def __init__(self, words: Iterable[str], **kwargs: Any) -> None:
        super().__init__(choices=[(word, word) for word in words], **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """The word itself."""
        if not isinstance(data, str) or data not in self.choices:
            raise serializers.ValidationError(
                _("Must be one of: %(choices)s.") % {"choices": ", ".join(str(word) for word in self.choices)}
            )
        return data


class Texts(serializers.ListField):
    """A list of short texts."""

    def __init__(self, *, most: int = 1000, **kwargs: Any) -> None:
        super().__init__(child=Text(max_length=200), max_length=most, **kwargs)


def severity(**kwargs: Any) -> Words:
    """A severity's word."""
    return Words(SEVERITY, **kwargs)


def alert_status(**kwargs: Any) -> Words:
    """An alert status' word."""
    return Words(ALERT_STATUS, **kwargs)


def incident_status(**kwargs: Any) -> Words:
    """An incident status' word."""
    return Words(INCIDENT_STATUS, **kwargs)


def determination(**kwargs: Any) -> Words:
    """A determination's word."""
    return Words(DETERMINATION, **kwargs)


def findings(**kwargs: Any) -> Words:
    """Findings; "" lets the determination decide."""
    return Words(Findings.values, **kwargs)


def tlp(**kwargs: Any) -> Words:
    """A TLP word."""
    return Words(TLP, **kwargs)


def pap(**kwargs: Any) -> Words:
    """A PAP word."""
    return Words(Pap.values, **kwargs)


def observable_type(**kwargs: Any) -> Words:
    """A type of observable."""
    return Words(OBSERVABLE_TYPES, **kwargs)
