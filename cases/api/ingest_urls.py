"""Addresses of what other products post to, outside DRF."""

from django.urls import path

from cases.api import vendors
from cases.api.ingest import ingest
from cases.api.servicenow_events import events

# Without the last slash too: a redirect would lose the body, or the alert where a sender takes 301 for success.
urlpatterns = [
    # Addresses of other products (settings.FAST_ADDRESSES). People's pages and our own API stand beside them, under
    # /alerts/<number>/ and /api/v1/alerts/.
    path("api/v1/alert", vendors.thehive, name="thehive"),
    path("api/v1/alert/", vendors.thehive),
    path("api/alert", vendors.thehive),
    path("api/alert/", vendors.thehive),
    path("alerts/add", vendors.iris, name="iris"),
    path("alerts/add/", vendors.iris),
    path("api/v2/alerts", vendors.iris2, name="iris2"),
    path("api/v2/alerts/", vendors.iris2),
    path("alerts/event", vendors.keep, name="keep"),
    path("alerts/event/", vendors.keep),
    path("api/v1/webhooks/alerts", vendors.opensoar, name="opensoar"),
    path("api/v1/webhooks/alerts/", vendors.opensoar),
    path("api/v1/ingest/<slug:slug>/", ingest, name="ingest"),
    path("api/v1/ingest/<slug:slug>/<str:token>/", ingest, name="ingest-token"),
    path("api/v1/ingest/<slug:slug>", ingest),
    path("api/v1/ingest/<slug:slug>/<str:token>", ingest),
    path("api/v1/servicenow/<slug:slug>/events/", events, name="servicenow-events"),
    path("api/v1/servicenow/<slug:slug>/events", events),
]
