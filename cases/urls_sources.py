"""Addresses of alert sources."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import dead_letters, mapping, sources, sources_change, sources_key, sources_pull
from soar.accounts.access.addresses import access_urls

urlpatterns: list[URLPattern] = [
    *access_urls("source", "sources/<slug:ref>/"),
    path("sources/", sources.source_list, name="source-list"),
    path("sources/new/", sources.source_create, name="source-create"),
    path("sources/dead-letters/", dead_letters.letter_list, name="dead-letters"),
    path("sources/dead-letters/replay/", dead_letters.letters_replay, name="dead-letters-replay"),
    path("sources/dead-letters/jobs/<int:pk>/", dead_letters.replay_job, name="replay-job"),
    path("sources/dead-letters/<int:pk>/", dead_letters.letter_detail, name="dead-letter"),
    path("sources/dead-letters/<int:pk>/replay/", dead_letters.letter_replay, name="dead-letter-replay"),
    path("sources/dead-letters/<int:pk>/delete/", dead_letters.letter_delete, name="dead-letter-delete"),
    path("sources/<slug:slug>/dead-letters/", dead_letters.letter_list, name="source-letters"),
    path("sources/<slug:slug>/dead-letters/replay/", dead_letters.letters_replay, name="source-letters-replay"),
    path("sources/<slug:slug>/dead-letters/delete/", dead_letters.letters_delete, name="source-letters-delete"),
    path("sources/<slug:slug>/", sources.source_detail, name="source-detail"),
    path("sources/<slug:slug>/edit/", sources.source_edit, name="source-edit"),
    path("sources/<slug:slug>/mapping/", mapping.mapping_edit, name="source-mapping"),
    path("sources/<slug:slug>/mapping/preview/", mapping.mapping_preview, name="source-mapping-preview"),
    path("sources/<slug:slug>/mapping/versions/", mapping.mapping_versions, name="source-mapping-versions"),
    path(
        "sources/<slug:slug>/mapping/versions/<int:number>/restore/",
        mapping.mapping_restore,
        name="source-mapping-restore",
    ),
    path("sources/<slug:slug>/samples/<int:pk>/remove/", mapping.sample_remove, name="source-sample-remove"),
    path("sources/<slug:slug>/enable/", sources_change.source_enable, name="source-enable"),
    path("sources/<slug:slug>/disable/", sources_change.source_disable, name="source-disable"),
    path("sources/<slug:slug>/rotate/", sources_change.source_rotate, name="source-rotate"),
    path("sources/<slug:slug>/tokens/<int:pk>/revoke/", sources_change.source_revoke, name="source-revoke"),
    path("sources/<slug:slug>/key-preview/", sources_key.source_key_preview, name="source-key-preview"),
    path("sources/<slug:slug>/sample/", sources_change.source_sample, name="source-sample"),
    path("sources/<slug:slug>/pull/", sources_pull.source_pull, name="source-pull"),
    path("sources/<slug:slug>/pull/now/", sources_pull.source_pull_now, name="source-pull-now"),
    path("sources/<slug:slug>/pull/test/", sources_pull.source_pull_test, name="source-pull-test"),
    path("sources/<slug:slug>/pull/remove/", sources_pull.source_pull_remove, name="source-pull-remove"),
    path("sources/<slug:slug>/push/again/", sources_pull.source_push_again, name="source-push-again"),
]
