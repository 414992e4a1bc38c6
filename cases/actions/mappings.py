"""Changing what a source has been taught: versions of its mapping, and the samples they are tried on.

No version is ever changed; going back makes a new one. All of it is in the audit log (ingest-and-api.md 3)."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from cases.actions.base import text_of
from cases.actions.source_access import locked_source
from cases.actors import Actor
from cases.errors import Conflict, Missing, Refused, Stale
from cases.ingest.mapping.document import checked
from cases.ingest.mapping.fit import documents_of, misfits
from cases.ingest.mapping.overlay import Overlay
from cases.ingest.reading import ITEM_AT_MOST, Unreadable
from cases.ingest.text import clean_text
from cases.models import AlertSource, SourceMapping, SourceSample
from soar.accounts import audit

SAMPLES_AT_MOST = 10


class Misfit(Conflict):
    """The mapping does not fit the samples; ``errors`` has a sentence for each field. It can be saved all the same."""

    code = "misfit"

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(_("The mapping does not fit its samples. Change it, or save it all the same."), errors=errors)
        self.errors = errors


@transaction.atomic
def save(
    actor: Actor, slug: str, mapping: Any, *, version: int | None = None, anyway: bool = False, again: int | None = None
) -> SourceMapping:
    """Make ``mapping`` the source's new version, or give back the one in use if it says the same.

    ``version`` is the number that the caller has seen (0: none yet). ``again`` is the version that this one repeats.
    Raises BadMapping, Misfit (unless ``anyway``), Stale, Missing, Forbidden."""
    source = locked_source(actor, slug)
    now = source.mapping.number if source.mapping else 0
    if version is not None and version != now:
        raise Stale(_("Somebody changed the mapping since you opened it. Nothing was saved."), current=now)
    wanted = checked(mapping)
    if source.mapping and source.mapping.mapping == wanted:
        return source.mapping
    wrong = unfit(source, wanted)
    if wrong and not anyway:
        raise Misfit(wrong)
    return _new_version(actor, source, wanted, misfit=len(wrong), again=again)


def _new_version(
    actor: Actor, source: AlertSource, wanted: dict[str, Any], *, misfit: int, again: int | None
) -> SourceMapping:
    last = source.mappings.order_by("-number").values_list("number", flat=True).first() or 0
    old = source.mapping.mapping if source.mapping else {}
    made = SourceMapping.objects.create(
        source=source,
        number=last + 1,
        mapping=wanted,
        made_by=actor.user,
        made_by_name=actor.name[:200],
        restored_from=again,
        misfits=misfit,
    )
    source.mapping = made
    source.save(update_fields=["mapping"])
    changed = sorted({place for place, _, _ in differences(old, wanted)})
    audit.record(
        actor.user, "source.mapping_changed", source.slug, version=made.number, fields=changed, restored_from=again
    )
    return made


def restore(actor: Actor, slug: str, number: int, *, version: int | None = None, anyway: bool = False) -> SourceMapping:
    """Make an older version's mapping the newest one. Raises Missing and what ``save`` raises."""
    row = SourceMapping.objects.filter(source__slug=slug, number=number).first()
    if row is None:
        raise Missing(_("There is no mapping %(number)s of this source.") % {"number": number})
    return save(actor, slug, row.mapping, version=version, anyway=anyway, again=number)


def unfit(source: AlertSource, mapping: dict[str, Any]) -> dict[str, str]:
    """What of a checked mapping does not fit the source's samples."""
    samples = {}
    for row in source.samples.all():
        try:
            samples[row.name] = documents_of(row.body)
        except Unreadable:
            continue  # kept when more could be read; nothing can be said about it
    return misfits(Overlay(mapping), samples) if mapping else {}


@transaction.atomic
def add_sample(actor: Actor, slug: str, name: str, body: str) -> SourceSample:
    """Keep a payload with the source. Raises Refused beside ``name`` or ``sample``, Missing, Forbidden."""
    source = locked_source(actor, slug)
    name = text_of(name, "name", most=100)
    if source.samples.count() >= SAMPLES_AT_MOST:
        raise Refused(
            _("A source keeps at most %(samples_at_most)s samples. Remove one first.")
            % {"samples_at_most": SAMPLES_AT_MOST},
            field="sample",
        )
    text = _sample_text(body)
    try:
        with transaction.atomic():
            made = SourceSample.objects.create(source=source, name=name, body=text, made_by_name=actor.name[:200])
    except IntegrityError as error:
        raise Refused(_("There is a sample of this name already."), field="name") from error
    audit.record(actor.user, "source.sample_kept", source.slug, name=name)
    return made


def _sample_text(body: Any) -> str:
    if not isinstance(body, str) or len(body.encode("utf-8", "replace")) > ITEM_AT_MOST:
        raise Refused(_("A sample is a text of at most 1 MiB."), field="sample")
    try:
        documents_of(body)
    except Unreadable as error:
        raise Refused(error.message, field="sample") from error
    return clean_text(body)[0]


@transaction.atomic
def remove_sample(actor: Actor, slug: str, pk: int) -> None:
    """Keep a sample no longer. Raises Missing."""
    source = locked_source(actor, slug)
    row = source.samples.filter(pk=pk).first()
    if row is None:
        raise Missing(_("There is no such sample of this source."))
    row.delete()
    audit.record(actor.user, "source.sample_removed", source.slug, name=row.name)


def differences(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Place, what it was and what it is, of all that is not the same in two mappings; "" for nothing."""
    before, after = _flat(old), _flat(new)
    places = dict.fromkeys([*before, *after])
    return [(p, before.get(p, ""), after.get(p, "")) for p in places if before.get(p, "") != after.get(p, "")]


def _flat(mapping: dict[str, Any]) -> dict[str, str]:
    flat = {"items": mapping.get("items", ""), **mapping.get("fields", {})}
    for name, table in mapping.get("values", {}).items():
        flat[f"{name} values"] = ", ".join(f"{word} = {meant}" for word, meant in sorted(table.items()))
    for one in mapping.get("observables", ()):
        flat[f"observable {one['path']}"] = one["type"]
    flat["must be there"] = ", ".join(mapping.get("required", ()))
    flat["observables in text"] = "no" if mapping.get("find_in_text") is False else ""
    return {place: value for place, value in flat.items() if value}
