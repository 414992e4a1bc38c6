"""What admins set in the portal for all people: each setting with its default, kept only where it differs."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from soar.accounts import audit
from soar.accounts.membership import may
from soar.accounts.models import Setting, User
from soar.lib.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that is on or off."""

    name: str
    label: str | Promise
    hint: str | Promise
    default: bool

    def on(self) -> bool:
        """As it is now. One query."""
        found = Setting.objects.filter(pk=self.name).values_list("value", flat=True).first()
        return self.default if found is None else bool(found)

    def switched_off(self) -> Exists:
        """The condition that somebody turned it off, for a query that asks for more."""
        return Exists(Setting.objects.filter(pk=self.name, value=False))


HIDDEN_HINT = Switch(
    "hidden_hint",
    gettext_lazy("Lists say how much is hidden"),
    gettext_lazy(
        "“12 hidden from you” beside a list: what belongs to other teams and their sources, by status and severity. "
        "Restricted incidents and their alerts are never counted."
    ),
    default=True,
)
FIRST_STEPS = Switch(
    "first_steps",
    gettext_lazy("The dashboard names the first steps"),
    gettext_lazy(
        "A short path from a source to a first incident, for whoever may add sources, until all of it is done."
    ),
    default=True,
)
SWITCHES = (HIDDEN_HINT, FIRST_STEPS)


@transaction.atomic
def switch(actor: User | None, one: Switch, on: bool) -> bool:
    """Turn it on or off; returns whether that changed anything. None is a management command. Raises Forbidden."""
    if actor is not None and not may(actor, "manage_settings"):
        raise Forbidden(_("The permission to manage settings is missing."))
    if one.on() == on:
        return False
    Setting.objects.update_or_create(name=one.name, defaults={"value": on, "changed_by": actor})
    audit.record(actor, "setting.changed", one.name, value=on)
    return True
