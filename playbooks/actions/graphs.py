"""Response playbooks: made, drawn, copied, put away (response-playbooks.md 1, 28). Publishing is a file of its own.

A draft may be incomplete and is changed under an optimistic lock; a version is complete, numbered and never changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused
from playbooks import catalog
from playbooks.actions.rights import authored, needs
from playbooks.choices import Trigger
from playbooks.graph.model import Graph
from playbooks.graph.schema import blank, read, write
from playbooks.models import Playbook, PlaybookVersion
from playbooks.permissions import playbook_for
from soar.accounts import audit
from soar.accounts.membership import may

NAME_AT_MOST = 200
RIGHT = gettext_noop("The permission to write and enable playbooks is missing.")
Change = Callable[[Graph], Graph]


@transaction.atomic
def create(actor: Actor, graph: Graph) -> Playbook:
    """A new response playbook, switched off, whose draft is ``graph``. Raises Forbidden, Refused for its name."""
    needs(actor, "author_playbooks", _(RIGHT))
    name = checked_name(graph.name)
    graph = replace(graph, name=name)
    row = Playbook(
        name=name,
        kind="response",
        description=graph.description,
        trigger=trigger_of(graph),
        enabled=False,
        draft=write(graph),
        draft_number=1,
        created_by=actor.user,
        modified_by=actor.user,
    )
    _insert(row)
    audit.record(actor.user, "playbook.created", row.name)
    catalog.bump()
    return row


def create_blank(actor: Actor, name: str) -> Playbook:
    """A new response playbook with nothing but its trigger and target."""
    return create(actor, blank(name))


def _insert(row: Playbook) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        if "playbook_name_unique" not in str(error):
            raise
        raise Refused(_taken(row.name), field="name") from None


def _taken(name: str) -> str:
    return _("There is already a playbook called “%s”; upper and lower case make no difference.") % name[:60]


def checked_name(name: str, besides: int | None = None) -> str:
    """The name without spaces at its ends, if it can be a playbook's. Raises Refused (response-playbooks.md 1)."""
    clean = " ".join(name.split())
    if not clean:
        raise Refused(_("Give the playbook a name."), field="name")
    if len(clean) > NAME_AT_MOST or not clean.isprintable():
        raise Refused(_("A name has at most %d printable characters.") % NAME_AT_MOST, field="name")
    same = Playbook.objects.filter(name__iexact=clean)
    if (same.exclude(pk=besides) if besides is not None else same).exists():
        raise Refused(_taken(clean), field="name")
    return clean


def free_name(wanted: str) -> str:
    """``wanted``, or with the first number behind it that makes it free."""
    base = " ".join(wanted.split())[: NAME_AT_MOST - 8] or _("Playbook")
    taken = {name.lower() for name in Playbook.objects.filter(name__istartswith=base).values_list("name", flat=True)}
    numbered = (f"{base} ({number})" for number in range(2, len(taken) + 3))
    return base if base.lower() not in taken else next(name for name in numbered if name.lower() not in taken)


def drawn(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """The response playbook, locked, for somebody who may write playbooks. Raises Missing, Forbidden, Conflict."""
    row = authored(actor, playbook)
    if row.kind != "response":
        raise Conflict(_("%s is a Python playbook: its file is the truth, it cannot be drawn.") % row.name)
    return row


def draft_of(row: Playbook) -> Graph:
    """The graph as its author left it; of one that has none, an empty one."""
    return read(row.draft)[0] if row.draft else blank(row.name)


@transaction.atomic
def change_draft(actor: Actor, playbook: Playbook | str | int, change: Change, *, number: int | None) -> Playbook:
    """Apply ``change`` to the draft. ``number`` is that of the draft that the person saw; None takes any.

    Raises Conflict (``code`` is "draft_changed") when somebody changed it since; nothing is saved then."""
    row = drawn(actor, playbook)
    return _save_draft(actor, row, change(draft_of(row)), number)


@transaction.atomic
def save_draft(actor: Actor, playbook: Playbook | str | int, graph: Graph, *, number: int | None) -> Playbook:
    """Replace the draft by ``graph``. As ``change_draft``."""
    return _save_draft(actor, drawn(actor, playbook), graph, number)


def _save_draft(actor: Actor, row: Playbook, graph: Graph, number: int | None) -> Playbook:
    if number is not None and number != row.draft_number:
        raise Conflict(changed_meanwhile(row), code="draft_changed", draft_number=row.draft_number)
    graph = replace(graph, name=checked_name(graph.name, row.pk))
    document = write(graph)
    if document == row.draft:
        return row
    row.draft, row.draft_number = document, row.draft_number + 1
    renamed = row.name if row.name != graph.name else ""
    row.name, row.description = graph.name, graph.description
    row.modified_by, row.modified_at = actor.user, timezone.now()
    row.save(update_fields=["draft", "draft_number", "name", "description", "modified_by", "modified_at"])
    more = {"before": renamed} if renamed else {}
    audit.record(actor.user, "playbook.drawn", row.name, draft=row.draft_number, **more)
    if renamed:
        catalog.bump()
    return row


def changed_meanwhile(row: Playbook) -> str:
    """Why a change is not saved: who changed the draft since it was seen."""
    who = row.modified_by.display_name() if row.modified_by else "Soar"
    return _("%s changed this draft since you opened it. Nothing was saved.") % who


def trigger_of(graph: Graph) -> str:
    """What the row says of its trigger: an automatic one starts with a new or reopened alert."""
    return Trigger.WEBHOOK.value if graph.trigger.type == "automatic" else Trigger.MANUAL.value


def is_published(row: Playbook) -> bool:
    """Whether the draft is what runs."""
    return row.current is not None and row.draft is not None and row.current.definition == row.draft


def duplicate(actor: Actor, playbook: Playbook | str | int, name: str = "") -> Playbook:
    """A copy of the draft under another name, switched off, never published."""
    with transaction.atomic():
        row = drawn(actor, playbook)
        graph = draft_of(row)
        wanted = name or free_name(_("%s, copy") % row.name[: NAME_AT_MOST - 20])
        return create(actor, replace(graph, name=wanted))


def restore(actor: Actor, playbook: Playbook | str | int, version: int, *, number: int | None = None) -> Playbook:
    """Make the graph of an old version the draft again; the name stays. It runs once it is published."""
    with transaction.atomic():
        row = drawn(actor, playbook)
        found = PlaybookVersion.objects.filter(playbook=row, number=version).first()
        if found is None:
            raise Missing(_("There is no version %d.") % version)
        graph = replace(read(found.definition)[0], name=row.name)
        audit.record(actor.user, "playbook.restored", row.name, version=version)
        return _save_draft(actor, row, graph, number)


@transaction.atomic
def delete(actor: Actor, playbook: Playbook | str | int) -> None:
    """Remove a response playbook that never ran. Raises Conflict for one that did: its runs point at its versions,
    so it is put away instead (``archive``)."""
    row = drawn(actor, playbook)
    if actor.user is not None and not may(actor.user, "author_playbooks"):
        playbook_for(actor, row, "manage")  # who was let in to edit it puts it away; to take it from others is more
    if row.runs.exists():
        raise Conflict(
            _("%s has run: its runs show what it did, so it is kept. Put it away instead.") % row.name, code="has_runs"
        )
    Playbook.objects.filter(pk=row.pk).update(current=None)
    audit.record(actor.user, "playbook.deleted", row.name, draft=row.draft)
    row.delete()
    catalog.bump()


@transaction.atomic
def archive(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """Put it away: it starts nothing and the list leaves it out; versions and runs stay."""
    return _put(actor, drawn(actor, playbook), present=False)


@transaction.atomic
def unarchive(actor: Actor, playbook: Playbook | str | int) -> Playbook:
    """Bring it back to the list, switched off."""
    return _put(actor, drawn(actor, playbook), present=True)


def _put(actor: Actor, row: Playbook, *, present: bool) -> Playbook:
    if row.present == present:
        return row
    row.present, row.enabled = present, False
    Playbook.objects.filter(pk=row.pk).update(present=present, enabled=False, modified_by=actor.user, modified_at=Now())
    audit.record(actor.user, "playbook.unarchived" if present else "playbook.archived", row.name)
    catalog.bump()
    return row
