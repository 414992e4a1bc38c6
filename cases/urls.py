"""Addresses of cases' pages, one list for each subject."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver

from cases import (
    urls_alerts,
    urls_assets,
    urls_custom_fields,
    urls_evidence,
    urls_exports,
    urls_inbox,
    urls_incidents,
    urls_operations,
    urls_retention,
    urls_search,
    urls_servicenow,
    urls_signing,
    urls_sla,
    urls_sources,
    urls_suppression,
    urls_tasks,
    urls_webhooks,
)

urlpatterns: list[URLPattern | URLResolver] = [
    *urls_alerts.urlpatterns,
    *urls_inbox.urlpatterns,
    *urls_incidents.urlpatterns,
    *urls_operations.urlpatterns,
    *urls_assets.urlpatterns,
    *urls_custom_fields.urlpatterns,
    *urls_retention.urlpatterns,
    *urls_search.urlpatterns,
    *urls_evidence.urlpatterns,
    *urls_exports.urlpatterns,
    *urls_signing.urlpatterns,
    *urls_servicenow.urlpatterns,
    *urls_sla.urlpatterns,
    *urls_sources.urlpatterns,
    *urls_suppression.urlpatterns,
    *urls_tasks.urlpatterns,
    *urls_webhooks.urlpatterns,
]
