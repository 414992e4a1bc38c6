"""/styleguide/: each part of the look once, with the call that makes it. Linked from the docs only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django import forms
from django.contrib.auth.decorators import login_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from soar.lib import parts


@dataclass(frozen=True)
class Example:
    """Somebody to draw a face of."""

    pk: int
    name: str

    def display_name(self) -> str:
        """The name."""
        return self.name


def _icons() -> list[str]:
    """Names of all signs of the sprite."""
    found = finders.find("icons.svg")
    return re.findall(r'<symbol id="([^"]+)"', Path(found).read_text(encoding="utf-8")) if found else []


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
    form = ExampleForm({"title": "Typed text", "channel": "mail", "kinds": ["a"], "one": "a"})
    people = [Example(pk, name) for pk, name in enumerate(PEOPLE)]
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
        "icons": _icons(),
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
