"""Addresses of evidence."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import evidence, evidence_change

urlpatterns: list[URLPattern] = [
    path("incidents/<str:number>/evidence/", evidence.evidence_list, name="evidence-list"),
    path("incidents/<str:number>/evidence/add/", evidence_change.evidence_add, name="evidence-add"),
    path("evidence/<int:pk>/", evidence.evidence_detail, name="evidence-detail"),
    path("evidence/<int:pk>/file/", evidence.evidence_file, name="evidence-file"),
    path("evidence/<int:pk>/edit/", evidence_change.evidence_edit, name="evidence-edit"),
    path("evidence/<int:pk>/remove/", evidence_change.evidence_remove, name="evidence-remove"),
]
