"""Addresses of incidents, suggestions and observables."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import (
    incidents,
    incidents_change,
    incidents_links,
    incidents_new,
    incidents_page,
    observables,
    suggestions,
)

urlpatterns: list[URLPattern] = [
    path("incidents/", incidents.incident_list, name="incident-list"),
    path("incidents/new-since/", incidents.incident_new_since, name="incident-new-since"),
    path("incidents/new/", incidents_new.incident_create, name="incident-create"),
    path("incidents/suggestions/", suggestions.suggestion_list, name="suggestion-list"),
    path("incidents/suggestions/<str:key>/accept/", suggestions.suggestion_accept, name="suggestion-accept"),
    path("incidents/suggestions/<str:key>/dismiss/", suggestions.suggestion_dismiss, name="suggestion-dismiss"),
    path("incidents/<str:number>/", incidents_page.incident_detail, name="incident-detail"),
    path("incidents/<str:number>/live/", incidents_page.incident_live, name="incident-live"),
    path("incidents/<str:number>/timeline/", incidents_page.incident_timeline, name="incident-timeline"),
    path("incidents/<str:number>/verify/", incidents_page.incident_verify, name="incident-verify"),
    path("incidents/<str:number>/status/", incidents_change.incident_status, name="incident-status"),
    path("incidents/<str:number>/ending/", incidents_change.incident_ending, name="incident-ending"),
    path("incidents/<str:number>/edit/", incidents_change.incident_edit, name="incident-edit"),
    path("incidents/<str:number>/summary/", incidents_change.incident_summary, name="incident-summary"),
    path("incidents/<str:number>/owners/", incidents_change.incident_owners, name="incident-owners"),
    path("incidents/<str:number>/comment/", incidents_change.incident_comment, name="incident-comment"),
    path("incidents/<str:number>/link/", incidents_links.incident_link, name="incident-link"),
    path("incidents/<str:number>/unlink/", incidents_links.incident_unlink, name="incident-unlink"),
    path("incidents/<str:number>/search/", incidents_links.incident_alert_search, name="incident-alert-search"),
    path("incidents/<str:number>/more/", incidents_links.incident_more, name="incident-more"),
    path(
        "incidents/<str:number>/observables/add/",
        incidents_links.incident_observable_add,
        name="incident-observable-add",
    ),
    path(
        "incidents/<str:number>/observables/remove/",
        incidents_links.incident_observable_remove,
        name="incident-observable-remove",
    ),
    path("observables/", observables.observable_list, name="observable-list"),
    path("observables/<int:pk>/", observables.observable_detail, name="observable-detail"),
    path("observables/<int:pk>/rate/", observables.observable_rate, name="observable-rate"),
]
