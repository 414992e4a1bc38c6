"""The page of who sees one thing and why, on which grants are made, the same for every kind (access.md 5)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from soar.accounts.access import actions, forms
from soar.accounts.access.kinds import Grantable, kind_named, managed, read_by, seen
from soar.accounts.access.reading import Readers
from soar.accounts.access.showing import Context, base_context, page_context, url_of
from soar.accounts.models import User
from soar.accounts.pages import person_of
from soar.lib.errors import CaseError, Missing
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.htmx import redirect as move_to

TEMPLATE = "accounts/access/page.html"
ASKING = "accounts/access/closing.html"


@login_required
@require_safe
def access(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Who sees it. ``q`` finds people among them, ``page`` goes on, ``ask`` says of one person whether and why."""
    what = kind_named(kind)
    context = page_context(request, what, read_by(what, person_of(request), ref))
    if is_partial(request):
        said = ngettext("%(n)s person", "%(n)s people", context["total"]) % {"n": context["total"]}
        return render_regions(request, TEMPLATE, ["access"], context, extra=[live(said)])
    return render(request, TEMPLATE, context)


@login_required
@require_POST
def grant(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Give a level to a person or group."""
    what = kind_named(kind)
    obj = managed(what, person_of(request), ref)
    levels = what.given_by(person_of(request), obj)
    form = forms.GrantForm(request.POST, kind=what, url=url_of(what, obj, "search"), levels=levels)
    if form.is_valid():
        data = form.cleaned_data
        try:
            made, _new = actions.grant(
                person_of(request),
                what,
                ref,
                data["who"],
                data["level"],
                expires_at=form.expires_at(),
                reason=data["reason"],
            )
        except Missing:
            raise
        except CaseError as error:
            field = {"user": "who"}.get(error.field or "", error.field)
            form.add_error(field if field in form.fields else None, error.message)
        else:
            return _done(request, what, ref, _("%(name)s: %(level)s") % {"name": made.name, "level": made.level})
    return _again(request, what, obj, {"form": form})


@login_required
@require_POST
def change(request: HttpRequest, kind: str, ref: str, grant: str) -> HttpResponse:
    """Another level or end for a grant."""
    what = kind_named(kind)
    days = request.POST.get("days", "keep")
    return _tried(
        request,
        what,
        ref,
        lambda: (
            actions.change(
                person_of(request),
                what,
                ref,
                grant,
                level=request.POST.get("level", ""),
                expires_at=forms.end_given(days),
            )
            and _("Saved")
        ),
    )


@login_required
@require_POST
def revoke(request: HttpRequest, kind: str, ref: str, grant: str) -> HttpResponse:
    """Take a grant away."""
    what = kind_named(kind)
    return _tried(
        request,
        what,
        ref,
        lambda: actions.revoke(person_of(request), what, ref, grant) or _("The grant was taken away."),
    )


@login_required
@require_POST
def copy(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Copy grants from another thing of the kind."""
    what = kind_named(kind)

    def act() -> str:
        made = actions.copy(person_of(request), what, ref, request.POST.get("source", "")[:100])
        return ngettext("%(n)s grant copied", "%(n)s grants copied", len(made)) % {"n": len(made)}

    return _tried(request, what, ref, act, place="copy")


@login_required
@require_safe
def search(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """People and groups whose name holds the text, as options of the form's list; for those who may grant."""
    what = kind_named(kind)
    managed(what, person_of(request), ref)
    return render(request, f"{TEMPLATE}#holders", {"offered": forms.offered(request.GET.get("who", ""))})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def close(request: HttpRequest, kind: str, ref: str) -> HttpResponse:
    """Ask, with the number of people who lose or gain sight, then let roles and teams give nothing, or again."""
    what = kind_named(kind)
    obj = managed(what, person_of(request), ref)
    if not what.closable:
        raise Missing(_("Nothing of this kind is restricted."))
    closed = what.is_closed(obj)
    problem = ""
    if request.method == "POST":
        try:
            what.set_closed(person_of(request), obj, not closed, request.POST.get("reason", ""))
        except CaseError as error:
            problem = error.message
        else:
            said = _("No longer restricted") if closed else _("Restricted")
            messages.success(request, f"{what.title(obj)}: {said}")
            return move_to(request, url_of(what, obj))
    readers = Readers(what, obj)
    held, lost = readers.held_back(keep=[] if closed else [person_of(request).pk, *what.kept(obj)])
    context = {**base_context(request, what, obj), "held": held, "lost": lost, "problem": problem}
    context |= {"reason": request.POST.get("reason", ""), "close_url": url_of(what, obj, "close")}
    status = 422 if problem else 200
    template = f"{ASKING}#asking" if is_partial(request) else ASKING
    return render(request, template, context, status=status)


def _tried(request: HttpRequest, kind: Grantable, ref: str, act: Any, *, place: str = "list") -> HttpResponse:
    managed(kind, person_of(request), ref)  # whoever may not is not told what is wrong with what they typed
    try:
        said = act()
    except Missing:
        raise
    except CaseError as error:
        obj = seen(kind, person_of(request), ref)
        return _again(request, kind, obj, {"problem": {"place": place, "text": error.message}}, said=error.message)
    return _done(request, kind, ref, said)


def _done(request: HttpRequest, kind: Grantable, ref: str, said: str) -> HttpResponse:
    """The list anew. Who took the grant away by which they saw it is led to the list of the kind."""
    try:
        obj = seen(kind, _fresh(request), ref)
    except Missing:
        messages.success(request, said)
        return move_to(request, reverse(f"{kind.name}-list"))
    if is_partial(request):
        return render_regions(request, TEMPLATE, ["access"], page_context(request, kind, obj), extra=[live(said)])
    messages.success(request, said)
    return redirect(url_of(kind, obj))


def _again(request: HttpRequest, kind: Grantable, obj: Any, told: Context, *, said: str = "") -> HttpResponse:
    context = page_context(request, kind, obj, told)
    if is_partial(request):
        extra = [live(said)] if said else []
        return render_regions(request, TEMPLATE, ["access"], context, extra=extra, status=422)
    return render(request, TEMPLATE, context, status=422)


def _fresh(request: HttpRequest) -> User:
    """The person with nothing of what was read of their grants before this request changed them."""
    user = person_of(request)
    for name in ("_grants", "_incidents_sql"):
        if hasattr(user, name):
            delattr(user, name)
    return user
