"""The form of what a person chose to be told: a row for each reason, then hours, pause and chat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.models import Channel, NotificationSettings
from cases.notifications import choices
from cases.notifications.reasons import MODE_LABELS, REASONS
from soar.connectors import personal

HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
WAYS = [
    ("", gettext_lazy("Off")),
    (personal.HANDLE, gettext_lazy("Mattermost, as a direct message")),
    (personal.WEBHOOK, gettext_lazy("An incoming webhook of my own")),
]
KINDS = [("slack", "Slack"), ("teams", "Microsoft Teams"), ("mattermost", "Mattermost")]


@dataclass(frozen=True, slots=True)
class Select:
    """One choice of a row: the field's name, and its options (value, label, chosen)."""

    name: str
    label: str
    options: list[tuple[str, str | Promise, bool]]


@dataclass(frozen=True, slots=True)
class Row:
    """A reason as the form shows it. ``fixed``: its mail goes out in any case."""

    name: str
    label: str | Promise
    text: str | Promise
    inbox: bool
    selects: list[Select]
    fixed: bool


class SettingsForm(forms.Form):
    """All but the rows of reasons; the action checks it once more."""

    digest_hour = forms.TypedChoiceField(label=gettext_lazy("Daily at"), choices=HOURS, coerce=int)
    workdays_only = forms.BooleanField(label=gettext_lazy("Only on working days"), required=False)
    quiet_from = forms.TimeField(label=gettext_lazy("Quiet from"), required=False)
    quiet_until = forms.TimeField(label=gettext_lazy("until"), required=False)
    paused_until = forms.DateTimeField(label=gettext_lazy("Send nothing until"), required=False)
    paused_until.help_text = gettext_lazy("The inbox goes on. In your time zone.")
    chat_way = forms.ChoiceField(label=gettext_lazy("Chat"), choices=WAYS, required=False)
    chat_account = forms.ChoiceField(label=gettext_lazy("Connector"), required=False)
    chat_handle = forms.CharField(label=gettext_lazy("Your user name there"), max_length=65, required=False)
    chat_kind = forms.ChoiceField(label=gettext_lazy("Product"), required=False, choices=[("", "–"), *KINDS])
    chat_url = forms.CharField(label=gettext_lazy("Address of the webhook"), max_length=2000, required=False)
    chat_url.widget = forms.TextInput({"class": "mono", "spellcheck": "false", "autocomplete": "off"})

    def __init__(self, data: QueryDict | None = None, *, chosen: NotificationSettings) -> None:
        super().__init__(data, initial=_initial(chosen))
        self.chosen = chosen
        clock = {"type": "time"}
        self.fields["quiet_from"].widget = forms.TimeInput(clock, format="%H:%M")
        self.fields["quiet_until"].widget = forms.TimeInput(clock, format="%H:%M")
        self.fields["paused_until"].widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        accounts = [(str(one.pk), one.name) for one in personal.direct_accounts()]
        field = self.fields["chat_account"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "–"), *accounts]
        if chosen.chat_url:
            self.fields["chat_url"].help_text = _("One is kept, encrypted. Leave it empty to keep it.")

    def for_action(self, rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """The changes for ``cases.actions.notifications``: of the chat only what its way needs."""
        data = dict(self.cleaned_data)
        account = data.pop("chat_account")
        found = next((one for one in personal.direct_accounts() if str(one.pk) == account), None)
        if data["chat_way"] != personal.WEBHOOK:
            data |= {"chat_url": "", "chat_kind": ""}
        elif not data["chat_url"]:
            del data["chat_url"]
        if data["chat_way"] != personal.HANDLE:
            data["chat_handle"], found = "", None
        return {**data, "chat_account": found, "choices": rows}


def rows_of(chosen: NotificationSettings, sent: QueryDict | None = None) -> list[Row]:
    """The rows as they are kept, or as they were sent."""
    given = read_rows(sent) if sent is not None else {}
    return [_row(chosen, name, given.get(name)) for name in REASONS]


def read_rows(sent: QueryDict) -> dict[str, dict[str, Any]]:
    """The rows of a form that was sent. What is no mode is left for the action to refuse."""
    return {
        name: {
            choices.INBOX: f"inbox-{name}" in sent,
            **{one: sent[f"{one}-{name}"] for one in Channel.values if f"{one}-{name}" in sent},
        }
        for name in REASONS
    }


def _row(chosen: NotificationSettings, name: str, given: dict[str, Any] | None) -> Row:
    reason = REASONS[name]
    own = given or {choices.INBOX: choices.in_inbox(chosen, name)}
    selects = [
        _select(name, channel, str(own.get(channel) or choices.mode_of(chosen, name, channel)))
        for channel in Channel
        if not (reason.direct and channel == Channel.EMAIL)
    ]
    return Row(name, reason.label, reason.text, bool(own[choices.INBOX]), selects, reason.direct)


def _select(name: str, channel: Channel, mode: str) -> Select:
    options = [(one, label, one == mode) for one, label in MODE_LABELS.items()]
    return Select(f"{channel.value}-{name}", _(str(channel.label)), options)


def _initial(chosen: NotificationSettings) -> dict[str, Any]:
    names = ("digest_hour", "workdays_only", "quiet_from", "quiet_until", "paused_until", "chat_way", "chat_kind")
    kept = {name: getattr(chosen, name) for name in names}
    return {**kept, "chat_handle": chosen.chat_handle, "chat_account": str(chosen.chat_account_id or "")}
