"""A person's own settings: profile, API tokens (ingest-and-api.md 13), and the way to the other settings."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from soar import nav
from soar.accounts.actions.users import create_token, revoke_token
from soar.accounts.forms import ProfileForm, TokenForm, zone_names
from soar.accounts.models import ApiToken, User
from soar.lib.crypto import DecryptionError, decrypt, encrypt
from soar.lib.htmx import is_partial
from soar.theme import COOKIE

# What may be set: URL name, label, a sentence, sign, permission. Pages that are not there are left out.
PLACES = (
    ("profile", gettext_lazy("Profile"), gettext_lazy("Name, theme, time zone, keys."), "user", ""),
    ("token-list", gettext_lazy("API tokens"), gettext_lazy("For programs that act for you."), "key", ""),
    ("account_change_password", gettext_lazy("Password"), gettext_lazy("Choose a new one."), "lock", ""),
    ("source-list", gettext_lazy("Sources"), gettext_lazy("Where alerts come from."), "sources", "manage_sources"),
    (
        "connector-list",
        gettext_lazy("Connectors"),
        gettext_lazy("Other products that playbooks use."),
        "connectors",
        "manage_connectors",
    ),
    (
        "webhook-list",
        gettext_lazy("Webhooks"),
        gettext_lazy("What happens here, posted to other programs."),
        "link",
        "manage_connectors",
    ),
    (
        "list-index",
        gettext_lazy("Intelligence"),
        gettext_lazy("Lists that rate observables."),
        "shield",
        "manage_settings",
    ),
    (
        "template-list",
        gettext_lazy("Incident templates"),
        gettext_lazy("Checklists, tags and severities that incidents begin with."),
        "task",
        "manage_settings",
    ),
    (
        "script-list",
        gettext_lazy("Scripts"),
        gettext_lazy("What can be run on endpoints."),
        "terminal",
        "view_cases",
    ),
    (
        "never-touch-list",
        gettext_lazy("Never-touch list"),
        gettext_lazy("What nothing destructive may touch without an approval."),
        "lock",
        "view_cases",
    ),
    (
        "model-list",
        gettext_lazy("Detection models"),
        gettext_lazy("By which playbooks choose their alerts, with their severities."),
        "target",
        "view_cases",
    ),
    (
        "admin:index",
        gettext_lazy("Administration"),
        gettext_lazy("Django's own pages, for the rest."),
        "settings",
        "staff",
    ),
)
TOKENS_SHOWN = 200
JUST_MADE = "token_just_made"  # in the session, encrypted, until the page that shows it


@login_required
@require_safe
def settings_home(request: HttpRequest) -> HttpResponse:
    """What this person may set, each with a sentence."""
    user = _me(request)
    places = [
        {"url": url, "label": label, "text": text, "icon": icon}
        for name, label, text, icon, right in PLACES
        if (url := nav.url_or_none(name)) and _may(user, right)
    ]
    return render(request, "accounts/settings.html", {"places": places})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """The person's own name, theme, time zone and keys."""
    form = ProfileForm(request.POST or None, instance=User.objects.get(pk=_me(request).pk))
    if request.method == "POST" and form.is_valid():
        # These columns alone: whoever disables the person at this moment is not to be undone.
        form.instance.save(update_fields=list(form.Meta.fields))
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


def _may(user: User, right: str) -> bool:
    if right == "staff":
        return user.is_staff
    return not right or user.has_perm(f"accounts.{right}")
