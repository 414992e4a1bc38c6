"""How many calls a token may make (contract: 100 a second, settable)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from soar.accounts.models import ApiToken
from soar.lib.rate import RateLimiter

if TYPE_CHECKING:  # rest_framework.views imports this module while it is itself being imported
    from rest_framework.views import APIView

_limiter = RateLimiter(lambda: settings.TOKEN_RATE / settings.WEB_WORKERS)


class TokenThrottle(BaseThrottle):
    """Limits each token; people in the browser are not limited here."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """False when the token of this request has used up its rate."""
        if not isinstance(request.auth, ApiToken):
            return True
        self._wait = _limiter.take(request.auth.pk)
        return self._wait == 0.0

    def wait(self) -> float | None:
        """Seconds until the next call is allowed, for ``Retry-After``."""
        return self._wait or None
