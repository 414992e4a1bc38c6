"""The one way to fetch an asset for a person: whether they see it, and the lock, in one call."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing
from cases.models import Asset
from soar.accounts.models import User


def asset_for(who: Actor | User, pk: str | int, *, lock: bool = False) -> Asset:
    """The asset with this id, if ``who`` may see it. ``lock`` takes the row's lock (in a transaction).
    Raises Missing."""
    user = who.user if isinstance(who, Actor) else who
    rows = Asset.objects.select_for_update(of=("self",)) if lock else Asset.objects.all()
    if user is not None:
        rows = rows.visible_to(user)
    number = str(pk)
    possible = number.isascii() and number.isdecimal() and len(number) < 19
    found = rows.filter(pk=int(number)).first() if possible else None
    if found is None:
        raise Missing(_("There is no asset %(number)s.") % {"number": f"{number:.40}"})
    return found
