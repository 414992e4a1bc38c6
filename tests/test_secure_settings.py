"""What answers look like when the portal is reached over https: cookies, headers, no debugging."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parent.parent
ASK = """
import django, json; django.setup()
from django.test import Client
from django.conf import settings
settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # none collected
page = Client().get("/accounts/login/", secure=True, HTTP_HOST="soar.example.com")
trace = Client().generic("TRACE", "/accounts/login/", secure=True, HTTP_HOST="soar.example.com")
elsewhere = {"secure": True, "HTTP_HOST": "soar.example.com", "HTTP_ORIGIN": "https://evil.example",
    "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST"}
asked = [dict(Client().generic(method, path, **elsewhere).headers)
    for method in ("GET", "OPTIONS") for path in ("/accounts/login/", "/api/v1/me/", "/api/v1/ingest/edr/")]
names = {one: getattr(settings, one) for one in dir(settings) if one.startswith("SESSION_COOKIE")}
print(json.dumps({"headers": dict(page.headers), "cookies": page.cookies.output(header=""), "status": page.status_code,
    "trace": trace.status_code, "session": names, "asked_from_elsewhere": asked, "debug": settings.DEBUG}))
"""


@pytest.fixture(scope="module")
def answer(django_db_setup: None) -> dict[str, Any]:
    """The sign-in page as a browser gets it through a proxy that ends TLS."""
    given = connection.get_connection_params()
    address = " ".join(
        f"{key}='{given[key]}'" for key in ("host", "port", "user", "password", "dbname") if given.get(key)
    )
    env = {**os.environ, "SOAR_URL": "https://soar.example.com", "SOAR_ALLOWED_HOSTS": "soar.example.com"}
    env |= {"DJANGO_SETTINGS_MODULE": "soar.settings", "PYTHONPATH": str(ROOT), "DATABASE_URL": address}
    done = subprocess.run([sys.executable, "-c", ASK], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_page_opens_and_nothing_is_debugged(answer: dict[str, Any]) -> None:
    assert (answer["status"], answer["debug"]) == (200, False)


def test_cookies_are_for_this_host_over_tls_alone(answer: dict[str, Any]) -> None:
    session, cookies = answer["session"], SimpleCookie(answer["cookies"])
    assert session["SESSION_COOKIE_NAME"] == "__Host-soar-session" and session["SESSION_COOKIE_SECURE"]
    assert session["SESSION_COOKIE_HTTPONLY"] and session["SESSION_COOKIE_SAMESITE"] == "Lax"
    assert not session["SESSION_COOKIE_DOMAIN"] and session["SESSION_COOKIE_PATH"] == "/"
    csrf = cookies["__Host-soar-csrf"]
    assert csrf["secure"] and csrf["samesite"] == "Lax" and csrf["path"] == "/" and not csrf["domain"]


def test_headers_confine_the_page(answer: dict[str, Any]) -> None:
    headers = {name.lower(): value for name, value in answer["headers"].items()}
    policy = headers["content-security-policy"]
    for part in ("default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=31536000")
    assert headers["content-type"] == "text/html; charset=utf-8"


def test_no_other_origin_may_read(answer: dict[str, Any]) -> None:
    assert answer["asked_from_elsewhere"] and not [
        name
        for headers in answer["asked_from_elsewhere"]
        for name in headers
        if name.lower().startswith("access-control")
    ]


def test_trace_is_not_answered(answer: dict[str, Any]) -> None:
    assert answer["trace"] == 405
