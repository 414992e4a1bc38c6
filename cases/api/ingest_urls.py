"""Addresses of the ingest views, outside DRF."""

from django.urls import path

from cases.api.ingest import ingest

urlpatterns = [
    path("api/v1/ingest/<slug:slug>/", ingest, name="ingest"),
    path("api/v1/ingest/<slug:slug>/<str:token>/", ingest, name="ingest-token"),
]
