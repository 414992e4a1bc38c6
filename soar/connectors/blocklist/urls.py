"""Addresses of the block list and its feeds."""

from __future__ import annotations

from django.urls import path

from soar.connectors.blocklist import feeds, views

urlpatterns = [
    path("blocklist/", views.index, name="blocklist"),
    path("blocklist/add/", views.add, name="blocklist-add"),
    path("blocklist/<int:pk>/remove/", views.remove, name="blocklist-remove"),
    path("blocklist/tokens/make/", views.token_make, name="feed-token-make"),
    path("blocklist/tokens/<int:pk>/revoke/", views.token_revoke, name="feed-token-revoke"),
    path("feeds/blocklist/<str:type>.txt", feeds.feed, name="blocklist-feed"),
]
