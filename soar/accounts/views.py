"""A person's own settings: profile, API tokens (ingest-and-api.md 13), and the way to the other settings."""

from __future__ import annotations

from typing import cast

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from soar.accounts import places
from soar.accounts.actions.own import update_profile
from soar.accounts.actions.users import create_token, revoke_token
from soar.accounts.forms import ProfileForm, TokenForm, zone_names
from soar.accounts.membership import may
from soar.accounts.models import ApiToken, User
from soar.lib.crypto import DecryptionError, decrypt, encrypt
from soar.lib.htmx import is_partial
from soar.models import LowDisk
from soar.theme import COOKIE

TOKENS_SHOWN = 200
JUST_MADE = "token_just_made"  # in the session, encrypted, until the page that shows it


@login_required
@require_safe
def settings_home(request: HttpRequest) -> HttpResponse:
    """What this person may set, each with a sentence, and where something is to be looked after."""
    low = may(_me(request), "manage_settings") and LowDisk.objects.exists()
    context = {"groups": places.groups(_me(request)), "low_disks": low}
    return render(request, "accounts/settings.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """The person's own name, theme, time zone and keys."""
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=_me(request).pk))
    if request.method == "POST" and form.is_valid():
        if "email" in form.changed_data:
            raise_if_reauthentication_required(request, app="soar.accounts")  # a link to a new password goes there
        own = {name: form.cleaned_data[name] for name in form.Meta.fields}
        update_profile(_me(request), own, form.cleaned_data["email"])
        messages.success(request, _("Saved"))
        answer = redirect("profile")
        answer.delete_cookie(COOKIE)  # the browser's own choice gives way to the one just made
        return answer
    context = {"form": form, "zones": zone_names(), "groups": _me(request).groups.select_related("team", "role")}
    return render(request, "accounts/profile.html", context, status=422 if form.errors else 200)


@login_required
@require_safe
def token_list(request: HttpRequest) -> HttpResponse:
    """Own tokens, and the form of a new one. A token that was just made is shown this once."""
    kept = request.session.pop(JUST_MADE, "")
    try:
        token = decrypt(kept) if kept else ""
    except DecryptionError:  # the key was changed in between
        token = ""
    return _tokens(request, TokenForm(user=_me(request)), token=token)


@login_required
@require_POST
def token_create(request: HttpRequest) -> HttpResponse:
    """Make a token; the list shows it this once. A page that is loaded anew makes no second one."""
    form = TokenForm(request.POST, user=_me(request))
    if form.is_valid():
        data = form.cleaned_data
        try:
            _row, token = create_token(
                _me(request), data["name"], actor=_me(request), scopes=data["scopes"], expires_at=form.expires_at()
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        else:
            request.session[JUST_MADE] = encrypt(token)
            return redirect("token-list")
    return _tokens(request, form, status=422)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then make one of one's own tokens useless at once. Twice changes nothing."""
    token = ApiToken.objects.filter(pk=pk, user=_me(request)).select_related("user").first()
    if token is None:
        raise Http404
    if request.method != "POST":
        template = "accounts/token_revoke.html"
        return render(request, f"{template}#form" if is_partial(request) else template, {"token": token})
    revoke_token(token, actor=_me(request))
    messages.success(request, _("The token no longer works."))
    return redirect("token-list")


def _tokens(request: HttpRequest, form: TokenForm, *, token: str = "", status: int = 200) -> HttpResponse:
    now = timezone.now()
    rows = [
        {"row": row, "works": row.revoked_at is None and (row.expires_at is None or row.expires_at > now)}
        for row in ApiToken.objects.filter(user=_me(request))[:TOKENS_SHOWN]
    ]
    answer = render(request, "accounts/tokens.html", {"form": form, "tokens": rows, "token": token}, status=status)
    if token:
        answer["Cache-Control"] = "no-store"
    return answer


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)
