"""The roof: every room's addresses, and what joins rooms (rulings 23)."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from soar.health import healthz, readyz
from soar.metrics import metrics

Patterns = list[URLPattern | URLResolver]


def _rooms() -> Patterns:
    rooms = (
        "cases.api.ingest_urls",
        "soar.views_urls",
        "soar.accounts.urls",
        "soar.accounts.urls_people",
        "soar.accounts.urls_audit",
        "soar.connectors.urls",
        "cases.urls",
        "cases.api.urls",
        "playbooks.urls",
        "playbooks.api.urls",
    )
    return [path("", include(name)) for name in rooms if find_spec(name.rpartition(".")[0]) and find_spec(name)]


urlpatterns: Patterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("admin/", admin.site.urls),
    *_rooms(),
]

handler400 = "soar.errors.bad_request"
handler403 = "soar.errors.forbidden"
handler404 = "soar.errors.not_found"
handler500 = "soar.errors.server_error"
