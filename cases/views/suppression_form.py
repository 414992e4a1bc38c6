"""The form of a suppression rule: texts as people write them, turned into what the action takes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.choices import Severity
from cases.ingest.suppression import Scope
from cases.models import SuppressionRule
from cases.source_access import sources_seen_by
from cases.suppression_access import teams_of
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import clock

NO_TEAM, EVERY_TEAM = "-", "*"
LINES = ("model", "host", "user", "ip", "tag", "observable", "title")
HOURS = {"1h": 1, "1d": 24, "7d": 7 * 24}
FRIDAY, EVENING = 4, 18


class SuppressionForm(forms.Form):
    """What a person says of a rule; the action checks it once more. Of each condition one value a line."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=100)
    reason = forms.CharField(label=gettext_lazy("Reason"), max_length=2000, widget=forms.Textarea({"rows": 2}))
    reason.help_text = gettext_lazy("It stands on the timeline of each alert that is held back.")
    until = forms.ChoiceField(label=gettext_lazy("Until"), initial="1d")
    expires_at = forms.DateTimeField(label=gettext_lazy("Date and time"), required=False)
    expires_at.widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    scope = forms.ChoiceField(label=gettext_lazy("Whose alerts"))
    source = forms.MultipleChoiceField(
        label=gettext_lazy("Sources"), required=False, widget=forms.CheckboxSelectMultiple
    )
    model = forms.CharField(label=gettext_lazy("Detection models"), required=False)
    host = forms.CharField(label=gettext_lazy("Hosts"), required=False)
    user = forms.CharField(label=gettext_lazy("Users"), required=False)
    ip = forms.CharField(label=gettext_lazy("Source addresses or networks"), required=False)
    tag = forms.CharField(label=gettext_lazy("Tags"), required=False)
    observable = forms.CharField(label=gettext_lazy("Observables"), required=False)
    title = forms.CharField(label=gettext_lazy("Title contains"), required=False)
    severity = forms.ChoiceField(label=gettext_lazy("Severity at most"), required=False)
    hold_open = forms.BooleanField(
        label=gettext_lazy("Take those that wait in the queue out of it too"), required=False
    )
    hold_open.help_text = gettext_lazy("New ones of nobody and in no incident.")

    def __init__(self, user: User, data: QueryDict | None = None, **kwargs: Any) -> None:
        self.rule: SuppressionRule | None = kwargs.pop("rule", None)
        if self.rule:
            kwargs["initial"] = _initial(self.rule)
        super().__init__(data, **kwargs)
        for name in LINES:
            self.fields[name].widget = forms.Textarea({"rows": 2, "class": "mono", "spellcheck": "false"})
            self.fields[name].widget.is_required = False
        presets = [("1h", _("1 hour")), ("1d", _("1 day")), ("7d", _("7 days")), ("friday", _("until Friday, 18:00"))]
        keep = [("keep", _("as it is"))] if self.rule else []
        _choices(self, "until", [*keep, *presets, ("other", _("another time"))])
        _choices(self, "source", _sources(user))
        levels = [(one.word, _(str(one.label))) for one in reversed(Severity)]
        _choices(self, "severity", [("", _("any")), *levels])
        _choices(self, "scope", _scopes(user, self.rule))
        if self.rule:
            del self.fields["hold_open"]

    def conditions(self) -> dict[str, list[str]]:
        """As the action takes them, of a form that was checked or not."""
        data = getattr(self, "cleaned_data", {})
        found = {name: (data.get(name) or "").splitlines() for name in LINES}
        found["source"] = list(data.get("source") or [])
        found["severity"] = [data["severity"]] if data.get("severity") else []
        return {name: values for name, values in found.items() if any(value.strip() for value in values)}

    def whose(self) -> dict[str, Any]:
        """Team and all_teams, as the action takes them."""
        scope = self.cleaned_data.get("scope", NO_TEAM)
        return {"team": None if scope in (NO_TEAM, EVERY_TEAM) else scope, "all_teams": scope == EVERY_TEAM}

    def for_action(self) -> dict[str, Any]:
        """The fields for ``cases.actions.suppression``."""
        data = self.cleaned_data
        fields = {"name": data["name"], "reason": data["reason"], "conditions": self.conditions(), **self.whose()}
        if data["until"] != "keep":
            fields["expires_at"] = data["expires_at"] if data["until"] == "other" else preset(data["until"])
        return fields


def preset(name: str) -> datetime:
    """The end of a rule that is made now: in an hour, a day, a week, or on Friday evening."""
    now = clock.now()
    if name in HOURS:
        return now + timedelta(hours=HOURS[name])
    local = timezone.localtime(now)
    evening = local.replace(hour=EVENING, minute=0, second=0, microsecond=0)
    evening += timedelta(days=(FRIDAY - local.weekday()) % 7)
    return evening if evening > local else evening + timedelta(days=7)


def scope_of(whose: dict[str, Any], user: User) -> Scope:
    """The scope of a preview: the team by name."""
    team = teams_of(user).filter(name=whose["team"]).first() if whose["team"] else None
    return Scope(team.pk if team else None, whose["all_teams"])


def _sources(user: User) -> list[tuple[str, str]]:
    """The sources whose alerts the person sees anyway."""
    rows = sources_seen_by(user)
    return list(rows.values_list("slug", "name"))


def _scopes(user: User, rule: SuppressionRule | None) -> list[tuple[str, str]]:
    scopes = [(NO_TEAM, _("Alerts of no team")), *((one.name, one.name) for one in teams_of(user))]
    if may(user, "manage_sources"):
        scopes.append((EVERY_TEAM, _("Every team's")))
    return scopes


def _initial(rule: SuppressionRule) -> dict[str, Any]:
    lines = {name: "\n".join(_listed(rule.conditions, name)) for name in LINES}
    return {
        **lines,
        "name": rule.name,
        "reason": rule.reason,
        "until": "keep",
        "expires_at": rule.expires_at,
        "scope": EVERY_TEAM if rule.all_teams else rule.team.name if rule.team else NO_TEAM,
        "source": _listed(rule.conditions, "source"),
        "severity": next(iter(_listed(rule.conditions, "severity")), ""),
    }


def _listed(conditions: Any, name: str) -> list[str]:
    """The values of a condition; of a rule that is broken what can be shown."""
    values = conditions.get(name) if isinstance(conditions, dict) else None
    return [str(value) for value in values] if isinstance(values, list) else []


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
