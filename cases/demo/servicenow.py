"""The ServiceNow part of the demo (``DEMO_PARTS``): an instance on the practice range, a profile, tickets of three
incidents, a conflict and a gap to be seen.

Nothing is made up: the tickets are made by the real connector, and people of both sides then change them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import ProtectedError

from cases.actions import incidents, servicenow_instances, servicenow_links, servicenow_profiles
from cases.actors import Actor
from cases.demo.stage import Stage
from cases.errors import CaseError
from cases.models import LinkState, ServiceNowInstance, TicketLink, TicketProfile
from cases.servicenow import polling, sending
from soar.accounts import audit
from soar.accounts.models import AuditEntry
from soar.connectors import practice_demo
from soar.connectors.errors import ConnectorError
from soar.lib.http import Client, Limits, RemoteError
from soar.standins import folder
from soar.standins.servicenow import seed

logger = logging.getLogger(__name__)
MADE = "demo.servicenow"
SLUG, PROFILE, KIND = "practice", "Security, Nordhavn", "servicenow"
GROUP, OTHER_GROUP = "Security Operations", "Network Team"
LIMITS = Limits(connect=2, read=5, total=10, tries=1)
PATIENCE, TICK = 10.0, 0.2  # seconds for one ticket, which a worker may be making already


@dataclass(frozen=True, slots=True)
class Ticket:
    """Of which story, and who has it made. ``play``: what the two sides do then."""

    story: str
    who: str
    play: Callable[[Stage, TicketLink], None]


class ServiceNow:
    """See cases.demo.stage.Part."""

    def load(self, stage: Stage) -> None:
        """Nothing: tickets need the practice range."""

    def begin(self, stage: Stage, wait: float) -> str:
        """Connect with the practice range, make tickets, and let both sides work on them. Returns a sentence, "" where
        there is no range."""
        account = practice_demo.accounts().get(KIND) if practice_demo.ready(wait) else None
        if account is None or ServiceNowInstance.objects.filter(account=account).exists():
            return ""
        try:
            profile = _set_up(stage, account.pk)
            made = sum(_ticket(stage, profile, one) for one in TICKETS)
        except (CaseError, ConnectorError, RemoteError) as error:
            logger.warning("The demo has no ServiceNow: %s", error)
            return ""
        polling.poll(profile.instance_id)
        return f"ServiceNow: {made} incidents have tickets on the practice range (docs/servicenow.md)."

    def remove(self) -> list[str]:
        """Take instance and profile away, unless other incidents have tickets by them."""
        kept = []
        for data in AuditEntry.objects.filter(verb=MADE).values_list("data", flat=True):
            for row in ServiceNowInstance.objects.filter(pk__in=data.get("instances", [])):
                try:
                    with transaction.atomic():
                        row.delete()
                except ProtectedError:
                    kept.append(f"ServiceNow {row.slug}")
        return kept


@transaction.atomic
def _rows(account: int) -> TicketProfile:
    instance, _secret = servicenow_instances.create(Actor.system(), account=account, slug=_slug())
    audit.record(None, MADE, "demo data", instances=[instance.pk])
    return TicketProfile(instance=instance)


def _set_up(stage: Stage, account: int) -> TicketProfile:
    """The instance, and a profile that asks about severities and assigns to one group."""
    instance = _rows(account).instance
    system = Actor.system()
    profile = servicenow_profiles.create(system, name=_name(), instance=instance.slug)
    group = {"value": seed.group_id(GROUP), "label": GROUP}
    caller = {"value": seed.user_id(seed.INTEGRATION), "label": f"Soar Integration ({seed.INTEGRATION})"}
    maps = {**profile.maps, "group": {str(team.pk): group for team in stage.teams.values()}}
    people = {user.username: _person(user.display_name()) for user in stage.users.values()}
    maps["user"] = {name: found for name, found in people.items() if found}
    changes = {
        "caller": caller,
        "assignment_group": group,
        "description": "{{ summary }}\n\n{{ url }}",
        "maps": maps,
        "winners": {**profile.winners, "severity": "ask"},
    }
    profile = servicenow_profiles.update(system, profile.pk, changes=changes)
    servicenow_profiles.enable(system, profile.pk)
    return TicketProfile.objects.select_related("instance").get(pk=profile.pk)


def _slug() -> str:
    return SLUG if not ServiceNowInstance.objects.filter(slug=SLUG).exists() else ""


def _name() -> str:
    return PROFILE if not TicketProfile.objects.filter(name__iexact=PROFILE).exists() else f"{PROFILE} (demo)"


def _person(name: str) -> dict[str, str]:
    """Who has the same name on the practice instance."""
    for login, first, last, *_more in seed.PEOPLE:
        if f"{first} {last}" == name:
            return {"value": seed.user_id(login), "label": f"{name} ({login})"}
    return {}


def _ticket(stage: Stage, profile: TicketProfile, ticket: Ticket) -> bool:
    incident = stage.incidents.get(ticket.story)
    if incident is None:
        return False
    link = servicenow_links.create_ticket(stage.actors[ticket.who], incident, profile.pk)
    if not _sent(link.pk):
        return False
    ticket.play(stage, TicketLink.objects.get(pk=link.pk))
    _sent(link.pk)
    return True


def _sent(link: int) -> bool:
    """Send what waits, here or in a worker that was quicker. Returns whether the ticket is there."""
    end = time.monotonic() + PATIENCE
    while True:
        sending.work(link)
        row = TicketLink.objects.get(pk=link)
        open_rows = row.changes.filter(state__in=("waiting", "sending")).exists()
        if not open_rows or time.monotonic() > end:
            return row.state == LinkState.LINKED
        time.sleep(TICK)


def _desk(verb: str, link: TicketLink, **wish: object) -> None:
    """Somebody of the service desk does something at the ticket. Raises RemoteError."""
    control = folder.running()[KIND]["control"]
    with Client(control, allow_internal=True, limits=LIMITS) as client:
        answer = client.request("POST", f"/{verb}", json={"number": link.number, "as": "o.strand", **wish})
    if answer.status != 200:
        raise RemoteError(f"The practice ServiceNow answers {answer.status}.", permanent=True)


def _both_rate(stage: Stage, link: TicketLink) -> None:
    """The service desk lowers what the analysts raise at the same moment: a conflict that asks."""
    _desk("change", link, set={"impact": "3", "urgency": "3"})
    incidents.update(stage.actors["priya"], link.incident_id, changes={"severity": "critical"})


def _other_group(stage: Stage, link: TicketLink) -> None:
    """A group there that no team of ours is mapped to: a gap."""
    _desk("change", link, set={"assignment_group": seed.group_id(OTHER_GROUP)})


def _talk(stage: Stage, link: TicketLink) -> None:
    """A note from there, and an answer from here."""
    _desk("note", link, text="The user is on the phone. Shall we collect the laptop?", element="work_notes")
    polling.poll(link.instance_id)
    incidents.comment(
        stage.actors["mara"], link.incident_id, "Yes, and leave it switched on: we still need its memory."
    )


TICKETS = (
    Ticket("spraying", "priya", _both_rate),
    Ticket("rule", "mara", _other_group),
    Ticket("invoice", "mara", _talk),
)
