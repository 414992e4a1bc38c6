"""Addresses of what other products post to, outside DRF."""

from django.urls import path

from cases.api.ingest import ingest
from cases.api.servicenow_events import events

# Without the last slash too: a redirect would lose the body, or the alert where a sender takes 301 for success.
urlpatterns = [
    path("api/v1/ingest/<slug:slug>/", ingest, name="ingest"),
    path("api/v1/ingest/<slug:slug>/<str:token>/", ingest, name="ingest-token"),
    path("api/v1/ingest/<slug:slug>", ingest),
    path("api/v1/ingest/<slug:slug>/<str:token>", ingest),
    path("api/v1/servicenow/<slug:slug>/events/", events, name="servicenow-events"),
    path("api/v1/servicenow/<slug:slug>/events", events),
]
