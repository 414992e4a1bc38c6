"""Forms of playbooks: run one by hand."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from playbooks.choices import Trigger
from playbooks.models import Playbook


class RunForm(forms.Form):
    """On what to run a playbook, and whether only to record what it would do."""

    subject = forms.CharField(max_length=40, required=False)
    dry_run = forms.BooleanField(
        required=False, label=_("Dry run"), help_text=_("Records what it would do; changes and sends nothing.")
    )

    def __init__(self, playbook: Playbook, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.playbook = playbook
        field = self.fields["subject"]
        field.required = playbook.trigger in (Trigger.WEBHOOK, Trigger.INCIDENT)
        field.label, field.help_text = {
            Trigger.INCIDENT.value: (_("Incident"), _("Its number, as INC-1042.")),
            Trigger.MANUAL.value: (_("Alert or incident"), _("ALR-48206 or INC-1042; empty to run it on nothing.")),
        }.get(playbook.trigger, (_("Alert"), _("Its number, as ALR-48206.")))
        field.error_messages["required"] = _("Write the number it should run on.")
        if playbook.trigger == Trigger.SCHEDULE:
            del self.fields["subject"]

    def targets(self) -> dict[str, str]:
        """``{"alert": …}`` or ``{"incident": …}`` for run_by_hand; a bare number is what the trigger is about."""
        text = str(self.cleaned_data.get("subject") or "").strip()
        if not text:
            return {}
        prefix = text[:4].upper()
        about_incident = self.playbook.trigger == Trigger.INCIDENT
        is_incident = prefix == "INC-" or (about_incident and prefix != "ALR-")
        return {"incident" if is_incident else "alert": text}
