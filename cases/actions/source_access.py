"""The one way to a source that is about to be changed."""

from __future__ import annotations

from django.utils.translation import gettext as _

from cases.actors import Actor
from cases.errors import Missing
from cases.models import AlertSource
from cases.permissions import source_for


def locked_source(actor: Actor, slug: str) -> AlertSource:
    """The source under its row's lock, in the caller's transaction. Raises Missing where there is none that this actor
    may see, Forbidden for a person who may not manage it."""
    if actor.user is not None:
        source_for(actor.user, slug)
    # Nothing is joined: a row that was waited for is read anew, what is joined to it is not.
    source = AlertSource.objects.select_for_update().filter(slug=slug).first()
    if source is None:
        raise Missing(_("There is no source %(slug)s.") % {"slug": f"{slug!s:.60}"})
    return source
