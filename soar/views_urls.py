"""Addresses of the frame itself: signing in, theme, keyboard help, all places, the style guide."""

from __future__ import annotations

from allauth.account import urls as account
from django.urls import URLPattern, URLResolver, include, path

from soar import styleguide, views

# Pages of django-allauth that are here. The others (signing up, resetting a password, e-mail addresses) are for sites
# that send mail to strangers; their names stay, because allauth asks for them.
ACCOUNT_PAGES = ("account_login", "account_logout", "account_change_password", "account_reauthenticate")
account_patterns = [
    page if page.name in ACCOUNT_PAGES else URLPattern(page.pattern, views.nothing, name=page.name)
    for page in account.urlpatterns
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("accounts/", include(account_patterns)),
    path("theme/", views.theme, name="theme"),
    path("nav/counts/", views.nav_counts, name="nav-counts"),
    path("more/", views.more, name="more"),
    path("shortcuts/", views.shortcuts, name="shortcuts"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
]
