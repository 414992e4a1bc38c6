"""Verbs of the checklist on an incident's page: add, tick, take, move, edit, remove, use a template."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from cases.actions import tasks, template_use
from cases.actions.task_access import task_for
from cases.actors import Actor
from cases.choices import IncidentStatus
from cases.errors import CaseError, Conflict, Missing, Refused, Stale
from cases.merged import end_of
from cases.models import Incident, IncidentTask, IncidentTemplate
from cases.permissions import holds, incident_for, owners_for
from cases.views.folding import opened_of
from cases.views.incidents_answer import TEMPLATE, Done, region_context, verb
from cases.views.parts import person_of, signed_in_reader
from cases.views.task_parts import local_text
from soar.accounts.models import User
from soar.lib.htmx import is_partial, live, render_regions, trigger
from soar.lib.htmx import redirect as move_to

PEOPLE_SHOWN = TEMPLATES_SHOWN = 200


@verb("tasks")
def task_add(request: HttpRequest, actor: Actor, number: str) -> Done:
    """A new task at the end of the list."""
    given = request.POST
    task = tasks.add(
        actor,
        number,
        title=given.get("title", ""),
        description=given.get("description", ""),
        assignee=actor.user if "mine" in given else None,
        due_at=given.get("due_at", ""),
        required="required" in given,
    )
    return Done("tasks", _("Task added: %s") % task.title, opened=True)


@verb("tasks")
def task_complete(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Tick it."""
    return Done("tasks", _("Done: %s") % tasks.complete(actor, _task(request, actor, number)).title)


@verb("tasks")
def task_reopen(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Untick it."""
    return Done("tasks", _("Open again: %s") % tasks.reopen(actor, _task(request, actor, number)).title)


@verb("tasks")
def task_take(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Assign it to me."""
    task = tasks.assign(actor, _task(request, actor, number), actor.user)
    return Done("tasks", _("Assigned to you: %s") % task.title)


@verb("tasks")
def task_up(request: HttpRequest, actor: Actor, number: str) -> Done:
    """One place up."""
    return _moved(tasks.move(actor, _task(request, actor, number), -1))


@verb("tasks")
def task_down(request: HttpRequest, actor: Actor, number: str) -> Done:
    """One place down."""
    return _moved(tasks.move(actor, _task(request, actor, number), 1))


@verb("tasks")
def task_remove(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Take it off the list."""
    tasks.delete(actor, _task(request, actor, number))
    return Done("tasks", _("Task removed"))


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def incident_template(request: HttpRequest, number: str) -> HttpResponse:
    """Take tags and tasks from a template: the question, in the page's dialog for htmx, and the answer."""
    user, problem = person_of(request), ""
    if request.method == "POST":
        try:
            template = template_use.template_of(request.POST.get("template", ""))
            incident = template_use.apply(Actor.of(user), number, template)
        except (Refused, Conflict) as error:
            problem = error.message
        else:
            return _shown(request, incident, _("Template used: %s") % template.name)
    incident = incident_for(user, number, level="edit")
    rows = IncidentTemplate.objects.current().only("name", "description", "tasks")[:TEMPLATES_SHOWN]
    return _ask(
        request,
        "cases/incidents/use_template.html",
        {
            "incident": incident,
            "number": incident.number,
            "templates": rows,
            "problem": problem,
        },
        422 if problem else 200,
    )


@signed_in_reader
@require_http_methods(["GET", "HEAD", "POST"])
def task_edit(request: HttpRequest, number: str, pk: int) -> HttpResponse:
    """A task with its form and verbs, in the page's dialog for htmx; readers get what it is."""
    user = person_of(request)
    task = task_for(user, pk, level="edit" if request.method == "POST" else "view")
    # A merge may have taken it along while the form was open.
    if task.incident.pk != end_of(incident_for(user, number).pk):
        raise Missing(_("There is no task %(pk)s in %(number)s.") % {"pk": pk, "number": f"{number:.40}"})
    if request.method != "POST":
        return _form(request, task)
    try:
        task = tasks.update(Actor.of(user), pk, changes=_changes(request, task), expected_version=_version(request))
    except (Refused, Conflict, Stale) as error:
        return _form(request, task_for(user, pk), error)
    said = _("Task saved: %s") % task.title
    if task.incident.number != incident_for(user, number).number:  # the page that asks is that of a merged one
        messages.success(request, said)
        return move_to(request, reverse("incident-detail", args=[task.incident.number]) + "#incident-tasks")
    return _shown(request, task.incident, said)


def _shown(request: HttpRequest, incident: Incident, said: str) -> HttpResponse:
    """The box of tasks after a form of the dialog was saved."""
    if not is_partial(request):
        messages.success(request, said)
        return redirect(reverse("incident-detail", args=[incident.number]) + "#incident-tasks")
    context = region_context(person_of(request), incident, ["tasks"], opened_of(request))
    answer = render_regions(request, TEMPLATE, ["tasks"], context, extra=[live(said)])
    answer["HX-Retarget"], answer["HX-Reswap"] = "#incident-tasks", "outerHTML"
    return trigger(answer, "changed", "dialog-close")


def _ask(request: HttpRequest, template: str, context: dict[str, Any], status: int) -> HttpResponse:
    """A form: in the dialog for htmx, a page of its own for everybody else."""
    if not is_partial(request):
        return render(request, template, context, status=status)
    answer = render_regions(request, template, ["form"], context, status=status)
    answer["HX-Retarget"], answer["HX-Reswap"] = "#dialog", "innerHTML"
    return answer


def _moved(task: IncidentTask) -> Done:
    return Done("tasks", _("%(task)s is number %(n)s now") % {"task": task.title, "n": task.position})


def _form(request: HttpRequest, task: IncidentTask, error: CaseError | None = None) -> HttpResponse:
    context: dict[str, Any] = {"task": task, "number": task.incident.number}
    context["can_edit"] = _may_edit(person_of(request), task)
    context["count"] = IncidentTask.objects.filter(incident=task.incident).count()
    context["people"] = owners_for(task.incident)[:PEOPLE_SHOWN]
    context["form"] = _typed(request) if error else _as_is(task)
    if error:
        field = error.field if error.field in context["form"] else ""
        context["problem"] = {"text": error.message, "field": field, "stale": isinstance(error, Stale)}
        context["now"] = _as_is(task)
    status = 200 if error is None else error.status if error.status in (409, 412) else 422
    return _ask(request, "cases/incidents/task.html", context, status)


def _may_edit(user: User, task: IncidentTask) -> bool:
    return IncidentStatus(task.incident.status).is_open and holds(user, task.incident, "edit")


def _as_is(task: IncidentTask) -> dict[str, Any]:
    return {
        "title": task.title,
        "description": task.description,
        "assignee": task.assignee.username if task.assignee else "",
        "due_at": local_text(task.due_at),
        "required": task.required,
        "position": task.position,
    }


def _typed(request: HttpRequest) -> dict[str, Any]:
    given = request.POST
    names = ("title", "description", "assignee", "due_at", "position")
    return {**{name: given.get(name, "") for name in names}, "required": "required" in given}


def _changes(request: HttpRequest, task: IncidentTask) -> dict[str, Any]:
    """What the form says. A due time that was not touched stays to the second, a place in the list where it is."""
    typed = _typed(request)
    place = typed.pop("position").strip()
    if place and place != str(task.position):
        typed["position"] = int(place) if place.isascii() and place.isdecimal() and len(place) < 5 else place
    if typed["due_at"] == local_text(task.due_at):
        del typed["due_at"]
    typed["description"] = typed["description"].replace("\r\n", "\n")
    return typed


def _version(request: HttpRequest) -> int | None:
    value = request.POST.get("version", "")
    return int(value) if value.isdecimal() and len(value) < 10 else None


def _task(request: HttpRequest, actor: Actor, number: str) -> int:
    """The id of a task of this incident. Raises Refused without one, Missing for one of another incident."""
    value = request.POST.get("task", "")
    if not (value.isascii() and value.isdecimal()) or len(value) > 18:
        raise Refused(_("Choose a task first."))
    incident = incident_for(actor, number)
    if not IncidentTask.objects.filter(pk=int(value), incident=incident).exists():
        raise Missing(_("There is no task %(value)s in %(number)s.") % {"value": value, "number": incident.number})
    return int(value)
