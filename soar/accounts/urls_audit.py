"""Addresses of the audit log."""

from __future__ import annotations

from django.urls import URLPattern, path

from soar.accounts import views_audit

urlpatterns: list[URLPattern] = [
    path("audit/", views_audit.audit_log, name="audit"),
    path("audit/<int:pk>/", views_audit.audit_entry, name="audit-entry"),
    path("audit/export/<str:kind>/", views_audit.audit_download, name="audit-export"),
]
