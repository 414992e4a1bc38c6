"""Addresses of custom fields' definitions."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import custom_fields

urlpatterns: list[URLPattern] = [
    path("settings/fields/", custom_fields.custom_field_list, name="custom-field-list"),
    path("settings/fields/new/", custom_fields.custom_field_create, name="custom-field-create"),
    path("settings/fields/<str:key>/", custom_fields.custom_field_edit, name="custom-field-edit"),
    path("settings/fields/<str:key>/<str:verb>/", custom_fields.custom_field_verb, name="custom-field-verb"),
]
