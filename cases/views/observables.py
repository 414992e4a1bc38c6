"""Observables: found by value, each with its risk, the evidence for it, and where it was seen (ingest-and-api.md 11).

An observable exists for a person only through an alert or incident that they may see (rulings 21)."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.db.models.functions import Left
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actions import ratings
from cases.attack import shown
from cases.choices import OBSERVABLE_TYPES, IncidentStatus, Risk, Severity
from cases.digests import value_digest
from cases.errors import Missing
from cases.first_seen import first_seen
from cases.ingest.iocs import guess_type, normalise_observable
from cases.models import Alert, Incident, Observable
from cases.models.observable import PREFIX_LENGTH
from cases.permissions import incident_for
from cases.querysets import capped_count
from cases.restricted_views import note_rows
from cases.views.incident_alert_parts import alert_rows
from cases.views.incident_observable_parts import observables_of
from cases.views.observable_rating import rating_of
from cases.views.parts import person_of, signed_in_reader
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions
from soar.lib.text import defang

TEMPLATE = "cases/observables/list.html"
DETAIL = "cases/observables/detail.html"
SHOWN = 50
# Of those that the person may see so many of the newest, or that begin so, are sorted by risk.
CANDIDATES = 1000
SHORTEST = 3
VALUE_AT_MOST = 4000


@signed_in_reader
@require_safe
def observable_list(request: HttpRequest) -> HttpResponse:
    """The newest that this person may see, or those that begin with what was typed."""
    user = person_of(request)
    text = request.GET.get("q", "").replace("\x00", "").strip()[:VALUE_AT_MOST]
    risk = request.GET.get("risk", "")
    type_ = request.GET.get("type", "")
    incident = incident_for(user, request.GET["incident"]) if request.GET.get("incident") else None
    seen = Observable.objects.visible_to(user)
    of_it = seen.filter(pk__in=observables_of(incident).values("pk")) if incident else seen
    candidates, notice = _candidates(of_it, text, risk, type_)
    found = Observable.objects.filter(pk__in=candidates).order_by("-risk", "-id")[:SHOWN]
    since = first_seen(user, [one.pk for one in found])
    rows = [_row(one, since.get(one.pk)) for one in found]
    context = {
        "q": text,
        "risk": risk,
        "type": type_,
        "incident": incident,
        "notice": notice,
        "types": OBSERVABLE_TYPES,
        "risks": [(one.word, _(str(one.label))) for one in reversed(Risk)],
        "rows": rows,
        "can_respond": may(user, "respond"),
    }
    if is_partial(request):
        said = _("%(n)s observables") % {"n": len(rows)}
        return render_regions(request, TEMPLATE, ["rows"], context, extra=[live(said)])
    return render(request, TEMPLATE, context)


@signed_in_reader
@require_safe
def observable_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One observable with what this person may see of where it was."""
    user = person_of(request)
    one = Observable.objects.visible_to(user).filter(pk=pk).first()
    if one is None:
        raise Missing(_("There is no such observable."))
    context = {**rating_of(one), "may_ask": ratings.may_ask(user)}
    if is_partial(request):
        return render_regions(request, DETAIL, ["rating"], context)
    context["since"] = first_seen(user, [one.pk]).get(one.pk)
    return render(request, DETAIL, {**context, **_sightings(user, one)})


@signed_in_reader
@require_POST
def observable_rate(request: HttpRequest, pk: int) -> HttpResponse:
    """Have providers asked by a worker; the page shows the rating when it is there."""
    began = ratings.request_rating(person_of(request), pk)
    if is_partial(request):
        one = Observable.objects.get(pk=pk)
        return render_regions(request, DETAIL, ["rating"], {**rating_of(one), "may_ask": True})
    messages.success(request, _("Providers are being asked.") if began else _("Providers are being asked already."))
    return redirect("observable-detail", pk)


def _candidates(rows: QuerySet[Observable], text: str, risk: str, type_: str) -> tuple[list[int], str]:
    if type_ in OBSERVABLE_TYPES:
        rows = rows.filter(type=type_)
    if risk in Risk.words():
        rows = rows.filter(risk=Risk.from_word(risk))
    if not text:
        return list(rows.order_by("-pk").values_list("pk", flat=True)[:CANDIDATES]), ""
    exact = list(rows.filter(digest__in=[value_digest(form) for form in forms_of(text)]).values_list("pk", flat=True))
    if len(text) < SHORTEST:
        return exact, _("Write three letters or more to find values that begin with them.")
    start = Left("value", PREFIX_LENGTH)
    longest = max(forms_of(text), key=lambda form: form == text.lower())[:PREFIX_LENGTH]
    begins = rows.alias(start=start).filter(start__startswith=longest).order_by(start)
    return exact + list(begins.values_list("pk", flat=True)[:CANDIDATES]), ""


def forms_of(text: str) -> list[str]:
    """The text as it may be stored: as typed, in lower case, refanged and in the normal form of its type."""
    plain = text.replace("[.]", ".").replace("[at]", "@").replace("hxxp", "http")
    forms = [text, plain, plain.lower()]
    guessed = guess_type(plain)
    if guessed:
        with contextlib.suppress(ValueError):
            forms.append(normalise_observable(guessed, plain))
    return list(dict.fromkeys(forms))


def _row(one: Observable, since: datetime | None) -> dict[str, Any]:
    return {
        "pk": one.pk,
        "type": one.type,
        "name": defang(one.value, one.type),
        "link": shown.observable(one.value, f"/observables/{one.pk}/", one.type),
        "risk": parts.risk(Risk(one.risk).word),
        "since": parts.ago(since) if since else "–",
    }


def _sightings(user: User, one: Observable) -> dict[str, Any]:
    alerts = Alert.objects.visible_to(user).filter(observable_links__observable=one)
    shown = list(alerts.with_line_data().order_by("-pk")[:SHOWN])
    mine = Incident.objects.visible_to(user)
    through = mine.filter(alerts__observable_links__observable=one).values("pk")
    own = mine.filter(observable_links__observable=one).values("pk")
    incidents = Incident.objects.filter(Q(pk__in=through) | Q(pk__in=own)).order_by("-pk").defer("summary")[:SHOWN]
    note_rows(user, incidents)
    return {
        "alerts": alert_rows(user, [(alert, "") for alert in shown]),
        "alert_count": capped_count(alerts),
        "incidents": [
            {
                "number": incident.number,
                "title": incident.title,
                "severity": parts.sev(Severity(incident.severity).word, hidden=True),
                "state": parts.state(IncidentStatus(incident.status).word),
                "age": parts.ago(incident.created_at),
            }
            for incident in incidents
        ],
    }
