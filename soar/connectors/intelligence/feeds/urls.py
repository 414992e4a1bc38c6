"""Addresses of the feeds' page."""

from __future__ import annotations

from django.urls import path

from soar.connectors.intelligence.feeds import views

urlpatterns = [
    path("settings/feeds/", views.index, name="feed-index"),
    path("settings/feeds/upload/", views.upload, name="feed-upload"),
    path("settings/feeds/<int:pk>/bring/", views.bring, name="feed-bring"),
    path("settings/feeds/<int:pk>/remove/", views.remove, name="feed-remove"),
]
