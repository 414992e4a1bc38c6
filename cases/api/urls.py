"""Addresses of the API (contract.md: HTTP)."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, include, path

from cases.api import schema  # noqa: F401  registers how the schema names the two logins
from cases.api.access import ConnectorAccess, GrantJobs, IncidentAccess, SourceAccess
from cases.api.admin_people import Teams, Users
from cases.api.admin_roles import Roles
from cases.api.alert_messages import AlertMessages
from cases.api.alert_parts import AlertParts
from cases.api.alerts import Alerts
from cases.api.assets import Assets
from cases.api.attack import Attack
from cases.api.audit import AuditLog
from cases.api.blocklist import Blocks
from cases.api.bulk import BulkApi, Jobs
from cases.api.connectors import Connectors
from cases.api.custom_fields import CustomFields
from cases.api.dead_letters import DeadLetters
from cases.api.evidence import EvidencePieces, IncidentEvidence
from cases.api.exports import Exports, IncidentExport
from cases.api.feeds import FeedFiles, Feeds
from cases.api.handovers import HandOvers
from cases.api.incident_assets import IncidentAssets
from cases.api.incident_parts import IncidentParts, SuggestionsApi
from cases.api.incidents import Incidents
from cases.api.kinds import Kinds
from cases.api.lists import Exceptions, FeedTokens, OwnList, WarningLists
from cases.api.mappings import Mappings
from cases.api.moves import Moves
from cases.api.notifications import NotificationChoices, Notifications, Watching
from cases.api.observables import Observables
from cases.api.people import Me, Tokens
from cases.api.reference import ApiSchema, document
from cases.api.relations import Relations
from cases.api.retention import Holds, RetentionRules
from cases.api.routes import Routes
from cases.api.servicenow import TicketConflicts, TicketFailures, TicketLinks
from cases.api.servicenow_setup import ServiceNowInstances, TicketProfiles
from cases.api.signing import SigningKeys
from cases.api.sla import IncidentClocks, SlaFigures, SlaPolicies
from cases.api.source_parts import SourceParts
from cases.api.source_pull import SourcePull
from cases.api.sources import Sources
from cases.api.stats import StatsApi
from cases.api.suppression import SuppressionRules
from cases.api.tasks import IncidentTasks, Tasks
from cases.api.templates import Templates
from cases.api.timeline import Entries
from cases.api.views import Views
from cases.api.webhooks import Webhooks
from cases.views.api_docs import page_of

Patterns = list[URLPattern | URLResolver]


def call(address: str, views: Any, name: str, **methods: str) -> URLPattern:
    """One address: ``get="list", post="create"`` and so on."""
    made: URLPattern = path(address, views.as_view(methods), name=f"api-{name}")
    return made


def verbs(address: str, views: Any, prefix: str, *names: str, **renamed: str) -> Patterns:
    """POST to ``address`` + verb + ``/``, each answered by the method of that name."""
    pairs = {name: name for name in names} | renamed
    return [call(f"{address}{verb}/", views, f"{prefix}-{verb}", post=method) for verb, method in pairs.items()]


def access(address: str, views: Any, name: str, **more: str) -> Patterns:
    """Who sees a thing, and its grants; and one grant on many of its kind. ``more``: methods of the list of grants."""
    return [
        call(f"{address.partition('<')[0]}grants/bulk/", views, f"{name}-grants-many", post="bulk"),
        call(f"{address}access/", views, f"{name}-access", get="who"),
        call(f"{address}grants/", views, f"{name}-grants", get="list", post="create", **more),
        call(f"{address}grants/copy/", views, f"{name}-grants-copy", post="copy"),
        call(
            f"{address}grants/<str:grant>/",
            views,
            f"{name}-grant",
            get="retrieve",
            patch="partial_update",
            delete="destroy",
        ),
    ]


V1: Patterns = [
    *access("incidents/<str:id>/", IncidentAccess, "incident", delete="revoke_of"),
    call("incidents/<str:id>/break-glass/", IncidentAccess, "incident-break-glass", post="break_glass"),
    call("grant-jobs/<str:id>/", GrantJobs, "grant-job", get="retrieve"),
    *verbs("grant-jobs/<str:id>/", GrantJobs, "grant-job", "cancel"),
    *access("sources/<slug:slug>/", SourceAccess, "source"),
    *access("connectors/<str:id>/", ConnectorAccess, "connector"),
    call("alerts/", Alerts, "alerts", get="list", post="create"),
    call("alerts/bulk/", BulkApi, "alerts-bulk", post="start"),
    call("views/", Views, "views", get="list", post="create"),
    call("views/order/", Views, "views-order", post="order"),
    call("views/<str:id>/", Views, "view", get="retrieve", patch="partial_update", delete="destroy"),
    call("jobs/", Jobs, "jobs", get="list"),
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
    call("alerts/<str:id>/messages/", AlertMessages, "alert-messages", get="list"),
    call("alerts/<str:id>/message/", AlertMessages, "alert-message", get="file"),
    call("alerts/<str:id>/raw/", AlertParts, "alert-raw", get="raw"),
    call("alerts/<str:id>/similar/", AlertParts, "alert-similar", get="similar"),
    *verbs("alerts/<str:id>/", AlertParts, "alert", "unsuppress"),
    call("alerts/<str:id>/watch/", Watching, "alert-watch", get="alert", post="watch_alert"),
    call("incidents/<str:id>/watch/", Watching, "incident-watch", get="incident", post="watch_incident"),
    call("notifications/", Notifications, "notifications", get="list"),
    call("notifications/read/", Notifications, "notifications-read", post="mark_read"),
    call("notifications/unread/", Notifications, "notifications-unread", post="mark_unread"),
    call("notifications/<str:id>/", Notifications, "notification", get="retrieve"),
    call(
        "notification-settings/",
        NotificationChoices,
        "notification-settings",
        get="retrieve",
        patch="partial_update",
    ),
    call("timeline/<str:id>/", Entries, "entry", get="retrieve"),
    *verbs("timeline/<str:id>/", Entries, "entry", "correct", "pin", "unpin", **{"let-in": "let_in"}),
    call("stats/", StatsApi, "stats", get="retrieve"),
    call("source-kinds/", Kinds, "source-kinds", get="sources"),
    call("connector-kinds/", Kinds, "connector-kinds", get="connectors"),
    call("timeline-kinds/", Kinds, "timeline-kinds", get="timeline"),
    call("capabilities/", Kinds, "capabilities", get="capabilities"),
    call("incidents/", Incidents, "incidents", get="list", post="create"),
    call("incidents/suggestions/", SuggestionsApi, "suggestions", get="list"),
    *verbs("incidents/suggestions/<str:key>/", SuggestionsApi, "suggestion", "accept", "dismiss"),
    call("incidents/<str:id>/", Incidents, "incident", get="retrieve", patch="partial_update"),
    *verbs(
        "incidents/<str:id>/",
        Incidents,
        "incident",
        *("assign", "comment", "link", "unlink", "owners", "techniques"),
        status="set_status",
    ),
    call("incidents/<str:id>/timeline/", IncidentParts, "incident-timeline", get="timeline", post="add_event"),
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
    call("incidents/<str:id>/export/", IncidentExport, "incident-export", get="export"),
    call("exports/", Exports, "exports", get="list"),
    call("exports/choices/", Exports, "export-choices", get="choices"),
    call("exports/<str:id>/", Exports, "export", get="retrieve"),
    call("exports/<str:id>/file/", Exports, "export-file", get="file"),
    *verbs("exports/<str:id>/", Exports, "export", "cancel"),
    *verbs("incidents/<str:id>/", Moves, "incident", "merge", "split"),
    *verbs("incidents/<str:id>/merge/", Moves, "incident-merge", preview="preview_merge"),
    *verbs("incidents/<str:id>/split/", Moves, "incident-split", preview="preview_split"),
    call("incidents/<str:id>/moves/", Moves, "incident-moves", get="list"),
    call("incidents/<str:id>/moves/<str:move>/", Moves, "incident-move", get="retrieve"),
    *verbs("incidents/<str:id>/moves/<str:move>/", Moves, "incident-move", "undo"),
    call("incidents/<str:id>/related/", Relations, "incident-related", get="list", post="create"),
    call("incidents/<str:id>/related/<str:relation>/", Relations, "incident-relation", delete="destroy"),
    call("incidents/<str:id>/verify/", IncidentParts, "incident-verify", get="verify"),
    call("incidents/<str:id>/assets/", IncidentAssets, "incident-assets", get="list", post="create"),
    call("incidents/<str:id>/assets/<str:asset>/", IncidentAssets, "incident-asset", delete="destroy"),
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
    call("hand-overs/", HandOvers, "hand-overs", get="list", post="create"),
    call("hand-overs/<str:id>/", HandOvers, "hand-over", get="retrieve"),
    *verbs("hand-overs/<str:id>/", HandOvers, "hand-over", "take"),
    call("tasks/", Tasks, "tasks", get="list"),
    call("tasks/<str:id>/", Tasks, "task", get="retrieve", patch="partial_update", delete="destroy"),
    *verbs("tasks/<str:id>/", Tasks, "task", "complete", "reopen", "assign"),
    call("incident-templates/", Templates, "templates", get="list", post="create"),
    call(
        "incident-templates/<str:id>/", Templates, "template", get="retrieve", patch="partial_update", delete="destroy"
    ),
    call("custom-fields/", CustomFields, "custom-fields", get="list", post="create"),
    call(
        "custom-fields/<str:key>/",
        CustomFields,
        "custom-field",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs("custom-fields/<str:key>/", CustomFields, "custom-field", "retire", "restore", "move"),
    call("attack/techniques/", Attack, "attack-techniques", get="list"),
    call("attack/techniques/<str:id>/", Attack, "attack-technique", get="retrieve"),
    call("attack/matrix/", Attack, "attack-matrix", get="matrix"),
    call("observables/", Observables, "observables", get="list"),
    call("observables/<str:id>/", Observables, "observable", get="retrieve"),
    *verbs("observables/<str:id>/", Observables, "observable", "rate"),
    call("assets/", Assets, "assets", get="list", post="create"),
    call("assets/import/", Assets, "assets-import", post="import_file"),
    call("assets/<str:id>/", Assets, "asset", get="retrieve", patch="partial_update", delete="destroy"),
    call("sources/", Sources, "sources", get="list", post="create"),
    call("sources/<slug:slug>/", Sources, "source", get="retrieve", patch="partial_update"),
    *verbs("sources/<slug:slug>/", Sources, "source", "enable", "disable", push="push"),
    call("sources/<slug:slug>/tokens/", SourceParts, "source-tokens", get="tokens", post="rotate"),
    call("sources/<slug:slug>/tokens/<str:token>/", SourceParts, "source-token", get="token", delete="revoke"),
    *verbs("sources/<slug:slug>/", SourceParts, "source", "sample", **{"key-preview": "key_preview"}),
    call("sources/<slug:slug>/samples/", SourceParts, "source-samples", get="samples", post="keep_sample"),
    call("sources/<slug:slug>/samples/<str:sample>/", SourceParts, "source-sample-kept", delete="drop_sample"),
    call("sources/<slug:slug>/mapping/versions/", SourceParts, "source-mapping-versions", get="versions"),
    call("sources/<slug:slug>/mapping/restore/", SourceParts, "source-mapping-restore", post="restore"),
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
    call(
        "connector-routes/<str:id>/",
        Routes,
        "connector-route",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs("connector-routes/<str:id>/", Routes, "connector-route", **{"raise": "earlier"}),
    call("sources/<slug:slug>/pull/", SourcePull, "source-pull", get="retrieve", put="replace", delete="destroy"),
    *verbs("sources/<slug:slug>/pull/", SourcePull, "source-pull", "now", "test"),
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
    call("exceptions/", Exceptions, "exceptions", get="list", post="create"),
    call("exceptions/<str:id>/", Exceptions, "exception", get="retrieve", delete="destroy"),
    call("own-list/", OwnList, "own-list", get="list", post="create"),
    call("own-list/<str:id>/", OwnList, "own-entry", get="retrieve", delete="destroy"),
    call("warning-lists/", WarningLists, "warning-lists", get="list"),
    call("warning-lists/<str:id>/", WarningLists, "warning-list", get="retrieve", patch="partial_update"),
    call("feeds/", Feeds, "feeds", get="list"),
    call("feeds/<str:id>/", Feeds, "feed", get="retrieve"),
    *verbs("feeds/<str:id>/", Feeds, "feed", "bring"),
    call("feeds/<str:id>/file/", FeedFiles, "feed-file", post="create"),
    call("feed-tokens/", FeedTokens, "feed-tokens", get="list", post="create"),
    call("feed-tokens/<str:id>/", FeedTokens, "feed-token", delete="destroy"),
    call("blocklist/", Blocks, "blocks", get="list", post="create"),
    call("blocklist/<str:id>/", Blocks, "block", get="retrieve", delete="destroy"),
    call("users/", Users, "users", get="list", post="create"),
    call("users/<str:id>/", Users, "user", get="retrieve", patch="partial_update"),
    *verbs("users/<str:id>/", Users, "user", "activate", "deactivate", "password", **{"hand-over": "hand_over"}),
    call("users/<str:id>/tokens/", Users, "user-tokens", get="tokens", post="new_token"),
    call("users/<str:id>/tokens/<str:token>/", Users, "user-token", delete="revoke_token"),
    call("teams/", Teams, "teams", get="list", post="create"),
    call("teams/<str:id>/", Teams, "team", get="retrieve", patch="partial_update", delete="destroy"),
    call("roles/", Roles, "roles", get="list", post="create"),
    call("roles/<str:id>/", Roles, "role", get="retrieve", patch="partial_update", delete="destroy"),
    call("audit/", AuditLog, "audit", get="list"),
    call("audit/<str:id>/", AuditLog, "audit-entry", get="retrieve"),
    call("sla-policy/", SlaPolicies, "sla-policy", get="retrieve", patch="partial_update"),
    call("sla-figures/", SlaFigures, "sla-figures", get="retrieve"),
    call("incidents/<str:id>/clocks/", IncidentClocks, "incident-clocks", get="retrieve"),
    *verbs("incidents/<str:id>/", IncidentClocks, "incident", "pause", "resume"),
    call("signing-keys/", SigningKeys, "signing-keys", get="list", post="create"),
    call("retention-rules/", RetentionRules, "retention-rules", get="list", post="create"),
    call(
        "retention-rules/<str:id>/",
        RetentionRules,
        "retention-rule",
        get="retrieve",
        patch="partial_update",
        delete="destroy",
    ),
    *verbs("retention-rules/<str:id>/", RetentionRules, "retention-rule", "preview"),
    call("incidents/<str:id>/hold/", Holds, "incident-hold", get="retrieve", post="place"),
    *verbs("incidents/<str:id>/hold/", Holds, "incident-hold", "lift"),
    call("me/", Me, "me", get="retrieve"),
    call("tokens/", Tokens, "tokens", get="list", post="create"),
    call("tokens/<str:id>/", Tokens, "token", delete="destroy"),
]

urlpatterns: Patterns = [
    path("api/v1/", include(V1)),
    path("api/schema/", ApiSchema.as_view(), name="api-schema"),
    path("api/docs/", page_of(document), name="api-docs"),
]
