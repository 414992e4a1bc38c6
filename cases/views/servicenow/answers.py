"""Answers of the verbs of the sync: htmx hears that the page is to look again, a plain form is led back.

What a verb changes stands in several places (a row, counts, the navigation), and each page renews its own by its
poll, which the event ``changed`` brings on at once. So an answer holds only one sentence for the reader."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Refused
from cases.views.parts import person_of, signed_in_reader
from soar.lib.htmx import is_partial, live, render_regions, toast, trigger

ASK = "servicenow/ask.html"
Verb = Callable[..., str]
Asked = Callable[..., dict[str, Any]]


def verb(do: Verb) -> Callable[..., HttpResponse]:
    """Make a view of a verb that needs no form: it gets the actor and the parts of the address and returns what was
    done, as a sentence."""

    @signed_in_reader
    @require_POST
    @wraps(do)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            said = do(request, Actor.of(person_of(request)), *args, **kwargs)
        except (Conflict, Refused) as error:
            return refused(request, error)
        return done(request, said)

    return view


def asked(ask: Asked) -> Callable[[Verb], Callable[..., HttpResponse]]:
    """Make a view of a verb that asks first: GET shows its form, in the dialog or as a page; POST does it, and a
    refusal brings the form back with the reason and what was typed. ``ask`` makes the form's context."""

    def decorate(do: Verb) -> Callable[..., HttpResponse]:
        @signed_in_reader
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(do)
        def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            user = person_of(request)
            if request.method != "POST":
                return _form(request, ask(request, user, *args, **kwargs))
            try:
                said = do(request, Actor.of(user), *args, **kwargs)
            except (Conflict, Refused) as error:
                problem = {"problem": error.message, "problem_field": error.field or ""}
                try:
                    context = ask(request, user, *args, **kwargs)
                except CaseError:  # what it asks about is gone meanwhile
                    return refused(request, error)
                for one in context["fields"]:
                    one["value"] = request.POST.get(one["name"], "")
                return _form(request, {**context, **problem}, status=422)
            return done(request, said)

        return view

    return decorate


def done(request: HttpRequest, said: str) -> HttpResponse:
    """It was done."""
    if not is_partial(request):
        messages.success(request, said)
        return redirect(back(request))
    return _told(live(said))


def refused(request: HttpRequest, error: CaseError) -> HttpResponse:
    """Nothing was done, mostly because somebody else was quicker: say why, and show how it is now."""
    if not is_partial(request):
        messages.error(request, error.message)
        return redirect(back(request))
    return _told(toast(error.message, "amber") + live(error.message))


def _told(words: str) -> HttpResponse:
    answer = HttpResponse(words, headers={"Vary": "HX-Request"})
    # Not into the dialog that may have asked: it would open again.
    answer["HX-Retarget"], answer["HX-Reswap"] = "#live", "none"
    return trigger(answer, "changed", "dialog-close")


def back(request: HttpRequest) -> str:
    """The page that asked, if it is one of ours; else the page of the sync."""
    for url in (request.POST.get("next", ""), request.GET.get("next", ""), request.headers.get("Referer", "")):
        own = url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure())
        address = url.startswith(("/", "http"))  # what is none may be the name of a page, or of nothing
        if address and own and not url.rstrip("/").endswith(request.path.rstrip("/")):
            return url
    return reverse("servicenow")


def _form(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    context = {**context, "next": back(request)}
    if not is_partial(request):
        return render(request, ASK, context, status=status)
    answer = render_regions(request, ASK, ["form"], {**context, "dialog": True}, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer
