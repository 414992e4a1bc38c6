"""Addresses of the queue, of alerts, and of notes on any timeline."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import (
    alerts,
    alerts_bulk,
    alerts_bulk_ask,
    alerts_change,
    alerts_incident,
    alerts_jobs,
    alerts_new,
    alerts_notes,
    alerts_page,
    alerts_poll,
    alerts_saved,
)

urlpatterns: list[URLPattern] = [
    path("", alerts.alert_list, name="home"),
    path("alerts/", alerts.alert_list, name="alert-list"),
    path("alerts/poll/", alerts_poll.alert_poll, name="alert-poll"),
    path("alerts/bulk/", alerts_bulk.alert_bulk, name="alert-bulk"),
    path("alerts/bulk/ask/<str:name>/", alerts_bulk_ask.alert_bulk_ask, name="alert-bulk-ask"),
    path("alerts/jobs/", alerts_jobs.job_list, name="job-list"),
    path("alerts/jobs/<int:pk>/", alerts_jobs.job_page, name="job-page"),
    path("alerts/jobs/<int:pk>/cancel/", alerts_jobs.job_cancel, name="job-cancel"),
    path("alerts/jobs/<int:pk>/undo/", alerts_jobs.job_undo, name="job-undo"),
    path("alerts/views/", alerts_saved.view_list, name="view-list"),
    path("alerts/views/new/", alerts_saved.view_new, name="view-new"),
    path("alerts/views/<int:pk>/", alerts_saved.view_change, name="view-change"),
    path("alerts/new/", alerts_new.alert_new, name="alert-new"),
    path("alerts/<str:number>/", alerts_page.alert_detail, name="alert-detail"),
    path("alerts/<str:number>/panel/", alerts_page.alert_panel, name="alert-panel"),
    path("alerts/<str:number>/live/", alerts_page.alert_live, name="alert-live"),
    path("alerts/<str:number>/ask/<str:name>/", alerts_change.alert_ask, name="alert-ask"),
    path("alerts/<str:number>/raw/", alerts_page.alert_raw, name="alert-raw"),
    path("alerts/<str:number>/timeline/", alerts_page.alert_timeline, name="alert-timeline"),
    path("alerts/<str:number>/similar/", alerts_page.alert_similar, name="alert-similar"),
    path("alerts/<str:number>/claim/", alerts_change.alert_claim, name="alert-claim"),
    path("alerts/<str:number>/assign/", alerts_change.alert_assign, name="alert-assign"),
    path("alerts/<str:number>/status/", alerts_change.alert_status, name="alert-status"),
    path("alerts/<str:number>/severity/", alerts_change.alert_severity, name="alert-severity"),
    path("alerts/<str:number>/determination/", alerts_change.alert_determination, name="alert-determination"),
    path("alerts/<str:number>/tags/", alerts_change.alert_tags, name="alert-tags"),
    path("alerts/<str:number>/resolve/", alerts_change.alert_resolve, name="alert-resolve"),
    path("alerts/<str:number>/reopen/", alerts_change.alert_reopen, name="alert-reopen"),
    path("alerts/<str:number>/comment/", alerts_notes.alert_comment, name="alert-comment"),
    path("alerts/<str:number>/escalate/", alerts_incident.alert_escalate, name="alert-escalate"),
    path("alerts/<str:number>/link/", alerts_incident.alert_link, name="alert-link"),
    path("alerts/<str:number>/link-similar/", alerts_incident.alert_link_similar, name="alert-link-similar"),
    path("alerts/<str:number>/unlink/", alerts_incident.alert_unlink, name="alert-unlink"),
    path("alerts/<str:number>/not-related/", alerts_incident.alert_not_related, name="alert-not-related"),
    path("alerts/<str:number>/find-incident/", alerts_incident.alert_find_incident, name="alert-find-incident"),
    path("timeline/<int:pk>/edit/", alerts_notes.entry_edit, name="entry-edit"),
]
