"""Addresses of the frame itself: signing in, theme, keyboard help, all places, the style guide."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from soar import styleguide, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include("soar.accounts.sign_in_urls")),
    path("theme/", views.theme, name="theme"),
    path("nav/counts/", views.nav_counts, name="nav-counts"),
    path("more/", views.more, name="more"),
    path("shortcuts/", views.shortcuts, name="shortcuts"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
