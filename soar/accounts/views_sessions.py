"""Where one is signed in, and ending it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from soar.accounts.actions import sessions as actions
from soar.accounts.agents import browser_of
from soar.accounts.models import User
from soar.accounts.sessions import living, note_now


@login_required
@require_safe
def session_list(request: HttpRequest) -> HttpResponse:
    """The person's sessions, this one first."""
    user = _me(request)
    note_now(request, user)
    here = request.session.session_key
    rows = [{"row": row, "browser": browser_of(row.agent), "here": row.key == here} for row in living(user)]
    rows.sort(key=lambda one: not one["here"])
    return render(request, "accounts/sessions.html", {"sessions": rows})


@login_required
@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of one's own. The one of this browser is ended by logging out."""
    if not actions.end_session(_me(request), pk):
        raise Http404
    messages.success(request, _("The session has ended."))
    return redirect("session-list")


@login_required
@require_POST
def session_end_others(request: HttpRequest) -> HttpResponse:
    """End all but this one."""
    number = actions.end_other_sessions(request, _me(request))
    messages.success(request, ngettext("%d other session has ended.", "%d other sessions have ended.", number) % number)
    return redirect("session-list")


def _me(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return User.objects.get(pk=request.user.pk)
