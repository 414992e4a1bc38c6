"""The address of the search over everything."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import search

urlpatterns: list[URLPattern] = [path("search/", search.search_page, name="search")]
