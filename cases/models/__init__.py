"""Alerts, incidents and everything known about them."""

from cases.models.alert import Alert, AlertPayload
from cases.models.asset import AlertAsset, Asset, AssetChange, AssetGroup, AssetImport, IncidentAsset
from cases.models.custom_field import CustomField
from cases.models.dead_letter import DeadLetter, ReplayJob
from cases.models.evidence import Evidence, EvidenceAccess
from cases.models.export import ExportJob, ExportStatus, ReportTemplate, ReportTemplateVersion
from cases.models.handover import HandOver
from cases.models.idempotency import IdempotencyKey
from cases.models.incident import Incident, IncidentOwner
from cases.models.job import BulkBatch, BulkJob
from cases.models.mapping import SourceMapping, SourceSample
from cases.models.mention import Mention, TimelinePin
from cases.models.message import AlertMessage
from cases.models.move import IncidentMove
from cases.models.notification import (
    Channel,
    NoticeState,
    Notification,
    NotificationDelivery,
    NotificationMember,
    NotificationSettings,
    Watch,
)
from cases.models.observable import AlertObservable, IncidentObservable, Observable
from cases.models.origin import IncidentOrigin
from cases.models.permissions import (
    IncidentGroupPermission,
    IncidentUserPermission,
    SourceGroupPermission,
    SourceUserPermission,
)
from cases.models.pull import AlertPull, AlertPush, PulledAlert
from cases.models.relation import IncidentRelation
from cases.models.retention import LegalHold, RetentionRule
from cases.models.servicenow import LinkState, ServiceNowInstance, TicketLink, TicketProfile
from cases.models.servicenow_traffic import (
    AttachmentSeen,
    ChangeState,
    JournalSeen,
    MappingGap,
    TicketChange,
    TicketConflict,
)
from cases.models.signing import SigningKey
from cases.models.sla import IncidentClock, IncidentPause, SlaPolicy
from cases.models.source import AlertSource, SourceToken
from cases.models.suggestion import DismissedSuggestion
from cases.models.suppression import SourceWatch, SuppressionGeneration, SuppressionRule
from cases.models.task import IncidentTask
from cases.models.template import IncidentTemplate
from cases.models.timeline import TimelineEntry
from cases.models.view import DefaultView, SavedView
from cases.models.volume import AlertHour
from cases.models.webhook import DeliveryState, WebhookAttempt, WebhookDelivery, WebhookEndpoint

__all__ = [
    "Alert",
    "AlertAsset",
    "AlertHour",
    "AlertMessage",
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
    "Channel",
    "CustomField",
    "DeadLetter",
    "DefaultView",
    "DeliveryState",
    "DismissedSuggestion",
    "Evidence",
    "EvidenceAccess",
    "ExportJob",
    "ExportStatus",
    "HandOver",
    "IdempotencyKey",
    "Incident",
    "IncidentAsset",
    "IncidentClock",
    "IncidentGroupPermission",
    "IncidentMove",
    "IncidentObservable",
    "IncidentOrigin",
    "IncidentOwner",
    "IncidentPause",
    "IncidentRelation",
    "IncidentTask",
    "IncidentTemplate",
    "IncidentUserPermission",
    "JournalSeen",
    "LegalHold",
    "LinkState",
    "MappingGap",
    "Mention",
    "NoticeState",
    "Notification",
    "NotificationDelivery",
    "NotificationMember",
    "NotificationSettings",
    "Observable",
    "PulledAlert",
    "ReplayJob",
    "ReportTemplate",
    "ReportTemplateVersion",
    "RetentionRule",
    "SavedView",
    "ServiceNowInstance",
    "SigningKey",
    "SlaPolicy",
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
    "TimelinePin",
    "Watch",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
]
