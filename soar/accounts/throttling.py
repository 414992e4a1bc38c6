"""How many calls a token may make (contract: 100 a second, settable), counted over all web processes together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from soar.accounts.models import ApiToken
from soar.lib.shared_rate import SharedRateLimiter

if TYPE_CHECKING:  # rest_framework.views imports this module while it is itself being imported
    from rest_framework.views import APIView

_limiter = SharedRateLimiter(lambda: settings.DATA_DIR / "rates" / "tokens", lambda: settings.TOKEN_RATE)


class TokenThrottle(BaseThrottle):
    """Limits each token; people in the browser are not limited here."""

    def __init__(self) -> None:
        self._wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        """False when the token of this request has used up its rate. Leaves what was found on the request."""
        if not isinstance(request.auth, ApiToken):
            return True
        taken = _limiter.take(request.auth.pk)
        request.rate = taken  # type: ignore[attr-defined]
        self._wait = taken.wait
        return taken.wait == 0.0

    def wait(self) -> float | None:
        """Seconds until the next call is allowed, for ``Retry-After``."""
        return self._wait or None
