"""Addresses of the API (contract.md: HTTP)."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView

from cases.api import schema  # noqa: F401  registers how the schema names the two logins
from cases.api.alerts import Alerts
from cases.api.assets import Assets
from cases.api.blocklist import Blocks
from cases.api.bulk import BulkApi, Jobs
from cases.api.connectors import Connectors
from cases.api.dead_letters import DeadLetters
from cases.api.evidence import EvidencePieces, IncidentEvidence
from cases.api.incident_parts import IncidentParts, SuggestionsApi
from cases.api.incidents import Incidents
from cases.api.mappings import Mappings
from cases.api.observables import Observables
from cases.api.people import Me, Teams, Tokens, Users
from cases.api.routes import Routes
from cases.api.servicenow import TicketConflicts, TicketFailures, TicketLinks
from cases.api.servicenow_setup import ServiceNowInstances, TicketProfiles
from cases.api.source_pull import SourcePull
from cases.api.sources import Sources
from cases.api.suppression import SuppressionRules
from cases.api.tasks import IncidentTasks, Tasks
from cases.api.templates import Templates
from cases.api.views import Views
from cases.api.webhooks import Webhooks

Patterns = list[URLPattern | URLResolver]


def call(address: str, views: Any, name: str, **methods: str) -> URLPattern:
    """One address: ``get="list", post="create"`` and so on."""
    made: URLPattern = path(address, views.as_view(methods), name=f"api-{name}")
    return made


def verbs(address: str, views: Any, prefix: str, *names: str, **renamed: str) -> Patterns:
    """POST to ``address`` + verb + ``/``, each answered by the method of that name."""
    pairs = {name: name for name in names} | renamed
    return [call(f"{address}{verb}/", views, f"{prefix}-{verb}", post=method) for verb, method in pairs.items()]


V1: Patterns = [
    call("alerts/", Alerts, "alerts", get="list", post="create"),
    call("alerts/bulk/", BulkApi, "alerts-bulk", post="start"),
    call("views/", Views, "views", get="list", post="create"),
    call("views/order/", Views, "views-order", post="order"),
    call("views/<str:id>/", Views, "view", get="retrieve", patch="partial_update", delete="destroy"),
    call("jobs/<str:id>/", Jobs, "job", get="retrieve"),
    call("jobs/<str:id>/cancel/", Jobs, "job-cancel", post="cancel"),
    call("jobs/<str:id>/undo/", Jobs, "job-undo", post="undo"),
    call("alerts/<str:id>/", Alerts, "alert", get="retrieve", patch="partial_update"),
    *verbs(
        "alerts/<str:id>/",
        Alerts,
        "alert",
        *("claim", "assign", "resolve", "reopen", "comment", "escalate", "link", "unlink"),
    ),
    call("alerts/<str:id>/timeline/", Alerts, "alert-timeline", get="timeline"),
    call("incidents/", Incidents, "incidents", get="list", post="create"),
    call("incidents/suggestions/", SuggestionsApi, "suggestions", get="list"),
    *verbs("incidents/suggestions/<str:key>/", SuggestionsApi, "suggestion", "accept", "dismiss"),
    call("incidents/<str:id>/", Incidents, "incident", get="retrieve", patch="partial_update"),
    *verbs(
        "incidents/<str:id>/",
        Incidents,
        "incident",
        *("assign", "comment", "link", "unlink", "owners"),
        status="set_status",
    ),
    call("incidents/<str:id>/timeline/", IncidentParts, "incident-timeline", get="timeline"),
    call("incidents/<str:id>/alerts/", IncidentParts, "incident-alerts", get="alerts"),
    call(
        "incidents/<str:id>/observables/",
        IncidentParts,
        "incident-observables",
        get="observables",
        post="add_observable",
    ),
    call(
        "incidents/<str:id>/observables/<str:observable>/",
        IncidentParts,
        "incident-observable",
        delete="remove_observable",
    ),
    call("incidents/<str:id>/tasks/", IncidentTasks, "incident-tasks", get="list", post="create"),
    call("incidents/<str:id>/evidence/", IncidentEvidence, "incident-evidence", get="list", post="create"),
    call("evidence/", EvidencePieces, "evidence-list", get="list"),
    call(
        "evidence/<str:id>/",
        EvidencePieces,
        "evidence",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    call("evidence/<str:id>/file/", EvidencePieces, "evidence-file", get="file"),
    call("evidence/<str:id>/accesses/", EvidencePieces, "evidence-accesses", get="accesses"),
    call("incidents/<str:id>/servicenow/", TicketLinks, "incident-servicenow", get="of_incident", post="make"),
    call("servicenow/links/", TicketLinks, "servicenow-links", get="list"),
    call("servicenow/links/<str:id>/", TicketLinks, "servicenow-link", get="retrieve", delete="destroy"),
    *verbs("servicenow/links/<str:id>/", TicketLinks, "servicenow-link", "sync", "relink", "recreate"),
    call("servicenow/conflicts/", TicketConflicts, "servicenow-conflicts", get="list"),
    call("servicenow/conflicts/<str:id>/", TicketConflicts, "servicenow-conflict", get="retrieve"),
    *verbs("servicenow/conflicts/<str:id>/", TicketConflicts, "servicenow-conflict", "resolve"),
    call("servicenow/failures/", TicketFailures, "servicenow-failures", get="list"),
    *verbs("servicenow/failures/", TicketFailures, "servicenow-failures", retry="retry_all", skip="skip_all"),
    *verbs("servicenow/failures/<str:id>/", TicketFailures, "servicenow-failure", "retry", "skip"),
    call("servicenow/instances/", ServiceNowInstances, "servicenow-instances", get="list", post="create"),
    call(
        "servicenow/instances/<slug:slug>/",
        ServiceNowInstances,
        "servicenow-instance",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs(
        "servicenow/instances/<slug:slug>/",
        ServiceNowInstances,
        "servicenow-instance",
        *("test", "secret", "sync", "pause", "resume"),
    ),
    call("servicenow/profiles/", TicketProfiles, "servicenow-profiles", get="list", post="create"),
    call(
        "servicenow/profiles/<str:id>/",
        TicketProfiles,
        "servicenow-profile",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs(
        "servicenow/profiles/<str:id>/",
        TicketProfiles,
        "servicenow-profile",
        *("enable", "disable", "copy"),
        **{"dry-run": "dry_run"},
    ),
    call("incidents/<str:id>/template/", Templates, "incident-template", post="use"),
    call("tasks/", Tasks, "tasks", get="list"),
    call("tasks/<str:id>/", Tasks, "task", get="retrieve", patch="partial_update", delete="destroy"),
    *verbs("tasks/<str:id>/", Tasks, "task", "complete", "reopen", "assign"),
    call("incident-templates/", Templates, "templates", get="list", post="create"),
    call(
        "incident-templates/<str:id>/", Templates, "template", get="retrieve", patch="partial_update", delete="destroy"
    ),
    call("observables/", Observables, "observables", get="list"),
    call("observables/<str:id>/", Observables, "observable", get="retrieve"),
    call("assets/", Assets, "assets", get="list", post="create"),
    call("assets/import/", Assets, "assets-import", post="import_file"),
    call("assets/<str:id>/", Assets, "asset", get="retrieve", patch="partial_update", delete="destroy"),
    call("sources/", Sources, "sources", get="list"),
    call("sources/<slug:slug>/", Sources, "source", get="retrieve"),
    call("sources/<slug:slug>/mapping/", Mappings, "source-mapping", get="retrieve", put="replace"),
    call("sources/<slug:slug>/mapping/preview/", Mappings, "source-mapping-preview", post="preview"),
    call("dead-letters/", DeadLetters, "dead-letters", get="list"),
    call("dead-letters/replay/", DeadLetters, "dead-letters-replay", post="replay_many"),
    call("dead-letters/jobs/<str:id>/", DeadLetters, "replay-job", get="job"),
    call("dead-letters/<str:id>/", DeadLetters, "dead-letter", get="retrieve", delete="destroy"),
    *verbs("dead-letters/<str:id>/", DeadLetters, "dead-letter", "replay"),
    call("connectors/", Connectors, "connectors", get="list", post="create"),
    call("connectors/<str:id>/", Connectors, "connector", get="retrieve", patch="partial_update", delete="destroy"),
    *verbs("connectors/<str:id>/", Connectors, "connector", "test"),
    call("connector-routes/", Routes, "connector-routes", get="list", post="create"),
    call("connector-routes/<str:id>/", Routes, "connector-route", get="retrieve", delete="destroy"),
    *verbs("connector-routes/<str:id>/", Routes, "connector-route", **{"raise": "earlier"}),
    call("sources/<slug:slug>/pull/", SourcePull, "source-pull", get="retrieve", put="replace", delete="destroy"),
    *verbs("sources/<slug:slug>/pull/", SourcePull, "source-pull", "now"),
    call("suppression-rules/", SuppressionRules, "suppression-rules", get="list", post="create"),
    *verbs("suppression-rules/", SuppressionRules, "suppression-rules", "preview"),
    call(
        "suppression-rules/<str:id>/",
        SuppressionRules,
        "suppression-rule",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs("suppression-rules/<str:id>/", SuppressionRules, "suppression-rule", "end", "release"),
    call("webhook-endpoints/", Webhooks, "webhooks", get="list", post="create"),
    call(
        "webhook-endpoints/<str:id>/",
        Webhooks,
        "webhook",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs("webhook-endpoints/<str:id>/", Webhooks, "webhook", "rotate", "test", "replay"),
    call("webhook-endpoints/<str:id>/deliveries/", Webhooks, "webhook-deliveries", get="deliveries"),
    call("webhook-endpoints/<str:id>/deliveries/<str:delivery>/", Webhooks, "webhook-delivery", get="delivery"),
    *verbs("webhook-endpoints/<str:id>/deliveries/<str:delivery>/", Webhooks, "webhook-delivery", replay="replay_one"),
    call("blocklist/", Blocks, "blocks", get="list", post="create"),
    call("blocklist/<str:id>/", Blocks, "block", get="retrieve", delete="destroy"),
    call("users/", Users, "users", get="list"),
    call("teams/", Teams, "teams", get="list"),
    call("me/", Me, "me", get="retrieve"),
    call("tokens/", Tokens, "tokens", get="list", post="create"),
    call("tokens/<str:id>/", Tokens, "token", delete="destroy"),
]

urlpatterns: Patterns = [
    path("api/v1/", include(V1)),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="api-schema"),
]
