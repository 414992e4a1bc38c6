"""The policy of the clocks in the browser, for those who manage settings (casework.md 11)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.actions import sla_policy as actions
from cases.actors import Actor
from cases.choices import Severity
from cases.errors import CaseError, Forbidden
from cases.models import SlaPolicy
from cases.sla.current import policy
from cases.sla.policy import DAYS, GOALS, PERIODS_AT_MOST
from cases.views.parts import needs, person_of
from soar.lib.clock import zones
from soar.lib.text import span_words

TEMPLATE = "cases/sla/policy.html"
reads = needs("manage_settings", read_by="view_setup")
HOUR = 60
Document = dict[str, Any]


@reads
@require_http_methods(["GET", "HEAD", "POST"])
def policy_page(request: HttpRequest) -> HttpResponse:
    """The policy as a form. What was typed stays when it is refused, with the reason beside its part."""
    now = policy()
    shown, version, problem = now.document(), now.version, None
    if request.method == "POST":
        shown, version = _typed(request.POST), _whole(request.POST.get("version", ""))
        try:
            actions.change(Actor.of(person_of(request)), shown, expected_version=version or -1)
        except Forbidden:
            raise
        except CaseError as error:
            problem = {"field": error.field or "", "text": error.message}
        else:
            messages.success(request, _("Saved. The clocks of open incidents follow."))
            return redirect("sla-policy")
    context = {**_context(shown), "version": version, "problem": problem, "row": SlaPolicy.objects.filter(pk=1).first()}
    return render(request, TEMPLATE, context, status=422 if problem else 200)


def _context(document: Document) -> dict[str, Any]:
    hours = [*document["hours"], {"days": [], "from": "", "to": ""}][:PERIODS_AT_MOST]
    return {
        "severities": [_severity(severity, document["targets"][severity.word]) for severity in reversed(Severity)],
        "goals": [_("Triage"), _("Acknowledge"), _("Contain"), _("Resolve")],
        "periods": [_period(number, one) for number, one in enumerate(hours)],
        "time_zone": document["time_zone"],
        "zones": zones(),
        "holidays": "\n".join(map(str, document["holidays"])),
        "warn_percent": document["warn_percent"],
    }


def _severity(severity: Severity, goals: Document) -> dict[str, Any]:
    values = [
        {"name": f"{severity.word}-{goal}", "goal": goal, "value": goals[goal], "words": _words(goals[goal])}
        for goal in GOALS
    ]
    return {"word": severity.word, "label": _(str(severity.label)), "goals": values, "always": goals["always"]}


def _words(minutes: Any) -> str:
    """7 d of 10080; "" of what is short enough to be read, and of what is no number."""
    return span_words(minutes * 60) if isinstance(minutes, int) and minutes > HOUR else ""


def _period(number: int, period: Document) -> dict[str, Any]:
    labels = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    days = [(day, label, day in period["days"]) for day, label in zip(DAYS, labels, strict=True)]
    return {"number": number, "days": days, "from": period["from"], "to": period["to"]}


def _typed(given: QueryDict) -> Document:
    """The form as a document of the policy. Numbers that are none stay texts: the policy refuses them by name."""
    targets = {}
    for word in Severity.words():
        goals: Document = {goal: _minutes(given.get(f"{word}-{goal}", "")) for goal in GOALS}
        targets[word] = {**goals, "always": given.get(f"{word}-always") == "1"}
    periods = [
        {
            "days": list(filter(None, given.getlist(f"period-{n}-days"))),
            "from": _time(given, n, "from"),
            "to": _time(given, n, "to"),
        }
        for n in range(PERIODS_AT_MOST)
    ]
    return {
        "targets": targets,
        "hours": [one for one in periods if any(one.values())],
        "time_zone": given.get("time_zone", "").strip(),
        "holidays": given.get("holidays", "").split(),
        "warn_percent": _minutes(given.get("warn_percent", "")),
    }


def _time(given: QueryDict, number: int, edge: str) -> str:
    return given.get(f"period-{number}-{edge}", "").strip()


def _minutes(text: str) -> int | str | None:
    text = text.strip()
    return _whole(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text[:20] or None


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else 0
