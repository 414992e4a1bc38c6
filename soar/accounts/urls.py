"""Addresses of a person's own settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from soar.accounts import views, views_portal, views_sessions, views_viewing

urlpatterns: list[URLPattern] = [
    path("settings/", views.settings_home, name="settings-home"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/sessions/", views_sessions.session_list, name="session-list"),
    path("settings/sessions/end-others/", views_sessions.session_end_others, name="session-end-others"),
    path("settings/sessions/<int:pk>/end/", views_sessions.session_end, name="session-end"),
    path("settings/tokens/", views.token_list, name="token-list"),
    path("settings/tokens/new/", views.token_create, name="token-create"),
    path("settings/tokens/<int:pk>/revoke/", views.token_revoke, name="token-revoke"),
    path("settings/portal/", views_portal.portal_settings, name="portal"),
    path("accounts/view-as/", views_viewing.view_as, name="view-as"),
    path("accounts/view-as/stop/", views_viewing.view_as_stop, name="view-as-stop"),
]
