"""The payloads that the mapping editor may show: kept samples, what came last, dead letters, something pasted."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from cases.actions.dead_letters import told, waiting
from cases.ingest.mapping.fit import documents_of
from cases.ingest.reading import Unreadable, unpack
from cases.ingest.samples import sample_of
from cases.ingest.text import clean_json
from cases.models import Alert, AlertPayload, AlertSource, DeadLetter
from soar.accounts.models import User

NEWEST = 5
PASTED, FIRST = "pasted", "example"


class Sample(NamedTuple):
    """A payload: how the form calls it, its text, and why it is no JSON ("" if it is)."""

    key: str
    text: str
    problem: str = ""
    documents: tuple[dict[str, Any], ...] = ()


def choices(user: User, source: AlertSource) -> list[tuple[str, str]]:
    """Key and label of all that can be shown to this person: of alerts those that they see."""
    kept = [(f"kept-{one.pk}", _("Kept: %s") % one.name) for one in source.samples.all()]
    alerts = Alert.objects.visible_to(user).filter(source=source, payload__isnull=False).order_by("-pk")
    numbers = alerts.values_list("pk", flat=True)[:NEWEST]
    letters = waiting(DeadLetter.objects.filter(source=source)).order_by("-id")[:NEWEST]
    return [
        *kept,
        *((f"alert-{pk}", _("Came as ALR-%s") % pk) for pk in numbers),
        *((f"letter-{pk}", _("Dead letter %s") % pk) for pk in letters.values_list("pk", flat=True)),
        (FIRST, _("An example of this kind")),
        (PASTED, _("Pasted below")),
    ]


def chosen(user: User, source: AlertSource, key: str, pasted: str, offered: list[tuple[str, str]]) -> Sample:
    """The sample of this key; the first that is offered for a key that leads nowhere, or to what they may not see."""
    text = pasted if key == PASTED else _text(user, source, key)
    if text is None:
        key = offered[0][0]
        text = _text(user, source, key) or ""
    if not text.strip():
        return Sample(key, text, _("Paste a payload, or choose one that came."))
    try:
        # As they would be stored: a page cannot show half a character.
        return Sample(key, text, documents=tuple(clean_json(one)[0] for one in documents_of(text)))
    except Unreadable as error:
        return Sample(key, text, error.message)


def _text(user: User, source: AlertSource, key: str) -> str | None:
    sort, _dash, number = key.partition("-")
    if key == FIRST:
        return sample_of(source.kind)
    if not number.isdecimal() or len(number) > 18:
        return None
    pk = int(number)
    if sort == "kept":
        return source.samples.filter(pk=pk).values_list("body", flat=True).first()
    if sort == "alert":
        seen = Alert.objects.visible_to(user).filter(pk=pk, source=source)
        return AlertPayload.objects.filter(alert__in=seen).values_list("body", flat=True).first()
    return _letter(user, source, pk) if sort == "letter" else None


def _letter(user: User, source: AlertSource, pk: int) -> str | None:
    letter = told(user, source.dead_letters.all()).filter(pk=pk).first()
    if letter is None:
        return None
    try:
        return unpack(bytes(letter.body), letter.encoding).decode("utf-8", "replace")
    except Unreadable:
        return ""
