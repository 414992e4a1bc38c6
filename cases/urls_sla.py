"""Addresses of targets: of an incident, and their policy."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import sla, sla_policy

urlpatterns: list[URLPattern] = [
    path("settings/sla/", sla_policy.policy_page, name="sla-policy"),
    path("incidents/<str:number>/targets/", sla.incident_targets, name="incident-targets"),
    path("incidents/<str:number>/pause/", sla.incident_pause, name="incident-pause"),
    path("incidents/<str:number>/resume/", sla.incident_resume, name="incident-resume"),
]
