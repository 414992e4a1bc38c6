"""Forms of cases. They read what was typed; the actions check it once more."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.choices import Severity, Tlp
from cases.ingest.iocs import guess_type
from cases.ingest.refang import refang
from soar.accounts.models import Team, User

OBSERVABLES_AT_MOST = 500


class AlertForm(forms.Form):
    """What a person says of a new alert."""

    title = forms.CharField(label=_("Title"), max_length=500)
    severity = forms.ChoiceField(label=_("Severity"), initial="medium")
    description = forms.CharField(label=_("What happened"), required=False, widget=forms.Textarea({"rows": 5}))
    hostname = forms.CharField(label=_("Host"), required=False, max_length=255)
    username = forms.CharField(label=_("User"), required=False, max_length=255)
    source_ip = forms.CharField(label=_("Source address"), required=False, max_length=60)
    observables = forms.CharField(label=_("Observables"), required=False, widget=forms.Textarea({"rows": 4}))
    observables.help_text = _("One a line: addresses, domains, URLs, hashes. Defanged ones are read as well.")
    tags = forms.CharField(label=_("Tags"), required=False, max_length=2000, help_text=_("Separated by commas."))
    tlp = forms.ChoiceField(label=_("TLP"), initial=Tlp.AMBER, choices=Tlp.choices)
    team = forms.ModelChoiceField(Team.objects.all(), label=_("Team"), required=False, to_field_name="name")
    team.help_text = _("Its people see the alert. Without a team, everybody who may see alerts does.")
    owned = forms.BooleanField(label=_("Assign it to me"), required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        severity = self.fields["severity"]
        assert isinstance(severity, forms.ChoiceField)
        severity.choices = [(one.word, gettext(str(one.label))) for one in reversed(Severity)]

    def clean_observables(self) -> list[dict[str, str]]:
        """Each line with the type that it looks like. A line that looks like nothing is named."""
        lines = [line.strip() for line in self.cleaned_data["observables"].splitlines() if line.strip()]
        if len(lines) > OBSERVABLES_AT_MOST:
            raise forms.ValidationError(gettext("At most %s observables.") % OBSERVABLES_AT_MOST)
        found = [{"type": guess_type(refang(line)) or "", "value": refang(line)} for line in lines]
        unknown = [line[:60] for line, one in zip(lines, found, strict=True) if not one["type"]]
        if unknown:
            said = gettext("Not an address, domain, URL, hash or the like: %s")
            raise forms.ValidationError(said % ", ".join(unknown[:5]))
        return found

    def fields_of(self, user: User) -> dict[str, Any]:
        """What ``create_by_hand`` takes."""
        data = dict(self.cleaned_data)
        owned = data.pop("owned")
        data["tags"] = data["tags"].split(",")
        return {**data, "owner": user if owned else None}
