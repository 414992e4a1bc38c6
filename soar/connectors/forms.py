"""Forms of the lists page. The actions check; the forms carry their words back to the fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from soar.connectors.errors import Refused
from soar.connectors.intelligence.values import TYPES


class ExceptionForm(forms.Form):
    """A value that is never rated and never acted upon."""

    type = forms.ChoiceField(label=_("Type"), choices=[(name, name) for name in TYPES])
    value = forms.CharField(label=_("Value"), max_length=2048)
    reason = forms.CharField(label=_("Reason"), max_length=500)
    expires_at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        help_text=_("Empty: for good."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def refuse(self, error: Refused) -> None:
        """Put the sentences of an action beside their fields."""
        for name, text in error.errors.items():
            self.add_error(name if name in self.fields else None, text)


class OwnListForm(ExceptionForm):
    """A value of which the house knows that it is bad or good."""

    effect = forms.ChoiceField(label=_("It is"), choices=[("malicious", _("Malicious")), ("benign", _("Benign"))])
    field_order = ("type", "value", "effect", "reason", "expires_at")


def exception_form(data: Any = None) -> ExceptionForm:
    """The form with ids of its own: both stand on one page."""
    return ExceptionForm(data, auto_id="exception-%s")


def own_form(data: Any = None) -> OwnListForm:
    """The form with ids of its own."""
    return OwnListForm(data, auto_id="own-%s")
