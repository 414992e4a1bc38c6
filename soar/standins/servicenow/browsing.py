"""What a browser gets that opens a ticket by ServiceNow's own address: the page of the practice range that shows it."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from soar.standins.base import Response, text_response
from soar.standins.servicenow.store import Store

PAGE = re.compile(r"/?([a-z_0-9]{1,80})\.do")
NOT_FOUND = "<!doctype html><html lang=en><title>Record not found</title><body><h1>Record not found</h1></body></html>"


def opened(store: Store, uri: str) -> Response:
    """The answer to ``/nav_to.do?uri=<table>.do?sys_id=<id>``: a redirection to the portal, or Record not found."""
    parts = urlsplit(uri)
    named, sys_id = PAGE.fullmatch(parts.path), parse_qs(parts.query).get("sys_id", [""])[-1]
    if named is None or sys_id not in store.state["tables"].get(named[1], {}):
        return text_response(NOT_FOUND, 404, "text/html; charset=utf-8")
    return Response(302, headers={"Location": f"{settings.SOAR_URL}/practice/servicenow/{named[1]}/{sys_id}/"})
