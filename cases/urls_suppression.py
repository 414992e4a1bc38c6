"""Addresses of suppression rules."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import suppression, suppression_edit

urlpatterns: list[URLPattern] = [
    path("suppression/", suppression.suppression_list, name="suppression-list"),
    path("suppression/new/", suppression_edit.suppression_new, name="suppression-new"),
    path("suppression/preview/", suppression_edit.suppression_preview, name="suppression-preview"),
    path("suppression/from/", suppression_edit.suppression_from, name="suppression-from"),
    path("suppression/<int:pk>/", suppression.suppression_detail, name="suppression-detail"),
    path("suppression/<int:pk>/edit/", suppression_edit.suppression_edit, name="suppression-edit"),
    path("suppression/<int:pk>/end/", suppression.suppression_end, name="suppression-end"),
    path("suppression/<int:pk>/release/", suppression.suppression_release, name="suppression-release"),
    path("suppression/<int:pk>/delete/", suppression.suppression_delete, name="suppression-delete"),
    path("alerts/<str:number>/unsuppress/", suppression.alert_unsuppress, name="alert-unsuppress"),
]
