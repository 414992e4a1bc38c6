"""The form of an alert source: texts as people write them, turned into what the action takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.actions.sources import DAYS_AT_MOST
from cases.choices import Determination, RepeatRule, Severity, Tlp
from cases.ingest.registry import KINDS
from cases.models import AlertSource
from soar.accounts.models import Team

LINES = ("allowed_networks", "key_fields")


class SourceForm(forms.Form):
    """Everything an admin may set. ``kind`` is there only for a new source."""

    name = forms.CharField(label=_("Name"), max_length=100)
    kind = forms.ChoiceField(label=_("Kind"), help_text=_("What the sender speaks. It cannot be changed later."))
    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("Team"), required=False, to_field_name="name", empty_label=_("Everybody")
    )
    team.help_text = _("Its people see the alerts. Without a team, everybody who may see alerts does.")
    default_severity = forms.ChoiceField(
        label=_("Severity"), initial="medium", help_text=_("Where a payload has none.")
    )
    default_tlp = forms.ChoiceField(label=_("TLP"), initial=Tlp.AMBER, choices=Tlp.choices)
    default_tags = forms.CharField(
        label=_("Tags"), required=False, max_length=2000, help_text=_("Separated by commas.")
    )
    key_fields = forms.CharField(label=_("Key of an alert"), required=False, widget=forms.Textarea({"rows": 2}))
    key_fields.help_text = _("Paths into the payload, one a line. Empty: the rule of the kind.")
    repeat_rule = forms.ChoiceField(label=_("A repeat of a resolved alert"), choices=RepeatRule.choices, initial="auto")
    close_on_resolved = forms.BooleanField(label=_("Resolve here what the source reports as resolved"), required=False)
    close_on_resolved.help_text = _("A new source of Alertmanager or Grafana does so anyway; it can be changed later.")
    resolved_determination = forms.ChoiceField(label=_("… with the determination"), initial="benign")
    allowed_networks = forms.CharField(label=_("Addresses"), required=False, widget=forms.Textarea({"rows": 2}))
    allowed_networks.help_text = _("Addresses or networks that may post, one a line. Empty: any.")
    hmac_secret = forms.CharField(label=_("HMAC secret"), required=False, max_length=500)
    hmac_secret.widget = forms.PasswordInput({"autocomplete": "new-password"})
    hmac_secret.help_text = _("When set, each body has to be signed: X-Webhook-Signature: sha256=…")
    unsign = forms.BooleanField(label=_("Take no signature any more"), required=False)
    rate_per_second = forms.IntegerField(label=_("Limit a second"), required=False, min_value=1, max_value=100_000)
    rate_per_second.help_text = _("Empty: the limit of this installation.")

    token_days = forms.IntegerField(
        label=_("Its token works for so many days"), required=False, min_value=1, max_value=DAYS_AT_MOST
    )
    token_days.help_text = _("Empty: until it is revoked.")
    silence_warns = forms.BooleanField(label=_("Warn when it falls silent"), required=False, initial=True)
    silence_minutes = forms.IntegerField(label=_("… after so many minutes"), required=False, min_value=1)
    silence_minutes.help_text = _("Empty: three times its longest usual pause, as it is learnt.")

    def __init__(self, *args: Any, source: AlertSource | None = None, **kwargs: Any) -> None:
        if source is not None:
            kwargs["initial"] = _initial(source)
        super().__init__(*args, **kwargs)
        self.source = source
        _choices(self, "kind", [(kind.name, kind.label) for kind in KINDS.values()])
        _choices(self, "default_severity", [(one.word, gettext(str(one.label))) for one in reversed(Severity)])
        _choices(self, "resolved_determination", [(one.word, gettext(str(one.label))) for one in Determination if one])
        if source is not None:
            del self.fields["kind"], self.fields["token_days"]
        if source is None or not source.hmac_secret:
            del self.fields["unsign"]
        else:
            self.fields["hmac_secret"].help_text = _("A secret is set. Write a new one to replace it.")

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.sources``. An empty secret keeps the one there is."""
        data = dict(self.cleaned_data)
        for name in LINES:
            data[name] = data[name].split("\n")
        data["default_tags"] = data["default_tags"].split(",")
        if self.source is None and not data["close_on_resolved"]:
            del data["close_on_resolved"]  # the kind decides: on for those whose "resolved" is part of their life
        if data.pop("unsign", False):
            data["hmac_secret"] = ""
        elif not data["hmac_secret"]:
            del data["hmac_secret"]
        return data


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices


def _initial(source: AlertSource) -> dict[str, Any]:
    return {
        "name": source.name,
        "team": source.team.name if source.team else None,
        "default_severity": Severity(source.default_severity).word,
        "default_tlp": source.default_tlp,
        "default_tags": ", ".join(source.default_tags),
        "key_fields": "\n".join(source.key_fields),
        "repeat_rule": source.repeat_rule,
        "close_on_resolved": source.close_on_resolved,
        "resolved_determination": Determination(source.resolved_determination).word,
        "allowed_networks": "\n".join(source.allowed_networks),
        "rate_per_second": source.rate_per_second,
        "silence_warns": source.silence_warns,
        "silence_minutes": source.silence_minutes,
    }
