"""What the verbs of alerts and incidents take."""

from __future__ import annotations

from rest_framework import serializers

from cases.actions import event_links
from cases.actions.base import TEXT_AT_MOST
from cases.api import fields
from cases.api.fields import Body, Flag, Ref, Text, Texts

REASON_AT_MOST = 5000


def name() -> Text:
    """The name of a person or team; null is nobody."""
    return Text(max_length=150, required=False, allow_null=True)


def reason() -> Text:
    """Why; optional."""
    return Text(max_length=REASON_AT_MOST, required=False, allow_blank=True)


class Nothing(Body):
    """No fields: an empty body or ``{}``."""


class NewObservable(Body):
    """An observable; the value is brought into its normal form."""

    type = fields.observable_type()
    value = Text(max_length=4000)


class NewAlert(Body):
    """An alert made by hand (rulings 18)."""

    title = Text(max_length=500)
    description = Text(max_length=TEXT_AT_MOST, required=False, allow_blank=True)
    severity = fields.severity(required=False)
    hostname = Text(max_length=255, required=False, allow_blank=True)
    username = Text(max_length=255, required=False, allow_blank=True)
    source_ip = Text(max_length=60, required=False, allow_blank=True)
    tags = Texts(required=False, most=50)
    tlp = fields.tlp(required=False)
    owner = name()
    team = name()
    observables = serializers.ListField(child=NewObservable(), required=False, max_length=500)


class AlertChanges(Body):
    """What can be changed of an alert. Resolving needs a determination other than unknown."""

    title = Text(max_length=500, required=False)
    description = Text(max_length=TEXT_AT_MOST, required=False, allow_blank=True)
    severity = fields.severity(required=False)
    status = fields.alert_status(required=False)
    determination = fields.determination(required=False)
    findings = fields.findings(required=False)
    owner = name()
    team = name()
    tags = Texts(required=False, most=200)
    tlp = fields.tlp(required=False)
    reason = reason()


class Assign(Body):
    """A user name or null (nobody), a team's name or null (no team); what is left out stays."""

    owner = name()
    team = name()


class Resolve(Body):
    """Resolving needs a determination other than unknown."""

    determination = fields.determination()
    findings = fields.findings(required=False)
    reason = reason()


class Reopen(Body):
    """Why, if there is something to say."""

    reason = reason()


class Comment(Body):
    """A note, in Markdown."""

    text = Text(max_length=TEXT_AT_MOST)


class Correction(Body):
    """What is given takes the place of what was: the words, of an event also when it happened."""

    text = Text(max_length=TEXT_AT_MOST, required=False)
    occurred_at = Text(max_length=40, required=False, help_text="Of an event: ISO 8601; not in the future")


class IncidentComment(Comment):
    """A note or a hand-over note, in Markdown."""

    kind = fields.Words(("comment", "handoff"), required=False)


class EventLink(Body):
    """What an event is about: something of the incident by its id, or a technique by its ATT&CK id."""

    type = fields.Words(event_links.TYPES)
    id = Ref()


class NewEvent(Comment):
    """What happened and when; without a zone the time is UTC."""

    occurred_at = Text(max_length=40, help_text="ISO 8601; not in the future")
    link = EventLink(required=False, allow_null=True)


class LetIn(Body):
    """The user name of somebody who is named in the entry."""

    user = Text(max_length=150)


class Escalate(Body):
    """Title, owners and template (name or id) of the new incident; without a title the alert's."""

    title = Text(max_length=300, required=False, allow_blank=True)
    owners = Texts(required=False, most=50)
    template = Ref(required=False, allow_null=True)


class LinkAlert(Body):
    """The incident; ``move`` takes the alert out of another one."""

    incident = Ref()
    move = Flag(required=False)


class LinkAlerts(Body):
    """The alerts; ``move`` takes them out of other incidents."""

    alerts = serializers.ListField(child=Ref(), min_length=1, max_length=1000)
    move = Flag(required=False)


class UnlinkAlerts(Body):
    """The alerts to take out."""

    alerts = serializers.ListField(child=Ref(), min_length=1, max_length=1000)


class NewIncident(Body):
    """An incident opened by hand, or from alerts; what is left out is taken from them and the template (name or id)."""

    title = Text(max_length=300, required=False, allow_blank=True)
    alerts = serializers.ListField(child=Ref(), required=False, max_length=1000)
    move = Flag(required=False)
    owners = Texts(required=False, most=50)
    lead = name()
    severity = fields.severity(required=False)
    summary = Text(max_length=TEXT_AT_MOST, required=False, allow_blank=True)
    team = name()
    tags = Texts(required=False, most=50)
    tlp = fields.tlp(required=False)
    template = Ref(required=False, allow_null=True)
    custom_fields = fields.CustomValues(required=False)


class IncidentChanges(Body):
    """What can be changed of an incident. Resolving and closing need a determination other than unknown."""

    title = Text(max_length=300, required=False)
    summary = Text(max_length=TEXT_AT_MOST, required=False, allow_blank=True)
    severity = fields.severity(required=False)
    status = fields.incident_status(required=False)
    determination = fields.determination(required=False)
    findings = fields.findings(required=False)
    team = name()
    tlp = fields.tlp(required=False)
    pap = fields.pap(required=False)
    tags = Texts(required=False, most=50)
    techniques = Texts(required=False, most=200)
    custom_fields = fields.CustomValues(required=False, help_text="Those to change; null takes a value away")
    restricted = Flag(required=False, help_text="Only its own grants count then; needs the level `manage`")
    reason = reason()
    resolve_alerts = Flag(required=False)


class IncidentStatusChange(Body):
    """The new status; its open alerts are resolved with it unless ``resolve_alerts`` is false (rulings 4)."""

    status = fields.incident_status()
    determination = fields.determination(required=False)
    findings = fields.findings(required=False)
    reason = reason()
    resolve_alerts = Flag(required=False)


class Techniques(Body):
    """ATT&CK ids to add and to take off."""

    add = Texts(required=False, most=200)
    remove = Texts(required=False, most=200)


class Owners(Body):
    """User names to add and remove; ``lead`` becomes an owner, null is nobody."""

    add = Texts(required=False, most=50)
    remove = Texts(required=False, most=50)
    lead = name()


class AcceptSuggestion(Body):
    """An incident to add the alerts to; without one a new incident is opened."""

    incident = Ref(required=False, allow_null=True)
    title = Text(max_length=300, required=False, allow_blank=True)


class NewToken(Body):
    """A personal token. No scopes: all that you may. ``days``: until it expires."""

    name = Text(max_length=100)
    scopes = Texts(required=False, most=50)
    days = fields.Whole(required=False, allow_null=True, min_value=1, max_value=3650)
