"""Addresses of outgoing webhooks."""

from __future__ import annotations

from django.urls import URLPattern, path

from cases.views import webhooks

urlpatterns: list[URLPattern] = [
    path("webhooks/", webhooks.webhook_list, name="webhook-list"),
    path("webhooks/new/", webhooks.webhook_new, name="webhook-new"),
    path("webhooks/<int:pk>/", webhooks.webhook_detail, name="webhook-detail"),
    path("webhooks/<int:pk>/edit/", webhooks.webhook_edit, name="webhook-edit"),
    path("webhooks/<int:pk>/rotate/", webhooks.webhook_rotate, name="webhook-rotate"),
    path("webhooks/<int:pk>/test/", webhooks.webhook_test, name="webhook-test"),
    path("webhooks/<int:pk>/delete/", webhooks.webhook_delete, name="webhook-delete"),
    path("webhooks/<int:pk>/replay/", webhooks.webhook_replay, name="webhook-replay"),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/", webhooks.delivery_detail, name="webhook-delivery"),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/replay/", webhooks.delivery_replay, name="delivery-replay"),
]
