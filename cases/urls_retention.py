"""Addresses of retention and of legal holds."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import holds, retention

urlpatterns: list[URLPattern] = [
    path("settings/retention/", retention.retention_list, name="retention"),
    path("settings/retention/new/", retention.retention_rule, name="retention-new"),
    path("settings/retention/preview/", retention.retention_preview, name="retention-preview"),
    path("settings/retention/<int:pk>/", retention.retention_rule, name="retention-rule"),
    path("settings/retention/<int:pk>/delete/", retention.retention_delete, name="retention-delete"),
    path("incidents/<str:number>/hold/", holds.incident_hold, name="incident-hold"),
]
