"""The address of the page of operations."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import operations

urlpatterns: list[URLPattern] = [
    path("settings/operations/", operations.operations, name="operations"),
]
