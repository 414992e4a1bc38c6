"""The form of an account, made of its kind's table of settings and secrets. The action checks; the form carries."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from soar.connectors.choice_words import choice_label
from soar.connectors.errors import Refused
from soar.connectors.kinds import COMMON, Kind, Setting
from soar.connectors.models import ConnectorAccount
from soar.connectors.showing import label_of, value_of

SETTING, SECRET, FORGET = "set_", "secret_", "forget_"
KEPT = _("It is set and not shown. Leave it empty to keep it.")
# Rarely changed: they stand under a summary of their own.
LIMITS = ("proxy", "timeout_seconds", "rate_per_minute")


class AccountForm(forms.Form):
    """``name``, then a field for each setting and secret. Every text is taken as it is: the kind's table judges."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("Playbooks call it by this name."))

    def __init__(self, data: Any = None, *, kind: Kind, account: ConnectorAccount | None = None) -> None:
        super().__init__(data, initial={"name": account.name} if account else None)
        self.kind, self.account = kind, account
        self._own = {one.name for one in kind.all_settings()}
        secrets = account.readable_secrets() if account else {}
        for one in kind.all_settings():
            self.fields[SETTING + one.name] = _field(one, value_of(account, one) if account else one.default)
        for one in kind.secrets:
            self.fields[SECRET + one.name] = _secret(one, is_set=bool(secrets.get(one.name)))
            if secrets.get(one.name) and not one.required:
                self.fields[FORGET + one.name] = forms.BooleanField(label=_("Remove it"), required=False)

    def settings(self) -> dict[str, Any]:
        """The settings as they were typed."""
        return {name: self.cleaned_data[SETTING + name] for name in self._own}

    def secrets(self) -> dict[str, str]:
        """Those that were typed, and "" for those to be removed; of a new account the empty ones are left out too."""
        names = [one.name for one in self.kind.secrets]
        given = {name: self.cleaned_data[SECRET + name] for name in names if self.cleaned_data[SECRET + name]}
        gone = {name: "" for name in names if self.cleaned_data.get(FORGET + name)}
        return {**gone, **given}

    def refuse(self, error: Refused) -> None:
        """Put the sentences of the action beside their fields."""
        for name, text in error.errors.items():
            key = next((key for key in (name, SETTING + name, SECRET + name) if key in self.fields), None)
            self.add_error(key, text)

    def groups(self) -> dict[str, list[Any]]:
        """The fields by section of the page: ``main``, ``secrets`` (and what removes one), ``network``, ``limits``."""
        common = [one.name for one in COMMON]
        return {
            "main": self._of_section("", common),
            "secrets": [self[name] for name in self.fields if name.startswith((SECRET, FORGET))],
            "network": [self[SETTING + name] for name in common if name not in LIMITS],
            "limits": [self[SETTING + name] for name in LIMITS],
        }

    def sections(self) -> dict[str, list[Any]]:
        """Further parts of a kind with many settings, by their headings."""
        names = dict.fromkeys(one.section for one in self.kind.settings if one.section)
        return {name: self._of_section(name, []) for name in names}

    def _of_section(self, section: str, but: list[str]) -> list[Any]:
        own = self.kind.all_settings()
        return [self[SETTING + one.name] for one in own if one.section == section and one.name not in but]


def _field(setting: Setting, value: Any) -> forms.Field:
    common: dict[str, Any] = {"label": label_of(setting), "initial": value, "required": False}
    if setting.form == "flag":
        return forms.BooleanField(**common)
    common["help_text"] = _sentence(setting)
    if setting.form == "choice":
        choices = [(one, choice_label(setting, one)) for one in setting.choices]
        return forms.ChoiceField(choices=choices, **common)
    return forms.CharField(widget=_widget(setting), strip=setting.form != "lines", **common)


def _widget(setting: Setting) -> forms.Widget:
    if setting.form in ("lines", "certificates"):
        return forms.Textarea({"rows": 6 if setting.form == "lines" else 3, "spellcheck": "false"})
    if setting.form == "number":
        return forms.NumberInput()
    return forms.TextInput({"required": True} if setting.required else {})


def _secret(setting: Setting, *, is_set: bool) -> forms.Field:
    help_text = f"{_sentence(setting)} {KEPT}".strip() if is_set else _sentence(setting)
    attributes: dict[str, Any] = {"autocomplete": "new-password", "spellcheck": "false"}
    if setting.required and not is_set:
        attributes["required"] = True
    widget: forms.Widget = forms.PasswordInput(attributes)
    if setting.form == "lines":
        widget = _BlankTextarea({**attributes, "rows": 4})
    return forms.CharField(label=label_of(setting), required=False, strip=False, help_text=help_text, widget=widget)


def _sentence(setting: Setting) -> str:
    """The help below a field; nothing where it would say what stands over it."""
    text = gettext(setting.help)
    if text.casefold() == str(label_of(setting)).casefold():
        return ""
    return text if text.endswith("…") else text + "."


class _BlankTextarea(forms.Textarea):
    """Like a password field: what was typed does not come back in the page."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, None, attrs)
        return context
