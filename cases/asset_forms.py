"""Forms of assets: texts as people write them, turned into what the actions take."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.choices import Criticality
from cases.models import Asset

LISTS = {"addresses": r"[\s,;]+", "groups": r"[\n,;|]+", "tags": r"[\n,;|]+"}


class AssetForm(forms.Form):
    """What a person says of an asset. ``name`` is asked for only when it is new."""

    name = forms.CharField(label=_("Name"), max_length=255)
    name.help_text = _("As products report it. Alerts that name it, in capitals or not, are linked to it.")
    type = forms.CharField(label=_("Type"), required=False, max_length=40)
    type.help_text = _("Such as laptop, workstation, server.")
    system = forms.CharField(label=_("Operating system"), required=False, max_length=200)
    addresses = forms.CharField(label=_("Addresses"), required=False, widget=forms.Textarea({"rows": 2}))
    addresses.help_text = _("IP addresses, separated by commas, blanks or lines.")
    criticality = forms.ChoiceField(label=_("Criticality"), initial="unknown")
    groups = forms.CharField(label=_("Groups"), required=False, max_length=5000, help_text=_("Separated by commas."))
    tags = forms.CharField(label=_("Tags"), required=False, max_length=5000, help_text=_("Separated by commas."))

    def __init__(self, *args: Any, asset: Asset | None = None, **kwargs: Any) -> None:
        if asset is not None:
            kwargs["initial"] = initial_of(asset)
        super().__init__(*args, **kwargs)
        criticality = self.fields["criticality"]
        assert isinstance(criticality, forms.ChoiceField)
        criticality.choices = [(one.word, gettext(str(one.label))) for one in Criticality]
        if asset is not None:
            del self.fields["name"]

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.assets``."""
        data = dict(self.cleaned_data)
        for name, parting in LISTS.items():
            data[name] = [part.strip() for part in re.split(parting, data[name]) if part.strip()]
        return data


def initial_of(asset: Asset) -> dict[str, str]:
    """The asset as the form shows it."""
    return {
        "type": asset.type,
        "system": asset.system,
        "addresses": ", ".join(asset.addresses),
        "criticality": Criticality(asset.criticality).word,
        "groups": ", ".join(asset.groups),
        "tags": ", ".join(asset.tags),
    }


class FileForm(forms.Form):
    """A file to import."""

    file = forms.FileField(label=_("File"), max_length=200)
    file.help_text = _("CSV in UTF-8, parted by commas, semicolons or tabs; at most 100,000 lines and 10 MiB.")
