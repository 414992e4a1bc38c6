"""Outgoing webhooks in the browser, for those who manage connectors (ingest-and-api.md 15)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from cases.actions import webhook_log as log
from cases.actions import webhooks as actions
from cases.actors import Actor
from cases.errors import CaseError, Forbidden, Missing, Refused, Stale
from cases.models import DeliveryState, WebhookEndpoint
from cases.models.webhook import OPEN_DELIVERIES
from cases.views import webhook_parts as shown
from cases.views.parts import needs, person_of
from cases.views.webhook_form import RotateForm, WebhookForm
from soar.lib import tls
from soar.lib.crypto import DecryptionError, decrypt, encrypt
from soar.lib.htmx import is_partial, render_regions
from soar.lib.keyset import BadCursor, Order, keyset_page

T = TypeVar("T")
NEWEST = Order("-id", ("id",))
DETAIL, FORM, DELIVERY = (f"cases/webhooks/{name}.html" for name in ("detail", "form", "delivery"))
STATES = {"waiting": OPEN_DELIVERIES, **{one.value: (one,) for one in DeliveryState if one not in OPEN_DELIVERIES}}
JUST_MADE = "webhook_secret"
manages = needs("manage_connectors")
reads = needs("manage_connectors", read_by="view_setup")


@reads
@require_safe
def webhook_list(request: HttpRequest) -> HttpResponse:
    """All endpoints and how they fare."""
    rows = list(WebhookEndpoint.objects.select_related("owner"))
    return render(request, "cases/webhooks/list.html", {"rows": shown.rows_of(rows)})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_new(request: HttpRequest) -> HttpResponse:
    """The form of a new endpoint; its secret is shown once, on the page that follows."""
    form = WebhookForm(request.POST if request.method == "POST" else None, user=person_of(request))
    if request.method == "POST" and form.is_valid():
        try:
            endpoint, secret = actions.create(Actor.of(person_of(request)), fields=form.for_action())
        except CaseError as error:
            _beside(form, error)
        else:
            _keep_secret(request, endpoint.pk, secret)
            return redirect("webhook-detail", endpoint.pk)
    return render(request, FORM, {"form": form}, status=422 if form.errors else 200)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def webhook_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The form of an endpoint that is there; a stale one is refused."""
    user = person_of(request)
    endpoint = actions.endpoint_for(user, pk)
    sent = request.POST if request.method == "POST" else None
    form = WebhookForm(sent, user=person_of(request), endpoint=endpoint)
    stale = False
    if request.method == "POST" and form.is_valid():
        given = request.POST.get("version", "")
        expected = int(given) if given.isdecimal() and len(given) < 10 else -1
        try:
            actions.update(Actor.of(user), pk, changes=form.for_action(), expected_version=expected)
        except Stale as error:
            stale = True
            form.add_error(None, error.message)
        except CaseError as error:
            _beside(form, error)
        else:
            messages.success(request, _("Saved"))
            return redirect("webhook-detail", pk)
    context = {"form": form, "endpoint": actions.endpoint_for(user, pk)}
    answer = render(request, FORM, context, status=412 if stale else 422 if form.errors else 200)
    answer["Cache-Control"] = "no-store"  # the whole address stands in it
    return answer


@reads
@require_safe
def webhook_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One endpoint: its health, its secret if it was just made, its log; ``state`` leaves others out."""
    user = person_of(request)
    endpoint = actions.endpoint_for(user, pk)
    state = request.GET.get("state", "")
    rows = log.deliveries_for(user, endpoint).defer("body")
    if state in STATES:
        rows = rows.filter(state__in=STATES[state])
    try:
        page = keyset_page(rows, NEWEST, request.GET.get("cursor", ""))
    except BadCursor:
        page = keyset_page(rows, NEWEST)
    keep = f"state={state}&" if state in STATES else ""
    context = {
        **shown.rows_of([endpoint])[0],
        "filters": shown.filters_shown(endpoint),
        "authority": ", ".join(tls.names_of(endpoint.ca)),
        "deliveries": [shown.delivery_row(one) for one in page.rows],
        "state": state if state in STATES else "",
        "newer_url": f"?{keep}cursor={page.previous}" if page.previous else "",
        "older_url": f"?{keep}cursor={page.next}" if page.next else "",
        "rotate_form": RotateForm(),
        "secret": _take_secret(request, pk),
    }
    answer = render(request, DETAIL, context)
    if context["secret"]:
        answer["Cache-Control"] = "no-store"
    return answer


@manages
@require_POST
def webhook_rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, shown once."""
    form = RotateForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Give a number of hours from 0 to 720."))
        return redirect("webhook-detail", pk)
    hours = form.cleaned_data["overlap_hours"]
    _endpoint, secret = actions.rotate(Actor.of(person_of(request)), pk, overlap_hours=hours)
    _keep_secret(request, pk, secret)
    return redirect("webhook-detail", pk)


@manages
@require_POST
def webhook_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test; the page that follows shows what comes of it."""
    made = _tried(request, lambda actor: actions.test(actor, pk))
    return redirect("webhook-delivery", pk, made.pk) if made else redirect("webhook-detail", pk)


@manages
@require_POST
def webhook_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it away with its log."""
    actions.delete(Actor.of(person_of(request)), pk)
    messages.success(request, _("The webhook is deleted"))
    return redirect("webhook-list")


@reads
@require_safe
def delivery_detail(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """One delivery with its calls; asks again while it is under way."""
    user = person_of(request)
    row = log.delivery_for(user, pk, delivery)
    context = {
        **shown.delivery_row(row),
        "endpoint": row.endpoint,
        "calls": list(row.calls.all()[:50]),
        "body": shown.body_of(row, row.endpoint, user),
    }
    if is_partial(request):
        return render_regions(request, DELIVERY, ["calls"], context)
    return render(request, DELIVERY, context)


@manages
@require_POST
def delivery_replay(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    """Send one again."""
    if _tried(request, lambda actor: log.replay(actor, pk, delivery)):
        messages.success(request, _("It is being sent again"))
    return redirect("webhook-delivery", pk, delivery)


@manages
@require_POST
def webhook_replay(request: HttpRequest, pk: int) -> HttpResponse:
    """Send all again that failed."""
    number = _tried(request, lambda actor: log.replay_failed(actor, pk))
    if number is not None:
        said = ngettext("%s is being sent again", "%s are being sent again", number) % number
        messages.success(request, said)
    return redirect("webhook-detail", pk)


def _tried(request: HttpRequest, act: Callable[[Actor], T]) -> T | None:
    """What came of it, or None and why not. What may not be seen or done stays a 404 or 403."""
    try:
        return act(Actor.of(person_of(request)))
    except (Missing, Forbidden):
        raise
    except CaseError as error:
        messages.error(request, error.message)
        return None


def _beside(form: WebhookForm, error: CaseError) -> None:
    field = error.field if isinstance(error, Refused) else None
    form.add_error(field if field in form.fields else None, error.message)


def _keep_secret(request: HttpRequest, pk: int, secret: str) -> None:
    request.session[JUST_MADE] = [pk, encrypt(secret)]


def _take_secret(request: HttpRequest, pk: int) -> str:
    kept = request.session.get(JUST_MADE)
    if not kept or kept[0] != pk:
        return ""
    del request.session[JUST_MADE]
    try:
        return decrypt(kept[1])
    except DecryptionError:  # the key was changed in between
        return ""
