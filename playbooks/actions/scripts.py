"""The library of scripts: adding and removing, each with its row in the audit log (response-playbooks.md 16)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actors import Actor
from cases.errors import Forbidden, Missing, Refused
from playbooks import script_files
from playbooks.actions.rights import needs
from playbooks.models import Script
from soar.accounts import audit
from soar.accounts.membership import may

DESCRIPTION_AT_MOST = 2000


@transaction.atomic
def add(actor: Actor, name: str, body: bytes, *, systems: Sequence[str] = (), description: str = "") -> Script:
    """Put a script into the library. ``name`` is the file's, its ending says the language; see script_files.read.

    Raises Forbidden without the permission to write playbooks, Refused beside name, file, systems or description."""
    _may_write(actor)
    found = script_files.read(name, body, systems)
    about = text_of(description, "description", most=DESCRIPTION_AT_MOST, required=False)
    script = Script(
        name=found.name,
        language=found.language,
        systems=list(found.systems),
        description=about,
        text=found.text,
        sha256=found.sha256,
        size=found.size,
        uploaded_by=actor.user,
    )
    _saved(script)
    script.refresh_from_db(fields=["uploaded_at"])
    audit.record(actor.user, "script.added", script.name, sha256=script.sha256, size=script.size)
    return script


@transaction.atomic
def remove(actor: Actor, script_id: int) -> Script:
    """Take a script off the library; its text stays with the tasks that ran it. Raises Missing, Forbidden."""
    _may_write(actor)
    script = Script.objects.select_for_update(of=("self",)).filter(pk=script_id, removed=False).first()
    if script is None:
        raise Missing(_("There is no script %(script_id)s.") % {"script_id": script_id})
    script.removed = True
    script.save(update_fields=["removed"])
    audit.record(actor.user, "script.removed", script.name, sha256=script.sha256)
    return script


def script_for(actor: Actor, script_id: int) -> Script:
    """A script of the library for somebody who may see cases; also a removed one, which old tasks still name.

    Raises Missing, Forbidden."""
    if actor.user is not None and not may(actor.user, "view_cases"):
        raise Forbidden(_("The permission to see alerts, incidents and runs is missing."))
    rows = Script.objects.select_related("uploaded_by")
    script = rows.filter(pk=script_id).first() if script_id < 2**63 else None
    if script is None:
        raise Missing(_("There is no script %(script_id)s.") % {"script_id": f"{script_id!s:.40}"})
    return script


def _may_write(actor: Actor) -> None:
    needs(actor, "author_playbooks", _("The permission to write playbooks is missing."))


def _saved(script: Script) -> None:
    """The database says whether the name is free, also to two people at the same moment."""
    try:
        with transaction.atomic():
            script.save()
    except IntegrityError as error:
        if "script_name_unique" not in str(error):
            raise
        text = _("There is a script %(name)s already. Remove it first, or give this one another name.") % {
            "name": script.name
        }
        raise Refused(text, field="name") from None
