"""Addresses of the pages of access, mounted by each kind below those of its things."""

from __future__ import annotations

from django.urls import URLPattern, path

from soar.accounts.access import views


def access_urls(kind: str, place: str) -> list[URLPattern]:
    """``place`` leads to one thing and takes ``ref``: ``incidents/<str:ref>/``."""
    given = {"kind": kind}
    return [
        path(f"{place}access/", views.access, given, name=f"{kind}-access"),
        path(f"{place}access/grant/", views.grant, given, name=f"{kind}-access-grant"),
        path(f"{place}access/copy/", views.copy, given, name=f"{kind}-access-copy"),
        path(f"{place}access/search/", views.search, given, name=f"{kind}-access-search"),
        path(f"{place}access/close/", views.close, given, name=f"{kind}-access-close"),
        path(f"{place}access/<str:grant>/change/", views.change, given, name=f"{kind}-access-change"),
        path(f"{place}access/<str:grant>/revoke/", views.revoke, given, name=f"{kind}-access-revoke"),
    ]
