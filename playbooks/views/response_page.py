"""The page of a response task: request, answer, tries, what follows on it (spec 17, 17a)."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from cases.actors import Actor
from cases.errors import CaseError, Conflict, Forbidden, Refused
from playbooks.actions import response_ends, response_follow
from playbooks.choices import TASK_OPEN, TaskStatus
from playbooks.disclosure import withhold
from playbooks.models import ResponseTask
from playbooks.response_selectors import task_for
from playbooks.views import words
from playbooks.views.approval_page import evidence_of, request_text
from playbooks.views.parts import Context, holders, person_of, signature, signed_in_reader, workers_alive
from playbooks.views.responses import rows_of, with_lines
from playbooks.views.target_words import EFFECTS, KIND_LABELS
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors.capabilities import CAPABILITIES
from soar.connectors.models import Attempt
from soar.lib import parts
from soar.lib.htmx import is_partial, live, render_regions

TEMPLATE = "playbooks/response.html"
TRIES_SHOWN = 50
OWN = ("minutes", "found", "ticket", "again", "left")  # of task.data, for the engine


@signed_in_reader
@require_safe
def response_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The page."""
    user = person_of(request)
    return render(request, TEMPLATE, context_of(user, task_for(user, pk)))


@signed_in_reader
@require_safe
def response_live(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is by now; 204 when nothing changed since ``sig``."""
    user = person_of(request)
    context = context_of(user, task_for(user, pk))
    if context["sig"] == request.GET.get("sig"):
        return HttpResponse(status=204)
    return render_regions(request, TEMPLATE, ["task"], context)


@signed_in_reader
@require_POST
def response_resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Send it again: a queued one at once, a failed one as a new task."""
    return _followed(request, pk, lambda actor: response_follow.resend(actor, pk), _("Sent again."))


@signed_in_reader
@require_POST
def response_inverse(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo it by a new task."""
    return _followed(request, pk, lambda actor: response_follow.inverse(actor, pk), _("Queued."))


@signed_in_reader
@require_POST
def response_cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Cancel what has not begun."""
    return _followed(request, pk, lambda actor: response_ends.cancel(actor, pk), _("Cancelled."))


@signed_in_reader
@require_POST
def response_decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what happened to a task of unknown outcome."""

    def act(actor: Actor) -> ResponseTask:
        outcome = request.POST.get("outcome", "")
        if not outcome:
            raise Refused(_("Choose what happened."), field="outcome")
        return response_ends.decide(actor, pk, outcome, request.POST.get("comment", ""))

    return _followed(request, pk, act, _("Decided."))


@signed_in_reader
@require_POST
def response_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Show where the collected file lies and the password of its archive, this once. Audited."""
    user = person_of(request)
    try:
        secret = response_follow.reveal(Actor.of(user), pk)
    except Conflict as error:
        return refused(request, user, pk, error)
    context = context_of(user, task_for(user, pk)) | {
        "secret": [(parts.label(name), text) for name, text in secret.items()]
    }
    partial = is_partial(request)
    answer = render_regions(request, TEMPLATE, ["secret"], context) if partial else render(request, TEMPLATE, context)
    answer["Cache-Control"] = "no-store"
    return answer


def context_of(user: User, task: ResponseTask) -> Context:
    """What the page shows, with the signature for its next poll."""
    what = CAPABILITIES.get(task.capability)
    inverses = list(with_lines(task.inverses.all()).order_by("pk")[:20])
    verbs = _verbs(user, task)
    withhold(user, [], tasks=[task, *inverses, *([task.inverse_of] if task.inverse_of else [])])
    workers = workers_alive()
    row = rows_of([task])[0]
    return {
        "task": task,
        "row": row,
        "kind": str(KIND_LABELS.get(task.target_kind, task.target_kind)),
        "effect": str(EFFECTS.get(task.capability, "")),
        "risk": parts.risk(task.risk) if task.risk else "",
        "evidence": evidence_of(task.target),
        "asset": task.target.get("asset") or {},
        "params": [(name, words.line_of(value)) for name, value in task.params.items() if name != "undoes"],
        "request_text": _sent(task.request),
        "answer": words.value_of(task.answer, 20_000) if task.answer not in (None, "", {}) else None,
        "data": [
            (parts.label(name), words.value_of(value, 5000)) for name, value in task.data.items() if name not in OWN
        ],
        "ticket": task.data.get("ticket"),
        "has_secret": bool(task.secret),
        "has_file": bool(task.secret) and task.capability == response_follow.COLLECT,
        "tries": _tries(task),
        "inverses": rows_of(inverses),
        "undoes": rows_of([task.inverse_of])[0] if task.inverse_of else None,
        "verbs": verbs,
        "undo_label": _(CAPABILITIES[what.inverse].label) if what and what.inverse else "",
        "took": words.took(task.started_at, task.finished_at),
        "alive": task.status in TASK_OPEN,
        "workers": workers,
        "responders": holders("respond"),
        "live_url": reverse("response-live", args=[task.pk]),
        "sig": signature(task.version, task.status, task.attempts, [(one.pk, one.status) for one in inverses], workers),
    }


def _verbs(user: User, task: ResponseTask) -> dict[str, bool]:
    """What this person can do with it now."""
    able = may(user, "respond")
    try:
        response_follow.undo_of(task)
        undoable = True
    except Conflict:
        undoable = False
    failed = task.status in (TaskStatus.UNSUCCESSFUL, TaskStatus.CANCELLED) and bool(
        task.capability and task.target_kind
    )
    return {
        "any": able,
        "resend": able and (task.status == TaskStatus.QUEUED or failed),
        "inverse": able and undoable,
        "cancel": able and task.status in response_ends.CANCELLABLE,
        "decide": able and task.status == TaskStatus.UNKNOWN_OUTCOME,
    }


def _tries(task: ResponseTask) -> list[Attempt]:
    """The calls that were made for it: those under its key."""
    if task.account_id is None or task.withheld:
        return []
    rows = Attempt.objects.filter(cause=task.cause, account=task.account_id)
    return list(rows.filter(idempotency_key__startswith=str(task.idempotency_key)).order_by("-pk")[:TRIES_SHOWN])


def _sent(request: object) -> str:
    requests = request if isinstance(request, list) else [request] if isinstance(request, dict) and request else []
    return "\n".join(request_text(one) for one in requests if isinstance(one, dict))


def _followed(request: HttpRequest, pk: int, act: Callable[[Actor], ResponseTask], said: str) -> HttpResponse:
    """To the page of the task that came of it; a refusal stands on this one."""
    user = person_of(request)
    try:
        task = act(Actor.of(user))
    except (Refused, Conflict) as error:
        return refused(request, user, pk, error)
    if is_partial(request) and task.pk == pk:
        return render_regions(request, TEMPLATE, ["task"], context_of(user, task_for(user, pk)), extra=[live(said)])
    messages.success(request, said)
    if is_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": reverse("response-detail", args=[task.pk])})
    return redirect("response-detail", task.pk)


def refused(request: HttpRequest, user: User, pk: int, error: CaseError) -> HttpResponse:
    """The page with the reason on it. Raises Forbidden as it came."""
    if isinstance(error, Forbidden):
        raise error
    context = context_of(user, task_for(user, pk)) | {"problem": error.message}
    if is_partial(request):
        status = 409 if isinstance(error, Conflict) else 422
        return render_regions(request, TEMPLATE, ["task"], context, extra=[live(error.message)], status=status)
    return render(request, TEMPLATE, context, status=error.status)
