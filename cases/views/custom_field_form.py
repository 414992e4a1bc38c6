"""The form of a custom field's definition."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from cases.actions.custom_field_checks import CHOICES_AT_MOST
from cases.custom_fields.kinds import KINDS
from cases.models import CustomField, IncidentTemplate

EVERYWHERE = (("1", _("All incidents")), ("", _("Incidents of these templates")))


class CustomFieldForm(forms.Form):
    """What a person says of a field; the action checks it once more."""

    name = forms.CharField(label=_("Name"), max_length=100)
    key = forms.CharField(label=_("Key"), max_length=40, required=False)
    key.help_text = _("What the API and filters call it, for good. Empty: made of the name.")
    kind = forms.ChoiceField(label=_("Kind"), choices=[(one.word, one.label) for one in KINDS.values()])
    choices = forms.CharField(label=_("Choices"), required=False, widget=forms.Textarea({"rows": 4}))
    choices.help_text = _("One a line; for the kinds that choose.")
    required = forms.BooleanField(label=_("Needed to resolve or close an incident"), required=False)
    help_text = forms.CharField(label=_("Help"), max_length=500, required=False)
    help_text.help_text = _("Shown below the control.")
    everywhere = forms.ChoiceField(label=_("Asked for on"), choices=EVERYWHERE, required=False, initial="1")
    templates = forms.MultipleChoiceField(label=_("Templates"), required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(self, data: QueryDict | None = None, field: CustomField | None = None) -> None:
        super().__init__(data, initial=_initial(field) if field else None)
        rows = [*IncidentTemplate.objects.current()[:500]]
        rows += field.templates.filter(deleted_at__isnull=False) if field else []
        templates = self.fields["templates"]
        assert isinstance(templates, forms.MultipleChoiceField)
        templates.choices = [(str(one.pk), one.name) for one in rows]
        if field is not None:
            del self.fields["key"]

    def clean_choices(self) -> list[str]:
        """Each line, without empty ones."""
        lines = [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]
        if len(lines) > CHOICES_AT_MOST:
            raise forms.ValidationError(_("At most %(most)s choices.") % {"most": CHOICES_AT_MOST})
        return lines

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.custom_fields``. Choices typed for a kind that has none are left out."""
        data = dict(self.cleaned_data)
        picked = data.pop("templates")
        data["templates"] = None if data.pop("everywhere") else picked
        if not KINDS[data["kind"]].chooses:
            data["choices"] = []
        return data


def _initial(field: CustomField) -> dict[str, Any]:
    return {
        "name": field.name,
        "kind": field.kind,
        "choices": "\n".join(field.choices),
        "required": field.required,
        "help_text": field.help_text,
        "everywhere": "1" if field.everywhere else "",
        "templates": [str(pk) for pk in field.templates.values_list("pk", flat=True)],
    }
