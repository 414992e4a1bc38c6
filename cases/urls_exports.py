"""Addresses of exports and report templates."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import exports, report_templates

urlpatterns: list[URLPattern] = [
    path("incidents/<str:number>/export/", exports.incident_export, name="incident-export"),
    path("exports/", exports.export_list, name="export-list"),
    path("exports/<int:pk>/", exports.export_job, name="export-job"),
    path("exports/<int:pk>/cancel/", exports.export_cancel, name="export-cancel"),
    path("exports/<int:pk>/file/", exports.export_file, name="export-file"),
    path("settings/reports/", report_templates.report_list, name="report-list"),
    path("settings/reports/new/", report_templates.report_create, name="report-create"),
    path("settings/reports/preview/", report_templates.report_preview, name="report-preview"),
    path("settings/reports/shipped/<slug:slug>/", report_templates.report_shipped, name="report-shipped"),
    path("settings/reports/<int:pk>/", report_templates.report_edit, name="report-edit"),
    path("settings/reports/<int:pk>/delete/", report_templates.report_delete, name="report-delete"),
    path("settings/reports/<int:pk>/restore/", report_templates.report_restore, name="report-restore"),
]
