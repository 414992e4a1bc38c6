"""Changes of an alert, one view a verb (casework.md 1)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from cases.actions import alerts
from cases.actors import Actor
from cases.choices import AlertStatus, Determination, Severity
from cases.errors import Missing, Refused
from cases.permissions import alert_for
from cases.views.alerts_answer import ASKED, Done, ask_answer, verb
from cases.views.conflicts import changed_by, seen_by
from cases.views.parts import person_of, signed_in_reader


@signed_in_reader
@require_safe
def alert_ask(request: HttpRequest, number: str, name: str) -> HttpResponse:
    """The form of a verb that needs more than a click; htmx shows it in the page's dialog."""
    alert = alert_for(person_of(request), number, work=True)
    if name not in ASKED:
        raise Missing(_("There is no %(name)s.") % {"name": f"{name!s:.40}"})
    return ask_answer(request, alert, name, {})


@verb("claim")
def alert_claim(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Assign to me, and set in progress."""
    alert = alerts.claim(actor, number, expected_version=seen_by(request, strict=True))
    return Done("head", _("%s is yours") % alert.number)


@verb("assign")
def alert_assign(request: HttpRequest, actor: Actor, number: str) -> Done:
    """To a person, a team, or nobody; what the form does not name stays."""
    named = [name for name in ("owner", "team") if request.POST.get(name, "keep") != "keep"]
    if not named:
        raise Refused(_("Choose an owner or a team."), field="owner")
    wanted: dict[str, Any] = {name: value or None for name, value in changed_by(request, *named).items()}
    alert = alerts.assign(actor, number, **wanted, expected_version=seen_by(request, *named))
    return Done("head", _("%(alert)s: %(owner)s") % {"alert": alert.number, "owner": alert.owner or _("Unassigned")})


@verb("status")
def alert_status(request: HttpRequest, actor: Actor, number: str) -> Done:
    """New or in progress; from resolved this reopens."""
    expected = seen_by(request, "status")
    alert = alerts.set_status(actor, number, request.POST.get("status", ""), expected_version=expected)
    return Done("head", f"{alert.number}: {_(str(AlertStatus(alert.status).label))}")


@verb("severity")
def alert_severity(request: HttpRequest, actor: Actor, number: str) -> Done:
    """How urgent it is."""
    expected = seen_by(request, "severity")
    alert = alerts.set_severity(actor, number, request.POST.get("severity", ""), expected_version=expected)
    return Done("head", f"{alert.number}: {_(str(Severity(alert.severity).label))}")


@verb("determination")
def alert_determination(request: HttpRequest, actor: Actor, number: str) -> Done:
    """What it is."""
    wanted, findings = request.POST.get("determination", ""), request.POST.get("findings")
    expected = seen_by(request, "determination")
    alert = alerts.set_determination(actor, number, wanted, findings=findings, expected_version=expected)
    return Done("head", f"{alert.number}: {_(str(Determination(alert.determination).label))}")


@verb("tags")
def alert_tags(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Replace the tags by those of the form, separated by commas."""
    tags = [tag for tag in (part.strip() for part in request.POST.get("tags", "").split(",")) if tag]
    alert = alerts.set_tags(actor, number, tags, expected_version=seen_by(request, "tags"))
    return Done("head", _("Tags of %s saved") % alert.number)


@verb("resolve")
def alert_resolve(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Resolve with a determination; findings are asked for benign alone (rulings 15)."""
    given = request.POST
    determination = given.get("determination", "")
    if not determination:
        raise Refused(_("Choose what it turned out to be."), field="determination")
    alert = alerts.resolve(
        actor,
        number,
        determination=determination,
        reason=given.get("reason", ""),
        findings=given.get("findings", "") if determination == "benign" else "",
        expected_version=seen_by(request, strict=True),
    )
    return Done("head", _("%s resolved") % alert.number)


@verb("reopen")
def alert_reopen(request: HttpRequest, actor: Actor, number: str) -> Done:
    """Back to work."""
    expected = seen_by(request, strict=True)
    alert = alerts.reopen(actor, number, reason=request.POST.get("reason", ""), expected_version=expected)
    return Done("head", _("%s reopened") % alert.number)
