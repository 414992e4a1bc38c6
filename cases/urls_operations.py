"""The addresses of the page of operations."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import operations

urlpatterns: list[URLPattern] = [
    path("settings/operations/", operations.operations, name="operations"),
    path("settings/operations/tasks/retry/", operations.tasks_retry, name="given-up-retry-kind"),
    path("settings/operations/tasks/forget/", operations.tasks_forget, name="given-up-forget-kind"),
    path("settings/operations/tasks/<int:pk>/retry/", operations.task_retry, name="given-up-retry"),
    path("settings/operations/tasks/<int:pk>/forget/", operations.task_forget, name="given-up-forget"),
]
