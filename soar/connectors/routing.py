"""Changes of the rules that say which account serves a capability (connectors.md 2)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from soar.accounts import audit
from soar.accounts.models import User
from soar.connectors import registry
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.errors import Forbidden, Refused
from soar.connectors.models import ConnectorAccount, Route

STEP = 10
LENGTHS = {"asset_group": 100, "tag": 100, "domain": 255}


def responders() -> list[ConnectorAccount]:
    """The accounts that serve any capability, by name."""
    return [account for account in ConnectorAccount.objects.all() if registry.offered(account)]


def add_route(actor: User | None, *, account: int, capability: str = "", **where: str) -> Route:
    """Put a rule behind the others. ``where``: asset_group, tag, domain; what is empty fits everything.

    Raises Forbidden, or Refused with a sentence per field."""
    _may_manage(actor)
    found = next((one for one in responders() if one.pk == account), None)
    texts = {name: " ".join(where.get(name, "").split()) for name in LENGTHS}
    if errors := _errors(found, capability, texts):
        raise Refused(errors)
    with transaction.atomic():
        last = Route.objects.select_for_update().order_by("-order", "-pk").first()
        route = Route(order=last.order + STEP if last else STEP, capability=capability, account=found, **texts)
        route.save()
        audit.record(actor, "route.added", f"connector {route.account.name}", **_shown(route))
    return route


def change_route(actor: User | None, pk: int, *, account: int, capability: str = "", **where: str) -> Route | None:
    """Make a rule say something else, at its place; None for one that is gone. Raises Forbidden, Refused by field."""
    _may_manage(actor)
    found = next((one for one in responders() if one.pk == account), None)
    texts = {name: " ".join(where.get(name, "").split()) for name in LENGTHS}
    if errors := _errors(found, capability, texts):
        raise Refused(errors)
    with transaction.atomic():
        route = Route.objects.select_for_update(of=("self",)).select_related("account").filter(pk=pk).first()
        if route is None:
            return None
        before = {**_shown(route), "connector": route.account.name}
        route.account, route.capability = found, capability  # type: ignore[assignment]
        for name, text in texts.items():
            setattr(route, name, text)
        route.save()
        audit.record(actor, "route.changed", f"connector {route.account.name}", before=before, **_shown(route))
    return route


def remove_route(actor: User | None, pk: int) -> bool:
    """Take a rule away; False for one that is gone already. Raises Forbidden."""
    _may_manage(actor)
    with transaction.atomic():
        route = Route.objects.select_for_update(of=("self",)).select_related("account").filter(pk=pk).first()
        if route is None:
            return False
        audit.record(actor, "route.removed", f"connector {route.account.name}", **_shown(route))
        route.delete()
    return True


def raise_route(actor: User | None, pk: int) -> bool:
    """Let a rule change places with the one before it; False when it is the first or gone. Raises Forbidden."""
    _may_manage(actor)
    with transaction.atomic():
        routes = list(Route.objects.select_for_update().order_by("order", "pk"))
        place = next((number for number, one in enumerate(routes) if one.pk == pk), 0)
        if place == 0:
            return False
        routes.insert(place - 1, routes.pop(place))
        for number, one in enumerate(routes, 1):
            one.order = STEP * number
        Route.objects.bulk_update(routes, ["order"])
        audit.record(actor, "route.raised", f"route {pk}", place=place)
    return True


def _may_manage(actor: User | None) -> None:
    if actor is not None and not actor.has_perm("accounts.manage_connectors"):
        raise Forbidden(_("You may not manage connectors."))


def _errors(account: ConnectorAccount | None, capability: str, texts: dict[str, str]) -> dict[str, str]:
    errors = {
        name: _("At most %(lengths)s characters.") % {"lengths": LENGTHS[name]}
        for name, text in texts.items()
        if len(text) > LENGTHS[name]
    }
    errors |= {name: _("This holds characters that cannot be typed.") for name, text in texts.items() if "\x00" in text}
    if capability and capability not in CAPABILITIES:
        errors["capability"] = _("There is no such action.")
    if account is None:
        errors["account"] = _("Choose a connector that can act.")
    elif capability in CAPABILITIES and capability not in registry.offered(account):
        errors["account"] = _("%(name)s cannot do this: %(label)s.") % {
            "name": account.name,
            "label": CAPABILITIES[capability].label,
        }
    return errors


def _shown(route: Route) -> dict[str, Any]:
    return {name: getattr(route, name) for name in ("order", "capability", "asset_group", "tag", "domain")}
