"""Alerts, incidents and everything known about them."""

from cases.models.alert import Alert, AlertPayload
from cases.models.asset import AlertAsset, Asset, AssetChange, AssetGroup, AssetImport, IncidentAsset
from cases.models.dead_letter import DeadLetter, ReplayJob
from cases.models.evidence import Evidence, EvidenceAccess
from cases.models.idempotency import IdempotencyKey
from cases.models.incident import Incident, IncidentOwner
from cases.models.job import BulkBatch, BulkJob
from cases.models.mapping import SourceMapping, SourceSample
from cases.models.observable import AlertObservable, IncidentObservable, Observable
from cases.models.permissions import (
    IncidentGroupPermission,
    IncidentUserPermission,
    SourceGroupPermission,
    SourceUserPermission,
)
from cases.models.pull import AlertPull, AlertPush, PulledAlert
from cases.models.servicenow import LinkState, ServiceNowInstance, TicketLink, TicketProfile
from cases.models.servicenow_traffic import (
    AttachmentSeen,
    ChangeState,
    JournalSeen,
    MappingGap,
    TicketChange,
    TicketConflict,
)
from cases.models.source import AlertSource, SourceToken
from cases.models.suggestion import DismissedSuggestion
from cases.models.suppression import SourceWatch, SuppressionGeneration, SuppressionRule
from cases.models.task import IncidentTask
from cases.models.template import IncidentTemplate
from cases.models.timeline import TimelineEntry
from cases.models.view import DefaultView, SavedView
from cases.models.webhook import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Alert",
    "AlertAsset",
    "AlertObservable",
    "AlertPayload",
    "AlertPull",
    "AlertPush",
    "AlertSource",
    "Asset",
    "AssetChange",
    "AssetGroup",
    "AssetImport",
    "AttachmentSeen",
    "BulkBatch",
    "BulkJob",
    "ChangeState",
    "DeadLetter",
    "DefaultView",
    "DeliveryState",
    "DismissedSuggestion",
    "Evidence",
    "EvidenceAccess",
    "IdempotencyKey",
    "Incident",
    "IncidentAsset",
    "IncidentGroupPermission",
    "IncidentObservable",
    "IncidentOwner",
    "IncidentTask",
    "IncidentTemplate",
    "IncidentUserPermission",
    "JournalSeen",
    "LinkState",
    "MappingGap",
    "Observable",
    "PulledAlert",
    "ReplayJob",
    "SavedView",
    "ServiceNowInstance",
    "SourceGroupPermission",
    "SourceMapping",
    "SourceSample",
    "SourceToken",
    "SourceUserPermission",
    "SourceWatch",
    "SuppressionGeneration",
    "SuppressionRule",
    "TicketChange",
    "TicketConflict",
    "TicketLink",
    "TicketProfile",
    "TimelineEntry",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
