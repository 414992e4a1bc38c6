"""Forms of a person's own settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from soar.accounts.models import Role, User
from soar.lib.clock import zones

FOREVER = ""


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, address, theme, time zone, keys."""

    email = forms.EmailField(label=_("E-mail"), required=False, max_length=254)
    email.help_text = _("A link to a new password goes there.")

    class Meta:
        model = User
        fields = ("first_name", "last_name", "theme", "time_zone", "shortcuts")
        labels = {
            "theme": _("Theme"),
            "time_zone": _("Time zone"),
            "shortcuts": _("Keyboard shortcuts on lists and details"),
        }
        help_texts = {"time_zone": _("A name like Europe/Oslo; times are shown in it."), "shortcuts": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].initial = self.instance.email
        self.fields["time_zone"].widget = forms.TextInput({"list": "time-zones", "autocomplete": "off"})
        theme = self.fields["theme"]
        assert isinstance(theme, forms.ChoiceField)
        theme.choices = [("auto", _("By the system")), ("light", _("Light")), ("dark", _("Dark"))]

    def clean_time_zone(self) -> str:
        """A zone that this machine knows."""
        name = str(self.cleaned_data["time_zone"]).strip()
        if name not in zone_names():
            raise ValidationError(_("There is no time zone of this name. Write one like Europe/Oslo."))
        return name


class TokenForm(forms.Form):
    """A new API token of one's own."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is for."))
    days = forms.ChoiceField(label=_("Works"), initial="90", required=False)
    scopes = forms.MultipleChoiceField(label=_("May"), required=False, widget=forms.CheckboxSelectMultiple)
    scopes.help_text = _("Nothing ticked: all that you may. A token never may more than you.")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days, scopes = self.fields["days"], self.fields["scopes"]
        assert isinstance(days, forms.ChoiceField)
        assert isinstance(scopes, forms.MultipleChoiceField)
        days.choices = [
            ("7", _("7 days")),
            ("30", _("30 days")),
            ("90", _("90 days")),
            ("365", _("a year")),
            (FOREVER, _("until it is revoked")),
        ]
        scopes.choices = [
            (name, gettext(str(text))) for name, text in Role._meta.permissions if user.has_perm(f"accounts.{name}")
        ]

    def expires_at(self) -> Any:
        """When it ends, or None."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


def zone_names() -> list[str]:
    """Names of time zones in order."""
    return list(zones())
