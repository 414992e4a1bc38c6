"""Addresses of the inbox and of what a person chose to be told."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import inbox, inbox_settings, watching

urlpatterns: list[URLPattern] = [
    path("inbox/", inbox.inbox_page, name="inbox"),
    path("inbox/new/", inbox.inbox_new, name="inbox-new"),
    path("inbox/read/", inbox.inbox_read, name="inbox-read"),
    path("inbox/settings/", inbox_settings.notification_settings, name="notification-settings"),
    path("inbox/settings/test/", inbox_settings.chat_test, name="notification-test"),
    path("inbox/<int:pk>/", inbox.notification_open, name="notification-open"),
    path("inbox/<int:pk>/mark/", inbox.notification_mark, name="notification-mark"),
    path("alerts/<str:number>/watch/", watching.alert_watch, name="alert-watch"),
    path("incidents/<str:number>/watch/", watching.incident_watch, name="incident-watch"),
]
