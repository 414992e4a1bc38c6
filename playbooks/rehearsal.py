"""A draft against a stored alert (response-playbooks.md 29): the path, each value compared, each request that would be
sent. Decides with the engine's own pieces; sends nothing, writes nothing, asks no provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from cases.choices import Severity
from cases.models import Alert
from playbooks.case_rights import acting_hindrance, opening_hindrance
from playbooks.choices import TaskStatus
from playbooks.graph import walk
from playbooks.graph.conditions import Verdict
from playbooks.graph.facts import Object
from playbooks.graph.model import Graph, Node
from playbooks.graph.starting import is_within, off_target
from playbooks.graph.touching import Touch, touches
from playbooks.graph.words import name_of, use_words
from playbooks.models import Playbook, ResponseTask, Run
from playbooks.response import objects, rating
from playbooks.response.desk import Desk, Place
from playbooks.response.facts import asks_observables, facts_of
from playbooks.response.incident import opens_at_target
from playbooks.response.locking import Held
from playbooks.response.marking import tlp_of
from playbooks.steps import ticket
from playbooks.steps.params import params_for
from playbooks.steps.ticket_values import words_of as ticket_words
from soar.accounts.models import User
from soar.connectors import notify, registry
from soar.connectors.capabilities import Target
from soar.connectors.errors import ConnectorError
from soar.connectors.messages import REPORT, Message
from soar.connectors.responder import Responder

AT_ONCE, ASKS, HELD = "at_once", "asks", "held"  # when a task would run
NOT_DONE = "not_done"
REQUESTS_AT_MOST = 200  # shown; the rest is counted


@dataclass(slots=True)
class Deed:
    """One task that a run would make. ``when``: at_once, asks (an approval), held (never-touch list), not_done.

    ``requests``: what the connector would send first, secrets masked. ``reason``: why it is held or not done; of what
    Soar does itself, what that is."""

    node: str
    action: str
    label: str
    object: Object | None
    account: str
    when: str
    reason: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    message: bool = False


@dataclass(slots=True)
class Visit:
    """A node on the path: what arrived, how a condition judged, the tasks of an action."""

    node: Node
    arriving: tuple[str, ...]
    verdict: Verdict | None
    deeds: list[Deed] = field(default_factory=list)


@dataclass(slots=True)
class Rehearsal:
    """``off``: why the alert is none for this playbook: the path is that of a run by hand. ``outside``: an automatic
    run would not begin now (the periods). ``incident``: a sentence. ``cut``: tasks that were counted, but not asked for
    requests."""

    alert: Alert
    objects: list[dict[str, Any]]
    visits: list[Visit] = field(default_factory=list)
    off: str = ""
    outside: bool = False
    incident: str = ""
    cut: int = 0
    milliseconds: int = 0

    @property
    def deeds(self) -> list[Deed]:
        """All tasks in the order of the path."""
        return [deed for visit in self.visits for deed in visit.deeds]

    def reached(self) -> set[str]:
        """The ids of the nodes on the path."""
        return {visit.node.id for visit in self.visits}


def rehearse(playbook: Playbook, graph: Graph, alert: Alert, user: User) -> Rehearsal:
    """Walk ``graph`` with the alert as it stands, with the rights of ``user``, who may see it. Ratings are those of
    lists and of what providers said before. Every request is taken for answered with success."""
    began = timezone.now()
    targets = objects.objects_of(alert)
    rating.rate(targets, alert, ask_providers=False)
    made = Rehearsal(alert, targets)
    made.off = off_target(graph.target, Severity(alert.severity).word, alert.detection_model)
    made.outside = graph.trigger.type == "automatic" and not is_within(graph.trigger, timezone.now())
    _walk(made, playbook, graph, user)
    made.incident = _incident(graph, alert, made, user)
    made.milliseconds = round((timezone.now() - began).total_seconds() * 1000)
    return made


def _walk(made: Rehearsal, playbook: Playbook, graph: Graph, user: User) -> None:
    run = Run(playbook=playbook, alert=made.alert, acting_user=user, started_by=user, targets=made.objects)  # not saved
    desk = Desk(Held(run, made.alert, made.alert.incident))
    values = tuple(row[1] for row in objects.named_by(made.alert)) if asks_observables(graph) else ()
    facts = facts_of(made.alert, made.objects, graph.trigger.time_zone, values)
    by_key = {one.key: one for one in facts.objects}
    for stop in walk.trace(graph, facts):
        visit = Visit(stop.node, stop.arriving, stop.verdict)
        made.visits.append(visit)
        if stop.verdict is not None:
            continue
        for touch in touches(stop.node, by_key, stop.arriving):
            for place in desk.places(stop.node, touch):
                visit.deeds.append(_deed(made, playbook, stop.node, touch, place, user))


def _deed(made: Rehearsal, playbook: Playbook, node: Node, touch: Touch, place: Place, user: User) -> Deed:
    deed = Deed(
        node=node.id,
        action=touch.spec.name,
        label=touch.spec.label,
        object=touch.object,
        account=place.account.name if place.account else "",
        when=_when(place),
        reason=place.reason,
    )
    if touch.spec.group == "case":
        why = acting_hindrance(user, made.alert, touch.spec.name, place.params)
        deed.account, deed.when = "Soar", NOT_DONE if why else deed.when
        deed.reason = why or use_words(touch.use)
    if len(made.deeds) >= REQUESTS_AT_MOST:
        made.cut += 1
        return deed
    try:
        _fill(deed, made, playbook, touch, place)
    except ConnectorError as error:
        deed.when, deed.reason = NOT_DONE, error.message
    return deed


def _when(place: Place) -> str:
    if place.status == TaskStatus.PENDING_APPROVAL:
        return HELD if place.why else ASKS
    return AT_ONCE if place.status == TaskStatus.QUEUED else NOT_DONE


def _fill(deed: Deed, made: Rehearsal, playbook: Playbook, touch: Touch, place: Place) -> None:
    """The requests. Raises ConnectorError for an object that lacks what the product needs."""
    if touch.spec.name == "ticket":
        _ticket(deed, made, touch, place)
    elif touch.spec.group == "notify":
        _message(deed, made, playbook, touch, place)
    elif touch.object is not None and place.account is not None and deed.when != NOT_DONE:
        connector = registry.of(place.account)
        if isinstance(connector, Responder):
            target = Target(touch.object.kind, touch.object.value, dict(touch.object.facts))
            deed.requests = connector.requests(touch.spec.capability, target, _params(touch, place))
    elif touch.spec.capability == "block" and touch.object is not None and deed.when != NOT_DONE:
        deed.account = "Soar"
        days = place.params.get("days")
        deed.requests = [{"list": "block list", "add": touch.object.value, **({"days": days} if days else {})}]


def _params(touch: Touch, place: Place) -> dict[str, Any]:
    """The settings as a connector takes them. Raises ConnectorError for a script that is gone."""
    return params_for(ResponseTask(capability=touch.spec.capability, params=place.params))  # never saved


def _ticket(deed: Deed, made: Rehearsal, touch: Touch, place: Place) -> None:
    """The request that makes the result ticket; the report in it is that of a run, so its place is named."""
    profile = ticket.profile_named(place.value)
    if profile is None or deed.when == NOT_DONE:
        return
    words = ticket_words(made.alert, made.alert.incident, "(the report of the run)")
    severity, tlp = Severity(made.alert.severity).word, tlp_of(made.alert)
    deed.message = True
    deed.requests = [ticket.request_of(profile, touch.use.params, words, severity, tlp=tlp, key="(made of the task)")]


def _message(deed: Deed, made: Rehearsal, playbook: Playbook, touch: Touch, place: Place) -> None:
    deed.message = True
    mail = touch.spec.name == "email"
    account = notify.mail_account() if mail else notify.channel_named(place.value)
    if account is None:
        missing = (
            _("No connector for e-mail is set up.")
            if mail
            else _("There is no enabled channel %(value)s.") % {"value": place.value}
        )
        raise ConnectorError(missing, permanent=True)
    deed.account = account.name
    message = Message(
        f"{playbook.name}: {made.alert.number}",
        type=REPORT,
        text=_("The report: what triggered, objects with ratings, tasks, approvals, links."),
        severity=Severity(made.alert.severity).word,
        tlp=tlp_of(made.alert),
        prefix=str(place.params.get("subject_prefix", "")),
        recipients=tuple(map(str, place.params.get("recipients") or ())),
    )
    deed.requests = [notify.preview(account, message)]


def _incident(graph: Graph, alert: Alert, made: Rehearsal, user: User) -> str:
    """What would happen about an incident (rulings 4)."""
    if alert.incident_id:
        return _("None new: the alert is in INC-%(incident_id)s.") % {"incident_id": alert.incident_id}
    use = graph.target.open_incident
    acts = any(visit.verdict is None for visit in made.visits)
    if use is None or not (acts or opens_at_target(graph)):
        return _("None would be opened.")
    if why := opening_hindrance(user):
        return _("None would be opened: %(why)s") % {"why": why}
    owners = f", owned by {', '.join(use.owners)}" if use.owners else ""
    closing = f"; closed as {use.close_with} if everything succeeds" if use.close_with else ""
    return _("One would be opened%(owners)s%(closing)s.%(sending)s") % {
        "owners": owners,
        "closing": closing,
        "sending": _sending(use.ticket_profile),
    }


def _sending(name: str) -> str:
    """What would become of it in ServiceNow."""
    if not name:
        return ""
    profile = ticket.profile_named(name)
    if why := ticket.hindrance_of(profile, name):
        return f" It would not be sent to ServiceNow: {why}"
    return f" It would be sent to ServiceNow by the ticket profile {profile.name if profile else name}."


def as_json(made: Rehearsal) -> dict[str, Any]:
    """A rehearsal for the API and the download."""
    return {
        "alert": made.alert.number,
        "off_target": made.off,
        "outside_periods": made.outside,
        "incident": made.incident,
        "objects": made.objects,
        "path": [
            {
                "node": visit.node.id,
                "type": visit.node.type,
                "name": name_of(visit.node),
                "arriving": list(visit.arriving),
                "verdict": visit.verdict.as_json() if visit.verdict else None,
                "tasks": [_task(deed) for deed in visit.deeds],
            }
            for visit in made.visits
        ],
        "not_counted": made.cut,
        "sent": 0,
    }


def _task(deed: Deed) -> dict[str, Any]:
    one = deed.object
    return {
        "action": deed.action,
        "object": {"key": one.key, "kind": one.kind, "value": one.value, "risk": one.risk} if one else None,
        "account": deed.account,
        "when": deed.when,
        "reason": deed.reason,
        "requests": deed.requests,
    }
