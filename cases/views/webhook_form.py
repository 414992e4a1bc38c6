"""The form of an endpoint of outgoing webhooks: what people choose, turned into what the action takes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.actions.webhooks import OVERLAP_AT_MOST, OVERLAP_HOURS
from cases.choices import Severity, Tlp
from cases.models import AlertSource, WebhookEndpoint
from cases.source_access import sources_seen_by
from cases.timeline_kinds import KINDS
from cases.webhooks.choosing import ALL, GROUP, GROUPS
from soar.accounts.models import Team, User

LABELS = {
    "notes": gettext_lazy("Notes"),
    "changes": gettext_lazy("Changes"),
    "playbooks": gettext_lazy("Playbooks"),
    "servicenow": gettext_lazy("ServiceNow"),
}


class WebhookForm(forms.Form):
    """What a person says of an endpoint; the action checks it once more."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    url = forms.CharField(label=gettext_lazy("Address"), max_length=2000)
    url.widget = forms.TextInput({"class": "mono", "spellcheck": "false", "inputmode": "url"})
    url.help_text = gettext_lazy("Each entry is posted there. It is kept encrypted; lists show its host alone.")
    all_kinds = forms.BooleanField(label=gettext_lazy("Everything, new kinds too"), required=False)
    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Groups"), required=False, widget=forms.CheckboxSelectMultiple
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Single kinds"), required=False, widget=forms.CheckboxSelectMultiple
    )
    team = forms.ChoiceField(label=gettext_lazy("Team"), required=False)
    source = forms.ChoiceField(label=gettext_lazy("Source"), required=False)
    source.help_text = gettext_lazy("With a source only entries of its alerts are sent, none of incidents.")
    least_severity = forms.ChoiceField(label=gettext_lazy("Severity at least"), required=False)
    cleared = forms.ChoiceField(label=gettext_lazy("Cleared up to TLP"), choices=Tlp.choices, initial=Tlp.AMBER)
    cleared.help_text = gettext_lazy("What is above it is withheld, and the log says so.")
    allow_internal = forms.BooleanField(label=gettext_lazy("Its address may be internal"), required=False)
    allow_internal.help_text = gettext_lazy("Otherwise loopback, private and link-local addresses are not reached.")
    ca = forms.CharField(label=gettext_lazy("Certificate authority"), required=False)
    ca.widget = forms.Textarea({"rows": 3, "spellcheck": "false"})
    ca.help_text = gettext_lazy(
        "Certificates (PEM) of who vouches for its host, where no public authority does. Nobody else may then."
    )
    enabled = forms.BooleanField(label=gettext_lazy("Send"), required=False, initial=True)

    def __init__(self, *args: Any, user: User, endpoint: WebhookEndpoint | None = None, **kwargs: Any) -> None:
        if endpoint is not None:
            kwargs["initial"] = _initial(endpoint)
        super().__init__(*args, **kwargs)
        _choices(self, "groups", [(name, LABELS[name]) for name in GROUPS])
        _choices(self, "kinds", [(name, name) for name in KINDS])
        _choices(self, "team", [("", _("any")), *((one.name, one.name) for one in Team.objects.order_by("name"))])
        # Of others not even the name; the one that is chosen already stays, or saving would take it away.
        there = Q(pk=endpoint.source_id) if endpoint is not None and endpoint.source_id else Q(pk__in=[])
        rows = AlertSource.objects.filter(Q(pk__in=sources_seen_by(user).values("pk")) | there)
        sources = rows.order_by("name").values_list("slug", "name")
        _choices(self, "source", [("", _("any")), *sources])
        levels = [(one.word, _(str(one.label))) for one in reversed(Severity)]
        _choices(self, "least_severity", [("", _("any")), *levels])

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.webhooks``."""
        data = dict(self.cleaned_data)
        groups, kinds = data.pop("groups"), data.pop("kinds")
        every = [ALL] if data.pop("all_kinds") else []
        return {**data, "kinds": [*every, *(f"{GROUP}{name}" for name in groups), *kinds]}


class RotateForm(forms.Form):
    """How long the old secret signs too."""

    overlap_hours = forms.IntegerField(
        label=gettext_lazy("Hours in which both sign"), initial=OVERLAP_HOURS, min_value=0, max_value=OVERLAP_AT_MOST
    )


def _initial(endpoint: WebhookEndpoint) -> dict[str, Any]:
    kept = {name: getattr(endpoint, name) for name in ("name", "cleared", "allow_internal", "ca", "enabled")}
    return {
        **kept,
        "url": str(endpoint.url),
        "all_kinds": ALL in endpoint.kinds,
        "groups": [one.removeprefix(GROUP) for one in endpoint.kinds if one.startswith(GROUP)],
        "kinds": [one for one in endpoint.kinds if one in KINDS],
        "team": endpoint.team.name if endpoint.team else "",
        "source": endpoint.source.slug if endpoint.source else "",
        "least_severity": "" if endpoint.least_severity is None else Severity(endpoint.least_severity).word,
    }


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
