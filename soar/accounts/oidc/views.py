"""The way to the provider and back."""

from __future__ import annotations

from allauth.account.internal.flows.reauthentication import resume_request
from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from soar.accounts.fresh import is_fresh
from soar.accounts.oidc.provider import Provider, ProviderAdapter

NAME = "oidc"


@login_not_required
@never_cache
@require_safe
def login(request: HttpRequest) -> HttpResponseBase:
    """Go to the provider to sign in; afterwards to ``next``, if that is here."""
    return _go(request, AuthProcess.LOGIN, get_next_redirect_url(request))


@login_required
@never_cache
@require_safe
def confirm(request: HttpRequest) -> HttpResponseBase:
    """Go to the provider to show once more that it is the same person, and back to what waits for it."""
    back = get_next_redirect_url(request) or "/"
    if request.GET.get("done") and is_fresh(request):
        return resume_request(request) or redirect(back)
    after = f"{reverse('oidc_confirm')}?{urlencode({'done': 1, 'next': back})}"
    return _go(request, AuthProcess.REDIRECT, after, {"prompt": "login", "max_age": "0"})


@login_not_required
@never_cache
@require_safe
def callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Where the provider sends people back to."""
    if provider_id != NAME:
        raise Http404
    provider = _provider(request)
    try:
        answer: HttpResponseBase = OAuth2CallbackView.adapter_view(ProviderAdapter(request, NAME))(request)
    except OAuth2Error as error:
        answer = render_authentication_error(request, provider, exception=error)
    return answer


def _go(
    request: HttpRequest, process: str, after: str | None, params: dict[str, str] | None = None
) -> HttpResponseBase:
    provider = _provider(request)
    try:
        answer: HttpResponseBase = provider.redirect(request, process, next_url=after, auth_params=dict(params or {}))
    except OAuth2Error as error:
        answer = render_authentication_error(request, provider, exception=error)
    return answer


def _provider(request: HttpRequest) -> Provider:
    if not settings.OIDC_ISSUER:
        raise Http404
    provider: Provider = get_adapter().get_provider(request, NAME)
    return provider
