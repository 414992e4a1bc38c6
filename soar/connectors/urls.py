"""Addresses of the lists page."""

from __future__ import annotations

from django.urls import path

from soar.connectors import views
from soar.connectors.blocklist.urls import urlpatterns as blocklist

urlpatterns = [
    path("settings/lists/", views.list_index, name="list-index"),
    path("settings/lists/exceptions/add/", views.exception_add, name="exception-add"),
    path("settings/lists/exceptions/<int:pk>/remove/", views.exception_remove, name="exception-remove"),
    path("settings/lists/own/add/", views.ownlist_add, name="ownlist-add"),
    path("settings/lists/own/<int:pk>/remove/", views.ownlist_remove, name="ownlist-remove"),
    path("settings/lists/warning/<int:pk>/switch/", views.list_switch, name="list-switch"),
    *blocklist,
]
