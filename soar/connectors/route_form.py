"""The form of a rule of routing, and what the page of connectors shows of the rules there are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts.models import User
from soar.connectors import routing
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.errors import Refused
from soar.connectors.models import Route


class RouteForm(forms.Form):
    """A rule. What is left empty fits everything."""

    capability = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    asset_group = forms.CharField(label=gettext_lazy("Asset group"), required=False, max_length=100)
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=100)
    domain = forms.CharField(label=gettext_lazy("Domain"), required=False, max_length=255)
    account = forms.ChoiceField(label=gettext_lazy("Connector"))

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="route-%s")
        actions = [(one.name, one.label) for one in CAPABILITIES.values()]
        _choices(self, "capability", [("", _("All actions")), *actions])
        _choices(self, "account", [(str(one.pk), one.name) for one in routing.responders()])

    def refuse(self, error: Refused) -> None:
        """Put the sentences of the action beside their fields."""
        for name, text in error.errors.items():
            self.add_error(name if name in self.fields else None, text)


def routes_context(user: User) -> dict[str, Any]:
    """What the page of connectors shows of them; nothing to those who manage single accounts only."""
    if not user.has_perm("accounts.manage_connectors"):
        return {}
    routes = list(Route.objects.select_related("account").order_by("order", "pk"))
    rows = [{"route": one, "action": _label(one.capability)} for one in routes]
    return {"routes": rows, "route_form": RouteForm(), "responders": routing.responders()}


def _label(capability: str) -> str:
    if not capability:
        return _("All actions")
    return CAPABILITIES[capability].label if capability in CAPABILITIES else capability


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
