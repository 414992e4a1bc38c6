"""Addresses of the pages of connectors and lists."""

from __future__ import annotations

from django.urls import path

from soar.accounts.access.addresses import access_urls
from soar.connectors import views, views_accounts, views_practice, views_routes, views_verbs
from soar.connectors import views_practice_servicenow as tickets
from soar.connectors.blocklist.urls import urlpatterns as blocklist
from soar.connectors.intelligence.feeds.urls import urlpatterns as feeds

urlpatterns = [
    *access_urls("connector", "connectors/<str:ref>/"),
    path("settings/lists/", views.list_index, name="list-index"),
    path("settings/lists/exceptions/add/", views.exception_add, name="exception-add"),
    path("settings/lists/exceptions/<int:pk>/remove/", views.exception_remove, name="exception-remove"),
    path("settings/lists/own/add/", views.ownlist_add, name="ownlist-add"),
    path("settings/lists/own/<int:pk>/remove/", views.ownlist_remove, name="ownlist-remove"),
    path("settings/lists/warning/<int:pk>/switch/", views.list_switch, name="list-switch"),
    path("connectors/", views_accounts.connector_list, name="connector-list"),
    path("connectors/new/", views_accounts.connector_kinds, name="connector-kinds"),
    path("connectors/new/<slug:kind>/", views_accounts.connector_create, name="connector-create"),
    path("connectors/routes/add/", views_routes.route_add, name="route-add"),
    path("connectors/routes/<int:pk>/remove/", views_routes.route_remove, name="route-remove"),
    path("connectors/routes/<int:pk>/raise/", views_routes.route_raise, name="route-raise"),
    path("connectors/<int:pk>/", views_accounts.connector_detail, name="connector-detail"),
    path("connectors/<int:pk>/edit/", views_accounts.connector_edit, name="connector-edit"),
    path("connectors/<int:pk>/remove/", views_verbs.connector_remove, name="connector-remove"),
    path("connectors/<int:pk>/enable/", views_verbs.connector_enable, name="connector-enable"),
    path("connectors/<int:pk>/disable/", views_verbs.connector_disable, name="connector-disable"),
    path("connectors/<int:pk>/test/", views_verbs.connector_test, name="connector-test"),
    path("practice/", views_practice.practice_home, name="practice"),
    path("practice/mail/<int:number>/", views_practice.practice_mail, name="practice-mail"),
    path("practice/servicenow/new/", tickets.practice_ticket_new, name="practice-ticket-new"),
    path("practice/servicenow/instance/<slug:verb>/", tickets.practice_instance, name="practice-instance"),
    path("practice/servicenow/<slug:table>/<slug:sys_id>/", tickets.practice_ticket, name="practice-ticket"),
    path(
        "practice/servicenow/<slug:table>/<slug:sys_id>/<slug:verb>/",
        tickets.practice_ticket_do,
        name="practice-ticket-do",
    ),
    *blocklist,
    *feeds,
]
