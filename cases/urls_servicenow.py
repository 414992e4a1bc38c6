"""Addresses of ServiceNow: sync, conflicts, links, log; instances and ticket profiles."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views.servicenow import (
    conflict_list,
    flow,
    gaps,
    instances,
    links,
    log,
    previewing,
    profile_verbs,
    profiles,
    sync,
    tickets,
    work,
)

SET_UP: list[URLPattern] = [
    path("servicenow/instances/new/", instances.instance_create, name="servicenow-instance-create"),
    path("servicenow/instances/<slug:slug>/", instances.instance_detail, name="servicenow-instance"),
    path("servicenow/instances/<slug:slug>/check/", instances.instance_check, name="servicenow-instance-check"),
    path("servicenow/instances/<slug:slug>/rotate/", instances.instance_rotate, name="servicenow-instance-rotate"),
    path("servicenow/instances/<slug:slug>/remove/", instances.instance_remove, name="servicenow-instance-remove"),
    path("servicenow/instances/<slug:slug>/find/<slug:what>/", profile_verbs.instance_find, name="servicenow-find"),
    path("servicenow/profiles/", profiles.profile_list, name="servicenow-profile-list"),
    path("servicenow/profiles/new/", profiles.profile_create, name="servicenow-profile-create"),
    path("servicenow/profiles/<int:pk>/", profiles.profile_edit, name="servicenow-profile"),
    path("servicenow/profiles/<int:pk>/try/", previewing.profile_try, name="servicenow-profile-try"),
    path("servicenow/profiles/<int:pk>/preview/", previewing.profile_preview, name="servicenow-profile-preview"),
    path("servicenow/profiles/<int:pk>/copy/", profiles.profile_copy, name="servicenow-profile-copy"),
    path("servicenow/profiles/<int:pk>/enable/", profile_verbs.profile_enable, name="servicenow-profile-enable"),
    path("servicenow/profiles/<int:pk>/disable/", profile_verbs.profile_disable, name="servicenow-profile-disable"),
    path("servicenow/profiles/<int:pk>/delete/", profile_verbs.profile_delete, name="servicenow-profile-delete"),
]

SYNC: list[URLPattern] = [
    path("servicenow/", sync.sync_page, name="servicenow"),
    path("servicenow/live/", sync.sync_live, name="servicenow-live"),
    path("servicenow/now/", flow.sync_now, name="servicenow-sync-now"),
    path("servicenow/instances/<slug:slug>/pause/", flow.instance_pause, name="servicenow-pause"),
    path("servicenow/instances/<slug:slug>/resume/", flow.instance_resume, name="servicenow-resume"),
    path("servicenow/instances/<slug:slug>/try/", flow.instance_try, name="servicenow-try"),
    path("servicenow/conflicts/", conflict_list.conflict_list, name="servicenow-conflicts"),
    path("servicenow/conflicts/live/", conflict_list.conflict_live, name="servicenow-conflicts-live"),
    path("servicenow/conflicts/<int:pk>/decide/", work.conflict_decide, name="servicenow-decide"),
    path("servicenow/changes/retry/", work.change_retry_all, name="servicenow-retry-all"),
    path("servicenow/changes/skip/", work.change_skip_all, name="servicenow-skip-all"),
    path("servicenow/changes/<int:pk>/retry/", work.change_retry, name="servicenow-retry"),
    path("servicenow/changes/<int:pk>/skip/", work.change_skip, name="servicenow-skip"),
    path("servicenow/gaps/<int:pk>/", gaps.gap_map, name="servicenow-gap"),
    path("servicenow/gaps/<int:pk>/choices/", gaps.gap_choices, name="servicenow-gap-choices"),
    path("servicenow/links/", links.link_list, name="servicenow-links"),
    path("servicenow/links/<int:pk>/unlink/", tickets.ticket_unlink, name="servicenow-unlink"),
    path("servicenow/links/<int:pk>/relink/", tickets.ticket_relink, name="servicenow-relink"),
    path("servicenow/links/<int:pk>/recreate/", tickets.ticket_recreate, name="servicenow-recreate"),
    path("servicenow/log/", log.call_list, name="servicenow-log"),
    path("incidents/<str:number>/ticket/create/", tickets.ticket_create, name="ticket-create"),
    path("incidents/<str:number>/ticket/link/", tickets.ticket_link, name="ticket-link"),
    path("incidents/<str:number>/ticket/sync/", tickets.ticket_sync, name="ticket-sync"),
    path("incidents/<str:number>/ticket/live/", tickets.ticket_live, name="ticket-live"),
]

urlpatterns: list[URLPattern] = [*SYNC, *SET_UP]
