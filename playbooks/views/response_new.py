"""Responding by hand: which action, on which objects, what would be sent, and then doing it (spec 17b).

A page without scripts, or the inside of the dialog: ``?alert=``, ``incident=``, ``observable=`` or ``asset=`` says from
where, ``action=`` chooses; alerts, observables and assets may be several at once, as they are ticked in a list. Nothing
is offered that is not legal for the kinds of object that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from cases.actors import Actor
from cases.errors import Conflict, Refused
from cases.permissions import parse_number
from playbooks.actions import responses
from playbooks.actions.response_choice import chosen
from playbooks.actions.response_plan import plan
from playbooks.actions.response_preview import preview_planned
from playbooks.actions.response_several import Origin, Things, things_of
from playbooks.actions.responses import Case
from playbooks.graph.actions import ACTIONS, GROUPS, ActionSpec
from playbooks.models import ResponseTask, Script
from playbooks.response.objects import Target
from playbooks.response.telling import asked_else
from playbooks.views.approval_page import request_text
from playbooks.views.parts import Context, holders, person_of, signed_in_reader
from playbooks.views.response_form import key_of, params_in, ticked_in
from playbooks.views.target_words import EFFECTS, KIND_ICONS, KIND_LABELS
from playbooks.world import place, served_for
from soar.accounts.membership import may
from soar.accounts.models import User
from soar.connectors import quota
from soar.lib import parts
from soar.lib.htmx import is_partial
from soar.lib.text import defang, shorten_hash

TEMPLATE = "playbooks/respond.html"
Made = list[ResponseTask]
FROM = ("alert", "incident", "observable", "asset")


@dataclass(frozen=True, slots=True)
class Offer:
    """An action to choose: for how many objects of what kind, or why it cannot be had."""

    spec: ActionSpec
    url: str
    about: str
    lacking: str = ""


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def response_new(request: HttpRequest) -> HttpResponse:
    """GET: the actions, or with ``action`` the form. POST: ``do`` is ``look`` (what would be sent) or ``start``."""
    user = person_of(request)
    asked = request.POST if request.method == "POST" else request.GET
    origin = [(name, value.strip()) for name in FROM for value in asked.getlist(name) if value.strip()]
    try:
        things = things_of(Actor.of(user), origin)
    except Refused as error:
        return _too_many(request, user, error)
    spec = ACTIONS.get(asked.get("action", ""))
    if spec is None or not spec.responds:
        return _answer(request, "choose", _choice(user, origin, things.objects))
    context = _form(user, origin, things.objects, spec)
    if request.method != "POST":
        return _answer(request, "fill", context)
    return _posted(request, user, things, context, spec)


def _too_many(request: HttpRequest, user: User, error: Refused) -> HttpResponse:
    """Nothing can be chosen for it: the reason instead of the actions."""
    context = {**_around(user, []), "groups": {}, "problem": {"text": error.message, "field": ""}}
    return _answer(request, "choose", context, status=422)


def _posted(request: HttpRequest, user: User, things: Things, context: Context, spec: ActionSpec) -> HttpResponse:
    ticked = ticked_in(request.POST)
    targets = [one for one in context["targets"] if key_of(one) in ticked]
    params = params_in(request.POST, spec)
    context |= {"given": params, "comment": request.POST.get("comment", ""), "ticked": ticked}
    actor = Actor.of(user)
    try:
        if not context["origin"]:
            targets = _typed(actor, request.POST, spec)
        if request.POST.get("do") != "start":
            context["planned"] = [_planned(one) for one in preview_planned(plan(actor, spec.name, targets, params))]
            return _answer(request, "fill", context)
        made = _start(actor, things, spec, targets, context)
    except (Refused, Conflict) as error:
        context["problem"] = {"text": error.message, "field": error.field or ""}
        return _answer(request, "fill", context, status=422 if isinstance(error, Refused) else 409)
    return _started(request, things.one, made)


def _start(actor: Actor, things: Things, spec: ActionSpec, targets: Sequence[Target], given: Context) -> Made:
    """The tasks, made case by case; those of objects that were written are about none."""
    said = responses.comment_of(given["comment"])
    whole = plan(actor, spec.name, targets, given["given"])
    none = things.one
    cases = {id(one): case for one, case in zip(things.objects, things.cases, strict=True)}
    shared = [(cases.get(id(one.target), none), one) for one in whole.planned]
    made: Made = []
    for case in dict.fromkeys(case for case, _one in shared):
        own = replace(whole, planned=[one for each, one in shared if each == case])
        made += responses.make(actor, case, own, said)
    return made


def _typed(actor: Actor, given: QueryDict, spec: ActionSpec) -> list[Target]:
    """Objects that were written, one a line, of the kind that was chosen, else of the action's first."""
    kind = given.get("kind", "") or spec.targets[0]
    lines = [line.strip() for line in given.get("values", "").splitlines() if line.strip()]
    if kind not in spec.targets:
        raise Refused(_("Choose what kind of object it is."), field="kind")
    return chosen(actor, {"targets": [{"kind": kind, "value": line} for line in lines[:201]]})[1]


def _started(request: HttpRequest, case: Case, made: Sequence[ResponseTask]) -> HttpResponse:
    """To the only task, or to the list of them."""
    waiting = sum(task.status == "pending_approval" for task in made)
    said = ngettext("%(n)d task is made.", "%(n)d tasks are made.", len(made)) % {"n": len(made)}
    if waiting:
        more = ngettext("%(n)d waits for an approval.", "%(n)d wait for an approval.", waiting) % {"n": waiting}
        said = f"{said} {more}" if asked_else() else f"{said} {more} {_('Nobody is told by message.')}"
    messages.success(request, said)
    url = reverse("response-detail", args=[made[0].pk])
    if len(made) > 1:
        about = (
            {"alert": case.alert.number} if case.alert else {"incident": case.incident.number} if case.incident else {}
        )
        url = f"{reverse('response-list')}?{urlencode({**about, 'action': made[0].action, 'origin': 'hand'})}"
    if is_partial(request):
        return HttpResponse(status=204, headers={"HX-Redirect": url})
    return redirect(url)


def _choice(user: User, origin: Origin, objects: Sequence[Target]) -> Context:
    """The actions that are legal for the kinds of object that are there, by group; the others are not shown."""
    served, why_not = served_for(user)
    counts = Counter(one["kind"] for one in objects)
    groups: dict[str, list[Offer]] = {}
    for spec in ACTIONS.values():
        kinds = [kind for kind in spec.targets if counts[kind] or not origin]
        if not spec.responds or not kinds:
            continue
        lacking = "" if spec.capability in served else why_not.get(spec.capability) or _("no connector can do it")
        url = f"{reverse('response-new')}?{urlencode([*origin, ('action', spec.name)])}"
        about = ", ".join(_counted(kind, counts[kind]) for kind in kinds)
        groups.setdefault(_(GROUPS[spec.group]), []).append(Offer(spec, url, about, lacking))
    return {**_around(user, origin), "groups": groups, "set_up_url": _set_up(user)}


def _form(user: User, origin: Origin, objects: Sequence[Target], spec: ActionSpec) -> Context:
    targets = [one for one in objects if one["kind"] in spec.targets]
    served, why_not = served_for(user)
    return {
        **_around(user, origin),
        "spec": spec,
        "effect": EFFECTS.get(spec.capability, ""),
        "targets": targets,
        "lines": [_line(one) for one in targets],
        "kinds": [(kind, KIND_LABELS[kind]) for kind in spec.targets],
        "ticked": {key_of(one) for one in targets} if len(targets) == 1 or _chosen_one_by_one(origin) else set(),
        "lacking": "" if spec.capability in served else why_not.get(spec.capability) or _("no connector can do it"),
        "left": quota.left(user) if spec.capability in quota.ACTIONS else "",
        "set_up_url": _set_up(user),
        "scripts": Script.objects.filter(removed=False).only("name", "language") if spec.name == "run_script" else [],
        "back_url": f"{reverse('response-new')}?{urlencode(origin)}",
        "given": {},
        "comment": "",
    }


def _chosen_one_by_one(origin: Origin) -> bool:
    """Observables and assets were ticked as what to act on; an alert has more objects than somebody means."""
    return bool(origin) and all(name in ("observable", "asset") for name, _value in origin)


def _around(user: User, origin: Origin) -> Context:
    return {
        "origin": origin,
        "what": _what(origin),
        "may_respond": may(user, "respond"),
        "responders": holders("respond"),
    }


def _what(origin: Origin) -> str:
    """ "ALR-7", "3 alerts", "2 assets"; of a single observable or asset the form says it."""
    if not origin:
        return ""
    names = {"alert": _("%d alerts"), "observable": _("%d observables"), "asset": _("%d assets")}
    name, value = origin[0]
    if len(origin) > 1:
        return names.get(name, "%d") % len(origin)
    return f"ALR-{parse_number(value, 'ALR')}" if name == "alert" else value if name == "incident" else ""


def _line(one: Target) -> dict[str, Any]:
    asset = one["asset"] or {}
    word = str(asset.get("criticality") or "")
    return {
        "key": key_of(one),
        "icon": KIND_ICONS.get(one["kind"], "target"),
        "value": shorten_hash(defang(one["value"], one["type"])),
        "risk": parts.risk(one["risk"]),
        "benign": one["benign"],
        "critical": parts.label(word) if word in ("high", "critical") else "",
        "kind": KIND_LABELS.get(one["kind"], one["kind"]),
    }


def _planned(one: dict[str, Any]) -> dict[str, Any]:
    return {
        **one,
        "state": parts.state(one["status"]),
        "text": "\n".join(request_text(request) for request in one["requests"]),
    }


def _counted(kind: str, number: int) -> str:
    label = str(KIND_LABELS[kind])
    label = label if label[:2].isupper() else label.lower()  # IP address, URL
    return f"{number} × {label}" if number else label


def _set_up(user: User) -> str:
    return place("connector") if may(user, "manage_connectors") else ""


def _answer(request: HttpRequest, step: str, context: Context, status: int = 200) -> HttpResponse:
    name = f"{TEMPLATE}#form" if is_partial(request) else TEMPLATE
    return render(request, name, {**context, "step": step}, status=status)
