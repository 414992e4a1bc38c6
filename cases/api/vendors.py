"""Addresses at which other products take alerts, so that what sends to them needs only a new base URL and token
(ingest-and-api.md 4). The token tells the source; everything else is as on the source's own address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from cases.api import vendor_replies as replies
from cases.api.dialects import Dialect
from cases.api.ingest import deliver
from cases.api.vendor_parts import document_of

THEHIVE = Dialect("TheHive", frozenset({"thehive"}), document_of, replies.hive_answer, replies.hive_refusal)
IRIS = Dialect("DFIR-IRIS", frozenset({"iris"}), answer=replies.iris_answer, refuse=replies.iris_refusal)
IRIS2 = IRIS._replace(answer=replies.iris2_answer)
KEEP = Dialect("Keep", frozenset({"keep"}), answer=replies.keep_answer)
OPENSOAR = Dialect("OpenSOAR", frozenset({"opensoar"}), answer=replies.opensoar_answer)


@csrf_exempt
def thehive(request: HttpRequest) -> HttpResponse:
    """``POST /api/v1/alert`` and, of old, ``/api/alert``: TheHive's alert, JSON or multipart."""
    return deliver(request, THEHIVE)


@csrf_exempt
def iris(request: HttpRequest) -> HttpResponse:
    """``POST /alerts/add``: DFIR-IRIS."""
    return deliver(request, IRIS)


@csrf_exempt
def iris2(request: HttpRequest) -> HttpResponse:
    """``POST /api/v2/alerts``: DFIR-IRIS."""
    return deliver(request, IRIS2)


@csrf_exempt
def keep(request: HttpRequest) -> HttpResponse:
    """``POST /alerts/event``: Keep, one event or a list."""
    return deliver(request, KEEP)


@csrf_exempt
def opensoar(request: HttpRequest) -> HttpResponse:
    """``POST /api/v1/webhooks/alerts``: OpenSOAR."""
    return deliver(request, OPENSOAR)
