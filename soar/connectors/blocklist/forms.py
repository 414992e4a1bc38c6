"""Forms of the block list's page. The actions check; the forms carry their words back to the fields."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from soar.connectors.blocklist.values import BLOCKABLE
from soar.connectors.errors import Refused

TYPES = [(name, name) for name in BLOCKABLE]


class Answering(forms.Form):
    """A form that can show what an action refused."""

    def refuse(self, error: Refused) -> None:
        """Put the sentences of an action beside their fields."""
        for name, text in error.errors.items():
            self.add_error(name if name in self.fields else None, text)


class BlockForm(Answering):
    """A value to block."""

    type = forms.ChoiceField(label=_("Type"), choices=TYPES)
    value = forms.CharField(label=_("Value"), max_length=2048)
    reason = forms.CharField(label=_("Reason"), max_length=500)
    days = forms.IntegerField(label=_("Days"), required=False, min_value=1, help_text=_("Empty: for good."))
    reference = forms.CharField(
        label=_("For"), required=False, max_length=200, help_text=_("An incident or task, such as INC-12.")
    )


class TokenForm(Answering):
    """A token for one feed."""

    type = forms.ChoiceField(label=_("Feed"), choices=TYPES)
    name = forms.CharField(label=_("For which device"), max_length=100)


def block_form(data: Any = None, initial: Any = None) -> BlockForm:
    """The form with ids of its own: both stand on one page."""
    return BlockForm(data, initial=initial, auto_id="block-%s")


def token_form(data: Any = None) -> TokenForm:
    """The form with ids of its own."""
    return TokenForm(data, auto_id="token-%s")
