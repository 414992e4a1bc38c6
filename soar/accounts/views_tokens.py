"""Everybody's API tokens, and those of programs, for those who manage people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from soar.accounts import people as listed
from soar.accounts.actions import tokens as actions
from soar.accounts.authority import RIGHTS, rights_of
from soar.accounts.forms import TokenForm
from soar.accounts.models import ApiToken, User
from soar.accounts.pages import asked, keep_secret, needs, person_of, tried
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import BadCursor, keyset_page

LIST, REVOKE = "accounts/people/tokens.html", "accounts/people/token_revoke.html"
JUST_MADE = "program_just_made"
manages = needs("manage_people")
reads = needs("manage_people", read_by="view_setup")


class NewTokenForm(TokenForm):
    """A new token of a program."""

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, user=user, **more)
        scopes = self.fields["scopes"]
        scopes.help_text = gettext_lazy("Nothing ticked: all that the program may.")
        mine = rights_of(user)
        scopes.choices = [(name, _(text)) for name, text in RIGHTS.items() if name in mine]  # type: ignore[attr-defined]


def token_rows(rows: Iterable[ApiToken]) -> list[dict[str, Any]]:
    """Tokens with whether they work."""
    return [{"row": row, "works": listed.works(row)} for row in rows]


@reads
@require_safe
def all_tokens(request: HttpRequest) -> HttpResponse:
    """Everybody's tokens: whose, what they may, when they end, when they were last used."""
    text, only = asked(request), asked(request, "only")
    rows = listed.tokens(text, only)
    try:
        page = keyset_page(rows, listed.NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(rows, listed.NEWEST)
    keep = f"q={text}&only={only}&"
    context = {
        "q": text,
        "only": only,
        "tokens": token_rows(page.rows),
        "newer_url": f"?{keep}cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}cursor={page.next}" if page.next else "",
    }
    return render_regions(request, LIST, ["rows"], context) if is_partial(request) else render(request, LIST, context)


@manages
@require_POST
def service_token(request: HttpRequest, pk: int) -> HttpResponse:
    """A token for a program, shown once on its page."""
    user = User.objects.filter(pk=pk, is_service=True).first()
    if user is None:
        raise Http404
    form = NewTokenForm(request.POST, user=user)
    if not form.is_valid():
        messages.error(request, " ".join(" ".join(map(str, errors)) for errors in form.errors.values()))
        return redirect("person", pk)
    data = form.cleaned_data
    made = tried(
        request,
        lambda: actions.create_for(
            person_of(request), pk, data["name"], scopes=data["scopes"], expires_at=form.expires_at()
        ),
    )
    if made is not None:
        keep_secret(request, JUST_MADE, pk, made[1])
    return redirect("person", pk)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def any_token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask first; then make anybody's token useless at once."""
    token = ApiToken.objects.select_related("user").filter(pk=pk).first()
    if token is None:
        raise Http404
    if request.method != "POST":
        context = {"token": token}
        return (
            render_regions(request, REVOKE, ["form"], context)
            if is_partial(request)
            else render(request, REVOKE, context)
        )
    if tried(request, lambda: actions.revoke(person_of(request), pk)):
        messages.success(request, _("The token no longer works."))
    return redirect("person", token.user_id)
