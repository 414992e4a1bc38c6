"""The entry point of a web server. Everything slow is loaded here, before the first request."""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from soar.lib.chunked import whole_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "soar.settings")
application = whole_bodies(get_wsgi_application(), settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
get_resolver().url_patterns  # noqa: B018  imports all views now, not for the first caller
