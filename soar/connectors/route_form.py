"""The form of a rule of routing, and what the page of connectors shows of the rules there are."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts.models import User
from soar.connectors import routing
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.errors import Refused
from soar.connectors.models import ConnectorAccount, Route
from soar.lib.keyset import Order
from soar.lib.paging import paged

IN_ORDER = Order("order", ("order", "id"), descending=False)
RULES = 25


class RouteForm(forms.Form):
    """A rule. What is left empty fits everything."""

    capability = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    asset_group = forms.CharField(label=gettext_lazy("Asset group"), required=False, max_length=100)
    tag = forms.CharField(label=gettext_lazy("Tag"), required=False, max_length=100)
    domain = forms.CharField(label=gettext_lazy("Domain"), required=False, max_length=255)
    account = forms.ChoiceField(label=gettext_lazy("Connector"))

    def __init__(self, data: Any = None, responders: list[ConnectorAccount] | None = None) -> None:
        super().__init__(data, auto_id="route-%s")
        actions = [(one.name, _(str(one.label))) for one in CAPABILITIES.values()]
        _choices(self, "capability", [("", _("All actions")), *actions])
        _choices(self, "account", [(str(one.pk), one.name) for one in responders or routing.responders()])

    def refuse(self, error: Refused) -> None:
        """Put the sentences of the action beside their fields."""
        for name, text in error.errors.items():
            self.add_error(name if name in self.fields else None, text)


def routes_context(request: HttpRequest, user: User) -> dict[str, Any]:
    """What the page of connectors shows of them, some at a time; nothing to those who manage single accounts only."""
    if not user.has_perm("accounts.manage_connectors"):
        return {}
    keep = {name: request.GET.get(name, "") for name in ("q", "cursor")}
    page = paged(
        request, Route.objects.select_related("account"), IN_ORDER, keep=keep, name="rules", size=RULES, at="#routes"
    )
    first = _before(page.rows[0]) if page.rows and page.newer_url else 0
    rows = [
        {"route": one, "action": _label(one.capability), "number": first + number}
        for number, one in enumerate(page.rows, 1)
    ]
    responders = routing.responders()
    form = RouteForm(responders=responders)
    return {"routes": rows, "route_page": page, "route_form": form, "responders": responders}


def _before(route: Route) -> int:
    """How many rules are asked before this one."""
    return Route.objects.filter(Q(order__lt=route.order) | Q(order=route.order, pk__lt=route.pk)).count()


def _label(capability: str) -> str:
    if not capability:
        return _("All actions")
    return _(CAPABILITIES[capability].label) if capability in CAPABILITIES else capability


def _choices(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
