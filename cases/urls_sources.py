"""Addresses of alert sources."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import sources, sources_change, sources_pull

urlpatterns: list[URLPattern] = [
    path("sources/", sources.source_list, name="source-list"),
    path("sources/new/", sources.source_create, name="source-create"),
    path("sources/<slug:slug>/", sources.source_detail, name="source-detail"),
    path("sources/<slug:slug>/edit/", sources.source_edit, name="source-edit"),
    path("sources/<slug:slug>/enable/", sources_change.source_enable, name="source-enable"),
    path("sources/<slug:slug>/disable/", sources_change.source_disable, name="source-disable"),
    path("sources/<slug:slug>/rotate/", sources_change.source_rotate, name="source-rotate"),
    path("sources/<slug:slug>/tokens/<int:pk>/revoke/", sources_change.source_revoke, name="source-revoke"),
    path("sources/<slug:slug>/sample/", sources_change.source_sample, name="source-sample"),
    path("sources/<slug:slug>/pull/", sources_pull.source_pull, name="source-pull"),
    path("sources/<slug:slug>/pull/now/", sources_pull.source_pull_now, name="source-pull-now"),
    path("sources/<slug:slug>/pull/remove/", sources_pull.source_pull_remove, name="source-pull-remove"),
    path("sources/<slug:slug>/push/again/", sources_pull.source_push_again, name="source-push-again"),
]
