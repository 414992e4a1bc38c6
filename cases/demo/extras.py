"""What the incidents of the demo have besides their story: values of custom fields, pins, a merge, and lines in the
inbox of whoever reads the portal. All of it by the same actions as the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cases.actions import custom_fields
from cases.actors import Actor
from cases.demo.stage import Stage
from cases.demo.story import Step, step
from cases.errors import CaseError
from cases.models import Channel, CustomField, NotificationSettings, TimelineEntry
from cases.notifications.concerned import Concerned
from cases.notifications.reader import KINDS
from cases.notifications.reasons import REASONS
from cases.notifications.writing import Item, Receiver, write
from soar.accounts.membership import holders
from soar.accounts.models import User
from soar.lib import clock

DEFINED = timedelta(days=170)
UNIT, LOSS, REPORTABLE, CAUSE = "Business unit", "Loss in euro", "Report to the authority", "Root cause"
FIELDS: tuple[dict[str, Any], ...] = (
    {"name": UNIT, "kind": "choice", "choices": ["Finance", "People", "Sales", "Operations", "Engineering"]},
    {"name": LOSS, "kind": "number", "help_text": "Estimated; leave it empty while nobody knows"},
    {"name": REPORTABLE, "kind": "boolean", "help_text": "Personal data are concerned: 72 hours"},
    {"name": CAUSE, "kind": "text", "help_text": "What let it happen, in one sentence"},
)
BLOCK = "Same address at the bastion: merged. @{priya}, does your block cover it?"
EXTRAS: dict[str, tuple[Step, ...]] = {
    "invoice": (
        step(153, "mara", "fields", values={UNIT: "Finance", REPORTABLE: True}),
        step(180, "mara", "pin", key="mailbox"),
        step(342, "ines", "comment", text="@{reader} the report to the authority is due tomorrow. Who signs it?"),
    ),
    "remote": (
        step(37, "jonas", "fields", values={UNIT: "People"}),
        step(58, "jonas", "comment", text="@{reader} this one still has no owner. Who takes it?"),
    ),
    "dump": (step(1502, "priya", "task", title="Tell the works council", to="reader", due=2880),),
    "leaver": (step(2750, "priya", "fields", values={UNIT: "Sales", LOSS: 0, REPORTABLE: False}),),
    "miner": (step(95, "hanna", "fields", values={UNIT: "Engineering", LOSS: 1850}),),
    "webshell": (step(421, "hanna", "fields", values={CAUSE: "The upload form took files of any ending"}),),
    "double": (
        step(38, "mara", "merge", into="spraying"),
        step(39, "mara", "comment", of="spraying", key="block", text=BLOCK),
        step(40, "mara", "pin", key="block"),
    ),
}


def define(stage: Stage) -> list[str]:
    """The fields, made long ago; those whose name is taken are left out. The keys."""
    made: list[str] = []
    with clock.at(stage.now - DEFINED):
        for fields in FIELDS:
            if not CustomField.objects.filter(name__iexact=fields["name"]).exists():
                field = custom_fields.create(Actor.system(), fields=dict(fields))
                stage.fields[field.name] = field.key
                made.append(field.key)
    return made


def undefine(keys: list[str]) -> list[str]:
    """Take the fields away again, when the demo's incidents are gone. Names of those that others use by now."""
    kept = []
    for field in CustomField.objects.filter(key__in=keys):
        try:
            custom_fields.delete(Actor.system(), field.key)
        except CaseError:  # a real incident or a template has a value of it
            kept.append(field.name)
    return kept


def reader() -> User | None:
    """Who is addressed: the first admin that can log in."""
    found = holders("manage_settings").filter(is_service=False).order_by("pk")[:20]
    return next((user for user in found if user.has_usable_password()), None)


def tell(stage: Stage, incidents: Any) -> None:
    """The lines of the reader's inbox, by the rules of every inbox, each at its time. Nothing is mailed or sent."""
    if stage.reader is None:
        return
    nothing = {name: {Channel.EMAIL: "off", Channel.CHAT: "off"} for name in REASONS}
    chosen = NotificationSettings(user=stage.reader, choices=nothing)
    to, asked = Receiver(stage.reader, chosen, mail=False), Concerned()
    entries = TimelineEntry.objects.filter(incident__in=incidents, kind__in=KINDS).select_related("alert", "incident")
    for entry in entries.order_by("pk"):
        if reason := asked.of(entry).get(stage.reader.pk):
            with clock.at(entry.recorded_at):
                write(to, [Item(entry, reason)])
