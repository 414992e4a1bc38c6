"""Pages of the frame itself: theme, keyboard help, the other places on a phone, the style guide."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required, login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from soar import nav
from soar.lib import parts
from soar.lib.htmx import is_partial
from soar.theme import COOKIE, THEMES

SHORTCUTS = (
    (_("Move in the list"), ("j", "k")),
    (_("Select the row"), ("x",)),
    (_("Open it"), ("Enter",)),
    (_("Assign to me"), ("a",)),
    (_("Resolve"), ("r",)),
    (_("Escalate to an incident"), ("e",)),
    (_("To the filter"), ("/",)),
    (_("Clear the selection, close the panel"), ("Esc",)),
    (_("To the alerts"), ("g", "a")),
    (_("To the incidents"), ("g", "i")),
    (_("These keys"), ("?",)),
)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Choose light, dark or auto: for the person when signed in, and for this browser by a cookie."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        return HttpResponseBadRequest("theme is auto, light or dark")
    if request.user.is_authenticated:
        request.user.theme = chosen
        request.user.save(update_fields=["theme"])
    response = HttpResponse(status=204) if is_partial(request) else redirect(_back(request))
    response.set_cookie(
        COOKIE, chosen, max_age=365 * 86400, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True
    )
    return response


def _back(request: HttpRequest) -> str:
    """The page the form was on, when it is one of ours."""
    url = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(url, {request.get_host()}, request.is_secure())
    return url if ours else "/"


@login_required
@require_safe
def shortcuts(request: HttpRequest) -> HttpResponse:
    """The keys: a page, or for htmx the inside of a dialog."""
    name = "shortcuts.html#keys" if is_partial(request) else "shortcuts.html"
    return render(request, name, {"shortcuts": SHORTCUTS})


@login_required
@require_safe
def more(request: HttpRequest) -> HttpResponse:
    """All places, for a phone where the sidebar is a bar of a few."""
    return render(request, "more.html", {"groups": list(nav.places(request.user, request.path)), "themes": _themes()})


def _themes() -> list[tuple[str, object]]:
    return [("auto", _("By the system")), ("light", _("Light")), ("dark", _("Dark"))]


class ExampleForm(forms.Form):
    """Shows what fields look like; it is never saved."""

    title = forms.CharField(label=_("Title"), help_text=_("A hint says what is asked"), initial=_("Typed text"))
    recipients = forms.EmailField(label=_("Recipients"))
    channel = forms.ChoiceField(label=_("Choice"), choices=[("mail", _("E-mail")), ("chat", _("Chat"))])
    words = forms.CharField(label=_("Words"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    kinds = forms.MultipleChoiceField(
        label=_("Several"),
        choices=[("a", _("Ticked")), ("b", _("Not ticked"))],
        widget=forms.CheckboxSelectMultiple,
        initial=["a"],
    )
    one = forms.ChoiceField(
        label=_("One"), choices=[("a", _("This")), ("b", _("That"))], widget=forms.RadioSelect, initial="a"
    )
    sure = forms.BooleanField(label=_("I have read it"), required=False)


@login_required
@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Each part once, with the call that makes it."""
    now = timezone.now()
    form = ExampleForm({"title": "Typed text", "recipients": "", "channel": "mail", "kinds": ["a"], "one": "a"})
    people = [SimpleNamespace(pk=pk, display_name=lambda name=name: name) for pk, name in enumerate(PEOPLE)]
    context = {
        "form": form,
        "people": people,
        "times": [now - timedelta(**{unit: 3}) for unit in ("seconds", "minutes", "hours", "days")],
        "states": STATES,
        "severities": ["critical", "high", "medium", "low", "informational"],
        "tones": ["red", "orange", "amber", "blue", "green", "violet", "grey"],
        "determinations": list(parts.DETERMINATION_ICONS),
        "risks": list(parts.RISK_ICONS),
        "tlps": list(parts.TLP_TONES),
        "observables": OBSERVABLES,
        "icons": ICONS,
        "note": "Comment with @priya.raman, `code` and [a link](https://example.org/).",
    }
    return render(request, "styleguide.html", context)


PEOPLE = ("Kei Tanaka", "Mara Lindqvist", "Jonas Adeyemi", "Priya Raman", "Tomás Ibarra")
STATES = (
    (_("alert"), ["new", "in_progress", "resolved"]),
    (_("incident"), ["open", "in_progress", "contained", "resolved", "closed"]),
    (
        _("run"),
        ["queued", "in_progress", "pending_approval", "needs_decision", "successful", "partially_successful",
         "unsuccessful", "cancelled"],
    ),
)  # fmt: skip
OBSERVABLES = (
    "https://billing.example/inv?id=7",
    "203.0.113.77",
    "a.voss@mail.example",
    "9f2c41d8c3aa01e4f7b6a4d05b9e6c21d87e0b9f2c41d8c3aa01e4f7b6d87e0b",
)
ICONS = (
    "alerts incidents playbooks runs observables sources connectors settings search plus x check down right left up "
    "arrow-up dots filter host laptop server user users clock mail link external warn error info note edit paper pin "
    "tag flag bolt target cond notify shield lock key eye download refresh play stop pause file hash world ip domain "
    "history keyboard sun moon merge branch task bookmark copy menu logout terminal flask undo sort move people mark"
).split()
