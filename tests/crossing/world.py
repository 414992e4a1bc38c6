"""What is knocked at: things of team Blue, and the same again in a restricted incident that the owner alone may see."""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from cases.models import AlertSource, BulkJob, ExportJob, Incident, TicketProfile
from cases.suggestions import suggestions
from playbooks.models import LoadError, Playbook
from soar.accounts.models import Team, User
from soar.connectors.models import ConnectorAccount
from tests.crossing import case, people, things
from tests.crossing.case import MARK
from tests.crossing.operations import Operation
from tests.crossing.personas import Cast
from tests.factories import make_alert, make_incident, make_source

# What the open parts of a route stand for: the first line whose beginning fits gives the name of the thing.
PARAMETERS: tuple[tuple[str, str, str], ...] = (
    (r"(api/v1/)?alerts/jobs/", "pk", "bulk_job"),
    (r"api/v1/jobs/", "id", "bulk_job"),
    (r"exports/|api/v1/exports/", "pk|id", "export"),
    (r"settings/operations/tasks/", "pk", "given_up"),
    (r"settings/reports/shipped/", "slug", "report_slug"),
    (r"settings/reports/", "pk", "report_template"),
    (r"alerts/views/", "pk", "view"),
    (r"api/v1/views/", "id", "view"),
    (r"alerts/bulk/ask/|alerts/<str:number>/ask/", "name", "dialog"),
    (r"(api/v1/)?alerts/", "number|id", "alert"),
    (r"incidents/grant/jobs/", "pk", "grant_job"),
    (r"api/v1/grant-jobs/", "id", "grant_job"),
    (r"(api/v1/)?incidents/", "grant", "incident_grant"),
    (r"(api/v1/)?(playbooks|connectors|sources)/", "grant", "grant"),
    (r"incidents/<str:number>/tasks/", "pk", "task"),
    (r"(api/v1/)?incidents/suggestions/", "key", "suggestion"),
    (r"api/v1/incidents/{id}/observables/", "observable", "observable"),
    (r"api/v1/incidents/{id}/assets/", "asset", "asset"),
    (r"(api/v1/)?incidents/[^/]+/moves/", "move|pk", "move"),
    (r"(api/v1/)?incidents/[^/]+/related/", "relation|pk", "relation"),
    (r"incidents/<str:number>/fields/", "key", "field_key"),
    (r"incidents/<str:number>/panel/", "name", "panel"),
    (r"(api/v1/)?incidents/", "number|id|ref", "incident"),
    (r"settings/fields/|api/v1/custom-fields/", "key", "field_key"),
    (r"settings/fields/", "verb", "field_verb"),
    (r"api/v1/attack/techniques/", "id", "technique_id"),
    (r"(api/v1/)?timeline/", "pk|id", "note"),
    (r"(api/v1/)?observables/", "pk|id", "observable"),
    (r"assets/import/", "pk", "asset_import"),
    (r"(api/v1/)?assets/", "pk|id", "asset"),
    (r"(api/v1/)?evidence/", "pk|id", "evidence"),
    (r"(api/v1/)?tasks/", "pk|id", "task"),
    (r"settings/templates/|api/v1/incident-templates/", "pk|id", "template"),
    (r"sources/<slug:slug>/mapping/versions/", "number", "version_number"),
    (r"(api/v1/)?sources/[^/]+/samples/", "pk|sample", "sample"),
    (r"(api/v1/)?sources/[^/]+/tokens/", "pk|token", "source_token"),
    (r"sources/dead-letters/jobs/|api/v1/dead-letters/jobs/", "pk|id", "replay_job"),
    (r"sources/dead-letters/|api/v1/dead-letters/", "pk|id", "dead_letter"),
    (r"(api/v1/)?sources/|api/v1/ingest/", "slug|ref", "source"),
    (r"api/v1/ingest/", "token", "nothing"),
    (r"suppression/|api/v1/suppression-rules/", "pk|id", "rule"),
    (r"inbox/|api/v1/notifications/", "pk|id", "notification"),
    (r"webhooks/|api/v1/webhook-endpoints/", "delivery", "delivery"),
    (r"webhooks/|api/v1/webhook-endpoints/", "pk|id", "endpoint"),
    (r"servicenow/instances/|api/v1/servicenow/instances/|api/v1/servicenow/{slug}/", "slug", "instance"),
    (r"servicenow/instances/", "what", "looked_for"),
    (r"servicenow/profiles/|api/v1/servicenow/profiles/", "pk|id", "profile"),
    (r"servicenow/links/|api/v1/servicenow/links/", "pk|id", "link"),
    (r"servicenow/conflicts/|api/v1/servicenow/conflicts/", "pk|id", "conflict"),
    (r"servicenow/changes/|api/v1/servicenow/failures/", "pk|id", "change"),
    (r"servicenow/gaps/", "pk", "gap"),
    (r"(api/v1/)?runs/.*decide/", "step|task", "response"),  # of a response playbook: its task
    (r"(api/v1/)?runs/", "step|task", "step"),
    (r"(api/v1/)?runs/", "pk|id", "run"),
    (r"playbooks/<int:pk>/backtest/", "number", "backtest"),
    (r"playbooks/problems/", "pk", "load_error"),
    (r"playbooks/<int:pk>/traceback/", "pk", "broken_playbook"),
    (r"playbooks/", "number", "version_number"),
    (r"(api/v1/)?playbooks/", "pk|id|ref", "playbook"),
    (r"api/v1/backtests/", "id", "backtest"),
    (r"(api/v1/)?approvals/", "pk|id", "approval"),
    (r"responses/|api/v1/response-tasks/", "pk|id", "response"),
    (r"settings/scripts/|api/v1/scripts/", "pk|id", "script"),
    (r"settings/never-touch/|api/v1/never-touch/", "pk|id", "never_touch"),
    (r"settings/models/|api/v1/detection-models/", "pk|id", "model"),
    (r"settings/tokens/|api/v1/tokens/", "pk|id", "api_token"),
    (r"settings/sessions/", "pk", "session"),
    (r"settings/retention/|api/v1/retention-rules/", "pk|id", "retention_rule"),
    (r"settings/lists/exceptions/|api/v1/exceptions/", "pk|id", "exception"),
    (r"settings/lists/own/|api/v1/own-list/", "pk|id", "own_entry"),
    (r"settings/lists/warning/|api/v1/warning-lists/", "pk|id", "warning_list"),
    (r"settings/feeds/|api/v1/feeds/", "pk|id", "feed"),
    (r"accounts/2fa/keys/", "pk", "key"),
    (r"accounts/", "provider_id", "provider"),
    (r"audit/export/", "kind", "audit_kind"),
    (r"(api/v1/)?audit/", "pk|id", "audit_entry"),
    (r"people/tokens/|api/v1/users/", "pk|token", "person_token"),
    (r"people/teams/|api/v1/teams/", "pk|id", "team"),
    (r"people/roles/|api/v1/roles/", "pk|id", "role"),
    (r"people/|api/v1/users/", "pk|id", "person"),
    (r"connectors/routes/|api/v1/connector-routes/", "pk|id", "route"),
    (r"connectors/new/", "kind", "connector_kind"),
    (r"connectors/|api/v1/connectors/", "pk|id|ref", "account"),
    (r"blocklist/tokens/|api/v1/feed-tokens/", "pk|id", "feed_token"),
    (r"(api/v1/)?blocklist/", "pk|id", "block"),
    (r"feeds/blocklist/", "type", "block_type"),
    (r"hand-over/|api/v1/hand-overs/", "pk|id", "hand_over"),
    (r"practice/", "number|verb|table|sys_id", "nothing"),
)
# Things that hang on an incident, so that there is one of them behind the restricted one.
RESTRICTED = "restricted"
# Nothing but team Blue's incident and what hangs on it bears this text.
SHOWN = "zq-seen-by-blue"


@dataclass(slots=True)
class World:
    """``shown`` and ``hidden``: what stands for each name of PARAMETERS."""

    cast: Cast
    shown: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)
    _: KW_ONLY
    profile: TicketProfile
    source: AlertSource
    neighbour: Incident

    def hide(self) -> None:
        """Make the restricted incident with all that hangs on it."""
        owner = self.cast.user("owner")
        self.hidden = self.more(MARK, restricted=True)
        self.hidden["incident_grant"] = f"user-{owner.pk}"

    def more(self, name: str, *, restricted: bool = False) -> dict[str, Any]:
        """Make another incident of team Blue with all that hangs on it."""
        owner = self.cast.user("owner")
        return case.make_case(name, owner, self.profile, self.source, self.neighbour, restricted=restricted)

    def subjects(self, operation: Operation) -> tuple[str, ...]:
        """With what it is asked: once, or once more for what is restricted if there is such a thing."""
        if any(names(operation)[one] in self.hidden for one in operation.parameters):
            return ("", RESTRICTED)
        return ("",)

    def values(self, operation: Operation, subject: str) -> dict[str, object]:
        """What the open parts of the route are filled with."""
        things = self.things(subject)
        return {parameter: things[name] for parameter, name in names(operation).items()}

    def things(self, subject: str) -> dict[str, Any]:
        """By name; those of the restricted incident in place of the others if that is the subject."""
        return {**self.shown, **(self.hidden if subject == RESTRICTED else {})}


def others(blue: Team, source: AlertSource, reader: User) -> dict[str, Any]:
    """A second thing of some kinds, and a suggestion: two open alerts of one host."""
    for title in ("First", "Second"):
        make_alert(f"{title} of a host", source=source, hostname="shared-host")
    return {
        "other_incident": make_incident(f"Other {SHOWN}", team=blue).number,
        "other_source": source.slug,
        "load_error": LoadError.objects.create(path="/srv/odd.py", message="It is odd", traceback="Line 1").pk,
        "broken_playbook": Playbook.objects.create(name="Broken", kind="python", present=False, load_error="odd").pk,
        "other_playbook": Playbook.objects.create(name="Other", kind="response", trigger="webhook").pk,
        "other_account": ConnectorAccount.objects.create(kind="webhook", name="Other").pk,
        "suggestion": suggestions(reader)[0].key,
    }


def names(operation: Operation) -> dict[str, str]:
    """Which thing each open part of the route stands for. Raises AssertionError for a new one: write it down above."""
    found = {}
    for parameter in operation.parameters:
        fitting = (
            thing
            for beginning, wanted, thing in PARAMETERS
            if re.match(beginning, operation.route) and parameter in wanted.split("|")
        )
        found[parameter] = next(fitting, "")
        assert found[parameter], f"tests/crossing/world.py does not say what {parameter} of {operation.route} is."
    return found


def make_world(cast: Cast, *, hidden: bool = True) -> World:
    """All things of team Blue once; the case twice, or once without ``hidden``."""
    blue, admin, owner = Team.objects.get(name="Blue"), cast.user("admin"), cast.user("owner")
    shown = {**things.WORDS, **things.of_settings(blue, admin), **things.of_sources(blue, admin)}
    shown |= things.of_servicenow()
    source = make_source("Feed", team=blue)
    world = World(cast, shown, profile=shown.pop("_profile"), source=source, neighbour=make_incident("Neighbour"))
    shown |= world.more(SHOWN)
    shown |= case.of_playbook(cast.user("author"))
    shown |= people.of_people(cast, shown)
    shown["export"] = ExportJob.objects.create(user=owner, incident_id=int(str(shown["incident"])[4:]), format="md").pk
    shown |= others(blue, world.source, owner)
    shown["bulk_job"] = BulkJob.objects.create(user=owner, action="claim").pk
    if hidden:
        world.hide()
    return world
