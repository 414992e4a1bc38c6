"""Addresses of the ingest views, outside DRF."""

from django.urls import path

from cases.api.ingest import ingest

# Without the last slash too: a redirect would lose the body, or the alert where a sender takes 301 for success.
urlpatterns = [
    path("api/v1/ingest/<slug:slug>/", ingest, name="ingest"),
    path("api/v1/ingest/<slug:slug>/<str:token>/", ingest, name="ingest-token"),
    path("api/v1/ingest/<slug:slug>", ingest),
    path("api/v1/ingest/<slug:slug>/<str:token>", ingest),
]
