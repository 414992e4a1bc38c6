"""Addresses of a person's own settings."""

from __future__ import annotations

from django.urls import URLPattern, path

from soar.accounts import views

urlpatterns: list[URLPattern] = [
    path("settings/", views.settings_home, name="settings-home"),
    path("settings/profile/", views.profile, name="profile"),
    path("settings/tokens/", views.token_list, name="token-list"),
    path("settings/tokens/new/", views.token_create, name="token-create"),
    path("settings/tokens/<int:pk>/revoke/", views.token_revoke, name="token-revoke"),
]
