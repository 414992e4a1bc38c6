"""The block list's page. Reading needs view_cases, changing respond, the feeds' tokens manage_connectors."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from soar.accounts.models import User
from soar.connectors.blocklist import actions, tokens
from soar.connectors.blocklist.feeds import sparing
from soar.connectors.blocklist.forms import BlockForm, TokenForm, block_form, token_form
from soar.connectors.blocklist.search import STATES, found, state_of, told
from soar.connectors.blocklist.values import BLOCKABLE
from soar.connectors.errors import Refused
from soar.connectors.models import FeedToken

SHOWN = 200
MANAGE = "accounts.manage_connectors"


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """The page. ``?q=`` part of a value, or an address that a blocked network holds; ``?type=``, ``?state=``."""
    _needs(request, "accounts.view_cases")
    return _page(request)


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Block a value."""
    user = _needs(request, "accounts.respond")
    form = block_form(request.POST)
    if form.is_valid():
        given = dict(form.cleaned_data)
        try:
            row, new = actions.add(user.display_name(), user, given.pop("type"), given.pop("value"), **given)
        except Refused as error:
            form.refuse(error)
        else:
            messages.success(request, _("Blocked.") if new else _("It was on the block list already."))
            return redirect(f"{request.path.removesuffix('add/')}#entry-{row.pk}")
    return _page(request, status=400, block=form)


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an entry off; one that is gone already is no error."""
    user = _needs(request, "accounts.respond")
    try:
        row = actions.remove_entry(user.display_name(), user, pk, reason=request.POST.get("reason", ""))
    except Refused as error:
        messages.error(request, str(error))
    else:
        if row:
            messages.success(request, _("Removed from the block list."))
    return redirect("blocklist")


@require_POST
def token_make(request: HttpRequest) -> HttpResponse:
    """Make a token for a feed; the page that answers shows it, once."""
    user = _needs(request, MANAGE)
    form = token_form(request.POST)
    if form.is_valid():
        try:
            row, token = tokens.make(user, form.cleaned_data["type"], form.cleaned_data["name"])
        except Refused as error:
            form.refuse(error)
        else:
            url = request.build_absolute_uri(f"/feeds/blocklist/{row.type}.txt?token={token}")
            answer = _page(request, made={"token": token, "url": url, "row": row})
            answer["Cache-Control"] = "no-store"
            return answer
    return _page(request, status=400, token=form)


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token at once."""
    user = _needs(request, MANAGE)
    if tokens.revoke(user, pk) is None:
        raise Http404
    messages.success(request, _("The token no longer works."))
    return redirect("blocklist")


def _needs(request: HttpRequest, permission: str) -> User:
    user = cast(User, request.user)
    if not user.is_active or not user.has_perm(permission):
        raise PermissionDenied(permission)
    return user


def _page(
    request: HttpRequest,
    status: int = 200,
    block: BlockForm | None = None,
    token: TokenForm | None = None,
    made: dict[str, Any] | None = None,
) -> HttpResponse:
    wanted = {name: request.GET.get(name, "").replace("\x00", "").strip()[:2048] for name in ("q", "type", "state")}
    wanted["state"] = wanted["state"] if wanted["state"] in STATES else "active"
    user = cast(User, request.user)
    rows, spared = found(user, **wanted), sparing()
    shown = [
        {"row": row, "state": state_of(row), "spared": spared(row.type, row.value)} for row in told(user, rows[:SHOWN])
    ]
    manages = user.has_perm(MANAGE)
    context = {
        **wanted,
        "rows": shown,
        "count": rows.count(),
        "shown": SHOWN,
        "types": BLOCKABLE,
        "states": STATES.items(),
        "may_change": user.has_perm("accounts.respond"),
        "manages": manages,
        "block_form": block or block_form(initial={"type": wanted["type"]}),
        "token_form": token or token_form(),
        "made": made,
        "tokens": FeedToken.objects.order_by("revoked_at", "type", "pk") if manages else (),
        "feeds": [(name, request.build_absolute_uri(f"/feeds/blocklist/{name}.txt")) for name in BLOCKABLE],
    }
    return render(request, "connectors/blocklist.html", context, status=status)
